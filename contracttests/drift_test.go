package contracttests

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi"
)

func lockOf(date time.Time, before *Lock, findings ...Finding) *Lock {
	r := &Result{API: "shop", Seed: 3, Began: date, Findings: findings, Coverage: Coverage{Rules: []Covered{
		{Name: "get.found", Times: 2}, {Name: "get.gone", Why: "no call was found"}, {Name: "get.gone", Times: 1}, {Name: "list.all", Why: "no call was found"},
	}}}
	return NewLock("7", r, func(string) string { return "assumed" }, before, "sk_secret_1")
}

var april, may = time.Date(2026, 4, 4, 23, 0, 0, 0, time.UTC), time.Date(2026, 5, 5, 1, 0, 0, 0, time.UTC)

func TestLock(t *testing.T) {
	const want = "# How the rules of the document and the server compared; `understudy check --against-mock` writes it.\n" + `version: 1
api: "shop"
document: "7"
seed: 3
checked: "2026-04-04"
rules:
  - rule: "get.found"
    basis: assumed
    state: contradicted
    since: "2026-04-04"
    expected: "200"
    got: "404 <id> at <time> for … at <address>, 2000 \u009b"
  - rule: "get.gone"
    basis: assumed
    state: confirmed
    since: "2026-04-04"
  - rule: "list.all"
    basis: assumed
    state: not exercised
    since: "2026-04-04"
    why: "no call was found"
`
	l := lockOf(april, nil, Finding{Rule: "get.found", Expected: "200", Got: "404 agent_k3x9z1 at 2026-04-04T14:00:00.123Z for sk_secret_1 at http://127.0.0.1:4010/v1?a=b, 2000 \u009b"})
	if got := string(l.Encode()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	back, err := ParseLock("a.yaml", l.Encode())
	if err != nil || !bytes.Equal(back.Encode(), l.Encode()) {
		t.Errorf("read again it is %+v (%v)", back, err)
	}
}

// TestLockChanges: a later lock keeps the days of what is as it was, and says what is
// not.
func TestLockChanges(t *testing.T) {
	refused := Finding{Rule: "get.found", Expected: "200", Got: "404"}
	otherwise := refused
	otherwise.Got = "403"
	for _, tt := range []struct {
		name   string
		before []Finding
		now    []Finding
		since  string // of get.found
		want   string
	}{
		{"nothing has changed", []Finding{refused}, []Finding{refused}, "2026-04-04", ""},
		{"a rule is contradicted now", nil, []Finding{refused}, "2026-05-05",
			"get.found was confirmed since 2026-04-04 and is contradicted: want 200, got 404"},
		{"it is kept again", []Finding{refused}, nil, "2026-05-05", "get.found was contradicted since 2026-04-04 and is confirmed"},
		{"it is contradicted otherwise", []Finding{refused}, []Finding{otherwise}, "2026-05-05",
			"get.found is contradicted otherwise: want 200, got 403; before: want 200, got 404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := lockOf(april, nil, tt.before...)
			now := lockOf(may, before, tt.now...)
			if got := strings.Join(now.Changes(before), "|"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := now.Rules[0].Since; got != tt.since {
				t.Errorf("it is so since %s, want %s", got, tt.since)
			}
		})
	}
	a, b := lockOf(april, nil), lockOf(may, nil)
	a.Rules, b.Version = a.Rules[:2], "8"
	if got, want := strings.Join(b.Changes(a), "|"), "the document was version 7 and is 8|list.all is new, and not exercised"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := strings.Join(a.Changes(b), "|"), "the document was version 8 and is 7|list.all, which was not exercised, is gone from the document"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"another version", "version: 2\n", `a.yaml:1:10: the version of the lock is "2"; want 1`},
		{"an unknown key", "version: 1\nrule: []\n", `a.yaml:2:1: a lock: unknown key "rule"`},
		{"a day that is none", "version: 1\nrules:\n  - {rule: a, state: confirmed, since: soon}\n", `a.yaml:3:40: "soon" is no day`},
		{"a rule twice", "version: 1\nrules:\n  - {rule: a, state: confirmed}\n  - {rule: a, state: confirmed}\n", `a.yaml:4:5: the rule a is listed twice`},
	} {
		if _, err := ParseLock("a.yaml", []byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	for _, tt := range []struct{ name, text, want string }{
		{"another version", "version: 2\n", `a.yaml:1:10: the version of the baseline is "2"; want 1`},
		{"no list", "version: 1\nknown: 1\n", `a.yaml:2:8: known is the scalar "1"; want a list of findings`},
		{"a key twice", "version: 1\nknown:\n  - key: a\n  - key: a\n", `a.yaml:4:5: the key "a" is listed twice`},
	} {
		if _, err := ParseBaseline("a.yaml", []byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestBaseline(t *testing.T) {
	old := Finding{Code: "a", Operation: "get", Severity: Breach, Title: "old"}
	fresh := Finding{Code: "b", Operation: "get", Severity: Breach, Title: "\u009b\"new\""}
	b, err := ParseBaseline("a.yaml", []byte("version: 1\nknown:\n  - {key: 'a get  breach', note: ticket 7}\n  - {key: gone}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Result{API: "shop", Findings: []Finding{old, fresh}}
	gone := b.Apply(r)
	if len(gone) != 1 || gone[0].Key != "gone" || !r.Findings[0].Known || r.Findings[1].Known || r.Breaches() != 1 {
		t.Errorf("gone %v, findings %+v, %d breaches; want gone, the first known, 1", gone, r.Findings, r.Breaches())
	}
	for _, asJSON := range []bool{false, true} {
		whole, part := b.Update(r, true), b.Update(r, false)
		if len(whole.Known) != 2 || whole.Known[0].Note != "ticket 7" || len(part.Known) != 3 {
			t.Errorf("updated it is %+v, after a part of a run %+v", whole.Known, part.Known)
		}
		back, err := ParseBaseline("b", whole.Encode(asJSON))
		if err != nil || back.API != "shop" || !slices.Equal(back.Known, whole.Known) {
			t.Errorf("JSON %t: read again it is %+v (%v), want %+v", asJSON, back, err, whole)
		}
	}
	if (&Baseline{}).Update(&Result{}, true).Encode(false) == nil {
		t.Error("an empty one is nothing")
	}
}

// FuzzLock: what is read is written so that it is read as the same.
func FuzzLock(f *testing.F) {
	f.Add(lockOf(april, nil).Encode())
	f.Add([]byte("version: 1\nrules: [{rule: \"\\u0085\", state: contradicted, got: \"\\u2028\"}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLock("a.yaml", data)
		if err != nil {
			return
		}
		text := l.Encode()
		again, err := ParseLock("a.yaml", text)
		if err != nil || !bytes.Equal(again.Encode(), text) {
			t.Errorf("%q is written as %q, which is read with %v", data, text, err)
		}
	})
}

// FuzzBaseline does the same for baselines.
func FuzzBaseline(f *testing.F) {
	f.Add([]byte("version: 1\nknown:\n  - {key: 'a get  breach', note: \"\\x7f\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBaseline("a.yaml", data)
		if err != nil {
			return
		}
		for _, asJSON := range []bool{false, true} {
			again, err := ParseBaseline("a.yaml", b.Encode(asJSON))
			if err != nil || again.API != strings.ToValidUTF8(b.API, "\uFFFD") || len(again.Known) != len(b.Known) {
				t.Errorf("%q is written as %q, which is read as %+v (%v)", data, b.Encode(asJSON), again, err)
			}
		}
	})
}

// TestPins: a document that is changed as a pin says has no observation any more.
func TestPins(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(status int, body string) (int, string) // what the server makes of an answer
		pinned bool
		not    string
	}{
		{"another status for what is not found", func(s int, b string) (int, string) {
			if s == 404 {
				return 410, `{"error":"none of that name"}`
			}
			return s, b
		}, true, ""},
		{"a refusal in other words and another form", func(s int, b string) (int, string) {
			if s == 404 {
				return 404, `{"code":7,"at":"2026-04-04T14:00:00Z","note":"costs ${x}"}`
			}
			return s, b
		}, true, ""},
		{"a refusal by another status", func(s int, b string) (int, string) {
			if s == 409 {
				return 400, `{"error":"wrong"}`
			}
			return s, b
		}, true, ""},
		{"another status for what is there", func(s int, b string) (int, string) {
			if s == 200 && strings.HasPrefix(b, "{") {
				return 203, b
			}
			return s, b
		}, true, ""},
		{"a refusal under conditions that nobody knows", func(s int, b string) (int, string) {
			if s == 200 && strings.HasPrefix(b, "{") {
				return 400, `{"error":"wrong"}`
			}
			return s, b
		}, false, "under which condition"},
		{"no JSON", func(s int, b string) (int, string) {
			if s == 404 {
				return 404, "nothing here"
			}
			return s, b
		}, false, "is no JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := openapi.Source{Name: "notes", File: "notes.yaml", Data: []byte(noteDocument)}
			run := func(src openapi.Source) (*openapi.API, *Result) {
				model, err := openapi.LoadSource(src)
				if err != nil {
					t.Fatalf("%v\n%s", err, src.Overlays)
				}
				return model, runNotes(t, model, tt.answer)
			}
			api, r := run(src)
			pins, err := Pins(src, api, r)
			if err != nil || len(pins) == 0 {
				t.Fatalf("no pins (%v) for %v", err, keys(r))
			}
			if !strings.Contains(pins[0].Not, tt.not) || tt.not != "" && pins[0].Not == "" || pins[0].Expressed() != tt.pinned {
				t.Fatalf("expressed %t, not %q; want %t, %q", pins[0].Expressed(), pins[0].Not, tt.pinned, tt.not)
			}
			text := Overlay("Seen", pins)
			if (text != nil) != tt.pinned {
				t.Fatalf("the overlay is %q", text)
			}
			if !tt.pinned {
				return
			}
			src.Overlays = append(src.Overlays, openapi.Source{File: "seen.yaml", Data: text})
			if _, again := run(src); len(again.Findings) > 0 {
				t.Errorf("pinned, it finds %v, before %v, with\n%s", keys(again), keys(r), text)
			}
		})
	}
}

func keys(r *Result) (out []string) {
	for i := range r.Findings {
		f := &r.Findings[i]
		out = append(out, f.Key()+": got "+f.Got+", want "+f.Expected)
	}
	return out
}

// runNotes checks a server of the notes that answers as answer says.
func runNotes(t *testing.T, api *openapi.API, answer func(int, string) (int, string)) *Result {
	t.Helper()
	server, err := openapi.Load("notes", "notes.yaml", []byte(noteDocument))
	if err != nil {
		t.Fatal(err)
	}
	fresh := func(api *openapi.API, seed uint64) *behavior.World {
		w, err := api.Plan.NewWorld(behavior.WorldConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	world := fresh(server, 9)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveNotes(w, r, server, world, answer) })
	client := NewClient(Target{Handler: handler, API: api})
	c := Config{
		API: api, World: fresh(api, 1), Callers: api.NewCallers(nil), Sender: client, Seed: 1, Walk: -1, Only: []string{"getNote", "addNote.full"},
		Examples: []Request{
			{Method: "GET", Target: "/notes/n1"}, {Method: "GET", Target: "/notes"},
			{Method: "POST", Target: "/notes", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"text":"buy milk"}`)},
		},
		Reset: func(context.Context) error { world.Reset(); return nil },
	}
	r, err := c.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Rule == "" })
	return r
}

func serveNotes(w http.ResponseWriter, r *http.Request, api *openapi.API, world *behavior.World, answer func(int, string) (int, string)) {
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	path, args, ok := api.Match(r.URL.EscapedPath(), nil)
	var op *openapi.Operation
	if ok {
		op = path.Operation(r.Method)
	}
	if op == nil {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	out := world.Do(op.Call(r, args, path.Names, api.NewCallers(nil), openapi.Limits{}, time.Now()))
	status, body := answer(out.Status, out.Body.String())
	w.Header().Set("Content-Type", "application/json")
	if !json.Valid([]byte(body)) {
		w.Header().Set("Content-Type", "text/plain")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
