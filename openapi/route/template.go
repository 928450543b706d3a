package route

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A segment is what a template has between two slashes: literal texts in
// normal form with a parameter between each and the next. One text alone is a
// segment that is wholly literal.
type segment []string

func (s segment) params() int { return len(s) - 1 }

// A template is a parsed path template.
type template struct {
	text     string // as it was given
	segments []segment
	names    []string
}

// cutQuery drops a query string or fragment, literal or as an expression of
// RFC 6570 ("/x{?page}").
func cutQuery(text string) string {
	inside := false
	for i := range len(text) {
		switch c := text[i]; {
		case inside:
			inside = c != '}'
		case c == '?' || c == '#':
			return text[:i]
		case c == '{':
			if i+1 < len(text) && strings.IndexByte("?&#", text[i+1]) >= 0 {
				return text[:i]
			}
			inside = true
		}
	}
	return text
}

func parse(text string) (*template, error) {
	t := &template{text: text}
	path, ok := strings.CutPrefix(cutQuery(text), "/")
	if !ok {
		return nil, fmt.Errorf("path %q: does not begin with /", text)
	}
	for part := range strings.SplitSeq(path, "/") {
		s, names, err := parseSegment(part)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", text, err)
		}
		for _, name := range names {
			if slices.Contains(t.names, name) {
				return nil, fmt.Errorf("path %q: the parameter {%s} occurs twice", text, name)
			}
			t.names = append(t.names, name)
		}
		t.segments = append(t.segments, s)
	}
	return t, nil
}

func parseSegment(part string) (segment, []string, error) {
	var s segment
	var names []string
	for {
		open := strings.IndexByte(part, '{')
		literal := part
		if open >= 0 {
			literal = part[:open]
		}
		if strings.IndexByte(literal, '}') >= 0 {
			return nil, nil, errors.New("a } without {")
		}
		s = append(s, normal(literal))
		if open < 0 {
			return s, names, nil
		}
		end := strings.IndexByte(part, '}')
		if end < 0 {
			return nil, nil, errors.New("a { without } in its segment")
		}
		name := part[open+1 : end]
		if name == "" || strings.IndexByte(name, '{') >= 0 {
			return nil, nil, fmt.Errorf("%q is no parameter; want {name}", part[open:end+1])
		}
		names = append(names, name)
		part = part[end+1:]
	}
}

// Names are the parameters of a template in order, nil for one that
// [Router.Add] refuses.
func Names(text string) []string {
	t, err := parse(text)
	if err != nil {
		return nil
	}
	return t.names
}

// A rank says which of two segments with parameters is tried first.
type rank struct{ literal, prefix, suffix, params int }

func (s segment) rank() rank {
	r := rank{prefix: len(s[0]), suffix: len(s[len(s)-1]), params: s.params()}
	for _, l := range s {
		r.literal += len(l)
	}
	return r
}

// compare is negative for the rank that comes first: more literal text, then
// the longer prefix, the longer suffix, more parameters.
func (a rank) compare(b rank) int {
	return cmp.Or(b.literal-a.literal, b.prefix-a.prefix, b.suffix-a.suffix, b.params-a.params)
}

// fits is whether a normal text has the form of a segment with parameters.
func (s segment) fits(text string) bool {
	prefix, suffix := s[0], s[len(s)-1]
	if len(text) < len(prefix)+len(suffix)+s.params() || !strings.HasPrefix(text, prefix) || !strings.HasSuffix(text, suffix) {
		return false
	}
	start, end := len(prefix), len(text)-len(suffix)
	if !aligned(text, end) {
		return false
	}
	for _, middle := range s[1 : len(s)-1] {
		at := next(text[:end], start, middle)
		if at < 0 {
			return false
		}
		start = at + len(middle)
	}
	return start < end
}

// next is where middle first stands in a text behind a parameter that begins
// at start and takes at least one unit, -1 if nowhere. The first place is
// always a right one: whatever fits behind a later one fits behind it, too.
func next(text string, start int, middle string) int {
	if start >= len(text) {
		return -1
	}
	size, _, _ := unit(text, start)
	for at := start + size; at <= len(text); at++ {
		i := strings.Index(text[at:], middle)
		if i < 0 {
			return -1
		}
		at += i
		if aligned(text, at) {
			return at
		}
	}
	return -1
}

// capture appends the parameters' texts. text fits the segment and is the
// normal form of raw, from which the texts are cut.
func (s segment) capture(text, raw string, args []string) []string {
	c := cursor{text: text, raw: raw, same: text == raw}
	c.to(len(s[0]))
	end := len(text) - len(s[len(s)-1])
	for _, middle := range s[1 : len(s)-1] {
		from := c.rawAt
		at := next(text[:end], c.at, middle)
		c.to(at)
		args = append(args, raw[from:c.rawAt])
		c.to(at + len(middle))
	}
	from := c.rawAt
	c.to(end)
	return append(args, raw[from:c.rawAt])
}

// A cursor goes through a text and its normal form in step.
type cursor struct {
	text, raw string
	same      bool // they are equal
	at, rawAt int
}

func (c *cursor) to(at int) {
	if c.same {
		c.at, c.rawAt = at, at
		return
	}
	for c.at < at {
		size, _, escaped := unit(c.raw, c.rawAt)
		c.rawAt += size
		c.at++
		if escaped {
			c.at += 2
		}
	}
}
