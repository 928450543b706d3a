package infer

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// flow is the steps of one operation on their way.
type flow struct {
	*writer
	s     *source
	g     *group
	steps *yaml.Node
	roots map[string]string // what query, path and body are called inside of records
}

// step adds one. What it refuses and answers is assumed: the document only shows
// what answers there are.
func (f *flow) step(pairs ...any) {
	n := f.mapping(pairs...)
	switch pairs[0] {
	case "find":
		rule := "not_found"
		if tree.Text(n, "as") == "owner" {
			rule = "owner_not_found"
		}
		f.maker.put(n, "rule", f.text(rule))
		f.maker.put(n, "basis", f.text("assumed"))
	case "refuse":
		f.maker.put(n, "rule", f.text("id_taken"))
		f.maker.put(n, "basis", f.text("assumed"))
	}
	f.steps.Content = append(f.steps.Content, n)
}

// root is what a part of the request is called where members of a record are
// called by their names: a member that has the same name would hide it.
func (f *flow) root(name string) string {
	if f.g.obj == nil || f.g.obj.get(name) == nil {
		return name
	}
	if f.roots[name] == "" {
		as := "asked_" + name
		for f.g.obj.get(as) != nil {
			as += "_"
		}
		f.roots[name] = as
		f.steps.Content = append([]*yaml.Node{f.mapping("let", as, "be", name)}, f.steps.Content...)
	}
	return f.roots[name]
}

// behave makes the steps of an operation; nil, and why, where there is nothing
// to say that would be better than an example.
func (w *writer) behave(s *source) (steps *yaml.Node, why string) {
	g := s.group
	switch {
	case s.Action == Stateless || g == nil:
		return nil, ""
	case g.obj == nil || !g.rec.has() || g.rec.ref == "":
		return nil, "no answer shows what a " + g.name + " looks like"
	case s.content && !s.json:
		return nil, "it does not answer with JSON"
	case s.status == 0 && !s.documented(200).has():
		return nil, "no success is documented"
	case kindOf(s.body) == "array" && (s.Action == Create || s.Action == Update || s.Action == Replace || s.Action == SingletonUpdate):
		return nil, "it takes a list"
	case g.given && g.keyed:
		return nil, "its resource is declared by hand"
	}
	if s.status == 0 {
		s.status = 200
	}
	f := &flow{writer: w, s: s, g: g, steps: w.maker.list(), roots: map[string]string{}}
	switch {
	case g.single:
		why = f.singleton()
	case s.Action == List || s.Action == Search:
		why = f.list()
	case s.Action == Create:
		why = f.create()
	case s.Action == Read:
		if why = f.find(); why == "" {
			why = f.reply("record", s.status)
		}
	case s.Action == Update || s.Action == Replace:
		why = f.update()
	case s.Action == Delete:
		if why = f.find(); why == "" {
			f.step("delete", "record")
			why = f.reply("gone", s.status)
		}
	case s.Action == DeleteMany:
		why = f.clear()
	case s.Action.Verb() != "":
		why = f.act()
	default:
		why = "which record is meant is not said"
	}
	if why != "" {
		return nil, why
	}
	return f.steps, ""
}

// asked is the expression of the parameter that chooses the record.
func (f *flow) asked() string {
	if f.s.IDParam == "" {
		return ""
	}
	return member(f.s.IDIn, f.s.IDParam)
}

// key is the expression of a record's key from the parameters of the path and
// what tells it apart there.
func (f *flow) key(last string) string {
	var parts []string
	for _, e := range f.s.scope() {
		parts = append(parts, "string("+member("path", e.param)+")")
	}
	if last != "" {
		parts = append(parts, "string("+last+")")
	}
	if len(parts) == 0 {
		return `"only"`
	}
	return strings.Join(parts, ` + "/" + `)
}

// condition is what the path says of the records, "" if nothing.
func (f *flow) condition() string {
	var parts []string
	for _, e := range f.s.scope() {
		parts = append(parts, f.same(e))
	}
	return strings.Join(parts, " && ")
}

func (f *flow) same(e within) string {
	m, schema := f.memberFor(f.g, e)
	left, right := member("it", m), member(f.root("path"), e.param)
	if p := f.s.param("path", e.param); p != nil && schema.has() && kindOf(schema) != kindOf(p.schema) {
		return "string(" + left + ") == string(" + right + ")"
	}
	return left + " == " + right
}

