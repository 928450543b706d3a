package infer

import (
	"slices"
	"strings"
)

// onItem is a CRUD verb behind an item path: POST /users/{id}/delete.
func (c *classifier) onItem(s *source, at int, ws []string) {
	a := crud[ws[0]]
	l := s.listOf(s.answer, nil)
	rest := noun(ws[1:])
	if len(rest) > 0 && (a == Create || a == List || a == Search || a == Delete || l.ok && a == Read) {
		s.Resource, s.Parents = resourceName(rest), s.path.parents(at+1)
		if a == Delete {
			s.byPath(at)
			s.is(Act(s.path.segs[at+1].lit), 0.5, "a verb and a noun behind an item path")
			return
		}
		if a == Read {
			a = List
		}
		s.is(a, 0.6, "a verb and a noun behind an item path")
	} else if a == Create || a == Search || a == List {
		if a == Create {
			s.byPath(at)
			s.is(Act(s.path.segs[at+1].lit), 0.5, "a verb behind an item path")
			return
		}
		s.byPath(at)
		s.IDParam, s.IDIn = "", ""
		s.Parents = s.path.parents(at + 1)
		s.is(a, 0.5, "a verb behind an item path")
	} else {
		s.byPath(at)
		if len(rest) > 0 {
			s.is(Act(s.path.segs[at+1].lit), 0.55, "a verb and a noun behind an item path")
			return
		}
		s.is(a, 0.7, "the verb "+ws[0]+" behind an item path")
	}
	s.Listed, s.ListAt = l.ok, l.pointer()
}

// noun drops small words, and what follows by, with and for.
func noun(ws []string) []string {
	var out []string
	for i, w := range ws {
		if w == "by" || w == "with" || w == "for" || w == "from" || w == "in" {
			break
		}
		if !small[w] || i == len(ws)-1 && !small[w] {
			out = append(out, w)
		}
	}
	return out
}

// byVerb is a path with a verb behind a colon or a dot.
func (c *classifier) byVerb(s *source) {
	n := len(s.path.segs)
	ws := words(s.path.verb)
	if len(ws) == 0 {
		s.is(Stateless, 0.3, "a verb that is none")
		return
	}
	if s.path.segs[n-1].param != "" {
		s.byPath(n - 1)
		if a, ok := crud[ws[0]]; ok && len(ws) == 1 && a != Create && a != List && a != Search {
			s.is(a, 0.75, "the verb "+ws[0]+" behind an item path")
			return
		}
		s.is(Act(s.path.verb), 0.9, "a verb behind an item path")
		return
	}
	left := s.path.segs[n-1].words
	if _, known := crud[ws[0]]; s.path.dots && !known && len(left) == 1 && crud[left[0]] == Search { // search.messages
		s.Resource, s.Parents = resourceName(ws), s.path.parents(n)
		l := s.listOf(s.answer, ws)
		s.Listed, s.ListAt = l.ok, l.pointer()
		s.is(Search, 0.6, "a search, and what is searched for")
		return
	}
	c.rpc(s, n, ws, -1, true)
}

