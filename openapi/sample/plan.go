package sample

import (
	"encoding/binary"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// A Maker makes values. What it learns about a schema it keeps. It is safe for
// concurrent use, and its zero value works.
type Maker struct {
	roots   sync.Map // *schema.Schema to *plan
	mu      sync.Mutex
	plans   map[string]*plan // by the ids of their schemas
	ids     map[*schema.Schema]uint32
	facts   map[*schema.Schema]*facts
	heights map[*schema.Schema]int
	kept    int
}

// maxKept bounds the plans that are kept; combinations of alternatives can be
// many.
const maxKept = 50_000

// facts are the facets of a schema with its properties by name.
type facts struct {
	schema.Facets
	index    map[string]int
	patterns []*pattern // of PatternProperties
	text     *pattern
	object   bool // it speaks of objects
}

// A plan is what several schemas that apply to one value ask for together, with
// the alternatives that were decided.
type plan struct {
	entries []*schema.Schema // what the value is judged by
	facts   []*facts         // of those, their allOf and the alternatives
	decided []option
	group   *group // the next decision; nil: none
	cost    int
	height  int
	never   bool
	checked bool // a value that was made may not fit

	given    []value.Value // examples, then defaults
	examples int
	finite   bool // only domain
	domain   []value.Value
	plain    int // how many of domain are not null
	sure     bool
	kinds    []string // the likeliest first, without null
	explicit bool     // all kinds are equally likely
	null     bool

	text       *texts
	num, whole *numbers
	arr        *arrays
	obj        *objects
}

// A group is a choice; the first ones of its options are not only for null.
type group struct {
	options  []option
	first    int
	low      []int // by height
	children []atomic.Pointer[plan]
}

type option struct {
	add       []*schema.Schema
	forbid    string // a member that must not be
	tag, name string // a member and its value
}

// lazy is a plan that is compiled when it is needed.
type lazy struct {
	entries []*schema.Schema
	p       atomic.Pointer[plan]
}

func (m *Maker) root(s *schema.Schema) *plan {
	if p, ok := m.roots.Load(s); ok {
		return p.(*plan)
	}
	p := m.of([]*schema.Schema{s})
	m.roots.Store(s, p)
	return p
}

func (m *Maker) at(l *lazy) *plan {
	if p := l.p.Load(); p != nil {
		return p
	}
	p := m.of(l.entries)
	l.p.Store(p)
	return p
}

// of is the plan of schemas that all apply.
func (m *Maker) of(entries []*schema.Schema) *plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.plans == nil {
		m.plans = make(map[string]*plan)
		m.ids = make(map[*schema.Schema]uint32)
		m.facts = make(map[*schema.Schema]*facts)
		m.heights = make(map[*schema.Schema]int)
	}
	var key []byte
	for _, s := range entries {
		id, ok := m.ids[s]
		if !ok {
			id = uint32(len(m.ids))
			m.ids[s] = id
		}
		key = binary.LittleEndian.AppendUint32(key, id)
	}
	if p := m.plans[string(key)]; p != nil {
		return p
	}
	p := m.compile(entries, nil)
	if m.kept < maxKept {
		m.kept++
		m.plans[string(key)] = p
	}
	return p
}

