package mockserver_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// serveAll is a server of all APIs that come with the project.
func serveAll(t testing.TB) *mockserver.Server {
	t.Helper()
	var config mockserver.Config
	for _, name := range openapi.Names() {
		serveWith(t, name, func(c *mockserver.Config) { config.APIs = append(config.APIs, c.APIs...) }, nil)
	}
	s, err := mockserver.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request: "METHOD target" and headers "Name: value".
func ask(t testing.TB, h http.Handler, line string, headers ...string) (*http.Response, string) {
	t.Helper()
	method, target, _ := strings.Cut(line, " ")
	var body io.Reader = http.NoBody
	if target2, text, ok := strings.Cut(target, " "); ok {
		target, body = target2, strings.NewReader(text)
	}
	r := httptest.NewRequest(method, target, body)
	r.Host = "127.0.0.1:4010"
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = v
			continue
		}
		r.Header.Add(name, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

const key = "Authorization: Bearer sk_live_abc123xyz789"

// TestWhere: how a request finds its API.
func TestWhere(t *testing.T) {
	s := serveAll(t)
	for _, tt := range []struct {
		name, line string
		headers    []string
		status     int
		rule       string
	}{
		{"at the root", "GET /v1/agents", []string{key}, 200, "listAgents.agents_listed"},
		{"below its prefix", "GET /ayra/v1/agents", []string{key}, 200, "listAgents.agents_listed"},
		{"by its host", "GET /v1/agents", []string{key, "Host: api.ayra.ai"}, 200, "listAgents.agents_listed"},
		{"by its host, with a port and in capitals", "GET /v1/agents", []string{key, "Host: API.Ayra.ai:443"}, 200, "listAgents.agents_listed"},
		{"below the base path of another server", "GET /blocksai-api/v1/agents/models", nil, 200, ""},
		{"below prefix and base path", "GET /selise-blocks/blocksai-api/v1/agents/models", nil, 200, ""},
		{"another API's path below a prefix", "GET /temujin/v1/agents", []string{key}, 404, ""},
		{"a prefix alone", "GET /ayra", nil, 404, ""},
		{"a prefix is a whole segment", "GET /ayrav1/agents", nil, 404, ""},
		{"an unknown path", "GET /nothing/here", nil, 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := ask(t, s, tt.line, tt.headers...)
			if res.StatusCode != tt.status || tt.rule != "" && res.Header.Get("X-Understudy-Rule") != tt.rule {
				t.Errorf("%s %q = %d by %q, want %d by %q; %s", tt.line, tt.headers, res.StatusCode, res.Header.Get("X-Understudy-Rule"), tt.status, tt.rule, body)
			}
			if tt.status == 404 && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: Content-Type %q, want a problem of the mock itself", tt.line, res.Header.Get("Content-Type"))
			}
		})
	}
}

// TestWhereNamedAlike: a document is often called what its first path is called.
func TestWhereNamedAlike(t *testing.T) {
	text := "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\npaths:\n"
	for _, path := range []string{"/pets", "/pets/{id}", "/pets/{id}/toys", "/{page}"} {
		text += "  " + path + ":\n"
		var parameters []string
		for _, name := range []string{"id", "page"} {
			if strings.Contains(path, "{"+name+"}") {
				parameters = append(parameters, "{name: "+name+", in: path, required: true, schema: {type: string}}")
			}
		}
		text += "    get:\n      parameters: [" + strings.Join(parameters, ", ") + "]\n      responses: {'200': {description: ok, content: {text/plain: {example: '" + path + "'}}}}\n"
	}
	api, err := openapi.Load("pets", "pets.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	known, err := new(fixtures.Fixtures).Known(api)
	if err != nil {
		t.Fatal(err)
	}
	s, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: api, World: world, Callers: known}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ target, want string }{
		{"/pets", "/pets"},
		{"/pets/1", "/pets/{id}"},
		{"/pets/1/toys", "/pets/{id}/toys"},
		{"/about", "/{page}"},
		{"/pets/pets", "/pets"},
		{"/pets/pets/1", "/pets/{id}"},
		{"/pets/pets/1/toys", "/pets/{id}/toys"},
	} {
		if res, body := ask(t, s, "GET "+tt.target); res.StatusCode != 200 || body != tt.want {
			t.Errorf("GET %s = %d %s, want that of %s", tt.target, res.StatusCode, body, tt.want)
		}
	}
	if res, body := ask(t, s, "GET /pets/1/nothing"); res.StatusCode != 404 || !strings.Contains(body, "no-such-path") {
		t.Errorf("GET /pets/1/nothing = %d %s, want a 404 of the mock itself", res.StatusCode, body)
	}
}

