package behavior

import (
	"slices"
	"sort"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/understudy-dev/understudy/behavior/value"
)

// An index keeps the records of a resource apart by the values of some members
// (or of a computed value), and each part in an order.
type index struct {
	props []string // the members that tell parts apart
	by    expr     // of a unique index: computed from the record in slot 0, behind props
	slots int      // that by needs
	sort  []sortKey
}

type sortKey struct {
	prop string
	desc bool
}

func parseSort(list []string) []sortKey {
	var out []sortKey
	for _, s := range list {
		prop, desc := strings.CutPrefix(s, "-")
		out = append(out, sortKey{prop, desc})
	}
	return out
}

// indexOn is the number of the index with these members and this order, which
// it adds if there is none yet.
func (r *Resource) indexOn(props []string, sort []sortKey) int {
	for i, ix := range r.indexes {
		if ix.by == nil && slices.Equal(ix.props, props) && slices.Equal(ix.sort, sort) {
			return i
		}
	}
	r.indexes = append(r.indexes, index{props: props, sort: sort})
	return len(r.indexes) - 1
}

// ordered asks for the order of a list. An order that begins downwards is the
// opposite one, read backwards.
func (c *compiler) ordered(q *query, sort []sortKey) *query {
	o := *q
	o.anyOrder = false
	o.sort = slices.Clone(sort)
	if len(sort) > 0 && sort[0].desc {
		o.reverse = true
		for i := range o.sort {
			o.sort[i].desc = !o.sort[i].desc
		}
	}
	c.plan.pending = append(c.plan.pending, &o)
	return &o
}

// unordered asks for an index, in whatever order.
func (c *compiler) unordered(q *query) *query {
	q.anyOrder = true
	c.plan.pending = append(c.plan.pending, q)
	return q
}

// A query is a condition on the records of a resource. What it can it answers
// from an index; the rest is tried on each record.
type query struct {
	res      *Resource
	props    []string
	sort     []sortKey
	reverse  bool // the index runs the other way
	anyOrder bool // whoever asks does not care
	index    int
	values   [][]expr // for each member of the index: the values that are looked for
	rest     expr     // nil for none; sees the record in slot
	slot     int
}

// query compiles a condition on the records of res that exist for the caller.
// cond may be nil. With a variable, cond names the record by it; without, by
// its bare members.
// Before it runs, it needs an index: see ordered and unordered.
func (c *compiler) query(res *Resource, cond ast.Expr, variable string) (*query, error) {
	return c.conjunction(res, conjuncts(cond), variable)
}

// conjunction is query of a condition that is cut at its &&.
func (c *compiler) conjunction(res *Resource, conditions []ast.Expr, variable string) (*query, error) {
	q := &query{res: res}
	var props []string
	for _, w := range res.spec.Within {
		var alternatives []expr
		for _, t := range w.Values {
			x, _, err := c.outside(t)
			if err != nil {
				return nil, err
			}
			alternatives = append(alternatives, x)
		}
		props = append(props, w.Member)
		q.values = append(q.values, alternatives)
	}
	var rest []expr
	body := func(slot int) error {
		q.slot = slot
		for _, part := range conditions {
			if prop, val := c.compared(operators.Equals, part, variable); val != nil && !slices.Contains(props, prop) {
				if err := res.member(prop); err != nil {
					return fault(part, "%v", err)
				}
				x, _, err := c.compile(val)
				if err != nil {
					return err
				}
				props = append(props, prop)
				q.values = append(q.values, []expr{x})
				continue
			}
			x, _, err := c.compile(part)
			if err != nil {
				return err
			}
			rest = append(rest, x)
		}
		return nil
	}
	names := c.names
	var err error
	if variable == "" {
		err = c.inRecord(res, body)
	} else {
		err = body(c.bind(variable, typ{res: res, kept: true}))
		c.names = names
	}
	if err != nil {
		return nil, err
	}
	if res.spec.Visible != nil {
		if err := c.inRecord(res, func(slot int) error {
			x, _, err := c.expression(*res.spec.Visible)
			at := q.slot
			rest = append(rest, func(f *frame) value.Value { f.slots[slot] = f.slots[at]; return x(f) })
			return err
		}); err != nil {
			return nil, err
		}
	}
	q.rest = all(rest)
	// Equal sets of members share an index.
	own := len(res.spec.Within)
	sort.Sort(&byName{props[own:], q.values[own:]})
	q.props = props
	return q, nil
}

type byName struct {
	names  []string
	values [][]expr
}

func (b *byName) Len() int           { return len(b.names) }
func (b *byName) Less(i, j int) bool { return b.names[i] < b.names[j] }
func (b *byName) Swap(i, j int) {
	b.names[i], b.names[j] = b.names[j], b.names[i]
	b.values[i], b.values[j] = b.values[j], b.values[i]
}

// outside compiles an expression of a resource in the scope of the operation,
// without the record that is being looked at.
func (c *compiler) outside(t Text) (expr, typ, error) {
	names := c.names
	for c.names != nil && c.names.record != nil {
		c.names = c.names.outer
	}
	x, ty, err := c.expression(t)
	c.names = names
	return x, ty, err
}

