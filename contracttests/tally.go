package contracttests

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// What is counted of one operation.
const (
	mostPlaces = 400 // parameters and members
	mostLevels = 4   // of members in members
	mostElems  = 20  // of an array
)

// A tally counts what the requests of a run have tried: each parameter and member
// right, wrong and left out, each keyword of their schemas kept and broken; which
// rules followed each other on one record; and whether lists had anything in them.
type tally struct {
	api         *openapi.API
	ops         map[string]*tallied
	wrote       map[string]*behavior.Rule // by resource and id: the rule that wrote the record last
	transitions map[[2]string]int
	writers     map[string][]*behavior.Rule // by resource, in order of appearance
}

// tallied is what is counted of one operation.
type tallied struct {
	op     *openapi.Operation
	places []*place
	index  map[string]*place // by where
	lists  int               // answers that are lists
	filled int               // … and not empty
	most   map[string]int    // by path: the longest list
	shown  map[string][]filtered
}

// filtered is a list that was asked for with a filter.
type filtered struct {
	path string
	size int
}

// A place is a parameter, a body, or a member of one.
type place struct {
	where    string // "query limit", "body", "body tags.*"
	top      string // of a parameter: its name
	in       string
	canBreak bool
	filter   bool // a parameter of a list with the name of a member of its records
	pos      behavior.Position
	keywords []string
	name     string // of a member
	members  []*place
	items    *place
	valid    int
	invalid  int
	out      int
	kept     map[string]int
	broken   map[string]int
}

func newTally(api *openapi.API) *tally {
	t := &tally{api: api, ops: map[string]*tallied{}, wrote: map[string]*behavior.Rule{}, transitions: map[[2]string]int{}, writers: map[string][]*behavior.Rule{}}
	for _, op := range everyOperation(api) {
		o := &tallied{op: op, index: map[string]*place{}, most: map[string]int{}, shown: map[string][]filtered{}}
		for _, p := range op.Parameters() {
			at := p.In.String() + " " + p.Name
			if q := o.add(at, p.In.String(), p.Name, p.Position, p.Schema, 0); q != nil {
				q.filter = p.In == param.InQuery && filters(api, op, p.Name)
			}
		}
		media, _ := op.RequestBody()
		for _, m := range media {
			if m.Schema != nil && strings.Contains(m.Type, "json") {
				o.add("body", "body", "", m.Schema.Position(), m.Schema, 0)
				break
			}
		}
		t.ops[op.ID] = o
	}
	return t
}

// filters is whether a parameter has the name of a member of what is listed.
func filters(api *openapi.API, op *openapi.Operation, name string) bool {
	return slices.ContainsFunc(op.Lists(), func(r string) bool { return slices.Contains(api.Plan.Resource(r).Members(), name) })
}

// add is a new place, nil if there are too many.
func (o *tallied) add(where, in, top string, pos behavior.Position, s *schema.Schema, level int) *place {
	if o.index[where] != nil || len(o.places) >= mostPlaces {
		return nil
	}
	p := &place{where: where, in: in, top: top, pos: pos, kept: map[string]int{}, broken: map[string]int{}}
	o.index[where] = p
	o.places = append(o.places, p)
	if s == nil {
		return p
	}
	for _, f := range facets(s, 0) {
		for _, k := range keywordsOf(&f) {
			if !slices.Contains(p.keywords, k) && (in == "body" || k != "type" || !slices.Contains(f.Types, "string")) {
				p.keywords = append(p.keywords, k) // any text is a string, where all is text
			}
		}
	}
	p.canBreak = len(p.keywords) > 0
	if level >= mostLevels {
		return p
	}
	for _, q := range s.Properties() {
		if q.Schema == nil || q.Schema.ReadOnly() {
			continue
		}
		if m := o.add(inside(where, q.Name), in, top, q.Schema.Position(), q.Schema, level+1); m != nil {
			m.name = q.Name
			p.members = append(p.members, m)
		}
	}
	if items := s.Items(); items != nil {
		p.items = o.add(inside(where, "*"), in, top, items.Position(), items, level+1)
	}
	return p
}