// rpc is a verb of a collection, perhaps with a noun: /pets/list, /getUser/{id},
// /pet/findByStatus. It stands at i, which is beyond the segments where it is
// apart: behind a colon or a dot. item is the index of the parameter that names
// the record, -1 for none.
func (c *classifier) rpc(s *source, i int, ws []string, item int, apart bool) {
	rest := noun(ws[1:])
	a, known := crud[ws[0]]
	l := s.listOf(s.answer, rest)
	up := i - 1
	bulk := !known && len(ws) > 1 && (ws[0] == "batch" || ws[0] == "bulk" || ws[0] == "mass")
	if bulk {
		a, known = crud[ws[1]]
		rest = noun(ws[2:])
	}
	for up >= 0 && s.path.segs[up].param != "" {
		up--
	}
	verb := strings.Join(ws, "-")
	if s.path.verb != "" {
		verb = s.path.verb
	} else if i < len(s.path.segs) {
		verb = s.path.segs[i].lit
	}
	// The noun of the verb, else the name before it, is the resource.
	switch {
	case len(rest) > 0 && (up < 0 || up >= 0 && !apart && singular(rest[len(rest)-1]) != singular(lastWord(s.path.segs[up].words)) && !(c.at(s.path.keyTo(up+1)).children && known && a != Create && !bulk && !nounOf(s, rest))):
		s.Resource, s.Parents = resourceName(rest), s.path.parents(i)
	case up >= 0:
		s.about(up)
	default:
		if name := s.answerName(); name != "" {
			s.Resource = name
		}
	}
	if item >= 0 {
		s.IDParam, s.IDIn, s.idAt = s.path.segs[item].param, "path", item
	} else if a != List && a != Create && a != Search {
		if p := s.rpcID(); p != nil {
			s.IDParam, s.IDIn = p.name, p.in
		}
	}
	switch {
	case bulk && a == Delete:
		s.IDParam, s.IDIn = "", ""
		s.is(DeleteMany, 0.75, "deletes several")
	case known && a == Read && l.ok && l.sure && s.IDIn != "path" && (len(rest) == 0 || manyWords(rest) || s.IDIn == ""):
		s.IDParam, s.IDIn = "", ""
		s.is(List, 0.7, "a verb that reads, and the answer is a list")
	case known && a == Search && s.IDIn == "path" && !l.ok:
		s.is(Read, 0.6, "finds one record")
	case known && a == Search && s.IDIn == "path":
		s.IDParam, s.IDIn = "", ""
		s.is(Search, 0.65, "a verb that searches")
	case known && a == Search && s.answer.has() && !l.ok && s.IDIn != "":
		s.is(Read, 0.5, "finds one record")
	case known && (a == Read || a == Update || a == Replace || a == Delete) && s.IDIn == "":
		switch {
		case a == Read:
			s.is(SingletonRead, 0.5, "reads one record that nothing names")
		case a == Delete && (manyWords(rest) || i >= 0 && s.Method == "DELETE" && !s.hasBody):
			s.is(DeleteMany, 0.5, "deletes records that nothing names")
		case a == Delete:
			s.is(Delete, 0.5, "deletes one record that nothing names")
		default:
			s.is(SingletonUpdate, 0.5, "changes one record that nothing names")
		}
	case known && bulk && a != Create && a != Delete && a != Read:
		s.is(Act(verb), 0.6, "does something to several")
	case known && len(rest) > 0 && apart && a != List && a != Search && a != Create && !nounIs(s, rest):
		s.is(Act(verb), 0.65, "a verb and a noun behind a resource")
	case known:
		s.is(a, 0.75, "the verb "+ws[0])
	case apart && ws[0] == "post" && s.hasBody:
		s.is(Create, 0.5, "posts something new")
	case c.at(s.path.keyTo(up+1)).children || s.IDIn != "" || apart && up >= 0 && (c.sibling(s) || s.hasBody):
		s.is(Act(verb), 0.65, "a verb of a collection")
	default:
		s.Resource = ""
		s.is(Stateless, 0.5, "a verb without a resource")
	}
	if s.Action == List || s.Action == Search {
		if l = s.listOf(s.answer, words(s.Resource)); l.ok {
			s.Listed, s.ListAt = true, l.pointer()
		}
	}
}

func lastWord(ws []string) string {
	if len(ws) == 0 {
		return ""
	}
	return ws[len(ws)-1]
}

// nounOf is whether the answer, or what is sent, is named like a noun.
func nounOf(s *source, rest []string) bool {
	name := plain(resourceName(rest))
	for _, at := range []spot{s.answer, s.body, s.listOf(s.answer, nil).items} {
		if at.has() && plain(singular(strings.ToLower(s.choice(at).name()))) == name {
			return true
		}
	}
	return false
}

// nounIs is whether a noun is only the resource again.
func nounIs(s *source, rest []string) bool { return plain(resourceName(rest)) == plain(s.Resource) }

// sibling is whether another path has the same name with a verb that is known.
func (c *classifier) sibling(s *source) bool {
	p := c.nodes[s.path.key]
	return p != nil && p.children
}

// rpcID is the parameter or member of the body that chooses the record.
func (s *source) rpcID() *param {
	name := plain(s.Resource)
	fits := func(n string) bool {
		n = plain(n)
		return n == "id" || n == "uuid" || n == "guid" || n == name || n == name+"id" || n == name+"uuid"
	}
	for i := range s.params {
		if p := &s.params[i]; (p.in == "query" || p.in == "path") && fits(p.name) {
			return p
		}
	}
	if o := s.object(s.body); o != nil {
		var names []string
		for _, p := range o.props {
			if fits(p.name) {
				names = append(names, p.name)
			}
		}
		slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
		if len(names) > 0 && kindOf(o.get(names[0]).schema) != "array" && kindOf(o.get(names[0]).schema) != "object" {
			return &param{name: names[0], in: "body", schema: o.get(names[0]).schema}
		}
	}
	return nil
}
