package value

import (
	"fmt"
	"hash/maphash"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func mustParse(t testing.TB, text string) Value {
	t.Helper()
	v, err := ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestInt(t *testing.T) {
	for _, tt := range []struct {
		digits string
		want   int64
		ok     bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"-0.0e7", 0, true}, {"12", 12, true}, {"1.0", 1, true}, {"1e2", 100, true}, {"1.5e1", 15, true}, {"1000e-3", 1, true},
		{"9223372036854775807", 1<<63 - 1, true}, {"-9223372036854775808", -1 << 63, true}, {"9.223372036854775807e18", 1<<63 - 1, true},
		{"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false}, {"18446744073709551616", 0, false}, {"99999999999999999999", 0, false}, {"1e19", 0, false}, {"1e999999999999999999999", 0, false},
		{"9007199254740993.0", 9007199254740993, true}, {"1e18", 1e18, true},
		{"1.5", 0, false}, {"0.99999999999999999999", 0, false}, {"1e-400", 0, false}, {"1e-9223372036854775808", 0, false},
	} {
		if got, ok := Number(tt.digits).Int(); got != tt.want || ok != tt.ok {
			t.Errorf("%s is %d, %v; want %d, %v", tt.digits, got, ok, tt.want, tt.ok)
		}
	}
}

func TestIntegral(t *testing.T) {
	for digits, want := range map[string]bool{
		"1": true, "1.0": true, "1e2": true, "-100e-2": true, "1.50e1": true, "0e-5": true, "0.0": true, "1e99999999999999999999": true,
		"1.5": false, "1e-1": false, "15e-1": false, "1e-9223372036854775808": false, "1e-99999999999999999999": false,
	} {
		if got := Number(digits).Integral(); got != want {
			t.Errorf("%s is integral: %v, want %v", digits, got, want)
		}
	}
}

// TestNumbersExact compares and divides against big.Rat.
func TestNumbersExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	number := func() string {
		s := []string{"", "-"}[r.IntN(2)] + fmt.Sprint(r.IntN([]int{2, 10, 1000, 1 << 40}[r.IntN(4)]))
		if r.IntN(2) == 0 {
			s += fmt.Sprintf(".%0*d", 1+r.IntN(3), r.IntN(10))
		}
		if r.IntN(3) == 0 {
			s += fmt.Sprintf("e%d", r.IntN(41)-20)
		}
		return s
	}
	seed := maphash.MakeSeed()
	for range 20_000 {
		a, b := number(), number()
		if r.IntN(4) == 0 {
			b = Rat(a).FloatString(25)
		}
		x, y := Number(a), Number(b)
		want := Rat(a).Cmp(Rat(b))
		if got := Compare(x, y); (got < 0) != (want < 0) || (got > 0) != (want > 0) {
			t.Fatalf("%s compared to %s: got %d, want %d", a, b, got, want)
		}
		if Equal(x, y) != (want == 0) {
			t.Fatalf("%s equals %s: want %v", a, b, want == 0)
		}
		if want == 0 && Hash(seed, x) != Hash(seed, y) {
			t.Fatalf("%s and %s have different hashes", a, b)
		}
		if x.Integral() != Rat(a).IsInt() {
			t.Fatalf("%s is integral: %v", a, x.Integral())
		}
		if Rat(b).Sign() != 0 {
			if got, want := x.MultipleOf(y), new(big.Rat).Quo(Rat(a), Rat(b)).IsInt(); got != want {
				t.Fatalf("%s is a multiple of %s: got %v, want %v", a, b, got, want)
			}
		}
	}
}

func TestMultipleOfHostile(t *testing.T) {
	long := strings.Repeat("7", 1_000_000)
	for _, tt := range []struct {
		v, m string
		want bool
	}{
		{long, "7", true}, {long + "1", "7", false}, {"1e1000000000", "3", false}, {"3e1000000000", "3", true}, {"1e-1000000000", "0.1", false},
		{"1e999999999999999999999", "7", false}, {"0", "7", true}, {"1", "0", true}, {"18446744073709551616", "9999999999999999999", false},
		{"99999999999999999998000", "12345678901234567890123", false}, {"24691357802469135780246", "12345678901234567890123", true},
	} {
		if got := Number(tt.v).MultipleOf(Number(tt.m)); got != tt.want {
			t.Errorf("%.30s is a multiple of %s: %v, want %v", tt.v, tt.m, got, tt.want)
		}
	}
	if String("6").MultipleOf(Int(3)) {
		t.Error("a text is a multiple")
	}
}

func TestEqual(t *testing.T) {
	var up, down []Member
	for i := range 20_000 {
		up = append(up, Member{fmt.Sprint(i), Int(int64(i))})
		down = append(down, Member{fmt.Sprint(19_999 - i), Int(int64(19_999 - i))})
	}
	seed := maphash.MakeSeed()
	for _, tt := range []struct {
		name string
		a, b Value
		want bool
	}{
		{"order of members", mustParse(t, `{"a":1,"b":[2]}`), mustParse(t, `{"b":[2.0],"a":1e0}`), true},
		{"another member", mustParse(t, `{"a":1,"b":2}`), mustParse(t, `{"a":1,"c":2}`), false},
		{"many members turned round", Object(up...), Object(down...), true},
		{"one of many differs", Object(up...), Object(down...).With("7", Null), false},
		{"one of many is called otherwise", Object(up...), Object(down[1:]...).With("x", Int(19_999)), false},
		{"order of elements", mustParse(t, `[1,2]`), mustParse(t, `[2,1]`), false},
		{"beyond floats", Number("9007199254740993"), Number("9007199254740992"), false},
		{"huge exponents", Number("1e2000"), Number("1e3000"), false},
		{"missing and null", Value{}, Null, true},
		{"text and number", String("1"), Int(1), false},
		{"empty array and object", Array(), Object(), false},
	} {
		if got := Equal(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if same := Hash(seed, tt.a) == Hash(seed, tt.b); tt.want && !same {
			t.Errorf("%s: equal values have different hashes", tt.name)
		}
	}
}

func TestSet(t *testing.T) {
	v := mustParse(t, `{"a":{"b":[1,2]}}`)
	for _, tt := range []struct{ path, want string }{
		{"a.b.0", `{"a":{"b":[9,2]}}`}, {"a.b.2", `{"a":{"b":[1,2,9]}}`}, {"a.b.3", `{"a":{"b":[1,2]}}`}, {"a.c.d", `{"a":{"b":[1,2],"c":{"d":9}}}`}, {"a", `{"a":9}`},
	} {
		if got := v.Set(strings.Split(tt.path, "."), Int(9)).String(); got != tt.want {
			t.Errorf("set %s: got %s, want %s", tt.path, got, tt.want)
		}
	}
	if v.String() != `{"a":{"b":[1,2]}}` {
		t.Errorf("the value changed: %s", v)
	}
}

func TestSent(t *testing.T) {
	v := mustParse(t, `{"a":1,"secret":2}`)
	s := v.Sent(v.Without("secret"))
	if s.String() != `{"a":1}` || !s.Has("secret") || s.Shown().Has("secret") {
		t.Errorf("got %s, shown %s", s, s.Shown())
	}
	for _, same := range []Value{s.Sealed(), s.Clone(), s.Sealed().Clone()} {
		if same.String() != `{"a":1}` || !same.Has("secret") {
			t.Errorf("got %s", same)
		}
	}
	if got := v.Sent(Object()).String(); got != "{}" {
		t.Errorf("nothing shown: got %s", got)
	}
}
