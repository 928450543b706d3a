package contracttests_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/mockserver/faults"
	"github.com/understudy-dev/understudy/openapi"
)

// overlapping runs the phase of calls at the same time, and says which scenarios were
// played: by operation and name.
func overlapping(t testing.TB, rounds int, c contracttests.Config) (*contracttests.Result, []string) {
	t.Helper()
	var played []string
	result, err := c.OnlyOverlap(rounds, func(line string) {
		words := strings.SplitN(line, " ", 4)
		if p := words[0] + " " + words[1]; !slices.Contains(played, p) {
			played = append(played, p)
		}
	}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(played)
	return result, played
}

// TestOverlapOfMock: the mock answers calls at the same time as if one came after the
// other, and all that may get in each other's way is tried.
func TestOverlapOfMock(t *testing.T) {
	want := map[string][]string{
		"ayra": {"createAgent equal", "createAgent last", "deleteAgent equal", "updateAgent gone", "updateAgent parts", "updateAgent value"},
		"futureagi": {"createPersona equal", "deletePersona equal", "duplicatePersona equal", "duplicatePersona orphan", "updatePersona gone",
			"updatePersona parts", "updatePersona value"},
		"selise-blocks": {"changeAgentStatus gone", "changeAgentStatus parts", "deleteAgent equal", "updateAgentAiConfigurations gone", "updateAgentPersona gone",
			"updateAgentPersona parts", "updateAgentWidget gone"},
		"temujin": {"createPersonaGroup orphan", "deletePersona equal", "deletePersonaGroup equal", "deleteProject equal", "updatePersonaGroup gone",
			"updatePersonaGroup parts", "updateProject gone", "updateProject parts"},
	}
	for _, name := range openapi.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, played := overlapping(t, 1, config(t, name, nil))
			for _, f := range result.Findings {
				t.Errorf("got %v, want nothing", &f)
			}
			if !slices.Equal(played, want[name]) {
				t.Errorf("got\n%q, want\n%q", played, want[name])
			}
		})
	}
}

func TestOverlapFindsRaces(t *testing.T) {
	for _, tt := range []struct{ fault, api, rule, got, want string }{
		{"race-double-create", "ayra", "createAgent.agent_name_exists", "201, 201", "201, 409"},
		{"race-double-create", "futureagi", "duplicatePersona.name_taken", "201, 201", "201, 400"},
		{"race-double-delete", "futureagi", "deletePersona.persona_not_found", "204, 204", "204, 404"},
		{"race-double-delete", "temujin", "deleteProject.project_not_found", "204, 204", "204, 404"},
		{"race-lost-update", "temujin", "updateProject.updated", "200, 200", "200, 200"},
		{"race-lost-update", "futureagi", "updatePersona.persona_updated", "200, 200", "200, 200"},
	} {
		for _, reset := range []bool{true, false} {
			t.Run(tt.fault+" "+tt.api, func(t *testing.T) {
				t.Parallel()
				fault, err := faults.ByName(tt.fault)
				if err != nil {
					t.Fatal(err)
				}
				c := config(t, tt.api, fault.Wrap)
				if !reset {
					c.Reset = nil
				}
				c.Only = []string{tt.rule[:strings.Index(tt.rule, ".")]}
				result, _ := overlapping(t, 3, c)
				found := false
				for _, f := range result.Findings {
					if f.Code != "race" || f.Severity != contracttests.Breach || !f.Confirmed || f.Unstable || len(f.Steps) < 2 || f.Pos.Line == 0 || !bytes.Contains(f.Drawing, []byte("<html")) {
						t.Errorf("reset %t: got %v, confirmed %t, unstable %t, %d bytes drawn; want a race that was seen twice, with its drawing", reset, &f, f.Confirmed, f.Unstable, len(f.Drawing))
					}
					found = found || f.Rule == tt.rule && strings.Contains(f.Got, tt.got[:3]) && strings.Contains(f.Expected, tt.want)
				}
				if !found {
					t.Errorf("reset %t: got %d findings, want one for %s with %s, not %s", reset, len(result.Findings), tt.rule, tt.want, tt.got)
					for _, f := range result.Findings {
						t.Log(&f)
					}
				}
			})
		}
	}
}

