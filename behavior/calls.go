package behavior

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/understudy-dev/understudy/behavior/value"
)

func (c *compiler) call(e ast.Expr) (expr, typ, error) {
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	switch name {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.logic(name == operators.LogicalAnd, args)
	case operators.Conditional:
		x, err := c.compileAll(args)
		if err != nil {
			return nil, typ{}, err
		}
		cond, yes, no := x[0], x[1], x[2]
		return func(f *frame) value.Value {
			if f.truth(cond(f)) {
				return yes(f)
			}
			return no(f)
		}, typ{}, nil
	case operators.Index:
		return c.index(e, args)
	}
	if op, ok := binaryOperators[name]; ok && len(args) == 2 {
		x, err := c.compileAll(args)
		if err != nil {
			return nil, typ{}, err
		}
		a, b, cost := x[0], x[1], looked
		if name == operators.Add {
			cost = grown
		}
		if p, q := folded(args[0]), folded(args[1]); name == operators.Equals && p != nil && q != nil {
			// Whatever the case, without making the folded texts.
			x, err := c.compileAll([]ast.Expr{p, q})
			if err != nil {
				return nil, typ{}, err
			}
			a, b, op = x[0], x[1], equalFolded
		}
		return func(f *frame) value.Value {
			p, q := a(f), b(f)
			if p.Kind() == value.HoleKind || q.Kind() == value.HoleKind {
				if name == operators.Equals && value.Equal(p, q) && !value.Equal(p, unknown) {
					return value.True
				}
				return unknown
			}
			if !f.afford(cost(p, q)) {
				return value.Null
			}
			return op(p, q)
		}, typ{}, nil
	}
	if name == operators.LogicalNot || name == operators.Negate {
		x, _, err := c.compile(args[0])
		if err != nil {
			return nil, typ{}, err
		}
		op := not
		if name == operators.Negate {
			op = negate
		}
		return func(f *frame) value.Value {
			v := x(f)
			if v.Kind() == value.HoleKind {
				return unknown
			}
			return op(v)
		}, typ{}, nil
	}
	if call.IsMemberFunction() {
		if m, ok := loops[name]; ok {
			return c.loop(e, name, m, call)
		}
		args = append([]ast.Expr{call.Target()}, args...)
	}
	return c.function(e, name, call.IsMemberFunction(), args)
}

// folded is the x of fold(x), nil for any other expression.
func folded(e ast.Expr) ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "fold" && !e.AsCall().IsMemberFunction() && len(e.AsCall().Args()) == 1 {
		return e.AsCall().Args()[0]
	}
	return nil
}

func (c *compiler) logic(and bool, args []ast.Expr) (expr, typ, error) {
	x, err := c.compileAll(args)
	if err != nil {
		return nil, typ{}, err
	}
	a, b := x[0], x[1]
	return func(f *frame) value.Value {
		p := a(f)
		if p.Kind() == value.HoleKind {
			q := b(f)
			if q.Kind() != value.HoleKind && q.True() != and {
				return value.Bool(!and)
			}
			return unknown
		}
		if p.True() != and {
			return value.Bool(!and)
		}
		q := b(f)
		if q.Kind() == value.HoleKind {
			return unknown
		}
		return value.Bool(q.True())
	}, typ{}, nil
}

func (c *compiler) index(e ast.Expr, args []ast.Expr) (expr, typ, error) {
	if args[0].Kind() == ast.IdentKind && args[0].AsIdent() == "header" && args[1].Kind() == ast.LiteralKind {
		if s, ok := args[1].AsLiteral().(types.String); ok {
			name, raw := strings.ToLower(string(s)), canonical(string(s))
			return func(f *frame) value.Value {
				if v := f.call.Header.Get(name); !v.IsMissing() {
					return v
				}
				return f.call.rawHeader(raw)
			}, typ{}, nil
		}
	}
	if args[1].Kind() == ast.LiteralKind {
		if s, ok := args[1].AsLiteral().(types.String); ok {
			if err := c.declared(args[0], string(s)); err != nil {
				return nil, typ{}, fault(e, "%v", err)
			}
		}
	}
	of, t, err := c.compile(args[0])
	if err != nil {
		return nil, typ{}, err
	}
	at, _, err := c.compile(args[1])
	if err != nil {
		return nil, typ{}, err
	}
	var elem typ
	if t.list {
		elem = typ{res: t.res, kept: t.kept}
	}
	return func(f *frame) value.Value {
		o, i := of(f), at(f)
		if o.Kind() == value.HoleKind || i.Kind() == value.HoleKind {
			return unknown
		}
		if i.IsString() {
			f.afford(int64(o.Len() >> 3))
			return o.Get(i.Text())
		}
		if n, ok := i.Int(); ok {
			return o.At(int(n))
		}
		return value.Value{}
	}, elem, nil
}

func (c *compiler) function(e ast.Expr, name string, member bool, args []ast.Expr) (expr, typ, error) {
	def, ok := functions[name]
	if !ok {
		return nil, typ{}, fault(e, "there is no function %s(); have %s", name, functionNames)
	}
	if len(args) < def.min || len(args) > def.max {
		return nil, typ{}, fault(e, "%s", def.usage(name))
	}
	if member && !def.member {
		return nil, typ{}, fault(e, "%s() is no method; %s", name, def.usage(name))
	}
	// Resource.filter(…).size() counts without making the list.
	if name == "size" {
		if count, err := c.counted(args[0]); err != nil || count != nil {
			if err != nil {
				return nil, typ{}, err
			}
			return count, typ{}, nil
		}
	}
	if def.choice != nil {
		if c.record {
			return nil, typ{}, fault(e, "%s() cannot be used here: the value must hang on the record alone", name)
		}
		x, err := def.choice(c, e, args)
		return x, typ{}, err
	}
	x, err := c.compileAll(args)
	if err != nil {
		return nil, typ{}, err
	}
	if def.prepare != nil {
		if ready, err := def.prepare(e, args, x); err != nil || ready != nil {
			return ready, typ{}, err
		}
	}
	fn, cost := def.fn, weights
	if own := costs[name]; own != nil {
		cost = own
	}
	return func(f *frame) value.Value {
		// The arguments are on a stack of the frame, so that they cost nothing.
		base := len(f.args)
		open := false
		for _, a := range x {
			v := a(f)
			f.args = append(f.args, v)
			open = open || v.Kind() == value.HoleKind
		}
		out := unknown
		if args := f.args[base:]; !open {
			if out = value.Null; f.afford(cost(args)) {
				out = fn(args)
			}
		}
		f.args = f.args[:base]
		return out
	}, typ{}, nil
}
