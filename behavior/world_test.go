package behavior

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// store is a plan with the usual operations on Items.
func store(t testing.TB) *Plan {
	spec := shop(t)
	op := func(id string, steps ...StepSpec) *OperationSpec {
		o := *spec.Operations[0]
		o.ID, o.Steps = id, steps
		return &o
	}
	spec.Resources[0].OnCreate = named(t, `{"id": "${uuid()}", "created": "${now()}", "note": "${pattern(\"[a-z]{8}\")}"}`)
	item := says(t, `"${item}"`)
	spec.Operations = []*OperationSpec{
		op("create", StepSpec{Kind: Create, Target: "Item", From: tx("body")}, StepSpec{Kind: Reply, Status: 201, Body: body(t, `"${item}"`)}),
		op("read", findItem, item),
		op("update", findItem, StepSpec{Kind: Update, Target: "item", From: tx("body")}, item),
		op("delete", findItem, StepSpec{Kind: Delete, Target: "item"}, StepSpec{Kind: Reply, Status: 204}),
		op("list", StepSpec{Kind: List, Target: "Item", Sort: &SortSpec{Default: []string{"-rank"}}, Page: &PageSpec{Number: tx("query.number"), Size: tx("query.size")}}, says(t, `"${page}"`)),
		op("choose", says(t, `"${[uuid(), pattern(\"[a-z]{20}\"), between(1, 1000000), pick([1, 2, 3])]}"`)),
		// Everything that writes, then a refusal.
		op("fail", findItem, StepSpec{Kind: Create, Target: "Item", Set: sets(t, `{"name": "new"}`), As: "made"}, StepSpec{Kind: Update, Target: "item", Set: sets(t, `{"name": "changed", "rank": 99}`)}, StepSpec{Kind: Update, Target: "Item", Set: sets(t, `{"status": "archived"}`)},
			StepSpec{Kind: Create, Target: "Order", Count: tx("3")}, StepSpec{Kind: Delete, Target: "item"}, StepSpec{Kind: Clear, Target: "Item", Where: tx("rank == 1")}, StepSpec{Kind: After, Delay: 1, Steps: []StepSpec{{Kind: Clear, Target: "Item"}}},
			StepSpec{Kind: Clear, Target: "Order"}, StepSpec{Kind: Refuse, Else: ref("busy")}),
	}
	return compile(t, spec)
}

// audit checks that every index holds exactly the records that ids has, in
// their order, under the keys of their present values.
func audit(t *testing.T, w *World) {
	t.Helper()
	w.rw.RLock()
	defer w.rw.RUnlock()
	for i, table := range w.state.Load().tables {
		r := w.plan.resources[i]
		tx := &Tx{plan: w.plan, base: w.state.Load()}
		table.ids.Scan(func(id string, rec *record) bool {
			if id != rec.id || idText(rec.val.Get(r.id)) != id {
				t.Errorf("%s %q is kept as %q with the id %s", r.Name, rec.id, id, rec.val.Get(r.id))
			}
			return true
		})
		for n, ix := range table.indexes {
			found := 0
			if ix.flat != nil {
				ix.flat.Scan(func(at string, rec *record) bool {
					found++
					now, _ := table.ids.Get(rec.id)
					if tx.keys(r, n, rec); now != rec || string(tx.key) != at {
						t.Errorf("%s %s: index %d has another version, or has it in the wrong place", r.Name, rec.id, n)
					}
					return true
				})
				if found != table.ids.Len() {
					t.Errorf("%s: index %d has %d records, want %d", r.Name, n, found, table.ids.Len())
				}
				continue
			}
			ix.parts.Scan(func(key string, p *part) bool {
				if p.tree.Len() == 0 {
					t.Errorf("%s: index %d has an empty part", r.Name, n)
				}
				p.tree.Scan(func(at string, rec *record) bool {
					found++
					if now, _ := table.ids.Get(rec.id); now != rec {
						t.Errorf("%s %s: index %d has another version", r.Name, rec.id, n)
					}
					if a, b := tx.keys(r, n, rec); string(a) != key || string(b) != at {
						t.Errorf("%s %s: index %d has it in the wrong place", r.Name, rec.id, n)
					}
					return true
				})
				return true
			})
			if found != table.ids.Len() {
				t.Errorf("%s: index %d has %d records, want %d", r.Name, n, found, table.ids.Len())
			}
		}
	}
}

