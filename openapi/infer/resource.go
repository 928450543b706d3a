package infer

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// resource writes the entry of x-resources.
func (w *writer) resource(g *group) *yaml.Node {
	r := w.mapping("schema", g.rec.ref)
	key := g.id
	if g.keyed {
		key = keyMember
	}
	w.put(r, "id", w.text(key))
	fall, create, update := w.mapping(), w.mapping(), w.mapping()
	if !g.single {
		if g.keyed {
			w.put(fall, keyMember, w.text("${uuid()}"))
		}
		if g.id != "" {
			w.put(fall, g.id, w.text("${"+w.fresh(g)+"}"))
		}
	}
	sent := map[string]bool{} // what a request may say of it
	for _, s := range g.ops {
		_, o := w.bodyOf(s, g)
		for i := range props(o) {
			p := &o.props[i]
			if tree.Text(p.schema.n, "readOnly") != "true" {
				sent[p.name] = true
			}
		}
	}
	for i := range g.obj.props {
		p := &g.obj.props[i]
		if p.name == g.id {
			continue
		}
		readOnly := tree.Text(p.schema.n, "readOnly") == "true"
		switch when, at := w.time(p, readOnly); {
		case when != "" && sent[p.name] && !readOnly:
			w.put(fall, p.name, w.text(at))
		case when == "created":
			w.put(create, p.name, w.text(at))
		case when == "updated":
			w.put(create, p.name, w.text(at))
			w.put(update, p.name, w.text(at))
		case firstConst(p.schema) != nil:
			w.put(fall, p.name, w.literal(firstConst(p.schema)))
		case tree.Get(p.schema.n, "default") != nil:
			w.put(fall, p.name, w.literal(tree.Get(p.schema.n, "default")))
		case stateful[plain(p.name)] && tree.Get(p.schema.n, "enum") != nil && p.required:
			if e := tree.Get(p.schema.n, "enum"); len(e.Content) > 0 && !sent[p.name] {
				w.put(fall, p.name, w.literal(e.Content[0]))
			}
		}
	}
	for _, part := range []struct {
		key string
		n   *yaml.Node
	}{{"default", fall}, {"on-create", create}, {"on-update", update}} {
		if len(part.n.Content) > 0 {
			w.put(r, part.key, part.n)
		}
	}
	if u := w.uniques(g); u != nil {
		w.put(r, "unique", u)
	}
	if len(g.hidden) > 0 {
		slices.Sort(g.hidden)
		w.put(r, "hidden", w.texts(g.hidden...))
	}
	return r
}

func props(o *object) []prop {
	if o == nil {
		return nil
	}
	return o.props
}

// stateful are the names of members that hold a state.
var stateful = set("status", "state", "phase", "stage")

var (
	createdNames = set("created", "createdat", "createdon", "creationdate", "creationtime", "datecreated", "createddate", "createtime", "createdtime", "insertedat", "addedat", "addtime", "creationtimestamp", "createdatutc", "timecreated", "registeredat")
	updatedNames = set("updated", "updatedat", "updatedon", "updatetime", "modified", "modifiedat", "modifiedon", "lastmodified", "lastmodifiedat", "dateupdated", "datemodified", "lastupdated", "lastupdatedat", "updateddate", "modificationdate", "modificationtime", "updatedtime", "lastmodifieddate", "lastupdatetime", "timeupdated")
)

// time is whether a member is the time of creation or of the last change, and
// the template of it.
func (w *writer) time(p *prop, readOnly bool) (when, at string) {
	name := plain(p.name)
	switch {
	case createdNames[name]:
		when = "created"
	case updatedNames[name]:
		when = "updated"
	default:
		return "", ""
	}
	s := p.schema
	if tree.Get(s.n, "enum") != nil {
		return "", ""
	}
	switch format := tree.Text(s.n, "format"); kindOf(s) {
	case "string":
		switch {
		case format == "date":
			return when, `${split(now(), "T")[0]}`
		case format == "date-time" || format == "" && tree.Text(s.n, "pattern") == "":
			return when, "${now()}"
		}
	case "integer", "number":
		if strings.Contains(format, "ms") || strings.Contains(format, "milli") || strings.HasSuffix(name, "ms") {
			return when, "${int(timestamp(now()) / 1000)}"
		}
		return when, "${int(timestamp(now()) / 1000000)}"
	}
	return "", ""
}

// naturals are members that tell records apart for people.
var naturals = []string{"name", "email", "slug", "username", "login", "handle", "code", "key", "sku", "title"}

// uniques is what no two records have in common, where the document has an
// answer for it.
func (w *writer) uniques(g *group) *yaml.Node {
	for _, s := range g.ops {
		if s.Action != Create {
			continue
		}
		r := s.deref(s.responses.below("409"))
		if !r.has() {
			continue
		}
		_, o := w.bodyOf(s, g)
		for _, name := range naturals {
			if o == nil || o.like(name) == nil {
				continue
			}
			p := g.obj.get(o.like(name).name)
			if p == nil || p.name == g.id || kindOf(p.schema) != "string" || name == "title" && !o.like(name).required {
				continue
			}
			expr := member("it", p.name)
			for _, e := range s.scope() {
				m, _ := w.memberFor(g, e)
				expr = member("it", m) + ", " + expr
			}
			if strings.Contains(expr, ", ") {
				expr = "[" + expr + "]"
			}
			return w.list(w.mapping("by", expr, "else", w.failure(r, 409, true)))
		}
	}
	return nil
}

// bodyOf is the expression for what a request says of a record, and what it may
// say; "" and nil for nothing.
func (w *writer) bodyOf(s *source, g *group) (expr string, o *object) {
	if !s.hasBody || kindOf(s.body) == "array" {
		return "", nil
	}
	o = w.object(s.body)
	if o == nil || o.bare {
		return "merge(body, {})", nil
	}
	if g.obj != nil {
		for i := range o.props {
			if g.obj.get(o.props[i].name) != nil {
				return "body", o
			}
		}
	}
	if path, rec := w.record(s.body, g.words); len(path) == 1 {
		return member("body", path[0]), w.object(rec)
	}
	return "body", o
}
