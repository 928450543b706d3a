package schema

import (
	"hash/maphash"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// maxViolations is how many violations of one value are collected.
const maxViolations = 100

// maxSteps bounds the work on one value: a recursive schema with alternatives
// can cost two to the power of the value's depth. A step is a schema applied
// to a part; they last about a second.
const maxSteps = 10_000_000

// Validate appends every violation of s by v to vs, at most 100 of them. It
// allocates nothing when there is none. Holes fit everything; Missing is null.
func (s *Schema) Validate(v value.Value, d Direction, vs []Violation) []Violation {
	r := run{dir: d, out: vs, base: len(vs), steps: maxSteps}
	r.check(s, s, v)
	if r.steps < 0 && len(r.out)-r.base < maxViolations {
		r.out = append(r.out, Violation{Keyword: "complexity", Limit: value.Int(maxSteps), Value: v})
	}
	return r.out
}

// Valid is whether [Schema.Validate] would find nothing, and cheaper.
func (s *Schema) Valid(v value.Value, d Direction) bool {
	r := run{dir: d, fast: true, steps: maxSteps}
	r.check(s, s, v)
	return !r.done && r.steps >= 0
}

// run is one validation.
type run struct {
	dir   Direction
	fast  bool // the first violation ends it, and is not kept
	done  bool // fast and violated, or enough violations
	steps int
	out   []Violation
	base  int // where ours begin in out

	// The path has depth segments: the first ones in near, the others in far.
	// Were near a slice of an array of the caller, that would be on the heap.
	depth int
	near  [16]segment
	far   []segment
}

// A segment is a name, with the index -1, or an index.
type segment struct {
	name  string
	index int
}

func (r *run) push(name string) { r.enter(segment{name, -1}) }

func (r *run) enter(s segment) {
	if r.depth < len(r.near) {
		r.near[r.depth] = s
	} else {
		r.far = append(r.far[:r.depth-len(r.near)], s)
	}
	r.depth++
}

func (r *run) pop() { r.depth-- }

func (r *run) segment(i int) *segment {
	if i < len(r.near) {
		return &r.near[i]
	}
	return &r.far[i-len(r.near)]
}

// check applies s to v. The owner is the schema that was entered when v was
// reached: s itself, or what s is a part of.
func (r *run) check(s, owner *Schema, v value.Value) {
	if r.done {
		return
	}
	if r.steps--; r.steps < 0 {
		r.done = true
		return
	}
	kind := v.Kind()
	if kind == value.HoleKind || kind <= value.NullKind && s.nullPasses {
		return
	}
	if s.never {
		r.add(Violation{Keyword: "false", Value: v})
		return
	}
	if s.types != 0 && !s.types.has(v) {
		r.add(Violation{Keyword: "type", Limit: s.wanted, Value: v})
		return
	}
	if s.enum != nil && !s.inEnum(v) {
		r.add(Violation{Keyword: "enum", Limit: s.enumList, Value: v})
	}
	if !s.constant.IsMissing() && !value.Equal(s.constant, v) {
		r.add(Violation{Keyword: "const", Limit: s.constant, Value: v})
	}
	if s.allOfFirst {
		r.parts(s, owner, v)
	}
	switch {
	case kind == value.StringKind && s.str != nil:
		r.text(s.str, v)
	case kind == value.NumberKind && s.num != nil:
		r.number(s.num, v)
	case kind == value.ArrayKind && s.arr != nil:
		r.array(s.arr, v)
	case kind == value.ObjectKind && s.obj != nil:
		r.object(s, owner, v)
	}
	if !s.allOfFirst {
		r.parts(s, owner, v)
	}
	if s.comb != nil {
		r.combine(s.comb, owner, v)
	}
}

func (r *run) parts(s, owner *Schema, v value.Value) {
	for _, b := range s.allOf {
		r.check(b, owner, v)
	}
}

func (s *Schema) inEnum(v value.Value) bool {
	if s.enumTexts != nil {
		return v.IsString() && s.enumTexts[v.Text()]
	}
	for i := range s.enum {
		if value.Equal(s.enum[i], v) {
			return true
		}
	}
	return false
}

func (r *run) text(t *textRules, v value.Value) {
	text := v.Text()
	r.steps -= len(text) >> 8
	if t.min > 0 || t.max >= 0 {
		n := utf8.RuneCountInString(text)
		if n < t.min {
			r.add(Violation{Keyword: "minLength", Limit: t.minV, Value: v})
		}
		if t.max >= 0 && n > t.max {
			r.add(Violation{Keyword: "maxLength", Limit: t.maxV, Value: v})
		}
	}
	if t.pattern != nil && !r.matches(t.pattern, text) {
		r.add(Violation{Keyword: "pattern", Limit: t.patternV, Value: v})
	}
	if t.format != nil && !t.format(text) {
		r.add(Violation{Keyword: "format", Limit: t.formatV, Value: v})
	}
}

// matches charges for the time that a backtracking pattern takes.
func (r *run) matches(p *pattern, text string) bool {
	if p.slow == nil {
		return p.match(text)
	}
	if r.steps < 0 {
		return false
	}
	start := time.Now()
	ok := p.match(text)
	r.steps -= int(time.Since(start) / (100 * time.Nanosecond))
	return ok
}

func (r *run) number(t *numberRules, v value.Value) {
	if !t.min.IsMissing() && value.Compare(v, t.min) < 0 {
		r.add(Violation{Keyword: "minimum", Limit: t.min, Value: v})
	}
	if !t.above.IsMissing() && value.Compare(v, t.above) <= 0 {
		r.add(Violation{Keyword: "exclusiveMinimum", Limit: t.above, Value: v})
	}
	if !t.max.IsMissing() && value.Compare(v, t.max) > 0 {
		r.add(Violation{Keyword: "maximum", Limit: t.max, Value: v})
	}
	if !t.below.IsMissing() && value.Compare(v, t.below) >= 0 {
		r.add(Violation{Keyword: "exclusiveMaximum", Limit: t.below, Value: v})
	}
	if !t.multiple.IsMissing() && !v.MultipleOf(t.multiple) {
		r.add(Violation{Keyword: "multipleOf", Limit: t.multiple, Value: v})
	}
	if t.format != nil && !t.format(v) {
		r.add(Violation{Keyword: "format", Limit: t.formatV, Value: v})
	}
}

func (r *run) array(t *arrayRules, v value.Value) {
	elems := v.Elems()
	if len(elems) < t.min {
		r.add(Violation{Keyword: "minItems", Limit: t.minV, Value: v})
	}
	if t.max >= 0 && len(elems) > t.max {
		r.add(Violation{Keyword: "maxItems", Limit: t.maxV, Value: v})
	}
	if t.unique {
		if i, j, twice := r.repeated(elems); twice {
			r.add(Violation{Keyword: "uniqueItems", Limit: value.True, Value: v, first: i, second: j})
		}
	}
	for i := range elems {
		s := t.items
		if i < len(t.prefix) {
			s = t.prefix[i]
		}
		if s == nil {
			break
		}
		r.enter(segment{index: i})
		r.check(s, s, elems[i])
		r.pop()
	}
	if t.contains != nil {
		r.contains(t, v)
	}
}

func (r *run) contains(t *arrayRules, v value.Value) {
	n := 0
	for _, e := range v.Elems() {
		if r.fits(t.contains, t.contains, e) {
			n++
		}
	}
	if n < t.minContains {
		r.add(Violation{Keyword: "contains", Limit: t.minContainsV, Value: v, first: n})
	}
	if t.maxContains >= 0 && n > t.maxContains {
		r.add(Violation{Keyword: "maxContains", Limit: t.maxContainsV, Value: v, first: n})
	}
}

var seed = maphash.MakeSeed()

// repeated finds the first element that occurred before. Many elements are
// found by hash, so that a hostile array costs no more than its length.
func (r *run) repeated(elems []value.Value) (first, second int, twice bool) {
	const small = 8
	if len(elems) <= small {
		for j := range elems {
			for i := range j {
				if value.Equal(elems[i], elems[j]) {
					return i, j, true
				}
			}
		}
		return 0, 0, false
	}
	at := make(map[uint64]int, len(elems))
	for j := range elems {
		if elems[j].Kind() == value.HoleKind {
			continue
		}
		h := value.Hash(seed, elems[j])
		for i, ok := at[h]; ok; i, ok = at[h] {
			if value.Equal(elems[i], elems[j]) {
				return i, j, true
			}
			h++
		}
		at[h] = j
	}
	return 0, 0, false
}

func (r *run) object(s, owner *Schema, v value.Value) {
	o := s.obj
	ms := v.Members()
	if len(ms) < o.min {
		r.add(Violation{Keyword: "minProperties", Limit: o.minV, Value: v})
	}
	if o.max >= 0 && len(ms) > o.max {
		r.add(Violation{Keyword: "maxProperties", Limit: o.maxV, Value: v})
	}
	var buf [64]int32
	at := buf[:] // of each property: 1 + the index of the member
	if len(o.props) > len(buf) {
		at = make([]int32, len(o.props))
	}
	next, undeclared := 0, false
	for i := range ms {
		k := next
		if k >= len(o.props) || o.props[k].name != ms[i].Name {
			k = o.find(ms[i].Name)
		}
		if k < 0 {
			undeclared = true
			continue
		}
		at[k] = int32(i + 1)
		next = k + 1
		undeclared = undeclared || o.props[k].schema == nil
	}
	for k := range o.props {
		p := &o.props[k]
		switch {
		case at[k] == 0:
			if p.required && !p.optional[r.dir&1] {
				r.lacks(owner, v, p.name)
			}
		case p.schema != nil:
			r.push(p.name)
			r.check(p.schema, p.schema, ms[at[k]-1].Value)
			r.pop()
		}
	}
	if undeclared && o.extra != nil || len(o.patterns) > 0 || o.names != nil {
		r.others(o, ms)
	}
	for i := range o.dependent {
		r.depend(&o.dependent[i], owner, v)
	}
}

func (o *objectRules) find(name string) int {
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.props {
		if o.props[i].name == name {
			return i
		}
	}
	return -1
}

// lacks reports a required member, unless the schema around declares it and
// says that this direction has no need of it.
func (r *run) lacks(owner *Schema, v value.Value, name string) {
	if owner.exempt(name, r.dir) {
		return
	}
	r.push(name)
	r.add(Violation{Keyword: "required", Limit: value.True, Value: v})
	r.pop()
}

// others judges members by patternProperties, additionalProperties and
// propertyNames.
func (r *run) others(o *objectRules, ms []value.Member) {
	for i := range ms {
		m := &ms[i]
		k := o.find(m.Name)
		known := k >= 0 && o.props[k].schema != nil
		r.push(m.Name)
		for j := range o.patterns {
			if r.matches(o.patterns[j].pattern, m.Name) {
				known = true
				r.check(o.patterns[j].schema, o.patterns[j].schema, m.Value)
			}
		}
		switch {
		case known || o.extra == nil:
		case o.extra.never:
			r.add(Violation{Keyword: "additionalProperties", Limit: value.False, Value: m.Value})
		default:
			r.check(o.extra, o.extra, m.Value)
		}
		if o.names != nil && !r.fits(o.names, o.names, value.String(m.Name)) {
			r.add(Violation{Keyword: "propertyNames", Value: value.String(m.Name)})
		}
		r.pop()
	}
}

func (r *run) depend(d *dependent, owner *Schema, v value.Value) {
	if !v.Has(d.name) {
		return
	}
	for _, name := range d.needs {
		if !v.Has(name) {
			r.push(name)
			r.add(Violation{Keyword: "dependentRequired", Limit: value.String(d.name), Value: v})
			r.pop()
		}
	}
	if d.schema != nil {
		r.check(d.schema, owner, v)
	}
}
