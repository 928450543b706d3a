package contracttests

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

const noteDocument = `
openapi: 3.0.3
info: {title: Notes, version: "7"}
x-resources:
  Note: {schema: '#/components/schemas/Note', on-create: {id: '${uuid()}'}}
x-failures:
  invalid: {response: 400}
  malformed: {response: 400}
paths:
  /notes:
    get:
      operationId: listNotes
      parameters:
        - {name: state, in: query, schema: {type: string, enum: [open, done]}}
        - {name: limit, in: query, schema: {type: integer, maximum: 50, default: 20}}
      responses:
        '200': {description: list, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}}
        '400': {description: wrong, content: {application/json: {example: {error: wrong}}}}
      x-behavior:
        - list: Note
          filter: {query.state: state == query.state}
          as: notes
        - reply: 200
          body: ${notes.items}
    post:
      operationId: addNote
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [text]
              properties: {text: {type: string, maxLength: 20}, tags: {type: array, items: {type: string, minLength: 2}}, state: {type: string}}
            example: {text: buy milk}
      responses:
        '201': {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        '400': {description: wrong, content: {application/json: {example: {error: wrong}}}}
        '409': {description: full, content: {application/json: {example: {error: full}}}}
      x-behavior:
        - refuse: {response: 409}
          when: Note.size() > 1
          rule: full
          basis: assumed
        - create: Note
          from: body
          as: note
        - reply: 201
          rule: added
          body: ${note}
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getNote
      responses:
        '200': {description: the note, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        '203': {description: the note as others have it, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        '400': {description: wrong, content: {application/json: {example: {error: wrong}}}}
        '404': {description: none, content: {application/json: {example: {error: none}}}}
      x-behavior:
        - find: Note
          id: path.id
          else: {response: 404}
          rule: none
          basis: assumed
        - reply: 200
          rule: found
          basis: assumed
          body: ${note}
components:
  schemas:
    Note: {type: object, properties: {id: {type: string}, text: {type: string}, state: {type: string}, tags: {type: array, items: {type: string}}}}
`

