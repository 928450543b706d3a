package mockserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// clock is a clock that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// serve is a server of one API that comes with the project, with its fixtures,
// on a clock that stands still.
func serve(t testing.TB, name string) (*mockserver.Server, *openapi.API, *fixtures.Fixtures, *clock) {
	t.Helper()
	return serveWith(t, name, nil, nil)
}

// serveWith is serve with another config and other fixtures.
func serveWith(t testing.TB, name string, configure func(*mockserver.Config), change func(*fixtures.Fixtures)) (*mockserver.Server, *openapi.API, *fixtures.Fixtures, *clock) {
	t.Helper()
	api, err := openapi.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(fix)
	}
	known, err := fix.Known(api)
	if err != nil {
		t.Fatal(err)
	}
	at := &clock{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Clock: at.Now})
	if err != nil {
		t.Fatal(err)
	}
	config := mockserver.Config{APIs: []mockserver.Served{{API: api, World: world, Callers: known}}, Clock: at.Now}
	if configure != nil {
		configure(&config)
	}
	s, err := mockserver.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s, api, fix, at
}

// TestVectors replays every exchange that a vendor's page documents.
func TestVectors(t *testing.T) {
	for _, name := range openapi.Names() {
		t.Run(name, func(t *testing.T) {
			s, api, fix, at := serve(t, name)
			vectors, err := fixtures.Vectors(api)
			if err != nil {
				t.Fatal(err)
			}
			if len(vectors) < 20 {
				t.Errorf("only %d vectors", len(vectors))
			}
			for _, v := range vectors {
				t.Run(v.Name, func(t *testing.T) {
					at.now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
					reset := httptest.NewRequest("POST", "/__admin/reset", nil)
					s.ServeHTTP(httptest.NewRecorder(), reset)
					send := func(q fixtures.Request) *http.Response {
						at.now = at.now.Add(q.Advance)
						if q.Method == "" {
							return nil
						}
						at.now = at.now.Add(time.Millisecond)
						r, err := q.HTTP(api, fix, "http://127.0.0.1:4010")
						if err != nil {
							t.Fatalf("%v: %v", v.Pos, err)
						}
						r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1234"
						w := httptest.NewRecorder()
						s.ServeHTTP(w, r)
						return w.Result()
					}
					for _, q := range v.Before {
						if res := send(q); res != nil && res.StatusCode/100 != 2 {
							body, _ := io.ReadAll(res.Body)
							t.Fatalf("%v: before: %s %s = %d %s", v.Pos, q.Method, q.Path, res.StatusCode, body)
						}
					}
					res := send(v.Request)
					body, _ := io.ReadAll(res.Body)
					if d := v.Response.Differs(res.StatusCode, res.Header, body); d != "" {
						t.Errorf("%v: %s %s (%s): %s\nrule %s, source %s", v.Pos, v.Request.Method, v.Request.Path, v.Request.Caller, d, res.Header.Get(mockserver.RuleHeader), v.Source)
					}
				})
			}
		})
	}
}