// child is p with one more decision.
func (m *Maker) child(p *plan, i int) *plan {
	if c := p.group.children[i].Load(); c != nil {
		return c
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.compile(p.entries, append(slices.Clone(p.decided), p.group.options[i]))
	if m.kept < maxKept {
		m.kept++
		p.group.children[i].Store(c)
	}
	return c
}

func (m *Maker) fact(s *schema.Schema) *facts {
	if f := m.facts[s]; f != nil {
		return f
	}
	f := &facts{Facets: s.Facets()}
	const small = 8
	if len(f.Properties) > small {
		f.index = make(map[string]int, len(f.Properties))
		for i := range f.Properties {
			f.index[f.Properties[i].Name] = i
		}
	}
	for _, p := range f.PatternProperties {
		f.patterns = append(f.patterns, newPattern(p.Pattern))
	}
	if f.Pattern != nil {
		f.text = newPattern(f.Pattern)
	}
	f.object = len(f.Properties) > 0 || f.MinProperties > 0 || f.MaxProperties >= 0 || f.AdditionalProperties != nil ||
		len(f.PatternProperties) > 0 || f.PropertyNames != nil || len(f.Dependents) > 0
	m.facts[s] = f
	return f
}

// compile is called with m.mu held.
func (m *Maker) compile(entries []*schema.Schema, decided []option) *plan {
	p := &plan{entries: entries, decided: decided}
	seen := make(map[*schema.Schema]bool)
	var all []*schema.Schema
	var expand func(s *schema.Schema)
	expand = func(s *schema.Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		f := m.fact(s)
		all = append(all, s)
		p.facts = append(p.facts, f)
		for _, b := range f.AllOf {
			expand(b)
		}
	}
	for _, s := range entries {
		expand(s)
	}
	fresh := 0 // facts from here on may have examples that nobody looked at
	for i, d := range decided {
		if i == len(decided)-1 {
			fresh = len(p.facts)
		}
		for _, s := range d.add {
			expand(s)
		}
	}
	p.cost = 1 + len(p.facts)/4
	m.height(all)
	for _, s := range all {
		p.height = max(p.height, m.heights[s])
	}
	if p.height >= endless {
		p.never = true
	}
	m.collectGiven(p, all, fresh)
	m.domain(p)
	m.kindsOf(p)
	m.groups(p)
	m.texts(p)
	m.numbers(p)
	m.arrays(p)
	m.objects(p)
	return p
}

func (m *Maker) collectGiven(p *plan, all []*schema.Schema, fresh int) {
	var defaults []value.Value
	for i, f := range p.facts {
		p.never = p.never || f.Never
		if f.Not != nil || f.If != nil || f.OneOf != nil || f.AnyOf != nil || len(f.Dependents) > 0 || f.Contains != nil ||
			f.UniqueItems || f.MinProperties > 0 || f.MaxProperties >= 0 || f.PropertyNames != nil {
			p.checked = true
		}
		if i < fresh {
			continue
		}
		whole := len(p.decided) > 0 || slices.Contains(p.entries, all[i])
		for _, v := range f.Examples {
			if whole || !v.IsObject() {
				p.given = append(p.given, v)
			}
		}
		if !f.Default.IsMissing() && !f.Default.IsNull() {
			defaults = append(defaults, f.Default)
		}
	}
	p.examples = len(p.given)
	p.given = append(p.given, defaults...)
}

// domain collects what enum and const leave.
func (m *Maker) domain(p *plan) {
	scalar := true
	sources := 0
	for _, f := range p.facts {
		list := f.Enum
		if !f.Const.IsMissing() {
			list = []value.Value{f.Const}
		}
		if list == nil {
			continue
		}
		if sources++; !p.finite || len(list) < len(p.domain) {
			p.domain = slices.Clone(list)
			if f.Nullable {
				p.domain = append(p.domain, value.Null)
			}
		}
		p.finite = true
	}
	if !p.finite {
		return
	}
	sort.SliceStable(p.domain, func(i, j int) bool { return !p.domain[i].IsNull() && p.domain[j].IsNull() })
	for _, v := range p.domain {
		if !v.IsNull() {
			p.plain++
		}
		scalar = scalar && !v.IsObject() && !v.IsArray()
	}
	const most = 1000
	if !scalar || len(p.domain) > most || len(p.facts) > 8 || p.checked {
		return
	}
	kept := p.domain[:0]
	p.plain = 0
	for _, v := range p.domain {
		ok := true
		for _, s := range p.entries {
			steps := 1000
			ok = ok && s.ValidWithin(v, schema.Request, &steps)
		}
		if ok {
			kept = append(kept, v)
			if !v.IsNull() {
				p.plain++
			}
		}
	}
	p.domain, p.sure = kept, true
}

var allKinds = []string{"string", "integer", "number", "boolean", "object", "array"}

func (m *Maker) kindsOf(p *plan) {
	possible := map[string]bool{"null": true, "integer": true}
	for _, k := range allKinds {
		possible[k] = true
	}
	var likely []string
	say := func(k string, is bool) {
		if is && !slices.Contains(likely, k) {
			likely = append(likely, k)
		}
	}
	typed := false
	for _, f := range p.facts {
		say("object", f.object)
		say("array", f.MinItems > 0 || f.MaxItems >= 0 || f.Items != nil || f.PrefixItems != nil || f.Contains != nil || f.UniqueItems)
		say("string", f.MinLength > 0 || f.MaxLength >= 0 || f.Pattern != nil)
		isNumber := f.Format == "int32" || f.Format == "int64" || f.Format == "float" || f.Format == "double"
		say("number", isNumber || !f.Minimum.IsMissing() || !f.Maximum.IsMissing() || !f.ExclusiveMinimum.IsMissing() ||
			!f.ExclusiveMaximum.IsMissing() || !f.MultipleOf.IsMissing())
		if f.Types == nil {
			continue
		}
		typed = true
		for k := range possible {
			ok := slices.Contains(f.Types, k) || k == "integer" && slices.Contains(f.Types, "number") || k == "null" && f.Nullable
			if !ok {
				possible[k] = false
			}
		}
	}
	for _, d := range p.decided {
		say("object", d.tag != "")
	}
	p.null = possible["null"]
	if possible["number"] && typed {
		possible["integer"] = false
	}
	for _, k := range likely {
		if k == "number" && !possible[k] {
			k = "integer"
		}
		if possible[k] {
			p.kinds = append(p.kinds, k)
		}
	}
	for _, k := range allKinds {
		if possible[k] && !slices.Contains(p.kinds, k) {
			p.kinds = append(p.kinds, k)
		}
	}
	p.explicit = typed
	if len(p.kinds) == 0 && !p.null {
		p.never = true
	}
}

// kind is what to make at a try.
func (p *plan) kind(at *spot) string {
	n := len(p.kinds)
	const patience = 4
	switch {
	case n == 0 || p.null && at.try%7 == 6:
		if p.null {
			return "null"
		}
		return ""
	case p.null && at.try == 0 && at.hint == hintDeleted:
		return "null"
	case p.explicit:
		return p.kinds[(hash(at.base)%uint64(n)+uint64(at.walk))%uint64(n)]
	case at.try < patience:
		return p.kinds[0]
	}
	return p.kinds[(at.try-patience)%n]
}

// groups finds the first choice that is not decided.
func (m *Maker) groups(p *plan) {
	left := len(p.decided)
	add := func(options []option) bool {
		if left--; left >= 0 {
			return false
		}
		g := &group{}
		var nulls []option
		for _, o := range options {
			never, null := false, false
			for _, s := range o.add {
				f := m.fact(s)
				never = never || f.Never
				null = null || len(f.Types) == 1 && f.Types[0] == "null"
			}
			switch {
			case never:
			case null:
				nulls = append(nulls, o)
			default:
				g.options = append(g.options, o)
			}
		}
		g.first = len(g.options)
		if g.options = append(g.options, nulls...); len(g.options) == 0 {
			p.never = true
			return true
		}
		tall := make([]int, len(g.options))
		for i, o := range g.options {
			g.low = append(g.low, i)
			m.height(o.add)
			for _, s := range o.add {
				tall[i] = max(tall[i], m.heights[s])
			}
		}
		sort.SliceStable(g.low, func(i, j int) bool { return tall[g.low[i]] < tall[g.low[j]] })
		g.children = make([]atomic.Pointer[plan], len(g.options))
		p.group = g
		return true
	}
	for _, f := range p.facts {
		if t := f.Tag; t != nil {
			var options []option
			for i, b := range t.Branches {
				options = append(options, option{add: []*schema.Schema{b}, tag: t.Property, name: t.Names[i]})
			}
			if t.Open {
				options = append(append(options, alternatives(f.OneOf)...), alternatives(f.AnyOf)...)
			}
			if add(options) {
				return
			}
		} else {
			for _, list := range [][]*schema.Schema{f.OneOf, f.AnyOf} {
				if list != nil && add(alternatives(list)) {
					return
				}
			}
		}
		if f.If != nil && (f.Then != nil || f.Else != nil) {
			yes, no := option{add: []*schema.Schema{f.If}}, option{}
			if f.Then != nil {
				yes.add = append(yes.add, f.Then)
			}
			if f.Else != nil {
				no.add = append(no.add, f.Else)
			}
			if add([]option{yes, no}) {
				return
			}
		}
		for _, d := range f.Dependents {
			if d.Schema != nil && add([]option{{add: []*schema.Schema{d.Schema}}, {forbid: d.Name}}) {
				return
			}
		}
	}
}

func alternatives(list []*schema.Schema) []option {
	options := make([]option, len(list))
	for i, s := range list {
		options[i].add = []*schema.Schema{s}
	}
	return options
}

func (m *Maker) texts(p *plan) {
	t := &texts{max: -1}
	said := false
	for _, f := range p.facts {
		if f.MinLength > 0 || f.MaxLength >= 0 {
			said = true
			t.min = max(t.min, f.MinLength)
			if f.MaxLength >= 0 && (t.max < 0 || f.MaxLength < t.max) {
				t.max = f.MaxLength
			}
		}
		if f.text != nil {
			said = true
			t.patterns = append(t.patterns, f.text)
		}
		if known[f.Format] {
			said = true
			if !slices.Contains(t.formats, f.Format) {
				t.formats = append(t.formats, f.Format)
			}
		} else if h := hintOf(f.Format); h != hintNone {
			said = true
			t.named = h
		}
	}
	if said {
		p.text = t
	}
}

func (m *Maker) numbers(p *plan) {
	if !slices.Contains(p.kinds, "number") && !slices.Contains(p.kinds, "integer") {
		return
	}
	for _, whole := range []bool{false, true} {
		l := limits{whole: whole}
		for _, f := range p.facts {
			l.add(&f.Facets)
		}
		if l.set {
			p.checked = p.checked || len(l.odd) > 4
		}
		n := l.compile()
		if whole {
			p.whole = n
		} else {
			p.num = n
		}
		if n.never && len(n.odd) > 0 {
			p.checked = true
		}
		for _, v := range n.odd {
			if value.Rat(v.Text()) == nil {
				p.checked = true
			}
		}
	}
}
