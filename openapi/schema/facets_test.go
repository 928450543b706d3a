package schema

import (
	"fmt"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

func TestFacets(t *testing.T) {
	for _, tt := range []struct {
		name, schema string
		show         func(f Facets) any
		want         string
	}{
		{"types in a fixed order", `{type: ["null", number, object]}`, func(f Facets) any { return f.Types }, "[object number null]"},
		{"no type", `{}`, func(f Facets) any { return f.Types == nil }, "true"},
		{"the schema false", "X: false", func(f Facets) any { return f.Never }, "true"},
		{"nullable beside a type", `{type: string, nullable: true}`, func(f Facets) any { return f.Nullable }, "true"},
		{"enum, const and default", `{enum: [1, a], const: a, default: b}`, func(f Facets) any { return []any{f.Enum, f.Const, f.Default} }, `[[1 "a"] "a" "b"]`},
		{"example before examples", `{examples: [1, 2], example: {a: 3}}`, func(f Facets) any { return f.Examples }, `[{"a":3} 1 2]`},
		{"a format that nobody checks", `{type: string, format: password}`, func(f Facets) any { return f.Format }, "password"},
		{"lengths", `{minLength: 2, maxLength: 0}`, func(f Facets) any { return []int{f.MinLength, f.MaxLength} }, "[2 0]"},
		{"no limits", `{}`, func(f Facets) any { return []int{f.MaxLength, f.MaxItems, f.MaxContains, f.MaxProperties} }, "[-1 -1 -1 -1]"},
		{"a pattern", `{pattern: '^\d$'}`, func(f Facets) any { return f.Pattern.String() + " " + f.Pattern.Expr() }, `^\d$ ^[0-9]\z`},
		{"a pattern that backtracks", `{pattern: '(?=a)\d'}`, func(f Facets) any { return f.Pattern.Expr() }, `(?=a)[0-9]`},
		{"exclusive bounds of 3.0", `{minimum: 1, exclusiveMinimum: true, maximum: 5, multipleOf: 0.5}`, func(f Facets) any {
			return []value.Value{f.Minimum, f.ExclusiveMinimum, f.Maximum, f.ExclusiveMaximum, f.MultipleOf}
		}, "[null 1 5 null 0.5]"},
		{"arrays", `{minItems: 1, maxItems: 2, uniqueItems: true, prefixItems: [{}], items: {}, contains: {}, maxContains: 4}`, func(f Facets) any {
			return []any{f.MinItems, f.MaxItems, f.UniqueItems, len(f.PrefixItems), f.Items != nil, f.Contains != nil, f.MinContains, f.MaxContains}
		}, "[1 2 true 1 true true 1 4]"},
		{"objects", `{minProperties: 1, maxProperties: 2, properties: {a: {}}, required: [a, b], additionalProperties: false, patternProperties: {'^x': {}}, propertyNames: {}, dependentRequired: {a: [b]}, dependentSchemas: {a: {}}}`, func(f Facets) any {
			return []any{f.MinProperties, f.MaxProperties, f.Properties[0].Name, f.Properties[1].Name, f.Properties[1].Schema == nil, f.Properties[1].Required,
				f.AdditionalProperties.Facets().Never, f.PatternProperties[0].Pattern.Expr(), f.PropertyNames != nil, f.Dependents[0].Needs, f.Dependents[1].Schema != nil}
		}, "[1 2 a b true true true ^x true [b] true]"},
		{"compositions", `{allOf: [{}], anyOf: [{}, {}], oneOf: [{}], not: {}, if: {}, then: {}, else: {}}`, func(f Facets) any {
			return []any{len(f.AllOf), len(f.AnyOf), len(f.OneOf), f.Not != nil, f.If != nil, f.Then != nil, f.Else != nil}
		}, "[1 2 1 true true true true]"},
		{"a discriminator", "X: {oneOf: [{$ref: '#/components/schemas/Y'}, {}], discriminator: {propertyName: kind, mapping: {y: Y}}}\nY: {}", func(f Facets) any {
			return []any{f.Tag.Property, f.Tag.Names, len(f.Tag.Branches), f.Tag.Open}
		}, "[kind [y] 1 true]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(tt.show(compile(t, tt.schema).Facets())); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.schema, got, tt.want)
			}
		})
	}
}

func TestValidWithin(t *testing.T) {
	s := compile(t, `{type: array, items: {type: integer}}`)
	for _, tt := range []struct {
		name, text string
		steps      int
		want       bool
		left       int
	}{
		{"a value that fits", `[1, 2]`, 10, true, 7},
		{"one that does not", `[1, "a", 2]`, 10, false, 7},
		{"too few steps", `[1, 2, 3]`, 2, false, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps := tt.steps
			if got := s.ValidWithin(parse(t, tt.text), Request, &steps); got != tt.want || steps != tt.left {
				t.Errorf("%s: got %t with %d steps left, want %t with %d", tt.text, got, steps, tt.want, tt.left)
			}
		})
	}
	p := compile(t, `{pattern: '^a+$'}`).Facets().Pattern
	steps := 5
	if !p.Match("aa", &steps) || p.Match("b", &steps) || steps != 3 {
		t.Errorf("the pattern matches wrongly; %d steps left", steps)
	}
}
