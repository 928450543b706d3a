package schema

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// document is a file whose components hold these schemas, one "Name: {…}" per line.
func document(t testing.TB, schemas string) *tree.File {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(schemas), "\n")
	f, err := tree.Parse("api.yaml", []byte("openapi: 3.0.3\ncomponents:\n  schemas:\n    "+strings.Join(lines, "\n    ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// compile is the schema X of such a document.
func compile(t testing.TB, schemas string) *Schema {
	t.Helper()
	s, err := try(t, schemas)
	if err != nil {
		t.Fatalf("%s: %v", schemas, err)
	}
	return s
}

func try(t testing.TB, schemas string) (*Schema, error) {
	t.Helper()
	if strings.HasPrefix(schemas, "{") {
		schemas = "X: " + schemas
	}
	f := document(t, schemas)
	return NewSet(f).Compile(tree.Get(tree.Get(tree.Get(f.Root, "components"), "schemas"), "X"))
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// report is every violation as "pointer keyword: message", one per line.
func report(vs []Violation) string {
	var lines []string
	for _, v := range vs {
		lines = append(lines, strings.TrimSpace(v.Pointer()+" "+v.Keyword+": "+v.Message()))
	}
	return strings.Join(lines, "\n")
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct{ name, schema, value, want string }{
		{"an empty schema takes anything", `{}`, `null`, ``},
		{"a text is no integer", `{type: integer}`, `"a"`, `type: must be an integer, but is a string`},
		{"1.0 is an integer", `{type: integer}`, `1.0`, ``},
		{"1.5 is none", `{type: integer}`, `1.5`, `type: must be an integer, but is 1.5`},
		{"null where it is not allowed", `{type: string}`, `null`, `type: must be a string, but is null`},
		{"null where it is", `{type: string, nullable: true}`, `null`, ``},
		{"null beside an enum that lacks it", `{type: string, nullable: true, enum: [a]}`, `null`, ``},
		{"nullable without a type says nothing to an enum", `{nullable: true, enum: [a]}`, `null`, `enum: must be "a"`},
		{"null beside a composition", "X: {nullable: true, allOf: [{$ref: '#/components/schemas/Y'}]}\nY: {type: object}", `null`, ``},
		{"null among the types", `{type: [string, "null"]}`, `null`, ``},
		{"neither of two types", `{type: [string, integer]}`, `true`, `type: must be a string or an integer, but is a boolean`},
		{"enum", `{enum: [a, 1, null]}`, `"b"`, `enum: must be one of "a", 1, null`},
		{"enum by value", `{enum: [1]}`, `1.0`, ``},
		{"a long enum", `{enum: [a, b, c, d, e, f, g, h, i, j]}`, `"j"`, ``},
		{"not in a long enum", `{enum: [a, b, c, d, e, f, g, h, i, j]}`, `1`, `enum: must be one of "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"`},
		{"const", `{const: {a: 1}}`, `{"a":2}`, `const: must be {"a":1}`},
		{"const null", `{const: null}`, `1`, `const: must be null`},
		{"too short", `{type: string, minLength: 1}`, `""`, `minLength: must be at least 1 character long, but has 0`},
		{"too long in characters", `{type: string, maxLength: 2}`, `"äöü"`, `maxLength: must be at most 2 characters long, but has 3`},
		{"long in bytes only", `{type: string, maxLength: 3}`, `"äöü"`, ``},
		{"pattern anywhere in the text", `{pattern: 'b+'}`, `"abbc"`, ``},
		{"pattern nowhere", `{pattern: '^b+$'}`, `"abbc"`, `pattern: must match the pattern ^b+$`},
		{"format", `{format: uuid}`, `"x"`, `format: must be a UUID`},
		{"unknown format", `{format: colour}`, `"x"`, ``},
		{"int64 of many digits", `{type: integer, format: int64}`, `9223372036854775807`, ``},
		{"int64 of one too many", `{type: integer, format: int64}`, `9223372036854775808`, `format: must be a whole number of 64 bits`},
		{"int32", `{type: integer, format: int32}`, `2147483648`, `format: must be a whole number of 32 bits`},
		{"minimum", `{minimum: 3}`, `2`, `minimum: must be at least 3, but is 2`},
		{"minimum itself", `{minimum: 3}`, `3.0`, ``},
		{"exclusive minimum of 3.0", `{minimum: 3, exclusiveMinimum: true}`, `3`, `exclusiveMinimum: must be greater than 3, but is 3`},
		{"exclusive minimum of 3.1", `{exclusiveMinimum: 3}`, `3`, `exclusiveMinimum: must be greater than 3, but is 3`},
		{"exclusive maximum", `{maximum: 3, exclusiveMaximum: true}`, `4`, `exclusiveMaximum: must be less than 3, but is 4`},
		{"maximum beyond floats", `{maximum: 9007199254740992}`, `9007199254740993`, `maximum: must be at most 9007199254740992, but is 9007199254740993`},
		{"a multiple, exactly", `{multipleOf: 0.1}`, `0.3`, ``},
		{"no multiple", `{multipleOf: 0.1}`, `0.35`, `multipleOf: must be a multiple of 0.1, but is 0.35`},
		{"a hostile multiple", `{multipleOf: 7}`, `1e999999999999`, `multipleOf: must be a multiple of 7, but is 1e999999999999`},
		{"items", `{type: array, items: {type: integer}}`, `[1,"a",true]`, "/1 type: must be an integer, but is a string\n/2 type: must be an integer, but is a boolean"},
		{"prefixItems", `{prefixItems: [{type: string}], items: false}`, `["a",1]`, `/1 false: is not allowed`},
		{"too few items", `{minItems: 2}`, `[1]`, `minItems: must have at least 2 items, but has 1`},
		{"too many items", `{maxItems: 0}`, `[1]`, `maxItems: must have at most 0 items, but has 1`},
		{"an item twice", `{uniqueItems: true}`, `[1,2,1.0]`, `uniqueItems: must not have an item twice, but items 0 and 2 are equal`},
		{"an item twice among many", `{uniqueItems: true}`, `[0,1,2,3,4,5,6,7,8,{"a":1,"b":2},{"b":2.0,"a":1}]`, `uniqueItems: must not have an item twice, but items 9 and 10 are equal`},
		{"contains", `{contains: {const: 1}}`, `[2]`, `contains: must have at least 1 matching item, but has 0`},
		{"contains too many", `{contains: {const: 1}, maxContains: 1}`, `[1,1]`, `maxContains: must have at most 1 matching item, but has 2`},
		{"required, in the order of the schema", `{type: object, required: [b, a, z], properties: {a: {}, b: {}}}`, `{}`, "/a required: is required\n/b required: is required\n/z required: is required"},
		{"every violation in the order of the schema", `{properties: {a: {type: string}, b: {type: string}}}`, `{"b":1,"a":2}`, "/a type: must be a string, but is a number\n/b type: must be a string, but is a number"},
		{"an unknown member", `{additionalProperties: false, properties: {a: {}}}`, `{"a":1,"b~/":2}`, `/b~0~1 additionalProperties: is not allowed`},
		{"a required name alone is not declared", `{additionalProperties: false, required: [a]}`, `{"a":1}`, `/a additionalProperties: is not allowed`},
		{"additional members have a schema", `{additionalProperties: {type: integer}}`, `{"b":"x"}`, `/b type: must be an integer, but is a string`},
		{"patternProperties", `{patternProperties: {'^x-': {type: string}}, additionalProperties: false}`, `{"x-a":1,"y":1}`, "/x-a type: must be a string, but is a number\n/y additionalProperties: is not allowed"},
		{"propertyNames", `{propertyNames: {maxLength: 1}}`, `{"ab":1}`, `/ab propertyNames: has a name that is not allowed`},
		{"dependentRequired", `{dependentRequired: {a: [b]}}`, `{"a":1}`, `/b dependentRequired: is required beside "a"`},
		{"dependentSchemas", `{dependentSchemas: {a: {required: [b]}}}`, `{"a":1}`, `/b required: is required`},
		{"if and then", `{if: {properties: {a: {const: 1}}, required: [a]}, then: {required: [b]}, else: {required: [c]}}`, `{"a":1}`, `/b required: is required`},
		{"if and else", `{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}`, `{}`, `/c required: is required`},
		{"too few members", `{minProperties: 1}`, `{}`, `minProperties: must have at least 1 member, but has 0`},
		{"too many members", `{maxProperties: 1}`, `{"a":1,"b":1}`, `maxProperties: must have at most 1 member, but has 2`},
		{"allOf reports what two parts say once", `{allOf: [{required: [a]}, {required: [a, b]}]}`, `{}`, "/a required: is required\n/b required: is required"},
		{"anyOf by type", `{anyOf: [{type: string, minLength: 2}, {type: integer}]}`, `"a"`, `minLength: must be at least 2 characters long, but has 1`},
		{"anyOf undecided", `{anyOf: [{type: string, minLength: 2}, {type: string, pattern: x}]}`, `"a"`, `anyOf: must fit at least one of 2 alternatives, but fits none`},
		{"oneOf twice", `{oneOf: [{type: integer}, {minimum: 1}]}`, `1`, `oneOf: must fit exactly one of 2 alternatives, but fits 2`},
		{"oneOf by a constant", `{oneOf: [{properties: {k: {enum: [a]}, n: {type: string}}}, {properties: {k: {enum: [b]}, n: {type: integer}}}]}`, `{"k":"b","n":"x"}`, `/n type: must be an integer, but is a string`},
		{"oneOf of nothing", `{oneOf: [{type: string}, {type: "null"}]}`, `1`, `oneOf: must fit exactly one of 2 alternatives, but fits none`},
		{"not", `{not: {type: string}}`, `"a"`, `not: must not be what the schema excludes`},
		{"members beside a reference", "X: {$ref: '#/components/schemas/Y', maxLength: 1}\nY: {type: string}", `"ab"`, `maxLength: must be at most 1 character long, but has 2`},
		{"a recursive schema", "X: {properties: {next: {$ref: '#/components/schemas/X'}, n: {type: integer}}}", `{"next":{"next":{"n":"x"}}}`, `/next/next/n type: must be an integer, but is a string`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := compile(t, tt.schema)
			v := parse(t, tt.value)
			vs := s.Validate(v, Request, nil)
			if got := report(vs); got != tt.want {
				t.Errorf("%s with %s:\ngot  %s\nwant %s", tt.schema, tt.value, got, tt.want)
			}
			if got := s.Valid(v, Request); got != (len(vs) == 0) {
				t.Errorf("%s with %s: Valid is %v, but there are %d violations", tt.schema, tt.value, got, len(vs))
			}
		})
	}
}

func TestDiscriminator(t *testing.T) {
	const pets = `
X: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind%s}}
Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
Dog: {type: object, required: [kind], properties: {kind: {type: string}, breed: {type: string}}}`
	plain := fmt.Sprintf(pets, "")
	mapped := fmt.Sprintf(pets, ", mapping: {cat: '#/components/schemas/Cat', dog: Dog}")
	for _, tt := range []struct{ name, schema, value, want string }{
		{"by name", plain, `{"kind":"Cat","lives":"x"}`, `/lives type: must be an integer, but is a string`},
		{"valid, though both fit", plain, `{"kind":"Cat"}`, ``},
		{"unknown name", plain, `{"kind":"cat"}`, `/kind discriminator: must be one of "Cat", "Dog"`},
		{"mapped", mapped, `{"kind":"cat","lives":"x"}`, `/lives type: must be an integer, but is a string`},
		{"mapped by a bare name", mapped, `{"kind":"dog","breed":1}`, `/breed type: must be a string, but is a number`},
		{"mapped away", mapped, `{"kind":"Cat"}`, `/kind discriminator: must be one of "cat", "dog"`},
		{"missing", mapped, `{}`, `/kind required: is required`},
		{"no text", mapped, `{"kind":1}`, `/kind discriminator: must be one of "cat", "dog"`},
		{"no object", mapped, `1`, `oneOf: must fit exactly one of 2 alternatives, but fits none`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := report(compile(t, tt.schema).Validate(parse(t, tt.value), Request, nil)); got != tt.want {
				t.Errorf("%s:\ngot  %s\nwant %s", tt.value, got, tt.want)
			}
		})
	}
}

func TestDirection(t *testing.T) {
	for _, tt := range []struct {
		name, schema      string
		request, response string
	}{
		{"own properties", `{required: [id, pin], properties: {id: {readOnly: true}, pin: {writeOnly: true}}}`, "/pin", "/id"},
		{"declared in another part", `{allOf: [{properties: {id: {readOnly: true}}}, {required: [id]}]}`, "", "/id"},
		{"declared around alternatives", `{properties: {id: {readOnly: true}}, anyOf: [{required: [id]}]}`, "", "/id"},
		{"declared by reference", "X: {required: [id], properties: {id: {$ref: '#/components/schemas/ID'}}}\nID: {type: string, readOnly: true}", "", "/id"},
	} {
		s := compile(t, tt.schema)
		for d, want := range []string{Request: tt.request, Response: tt.response} {
			var got []string
			for _, v := range s.Validate(value.Object(), Direction(d), nil) {
				got = append(got, v.Pointer())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: direction %d lacks %v, want %q", tt.name, d, got, want)
			}
		}
	}
}

// TestCompileErrors has the column of the schema X, and what is wrong there.
func TestCompileErrors(t *testing.T) {
	for _, tt := range []struct{ schema, want string }{
		{`{type: strng}`, `api.yaml:4:15: unknown type "strng"; want array, boolean, integer, null, number, object, string`},
		{`{type: []}`, `api.yaml:4:15: type is an empty list; want array, boolean, integer, null, number, object, string`},
		{`{pattern: '(a'}`, `api.yaml:4:18: the pattern "(a" does not compile: missing closing ): (a`},
		{`{pattern: '\A'}`, `api.yaml:4:18: the pattern "\\A" does not compile: unknown escape \A`},
		{`{minLength: -1}`, `api.yaml:4:20: minLength is the scalar "-1"; want a whole number, 0 or more`},
		{`{maxItems: many}`, `api.yaml:4:19: maxItems is the scalar "many"; want a whole number, 0 or more`},
		{`{minimum: a}`, `api.yaml:4:18: minimum is the scalar "a"; want a number`},
		{`{multipleOf: 0}`, `api.yaml:4:21: multipleOf is 0; want a number greater than 0`},
		{`{required: true}`, `api.yaml:4:19: required is the scalar "true"; want a list of names`},
		{`{readOnly: 1}`, `api.yaml:4:19: readOnly is the scalar "1"; want true or false`},
		{`{enum: a}`, `api.yaml:4:15: enum is the scalar "a"; want a list`},
		{`{oneOf: {}}`, `api.yaml:4:16: oneOf is a mapping; want a list of schemas`},
		{`{properties: {a: 1}}`, `api.yaml:4:25: a schema is the scalar "1"; want a mapping`},
		{`{$ref: '#/components/schemas/Z'}`, `api.yaml:4:15: the reference "#/components/schemas/Z" leads nowhere: there is no "Z"; have X`},
		{`{$ref: '#/components/schemas/X'}`, `api.yaml:4:8: the reference leads back to itself`},
		{`{allOf: [{$ref: '#/components/schemas/X'}]}`, `api.yaml:4:8: the schema contains itself`},
		{"X: {oneOf: [{$ref: '#/components/schemas/Y'}], discriminator: {}}\nY: {}", `api.yaml:4:67: a discriminator has no propertyName`},
		{"X: {oneOf: [{}], discriminator: {propertyName: a, mapping: {b: Z}}}", `api.yaml:4:68: the reference "#/components/schemas/Z" leads nowhere: there is no "Z"; have X`},
	} {
		_, err := try(t, tt.schema)
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.schema, got, tt.want)
		}
	}
}