// find binds the record that is asked for.
func (f *flow) find() string {
	id := f.asked()
	if id == "" {
		return "nothing in the request says which record is meant"
	}
	if f.s.IDIn == "body" && f.object(f.s.body) == nil {
		return "nothing in the request says which record is meant"
	}
	if f.g.keyed {
		if f.s.IDIn != "path" && f.scoped() {
			return "the id alone does not choose a record"
		}
		id = f.key(id)
	} else if f.s.IDIn == "path" && f.condition() != "" {
		f.step("find", f.g.name, "id", id, "where", f.condition(), "as", "record", "else", f.refusal(f.s, 404))
		return ""
	}
	f.step("find", f.g.name, "id", id, "as", "record", "else", f.refusal(f.s, 404))
	return ""
}

// scoped is whether the group's records are told apart by more than one
// parameter.
func (f *flow) scoped() bool {
	return slices.ContainsFunc(f.g.ops, func(s *source) bool { return s.idAt >= 0 && len(s.scope()) > 0 })
}

// parent refuses where the record that the path goes through is not there. It
// is asked only where one can be created at that path: else nobody could make
// one.
func (f *flow) parent() {
	segs := f.s.path.segs
	for i := len(segs) - 1; i > 0; i-- {
		if segs[i].param == "" || i == f.s.idAt {
			continue
		}
		key := f.s.path.keyTo(i + 1)
		for _, g := range f.groups {
			var by *source
			made := false
			for _, s := range g.ops {
				if s.path.key == key && s.Action == Read {
					by = s
				}
				made = made || s.Action == Create && (s.path.key == key || s.path.key+"/{}" == key)
			}
			if by == nil || !made || g == f.g || g.obj == nil || g.given || by.idAt != i {
				continue
			}
			up := *f.s
			up.idAt, up.IDParam, up.IDIn = i, segs[i].param, "path"
			in := &flow{writer: f.writer, s: &up, g: g, steps: f.maker.list(), roots: map[string]string{}}
			id := member("path", segs[i].param)
			if g.keyed {
				id = in.key(id)
			}
			f.step("find", g.name, "id", id, "as", "owner", "else", f.refusal(f.s, 404))
			g.kept = true
			return
		}
		return
	}
}

// create keeps a new record.
func (f *flow) create() string {
	s, g := f.s, f.g
	if s.idAt >= 0 {
		return f.put()
	}
	if g.given {
		from, _ := f.bodyOf(s, g)
		if from == "" {
			return "it takes no body"
		}
		f.step("create", g.name, "from", from, "as", "record")
		return f.reply("record", s.status)
	}
	f.parent()
	from, o := f.bodyOf(s, g)
	set := f.mapping()
	inBody := ""
	if g.id != "" && o != nil {
		if p := o.get(g.id); p != nil && tree.Text(p.schema.n, "readOnly") != "true" && !strings.HasPrefix(from, "merge(") {
			inBody = member(from, g.id)
		}
	}
	switch {
	case g.keyed && g.id == "" && o != nil && o.get("metadata") != nil && s.object(o.get("metadata").schema) != nil && s.object(o.get("metadata").schema).get("name") != nil && from == "body":
		f.step("let", "chosen", "be", `first(body.metadata.name, uuid())`)
		f.setTo(set, keyMember, f.key("chosen"))
	case g.keyed:
		chosen := f.fresh(g)
		if inBody != "" {
			chosen = "first(" + inBody + ", " + chosen + ")"
		}
		f.step("let", "chosen", "be", chosen)
		if g.id != "" {
			f.setTo(set, g.id, "chosen")
		}
		f.setTo(set, keyMember, f.key("chosen"))
	case inBody != "":
		f.step("refuse", f.refusal(s, 409), "when", inBody+" != null && "+g.name+".exists(x, "+member("x", g.id)+" == "+inBody+")")
	}
	if g.keyed {
		f.step("refuse", f.refusal(s, 409), "when", g.name+".exists(x, x."+keyMember+" == "+f.key("chosen")+")")
	}
	f.scopeInto(set)
	step := f.mapping("create", g.name)
	if from != "" {
		f.maker.put(step, "from", f.text(from))
	}
	if len(set.Content) > 0 {
		f.maker.put(step, "set", set)
	}
	f.maker.put(step, "as", f.text("record"))
	f.steps.Content = append(f.steps.Content, step)
	return f.reply("record", s.status)
}