// inside is a place below another: "body tags.*", "body hours.from".
func inside(where, name string) string {
	if where == "body" {
		return "body " + name
	}
	return where + "." + name
}

// facets are those of a schema and of its allOf.
func facets(s *schema.Schema, depth int) []schema.Facets {
	f := s.Facets()
	out := []schema.Facets{f}
	if depth < mostLevels {
		for _, part := range f.AllOf {
			out = append(out, facets(part, depth+1)...)
		}
	}
	return out
}

// keywordsOf are the keywords that a value can break, in the order in which JSON
// Schema has them.
func keywordsOf(f *schema.Facets) (out []string) {
	add := func(k string, there bool) {
		if there {
			out = append(out, k)
		}
	}
	add("type", len(f.Types) > 0)
	add("enum", f.Enum != nil)
	add("const", !f.Const.IsMissing())
	add("minLength", f.MinLength > 0)
	add("maxLength", f.MaxLength >= 0)
	add("pattern", f.Pattern != nil)
	add("minimum", !f.Minimum.IsMissing())
	add("exclusiveMinimum", !f.ExclusiveMinimum.IsMissing())
	add("maximum", !f.Maximum.IsMissing())
	add("exclusiveMaximum", !f.ExclusiveMaximum.IsMissing())
	add("multipleOf", !f.MultipleOf.IsMissing())
	add("minItems", f.MinItems > 0)
	add("maxItems", f.MaxItems >= 0)
	add("uniqueItems", f.UniqueItems)
	add("minProperties", f.MinProperties > 0)
	add("maxProperties", f.MaxProperties >= 0)
	add("required", slices.ContainsFunc(f.Properties, func(p schema.Property) bool { return p.Required }))
	add("additionalProperties", f.AdditionalProperties != nil && f.AdditionalProperties.Facets().Never)
	add("anyOf", len(f.AnyOf) > 0)
	add("oneOf", len(f.OneOf) > 0)
	add("not", f.Not != nil)
	return out
}

// begin forgets which rule wrote what: the records are new ones.
func (t *tally) begin() { clear(t.wrote) }

// saw counts a request that was let in, and the status of its answer.
func (t *tally) saw(op *openapi.Operation, call *behavior.Call, violations []behavior.Violation, status int) {
	o := t.ops[op.ID]
	if o == nil || call == nil || call.Auth != behavior.Granted || status == http.StatusUnauthorized {
		return // nothing of it was looked at
	}
	wrong := map[string][]string{} // by place, with indices: the keywords that are broken there
	undecoded := false
	for i := range violations {
		v := &violations[i]
		if v.Source == behavior.MediaType || v.Source == behavior.UndecodedBody || v.Source == behavior.BodySize {
			undecoded = true
			continue
		}
		where, keyword := spot(v)
		wrong[where] = append(wrong[where], keyword)
	}
	for _, p := range o.places {
		if p.in != "body" && p.where == p.in+" "+p.top {
			o.parameter(p, call, wrong)
		}
	}
	body := o.index["body"]
	switch {
	case body == nil:
	case undecoded:
		body.invalid++
	case call.Body.IsMissing():
		body.out++
	default:
		body.walk("body", call.Body, wrong)
	}
}

// spot is the place of a violation and its keyword. A member that is missing, or one
// too many, is a fault of the object around it.
func spot(v *behavior.Violation) (where, keyword string) {
	path := v.Path
	if (v.Keyword == "required" || v.Keyword == "additionalProperties") && len(path) > 0 && (v.Location == "body" || len(path) > 1) {
		path = path[:len(path)-1]
	}
	where = v.Location
	for i, part := range path {
		name := text(part)
		switch {
		case v.Location == "body":
			where = inside(where, name)
		case i == 0:
			where += " " + name
		default:
			where += "." + name
		}
	}
	return where, v.Keyword
}

