// Package value holds JSON values as they were written: objects keep the order
// of their members, numbers keep their digits.
//
// A [Value] never changes after it was made, so it can be shared between
// worlds, requests and goroutines without a copy. The methods that seem to
// change one return another.
package value

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind tells what a Value is.
type Kind uint8

const (
	Missing Kind = iota // no value at all: the zero Value
	NullKind
	BoolKind
	NumberKind
	StringKind
	ArrayKind
	ObjectKind
	HoleKind // something that a server may choose; see [Hole]
)

var kindNames = [...]string{"nothing", "null", "boolean", "number", "string", "array", "object", "hole"}

// String is the JSON Schema name of the kind: "null", "boolean", "number", …
func (k Kind) String() string { return kindNames[k] }

// A Value is one immutable JSON value. The zero Value is [Missing].
type Value struct {
	kind Kind
	text string // of a string: its content; of a number: its digits; of true: "true"
	node *node  // of arrays, objects and holes; nil for empty ones
}

type node struct {
	elems   []Value
	members []Member
	hole    any
	sent    *node  // what of this object is shown to clients, where that is less
	raw     string // the compact encoding, once it is known
}

// A Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// Null, True and False are the values of those names.
var (
	Null  = Value{kind: NullKind}
	True  = Value{kind: BoolKind, text: "true"}
	False = Value{kind: BoolKind}
)

// Bool is true or false.
func Bool(b bool) Value {
	if b {
		return True
	}
	return False
}

// String is a text. It must be valid UTF-8.
func String(s string) Value { return Value{kind: StringKind, text: s} }

// Number is the number with these digits, which must be a JSON number
// (RFC 8259, section 6).
func Number(digits string) Value { return Value{kind: NumberKind, text: digits} }

// Int is a whole number.
func Int(i int64) Value { return Number(strconv.FormatInt(i, 10)) }

// Float is a number; what JSON cannot write (NaN, infinities) is [Null].
func Float(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Null
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return Int(int64(f))
	}
	return Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// Array is a list of these elements, which it keeps.
func Array(elems ...Value) Value {
	if len(elems) == 0 {
		return Value{kind: ArrayKind}
	}
	return Value{kind: ArrayKind, node: &node{elems: elems}}
}

// Strings is a list of texts.
func Strings(texts []string) Value {
	elems := make([]Value, len(texts))
	for i, t := range texts {
		elems[i] = String(t)
	}
	return Array(elems...)
}

// Object is an object of these members, which it keeps. No name may occur twice.
func Object(members ...Member) Value {
	if len(members) == 0 {
		return Value{kind: ObjectKind}
	}
	return Value{kind: ObjectKind, node: &node{members: members}}
}

// Hole is a place for a value that the server chooses; what describes it.
func Hole(what any) Value { return Value{kind: HoleKind, node: &node{hole: what}} }

// Hole is what describes a hole, nil for every other value.
func (v Value) Hole() any {
	if v.kind != HoleKind {
		return nil
	}
	return v.node.hole
}

// Kind tells what v is.
func (v Value) Kind() Kind { return v.kind }

// IsMissing is true of the zero Value.
func (v Value) IsMissing() bool { return v.kind == Missing }

// IsNull is true of null and of no value at all.
func (v Value) IsNull() bool { return v.kind <= NullKind }

// IsString, IsNumber, IsObject and IsArray tell the kind.
func (v Value) IsString() bool { return v.kind == StringKind }
func (v Value) IsNumber() bool { return v.kind == NumberKind }
func (v Value) IsObject() bool { return v.kind == ObjectKind }
func (v Value) IsArray() bool  { return v.kind == ArrayKind }

// True is whether v is true. Everything else, also 1 and "true", is not.
func (v Value) True() bool { return v.kind == BoolKind && v.text != "" }

// Text is the content of a string or the digits of a number, else empty.
func (v Value) Text() string {
	if v.kind == StringKind || v.kind == NumberKind {
		return v.text
	}
	return ""
}

// Int is a number as an int64. It is false for fractions, for numbers out of
// range, and for values that are no number.
func (v Value) Int() (int64, bool) {
	if v.kind != NumberKind {
		return 0, false
	}
	if i, ok := short(v.text); ok {
		return i, true
	}
	d := parseDecimal(v.text)
	return d.int()
}

