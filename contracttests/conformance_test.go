package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

const kiosk = `openapi: 3.1.0
info: {title: Kiosk, version: "1"}
servers: [{url: https://kiosk.test/v1}]
paths:
  /papers:
    get:
      operationId: listPapers
      responses:
        '200':
          description: all
          headers:
            X-Total: {required: true, schema: {type: integer, minimum: 0}}
            X-Next: {schema: {type: string, format: uri}}
            X-Ids: {schema: {type: array, items: {type: integer}}}
            Content-Type: {required: true, schema: {const: ignored}}
          content:
            application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Paper'}}}
        '302': {description: elsewhere}
        4XX: {$ref: '#/components/responses/Problem'}
    post:
      operationId: createPaper
      responses:
        '201':
          description: made
          content:
            application/json: {schema: {$ref: '#/components/schemas/Paper'}}
            text/*: {schema: {type: string, maxLength: 10}}
        '204': {description: nothing}
        '400': {description: anything}
        '500': {description: even this}
        '503': {description: closed on Sundays}
  /papers/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    delete:
      operationId: deletePaper
      responses:
        '204': {description: gone}
        '404': {$ref: '#/components/responses/Problem'}
    put:
      operationId: replacePaper
      responses:
        '200': {description: replaced, content: {application/json: {}}}
        '405': {description: not this one}
        default: {$ref: '#/components/responses/Problem'}
components:
  responses:
    Problem:
      description: no
      content:
        application/problem+json: {schema: {type: object, required: [title], properties: {title: {type: string}}}}
  schemas:
    Paper:
      type: object
      required: [id, name, pin]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string}
        pin: {type: string, writeOnly: true}
`

func loadKiosk(t testing.TB) *openapi.API {
	t.Helper()
	api, err := openapi.Load("kiosk", "kiosk.yaml", []byte(kiosk))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// handcrafted makes an exchange of "METHOD target", request headers or none,
// and an answer of status, headers and body as they are on the wire.
func handcrafted(t *testing.T, call, response string) *Exchange {
	t.Helper()
	head, asked, _ := strings.Cut(call, "\n")
	method, target, _ := strings.Cut(head, " ")
	x := &Exchange{Request: Request{Method: method, Target: target, Header: http.Header{}}, URL: "http://127.0.0.1:4010" + target}
	for line := range strings.SplitSeq(asked, "\n") {
		if n, v, ok := strings.Cut(line, ": "); ok {
			x.Request.Header.Add(n, v)
		}
	}
	top, body, _ := strings.Cut(response, "\n\n")
	lines := strings.Split(top, "\n")
	x.Response = &Response{Header: http.Header{}, Body: []byte(body)}
	if _, err := fmt.Sscan(lines[0], &x.Response.Status); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		n, v, _ := strings.Cut(line, ": ")
		x.Response.Header.Add(n, v)
	}
	return x
}

func operationAt(api *openapi.API, x *Exchange) *openapi.Operation {
	p, _, ok := api.Match(pathOf(x.Request.Target), nil)
	if !ok {
		return nil
	}
	if o := p.Operation(x.Request.Method); o != nil || x.Request.Method != http.MethodHead {
		return o
	}
	return p.Operation(http.MethodGet)
}

// codes are the problems in short; those that are only told in brackets.
func codes(ps []problem) string {
	var out []string
	for _, p := range ps {
		if p.severity == Observation {
			p.code = "(" + p.code + ")"
		}
		out = append(out, p.code)
	}
	return strings.Join(out, " ")
}

