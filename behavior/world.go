package behavior

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/btree"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A World is everything that a server remembers: records, what goes on later,
// the counters of its quotas, and with them a clock and a seed.
//
// Worlds are copy-on-write: what two of them share never changes, and
// [World.Fork] copies nothing. What a world has to itself it changes in place, as
// long as nobody is reading; a write never waits for a reader, it copies then. A
// refusal leaves no trace.
//
// A World is safe for concurrent use.
type World struct {
	plan   *Plan
	seed   uint64
	clock  func() time.Time
	first  *state // what Reset goes back to
	quotas quotas
	// EnforceQuotas refuses calls beyond a quota. Without it they are only
	// counted. Set it before the world is used.
	EnforceQuotas bool

	held  bool         // what goes on later waits for Advance
	mu    sync.Mutex   // held by writers
	rw    sync.RWMutex // held by readers, and by a writer that changes in place
	epoch uint64       // what has it is this world's alone; guarded by mu
	state atomic.Pointer[state]
	reads atomic.Uint64 // the counter of choices that reads make
}

// state is what a world holds at one time. State, tables and trees belong to the
// epoch that made them; for all other epochs they are immutable.
type state struct {
	tx      uint64
	tables  []*table
	counter uint64 // of the choices made so far
	tasks   []*task
}

// table holds the records of one resource.
type table struct {
	tx      uint64
	ids     *btree.Map[string, *record]
	indexes []*indexTree
	gone    *btree.Map[string, *record] // softly deleted
	seq     uint64
}

type indexTree struct {
	tx    uint64
	parts *btree.Map[string, *part]   // of an index by members
	flat  *btree.Map[string, *record] // of a unique one: nearly every part would be of one record
}

type part struct {
	tx   uint64
	tree *btree.Map[string, *record]
}

// record is one record. It never changes.
type record struct {
	id  string
	seq uint64
	val value.Value
}

// task is a round of steps that runs later.
type task struct {
	due    time.Time
	delay  time.Duration
	after  *afterStep
	round  int64 // from 1 …
	rounds int64 // … to this
	call   *Call
	slots  []value.Value
}

// degree of the trees: a write copies a path of nodes, so they are small.
const degree = 12

func newTree[V any]() *btree.Map[string, V] { return btree.NewMap[string, V](degree) }

// fork is a tree that can be written to without changing t, which is not even
// marked, so that several worlds can fork it at once.
func fork[V any](t *btree.Map[string, V]) *btree.Map[string, V] {
	shallow := *t
	return shallow.Copy()
}

// WorldConfig is what a world begins with. The zero value is an empty world on
// the system's clock.
type WorldConfig struct {
	// Records by name of the resource, in order of creation. Each is complete
	// but for the resource's defaults.
	Records map[string][]value.Value

	// Seed of all choices. Equal seeds and equal calls have equal answers.
	Seed uint64

	// Clock tells the time. nil means time.Now.
	Clock func() time.Time
}

// A RecordError says which record a world cannot begin with, and why.
type RecordError struct {
	Resource string
	Index    int // from 0, in [WorldConfig.Records]
	Problem  string
}

// Error reads like `Agent: "b" has the same fold(name) as "a", which is to be unique`.
func (e *RecordError) Error() string { return e.Resource + ": " + e.Problem }

