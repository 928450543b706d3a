package infer

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

var (
	pageNames   = set("page", "pagenumber", "pageno", "pagenum", "p", "pageindex", "currentpage")
	sizeNames   = set("perpage", "pagesize", "limit", "size", "count", "top", "maxresults", "take", "pagelimit", "itemsperpage", "first", "rows", "num", "results")
	offsetNames = set("offset", "skip", "start", "startat", "startindex", "pageoffset", "from")
	cursorNames = set("cursor", "startingafter", "endingbefore", "after", "before", "pagetoken", "nexttoken", "continuationtoken", "pagecursor", "pageafter", "pagebefore", "since", "marker", "nextpagetoken", "continue", "lastkey", "sinceid", "maxid")
	sortNames   = set("sort", "sortby", "orderby", "ordering", "order", "sortfield", "sortcolumn", "sortkey")
	orderNames  = set("direction", "order", "sortorder", "sortdir", "sortdirection", "orderdirection", "dir")
	searchNames = set("q", "query", "search", "searchterm", "keyword", "keywords", "term", "searchquery", "text")
)

// list shows the records of the path, as the query asks for them.
func (f *flow) list() string {
	s, g := f.s, f.g
	if !s.Listed && s.answer.has() {
		return "no list is found in the answer"
	}
	if l := f.listOf(s.answer, s.lastWords()); s.content && (!l.ok || !f.fits(f.choice(l.items), g)) {
		return "the list is of something else"
	}
	if s.Action == List {
		f.parent()
	}
	step := f.mapping("list", g.name)
	if c := f.condition(); c != "" {
		f.maker.put(step, "where", f.text(c))
	}
	filter := f.filters()
	if len(filter.Content) > 0 {
		f.maker.put(step, "filter", filter)
	}
	if n := f.sorting(); n != nil {
		f.maker.put(step, "sort", n)
	}
	if n := f.paging(); n != nil {
		f.maker.put(step, "page", n)
		s.paged = true
	}
	f.maker.put(step, "as", f.text("page"))
	f.steps.Content = append(f.steps.Content, step)
	return f.reply("page", s.status)
}

// query is the first query parameter whose name is one of those, and that is
// not one of others.
func (f *flow) query(names map[string]bool, kinds ...string) *param {
	for i := range f.s.params {
		p := &f.s.params[i]
		if p.in == "query" && names[plain(p.name)] && (len(kinds) == 0 || slices.Contains(kinds, kindOf(p.schema))) {
			return p
		}
	}
	return nil
}

// paging says which page is asked for; nil where all is shown.
func (f *flow) paging() *yaml.Node {
	page, size, offset := f.query(pageNames, "integer", "number", ""), f.query(sizeNames, "integer", "number", ""), f.query(offsetNames, "integer", "number", "")
	if cursor := f.query(cursorNames); cursor != nil && page == nil && offset == nil {
		f.s.Reason += "; all records are shown at once: the language has no pages by " + cursor.name
		return nil
	}
	by := func(p *param, otherwise string) string {
		expr := member("query", p.name)
		if otherwise == "" || tree.Get(p.schema.n, "default") != nil {
			return expr
		}
		return "first(" + expr + ", " + otherwise + ")"
	}
	switch {
	case page != nil:
		number := member("query", page.name)
		if tree.Text(page.schema.n, "minimum") == "0" || tree.Text(page.schema.n, "default") == "0" {
			number = "first(" + number + ", 0) + 1"
			f.s.zeroBased = " - 1"
		}
		if size == nil {
			return f.mapping("number", number, "size", "20")
		}
		return f.mapping("number", number, "size", by(size, "20"))
	case offset != nil && size != nil:
		return f.mapping("offset", by(offset, "0"), "limit", by(size, ""))
	case offset != nil:
		return f.mapping("offset", by(offset, "0"), "limit", "20")
	case size != nil:
		return f.mapping("offset", "0", "limit", by(size, ""))
	}
	return nil
}

// used is whether a parameter pages or sorts.
func (f *flow) used(p *param) bool {
	name := plain(p.name)
	return pageNames[name] || sizeNames[name] || offsetNames[name] || cursorNames[name] || sortNames[name] || orderNames[name]
}

