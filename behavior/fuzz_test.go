package behavior

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// FuzzExpression compiles any text and runs it with any body. It never panics,
// it is soon over, its answer is valid JSON, and the same again for the same
// world.
func FuzzExpression(f *testing.F) {
	for _, expr := range []string{
		"body.n + 1", "-body.big / 0", `body.list.map(x, x * 2).filter(y, y > 2)`, `body.texts.group(s, s, s.size())`, "Item.filter(i, i.rank < 2 || i.name == body.name)", "Item", `merge(item, {"a": [1, null]})`,
		"pick(body.list)", "between(body.n, 3)", `pattern("a[b-z]{3}|x*")`, `replace(body.name, "", body.name)`, `join(split(body.name, ""), body.key)`, `body.name.matches(body.key)`, "int(body.name)", `pad(body.n, body.n)`, `timestamp(now())`,
		"[[1, 2, 3], body.list].map(a, a.map(b, a.map(c, body.list)))", `header["x-raw"]`, "has(body.a.b) ? body.a.b[0] : first(null, uuid())", "0.1 + 1e300 * 1e300", "18446744073709551615u % 7", "1 +", "fold(body.name) == fold(\"ÄRGER\")", "Item.filter(i, i.name != body.name).size()",
	} {
		f.Add(expr, exprBody)
	}
	f.Add("body[body]", "[[],{}]")
	f.Fuzz(func(t *testing.T, expr, json string) {
		if len(expr) > 400 || len(json) > 4000 {
			return
		}
		sent, err := value.ParseString(json)
		if err != nil {
			return
		}
		plan, err := Compile(exprSpec(t, expr))
		if err != nil {
			return
		}
		w := world(t, plan, exprRecords, nil)
		var answers [2]string
		for i := range answers {
			c := exprCall(t, w, "{}")
			c.Body = sent
			began := time.Now()
			out := limited(w, c, 200_000)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s of %s took %v", expr, json, took)
			}
			if out.Status != 200 && out.Problem != "rule-too-costly" {
				t.Errorf("%s of %s: got %d %s, want 200", expr, json, out.Status, out.Problem)
			}
			if !out.Body.IsMissing() {
				if _, err := value.Parse(value.Append(nil, out.Body)); err != nil && !tooDeep(out.Body, 0) {
					t.Errorf("%s of %s is no JSON: %v in %s", expr, json, err, out.Body)
				}
			}
			answers[i] = out.Body.String()
		}
		if answers[0] != answers[1] {
			t.Errorf("%s of %s: first %s, then %s", expr, json, answers[0], answers[1])
		}
	})
}

// tooDeep is whether a value nests deeper than the parser reads.
func tooDeep(v value.Value, depth int) bool {
	if depth > value.MaxDepth {
		return true
	}
	for _, e := range v.Elems() {
		if tooDeep(e, depth+1) {
			return true
		}
	}
	for _, m := range v.Members() {
		if tooDeep(m.Value, depth+1) {
			return true
		}
	}
	return false
}

// TestKeysOrder compares the bytes of index keys with the values.
func TestKeysOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func() value.Value {
		switch r.IntN(6) {
		case 0:
			return []value.Value{{}, value.Null, value.True, value.False}[r.IntN(4)]
		case 1:
			return value.Int(r.Int64N(7) - 3)
		case 2:
			return value.Float(r.NormFloat64() * 100)
		case 3:
			return value.Int(int64(r.Uint64()))
		case 4:
			return value.Int(1<<53 + r.Int64N(5) - 2)
		}
		b := make([]rune, r.IntN(4))
		for i := range b {
			b[i] = []rune{0, 'a', 'b', 'ä', '\U0001F600'}[r.IntN(5)]
		}
		return value.String(string(b))
	}
	sign := func(n int) int { return min(1, max(-1, n)) }
	for range 20_000 {
		a, b := random(), random()
		ka, kb := string(appendKey(nil, a)), string(appendKey(nil, b))
		got := 0
		if ka < kb {
			got = -1
		} else if ka > kb {
			got = 1
		}
		if want := sign(value.Compare(a, b)); got != want {
			t.Fatalf("keys of %s and %s compare as %d, want %d", a, b, got, want)
		}
		if !value.Equal(a, b) && len(ka) < len(kb) && kb[:len(ka)] == ka {
			t.Fatalf("the key of %s begins that of %s", a, b)
		}
	}
}

// TestKeysEqual: however a value is written, its key is the same, and no other
// value has it.
func TestKeysEqual(t *testing.T) {
	groups := [][]string{
		{"null"}, {"true"}, {"0", "-0", "0.0", "0e9"}, {"1", "1.0", "10e-1", "1.0000000000000000000000"}, {"0.1", "1e-1", "0.10000000000000000000000"}, {"0.10000000000000000000001", "1.0000000000000000000001e-1"}, {"-0.1"},
		{"9007199254740993", "9007199254740993.0"}, {"9007199254740992"}, {"9007199254740993.5", "9007199254740993.50"}, {"1e30", "1000000000000000000000000000000"}, {"1000000000000000000000000000001"}, {"1e400", "10e399"}, {"2e400"}, {"1e5000"},
		{`"1"`}, {"[]"}, {"[1]", "[1.0]"}, {"[[1]]", "[[1e0]]"}, {"[1,2]"}, {`["1"]`}, {"[null]"}, {"[[]]"}, {"[[],[]]"}, {"{}"}, {`{"a":1,"b":[2.0]}`, `{"b":[2],"a":1.0}`}, {`{"a":1}`}, {`{"a":null}`}, {`"a\u0000b"`}, {`"a"`}, {`["a","b"]`}, {`["a\u0000","b"]`},
	}
	seen := map[string]string{}
	for _, group := range groups {
		key := string(appendKey(nil, parseJSON(t, group[0])))
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same key", group[0], other)
		}
		seen[key] = group[0]
		for _, same := range group[1:] {
			if got := string(appendKey(nil, parseJSON(t, same))); got != key {
				t.Errorf("the keys of %s and %s differ: %x, %x", group[0], same, key, got)
			}
		}
	}
}

// TestFolded compares the quick way of comparing whatever the case with the
// long one.
func TestFolded(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	random := func() value.Value {
		if r.IntN(20) == 0 {
			return []value.Value{{}, value.Null, value.Int(1)}[r.IntN(3)]
		}
		b := make([]rune, r.IntN(4))
		for i := range b {
			b[i] = []rune{'s', 'S', 'ß', 'ẞ', 'k', 'K', '\u212a', 'ſ', 'ﬁ', 'f', 'i', 'İ', '@', '`'}[r.IntN(14)]
		}
		return value.String(string(b))
	}
	folded := text(Fold)
	for range 50_000 {
		a, b := random(), random()
		want := value.Equal(folded([]value.Value{a}), folded([]value.Value{b}))
		if got := equalFolded(a, b).True(); got != want {
			t.Fatalf("fold(%s) == fold(%s): got %v, want %v", a, b, got, want)
		}
	}
}
