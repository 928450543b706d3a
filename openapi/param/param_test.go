package param

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

func compile(t testing.TB, object string) (*Param, error) {
	t.Helper()
	f, err := tree.Parse("api.yaml", []byte("p: "+object+`
components:
  parameters: {page: {name: page, in: query, schema: {type: integer}}}
  schemas:
    ids: {type: array, items: {type: integer}}
`))
	if err != nil {
		t.Fatal(err)
	}
	return Compile(f, schema.NewSet(f), tree.Get(f.Root, "p"))
}

func mustCompile(t testing.TB, object string) *Param {
	t.Helper()
	p, err := compile(t, object)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// source has the raw text of one parameter: a path's captured text, a query
// string, header lines, or cookies as in a Cookie header. "-" is a request
// without it.
func source(p *Param, raw string) *Source {
	switch {
	case raw == "-":
		return &Source{}
	case p.In == InPath:
		return &Source{Path: []string{"other", raw}, PathNames: []string{"first", p.Name}}
	case p.In == InQuery:
		return &Source{Query: ParseQuery(raw, nil)}
	case p.In == InHeader:
		return &Source{Header: func(name string) []string {
			if name != p.Name {
				return nil
			}
			return strings.Split(raw, "\n")
		}}
	}
	return &Source{Cookie: func(name string) (string, bool) {
		for c := range strings.SplitSeq(raw, "; ") {
			if n, v, _ := strings.Cut(c, "="); n == name {
				return v, true
			}
		}
		return "", false
	}}
}

// describe is a value and its violations: "3; type:integer, minimum:5 at /0".
func describe(v value.Value, vs []schema.Violation) string {
	s := v.String()
	if v.IsMissing() {
		s = "nothing"
	}
	for i, violation := range vs {
		s += [...]string{"; ", ", "}[min(i, 1)] + violation.Keyword
		if l := violation.Limit; violation.Keyword != "required" && !l.IsMissing() {
			s += ":" + strings.Trim(l.String(), `"`)
		}
		if at := violation.Pointer(); at != "" {
			s += " at " + at
		}
	}
	return s
}

type row struct{ name, param, raw, want string }

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			p := mustCompile(t, tt.param)
			v, vs := p.Decode(source(p, tt.raw), nil)
			if got := describe(v, vs); got != tt.want {
				t.Errorf("Decode(%q) with %s\n got %s\nwant %s", tt.raw, tt.param, got, tt.want)
			}
		})
	}
}

