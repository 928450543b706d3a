package sample

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// TestCasesBothWays checks that every keyword has a case that fits and one that
// does not.
func TestCasesBothWays(t *testing.T) {
	for _, tt := range []struct{ keyword, schema string }{
		{"type", `{type: [string, integer]}`},
		{"enum", `{type: string, enum: [a, b]}`},
		{"const", `{type: array, items: {type: object, properties: {a: {const: 5}}}}`},
		{"minLength", `{type: string, minLength: 3}`},
		{"maxLength", `{type: string, maxLength: 12}`},
		{"pattern", `{type: string, pattern: '^[a-z]{2,9}$'}`},
		{"format", `{type: string, format: date-time}`},
		{"format", `{type: string, format: email}`},
		{"format", `{type: string, format: uri}`},
		{"format", `{type: integer, format: int32}`},
		{"format", `{type: integer, format: int64}`},
		{"minimum", `{type: integer, minimum: 3}`},
		{"maximum", `{type: number, maximum: 3.25}`},
		{"exclusiveMinimum", `{type: number, exclusiveMinimum: 0}`},
		{"exclusiveMaximum", `{type: integer, exclusiveMaximum: 9}`},
		{"multipleOf", `{type: number, multipleOf: 0.01}`},
		{"minItems", `{type: array, items: {type: integer}, minItems: 2}`},
		{"maxItems", `{type: array, items: {type: integer}, maxItems: 3}`},
		{"uniqueItems", `{type: array, items: {type: integer}, uniqueItems: true, minItems: 2}`},
		{"prefixItems", `{type: array, prefixItems: [{type: string}], items: false}`},
		{"contains", `{type: array, items: {type: integer}, contains: {minimum: 5000}}`},
		{"maxContains", `{type: array, items: {type: integer}, contains: {minimum: 5000}, maxContains: 2, minItems: 3}`},
		{"required", `{type: object, required: [a], properties: {a: {type: array, items: {type: object}}, b: {type: object, properties: {c: {type: string}}}}}`},
		{"additionalProperties", `{type: object, additionalProperties: {type: integer}}`},
		{"patternProperties", `{type: object, patternProperties: {'^x-[a-z]$': {type: integer}}}`},
		{"propertyNames", `{type: object, propertyNames: {pattern: '^[a-z_]+$'}}`},
		{"minProperties", `{type: object, properties: {a: {type: string}, b: {type: string}}, minProperties: 1}`},
		{"maxProperties", `{type: object, properties: {a: {type: string}, b: {type: string}}, maxProperties: 1}`},
		{"dependentRequired", `{type: object, properties: {a: {type: string}, b: {type: string}}, dependentRequired: {a: [b]}}`},
		{"dependentSchemas", `{type: object, properties: {a: {type: string}}, dependentSchemas: {a: {required: [c], properties: {c: {type: integer}}}}}`},
		{"oneOf", `{oneOf: [{type: integer, minimum: 1}, {type: string}, {type: integer, maximum: 2000}]}`},
		{"anyOf", `{type: integer, maximum: 7, anyOf: [{minimum: 5}, {maximum: 100, minimum: 2}]}`},
		{"not", `{type: integer, not: {minimum: 1000}}`},
		{"if", `{type: object, properties: {a: {enum: [x, y]}, c: {type: integer}}, if: {required: [a], properties: {a: {const: x}}}, then: {required: [b], properties: {b: {type: string}}}}`},
		{"discriminator", "x: {oneOf: [{$ref: '#/cat'}, {$ref: '#/dog'}], discriminator: {propertyName: kind, mapping: {cat: '#/cat', dog: '#/dog'}}}\ncat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}\ndog: {type: object, required: [kind, a], properties: {kind: {type: string}, a: {type: integer}}}"},
	} {
		t.Run(tt.keyword, func(t *testing.T) {
			s := compile(t, tt.schema)
			var m Maker
			valid, invalid := 0, 0
			for seed := range uint64(3) {
				good, ok := m.Make(s, Options{Seed: seed, Members: Members(seed)})
				if !ok {
					t.Fatal("no value")
				}
				for _, c := range m.Cases(s, good, CaseOptions{}) {
					if c.Valid != s.Valid(c.Value, schema.Request) {
						t.Fatalf("%s: %s: Valid is %t", c.Why, c.Value, c.Valid)
					}
					if c.Keyword == tt.keyword && c.Valid {
						valid++
					} else if c.Keyword == tt.keyword {
						invalid++
					}
				}
			}
			if valid == 0 || invalid == 0 {
				t.Errorf("%s: %d cases fit and %d do not", tt.schema, valid, invalid)
			}
		})
	}
}

