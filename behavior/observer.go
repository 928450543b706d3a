package behavior

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// An Observer is a [Chooser] that watches a server of which the world shows a part
// only: there may be records that the world does not have.
type Observer interface {
	Chooser

	// Others is whether there may be records of a resource that the world does
	// not have, with these values in these members. The value of a unique entry
	// has the member "".
	Others(resource string, members []string, values []value.Value) bool

	// Perhaps is a record with that id which may be there although the world
	// does not have it. [value.Missing] means that there is none.
	Perhaps(resource string, id value.Value) value.Value

	// List is the section of a listing that the server shows. It may arrange the
	// records of the listing in any order that the rules permit. An open total
	// is a hole.
	List(l *Listing) (items []value.Value, total value.Value)

	// Sweep is told that a call changes or removes every matching record of a
	// resource, and that there may be some that the world does not have.
	Sweep(resource string)
}

// A Listing is what a list step has found, before it is cut into pages.
type Listing struct {
	Resource string
	Records  []value.Value // as they are kept, in their order
	Maybe    []bool        // of each record, whether it is open that it belongs here; nil: all do
	Others   bool          // there may be more that the world does not have
	Keys     []SortKey     // none: the rules know no order

	// Offset and Limit say which of them are shown; a negative limit means all.
	Offset, Limit int

	// Equal are the members that all records listed share: from within (where it
	// has one value) and from conditions of the form member == value.
	Equal []value.Member
	// Whole is whether the other conditions let every such record pass.
	Whole bool
	// What turns pages: either a number or an offset, and a size.
	Number, From, Size Input
}

// A SortKey is a member by which a list is sorted.
type SortKey struct {
	Member     string
	Descending bool
}

// Window is the section that Offset and Limit describe.
func (l *Listing) Window() []value.Value {
	from := min(max(l.Offset, 0), len(l.Records))
	to := len(l.Records)
	if l.Limit >= 0 {
		to = min(to, from+l.Limit)
	}
	return l.Records[from:to]
}

// watch lets an observer decide where there is one.
func (f *frame) watch(c Chooser) {
	f.choose = c
	f.observer, _ = c.(Observer)
}

// more is whether there may be matching records that the world does not have.
func (q *query) more(f *frame) bool {
	if f.observer == nil {
		return false
	}
	var members []string
	var values []value.Value
	for i, p := range q.props {
		if len(q.values[i]) == 1 {
			members, values = append(members, p), append(values, orNull(q.values[i][0](f)))
		}
	}
	return f.observer.Others(q.res.Name, members, values)
}

// sweep tells an observer of records that the world does not have and a call
// changes.
func (q *query) sweep(f *frame) {
	if q.more(f) {
		f.observer.Sweep(q.res.Name)
	}
}

// perhaps is a record that the world does not have, but the server may.
func (f *frame) perhaps(q *query, id value.Value) *record {
	if f.observer == nil {
		return nil
	}
	v := f.observer.Perhaps(q.res.Name, id)
	if v.IsMissing() {
		return nil
	}
	rec := f.tx.insert(q.res, q.res.arrange(v))
	if !q.matches(f, rec) {
		return nil
	}
	return rec
}

// observed is a section of the matching records as the observer shows it.
func (l *listStep) observed(f *frame, q *query, filters []expr, reverse bool, offset, limit int) (items []value.Value, total value.Value) {
	out := &Listing{Resource: l.res.Name, Offset: offset, Limit: limit, Others: q.more(f), Whole: q.rest == nil && len(filters) == 0}
	conditions := filters
	if q.rest != nil {
		conditions = append([]expr{q.rest}, filters...)
	}
	var buf [4]*part
	walk(f, q.parts(f, buf[:0]), reverse, 0, func(r *record) bool {
		f.slots[q.slot] = r.val
		maybe := false
		for _, x := range conditions {
			v := x(f)
			if v.Kind() != value.HoleKind && !v.True() {
				return true
			}
			maybe = maybe || v.Kind() == value.HoleKind
		}
		if maybe && out.Maybe == nil {
			out.Maybe = make([]bool, len(out.Records), len(out.Records)+8)
		}
		out.Records = append(out.Records, r.val)
		if out.Maybe != nil {
			out.Maybe = append(out.Maybe, maybe)
		}
		return true
	})
	for i, p := range q.props {
		if len(q.values[i]) == 1 {
			out.Equal = append(out.Equal, value.Member{Name: p, Value: orNull(q.values[i][0](f))})
		}
	}
	for _, k := range q.sort {
		out.Keys = append(out.Keys, SortKey{k.prop, k.desc != reverse})
	}
	if l.page != nil {
		out.Number, out.From, out.Size = l.page.numberAt, l.page.offsetAt, l.page.sizeAt
	}
	return f.observer.List(out)
}