func all(list []expr) expr {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return func(f *frame) value.Value {
		out := value.True
		for _, x := range list {
			switch v := x(f); {
			case v.Kind() == value.HoleKind:
				out = unknown
			case !v.True():
				return value.False
			}
		}
		return out
	}
}

func conjuncts(e ast.Expr) []ast.Expr {
	if e == nil {
		return nil
	}
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		return append(conjuncts(e.AsCall().Args()[0]), conjuncts(e.AsCall().Args()[1])...)
	}
	return []ast.Expr{e}
}

// compared is the member and the value of "member == value" (or another
// operator), where the value does not hang on the record; nil if e is anything
// else.
func (c *compiler) compared(operator string, e ast.Expr, variable string) (string, ast.Expr) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operator {
		return "", nil
	}
	args := e.AsCall().Args()
	for i, side := range args {
		if prop := c.memberOf(side, variable); prop != "" && !c.mentions(args[1-i], variable) {
			return prop, args[1-i]
		}
	}
	return "", nil
}

func (c *compiler) memberOf(e ast.Expr, variable string) string {
	switch e.Kind() {
	case ast.SelectKind:
		sel := e.AsSelect()
		if o := sel.Operand(); !sel.IsTestOnly() && o.Kind() == ast.IdentKind && o.AsIdent() == orIt(variable) {
			return sel.FieldName()
		}
	case ast.IdentKind:
		if variable == "" {
			if _, member, _, ok := c.lookup(e.AsIdent()); ok && member {
				return e.AsIdent()
			}
		}
	}
	return ""
}

func orIt(variable string) string {
	if variable == "" {
		return "it"
	}
	return variable
}

// mentions is whether an expression looks at the record.
func (c *compiler) mentions(e ast.Expr, variable string) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		if e.AsIdent() == orIt(variable) {
			found = true
		} else if variable == "" {
			if _, member, _, ok := c.lookup(e.AsIdent()); ok && member {
				found = true
			}
		}
	}))
	return found
}

// parts are the trees that may hold matching records.
func (q *query) parts(f *frame, buf []*part) []*part {
	t := f.tx.table(q.res)
	ix := t.indexes[q.index]
	if len(q.values) == 0 {
		return appendPart(buf, ix, "")
	}
	var key [128]byte
	return q.product(f, ix, 0, key[:0], buf)
}

func (q *query) product(f *frame, ix *indexTree, i int, key []byte, buf []*part) []*part {
	if i == len(q.values) {
		return appendPart(buf, ix, bytesAsText(key))
	}
	for _, x := range q.values[i] {
		buf = q.product(f, ix, i+1, appendKey(key, x(f)), buf)
	}
	return buf
}

func appendPart(buf []*part, ix *indexTree, key string) []*part {
	if p, ok := ix.parts.Get(key); ok && !slices.Contains(buf, p) {
		return append(buf, p)
	}
	return buf
}

// matches is whether one record is among those that the query finds.
func (q *query) matches(f *frame, r *record) bool {
	for i, p := range q.props {
		have := r.val.Get(p)
		if !slices.ContainsFunc(q.values[i], func(x expr) bool { return f.same(have, orNull(x(f))) }) {
			return false
		}
	}
	return q.holds(f, r)
}

// same is whether two values are equal. Of open ones the chooser decides.
func (f *frame) same(a, b value.Value) bool {
	if a.Kind() == value.HoleKind || b.Kind() == value.HoleKind {
		return value.Equal(a, b) || f.truth(unknown)
	}
	return value.Equal(a, b)
}

func (q *query) holds(f *frame, r *record) bool {
	if q.rest == nil {
		return true
	}
	f.slots[q.slot] = r.val
	return f.truth(q.rest(f))
}

// each calls do for every matching record, in order, until it says false.
func (q *query) each(f *frame, do func(*record) bool) {
	var buf [4]*part
	walk(f, q.parts(f, buf[:0]), q.reverse, 0, func(r *record) bool {
		return !q.holds(f, r) || do(r)
	})
}

// count is the number of matching records.
func (q *query) count(f *frame) int {
	var buf [4]*part
	n := 0
	if q.rest == nil {
		for _, p := range q.parts(f, buf[:0]) {
			n += p.tree.Len()
		}
		return n
	}
	q.each(f, func(*record) bool { n++; return true })
	return n
}

