package behavior

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A source is where a member of a record comes from when it is created or
// changed: the first of these that has a value.
type source struct {
	name     string
	given    expr     // on-create, on-update or set
	sent     []string // names in the body, the exact one first
	static   value.Value
	fallback expr
}

// unchanging is whether an update may take the member from the body.
func (s *source) fromBody(body value.Value) value.Value {
	for _, n := range s.sent {
		if v := body.Get(n); !v.IsMissing() {
			return v
		}
	}
	return value.Value{}
}

// sources says where each member comes from. With the body (taken), members
// are those that request and resource both declare.
func (c *compiler) sources(r *Resource, s *StepSpec, given []NamedTemplate, body bool) ([]source, []assignment, error) {
	for _, n := range s.Only {
		if err := r.member(n); err != nil {
			return nil, nil, errorAt(s.Pos, "only: %w", err)
		}
	}
	chosenList, err := c.chosen(given)
	if err != nil {
		return nil, nil, err
	}
	defaults, err := c.chosen(r.spec.Default)
	if err != nil {
		return nil, nil, err
	}
	set, _, err := c.assignments(s.Set)
	if err != nil {
		return nil, nil, err
	}
	var deep []assignment
	out := make([]source, 0, len(r.order))
	for _, name := range r.order {
		src := source{name: name}
		for _, a := range set {
			if len(a.path) == 1 && a.path[0] == name {
				src.given = a.x
			}
		}
		for _, g := range chosenList {
			if g.name == name {
				src.given = g.x
			}
		}
		if body && c.op.Body != nil && (len(s.Only) == 0 || slices.Contains(s.Only, name)) && !slices.Contains(r.spec.Hidden, name) {
			for _, m := range c.op.Body.Members {
				if m.ReadOnly || m.Keep != name {
					continue
				}
				if m.Name == name {
					src.sent = append([]string{m.Name}, src.sent...)
				} else {
					src.sent = append(src.sent, m.Name)
				}
				if src.static.IsMissing() {
					src.static = m.Default
				}
			}
		}
		for _, d := range defaults {
			if d.name == name {
				src.fallback = d.x
			}
		}
		out = append(out, src)
	}
	for _, a := range set {
		if err := r.member(a.path[0]); err != nil {
			return nil, nil, errorAt(s.Pos, "set: %w", err)
		}
		if len(a.path) > 1 {
			deep = append(deep, a)
		}
	}
	return out, deep, nil
}

// deepen writes what is set inside of members.
func (r *Resource) deepen(f *frame, v value.Value, deep []assignment) value.Value {
	if len(deep) == 0 {
		return v
	}
	return r.arrange(assign(f, v, deep))
}

// scoped are the values of within that a new record gets.
func (c *compiler) scoped(r *Resource) ([]chosen, error) {
	var out []chosen
	for _, w := range r.spec.Within {
		if len(w.Values) == 0 {
			continue
		}
		x, _, err := c.outside(w.Values[0])
		if err != nil {
			return nil, err
		}
		out = append(out, chosen{w.Member, x})
	}
	return out, nil
}

