package behavior

import (
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

// judge leaves every choice open and answers conditions as it is told.
type judge struct {
	conditions bool
	branch     int64
	asked      []*Law
}

func (j *judge) Choose(l *Law) value.Value {
	j.asked = append(j.asked, l)
	switch l.Kind {
	case Condition:
		return value.Bool(j.conditions)
	case Alternative:
		return value.Int(j.branch)
	}
	return value.Hole(&Law{Kind: l.Kind, Layout: l.Layout, Pattern: l.Pattern, Of: l.Of, Low: l.Low, High: l.High})
}

func (j *judge) count(k LawKind) int {
	n := 0
	for _, l := range j.asked {
		if l.Kind == k {
			n++
		}
	}
	return n
}

// recorder hands out what another chooser chooses, and keeps it.
type recorder struct {
	Chooser
	t     *testing.T
	kinds map[LawKind]int
}

func (r *recorder) Choose(l *Law) value.Value {
	v := r.Chooser.Choose(l)
	r.kinds[l.Kind]++
	if !l.Holds(v) {
		r.t.Errorf("law %+v does not hold for %s, which was chosen", *l, v)
	}
	return v
}

var patterns = []string{
	`agent_[a-z0-9]{12}`, `[A-Z]{2}-\d{4}`, `a|b|cd`, `x*y+z?`, `(ab){2,5}`, `[^a-z]{3}`, `\w\W\s\S\d\D`, `.{5}`, `^anchored$`, `(?i)any case`, `a{0}`, `[äöü]+`, `\x{1F600}`, `[\x00-\x08]`, `(a|(b|c)+)*d`, `\Qa.b\E`, `[[:alpha:]]{4}`, `\pL{3}`, ``, `a{3,}`, `[a-c&&]`, `(?s).+`, `\.\-\/`,
}

// TestSeededHolds: what the world chooses is what the law permits.
func TestSeededHolds(t *testing.T) {
	var parts []string
	for _, p := range patterns {
		parts = append(parts, `pattern(r'`+p+`')`)
	}
	expr := `[uuid(), now(), now("s"), now("ms"), pick([1, "a", null, [2]]), pick(body.list), between(1, 6), between(6, 1), between(-9223372036854775808, 9223372036854775807), between(3, 3), ` + strings.Join(parts, ", ") + `]`
	w := world(t, compile(t, exprSpec(t, expr)), exprRecords, nil)
	counter := uint64(0)
	r := &recorder{&seeded{seed: 3, counter: &counter, now: w.clock()}, t, map[LawKind]int{}}
	for range 200 {
		if out := w.Try(exprCall(t, w, exprBody), r); out.Status != 200 {
			t.Fatalf("got %d %s", out.Status, answered(out))
		}
	}
	if r.kinds[Pattern] != 200*len(patterns) || r.kinds[UUID] != 200 || r.kinds[Time] != 600 || r.kinds[Pick] != 400 || r.kinds[Between] != 800 {
		t.Errorf("chosen: %v", r.kinds)
	}
}

func TestBetweenReachesBothEnds(t *testing.T) {
	counter := uint64(0)
	s := &seeded{seed: 1, counter: &counter}
	seen := map[string]int{}
	for range 300 {
		seen[s.Choose(&Law{Kind: Between, Low: 1, High: 3}).Text()]++
		seen["pick "+s.Choose(&Law{Kind: Pick, Of: []value.Value{value.Int(1), value.Int(2)}}).Text()]++
	}
	if len(seen) != 5 || seen["1"] < 50 || seen["3"] < 50 {
		t.Errorf("300 times between(1, 3) and pick([1, 2]): %v", seen)
	}
}

func TestHolds(t *testing.T) {
	list := []value.Value{value.Int(1), value.String("a")}
	for _, tt := range []struct {
		name string
		law  Law
		json string
		want bool
	}{
		{"uuid", Law{Kind: UUID}, `"123e4567-e89b-42d3-a456-426614174000"`, true}, {"uuid in upper case", Law{Kind: UUID}, `"123E4567-E89B-42D3-A456-426614174000"`, true}, {"uuid without dashes", Law{Kind: UUID}, `"123e4567e89b42d3a456426614174000"`, false},
		{"uuid with something behind it", Law{Kind: UUID}, `"123e4567-e89b-42d3-a456-426614174000\n"`, false}, {"uuid that is a number", Law{Kind: UUID}, `1`, false},
		{"time", Law{Kind: Time}, `"2026-04-04T14:00:00.123Z"`, true}, {"time with zone", Law{Kind: Time}, `"2026-04-04T14:00:00+02:00"`, true}, {"words", Law{Kind: Time}, `"soon"`, false}, {"a day that is not", Law{Kind: Time}, `"2026-02-30T00:00:00Z"`, false}, {"null as time", Law{Kind: Time}, `null`, false},
		{"pattern", Law{Kind: Pattern, Pattern: "a|bc"}, `"bc"`, true}, {"a part of the text", Law{Kind: Pattern, Pattern: "a|bc"}, `"abc"`, false}, {"newline behind", Law{Kind: Pattern, Pattern: "a"}, `"a\n"`, false}, {"pattern of a number", Law{Kind: Pattern, Pattern: "1"}, `1`, false}, {"broken pattern", Law{Kind: Pattern, Pattern: "("}, `"("`, false},
		{"pick", Law{Kind: Pick, Of: list}, `1.0`, true}, {"not picked", Law{Kind: Pick, Of: list}, `"b"`, false},
		{"lowest", Law{Kind: Between, Low: 1, High: 6}, `1`, true}, {"highest", Law{Kind: Between, Low: 1, High: 6}, `6.0`, true}, {"too low", Law{Kind: Between, Low: 1, High: 6}, `0`, false}, {"too high", Law{Kind: Between, Low: 1, High: 6}, `7`, false}, {"a fraction", Law{Kind: Between, Low: 1, High: 6}, `2.5`, false}, {"a text", Law{Kind: Between, Low: 1, High: 6}, `"2"`, false},
		{"alternative", Law{Kind: Alternative, High: 1}, `1`, true}, {"no alternative", Law{Kind: Alternative, High: 1}, `2`, false}, {"unknown", Law{Kind: Unknown}, `{}`, true}, {"condition", Law{Kind: Condition}, `false`, true},
	} {
		if got := tt.law.Holds(parseJSON(t, tt.json)); got != tt.want {
			t.Errorf("%s: %+v holds for %s: got %v, want %v", tt.name, tt.law, tt.json, got, tt.want)
		}
	}
}

// lawOf is the kind of a hole, -1 for a value.
func lawOf(v value.Value) int {
	if l, ok := v.Hole().(*Law); ok {
		return int(l.Kind)
	}
	return -1
}

// TestHoles is what becomes of a choice that is left open.
func TestHoles(t *testing.T) {
	const open = int(Unknown)
	for _, tt := range []struct {
		expr string
		want string // "" for a hole
		law  int
	}{
		{"uuid()", "", int(UUID)}, {"now()", "", int(Time)}, {`pattern("a")`, "", int(Pattern)}, {"pick([1, 2])", "", int(Pick)}, {"between(1, 2)", "", int(Between)},
		{`{"a": [uuid()]}.a[0]`, "", int(UUID)}, {"[uuid()].map(x, x)[0]", "", int(UUID)}, {"first(null, uuid())", "", int(UUID)}, {"first(7, uuid())", "7", -1}, {"first(fold(uuid()), 7)", "", open},
		{`"a" + uuid()`, "", open}, {"fold(uuid())", "", open}, {"uuid().size()", "", open}, {`uuid().matches("a")`, "", open}, {"between(1, 2) + 1", "", open}, {"-between(1, 2)", "", open}, {"between(1, 2) < 3", "", open}, {"!(uuid() == 1)", "", open},
		{"uuid().a", "", open}, {"uuid()[0]", "", open}, {"has(uuid().a)", "", open}, {"uuid().map(x, x)", "", open}, {"pick(pick([[1], [2]]))", "", open}, {"between(between(1, 2), 3)", "", open},
		{"uuid() == uuid()", "", open}, {`uuid() == "a"`, "", open}, {"[uuid()].all(x, x == x)", "true", -1}, {"[uuid()].exists(x, x != x)", "", open}, {"now() == now()", "true", -1}, {"fold(uuid()) == fold(uuid())", "", open}, {`("a" + uuid()) == ("a" + uuid())`, "", open},
		{"true || uuid() == 1", "true", -1}, {"uuid() == 1 || true", "true", -1}, {"uuid() == 1 && false", "false", -1}, {"false && uuid() == 1", "false", -1}, {"uuid() == 1 && true", "", open}, {"uuid() == 1 || false", "", open},
		{"[1, 2].exists(x, x == between(1, 2))", "", open}, {"[1, 2].exists(x, x == between(1, 2) || x == 2)", "true", -1}, {"[1, 2].all(x, x == between(1, 2))", "", open}, {"[1, 2].all(x, x == between(1, 2) && x == 1)", "false", -1},
		{"size([uuid(), uuid()])", "2", -1}, {"Item.filter(i, i.name.contains(uuid()) && i.rank > 5).size()", "0", -1}, {"[uuid()] + [1] == [1]", "false", -1}, {"merge({\"a\": uuid()}, {\"b\": 1}).b", "1", -1},
	} {
		w := world(t, compile(t, exprSpec(t, tt.expr)), exprRecords, nil)
		j := &judge{}
		out := w.Try(exprCall(t, w, exprBody), j)
		got := out.Body.String()
		if lawOf(out.Body) >= 0 {
			got = ""
		}
		if out.Status != 200 || got != tt.want || lawOf(out.Body) != tt.law {
			t.Errorf("%s: got %d %s (law %d), want %s (law %d)", tt.expr, out.Status, out.Body, lawOf(out.Body), tt.want, tt.law)
		}
		if n := j.count(Condition); n != 0 {
			t.Errorf("%s: %d conditions, though nothing hangs on them", tt.expr, n)
		}
	}
}

// TestConditions: what hangs on a hole, the chooser decides.
func TestConditions(t *testing.T) {
	for _, tt := range []struct{ expr, yes, no string }{
		{"between(1, 2) == 1 ? 1 : 2", "1", "2"},
		{"[1, 2].filter(x, x == between(1, 2))", "[1,2]", "[]"},
		{"Item.filter(i, i.name == fold(uuid()) || i.rank == between(1, 2)).size()", "2", "0"},
	} {
		for _, yes := range []bool{true, false} {
			w := world(t, compile(t, exprSpec(t, tt.expr)), exprRecords, nil)
			j := &judge{conditions: yes}
			want := tt.no
			if yes {
				want = tt.yes
			}
			if out := w.Try(exprCall(t, w, exprBody), j); out.Body.String() != want || j.count(Condition) == 0 {
				t.Errorf("%s with conditions %v: got %s, %d conditions; want %s", tt.expr, yes, out.Body, j.count(Condition), want)
			}
		}
	}
	steps := []StepSpec{{Kind: Let, Target: "dice", Be: tx("between(1, 6)")}, {Kind: Refuse, When: tx("dice == 6"), Else: ref("busy", "gone")}, says(t, `"${dice}"`)}
	for _, tt := range []struct {
		judge judge
		want  int
	}{{judge{}, 200}, {judge{conditions: true}, 409}, {judge{conditions: true, branch: 1}, 404}, {judge{conditions: true, branch: 9}, 404}, {judge{conditions: true, branch: -1}, 409}} {
		w := world(t, compile(t, shop(t, steps...)), "", nil)
		if out := w.Try(call(t, w, "act", ""), &tt.judge); out.Status != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.judge, out.Status, tt.want)
		}
	}
}

