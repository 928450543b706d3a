package contracttests_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// config is a run against the mock of an API, wrapped in whatever it is given.
func config(t testing.TB, name string, wrap func(http.Handler, *openapi.API) http.Handler) contracttests.Config {
	t.Helper()
	api, err := openapi.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	c := configOf(t, api, fix, wrap)
	vectors, err := fixtures.Vectors(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		for _, q := range append(v.Before, v.Request) {
			if q.Method == "" {
				continue
			}
			header, body := q.Parts()
			request := contracttests.Request{Method: q.Method, Target: q.Path, Caller: q.Caller, Header: header}
			if body != "" {
				request.Body = []byte(body)
			}
			c.Examples = append(c.Examples, request)
		}
	}
	return c
}

// configOf is config for any document with its fixtures.
func configOf(t testing.TB, api *openapi.API, fix *fixtures.Fixtures, wrap func(http.Handler, *openapi.API) http.Handler) contracttests.Config {
	t.Helper()
	known, err := fix.Known(api)
	if err != nil {
		t.Fatal(err)
	}
	var ahead atomic.Int64 // of the server's clock
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	world := func(seed uint64) *behavior.World {
		w, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Seed: seed, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	mock, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: api, World: world(99), Callers: known}}})
	if err != nil {
		t.Fatal(err)
	}
	var server http.Handler = mock
	if wrap != nil {
		server = wrap(mock, api)
	}
	c := contracttests.Config{API: api, World: world(1), Callers: known, Seed: 1, URL: "http://mock", Credentials: map[string]map[string]string{},
		Sleep: func(_ context.Context, d time.Duration) error { ahead.Add(int64(d)); return nil }}
	for _, caller := range fix.Callers {
		c.Names = append(c.Names, caller.Name)
		c.Credentials[caller.Name] = caller.Credentials
	}
	inner := server
	server = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", clock().UTC().Format(http.TimeFormat)) // as net/http does
		inner.ServeHTTP(w, r)
	})
	client := contracttests.NewClient(contracttests.Target{Handler: server, API: api, Credentials: c.Credentials})
	c.Sender = client
	c.Reset = func(ctx context.Context) error {
		return client.Send(ctx, contracttests.Request{Method: "POST", Target: "/__admin/reset"}).Err
	}
	return c
}

// TestMockKeepsItsContract: the mock runs what the judge judges by, so there is
// nothing to find.
func TestMockKeepsItsContract(t *testing.T) {
	const seeds = uint64(1) // more take long: 25 were tried with all phases
	for i, name := range openapi.Names() {
		if slow && i != 3 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for seed := range seeds {
				c := config(t, name, nil)
				c.Seed = seed
				result, err := c.Run(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range result.Findings {
					last := f.Steps[len(f.Steps)-1]
					t.Errorf("seed %d: %v: %s %s: %s: got %s, want %s; %s\n%s", seed, f.Pos, f.Severity, f.Code, f.Title, f.Got, f.Expected, last.Curl(), last.Response.Body)
				}
				hit, all := 0, 0
				for _, r := range result.Coverage.Rules {
					all++
					if r.Times > 0 {
						hit++
					}
				}
				t.Logf("seed %d: %d requests in %v, %d of %d rules", seed, result.Requests, result.Took, hit, all)
			}
		})
	}
}