func (c *compiler) create(s *StepSpec) (step, error) {
	r, err := c.resource(s)
	if err != nil {
		return nil, err
	}
	body, from, err := c.taken(s)
	if err != nil {
		return nil, err
	}
	list, deep, err := c.sources(r, s, r.spec.OnCreate, body)
	if err != nil {
		return nil, err
	}
	scope, err := c.scoped(r)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, sc := range scope {
			if sc.name == list[i].name && list[i].given == nil {
				list[i].given = sc.x
			}
		}
	}
	unique, err := c.unique(r)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(x source) bool { return x.name == r.id }); i >= 0 && (from == nil || body) && list[i].given == nil && len(list[i].sent) == 0 && list[i].fallback == nil {
		return nil, errorAt(s.Pos, "create: nothing gives the new %s its %s; want on-create or set", r.Name, r.id)
	}
	count, err := c.optional(s.Count)
	if err != nil {
		return nil, err
	}
	read, err := c.reader(r)
	if err != nil {
		return nil, err
	}
	slot := c.bind(nameOr(s.As, snake(r.Name)), typ{res: r})
	attempt := func(f *frame, base value.Value) (v value.Value, clash int) {
		for try := 0; ; try++ {
			chosen := f.tx.counter
			v = r.deepen(f, build(f, r, list, base, body), deep)
			if value.Equal(v.Get(r.id), unknown) { // an id of its own, though nobody knows which
				v = v.With(r.id, value.Hole(&Law{Kind: Unknown}))
			}
			clash = unique.clash(f, v, nil)
			if clash == free && r.clashes(f, v) {
				clash = ownID
			}
			// A fresh id or number that is taken is chosen again.
			if clash == free || f.tx.counter == chosen || try == mostTries {
				return v, clash
			}
		}
	}
	return func(f *frame) bool {
		n := int64(1)
		if count != nil {
			n, _ = count(f).Int()
		}
		for range n {
			if !f.afford(perRecord) {
				return true
			}
			var base value.Value
			if from != nil {
				base = from(f)
			}
			v, clash := attempt(f, base)
			switch {
			case clash == ownID:
				f.out = Outcome{Status: 500, Problem: "id-exists", Refused: true}
				return true
			case clash >= 0:
				unique.refuse(f, clash)
				return true
			}
			f.slots[slot] = read(f, f.tx.insert(r, v).val)
		}
		return false
	}, nil
}

// What a new record clashes with, if it is not the number of a unique entry.
const (
	free  = -1
	ownID = -2
)

// perRecord is what it costs to create a record, in units of fuel.
const perRecord = 500

// mostTries is how often choices that are taken are made again.
const mostTries = 20

// clashes is whether a record with the id of v is there already.
func (r *Resource) clashes(f *frame, v value.Value) bool {
	_, ok := f.tx.table(r).ids.Get(idText(v.Get(r.id)))
	return ok
}

// idText is what records are found by: their id. An open one is like no other.
func idText(v value.Value) string {
	if v.Kind() == value.HoleKind {
		return fmt.Sprintf("\x00%p", v.Hole())
	}
	return textOf(v)
}

// taken compiles what a record is made from: the body, or any other value.
func (c *compiler) taken(s *StepSpec) (body bool, from expr, err error) {
	t := s.From
	if t == nil {
		return false, nil, nil
	}
	tree, err := parse(*t)
	if err != nil {
		return false, nil, err
	}
	if e := tree.Expr(); e.Kind() == ast.IdentKind && e.AsIdent() == "body" {
		return true, func(f *frame) value.Value { return f.call.Body }, nil
	}
	from, _, err = c.compileAt(*t, tree, tree.Expr())
	if err != nil || len(s.Only) == 0 {
		return false, from, err
	}
	whole := from
	return false, func(f *frame) value.Value {
		var members []value.Member
		for _, m := range whole(f).Members() {
			if slices.Contains(s.Only, m.Name) {
				members = append(members, m)
			}
		}
		return value.Object(members...)
	}, nil
}

// build makes a new record.
func build(f *frame, r *Resource, list []source, base value.Value, body bool) value.Value {
	members := make([]value.Member, 0, len(list))
	for i := range list {
		s := &list[i]
		var v value.Value
		switch {
		case s.given != nil:
			v = orNull(s.given(f))
		case body:
			if v = s.fromBody(base); v.IsMissing() {
				v = s.static
			}
		default:
			v = base.Get(s.name)
		}
		if v.IsMissing() && s.fallback != nil {
			v = s.fallback(f)
		}
		if !v.IsMissing() {
			members = append(members, value.Member{Name: s.name, Value: v})
		}
	}
	if !body { // of another record also what no schema names
		for _, m := range base.Shown().Members() {
			if !r.members[m.Name] && !r.computed[m.Name] {
				members = append(members, m)
			}
		}
	}
	v := value.Object(members...)
	if body && f.call.BodySize > keepAlive {
		return v.Clone()
	}
	return v
}