func (o *tallied) parameter(p *place, call *behavior.Call, wrong map[string][]string) {
	var in value.Value
	name := p.top
	switch p.in {
	case "path":
		in = call.Path
	case "query":
		in = call.Query
	case "header":
		in, name = call.Header, strings.ToLower(name)
	case "cookie":
		in = call.Cookie
	}
	v := in.Get(name)
	switch {
	case slices.Contains(wrong[p.where], "required"), v.IsMissing() && len(wrong[p.where]) == 0, p.in != "path" && !sent(call, p.in, p.top):
		p.out++
	case v.IsMissing():
		p.invalid++ // what cannot be decoded has no value
	default:
		p.walk(p.where, v, wrong)
	}
}

// sent is whether a parameter was there at all: what was not has its default.
func sent(call *behavior.Call, in, name string) bool {
	switch in {
	case "query":
		_, query, _ := strings.Cut(call.Target, "?")
		return slices.ContainsFunc(param.ParseQuery(query, nil), func(p param.Pair) bool {
			return p.Name == name || strings.HasPrefix(p.Name, name+"[")
		}) || !strings.Contains(query, name) && query != "" && call.Query.Get(name).IsObject()
	case "header":
		return len(call.Headers[http.CanonicalHeaderKey(name)]) > 0
	case "cookie":
		return slices.ContainsFunc(call.Headers["Cookie"], func(c string) bool { return strings.Contains(c, name+"=") })
	}
	return true
}

// walk counts a value that was sent, and what is in it. at is where it stands, with
// indices. It is whether all of that is right.
func (p *place) walk(at string, v value.Value, wrong map[string][]string) (right bool) {
	broken := wrong[at]
	right = len(broken) == 0
	for _, k := range p.keywords {
		switch {
		case slices.Contains(broken, k):
			p.broken[k]++
		case concerns(k, v):
			p.kept[k]++
		}
	}
	switch {
	case v.IsObject():
		for _, q := range p.members {
			m := v.Get(q.name)
			if m.IsMissing() {
				q.out++
			} else if !q.walk(inside(at, q.name), m, wrong) {
				right = false
			}
		}
	case v.IsArray():
		if p.items != nil {
			for i, e := range v.Elems()[:min(v.Len(), mostElems)] {
				right = p.items.walk(inside(at, strconv.Itoa(i)), e, wrong) && right
			}
		}
	}
	if right {
		p.valid++
	} else {
		p.invalid++
	}
	return right
}

// concerns is whether a keyword says anything of a value of that kind.
func concerns(keyword string, v value.Value) bool {
	switch keyword {
	case "minLength", "maxLength", "pattern":
		return v.IsString()
	case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
		return v.IsNumber()
	case "minItems", "maxItems", "uniqueItems":
		return v.IsArray()
	case "minProperties", "maxProperties", "required", "additionalProperties":
		return v.IsObject()
	}
	return true
}

// decided counts a step from the rule that wrote a record to the one that decided the
// next call about it. writes are those of the call.
func (t *tally) decided(op *openapi.Operation, call *behavior.Call, rule *behavior.Rule, writes []behavior.Write) {
	if rule == nil || call == nil {
		return
	}
	for _, l := range op.Lookups() {
		in := call.Path
		switch l.Location {
		case "query":
			in = call.Query
		case "header":
			in = call.Header
		case "cookie":
			in = call.Cookie
		case "body":
			in = call.Body
		}
		if before := t.wrote[l.Resource+" "+text(in.Get(l.Name))]; before != nil {
			t.transitions[[2]string{before.ID, rule.ID}]++
		}
	}
	for _, w := range writes {
		id := w.ID
		for _, rec := range []value.Value{w.After, w.Before} {
			if v := rec.Get(t.api.Plan.Resource(w.Resource).ID()); v.IsString() || v.IsNumber() {
				id = text(v)
				break
			}
		}
		t.wrote[w.Resource+" "+id] = rule
		if !slices.Contains(t.writers[w.Resource], rule) {
			t.writers[w.Resource] = append(t.writers[w.Resource], rule)
		}
	}
}