func TestConformance(t *testing.T) {
	const (
		js   = "\nContent-Type: application/json"
		list = "200\nX-Total: 0" + js
		prob = "\nContent-Type: application/problem+json"
	)
	api := loadKiosk(t)
	for _, tt := range []struct {
		name, call, response, want string
	}{
		// What must be accepted.
		{"an empty list", "GET /papers", list + "\n\n[]", ""},
		{"extra members, another order, extra headers", "GET /papers?x=1", list + "\nX-Else: 1\n\n" + `[{"more": 1, "name": "a", "id": 1}]`, ""},
		{"a charset, upper case, white space", "GET /papers", "200\nX-Total: 1\nContent-Type: Application/JSON; Charset=UTF-8\n\n \n[]\n", ""},
		{"an optional header that is valid", "GET /papers", list + "\nX-Next: http://a.test/2\nX-Ids: 1, 2\nX-Ids: 3\n\n[]", ""},
		{"a status of a range", "GET /papers", "418" + prob + "\n\n" + `{"title": "tea"}`, ""},
		{"a status by default", "PUT /papers/1", "409" + prob + "\n\n" + `{"title": "no", "code": 1}`, ""},
		{"a status without content, with any body", "POST /papers", "400\nContent-Type: text/html\n\n<p>", ""},
		{"a media type without a schema", "PUT /papers/1", "200" + js + "\n\n1", ""},
		{"a media type of a range", "POST /papers", "201\nContent-Type: text/csv\n\na,b", ""},
		{"a Location that is only a path", "POST /papers", "201\nLocation: /papers/1\nContent-Type: text/plain\n\nok", ""},
		{"a Location of this machine by another name", "POST /papers", "201\nLocation: http://localhost:4010/papers/1\nContent-Type: text/plain\n\nok", ""},
		{"a Location on a documented host", "POST /papers", "201\nLocation: https://kiosk.test/v1/papers/1\nContent-Type: text/plain\n\nok", ""},
		{"204", "DELETE /papers/1", "204\nContent-Length: 0", ""},
		{"HEAD of a GET, with the length of what it leaves out", "HEAD /papers", "200" + js + "\nContent-Length: 17", ""},
		{"HEAD of a GET, without any header", "HEAD /papers", "200", ""},
		{"not modified, as was asked", "GET /papers\nIf-None-Match: \"a\"", "304\nContent-Length: 17\nContent-Type: application/json", ""},
		{"a documented 503", "POST /papers", "503", ""},
		{"401 with a challenge", "GET /papers", "401\nWWW-Authenticate: Bearer realm=\"x\"" + prob + "\n\n" + `{"title": "who"}`, ""},
		{"405 to an undocumented method", "PATCH /papers", "405\nAllow: POST, GET, HEAD", ""},
		{"a documented 405 of one record", "PUT /papers/1", "405\nAllow: GET", ""},
		{"an Allow without methods", "PUT /papers/1", "405\nAllow: ", ""},
		{"501 to an unknown method", "BREW /papers", "501", ""},
		{"a path that is not documented", "GET /nothing", "404\nContent-Type: text/plain\n\nno", ""},
		{"a null that the schema does not mention", "PUT /papers/1", "200" + js + "\n\nnull", ""},
		{"a right Content-Length", "GET /papers", list + "\nContent-Length: 2\n\n[]", ""},

		// What must not.
		{"500", "GET /papers", "500\n\noops", "server-error"},
		{"500, though it is documented", "POST /papers", "500", "server-error"},
		{"502 by default only", "PUT /papers/1", "502" + prob + "\n\n" + `{"title": "gate"}`, "server-error"},
		{"500 of a path that is not documented", "GET /nothing", "500", "server-error"},
		{"501 to a documented method", "DELETE /papers/1", "501", "server-error"},
		{"an undocumented success", "DELETE /papers/1", "200\n\n", "undocumented-status"},
		{"an undocumented refusal", "POST /papers", "409\n\n", "undocumented-status"},
		{"an undocumented status of HTTP's own", "POST /papers", "413\n\n", "(undocumented-status)"},
		{"not modified, unasked", "GET /papers", "304", "undocumented-status"},
		{"HTML instead of JSON", "GET /papers", "200\nX-Total: 0\nContent-Type: text/html\n\n<p>", "content-type"},
		{"a refusal in another JSON", "GET /papers", "404" + js + "\n\n{}", "content-type"},
		{"no Content-Type, and what is wrong with the body", "GET /papers", "200\nX-Total: 0\n\n{}", "content-type response-schema"},
		{"HEAD in another media type", "HEAD /papers", "200\nContent-Type: text/html", "content-type"},
		{"an encoding that nobody asked for", "GET /papers", list + "\nContent-Encoding: gzip\n\n\x1f\x8b", "(content-type)"},
		{"without a required header", "GET /papers", "200" + js + "\n\n[]", "response-headers"},
		{"a required header with a bad value", "GET /papers", "200\nX-Total: many" + js + "\n\n[]", "response-headers"},
		{"an optional header with a bad value", "GET /papers", list + "\nX-Ids: 1,b\n\n[]", "response-headers"},
		{"a header twice that is no list", "GET /papers", "200\nX-Total: 1\nX-Total: 2" + js + "\n\n[]", "response-headers"},
		{"a wrong type", "GET /papers", list + "\n\n" + `[{"id": "1", "name": "a"}]`, "response-schema"},
		{"a missing member", "GET /papers", list + "\n\n" + `[{"id": 1}]`, "response-schema"},
		{"a null that the schema forbids", "GET /papers", list + "\n\n" + `[{"id": 1, "name": null}]`, "response-schema"},
		{"a secret that comes back", "GET /papers", list + "\n\n" + `[{"id": 1, "name": "a", "pin": "1234"}]`, "response-schema"},
		{"a body by default that is not as documented", "PUT /papers/1", "418" + prob + "\n\n{}", "response-schema"},
		{"a text that is too long", "POST /papers", "201\nContent-Type: text/plain\n\n12345678901", "response-schema"},
		{"no body where one is documented", "GET /papers", list + "\n\n", "response-schema"},
		{"an empty body that is called JSON", "POST /papers", "400" + js + "\n\n", "(malformed-answer)"},
		{"half of a body", "GET /papers", list + "\n\n[{", "malformed-answer"},
		{"JSON with more behind it", "GET /papers", list + "\n\n[] []", "malformed-answer"},
		{"JSON in Latin-1", "GET /papers", list + "\n\n[\"\xe9\"]", "malformed-answer"},
		{"JSON behind a byte order mark", "GET /papers", list + "\n\n\ufeff[]", "malformed-answer"},
		{"a name twice", "PUT /papers/1", "200" + js + "\n\n" + `{"a": 1, "a": 2}`, "(malformed-answer)"},
		{"no JSON at a path that is not documented", "GET /nothing", "404" + js + "\n\nno", "malformed-answer"},
		{"a wrong Content-Length", "GET /papers", list + "\nContent-Length: 3\n\n[]", "malformed-answer"},
		{"a status that does not exist", "GET /papers", "999", "malformed-answer"},
		{"204 with a body", "DELETE /papers/1", "204\n\n{}", "body-without-content"},
		{"204 that announces a body", "DELETE /papers/1", "204\nContent-Length: 2", "body-without-content"},
		{"204 with a media type", "DELETE /papers/1", "204" + js, "(body-without-content)"},
		{"HEAD with a body", "HEAD /papers", list + "\n\n[]", "body-without-content"},
		{"304 with a body", "GET /papers\nIf-None-Match: \"a\"", "304\n\n[]", "body-without-content"},
		{"401 without a challenge", "GET /papers", "401" + prob + "\n\n" + `{"title": "who"}`, "no-www-authenticate"},
		{"401 with an empty challenge", "GET /papers", "401\nWWW-Authenticate: " + prob + "\n\n" + `{"title": "who"}`, "no-www-authenticate"},
		{"405 without Allow", "PATCH /papers", "405", "allow-header"},
		{"405 with half of the methods", "PATCH /papers", "405\nAllow: GET", "allow-header"},
		{"405 that allows what it refuses", "PUT /papers/1", "405\nAllow: PUT", "allow-header"},
		{"405 with no list", "PATCH /papers", "405\nAllow: GET POST", "allow-header"},
		{"a Location with spaces", "POST /papers", "201\nLocation: /a b\nContent-Type: text/plain\n\nok", "bad-location"},
		{"an empty Location", "POST /papers", "201\nLocation: \nContent-Type: text/plain\n\nok", "bad-location"},
		{"a Location on another server", "POST /papers", "201\nLocation: http://evil.test/1\nContent-Type: text/plain\n\nok", "(bad-location)"},
		{"a Location on another port", "GET /papers", "302\nLocation: http://127.0.0.1:4011/", "(bad-location)"},
		{"a redirect to nowhere", "GET /papers", "302", "(bad-location)"},
		{"two causes, and none hides the other", "GET /papers", "200" + js + "\n\n{}", "response-headers response-schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := handcrafted(t, tt.call, tt.response)
			ps := (&conformance{api: api}).check(x, operationAt(api, x))
			if got := codes(ps); got != tt.want {
				t.Errorf("check(%s → %s) = %q, want %q; %+v", tt.call, tt.response, got, tt.want, ps)
			}
			for _, p := range ps {
				if !known(p.code) || p.title == "" || p.expected == "" || p.got == "" || p.pos.File == "" {
					t.Errorf("the problem %+v lacks something, or has an unknown code", p)
				}
			}
		})
	}
}

