// Package tree reads YAML and JSON texts into trees that know where each node
// stands, and follows references in them.
package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// A File is one parsed text.
type File struct {
	Name string // as errors print it
	Root *yaml.Node

	origins map[*yaml.Node]string // of the nodes that come from another file
}

// Parse reads a YAML text, of which JSON is a part. Its root must be a mapping.
// Aliases are followed; one that contains itself is an error, and so is a key
// that occurs twice in a mapping.
func Parse(name string, data []byte) (*File, error) {
	f, err := ParseAny(name, data)
	if err == nil && f.Root.Kind != yaml.MappingNode {
		return nil, f.Errorf(f.Root, "is %s; want a mapping", kind(f.Root))
	}
	return f, err
}

// ParseAny is [Parse] of a text whose root may be of any kind.
func ParseAny(name string, data []byte) (*File, error) {
	dec := yaml.NewDecoder(bytes.NewReader(joinSurrogates(data)))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: is empty", name)
		}
		return nil, syntaxError(name, err)
	}
	f := &File{Name: name, Root: doc.Content[0]}
	var more yaml.Node
	switch err := dec.Decode(&more); {
	case err == nil:
		return nil, f.Errorf(&more, "a second document begins; want one")
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(name, err)
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	return f, nil
}

// joinSurrogates writes the pairs of escapes by which JSON spells a character
// beyond U+FFFF (RFC 8259, section 7) as that character: YAML has no such
// escape. Only a text that begins like JSON is touched.
func joinSurrogates(data []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("{")) || !bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			i++
			continue
		}
		if i+12 <= len(data) {
			if v, err := value.ParseString(`"` + string(data[i:i+12]) + `"`); err == nil && utf8.RuneCountInString(v.Text()) == 1 {
				out = append(out, v.Text()...)
				i += 12
				continue
			}
		}
		out = append(out, data[i], data[i+1])
		i += 2
	}
	return out
}

// syntaxError puts the line, where the parser knows it, behind the file.
func syntaxError(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if line, what, ok := strings.Cut(rest, ": "); ok {
			return fmt.Errorf("%s:%s: %s", name, line, what)
		}
	}
	return fmt.Errorf("%s: %s", name, text)
}

// A document that is deeper, or that has more nodes once its aliases are
// written out, is refused: it would cost more than it says.
const (
	MaxDepth = 1000
	maxNodes = 20_000_000
)

// Check holds the tree to what [ParseAny] promises of it. Who changes a tree
// calls it afterwards.
func (f *File) Check() error {
	c := checker{File: f, aliased: make(map[*yaml.Node]*extent)}
	_, err := c.check(f.Root, 0)
	return err
}

// extent is how much a node is once its aliases are written out.
type extent struct {
	nodes, height int
	open          bool // still being measured
}

// checker measures each node once, however many aliases stand for it.
type checker struct {
	*File
	aliased map[*yaml.Node]*extent
}

func (c *checker) check(n *yaml.Node, depth int) (extent, error) {
	if depth > MaxDepth {
		return extent{}, c.Errorf(n, "nested deeper than %d levels", MaxDepth)
	}
	at := n
	n = Follow(n)
	if n.Anchor == "" {
		return c.measure(n, depth)
	}
	if e := c.aliased[n]; e != nil {
		switch {
		case e.open:
			return extent{}, c.Errorf(at, "the alias contains itself")
		case depth+e.height > MaxDepth:
			return extent{}, c.Errorf(at, "nested deeper than %d levels", MaxDepth)
		}
		return *e, nil
	}
	e := &extent{open: true}
	c.aliased[n] = e
	var err error
	*e, err = c.measure(n, depth)
	return *e, err
}

func (c *checker) measure(n *yaml.Node, depth int) (extent, error) {
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				return extent{}, c.Errorf(key, "a key is %s; want a text", kind(Follow(key)))
			}
			if line, ok := seen[key.Value]; ok {
				return extent{}, c.Errorf(key, "the key %q occurs twice (first in line %d)", key.Value, line)
			}
			seen[key.Value] = key.Line
		}
	}
	e := extent{nodes: 1}
	for _, sub := range n.Content {
		s, err := c.check(sub, depth+1)
		if err != nil {
			return e, err
		}
		e.nodes += s.nodes
		e.height = max(e.height, s.height+1)
		if e.nodes > maxNodes {
			return e, c.Errorf(n, "more than %d nodes once the aliases are written out", maxNodes)
		}
	}
	return e, nil
}