// TestAlternatives: of what the documents allow, the judge may take any.
func TestAlternatives(t *testing.T) {
	var branches [][]StepSpec
	for i := range 3 {
		branches = append(branches, []StepSpec{says(t, fmt.Sprint(i))})
	}
	w := world(t, compile(t, shop(t, StepSpec{Kind: OneOf, Branches: branches})), "", nil)
	for i := range 3 {
		j := &judge{branch: int64(i)}
		if out := w.Try(call(t, w, "act", ""), j); out.Body.String() != fmt.Sprint(i) || j.count(Alternative) != 1 || j.asked[0].High != 2 {
			t.Errorf("branch %d: got %s, asked %d times", i, out.Body, j.count(Alternative))
		}
	}
}

// TestHolesInRecords: records with open members are found, changed and told
// apart within a call.
func TestHolesInRecords(t *testing.T) {
	for _, id := range []string{"${uuid()}", "item_${uuid()}"} {
		spec := shop(t,
			StepSpec{Kind: Create, Target: "Item", From: tx("body"), As: "one"},
			StepSpec{Kind: Create, Target: "Item", As: "two"},
			StepSpec{Kind: Update, Target: "one", Set: sets(t, `{"rank": 7}`)},
			StepSpec{Kind: Delete, Target: "two"},
			StepSpec{Kind: Reply, Status: 201, Body: body(t, `{"one": "${one}", "left": "${Item.map(i, i.rank)}"}`), Headers: named(t, `{"Location": "/items/${one.id}", "X-Known": "1"}`)})
		spec.Resources[0].OnCreate = named(t, `{"id": "`+id+`", "created": "${now()}", "note": "a ${uuid()}", "code": "${uuid()}", "name": "${uuid()}"}`)
		w := world(t, compile(t, spec), "", nil)
		out := w.Try(call(t, w, "act", `{"body": {"status": "new"}}`), &judge{})
		one := out.Body.Get("one")
		if out.Status != 201 || one.Get("id").Kind() != value.HoleKind || lawOf(one.Get("created")) != int(Time) || lawOf(one.Get("note")) != int(Unknown) || one.Get("status").Text() != "new" || one.Get("rank").Text() != "7" {
			t.Errorf("id %s: got %d %s %s", id, out.Status, out.Problem, out.Body)
		}
		if got := out.Body.Get("left").String(); got != "[7]" {
			t.Errorf("id %s: the ranks that are left: got %s, want [7]", id, got)
		}
		if len(out.Writes) != 4 || lawOf(out.Writes[0].After.Get("code")) != int(UUID) {
			t.Errorf("id %s: %d writes, want 4", id, len(out.Writes))
		}
		if out.Header("Location") != "" || out.Header("X-Known") != "1" {
			t.Errorf("id %s: headers %v; want the open one left out", id, out.Headers)
		}
		if kept(w, "Item") != "" {
			t.Errorf("id %s: a try is kept", id)
		}
	}
}

func TestNewTemplate(t *testing.T) {
	f, err := NewTemplate(templateOf(parseJSON(t, `{"a": "${n + 1}", "b": "${[n].map(x, x * 2)}", "c": "${uuid()}", "d": "${caller.name}"}`)), "n")
	if err != nil {
		t.Fatal(err)
	}
	if got := f(value.Int(2)).String(); got != `{"a":3,"b":[4],"c":null,"d":null}` {
		t.Errorf("got %s", got)
	}
	if _, err := NewTemplate(templateOf(parseJSON(t, `"${m}"`)), "n"); err == nil || err.Error() != `: expression `+"`m`"+`: "m" is not bound here; have caller, n, request` {
		t.Errorf("got %v", err)
	}
}
