package sample

import (
	"math/big"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A pair are two members of which the first is not after the second.
type pair struct{ first, second int }

// A sum is a member that follows from others: the sum of plus without minus, or
// the product of factors, or the length of the only array.
type sum struct {
	total                int
	plus, minus, factors []int
	length               bool // of the only array there is
}

// after names what comes after what.
var after = map[string][]string{
	"start": {"end", "finish", "stop"}, "starts": {"ends"}, "started": {"ended", "finished", "completed"}, "from": {"to", "until"}, "begin": {"end"},
	"since": {"until"}, "min": {"max"}, "minimum": {"maximum"}, "low": {"high"}, "lower": {"upper"}, "opens": {"closes"},
	"created": {"updated", "modified", "completed", "deleted"},
}

func (o *objects) relations() {
	at := make(map[string]int, len(o.props))
	words := make([][]string, len(o.props))
	for i := range o.props {
		if len(o.props[i].name) > 64 {
			continue
		}
		words[i] = split(o.props[i].name)
		at[strings.Join(words[i], " ")] = i
	}
	for i, ws := range words {
		for k, w := range ws {
			for _, later := range after[w] {
				other := slices.Clone(ws)
				other[k] = later
				if j, ok := at[strings.Join(other, " ")]; ok {
					o.pairs = append(o.pairs, pair{i, j})
				}
			}
		}
	}
	some := func(names ...string) (list []int) {
		for _, n := range names {
			if i, ok := at[n]; ok {
				list = append(list, i)
			}
		}
		return list
	}
	for _, total := range some("total", "total amount", "total price", "grand total", "line total", "count", "total count") {
		s := sum{total: total}
		switch price, quantity := some("price", "unit price"), some("quantity", "qty"); {
		case len(some("subtotal")) == 1:
			s.plus, s.minus = some("subtotal", "tax", "shipping", "fee", "fees"), some("discount")
		case len(price) == 1 && len(quantity) == 1:
			s.factors = append(price, quantity...)
		default:
			s.length = true
		}
		o.sums = append(o.sums, s)
	}
}

// relate brings members of one object in line; what the document gave, or the
// caller, stays. A value that would not fit is not changed.
func (r *run) relate(o *objects, ms []value.Member, made []bool) {
	at := func(prop int) int {
		name := o.props[prop].name
		return slices.IndexFunc(ms, func(m value.Member) bool { return m.Name == name })
	}
	fits := func(prop int, v value.Value) bool { return r.fits(r.m.at(o.props[prop].plan), v) }
	for _, p := range o.pairs {
		i, j := at(p.first), at(p.second)
		if i < 0 || j < 0 || !ordered(ms[i].Value, ms[j].Value) || value.Compare(ms[i].Value, ms[j].Value) <= 0 {
			continue
		}
		a, b := ms[i].Value, ms[j].Value
		switch {
		case made[i] && made[j] && fits(p.first, b) && fits(p.second, a):
			ms[i].Value, ms[j].Value = b, a
		case made[j] && fits(p.second, a):
			ms[j].Value = a
		case made[i] && fits(p.first, b):
			ms[i].Value = b
		}
	}
	for _, s := range o.sums {
		i := at(s.total)
		if i < 0 || !made[i] || !ms[i].Value.IsNumber() {
			continue
		}
		if v := s.of(ms, at); !v.IsMissing() && fits(s.total, v) {
			ms[i].Value = v
		}
	}
}

// ordered is whether both are numbers, or times of the same shape.
func ordered(a, b value.Value) bool {
	if a.IsNumber() && b.IsNumber() {
		return true
	}
	x, y := a.Text(), b.Text()
	timely := func(s string) bool {
		return len(s) >= 9 && s[0] >= '0' && s[0] <= '9' && (s[4] == '-' || s[2] == ':') && (len(s) == 10 || s[len(s)-1] == 'Z')
	}
	return a.IsString() && b.IsString() && len(x) == len(y) && timely(x) && timely(y)
}

// of is the total; Missing where parts of it are.
func (s *sum) of(ms []value.Member, at func(int) int) value.Value {
	if s.length {
		n := -1
		for _, m := range ms {
			if m.Value.IsArray() {
				if n >= 0 {
					return value.Value{}
				}
				n = m.Value.Len()
			}
		}
		if n < 0 {
			return value.Value{}
		}
		return value.Int(int64(n))
	}
	total := new(big.Rat)
	if s.factors != nil {
		total.SetInt64(1)
	}
	for k, list := range [][]int{s.plus, s.minus, s.factors} {
		for _, p := range list {
			i := at(p)
			if i < 0 {
				if k == 2 {
					return value.Value{}
				}
				continue
			}
			x := value.Rat(ms[i].Value.Text())
			if x == nil {
				return value.Value{}
			}
			switch k {
			case 0:
				total.Add(total, x)
			case 1:
				total.Sub(total, x)
			default:
				total.Mul(total, x)
			}
		}
	}
	return value.Number(decimal(total))
}
