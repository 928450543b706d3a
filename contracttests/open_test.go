package contracttests_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver/faults"
	"github.com/understudy-dev/understudy/openapi"
)

// TestWithoutReset: a server that nothing puts back is learned by listing. There is
// nothing to find, and nothing of the run is left.
func TestWithoutReset(t *testing.T) {
	for i, name := range openapi.Names() {
		if slow && i > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t, name, nil)
			c.Reset, c.Walk = nil, 100
			result, err := c.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Findings {
				t.Errorf("%s: %v", f.Severity, &f)
			}
			if n := len(result.Leftovers); n > 0 || result.Incomplete {
				t.Errorf("%d records are left, incomplete %v: %q", n, result.Incomplete, result.Notes)
			}
			t.Logf("%d requests in %v", result.Requests, result.Took)
		})
	}
}

// TestFaultsWithoutReset: what is wrong is seen there, too.
func TestFaultsWithoutReset(t *testing.T) {
	for i, row := range []struct{ fault, api string }{
		{"accepts-null", "futureagi"}, {"create-forgets-member", "futureagi"}, {"delete-does-nothing", "futureagi"},
		{"duplicate-accepted", "futureagi"}, {"list-leaks", "temujin"}, {"list-total-wrong", "futureagi"}, {"list-sort-ignored", "ayra"},
		{"lost-create", "futureagi"}, {"page-gap", "futureagi"}, {"scope-ignored", "ayra"}, {"update-loses-member", "selise-blocks"},
		{"update-not-kept", "temujin"}, {"use-after-delete", "futureagi"}, {"async-stands-still", "temujin"},
	} {
		if slow && i%5 != 0 {
			continue
		}
		t.Run(row.fault, func(t *testing.T) {
			t.Parallel()
			fault, err := faults.ByName(row.fault)
			if err != nil {
				t.Fatal(err)
			}
			c := config(t, row.api, fault.Wrap)
			c.Reset, c.Walk = nil, 50
			c.Until = func(f *contracttests.Finding) bool { return f.Severity == contracttests.Breach }
			result, err := c.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if result.Breaches() == 0 {
				t.Errorf("%s (%s) breaks nothing; notes %q", row.fault, fault.Summary, result.Notes)
			}
		})
	}
}

// TestSafe: a safe run changes and removes nothing but what it has made.
func TestSafe(t *testing.T) {
	for i, name := range openapi.Names() {
		if slow && i > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := ids(t, name)
			wrong := ""
			c := config(t, name, func(next http.Handler, _ *openapi.API) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					rec := httptest.NewRecorder()
					next.ServeHTTP(rec, r)
					changes := r.Method == http.MethodPut || r.Method == http.MethodPatch || r.Method == http.MethodDelete
					if changes && rec.Code < 300 && slices.ContainsFunc(theirs, func(id string) bool { return strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/"+id) }) {
						wrong = r.Method + " " + r.URL.Path
					}
					for name, v := range rec.Header() {
						w.Header()[name] = v
					}
					w.WriteHeader(rec.Code)
					_, _ = w.Write(rec.Body.Bytes())
				})
			})
			c.Reset, c.Walk, c.Safe = nil, 100, true
			made := map[string]bool{}
			c.Ledger = func(e contracttests.Entry) { made[e.ID] = !e.Gone }
			result, err := c.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Findings {
				t.Errorf("%s: %v", f.Severity, &f)
			}
			if wrong != "" {
				t.Errorf("%s was carried out: it is not the run's own", wrong)
			}
			for id, there := range made {
				if left := slices.ContainsFunc(result.Leftovers, func(e contracttests.Entry) bool { return e.ID == id }); there != left {
					t.Errorf("the ledger says of %s that it is there: %v; the result lists it: %v", id, there, left)
				}
			}
			if len(made) == 0 {
				t.Error("the run has made nothing")
			}
		})
	}
}

// ids are those of the records that are there at first.
func ids(t *testing.T, name string) (out []string) {
	t.Helper()
	api, err := openapi.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	for resource, records := range fix.Records {
		for _, rec := range records {
			if id := rec.Get(api.Plan.Resource(resource).ID()); !value.Equal(id, value.Null) {
				out = append(out, id.Text())
			}
		}
	}
	return out
}
