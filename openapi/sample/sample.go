// Package sample makes values that fit a schema, and values that just do not.
//
// [Maker.Make] is for mocks and for requests that should succeed: a value is
// the same for the same seed and place, whatever else was made, it looks like
// what the names of its members say, and it is handed out only after package
// schema found nothing wrong with it. [Maker.Cases] is for testers of
// contracts: it changes one thing at one place of a good value.
//
// Schemas can ask for what nobody can find. The work on one value is bounded,
// and where it does not suffice, no value is made.
package sample

import (
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// Members says which members an object gets beside those that are required.
type Members uint8

const (
	Some    Members = iota // about three of four
	Full                   // all of them, until a schema contains itself twice
	Minimal                // none
)

// Options say what value is wanted. The zero value is a request.
type Options struct {
	// Direction leaves readOnly members out of requests and writeOnly ones out
	// of responses.
	Direction schema.Direction

	// Seed and Place choose the value: another place, such as
	// "orders/17/response", has another one.
	Seed  uint64
	Place string

	Members Members

	// Varied leaves examples and defaults of the document aside.
	Varied bool

	// Fix gives declared members their value; Missing leaves the choice here.
	// The pointer (RFC 6901) begins at the value that is made. A value that the
	// schema forbids lets Make fail. nil fixes nothing.
	Fix func(pointer string, s *schema.Schema) value.Value
}

// Make is a value that fits s. It is false where none was found within the
// bounds: of work, of size (a million characters), of depth (100 levels).
func (m *Maker) Make(s *schema.Schema, o Options) (value.Value, bool) {
	if s == nil {
		return value.Value{}, false
	}
	p := m.root(s)
	r := run{m: m, o: o, budget: maxBudget}
	base := mix(o.Seed, hashText(o.Place))
	const tries = 6
	for try := 0; try < tries && r.budget >= 0; try++ {
		at := spot{base: base, walk: try * 31, try: try, kin: base, members: o.Members, varied: o.Varied || try > 0}
		v, ok := r.make(p, at)
		final := finalBudget
		if ok && s.ValidWithin(v, o.Direction, &final) {
			return v, true
		}
	}
	return value.Value{}, false
}

const (
	maxBudget   = 400_000
	finalBudget = 2_000_000
	deepest     = 100 // levels of a value
	soft        = 6   // levels with optional members
)

// run is one call of [Maker.Make].
type run struct {
	m      *Maker
	o      Options
	budget int // steps: schemas applied, parts made
	stack  []*plan
	near   [24]*plan
	fails  map[*plan]int
	path   []string // only where o.Fix may ask for it
	given  bool     // the last value is the document's
}

// A spot is where a value is made and what it is made from.
type spot struct {
	base    uint64 // the hash of the place
	walk    int    // the next one of the values for the place
	try     int    // how often it went wrong
	kin     uint64 // the hash of the object around
	depth   int
	hint    hint
	members Members
	varied  bool
}

func (r *run) make(p *plan, at spot) (value.Value, bool) {
	r.given = false
	if r.budget -= p.cost; r.budget < 0 || p.never || at.depth+p.height > deepest {
		return value.Value{}, false
	}
	if len(r.stack) == 0 {
		r.stack = r.near[:0]
	}
	r.stack = append(r.stack, p)
	v, ok := r.find(p, &at)
	r.stack = r.stack[:len(r.stack)-1]
	if !ok {
		if r.fails == nil {
			r.fails = make(map[*plan]int)
		}
		r.fails[p]++
	}
	return v, ok
}

func (r *run) find(p *plan, at *spot) (value.Value, bool) {
	if !at.varied {
		for i := range p.given {
			g := p.given[i]
			if n := p.examples; i < n {
				g = p.given[(int(hash(at.base)%uint64(n))+i)%n]
			}
			v := r.adapt(p, g, *at)
			if r.fits(p, v) {
				r.given = true
				return v, true
			}
		}
	}
	if p.finite {
		return r.pick(p, at)
	}
	if p.group != nil {
		return r.choose(p, at)
	}
	tries := 1
	if p.checked {
		tries = max(24>>min(r.fails[p], 4), 2)
	}
	if r.fails[p] < 3 && (!p.explicit || p.null || len(p.kinds) > 1) {
		tries = max(tries, 10) // another type may do
	}
	first := at.try
	for i := range tries {
		if i > 0 {
			at.try, at.walk = first+i, at.walk+1
			at.varied = true
		}
		kind := p.kind(at)
		v, ok := r.of(p, kind, at)
		if ok && (!p.checked || r.fits(p, v)) {
			r.given = false
			return v, true
		}
		if r.budget < 0 {
			break
		}
	}
	return value.Value{}, false
}

func (r *run) of(p *plan, kind string, at *spot) (value.Value, bool) {
	switch kind {
	case "object":
		return r.object(p, at)
	case "array":
		return r.array(p, at)
	case "string":
		return r.text(p, at)
	case "integer", "number":
		n := p.num
		if n == nil || kind == "integer" && p.whole != nil {
			n = p.whole
		}
		if n == nil {
			return value.Int(int64(hash(at.base)%usual) + int64(at.walk)), true
		}
		return n.make(at)
	case "boolean":
		return value.Bool((hash(at.base)+uint64(at.walk))%2 == 0), true
	case "null":
		return value.Null, true
	}
	return value.Value{}, false
}

// fits is whether the schemas that p was made for have nothing against v.
func (r *run) fits(p *plan, v value.Value) bool {
	for _, s := range p.entries {
		if r.budget < 0 || !s.ValidWithin(v, r.o.Direction, &r.budget) {
			return false
		}
	}
	return true
}

func (r *run) pick(p *plan, at *spot) (value.Value, bool) {
	n := len(p.domain)
	if n == 0 {
		return value.Value{}, false
	}
	plain := p.plain
	start := int((hash(at.base)%uint64(max(plain, 1)) + uint64(at.walk)) % uint64(max(plain, 1)))
	for i := range n {
		v := p.domain[i]
		if i < plain {
			v = p.domain[(start+i)%plain]
		}
		if p.sure || r.fits(p, v) {
			return v, true
		}
	}
	return value.Value{}, false
}

// choose decides the next group of alternatives.
func (r *run) choose(p *plan, at *spot) (value.Value, bool) {
	g := p.group
	n := len(g.options)
	start := 0
	if at.depth <= soft && g.first > 0 {
		start = int((hash(at.base) + uint64(at.walk)) % uint64(g.first))
	}
	most := max(min(2*n, 40), 3)
	if r.fails[p] > 1 {
		most = n
	}
	for i := range most {
		k := i % n
		switch {
		case at.depth > soft:
			k = g.low[k]
		case k < g.first:
			k = (start + k) % g.first
		}
		next := *at
		next.walk += i / n * 7
		next.try += i / n
		if v, ok := r.make(r.m.child(p, k), next); ok {
			return v, true
		}
		if r.budget < 0 {
			break
		}
	}
	return value.Value{}, false
}

// on counts how often a plan is being worked on.
func (r *run) on(p *plan) int {
	n := 0
	for _, q := range r.stack {
		if q == p {
			n++
		}
	}
	return n
}

func (r *run) enter(segment string) {
	if r.o.Fix != nil {
		r.path = append(r.path, segment)
	}
}

func (r *run) leave() {
	if r.o.Fix != nil {
		r.path = r.path[:len(r.path)-1]
	}
}

func (r *run) fixed(name string, p *prop) value.Value {
	if r.o.Fix == nil || len(p.schemas) == 0 {
		return value.Value{}
	}
	return r.o.Fix(pointer(append(r.path, name)), p.schemas[0])
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(path []string) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteByte('/')
		escape.WriteString(&b, s)
	}
	return b.String()
}

