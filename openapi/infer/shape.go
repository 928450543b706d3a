package infer

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// spot is a schema, and a reference by which it is found from the root.
type spot struct {
	n   *yaml.Node
	ref string
}

// below is what stands under keys of a node.
func (s spot) below(keys ...string) spot {
	for _, k := range keys {
		s.n = tree.Get(s.n, k)
		s.ref += "/" + escape(k)
	}
	return s
}

func (s spot) has() bool { return s.n != nil }

func escape(key string) string {
	key = strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
	return strings.ReplaceAll(key, "%", "%25")
}

// look reads schemas of one document. What it finds is kept.
type look struct {
	file    *tree.File
	targets map[string]*yaml.Node
	known   map[*yaml.Node]*object
	lists   map[*yaml.Node]list
}

func newLook(f *tree.File) *look {
	return &look{file: f, targets: map[string]*yaml.Node{}, known: map[*yaml.Node]*object{}, lists: map[*yaml.Node]list{}}
}

// deref follows references; nothing is found behind one that leads nowhere.
func (l *look) deref(s spot) spot {
	for range 20 {
		ref := tree.Get(s.n, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode {
			return s
		}
		to, done := l.targets[ref.Value]
		if !done {
			to, _ = l.file.Lookup(ref.Value)
			l.targets[ref.Value] = to
		}
		if to == nil {
			return spot{}
		}
		s = spot{to, ref.Value}
	}
	return spot{}
}

// name is the name under which a schema is declared, "" for one that is not.
func (s spot) name() string {
	for _, at := range []string{"#/components/schemas/", "#/definitions/"} {
		if rest, ok := strings.CutPrefix(s.ref, at); ok && !strings.Contains(rest, "/") {
			return rest
		}
	}
	return ""
}

// object is what an object schema declares, also through allOf.
type object struct {
	props []prop
	index map[string]int
	bare  bool // it declares nothing but additionalProperties
}

type prop struct {
	name     string
	schema   spot // behind references
	required bool
}

func (o *object) get(name string) *prop {
	if i, ok := o.index[name]; ok {
		return &o.props[i]
	}
	return nil
}

// like is the property whose name is the same but for case and separators.
func (o *object) like(name string) *prop {
	if p := o.get(name); p != nil {
		return p
	}
	name = plain(name)
	for i := range o.props {
		if plain(o.props[i].name) == name {
			return &o.props[i]
		}
	}
	return nil
}

// choice is the alternative of a schema that describes a record: of null and
// others the other, of several the first that is an object with properties.
func (l *look) choice(s spot) spot {
	for range 8 {
		s = l.deref(s)
		if !s.has() || tree.Get(s.n, "properties") != nil || tree.Get(s.n, "allOf") != nil {
			return s
		}
		next := spot{}
		for _, key := range []string{"oneOf", "anyOf"} {
			all := s.below(key)
			for i, c := range tree.Items(all.n) {
				alt := l.deref(spot{c, all.ref + "/" + itoa(i)})
				if alt.has() && !next.has() && (kindOf(alt) == "object" || kindOf(alt) == "array" || tree.Get(alt.n, "oneOf") != nil || tree.Get(alt.n, "anyOf") != nil) {
					next = alt
				}
			}
		}
		if !next.has() {
			if all := tree.Get(s.n, "allOf"); all != nil && len(all.Content) == 1 {
				next = spot{tree.Follow(all.Content[0]), s.ref + "/allOf/0"}
			} else {
				return s
			}
		}
		s = next
	}
	return s
}

// kindOf is the type of a schema, null aside; "" where it does not say.
func kindOf(s spot) string {
	t := tree.Get(s.n, "type")
	switch {
	case t == nil:
	case t.Kind == yaml.ScalarNode:
		return t.Value
	case t.Kind == yaml.SequenceNode:
		for _, c := range tree.Items(t) {
			if c.Value != "null" {
				return c.Value
			}
		}
	}
	switch {
	case tree.Get(s.n, "properties") != nil || tree.Get(s.n, "additionalProperties") != nil || tree.Get(s.n, "allOf") != nil:
		return "object"
	case tree.Get(s.n, "items") != nil:
		return "array"
	}
	return ""
}

// most bounds of what is looked at of one schema.
const (
	mostProps = 2000
	mostDepth = 8
)

// object is what a schema says of an object; nil if it says nothing of one.
func (l *look) object(s spot) *object {
	s = l.choice(s)
	if !s.has() {
		return nil
	}
	if o, ok := l.known[s.n]; ok {
		return o
	}
	l.known[s.n] = nil // while it is being looked at, it has none
	o := &object{index: map[string]int{}}
	l.collect(o, s, mostDepth)
	if len(o.props) == 0 {
		o.bare = tree.Get(s.n, "additionalProperties") != nil
		if !o.bare {
			o = nil
		}
	}
	l.known[s.n] = o
	return o
}

// vague is whether a schema says nothing of what it holds.
func (l *look) vague(s spot) bool {
	switch kindOf(s) {
	case "":
		return tree.Get(s.n, "anyOf") == nil && tree.Get(s.n, "oneOf") == nil && tree.Get(s.n, "enum") == nil
	case "array":
		return l.vague(l.deref(s.below("items")))
	case "object":
		return tree.Get(s.n, "properties") == nil && tree.Get(s.n, "allOf") == nil
	}
	return false
}

func (l *look) collect(o *object, s spot, depth int) {
	if s = l.deref(s); !s.has() || depth == 0 {
		return
	}
	props := s.below("properties")
	for k, c := range tree.Pairs(props.n) {
		if len(o.props) >= mostProps {
			return
		}
		schema := l.deref(spot{c, props.ref + "/" + escape(k.Value)})
		if i, ok := o.index[k.Value]; !ok {
			o.index[k.Value] = len(o.props)
			o.props = append(o.props, prop{name: k.Value, schema: schema})
		} else if l.vague(o.props[i].schema) && !l.vague(schema) {
			o.props[i].schema = schema
		}
	}
	all := s.below("allOf")
	for i, c := range tree.Items(all.n) {
		l.collect(o, spot{c, all.ref + "/" + itoa(i)}, depth-1)
	}
	for _, c := range tree.Items(tree.Get(s.n, "required")) {
		if i, ok := o.index[c.Value]; ok {
			o.props[i].required = true
		}
	}
}

// list is where a schema keeps a list.
type list struct {
	ok    bool
	path  []string
	items spot
	sure  bool // there is more to it than one array among the members
}

func (l list) pointer() string {
	var b strings.Builder
	for _, p := range l.path {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(p, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// envelope are the names of members that hold the list, the likeliest first.
var envelope = []string{"data", "items", "results", "value", "values", "records", "entries", "content", "list", "elements", "rows", "objects", "hits", "docs", "collection", "resources", "result", "payload", "edges", "nodes"}

// paging are names of members that stand beside a list.
var paging = set("total", "totalcount", "count", "hasmore", "next", "previous", "prev", "nextcursor", "cursor", "meta", "links", "pagination", "paging", "page", "pages", "pagesize", "perpage",
	"limit", "offset", "nextpagetoken", "nextlink", "odatanextlink", "odatacount", "totalpages", "totalitems", "totalelements", "start", "end", "nextpageuri", "firstpageuri", "metadata", "responsemetadata", "pageinfo", "nextpage", "totalresults", "incompleteresults", "size", "number", "first", "last", "hasnextpage", "selflink", "nexttoken", "continuationtoken", "after", "before", "listmetadata", "totalsize", "url", "uri")

// listOf is the list in an answer. hint is what the path calls its elements.
func (l *look) listOf(s spot, hint []string) list {
	s = l.choice(s)
	if !s.has() {
		return list{}
	}
	if got, ok := l.lists[s.n]; ok && len(hint) == 0 {
		return got
	}
	got := l.findList(s, hint, 2)
	if len(hint) == 0 {
		l.lists[s.n] = got
	}
	return got
}

func (l *look) findList(s spot, hint []string, depth int) list {
	s = l.choice(s)
	if !s.has() {
		return list{}
	}
	if kindOf(s) == "array" {
		return list{ok: true, items: l.deref(s.below("items")), sure: true}
	}
	o := l.object(s)
	if o == nil || o.bare {
		return list{}
	}
	var arrays []*prop
	beside, others := 0, 0
	marked := false // a member says that this is a list
	for i := range o.props {
		p := &o.props[i]
		switch {
		case kindOf(p.schema) == "array":
			arrays = append(arrays, p)
		case paging[plain(p.name)]:
			beside++
		case (p.name == "object" || p.name == "kind" || p.name == "type") && strings.Contains(strings.ToLower(firstText(p.schema)), "list"):
			marked = true
		case p.name == "apiVersion" || p.name == "kind" || p.name == "ok" || p.name == "success" || p.name == "status" || p.name == "message" || p.name == "error" || p.name == "errors" || p.name == "object" || p.name == "included":
		default:
			others++
		}
	}
	named := hasSuffix(strings.ToLower(s.name()), "list", "page", "collection", "listresponse", "s_response", "paged", "paginated", "results") || strings.HasPrefix(strings.ToLower(s.name()), "paginated") || strings.HasPrefix(strings.ToLower(s.name()), "list")
	found := func(p *prop, sure bool) list {
		return list{ok: true, path: []string{p.name}, items: l.deref(p.schema.below("items")), sure: sure || marked || named || beside > 0 && others == 0}
	}
	for _, p := range arrays { // what the path says is surest
		ws := words(p.name)
		if len(hint) > 0 && len(ws) > 0 && singular(ws[len(ws)-1]) == singular(hint[len(hint)-1]) {
			return found(p, others <= 2)
		}
	}
	for _, name := range envelope {
		for _, p := range arrays {
			if plain(p.name) == name {
				return found(p, others <= 1)
			}
		}
	}
	var only *prop
	for _, p := range arrays {
		if p.name != "included" && p.name != "errors" && p.name != "links" && p.name != "warnings" {
			if only != nil {
				only = nil
				break
			}
			only = p
		}
	}
	if only != nil && (beside > 0 || marked || named || others == 0) {
		return found(only, others == 0)
	}
	if depth > 0 {
		for _, name := range []string{"data", "_embedded", "result", "results", "response", "payload", "d", "body", "content"} {
			if p := o.get(name); p != nil && kindOf(p.schema) == "object" {
				if in := l.findList(p.schema, hint, depth-1); in.ok && (in.sure || name == "_embedded") {
					in.path = append([]string{p.name}, in.path...)
					return in
				}
			}
		}
	}
	return list{}
}

// firstText is the only text that a schema allows, as far as it says.
func firstText(s spot) string {
	if c := tree.Get(s.n, "const"); c != nil {
		return c.Value
	}
	if e := tree.Get(s.n, "enum"); e != nil && len(e.Content) == 1 {
		return tree.Follow(e.Content[0]).Value
	}
	for _, key := range []string{"example", "default"} {
		if c := tree.Get(s.n, key); c != nil && c.Kind == yaml.ScalarNode {
			return c.Value
		}
	}
	return ""
}

// wraps are the members that stand beside a single record in its envelope.
var wraps = set("links", "meta", "included", "success", "ok", "status", "error", "errors", "message", "code", "jsonapi", "warning", "warnings", "requestid", "metadata", "responsemetadata", "etag", "timestamp", "result")

// record is where an answer keeps its one record: the answer itself, or inside
// of an envelope.
func (l *look) record(s spot, hint []string) (path []string, rec spot) {
	s = l.choice(s)
	o := l.object(s)
	if o == nil || o.bare {
		return nil, s
	}
	if o.get("id") != nil {
		return nil, s
	}
	var main *prop
	for i := range o.props {
		p := &o.props[i]
		if k := kindOf(l.choice(p.schema)); k == "object" && (!wraps[plain(p.name)] || p.name == "result") {
			if main != nil {
				return nil, s
			}
			main = p
		} else if !wraps[plain(p.name)] {
			return nil, s
		}
	}
	if main == nil {
		return nil, s
	}
	known := plain(main.name) == "data" || plain(main.name) == "result" || main.name == "d" || plain(main.name) == "item" || plain(main.name) == "payload" || plain(main.name) == "response"
	if !known && (len(hint) == 0 || plain(main.name) != plain(resourceName(hint))) && len(o.props) > 2 {
		return nil, s
	}
	if in := l.object(main.schema); in == nil || in.bare {
		return nil, s
	}
	return []string{main.name}, l.choice(main.schema)
}