// TestProtocol: what HTTP implies beside the document.
func TestProtocol(t *testing.T) {
	s := serveAll(t)
	const agent = "/v1/agents/agent_abc123xyz789"
	for _, tt := range []struct {
		name, line string
		headers    []string
		status     int
		want       map[string]string // headers; "-" for none
		body       string            // a part of it; "" for no body at all
	}{
		{"HEAD where GET is", "HEAD " + agent, []string{key}, 200, map[string]string{"Content-Type": "application/json", "X-Understudy-Rule": "getAgent.agent_found"}, ""},
		{"HEAD of what is not there", "HEAD /v1/agents/nobody", []string{key}, 404, map[string]string{"Content-Type": "application/json"}, ""},
		{"HEAD where GET is not", "HEAD /agents/create", nil, 405, map[string]string{"Allow": "POST, OPTIONS"}, ""},
		{"OPTIONS needs no credentials", "OPTIONS " + agent, nil, 204, map[string]string{"Allow": "GET, HEAD, PUT, DELETE, OPTIONS"}, ""},
		{"a method that the path has not", "PATCH " + agent, []string{key}, 405, map[string]string{"Allow": "GET, HEAD, PUT, DELETE, OPTIONS", "Content-Type": "application/json"}, `"error"`},
		{"it is checked before credentials", "PATCH " + agent, nil, 405, nil, `"error"`},
		{"a method that nobody knows", "BREW " + agent, []string{key}, 405, nil, `"error"`},
		{"204 has no body and no type", "DELETE " + agent, []string{key}, 204, map[string]string{"Content-Type": "-", "Content-Length": "-"}, ""},
		{"401 says how", "GET " + agent, nil, 401, map[string]string{"Www-Authenticate": "Bearer"}, `missing_api_key`},
		{"401 in the words of the document", "GET /simulate/api/personas/", nil, 401, map[string]string{"Www-Authenticate": "ApiKey"}, `not_authenticated`},
		{"a redirect adds the slash", "GET /simulate/api/personas?page=2", nil, 301, map[string]string{"Location": "/simulate/api/personas/?page=2"}, ""},
		{"with its prefix", "GET /futureagi/simulate/api/personas", nil, 301, map[string]string{"Location": "/futureagi/simulate/api/personas/"}, ""},
		{"a redirect takes the slash away", "DELETE /api/v1/projects/", nil, 307, map[string]string{"Location": "/api/v1/projects"}, ""},
		{"never to another host", "GET //evil.example/api/v1/projects/", nil, 404, map[string]string{"Location": "-"}, "no-such-path"},
		{"no redirect where the API has none", "GET /agents/models/", nil, 404, map[string]string{"Location": "-"}, "no-such-path"},
		{"a page of another origin may read", "GET " + agent, []string{key, "Origin: http://localhost:3000"}, 404, map[string]string{"Access-Control-Allow-Origin": "http://localhost:3000", "Vary": "Origin"}, "agent_not_found"},
		{"a browser asks first", "OPTIONS " + agent, []string{"Origin: http://localhost:3000", "Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: authorization"}, 204,
			map[string]string{"Access-Control-Allow-Origin": "http://localhost:3000", "Access-Control-Allow-Methods": "GET, HEAD, PUT, DELETE, OPTIONS", "Access-Control-Allow-Headers": "authorization"}, ""},
		{"without an origin nothing is said of it", "GET " + agent, []string{key}, 404, map[string]string{"Access-Control-Allow-Origin": "-"}, "agent_not_found"},
		{"the root lists what is served", "GET /", nil, 200, map[string]string{"Content-Type": "text/plain; charset=utf-8"}, "deleteAgent"},
		{"the mock is healthy", "GET /__admin/health", nil, 200, nil, "healthy"},
		{"a method that the admin API has not", "GET /__admin/reset", nil, 405, map[string]string{"Content-Type": "application/problem+json"}, "method-not-allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := ask(t, s, tt.line, tt.headers...)
			if res.StatusCode != tt.status {
				t.Errorf("%s %q = %d, want %d; %s", tt.line, tt.headers, res.StatusCode, tt.status, body)
			}
			for name, want := range tt.want {
				got, there := res.Header.Get(name), len(res.Header[name]) > 0
				if want == "-" && there || want != "-" && got != want {
					t.Errorf("%s %q: %s is %q, want %q", tt.line, tt.headers, name, got, want)
				}
			}
			if (tt.body == "") != (body == "") || !strings.Contains(body, tt.body) {
				t.Errorf("%s %q: body %q, want %q", tt.line, tt.headers, body, tt.body)
			}
		})
	}
}

