package behavior

import (
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"golang.org/x/text/cases"

	"github.com/understudy-dev/understudy/behavior/value"
)

// binaryOperators work on values that are no holes.
var binaryOperators = map[string]func(a, b value.Value) value.Value{
	operators.Equals:        func(a, b value.Value) value.Value { return value.Bool(value.Equal(a, b)) },
	operators.NotEquals:     func(a, b value.Value) value.Value { return value.Bool(!value.Equal(a, b)) },
	operators.Less:          func(a, b value.Value) value.Value { return ordered(a, b, func(c int) bool { return c < 0 }) },
	operators.LessEquals:    func(a, b value.Value) value.Value { return ordered(a, b, func(c int) bool { return c <= 0 }) },
	operators.Greater:       func(a, b value.Value) value.Value { return ordered(a, b, func(c int) bool { return c > 0 }) },
	operators.GreaterEquals: func(a, b value.Value) value.Value { return ordered(a, b, func(c int) bool { return c >= 0 }) },
	operators.Add:           add,
	operators.Subtract:      subtract,
	operators.Multiply: func(a, b value.Value) value.Value {
		return arithmetic(a, b, (*big.Rat).Mul, func(x, y int64) (int64, bool) {
			if x == 0 || y == 0 {
				return 0, true
			}
			p := x * y
			return p, p/y == x && !(x == -1 && y == -1<<63) && !(y == -1 && x == -1<<63)
		})
	},
	operators.Divide: divide,
	operators.Modulo: func(a, b value.Value) value.Value {
		x, ok1 := a.Int()
		y, ok2 := b.Int()
		if !ok1 || !ok2 || y == 0 {
			return value.Null
		}
		return value.Int(x % y)
	},
	operators.In: func(a, b value.Value) value.Value {
		if b.IsObject() {
			return value.Bool(a.IsString() && b.Has(a.Text()))
		}
		return value.Bool(slices.ContainsFunc(b.Elems(), func(e value.Value) bool { return value.Equal(a, e) }))
	},
}

func not(v value.Value) value.Value { return value.Bool(!v.True()) }

func negate(v value.Value) value.Value { return subtract(value.Int(0), v) }

func subtract(a, b value.Value) value.Value {
	return arithmetic(a, b, (*big.Rat).Sub, func(x, y int64) (int64, bool) { s := x - y; return s, (s < x) == (y > 0) })
}

// ordered compares values of one kind; null is less than everything.
func ordered(a, b value.Value, holds func(int) bool) value.Value {
	if a.Kind() != b.Kind() && !a.IsNull() && !b.IsNull() {
		return value.False
	}
	return value.Bool(holds(value.Compare(a, b)))
}

func add(a, b value.Value) value.Value {
	switch {
	case a.IsNumber() && b.IsNumber():
		return arithmetic(a, b, (*big.Rat).Add, func(x, y int64) (int64, bool) { s := x + y; return s, (s > x) == (y > 0) })
	case a.IsString() && b.IsString():
		return value.String(a.Text() + b.Text())
	case a.IsArray() && b.IsArray():
		return value.Array(slices.Concat(a.Elems(), b.Elems())...)
	}
	return value.Null
}

// arithmetic computes with int64 where that is exact, otherwise with all
// digits.
func arithmetic(a, b value.Value, exact func(z, x, y *big.Rat) *big.Rat, quick func(x, y int64) (int64, bool)) value.Value {
	if x, ok := a.Int(); ok {
		if y, ok := b.Int(); ok {
			if r, ok := quick(x, y); ok {
				return value.Int(r)
			}
		}
	}
	if !a.IsNumber() || !b.IsNumber() {
		return value.Null
	}
	x, y := value.Rat(a.Text()), value.Rat(b.Text())
	if x == nil || y == nil {
		return value.Null
	}
	return rational(exact(new(big.Rat), x, y))
}

func rational(r *big.Rat) value.Value {
	if r.IsInt() {
		return value.Number(r.Num().String())
	}
	if n, exact := r.FloatPrec(); exact && n <= 30 {
		return value.Number(r.FloatString(n))
	}
	f, _ := r.Float64()
	return value.Float(f)
}

func divide(a, b value.Value) value.Value {
	if x, ok := a.Int(); ok {
		if y, ok := b.Int(); ok {
			switch y {
			case 0:
				return value.Null
			case -1:
				return negate(a)
			}
			return value.Int(x / y) // as CEL: towards zero
		}
	}
	if !a.IsNumber() || !b.IsNumber() || b.Float() == 0 {
		return value.Null
	}
	return value.Float(a.Float() / b.Float())
}

