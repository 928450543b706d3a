package behavior

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
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
	slots   int             // the most slots in use
	free    int             // the next free one
	extra   map[string]bool // names of the context: violations, quota, v, …
	later   bool            // below "after"
	reading bool            // compiling on-read
	record  bool            // compiling what hangs on a record alone
	rules   *[]*Rule        // where the rules of the operation are collected
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
	c.names = &scope{outer: names, name: "it", slot: slot, t: typ{res: res}, record: res}
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
			var out []value.Value
			q.each(f, func(r *record) bool { out = append(out, r.val); return true })
			return value.Array(out...)
		}, typ{res: res, list: true}, nil
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
		elem = typ{res: t.res}
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
			return func(f *frame) value.Value { return value.Int(int64(count(f))) }, typ{}, nil
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

// loops are the methods that bind a variable: list.exists(x, condition).
var loops = map[string]struct {
	args int
	run  func(f *frame, list value.Value, slot int, body []expr) value.Value
}{
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

func (c *compiler) loop(e ast.Expr, name string, m struct {
	args int
	run  func(f *frame, list value.Value, slot int, body []expr) value.Value
}, call ast.CallExpr) (expr, typ, error) {
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
		elem = typ{res: t.res}
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
			return value.Bool(found)
		}, typ{}, nil
	}
	q = c.ordered(q, nil)
	return func(f *frame) value.Value {
		var out []value.Value
		q.each(f, func(r *record) bool { out = append(out, r.val); return true })
		return value.Array(out...)
	}, typ{res: res, list: true}, nil
}