func notesAPI(t testing.TB) *openapi.API {
	t.Helper()
	api, err := openapi.Load("notes", "notes.yaml", []byte(noteDocument))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// called is a request of the notes, decoded.
func called(t testing.TB, api *openapi.API, method, target, body string) (*openapi.Operation, *behavior.Call) {
	t.Helper()
	w, err := api.Plan.NewWorld(behavior.WorldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	j := NewJudge(api, w, api.NewCallers(nil), nil)
	q := Request{Method: method, Target: target}
	if body != "" {
		q.Body, q.Header = []byte(body), map[string][]string{"Content-Type": {"application/json"}}
	}
	a, err := j.ask(&q)
	if err != nil || a.op == nil {
		t.Fatalf("%s %s: %v, no operation", method, target, err)
	}
	return a.op, a.call
}

// TestTally: each request counts for what it tries, and for nothing else.
func TestTally(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, body string
		want                       []string // what is covered by it, of the operation
	}{
		{"a filter that is valid", "GET", "/notes?state=open", "", []string{
			"query limit: left out", "query state enum: kept", "query state: sent valid",
		}},
		{"one that is not", "GET", "/notes?state=lost", "", []string{
			"query limit: left out", "query state enum: broken", "query state: sent invalid",
		}},
		{"a number that is too large, and nothing else", "GET", "/notes?limit=51", "", []string{
			"query limit maximum: broken", "query limit type: kept", "query limit: sent invalid", "query state: left out",
		}},
		{"a number that is no number", "GET", "/notes?limit=x", "", []string{
			"query limit type: broken", "query limit: sent invalid", "query state: left out",
		}},
		{"a body with what is required only", "POST", "/notes", `{"text":"a"}`, []string{
			"body required: kept", "body state: left out", "body tags: left out", "body text maxLength: kept", "body text type: kept", "body text: sent valid", "body type: kept", "body: sent valid",
		}},
		{"one that lacks it", "POST", "/notes", `{"state":"a"}`, []string{
			"body required: broken", "body state type: kept", "body state: sent valid", "body tags: left out", "body text: left out", "body type: kept", "body: sent invalid",
		}},
		{"one element that is too short makes everything around it invalid", "POST", "/notes", `{"text":"a","tags":["ab","c"]}`, []string{
			"body required: kept", "body state: left out", "body tags type: kept", "body tags.* minLength: broken", "body tags.* minLength: kept", "body tags.* type: kept",
			"body tags.*: sent invalid", "body tags.*: sent valid", "body tags: sent invalid", "body text maxLength: kept", "body text type: kept", "body text: sent valid", "body type: kept", "body: sent invalid",
		}},
		{"what is no JSON", "POST", "/notes", `{`, []string{"body: sent invalid"}},
		{"no body", "POST", "/notes", "", []string{"body: left out"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := notesAPI(t)
			tally := newTally(api)
			op, call := called(t, api, tt.method, tt.target, tt.body)
			tally.saw(op, call, call.Violations, 200)
			var c Coverage
			tally.cover(&c, nil)
			var got []string
			for _, k := range append(c.Parameters, c.Keywords...) {
				if k.Times > 0 {
					got = append(got, strings.TrimPrefix(k.Name, op.ID+" "))
				} else if k.Why == "" {
					t.Errorf("%s is not covered and has no reason", k.Name)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s %s %s covers\n%q, want\n%q", tt.method, tt.target, tt.body, got, tt.want)
			}
		})
	}
	t.Run("whoever is not let in tries nothing", func(t *testing.T) {
		api := notesAPI(t)
		tally := newTally(api)
		op, call := called(t, api, "GET", "/notes", "")
		tally.saw(op, call, nil, 401)
		var c Coverage
		tally.cover(&c, nil)
		if i := slices.IndexFunc(c.Parameters, func(c Covered) bool { return c.Times > 0 }); i >= 0 {
			t.Errorf("%s is covered", c.Parameters[i].Name)
		}
	})
}

func TestTransitions(t *testing.T) {
	api := notesAPI(t)
	tally := newTally(api)
	rule := func(op *openapi.Operation, name string) *behavior.Rule {
		i := slices.IndexFunc(op.Rules(), func(r *behavior.Rule) bool { return r.Name == name })
		if i < 0 {
			t.Fatalf("no rule %s", name)
		}
		return op.Rules()[i]
	}
	rec := value.Object(value.Member{Name: "id", Value: value.String("n1")})
	add, made := called(t, api, "POST", "/notes", `{"text":"a"}`)
	get, read := called(t, api, "GET", "/notes/n1", "")
	_, other := called(t, api, "GET", "/notes/n2", "")
	tally.decided(add, made, rule(add, "added"), []behavior.Write{{Resource: "Note", ID: "x", After: rec}})
	list := func() string {
		var c Coverage
		tally.cover(&c, nil)
		var out []string
		for _, k := range c.Transitions {
			out = append(out, k.Name+" "+k.Why)
		}
		return strings.Join(out, "|")
	}
	if got, want := list(), "addNote.added → getNote no call of it came next on the same record"; got != want {
		t.Errorf("before a read: %q, want %q", got, want)
	}
	tally.decided(get, other, rule(get, "none"), nil)
	tally.decided(get, read, rule(get, "found"), nil)
	if got, want := list(), "addNote.added → getNote.found "; got != want {
		t.Errorf("after it: %q, want %q", got, want)
	}
	tally.begin()
	tally.decided(get, read, rule(get, "none"), nil)
	if got, want := list(), "addNote.added → getNote.found "; got != want {
		t.Errorf("in another sequence: %q, want %q", got, want)
	}
}

func TestVacuous(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lists map[string]int // how many records each target shows
		want  string
	}{
		{"empty lists only", map[string]int{"/notes": 0, "/notes?state=open": 0}, "listNotes: it was seen with empty lists only"},
		{"a filter that matches nothing", map[string]int{"/notes": 3, "/notes?state=open": 0}, "listNotes query state: no record matched the filter, in any list"},
		{"one that matches everything", map[string]int{"/notes": 3, "/notes?state=open": 3}, "listNotes query state: every record matched the filter, in every list"},
		{"one that tells apart", map[string]int{"/notes": 3, "/notes?state=open": 3, "/notes?state=done": 0}, ""},
		{"a limit is no filter", map[string]int{"/notes": 3, "/notes?limit=20": 3}, ""},
		{"no list", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := notesAPI(t)
			tally := newTally(api)
			for target, n := range tt.lists {
				op, call := called(t, api, "GET", target, "")
				call.Target = target
				tally.listed(op, call, n)
			}
			var c Coverage
			tally.cover(&c, nil)
			var got []string
			for _, v := range c.Vacuous {
				got = append(got, v.Name+": "+v.Why)
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestPassed(t *testing.T) {
	one, two, good := &behavior.Rule{Refusal: true}, &behavior.Rule{Refusal: true}, &behavior.Rule{}
	got := passed([]*behavior.Rule{one, two, good}, map[*behavior.Rule]int{one: 1, two: 10, good: 100})
	if want := []int{110, 100, 11}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMerge: two halves of a run say together what the whole says.
func TestMerge(t *testing.T) {
	pos := behavior.Position{File: "a.yaml", Line: 3}
	a := &Result{
		API: "shop", Requests: 10, Took: time.Second, Began: time.Unix(5, 0), Notes: []string{"same"},
		Findings: []Finding{
			{Code: "wording", Severity: Observation, Pos: behavior.Position{Line: 1}, Times: 1},
			{Code: "x", Severity: Breach, Pos: pos, Times: 2, Confirmed: true, Steps: make([]Exchange, 3)},
		},
		Coverage: Coverage{
			Operations: []Covered{{Name: "get", Pos: pos, Times: 4}, {Name: "put", Why: elsewhere}},
			Vacuous:    []Covered{{Name: "get", Pos: pos, Times: 1, Why: "empty"}},
		},
	}
	b := &Result{
		API: "shop", Requests: 5, Took: 2 * time.Second, Began: time.Unix(4, 0), Notes: []string{"same", "other"}, Incomplete: true,
		Findings: []Finding{{Code: "x", Severity: Breach, Pos: pos, Times: 1, Confirmed: true, Steps: make([]Exchange, 1)}},
		Coverage: Coverage{Operations: []Covered{{Name: "get", Pos: pos, Why: elsewhere}, {Name: "put", Why: "no call was found"}}},
	}
	m := Merge(a, b)
	if m.Requests != 15 || m.Took != 2*time.Second || m.Began.Unix() != 4 || !m.Incomplete || len(m.Notes) != 2 {
		t.Errorf("got %d requests in %v from %v, incomplete %t, notes %q", m.Requests, m.Took, m.Began, m.Incomplete, m.Notes)
	}
	if len(m.Findings) != 2 || m.Findings[0].Code != "x" || m.Findings[0].Times != 3 || len(m.Findings[0].Steps) != 1 {
		t.Errorf("findings are %+v, want the breach first, once, with its shortest sequence", m.Findings)
	}
	if o := m.Coverage.Operations; len(o) != 2 || o[0].Times != 4 || o[0].Why != "" || o[1].Why != "no call was found" {
		t.Errorf("operations are %+v", o)
	}
	if len(m.Coverage.Vacuous) != 1 {
		t.Errorf("vacuous is %+v, want what nobody did better", m.Coverage.Vacuous)
	}
	b.Coverage.Operations[0].Times = 1
	if m := Merge(a, b); len(m.Coverage.Vacuous) != 0 {
		t.Errorf("vacuous is %+v, want nothing: the other run did better", m.Coverage.Vacuous)
	}
	if len(a.Findings) != 2 || a.Findings[1].Times != 2 || len(a.Coverage.Operations) != 2 || a.Coverage.Operations[0].Times != 4 {
		t.Error("what was given has changed")
	}
}
