package behavior

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/understudy-dev/understudy/behavior/value"
)

// generator writes standard expressions, typed so that CEL and we mean the same.
type generator struct {
	r    *rand.Rand
	vars map[string][]string // by type
	next int
}

func (g *generator) of(kind string, depth int) string {
	if depth <= 0 {
		if g.r.IntN(2) == 0 {
			return g.literal(kind)
		}
		return g.vars[kind][g.r.IntN(len(g.vars[kind]))]
	}
	sub := func(kind string) string { return g.of(kind, depth-1) }
	pick := func(forms ...string) string { return forms[g.r.IntN(len(forms))] }
	switch kind {
	case "int":
		switch g.r.IntN(8) {
		case 0:
			return fmt.Sprintf("(%s %s %s)", sub("int"), pick("+", "-", "*", "/", "%"), sub("int"))
		case 1:
			return "-(" + sub("int") + ")"
		case 2:
			return fmt.Sprintf("(%s ? %s : %s)", sub("bool"), sub("int"), sub("int"))
		case 3:
			return "size(" + sub("string") + ")"
		case 4:
			return fmt.Sprintf("%s[%s]", sub("ints"), g.of("int", 0))
		case 5:
			return sub("ints") + ".size()"
		case 6:
			return sub("strings") + ".size()"
		}
	case "string":
		switch g.r.IntN(5) {
		case 0:
			return fmt.Sprintf("(%s + %s)", sub("string"), sub("string"))
		case 1:
			return fmt.Sprintf("(%s ? %s : %s)", sub("bool"), sub("string"), sub("string"))
		case 2:
			return "string(" + sub("int") + ")"
		case 3:
			return fmt.Sprintf("%s[%d]", sub("strings"), g.r.IntN(3))
		}
	case "bool":
		switch g.r.IntN(10) {
		case 0:
			return fmt.Sprintf("(%s %s %s)", sub("bool"), pick("&&", "||", "==", "!="), sub("bool"))
		case 1:
			return "!(" + sub("bool") + ")"
		case 2:
			return fmt.Sprintf("(%s %s %s)", sub("int"), pick("==", "!=", "<", "<=", ">", ">="), sub("int"))
		case 3:
			return fmt.Sprintf("(%s %s %s)", sub("string"), pick("==", "!=", "<", "<=", ">", ">="), sub("string"))
		case 4:
			return fmt.Sprintf("(%s in %s)", sub("int"), sub("ints"))
		case 5:
			return fmt.Sprintf("(%s in %s)", sub("string"), sub("strings"))
		case 6:
			return fmt.Sprintf("%s.%s(%s)", sub("string"), pick("contains", "startsWith", "endsWith"), sub("string"))
		case 7:
			return sub("string") + pick(`.matches("^a")`, `.matches("b+$")`, `.matches("[xä]")`)
		case 8:
			return g.loop(pick("exists", "all"), "bool", depth)
		}
	case "ints":
		switch g.r.IntN(5) {
		case 0:
			return fmt.Sprintf("[%s, %s]", sub("int"), sub("int"))
		case 1:
			return fmt.Sprintf("(%s + %s)", sub("ints"), sub("ints"))
		case 2:
			return g.loop("filter", "bool", depth)
		case 3:
			return g.loop("map", "int", depth)
		}
	case "strings":
		switch g.r.IntN(3) {
		case 0:
			return fmt.Sprintf("[%s, %s]", sub("string"), sub("string"))
		case 1:
			return fmt.Sprintf("(%s + %s)", sub("strings"), sub("strings"))
		}
	}
	return g.of(kind, 0)
}

// loop is a loop over ints whose variable its body may use.
func (g *generator) loop(name, result string, depth int) string {
	g.next++
	x := fmt.Sprintf("x%d", g.next)
	list := g.of("ints", depth-1)
	g.vars["int"] = append(g.vars["int"], x)
	body := g.of(result, depth-1)
	g.vars["int"] = g.vars["int"][:len(g.vars["int"])-1]
	return fmt.Sprintf("%s.%s(%s, %s)", list, name, x, body)
}

