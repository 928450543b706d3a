package contracttests

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// plainLength is how long a text may be, in characters, that no documented limit
// speaks of, before a server may find it odd.
const plainLength = 100

// noteDocumented remembers the values that documented calls send, by the name of the
// member or parameter.
func (g *generator) noteDocumented(r *Request) {
	if v, err := value.Parse(r.Body); err == nil {
		g.noteValue("", v)
	}
	_, query, _ := strings.Cut(r.Target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return
	}
	for name, list := range values {
		for _, v := range list {
			g.noteValue(name, value.String(v))
		}
	}
}

func (g *generator) noteValue(name string, v value.Value) {
	switch {
	case v.IsObject():
		for _, m := range v.Members() {
			g.noteValue(m.Name, m.Value)
		}
	case v.IsArray():
		for _, e := range v.Elems() {
			g.noteValue(name, e)
		}
	}
	if g.documented[name] == nil {
		g.documented[name] = map[string]bool{}
	}
	if !g.documented[name][v.String()] {
		g.samples[name] = append(g.samples[name], v)
	}
	g.documented[name][v.String()] = true
}

// learnDocumented goes through the documented calls that succeed.
func (g *generator) learnDocumented() {
	g.documented, g.samples = map[string]map[string]bool{}, map[string][]value.Value{}
	for _, op := range everyOperation(g.api) {
		list := g.corpus[op.ID]
		for i := range list {
			if _, out, err := g.home.predict(&list[i]); err == nil && !out.Refused && out.Status < 300 {
				g.noteDocumented(&list[i])
			}
		}
	}
}

// rich is a call with all members in its body for which the document shows a value,
// apart from those that have to be unique and those that name records.
func (g *generator) rich(op *openapi.Operation, q Request) Request {
	if g.documented == nil {
		g.learnDocumented()
	}
	media, _ := op.RequestBody()
	body, err := value.Parse(q.Body)
	if err != nil || !body.IsObject() || len(media) == 0 || media[0].Schema == nil {
		return q
	}
	unique := map[string]bool{}
	for _, resource := range g.api.Plan.Resources() {
		for _, m := range g.api.Plan.Resource(resource).Unique() {
			unique[m] = true
		}
	}
	kept := map[string]bool{} // members have two spellings; one is enough
	keep := func(p schema.Property) string { return cmp.Or(p.Schema.KeepAs(), p.Name) }
	for _, p := range media[0].Schema.Properties() {
		if body.Has(p.Name) {
			kept[keep(p)] = true
		}
	}
	for _, p := range media[0].Schema.Properties() {
		if !body.Has(p.Name) && kept[keep(p)] {
			continue
		}
		if unique[p.Name] || p.Schema.ReadOnly() || slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "body" && l.Name == p.Name }) {
			continue
		}
		for _, v := range g.samples[p.Name] {
			if now := body.Get(p.Name); (now.IsMissing() || len(v.String()) > len(now.String()) && !v.IsString()) && p.Schema.Valid(v, schema.Request) {
				body = body.With(p.Name, v)
				kept[keep(p)] = true
			}
		}
	}
	rich := q
	rich.Body = value.Append(nil, body)
	if a, out, err := g.home.predict(&rich); err == nil && a.op == op && len(a.call.Violations) == 0 && !(out.Refused && out.Status == 400) {
		return rich
	}
	return q
}

// asker is who makes a call, and whether it only reads.
type asker struct {
	name  string
	reads bool
}

