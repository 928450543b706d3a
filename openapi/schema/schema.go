// Package schema judges JSON values by the schemas of an OpenAPI document.
//
// A [Set] compiles Schema Objects (OpenAPI 3.0 and 3.1) straight from the
// document's tree, each once, so that every error knows its file:line:column. A
// [Schema] never changes afterwards; [Schema.Validate] finds every violation of
// a value, not only the first, in the order of the schema, and allocates
// nothing where there is none.
//
// One semantics serves both versions of OpenAPI: exclusiveMinimum may be a
// boolean or a number, nullable counts beside type lists, and members beside
// $ref count. Unknown keywords and formats are ignored; not implemented are
// unevaluatedProperties, unevaluatedItems and $dynamicRef.
package schema

import (
	"fmt"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Set compiles the schemas of one document, each once and only when asked
// for. It is safe for concurrent use.
type Set struct {
	file *tree.File
	mu   sync.Mutex
	done map[*yaml.Node]*Schema
}

// NewSet has no schemas yet.
func NewSet(f *tree.File) *Set {
	return &Set{file: f, done: make(map[*yaml.Node]*Schema)}
}

// Compile is the schema at n, which may be a reference. One node has one
// Schema, however often it is referred to. Errors begin with file:line:column.
func (s *Set) Compile(n *yaml.Node) (*Schema, error) {
	if n == nil {
		return nil, fmt.Errorf("%s: there is no schema", s.file.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := compiler{Set: s}
	out, err := c.schema(n)
	for i := 0; err == nil && i < len(c.fresh); i++ {
		err = c.fill(c.fresh[i])
	}
	if err == nil {
		err = c.finish()
	}
	if err != nil {
		for _, half := range c.fresh {
			delete(s.done, half.node)
		}
		return nil, err
	}
	return out, nil
}

// Direction is the way that a value travels.
type Direction uint8

const (
	Request  Direction = iota // readOnly properties are not required
	Response                  // writeOnly properties are not required
)

// A Schema is one compiled Schema Object.
type Schema struct {
	node *yaml.Node
	pos  behavior.Position

	types      types       // 0: any
	wanted     value.Value // of type violations: a text or a list
	nullPasses bool        // nullable: true, beside a type or a composition
	never      bool        // the schema false

	enum      []value.Value
	enumTexts map[string]bool // of long enums that hold nothing but texts
	enumList  value.Value
	constant  value.Value // Missing if none

	str *textRules
	num *numberRules
	arr *arrayRules
	obj *objectRules

	allOf      []*Schema // with the target of a $ref that has siblings
	allOfFirst bool      // allOf stands before properties
	comb       *combinations

	trim  bool // x-trim here
	trims bool // there is something to normalize, here or below

	of       summary
	all      []Property
	allIndex map[string]int
	final    state
	height   int // of the tree of schemas that apply to the same value
	weight   int // how many they are
}

// summary is what a schema says together with its allOf; of two that speak, the
// first counts.
type summary struct {
	typeList            []string
	allows              types // that all parts allow
	nullable            bool
	readOnly, writeOnly bool
	closed              bool
	fallback            value.Value // default
	keepAs              string
	items               *Schema
	required            map[string]bool
}

// A Property is a declared member of an object.
type Property struct {
	Name     string
	Schema   *Schema
	Required bool
}

// Position is where the schema is written; of a reference: its target.
func (s *Schema) Position() behavior.Position { return s.pos }

// Property is a declared property, also through allOf.
func (s *Schema) Property(name string) (*Schema, bool) {
	if s.allIndex != nil {
		if i, ok := s.allIndex[name]; ok {
			return s.all[i].Schema, true
		}
		return nil, false
	}
	for i := range s.all {
		if s.all[i].Name == name {
			return s.all[i].Schema, true
		}
	}
	return nil, false
}

// Properties are the declared properties in the order of the document, also
// through allOf; of two with one name the first. Do not change the list.
func (s *Schema) Properties() []Property { return s.all }

// Items is the schema of the elements, also through allOf; nil if there is none.
func (s *Schema) Items() *Schema { return s.of.items }

// Type is the single type beside null, also through allOf; "" if there is none
// or several.
func (s *Schema) Type() string {
	if len(s.of.typeList) == 1 {
		return s.of.typeList[0]
	}
	return ""
}

// Nullable is whether the schema says that null is allowed: nullable: true, or
// null among its types. Through allOf all have to say so.
func (s *Schema) Nullable() bool { return s.of.nullable }

// ReadOnly is whether the schema is marked readOnly, also through allOf.
func (s *Schema) ReadOnly() bool { return s.of.readOnly }

// WriteOnly is whether the schema is marked writeOnly, also through allOf.
func (s *Schema) WriteOnly() bool { return s.of.writeOnly }

// Closed is whether unknown members are forbidden by additionalProperties:
// false, also through allOf.
func (s *Schema) Closed() bool { return s.of.closed }

// Default is the schema's default, also through allOf; Missing if there is none.
func (s *Schema) Default() value.Value { return s.of.fallback }

// KeepAs is x-keep-as, also through allOf; "" if there is none.
func (s *Schema) KeepAs() string { return s.of.keepAs }

// types is a set of JSON types.
type types uint8

const (
	nullType types = 1 << iota
	boolType
	integerType
	numberType
	stringType
	arrayType
	objectType

	anyType types = 1<<iota - 1
)

var typeBits = map[string]types{
	"null": nullType, "boolean": boolType, "integer": integerType, "number": numberType,
	"string": stringType, "array": arrayType, "object": objectType,
}

var kindTypes = [...]types{
	value.Missing: nullType, value.NullKind: nullType, value.BoolKind: boolType, value.NumberKind: numberType,
	value.StringKind: stringType, value.ArrayKind: arrayType, value.ObjectKind: objectType, value.HoleKind: 0xFF,
}

// and is what both sets allow; the integers are among the numbers.
func (t types) and(u types) types {
	both := t & u
	if (t|u)&integerType != 0 && t&(integerType|numberType) != 0 && u&(integerType|numberType) != 0 {
		both |= integerType
	}
	return both
}

// has is whether v is of one of the types.
func (t types) has(v value.Value) bool {
	return t&kindTypes[v.Kind()] != 0 || t&integerType != 0 && v.Integral()
}

type textRules struct {
	min, max   int // in characters; max -1: none
	minV, maxV value.Value
	pattern    *pattern
	patternV   value.Value
	format     func(string) bool
	formatV    value.Value
}

type numberRules struct {
	min, max     value.Value // Missing: none
	above, below value.Value // exclusive
	multiple     value.Value
	format       func(value.Value) bool
	formatV      value.Value
}

type arrayRules struct {
	min, max     int // max -1: none
	minV, maxV   value.Value
	unique       bool
	prefix       []*Schema
	items        *Schema
	contains     *Schema
	minContains  int
	maxContains  int // -1: none
	minContainsV value.Value
	maxContainsV value.Value
}

type objectRules struct {
	min, max   int // max -1: none
	minV, maxV value.Value
	props      []member
	index      map[string]int // where there are many
	extra      *Schema        // additionalProperties; nil: anything
	patterns   []patternMember
	names      *Schema
	dependent  []dependent
}

// A member is a property that is declared or required.
type member struct {
	name     string
	schema   *Schema // nil: required, but not declared
	required bool
	optional [2]bool // required, but not in this direction
}

type patternMember struct {
	pattern *pattern
	schema  *Schema
}

// dependent is what the presence of a member asks for.
type dependent struct {
	name   string
	needs  []string
	schema *Schema
}

type combinations struct {
	anyOf, oneOf           []*Schema
	not, cond, then, other *Schema
	tag                    *discriminator
}

type discriminator struct {
	property string
	branches map[string]*Schema
	list     []*Schema
	names    value.Value // the list of them
	open     bool        // some alternatives have no name
}
