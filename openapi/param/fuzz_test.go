package param

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// every are parameters of all places, styles and shapes.
func every(t testing.TB) []*Param {
	var all []*Param
	for _, s := range []string{
		"{type: integer}", "{type: string, maxLength: 3}", "{}",
		"{type: array, items: {type: integer}}", "{type: object, properties: {a: {type: integer}, b: {type: array, items: {type: string}}}}",
		"{anyOf: [{type: array, items: {type: boolean}}, {type: object, additionalProperties: {type: number}}, {type: 'null'}, {type: string}]}",
	} {
		for in, list := range styles {
			for _, style := range list {
				for _, explode := range []string{"true", "false"} {
					all = append(all, mustCompile(t, "{name: p, in: "+Location(in).String()+", style: "+style+", explode: "+explode+", schema: "+s+"}"))
				}
			}
			all = append(all, mustCompile(t, "{name: p, in: "+Location(in).String()+", content: {application/json: {schema: "+s+"}}}"))
		}
	}
	return all
}

// FuzzDecode checks what must hold for every text: the value is valid JSON with
// no name twice, a value without violations fits the schema, decoding is
// deterministic, and a required parameter is refused where it is missing.
func FuzzDecode(f *testing.F) {
	all := every(f)
	f.Add("p=1&p=2&p[a]=3&p[]=x&p[b][]=y&a=7")
	f.Add(".a=1.5.b=%2C")
	f.Add(";p=1;p=2")
	f.Add("a,1,b,2|3%20%7C+%zz")
	f.Add(`p={"a":1}`)
	f.Add("p[a][][x]=1&p[a][0]=2&p[" + strings.Repeat("a][", 12) + "]=1")
	f.Fuzz(func(t *testing.T, raw string) {
		if len(raw) > 4000 {
			return
		}
		for _, p := range all {
			src := source(p, raw)
			v, vs := p.Decode(src, nil)
			if !v.IsMissing() {
				if again, err := value.Parse([]byte(v.String())); err != nil || !value.Equal(v, again) {
					t.Fatalf("%v %s %q: the value %v is no JSON: %v", p.In, p.Style, raw, v, err)
				}
				if len(vs) == 0 && !p.Schema.Valid(v, 0) {
					t.Fatalf("%v %s %q: %v breaks the schema, but there is no violation", p.In, p.Style, raw, v)
				}
			} else if p.Required && len(vs) == 0 {
				t.Fatalf("%v %s %q: required and missing, but there is no violation", p.In, p.Style, raw)
			}
			for _, violation := range vs {
				if violation.Keyword == "" || !utf8.ValidString(violation.Value.Text()) {
					t.Fatalf("%v %s %q: violation %+v", p.In, p.Style, raw, violation)
				}
			}
			if w, ws := p.Decode(src, nil); describe(v, vs) != describe(w, ws) {
				t.Fatalf("%v %s %q: %s, then %s", p.In, p.Style, raw, describe(v, vs), describe(w, ws))
			}
		}
	})
}

// FuzzRoundTrip sends texts as a list in each style, escaped, and wants the same
// texts back, whatever is in them.
func FuzzRoundTrip(f *testing.F) {
	const list = "schema: {type: array, items: {type: string}}}"
	styles := []struct {
		p            *Param
		first, after string
	}{
		{mustCompile(f, "{name: p, in: query, "+list), "p=", "&p="},
		{mustCompile(f, "{name: p, in: query, "+list), "p[]=", "&p[]="},
		{mustCompile(f, "{name: p, in: query, explode: false, "+list), "p=", ","},
		{mustCompile(f, "{name: p, in: path, "+list), "", ","},
		{mustCompile(f, "{name: p, in: path, style: label, explode: false, "+list), ".", ","},
		{mustCompile(f, "{name: p, in: path, style: matrix, "+list), ";p=", ","},
		{mustCompile(f, "{name: p, in: path, style: matrix, explode: true, "+list), ";p=", ";p="},
	}
	f.Add("a,b", "c;d&e=f", "100%")
	f.Add("", "..", "a b+c|d/é\x00")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		texts := []string{a, b, c}
		for i := range texts {
			texts[i] = strings.ToValidUTF8(texts[i], "")
		}
		for _, s := range styles {
			raw := s.first
			for i, text := range texts {
				if i > 0 {
					raw += s.after
				}
				raw += strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
			}
			if v, vs := s.p.Decode(source(s.p, raw), nil); len(vs) > 0 || !value.Equal(v, value.Strings(texts)) {
				t.Errorf("%v %s %q: %s, want %q", s.p.In, s.p.Style, raw, describe(v, vs), texts)
			}
		}
	})
}

// BenchmarkDecode is what one request costs: a query string parsed, and a path
// UUID and two query parameters decoded and judged.
func BenchmarkDecode(b *testing.B) {
	request := func(b *testing.B, params []*Param, query string) {
		b.ReportAllocs()
		src := Source{Path: []string{"0f8fad5b-d9cb-469f-a165-70867728950e"}, PathNames: []string{"id"}}
		buf := make(Query, 0, 16)
		for b.Loop() {
			src.Query = ParseQuery(query, buf)
			for _, p := range params {
				if v, vs := p.Decode(&src, nil); len(vs) > 0 || v.IsMissing() {
					b.Fatalf("%s of %s: %s", p.Name, query, describe(v, vs))
				}
			}
		}
	}
	b.Run("uuid+2", func(b *testing.B) {
		request(b, []*Param{
			mustCompile(b, "{name: id, in: path, schema: {type: string, format: uuid}}"),
			mustCompile(b, "{name: page, in: query, schema: {type: integer, minimum: 1}}"),
			mustCompile(b, "{name: status, in: query, schema: {type: string, enum: [active, archived]}}"),
		}, "page=3&status=active")
	})
	b.Run("array", func(b *testing.B) {
		request(b, []*Param{mustCompile(b, "{name: ids, in: query, schema: {type: array, items: {type: integer}}}")}, "ids=1&ids=2&ids=3")
	})
	b.Run("deepObject", func(b *testing.B) {
		request(b, []*Param{mustCompile(b, "{name: f, in: query, style: deepObject, schema: {type: object, properties: {gte: {type: integer}}}}")}, "f[gte]=1&f[lt]=2")
	})
}
