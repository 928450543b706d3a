package behavior

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"github.com/understudy-dev/understudy/behavior/value"
)

// expr is a compiled expression. It is total: there is no error at run time,
// what makes no sense is null.
type expr func(f *frame) value.Value

// typ is what is known of an expression before it runs: that it is a record of
// a resource, or a list of those.
type typ struct {
	res  *Resource
	list bool
	kept bool // as it is kept: without what on-read computes
}

var celParser = func() *parser.Parser {
	p, err := parser.NewParser(
		parser.Macros(parser.HasMacro),
		parser.EnablePrattParser(true),
		parser.MaxRecursionDepth(64),
		parser.ExpressionSizeCodePointLimit(10_000),
	)
	if err != nil {
		panic(err) // a constant set of options
	}
	return p
}()

// A Text is an expression or a template as the document has it.
type Text struct {
	S   string
	Pos Position
}

// scope is a linked list of names, innermost first. An entry with a record
// stands for all members of that resource, bare, and for "it".
type scope struct {
	outer  *scope
	name   string
	slot   int
	t      typ
	record *Resource
}

// A compiler turns texts into closures, for one operation or, where op is nil,
// for what belongs to no operation.
type compiler struct {
	plan    *Plan
	op      *OperationSpec
	names   *scope
	slots   int                      // the most slots in use
	free    int                      // the next free one
	extra   map[string]bool          // names of the context: violations, quota, v, …
	later   bool                     // below "after"
	reading bool                     // compiling on-read
	record  bool                     // compiling what hangs on a record alone
	rules   *[]*Rule                 // where the rules of the operation are collected
	lookups *[]Lookup                // where those of the operation are collected
	made    map[*FailureSpec]*answer // for the built-in checks, which share them
}

func (c *compiler) bind(name string, t typ) int {
	slot := c.free
	c.free++
	c.slots = max(c.slots, c.free)
	c.names = &scope{outer: c.names, name: name, slot: slot, t: t}
	return slot
}

// inRecord compiles with the members of res in scope and returns their slot.
func (c *compiler) inRecord(res *Resource, do func(slot int) error) error {
	names := c.names
	slot := c.free
	c.free++
	c.slots = max(c.slots, c.free)
	c.names = &scope{outer: names, name: "it", slot: slot, t: typ{res: res, kept: true}, record: res}
	err := do(slot)
	c.names = names
	return err
}

// placedError is an error that begins with its place.
type placedError struct{ error }

func (e *placedError) Unwrap() error { return e.error }

func errorAt(pos Position, format string, args ...any) error {
	return &placedError{fmt.Errorf("%v: "+format, append([]any{pos}, args...)...)}
}

// parse reads an expression.
func parse(t Text) (*ast.AST, error) {
	if strings.TrimSpace(t.S) == "" {
		return nil, errorAt(t.Pos, "the expression is empty")
	}
	tree, errs := celParser.Parse(common.NewTextSource(t.S))
	if list := errs.GetErrors(); len(list) > 0 {
		first := list[0]
		return nil, errorAt(shift(t, first.Location.Line(), first.Location.Column()+1), "expression %s: %s", quote(t.S), strings.TrimPrefix(first.Message, "Syntax error: "))
	}
	return tree, nil
}

func quote(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80]) + "…"
	}
	return "`" + s + "`"
}

// shift is the place of a line and column (from 1) inside a text. The columns of later
// lines of a folded YAML text are lost, so those keep the place of the text.
func shift(t Text, line, column int) Position {
	p := t.Pos
	if p.Line > 0 && line <= 1 && column > 0 {
		p.Column += column - 1
	}
	return p
}

// expression compiles a text that is wholly an expression.
func (c *compiler) expression(t Text) (expr, typ, error) {
	tree, err := parse(t)
	if err != nil {
		return nil, typ{}, err
	}
	return c.compileAt(t, tree, tree.Expr())
}