func TestRefusedMeansUnchanged(t *testing.T) {
	c := newClock()
	w := world(t, store(t), `{"Item": [`+alpha+`,`+beta+`,`+alien+`], "Order": [{"id": "1"}, {"id": "2"}]}`, c)
	for range 3 {
		before := everything(w)
		if out := w.Do(call(t, w, "fail", `{"path": {"id": "a"}}`)); out.Status != 409 || len(out.Writes) > 0 {
			t.Fatalf("got %d with %d writes, want 409 with none", out.Status, len(out.Writes))
		}
		audit(t, w)
		c.advance(time.Second)
		if after := everything(w); after != before {
			t.Fatalf("a refusal changed\n%s to\n%s", before, after)
		}
		audit(t, w)
		// The next time the world has tables to itself, which change in place.
		w.Do(call(t, w, "update", `{"path": {"id": "b"}, "body": {"rank": 3}}`))
		w.Do(call(t, w, "create", `{"body": {"name": "`+fmt.Sprint(c.Now().Unix())+`"}}`))
	}
}

func TestForkIsolation(t *testing.T) {
	a := world(t, store(t), items(alpha, beta), nil)
	do := func(w *World, op, json string) {
		t.Helper()
		if out := w.Do(call(t, w, op, json)); out.Status >= 300 {
			t.Fatalf("%s %s: %d %s", op, json, out.Status, answered(out))
		}
	}
	do(a, "create", `{"body": {"name": "both"}}`)
	b := a.Fork()
	shared := everything(a)
	if everything(b) != shared {
		t.Fatal("a fork begins with something else")
	}
	do(a, "update", `{"path": {"id": "a"}, "body": {"name": "only in a"}}`)
	do(a, "create", `{"body": {"name": "new in a"}}`)
	if everything(b) != shared {
		t.Errorf("a write to the origin shows in the fork:\n%s", everything(b))
	}
	inA := everything(a)
	do(b, "delete", `{"path": {"id": "a"}}`)
	do(b, "create", `{"body": {"name": "new in a"}}`) // its name is free there
	if everything(a) != inA {
		t.Errorf("a write to the fork shows in the origin:\n%s", everything(a))
	}
	c := b.Fork()
	do(c, "update", `{"path": {"id": "b"}, "body": {"rank": 7}}`)
	if strings.Contains(everything(b), `"rank":7`) || !strings.Contains(everything(c), `"rank":7`) {
		t.Error("a fork of a fork is not isolated")
	}
	for _, w := range []*World{a, b, c} {
		audit(t, w)
	}
}

func TestReset(t *testing.T) {
	c := newClock()
	a := world(t, store(t), items(alpha, beta), c)
	first := everything(a)
	create := `{"body": {"name": "n"}}`
	one := answered(a.Do(call(t, a, "create", create)))
	read := answered(a.Do(call(t, a, "choose", "")))
	b := a.Fork()
	a.Do(call(t, a, "delete", `{"path": {"id": "a"}}`))
	for name, w := range map[string]*World{"the world": a, "its fork": b} {
		w.Reset()
		if everything(w) != first {
			t.Errorf("%s after a reset:\n%s", name, everything(w))
		}
		if again := answered(w.Do(call(t, w, "create", create))); again != one {
			t.Errorf("%s answers after a reset with %s, before with %s", name, again, one)
		}
		if again := answered(w.Do(call(t, w, "choose", ""))); again != read {
			t.Errorf("%s chooses after a reset %s, before %s", name, again, read)
		}
		audit(t, w)
	}
}

// history is what a world of that seed answers to some calls.
func history(t *testing.T, p *Plan, seed uint64) []string {
	w, err := p.NewWorld(WorldConfig{Seed: seed, Clock: newClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range 10 {
		out = append(out, answered(w.Do(call(t, w, "create", fmt.Sprintf(`{"body": {"name": "n%d"}}`, i%7)))), answered(w.Do(call(t, w, "choose", ""))))
	}
	return out
}

func TestSeeds(t *testing.T) {
	p := store(t)
	a, b, c := history(t, p, 1), history(t, p, 1), history(t, p, 2)
	seen := map[string]bool{}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("call %d of the same seed: %s, then %s", i, a[i], b[i])
		}
		if !strings.Contains(a[i], "taken") && a[i] == c[i] {
			t.Errorf("call %d of two seeds: %s both times", i, a[i])
		}
		if !strings.Contains(a[i], "taken") && seen[a[i]] {
			t.Errorf("call %d: %s for the second time", i, a[i])
		}
		seen[a[i]] = true
	}
}