// TestHeadKeepsNothing: HEAD of a GET that changes something (there is one) must
// not.
func TestHeadKeepsNothing(t *testing.T) {
	s := serveAll(t)
	const id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	_, before := ask(t, s, "GET /agents/query/"+id)
	if res, _ := ask(t, s, "HEAD /agents/publish-agents/"+id); res.StatusCode != 200 {
		t.Fatalf("HEAD = %d, want 200", res.StatusCode)
	}
	if _, after := ask(t, s, "GET /agents/query/"+id); after != before {
		t.Errorf("HEAD changed the agent from %s to %s", before, after)
	}
}

// TestWorlds: a name in the header is a world of its own.
func TestWorlds(t *testing.T) {
	s := serveAll(t)
	const agent = "/v1/agents/agent_abc123xyz789"
	world := mockserver.WorldHeader + ": "
	steps := []struct {
		name, line string
		headers    []string
		status     int
	}{
		{"a test deletes in its world", "DELETE " + agent, []string{key, world + "one"}, 204},
		{"it is gone there", "GET " + agent, []string{key, world + "one"}, 404},
		{"not in another", "GET " + agent, []string{key, world + "two"}, 200},
		{"nor in the default one", "GET " + agent, []string{key}, 200},
		{"the default one loses it, too", "DELETE " + agent, []string{key}, 204},
		{"a new world is made of the fixtures", "GET " + agent, []string{key, world + "three"}, 200},
		{"a reset of one world", "POST /__admin/reset", []string{world + "one"}, 204},
		{"brings it back there", "GET " + agent, []string{key, world + "one"}, 200},
		{"and not in the default one", "GET " + agent, []string{key}, 404},
		{"a reset", "POST /__admin/reset", nil, 204},
		{"brings it back there, too", "GET " + agent, []string{key}, 200},
	}
	for _, tt := range steps {
		if res, body := ask(t, s, tt.line, tt.headers...); res.StatusCode != tt.status {
			t.Fatalf("%s: %s %q = %d, want %d; %s", tt.name, tt.line, tt.headers, res.StatusCode, tt.status, body)
		}
	}
}

// TestBugs: a panic of ours is answered with an id that is in the log, and the
// server goes on.
func TestBugs(t *testing.T) {
	var logged []mockserver.Entry
	s, _, _, _ := serveWith(t, "ayra", func(c *mockserver.Config) {
		c.Log = func(e mockserver.Entry) {
			logged = append(logged, e)
			if len(logged) == 1 {
				panic("the log is full")
			}
		}
	}, nil)
	w := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // the answer was on its way: the connection is cut
		s.ServeHTTP(w, httptest.NewRequest("GET", "/v1/agents", nil))
	}()
	if len(logged) != 2 || logged[1].Status != 500 || !strings.Contains(logged[1].Note, "the log is full") {
		t.Errorf("logged %+v, want a second line with the panic", logged)
	}
	if res, body := ask(t, s, "GET /v1/agents", key); res.StatusCode != 200 {
		t.Errorf("afterwards: %d %s, want 200", res.StatusCode, body)
	}
}

// TestAnswersFitTheDocument lets kin-openapi, which shares no code with what
// makes the answers, judge the answer to every documented exchange.
func TestAnswersFitTheDocument(t *testing.T) {
	for _, name := range openapi.Names() {
		t.Run(name, func(t *testing.T) {
			s, api, fix, _ := serve(t, name)
			data, err := openapi.Document(name)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := openapi3.NewLoader().LoadFromData(data)
			if err != nil {
				t.Fatal(err)
			}
			doc.Servers = nil
			router, err := gorillamux.NewRouter(doc)
			if err != nil {
				t.Fatal(err)
			}
			vectors, err := fixtures.Vectors(api)
			if err != nil {
				t.Fatal(err)
			}
			judged := 0
			for _, v := range vectors {
				for _, q := range append(v.Before, v.Request) {
					if q.Method != "" && judge(t, s, router, v, q, api, fix) {
						judged++
					}
				}
			}
			if judged < len(vectors)*3/4 {
				t.Errorf("only %d answers of %d exchanges were judged", judged, len(vectors))
			}
		})
	}
}

// judge is whether the document has something to say of the answer.
func judge(t *testing.T, s http.Handler, router routers.Router, v fixtures.Vector, q fixtures.Request, api *openapi.API, fix *fixtures.Fixtures) bool {
	t.Helper()
	r, err := q.HTTP(api, fix, "http://127.0.0.1:4010")
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI = r.URL.RequestURI()
	route, args, err := router.FindRoute(r)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err != nil || w.Code/100 == 3 || w.Code == 405 {
		return false
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: args, Route: route}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(w.Body),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if typ := w.Header().Get("Content-Type"); typ != "" && !strings.HasPrefix(typ, "application/json") {
		return false // kin decodes no subtitles
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("%v: %s %s = %d does not fit the document: %v", v.Pos, q.Method, q.Path, w.Code, err)
	}
	return true
}
