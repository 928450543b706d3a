package contracttests_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// metered is a mock that enforces its rate limits.
func metered(t testing.TB, api *openapi.API) http.Handler {
	t.Helper()
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	known, err := fix.Known(api)
	if err != nil {
		t.Fatal(err)
	}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Seed: 99})
	if err != nil {
		t.Fatal(err)
	}
	world.EnforceQuotas = true
	mock, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: api, World: world, Callers: known}}})
	if err != nil {
		t.Fatal(err)
	}
	return mock
}

// inner calls the handler of a config.
type inner struct{ sender contracttests.Sender }

func (h inner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.sender.(*contracttests.Client).Handler().ServeHTTP(w, r)
}

// overWire makes a config call its server over a connection.
func overWire(t testing.TB, c *contracttests.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(inner{c.Sender})
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	client := contracttests.NewClient(contracttests.Target{URL: s.URL, API: c.API, Credentials: c.Credentials})
	t.Cleanup(client.Close)
	c.Sender = client
}

// TestComparison: a call that is refused however its body is sent, is not refused for
// how it is sent.
func TestComparison(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refuses func(r *http.Request, closed bool) bool // closed: a POST had Connection: close before
		want    bool
	}{
		{"from some time on, all are refused", func(_ *http.Request, closed bool) bool { return closed }, false},
		{"from some time on, all in chunks are refused", func(r *http.Request, closed bool) bool { return closed && len(r.TransferEncoding) > 0 }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var closed atomic.Bool
			c := config(t, "futureagi", func(h http.Handler, _ *openapi.API) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if admin := r.URL.Path == "/__admin/reset"; r.Method == http.MethodPost && !admin {
						if tt.refuses(r, closed.Load()) {
							w.WriteHeader(http.StatusBadRequest)
							return
						}
						if r.Header.Get("Connection") == "close" {
							closed.Store(true)
						}
					}
					h.ServeHTTP(w, r)
				})
			})
			c.Walk = -1
			result, err := c.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(result.Findings, func(f contracttests.Finding) bool { return f.Code == "request-framing" })
			if got := i >= 0; got != tt.want {
				t.Errorf("request-framing is found: %t, want %t", got, tt.want)
			}
			if i >= 0 && len(result.Findings[i].Control) != 1 {
				t.Errorf("%d calls for comparison, want 1", len(result.Findings[i].Control))
			}
		})
	}
}

// TestOverWire: over connections, too, the mock has no finding.
func TestOverWire(t *testing.T) {
	for _, name := range openapi.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t, name, nil)
			c.Walk = -1
			overWire(t, &c)
			result, err := c.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Findings {
				t.Errorf("%s: %v", f.Severity, &f)
			}
			t.Logf("%d requests in %v", result.Requests, result.Took)
		})
	}
}