// TestStyles is the table "Style Examples" of OpenAPI 3.0.3 with both columns of
// explode; rows that it does not have are n/a there.
func TestStyles(t *testing.T) {
	const (
		text  = "{type: string}"
		list  = "{type: array, items: {type: string}}"
		rgb   = "{type: object, properties: {R: {type: integer}, G: {type: integer}, B: {type: integer}}}"
		blue  = `"blue"`
		three = `["blue","black","brown"]`
		color = `{"R":100,"G":200,"B":150}`
	)
	for _, tt := range []struct {
		in, style    string
		explode      bool
		schema       string
		raw, want    string
		defaultStyle bool // style and explode need not be written
	}{
		{"path", "matrix", false, text, ";color", `""`, false},
		{"path", "matrix", false, text, ";color=blue", blue, false},
		{"path", "matrix", false, list, ";color=blue,black,brown", three, false},
		{"path", "matrix", false, list, ";color", `[]`, false},
		{"path", "matrix", false, rgb, ";color=R,100,G,200,B,150", color, false},
		{"path", "matrix", true, text, ";color", `""`, false},
		{"path", "matrix", true, text, ";color=blue", blue, false},
		{"path", "matrix", true, list, ";color=blue;color=black;color=brown", three, false},
		{"path", "matrix", true, list, ";color", `[]`, false},
		{"path", "matrix", true, rgb, ";R=100;G=200;B=150", color, false},
		{"path", "matrix", true, rgb, ";color", `{}`, false},
		{"path", "label", false, text, ".", `""`, false},
		{"path", "label", false, text, ".blue", blue, false},
		{"path", "label", false, list, ".blue.black.brown", three, false},
		{"path", "label", false, list, ".blue,black,brown", three, false}, // RFC 6570, OpenAPI 3.0.4
		{"path", "label", false, list, ".", `[]`, false},
		{"path", "label", false, rgb, ".R.100.G.200.B.150", color, false},
		{"path", "label", false, rgb, ".R,100,G,200,B,150", color, false}, // RFC 6570, OpenAPI 3.0.4
		{"path", "label", true, text, ".", `""`, false},
		{"path", "label", true, text, ".blue", blue, false},
		{"path", "label", true, list, ".blue.black.brown", three, false},
		{"path", "label", true, rgb, ".R=100.G=200.B=150", color, false},
		{"query", "form", false, text, "color=", `""`, false},
		{"query", "form", false, text, "color=blue", blue, false},
		{"query", "form", false, list, "color=blue,black,brown", three, false},
		{"query", "form", false, list, "color=", `[]`, false},
		{"query", "form", false, rgb, "color=R,100,G,200,B,150", color, false},
		{"query", "form", true, text, "color=", `""`, true},
		{"query", "form", true, text, "color=blue", blue, true},
		{"query", "form", true, list, "color=blue&color=black&color=brown", three, true},
		{"query", "form", true, rgb, "R=100&G=200&B=150", color, true},
		{"cookie", "form", false, text, "color=blue", blue, false},
		{"cookie", "form", false, list, "color=blue,black,brown", three, false},
		{"cookie", "form", false, rgb, "color=R,100,G,200,B,150", color, false},
		{"cookie", "form", true, text, "color=blue", blue, true},
		{"cookie", "form", true, list, "color=blue&color=black&color=brown", three, true},
		{"cookie", "form", true, rgb, "R=100; G=200; B=150", color, true},
		{"path", "simple", false, text, "blue", blue, true},
		{"path", "simple", false, list, "blue,black,brown", three, true},
		{"path", "simple", false, rgb, "R,100,G,200,B,150", color, true},
		{"path", "simple", true, text, "blue", blue, false},
		{"path", "simple", true, list, "blue,black,brown", three, false},
		{"path", "simple", true, rgb, "R=100,G=200,B=150", color, false},
		{"header", "simple", false, text, "blue", blue, true},
		{"header", "simple", false, list, "blue,black,brown", three, true},
		{"header", "simple", false, rgb, "R,100,G,200,B,150", color, true},
		{"header", "simple", true, list, "blue,black,brown", three, false},
		{"header", "simple", true, rgb, "R=100,G=200,B=150", color, false},
		{"query", "spaceDelimited", false, list, "color=blue%20black%20brown", three, false},
		{"query", "spaceDelimited", false, list, "color=blue+black+brown", three, false},
		{"query", "spaceDelimited", false, rgb, "color=R%20100%20G%20200%20B%20150", color, false},
		{"query", "spaceDelimited", true, list, "color=blue&color=black&color=brown", three, false},
		{"query", "pipeDelimited", false, list, "color=blue|black|brown", three, false},
		{"query", "pipeDelimited", false, list, "color=blue%7Cblack%7cbrown", three, false},
		{"query", "pipeDelimited", false, rgb, "color=R|100|G|200|B|150", color, false},
		{"query", "pipeDelimited", true, list, "color=blue&color=black&color=brown", three, false},
		{"query", "deepObject", true, rgb, "color[R]=100&color[G]=200&color[B]=150", color, false},
		{"query", "deepObject", false, rgb, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", color, false},
	} {
		objects := []string{fmt.Sprintf("{name: color, in: %s, style: %s, explode: %v, schema: %s}", tt.in, tt.style, tt.explode, tt.schema)}
		if tt.defaultStyle {
			objects = append(objects, fmt.Sprintf("{name: color, in: %s, schema: %s}", tt.in, tt.schema))
		}
		for _, o := range objects {
			check(t, []row{{fmt.Sprintf("%s %s explode=%v %s", tt.in, tt.style, tt.explode, tt.raw), o, tt.raw, tt.want}})
		}
	}
}

func TestDecode(t *testing.T) {
	const (
		n     = "{name: n, in: query, schema: {type: integer, minimum: 5}}"
		ids   = "{name: ids, in: query, schema: {$ref: '#/components/schemas/ids'}}"
		csv   = "{name: ids, in: query, explode: false, schema: {$ref: '#/components/schemas/ids'}}"
		texts = "{name: t, in: query, explode: false, schema: {type: array, items: {type: string}}}"
		obj   = "{name: f, in: query, style: deepObject, schema: {type: object, additionalProperties: false, properties: {a: {type: integer}, tags: {type: array, items: {type: string}}, in: {type: object, properties: {b: {type: boolean}}}, all: {type: array, items: {type: object, properties: {x: {type: integer}, y: {type: integer}}}}}}}"
		flat  = "{name: page, in: query, required: true, schema: {type: object, properties: {limit: {type: integer}, tags: {type: array, items: {type: string}}}}}"
		path  = "{name: id, in: path, schema: {type: string}}"
		head  = "{name: X-A, in: header, schema: {type: array, items: {type: integer}}}"
		blank = "{name: n, in: query, allowEmptyValue: true, schema: {type: %s}}"
	)
	check(t, []row{
		{"not sent", n, "-", "nothing"},
		{"not sent, but required", "{name: n, in: query, required: true, schema: {type: integer}}", "m=1", "nothing; required"},
		{"a path parameter is always required", path, "-", "nothing; required"},
		{"a number", n, "n=7", "7"},
		{"a number that is too small", n, "n=4", "4; minimum:5"},
		{"a text for a number", n, "n=four", `"four"; type:integer`},
		{"a number in hexadecimal", n, "n=0x10", `"0x10"; type:integer`},
		{"an escaped number", n, "n=%37", "7"},
		{"an escaped name", n, "%6E=7", "7"},
		{"sent twice, the last counts", n, "n=1&n=7", "7"},
		{"an empty text for a number", n, "n=", `""; type:integer`},
		{"a name without =", n, "n", `""; type:integer`},
		{"no digit of a large number is lost", n, "n=90071992547409931234", "90071992547409931234"},
		{"empty allowed: number", fmt.Sprintf(blank, "integer"), "n=", "nothing"},
		{"empty allowed: text", fmt.Sprintf(blank, "string, minLength: 3"), "n=", `""`},
		{"empty allowed: array", fmt.Sprintf(blank, "array, items: {type: integer}"), "n=", "[]"},
		{"empty allowed, but not sent", fmt.Sprintf(blank, "integer"), "m=", "nothing"},
		{"null where it is allowed", "{name: n, in: query, schema: {type: integer, nullable: true}}", "n=null", "null"},

		{"items are coerced", ids, "ids=1&ids=2", "[1,2]"},
		{"an item that breaks its schema", ids, "ids=1&ids=x", `[1,"x"]; type:integer at /1`},
		{"an exploded array does not split at commas", ids, "ids=1,2", `["1,2"]; type:integer at /0`},
		{"empty brackets", ids, "ids[]=1&ids[]=2", "[1,2]"},
		{"escaped brackets", ids, "ids%5B%5D=1", "[1]"},
		{"indexes order the items", ids, "ids[2]=3&ids[0]=1", "[1,3]"},
		{"a huge index makes no gaps", ids, "ids[999999999]=1", "[1]"},
		{"a key in an array", ids, "ids[x]=1", `{"x":"1"}; type:array`},
		{"brackets in the documented name", "{name: 'ids[]', in: query, schema: {$ref: '#/components/schemas/ids'}}", "ids[]=1&ids[]=2", "[1,2]"},
		{"brackets in the documented name, sent with indexes", "{name: 'ids[]', in: query, schema: {$ref: '#/components/schemas/ids'}}", "ids[1]=2&ids[0]=1", "[1,2]"},
		{"brackets in the documented name of a text", "{name: 'f[a]', in: query, schema: {type: integer}}", "f[a]=1", "1"},
		{"commas, sent twice", csv, "ids=1,2&ids=3", "[1,2,3]"},
		{"an escaped comma is no separator", texts, "t=a%2Cb,c", `["a,b","c"]`},
		{"an escaped comma is no separator in a path", "{name: id, in: path, schema: {type: array, items: {type: string}}}", "a%2Cb,c%2Fd", `["a,b","c/d"]`},
		{"an escaped pipe is a separator", "{name: t, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}", "t=a%7Cb", `["a","b"]`},
		{"empty items", texts, "t=,a,", `["","a",""]`},
		{"a plus is a space in a query", texts, "t=a+b", `["a b"]`},
		{"a malformed UUID", "{name: id, in: path, schema: {type: string, format: uuid}}", "0f8f", `"0f8f"; format:uuid`},
		{"a plus is a plus in a path", path, "a+b", `"a+b"`},

		{"deep objects", obj, "f[a]=1&f[in][b]=true&f[tags][]=x&f[tags][]=y", `{"a":1,"in":{"b":true},"tags":["x","y"]}`},
		{"a repeated member of a deep object that is a list", obj, "f[tags]=x&f[tags]=y", `{"tags":["x","y"]}`},
		{"a repeated member of a deep object that is none", obj, "f[a]=1&f[a]=2", `{"a":2}`},
		{"a list of objects with indexes", obj, "f[all][1][x]=2&f[all][0][x]=1", `{"all":[{"x":1},{"x":2}]}`},
		{"a list of objects with empty brackets", obj, "f[all][][x]=1&f[all][][y]=2&f[all][][x]=3", `{"all":[{"x":1,"y":2},{"x":3}]}`},
		{"an undeclared member", obj, "f[z]=1", `{"z":"1"}; additionalProperties:false at /z`},
		{"a text for a deep object", obj, "f=1", `"1"; type:object`},
		{"brackets that do not close", obj, "f[a=1", "nothing"},
		{"text between brackets", obj, "f[a]b[c]=1", "nothing"},
		{"a list where an object belongs", obj, "f[]=1", `["1"]; type:object`},
		{"a list beside members", obj, "f[a]=1&f[]=2", `{"a":1,"":["2"]}; additionalProperties:false at /`},
		{"brackets ten deep", "{name: f, in: query, schema: {}}", "f" + strings.Repeat("[a]", 10) + "=1", strings.Repeat(`{"a":`, 10) + `"1"` + strings.Repeat("}", 10)},
		{"brackets eleven deep", obj, "f" + strings.Repeat("[a]", 11) + "=1", `"f` + strings.Repeat("[a]", 11) + `"; style:deepObject`},
		{"undeclared members by additionalProperties", "{name: f, in: query, style: deepObject, schema: {type: object, additionalProperties: {type: integer}}}", "f[a]=1&f[b]=x", `{"a":1,"b":"x"}; type:integer at /b`},
		{"brackets for an object in form style", "{name: f, in: query, schema: {type: object, properties: {a: {type: integer}}}}", "f[a]=1", `{"a":1}`},

		{"exploded members", flat, "limit=5&tags=a&tags=b&other=1", `{"limit":5,"tags":["a","b"]}`},
		{"no exploded member, but required", flat, "other=1", "nothing; required"},
		{"an odd list is no object", "{name: f, in: query, explode: false, schema: {type: object}}", "f=a,1,b", `"a,1,b"; type:object`},
		{"a member without =", "{name: f, in: path, explode: true, schema: {type: object}}", "a=1,b", `"a=1,b"; type:object`},
		{"one member twice, the last counts", "{name: f, in: path, schema: {type: object, properties: {a: {type: integer}}}}", "a,1,a,2", `{"a":2}`},
		{"an escaped = in a member", "{name: f, in: path, explode: true, schema: {type: object}}", "a%3D=1", `{"a=":"1"}`},

		{"a broken escape in a path", path, "a%2", `"a%2"; encoding:percent-encoded UTF-8`},
		{"no UTF-8 in a path", path, "%ff", `"%ff"; encoding:percent-encoded UTF-8`},
		{"a broken escape in a query", n, "n=%zz", `"%zz"; encoding:percent-encoded UTF-8`},
		{"a broken escape in an item", texts, "t=a,%zz", `"%zz"; encoding:percent-encoded UTF-8`},
		{"a broken escape behind brackets", ids, "ids[]=%f", `"%f"; encoding:percent-encoded UTF-8`},
		{"a broken escape elsewhere", n, "m=%zz&n=7", "7"},
		{"no UTF-8 in a header", "{name: X-A, in: header, schema: {type: string}}", "\xff", `"` + "\uFFFD" + `"; encoding:percent-encoded UTF-8`},
		{"a character that is escaped NUL", path, "%00", `"\u0000"`},

		{"a label without its dot", "{name: id, in: path, style: label, schema: {type: string}}", "blue", `"blue"; style:label`},
		{"a label of numbers with points", "{name: id, in: path, style: label, explode: true, schema: {type: object, properties: {a: {type: number}, b: {type: number}}}}", ".a=1.5.b=2.25", `{"a":1.5,"b":2.25}`},
		{"a matrix without its mark", "{name: id, in: path, style: matrix, schema: {type: string}}", "blue", `"blue"; style:matrix`},
		{"a matrix of another name", "{name: id, in: path, style: matrix, schema: {type: string}}", ";x=blue", `";x=blue"; style:matrix`},
		{"a matrix of an escaped name", "{name: id, in: path, style: matrix, schema: {type: string}}", ";%69d=blue", `"blue"`},

		{"a header with spaces between items", head, "1, 2 ,3", "[1,2,3]"},
		{"a header that is sent twice", head, "1,2\n3", "[1,2,3]"},
		{"an empty header", head, "", "[]"},
		{"a header is not percent-decoded", "{name: X-A, in: header, schema: {type: string}}", "a%2Cb", `"a%2Cb"`},
		{"a header sent twice is one text", "{name: X-A, in: header, schema: {type: string}}", "a\nb", `"a, b"`},
		{"an escaped cookie", "{name: c, in: cookie, schema: {type: string}}", "c=a%20b", `"a b"`},
		{"a cookie with a percent sign", "{name: c, in: cookie, schema: {type: string}}", "c=100%", `"100%"`},

		{"an optional list of 3.1: one item", "{name: t, in: query, schema: {anyOf: [{type: array, items: {type: integer}}, {type: 'null'}]}}", "t=1", "[1]"},
		{"an optional list of 3.1: two items", "{name: t, in: query, schema: {anyOf: [{type: array, items: {type: integer}}, {type: 'null'}]}}", "t=1&t=2", "[1,2]"},
		{"a list of types", "{name: t, in: query, schema: {type: [string, array], items: {type: integer}}}", "t=1&t=2", "[1,2]"},
		{"a list of types, one text", "{name: t, in: query, schema: {type: [string, array], items: {type: integer}}}", "t=1", `"1"`},
		{"a range or a number: the range", "{name: t, in: query, style: deepObject, schema: {anyOf: [{type: object, properties: {gte: {type: integer}}}, {type: integer}]}}", "t[gte]=1", `{"gte":1}`},
		{"a range or a number: the number", "{name: t, in: query, style: deepObject, schema: {anyOf: [{type: object, properties: {gte: {type: integer}}}, {type: integer}]}}", "t=1", "1"},
		{"a range or a number: neither", "{name: t, in: query, style: deepObject, required: true, schema: {anyOf: [{type: object}, {type: integer}]}}", "u=1", "nothing; required"},
		{"a range or a number: wrong", "{name: t, in: query, style: deepObject, schema: {anyOf: [{type: object}, {type: integer}]}}", "t=x", `"x"; anyOf:2`},

		{"JSON", "{name: f, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}", "f=%7B%22a%22%3A1%7D", `{"a":1}`},
		{"JSON that breaks its schema", "{name: f, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}", `f={"a":"x"}`, `{"a":"x"}; type:integer at /a`},
		{"malformed JSON", "{name: f, in: query, content: {application/json: {}}}", `f={`, `"{"; json:line 1, column 2: a member name in quotes is expected`},
		{"JSON by suffix in a header", "{name: X-A, in: header, content: {application/x+json: {schema: {type: array}}}}", "[1, 2]", "[1,2]"},
		{"JSON in a path", "{name: f, in: path, content: {application/json: {schema: {type: array}}}}", "%5B1%5D", "[1]"},
		{"content that is no JSON", "{name: f, in: query, content: {text/plain: {schema: {type: string}}}}", "f={", `"{"`},
		{"content that is not sent", "{name: f, in: query, content: {application/json: {}}}", "-", "nothing"},
		{"a broken escape in content", "{name: f, in: query, content: {application/json: {}}}", "f=%", `"%"; encoding:percent-encoded UTF-8`},
	})
}

func TestDecodeKeepsEarlierViolations(t *testing.T) {
	p := mustCompile(t, "{name: t, in: query, schema: {anyOf: [{type: object}, {type: integer}]}}")
	_, vs := p.Decode(source(p, "t=x"), []schema.Violation{{Keyword: "first"}})
	if len(vs) != 2 || vs[0].Keyword != "first" || vs[1].Keyword != "anyOf" {
		t.Errorf("Decode appends to [first]: got %v, want first, anyOf", vs)
	}
}

func TestCompile(t *testing.T) {
	for _, tt := range []struct{ name, object, want string }{
		{"a reference", "{$ref: '#/components/parameters/page'}", "page in query, form, explode true, required false, at 3:22"},
		{"a path parameter", "{name: a, in: path, schema: {}}", "a in path, simple, explode false, required true, at 1:4"},
		{"a header", "{name: a, in: header, required: true, schema: {}}", "a in header, simple, explode false, required true, at 1:4"},
		{"a cookie", "{name: a, in: cookie, explode: false, schema: {}}", "a in cookie, form, explode false, required false, at 1:4"},
		{"a deep object", "{name: a, in: query, style: deepObject, schema: {}}", "a in query, deepObject, explode false, required false, at 1:4"},

		{"a reference that leads nowhere", "{$ref: '#/components/parameters/size'}", `api.yaml:1:11: the reference "#/components/parameters/size" leads nowhere: there is no "size"; have page`},
		{"no mapping", "[]", "api.yaml:1:4: a parameter is a list; want a mapping"},
		{"no name", "{in: query, schema: {}}", "api.yaml:1:4: a parameter has no name"},
		{"no in", "{name: a, schema: {}}", `api.yaml:1:4: the parameter "a" has no in; want path, query, header, cookie`},
		{"in of Swagger 2.0", "{name: a, in: body, schema: {}}", `api.yaml:1:18: unknown in "body" of the parameter "a"; want path, query, header, cookie`},
		{"an unknown style", "{name: a, in: query, style: deep, schema: {}}", `api.yaml:1:32: the style "deep" of the parameter "a" is not for in: query; want form, spaceDelimited, pipeDelimited, deepObject`},
		{"a style of another place", "{name: a, in: header, style: form, schema: {}}", `api.yaml:1:33: the style "form" of the parameter "a" is not for in: header; want simple`},
		{"required is no boolean", "{name: a, in: query, required: yep, schema: {}}", `api.yaml:1:35: required of the parameter "a" is the scalar "yep"; want true or false`},
		{"neither schema nor content", "{name: a, in: query}", `api.yaml:1:4: the parameter "a" has neither schema nor content; want one of them`},
		{"both schema and content", "{name: a, in: query, schema: {}, content: {a/b: {}}}", `api.yaml:1:37: the parameter "a" has both schema and content; want one of them`},
		{"two media types", "{name: a, in: query, content: {a/b: {}, c/d: {}}}", `api.yaml:1:34: content of the parameter "a" does not have one media type; want exactly one`},
		{"a schema that does not compile", "{name: a, in: query, schema: {type: text}}", `api.yaml:1:40: unknown type "text"; want array, boolean, integer, null, number, object, string`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := compile(t, tt.object)
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprintf("%s in %v, %s, explode %v, required %v, at %d:%d", p.Name, p.In, p.Style, p.Explode, p.Required, p.Position.Line, p.Position.Column)
			}
			if got != tt.want {
				t.Errorf("Compile(%s)\n got %s\nwant %s", tt.object, got, tt.want)
			}
		})
	}
}

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      Query
	}{
		{"nothing", "", nil},
		{"pairs in order", "b=1&a=2&b=3", Query{{"b", "1", "1", false}, {"a", "2", "2", false}, {"b", "3", "3", false}}},
		{"no value", "a&b=", Query{{"a", "", "", false}, {"b", "", "", false}}},
		{"no name", "=1", Query{{"", "1", "1", false}}},
		{"empty pairs", "&&a=1&", Query{{"a", "1", "1", false}}},
		{"= in a value", "a=b=c", Query{{"a", "b=c", "b=c", false}}},
		{"escapes and pluses", "a%20b=c+d%2B", Query{{"a b", "c d+", "c+d%2B", false}}},
		{"a semicolon separates nothing", "a=1;b=2", Query{{"a", "1;b=2", "1;b=2", false}}},
		{"a broken escape", "a=%zz&b=%4", Query{{"a", "%zz", "%zz", true}, {"b", "%4", "%4", true}}},
		{"a broken escape in a name", "%=1", Query{{"%", "1", "1", true}}},
		{"no UTF-8", "a=%ff&b=\xff", Query{{"a", "%ff", "%ff", true}, {"b", "\uFFFD", "\xff", true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ParseQuery(tt.raw, make(Query, 3)); !slices.Equal(got, tt.want) {
				t.Errorf("ParseQuery(%q) = %v, want %v", tt.raw, got, tt.want)
			}
		})
	}
	if got := len(ParseQuery(strings.Repeat("a=1&", 5000), nil)); got != MaxPairs {
		t.Errorf("ParseQuery of 5000 pairs has %d, want %d", got, MaxPairs)
	}
	buf := make(Query, 0, 4)
	if n := testing.AllocsPerRun(100, func() { buf = ParseQuery("page=1&per_page=20", buf) }); n != 0 {
		t.Errorf("ParseQuery of plain pairs allocates %v times, want 0", n)
	}
}

