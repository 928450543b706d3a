package sample

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// texts are the rules of several schemas for one text.
type texts struct {
	min, max int // in characters; max -1: none
	patterns []*pattern
	formats  []string
	named    hint // what a format that nobody checks says
}

// fixed is whether a text of the usual kind might not do.
func (t *texts) fixed() bool { return len(t.patterns) > 0 || len(t.formats) > 0 }

func (r *run) text(p *plan, at *spot) (value.Value, bool) {
	t := p.text
	seed := mix(at.base, uint64(at.walk))
	g := rng(seed)
	if t == nil {
		return value.String(at.hint.word(&g, mix(at.kin, uint64(at.walk)))), true
	}
	if t.max >= 0 && t.min > t.max || t.min > maxText {
		return value.Value{}, false
	}
	h := at.hint
	if h == hintNone {
		h = t.named
	}
	if !t.fixed() {
		s := h.word(&g, mix(at.kin, uint64(at.walk)))
		if at.try > 1 { // words are few
			s = g.chars(alnum, 8)
		}
		r.budget -= t.min >> 6
		return value.String(fit(s, t.min, t.max, &g)), true
	}
	const tries = 120
	for i := range tries {
		if r.budget < 0 {
			break
		}
		s, ok := t.try(h, at, i)
		if !ok {
			continue
		}
		r.budget -= len(s)>>6 + 1
		if n := utf8.RuneCountInString(s); n < t.min || t.max >= 0 && n > t.max || !r.matches(t, s) {
			continue
		}
		if v := value.String(s); len(t.formats) == 0 || r.fits(p, v) {
			return v, true
		}
		if len(t.patterns) == 0 && i > 8 {
			break
		}
	}
	return value.Value{}, false
}

func (r *run) matches(t *texts, s string) bool {
	for _, p := range t.patterns {
		if !p.judge.Match(s, &r.budget) {
			return false
		}
	}
	return true
}

// try is one candidate: by name and format first, then by pattern.
func (t *texts) try(h hint, at *spot, i int) (string, bool) {
	g := rng(mix(mix(at.base, uint64(at.walk)), uint64(i)))
	kin := mix(at.kin, uint64(at.walk))
	formats, patterns := len(t.formats), len(t.patterns)
	if i < 2 || patterns == 0 {
		if formats > 0 {
			return format(t.formats[i%formats], h, &g, kin, t.min, t.max)
		}
		if i == 0 && h != hintNone {
			return h.word(&g, kin), true
		}
		if patterns == 0 {
			return fit(h.word(&g, kin), t.min, t.max, &g), true
		}
	}
	p := t.patterns[i%patterns]
	if p.root == nil {
		return fit(h.word(&g, kin), t.min, t.max, &g), true
	}
	low := max(p.root.lo, t.min)
	high := min(p.root.hi, low+12)
	if t.max >= 0 {
		high = min(high, t.max)
	}
	want := low
	if high > low {
		want += g.intn(high - low + 1)
	}
	if low == 0 && high > 3 && i < 6 {
		want = max(want, 3)
	}
	s, ok := p.text(&g, want)
	if !ok {
		return "", false
	}
	if n := utf8.RuneCountInString(s); n < t.min { // the pattern is not anchored
		pad := g.chars(lower, t.min-n)
		if i%2 == 0 {
			s += pad
		} else {
			s = pad + s
		}
	}
	return s, true
}

// fit cuts a text, or adds words to it, until it has from low to high
// characters; high -1: any number. It neither begins nor ends with a space.
func fit(s string, low, high int, g *rng) string {
	n := utf8.RuneCountInString(s)
	if n < low {
		var b strings.Builder
		b.WriteString(s)
		for n < low {
			w := " " + g.of(nouns)
			b.WriteString(w)
			n += len(w)
		}
		if s = b.String(); high < 0 {
			return s
		}
		high = max(low, min(high, n))
	}
	if high < 0 || n <= high {
		return s
	}
	i, at := 0, 0
	for at = range s {
		if i == high {
			break
		}
		i++
	}
	s = s[:at]
	if strings.HasSuffix(s, " ") {
		s = s[:len(s)-1] + "s"
	}
	return s
}