// listed counts an answer that is a list of so many records.
func (t *tally) listed(op *openapi.Operation, call *behavior.Call, size int) {
	o := t.ops[op.ID]
	if o == nil || call == nil || len(op.Lists()) == 0 {
		return
	}
	path, _, _ := strings.Cut(call.Target, "?")
	o.lists++
	if size > 0 {
		o.filled++
	}
	o.most[path] = max(o.most[path], size)
	for _, p := range o.places {
		if p.filter && sent(call, p.in, p.top) && !call.Query.Get(p.top).IsMissing() {
			o.shown[p.where] = append(o.shown[p.where], filtered{path, size})
		}
	}
}

// cover writes down what was counted. why, if not nil, is asked why an operation was
// not called.
func (t *tally) cover(c *Coverage, why func(*openapi.Operation) string) {
	for _, op := range everyOperation(t.api) {
		o := t.ops[op.ID]
		because := func(s string) string {
			if why != nil {
				if w := why(op); w != "" {
					return w
				}
			}
			return s
		}
		count := func(list *[]Covered, name string, pos behavior.Position, n int, s string) {
			e := Covered{Name: op.ID + " " + name, Pos: pos, Times: n}
			if n == 0 {
				e.Why = because(s)
			}
			*list = append(*list, e)
		}
		for _, p := range o.places {
			element := strings.HasSuffix(p.where, "*")
			count(&c.Parameters, p.where+": sent valid", p.pos, p.valid, "no call had a valid one")
			if p.canBreak {
				count(&c.Parameters, p.where+": sent invalid", p.pos, p.invalid, "no call had one that breaks its schema")
			}
			if p.in != "path" && !element {
				count(&c.Parameters, p.where+": left out", p.pos, p.out, "every call had one")
			}
			for _, k := range p.keywords {
				count(&c.Keywords, p.where+" "+k+": kept", p.pos, p.kept[k], "no call had a value that it concerns")
				count(&c.Keywords, p.where+" "+k+": broken", p.pos, p.broken[k], "no call broke it")
			}
		}
		t.next(c, op, because)
		o.vacuous(c)
	}
}

// next are the steps from rules that wrote records to those of one operation about
// them.
func (t *tally) next(c *Coverage, op *openapi.Operation, because func(string) string) {
	var resources []string
	for _, l := range op.Lookups() {
		if !slices.Contains(resources, l.Resource) {
			resources = append(resources, l.Resource)
		}
	}
	for _, resource := range resources {
		writers := slices.Clone(t.writers[resource])
		slices.SortFunc(writers, func(a, b *behavior.Rule) int { return strings.Compare(a.ID, b.ID) })
		for _, from := range writers {
			seen, told := false, map[string]bool{}
			for _, to := range op.Rules() {
				if n := t.transitions[[2]string{from.ID, to.ID}]; n > 0 && !told[to.ID] {
					seen, told[to.ID] = true, true
					c.Transitions = append(c.Transitions, Covered{Name: from.ID + " → " + to.ID, Pos: to.Pos, Times: n})
				}
			}
			if !seen {
				c.Transitions = append(c.Transitions, Covered{Name: from.ID + " → " + op.ID, Pos: op.Pos, Why: because("no call of it came next on the same record")})
			}
		}
	}
}

func (o *tallied) vacuous(c *Coverage) {
	note := func(name, why string, n int) {
		c.Vacuous = append(c.Vacuous, Covered{Name: name, Pos: o.op.Pos, Times: n, Why: why})
	}
	if o.lists > 0 && o.filled == 0 {
		note(o.op.ID, "it was seen with empty lists only", o.lists)
		return
	}
	for _, p := range o.places {
		list := o.shown[p.where]
		none := !slices.ContainsFunc(list, func(l filtered) bool { return l.size > 0 })
		all := !slices.ContainsFunc(list, func(l filtered) bool { return l.size < o.most[l.path] })
		switch {
		case len(list) == 0:
		case none:
			note(o.op.ID+" "+p.where, "no record matched the filter, in any list", len(list))
		case all:
			note(o.op.ID+" "+p.where, "every record matched the filter, in every list", len(list))
		}
	}
}
