package sample

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// numbers are k × step for k from lo to hi, exactly.
type numbers struct {
	never  bool
	lo, hi *big.Int
	step   *big.Rat
	free   [2]bool       // no lower, no upper bound
	odd    []value.Value // what is tried where the bounds are too large to compute with, or too close

	// The same where it fits: k × unit / 10^scale.
	small    bool
	from, to int64
	unit     int64
	scale    int
}

// limits collects the rules of several schemas for one number.
type limits struct {
	lo, hi         *big.Rat
	loOpen, hiOpen bool
	step           *big.Rat // of multipleOf; nil: none
	whole          bool
	odd            []value.Value
	set            bool
}

func (l *limits) add(f *schema.Facets) {
	low := func(v value.Value, open bool) {
		if v.IsMissing() {
			return
		}
		l.set = true
		r := value.Rat(v.Text())
		if l.odd = append(l.odd, v); r == nil {
			return
		}
		if c := -1; l.lo == nil || func() bool { c = r.Cmp(l.lo); return c > 0 || c == 0 && open }() {
			l.lo, l.loOpen = r, open
		}
	}
	high := func(v value.Value, open bool) {
		if v.IsMissing() {
			return
		}
		l.set = true
		r := value.Rat(v.Text())
		if l.odd = append(l.odd, v); r == nil {
			return
		}
		if c := 1; l.hi == nil || func() bool { c = r.Cmp(l.hi); return c < 0 || c == 0 && open }() {
			l.hi, l.hiOpen = r, open
		}
	}
	low(f.Minimum, false)
	low(f.ExclusiveMinimum, true)
	high(f.Maximum, false)
	high(f.ExclusiveMaximum, true)
	if m := f.MultipleOf; !m.IsMissing() {
		l.set = true
		if r := value.Rat(m.Text()); r != nil && r.Sign() > 0 {
			l.multiple(r)
		} else {
			l.odd = append(l.odd, m)
		}
	}
	switch f.Format {
	case "int32":
		low(value.Int(-1<<31), false)
		high(value.Int(1<<31-1), false)
		l.whole = true
	case "int64":
		low(value.Int(-1<<63), false)
		high(value.Int(1<<63-1), false)
		l.whole = true
	case "float":
		low(value.Number("-3.4e38"), false)
		high(value.Number("3.4e38"), false)
	case "double":
		low(value.Number("-1.7e308"), false)
		high(value.Number("1.7e308"), false)
	}
}

// multiple makes step the least number that is a multiple of both.
func (l *limits) multiple(r *big.Rat) {
	if l.step == nil {
		l.step = r
		return
	}
	gcd := func(a, b *big.Int) *big.Int { return new(big.Int).GCD(nil, nil, a, b) }
	num := new(big.Int).Mul(l.step.Num(), r.Num())
	num.Quo(num, gcd(l.step.Num(), r.Num()))
	l.step = new(big.Rat).SetFrac(num, gcd(l.step.Denom(), r.Denom()))
}

// usual is how far from a bound a number is where the other bound is missing.
const usual = 1000

func (l *limits) compile() *numbers {
	n := &numbers{free: [2]bool{l.lo == nil, l.hi == nil}, odd: l.odd}
	switch {
	case l.whole:
		l.multiple(big.NewRat(1, 1))
		n.setStep(l, l.step)
	case l.step != nil:
		n.setStep(l, l.step)
	default:
		const finest = 40
		for s := 2; s <= finest; s++ {
			n.setStep(l, new(big.Rat).SetFrac(big.NewInt(1), pow10(s)))
			if d := new(big.Int).Sub(n.hi, n.lo); d.Cmp(big.NewInt(3)) >= 0 || d.Sign() >= 0 && l.lo != nil && l.hi != nil && l.lo.Cmp(l.hi) == 0 {
				break
			}
		}
		if l.lo != nil && l.hi != nil {
			mid := new(big.Rat).Add(l.lo, l.hi)
			n.odd = append(n.odd, value.Number(decimal(mid.Quo(mid, big.NewRat(2, 1)))))
		}
	}
	n.never = n.lo.Cmp(n.hi) > 0
	if num, scale, ok := fraction(n.step); ok && n.lo.IsInt64() && n.hi.IsInt64() && !n.never {
		top := new(big.Int).Mul(big.NewInt(num), n.hi)
		bottom := new(big.Int).Mul(big.NewInt(num), n.lo)
		spread := new(big.Int).Sub(n.hi, n.lo)
		n.small = top.IsInt64() && bottom.IsInt64() && spread.IsInt64() && spread.Int64() < 1<<62
		n.from, n.to, n.unit, n.scale = n.lo.Int64(), n.hi.Int64(), num, scale
	}
	return n
}