// Keys checks that n is a mapping with no other keys than these. what names it in
// the error.
func (f *File) Keys(n *yaml.Node, what string, allowed ...string) error {
	if n == nil || n.Kind != yaml.MappingNode {
		return f.Errorf(n, "%s: is %s; want a mapping with %s", what, Kind(n), strings.Join(allowed, ", "))
	}
	for k := range Pairs(n) {
		if !slices.Contains(allowed, k.Value) {
			return f.Errorf(k, "%s: unknown key %q; want %s", what, k.Value, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// Holds checks that what stands under a key of n, if anything does, is a mapping
// or a list: anything else would be without effect.
func (f *File) Holds(n *yaml.Node, key string, kind yaml.Kind, what string) error {
	v := Get(n, key)
	if v == nil || v.Kind == kind {
		return nil
	}
	want := "a mapping"
	if kind == yaml.SequenceNode {
		want = "a list"
	}
	return f.Errorf(v, "%s: is %s; want %s", what, Kind(v), want)
}

// Position is where n begins; of no node it is the file.
func (f *File) Position(n *yaml.Node) behavior.Position {
	if n == nil {
		return behavior.Position{File: f.Name}
	}
	return behavior.Position{File: f.Origin(n), Line: n.Line, Column: n.Column}
}

// Origin is the name of the file in which n was written.
func (f *File) Origin(n *yaml.Node) string {
	if name, ok := f.origins[n]; ok {
		return name
	}
	return f.Name
}

// SetOrigin says in which file n, a node that is new to this tree, was written.
// Its parts have origins of their own. Not to be called while others read.
func (f *File) SetOrigin(n *yaml.Node, name string) {
	if name == f.Name {
		return
	}
	if f.origins == nil {
		f.origins = make(map[*yaml.Node]string)
	}
	f.origins[n] = name
}

// Errorf is an error at n: file:line:column, then the text.
func (f *File) Errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%v: "+format, append([]any{f.Position(n)}, args...)...)
}

// Follow is the node that an alias stands for.
func Follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// Get is the value of a key in a mapping; nil where there is none.
func Get(n *yaml.Node, key string) *yaml.Node {
	n = Follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return Follow(n.Content[i+1])
		}
	}
	return nil
}

// Key is the node of a key itself, for positions; nil where there is none.
func Key(n *yaml.Node, key string) *yaml.Node {
	n = Follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

// Pairs goes through a mapping in order. Of anything else there are none.
func Pairs(n *yaml.Node) func(yield func(key, val *yaml.Node) bool) {
	n = Follow(n)
	return func(yield func(key, val *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], Follow(n.Content[i+1])) {
				return
			}
		}
	}
}

// Items goes through a sequence in order. Of anything else there are none.
func Items(n *yaml.Node) func(yield func(i int, val *yaml.Node) bool) {
	n = Follow(n)
	return func(yield func(i int, val *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.SequenceNode {
			return
		}
		for i, c := range n.Content {
			if !yield(i, Follow(c)) {
				return
			}
		}
	}
}

// Text is the text of a scalar under a key, "" where there is none.
func Text(n *yaml.Node, key string) string {
	v := Get(n, key)
	if v == nil || v.Kind != yaml.ScalarNode {
		return ""
	}
	return v.Value
}

// Resolve follows a chain of $ref from n until a node that is none. Only
// references within the file are followed ("#/components/schemas/Agent").
func (f *File) Resolve(n *yaml.Node) (*yaml.Node, error) {
	start := n
	for range 100 {
		n = Follow(n)
		ref := Get(n, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode {
			return n, nil
		}
		to, err := f.Lookup(ref.Value)
		if err != nil {
			return nil, f.Errorf(ref, "%v", err)
		}
		n = to
	}
	return nil, f.Errorf(start, "the reference leads back to itself")
}

// Lookup is the node that a reference such as "#/components/schemas/Agent"
// names (RFC 6901 in a URI fragment).
func (f *File) Lookup(ref string) (*yaml.Node, error) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, fmt.Errorf("the reference %q does not point into this document; want one that begins with #/", ref)
	}
	n := f.Root
	for part := range strings.SplitSeq(pointer, "/") {
		part = unescape(part)
		n = Follow(n)
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			next = Get(n, part)
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(n.Content) {
				next = Follow(n.Content[i])
			}
		}
		if next == nil {
			return nil, fmt.Errorf("the reference %q leads nowhere: there is no %q%s", ref, part, Choices(n))
		}
		n = next
	}
	return n, nil
}

func unescape(part string) string {
	if strings.Contains(part, "%") {
		if u, err := url.PathUnescape(part); err == nil {
			part = u
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}

// Choices lists the keys of a mapping, for error messages: "; have a, b".
func Choices(n *yaml.Node) string {
	var keys []string
	for k := range Pairs(n) {
		keys = append(keys, k.Value)
	}
	if len(keys) == 0 || len(keys) > 20 {
		return ""
	}
	return "; have " + strings.Join(keys, ", ")
}

func kind(n *yaml.Node) string {
	if n == nil {
		return "nothing"
	}
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("the scalar %q", n.Value)
}

// Kind describes what a node is, for error messages.
func Kind(n *yaml.Node) string { return kind(Follow(n)) }

// Value is the JSON value that a node stands for. Numbers keep their digits
// where JSON can write them; times and dates are strings, as in JSON. No node is
// [value.Missing].
func (f *File) Value(n *yaml.Node) (value.Value, error) {
	n = Follow(n)
	if n == nil {
		return value.Value{}, nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		members := make([]value.Member, 0, len(n.Content)/2)
		for k, c := range Pairs(n) {
			v, err := f.Value(c)
			if err != nil {
				return value.Value{}, err
			}
			members = append(members, value.Member{Name: k.Value, Value: v})
		}
		return value.Object(members...), nil
	case yaml.SequenceNode:
		elems := make([]value.Value, 0, len(n.Content))
		for _, c := range Items(n) {
			v, err := f.Value(c)
			if err != nil {
				return value.Value{}, err
			}
			elems = append(elems, v)
		}
		return value.Array(elems...), nil
	}
	switch n.ShortTag() {
	case "!!null":
		return value.Null, nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return value.Value{}, f.Errorf(n, "%q is no boolean", n.Value)
		}
		return value.Bool(b), nil
	case "!!int", "!!float":
		if v, err := value.ParseString(n.Value); err == nil && v.IsNumber() {
			return v, nil
		}
		var i int64                                                     // 0x1F, 1_000, +1
		if err := n.Decode(&i); err == nil && n.ShortTag() == "!!int" { // of .5 it would be 0
			return value.Int(i), nil
		}
		var x float64
		if err := n.Decode(&x); err != nil {
			return value.Value{}, f.Errorf(n, "%q is no number", n.Value)
		}
		v := value.Float(x)
		if v.IsNull() {
			return v, f.Errorf(n, "%s is no JSON number", n.Value)
		}
		return v, nil
	}
	return value.String(n.Value), nil
}