// Float is a number as a float64, rounded if need be; 0 for no number.
func (v Value) Float() float64 {
	f, _ := strconv.ParseFloat(v.text, 64)
	if v.kind != NumberKind {
		return 0
	}
	return f
}

// Integral is whether v is a number without a fraction, such as 1, 1.0 and 1e2
// (JSON Schema 2020-12, validation, section 6.1.1).
func (v Value) Integral() bool {
	if v.kind != NumberKind {
		return false
	}
	if _, ok := short(v.text); ok {
		return true
	}
	d := parseDecimal(v.text)
	return d.integral()
}

// Len is the number of elements or members; of other kinds 0.
func (v Value) Len() int {
	if v.node == nil {
		return 0
	}
	return len(v.node.elems) + len(v.node.members)
}

// Elems are the elements of an array, else nil. Do not change them.
func (v Value) Elems() []Value {
	if v.node == nil {
		return nil
	}
	return v.node.elems
}

// Members are the members of an object in order, else nil. Do not change them.
func (v Value) Members() []Member {
	if v.node == nil {
		return nil
	}
	return v.node.members
}

// At is an element of an array; Missing where there is none.
func (v Value) At(i int) Value {
	if e := v.Elems(); i >= 0 && i < len(e) {
		return e[i]
	}
	return Value{}
}

// Get is a member of an object; Missing where there is none.
func (v Value) Get(name string) Value {
	if v.node != nil {
		for i := range v.node.members {
			if v.node.members[i].Name == name {
				return v.node.members[i].Value
			}
		}
	}
	return Value{}
}

// Has is whether an object has that member, be it null.
func (v Value) Has(name string) bool { return v.Get(name).kind != Missing }

// With is an object like v with that member: in the place of the old one, else
// behind the others. Of anything but an object it makes one.
func (v Value) With(name string, member Value) Value {
	old := v.Members()
	for i := range old {
		if old[i].Name == name {
			members := make([]Member, len(old))
			copy(members, old)
			members[i].Value = member
			return Object(members...)
		}
	}
	members := make([]Member, len(old), len(old)+1)
	copy(members, old)
	return Object(append(members, Member{name, member})...)
}

// Without is an object like v, without those members.
func (v Value) Without(names ...string) Value {
	if v.kind != ObjectKind {
		return v
	}
	if !slices.ContainsFunc(v.Members(), func(m Member) bool { return slices.Contains(names, m.Name) }) {
		return v
	}
	members := make([]Member, 0, v.Len())
outer:
	for _, m := range v.Members() {
		for _, n := range names {
			if m.Name == n {
				continue outer
			}
		}
		members = append(members, m)
	}
	return Object(members...)
}

// Set is a value like v with part written at path: member names and, in
// arrays, indexes. What is missing on the way is made, as objects. An index
// one behind the last element appends.
func (v Value) Set(path []string, part Value) Value {
	if len(path) == 0 {
		return part
	}
	if v.kind == ArrayKind {
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i > v.Len() {
			return v
		}
		elems := make([]Value, v.Len(), v.Len()+1)
		copy(elems, v.Elems())
		if i == len(elems) {
			elems = append(elems, Value{})
		}
		elems[i] = elems[i].Set(path[1:], part)
		return Array(elems...)
	}
	return v.With(path[0], v.Get(path[0]).Set(path[1:], part))
}

// Sent marks an object as one of which clients see only shown: [Append]
// writes that instead. The members that are left out are still there for
// [Value.Get].
func (v Value) Sent(shown Value) Value {
	if v.kind != ObjectKind || v.node == nil {
		return v
	}
	n := *v.node
	n.sent = shown.node
	if n.sent == nil {
		n.sent = &node{}
	}
	return Value{kind: ObjectKind, node: &n}
}