// format is a text in a format, of from low to high characters if that can be;
// ok is false of formats that say nothing.
func format(name string, h hint, g *rng, kin uint64, low, high int) (string, bool) {
	pad := func(s string, fill string) string {
		if n := low - len(s); n > 0 && len(fill) > 0 && n <= maxText {
			return s + strings.Repeat(fill, n/len(fill)+1)[:n]
		}
		return s
	}
	short := func(n int) bool { return high >= 0 && high < n }
	switch name {
	case "date-time":
		s := h.time(g, kin).Add(time.Duration(g.intn(60)) * time.Second).Format("2006-01-02T15:04:05")
		if n := low - len(s) - 1; n > 0 {
			return s + "." + strings.Repeat("0", max(n-1, 1)) + "Z", true
		}
		return s + "Z", true
	case "date":
		return h.time(g, kin).Format(time.DateOnly), true
	case "time":
		s := h.time(g, kin).Format(time.TimeOnly)
		if n := low - len(s) - 1; n > 0 {
			return s + "." + strings.Repeat("0", max(n-1, 1)) + "Z", true
		}
		return s + "Z", true
	case "duration":
		s := strconv.Itoa(1+g.intn(9)) + "D"
		if n := low - len(s) - 1; n > 0 {
			return "P" + strings.Repeat("1", n) + s, true
		}
		if short(4) || g.intn(2) == 0 {
			return "P" + s, true
		}
		return "PT" + strconv.Itoa(1+g.intn(9)) + "H", true
	case "email", "idn-email":
		s := hintEmail.word(g, kin)
		if h != hintEmail && h != hintNone {
			s = g.of(nouns) + "@example.com"
		}
		if short(len(s)) {
			s = g.chars(lower, 1) + "@" + g.chars(lower, 1)
			if high >= 6 {
				s = g.chars(lower, min(high-5, 8)) + "@x.io"
			}
		}
		if n := low - len(s); n > 0 {
			user, domain, _ := strings.Cut(s, "@")
			more := min(n, 64-len(user))
			s = user + strings.Repeat("a", more) + "@" + labels(n-more) + domain
		}
		return s, true
	case "uri", "iri", "url":
		s := hintURL.word(g, kin)
		if short(len(s)) {
			s = "a:" + g.chars(lower, max(0, min(high-2, 8)))
		}
		return pad(s, "a"), true
	case "uri-reference", "iri-reference":
		s := "/" + g.of(nouns)
		if short(len(s)) {
			s = s[:max(high, 0)]
		}
		return pad(s, "a"), true
	case "uri-template":
		s := "/" + g.of(nouns) + "/{id}"
		if short(len(s)) {
			s = "/" + g.chars(lower, max(high-1, 0))
		}
		return pad(s, "a"), true
	case "hostname", "idn-hostname":
		s := hintHost.word(g, kin)
		if short(len(s)) {
			s = g.chars(lower, max(1, min(high, 12)))
		}
		if n := low - len(s); n > 0 {
			s = labels(n) + s
		}
		return s, true
	case "ipv4":
		s := hintIP.word(g, kin)
		if short(len(s)) {
			s = "10.0.0." + strconv.Itoa(1+g.intn(9))
		}
		if n := low - len(s); n > 0 && n <= 6 {
			s = "192.168.100.100"[:max(low, 0)]
			if len(s) == 12 {
				s = "192.168.10.1"
			}
		}
		return s, true
	case "ipv6":
		s := "2001:db8::" + g.chars(hexes[1:], 4)
		if short(len(s)) {
			s = "::" + strconv.Itoa(1+g.intn(9))
		}
		if low > len(s) {
			s = "2001:0db8:0000:0000:0000:0000:0000:" + g.chars(hexes[1:], 4)
		}
		return s, true
	case "uuid":
		s := g.chars(hexes, 36)
		return s[:8] + "-" + s[9:13] + "-4" + s[15:18] + "-a" + s[20:23] + "-" + s[24:], true
	case "byte":
		n := max((low+3)/4*3, 3)
		if !short(16) && low <= 16 {
			n = 12
		}
		if short(4) {
			return "", true
		}
		if n > maxText {
			return "", false
		}
		return base64.StdEncoding.EncodeToString([]byte(g.chars(alnum, n))), true
	case "json-pointer":
		if short(2) {
			return "", low == 0
		}
		s := "/" + g.of(nouns)
		if short(len(s)) {
			s = s[:high]
		}
		return pad(s, "a"), true
	case "relative-json-pointer":
		return pad("0/"+g.of(nouns), "a"), true
	case "regex":
		s := "^[a-z]+$"
		if short(len(s)) {
			s = strings.Repeat("a", max(high, 0))
		}
		if low > len(s) {
			s = strings.Repeat("a", min(low, 1000))
		}
		return s, true
	case "semver":
		return "1." + strconv.Itoa(g.intn(10)) + "." + strconv.Itoa(g.intn(10)), true
	case "binary", "password":
		return fit(g.chars(alnum, max(12, min(low, maxText))), low, high, g), true
	}
	return "", false
}

// labels are the first labels of a host name, with their dots: n characters.
func labels(n int) string {
	const longest = 60
	var b strings.Builder
	for n > 0 && b.Len() < 300 {
		k := min(n, longest)
		if n-k == 1 {
			k--
		}
		if k == 1 { // a dot alone cannot be
			b.WriteString("a")
			break
		}
		b.WriteString(strings.Repeat("a", k-1) + ".")
		n -= k
	}
	return b.String()
}

// known are the formats that [format] can write.
var known = map[string]bool{
	"date-time": true, "date": true, "time": true, "duration": true, "email": true, "idn-email": true, "uri": true, "iri": true, "url": true,
	"uri-reference": true, "iri-reference": true, "uri-template": true, "hostname": true, "idn-hostname": true, "ipv4": true, "ipv6": true, "uuid": true,
	"byte": true, "json-pointer": true, "relative-json-pointer": true, "regex": true, "semver": true, "binary": true, "password": true,
}
