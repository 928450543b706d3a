package route

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// units writes each byte or escape of a text as one character: itself, or for
// escapes one of a private range, so that a regexp cannot look into an escape.
func units(text string) (string, []string) {
	var b strings.Builder
	var raw []string
	for i := 0; i < len(text); {
		size, c, escaped := unit(text, i)
		if escaped {
			b.WriteRune(0xE000 + rune(c))
		} else {
			b.WriteByte(c)
		}
		raw = append(raw, text[i:i+size])
		i += size
	}
	return b.String(), raw
}

var parameter = regexp.MustCompile(`\{[^/{}]+\}`)

var queryInBraces = regexp.MustCompile(`\{&|\{[^}]*[?#]`)

// A slow is the slow way to match a template: one regexp for all of it.
type slow struct {
	id       int
	re       *regexp.Regexp
	segments []string // in units, "\x00" for a parameter
}

func newSlow(text string, id int) slow {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i]
	}
	var re, plain strings.Builder
	for {
		at := parameter.FindStringIndex(text)
		if at == nil {
			break
		}
		u, _ := units(text[:at[0]])
		re.WriteString(regexp.QuoteMeta(u) + "([^/]+?)")
		plain.WriteString(u + "\x00")
		text = text[at[1]:]
	}
	u, _ := units(text)
	plain.WriteString(u)
	return slow{id, regexp.MustCompile(`\A` + re.String() + regexp.QuoteMeta(u) + `\z`), strings.Split(plain.String(), "/")}
}

func escapedLen(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r >= 0xE000:
			n += 3
		case r != 0:
			n++
		}
	}
	return n
}

// before is the rule of precedence, one segment after the other.
func (a slow) before(b slow) int {
	for i := range min(len(a.segments), len(b.segments)) {
		x, y := a.segments[i], b.segments[i]
		if x == y {
			continue
		}
		xs, ys := strings.Split(x, "\x00"), strings.Split(y, "\x00")
		for _, d := range []int{
			min(len(xs), 2) - min(len(ys), 2),
			escapedLen(y) - escapedLen(x),
			escapedLen(ys[0]) - escapedLen(xs[0]),
			escapedLen(ys[len(ys)-1]) - escapedLen(xs[len(xs)-1]),
			len(ys) - len(xs),
			slices.CompareFunc(xs, ys, func(a, b string) int { return strings.Compare(written(a), written(b)) }),
		} {
			if d != 0 {
				return d
			}
		}
	}
	return len(a.segments) - len(b.segments)
}

func written(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 0xE000 {
			b.WriteString("%" + string(hex[r>>4&15]) + string(hex[r&15]))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// FuzzMatch compares with a regexp for each template and the rule of
// precedence: same answer, same captured texts, and no two templates that Add
// accepts stand equal.
func FuzzMatch(f *testing.F) {
	f.Add("/x/{a}\n/x/{b}/y\n/x/me", "/x/me/y")
	f.Add("/{a}-{b}\n/{a}.json\n/{a}\n/{a}{b}", "/1-2.json")
	f.Add("/x/{a}2{b}\n/x/{a}%2f{b}\n/x/{a}2F", "/x/%41%2fb")
	f.Add("/{a}aa{b}a\n/{a}a{b}aa\n/a{a}a{b}a", "/aaaaaaa")
	f.Add("/%61{x}/é\n/a{x}/%c3%A9/\n/{y}/%", "/a%62/%C3%a9/")
	f.Add("/{a}/b\n/a/{b}\n/a/b/\n//", "/a/b")
	f.Fuzz(func(t *testing.T, list, path string) {
		if len(list) > 2000 || len(path) > 200 {
			return
		}
		var r Router
		var all []slow
		texts := strings.Split(list, "\n")
		for i, text := range texts {
			if queryInBraces.MatchString(text) || strings.Contains(text, "\x00") {
				continue // the reference cuts at the first ? or #
			}
			if err := r.Add(text, i); err == nil {
				all = append(all, newSlow(text, i))
			}
		}
		for i, a := range all {
			for _, b := range all[:i] {
				if a.before(b) == 0 {
					t.Fatalf("Add accepts %q and %q, which match the same", texts[a.id], texts[b.id])
				}
			}
		}
		slices.SortFunc(all, slow.before)
		wantID, want, wantOK := 0, []string(nil), false
		u, raw := units(path)
		for _, s := range all {
			m := s.re.FindStringSubmatchIndex(u)
			if m == nil {
				continue
			}
			wantID, wantOK = s.id, true
			for i := 2; i < len(m); i += 2 {
				from, to := len([]rune(u[:m[i]])), len([]rune(u[:m[i+1]]))
				want = append(want, strings.Join(raw[from:to], ""))
			}
			break
		}
		id, got, ok := r.Match(path, nil)
		if id != wantID || ok != wantOK || !slices.Equal(got, want) {
			t.Errorf("Match(%q) with %q = %d %q %v, want %d %q %v", path, texts, id, got, ok, wantID, want, wantOK)
		}
		if n := normal(path); n != normal(n) || !isNormal(n) {
			t.Errorf("normal(%q) = %q, and that is not normal", path, n)
		}
	})
}