// TestRefusalsChooseAfresh: what a refusal chose is not chosen again.
func TestRefusalsChooseAfresh(t *testing.T) {
	spec := shop(t, StepSpec{Kind: Create, Target: "Item", From: tx("body")})
	spec.Headers = named(t, `{"X-Request-Id": "${uuid()}"}`)
	w := world(t, compile(t, spec), items(alpha), nil)
	seen := map[string]bool{}
	for i := range 6 {
		out := w.Do(call(t, w, "act", fmt.Sprintf(`{"body": {"id": "n%d", "name": "alpha", "status": "%s"}}`, i, []string{"active", "archived"}[i%2])))
		if id := out.Header("X-Request-Id"); seen[id] || id == "" {
			t.Errorf("call %d (status %d): the id %q is not fresh", i, out.Status, id)
		} else {
			seen[id] = true
		}
	}
}

// TestTry: what would be, is not kept.
func TestTry(t *testing.T) {
	w := world(t, store(t), items(alpha), nil)
	before := everything(w)
	out := w.Try(call(t, w, "create", `{"body": {"name": "n"}}`), nil)
	if out.Status != 201 || len(out.Writes) != 1 || everything(w) != before {
		t.Errorf("got %d with %d writes and\n%s\nwant 201, one write, and nothing kept", out.Status, len(out.Writes), everything(w))
	}
	if out := w.Try(call(t, w, "fail", `{"path": {"id": "a"}}`), nil); out.Status != 409 || len(out.Writes) != 0 {
		t.Errorf("a refusal: got %d with %d writes", out.Status, len(out.Writes))
	}
	audit(t, w)
}

func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// TestConcurrentUnique: of many creates of one name one succeeds, of many
// deletes of one record, too.
func TestConcurrentUnique(t *testing.T) {
	w := world(t, store(t), items(alpha), nil)
	for round := range 20 {
		var created, taken, deleted, gone atomic.Int32
		var id atomic.Value
		parallel(8, func(i int) {
			switch out := w.Do(call(t, w, "create", fmt.Sprintf(`{"body": {"name": "%s %d"}}`, []string{"Round", "ROUND"}[i%2], round))); out.Status {
			case 201:
				created.Add(1)
				id.Store(out.Body.Get("id").Text())
			case 409:
				taken.Add(1)
			}
		})
		if created.Load() != 1 || taken.Load() != 7 {
			t.Fatalf("round %d: %d created, %d refused, want 1 and 7", round, created.Load(), taken.Load())
		}
		parallel(8, func(int) {
			switch w.Do(call(t, w, "delete", `{"path": {"id": "`+id.Load().(string)+`"}}`)).Status {
			case 204:
				deleted.Add(1)
			case 404:
				gone.Add(1)
			}
		})
		if deleted.Load() != 1 || gone.Load() != 7 {
			t.Fatalf("round %d: %d deleted, %d not found, want 1 and 7", round, deleted.Load(), gone.Load())
		}
	}
	audit(t, w)
}

// TestConcurrentWorlds writes and reads in two worlds of one origin at once,
// while they are forked, tried and reset. A page must always be of one state.
func TestConcurrentWorlds(t *testing.T) {
	p := store(t)
	origin := world(t, p, items(alpha, beta), nil)
	for i := range 50 {
		origin.Do(call(t, origin, "create", fmt.Sprintf(`{"body": {"name": "n%d"}}`, i)))
	}
	start := everything(origin)
	worlds := []*World{origin.Fork(), origin.Fork()}
	parallel(8, func(i int) {
		w := worlds[i%2]
		r := rand.New(rand.NewPCG(uint64(i), 1))
		for n := range 60 {
			switch r.IntN(8) {
			case 0, 1:
				w.Do(call(t, w, "create", fmt.Sprintf(`{"body": {"name": "w%d-%d-%d", "rank": %d}}`, i, n, r.IntN(5), r.IntN(9))))
			case 2:
				w.Do(call(t, w, "update", fmt.Sprintf(`{"path": {"id": "%s"}, "body": {"rank": %d}}`, []string{"a", "b"}[r.IntN(2)], r.IntN(9))))
			case 3:
				w.Do(call(t, w, "fail", `{"path": {"id": "b"}}`))
			case 4:
				w.Try(call(t, w, "create", `{"body": {"name": "tried"}}`), nil)
			case 5:
				f := w.Fork()
				f.Do(call(t, f, "delete", `{"path": {"id": "a"}}`))
			default:
				v := w.Do(call(t, w, "list", `{"query": {"number": 1, "size": 1000}}`)).Body
				if total, _ := v.Get("total").Int(); int(total) != v.Get("items").Len() {
					t.Errorf("a page of all has %d items, total is %d", v.Get("items").Len(), total)
				}
				last := int64(1 << 40)
				for _, e := range v.Get("items").Elems() {
					if rank, _ := e.Get("rank").Int(); rank > last {
						t.Errorf("a page is out of order: %d behind %d", rank, last)
					} else {
						last = rank
					}
				}
			}
		}
	})
	if everything(origin) != start {
		t.Error("the origin has changed")
	}
	for _, w := range append(worlds, origin) {
		audit(t, w)
		if strings.Contains(everything(w), "tried") || strings.Contains(everything(w), `"archived"`) {
			t.Error("what was tried or refused is kept")
		}
	}
	parallel(4, func(i int) {
		if w := worlds[i%2]; i < 2 {
			w.Reset()
		} else {
			w.Do(call(t, w, "create", `{"body": {"name": "late"}}`))
		}
	})
	audit(t, worlds[0])
}

