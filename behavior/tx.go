package behavior

import (
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A Write is one change of a record: created where Before is Missing, deleted
// where After is.
type Write struct {
	Resource      string
	ID            string
	Before, After value.Value
}

// Tx is a view of a state with writes on top of it. Readers see those; others
// see nothing until it is committed, and it need not be.
type Tx struct {
	plan         *Plan
	base         *state
	id           uint64
	tables       []*table // the changed ones; nil entries are those of base
	counter      uint64
	changes      []edit
	tasks        []*task
	tasksChanged bool
	quotas       *quotas // nil: not counted
	enforce      bool
	key          []byte // of one index
	all          []byte // of all of them
	aux          *frame // for what is computed of one record
}

// edit is what can be undone: a record that came, went or changed.
type edit struct {
	r             *Resource
	before, after *record
}

func (tx *Tx) writes() []Write {
	if len(tx.changes) == 0 {
		return nil
	}
	out := make([]Write, len(tx.changes))
	for i, c := range tx.changes {
		out[i].Resource = c.r.Name
		if c.before != nil {
			out[i].ID, out[i].Before = c.before.id, c.before.val
		}
		if c.after != nil {
			out[i].ID, out[i].After = c.after.id, c.after.val
		}
	}
	return out
}

// rollback takes every change back, the last one first.
func (tx *Tx) rollback() {
	for _, c := range slices.Backward(tx.changes) {
		t := tx.own(c.r)
		if c.after != nil {
			t.ids.Delete(c.after.id)
			for i := range c.r.indexes {
				tx.leave(t, c.r, i, c.after)
			}
		}
		if c.before != nil {
			t.ids.Set(c.before.id, c.before)
			tx.enter(t, c.r, c.before)
			if c.after == nil && c.r.spec.Soft {
				t.gone = fork(t.gone)
				t.gone.Delete(c.before.id)
			}
		}
	}
	tx.changes, tx.tables, tx.tasks, tx.tasksChanged = nil, nil, nil, false
}

var txCounter atomic.Uint64

func nextTx() uint64 { return txCounter.Add(1) }

func (tx *Tx) dirty() bool { return len(tx.changes) > 0 || tx.tasksChanged }

func (tx *Tx) table(r *Resource) *table {
	if tx.tables != nil && tx.tables[r.number] != nil {
		return tx.tables[r.number]
	}
	return tx.base.tables[r.number]
}

// own is the table of r, made writable.
func (tx *Tx) own(r *Resource) *table {
	from := tx.base.tables[r.number]
	if from.tx == tx.id {
		return from
	}
	if tx.tables == nil {
		tx.tables = make([]*table, len(tx.base.tables))
	}
	if t := tx.tables[r.number]; t != nil {
		return t
	}
	t := &table{tx: tx.id, ids: fork(from.ids), gone: from.gone, seq: from.seq, indexes: slices.Clone(from.indexes)}
	tx.tables[r.number] = t
	return t
}

// under goes through the records of a unique index whose keys begin so.
func (ix *indexTree) under(prefix string, do func(*record) bool) {
	ix.flat.Ascend(prefix, func(key string, r *record) bool {
		return strings.HasPrefix(key, prefix) && do(r)
	})
}

// own is the part with that key, made writable; it is made if it is not there. Of
// a unique index (no key) it is the index alone.
func (t *table) own(i int, key []byte) (*indexTree, *part) {
	ix := t.indexes[i]
	if ix.tx != t.tx {
		if ix.flat != nil {
			ix = &indexTree{tx: t.tx, flat: fork(ix.flat)}
		} else {
			ix = &indexTree{tx: t.tx, parts: fork(ix.parts)}
		}
		t.indexes[i] = ix
	}
	if ix.flat != nil {
		return ix, nil
	}
	p, ok := ix.parts.Get(bytesAsText(key))
	switch {
	case !ok:
		p = &part{tx: t.tx, tree: newTree[*record]()}
		ix.parts.Set(string(key), p)
	case p.tx != t.tx:
		p = &part{tx: t.tx, tree: fork(p.tree)}
		ix.parts.Set(string(key), p)
	}
	return ix, p
}

// bytesAsText is for looking up: the text must not be kept.
func bytesAsText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// insert keeps a new record and returns it.
func (tx *Tx) insert(r *Resource, v value.Value) *record {
	t := tx.own(r)
	t.seq++
	rec := &record{id: idText(v.Get(r.id)), seq: t.seq, val: r.seal(v)}
	t.ids.Set(rec.id, rec)
	tx.enter(t, r, rec)
	tx.changes = append(tx.changes, edit{r, nil, rec})
	return rec
}

// replace puts another version in the place of a record.
func (tx *Tx) replace(r *Resource, old *record, v value.Value) *record {
	t := tx.own(r)
	rec := &record{id: idText(v.Get(r.id)), seq: old.seq, val: r.seal(v)}
	if rec.id != old.id {
		t.ids.Delete(old.id)
	}
	t.ids.Set(rec.id, rec)
	for i := range r.indexes {
		tx.leave(t, r, i, old)
	}
	tx.enter(t, r, rec)
	tx.changes = append(tx.changes, edit{r, old, rec})
	return rec
}

func (tx *Tx) remove(r *Resource, old *record) {
	t := tx.own(r)
	t.ids.Delete(old.id)
	for i := range r.indexes {
		tx.leave(t, r, i, old)
	}
	if r.spec.Soft {
		t.gone = fork(t.gone)
		t.gone.Set(old.id, old)
	}
	tx.changes = append(tx.changes, edit{r, old, nil})
}

// keys are the keys of a record in an index: of its part, then in its part.
func (tx *Tx) keys(r *Resource, i int, rec *record) (inIndex, inPart []byte) {
	ix := &r.indexes[i]
	key := tx.key[:0]
	for _, p := range ix.props {
		key = appendKey(key, rec.val.Get(p))
	}
	if ix.by != nil {
		key = appendKey(key, tx.computed(ix, rec.val))
	}
	at := len(key)
	key = appendSort(key, ix.sort, rec)
	tx.key = key
	return key[:at], key[at:]
}

// computed is the value by which a unique index keeps records apart.
func (tx *Tx) computed(ix *index, v value.Value) value.Value {
	if tx.aux == nil {
		tx.aux = &frame{}
	}
	f := tx.aux
	if len(f.slots) < ix.slots {
		f.slots = make([]value.Value, ix.slots)
	}
	f.fuel = fuel
	f.slots[0] = v
	out := ix.by(f)
	f.slots[0] = value.Value{}
	return out
}

// enter puts a record into all indexes. Its keys share one text.
func (tx *Tx) enter(t *table, r *Resource, rec *record) {
	var buf [8]span
	spans, all := buf[:0], tx.all[:0]
	for i := range r.indexes {
		inIndex, inPart := tx.keys(r, i, rec)
		at := len(all)
		all = append(append(all, inIndex...), inPart...)
		spans = append(spans, span{at, at + len(inIndex), len(all)})
	}
	tx.all = all
	text := string(all)
	for i, s := range spans {
		if r.indexes[i].by != nil {
			ix, _ := t.own(i, nil)
			ix.flat.Set(text[s.begin:s.end], rec)
			continue
		}
		_, p := t.own(i, all[s.begin:s.mid])
		p.tree.Set(text[s.mid:s.end], rec)
	}
}

// span is where the key of one index stands: that of its part, then that in it.
type span struct{ begin, mid, end int }

func (tx *Tx) leave(t *table, r *Resource, i int, rec *record) {
	inIndex, inPart := tx.keys(r, i, rec)
	if r.indexes[i].by != nil {
		ix, _ := t.own(i, nil)
		ix.flat.Delete(bytesAsText(tx.key))
		return
	}
	ix, p := t.own(i, inIndex)
	p.tree.Delete(bytesAsText(inPart))
	if p.tree.Len() == 0 {
		ix.parts.Delete(bytesAsText(inIndex))
	}
}

// commit is the state with the writes in it. The transaction is over then.
func (tx *Tx) commit() *state {
	s := tx.base
	if s.tx != tx.id || tx.tasksChanged { // what is due is looked at without a lock
		s = &state{tx: tx.id, tables: slices.Clone(s.tables), tasks: s.tasks}
	}
	s.counter = tx.counter
	for i, t := range tx.tables {
		if t != nil {
			s.tables[i] = t
		}
	}
	if tx.tasksChanged {
		s.tasks = tx.tasks
	}
	return s
}

// later puts a task among the others, by time.
func (tx *Tx) later(t *task) {
	list := tx.base.tasks
	if tx.tasksChanged {
		list = tx.tasks
	}
	i, _ := slices.BinarySearchFunc(list, t, func(a, b *task) int {
		if c := a.due.Compare(b.due); c != 0 {
			return c
		}
		return -1 // behind those of the same time
	})
	tx.tasks = slices.Concat(list[:i], []*task{t}, list[i:])
	tx.tasksChanged = true
}
