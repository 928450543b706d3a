package mockserver_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/openapi"
)

// sink is a ResponseWriter that costs nothing, so that a benchmark measures the
// server.
type sink struct {
	header http.Header
	status int
	size   int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { s.size += len(p); return len(p), nil }

// body is a request body that can be read again and again.
type body struct {
	text string
	at   int
}

func (b *body) Read(p []byte) (int, error) {
	if b.at == len(b.text) {
		return 0, io.EOF
	}
	n := copy(p, b.text[b.at:])
	b.at += n
	return n, nil
}

func (b *body) Close() error { return nil }

// run sends one request over and over. vary, if not nil, changes it each time.
func run(b *testing.B, h http.Handler, req fixtures.Request, api *openapi.API, fix *fixtures.Fixtures, want int, vary func(i int) string) {
	r, err := req.HTTP(api, fix, "http://127.0.0.1:4010")
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1234"
	text := &body{}
	if !req.Body.IsMissing() {
		r.Body = text
	}
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		clear(w.header)
		if vary != nil {
			*text = body{text: vary(i)}
			r.ContentLength = int64(len(text.text))
		}
		h.ServeHTTP(w, r)
		if w.status != want {
			b.Fatalf("status %d, want %d", w.status, want)
		}
	}
}

// BenchmarkGet is one record, with credentials, state and rule.
func BenchmarkGet(b *testing.B) {
	for _, tt := range []struct{ api, path, caller string }{
		{"ayra", "/v1/agents/agent_abc123xyz789", "owner"},
		{"futureagi", "/simulate/api/personas/550e8400-e29b-41d4-a716-446655440000/", "owner"},
		{"selise-blocks", "/agents/query/a1b2c3d4-e5f6-7890-abcd-ef1234567890", ""},
		{"temujin", "/api/v1/projects/3fa85f64-5717-4562-b3fc-2c963f66afa6/persona-groups/b2c3d4e5-0000-0000-0000-000000000010", "owner"},
	} {
		b.Run(tt.api, func(b *testing.B) {
			s, api, fix, _ := serve(b, tt.api)
			run(b, s, fixtures.Request{Method: "GET", Path: tt.path, Caller: tt.caller}, api, fix, 200, nil)
		})
	}
}

// BenchmarkCreate is a validated POST that creates a record.
func BenchmarkCreate(b *testing.B) {
	for _, tt := range []struct {
		api, path, caller, format string
		want                      int
	}{
		{"ayra", "/v1/agents", "unlimited", `{"name":"Agent %d","voice_platform":"vapi","voice_id":"voice_1","language":"en","system_prompt":"You are helpful.","metadata":{"team":"sales"}}`, 201},
		{"futureagi", "/simulate/api/personas/", "owner", `{"name":"Persona %d","description":"A cautious customer","gender":["female"],"ageGroup":["32-40"],"tone":"formal"}`, 201},
		{"selise-blocks", "/agents/create", "", `{"name":"Agent %d","description":"Answers","project_key":"p","create_from":"scratch"}`, 200},
		{"temujin", "/api/v1/projects/3fa85f64-5717-4562-b3fc-2c963f66afa6/persona-groups", "owner", `{"name":"Group %d","age_min":25,"age_max":35,"gender":"Female","location":"Manila","income_level":"Middle","occupation":"Clerk"}`, 201},
	} {
		b.Run(tt.api, func(b *testing.B) {
			s, api, fix, _ := serveWith(b, tt.api, nil, func(f *fixtures.Fixtures) {
				f.Callers = append(f.Callers, fixtures.Caller{
					Caller:      behavior.NewCaller("unlimited", []string{"*"}, f.Callers[0].Attributes.With("agent_limit", value.Int(1<<40)), f.Callers[0].Expires),
					Credentials: map[string]string{api0(tt.api): "sk_live_unlimited"},
				})
			})
			run(b, s, fixtures.Request{Method: "POST", Path: tt.path, Caller: tt.caller, Body: value.Null}, api, fix, tt.want,
				func(i int) string { return fmt.Sprintf(tt.format, i) })
		})
	}
}

func api0(name string) string {
	api, err := openapi.Builtin(name)
	if err != nil {
		panic(err)
	}
	return api.Schemes()[0]
}

// BenchmarkList is a page of 20 out of 100,000 records.
func BenchmarkList(b *testing.B) {
	records := func(f *fixtures.Fixtures) {
		list := f.Records["Agent"]
		for i := range 100_000 {
			a := list[0].With("id", value.String(fmt.Sprintf("agent_%012d", i))).With("name", value.String(fmt.Sprint("Agent ", i)))
			list = append(list, a.Without("phone_number"))
		}
		f.Records["Agent"] = list
	}
	for _, tt := range []struct{ name, query string }{
		{"first", "per_page=20"},
		{"deep", "per_page=20&page=2500"},
		{"by-name", "per_page=20&page=40&sort_by=name&sort_order=asc"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			s, api, fix, _ := serveWith(b, "ayra", nil, records)
			run(b, s, fixtures.Request{Method: "GET", Path: "/v1/agents?" + tt.query, Caller: "owner"}, api, fix, 200, nil)
		})
	}
}

// BenchmarkNotFound is a refusal, with the id set into the example.
func BenchmarkNotFound(b *testing.B) {
	s, api, fix, _ := serve(b, "ayra")
	run(b, s, fixtures.Request{Method: "GET", Path: "/v1/agents/agent_invalid123", Caller: "owner"}, api, fix, 404, nil)
}