func TestConformanceOfNoAnswer(t *testing.T) {
	api := loadKiosk(t)
	for _, tt := range []struct {
		name string
		err  error
		took time.Duration
		want string
	}{
		{"nothing in time", &callError{late, "10s were over", nil}, 0, "too-slow"},
		{"a closed connection", &callError{closed, "closed", nil}, 0, "malformed-answer"},
		{"no HTTP", &callError{malformed, "what?", nil}, 0, "malformed-answer"},
		{"what we ended ourselves", &callError{cancelled, "stopped", nil}, 0, ""},
		{"what was never sent", &callError{notSent, "no", nil}, 0, ""},
		{"nobody there", &callError{unreachable, "no", nil}, time.Hour, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := &Exchange{Request: Request{Method: "GET", Target: "/papers"}, Err: tt.err, Took: tt.took}
			if got := codes((&conformance{api: api, slow: time.Second}).check(x, operationAt(api, x))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	x := handcrafted(t, "GET /papers", "200\nX-Total: 0\nContent-Type: application/json\n\n[")
	x.Response.Truncated, x.Took = true, 2*time.Second
	if got, want := codes((&conformance{api: api, slow: time.Second}).check(x, operationAt(api, x))), "too-slow (malformed-answer)"; got != want {
		t.Errorf("slow and long: got %q, want %q", got, want)
	}
	ps := (&conformance{api: api}).check(handcrafted(t, "DELETE /papers/1", "204\nContent-Length: 2"), api.Paths[1].Operation("DELETE"))
	if len(ps) != 1 || ps[0].pos.String() != "kiosk.yaml:37:9" {
		t.Errorf("got %+v, want one problem at the documented 204", ps)
	}
}

// TestMockConforms replays the documented exchanges of all APIs through the
// client and the mock. Nothing may be found but what HTTP alone answers.
func TestMockConforms(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range openapi.Names() {
		t.Run(name, func(t *testing.T) {
			api, err := openapi.Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range api.Paths {
				for _, o := range p.Operations {
					for _, r := range o.Responses() {
						if r.Err != nil {
							t.Errorf("%s %s: %v", o.ID, r.Status, r.Err)
						}
					}
				}
			}
			fix, err := fixtures.Builtin(api)
			if err != nil {
				t.Fatal(err)
			}
			callers, err := fix.Known(api)
			if err != nil {
				t.Fatal(err)
			}
			now := at
			clock := func() time.Time { return now }
			world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			s, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: api, World: world, Callers: callers}}, Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			vectors, err := fixtures.Vectors(api)
			if err != nil {
				t.Fatal(err)
			}
			c := NewClient(Target{Handler: s, API: api})
			for _, v := range vectors {
				now = at
				s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/__admin/reset", nil))
				for _, q := range append(v.Before[:len(v.Before):len(v.Before)], v.Request) {
					if now = now.Add(q.Advance); q.Method == "" {
						continue
					}
					h, err := q.HTTP(api, fix, "http://localhost")
					if err != nil {
						t.Fatal(err)
					}
					r := Request{Method: q.Method, Target: h.URL.RequestURI(), Header: h.Header}
					if h.ContentLength != 0 {
						r.Body = readAll(t, h.Body)
					}
					x := c.Send(context.Background(), r)
					for _, p := range (&conformance{api: api}).check(&x, operationAt(api, &x)) {
						if p.severity == Breach {
							t.Errorf("%s: %s %s: %v %s: %s; want %s, got %s", v.Name, r.Method, r.Target, p.pos, p.code, p.title, p.expected, p.got)
						}
					}
				}
			}
		})
	}
}