func (g *generator) literal(kind string) string {
	switch kind {
	case "int":
		return fmt.Sprint(g.r.IntN(7) - 2)
	case "string":
		return []string{`""`, `"a"`, `"b"`, `"ab"`, `"ä"`, `"x y"`}[g.r.IntN(6)]
	case "bool":
		return fmt.Sprint(g.r.IntN(2) == 0)
	case "ints":
		return []string{"[]", "[1]", "[3, 1, 2]"}[g.r.IntN(3)]
	}
	return []string{`["a"]`, `["b", "ab", "a"]`}[g.r.IntN(2)]
}

// TestAgainstCEL evaluates generated expressions here and in CEL's own
// interpreter. What is an error there (an index beyond the end, a division by
// zero) is null here, so those are left out.
func TestAgainstCEL(t *testing.T) {
	standard, err := parser.NewParser(parser.Macros(parser.AllMacros...))
	if err != nil {
		t.Fatal(err)
	}
	cel := celInterpreter(t)
	names := []string{"i", "j", "s", "u", "b", "c", "l", "m"}
	g := &generator{r: rand.New(rand.NewPCG(1, 2)), vars: map[string][]string{"int": {"i", "j"}, "string": {"s", "u"}, "bool": {"b", "c"}, "ints": {"l"}, "strings": {"m"}}}
	kinds := []string{"int", "string", "bool", "bool", "ints", "strings"}
	compared := 0
	for n := range 900 {
		text := g.of(kinds[n%len(kinds)], 1+g.r.IntN(4))
		tree, issues := standard.Parse(common.NewTextSource(text))
		if list := issues.GetErrors(); len(list) > 0 {
			t.Fatalf("%s: %v", text, list)
		}
		program, err := cel.NewInterpretable(tree)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		ours, err := NewTemplate(TemplateSpec{Scalar: value.String("${" + text + "}")}, names...)
		if err != nil {
			t.Errorf("%s: CEL takes it, we do not: %v", text, err)
			continue
		}
		for range 3 {
			i, j, b, c := int64(g.r.IntN(9)-3), int64(g.r.IntN(9)-3), g.r.IntN(2) == 0, g.r.IntN(2) == 0
			s, u := []string{"", "a", "abb", "xä"}[g.r.IntN(4)], []string{"b", "ab", "ä", "x y"}[g.r.IntN(4)]
			l, m := []int64{i, 2, j}[:g.r.IntN(4)], []string{s, "b", u}[:g.r.IntN(4)]
			vars, err := interpreter.NewActivation(map[string]any{"i": i, "j": j, "s": s, "u": u, "b": b, "c": c, "l": l, "m": m})
			if err != nil {
				t.Fatal(err)
			}
			theirs := program.Eval(vars)
			if types.IsError(theirs) {
				continue
			}
			ints := make([]value.Value, len(l))
			for k, x := range l {
				ints[k] = value.Int(x)
			}
			compared++
			got := ours(value.Int(i), value.Int(j), value.String(s), value.String(u), value.Bool(b), value.Bool(c), value.Array(ints...), value.Strings(m))
			if want := fromCEL(theirs); got.String() != want {
				t.Errorf("%s\nwith i=%d j=%d s=%q u=%q b=%v c=%v l=%v m=%q:\n got %s\nwant %s", text, i, j, s, u, b, c, l, m, got, want)
			}
		}
	}
	if compared < 1000 {
		t.Errorf("only %d evaluations compared, want 1000 at least", compared)
	}
	t.Logf("%d evaluations compared", compared)
}

// celInterpreter is CEL with its standard functions. Package cel would add a
// dependency, and the generator needs no checker.
func celInterpreter(t *testing.T) interpreter.Interpreter {
	t.Helper()
	registry, err := types.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	dispatcher := interpreter.NewDispatcher()
	for _, fn := range stdlib.Functions() {
		bindings, err := fn.Bindings()
		if err == nil {
			err = dispatcher.Add(bindings...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c := containers.DefaultContainer
	return interpreter.NewInterpreter(dispatcher, c, registry, registry, interpreter.NewAttributeFactory(c, registry, registry))
}

func fromCEL(v celref.Val) string {
	switch v := v.(type) {
	case types.Int:
		return fmt.Sprint(int64(v))
	case types.Bool:
		return fmt.Sprint(bool(v))
	case types.String:
		return value.String(string(v)).String()
	case traits.Lister:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, fromCEL(it.Next()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprintf("%T %v", v, v)
}