// NewWorld makes a world of these records. A record without an id, with the id
// of another or with a value that is to be unique is a [RecordError].
func (p *Plan) NewWorld(c WorldConfig) (*World, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	s := &state{}
	for _, r := range p.resources {
		t := &table{ids: newTree[*record](), gone: newTree[*record]()}
		for _, ix := range r.indexes {
			if ix.by != nil {
				t.indexes = append(t.indexes, &indexTree{flat: newTree[*record]()})
				continue
			}
			t.indexes = append(t.indexes, &indexTree{parts: newTree[*part]()})
		}
		s.tables = append(s.tables, t)
	}
	w := &World{plan: p, seed: c.Seed, clock: c.Clock}
	tx := &Tx{plan: p, base: s, id: nextTx()}
	f := &frame{plan: p, tx: tx, call: &Call{}, fuel: 1 << 40, slots: make([]value.Value, p.slots)}
	f.choose = &seeded{seed: c.Seed, counter: &tx.counter, now: c.Clock()}
	for _, r := range p.resources {
		for i, v := range c.Records[r.Name] {
			for _, d := range r.defaults {
				if v.Get(d.name).IsMissing() {
					v = v.With(d.name, orNull(d.x(f)))
				}
			}
			id := v.Get(r.id)
			if id.IsNull() {
				return nil, &RecordError{r.Name, i, "a record has no " + r.id}
			}
			if _, ok := tx.table(r).ids.Get(textOf(id)); ok {
				return nil, &RecordError{r.Name, i, fmt.Sprintf("the %s %v occurs twice", r.id, id)}
			}
			rec := tx.insert(r, r.arrange(v))
			for u := range r.unique {
				if other := tx.twin(r, u, rec); other != nil {
					return nil, &RecordError{r.Name, i, fmt.Sprintf("%v has the same %s as %v, which is to be unique", id, r.spec.Unique[u].By.S, other.val.Get(r.id))}
				}
			}
		}
	}
	for name := range c.Records {
		if p.resource(name) == nil {
			return nil, fmt.Errorf("there is no resource %q; have %s", name, p.resourceNames())
		}
	}
	w.first = tx.commit()
	w.epoch = nextTx()
	w.state.Store(w.first)
	return w, nil
}

// twin is another record with the same value of a unique entry, in the same
// scope; nil if there is none.
func (tx *Tx) twin(r *Resource, u int, rec *record) (other *record) {
	number := r.unique[u]
	by := tx.computed(&r.indexes[number], rec.val)
	if absent(by) || !tx.among(r, u, rec) {
		return nil
	}
	inIndex, _ := tx.keys(r, number, rec)
	tx.table(r).indexes[number].under(string(inIndex), func(o *record) bool {
		if o != rec && tx.among(r, u, o) {
			other = o
		}
		return other == nil
	})
	return other
}

// among is whether a unique entry compares the record. What hangs on a caller is
// not known here, so such an entry compares none.
func (tx *Tx) among(r *Resource, u int, rec *record) bool {
	if r.spec.Unique[u].Among == nil {
		return true
	}
	x := r.among[u]
	if x == nil {
		return false
	}
	f := frame{slots: make([]value.Value, r.amongSlots), fuel: fuel, call: &Call{}, choose: nobody{}}
	f.slots[0] = rec.val
	return x(&f).True()
}

// absent is whether a unique value is open, or a list with something open in it:
// then it clashes with nothing.
func absent(by value.Value) bool {
	return open(by) || slices.ContainsFunc(by.Elems(), open)
}

// Fork is a world of its own that begins in the state w has now.
func (w *World) Fork() *World {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch = nextTx()
	c := &World{plan: w.plan, seed: w.seed, clock: w.clock, first: w.first, held: w.held, EnforceQuotas: w.EnforceQuotas, epoch: nextTx()}
	c.state.Store(w.state.Load())
	return c
}

// Reset goes back to the state that the world (or the one it was forked from)
// was made with.
func (w *World) Reset() {
	w.mu.Lock()
	w.epoch = nextTx()
	w.state.Store(w.first)
	w.reads.Store(0)
	w.mu.Unlock()
	w.quotas.reset()
}

// Records are the records of a resource in order of creation, as they are kept,
// with hidden members. There are none of an unknown resource.
func (w *World) Records(resource string) []value.Value {
	r := w.plan.resource(resource)
	if r == nil {
		return nil
	}
	w.settle(w.clock())
	w.rw.RLock()
	defer w.rw.RUnlock()
	var list []*record
	w.state.Load().tables[r.number].ids.Scan(func(_ string, rec *record) bool { list = append(list, rec); return true })
	slices.SortFunc(list, func(a, b *record) int { return int(int64(a.seq - b.seq)) })
	out := make([]value.Value, len(list))
	for i, rec := range list {
		out[i] = rec.val
	}
	return out
}

