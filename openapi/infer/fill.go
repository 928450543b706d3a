package infer

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// whole is the one place that says how a record, or a list of them, becomes
// (part of) an answer: expr is where it is, and schema what the answer asks for
// there. What the record does not have is not made up here.
func (w *writer) whole(expr string, schema spot) *yaml.Node {
	return w.text("${" + expr + "}")
}

// filler is a value for what an answer needs and no record has: fixed, and as
// near to the schema as its plain keywords say.
func (w *writer) filler(s spot, depth int) *yaml.Node {
	s = w.deref(s)
	if !s.has() || depth > 6 {
		return w.null()
	}
	for _, key := range []string{"const", "default", "example"} {
		if n := tree.Get(s.n, key); n != nil {
			return w.literal(n)
		}
	}
	if e := tree.Get(s.n, "enum"); e != nil && len(e.Content) > 0 {
		return w.literal(e.Content[0])
	}
	if nullable(s) {
		return w.null()
	}
	s = w.choice(s)
	switch kindOf(s) {
	case "boolean":
		return w.scalar("!!bool", "false")
	case "integer", "number":
		for _, key := range []string{"minimum", "maximum"} {
			if n := tree.Get(s.n, key); n != nil && (key == "minimum") == !strings.HasPrefix(n.Value, "-") {
				return w.literal(n)
			}
		}
		return w.scalar("!!int", "0")
	case "array":
		if least := tree.Text(s.n, "minItems"); least != "" && least != "0" {
			return w.list(w.filler(s.below("items"), depth+1))
		}
		return w.list()
	case "string":
		return w.text(fillText(s))
	case "object":
		m := w.mapping()
		if o := w.object(s); o != nil {
			for i := range o.props {
				if p := &o.props[i]; p.required {
					w.put(m, p.name, w.filler(p.schema, depth+1))
				}
			}
		}
		return m
	}
	return w.mapping()
}

func fillText(s spot) string {
	switch tree.Text(s.n, "format") {
	case "date-time":
		return "${now()}"
	case "date":
		return "2024-01-01"
	case "uuid":
		return "${uuid()}"
	case "uri", "url":
		return "https://example.com/"
	case "email":
		return "someone@example.com"
	}
	if n := tree.Text(s.n, "minLength"); n != "" && n != "0" && len(n) < 3 {
		k := 0
		for _, c := range n {
			k = k*10 + int(c-'0')
		}
		if k > 0 && k < 100 {
			return strings.Repeat("x", k)
		}
	}
	return ""
}

func nullable(s spot) bool {
	if tree.Text(s.n, "nullable") == "true" {
		return true
	}
	for _, c := range tree.Items(tree.Get(s.n, "type")) {
		if c.Value == "null" {
			return true
		}
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		for _, c := range tree.Items(tree.Get(s.n, key)) {
			if tree.Text(c, "type") == "null" {
				return true
			}
		}
	}
	return false
}

// body is what an operation answers. kind is record (which is bound, and is
// shown), gone (it was deleted), cleared (nothing is bound) or page. It is nil
// where the document's example is to be taken, and of a page where the answer
// has no place for one.
func (w *writer) body(s *source, g *group, kind string) *yaml.Node {
	hint := g.words
	if kind == "page" {
		l := w.listOf(s.answer, s.lastWords())
		if !l.ok {
			return nil
		}
		return w.around(s, g, kind, s.answer, l.path, w.whole("page.items", l.items), 0)
	}
	example := tree.Get(s.media.n, "example") != nil || w.hasValue(s.media)
	if !s.answer.has() {
		switch {
		case example:
			return nil
		case kind == "record":
			return w.whole("record", spot{})
		}
		return w.mapping()
	}
	if kind == "record" {
		path, rec := w.record(s.answer, hint)
		if w.fits(rec, g) {
			return w.around(s, g, kind, s.answer, path, w.whole("record", rec), 0)
		}
		if l := w.listOf(s.answer, hint); l.ok && len(l.path) == 0 && w.fits(l.items, g) {
			return w.list(w.whole("record", l.items))
		}
	}
	if example {
		return nil
	}
	return w.shape(s, g, kind, s.answer, 0)
}

func (s *source) lastWords() []string {
	for i := len(s.path.segs) - 1; i >= 0; i-- {
		if s.path.segs[i].param == "" {
			return s.path.segs[i].words
		}
	}
	return nil
}

// fits is whether a record of the group can stand for a schema.
func (w *writer) fits(rec spot, g *group) bool {
	if !rec.has() || rec.n == g.rec.n {
		return true
	}
	o := w.object(rec)
	if o == nil || g.obj == nil || o.bare {
		return false
	}
	shared := 0
	for i := range o.props {
		if p := g.obj.get(o.props[i].name); p != nil && kindOf(p.schema) == kindOf(o.props[i].schema) {
			shared++
		}
	}
	if g.id != "" && !g.keyed && o.get(g.id) == nil {
		return false
	}
	return shared >= 3 && shared*3 >= len(o.props) || shared*2 > len(o.props)
}

