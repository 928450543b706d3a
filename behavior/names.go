package behavior

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// roots are the names that a call brings with it.
var roots = map[string]expr{
	"path":   func(f *frame) value.Value { return f.call.Path },
	"query":  func(f *frame) value.Value { return f.call.Query },
	"header": func(f *frame) value.Value { return f.call.Header },
	"cookie": func(f *frame) value.Value { return f.call.Cookie },
	"body":   func(f *frame) value.Value { return orNull(f.call.Body) },
}

// ambient are the names that are there without an operation, too.
var ambient = map[string]expr{
	"caller":  func(f *frame) value.Value { return f.call.Caller.value() },
	"request": func(f *frame) value.Value { return objectOf(requestMembers, f.call) },
}

// contextual are the names that only some places have.
var contextual = map[string]expr{
	"violations":     func(f *frame) value.Value { return f.violations() },
	"violation":      func(f *frame) value.Value { return f.violations().At(0) },
	"missing_scopes": func(f *frame) value.Value { return f.missing },
	"quota":          func(f *frame) value.Value { return objectOf(quotaMembers, &f.quota) },
	"v":              func(f *frame) value.Value { return f.violation },
}

// objectOf makes an object of a table of its members.
func objectOf[T any](table map[string]func(T) value.Value, of T) value.Value {
	out := make([]value.Member, 0, len(table))
	for _, name := range slices.Sorted(maps.Keys(table)) {
		out = append(out, value.Member{Name: name, Value: table[name](of)})
	}
	return value.Object(out...)
}

// known compiles a member of request or quota, without making the object; nil
// if e is neither.
func (c *compiler) known(e ast.Expr, field string) (expr, error) {
	if e.Kind() != ast.IdentKind {
		return nil, nil
	}
	name := e.AsIdent()
	if _, _, _, bound := c.lookup(name); bound {
		return nil, nil
	}
	var have []string
	switch {
	case name == "request":
		if m, ok := requestMembers[field]; ok {
			return func(f *frame) value.Value { return m(f.call) }, nil
		}
		have = slices.Sorted(maps.Keys(requestMembers))
	case name == "quota" && c.extra["quota"]:
		if m, ok := quotaMembers[field]; ok {
			return func(f *frame) value.Value { return m(&f.quota) }, nil
		}
		have = slices.Sorted(maps.Keys(quotaMembers))
	default:
		return nil, nil
	}
	return nil, fmt.Errorf("%s has no member %q; have %s", name, field, strings.Join(have, ", "))
}

func (c *compiler) ident(e ast.Expr) (expr, typ, error) {
	name := e.AsIdent()
	if slot, member, t, ok := c.lookup(name); ok {
		if member {
			if c.hides(name) {
				return nil, typ{}, fault(e, "%q is a member of %s and a bound name; want it.%s, or bind the other with as", name, t.res.Name, name)
			}
			return func(f *frame) value.Value { return f.slots[slot].Get(name) }, typ{}, nil
		}
		return func(f *frame) value.Value { return f.slots[slot] }, t, nil
	}
	if x, ok := ambient[name]; ok {
		if c.record {
			return nil, typ{}, fault(e, "%q cannot be named here: the value must hang on the record alone", name)
		}
		return x, typ{}, nil
	}
	if x, ok := contextual[name]; ok && c.extra[name] {
		return x, typ{}, nil
	}
	if x, ok := roots[name]; ok && c.op != nil {
		return x, typ{}, nil
	}
	if res := c.plan.resource(name); res != nil {
		if c.op == nil {
			return nil, typ{}, fault(e, "the records of %s cannot be named here", name)
		}
		q, err := c.query(res, nil, "")
		if err != nil {
			return nil, typ{}, err
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
	return nil, typ{}, fault(e, "%q is not bound here%s", name, c.have())
}

// lookup finds a bound name. With member, it is a member of the record in slot,
// and t that record's type.
func (c *compiler) lookup(name string) (slot int, member bool, t typ, ok bool) {
	for s := c.names; s != nil; s = s.outer {
		if s.name == name {
			return s.slot, false, s.t, true
		}
		if s.record != nil && s.record.members[name] {
			return s.slot, true, typ{res: s.record}, true
		}
	}
	return 0, false, typ{}, false
}

// hides is whether a bare member stands before a name that a step bound.
func (c *compiler) hides(name string) bool {
	for s := c.names; s != nil; s = s.outer {
		if s.name == name {
			return true
		}
	}
	return false
}

func (c *compiler) have() string {
	var names []string
	for s := c.names; s != nil; s = s.outer {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
		if s.record != nil {
			for m := range s.record.members {
				names = append(names, m)
			}
		}
	}
	for n := range ambient {
		names = append(names, n)
	}
	if c.op != nil {
		for n := range roots {
			names = append(names, n)
		}
		for _, r := range c.plan.resources {
			names = append(names, r.Name)
		}
	}
	for n := range c.extra {
		names = append(names, n)
	}
	slices.Sort(names)
	return "; have " + strings.Join(slices.Compact(names), ", ")
}

func (c *compiler) selection(e ast.Expr) (expr, typ, error) {
	sel := e.AsSelect()
	field := sel.FieldName()
	if err := c.declared(sel.Operand(), field); err != nil {
		return nil, typ{}, fault(e, "%v", err)
	}
	if x, err := c.known(sel.Operand(), field); err != nil {
		return nil, typ{}, fault(e, "%v", err)
	} else if x != nil && !sel.IsTestOnly() {
		return x, typ{}, nil
	}
	operand, t, err := c.compile(sel.Operand())
	if err != nil {
		return nil, typ{}, err
	}
	if t.res != nil && !t.list {
		if err := t.res.member(field); err != nil {
			return nil, typ{}, fault(e, "%v", err)
		}
		if t.kept && t.res.computed[field] {
			return nil, typ{}, fault(e, "%s is computed by on-read; the records that are looked through do not have it", field)
		}
	}
	if sel.IsTestOnly() {
		return func(f *frame) value.Value {
			o := operand(f)
			if o.Kind() == value.HoleKind {
				return unknown
			}
			return value.Bool(o.Has(field))
		}, typ{}, nil
	}
	return func(f *frame) value.Value {
		o := operand(f)
		if o.Kind() == value.HoleKind {
			return unknown
		}
		return o.Get(field)
	}, typ{}, nil
}

// declared checks that a parameter or a member of the body is one that the
// operation documents.
func (c *compiler) declared(operand ast.Expr, field string) error {
	if operand.Kind() != ast.IdentKind || c.op == nil {
		return nil
	}
	name := operand.AsIdent()
	if _, _, _, bound := c.lookup(name); bound {
		return nil
	}
	var known []string
	switch name {
	case "path", "query", "cookie", "header":
		known = c.op.Parameters[name]
		if name == "header" && !slices.Contains(known, field) {
			return fmt.Errorf("no header parameter %q is documented; have %s (or header[%q] for its text)", field, orNone(known), strings.ReplaceAll(field, "_", "-"))
		}
	case "body":
		if c.op.Body == nil || len(c.op.Body.Members) == 0 {
			if c.op.Body == nil {
				return fmt.Errorf("the operation has no request body")
			}
			return nil
		}
		for _, m := range c.op.Body.Members {
			known = append(known, m.Name)
		}
	default:
		return nil
	}
	if !slices.Contains(known, field) {
		what := name + " parameter"
		if name == "body" {
			what = "member of the body"
		}
		return fmt.Errorf("no %s %q is documented; have %s", what, field, orNone(known))
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
