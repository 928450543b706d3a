package infer

import (
	"strings"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// Classify says of each operation of a document what it does, in the order of
// the document. It changes nothing, and never fails: what is too strange to be
// read is stateless.
func Classify(f *tree.File) []Operation {
	list := classify(f)
	out := make([]Operation, len(list))
	for i, s := range list {
		out[i] = s.Operation
	}
	return out
}

func classify(f *tree.File) []*source {
	list := sources(f)
	c := &classifier{nodes: map[string]*place{}}
	for _, s := range list {
		c.add(s)
	}
	for _, reads := range []bool{true, false} { // the others look at what GET was found to do
		for _, s := range list {
			if (s.Method == "GET") == reads {
				c.decide(s)
			}
		}
	}
	for _, s := range list {
		s.Confidence = min(max(s.Confidence, 0.05), 0.99)
	}
	return list
}

// place is a point of the tree of paths.
type place struct {
	ops      map[string]*source
	children bool // a parameter follows
}

type classifier struct{ nodes map[string]*place }

func (c *classifier) at(key string) *place {
	p := c.nodes[key]
	if p == nil {
		p = &place{ops: map[string]*source{}}
		c.nodes[key] = p
	}
	return p
}

func (c *classifier) add(s *source) {
	if s.path.verb == "" {
		c.at(s.path.key).ops[s.Method] = s
	}
	for i, g := range s.path.segs {
		if g.param != "" && i > 0 {
			c.at(s.path.keyTo(i)).children = true
		}
	}
}

// is decides. More evidence adds to or takes from the confidence.
func (s *source) is(a Action, sure float64, because string) {
	s.Action, s.Confidence, s.Reason = a, sure, because
}

func (s *source) also(by float64, because string) {
	s.Confidence += by
	s.Reason += "; " + because
}

// about sets the resource of the literal at i, and the parents before it.
func (s *source) about(i int) {
	s.Resource, s.at = resourceName(s.path.segs[i].words), i
	s.Parents = s.path.parents(i)
}

// byPath sets the record that the path names with the parameter at i.
func (s *source) byPath(i int) {
	s.IDParam, s.IDIn, s.idAt = s.path.segs[i].param, "path", i
	if at := s.path.collectionAt(i); at >= 0 && !prefix(s.path.segs[at].lit) {
		s.about(at)
		return
	}
	s.Resource = resourceName(trimID(words(s.IDParam)))
	if name := s.answerName(); name != "" && idWord[strings.ToLower(s.IDParam)] {
		s.Resource = name
	}
}

// answerName is the name of the answer's schema, of a list: of its elements.
func (s *source) answerName() string {
	rec := s.answer
	if l := s.listOf(rec, nil); l.ok && l.sure {
		rec = l.items
	}
	if name := s.choice(rec).name(); name != "" {
		return resourceName(words(name))
	}
	return ""
}

func (c *classifier) decide(s *source) {
	segs := s.path.segs
	n := len(segs)
	switch {
	case s.Method == "OPTIONS" || s.Method == "TRACE":
		s.is(Stateless, 0.95, s.Method+" changes and shows nothing that is kept")
	case n == 0:
		s.is(Stateless, 0.8, "the path is the root")
	case s.path.verb != "":
		c.byVerb(s)
	case segs[n-1].param != "":
		c.item(s)
	default:
		c.literal(s)
	}
	s.agree()
}

// agree compares with what the operationId says.
func (s *source) agree() {
	v := s.idVerb()
	if v == "" || s.Action == Stateless {
		return
	}
	same := v == s.Action || v == Read && (s.Action == SingletonRead || s.Action == List) || v == Update && (s.Action == Replace || s.Action == SingletonUpdate) || v == Delete && s.Action == DeleteMany || v == Search && s.Action == List
	if same {
		s.also(0.1, "operationId says so too")
	} else if s.Action.Verb() == "" {
		s.also(-0.1, "operationId sounds like "+string(v))
	}
}

// item decides what is done at a path that ends in a parameter.
func (c *classifier) item(s *source) {
	n := len(s.path.segs)
	at := s.path.collectionAt(n - 1)
	if at >= 0 {
		if ws := s.path.segs[at].words; len(ws) > 0 && strong[ws[0]] && !c.at(s.path.keyTo(at+1)).nounUse() {
			c.rpc(s, at, ws, n-1, false)
			return
		}
	}
	s.byPath(n - 1)
	here := c.at(s.path.key)
	switch s.Method {
	case "GET", "HEAD":
		l := s.listOf(s.answer, nil)
		if s.Method == "GET" && l.ok && l.sure && len(here.ops) == 1 && (len(l.path) == 0 || !idLike(s.IDParam)) {
			s.Listed, s.ListAt = true, l.pointer()
			s.is(List, 0.6, "GET with a parameter at the end, and the answer is a list")
			s.IDParam, s.IDIn = "", ""
			s.Parents = s.path.parents(n)
			if name := s.choice(l.items).name(); name != "" {
				s.Resource = resourceName(words(name))
			}
			return
		}
		s.is(Read, 0.85, "GET of an item path")
		if s.answer.has() && !l.ok {
			s.also(0.05, "the answer is one record")
		}
	case "PUT":
		v := s.idVerb()
		switch {
		case !s.hasBody && v != Update && v != Replace:
			s.is(Create, 0.6, "PUT of an item path without a body puts it there")
		case v == Create && here.ops["POST"] == nil && here.ops["PATCH"] == nil && !strings.Contains(strings.ToLower(s.ID), "update"):
			s.is(Create, 0.6, "PUT of an item path, and the operationId says create")
		default:
			s.is(Replace, 0.85, "PUT of an item path")
		}
	case "PATCH":
		s.is(Update, 0.9, "PATCH of an item path")
	case "DELETE":
		s.is(Delete, 0.92, "DELETE of an item path")
	case "POST":
		v := s.idVerb()
		switch {
		case v == Create || v == "" && s.status == 201 && here.ops["PUT"] == nil:
			s.is(Create, 0.55, "POST of an item path that says create")
		default:
			s.is(Update, 0.65, "POST of an item path")
			if here.ops["PUT"] == nil && here.ops["PATCH"] == nil {
				s.also(0.1, "there is no PUT and no PATCH")
			}
		}
	}
}

// nounUse is whether a place is used as a collection in its own right.
func (p *place) nounUse() bool { return p.ops["GET"] != nil && p.ops["POST"] != nil }

func idLike(name string) bool {
	ws := words(name)
	return len(ws) > 0 && idWord[ws[len(ws)-1]]
}

// literal decides what is done at a path that ends in a name.
func (c *classifier) literal(s *source) {
	segs := s.path.segs
	n := len(segs)
	last := segs[n-1]
	here := c.at(s.path.key)
	ws := last.words
	if len(ws) == 0 {
		s.is(Stateless, 0.3, "the path ends in nothing that is a name")
		return
	}
	s.about(n - 1)
	afterItem := n > 1 && segs[n-2].param != ""
	l := s.listOf(s.answer, ws)
	if n > 1 && !here.children && !here.nounUse() {
		if _, ok := crud[ws[0]]; ok && (strong[ws[0]] || len(ws) == 1 && ws[0] != "index" && ws[0] != "info" && !afterItem) {
			if afterItem {
				c.onItem(s, n-2, ws)
			} else {
				c.rpc(s, n-1, ws, -1, false)
			}
			return
		}
	} else if n == 1 && !here.children && len(ws) > 1 && strong[ws[0]] {
		c.rpc(s, 0, ws, -1, false)
		return
	}
	switch s.Method {
	case "GET", "HEAD":
		c.get(s, here, l, afterItem)
	case "POST":
		c.post(s, here, l, afterItem)
	case "PUT", "PATCH":
		c.put(s, here, afterItem)
	case "DELETE":
		c.remove(s, here)
	}
}

func (s *source) searching() bool {
	segs := s.path.segs
	for _, g := range segs[:len(segs)-1] {
		if g.lit == "search" || g.lit == "find" || g.lit == "query" {
			return true
		}
	}
	return false
}

func (c *classifier) get(s *source, here *place, l list, afterItem bool) {
	ws := s.path.segs[len(s.path.segs)-1].words
	many := manyWords(ws)
	if p := s.idQuery(); p != nil && !l.ok && s.answer.has() {
		s.IDParam, s.IDIn = p.name, p.in
		s.is(Read, 0.6, "GET of one record that a query parameter names")
		return
	}
	found := l.ok && (l.sure || many || here.children)
	if o := s.object(s.answer); o != nil && o.get("id") != nil && found && len(l.path) > 0 && !here.children && !many {
		found = false // a record that has a list among its members
	}
	switch {
	case found:
		s.Listed, s.ListAt = true, l.pointer()
		if s.searching() {
			s.is(Search, 0.75, "GET below a search path that answers with a list")
			return
		}
		s.is(List, 0.8, "GET that answers with a list")
		if here.children {
			s.also(0.1, "items have paths below it")
		}
		if post := here.ops["POST"]; post != nil {
			s.also(0.05, "POST is there, too")
		}
		if self[ws[0]] || !many && !here.children && !afterItem && here.ops["POST"] == nil {
			if name := s.choice(l.items).name(); name != "" && !many {
				s.Resource = resourceName(words(name))
			}
		}
		// A list below a collection that has items is another view of it.
		if n := len(s.path.segs); n > 1 && !afterItem && !many && !here.children && c.at(s.path.keyTo(n-1)).children {
			s.about(n - 2)
			s.is(Search, 0.6, "GET of a named part of a collection")
		}
	case here.children && (many || !s.answer.has()) && !asks[ws[0]]:
		s.is(List, 0.55, "GET of a collection path, though no list was found in the answer")
	case asks[strings.Join(ws, "")] && here.ops["PUT"] == nil && here.ops["PATCH"] == nil && here.ops["POST"] == nil:
		s.is(Stateless, 0.75, "the path names something that is computed, not kept")
		s.Resource = ""
	case s.object(s.answer) != nil && !s.object(s.answer).bare || here.ops["PUT"] != nil || here.ops["PATCH"] != nil || here.ops["DELETE"] != nil && !many || here.ops["POST"] != nil && !many:
		s.is(SingletonRead, 0.65, "GET that answers with one record that has no id in the path")
		c.singleton(s, afterItem)
	default:
		s.is(Stateless, 0.5, "GET whose answer is neither a record nor a list")
		s.Resource = ""
	}
}

// singleton names the resource of one that is alone: what a collection above
// it keeps, if it is one of those.
func (c *classifier) singleton(s *source, afterItem bool) {
	n := len(s.path.segs)
	ws := s.path.segs[n-1].words
	name := s.choice(s.answer).name()
	_, rec := s.record(s.answer, ws)
	if rec.name() != "" {
		name = rec.name()
	}
	switch {
	case self[ws[0]] || self[ws[len(ws)-1]]:
		if n > 1 && !afterItem && c.at(s.path.keyTo(n-1)).children {
			s.about(n - 2)
		} else if name != "" {
			s.Resource = resourceName(words(name))
		}
	case n > 1 && !afterItem && name != "" && c.at(s.path.keyTo(n-1)).children:
		if up := c.at(s.path.keyTo(n-1) + "/{}").ops["GET"]; up != nil {
			if _, r := up.record(up.answer, nil); r.n == rec.n {
				s.about(n - 2)
			}
		}
	}
}

// idQuery is a required query parameter that chooses one record.
func (s *source) idQuery() *param {
	for i := range s.params {
		p := &s.params[i]
		if p.in != "query" || !p.required {
			continue
		}
		name := plain(p.name)
		if name == "id" || name == "uuid" || name == plain(s.Resource) || name == plain(s.Resource)+"id" {
			return p
		}
	}
	return nil
}

func (c *classifier) post(s *source, here *place, l list, afterItem bool) {
	n := len(s.path.segs)
	ws := s.path.segs[n-1].words
	many := manyWords(ws)
	first := ws[0]
	get := here.ops["GET"]
	getList := false
	if get != nil {
		gl := get.listOf(get.answer, ws)
		getList = gl.ok && (gl.sure || many)
	}
	v := s.idVerb()
	switch {
	case here.children || getList:
		if (v == Search || strings.HasPrefix(s.summary, "search")) && l.ok {
			s.Listed, s.ListAt = true, l.pointer()
			s.is(Search, 0.7, "POST that searches")
			return
		}
		s.is(Create, 0.85, "POST of a collection path")
		if s.status == 201 {
			s.also(0.08, "it answers 201")
		}
	case get != nil && (!many || get.Action == SingletonRead):
		if verbLike(first) && len(ws) == 1 {
			c.act(s, afterItem, ws)
			return
		}
		if s.status == 201 && here.ops["PUT"] == nil && v == Create {
			s.is(Create, 0.6, "POST that answers 201")
			return
		}
		s.is(SingletonUpdate, 0.65, "POST where GET answers with the only record")
		c.singleton(get, afterItem)
	case asks[strings.Join(ws, "")]:
		if afterItem && verbLike(first) {
			c.act(s, afterItem, ws)
			return
		}
		s.is(Stateless, 0.7, "the path names something that is done, not kept")
		s.Resource = ""
	case verbLike(first) && (!many || len(ws) > 1 || v == "") && !(many && s.status == 201):
		c.act(s, afterItem, ws)
	case many || s.status == 201 || v == Create:
		s.is(Create, 0.65, "POST of a path that is named like a collection")
		if s.status == 201 {
			s.also(0.15, "it answers 201")
		}
		if many && v == Create {
			s.also(0.05, "a name for several")
		}
	case afterItem:
		c.act(s, afterItem, ws)
	case s.object(s.answer) != nil && s.object(s.answer).get("id") != nil && s.hasBody:
		s.is(Create, 0.5, "POST whose answer is a record with an id")
	default:
		if n > 1 && c.at(s.path.keyTo(n-1)).children {
			c.act(s, afterItem, ws)
			return
		}
		s.is(Stateless, 0.5, "POST of something that is not seen to be kept")
		s.Resource = ""
	}
}

// act is an action of the record that the path names before its last literal.
func (c *classifier) act(s *source, afterItem bool, ws []string) {
	n := len(s.path.segs)
	verb := s.path.segs[n-1].lit
	if n > 1 && !afterItem && c.at(s.path.keyTo(n-1)).children {
		s.about(n - 2)
		s.is(Act(verb), 0.6, "a verb behind a collection path")
		return
	}
	for i := n - 2; i >= 0; i-- {
		if s.path.segs[i].param != "" {
			s.byPath(i)
			s.is(Act(verb), 0.75, "a verb behind an item path")
			if !afterItem {
				s.also(-0.1, "with a name between them")
			}
			return
		}
	}
	if n > 1 && (c.at(s.path.keyTo(n-1)).children || c.at(s.path.keyTo(n-1)).nounUse()) {
		s.about(n - 2)
		s.is(Act(verb), 0.6, "a verb behind a collection path")
		return
	}
	s.Resource = ""
	s.is(Stateless, 0.55, "a verb without a resource")
}

func (c *classifier) put(s *source, here *place, afterItem bool) {
	n := len(s.path.segs)
	ws := s.path.segs[n-1].words
	many := manyWords(ws)
	get := here.ops["GET"]
	getList := get != nil && get.listOf(get.answer, ws).ok && (many || get.listOf(get.answer, ws).sure)
	o := s.object(s.body)
	if kindOf(s.body) == "array" {
		o = nil
	}
	switch {
	case verbLike(ws[0]) && !here.children && !getList && (afterItem || get == nil):
		c.act(s, afterItem, ws)
	case (here.children || getList || many) && !(get != nil && get.Action == SingletonRead):
		if o != nil && o.get("id") != nil && !getList {
			s.IDParam, s.IDIn = "id", "body"
			s.is(Update, 0.7, s.Method+" of a collection path with the id in the body")
			return
		}
		if o != nil && o.get("id") != nil && here.ops["POST"] != nil {
			s.IDParam, s.IDIn = "id", "body"
			s.is(Update, 0.6, s.Method+" of a collection path with the id in the body")
			return
		}
		if get == nil && here.ops["POST"] == nil && !here.children && afterItem && o != nil {
			s.is(SingletonUpdate, 0.5, s.Method+" of a path that nothing else uses")
			return
		}
		s.is(Replace, 0.55, s.Method+" of a collection path replaces what is in it")
		if s.Method == "PATCH" {
			s.is(Update, 0.5, "PATCH of a collection path")
		}
	default:
		if get == nil && here.ops["POST"] != nil && o != nil && o.get("id") != nil {
			s.IDParam, s.IDIn = "id", "body"
			s.is(Update, 0.65, s.Method+" beside POST with the id in the body")
			return
		}
		s.is(SingletonUpdate, 0.75, s.Method+" of the only one of its kind")
		c.singletonOf(s, get, afterItem)
	}
}

// singletonOf names a singleton as its GET does.
func (c *classifier) singletonOf(s, get *source, afterItem bool) {
	if get == nil {
		get = s
	}
	c.singleton(get, afterItem)
	s.Resource, s.Parents = get.Resource, get.Parents
}

func (c *classifier) remove(s *source, here *place) {
	ws := s.path.segs[len(s.path.segs)-1].words
	many := manyWords(ws)
	if p := s.idQuery(); p != nil {
		s.IDParam, s.IDIn = p.name, p.in
		s.is(Delete, 0.65, "DELETE of one record that a query parameter names")
		return
	}
	get := here.ops["GET"]
	var l list
	if get != nil {
		l = get.listOf(get.answer, ws)
	}
	switch {
	case here.children || many || l.ok && l.sure:
		s.is(DeleteMany, 0.8, "DELETE of a collection path")
	default:
		s.is(Delete, 0.7, "DELETE of the only one of its kind")
		if get != nil {
			n := len(s.path.segs)
			c.singletonOf(s, get, n > 1 && s.path.segs[n-2].param != "")
		}
	}
}