// TestHostile gives long texts to the parameters that split them; it is about
// time and memory, not about the answers.
func TestHostile(t *testing.T) {
	const million = 1_000_000
	for _, tt := range []struct{ object, raw string }{
		{"{name: a, in: query, explode: false, schema: {type: array, items: {type: integer}}}", "a=" + strings.Repeat(",", million)},
		{"{name: a, in: query, style: deepObject, schema: {type: object}}", strings.Repeat("a[", 500) + strings.Repeat("]", million)},
		{"{name: a, in: query, schema: {}}", strings.Repeat("a[b]=1&a[]=2&a[1][]=3&", 400)},
		{"{name: a, in: query, schema: {type: array, items: {type: array, items: {}}}}", strings.Repeat("a[][][][][]=1&", 1000)},
		{"{name: a, in: path, style: label, explode: true, schema: {type: object}}", "." + strings.Repeat("a.", million)},
		{"{name: a, in: path, style: matrix, explode: true, schema: {type: array}}", ";" + strings.Repeat("a=1;", million/4)},
		{"{name: a, in: header, schema: {type: object}}", strings.Repeat("a,", million)},
		{"{name: a, in: cookie, schema: {type: array}}", "a=" + strings.Repeat("&a=", million/3)},
		{"{name: a, in: query, content: {application/json: {}}}", "a=" + strings.Repeat("[", million)},
	} {
		p := mustCompile(t, tt.object)
		v, _ := p.Decode(source(p, tt.raw), nil)
		if n := v.Len(); n > maxParts {
			t.Errorf("Decode(%.20q…) with %s has %d elements, want at most %d", tt.raw, tt.object, n, maxParts)
		}
	}
}

func TestIgnored(t *testing.T) {
	for _, tt := range []struct {
		in   Location
		name string
		want bool
	}{
		{InHeader, "Accept", true}, {InHeader, "content-type", true}, {InHeader, "AUTHORIZATION", true},
		{InHeader, "X-Accept", false}, {InQuery, "Accept", false},
	} {
		if got := Ignored(tt.in, tt.name); got != tt.want {
			t.Errorf("Ignored(%v, %s) = %v, want %v", tt.in, tt.name, got, tt.want)
		}
	}
}
