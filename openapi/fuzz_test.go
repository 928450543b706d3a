package openapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// FuzzLoad checks that any text is an API or an error that begins with the file,
// and that whatever loads can be served.
func FuzzLoad(f *testing.F) {
	f.Add(shop)
	for _, tt := range faults {
		f.Add(strings.Replace(shop, tt.old, tt.new, 1))
	}
	for _, text := range []string{
		"", "a", "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {description: ok}}}}}",
		"openapi: 3.0.0\npaths: {/{a}: {$ref: '#/paths/~1{a}'}}",
		"openapi: 3.0.0\npaths: {/a: {get: &a {responses: {200: *a}}}}",
		"openapi: 3.0.0\npaths: {/a: {get: {requestBody: {content: {'*/*': {}, a: }}, responses: {200: }}}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20_000 {
			return
		}
		api, err := Load("x", "x.yaml", []byte(text))
		if (err == nil) != (api != nil) {
			t.Fatalf("Load(%q) = %v, %v; want one of them", text, api, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Errorf("Load(%q): %v; want a place first", text, err)
			}
			return
		}
		world, err := api.Plan.NewWorld(behavior.WorldConfig{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		known := api.NewCallers(behavior.NewCaller("a", []string{"*"}, value.Object(), noon))
		for _, p := range api.Paths {
			for _, o := range p.Operations {
				args := make([]string, len(p.Names))
				for i := range args {
					args[i] = "a"
				}
				for _, body := range []string{"", `{"id":"a","name":"b"}`} {
					r := httptest.NewRequest(http.MethodPost, "http://x.test/a?page=1&a=b", strings.NewReader(body))
					r.Method = o.Method
					c := o.Call(r, args, p.Names, known, Limits{}, noon)
					c.Auth = behavior.Granted
					if out := world.Do(c); out.Status < 100 || out.Status > 599 {
						t.Errorf("%q: %s answers with %d", text, o.ID, out.Status)
					}
				}
			}
		}
	})
}

// FuzzCall checks for every request to the documents that come with the project
// that what a call says of the body is what its schema says.
func FuzzCall(f *testing.F) {
	type target struct {
		path *Path
		op   *Operation
	}
	var targets []target
	for _, name := range Names() {
		api, err := Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range api.Paths {
			for _, o := range p.Operations {
				targets = append(targets, target{p, o})
			}
		}
	}
	for i := range targets {
		f.Add(uint16(i), "page=1&per_page=%zz&search=a&limit=0", orderID, "application/json", `{"name":"a","status":"active"}`)
		f.Add(uint16(i), "", "a%2Fb", "text/plain; charset=latin1", `{"name":`)
	}
	f.Add(uint16(0), "a[b]=1&a[b][c]=2;", "%ff", "", "null")
	f.Fuzz(func(t *testing.T, n uint16, query, arg, header, body string) {
		at := targets[int(n)%len(targets)]
		r := httptest.NewRequest(http.MethodPost, "http://x.test/", strings.NewReader(body))
		r.Method, r.URL.RawQuery = at.op.Method, query
		for _, name := range []string{"Content-Type", "Accept", "Cookie", "X-Blocks-Key"} {
			r.Header.Set(name, header)
		}
		args := make([]string, len(at.path.Names))
		for i := range args {
			args[i] = arg
		}
		api := at.op.API
		known := api.NewCallers(nil)
		credentials := map[string]string{}
		for _, s := range api.Schemes() {
			credentials[s] = "a"
			if err := known.Add(s, "a", known.anonymous); err != nil {
				t.Fatal(err)
			}
		}
		known.AcceptAny(known.anonymous)
		api.Present(r, credentials)
		c := at.op.Call(r, args, at.path.Names, known, Limits{Body: 10_000}, noon)
		if c.Auth != behavior.Granted {
			t.Fatalf("%s with %v: auth %d", at.op.ID, r.Header, c.Auth)
		}
		count := map[behavior.Source]int{}
		for _, v := range c.Violations {
			count[v.Source]++
			if v.Location == "" || v.Keyword == "" || v.Message == "" || v.Source == behavior.InParameter && len(v.Path) == 0 {
				t.Errorf("%s: incomplete violation %+v", at.op.ID, v)
			}
		}
		broken := count[behavior.UndecodedBody] + count[behavior.BodySize] + count[behavior.MediaType]
		if broken > 1 || broken == 1 && (!c.Body.IsMissing() || count[behavior.InBody] > 0) {
			t.Errorf("%s with %q: body %s beside %+v", at.op.ID, body, c.Body, c.Violations)
		}
		if at.op.body == nil {
			if broken > 0 || count[behavior.InBody] > 0 || !c.Body.IsMissing() {
				t.Errorf("%s takes no body: %s, %+v", at.op.ID, c.Body, c.Violations)
			}
			return
		}
		m := at.op.body.find(r.Header["Content-Type"])
		v, err := value.ParseString(body)
		var want behavior.Source
		switch {
		case body == "" && !at.op.body.required:
			want = behavior.InParameter
		case body == "":
			want = behavior.InBody
		case len(body) > 10_000:
			want = behavior.BodySize
		case m == nil:
			want = behavior.MediaType
		case !m.json:
			want = behavior.InParameter
		case err != nil:
			want = behavior.UndecodedBody
		case m.schema != nil && !m.schema.Valid(m.schema.Normalize(v), schema.Request):
			want = behavior.InBody
		}
		for _, s := range []behavior.Source{behavior.InBody, behavior.UndecodedBody, behavior.BodySize, behavior.MediaType} {
			if (count[s] > 0) != (s == want) {
				t.Errorf("%s with %q as %q: %+v, want source %d", at.op.ID, body, header, c.Violations, want)
			}
		}
	})
}