// Do is one call: what was due by now happens, the plan decides, and what it
// writes is kept.
func (w *World) Do(call *Call) Outcome {
	now := w.clock()
	w.settle(now)
	f := frames.Get().(*frame)
	f.reset(w.plan, call)
	f.tx.quotas, f.tx.enforce = &w.quotas, w.EnforceQuotas
	if call.Op == nil || !call.Op.writes {
		return w.read(f, now)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	exclusive, keep := w.begin(f, now), false
	defer func() { w.end(f, exclusive, keep) }()
	out := f.step()
	keep = !out.Refused
	return out
}

// read is a call that writes nothing.
func (w *World) read(f *frame, now time.Time) Outcome {
	w.rw.RLock()
	defer w.rw.RUnlock()
	f.now, f.tx.plan, f.tx.base = now, w.plan, w.state.Load()
	f.counter = w.reads.Add(1) << 16
	f.seeded = seeded{seed: ^w.seed, counter: &f.counter, now: now}
	f.choose = &f.seeded
	out := f.step()
	f.release()
	return out
}

// begin prepares a write. If nobody reads, nobody begins to until it ends, and
// what is the world's own may change in place.
func (w *World) begin(f *frame, now time.Time) (exclusive bool) {
	if exclusive = w.rw.TryLock(); !exclusive {
		w.epoch = nextTx()
	}
	base := w.state.Load()
	f.now, f.tx.plan, f.tx.base, f.tx.counter, f.tx.id = now, w.plan, base, base.counter, w.epoch
	f.seeded = seeded{seed: w.seed, counter: &f.tx.counter, now: now}
	f.choose = &f.seeded
	return exclusive
}

// end keeps what was written, or takes it back.
func (w *World) end(f *frame, exclusive, keep bool) {
	if !keep {
		f.tx.rollback()
	}
	// Choices are made once, also those of a refusal: a fresh id stays fresh.
	if f.tx.dirty() || f.tx.counter != f.tx.base.counter {
		w.state.Store(f.tx.commit())
	}
	if exclusive {
		w.rw.Unlock()
	}
	f.release()
}

// mostDue is how many rounds one call lets happen at the most, so that it does
// not wait for all that came due while nobody asked. The next calls go on.
const mostDue = 500

// settle runs what is due.
func (w *World) settle(now time.Time) {
	if w.held {
		return
	}
	if s := w.state.Load(); len(s.tasks) == 0 || s.tasks[0].due.After(now) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for range mostDue {
		s := w.state.Load()
		if len(s.tasks) == 0 || s.tasks[0].due.After(now) {
			return
		}
		w.runTask(s.tasks[0], s.tasks[1:])
	}
}

func (w *World) runTask(t *task, rest []*task) { w.runTaskWith(t, rest, nil) }

// runTaskWith is runTask with somebody else's choices; nil for the world's own.
func (w *World) runTaskWith(t *task, rest []*task, choose Chooser) (writes []Write) {
	f := frames.Get().(*frame)
	f.reset(w.plan, t.call)
	exclusive := w.begin(f, t.due)
	if choose != nil {
		f.watch(choose)
	}
	f.tx.tasks, f.tx.tasksChanged = rest, true
	if next := t.next(); next != nil {
		f.tx.later(next)
	}
	rest = f.tx.tasks
	defer func() { w.end(f, exclusive, true) }()
	done := false
	defer func() {
		if !done || f.out.Refused { // the round leaves nothing, but it has had its turn
			f.tx.rollback()
			f.tx.tasks, f.tx.tasksChanged = rest, true
		}
	}()
	f.round(t)
	done = true
	if !f.out.Refused {
		writes = f.tx.writes()
	}
	return writes
}