// Record is an object of these members, which it keeps, made to be sent often:
// clients see the first shown of them, and those are encoded already.
func Record(members []Member, shown int) Value {
	sent := &node{members: members[:shown:shown]}
	buf := scratch.Get().(*[]byte)
	*buf = Append((*buf)[:0], Value{kind: ObjectKind, node: sent})
	sent.raw = string(*buf)
	if cap(*buf) <= mostScratch {
		scratch.Put(buf)
	}
	if shown == len(members) {
		return Value{kind: ObjectKind, node: sent}
	}
	return Value{kind: ObjectKind, node: &node{members: members, sent: sent}}
}

// Shown is what clients see of v: v itself, unless [Value.Sent] says otherwise.
func (v Value) Shown() Value {
	if v.kind == ObjectKind && v.node != nil && v.node.sent != nil {
		return Value{kind: ObjectKind, node: v.node.sent}
	}
	return v
}

// Sealed is v with its encoding kept beside it, so that each later [Append] is
// one copy of bytes. It is for values that are sent often.
func (v Value) Sealed() Value {
	if v.node == nil || v.kind == HoleKind || v.node.raw != "" {
		return v
	}
	buf := scratch.Get().(*[]byte)
	*buf = Append((*buf)[:0], v)
	n := *v.node
	n.raw = string(*buf)
	if cap(*buf) <= mostScratch {
		scratch.Put(buf)
	}
	return Value{kind: v.kind, node: &n}
}

// Clone is a deep copy that shares no text with v, so that a small part does
// not keep a large request body alive.
func (v Value) Clone() Value {
	c := Value{kind: v.kind, text: strings.Clone(v.text)}
	if v.node == nil || v.kind == HoleKind {
		c.node = v.node
		return c
	}
	n := &node{}
	if s := v.node.sent; s != nil {
		n.sent = Value{kind: v.kind, node: s}.Clone().node
	}
	for _, e := range v.node.elems {
		n.elems = append(n.elems, e.Clone())
	}
	for _, m := range v.node.members {
		n.members = append(n.members, Member{strings.Clone(m.Name), m.Value.Clone()})
	}
	c.node = n
	return c
}

// Equal is JSON equality: numbers by value, objects whatever the order of
// their members. Two holes are equal when they are the same hole.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return a.kind <= NullKind && b.kind <= NullKind
	}
	switch a.kind {
	case BoolKind, StringKind:
		return a.text == b.text
	case NumberKind:
		return a.text == b.text || compareNumbers(a.text, b.text) == 0
	case ArrayKind:
		if a.Len() != b.Len() {
			return false
		}
		for i, e := range a.Elems() {
			if !Equal(e, b.node.elems[i]) {
				return false
			}
		}
	case ObjectKind:
		if a.Len() != b.Len() {
			return false
		}
		return equalMembers(a.Members(), b.Members())
	case HoleKind:
		return a.node.hole == b.node.hole
	}
	return true
}

// equalMembers compares as many members each. Members in the same order cost
// nothing more; many in another order are found through an index, so that
// hostile objects cost no more than their length.
func equalMembers(a, b []Member) bool {
	const small = 24
	var index map[string]int
	for i := range a {
		j := i
		if b[j].Name != a[i].Name {
			switch {
			case len(b) <= small:
				for j = 0; j < len(b) && b[j].Name != a[i].Name; j++ {
				}
				if j == len(b) {
					return false
				}
			default:
				if index == nil {
					index = make(map[string]int, len(b))
					for k := range b {
						index[b[k].Name] = k
					}
				}
				k, ok := index[a[i].Name]
				if !ok {
					return false
				}
				j = k
			}
		}
		if !Equal(a[i].Value, b[j].Value) {
			return false
		}
	}
	return true
}

// Compare orders values: null first, then false, true, numbers by value,
// strings by code point, arrays, objects by their encoding.
func Compare(a, b Value) int {
	if a.kind != b.kind {
		if a.kind <= NullKind && b.kind <= NullKind {
			return 0
		}
		return int(a.kind) - int(b.kind)
	}
	switch a.kind {
	case BoolKind, StringKind:
		return strings.Compare(a.text, b.text)
	case NumberKind:
		return compareNumbers(a.text, b.text)
	case ArrayKind, ObjectKind:
		return strings.Compare(string(Append(nil, a)), string(Append(nil, b)))
	}
	return 0
}

// scratch are buffers for encoding; larger ones are not kept.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

const mostScratch = 64 << 10
