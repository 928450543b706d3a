package schema

import (
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// Facets are the rules of one Schema Object, without those of its allOf, for
// readers that make values instead of judging them. What a schema leaves unsaid
// is the zero value, unless it says otherwise here. Do not change the lists.
type Facets struct {
	Never    bool     // the schema false
	Types    []string // none: any
	Nullable bool     // null fits, whatever else is said

	Enum     []value.Value // nil: no enum
	Const    value.Value
	Default  value.Value   // its own
	Examples []value.Value // example, then examples

	Format               string // also one that is not checked
	MinLength, MaxLength int    // in characters; MaxLength -1: none
	Pattern              *Pattern

	Minimum, ExclusiveMinimum value.Value // numbers, in the sense of OpenAPI 3.1
	Maximum, ExclusiveMaximum value.Value
	MultipleOf                value.Value

	MinItems, MaxItems       int // MaxItems -1: none
	UniqueItems              bool
	PrefixItems              []*Schema
	Items                    *Schema
	Contains                 *Schema
	MinContains, MaxContains int // MaxContains -1: none

	MinProperties, MaxProperties int        // MaxProperties -1: none
	Properties                   []Property // with a nil Schema those that are only required
	AdditionalProperties         *Schema
	PatternProperties            []PatternProperty
	PropertyNames                *Schema
	Dependents                   []Dependent

	AllOf, AnyOf, OneOf []*Schema // AllOf with the target of a $ref that has siblings
	Not, If, Then, Else *Schema
	Tag                 *Tag // the discriminator of AnyOf and OneOf
}

// A PatternProperty is the schema of the members whose name matches.
type PatternProperty struct {
	Pattern *Pattern
	Schema  *Schema
}

// A Dependent is what the presence of a member asks for: other members, or a
// schema for the whole object.
type Dependent struct {
	Name   string
	Needs  []string
	Schema *Schema // nil: none
}

// A Tag is a discriminator: the member Property with the value Names[i] picks
// Branches[i].
type Tag struct {
	Property string
	Names    []string
	Branches []*Schema
	Open     bool // some alternatives have no name
}

// A Pattern is a regular expression of ECMA-262.
type Pattern struct {
	text string
	p    *pattern
}

// String is the pattern as the document has it; of patternProperties it is "".
func (p *Pattern) String() string { return p.text }

// Expr is the pattern in the syntax of package regexp, with shorthands written
// out as classes and names of groups as numbers. Lookarounds, references such as
// (?:\1) and counts above 1000 are left as they are.
func (p *Pattern) Expr() string {
	if p.p.fast != nil {
		return p.p.fast.String()
	}
	return p.p.slow.String()
}

// Match is whether a text matches. Of a pattern that backtracks it takes the
// time from steps, as [Schema.ValidWithin] does.
func (p *Pattern) Match(text string, steps *int) bool {
	r := run{steps: *steps - 1}
	ok := r.matches(p.p, text)
	*steps = r.steps
	return ok
}

// ValidWithin is [Schema.Valid] with a bound on the work, from which it takes
// what it needed; ten million steps last about a second. It is false when they
// run out.
func (s *Schema) ValidWithin(v value.Value, d Direction, steps *int) bool {
	r := run{dir: d, fast: true, steps: min(*steps, maxSteps)}
	before := r.steps
	r.check(s, s, v)
	*steps -= before - r.steps
	return !r.done && r.steps >= 0
}

// typeOrder is the order in which [Facets] lists types.
var typeOrder = []string{"object", "array", "string", "integer", "number", "boolean", "null"}

// Facets computes them anew with every call.
func (s *Schema) Facets() Facets {
	f := Facets{
		Never: s.never, Nullable: s.nullPasses, Enum: s.enum, Const: s.constant,
		Format: tree.Text(s.node, "format"), MaxLength: -1, MaxItems: -1, MaxContains: -1, MaxProperties: -1,
		AllOf: s.allOf,
	}
	if s.types != 0 {
		for _, name := range typeOrder {
			if s.types&typeBits[name] != 0 {
				f.Types = append(f.Types, name)
			}
		}
	}
	file := tree.File{Name: s.pos.File}
	read := func(key string) value.Value {
		v, err := file.Value(tree.Get(s.node, key))
		if err != nil {
			return value.Value{}
		}
		return v
	}
	f.Default = read("default")
	if v := read("example"); !v.IsMissing() {
		f.Examples = append(f.Examples, v)
	}
	f.Examples = append(f.Examples, read("examples").Elems()...)
	if t := s.str; t != nil {
		f.MinLength, f.MaxLength = t.min, t.max
		if t.pattern != nil {
			f.Pattern = &Pattern{t.patternV.Text(), t.pattern}
		}
	}
	if n := s.num; n != nil {
		f.Minimum, f.ExclusiveMinimum, f.Maximum, f.ExclusiveMaximum, f.MultipleOf = n.min, n.above, n.max, n.below, n.multiple
	}
	if a := s.arr; a != nil {
		f.MinItems, f.MaxItems, f.UniqueItems, f.PrefixItems, f.Items = a.min, a.max, a.unique, a.prefix, a.items
		f.Contains, f.MinContains, f.MaxContains = a.contains, a.minContains, a.maxContains
	}
	if s.obj != nil {
		s.objectFacets(&f)
	}
	if c := s.comb; c != nil {
		f.AnyOf, f.OneOf, f.Not, f.If, f.Then, f.Else = c.anyOf, c.oneOf, c.not, c.cond, c.then, c.other
		if t := c.tag; t != nil {
			f.Tag = &Tag{Property: t.property, Branches: t.list, Open: t.open}
			for _, name := range t.names.Elems() {
				f.Tag.Names = append(f.Tag.Names, name.Text())
			}
		}
	}
	return f
}

func (s *Schema) objectFacets(f *Facets) {
	o := s.obj
	f.MinProperties, f.MaxProperties, f.AdditionalProperties, f.PropertyNames = o.min, o.max, o.extra, o.names
	for _, p := range o.props {
		f.Properties = append(f.Properties, Property{p.name, p.schema, p.required})
	}
	for _, p := range o.patterns {
		f.PatternProperties = append(f.PatternProperties, PatternProperty{&Pattern{p: p.pattern}, p.schema})
	}
	for _, d := range o.dependent {
		f.Dependents = append(f.Dependents, Dependent{d.name, d.needs, d.schema})
	}
}

// Basis is x-basis: how sure the document is of this schema; "" for stated.
func (s *Schema) Basis() string { return tree.Text(s.node, "x-basis") }
