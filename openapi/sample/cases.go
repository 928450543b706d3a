package sample

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// A Case is a good value with one thing changed at one place.
type Case struct {
	Why     string // "name is one character too long"
	Pointer string // RFC 6901, the place; of a member that was taken away or added, its own
	Keyword string // of JSON Schema, or nullable, discriminator, text
	Value   value.Value
	Valid   bool // by [schema.Schema.Valid]
}

// CaseOptions say which cases are wanted. The zero value is a request.
type CaseOptions struct {
	Direction schema.Direction
	Seed      uint64
	Most      int // cases; 0 means 400
}

const (
	maxPlaces = 400
	maxDepth  = 8
	maxLong   = 100_000 // characters or elements of a case
)

// Cases are values around good, which should fit s, in an order that depends on
// nothing else: for every keyword at every place values at its bound and on both
// sides. Places take turns, and so do the keywords of each, so that the last one
// has its cases, too, where there are more than o.Most. No value occurs twice,
// and none is equal to good.
func (m *Maker) Cases(s *schema.Schema, good value.Value, o CaseOptions) []Case {
	if s == nil {
		return nil
	}
	if o.Most <= 0 {
		o.Most = 400
	}
	c := cases{m: m, r: &run{m: m, o: Options{Direction: o.Direction, Seed: o.Seed}, budget: 4 * maxBudget}}
	c.visit(spotted{plan: m.root(s), base: good, value: good, at: spot{base: mix(o.Seed, 1), kin: mix(o.Seed, 2)}})
	for i := range c.places {
		turns(c.places[i])
	}
	seen := map[string]bool{good.String(): true}
	var out []Case
	for turn, more := 0, true; more && len(out) < o.Most; turn++ {
		more = false
		for _, list := range c.places {
			if turn >= len(list) {
				continue
			}
			more = true
			x := &list[turn]
			v := x.base.Set(x.path, x.value)
			if text := v.String(); !seen[text] && len(out) < o.Most {
				seen[text] = true
				steps := finalBudget
				out = append(out, Case{x.why, x.pointer, x.keyword, v, s.ValidWithin(v, o.Direction, &steps)})
			}
		}
	}
	return out
}

// turns orders the candidates of a place: the first one of each keyword, then
// the second ones. Those that are for no rule wait, since of two with the same
// value the first counts.
func turns(list []candidate) {
	count := make(map[string]int)
	for i := range list {
		list[i].turn = count[list[i].keyword]
		if list[i].general {
			list[i].turn += 3
		}
		count[list[i].keyword]++
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].turn < list[j].turn })
}

// A candidate is a case that is not yet written out: value at path of base.
type candidate struct {
	why, pointer, keyword string
	base, value           value.Value
	path                  []string
	turn                  int
	general               bool
}

type cases struct {
	m      *Maker
	r      *run
	places [][]candidate
}

// spotted is a place of a value.
type spotted struct {
	plan  *plan
	base  value.Value // the whole
	value value.Value // what is there
	path  []string
	at    spot
}

func (p *spotted) name() string {
	if len(p.path) == 0 {
		return "the value"
	}
	last := p.path[len(p.path)-1]
	if _, err := strconv.Atoi(last); err == nil {
		return "element " + last
	}
	return last
}

// list collects the candidates of one place.
type list struct {
	*spotted
	out []candidate
}

func (l *list) add(keyword, why string, v value.Value) {
	general := keyword == "text" || keyword == "number" || keyword == "items" || keyword == "properties"
	l.out = append(l.out, candidate{why: l.name() + " " + why, pointer: pointer(l.path), keyword: keyword, base: l.base, value: v, path: l.path, general: general})
}

const optional = "is left out, as it may be"

// member changes a member; Missing takes it away.
func (l *list) member(keyword, name, why string, v value.Value) {
	changed := l.value.Without(name)
	if !v.IsMissing() {
		changed = l.value.With(name, v)
	}
	l.out = append(l.out, candidate{why: name + " " + why, pointer: pointer(append(slices.Clone(l.path), name)), keyword: keyword, base: l.base, value: changed, path: l.path, general: keyword == "properties" || why == optional})
}

func (c *cases) visit(at spotted) {
	if len(c.places) >= maxPlaces || len(at.path) > maxDepth || c.r.budget < 0 {
		return
	}
	slot := len(c.places)
	c.places = append(c.places, nil)
	l := list{spotted: &at}
	c.branches(&l)
	at.plan = c.resolve(at.plan, at.value)
	c.kinds(&l)
	c.values(&l)
	switch {
	case at.value.IsString():
		c.texts(&l)
	case at.value.IsNumber():
		c.numbers(&l)
	case at.value.IsArray():
		c.arrays(&l)
	case at.value.IsObject():
		c.objects(&l)
	}
	c.places[slot] = l.out
	switch {
	case at.value.IsArray() && at.plan.arr != nil && at.value.Len() == 0:
		if e, ok := c.resize(&l, 1); ok {
			path := append(slices.Clone(at.path), "0")
			c.visit(spotted{c.m.elem(at.plan, 0), at.base.Set(at.path, e), e.At(0), path, at.at.below(0)})
		}
	case at.value.IsArray() && at.plan.arr != nil:
		for i, e := range at.value.Elems() {
			if i > 0 && i >= len(at.plan.arr.prefix)+1 {
				break // the others are like it
			}
			c.visit(spotted{c.m.elem(at.plan, i), at.base, e, append(slices.Clone(at.path), strconv.Itoa(i)), at.at.below(uint64(i))})
		}
	case at.value.IsObject() && at.plan.obj != nil:
		c.below(&at)
	}
}