// Scope are the values of within that let a caller see a record, by member. What
// hangs on more than the caller is left out.
func (r *Resource) Scope(caller *Caller) map[string][]value.Value {
	f := &frame{plan: r.plan, call: &Call{Caller: caller}, fuel: fuel, choose: nobody{}, slots: make([]value.Value, r.plan.slots)}
	out := map[string][]value.Value{}
	for i, w := range r.spec.Within {
		for _, x := range r.scopes[i] {
			if x == nil {
				delete(out, w.Member)
				break
			}
			out[w.Member] = append(out[w.Member], orNull(x(f)))
		}
	}
	return out
}

// ScopeAttribute is the attribute of the caller that a member of within is compared
// with, "" where it is more than that.
func (r *Resource) ScopeAttribute(member string) string {
	for _, w := range r.spec.Within {
		if name, ok := strings.CutPrefix(w.Values[0].S, "caller."); ok && w.Member == member && len(w.Values) == 1 && !strings.ContainsAny(name, ".[( ") {
			return name
		}
	}
	return ""
}

// Put keeps a record as it is, in the place of the one with its id if there is
// one. A resource that does not exist, or a record without an id, is left out.
func (w *World) Put(resource string, v value.Value) {
	r := w.plan.resource(resource)
	if r == nil || v.Get(r.id).IsNull() {
		return
	}
	w.edit(func(tx *Tx) {
		v = r.arrange(v)
		if old, ok := tx.table(r).ids.Get(idText(v.Get(r.id))); ok {
			tx.replace(r, old, v)
			return
		}
		tx.insert(r, v)
	})
}

// Drop forgets a record.
func (w *World) Drop(resource string, id value.Value) {
	if r := w.plan.resource(resource); r != nil {
		w.edit(func(tx *Tx) {
			if old, ok := tx.table(r).ids.Get(idText(id)); ok {
				tx.remove(r, old)
			}
		})
	}
}

// edit changes records without a call.
func (w *World) edit(change func(tx *Tx)) {
	f := frames.Get().(*frame)
	f.reset(w.plan, &Call{})
	w.mu.Lock()
	defer w.mu.Unlock()
	exclusive := w.begin(f, w.clock())
	defer func() { w.end(f, exclusive, true) }()
	change(f.tx)
}

// Record is the record with that id as it is kept; Missing if there is none.
func (w *World) Record(resource string, id value.Value) value.Value {
	r := w.plan.resource(resource)
	if r == nil {
		return value.Value{}
	}
	w.rw.RLock()
	defer w.rw.RUnlock()
	rec, ok := w.state.Load().tables[r.number].ids.Get(idText(id))
	if !ok {
		return value.Value{}
	}
	return rec.val
}

// Lists are the resources that an operation lists, in the order of its steps.
func (o *Operation) Lists() []string { return o.targets(List) }

// Creates are the resources of which an operation makes records, at once.
func (o *Operation) Creates() []string { return o.targets(Create) }

// targets are what the steps of a kind are about, each once, in their order.
func (o *Operation) targets(kind StepKind) []string {
	var out []string
	var walk func(steps []StepSpec)
	walk = func(steps []StepSpec) {
		for i := range steps {
			if s := &steps[i]; s.Kind == kind && !slices.Contains(out, s.Target) {
				out = append(out, s.Target)
			}
			for _, b := range steps[i].Branches {
				walk(b)
			}
		}
	}
	walk(o.spec.Steps)
	return out
}

// Unique are the members that the entries of unique are about, each alone.
func (r *Resource) Unique() []string {
	var out []string
	for i := range r.spec.Unique {
		tree, err := parse(r.spec.Unique[i].By)
		if err != nil {
			continue
		}
		var names []string
		ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
			if e.Kind() == ast.IdentKind && r.members[e.AsIdent()] && !slices.Contains(names, e.AsIdent()) {
				names = append(names, e.AsIdent())
			}
		}))
		if len(names) == 1 && !slices.Contains(out, names[0]) {
			out = append(out, names[0])
		}
	}
	return out
}

// Hold lets nothing happen by the clock any more: what goes on after an answer waits for
// [World.Advance]. Forks hold, too. Call it before the world is used.
func (w *World) Hold() { w.held = true }

// Pending is how many rounds of what goes on after answers are still to come.
func (w *World) Pending() (n int) {
	for _, t := range w.state.Load().tasks {
		n += int(max(t.rounds-t.round+1, 1))
	}
	return n
}

// Advance lets the next round happen that goes on after an answer, with the choices of
// choose, and is what it writes. It is false if there is none.
func (w *World) Advance(choose Chooser) ([]Write, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state.Load()
	if len(s.tasks) == 0 {
		return nil, false
	}
	return w.runTaskWith(s.tasks[0], s.tasks[1:], choose), true
}
