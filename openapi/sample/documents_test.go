package sample

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// schemasBelow goes through every node that stands where a Schema Object does.
func schemasBelow(n *yaml.Node, yield func(n *yaml.Node)) {
	for k, v := range tree.Pairs(n) {
		switch {
		case k.Value == "schema":
			yield(v)
		case k.Value == "schemas":
			for _, s := range tree.Pairs(v) {
				yield(s)
			}
			continue
		case strings.HasPrefix(k.Value, "example") || strings.HasPrefix(k.Value, "x-"):
			continue
		}
		schemasBelow(v, yield)
	}
	for _, v := range tree.Items(n) {
		schemasBelow(v, yield)
	}
}

// TestDocuments makes values, and cases around them, of all schemas of the
// documents of this project.
func TestDocuments(t *testing.T) {
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := tree.Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			set := schema.NewSet(f)
			var m Maker
			n := 0
			schemasBelow(f.Root, func(node *yaml.Node) {
				s, err := set.Compile(node)
				if err != nil {
					t.Fatal(err)
				}
				n++
				for i := range 12 {
					o := Options{Direction: schema.Direction(i % 2), Members: Members(i / 2 % 3), Varied: i >= 6, Seed: uint64(n)}
					v, ok := m.Make(s, o)
					if !ok {
						t.Errorf("%v: no value (%+v)", s.Position(), o)
						return
					}
					if vs := s.Validate(v, o.Direction, nil); len(vs) > 0 {
						t.Errorf("%v: %s: %s %s", s.Position(), v, vs[0].Pointer(), vs[0].Message())
					}
					if i == 0 {
						if cases := m.Cases(s, v, CaseOptions{Most: 40}); len(cases) < 8 {
							t.Errorf("%v: %s has %d cases", s.Position(), v, len(cases))
						}
					}
				}
			})
			if n < 20 {
				t.Errorf("found %d schemas", n)
			}
		})
	}
}