func (n *numbers) setStep(l *limits, step *big.Rat) {
	n.step = step
	if l.lo != nil {
		n.lo = quotient(l.lo, step, true, l.loOpen)
	}
	if l.hi != nil {
		n.hi = quotient(l.hi, step, false, l.hiOpen)
	}
	span := big.NewInt(usual)
	if whole := new(big.Rat).Inv(step); whole.IsInt() && whole.Num().IsInt64() && whole.Num().Int64() <= 1e6 {
		span.Mul(span, whole.Num())
	}
	switch {
	case n.lo == nil || l.lo == nil && l.hi == nil:
		n.lo = big.NewInt(0)
		if l.hi == nil {
			n.hi = span
		} else if n.hi.Sign() < 0 {
			n.lo = new(big.Int).Sub(n.hi, span)
		}
	case l.lo == nil:
		if n.lo = big.NewInt(0); n.hi.Sign() < 0 {
			n.lo = new(big.Int).Sub(n.hi, span)
		}
	case l.hi == nil:
		n.hi = new(big.Int).Add(n.lo, span)
	}
}

// quotient is bound/step, rounded into the range.
func quotient(bound, step *big.Rat, up, open bool) *big.Int {
	q := new(big.Rat).Quo(bound, step)
	k := new(big.Int)
	m := new(big.Int)
	k.DivMod(q.Num(), q.Denom(), m) // rounds down
	exact := m.Sign() == 0
	switch {
	case exact && open && up:
		k.Add(k, big.NewInt(1))
	case exact && open:
		k.Sub(k, big.NewInt(1))
	case !exact && up:
		k.Add(k, big.NewInt(1))
	}
	return k
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// decimals is how many decimal places a number has that is a decimal.
func decimals(r *big.Rat) int {
	d := new(big.Int).Set(r.Denom())
	count := func(p int64) int {
		n, q, m := 0, new(big.Int), new(big.Int)
		for {
			if q.QuoRem(d, big.NewInt(p), m); m.Sign() != 0 {
				return n
			}
			d.Set(q)
			n++
		}
	}
	return max(count(2), count(5))
}

// fraction is r as num / 10^scale.
func fraction(r *big.Rat) (num int64, scale int, ok bool) {
	const most = 12
	if scale = decimals(r); scale > most {
		return 0, 0, false
	}
	x := new(big.Rat).Mul(r, new(big.Rat).SetInt(pow10(scale)))
	return x.Num().Int64(), scale, x.Num().IsInt64()
}

// decimal writes a decimal without an exponent, unless it is very large.
func decimal(r *big.Rat) string {
	s := r.FloatString(decimals(r))
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// few is how many numbers are gone through one by one.
const few = 100

// make picks the number for at; of few numbers consecutive ones are different.
func (n *numbers) make(at *spot) (value.Value, bool) {
	if n.never {
		return n.spare(at)
	}
	h := hash(at.base)
	if n.small {
		from, to := n.from, n.to
		if lo, hi, ok := at.hint.span(); ok {
			ten := int64(1)
			for range n.scale {
				ten *= 10
			}
			low, high := lo*ten/n.unit, hi*ten/n.unit
			if low*n.unit < lo*ten {
				low++
			}
			if low = max(low, from); !n.free[1] {
				high = min(high, to)
			}
			if low <= high && (n.free[0] || low >= n.from) {
				from, to = low, high
			}
		}
		size := uint64(to-from) + 1
		k := from
		switch {
		case size <= few:
			k += int64((h%size + uint64(at.walk)) % size)
		case at.try > 3 && at.try%4 == 0: // rules that nobody understood often leave an end
			k = n.from + int64(at.try/8)
		case at.try > 3 && at.try%4 == 1:
			k = n.to - int64(at.try/8)
		default:
			k += int64(mix(at.base, uint64(at.walk)) % size)
		}
		return value.Number(scaled(k*n.unit, n.scale)), true
	}
	if len(n.odd) > 0 && at.walk%2 == 1 {
		return n.spare(at)
	}
	size := new(big.Int).Sub(n.hi, n.lo)
	size.Add(size, big.NewInt(1))
	k := new(big.Int).SetUint64(h)
	k.Add(k, big.NewInt(int64(at.walk)))
	k.Mod(k, size)
	k.Add(k, n.lo)
	return value.Number(decimal(new(big.Rat).Mul(n.step, new(big.Rat).SetInt(k)))), true
}

func (n *numbers) spare(at *spot) (value.Value, bool) {
	if len(n.odd) == 0 {
		return value.Value{}, false
	}
	return n.odd[at.walk/2%len(n.odd)], true
}

// scaled writes x / 10^scale.
func scaled(x int64, scale int) string {
	for scale > 0 && x%10 == 0 {
		x /= 10
		scale--
	}
	if scale == 0 {
		return strconv.FormatInt(x, 10)
	}
	var buf [40]byte
	out := buf[:0]
	u := uint64(x)
	if x < 0 {
		out = append(out, '-')
		u = -u
	}
	digits := strconv.FormatUint(u, 10)
	for len(digits) <= scale {
		digits = "0" + digits
	}
	out = append(out, digits[:len(digits)-scale]...)
	out = append(out, '.')
	out = append(out, digits[len(digits)-scale:]...)
	return string(out)
}