// around writes the envelope about what stands at path.
func (w *writer) around(s *source, g *group, kind string, schema spot, path []string, inner *yaml.Node, depth int) *yaml.Node {
	if len(path) == 0 {
		return inner
	}
	m := w.mapping()
	o := w.object(schema)
	if o == nil {
		w.put(m, path[0], w.around(s, g, kind, spot{}, path[1:], inner, depth+1))
		return m
	}
	for i := range o.props {
		p := &o.props[i]
		if p.name == path[0] {
			w.put(m, p.name, w.around(s, g, kind, p.schema, path[1:], inner, depth+1))
		} else if n := w.beside(s, kind, p, depth); n != nil {
			w.put(m, p.name, n)
		}
	}
	return m
}

// beside is what stands beside the record or the list in its envelope: nil for
// what can be left out.
func (w *writer) beside(s *source, kind string, p *prop, depth int) *yaml.Node {
	name, k := plain(p.name), kindOf(p.schema)
	optional := func() *yaml.Node {
		if p.required {
			return w.filler(p.schema, 0)
		}
		return nil
	}
	number := k == "integer" || k == "number"
	if firstConst(p.schema) != nil {
		return w.literal(firstConst(p.schema))
	}
	switch {
	case k == "boolean" && (name == "ok" || name == "success"):
		return w.scalar("!!bool", "true")
	case k == "object" && (p.required || wraps[name] || paging[name]) && depth < 3 && kind == "page":
		o := w.object(p.schema)
		m := w.mapping()
		if o != nil {
			for i := range o.props {
				if n := w.beside(s, kind, &o.props[i], depth+1); n != nil {
					w.put(m, o.props[i].name, n)
				}
			}
		}
		if len(m.Content) == 0 && !p.required {
			return nil
		}
		return m
	case kind != "page":
		return optional()
	case number && slices.Contains([]string{"total", "totalcount", "count", "totalitems", "totalelements", "totalresults", "totalsize", "odatacount", "totalhits", "recordcount"}, name):
		return w.text("${page.total}")
	case number && slices.Contains([]string{"totalpages", "pages", "pagecount", "lastpage", "pagestotal"}, name):
		return w.text("${page.pages}")
	case number && slices.Contains([]string{"page", "number", "currentpage", "pagenumber", "pageindex"}, name):
		return w.text("${page.number" + s.zeroBased + "}")
	case number && slices.Contains([]string{"offset", "start", "skip", "startat"}, name):
		return w.text("${page.offset}")
	case number && slices.Contains([]string{"pagesize", "perpage", "limit", "size", "itemsperpage"}, name):
		if s.paged {
			return w.text("${page.size}")
		}
		return w.text("${max(1, page.items.size())}")
	case k == "boolean" && slices.Contains([]string{"hasmore", "hasnextpage", "hasnext", "more"}, name):
		if s.paged {
			return w.text("${page.offset + page.items.size() < page.total}")
		}
		return w.scalar("!!bool", "false")
	case k == "boolean" && slices.Contains([]string{"haspreviouspage", "hasprevious", "hasprev"}, name):
		if s.paged {
			return w.text("${page.offset > 0}")
		}
		return w.scalar("!!bool", "false")
	case strings.Contains(name, "next") || strings.Contains(name, "prev") || strings.Contains(name, "cursor"):
		if !nullable(p.schema) {
			return optional()
		}
		link := name == "next" || strings.Contains(name, "link") || strings.Contains(name, "url") || strings.Contains(name, "uri") || name == "previous" || name == "prev"
		if k == "string" && s.paged && link {
			if strings.Contains(name, "prev") {
				return w.text("${page.previous}")
			}
			return w.text("${page.next}")
		}
		return w.null()
	case k == "string" && p.required && (name == "url" || name == "href" || name == "self" || name == "uri"):
		if strings.Contains(s.Path, "{") || tree.Text(p.schema.n, "format") == "uri" {
			return w.text("${request.url}")
		}
		return w.text(s.Path)
	}
	return optional()
}

// firstConst is the only value that a schema allows, nil if it allows several.
func firstConst(s spot) *yaml.Node {
	if c := tree.Get(s.n, "const"); c != nil {
		return c
	}
	if e := tree.Get(s.n, "enum"); e != nil && len(e.Content) == 1 {
		return tree.Follow(e.Content[0])
	}
	return nil
}

// shape is an answer that is no record: what it shares with one, and what it
// needs.
func (w *writer) shape(s *source, g *group, kind string, schema spot, depth int) *yaml.Node {
	o := w.object(schema)
	if o == nil {
		return w.filler(schema, depth)
	}
	m := w.mapping()
	for i := range o.props {
		p := &o.props[i]
		name, k := plain(p.name), kindOf(p.schema)
		own := g.obj.get(p.name)
		switch {
		case firstConst(p.schema) != nil:
			w.put(m, p.name, w.literal(firstConst(p.schema)))
		case k == "boolean" && (name == "deleted" || name == "success" || name == "ok" || name == "removed" || name == "acknowledged"):
			w.put(m, p.name, w.scalar("!!bool", "true"))
		case kind != "cleared" && own != nil && kindOf(own.schema) == k && (own.required || name == plain(g.id)):
			w.put(m, p.name, w.text("${"+member("record", p.name)+"}"))
		case p.required:
			w.put(m, p.name, w.filler(p.schema, depth+1))
		}
	}
	return m
}