// keepAlive is the size in bytes of a request body from which on a record does
// not share its text.
const keepAlive = 4 << 10

func (c *compiler) update(s *StepSpec) (step, error) {
	if c.plan.resource(s.Target) != nil {
		return c.updateAll(s)
	}
	slot, r, err := c.bound(s)
	if err != nil {
		return nil, err
	}
	if s.Where != nil {
		return nil, errorAt(s.Pos, "update of one record has no where; want a resource, or when")
	}
	body, from, err := c.taken(s)
	if err != nil {
		return nil, err
	}
	list, deep, err := c.sources(r, s, r.spec.OnUpdate, body)
	if err != nil {
		return nil, err
	}
	unique, err := c.unique(r)
	if err != nil {
		return nil, err
	}
	read, err := c.reader(r)
	if err != nil {
		return nil, err
	}
	replace := s.Replace
	return func(f *frame) bool {
		old, ok := f.tx.table(r).ids.Get(idText(f.slots[slot].Get(r.id)))
		if !ok {
			return false // it is gone: there is nothing to change
		}
		var with value.Value
		if from != nil {
			with = from(f)
		}
		v := change(f, list, old.val, with, body, replace)
		v = r.deepen(f, v, deep)
		if v.Get(r.id).IsNull() { // nobody can drop it
			v = r.arrange(v.With(r.id, old.val.Get(r.id)))
		}
		if idText(v.Get(r.id)) != old.id && r.clashes(f, v) {
			f.out = Outcome{Status: 500, Problem: "id-exists", Refused: true}
			return true
		}
		if clash := unique.clash(f, v, old); clash >= 0 {
			unique.refuse(f, clash)
			return true
		}
		f.slots[slot] = read(f, f.tx.replace(r, old, v).val)
		return false
	}, nil
}

// change makes another version of a record.
func change(f *frame, list []source, old, with value.Value, body, replace bool) value.Value {
	members := make([]value.Member, 0, len(list))
	for i := range list {
		s := &list[i]
		var v value.Value
		switch {
		case s.given != nil:
			v = orNull(s.given(f))
		case body:
			v = s.fromBody(with)
		default:
			v = with.Get(s.name)
		}
		if v.IsMissing() && (!replace || s.given == nil && len(s.sent) == 0) {
			v = old.Get(s.name)
		}
		if v.IsMissing() && replace {
			if v = s.static; v.IsMissing() && s.fallback != nil {
				v = s.fallback(f)
			}
		}
		if !v.IsMissing() {
			members = append(members, value.Member{Name: s.name, Value: v})
		}
	}
	have := value.Object(members...)
	for _, m := range old.Members() { // what no schema names stays
		if !slices.ContainsFunc(list, func(s source) bool { return s.name == m.Name }) {
			have = have.With(m.Name, m.Value)
		}
	}
	if body && f.call.BodySize > keepAlive {
		return have.Clone()
	}
	return have
}

// updateAll changes every record that matches.
func (c *compiler) updateAll(s *StepSpec) (step, error) {
	r, err := c.resource(s)
	if err != nil {
		return nil, err
	}
	if s.From != nil || len(s.Only) > 0 || s.Replace {
		return nil, errorAt(s.Pos, "update of all records of %s takes where and set only", r.Name)
	}
	q, err := c.where(r, s.Where)
	if err != nil {
		return nil, err
	}
	q = c.ordered(q, nil)
	var list []source
	var deep []assignment
	var own int
	if err := c.inRecord(r, func(slot int) error {
		own = slot
		list, deep, err = c.sources(r, s, r.spec.OnUpdate, false)
		return err
	}); err != nil {
		return nil, err
	}
	return func(f *frame) bool {
		q.sweep(f)
		var found []*record
		q.each(f, func(rec *record) bool { found = append(found, rec); return true })
		for _, rec := range found {
			f.slots[own] = rec.val
			v := r.deepen(f, change(f, list, rec.val, value.Value{}, false, false), deep)
			f.tx.replace(r, rec, v)
		}
		return false
	}, nil
}

