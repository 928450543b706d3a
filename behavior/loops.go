package behavior

import (
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// loopForm is a method that binds a variable.
type loopForm struct {
	args int // with the variable
	run  func(f *frame, list value.Value, slot int, body []expr) value.Value
}

// loops are list.exists(x, condition) and the like.
var loops = map[string]loopForm{
	"exists": {2, func(f *frame, list value.Value, slot int, body []expr) value.Value {
		maybe := false
		for _, e := range list.Elems() {
			if !f.spend() {
				return value.Null
			}
			f.slots[slot] = e
			v := body[0](f)
			if v.True() {
				return value.True
			}
			maybe = maybe || v.Kind() == value.HoleKind
		}
		if maybe {
			return unknown
		}
		return value.False
	}},
	"all": {2, func(f *frame, list value.Value, slot int, body []expr) value.Value {
		maybe := false
		for _, e := range list.Elems() {
			if !f.spend() {
				return value.Null
			}
			f.slots[slot] = e
			v := body[0](f)
			if v.Kind() == value.HoleKind {
				maybe = true
			} else if !v.True() {
				return value.False
			}
		}
		if maybe {
			return unknown
		}
		return value.True
	}},
	"filter": {2, func(f *frame, list value.Value, slot int, body []expr) value.Value {
		var out []value.Value
		for _, e := range list.Elems() {
			if !f.spend() {
				return value.Null
			}
			f.slots[slot] = e
			if f.truth(body[0](f)) && f.afford(perElement) {
				out = append(out, e)
			}
		}
		return value.Array(out...)
	}},
	"map": {2, func(f *frame, list value.Value, slot int, body []expr) value.Value {
		out := make([]value.Value, 0, list.Len())
		for _, e := range list.Elems() {
			if !f.afford(perElement) {
				return value.Null
			}
			f.slots[slot] = e
			out = append(out, orNull(body[0](f)))
		}
		return value.Array(out...)
	}},
	"group": {3, func(f *frame, list value.Value, slot int, body []expr) value.Value {
		var members []value.Member
		var groups [][]value.Value
		at := map[string]int{}
		for _, e := range list.Elems() {
			if !f.afford(perElement) {
				return value.Null
			}
			f.slots[slot] = e
			key, val := textOf(body[0](f)), orNull(body[1](f))
			i, ok := at[key]
			if !ok {
				i = len(members)
				at[key] = i
				members, groups = append(members, value.Member{Name: key}), append(groups, nil)
			}
			groups[i] = append(groups[i], val)
		}
		for i, g := range groups {
			members[i].Value = value.Array(g...)
		}
		return value.Object(members...)
	}},
}

func (c *compiler) loop(e ast.Expr, name string, m loopForm, call ast.CallExpr) (expr, typ, error) {
	args := call.Args()
	if len(args) != m.args || args[0].Kind() != ast.IdentKind {
		return nil, typ{}, fault(e, "want list.%s(name, %s)", name, strings.Repeat("expression, ", m.args-2)+"expression")
	}
	target := call.Target()
	// A condition on the records of a resource is answered from an index.
	if (name == "filter" || name == "exists") && target.Kind() == ast.IdentKind {
		if _, _, _, bound := c.lookup(target.AsIdent()); !bound {
			if res := c.plan.resource(target.AsIdent()); res != nil && c.op != nil {
				return c.records(name, res, args)
			}
		}
	}
	list, t, err := c.compile(target)
	if err != nil {
		return nil, typ{}, err
	}
	names, elem := c.names, typ{}
	if t.list {
		elem = typ{res: t.res, kept: t.kept}
	}
	slot := c.bind(args[0].AsIdent(), elem)
	body, err := c.compileAll(args[1:])
	c.names = names
	if err != nil {
		return nil, typ{}, err
	}
	result := typ{}
	if name == "filter" {
		result = t
	}
	return func(f *frame) value.Value {
		l := list(f)
		if l.Kind() == value.HoleKind {
			return unknown
		}
		if l.IsObject() { // as in CEL: the keys
			keys := make([]value.Value, 0, l.Len())
			for _, k := range l.Members() {
				keys = append(keys, value.String(k.Name))
			}
			l = value.Array(keys...)
		}
		return m.run(f, l, slot, body)
	}, result, nil
}

// records compiles Resource.filter(x, …) and Resource.exists(x, …).
func (c *compiler) records(name string, res *Resource, args []ast.Expr) (expr, typ, error) {
	q, err := c.query(res, args[1], args[0].AsIdent())
	if err != nil {
		return nil, typ{}, err
	}
	if name == "exists" {
		c.unordered(q)
		return func(f *frame) value.Value {
			found := false
			q.each(f, func(*record) bool { found = true; return false })
			if !found && q.more(f) {
				return unknown
			}
			return value.Bool(found)
		}, typ{}, nil
	}
	q = c.ordered(q, nil)
	return func(f *frame) value.Value {
		if q.more(f) {
			return unknown
		}
		var out []value.Value
		q.each(f, func(r *record) bool { out = append(out, r.val); return true })
		return value.Array(out...)
	}, typ{res: res, list: true, kept: true}, nil
}
