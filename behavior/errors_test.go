package behavior

import (
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

// errorSpec is a spec with one faulty place; the place of its texts is
// api.yaml:10:5.
func errorSpec(t testing.TB) *Spec {
	o := operation("shop", []string{"name", "age"}, StepSpec{Kind: Reply, Status: 200, Pos: here})
	o.Pos = Position{"api.yaml", 3, 1}
	o.Parameters = map[string][]string{"path": {"id"}, "query": {"q"}, "header": {"x-shop"}}
	return &Spec{
		Resources: []ResourceSpec{{Name: "Item", Pos: Position{"api.yaml", 2, 1}, Members: []string{"id", "name"}, OnRead: named(t, `{"calls": 1}`)}},
		Failures:  failures(t), Operations: []*OperationSpec{o},
	}
}

var here = Position{"api.yaml", 10, 5}

func TestExpressionErrors(t *testing.T) {
	const names = "; have Item, body, caller, cookie, header, path, query, request"
	for _, tt := range []struct{ name, expr, want string }{
		{"empty", "  ", "api.yaml:10:5: the expression is empty"},
		{"syntax", "1 +", "api.yaml:10:8: expression `1 +`: mismatched input '<EOF>' expecting expression"},
		{"unknown name", "1 + nobody", "api.yaml:10:9: expression `1 + nobody`: \"nobody\" is not bound here" + names},
		{"unknown name behind an umlaut", `"ä" + nobody`, "api.yaml:10:11: expression `\"ä\" + nobody`: \"nobody\" is not bound here" + names},
		{"unknown name on a later line keeps the place of the text", "1 +\n nobody", "api.yaml:10:5: expression `1 + nobody`: \"nobody\" is not bound here" + names},
		{"unknown function", "shout(1)", "api.yaml:10:10: expression `shout(1)`: there is no function shout(); have " + functionNames},
		{"unknown method", `"a".shout()`, "api.yaml:10:14: expression `\"a\".shout()`: there is no function shout(); have " + functionNames},
		{"function as method", `"a".fold()`, "api.yaml:10:13: expression `\"a\".fold()`: fold() is no method; want fold(text)"},
		{"too few arguments", "pad(1)", "api.yaml:10:8: expression `pad(1)`: want pad(number, width)"},
		{"too many arguments", "1 + size(1, 2)", "api.yaml:10:13: expression `1 + size(1, 2)`: want size(value)"},
		{"no argument", "first()", "api.yaml:10:10: expression `first()`: want first(a, b, …)"},
		{"undeclared query parameter", "query.z", "api.yaml:10:10: expression `query.z`: no query parameter \"z\" is documented; have q"},
		{"undeclared in brackets", `query["z"]`, "api.yaml:10:10: expression `query[\"z\"]`: no query parameter \"z\" is documented; have q"},
		{"undeclared path parameter", "path.z", "api.yaml:10:9: expression `path.z`: no path parameter \"z\" is documented; have id"},
		{"undeclared cookie", "cookie.z", "api.yaml:10:11: expression `cookie.z`: no cookie parameter \"z\" is documented; have none"},
		{"undeclared header", "header.x_y", "api.yaml:10:11: expression `header.x_y`: no header parameter \"x_y\" is documented; have x-shop (or header[\"x-y\"] for its text)"},
		{"undeclared member of the body", "body.nmae", "api.yaml:10:9: expression `body.nmae`: no member of the body \"nmae\" is documented; have name, age"},
		{"has of an undeclared one", "has(body.nmae)", "api.yaml:10:8: expression `has(body.nmae)`: no member of the body \"nmae\" is documented; have name, age"},
		{"unknown member of a record", "Item.exists(i, i.nmae == 1)", "api.yaml:10:27: expression `Item.exists(i, i.nmae == 1)`: Item has no member \"nmae\"; have id, name"},
		{"the same in an index", "Item[0].nmae", "api.yaml:10:12: expression `Item[0].nmae`: Item has no member \"nmae\"; have id, name"},
		{"unknown member in a filtered list", "Item.filter(i, true).map(i, i.nmae)", "api.yaml:10:34: expression `Item.filter(i, true).map(i, i.nmae)`: Item has no member \"nmae\"; have id, name"},
		{"loop without a name", "[1].map(1, 2)", "api.yaml:10:12: expression `[1].map(1, 2)`: want list.map(name, expression)"},
		{"loop with one argument too many", "[1].all(x, true, true)", "api.yaml:10:12: expression `[1].all(x, true, true)`: want list.all(name, expression)"},
		{"group with one too few", "[1].group(x, x)", "api.yaml:10:14: expression `[1].group(x, x)`: want list.group(name, expression, expression)"},
		{"loop variable outside of its loop", "[1].map(x, x)[0] + x", "api.yaml:10:24: expression `[1].map(x, x)[0] + x`: \"x\" is not bound here" + names},
		{"key that is no literal", "{body.name: 1}", "api.yaml:10:10: expression `{body.name: 1}`: the key of an object must be a literal text"},
		{"key that is no text", "{1: 1}", "api.yaml:10:6: expression `{1: 1}`: the key of an object must be a text"},
		{"key twice", `{"a": 1, "a": 2}`, "api.yaml:10:14: expression `{\"a\": 1, \"a\": 2}`: the key \"a\" occurs twice"},
		{"bytes", `b"a"`, "api.yaml:10:5: expression `b\"a\"`: this kind of literal is not part of the language"},
		{"message", "Thing{a: 1}", "api.yaml:10:10: expression `Thing{a: 1}`: this form is not part of the language"},
		{"broken pattern", `"a".matches("(")`, "api.yaml:10:17: expression `\"a\".matches(\"(\")`: error parsing regexp: missing closing ): `(`"},
		{"broken generator", `pattern("(")`, "api.yaml:10:13: expression `pattern(\"(\")`: the pattern \"(\": error parsing regexp: missing closing ): `(`"},
		{"computed generator", `pattern("a" + "b")`, "api.yaml:10:12: expression `pattern(\"a\" + \"b\")`: the pattern must be a literal text"},
		{"now of an unknown unit", `now("h")`, "api.yaml:10:8: expression `now(\"h\")`: want now(), now(\"s\") or now(\"ms\")"},
		{"pick of nothing", "pick([])", "api.yaml:10:10: expression `pick([])`: the list to pick from is empty"},
		{"violations outside of a failure", "violations", "api.yaml:10:5: expression `violations`: \"violations\" is not bound here" + names},
		{"integer too large", "99999999999999999999", "api.yaml:10:5: expression `99999999999999999999`: invalid int literal"},
		{"long text is cut", `"ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää" + z`,
			"api.yaml:10:100: expression `\"äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää…`: \"z\" is not bound here" + names},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := errorSpec(t)
			spec.Operations[0].Steps = []StepSpec{{Kind: Let, Target: "out", Be: &Text{tt.expr, here}}, {Kind: Reply, Status: 200}}
			if _, err := Compile(spec); err == nil || err.Error() != tt.want {
				t.Errorf("%s:\n got %v\nwant %s", tt.expr, err, tt.want)
			}
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"${ without }", "a ${body.name", "api.yaml:10:5: `a ${body.name`: a ${ has no }"},
		{"quote without end", `${"a}`, "api.yaml:10:5: `${\"a}`: a ${ has no }"},
		{"place inside of the text", "ab ${nobody.x}", "api.yaml:10:10: expression `nobody.x`: \"nobody\" is not bound here; have Item, body, caller, cookie, header, path, query, request"},
		{"place behind an umlaut", "ää ${body.z}", "api.yaml:10:14: expression `body.z`: no member of the body \"z\" is documented; have name, age"},
		{"second expression", "${1} ${body.z}", "api.yaml:10:16: expression `body.z`: no member of the body \"z\" is documented; have name, age"},
		{"nothing in it", "${}", "api.yaml:10:7: the expression is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := errorSpec(t)
			spec.Operations[0].Steps[0].Body = &TemplateSpec{Pos: here, Scalar: value.String(tt.text)}
			if _, err := Compile(spec); err == nil || err.Error() != tt.want {
				t.Errorf("%s:\n got %v\nwant %s", tt.text, err, tt.want)
			}
		})
	}
}

