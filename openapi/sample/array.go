package sample

import (
	"slices"
	"strconv"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// arrays are the rules of several schemas for one array.
type arrays struct {
	min, max int // max -1: none
	unique   bool
	prefix   []lazy
	rest     lazy
	contains []contained
}

type contained struct {
	schema   *schema.Schema
	min, max int // max -1: none
	plan     *lazy
}

func (m *Maker) arrays(p *plan) {
	a := &arrays{max: -1}
	said := false
	longest := 0
	for _, f := range p.facts {
		said = said || f.MinItems > 0 || f.MaxItems >= 0 || f.UniqueItems || f.Items != nil || f.PrefixItems != nil || f.Contains != nil
		a.min = max(a.min, f.MinItems)
		if f.MaxItems >= 0 && (a.max < 0 || f.MaxItems < a.max) {
			a.max = f.MaxItems
		}
		a.unique = a.unique || f.UniqueItems
		longest = max(longest, len(f.PrefixItems))
		if f.Items != nil {
			a.rest.entries = append(a.rest.entries, f.Items)
		}
	}
	if !said {
		return
	}
	limit := func(n int) {
		if a.max < 0 || n < a.max {
			a.max = n
		}
	}
	a.prefix = make([]lazy, longest)
	for i := range a.prefix {
		for _, f := range p.facts {
			switch {
			case i < len(f.PrefixItems):
				a.prefix[i].entries = append(a.prefix[i].entries, f.PrefixItems[i])
			case f.Items != nil:
				a.prefix[i].entries = append(a.prefix[i].entries, f.Items)
			}
		}
		if m.never(a.prefix[i].entries) {
			limit(i)
		}
	}
	if m.never(a.rest.entries) {
		limit(longest)
	}
	for _, f := range p.facts {
		if f.Contains == nil {
			continue
		}
		c := contained{schema: f.Contains, min: f.MinContains, max: f.MaxContains}
		c.plan = &lazy{entries: append(slices.Clone(a.rest.entries), f.Contains)}
		a.contains = append(a.contains, c)
	}
	p.arr = a
}

// never is whether nothing fits one of the schemas.
func (m *Maker) never(entries []*schema.Schema) bool {
	m.height(entries)
	for _, s := range entries {
		if m.fact(s).Never || m.heights[s] >= endless {
			return true
		}
	}
	return false
}

// elem is the plan of an element of an array that p plans.
func (m *Maker) elem(p *plan, i int) *plan {
	if i < len(p.arr.prefix) {
		return m.at(&p.arr.prefix[i])
	}
	return m.at(&p.arr.rest)
}

func (r *run) array(p *plan, at *spot) (value.Value, bool) {
	a := p.arr
	if a == nil {
		if at.members == Minimal || at.try > 2 {
			return value.Array(), true
		}
		g := rng(mix(at.base, uint64(at.walk)))
		return value.Array(value.String(hintTag.word(&g, at.kin))), true
	}
	n, ok := r.length(p, at)
	if !ok {
		return value.Value{}, false
	}
	elems := make([]value.Value, 0, min(n, 1024))
	for i := range n {
		r.enter(strconv.Itoa(i))
		e, ok := r.element(p, at, i, n, elems)
		r.leave()
		if !ok {
			if i >= a.min && i >= len(a.prefix) {
				break
			}
			return value.Value{}, false
		}
		elems = append(elems, e)
	}
	return value.Array(elems...), true
}

// length is how many elements there shall be.
func (r *run) length(p *plan, at *spot) (int, bool) {
	a := p.arr
	if a.max >= 0 && a.min > a.max || a.min > r.budget {
		return 0, false
	}
	need := 0
	for _, c := range a.contains {
		need += c.min
	}
	n := max(a.min, need)
	tall := at.depth >= soft
	if !tall {
		tall = r.m.elem(p, len(a.prefix)).height+at.depth > deepest || r.on(r.m.elem(p, 0)) > 0
	}
	if at.members != Minimal && !tall && r.budget > maxBudget/2 {
		n = max(n, len(a.prefix))
		if n == len(a.prefix) || at.try%2 == 1 {
			n += 1 + int(hash(at.base+uint64(at.walk))%2)
		}
	}
	if at.try == 3 {
		n = max(a.min, need)
	}
	if a.max >= 0 {
		n = min(n, a.max)
	}
	return n, n <= r.budget
}

// element makes the element i of n. Where elements must differ, the values for
// one place are gone through, of which a small set has each once.
func (r *run) element(p *plan, at *spot, i, n int, before []value.Value) (value.Value, bool) {
	a := p.arr
	child := r.m.elem(p, i)
	var must *contained
	left := n - i
	for k := len(a.contains) - 1; k >= 0; k-- {
		// The last elements are those that have to be contained.
		if c := &a.contains[k]; left <= c.min {
			must = c
			break
		}
		left -= a.contains[k].min
	}
	if must != nil {
		if child = r.m.at(must.plan); i < len(a.prefix) {
			child = r.m.of(append(slices.Clone(a.prefix[i].entries), must.schema))
		}
	}
	next := at.below(uint64(i))
	next.varied = next.varied || i > 0
	if a.unique {
		next = at.below(0)
		next.walk = i
		next.varied = next.varied || i > 0
	}
	next.hint = plural(at.hint)
	tries := 1
	if a.unique || len(a.contains) > 0 {
		tries = 12 + min(i, 20)
	}
	for k := range tries {
		if k > 0 {
			next.walk++
			next.varied = true
			next.try = k / 2
		}
		e, ok := r.make(child, next)
		if r.budget < 0 || !ok && k > 2 {
			break
		}
		if !ok || a.unique && r.among(before, e) || must == nil && k < tries-1 && r.unwanted(a, e) {
			continue
		}
		return e, true
	}
	return value.Value{}, false
}

func plural(h hint) hint {
	if h == hintNone {
		return hintTag
	}
	return h
}

func (r *run) among(list []value.Value, e value.Value) bool {
	r.budget -= len(list) >> 7
	return slices.ContainsFunc(list, func(x value.Value) bool { return value.Equal(x, e) })
}

// unwanted is whether e counts among those of which there may be only some.
func (r *run) unwanted(a *arrays, e value.Value) bool {
	for _, c := range a.contains {
		if c.max >= 0 && c.schema.ValidWithin(e, r.o.Direction, &r.budget) {
			return true
		}
	}
	return false
}