// counted compiles the size of Resource or Resource.filter(…), which is known
// without making the list; nil if e is anything else.
func (c *compiler) counted(e ast.Expr) (expr, error) {
	res, cond, variable := c.recordsOf(e)
	if res == nil {
		return nil, nil
	}
	parts := conjuncts(cond)
	// Those with member != value are all but those with member == value.
	for i, p := range parts {
		names := c.names
		if variable != "" {
			c.bind(variable, typ{res: res, kept: true})
		}
		_, val := c.compared(operators.NotEquals, p, variable)
		c.names = names
		if val == nil {
			continue
		}
		all, err := c.conjunction(res, slices.Delete(slices.Clone(parts), i, i+1), variable)
		if err != nil {
			return nil, err
		}
		but := slices.Clone(parts)
		but[i] = ast.NewExprFactory().NewCall(p.ID(), operators.Equals, p.AsCall().Args()...)
		except, err := c.conjunction(res, but, variable)
		if err != nil {
			return nil, err
		}
		if all.rest != nil || except.rest != nil {
			break
		}
		c.unordered(all)
		c.unordered(except)
		return func(f *frame) value.Value {
			if all.more(f) {
				return unknown
			}
			return value.Int(int64(all.count(f) - except.count(f)))
		}, nil
	}
	q, err := c.conjunction(res, parts, variable)
	if err != nil {
		return nil, err
	}
	c.unordered(q)
	return func(f *frame) value.Value {
		if q.more(f) {
			return unknown
		}
		return value.Int(int64(q.count(f)))
	}, nil
}

// recordsOf takes Resource and Resource.filter(x, …) apart; res is nil if e is
// anything else.
func (c *compiler) recordsOf(e ast.Expr) (res *Resource, cond ast.Expr, variable string) {
	if c.op == nil {
		return nil, nil, ""
	}
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		args := call.Args()
		if !call.IsMemberFunction() || call.FunctionName() != "filter" || len(args) != 2 || args[0].Kind() != ast.IdentKind {
			return nil, nil, ""
		}
		e, cond, variable = call.Target(), args[1], args[0].AsIdent()
	}
	if e.Kind() != ast.IdentKind {
		return nil, nil, ""
	}
	if _, _, _, bound := c.lookup(e.AsIdent()); bound {
		return nil, nil, ""
	}
	return c.plan.resource(e.AsIdent()), cond, variable
}

// page is a section of the matching records in order, and how many there are
// in all. A negative limit means all.
func (q *query) page(f *frame, filters []expr, reverse bool, offset, limit int) (items []value.Value, total int) {
	var buf [4]*part
	parts := q.parts(f, buf[:0])
	if q.rest == nil && len(filters) == 0 {
		for _, p := range parts {
			total += p.tree.Len()
		}
		n := max(total-offset, 0)
		if limit >= 0 {
			n = min(n, limit)
		}
		if n == 0 {
			return nil, total
		}
		items = make([]value.Value, 0, n)
		walk(f, parts, reverse, offset, func(r *record) bool {
			items = append(items, r.val)
			return len(items) < n
		})
		return items, total
	}
	walk(f, parts, reverse, 0, func(r *record) bool {
		if !q.holds(f, r) {
			return true
		}
		f.slots[q.slot] = r.val
		for _, x := range filters {
			if !f.truth(x(f)) {
				return true
			}
		}
		if total >= offset && (limit < 0 || total-offset < limit) {
			items = append(items, r.val)
		}
		total++
		return true
	})
	return items, total
}

// walk goes through the records of several parts in their common order, from
// the one at offset.
func walk(f *frame, parts []*part, reverse bool, offset int, do func(*record) bool) {
	visit := func(_ string, r *record) bool { return f.spend() && do(r) }
	switch len(parts) {
	case 0:
		return
	case 1:
		tree := parts[0].tree
		switch {
		case offset >= tree.Len():
		case offset == 0 && !reverse:
			tree.Scan(visit)
		case offset == 0:
			tree.Reverse(visit)
		case reverse:
			key, _, _ := tree.GetAt(tree.Len() - 1 - offset)
			tree.Descend(key, visit)
		default:
			key, _, _ := tree.GetAt(offset)
			tree.Ascend(key, visit)
		}
		return
	}
	cursors := make([]int, len(parts))
	at := func(p *part, i int) (string, *record, bool) {
		if reverse {
			i = p.tree.Len() - 1 - i
		}
		key, r, ok := p.tree.GetAt(i)
		return key, r, ok && i >= 0
	}
	less := func(a, b string) bool { return (a < b) != reverse }
	// Leap over whole stretches while more than a few records are to be
	// skipped: of the parts, the one whose record at the end of its stretch is
	// least can lose that stretch.
	for offset > 2*len(parts) {
		stretch := offset / (2 * len(parts))
		best, bestKey, bestLen := -1, "", 0
		for i, p := range parts {
			n := min(stretch, p.tree.Len()-cursors[i])
			if n <= 0 {
				continue
			}
			key, _, _ := at(p, cursors[i]+n-1)
			if best < 0 || less(key, bestKey) {
				best, bestKey, bestLen = i, key, n
			}
		}
		if best < 0 {
			return
		}
		cursors[best] += bestLen
		offset -= bestLen
	}
	for {
		best, bestKey := -1, ""
		var bestRecord *record
		for i, p := range parts {
			if cursors[i] >= p.tree.Len() {
				continue
			}
			if key, r, ok := at(p, cursors[i]); ok && (best < 0 || less(key, bestKey)) {
				best, bestKey, bestRecord = i, key, r
			}
		}
		if best < 0 {
			return
		}
		cursors[best]++
		if offset > 0 {
			offset--
			continue
		}
		if !visit(bestKey, bestRecord) {
			return
		}
	}
}