// filters are the conditions of the query's parameters that are named like a
// member.
func (f *flow) filters() *yaml.Node {
	m := f.mapping()
	for i := range f.s.params {
		p := &f.s.params[i]
		if p.in != "query" {
			continue
		}
		name := p.name
		if rest, ok := strings.CutPrefix(name, "filter["); ok {
			name = strings.TrimSuffix(rest, "]")
		}
		name = strings.TrimSuffix(name, "[]")
		on := member("query", p.name)
		here := member(f.root("query"), p.name)
		own := f.g.obj.like(name)
		if own == nil && !f.used(p) && strings.HasSuffix(name, "s") {
			if q := f.g.obj.like(singular(name)); q != nil && kindOf(p.schema) == "array" {
				own = q
			}
		}
		if own == nil || f.used(p) && own.name != p.name || pageNames[plain(name)] || sizeNames[plain(name)] {
			if searchNames[plain(name)] && kindOf(p.schema) != "array" && kindOf(p.schema) != "object" {
				if c := f.contains(here); c != "" {
					f.maker.put(m, on, f.text(c))
				}
			}
			continue
		}
		if c := f.equal(own, p, here); c != "" {
			f.maker.put(m, on, f.text(c))
		}
	}
	return m
}

// equal compares a member with what was asked for; "" where they do not
// compare.
func (f *flow) equal(own *prop, p *param, asked string) string {
	mine := member("it", own.name)
	a, b := kindOf(own.schema), kindOf(p.schema)
	scalar := func(k string) bool { return k == "string" || k == "integer" || k == "number" || k == "boolean" }
	switch {
	case scalar(a) && scalar(b) || a == "" && firstIsText(own.schema) && b == "string":
		c := mine + " == " + asked
		if scalar(a) && a != b && !(a != "string" && a != "boolean" && b != "string" && b != "boolean") {
			c = "string(" + mine + ") == string(" + asked + ")"
		}
		var all []string // values that the record cannot have ask for everything
		if own := tree.Get(own.schema.n, "enum"); a == "string" {
			for _, e := range tree.Items(tree.Get(p.schema.n, "enum")) {
				known := slices.ContainsFunc(contentOf(own), func(o *yaml.Node) bool { return tree.Follow(o).Value == e.Value })
				if own != nil && !known || own == nil && (e.Value == "all" || e.Value == "any") {
					all = append(all, quoted(e.Value))
				}
			}
		}
		if len(all) > 0 {
			c = asked + " in [" + strings.Join(all, ", ") + "] || " + c
		}
		return c
	case scalar(a) && b == "array":
		return mine + " in " + asked
	case a == "array":
		items := f.choice(own.schema.below("items"))
		each := "t"
		if o := f.object(items); o != nil {
			for _, n := range []string{"name", "id", "slug"} {
				if o.get(n) != nil {
					each = "t." + n
					break
				}
			}
			if each == "t" {
				return ""
			}
		} else if !scalar(kindOf(items)) {
			return ""
		}
		if b == "array" {
			return mine + ".exists(t, " + each + " in " + asked + ")"
		}
		if scalar(b) {
			return mine + ".exists(t, " + each + " == " + asked + ")"
		}
	}
	return ""
}

// contains looks for a text in the members that people read.
func (f *flow) contains(asked string) string {
	var parts []string
	for _, name := range []string{"name", "title", "subject", "description", "email", "username", "text", "body", "label", "summary"} {
		if p := f.g.obj.get(name); p != nil && kindOf(p.schema) == "string" && len(parts) < 4 {
			parts = append(parts, "fold(string("+member("it", name)+")).contains(fold(string("+asked+")))")
		}
	}
	return strings.Join(parts, " || ")
}

// sorting says which order can be asked for.
func (f *flow) sorting() *yaml.Node {
	by := f.query(sortNames, "string", "")
	if by == nil {
		return nil
	}
	values := tree.Get(by.schema.n, "enum")
	asksOrder := slices.ContainsFunc(contentOf(values), func(n *yaml.Node) bool { return strings.EqualFold(tree.Follow(n).Value, "asc") })
	if asksOrder {
		return nil
	}
	var among []string
	add := func(name string) {
		if p := f.g.obj.get(strings.TrimPrefix(name, "-")); p != nil && !slices.Contains(among, name) && kindOf(p.schema) != "object" && kindOf(p.schema) != "array" {
			among = append(among, name)
		}
	}
	for _, c := range tree.Items(values) {
		add(c.Value)
	}
	if values == nil {
		for i := range f.g.obj.props {
			if len(among) < 40 {
				add(f.g.obj.props[i].name)
				add("-" + f.g.obj.props[i].name)
			}
		}
	}
	if len(among) == 0 {
		return nil
	}
	n := f.mapping("by", member("query", by.name), "among", f.texts(among...))
	if order := f.query(orderNames, "string", ""); order != nil && order != by {
		f.maker.put(n, "descending", f.text("lower(string("+member("query", order.name)+")).startsWith(\"desc\")"))
	}
	return n
}