// setTo sets a member to an expression. Its name is written as a JSON Pointer,
// for dots.
func (f *flow) setTo(set *yaml.Node, name, expr string) {
	if strings.ContainsAny(name, "./~") {
		name = "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	f.maker.put(set, name, f.text("${"+expr+"}"))
}

// scopeInto sets what the path says of a new record.
func (f *flow) scopeInto(set *yaml.Node) {
	for _, e := range f.s.scope() {
		m, schema := f.memberFor(f.g, e)
		expr := member("path", e.param)
		if p := f.s.param("path", e.param); p != nil && schema.has() && kindOf(schema) == "string" && kindOf(p.schema) != "string" {
			expr = "string(" + expr + ")"
		} else if p != nil && schema.has() && kindOf(schema) == "integer" && kindOf(p.schema) == "string" {
			expr = "int(" + expr + ")"
		}
		f.setTo(set, m, expr)
	}
}

// put creates the record of the path, or changes the one that is there.
func (f *flow) put() string {
	s, g := f.s, f.g
	if g.given {
		return "its resource is declared by hand"
	}
	f.parent()
	key, id := g.id, f.asked()
	if g.keyed {
		key, id = keyMember, f.key(f.asked())
	}
	from, _ := f.bodyOf(s, g)
	f.step("let", "there", "be", g.name+".exists(x, "+member("x", key)+" == "+id+")")
	set := f.mapping()
	if g.id != "" {
		f.setTo(set, g.id, f.asked())
	}
	if g.keyed {
		f.setTo(set, keyMember, id)
	}
	f.scopeInto(set)
	fresh := f.mapping("create", g.name)
	if from != "" {
		f.maker.put(fresh, "from", f.text(from))
	}
	f.maker.put(fresh, "set", set)
	f.maker.put(fresh, "as", f.text("record"))
	f.maker.put(fresh, "when", f.text("!there"))
	f.steps.Content = append(f.steps.Content, fresh)
	if s.responses.below("201").has() && (s.responses.below("200").has() || s.responses.below("204").has()) {
		before := *s
		s.status = 201
		s.load(201)
		if why := f.reply("record", 201); why != "" {
			return why
		}
		last := f.steps.Content[len(f.steps.Content)-1]
		f.maker.put(last, "when", f.text("!there"))
		*s = before
		s.status = 200
		if !s.responses.below("200").has() {
			s.status = 204
		}
		s.load(s.status)
	}
	f.step("find", g.name, "id", id, "as", "record", "else", f.refusal(s, 404))
	if from != "" {
		f.change(from, s.Action == Replace, nil)
	}
	return f.reply("record", s.status)
}

// load looks at the answer of another status.
func (s *source) load(status int) {
	r := s.deref(s.responses.below(itoa(status)))
	content := r.below("content")
	s.content = content.has() && len(content.n.Content) > 0
	s.answer, s.media = spot{}, spot{}
	if s.content {
		if s.media, s.json = mediaOf(content, false); s.json {
			s.answer = s.deref(s.media.below("schema"))
		}
	}
}

func (f *flow) update() string {
	s, g := f.s, f.g
	if s.IDParam == "" {
		return "nothing in the request says which record is meant"
	}
	if s.Action == Replace && s.idAt >= 0 && s.responses.below("201").has() {
		return f.put()
	}
	if why := f.find(); why != "" {
		return why
	}
	from, _ := f.bodyOf(s, g)
	f.change(from, s.Action == Replace, nil)
	return f.reply("record", s.status)
}

// change updates the record; what identifies it stays.
func (f *flow) change(from string, replace bool, set *yaml.Node) {
	step := f.mapping("update", "record")
	if set == nil {
		set = f.mapping()
	}
	if from != "" {
		f.maker.put(step, "with", f.text(from))
		if replace {
			f.maker.put(step, "mode", f.text("replace"))
		}
		for _, name := range []string{f.g.id, f.keyed()} {
			if name != "" {
				f.setTo(set, name, member("record", name))
			}
		}
	}
	if len(set.Content) > 0 {
		f.maker.put(step, "set", set)
	}
	f.steps.Content = append(f.steps.Content, step)
}

func (f *flow) keyed() string {
	if f.g.keyed && !f.g.given {
		return keyMember
	}
	return ""
}

func (f *flow) clear() string {
	for i := range f.s.params {
		if p := &f.s.params[i]; p.in == "query" && p.required {
			return "what it deletes hangs on " + p.name
		}
	}
	if f.s.hasBody && f.object(f.s.body) != nil {
		return "what it deletes hangs on the body"
	}
	if c := f.condition(); c != "" {
		f.step("clear", f.g.name, "where", c)
	} else {
		f.step("clear", f.g.name)
	}
	return f.reply("cleared", f.s.status)
}

// act does what a verb says: it sets the state, the flag or the time that the
// verb is about.
func (f *flow) act() string {
	s, g := f.s, f.g
	if s.IDParam == "" {
		return "the verb is of a collection"
	}
	if why := f.find(); why != "" {
		return why
	}
	ws := words(s.Action.Verb())
	set := f.mapping()
	if len(ws) > 0 {
		f.effects(ws[0], set)
	}
	from, o := f.bodyOf(s, g)
	if o == nil || from != "body" || !slices.ContainsFunc(o.props, func(p prop) bool { return g.obj.get(p.name) != nil }) {
		from = ""
	}
	if from != "" || len(set.Content) > 0 {
		f.change(from, false, set)
	} else {
		s.Reason += "; nothing that it changes is seen in the record"
	}
	return f.reply("record", s.status)
}

// effects sets members as a verb says.
func (f *flow) effects(verb string, set *yaml.Node) {
	wanted := participles(verb)
	undone := participles(opposite(verb))
	for i := range f.g.obj.props {
		p := &f.g.obj.props[i]
		name := plain(p.name)
		is := func(list []string, affix string) bool {
			return slices.ContainsFunc(list, func(w string) bool { w = plain(w); return name == w+affix || affix == "" && name == "is"+w })
		}
		switch k := kindOf(p.schema); {
		case k == "string" && tree.Get(p.schema.n, "enum") != nil && stateful[name]:
			if v := pick(p.schema, wanted); v != nil {
				f.maker.put(set, p.name, f.literal(v))
			}
		case k == "boolean" && is(wanted, ""):
			f.maker.put(set, p.name, f.scalar("!!bool", "true"))
		case k == "boolean" && opposite(verb) != "" && is(undone, ""):
			f.maker.put(set, p.name, f.scalar("!!bool", "false"))
		case (is(wanted, "at") || is(wanted, "on")) && k == "string" && tree.Text(p.schema.n, "format") == "date-time":
			f.maker.put(set, p.name, f.text("${now()}"))
		case is(wanted, "at") && k == "integer":
			f.maker.put(set, p.name, f.text("${int(timestamp(now()) / 1000000)}"))
		}
	}
}

// pick is the value of an enum that is one of the words.
func pick(s spot, wanted []string) *yaml.Node {
	for _, w := range wanted {
		for _, c := range tree.Items(tree.Get(s.n, "enum")) {
			if plain(c.Value) == plain(w) {
				return c
			}
		}
	}
	return nil
}

// singleton reads, changes or drops the only record there is.
func (f *flow) singleton() string {
	s, g := f.s, f.g
	for _, o := range f.groups {
		if o != g && !o.single && o.rec.n == g.rec.n {
			return "which " + o.name + " is meant is not said"
		}
	}
	key := f.key("")
	if s.Action == SingletonUpdate {
		from, _ := f.bodyOf(s, g)
		f.step("let", "there", "be", g.name+".exists(x, x."+keyMember+" == "+key+")")
		fresh := f.mapping("create", g.name)
		if from != "" {
			f.maker.put(fresh, "from", f.text(from))
		}
		set := f.mapping()
		f.setTo(set, keyMember, key)
		f.maker.put(fresh, "set", set)
		f.maker.put(fresh, "when", f.text("!there"))
		f.steps.Content = append(f.steps.Content, fresh)
		f.step("find", g.name, "id", key, "as", "record", "else", f.refusal(s, 404))
		if from != "" {
			f.change(from, s.Method == "PUT", nil)
		}
		return f.reply("record", s.status)
	}
	f.step("find", g.name, "id", key, "as", "record", "else", f.refusal(s, 404))
	if s.Action == Delete {
		f.step("delete", "record")
		return f.reply("gone", s.status)
	}
	return f.reply("record", s.status)
}

// reply ends the steps. For kind see [writer.body].
func (f *flow) reply(kind string, status int) string {
	step := f.mapping("reply", status, "basis", "assumed")
	if f.s.content && !f.s.json {
		return "it does not answer with JSON"
	}
	if f.s.content {
		if kind == "page" {
			body := f.body(f.s, f.g, kind)
			if body == nil {
				return "no list is found in the answer"
			}
			f.maker.put(step, "body", body)
		} else if body := f.body(f.s, f.g, kind); body != nil {
			f.maker.put(step, "body", body)
		}
	}
	if status == 201 && kind == "record" {
		if h := f.location(); h != "" {
			f.maker.put(step, "headers", f.mapping("Location", h))
		}
	}
	f.steps.Content = append(f.steps.Content, step)
	return ""
}

// location is where the new record is, "" where no path leads to it.
func (f *flow) location() string {
	if f.g.id == "" || f.s.idAt >= 0 {
		return ""
	}
	for _, s := range f.g.ops {
		if s.Action == Read && s.path.key == f.s.path.key+"/{}" && s.path.verb == "" {
			rest, ok := strings.CutPrefix(s.Path, f.s.Path)
			if !ok || !strings.HasSuffix(strings.TrimSuffix(rest, "/"), "{"+s.IDParam+"}") {
				continue
			}
			rest = strings.Replace(rest, "{"+s.IDParam+"}", "${"+member("record", f.g.id)+"}", 1)
			return `${split(request.url, "?")[0]}` + rest
		}
	}
	return ""
}