func TestCases(t *testing.T) {
	s := compile(t, `{type: object, required: [name], additionalProperties: false, properties: {name: {type: string, maxLength: 5, nullable: true}, n: {type: integer}, id: {type: string, readOnly: true}, tags: {type: array, items: {type: string, minLength: 2}}}}`)
	good := parse(t, `{"name":"Anna","tags":["aa","bb"]}`)
	var m Maker
	cases := m.Cases(s, good, CaseOptions{})
	for _, tt := range []struct {
		pointer, keyword, why, value string
		valid                        bool
	}{
		{"/name", "nullable", "name is null", `{"name":null,"tags":["aa","bb"]}`, true},
		{"/tags", "type", "tags is null", `{"name":"Anna","tags":null}`, false},
		{"/name", "required", "name is left out, though required", `{"tags":["aa","bb"]}`, false},
		{"/tags", "required", "tags is left out, as it may be", `{"name":"Anna"}`, true},
		{"/name", "maxLength", "name is one character too long, beyond U+FFFF", `{"name":"😀😀😀😀😀😀","tags":["aa","bb"]}`, false},
		{"/name", "maxLength", "name has the greatest length, beyond U+FFFF", `{"name":"😀😀😀😀😀","tags":["aa","bb"]}`, true},
		{"/name", "text", "name has a NUL", `{"name":"a\u0000b","tags":["aa","bb"]}`, true},
		{"/name", "text", "name is white space", `{"name":"   ","tags":["aa","bb"]}`, true},
		{"/unknown_member", "additionalProperties", "unknown_member is a member that nobody declared", `{"name":"Anna","tags":["aa","bb"],"unknown_member":"x"}`, false},
		{"/n", "number", "n is above 2^53", `{"name":"Anna","tags":["aa","bb"],"n":9007199254740993}`, true},
		{"/n", "number", "n is beyond a double", `{"name":"Anna","tags":["aa","bb"],"n":1e400}`, true},
		{"/tags", "items", "tags is empty", `{"name":"Anna","tags":[]}`, true},
		{"/tags/0", "type", "element 0 is a boolean", `{"name":"Anna","tags":[true,"bb"]}`, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			for _, c := range cases {
				if c.Value.String() == tt.value {
					if c.Pointer != tt.pointer || c.Keyword != tt.keyword || c.Why != tt.why || c.Valid != tt.valid {
						t.Errorf("got %+v, want %+v", c, tt)
					}
					return
				}
			}
			t.Errorf("no case has the value %s", tt.value)
		})
	}
	seen := map[string]bool{}
	for i, c := range cases {
		if seen[c.Value.String()] || value.Equal(c.Value, good) && c.Value.String() == good.String() {
			t.Errorf("%s: %s occurs twice", c.Why, c.Value)
		}
		seen[c.Value.String()] = true
		again := new(Maker).Cases(s, good, CaseOptions{})
		if i < len(again) && again[i].Value.String() != c.Value.String() {
			t.Fatalf("case %d is %s and then %s", i, c.Value, again[i].Value)
		}
		if i > 3 {
			break
		}
	}
}

// TestCasesTakeTurns has many places and few cases: each place has some.
func TestCasesTakeTurns(t *testing.T) {
	var b strings.Builder
	b.WriteString("{type: object, properties: {")
	for _, c := range "abcdefghijklmnopqrst" {
		b.WriteString(string(c) + ": {type: string, maxLength: 5, enum: [v1, v2, v3, v4, v5, v6, v7, v8, v9]}, ")
	}
	s := compile(t, b.String()+"}}")
	var m Maker
	good, _ := m.Make(s, Options{Members: Full})
	cases := m.Cases(s, good, CaseOptions{Most: 63})
	count := map[string]int{}
	for _, c := range cases {
		count[c.Pointer]++
	}
	if len(cases) != 63 || count["/a"] < 2 || count["/t"] < 2 {
		t.Errorf("got %d cases: %v", len(cases), count)
	}
	if n := len(m.Cases(s, good, CaseOptions{})); n != 400 {
		t.Errorf("got %d cases, want 400", n)
	}
}