func TestStepErrors(t *testing.T) {
	reply := StepSpec{Kind: Reply, Status: 200, Pos: here}
	one := func(s StepSpec) func(*Spec) {
		s.Pos = here
		return func(spec *Spec) { spec.Operations[0].Steps = []StepSpec{s, reply} }
	}
	at := func(s string) *Text { return &Text{s, here} }
	const bound = "; have Item, body, caller, cookie, header, path, query, request"
	for _, tt := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no reply at the end", func(s *Spec) { s.Operations[0].Steps = []StepSpec{{Kind: Let, Pos: here, Target: "a", Be: at("1")}} },
			"api.yaml:10:5: the steps of shop end without a reply; want a last step like \"reply: 200\""},
		{"reply only sometimes", func(s *Spec) { s.Operations[0].Steps[0].When = at("true") },
			"api.yaml:10:5: the steps of shop end without a reply; want a last step like \"reply: 200\""},
		{"a branch without a reply", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: OneOf, Pos: here, Branches: [][]StepSpec{{reply}, {{Kind: Check, Target: "body", Pos: Position{"api.yaml", 12, 9}}}}}}
		}, "api.yaml:12:9: the steps of shop end without a reply; want a last step like \"reply: 200\""},
		{"an empty branch", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: OneOf, Pos: here, Branches: [][]StepSpec{{reply}, {}}}}
		}, "api.yaml:10:5: the steps of shop end without a reply; want a last step like \"reply: 200\""},
		{"find of an unknown resource", one(StepSpec{Kind: Find, Target: "Itme", ID: at("path.id"), Else: ref("gone")}), "api.yaml:10:5: find: there is no resource \"Itme\" in x-resources; have Item"},
		{"find without id and where", one(StepSpec{Kind: Find, Target: "Item", Else: ref("gone")}), "api.yaml:10:5: find needs id, where, or both"},
		{"find without else", one(StepSpec{Kind: Find, Target: "Item", ID: at("path.id")}), "api.yaml:10:5: find needs else: what is answered if there is none"},
		{"unknown failure", one(StepSpec{Kind: Find, Target: "Item", ID: at("path.id"), Else: []FailureSpec{{Ref: "lost", Pos: here}}}),
			"api.yaml:10:5: there is no failure \"lost\" in x-failures; have busy, gone, invalid, rate_limited, taken"},
		{"unknown member in where", one(StepSpec{Kind: Find, Target: "Item", Where: at("it.nmae == 1"), Else: ref("gone")}), "api.yaml:10:13: expression `it.nmae == 1`: Item has no member \"nmae\"; have id, name"},
		{"unbound name in where", one(StepSpec{Kind: List, Target: "Item", Where: at("nmae == 1")}),
			"api.yaml:10:5: expression `nmae == 1`: \"nmae\" is not bound here; have Item, body, caller, cookie, header, id, it, name, path, query, request"},
		{"a member that hides a bound name", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: Let, Target: "name", Be: at("1")}, {Kind: List, Target: "Item", Where: at(`id != name`)}, reply}
		}, "api.yaml:10:11: expression `id != name`: \"name\" is a member of Item and a bound name; want it.name, or bind the other with as"},
		{"let without be", one(StepSpec{Kind: Let, Target: "a"}), "api.yaml:10:5: let needs be: an expression"},
		{"refuse without a failure", one(StepSpec{Kind: Refuse}), "api.yaml:10:5: refuse needs a failure"},
		{"update of what is not bound", one(StepSpec{Kind: Update, Target: "item"}), "api.yaml:10:5: update: \"item\" is no record that a step before has bound" + bound},
		{"delete of a list", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: Let, Target: "all", Be: at("Item")}, {Kind: Delete, Target: "all", Pos: here}, reply}
		}, "api.yaml:10:5: delete: \"all\" is no record that a step before has bound; have Item, all, body, caller, cookie, header, path, query, request"},
		{"update of one record with where", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: Find, Target: "Item", ID: at("path.id"), Else: ref("gone")}, {Kind: Update, Target: "item", Where: at("true"), Pos: here}, reply}
		}, "api.yaml:10:5: update of one record has no where; want a resource, or when"},
		{"update of all with a body", one(StepSpec{Kind: Update, Target: "Item", From: at("body")}), "api.yaml:10:5: update of all records of Item takes where and set only"},
		{"set of an unknown member", one(StepSpec{Kind: Create, Target: "Item", Set: sets(t, `{"nmae": 1}`)}), "api.yaml:10:5: set: Item has no member \"nmae\"; have id, name"},
		{"only of an unknown member", one(StepSpec{Kind: Create, Target: "Item", From: at("body"), Only: []string{"nmae"}}), "api.yaml:10:5: only: Item has no member \"nmae\"; have id, name"},
		{"check of something else", one(StepSpec{Kind: Check, Target: "mood"}), "api.yaml:10:5: check: mood is unknown; want body or parameters"},
		{"after without steps", one(StepSpec{Kind: After}), "api.yaml:10:5: after needs steps"},
		{"reply below after", one(StepSpec{Kind: After, Steps: []StepSpec{reply}}), "api.yaml:10:5: reply makes no sense below after: the answer is long gone"},
		{"check below after", one(StepSpec{Kind: After, Steps: []StepSpec{{Kind: Check, Target: "body", Pos: here}}}), "api.yaml:10:5: check makes no sense below after: the answer is long gone"},
		{"what after binds is bound there only", func(s *Spec) {
			s.Operations[0].Steps = []StepSpec{{Kind: After, As: "round", Steps: []StepSpec{{Kind: Let, Target: "a", Be: at("round")}}}, {Kind: Let, Target: "b", Be: at("round")}, reply}
		}, "api.yaml:10:5: expression `round`: \"round\" is not bound here" + bound},
		{"what a branch binds is bound there only", func(s *Spec) {
			let := StepSpec{Kind: Let, Target: "a", Be: at("1")}
			s.Operations[0].Steps = []StepSpec{{Kind: OneOf, Branches: [][]StepSpec{{let}, {let}}}, {Kind: Let, Target: "b", Be: at("a")}, reply}
		}, "api.yaml:10:5: expression `a`: \"a\" is not bound here" + bound},
		{"one-of with one branch", one(StepSpec{Kind: OneOf, Branches: [][]StepSpec{{reply}}}), "api.yaml:10:5: one-of needs two lists of steps, or more"},
		{"reply that is not documented", func(s *Spec) { s.Operations[0].Steps[0].Status = 202 }, "api.yaml:10:5: shop documents no response 202; have 200, 201, 400, 401, 403, 404, 409, 422, 429, 204"},
		{"no such example", func(s *Spec) { s.Operations[0].Steps[0].Example = "two" }, "api.yaml:10:5: the response 200 has no example \"two\"; have one"},
		{"no such media type", func(s *Spec) { s.Operations[0].Steps[0].Media = "text/csv" }, "api.yaml:10:5: the response 200 documents no media type text/csv; have application/json"},
		{"body of a 204", func(s *Spec) {
			s.Operations[0].Steps[0].Status = 204
			s.Operations[0].Steps[0].Body = &TemplateSpec{Pos: here, Scalar: value.True}
		}, "api.yaml:10:5: the response 204 documents no content, so it has no body"},
		{"set of a 204", func(s *Spec) {
			s.Operations[0].Steps[0].Status = 204
			s.Operations[0].Steps[0].Set = sets(t, `{"a": 1}`)
		}, "api.yaml:10:5: the response 204 documents no content, so there is nothing to set"},
		{"example of a 204", func(s *Spec) { s.Operations[0].Steps[0].Status, s.Operations[0].Steps[0].Example = 204, "one" }, "api.yaml:10:5: the response 204 documents no content, so it has no example \"one\""},
		{"failure with an undocumented response", one(StepSpec{Kind: Refuse, Else: []FailureSpec{{Status: 418, Example: "teapot", Pos: here}}}),
			"api.yaml:3:1: shop documents no response 418, but its failure teapot (api.yaml:10:5) answers with it; have 200, 201, 400, 401, 403, 404, 409, 422, 429, 204"},
		{"sort by an unknown member", one(StepSpec{Kind: List, Target: "Item", Sort: &SortSpec{Pos: here, Default: []string{"-nmae"}}}), "api.yaml:10:5: sort: Item has no member \"nmae\"; have id, name"},
		{"half a page", one(StepSpec{Kind: List, Target: "Item", Page: &PageSpec{Pos: here, Number: at("query.q")}}), "api.yaml:10:5: page wants number and size, or offset and limit"},
		{"a resource twice", func(s *Spec) { s.Resources = append(s.Resources, s.Resources[0]) }, "api.yaml:2:1: the resource Item is declared twice"},
		{"an id that is no member", func(s *Spec) { s.Resources[0].ID = "key" }, "api.yaml:2:1: the id of Item has no member \"key\"; have id, name"},
		{"default of an unknown member", func(s *Spec) {
			s.Resources[0].Default = []NamedTemplate{{Name: "nmae", Pos: here, TemplateSpec: tm(t, "1")}}
		}, "api.yaml:10:5: Item has no member \"nmae\"; have id, name"},
		{"unique that hangs on the caller", func(s *Spec) {
			s.Resources[0].Unique = []UniqueSpec{{Pos: here, By: *at("[caller.name, name]"), Else: ref("taken")}}
		},
			"api.yaml:10:6: expression `[caller.name, name]`: \"caller\" cannot be named here: the value must hang on the record alone"},
		{"unique that hangs on a choice", func(s *Spec) {
			s.Resources[0].Unique = []UniqueSpec{{Pos: here, By: *at("uuid()"), Else: ref("taken")}}
		},
			"api.yaml:10:9: expression `uuid()`: uuid() cannot be used here: the value must hang on the record alone"},
		{"unique without else", func(s *Spec) {
			s.Resources[0].Unique = []UniqueSpec{{Pos: here, By: *at("name")}}
			s.Operations[0].Steps = []StepSpec{{Kind: Create, Target: "Item", From: at("body")}, reply}
		}, "api.yaml:10:5: unique needs else: what is answered when the value is taken"},
		{"unknown name in on-create", func(s *Spec) {
			s.Resources[0].OnCreate = []NamedTemplate{{Name: "name", TemplateSpec: TemplateSpec{Pos: here, Scalar: value.String("${zz}")}}}
			s.Operations[0].Steps = []StepSpec{{Kind: Create, Target: "Item", From: at("body")}, reply}
		}, "api.yaml:10:7: expression `zz`: \"zz\" is not bound here" + bound},
		{"method_not_allowed without from", func(s *Spec) {
			s.Failures = append(s.Failures, FailureSpec{Name: "method_not_allowed", Status: 405, Pos: here})
		},
			"api.yaml:10:5: failure method_not_allowed: belongs to no operation, so it needs from: '#/components/responses/…'"},
		{"body in a header of every answer", func(s *Spec) {
			s.Headers = []NamedTemplate{{Name: "X", TemplateSpec: TemplateSpec{Pos: here, Scalar: value.String("${body}")}}}
		},
			"api.yaml:10:7: expression `body`: \"body\" is not bound here; have caller, request"},
		{"records in a header of every answer", func(s *Spec) {
			s.Headers = []NamedTemplate{{Name: "X", TemplateSpec: TemplateSpec{Pos: here, Scalar: value.String("${Item}")}}}
		},
			"api.yaml:10:7: expression `Item`: the records of Item cannot be named here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := errorSpec(t)
			tt.change(spec)
			if _, err := Compile(spec); err == nil || err.Error() != tt.want {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestNewWorldErrors(t *testing.T) {
	for _, tt := range []struct{ name, records, want string }{
		{"no id", `{"Item": [{"id": "a"}, {"name": "x"}]}`, "Item: a record has no id"},
		{"null id", `{"Item": [{"id": null}]}`, "Item: a record has no id"},
		{"id twice", `{"Item": [{"id": "a"}, {"id": "a"}]}`, `Item: the id "a" occurs twice`},
		{"unknown resource", `{"Itme": []}`, `there is no resource "Itme"; have Item`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := WorldConfig{Records: map[string][]value.Value{}}
			for _, m := range parseJSON(t, tt.records).Members() {
				config.Records[m.Name] = m.Value.Elems()
			}
			if _, err := compile(t, errorSpec(t)).NewWorld(config); err == nil || err.Error() != tt.want {
				t.Errorf("%s: got %v, want %s", tt.records, err, tt.want)
			}
		})
	}
}