func TestExamples(t *testing.T) {
	text := `{type: object, required: [id, name, secret], properties: {id: {type: string, readOnly: true, example: i-1}, name: {type: string, example: Anna}, secret: {type: string, writeOnly: true, example: s}, note: {type: string, default: none}, size: {type: integer, examples: [7]}}`
	for _, tt := range []struct {
		name, schema, want string
		o                  Options
	}{
		{"examples of members in a request", text + "}", `{"name":"Anna","secret":"s","note":"none","size":7}`, Options{Members: Full}},
		{"and in a response", text + "}", `{"id":"i-1","name":"Anna","note":"none","size":7}`, Options{Members: Full, Direction: schema.Response}},
		{"required members only", text + "}", `{"name":"Anna","secret":"s"}`, Options{Members: Minimal}},
		{"the example of the object, mended for a request", text + ", example: {id: i-2, name: Bo, note: hi}}", `{"name":"Bo","note":"hi","secret":"s"}`, Options{}},
		{"the same for a response", text + ", example: {id: i-2, name: Bo, note: hi}}", `{"id":"i-2","name":"Bo","note":"hi"}`, Options{Direction: schema.Response}},
		{"without what is optional", text + ", example: {id: i-2, name: Bo, note: hi}}", `{"name":"Bo","secret":"s"}`, Options{Members: Minimal}},
		{"a part that does not fit is replaced", text + ", example: {name: 5, size: 9, secret: x}}", `{"name":"Anna","size":9,"secret":"x"}`, Options{}},
		{"a list is cut", `{type: array, items: {type: integer}, maxItems: 2, example: [1, 2, 3]}`, `[1,2]`, Options{}},
		{"what the caller fixes", text + "}", `{"name":"N","secret":"s","size":1}`, Options{Members: Minimal, Fix: func(p string, _ *schema.Schema) value.Value {
			return map[string]value.Value{"/name": value.String("N"), "/size": value.Int(1)}[p]
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Maker
			v, ok := m.Make(compile(t, tt.schema), tt.o)
			if !ok || v.String() != tt.want {
				t.Errorf("got %s, %t, want %s", v, ok, tt.want)
			}
		})
	}
	var m Maker
	s := compile(t, text+"}")
	if v, ok := m.Make(s, Options{Fix: func(string, *schema.Schema) value.Value { return value.True }}); ok {
		t.Errorf("got %s, though what is fixed does not fit", v)
	}
	nested := compile(t, `{type: object, required: [list], properties: {list: {type: array, minItems: 2, items: {type: object, required: [a/b], properties: {a/b: {type: integer}}}}}}`)
	v, ok := m.Make(nested, Options{Fix: func(p string, _ *schema.Schema) value.Value {
		if p == "/list/1/a~1b" {
			return value.Int(-5)
		}
		return value.Value{}
	}})
	if n, _ := v.Get("list").At(1).Get("a/b").Int(); !ok || n != -5 {
		t.Errorf("got %s, %t, want -5 in the second element", v, ok)
	}
}

// TestSensible checks what names say and what belongs together.
func TestSensible(t *testing.T) {
	s := compile(t, `{type: object, properties: {first_name: {type: string}, email: {type: string, format: email}, city: {type: string}, country_code: {type: string}, created_at: {type: string, format: date-time}, updatedAt: {type: string, format: date-time}, updated_at: {type: string, format: date-time}, start: {type: string, format: date}, end: {type: string, format: date}, min_price: {type: integer}, max_price: {type: integer}, subtotal: {type: number}, tax: {type: number}, total: {type: number}, age: {type: integer}, deleted_at: {type: string, format: date-time, nullable: true}}}`)
	list := compile(t, `{type: object, required: [data, count], properties: {data: {type: array, items: {type: string}}, count: {type: integer, minimum: 0}}}`)
	line := compile(t, `{type: object, required: [price, quantity, total], properties: {price: {type: number, minimum: 0}, quantity: {type: integer, minimum: 1}, total: {type: number}}}`)
	var m Maker
	for seed := range uint64(50) {
		v, ok := m.Make(s, Options{Seed: seed, Members: Full})
		if !ok {
			t.Fatal("no value")
		}
		text := func(name string) string { return v.Get(name).Text() }
		cents := func(name string) int { return int(v.Get(name).Float()*100 + 0.5) }
		switch {
		case !strings.HasPrefix(text("email"), strings.ToLower(text("first_name"))+"."):
			t.Errorf("email: %s", v)
		case text("created_at") > text("updated_at"), text("created_at") > text("updatedAt"), text("start") > text("end"):
			t.Errorf("order of times: %s", v)
		case value.Compare(v.Get("min_price"), v.Get("max_price")) > 0:
			t.Errorf("order of prices: %s", v)
		case cents("subtotal")+cents("tax") != cents("total"):
			t.Errorf("total: %s", v)
		case v.Get("age").Float() < 18, v.Get("age").Float() > 80:
			t.Errorf("age: %s", v)
		case !v.Get("deleted_at").IsNull():
			t.Errorf("deleted: %s", v)
		}
		for _, p := range places {
			if p.city == text("city") && p.code != text("country_code") {
				t.Errorf("place: %s", v)
			}
		}
		if v, _ = m.Make(list, Options{Seed: seed}); v.Get("count").String() != value.Int(int64(v.Get("data").Len())).String() {
			t.Errorf("count: %s", v)
		}
		if v, _ = m.Make(line, Options{Seed: seed}); v.Get("price").Float()*v.Get("quantity").Float()-v.Get("total").Float() > 0.001 {
			t.Errorf("product: %s", v)
		}
	}
}

// TestFormats makes texts of all formats within lengths, where that can be.
func TestFormats(t *testing.T) {
	for name := range known {
		for _, limits := range []string{"", ", minLength: 40, maxLength: 60", ", maxLength: 12", ", minLength: 70"} {
			text := `{"type": "string", "format": "` + name + `"` + strings.NewReplacer("minLength", `"minLength"`, "maxLength", `"maxLength"`).Replace(limits) + "}"
			if strings.Contains("date time uuid ipv4 ipv6 semver", name) && limits != "" || name == "date-time" && strings.Contains(limits, ": 12") {
				continue
			}
			s, judge := compile(t, text), oracle(t, []byte(text))
			var m Maker
			for seed := range uint64(5) {
				v, ok := m.Make(s, Options{Seed: seed})
				if !ok {
					t.Errorf("%s: no value", text)
					break
				}
				if err := judge(v); err != nil && name != "url" {
					t.Errorf("%s: made %s: %v", text, v, err)
				}
			}
		}
	}
}

func TestConcurrent(t *testing.T) {
	s := compile(t, "x: {type: object, properties: {a: {$ref: '#/x'}, b: {oneOf: [{type: string}, {$ref: '#/x'}]}, c: {type: integer}}}")
	var m Maker
	want := make([]string, 40)
	for i := range want {
		v, _ := new(Maker).Make(s, Options{Seed: uint64(i)})
		want[i] = v.String()
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range want {
				if v, _ := m.Make(s, Options{Seed: uint64(i)}); v.String() != want[i] {
					t.Errorf("got %s, want %s", v, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// FuzzMake checks for every schema that nothing panics or takes long, and that
// what is made fits.
func FuzzMake(f *testing.F) {
	for _, seed := range []string{shopSchema, `{oneOf: [{type: string}, {$ref: '#/x'}]}`, `{type: object, properties: {a: {$ref: '#/x'}}, minProperties: 1}`,
		`{type: string, pattern: '^(?=.*a)(b|\1)*(c{3,}|[^\d])+$', minLength: 9}`, `{type: number, multipleOf: 1e-900, minimum: 1e900}`,
		`{type: array, contains: {const: 1}, uniqueItems: true, minItems: 5, example: [1]}`, `{allOf: [{$ref: '#/y'}], not: {enum: [1]}, if: {}, then: {maxLength: 3}}`,
		`{type: object, patternProperties: {'^[^a]+$': {$ref: '#/x'}}, propertyNames: {format: date}, minProperties: 3}`} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 2000 {
			return
		}
		file, err := tree.Parse("api.yaml", []byte("y: {type: object, required: [a], properties: {a: {minimum: 3}}}\nx: "+text))
		if err != nil {
			return
		}
		s, err := schema.NewSet(file).Compile(tree.Get(file.Root, "x"))
		if err != nil {
			return
		}
		var m Maker
		o := Options{Seed: seed, Direction: schema.Direction(seed % 2), Members: Members(seed / 2 % 3)}
		v, ok := m.Make(s, o)
		again, _ := new(Maker).Make(s, o)
		if ok && !strings.Contains(text, "(?") && !strings.Contains(text, `\`) && v.String() != again.String() {
			t.Errorf("%q: made %s, then %s", text, v, again)
		}
		if !ok {
			v = value.Null
		} else if !s.Valid(v, o.Direction) {
			t.Errorf("%q: made %s", text, v)
		}
		for _, c := range m.Cases(s, v, CaseOptions{Direction: o.Direction, Most: 30}) {
			if c.Why == "" || c.Keyword == "" || c.Valid && !s.Valid(c.Value, o.Direction) {
				t.Errorf("%q: %+v", text, c)
			}
		}
	})
}