// below visits the members, also those that the value lacks: these are made.
func (c *cases) below(at *spotted) {
	o := at.plan.obj
	for i := range o.props {
		q := &o.props[i]
		if q.hidden[c.r.o.Direction&1] || q.never {
			continue
		}
		child := c.m.at(q.plan)
		next := at.at.below(q.hash)
		next.hint = q.hint
		v, base := at.value.Get(q.name), at.base
		path := append(slices.Clone(at.path), q.name)
		if v.IsMissing() {
			const shallow = 3
			if len(at.path) >= shallow || c.r.on(child) > 0 {
				continue
			}
			var ok bool
			if v, ok = c.r.make(child, next); !ok {
				continue
			}
			base = base.Set(path, v)
		}
		c.r.stack = append(c.r.stack, child)
		c.visit(spotted{child, base, v, path, next})
		c.r.stack = c.r.stack[:len(c.r.stack)-1]
	}
	for _, m := range at.value.Members() {
		if o.find(m.Name) < 0 {
			if child, ok := c.m.extra(at.plan, m.Name); ok {
				c.visit(spotted{child, at.base, m.Value, append(slices.Clone(at.path), m.Name), at.at.below(hashText(m.Name))})
			}
		}
	}
}

// resolve decides the alternatives that v fits.
func (c *cases) resolve(p *plan, v value.Value) *plan {
	const most = 50
	for range most {
		if p.group == nil {
			break
		}
		best := 0
		for i, o := range p.group.options {
			ok := o.forbid == "" || !v.Has(o.forbid)
			ok = ok && (o.tag == "" || v.Get(o.tag).Text() == o.name)
			for _, s := range o.add {
				ok = ok && s.ValidWithin(v, c.r.o.Direction, &c.r.budget)
			}
			if ok {
				best = i
				break
			}
		}
		p = c.m.child(p, best)
	}
	return p
}

// branches has a value of each alternative, of what must not be, and of the
// condition alone.
func (c *cases) branches(l *list) {
	p := l.plan
	for _, f := range p.facts {
		c.bare(l, f)
	}
	const most = 20
	for depth := 0; p.group != nil && depth < most; depth++ {
		g := p.group
		for i := range g.options {
			if i >= most {
				break
			}
			o := &g.options[i]
			keyword := branchKeyword(p, o)
			if v, ok := c.r.make(c.m.child(p, i), l.at); ok {
				l.add(keyword, "is of alternative "+strconv.Itoa(i+1), v)
			}
			for _, s := range o.add { // without what the place asks for besides
				if v, ok := c.r.make(c.m.root(s), l.at); ok {
					if l.value.IsObject() && v.IsObject() {
						v = merge(l.value, v)
					}
					l.add(keyword, "is like alternative "+strconv.Itoa(i+1), v)
				}
			}
			if o.tag != "" && l.value.IsObject() {
				l.member("discriminator", o.tag, "is "+o.name, value.String(o.name))
			}
		}
		if o := g.options[0]; o.tag != "" && l.value.IsObject() {
			l.member("discriminator", o.tag, "is no known name", value.String("unknown"))
			l.member("discriminator", o.tag, "is left out", value.Value{})
		}
		next := c.resolve1(p, l.value)
		if next == p {
			break
		}
		p = next
	}
	for _, f := range l.plan.facts {
		for _, s := range []*schema.Schema{f.Not, f.If} {
			if s == nil {
				continue
			}
			keyword := "not"
			if s == f.If {
				keyword = "if"
			}
			for k := range 3 {
				next := l.at
				next.walk = k
				if v, ok := c.r.make(c.m.root(s), next); ok {
					if l.value.IsObject() && v.IsObject() {
						v = merge(l.value, v)
					}
					l.add(keyword, "fits the schema after "+keyword, v)
				}
			}
		}
		if f.Not != nil {
			if v, ok := c.r.make(l.plan, l.at.below(3)); ok {
				l.add("not", "does not fit the schema after not", v)
			}
		}
	}
}

