package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func router(t testing.TB, templates ...string) *Router {
	t.Helper()
	var r Router
	for i, text := range templates {
		if err := r.Add(text, i); err != nil {
			t.Fatal(err)
		}
	}
	return &r
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name      string
		templates string // separated by spaces
		path      string
		want      string // the template, then its captured texts; "" for none
	}{
		{"the root", "/", "/", "/"},
		{"an empty path is not the root", "/", "", ""},
		{"an asterisk is no path", "/ /{a}", "*", ""},
		{"nothing matches an empty router", "", "/x", ""},
		{"a literal path", "/x /y", "/y", "/y"},
		{"a closing slash is another path", "/x", "/x/", ""},
		{"a closing slash that the document has", "/x /x/", "/x/", "/x/"},
		{"a double slash is an empty segment", "/x/y", "/x//y", ""},
		{"a parameter", "/x/{id}", "/x/1", "/x/{id} 1"},
		{"a parameter is never empty", "/x/{id}", "/x/", ""},
		{"a parameter does not reach over a slash", "/x/{id}", "/x/1/2", ""},
		{"a path that ends early", "/x/{id}/y", "/x/1", ""},
		{"literal before parameter", "/x/{id} /x/me", "/x/me", "/x/me"},
		{"literal before a parameter with more literal text", "/x/m{id}e /x/mine", "/x/mine", "/x/mine"},
		{"a longer suffix wins", "/x/{id} /x/{id}.json /x/{id}.min.json", "/x/a.min.json", "/x/{id}.min.json a"},
		{"a longer prefix wins", "/x/{id} /x/v{id} /x/vat{id}", "/x/vat1", "/x/vat{id} 1"},
		{"prefix before suffix of one length", "/x/{id}ab /x/ab{id}", "/x/ab-ab", "/x/ab{id} -ab"},
		{"most literal text before a longer prefix", "/x/ab{id} /x/a{id}ef", "/x/abcdef", "/x/a{id}ef bcd"},
		{"a suffix alone is not enough", "/x/{id}.json", "/x/.json", ""},
		{"prefix and suffix may not overlap", "/x/aba{id}aba", "/x/ababa", ""},
		{"an action behind a colon", "/x/{id} /x/{id}:cancel /x/{id}:start", "/x/7:cancel", "/x/{id}:cancel 7"},
		{"an unknown action is part of the parameter", "/x/{id} /x/{id}:cancel", "/x/7:stop", "/x/{id} 7:stop"},
		{"two parameters", "/x/{a}-{b}", "/x/1-2", "/x/{a}-{b} 1 2"},
		{"the first of two parameters is as short as possible", "/x/{a}-{b}", "/x/1-2-3", "/x/{a}-{b} 1 2-3"},
		{"but not empty", "/x/{a}-{b}", "/x/-3", ""},
		{"so it may begin with the text between", "/x/{a}-{b}", "/x/---3", "/x/{a}-{b} - -3"},
		{"two parameters without text between", "/x/{a}{b}", "/x/123", "/x/{a}{b} 1 23"},
		{"one character is too short for two parameters", "/x/{a}{b}", "/x/1", ""},
		{"three parameters", "/{a}..{b}...{c}.x", "/1..2...3.x", "/{a}..{b}...{c}.x 1 2 3"},
		{"two parameters before a plain one", "/x/{id} /x/{a}-{b}", "/x/1-2", "/x/{a}-{b} 1 2"},
		{"back to an earlier parameter", "/x/me/a /x/{id}/b", "/x/me/b", "/x/{id}/b me"},
		{"back over two levels", "/a/b/c /a/{x}/d /{y}/b/e", "/a/b/e", "/{y}/b/e a"},
		{"the first difference from the left decides", "/a/{x}/{y} /{w}/b/c", "/a/b/c", "/a/{x}/{y} b c"},
		{"back from a suffix to a plain parameter", "/{id}.json/a /{id}/b", "/1.json/b", "/{id}/b 1.json"},
		{"other parameter names below", "/x/{a} /x/{b}/y", "/x/1/y", "/x/{b}/y 1"},
		{"a query string in the document", "/x?action=y", "/x", "/x?action=y"},
		{"a fragment in the document", "/x/{id}#y", "/x/1", "/x/{id}#y 1"},
		{"a query expression in the document", "/x{?page,size}", "/x", "/x{?page,size}"},
		{"a question mark in a name", "/x/{id?}", "/x/1", "/x/{id?} 1"},

		{"an escaped slash splits no segment", "/x/{id}", "/x/a%2Fb", "/x/{id} a%2Fb"},
		{"captured texts stay as they were sent", "/x/{id}", "/x/%41%2f%zz", "/x/{id} %41%2f%zz"},
		{"an escaped letter in the request", "/abc", "/%61b%63", "/abc"},
		{"an escaped letter in the document", "/%61%2Dc", "/a-c", "/%61%2Dc"},
		{"hexadecimal digits in any case", "/a%2fb", "/a%2Fb", "/a%2fb"},
		{"an escaped slash is no slash", "/a/b", "/a%2Fb", ""},
		{"an escaped colon is no colon", "/x/{id} /x/{id}:go", "/x/1%3Ago", "/x/{id} 1%3Ago"},
		{"an escaped letter in a suffix", "/x/{id}.json", "/x/1%2E%6ason", "/x/{id}.json 1"},
		{"captured between escaped letters", "/x/a{id}b{c}", "/x/%61%2f%62%63", "/x/a{id}b{c} %2f %63"},
		{"a literal is not found within an escape", "/x/{a}2{b}", "/x/a%2Fb", ""},
		{"a suffix is not found within an escape", "/x/{a}2F", "/x/a%2F", ""},
		{"an escape is one character", "/x/{a}{b}", "/x/%2Fb", "/x/{a}{b} %2F b"},
		{"an escape alone is too short for two", "/x/{a}{b}", "/x/%2F", ""},
		{"letters beyond ASCII in the document", "/straße/{id}", "/stra%C3%9Fe/1", "/straße/{id} 1"},
		{"a space in the document", "/a\u00a0b", "/a%c2%a0b", "/a\u00a0b"},
		{"a percent sign in the document that escapes nothing", "/100%", "/100%25", "/100%"},
		{"a broken escape in the request", "/100%25", "/100%", "/100%25"},
		{"dots are not resolved", "/x/{id}", "/x/..", "/x/{id} .."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			templates := strings.Split(tt.templates, " ")
			if tt.templates == "" {
				templates = nil
			}
			id, captured, ok := router(t, templates...).Match(tt.path, nil)
			got := ""
			if ok {
				got = strings.Join(append([]string{templates[id]}, captured...), " ")
			}
			if got != tt.want {
				t.Errorf("Match(%q) with %s = %q, want %q", tt.path, tt.templates, got, tt.want)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	for _, tt := range []struct{ name, templates, want string }{
		{"no slash", "x", `path "x": does not begin with /`},
		{"nothing at all", "", `path "": does not begin with /`},
		{"an open brace", "/x/{id", `path "/x/{id": a { without } in its segment`},
		{"a brace over a slash", "/{a/b}", `path "/{a/b}": a { without } in its segment`},
		{"a closing brace", "/x/id}", `path "/x/id}": a } without {`},
		{"no name", "/x/{}", `path "/x/{}": "{}" is no parameter; want {name}`},
		{"braces in braces", "/x/{{a}}", `path "/x/{{a}}": "{{a}" is no parameter; want {name}`},
		{"one name twice", "/x/{a}/{a}", `path "/x/{a}/{a}": the parameter {a} occurs twice`},
		{"other names only", "/x/{a} /x/{b}", `path "/x/{b}": matches the same requests as "/x/{a}"; want only one of them`},
		{"other queries only", "/x?a=1 /x?a=2", `path "/x?a=2": matches the same requests as "/x?a=1"; want only one of them`},
		{"other escapes only", "/a-{b} /%61%2d{c}", `path "/%61%2d{c}": matches the same requests as "/a-{b}"; want only one of them`},
		{"several parameters", "/{a}-{b}.{c} /{x}-{y}.{z}", `path "/{x}-{y}.{z}": matches the same requests as "/{a}-{b}.{c}"; want only one of them`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Router
			var err error
			for i, text := range strings.Split(tt.templates, " ") {
				if err = r.Add(text, i); err != nil {
					break
				}
			}
			if err == nil || err.Error() != tt.want {
				t.Errorf("Add(%s) = %v, want %s", tt.templates, err, tt.want)
			}
		})
	}
}

func TestManyOfOneRank(t *testing.T) {
	var templates []string
	for i := range 3 * fewEdges {
		templates = append(templates, fmt.Sprintf("/x/{id}:act%02d", i), fmt.Sprintf("/x/{a}-%02d-{b}", i), fmt.Sprintf("/x/p%02d.{id}", i))
	}
	r := router(t, templates...)
	for i, text := range templates {
		path := strings.NewReplacer("{id}", "7", "{a}", "1", "{b}", "2").Replace(text)
		if id, captured, ok := r.Match(path, nil); id != i || !ok {
			t.Errorf("Match(%q) = %d %q %v, want %d", path, id, captured, ok, i)
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string][]string{
		"/x": nil, "/{a}/x/{b}-{c}.json": {"a", "b", "c"}, "/{a}?b={c}": {"a"}, "/x{?page}": nil, "/{a": nil,
	} {
		if got := Names(text); !slices.Equal(got, want) {
			t.Errorf("Names(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for _, tt := range []struct {
		name, raw, want string
		ok              bool
	}{
		{"nothing to do", "a+b", "a+b", true},
		{"an escape", "a%2Fb%20%c3%9f", "a/b ß", true},
		{"a percent sign is decoded once", "%2541", "%41", true},
		{"a broken escape", "a%2", "", false},
		{"no hexadecimal digits", "%zz", "", false},
		{"escaped bytes that are no UTF-8", "%ff", "\xff", false},
		{"bytes that are no UTF-8", "\xff", "\xff", false},
		{"a surrogate", "%ED%A0%80", "\xed\xa0\x80", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := Unescape(tt.raw); ok != tt.ok || got != tt.want {
				t.Errorf("Unescape(%q) = %q, %v, want %q, %v", tt.raw, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	r := router(t, "/x/{a}/y/{b}.json", "/x/{a}-{b}/y/z")
	args := make([]string, 0, 8)
	for _, path := range []string{"/x/a%2Fb/y/2.json", "/x/1-2/y/z", "/nowhere/1"} {
		if n := testing.AllocsPerRun(100, func() { r.Match(path, args) }); n != 0 {
			t.Errorf("Match(%q) allocates %v times, want 0", path, n)
		}
	}
}

// TestBacktrackingIsBounded has 2^12 templates whose every way fails at the last
// segment, and long paths against segments with several parameters. Work that
// is not bounded by their size would not end here.
func TestBacktrackingIsBounded(t *testing.T) {
	r, path := worst(t, 12)
	if id, _, ok := r.Match(path, nil); ok {
		t.Errorf("Match(%q) = %d, want none", path, id)
	}
	// A long path with many places for the text between parameters.
	r = router(t, "/{a}ab{b}ab{c}ab{d}abc")
	if _, _, ok := r.Match("/"+strings.Repeat("ab", 500_000), nil); ok {
		t.Error("Match of a million letters = true, want false")
	}
	if _, _, ok := r.Match("/"+strings.Repeat("%41%", 250_000), nil); ok {
		t.Error("Match of a million broken escapes = true, want false")
	}
	if _, _, ok := r.Match(strings.Repeat("/", 1_000_000), nil); ok {
		t.Error("Match of a million slashes = true, want false")
	}
}

// worst are templates that for each of depth segments have a literal and a
// parameter, and a path that fits all but their last segment.
func worst(t testing.TB, depth int) (*Router, string) {
	var r Router
	for i := range 1 << depth {
		var b strings.Builder
		for bit := range depth {
			if i>>bit&1 == 0 {
				b.WriteString("/a")
			} else {
				fmt.Fprintf(&b, "/{p%d}", bit)
			}
		}
		if err := r.Add(b.String()+"/end", i); err != nil {
			t.Fatal(err)
		}
	}
	return &r, strings.Repeat("/a", depth) + "/other"
}

func BenchmarkMatch(b *testing.B) {
	run := func(name string, r *Router, path string, want bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			args := make([]string, 0, 8)
			for b.Loop() {
				if _, _, ok := r.Match(path, args); ok != want {
					b.Fatalf("Match(%q) = %v, want %v", path, ok, want)
				}
			}
		})
	}
	for _, n := range []int{10, 100, 1000} {
		var templates []string
		for i := range n / 5 {
			base := fmt.Sprintf("/v1/resource%d", i)
			templates = append(templates, base, base+"/{id}", base+"/{id}/items", base+"/{id}/items/{item}", base+"/{id}:cancel")
		}
		r := router(b, templates...)
		run(fmt.Sprintf("paths=%d", n), r, "/v1/resource1/0af3/items/42", true)
		run(fmt.Sprintf("paths=%d/404", n), r, "/v1/resource1/0af3/nothing/42", false)
	}
	var actions []string
	for i := range 1000 {
		actions = append(actions, fmt.Sprintf("/v1/{id}:action%d", i))
	}
	run("actions=1000", router(b, actions...), "/v1/0af3:action777", true)
	run("escaped", router(b, "/v1/resource/{id}"), "/v1/r%65source/a%2fb", true)
	for _, depth := range []int{4, 8} {
		r, path := worst(b, depth)
		run(fmt.Sprintf("worst=%d", 1<<depth), r, path, false)
	}
}
