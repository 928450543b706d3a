package behavior

import (
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// weight is what it costs at the most to look at all of a value's elements, or
// its text. In units of fuel, as all costs.
func weight(v value.Value) int64 { return int64(v.Len() + len(v.Text())>>6) }

func looked(a, b value.Value) int64 { return weight(a) + weight(b) }

// perElement is what it costs to put something into a new list, and mostText
// the size in bytes of the longest text that an expression makes: what a small
// request makes of itself must fit into memory.
const (
	perElement = 8
	mostText   = 16 << 20
)

// grown is the cost of a sum.
func grown(a, b value.Value) int64 {
	return perElement*int64(a.Len()+b.Len()) + textCost(len(a.Text())+len(b.Text()))
}

func textCost(n int) int64 {
	if n > mostText {
		return fuel
	}
	return int64(n >> 4)
}

func weights(a []value.Value) int64 {
	var n int64
	for _, v := range a {
		n += weight(v)
	}
	return n
}

// costs are those of functions that cost more than to look at what they are
// given.
var costs = map[string]func(a []value.Value) int64{"replace": replaceCost, "join": joinCost, "split": splitCost, "lower": copyCost, "upper": copyCost, "string": copyCost}

func copyCost(a []value.Value) int64 { return int64(a[0].Len()) + textCost(len(a[0].Text())) }

func splitCost(a []value.Value) int64 {
	if !texts(a) {
		return 0
	}
	return perElement * int64(1+strings.Count(a[0].Text(), a[1].Text()))
}

// replaceCost and joinCost know how long the result is going to be.
func replaceCost(a []value.Value) int64 {
	n := len(a[0].Text())
	if texts(a) {
		n += strings.Count(a[0].Text(), a[1].Text()) * len(a[2].Text())
	}
	return textCost(n)
}

func joinCost(a []value.Value) int64 {
	n := 0
	for _, e := range a[0].Elems() {
		n += len(e.Text()) + len(a[1].Text())
	}
	return int64(a[0].Len()) + textCost(n)
}