// bare has what a schema is asked for by, without what it asks for.
func (c *cases) bare(l *list, f *facts) {
	if !l.value.IsObject() {
		return
	}
	without := func(v value.Value, s *schema.Schema, but value.Value) value.Value {
		if s == nil {
			return v
		}
		for _, p := range s.Facets().Properties {
			if !but.Has(p.Name) {
				v = v.Without(p.Name)
			}
		}
		return v
	}
	if f.If != nil && f.Then != nil {
		if v, ok := c.r.make(c.m.root(f.If), l.at); ok && v.IsObject() {
			l.add("if", "fits the schema after if and lacks what then asks for", without(merge(l.value, v), f.Then, v))
		}
	}
	for _, d := range f.Dependents {
		if d.Schema == nil {
			continue
		}
		v := l.value.Get(d.Name)
		if v.IsMissing() {
			child, ok := c.m.extra(l.plan, d.Name)
			if !ok {
				continue
			}
			if v, ok = c.r.make(child, l.at.below(hashText(d.Name))); !ok {
				continue
			}
		}
		trigger := value.Object(value.Member{Name: d.Name, Value: v})
		l.add("dependentSchemas", "has "+d.Name+" without what that asks for", without(merge(l.value, trigger), d.Schema, trigger))
		l.add("dependentSchemas", "lacks "+d.Name, l.value.Without(d.Name))
	}
}

func (c *cases) resolve1(p *plan, v value.Value) *plan {
	full := c.resolve(p, v)
	if len(full.decided) <= len(p.decided) {
		return p
	}
	want := full.decided[len(p.decided)]
	for i := range p.group.options {
		o := &p.group.options[i]
		if o.forbid == want.forbid && o.name == want.name && slices.Equal(o.add, want.add) {
			return c.m.child(p, i)
		}
	}
	return p
}

func branchKeyword(p *plan, o *option) string {
	for _, f := range p.facts {
		switch {
		case o.tag != "" && f.Tag != nil:
			return "discriminator"
		case len(o.add) > 0 && slices.Contains(f.OneOf, o.add[0]):
			return "oneOf"
		case len(o.add) > 0 && slices.Contains(f.AnyOf, o.add[0]):
			return "anyOf"
		}
		for _, d := range f.Dependents {
			if o.forbid == d.Name || d.Schema != nil && len(o.add) > 0 && o.add[0] == d.Schema {
				return "dependentSchemas"
			}
		}
	}
	return "if"
}

func merge(a, b value.Value) value.Value {
	for _, m := range b.Members() {
		a = a.With(m.Name, m.Value)
	}
	return a
}

// kinds has a value of every type; null beside the types that allow it.
func (c *cases) kinds(l *list) {
	if l.value.Kind() == value.BoolKind {
		l.add("type", "is the other boolean", value.Bool(!l.value.True()))
	}
	for _, v := range []value.Value{
		value.Null, value.String("text"), value.Int(1), value.Number("1.5"), value.True, value.Array(), value.Object(),
		value.String("1"), value.String("true"), value.Array(l.value),
	} {
		word := v.Kind().String()
		if v.IsString() && v.Text() != "text" {
			word += " that reads " + v.Text()
		} else if v.Len() > 0 {
			word = "wrapped in an array"
			l.add("type", "is "+word, v)
			continue
		}
		switch {
		case v.IsNull() && l.plan.null:
			l.add("nullable", "is null", v)
		case v.IsNull():
			l.add("type", "is null", v)
		case v.Kind() != l.value.Kind() || v.IsNumber():
			l.add("type", "is "+article(word), v)
		}
	}
}

func article(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

// values has each value of an enum and some beside it.
func (c *cases) values(l *list) {
	for _, f := range l.plan.facts {
		for _, v := range f.Enum {
			l.add("enum", "is another value of the enum", v)
		}
		if f.Enum != nil {
			c.outside(l, "enum", f.Enum)
		}
		if !f.Const.IsMissing() {
			l.add("const", "is the constant", f.Const)
			c.outside(l, "const", []value.Value{f.Const})
		}
		if !f.Default.IsMissing() {
			l.add("default", "is the default", f.Default)
		}
	}
}

func (c *cases) outside(l *list, keyword string, values []value.Value) {
	for i, v := range values {
		switch {
		case i == 0 && v.IsString():
			l.add(keyword, "is none of the values", value.String(v.Text()+"x"))
			l.add(keyword, "is in upper case", value.String(strings.ToUpper(v.Text())))
			l.add(keyword, "has a space behind it", value.String(v.Text()+" "))
			l.add(keyword, "is empty", value.String(""))
		case i == 0 && v.IsNumber():
			if r := value.Rat(v.Text()); r != nil {
				l.add(keyword, "is none of the values", value.Number(decimal(r.Add(r, one))))
			}
		case i == 0 && v.IsObject():
			l.add(keyword, "has one member more", v.With("unknown", value.True))
		case i == 0:
			l.add(keyword, "is none of the values", value.String("none of the values"))
		}
	}
	if len(values) == 0 {
		l.add(keyword, "is none of the values", value.True)
	}
}
