package sample

import (
	"slices"
	"strconv"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// objects are the rules of several schemas for one object.
type objects struct {
	never    bool
	min, max int // max -1: none
	props    []prop
	index    map[string]int
	closed   bool // no other members
	needs    []need
	names    []*schema.Schema
	namePlan lazy
	typed    bool // the schemas say what other members are
	pairs    []pair
	sums     []sum
}

type prop struct {
	name     string
	hash     uint64
	hint     hint
	schemas  []*schema.Schema
	plan     *lazy
	required bool
	declared bool
	never    bool
	hidden   [2]bool // by direction
	fixed    value.Value
}

// need is what the presence of a member asks for.
type need struct{ at, other int }

func (m *Maker) objects(p *plan) {
	o := &objects{max: -1}
	said := false
	const most = 2_000_000
	work := 0
	for _, f := range p.facts {
		work += len(f.Properties)
	}
	if work*len(p.facts) > most {
		p.never = true
		return
	}
	at := make(map[string]int)
	name := func(n string) *prop {
		i, ok := at[n]
		if !ok {
			i = len(o.props)
			at[n] = i
			o.props = append(o.props, prop{name: n, hash: hashText(n), hint: hintOf(n)})
		}
		return &o.props[i]
	}
	for _, f := range p.facts {
		said = said || f.object
		o.min = max(o.min, f.MinProperties)
		if f.MaxProperties >= 0 && (o.max < 0 || f.MaxProperties < o.max) {
			o.max = f.MaxProperties
		}
		o.typed = o.typed || f.AdditionalProperties != nil || len(f.PatternProperties) > 0
		o.closed = o.closed || f.AdditionalProperties != nil && m.fact(f.AdditionalProperties).Never && len(f.PatternProperties) == 0
		if f.PropertyNames != nil {
			o.names = append(o.names, f.PropertyNames)
		}
		for _, q := range f.Properties {
			n := name(q.Name)
			n.required = n.required || q.Required
			n.declared = n.declared || q.Schema != nil
		}
	}
	for _, f := range p.facts {
		for _, d := range f.Dependents {
			for _, other := range d.Needs {
				name(d.Name)
				name(other)
				o.needs = append(o.needs, need{at[d.Name], at[other]})
			}
		}
	}
	for _, d := range p.decided {
		if d.tag != "" {
			n := name(d.tag)
			n.required, n.fixed, said = true, value.String(d.name), true
		}
	}
	if !said {
		return
	}
	for i := range o.props {
		m.describe(p, o, &o.props[i])
	}
	for _, d := range p.decided {
		if i, ok := at[d.forbid]; ok && d.forbid != "" {
			o.props[i].never = true
		}
	}
	for i := range o.props {
		q := &o.props[i]
		if q.required && q.never && !q.hidden[0] && !q.hidden[1] {
			o.never = true
		}
	}
	const small = 8
	if len(o.props) > small {
		o.index = at
	}
	o.namePlan.entries = o.names
	p.cost += len(o.props) / 8
	o.relations()
	p.obj = o
}

// describe fills in what the schemas say of a member of that name.
func (m *Maker) describe(p *plan, o *objects, q *prop) {
	q.schemas, q.never = m.member(p, q.name)
	q.plan = &lazy{entries: q.schemas}
	for _, s := range q.schemas {
		q.hidden[schema.Request] = q.hidden[schema.Request] || s.ReadOnly()
		q.hidden[schema.Response] = q.hidden[schema.Response] || s.WriteOnly()
	}
	for _, s := range o.names {
		steps := 1000
		q.never = q.never || !s.ValidWithin(value.String(q.name), schema.Request, &steps)
	}
	if !q.fixed.IsMissing() {
		for _, s := range q.schemas {
			steps := 1000
			q.never = q.never || !s.ValidWithin(q.fixed, schema.Request, &steps)
		}
	}
}

// member is what applies to a member of that name.
func (m *Maker) member(p *plan, name string) (list []*schema.Schema, never bool) {
	for _, f := range p.facts {
		known := false
		if i := f.property(name); i >= 0 && f.Properties[i].Schema != nil {
			list = append(list, f.Properties[i].Schema)
			known = true
		}
		for i, pp := range f.PatternProperties {
			steps := 1000
			if f.patterns[i].judge.Match(name, &steps) {
				list = append(list, pp.Schema)
				known = true
			}
		}
		if !known && f.AdditionalProperties != nil {
			list = append(list, f.AdditionalProperties)
		}
	}
	return list, m.never(list)
}

func (f *facts) property(name string) int {
	if f.index != nil {
		if i, ok := f.index[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(f.Properties, func(p schema.Property) bool { return p.Name == name })
}

func (o *objects) find(name string) int {
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(o.props, func(p prop) bool { return p.name == name })
}

// state is what is decided about a member.
type state uint8

const (
	out    state = iota
	wanted       // wanted
	must         // required, or given by [Options.Fix]
	never        // cannot be
)

func (r *run) object(p *plan, at *spot) (value.Value, bool) {
	o := p.obj
	if o == nil {
		return value.Object(), true
	}
	if o.never || o.max >= 0 && o.min > o.max || o.min > r.budget {
		return value.Value{}, false
	}
	self := mix(at.base, uint64(at.walk))
	var buf [32]state
	var fixedBuf [4]value.Member
	states, fixed := buf[:], fixedBuf[:0]
	if len(o.props) > len(buf) {
		states = make([]state, len(o.props))
	}
	states = states[:len(o.props)]
	if r.o.Fix != nil {
		for i := range o.props {
			if q := &o.props[i]; !q.hidden[r.o.Direction&1] {
				if v := r.fixed(q.name, q); !v.IsMissing() {
					fixed = append(fixed, value.Member{Name: q.name, Value: v})
					states[i] = must
				}
			}
		}
	}
	n := r.choice(p, at, self, states)
	if n < 0 {
		return value.Value{}, false
	}
	ms := make([]value.Member, 0, n+2)
	var madeBuf [32]bool // not by the document
	made := madeBuf[:0]
	for i := range o.props {
		if states[i] != wanted && states[i] != must {
			continue
		}
		q := &o.props[i]
		v, ok, own := value.Value{}, true, true
		if j := slices.IndexFunc(fixed, func(m value.Member) bool { return m.Name == q.name }); j >= 0 {
			v, own = fixed[j].Value, false
		} else if !q.fixed.IsMissing() {
			v, own = q.fixed, false
		} else {
			next := spot{base: mix(self, q.hash), kin: self, depth: at.depth + 1, hint: q.hint, members: at.members, varied: at.varied}
			if len(q.name) > 64 {
				r.budget -= len(q.name) >> 6
			}
			r.enter(q.name)
			v, ok = r.make(r.m.at(q.plan), next)
			r.leave()
			own = !r.given
		}
		if !ok {
			if states[i] == must {
				return value.Value{}, false
			}
			states[i] = never
			continue
		}
		ms = append(ms, value.Member{Name: q.name, Value: v})
		made = append(made, own)
	}
	// A member that could not be made may be one that another asks for.
	for _, d := range o.needs {
		if (states[d.at] == wanted || states[d.at] == must) && states[d.other] == never {
			if states[d.at] == must {
				return value.Value{}, false
			}
			ms = slices.DeleteFunc(ms, func(m value.Member) bool { return m.Name == o.props[d.at].name })
			made = nil
		}
	}
	if len(o.pairs)+len(o.sums) > 0 && len(made) == len(ms) {
		r.relate(o, ms, made)
	}
	want := o.min
	if o.typed && !o.closed && at.members != Minimal && at.try < 2 && at.depth < soft && r.budget > maxBudget/2 && !slices.ContainsFunc(o.props, func(q prop) bool { return q.declared }) {
		if want = max(want, 1); o.max >= 0 {
			want = min(want, o.max)
		}
	}
	if len(ms) < want {
		ms = r.extras(p, at, self, ms, want)
	}
	return value.Object(ms...), len(ms) >= o.min
}

// choice decides which declared members there shall be, and how many that are;
// -1 where it cannot be.
func (r *run) choice(p *plan, at *spot, self uint64, states []state) int {
	o, d := p.obj, r.o.Direction&1
	members := at.members
	switch {
	case r.budget < maxBudget/2 || at.try == 2:
		members = Minimal
	case at.try > 2:
		members = Some
	}
	for i := range o.props {
		q := &o.props[i]
		switch {
		case states[i] == must:
		case q.hidden[d]:
			// The schema that asks for it may not know that it is hidden.
			if q.required && !q.never && at.try%3 == 1 {
				states[i] = must
			} else if q.never || !q.required || at.try%3 != 1 {
				states[i] = never
			}
		case q.required:
			states[i] = must
		case q.never:
			states[i] = never
		case members == Minimal:
		case members == Full || hash(self^q.hash)%4 != 0 && (at.try < 3 || hash(self^q.hash+1)%2 == 0):
			if r.affordable(q, at) {
				states[i] = wanted
			}
		}
	}
	for range len(o.needs) + 1 {
		changed := false
		for _, n := range o.needs {
			on := states[n.at] == wanted || states[n.at] == must
			switch {
			case on && states[n.other] == never && states[n.at] == must:
				return -1
			case on && states[n.other] == never:
				states[n.at] = never
				changed = true
			case on && states[n.other] == out:
				states[n.other] = wanted
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	count := 0
	for _, s := range states {
		if s == wanted || s == must {
			count++
		}
	}
	for i := 0; i < len(states) && count < o.min; i++ {
		if states[i] == out {
			states[i] = wanted
			count++
		}
	}
	for i := len(states) - 1; i >= 0 && o.max >= 0 && count > o.max; i-- {
		needed := slices.ContainsFunc(o.needs, func(n need) bool { return n.other == i && states[n.at] == must })
		if states[i] == wanted && !needed {
			states[i] = out
			count--
			for _, n := range o.needs {
				if n.other == i && states[n.at] == wanted {
					states[n.at] = out
					count--
				}
			}
		}
	}
	return count
}

// affordable is whether an optional member is not too deep.
func (r *run) affordable(q *prop, at *spot) bool {
	child := r.m.at(q.plan)
	most := 1
	if at.members == Full {
		most = 2
	}
	if child.never || at.depth+child.height+1 > deepest || at.depth >= soft && !flat(child) {
		return false
	}
	return child.obj == nil && child.arr == nil && child.group == nil || r.on(child) < most
}

func flat(p *plan) bool { return p.obj == nil && p.arr == nil && p.group == nil }

// extras adds members that are not declared, until there are so many.
func (r *run) extras(p *plan, at *spot, self uint64, ms []value.Member, want int) []value.Member {
	o := p.obj
	if o.closed {
		return ms
	}
	var patterns []*pattern
	for _, f := range p.facts {
		patterns = append(patterns, f.patterns...)
	}
	misses := 0
	for i := 0; len(ms) < want && misses < 40 && r.budget > 0; i++ {
		g := rng(mix(self, uint64(i)))
		name := ""
		switch k := i % 3; {
		case len(o.names) > 0 && k != 1:
			next := at.below(uint64(i))
			next.varied, next.try = true, 0
			v, ok := r.make(r.m.at(&o.namePlan), next)
			if !ok || !v.IsString() {
				misses++
				continue
			}
			name = v.Text()
		case len(patterns) > 0 && k != 2:
			p := patterns[g.intn(len(patterns))]
			if p.root == nil {
				misses++
				continue
			}
			name, _ = p.text(&g, max(p.root.lo, min(p.root.hi, 4)))
		default:
			if name = g.of(nouns); i >= 12 {
				name += strconv.Itoa(i)
			}
		}
		if o.find(name) >= 0 || slices.ContainsFunc(ms, func(m value.Member) bool { return m.Name == name }) {
			misses++
			continue
		}
		r.budget -= 2 + len(p.facts) + len(ms)>>4
		child, ok := r.m.extra(p, name)
		for _, s := range o.names {
			ok = ok && s.ValidWithin(value.String(name), r.o.Direction, &r.budget)
		}
		if !ok {
			misses++
			continue
		}
		next := spot{base: mix(self, hashText(name)), kin: self, depth: at.depth + 1, members: at.members, varied: at.varied}
		r.enter(name)
		v, ok := r.make(child, next)
		r.leave()
		if !ok {
			misses++
			continue
		}
		ms = append(ms, value.Member{Name: name, Value: v})
	}
	return ms
}

// extra is the plan of a member that is not declared.
func (m *Maker) extra(p *plan, name string) (*plan, bool) {
	m.mu.Lock()
	if m.heights == nil {
		m.mu.Unlock()
		return nil, false
	}
	list, never := m.member(p, name)
	m.mu.Unlock()
	if never {
		return nil, false
	}
	return m.of(list), true
}
