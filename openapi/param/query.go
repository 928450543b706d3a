package param

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// MaxPairs is how many pairs of a query string are read; the rest is ignored.
const MaxPairs = 1000

// MaxDepth is how deep brackets may nest in a name: a[b][c] is two deep.
const MaxDepth = 10

// A Query is a parsed query string: its pairs in order.
type Query []Pair

// A Pair is one name=value; without = the value is empty.
type Pair struct {
	Name, Value string // decoded; valid UTF-8
	RawValue    string // as sent
	Bad         bool   // an escape is broken or bytes are not UTF-8; that text is as it was sent
}

// ParseQuery parses a query string without its question mark into buf[:0].
// A plus is a space. Of names and values that need no decoding nothing is
// copied.
func ParseQuery(raw string, buf Query) Query {
	q := buf[:0]
	for raw != "" && len(q) < MaxPairs {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		p := Pair{RawValue: text}
		var ok bool
		if p.Name, ok = unescapeQuery(name); !ok {
			p.Bad = true
		}
		if p.Value, ok = unescapeQuery(text); !ok {
			p.Bad = true
		}
		q = append(q, p)
	}
	return q
}

// unescapeQuery decodes a part of a query string; where it cannot, the part
// itself, with U+FFFD for what is not UTF-8.
func unescapeQuery(raw string) (string, bool) {
	text := raw
	if strings.IndexByte(raw, '%') >= 0 || strings.IndexByte(raw, '+') >= 0 {
		var err error
		if text, err = url.QueryUnescape(raw); err != nil {
			return strings.ToValidUTF8(raw, "\uFFFD"), false
		}
	}
	if !utf8.ValidString(text) {
		return strings.ToValidUTF8(raw, "\uFFFD"), false
	}
	return text, true
}

// last is the last pair of that name, nil if there is none.
func (q Query) last(name string) *Pair {
	for i := len(q) - 1; i >= 0; i-- {
		if q[i].Name == name {
			return &q[i]
		}
	}
	return nil
}

func (q Query) count(name string) (n int) {
	for i := range q {
		if q[i].Name == name {
			n++
		}
	}
	return n
}

// brackets is what follows base in a name such as base[a][b]: "[a][b]". It is
// false for any other form.
func brackets(name, base string) (string, bool) {
	rest, ok := strings.CutPrefix(name, base)
	if !ok || rest == "" {
		return "", false
	}
	for at := rest; at != ""; {
		end := strings.IndexByte(at, ']')
		if at[0] != '[' || end < 0 {
			return "", false
		}
		at = at[end+1:]
	}
	return rest, true
}

// bracketed is whether one of the names is base with brackets behind it, and
// not the name itself.
func (q Query) bracketed(name, base string) bool {
	for i := range q {
		if _, ok := brackets(q[i].Name, base); ok && q[i].Name != name {
			return true
		}
	}
	return false
}

// keys splits "[a][b]" into a and b; of more than MaxDepth it gives one more.
func keys(rest string, buf []string) []string {
	for rest != "" && len(buf) <= MaxDepth {
		end := strings.IndexByte(rest, ']')
		buf = append(buf, rest[1:end])
		rest = rest[end+1:]
	}
	return buf
}

// A branch is what stands behind one prefix of bracketed names.
type branch struct {
	texts   []string // sent for the prefix itself
	names   []string // of the children, in order of appearance
	kids    map[string]*branch
	members []*branch // behind an empty pair of brackets
}

// tree collects the pairs of a name and of all with brackets behind base.
func (r *reader) tree(name, base string) *branch {
	root := new(branch)
	var buf [MaxDepth + 1]string
	q := r.src.Query
	for i := range q {
		var path []string
		if q[i].Name != name {
			rest, ok := brackets(q[i].Name, base)
			if !ok {
				continue
			}
			path = keys(rest, buf[:0])
		}
		switch {
		case q[i].Bad:
			r.fail("encoding", percent, q[i].RawValue)
		case len(path) > MaxDepth:
			r.fail("style", value.String(r.p.Style), q[i].Name)
		default:
			root.insert(path, q[i].Value)
		}
	}
	return root
}

func (b *branch) insert(path []string, text string) {
	for i, key := range path {
		b = b.step(key, path[i+1:])
	}
	b.texts = append(b.texts, text)
}

// step goes to a child. An empty key is a new element, unless the last one has
// no member yet where rest leads: a[][x]=1&a[][y]=2 is one object.
func (b *branch) step(key string, rest []string) *branch {
	if key == "" {
		if n := len(b.members); n > 0 && len(rest) > 0 && !b.members[n-1].has(rest) {
			return b.members[n-1]
		}
		next := new(branch)
		b.members = append(b.members, next)
		return next
	}
	next := b.kids[key]
	if next == nil {
		if b.kids == nil {
			b.kids = make(map[string]*branch)
		}
		next = new(branch)
		b.kids[key] = next
		b.names = append(b.names, key)
	}
	return next
}

// has is whether something stands at a path. At one with empty brackets there
// is always room for more.
func (b *branch) has(path []string) bool {
	for _, key := range path {
		if b = b.kids[key]; b == nil {
			return false
		}
	}
	return len(b.texts) > 0
}

// index is a key of an array: a number of at most nine digits.
func index(key string) (int, bool) {
	if key == "" || len(key) > 9 {
		return 0, false
	}
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(key)
	return n, err == nil
}

// isList is whether every key is an index.
func (b *branch) isList() bool {
	for _, key := range b.names {
		if _, ok := index(key); !ok {
			return false
		}
	}
	return len(b.names) > 0 || len(b.members) > 0
}

// value builds what a schema (nil: none) wants from a branch. Indexes only
// order the elements; there are no gaps.
func (b *branch) value(as shape, s, extra *schema.Schema) value.Value {
	plain := len(b.names) == 0 && len(b.members) == 0
	switch {
	case plain && as != array:
		if len(b.texts) == 0 {
			return value.Value{}
		}
		return coerce(s, b.texts[len(b.texts)-1])
	case plain || b.isList() && (as != object || len(b.names) == 0):
		return b.array(s)
	}
	members := make([]value.Member, 0, len(b.names)+1)
	for _, name := range b.names {
		members = append(members, value.Member{Name: name, Value: b.kids[name].child(s, extra, name)})
	}
	if len(b.members) > 0 {
		rest := branch{members: b.members}
		members = append(members, value.Member{Name: "", Value: rest.array(nil)})
	}
	return value.Object(members...)
}

func (b *branch) child(s, extra *schema.Schema, name string) value.Value {
	sub := extra
	if s != nil {
		if p, ok := s.Property(name); ok {
			sub = p
		}
	}
	return b.value(shapeOf(sub), sub, nil)
}

func (b *branch) array(s *schema.Schema) value.Value {
	var items *schema.Schema
	if s != nil {
		items = s.Items()
	}
	elems := make([]value.Value, 0, len(b.texts)+len(b.names)+len(b.members))
	for _, t := range b.texts {
		elems = append(elems, coerce(items, t))
	}
	names := slices.Clone(b.names)
	slices.SortStableFunc(names, func(x, y string) int {
		i, _ := index(x)
		j, _ := index(y)
		return cmp.Compare(i, j)
	})
	of := shapeOf(items)
	for _, name := range names {
		elems = append(elems, b.kids[name].value(of, items, nil))
	}
	for _, m := range b.members {
		elems = append(elems, m.value(of, items, nil))
	}
	return value.Array(elems...)
}