func TestCompileOnce(t *testing.T) {
	f := document(t, "X: {properties: {y: {$ref: '#/components/schemas/Y'}}}\nY: {properties: {x: {$ref: '#/components/schemas/X'}}}\nBad: {properties: {y: {$ref: '#/components/schemas/Y'}, z: {type: no}}}")
	all := tree.Get(tree.Get(f.Root, "components"), "schemas")
	set := NewSet(f)
	if _, err := set.Compile(tree.Get(all, "Bad")); err == nil {
		t.Error("Bad compiles")
	}
	if _, err := set.Compile(nil); err == nil {
		t.Error("nil compiles")
	}
	var wg sync.WaitGroup
	got := make([]*Schema, 8)
	for i := range got {
		wg.Go(func() {
			x, err := set.Compile(tree.Get(all, "X"))
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = x
		})
	}
	wg.Wait()
	y, _ := got[0].Property("y")
	x, _ := y.Property("x")
	for i := range got {
		if got[i] != got[0] || x != got[0] {
			t.Errorf("compile %d is another schema", i)
		}
	}
}

func TestAccessors(t *testing.T) {
	s := compile(t, `
X: {allOf: [{$ref: '#/components/schemas/Base'}, {required: [b]}], properties: {b: {type: integer, default: 5, x-keep-as: bee}, a: {type: boolean}}}
Base: {type: object, additionalProperties: false, required: [a], properties: {a: {$ref: '#/components/schemas/A'}}}
A: {type: [array, "null"], readOnly: true, items: {type: string, writeOnly: true}}`)
	var names []string
	for _, p := range s.Properties() {
		names = append(names, fmt.Sprint(p.Name, " ", p.Schema.Type(), " ", p.Required))
	}
	if got := strings.Join(names, ", "); got != "a array true, b integer true" {
		t.Errorf("properties: %s", got)
	}
	a, _ := s.Property("a")
	b, _ := s.Property("b")
	_, declared := s.Property("c")
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"type through allOf", s.Type(), "object"},
		{"closed through allOf", s.Closed(), true},
		{"c is declared", declared, false},
		{"position", fmt.Sprint(a.Position()), "api.yaml:6:8"},
		{"nullable", a.Nullable(), true},
		{"object is nullable", s.Nullable(), false},
		{"readOnly", a.ReadOnly(), true},
		{"writeOnly items", a.Items().WriteOnly(), true},
		{"no items", b.Items() == nil, true},
		{"default", b.Default().String(), "5"},
		{"no default", a.Default().IsMissing(), true},
		{"keep as", b.KeepAs(), "bee"},
		{"a is closed", a.Closed(), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestCoerce(t *testing.T) {
	for _, tt := range []struct{ schema, text, want string }{
		{`{type: integer}`, `12`, `12`},
		{`{type: integer}`, `1.5`, `1.5`},
		{`{type: integer}`, `12345678901234567890`, `12345678901234567890`},
		{`{type: integer}`, ` 1`, `" 1"`},
		{`{type: integer}`, `1 `, `"1 "`},
		{`{type: integer}`, `01`, `"01"`},
		{`{type: integer}`, ``, `""`},
		{`{type: number}`, `-1e3`, `-1e3`},
		{`{type: number}`, `NaN`, `"NaN"`},
		{`{type: boolean}`, `true`, `true`},
		{`{type: boolean}`, `True`, `"True"`},
		{`{type: string}`, `5`, `"5"`},
		{`{type: string}`, `null`, `"null"`},
		{`{type: string, nullable: true}`, `null`, `null`},
		{`{type: [integer, string]}`, `a`, `"a"`},
		{`{type: [integer, string]}`, `1`, `1`},
		{`{type: [integer, "null"]}`, `null`, `null`},
		{`{oneOf: [{type: integer}, {type: boolean}]}`, `true`, `true`},
		{`{anyOf: [{type: integer, minimum: 5}, {type: string}]}`, `3`, `"3"`},
		{`{allOf: [{type: integer}]}`, `3`, `3`},
		{`{enum: [1, a]}`, `1`, `1`},
		{`{}`, `1`, `"1"`},
	} {
		if got := compile(t, tt.schema).Coerce(tt.text).String(); got != tt.want {
			t.Errorf("%s coerces %q to %s, want %s", tt.schema, tt.text, got, tt.want)
		}
	}
}

func TestNormalize(t *testing.T) {
	s := compile(t, `
X: {properties: {name: {type: string, x-trim: true}, raw: {type: string}, tags: {items: {$ref: '#/components/schemas/Text'}}, next: {$ref: '#/components/schemas/X'}}, allOf: [{properties: {more: {$ref: '#/components/schemas/Text'}}}]}
Text: {type: string, x-trim: true}`)
	got := s.Normalize(parse(t, `{"name":" a ","raw":" b ","tags":["c"," d"],"next":{"name":"\te"},"more":"f\n","else":" g "}`)).String()
	if want := `{"name":"a","raw":" b ","tags":["c","d"],"next":{"name":"e"},"more":"f","else":" g "}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	clean := parse(t, got)
	if n := testing.AllocsPerRun(100, func() {
		if s.Normalize(clean) != clean {
			t.Error("a clean value changes")
		}
	}); n != 0 {
		t.Errorf("a clean value allocates %v times", n)
	}
}

func TestViolation(t *testing.T) {
	s := compile(t, `{properties: {hours: {items: {required: [from]}}}}`)
	vs := s.Validate(parse(t, `{"hours":[{}]}`), Request, []Violation{{}})
	if len(vs) != 2 {
		t.Fatalf("got %d violations, want the given one and another", len(vs))
	}
	v := vs[1]
	if v.Name() != "hours.0.from" || v.Pointer() != "/hours/0/from" || v.Path[1].Kind() != value.NumberKind ||
		v.Limit != value.True || !v.Value.IsObject() {
		t.Errorf("got %+v", v)
	}
}

// TestHostile has values and schemas that would cost a naive validator minutes.
func TestHostile(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 500) + `1` + strings.Repeat(`}`, 500)
	s := compile(t, "X: {oneOf: [{properties: {a: {$ref: '#/components/schemas/X'}}}, {properties: {a: {$ref: '#/components/schemas/X'}}}]}")
	vs := s.Validate(parse(t, deep), Request, nil)
	if len(vs) == 0 || vs[len(vs)-1].Keyword != "complexity" {
		t.Errorf("a deep value with alternatives: got %d violations, want complexity last", len(vs))
	}

	many := "[" + strings.Repeat("1,", 200_000) + "1]"
	if vs := compile(t, `{items: {type: string}}`).Validate(parse(t, many), Request, nil); len(vs) != maxViolations {
		t.Errorf("many violations: got %d, want %d", len(vs), maxViolations)
	}

	var chain strings.Builder
	chain.WriteString("X: {$ref: '#/components/schemas/A0'}\n")
	for i := range 60 {
		fmt.Fprintf(&chain, "A%d: {allOf: [{$ref: '#/components/schemas/A%d'}, {$ref: '#/components/schemas/A%d'}]}\n", i, i+1, i+1)
	}
	chain.WriteString("A60: {}")
	if _, err := try(t, chain.String()); err == nil || !strings.Contains(err.Error(), "more than 100000 schemas apply to one value") {
		t.Errorf("2^60 parts: %v", err)
	}

	backtracks := compile(t, `{items: {pattern: '^(?=(a+)+$)b'}}`)
	text := `"` + strings.Repeat("a", 40) + `c"`
	if backtracks.Valid(parse(t, "["+strings.Repeat(text+",", 100)+text+"]"), Request) {
		t.Error("a pattern that runs out of time matches")
	}
}