func (c *compiler) delete(s *StepSpec) (step, error) {
	slot, r, err := c.bound(s)
	if err != nil {
		return nil, err
	}
	return func(f *frame) bool {
		if rec, ok := f.tx.table(r).ids.Get(idText(f.slots[slot].Get(r.id))); ok {
			f.tx.remove(r, rec)
		}
		return false
	}, nil
}

func (c *compiler) clear(s *StepSpec) (step, error) {
	r, err := c.resource(s)
	if err != nil {
		return nil, err
	}
	q, err := c.where(r, s.Where)
	if err != nil {
		return nil, err
	}
	q = c.ordered(q, nil)
	return func(f *frame) bool {
		q.sweep(f)
		var found []*record
		q.each(f, func(rec *record) bool { found = append(found, rec); return true })
		for _, rec := range found {
			f.tx.remove(r, rec)
		}
		return false
	}, nil
}

// uniqueness is the unique entries of a resource, ready to be checked.
type uniqueness []uniqueCheck

type uniqueCheck struct {
	res       *Resource
	index     int
	scopes    [][]expr
	among     expr
	slot      int
	otherwise refusal
}

func (c *compiler) unique(r *Resource) (uniqueness, error) {
	var out uniqueness
	for i := range r.spec.Unique {
		u := &r.spec.Unique[i]
		check := uniqueCheck{res: r, index: r.unique[i]}
		for _, w := range r.spec.Within {
			var values []expr
			for _, t := range w.Values {
				x, _, err := c.outside(t)
				if err != nil {
					return nil, err
				}
				values = append(values, x)
			}
			check.scopes = append(check.scopes, values)
		}
		err := c.inRecord(r, func(slot int) error {
			var err error
			check.slot = slot
			check.among, err = c.optional(u.Among)
			return err
		})
		if err != nil {
			return nil, err
		}
		if check.otherwise, err = c.refusal(u.Else); err != nil {
			return nil, err
		}
		if len(check.otherwise) == 0 && !c.later {
			return nil, errorAt(u.Pos, "unique needs else: what is answered when the value is taken")
		}
		out = append(out, check)
	}
	return out, nil
}

func (u uniqueness) refuse(f *frame, i int) {
	if len(u[i].otherwise) == 0 {
		f.out.Refused = true
		return
	}
	f.refuse(u[i].otherwise)
}

// open is whether a value clashes with nothing: null, or not chosen yet.
func open(v value.Value) bool { return v.IsNull() || v.Kind() == value.HoleKind }

// clash is the first entry by which v clashes with a record other than itself;
// free if there is none.
func (u uniqueness) clash(f *frame, v value.Value, self *record) int {
	for i := range u {
		c := &u[i]
		ix := &c.res.indexes[c.index]
		by := f.tx.computed(ix, v)
		if absent(by) {
			continue
		}
		if !c.counts(f, v) {
			continue
		}
		tree := f.tx.table(c.res).indexes[c.index]
		var key [128]byte
		if c.taken(f, tree, 0, key[:0], by, self) || f.observer != nil && f.observer.Others(c.res.Name, []string{""}, []value.Value{by}) && f.truth(unknown) {
			return i
		}
	}
	return free
}

func (c *uniqueCheck) counts(f *frame, v value.Value) bool {
	if c.among == nil {
		return true
	}
	f.slots[c.slot] = v
	return f.truth(c.among(f))
}

// taken looks into the part of every scope that the caller sees.
func (c *uniqueCheck) taken(f *frame, tree *indexTree, i int, key []byte, by value.Value, self *record) bool {
	if i < len(c.scopes) {
		for _, x := range c.scopes[i] {
			if c.taken(f, tree, i+1, appendKey(key, x(f)), by, self) {
				return true
			}
		}
		return false
	}
	found := false
	tree.under(bytesAsText(appendKey(key, by)), func(r *record) bool {
		found = (self == nil || r.id != self.id) && c.counts(f, r.val)
		return !found
	})
	return found
}
