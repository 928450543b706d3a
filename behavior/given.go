package behavior

import (
	"slices"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// DoWith is [World.Do] with somebody else's choices: those that a real server
// has made, or holes. Quotas do not count it.
func (w *World) DoWith(call *Call, choose Chooser) Outcome {
	now := w.clock()
	w.settle(now)
	f := frames.Get().(*frame)
	f.reset(w.plan, call)
	w.mu.Lock()
	defer w.mu.Unlock()
	exclusive, keep := w.begin(f, now), false
	defer func() { w.end(f, exclusive, keep) }()
	f.watch(choose)
	out := f.step()
	keep = !out.Refused
	return out
}

// Resolve puts values in the place of holes in all records: for what describes
// a hole, the function gives its value, or false while it is not known.
func (w *World) Resolve(known func(hole any) (value.Value, bool)) {
	f := frames.Get().(*frame)
	f.reset(w.plan, &Call{})
	w.mu.Lock()
	defer w.mu.Unlock()
	exclusive := w.begin(f, w.clock())
	defer func() { w.end(f, exclusive, true) }()
	for _, r := range w.plan.resources {
		var open []*record
		f.tx.table(r).ids.Scan(func(_ string, rec *record) bool {
			if hasHole(rec.val) {
				open = append(open, rec)
			}
			return true
		})
		for _, rec := range open {
			if v := Fill(rec.val, known); !value.Equal(v, rec.val) {
				f.tx.replace(r, rec, v)
			}
		}
	}
}

func hasHole(v value.Value) bool {
	return v.Kind() == value.HoleKind || slices.ContainsFunc(v.Elems(), hasHole) ||
		slices.ContainsFunc(v.Members(), func(m value.Member) bool { return hasHole(m.Value) })
}

// Fill is a value with values for the holes in it that are known.
func Fill(v value.Value, known func(hole any) (value.Value, bool)) value.Value {
	switch {
	case v.Kind() == value.HoleKind:
		if got, ok := known(v.Hole()); ok {
			return got
		}
	case v.IsArray():
		elems := slices.Clone(v.Elems())
		for i := range elems {
			elems[i] = Fill(elems[i], known)
		}
		return value.Array(elems...)
	case v.IsObject():
		members := slices.Clone(v.Members())
		for i := range members {
			members[i].Value = Fill(members[i].Value, known)
		}
		return value.Object(members...)
	}
	return v
}

// A Lookup says that a find of an operation takes its id from the request.
type Lookup struct {
	Location string // path, query, header, cookie or body
	Name     string // of the parameter, or the member of the body
	Resource string
}

// Lookups are those of the operation, in the order of its steps.
func (o *Operation) Lookups() []Lookup { return o.lookups }

// Later is whether some of the operation's steps happen after its answer.
func (o *Operation) Later() bool { return later(o.spec.Steps) }

func later(steps []StepSpec) bool {
	return slices.ContainsFunc(steps, func(s StepSpec) bool {
		return s.Kind == After || slices.ContainsFunc(s.Branches, later)
	})
}

// collectLookups notes which parts of the request an id expression reads.
func (c *compiler) collectLookups(id *Text, r *Resource) {
	if id == nil || c.lookups == nil {
		return
	}
	tree, err := parse(*id)
	if err != nil {
		return
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind {
			return
		}
		root := e.AsSelect().Operand().AsIdent()
		if _, ok := roots[root]; !ok {
			return
		}
		l := Lookup{root, e.AsSelect().FieldName(), r.Name}
		if !slices.Contains(*c.lookups, l) {
			*c.lookups = append(*c.lookups, l)
		}
	}))
}