// adapt mends an example of the document for the direction and the members
// that are wanted, and replaces parts that do not fit.
func (r *run) adapt(p *plan, v value.Value, at spot) value.Value {
	r.budget -= 1 + v.Len()
	if r.budget < 0 || at.depth > deepest {
		return v
	}
	switch {
	case v.IsObject() && p.obj != nil:
		return r.adaptObject(p, v, at)
	case v.IsArray() && p.arr != nil:
		a := p.arr
		elems := make([]value.Value, 0, v.Len())
		for i, e := range v.Elems() {
			if a.max >= 0 && i >= a.max {
				break
			}
			r.enter(strconv.Itoa(i))
			elems = append(elems, r.mend(r.m.elem(p, i), e, at.below(uint64(i))))
			r.leave()
		}
		for i := len(elems); i < a.min && r.budget > 0; i++ {
			next := at.below(uint64(i))
			next.varied = true
			r.enter(strconv.Itoa(i))
			e, ok := r.make(r.m.elem(p, i), next)
			r.leave()
			if !ok {
				break
			}
			elems = append(elems, e)
		}
		return value.Array(elems...)
	}
	return v
}

// below is the spot of a part.
func (at *spot) below(h uint64) spot {
	self := mix(at.base, uint64(at.walk))
	return spot{base: mix(self, h), kin: self, depth: at.depth + 1, members: at.members, varied: at.varied}
}

// mend adapts a part and makes another one where that does not suffice.
func (r *run) mend(p *plan, v value.Value, at spot) value.Value {
	v = r.adapt(p, v, at)
	if r.fits(p, v) {
		return v
	}
	if made, ok := r.make(p, at); ok {
		return made
	}
	return v
}

func (r *run) adaptObject(p *plan, v value.Value, at spot) value.Value {
	o, d := p.obj, r.o.Direction&1
	var ms []value.Member
	for _, m := range v.Members() {
		i := o.find(m.Name)
		if i < 0 {
			if !o.closed || p.group != nil {
				ms = append(ms, m)
			}
			continue
		}
		q := &o.props[i]
		if q.hidden[d] || q.never || at.members == Minimal && !q.required && p.group == nil {
			continue
		}
		next := at.below(q.hash)
		next.hint = q.hint
		if f := r.fixed(m.Name, q); !f.IsMissing() {
			m.Value = f
		} else {
			r.enter(m.Name)
			m.Value = r.mend(r.m.at(q.plan), m.Value, next)
			r.leave()
		}
		ms = append(ms, m)
	}
	for i := range o.props {
		q := &o.props[i]
		if v.Has(q.name) || q.hidden[d] || q.never {
			continue
		}
		f := r.fixed(q.name, q)
		if f.IsMissing() && !q.required && at.members != Full {
			continue
		}
		if f.IsMissing() {
			next := at.below(q.hash)
			next.hint = q.hint
			child := r.m.at(q.plan)
			if !q.required && (at.depth >= soft || r.on(child) > 1) {
				continue
			}
			var ok bool
			r.enter(q.name)
			f, ok = r.make(child, next)
			r.leave()
			if !ok {
				continue
			}
		}
		ms = append(ms, value.Member{Name: q.name, Value: f})
	}
	return value.Object(ms...)
}