// textOf is how a value is written into a text.
func textOf(v value.Value) string {
	switch v.Kind() {
	case value.StringKind, value.NumberKind:
		return v.Text()
	case value.Missing:
		return "null"
	}
	return v.String()
}

// Fold is Unicode case folding, full and without locale (Unicode 15, section
// 3.13, toCasefold).
func Fold(s string) string {
	ascii, lower := true, true
	for i := 0; i < len(s); i++ {
		ascii = ascii && s[i] < utf8.RuneSelf
		lower = lower && (s[i] < 'A' || s[i] > 'Z')
	}
	if ascii {
		if lower {
			return s
		}
		return strings.ToLower(s)
	}
	return cases.Fold().String(s)
}

// equalFolded is fold(a) == fold(b).
func equalFolded(a, b value.Value) value.Value {
	if !a.IsString() || !b.IsString() {
		return value.Bool(!a.IsString() && !b.IsString()) // fold of anything else is null
	}
	p, q := a.Text(), b.Text()
	for i := 0; i < len(p) && i < len(q); i++ {
		x, y := p[i], q[i]
		if x|y >= utf8.RuneSelf {
			return value.Bool(Fold(p) == Fold(q))
		}
		if x != y && lowerASCII(x) != lowerASCII(y) {
			return value.False
		}
	}
	if len(p) == len(q) {
		return value.True
	}
	return value.Bool(Fold(p) == Fold(q))
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Timestamp reads an RFC 3339 time, or a full date as its midnight in UTC.
func Timestamp(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// A definition is one function of the language.
type definition struct {
	args     string // for messages
	min, max int
	member   bool // may be written as a method
	fn       func(a []value.Value) value.Value
	prepare  func(e ast.Expr, args []ast.Expr, x []expr) (expr, error) // a faster form, nil if there is none
	choice   func(c *compiler, e ast.Expr, args []ast.Expr) (expr, error)
}

func (d definition) usage(name string) string { return "want " + name + d.args }

// text makes a function of texts from one of strings: of null it is null.
func text(fn func(string) string) func(a []value.Value) value.Value {
	return func(a []value.Value) value.Value {
		if !a[0].IsString() {
			return value.Null
		}
		return value.String(fn(a[0].Text()))
	}
}

// texts is whether all are texts.
func texts(a []value.Value) bool {
	return !slices.ContainsFunc(a, func(v value.Value) bool { return !v.IsString() })
}

func predicate(fn func(s, t string) bool) func(a []value.Value) value.Value {
	return func(a []value.Value) value.Value {
		if a[0].IsArray() { // list.contains(x)
			return binaryOperators[operators.In](a[1], a[0])
		}
		return value.Bool(texts(a) && fn(a[0].Text(), a[1].Text()))
	}
}

const maxPad = 100

var (
	functions     map[string]definition
	functionNames string
)

func init() { // not a literal: the choices refer to the compiler, which refers to the table
	functions = map[string]definition{
		"fold":       {"(text)", 1, 1, false, text(Fold), nil, nil},
		"lower":      {"(text)", 1, 1, false, text(strings.ToLower), nil, nil},
		"upper":      {"(text)", 1, 1, false, text(strings.ToUpper), nil, nil},
		"trim":       {"(text)", 1, 1, false, text(strings.TrimSpace), nil, nil},
		"contains":   {"(text)", 2, 2, true, predicate(strings.Contains), nil, nil},
		"startsWith": {"(text)", 2, 2, true, predicate(strings.HasPrefix), nil, nil},
		"endsWith":   {"(text)", 2, 2, true, predicate(strings.HasSuffix), nil, nil},
		"matches":    {"(pattern)", 2, 2, true, matches, prepareMatches, nil},
		"size":       {"(value)", 1, 1, true, size, nil, nil},
		"split":      {"(text, separator)", 2, 2, true, split, nil, nil},
		"join":       {"(list, separator)", 2, 2, true, join, nil, nil},
		"replace": {"(text, old, new)", 3, 3, true, func(a []value.Value) value.Value {
			if !texts(a) {
				return value.Null
			}
			return value.String(strings.ReplaceAll(a[0].Text(), a[1].Text(), a[2].Text()))
		}, nil, nil},
		"pad": {"(number, width)", 2, 2, false, func(a []value.Value) value.Value {
			s := textOf(a[0])
			w, _ := a[1].Int()
			if n := min(int(w), maxPad) - len(s); n > 0 {
				s = strings.Repeat("0", n) + s
			}
			return value.String(s)
		}, nil, nil},
		"merge": {"(object, object)", 2, 2, false, func(a []value.Value) value.Value {
			return merge(a[0].Shown(), a[1].Shown())
		}, nil, nil},
		"without": {"(object, names)", 2, 2, false, func(a []value.Value) value.Value {
			var names []string
			for _, n := range a[1].Elems() {
				names = append(names, n.Text())
			}
			return a[0].Shown().Without(names...)
		}, nil, nil},
		"first": {"(a, b, …)", 1, 10, false, func(a []value.Value) value.Value {
			panic("prepared")
		}, prepareFirst, nil},
		"min": {"(a, b)", 2, 2, false, func(a []value.Value) value.Value {
			if value.Compare(a[0], a[1]) <= 0 {
				return a[0]
			}
			return a[1]
		}, nil, nil},
		"max": {"(a, b)", 2, 2, false, func(a []value.Value) value.Value {
			if value.Compare(a[0], a[1]) >= 0 {
				return a[0]
			}
			return a[1]
		}, nil, nil},
		"int": {"(value)", 1, 1, false, func(a []value.Value) value.Value {
			v := number(a[0])
			if i, ok := v.Int(); ok {
				return value.Int(i)
			}
			if f := v.Float(); v.IsNumber() && math.Abs(f) < 1<<63 {
				return value.Int(int64(f))
			}
			return value.Null
		}, nil, nil},
		"double": {"(value)", 1, 1, false, func(a []value.Value) value.Value {
			v := number(a[0])
			if f := v.Float(); v.IsNumber() && !math.IsInf(f, 0) {
				return value.Float(f)
			}
			return value.Null
		}, nil, nil},
		"string": {"(value)", 1, 1, false, func(a []value.Value) value.Value {
			if a[0].IsNull() {
				return value.Null
			}
			return value.String(textOf(a[0]))
		}, nil, nil},
		"type": {"(value)", 1, 1, false, func(a []value.Value) value.Value {
			if a[0].IsNull() {
				return value.String("null")
			}
			return value.String(a[0].Kind().String())
		}, nil, nil},
		"timestamp": {"(text)", 1, 1, false, func(a []value.Value) value.Value {
			t, ok := Timestamp(a[0].Text())
			if !ok {
				return value.Null
			}
			return value.Int(t.UnixMicro())
		}, nil, nil},
		"uuid":    {"()", 0, 0, false, nil, nil, chooseUUID},
		"now":     {`(), now("s") or now("ms")`, 0, 1, false, nil, nil, chooseNow},
		"pattern": {`("regular expression")`, 1, 1, false, nil, nil, choosePattern},
		"pick":    {"(list)", 1, 1, false, nil, nil, choosePick},
		"between": {"(lowest, highest)", 2, 2, false, nil, nil, chooseBetween},
	}
	functionNames = strings.Join(slices.Sorted(maps.Keys(functions)), ", ")
}

// number is a number, or the text of one as JSON writes it; else null.
func number(v value.Value) value.Value {
	if v.IsString() {
		if n, err := value.ParseString(strings.TrimPrefix(v.Text(), "+")); err == nil {
			v = n
		}
	}
	if !v.IsNumber() {
		return value.Null
	}
	return v
}

func size(a []value.Value) value.Value {
	if a[0].IsString() {
		return value.Int(int64(utf8.RuneCountInString(a[0].Text())))
	}
	return value.Int(int64(a[0].Shown().Len()))
}

func split(a []value.Value) value.Value {
	if !texts(a) {
		return value.Null
	}
	return value.Strings(strings.Split(a[0].Text(), a[1].Text()))
}

func join(a []value.Value) value.Value {
	list := make([]string, len(a[0].Elems()))
	for i, e := range a[0].Elems() {
		list[i] = textOf(e)
	}
	return value.String(strings.Join(list, a[1].Text()))
}

func matches(a []value.Value) value.Value {
	if !texts(a) {
		return value.False
	}
	re, err := regexp.Compile(a[1].Text())
	return value.Bool(err == nil && re.MatchString(a[0].Text()))
}

// prepareMatches compiles a literal pattern once.
func prepareMatches(_ ast.Expr, args []ast.Expr, x []expr) (expr, error) {
	s, ok := literalText(args[1])
	if !ok {
		return nil, nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, fault(args[1], "%v", err)
	}
	of := x[0]
	return func(f *frame) value.Value {
		v := of(f)
		if v.Kind() == value.HoleKind {
			return unknown
		}
		return value.Bool(v.IsString() && re.MatchString(v.Text()))
	}, nil
}

// prepareFirst asks for no more values than it needs: a choice behind the first
// value is not made.
func prepareFirst(_ ast.Expr, _ []ast.Expr, x []expr) (expr, error) {
	return func(f *frame) value.Value {
		for _, a := range x {
			if v := a(f); !v.IsNull() {
				return v
			}
		}
		return value.Null
	}, nil
}

// merge is a with the members of b, in time proportional to both.
func merge(a, b value.Value) value.Value {
	if b.Len() == 0 || !b.IsObject() {
		return a
	}
	members := slices.Clone(a.Members())
	at := make(map[string]int, len(members))
	for i, m := range members {
		at[m.Name] = i
	}
	for _, m := range b.Members() {
		if i, ok := at[m.Name]; ok {
			members[i].Value = m.Value
			continue
		}
		members = append(members, m)
	}
	return value.Object(members...)
}

func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

func chooseUUID(*compiler, ast.Expr, []ast.Expr) (expr, error) {
	law := &Law{Kind: UUID}
	return func(f *frame) value.Value { return f.choose.Choose(law) }, nil
}

var timeLaws = map[string]*Law{
	"":   {Kind: Time, Layout: "2006-01-02T15:04:05.000000Z"},
	"ms": {Kind: Time, Layout: "2006-01-02T15:04:05.000Z"},
	"s":  {Kind: Time, Layout: "2006-01-02T15:04:05Z"},
}

func chooseNow(_ *compiler, e ast.Expr, args []ast.Expr) (expr, error) {
	unit := ""
	if len(args) == 1 {
		s, ok := literalText(args[0])
		if !ok || timeLaws[s] == nil {
			return nil, fault(e, `want now(), now("s") or now("ms")`)
		}
		unit = s
	}
	law := timeLaws[unit]
	return func(f *frame) value.Value { return f.time(law) }, nil
}

func choosePattern(_ *compiler, e ast.Expr, args []ast.Expr) (expr, error) {
	s, ok := literalText(args[0])
	if !ok {
		return nil, fault(e, "the pattern must be a literal text")
	}
	gen, err := compilePattern(s)
	if err != nil {
		return nil, fault(args[0], "%v", err)
	}
	law := &Law{Kind: Pattern, Pattern: s, generate: gen}
	return func(f *frame) value.Value { return f.choose.Choose(law) }, nil
}

func choosePick(c *compiler, _ ast.Expr, args []ast.Expr) (expr, error) {
	list, _, err := c.compile(args[0])
	if err != nil {
		return nil, err
	}
	if args[0].Kind() == ast.ListKind && constantList(args[0]) {
		law := &Law{Kind: Pick, Of: list(nil).Elems()}
		if len(law.Of) == 0 {
			return nil, fault(args[0], "the list to pick from is empty")
		}
		return func(f *frame) value.Value { return f.choose.Choose(law) }, nil
	}
	return func(f *frame) value.Value {
		l := list(f)
		if l.Kind() == value.HoleKind {
			return unknown
		}
		if len(l.Elems()) == 0 {
			return value.Null
		}
		return f.choose.Choose(&Law{Kind: Pick, Of: l.Elems()})
	}, nil
}

func constantList(e ast.Expr) bool {
	for _, x := range e.AsList().Elements() {
		if x.Kind() != ast.LiteralKind && (x.Kind() != ast.ListKind || !constantList(x)) {
			return false
		}
	}
	return true
}

func chooseBetween(c *compiler, _ ast.Expr, args []ast.Expr) (expr, error) {
	x, err := c.compileAll(args)
	if err != nil {
		return nil, err
	}
	return func(f *frame) value.Value {
		a, b := x[0](f), x[1](f)
		low, ok1 := a.Int()
		high, ok2 := b.Int()
		if a.Kind() == value.HoleKind || b.Kind() == value.HoleKind {
			return unknown
		}
		if !ok1 || !ok2 {
			return value.Null
		}
		return f.choose.Choose(&Law{Kind: Between, Low: min(low, high), High: max(low, high)})
	}, nil
}
