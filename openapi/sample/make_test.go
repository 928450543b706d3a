package sample

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// compile is the schema x of a document; others may stand beside it.
func compile(t testing.TB, text string) *schema.Schema {
	t.Helper()
	if !strings.HasPrefix(text, "x:") {
		text = "x: " + text
	}
	f, err := tree.Parse("api.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, err := schema.NewSet(f).Compile(tree.Get(f.Root, "x"))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestKeywords has for every keyword schemas that a value meets by chance only,
// if Make does not know the keyword.
func TestKeywords(t *testing.T) {
	for _, tt := range []struct{ name, schema string }{
		{"a type of a list", `{type: [integer, "null"], minimum: 3}`},
		{"null alone", `{type: "null"}`},
		{"an enum", `{type: string, enum: [red, green]}`},
		{"an enum beside rules", `{type: integer, enum: [1, 2, 30], minimum: 20}`},
		{"the cut of two enums", `{allOf: [{enum: [1, 2, 3]}, {enum: [3, 4, 5, 6]}]}`},
		{"a const that is an object", `{const: {a: [1, {b: null}]}}`},
		{"a const without type", `{type: object, required: [kind], properties: {kind: {const: cat}}}`},
		{"a text of one length", `{type: string, minLength: 7, maxLength: 7}`},
		{"a long text", `{type: string, minLength: 5000}`},
		{"an empty text", `{type: string, maxLength: 0}`},
		{"a pattern", `{type: string, pattern: '^[A-Z]{3}-\d{4}(-(north|south))?$'}`},
		{"a pattern that is not anchored, with lengths", `{type: string, pattern: 'ab+c', minLength: 20, maxLength: 20}`},
		{"a pattern that repeats up to a length", `{type: string, pattern: '^[a-z]*$', minLength: 33, maxLength: 33}`},
		{"a pattern with alternatives of different length", `{type: string, pattern: '^(a|bcd|[0-9]{6,9})$', minLength: 8}`},
		{"lookaheads", `{type: string, pattern: '^(?=.*[A-Z])(?=.*\d)(?=.*[!#%]).{8,12}$'}`},
		{"a negative lookahead", `{type: string, pattern: '^(?!admin|root)[a-z]{4,8}$'}`},
		{"a reference back", `{type: string, pattern: '^(["\x27])[a-z]{3}\1$'}`},
		{"a count above 1000", `{type: string, pattern: '^[ab]{1500}$'}`},
		{"a class of Unicode", `{type: string, pattern: '^\p{Lu}\p{Ll}{3}\u{1F600}$'}`},
		{"two patterns", `{allOf: [{pattern: '^[a-z]+$'}, {pattern: '^.{6}$'}], type: string}`},
		{"a pattern with a format", `{type: string, format: email, pattern: '@example\.com$'}`},
		{"a format beside a pattern of its own", `{type: string, format: date, pattern: '^2031-0[1-9]-1\d$'}`},
		{"integers with bounds", `{type: integer, minimum: 7, maximum: 7}`},
		{"exclusive bounds", `{type: integer, exclusiveMinimum: 7, exclusiveMaximum: 9}`},
		{"exclusive bounds of 3.0", `{type: integer, minimum: 7, exclusiveMinimum: true, maximum: 8}`},
		{"a narrow range of fractions", `{type: number, exclusiveMinimum: 0.1, exclusiveMaximum: 0.10000000000000000001}`},
		{"one fraction", `{type: number, minimum: 0.123456789012345678901, maximum: 0.123456789012345678901}`},
		{"a very small range", `{type: number, exclusiveMinimum: 1e-300, exclusiveMaximum: 2e-300}`},
		{"a multiple", `{type: number, multipleOf: 0.7, minimum: 100, maximum: 100.9}`},
		{"multiples of two", `{allOf: [{multipleOf: 6}, {multipleOf: 15}], type: integer, minimum: 1, maximum: 30}`},
		{"a whole number that is a multiple of a fraction", `{type: integer, multipleOf: 2.5, minimum: 1, maximum: 5}`},
		{"a bound above 64 bits", `{type: integer, minimum: 123456789012345678901234567890}`},
		{"a bound of 300 digits", `{type: number, minimum: 1e300}`},
		{"int32", `{type: integer, format: int32, minimum: 2147483647}`},
		{"a number that has to be whole", `{type: number, format: int64, exclusiveMinimum: 9223372036854775806}`},
		{"float", `{type: number, format: float, maximum: -1e38}`},
		{"a negative maximum", `{type: number, maximum: -5000}`},
		{"a list of many", `{type: array, items: {type: integer}, minItems: 40}`},
		{"an empty list", `{type: array, items: {type: integer}, maxItems: 0}`},
		{"different items of a small set", `{type: array, uniqueItems: true, minItems: 3, items: {enum: [a, b, c]}}`},
		{"both booleans", `{type: array, uniqueItems: true, minItems: 2, items: {type: boolean}}`},
		{"ten digits", `{type: array, uniqueItems: true, minItems: 10, items: {type: integer, minimum: 0, maximum: 9}}`},
		{"different texts", `{type: array, uniqueItems: true, minItems: 30, items: {type: string, maxLength: 4}}`},
		{"different objects", `{type: array, uniqueItems: true, minItems: 4, items: {type: object, required: [a, b], properties: {a: {type: boolean}, b: {type: boolean}}}}`},
		{"items by place", `{type: array, prefixItems: [{type: string}, {type: boolean}], items: {type: integer}, minItems: 4}`},
		{"no further items", `{type: array, prefixItems: [{type: string}, {type: boolean}], items: false, minItems: 2}`},
		{"contained items", `{type: array, items: {type: integer, minimum: 0, maximum: 1000}, contains: {minimum: 999}, minContains: 2, maxContains: 2, minItems: 5}`},
		{"contained at least once", `{type: array, contains: {const: needle}}`},
		{"contained in the place of an item", `{type: array, prefixItems: [{type: string}], contains: {const: z}, maxItems: 1}`},
		{"required but undeclared", `{type: object, required: [a, b], additionalProperties: {type: integer, minimum: 5}}`},
		{"no further members", `{type: object, properties: {a: {type: string}}, additionalProperties: false, required: [a]}`},
		{"a part that closes what another declares", `{allOf: [{properties: {a: {type: string}, b: {type: string}}}, {properties: {b: {minLength: 3}}, additionalProperties: false}], type: object, minProperties: 1}`},
		{"members by pattern", `{type: object, patternProperties: {'^x-[a-z]{3}$': {type: integer}}, additionalProperties: false, minProperties: 4}`},
		{"a declared member that a pattern matches", `{type: object, required: [x-a], properties: {x-a: {minimum: 3}}, patternProperties: {'^x-': {type: integer, maximum: 3}}}`},
		{"names by rule", `{type: object, propertyNames: {pattern: '^[A-Z]{2}$'}, minProperties: 3}`},
		{"members to a number", `{type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}, minProperties: 2, maxProperties: 2}`},
		{"as many members as nobody declared", `{type: object, minProperties: 30}`},
		{"required beside", `{type: object, required: [a], dependentRequired: {a: [b], b: [c]}, properties: {c: {type: integer}}}`},
		{"a schema beside", `{type: object, required: [a], dependentSchemas: {a: {required: [z], properties: {z: {const: 4}}}}}`},
		{"a schema beside that cannot be", `{type: object, properties: {a: {type: string}}, dependentSchemas: {a: false}}`},
		{"allOf", `{allOf: [{type: object, required: [a], properties: {a: {minimum: 3}}}, {properties: {a: {type: integer, maximum: 3}}}]}`},
		{"anyOf of which one cannot be", `{anyOf: [false, {type: integer, minimum: 5, maximum: 4}, {const: 9}]}`},
		{"anyOf beside rules", `{type: string, anyOf: [{minLength: 300}, {type: integer}], maxLength: 301}`},
		{"oneOf of overlapping ranges", `{type: integer, oneOf: [{minimum: 0, maximum: 10}, {minimum: 5, maximum: 12}]}`},
		{"oneOf by required members", `{type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}, oneOf: [{required: [a]}, {required: [b]}, {required: [c]}]}`},
		{"integer or number, but one", `{oneOf: [{type: integer}, {type: number}]}`},
		{"three choices at once", `{allOf: [{oneOf: [{const: 1}, {const: 2}]}, {oneOf: [{const: 2}, {const: 3}]}, {anyOf: [{const: 2}, {const: 1}]}]}`},
		{"not of a type", `{not: {type: string}}`},
		{"not of a member", `{type: object, properties: {a: {type: string}, b: {type: string}}, not: {required: [a]}}`},
		{"not of a value", `{type: integer, minimum: 1, maximum: 2, not: {const: 1}}`},
		{"not of a range", `{type: integer, minimum: 0, maximum: 1000, not: {minimum: 100}}`},
		{"if and then", `{type: object, required: [a], properties: {a: {enum: [x, y]}}, if: {properties: {a: {const: x}}}, then: {required: [b]}, else: {required: [c]}}`},
		{"else alone", `{type: integer, if: {minimum: 10}, then: false, else: {multipleOf: 7}}`},
		{"a discriminator", "x: {oneOf: [{$ref: '#/cat'}, {$ref: '#/dog'}], discriminator: {propertyName: kind, mapping: {c: '#/cat', d: '#/dog'}}}\ncat: {type: object, required: [kind, lives], properties: {kind: {type: string}, lives: {type: integer}}}\ndog: {type: object, required: [kind, tricks], properties: {kind: {type: string}, tricks: {type: array, items: {type: string}}}}"},
		{"nullable beside an enum", `{type: string, nullable: true, enum: [a]}`},
		{"a chain that ends", "x: {type: object, required: [next], properties: {next: {oneOf: [{$ref: '#/x'}, {type: integer}]}}}"},
		{"a tree", "x: {type: object, required: [children, name], properties: {name: {type: string}, parent: {$ref: '#/x'}, children: {type: array, items: {$ref: '#/x'}}}}"},
		{"a reference with siblings", "x: {$ref: '#/y', minLength: 9}\ny: {type: string, maxLength: 9}"},
		{"a default that does not fit", `{type: integer, default: none, minimum: 5}`},
		{"an example that does not fit", `{type: object, required: [a], properties: {a: {type: integer}}, example: {a: text}}`},
		{"anything", `{}`},
		{"true", `true`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := compile(t, tt.schema)
			var m Maker
			for seed := range uint64(12) {
				for _, members := range []Members{Some, Full, Minimal} {
					o := Options{Seed: seed, Place: tt.name, Members: members, Varied: seed%2 == 1}
					v, ok := m.Make(s, o)
					if !ok {
						t.Fatalf("seed %d, members %d: no value", seed, members)
					}
					if vs := s.Validate(v, schema.Request, nil); len(vs) > 0 {
						t.Fatalf("seed %d: %s: %s %s", seed, v, vs[0].Pointer(), vs[0].Message())
					}
				}
			}
		})
	}
}

func TestImpossible(t *testing.T) {
	for _, tt := range []struct{ name, schema string }{
		{"the schema false", `false`},
		{"a value without end", "x: {type: object, required: [x], properties: {x: {$ref: '#/x'}}}"},
		{"lengths that cross", `{type: string, minLength: 5, maxLength: 4}`},
		{"types that exclude one another", `{allOf: [{type: string}, {type: integer}]}`},
		{"two values at once", `{allOf: [{const: 1}, {const: 2}]}`},
		{"a text that is too long to make", `{type: string, minLength: 9007199254740992}`},
		{"an array that is too long to make", `{type: array, minItems: 9007199254740992}`},
		{"an object that is too large to make", `{type: object, minProperties: 9007199254740992}`},
		{"bounds that cross", `{type: integer, minimum: 1, maximum: 2, multipleOf: 5}`},
		{"more different booleans than there are", `{type: array, items: {type: boolean}, uniqueItems: true, minItems: 3}`},
		{"a pattern that takes for ever", `{type: string, pattern: '^(?=(a+)+$)(a|aa)+b$', minLength: 40}`},
		{"many choices, none of which fits", `{type: object, properties: {a: {$ref: '#/x/properties/b'}, b: {oneOf: [{oneOf: [{not: {}}, {not: {}}]}, {anyOf: [{not: {}}, {not: {}}]}]}}, required: [a, b]}`},
		{"too many members", `{type: object, required: [a, b], maxProperties: 1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Maker
			if v, ok := m.Make(compile(t, tt.schema), Options{}); ok {
				t.Errorf("got %s, want none", v)
			}
		})
	}
	var m Maker
	if _, ok := m.Make(nil, Options{}); ok {
		t.Error("no schema has a value")
	}
}

func TestDeterministic(t *testing.T) {
	s := compile(t, shopSchema)
	other := compile(t, `{type: array, items: {type: string}, minItems: 3}`)
	var m, warm Maker
	for i := range uint64(20) {
		warm.Make(other, Options{Seed: i})
		warm.Make(s, Options{Seed: i + 100, Members: Full})
	}
	different := map[string]bool{}
	for seed := range uint64(20) {
		o := Options{Seed: seed, Place: "orders/1"}
		a, _ := m.Make(s, o)
		b, _ := warm.Make(s, o)
		if a.String() != b.String() {
			t.Fatalf("seed %d: got %s and %s", seed, a, b)
		}
		o.Place = "orders/2"
		c, _ := m.Make(s, o)
		different[a.String()], different[c.String()] = true, true
	}
	if len(different) < 40 {
		t.Errorf("got %d different values of 40", len(different))
	}
}

const shopSchema = `{type: object, required: [id, name, email, price, currency, quantity, country, status, created_at, updated_at, tags, start_date, end_date, phone, active], properties: {id: {type: string, format: uuid}, name: {type: string, minLength: 1, maxLength: 80}, email: {type: string, format: email}, price: {type: number, minimum: 0}, currency: {type: string, minLength: 3, maxLength: 3}, quantity: {type: integer, minimum: 1}, country: {type: string}, status: {type: string, enum: [open, paid]}, created_at: {type: string, format: date-time}, updated_at: {type: string, format: date-time}, tags: {type: array, items: {type: string}, maxItems: 5}, start_date: {type: string, format: date}, end_date: {type: string, format: date}, phone: {type: string, pattern: '^\+[1-9][0-9]{6,14}$'}, active: {type: boolean}}}`

func BenchmarkMake(b *testing.B) {
	s := compile(b, shopSchema)
	var m Maker
	o := Options{Place: "orders"}
	b.ReportAllocs()
	for b.Loop() {
		o.Seed++
		if _, ok := m.Make(s, o); !ok {
			b.Fatal("no value")
		}
	}
}

// oracle judges by JSON Schema 2020-12 with another implementation.
func oracle(t testing.TB, text []byte) func(v value.Value) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///x.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///x.json")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return func(v value.Value) error {
		in, err := jsonschema.UnmarshalJSON(strings.NewReader(v.String()))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(in)
	}
}

// TestRandomSchemas makes values of random schemas. What is made has to fit by an
// independent judge, too, and of schemas that some value fits most must be met.
func TestRandomSchemas(t *testing.T) {
	g := random{rand.New(rand.NewPCG(7, 7))}
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	made, lost := 0, 0
	var m Maker
	for range rounds {
		text, err := json.Marshal(g.schema(3))
		if err != nil {
			t.Fatal(err)
		}
		s := compile(t, string(text))
		judge := oracle(t, text)
		ok := false
		for seed := range uint64(2) {
			v, good := m.Make(s, Options{Seed: seed, Members: Members(g.IntN(3))})
			if !good {
				continue
			}
			ok = true
			if err := judge(v); err != nil {
				t.Fatalf("%s: made %s: %v", text, v, err)
			}
		}
		if ok {
			made++
			continue
		}
		for range 300 {
			if v := g.value(3); s.Valid(v, schema.Request) {
				lost++
				t.Logf("%s: none was made, but %s fits", text, v)
				break
			}
		}
	}
	t.Logf("%d of %d made, %d lost", made, rounds, lost)
	if made < rounds*8/10 || lost > rounds/200 {
		t.Errorf("%d of %d schemas have a value, and %d are lost", made, rounds, lost)
	}
}