// TestOverlapIsAboutTime: what is wrong when calls come one after the other, is no race.
func TestOverlapIsAboutTime(t *testing.T) {
	for _, tt := range []struct {
		fault, api, only string
		reset            bool
	}{
		{"delete-twice-succeeds", "temujin", "deleteProject", true},
		{"delete-does-nothing", "futureagi", "deletePersona", false},
		{"duplicate-accepted", "futureagi", "createPersona", true},
		{"update-not-kept", "temujin", "updateProject", false},
		{"update-loses-member", "futureagi", "updatePersona", true},
		{"list-loses-one", "futureagi", "deletePersona", false},
		{"create-forgets-member", "temujin", "createPersonaGroup", true},
		{"timestamps-do-not-move", "temujin", "updateProject", false},
		{"server-error", "ayra", "updateAgent", true},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			fault, err := faults.ByName(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			c := config(t, tt.api, fault.Wrap)
			c.Only = []string{tt.only}
			if !tt.reset {
				c.Reset = nil
			}
			result, _ := overlapping(t, 1, c)
			for _, f := range result.Findings {
				if f.Code == "race" {
					t.Errorf("got %v, want no race", &f)
				}
			}
		})
	}
}

// TestOverlapOnce: a race that is seen once and not again is no confirmed one.
func TestOverlapOnce(t *testing.T) {
	fault, err := faults.ByName("race-double-delete")
	if err != nil {
		t.Fatal(err)
	}
	c := config(t, "futureagi", func(mock http.Handler, api *openapi.API) http.Handler {
		faulty := fault.Wrap(mock, api)
		var deletions atomic.Int32
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete && deletions.Add(1) <= 2 {
				faulty.ServeHTTP(w, r)
				return
			}
			mock.ServeHTTP(w, r)
		})
	})
	c.Only = []string{"deletePersona"}
	result, _ := overlapping(t, 1, c)
	if len(result.Findings) != 1 || result.Findings[0].Confirmed || !result.Findings[0].Unstable {
		t.Errorf("got %d findings, want one that is unstable", len(result.Findings))
	}
	for _, f := range result.Findings {
		t.Logf("confirmed %t, unstable %t: %v", f.Confirmed, f.Unstable, &f)
	}
}

// TestOverlapTouchesItsOwn: where nothing puts the server back, calls at the same time
// change nothing but what the run has made.
func TestOverlapTouchesItsOwn(t *testing.T) {
	for i, name := range openapi.Names() {
		if testing.Short() && i%2 == 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			there := map[string]bool{}
			c := config(t, name, func(mock http.Handler, api *openapi.API) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if path, args, ok := api.Match(r.URL.EscapedPath(), nil); ok && r.Method != http.MethodGet && path.Operation(r.Method) != nil {
						mu.Lock()
						for _, a := range args {
							if there[a] {
								t.Errorf("%s %s is about a record that was there before", r.Method, r.URL)
							}
						}
						mu.Unlock()
					}
					mock.ServeHTTP(w, r)
				})
			})
			for _, resource := range c.API.Plan.Resources() {
				for _, rec := range c.World.Records(resource) {
					there[rec.Get(c.API.Plan.Resource(resource).ID()).Text()] = true
				}
			}
			c.Reset, c.Safe = nil, name == "ayra" || name == "temujin"
			result, played := overlapping(t, 1, c)
			if len(played) < 3 || len(result.Leftovers) > 0 || len(result.Findings) > 0 {
				t.Errorf("got %q, %v, and left %v; want three scenarios, nothing found, and nothing left", played, result.Findings, result.Leftovers)
			}
		})
	}
}

// TestOverlapIsChosenBySeed: equal seeds make equal calls at the same time.
func TestOverlapIsChosenBySeed(t *testing.T) {
	calls := func(seed uint64) (lines []string) {
		c := config(t, "ayra", nil)
		c.Seed = seed
		_, err := c.OnlyOverlap(1, func(line string) { lines = append(lines, line[:strings.Index(line, " → ")]) }).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	a, b, other := calls(1), calls(1), calls(2)
	if !slices.Equal(a, b) || slices.Equal(a, other) {
		t.Errorf("got %q\nand then %q\nwith another seed %q; want twice the same, and something else", a, b, other)
	}
}
