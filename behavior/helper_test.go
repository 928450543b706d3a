package behavior

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

func parseJSON(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// tx makes a Text without a place.
func tx(s string) *Text { return &Text{S: s} }

// tm makes a template of JSON.
func tm(t testing.TB, json string) TemplateSpec {
	t.Helper()
	return templateOf(parseJSON(t, json))
}

func templateOf(v value.Value) TemplateSpec {
	switch {
	case v.IsObject():
		out := TemplateSpec{Members: []NamedTemplate{}}
		for _, m := range v.Members() {
			out.Members = append(out.Members, NamedTemplate{Name: m.Name, TemplateSpec: templateOf(m.Value)})
		}
		return out
	case v.IsArray():
		var out TemplateSpec
		for _, e := range v.Elems() {
			out.Elems = append(out.Elems, templateOf(e))
		}
		return out
	}
	return TemplateSpec{Scalar: v}
}

// body is a reply's body.
func body(t testing.TB, json string) *TemplateSpec {
	s := tm(t, json)
	return &s
}

// named are templates by name.
func named(t testing.TB, json string) []NamedTemplate { return tm(t, json).Members }

// sets are templates by dotted path.
func sets(t testing.TB, json string) []SetSpec {
	var out []SetSpec
	for _, m := range named(t, json) {
		out = append(out, SetSpec{Path: strings.Split(m.Name, "."), TemplateSpec: m.TemplateSpec})
	}
	return out
}

// ref names a failure of the root.
func ref(names ...string) []FailureSpec {
	var out []FailureSpec
	for _, n := range names {
		out = append(out, FailureSpec{Ref: n})
	}
	return out
}

// responses are those that every operation of the tests documents.
func responses() []ResponseSpec {
	var out []ResponseSpec
	for _, s := range []string{"200", "201", "400", "401", "403", "404", "409", "422", "429"} {
		example := value.Object(value.Member{Name: "example", Value: value.String(s)})
		out = append(out, ResponseSpec{Status: s, Media: []MediaSpec{{Type: "application/json", Examples: []ExampleSpec{{Name: "one", Value: example}}}}})
	}
	return append(out, ResponseSpec{Status: "204"})
}

// failure is a failure of the root whose body says its name.
func failure(t testing.TB, name string, status int) FailureSpec {
	return FailureSpec{Name: name, Status: status, Body: body(t, `{"code": "`+name+`"}`)}
}

func failures(t testing.TB) []FailureSpec {
	return []FailureSpec{failure(t, "gone", 404), failure(t, "taken", 409), failure(t, "busy", 409), failure(t, "invalid", 422), failure(t, "rate_limited", 429)}
}

// operation is one whose body may hold these members.
func operation(id string, members []string, steps ...StepSpec) *OperationSpec {
	o := &OperationSpec{ID: id, Method: "POST", Path: "/" + id, Responses: responses(), Steps: steps, Parameters: map[string][]string{"path": {"id"}, "query": {"q", "status", "number", "size", "offset", "sort", "order"}}}
	if members != nil {
		o.Body = &BodySpec{}
		for _, m := range members {
			o.Body.Members = append(o.Body.Members, BodyMember{Name: m, Keep: m})
		}
	}
	return o
}

func compile(t testing.TB, spec *Spec) *Plan {
	t.Helper()
	p, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Plan) op(id string) *Operation {
	for _, o := range p.operations {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// clock is a clock that stands still until it is told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 4, 4, 14, 0, 0, 123456789, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// world makes a world of records given as JSON: an object of lists.
func world(t testing.TB, p *Plan, records string, c *clock) *World {
	t.Helper()
	config := WorldConfig{Seed: 7, Records: map[string][]value.Value{}}
	if c == nil {
		c = newClock()
	}
	config.Clock = c.Now
	if records != "" {
		for _, m := range parseJSON(t, records).Members() {
			config.Records[m.Name] = m.Value.Elems()
		}
	}
	w, err := p.NewWorld(config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// call makes a call of an operation. The JSON may have path, query, header,
// cookie and body.
func call(t testing.TB, w *World, id, json string) *Call {
	t.Helper()
	c := &Call{Op: w.plan.op(id), Method: "POST", Origin: "http://x.test", Target: "/" + id, Remote: "10.0.0.1", Caller: owner}
	if c.Op == nil {
		t.Fatalf("there is no operation %s", id)
	}
	if json == "" {
		json = "{}"
	}
	v := parseJSON(t, json)
	c.Path, c.Query, c.Header, c.Cookie, c.Body = v.Get("path"), v.Get("query"), v.Get("header"), v.Get("cookie"), v.Get("body")
	return c
}

var (
	owner = NewCaller("owner", []string{"read"}, value.Object(value.Member{Name: "space", Value: value.String("w1")}), time.Time{})
	other = NewCaller("other", []string{"*"}, value.Object(value.Member{Name: "space", Value: value.String("w2")}), time.Time{})
)

// kept are the records of a resource as JSON, with hidden members.
func kept(w *World, resource string) string {
	var b strings.Builder
	for _, r := range w.Records(resource) {
		b.WriteString(value.Object(r.Members()...).String())
		b.WriteByte('\n')
	}
	return b.String()
}

func everything(w *World) string {
	var b strings.Builder
	for _, r := range w.plan.Resources() {
		b.WriteString(r + ":\n" + kept(w, r))
	}
	return b.String()
}

func answered(o Outcome) string {
	var b strings.Builder
	for _, h := range o.Headers {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	rule := o.Problem
	if o.Rule != nil {
		rule = o.Rule.ID
	}
	return strings.Join([]string{rule, o.Body.String(), b.String()}, " | ")
}
