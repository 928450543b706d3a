package value

import (
	"cmp"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// A decimal is a JSON number taken apart without rounding and without
// computing: ±0.d₁d₂d₃… × 10^exp, where the digits are those of a and then b,
// and neither the first nor the last of them is 0. Zero has no digits.
type decimal struct {
	neg  bool
	a, b string
	exp  int64
}

// mostExp keeps sums of exponents within an int64. Numbers beyond it are told
// apart by their digits only.
const mostExp = 1 << 60

func parseDecimal(s string) decimal {
	var d decimal
	if s, d.neg = strings.CutPrefix(s, "-"); s == "" {
		return decimal{}
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		d.exp = exponent(s[i+1:])
		s = s[:i]
	}
	d.a, d.b, _ = strings.Cut(s, ".")
	d.a = strings.TrimLeft(d.a, "0")
	d.exp += int64(len(d.a))
	if d.a == "" {
		n := len(d.b)
		d.b = strings.TrimLeft(d.b, "0")
		d.exp -= int64(n - len(d.b))
	}
	d.b = strings.TrimRight(d.b, "0")
	if d.b == "" {
		d.a = strings.TrimRight(d.a, "0")
	}
	if d.a == "" && d.b == "" {
		return decimal{}
	}
	return d
}

func exponent(s string) int64 {
	neg := strings.HasPrefix(s, "-")
	var e int64
	for _, c := range []byte(strings.TrimLeft(s, "+-")) {
		if e = e*10 + int64(c-'0'); e > mostExp {
			e = mostExp
			break
		}
	}
	if neg {
		return -e
	}
	return e
}

func (d *decimal) len() int { return len(d.a) + len(d.b) }

func (d *decimal) digit(i int) byte {
	if i < len(d.a) {
		return d.a[i]
	}
	return d.b[i-len(d.a)]
}

// integral is whether no digit stands behind the point.
func (d *decimal) integral() bool { return int64(d.len()) <= d.exp || d.len() == 0 }

// int is the number as an int64, if it is one.
func (d *decimal) int() (int64, bool) {
	if !d.integral() || d.exp > 19 {
		return 0, false
	}
	var u uint64
	for i := range int(d.exp) {
		var c uint64
		if i < d.len() {
			c = uint64(d.digit(i) - '0')
		}
		hi, lo := bits.Mul64(u, 10)
		sum, carry := bits.Add64(lo, c, 0)
		if hi != 0 || carry != 0 {
			return 0, false
		}
		u = sum
	}
	switch {
	case d.neg && u <= 1<<63:
		return -int64(u), true
	case !d.neg && u < 1<<63:
		return int64(u), true
	}
	return 0, false
}

// compareNumbers compares exactly, in time proportional to the digits.
func compareNumbers(a, b string) int {
	if i, ok := short(a); ok {
		if j, ok := short(b); ok {
			return cmp.Compare(i, j)
		}
	}
	x, y := parseDecimal(a), parseDecimal(b)
	return x.compare(&y)
}

// short reads what most numbers are: whole, of at most 18 digits.
func short(s string) (int64, bool) {
	i := 0
	if s != "" && s[0] == '-' {
		i = 1
	}
	if len(s)-i > 18 || i == len(s) {
		return 0, false
	}
	var n int64
	for _, c := range []byte(s[i:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if i == 1 {
		n = -n
	}
	return n, true
}

func (d *decimal) compare(o *decimal) int {
	switch {
	case d.len() == 0 && o.len() == 0:
		return 0
	case d.len() == 0:
		return o.below()
	case o.len() == 0:
		return -d.below()
	case d.neg != o.neg:
		return -d.below()
	}
	c := 0
	switch {
	case d.exp < o.exp:
		c = -1
	case d.exp > o.exp:
		c = 1
	default:
		c = d.compareDigits(o)
	}
	if d.neg {
		return -c
	}
	return c
}

// below is what zero compares to the number with: 1 where that is negative.
func (d *decimal) below() int {
	if d.neg {
		return 1
	}
	return -1
}

func (d *decimal) compareDigits(o *decimal) int {
	n := min(d.len(), o.len())
	for i := range n {
		if x, y := d.digit(i), o.digit(i); x != y {
			return int(x) - int(y)
		}
	}
	return d.len() - o.len()
}

// MultipleOf is whether v is a whole multiple of m, exactly: 0.3 is one of 0.1.
// It is false for values that are no numbers. Where m is zero, or has more
// than 19 digits and [Rat] is nil of one of them, it is true.
func (v Value) MultipleOf(m Value) bool {
	if v.kind != NumberKind || m.kind != NumberKind {
		return false
	}
	d, e := parseDecimal(v.text), parseDecimal(m.text)
	if d.len() == 0 || e.len() == 0 {
		return true
	}
	// Both are integers times a power of ten: digits × 10^(exp - len).
	shift := d.exp - int64(d.len()) - e.exp + int64(e.len())
	if shift < 0 {
		// digits of m × 10^-shift would divide digits of v, which do not end in 0.
		return false
	}
	if mod, ok := e.mantissa(); ok {
		return d.mod(mod, uint64(shift)) == 0
	}
	return slowMultiple(v.text, m.text)
}

func slowMultiple(v, m string) bool {
	x, y := Rat(v), Rat(m)
	if x == nil || y == nil || y.Sign() == 0 {
		return true
	}
	return x.Quo(x, y).IsInt()
}

// mantissa is the digits as an integer, if they fit and are not zero.
func (d *decimal) mantissa() (uint64, bool) {
	if n := d.len(); n == 0 || n > 19 {
		return 0, false
	}
	var u uint64
	for i := range d.len() {
		u = u*10 + uint64(d.digit(i)-'0')
	}
	return u, true
}

// mod is digits × 10^shift modulo m.
func (d *decimal) mod(m, shift uint64) uint64 {
	var r uint64
	for i := range d.len() {
		hi, lo := bits.Mul64(r, 10)
		lo, carry := bits.Add64(lo, uint64(d.digit(i)-'0'), 0)
		r = bits.Rem64(hi+carry, lo, m)
	}
	mul := func(a, b uint64) uint64 {
		hi, lo := bits.Mul64(a, b)
		return bits.Rem64(hi, lo, m)
	}
	for power := 10 % m; shift > 0 && r != 0; shift >>= 1 {
		if shift&1 != 0 {
			r = mul(r, power)
		}
		power = mul(power, power)
	}
	return r
}

// Rat is the exact value of a JSON number; nil where its digits or exponent
// are so many that computing with it could be abused.
func Rat(digits string) *big.Rat {
	const most = 1000
	if len(digits) > most {
		return nil
	}
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		if e, err := strconv.Atoi(digits[i+1:]); err != nil || e > most || e < -most {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		return nil
	}
	return r
}