func (c *compiler) compileAt(t Text, tree *ast.AST, e ast.Expr) (expr, typ, error) {
	ex, ty, err := c.compile(e)
	if err == nil {
		return ex, ty, nil
	}
	return c.locate(t, tree, err)
}

// locate gives an error its place in the text. One that has a place of its own
// keeps it.
func (c *compiler) locate(t Text, tree *ast.AST, err error) (expr, typ, error) {
	if _, placed := err.(*placedError); placed {
		return nil, typ{}, err
	}
	pos := t.Pos
	if fault, ok := err.(*faultAt); ok {
		if loc := tree.SourceInfo().GetStartLocation(fault.id); loc != nil && loc.Line() > 0 {
			pos = shift(t, loc.Line(), loc.Column()+1)
		}
		err = fault.err
	}
	return nil, typ{}, errorAt(pos, "expression %s: %v", quote(t.S), err)
}

// faultAt is an error at a node of an expression.
type faultAt struct {
	id  int64
	err error
}

func (e *faultAt) Error() string { return e.err.Error() }

func fault(e ast.Expr, format string, args ...any) error {
	return &faultAt{e.ID(), fmt.Errorf(format, args...)}
}

func constant(v value.Value) expr { return func(*frame) value.Value { return v } }

func (c *compiler) compile(e ast.Expr) (expr, typ, error) {
	switch e.Kind() {
	case ast.LiteralKind:
		v, err := literal(e)
		return constant(v), typ{}, err
	case ast.IdentKind:
		return c.ident(e)
	case ast.SelectKind:
		return c.selection(e)
	case ast.ListKind:
		elems, err := c.compileAll(e.AsList().Elements())
		if err != nil {
			return nil, typ{}, err
		}
		return func(f *frame) value.Value {
			out := make([]value.Value, len(elems))
			for i, x := range elems {
				out[i] = orNull(x(f))
			}
			return value.Array(out...)
		}, typ{}, nil
	case ast.MapKind:
		return c.object(e)
	case ast.CallKind:
		return c.call(e)
	}
	return nil, typ{}, fault(e, "this form is not part of the language")
}

func orNull(v value.Value) value.Value {
	if v.IsMissing() {
		return value.Null
	}
	return v
}

func (c *compiler) compileAll(list []ast.Expr) ([]expr, error) {
	out := make([]expr, len(list))
	for i, e := range list {
		x, _, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func literal(e ast.Expr) (value.Value, error) {
	switch v := e.AsLiteral().(type) {
	case types.String:
		return value.String(string(v)), nil
	case types.Int:
		return value.Int(int64(v)), nil
	case types.Uint:
		return value.Number(strconv.FormatUint(uint64(v), 10)), nil
	case types.Double:
		return value.Float(float64(v)), nil
	case types.Bool:
		return value.Bool(bool(v)), nil
	case types.Null:
		return value.Null, nil
	}
	return value.Null, fault(e, "this kind of literal is not part of the language")
}

func (c *compiler) object(e ast.Expr) (expr, typ, error) {
	entries := e.AsMap().Entries()
	names := make([]string, len(entries))
	values := make([]expr, len(entries))
	for i, en := range entries {
		key := en.AsMapEntry().Key()
		if key.Kind() != ast.LiteralKind {
			return nil, typ{}, fault(key, "the key of an object must be a literal text")
		}
		name, ok := key.AsLiteral().(types.String)
		if !ok {
			return nil, typ{}, fault(key, "the key of an object must be a text")
		}
		if slices.Contains(names[:i], string(name)) {
			return nil, typ{}, fault(key, "the key %q occurs twice", string(name))
		}
		x, _, err := c.compile(en.AsMapEntry().Value())
		if err != nil {
			return nil, typ{}, err
		}
		names[i], values[i] = string(name), x
	}
	return func(f *frame) value.Value {
		members := make([]value.Member, len(names))
		for i, name := range names {
			members[i] = value.Member{Name: name, Value: orNull(values[i](f))}
		}
		return value.Object(members...)
	}, typ{}, nil
}