// ordinary is whether a call sends nothing but what somebody reading the document
// would be sure to be allowed: documented values, ids of records, values within
// limits that the document draws on both sides, and names.
func (g *generator) ordinary(j *Judge, a asked, q *Request) bool {
	if g.documented == nil {
		g.learnDocumented()
	}
	if q.Credentials != nil {
		return false // half of somebody's
	}
	who := asker{q.Caller, !a.op.Writes()}
	if undeclared(a) {
		return false
	}
	if q.Body != nil {
		body, err := value.Parse(q.Body)
		if err != nil {
			return false
		}
		var s *schema.Schema
		if media, _ := a.op.RequestBody(); len(media) > 0 {
			s = media[0].Schema
		}
		if !g.usual(j, who, "", body, s) {
			return false
		}
		for name := range g.customary(a.op) {
			if !body.Has(name) {
				return false
			}
		}
	}
	_, query, _ := strings.Cut(q.Target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name, list := range values {
		var s *schema.Schema
		for _, p := range a.op.Parameters() {
			if p.Name == name && p.In.String() == "query" {
				s = p.Schema
			}
		}
		for _, text := range list {
			v := value.String(text)
			if n, err := value.ParseString(text); err == nil && n.IsNumber() {
				v = n
			}
			if g.anothers(text, who.name) || !g.documented[name][value.String(text).String()] && !g.usual(j, who, name, v, s) {
				return false
			}
		}
	}
	return true
}

// customary are the members that all documented calls of an operation send, but for a
// few: whether it can do without them, only a schema says.
func (g *generator) customary(op *openapi.Operation) map[string]bool {
	if m, ok := g.custom[op]; ok {
		return m
	}
	count, calls := map[string]int{}, 0
	for _, q := range g.corpus[op.ID] {
		if _, out, err := g.home.predict(&q); err != nil || out.Refused {
			continue
		}
		if body, err := value.Parse(q.Body); err == nil && body.IsObject() {
			calls++
			for _, m := range body.Members() {
				count[m.Name]++
			}
		}
	}
	m := map[string]bool{}
	for name, n := range count {
		m[name] = 2*n > calls
		if !m[name] {
			delete(m, name)
		}
	}
	if g.custom == nil {
		g.custom = map[*openapi.Operation]map[string]bool{}
	}
	g.custom[op] = m
	return m
}

// usual is [generator.ordinary] of one value. s may be nil.
func (g *generator) usual(j *Judge, who asker, name string, v value.Value, s *schema.Schema) bool {
	if v.IsString() && (strings.TrimSpace(v.Text()) == "" || g.anothers(v.Text(), who.name)) {
		return false
	}
	if n, ok := v.Int(); ok && n <= 0 {
		return false // where nothing ends and everything turns, servers differ
	}
	if !v.IsObject() && g.documented[name][v.String()] {
		return true
	}
	var f schema.Facets
	if s != nil {
		f = s.Facets()
	}
	for _, e := range f.Enum {
		if value.Equal(e, v) {
			return true
		}
	}
	switch {
	case v.IsNull():
		return false
	case v.IsObject():
		for _, m := range v.Members() {
			var sub *schema.Schema
			if s != nil {
				sub, _ = s.Property(m.Name)
			}
			if sub == nil && len(g.documented[m.Name]) == 0 {
				return false // a member that nobody speaks of
			}
			if !g.usual(j, who, m.Name, m.Value, sub) {
				return false
			}
		}
		return true
	case v.IsArray():
		var sub *schema.Schema
		if s != nil {
			sub = s.Items()
		}
		seen := map[string]bool{}
		for _, e := range v.Elems() {
			if seen[e.String()] || !g.usual(j, who, name, e, sub) {
				return false
			}
			seen[e.String()] = true
		}
		return v.Len() > 0
	case v.IsNumber():
		low, high := !f.Minimum.IsMissing() || !f.ExclusiveMinimum.IsMissing(), !f.Maximum.IsMissing() || !f.ExclusiveMaximum.IsMissing()
		n, whole := v.Int()
		return low && high || whole && n >= 1 && n <= 3 && s != nil && s.Type() == "integer"
	case v.IsString():
		return g.usualText(j, who, name, v.Text(), s, &f)
	}
	return s == nil || s.Type() == "boolean" || s.Type() == ""
}

// anothers is whether a text is the secret of a caller other than who.
func (g *generator) anothers(text, who string) bool {
	is := func(name string) bool {
		return slices.Contains(slices.Collect(maps.Values(g.home.present[name])), text)
	}
	if who == "" { // nobody may send what the ordinary one has
		who = first(g.callers)
	}
	for name := range g.home.present {
		if is(name) && !is(who) {
			return true
		}
	}
	return false
}

// usualText is [generator.usual] of a text.
func (g *generator) usualText(j *Judge, who asker, name, text string, s *schema.Schema, f *schema.Facets) bool {
	if strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl) {
		return false
	}
	for _, resource := range j.api.Plan.Resources() {
		if !j.world().Record(resource, value.String(text)).IsMissing() {
			return true
		}
	}
	if who.reads && utf8.RuneCountInString(text) >= 3 && j.mentions(text) {
		return true // a part of what is there
	}
	if strings.Contains(text, g.token) && utf8.RuneCountInString(text) <= plainLength {
		return true // a name that this run gives
	}
	// Free text has documented examples with spaces in them; of others only the
	// document's own values are sure to be known.
	free := false
	for v := range g.documented[name] {
		free = free || strings.Contains(v, " ")
	}
	if !free || f.Format != "" || f.Pattern != nil {
		return false
	}
	if f.MaxLength >= 0 && s != nil && f.MaxLength > 0 {
		return utf8.RuneCountInString(text) <= f.MaxLength
	}
	return utf8.RuneCountInString(text) <= plainLength
}

// mentions is whether a text stands somewhere in a record. In other letters it counts as
// a part of a text only: of a whole one, nobody says that they are the same.
func (j *Judge) mentions(part string) bool {
	text := strings.ToLower(part)
	var in func(v value.Value, depth int) bool
	in = func(v value.Value, depth int) bool {
		return v.IsString() && (strings.Contains(v.Text(), part) || strings.Contains(strings.ToLower(v.Text()), text) && len(v.Text()) > len(text)) ||
			depth > 0 && (slices.ContainsFunc(v.Elems(), func(e value.Value) bool { return in(e, depth-1) }) ||
				slices.ContainsFunc(v.Members(), func(m value.Member) bool { return in(m.Value, depth-1) }))
	}
	for _, resource := range j.api.Plan.Resources() {
		if slices.ContainsFunc(j.world().Records(resource), func(rec value.Value) bool { return in(rec, 3) }) {
			return true
		}
	}
	return false
}