// TestRandomHistory compares a world with a map.
func TestRandomHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	w := world(t, store(t), "", nil)
	model := map[string]string{} // id: folded name
	ids := []string{"none"}
	free := func(name, self string) bool {
		for id, n := range model {
			if n == strings.ToLower(name) && id != self {
				return false
			}
		}
		return true
	}
	for n := range 600 {
		id := ids[r.IntN(len(ids))]
		_, there := model[id]
		name := fmt.Sprintf("%s%d", []string{"n", "N"}[r.IntN(2)], r.IntN(25))
		want := 404
		var out Outcome
		switch r.IntN(4) {
		case 0:
			if want = 409; free(name, "") {
				want = 201
			}
			if out = w.Do(call(t, w, "create", `{"body": {"name": "`+name+`"}}`)); out.Status == 201 {
				id = out.Body.Get("id").Text()
				model[id] = strings.ToLower(name)
				ids = append(ids, id)
			}
		case 1:
			if there {
				if want = 409; free(name, id) {
					want = 200
					model[id] = strings.ToLower(name)
				}
			}
			out = w.Do(call(t, w, "update", `{"path": {"id": "`+id+`"}, "body": {"name": "`+name+`"}}`))
		case 2:
			if there {
				want = 204
				delete(model, id)
			}
			out = w.Do(call(t, w, "delete", `{"path": {"id": "`+id+`"}}`))
		case 3:
			if there {
				want = 409
			}
			out = w.Do(call(t, w, "fail", `{"path": {"id": "`+id+`"}}`))
		}
		if out.Status != want {
			t.Fatalf("call %d (%s, %s): got %d %s, want %d", n, id, name, out.Status, answered(out), want)
		}
		if n%50 == 0 {
			audit(t, w)
			w = w.Fork()
		}
	}
	if got := len(w.Records("Item")); got != len(model) {
		t.Errorf("%d records, want %d", got, len(model))
	}
}

func TestRecords(t *testing.T) {
	w := world(t, store(t), items(beta, alpha, alien, draft), nil)
	if got := w.Records("Nothing"); got != nil {
		t.Errorf("records of an unknown resource: %v", got)
	}
	var ids []string
	for _, r := range w.Records("Item") {
		ids = append(ids, r.Get("id").Text())
	}
	if got := strings.Join(ids, " "); got != "b a z d" {
		t.Errorf("got %s, want b a z d: all, in order of creation", got)
	}
	if v := w.Records("Item")[0]; v.Get("secret").Text() != "x" || strings.Contains(v.String(), "secret") || !v.Get("rank").IsNumber() || v.Has("orders") {
		t.Errorf("a record is %s with the secret %s; want it hidden but there, defaults filled in, nothing computed", v, v.Get("secret"))
	}
}

func TestConcurrentReadsOfValues(t *testing.T) {
	w := world(t, store(t), items(alpha), nil)
	kept := w.Records("Item")[0]
	before := kept.String()
	parallel(2, func(i int) {
		for n := range 50 {
			if i == 0 {
				w.Do(call(t, w, "update", fmt.Sprintf(`{"path": {"id": "a"}, "body": {"tags": ["%d"]}}`, n)))
			} else if s := value.Object(kept.Members()...).Get("id").Text(); s != "a" {
				t.Errorf("got %s", s)
			}
		}
	})
	if kept.String() != before {
		t.Errorf("a record that was handed out changed to %s", kept)
	}
}
