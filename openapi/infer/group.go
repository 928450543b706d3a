package infer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// group is a resource: all operations that are about it.
type group struct {
	name   string
	words  []string // what the paths call it
	rec    spot     // the schema of one record
	obj    *object
	single bool
	ops    []*source

	id     string // the member that identifies, in the record
	idProp spot
	keyed  bool     // a hidden member identifies: the id alone does not
	hidden []string // members that are kept and not sent
	given  bool     // x-resources has it already
	kept   bool     // a step uses it
}

// keyMember is the hidden member of keyed groups.
const keyMember = "inferred_key"

func (g *group) hide(name string) string {
	if !slices.Contains(g.hidden, name) {
		g.hidden = append(g.hidden, name)
	}
	return name
}

// rankRecord is how much the answer of an action says of the record.
func rankRecord(a Action) int {
	switch a {
	case Read, SingletonRead:
		return 5
	case Create:
		return 4
	case Update, Replace, SingletonUpdate:
		return 3
	case List:
		return 2
	case Search:
		return 1
	}
	return 0
}

// recordOf is the schema of the record that an operation answers with, if it
// does.
func (s *source) recordOf() spot {
	hint := words(s.Resource)
	var rec spot
	if s.Action == List || s.Action == Search {
		rec = s.choice(s.listOf(s.answer, s.lastWords()).items)
	} else if rankRecord(s.Action) > 0 {
		_, rec = s.record(s.answer, hint)
	}
	if o := s.object(rec); o == nil || o.bare || kindOf(rec) == "array" {
		return spot{}
	}
	return rec
}

// groups are the resources of a document.
func groups(list []*source) []*group {
	type votes struct {
		*group
		rank int
	}
	byKey := map[string]*votes{}
	var order []*votes
	for _, s := range list {
		if s.Resource == "" || s.Action == Stateless {
			continue
		}
		single := s.Action == SingletonRead || s.Action == SingletonUpdate || s.Action == Delete && s.IDParam == ""
		key := "name:" + s.Resource
		if s.at >= 0 && !single {
			key = s.path.keyTo(s.at + 1)
		} else if single {
			key = "single:" + s.path.key
		}
		v := byKey[key]
		if v == nil {
			v = &votes{group: &group{name: s.Resource, words: words(s.Resource), single: single}}
			byKey[key] = v
			order = append(order, v)
		}
		v.ops = append(v.ops, s)
		if r := rankRecord(s.Action); r > v.rank {
			if rec := s.recordOf(); rec.has() {
				v.rec, v.rank = rec, r
			}
		}
	}
	var out []*group
	names := map[string][]*group{}
	for _, v := range order {
		g := v.group
		i := slices.IndexFunc(names[g.name], func(o *group) bool {
			return !o.single && !g.single && (o.rec.n == g.rec.n || !g.rec.has() || !o.rec.has() || o.rec.name() != "" && akin(o.rec, g.rec))
		})
		if i >= 0 {
			o := names[g.name][i]
			o.ops = append(o.ops, g.ops...)
			if !o.rec.has() {
				o.rec = g.rec
			}
			continue
		}
		names[v.name] = append(names[v.name], g)
		out = append(out, g)
	}
	taken := map[string]bool{}
	named := slices.Clone(out)
	slices.SortStableFunc(named, func(a, b *group) int { // what is alone takes what name is left
		switch {
		case a.single == b.single:
			return 0
		case a.single:
			return 1
		}
		return -1
	})
	for _, g := range named {
		name := expressible(g.name)
		if taken[plain(name)] && len(g.ops[0].Parents) > 0 {
			name = g.ops[0].Parents[len(g.ops[0].Parents)-1].Resource + name
		}
		for base, n := name, 2; taken[plain(name)]; n++ {
			name = base + strconv.Itoa(n)
		}
		taken[plain(name)] = true
		g.name = name
		for _, s := range g.ops {
			s.group = g
		}
	}
	return out
}

// expressible makes a name that expressions can use.
func expressible(name string) string {
	if plainName(name) {
		return name
	}
	name = pascal(words(identifierCased(name)))
	if !plainName(name) {
		name = "R" + name
	}
	return name
}

func identifierCased(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, s)
}

// akin is whether two schemas are versions of one, by their names: simple-user
// and user.
func akin(a, b spot) bool {
	x, y := essence(a.name()), essence(b.name())
	return len(x) > 0 && slices.Equal(x, y)
}

// versions are words that make no other thing of a thing.
var versions = set("simple", "full", "minimal", "short", "summary", "detail", "details", "detailed", "base", "basic", "nullable", "partial", "item", "private", "public", "extended", "compact", "brief",
	"response", "request", "dto", "model", "entity", "resource", "object", "simplified", "out", "read", "with", "info", "lite", "mini", "schema", "view", "expanded", "patched")

func essence(name string) []string {
	return slices.DeleteFunc(words(name), func(w string) bool { return versions[w] })
}

// identify finds what identifies a record: the member that the path parameter
// means, and whether that is enough.
func (w *writer) identify(g *group) {
	g.obj = w.object(g.rec)
	if g.obj == nil || g.given {
		return
	}
	if w.usable != nil && !w.usable(g.rec.n) {
		g.obj = nil
		return
	}
	var by *source
	for _, s := range g.ops {
		if s.IDParam != "" && (by == nil || rankRecord(s.Action) > rankRecord(by.Action)) {
			by = s
		}
	}
	if g.single {
		g.keyed = true
		g.hide(keyMember)
		return
	}
	var names []string
	if by != nil {
		param := by.IDParam
		names = append(names, param)
		ws, own := words(param), words(g.name)
		if len(ws) == 0 {
			ws = []string{"id"}
		}
		if len(ws) > 1 && len(own) > 0 && ws[0] == own[len(own)-1] { // petId, pet_name
			names = append(names, strings.Join(ws[1:], "_"))
		}
		if rest, ok := strings.CutPrefix(plain(param), plain(g.name)); ok { // paymentMethodId
			names = append(names, rest)
		}
		names = append(names, "id", "uuid", "guid", "sid", "_id", "key", g.name+"_id", g.name+"Id", "slug", "code", ws[len(ws)-1], "name")
	} else {
		names = []string{"id", "uuid", "guid", "sid", "_id", g.name + "_id", "key"}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		p := g.obj.like(name)
		if p == nil || kindOf(p.schema) == "object" || kindOf(p.schema) == "array" || kindOf(p.schema) == "boolean" || firstConst(p.schema) != nil {
			continue
		}
		g.id, g.idProp = p.name, p.schema
		break
	}
	scoped := false
	for _, s := range g.ops {
		scoped = scoped || s.idAt >= 0 && len(s.scope()) > 0
	}
	last := words(g.id)
	own := len(last) > 0 && (last[len(last)-1] == "id" || last[len(last)-1] == "uuid" || last[len(last)-1] == "guid" || last[len(last)-1] == "sid")
	if g.id == "" || scoped && !own {
		g.keyed = true
		g.hide(keyMember)
	}
}

// within is one parameter that the path has before the record.
type within struct {
	param string
	base  string // what a member with its value may be called
	owner string // the resource that it chooses
}

// scope are the parameters of the path before that of the record; of a path
// without one: all.
func (s *source) scope() []within {
	var out []within
	for i, g := range s.path.segs {
		if g.param == "" || i == s.idAt || s.idAt >= 0 && i > s.idAt {
			continue
		}
		e := within{param: g.param, base: strings.Join(trimID(words(g.param)), "_")}
		run := i+1 < len(s.path.segs) && s.path.segs[i+1].param != "" || i > 0 && s.path.segs[i-1].param != ""
		if i > 0 && !run && s.path.segs[i-1].param == "" && !prefix(s.path.segs[i-1].lit) {
			e.owner = resourceName(s.path.segs[i-1].words)
			e.base = strings.Join(words(e.owner), "_")
		}
		out = append(out, e)
	}
	return out
}

// memberFor is the member of the group's records that holds what a parameter
// says: one of the schema, else a hidden one.
func (w *writer) memberFor(g *group, e within) (name string, schema spot) {
	for _, n := range []string{e.param, e.base, e.base + "_id", e.base + "Id", e.base + "_sid", e.base + "_uuid"} {
		if n == "id" || n == "name" || n == g.id {
			continue
		}
		if p := g.obj.like(n); p != nil && p.name != g.id {
			if k := kindOf(p.schema); k == "string" || k == "integer" || k == "number" || k == "" && firstIsText(p.schema) {
				return p.name, p.schema
			}
		}
	}
	return g.hide("in_" + identifier(e.base)), spot{}
}

// firstIsText is whether one of the alternatives is a text: an id or, expanded,
// the record itself.
func firstIsText(s spot) bool {
	for _, key := range []string{"anyOf", "oneOf"} {
		for _, c := range tree.Items(tree.Get(s.n, key)) {
			if tree.Text(c, "type") == "string" {
				return true
			}
		}
	}
	return false
}

// identifier makes a name that expressions can use bare.
func identifier(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

var (
	prefixed  = regexp.MustCompile(`^([A-Za-z]{1,12}[_-])([A-Za-z0-9]{4,})$`)
	letters   = regexp.MustCompile(`^([A-Z]{1,3})([A-Z0-9]{6,})$`)
	uuidLike  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	hexLike   = regexp.MustCompile(`^[0-9a-f]{8,}$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
	simplePat = regexp.MustCompile(`^\^?([A-Za-z0-9_-]|\[[A-Za-z0-9_-]+\]|\{[0-9]{1,2}(,[0-9]{1,2})?\}|\([A-Za-z0-9|]+\)|\\d|\+)+\$?$`)
)

// fresh is the expression that chooses an id of the group's kind.
func (w *writer) fresh(g *group) string {
	s := g.idProp
	if k := kindOf(s); k == "integer" || k == "number" {
		low, high := "1", "2147483647"
		if n := tree.Text(s.n, "minimum"); digits.MatchString(n) && len(n) < 10 {
			low = n
		}
		if n := tree.Text(s.n, "maximum"); digits.MatchString(n) && len(n) < 16 {
			high = n
		}
		return "between(" + low + ", " + high + ")"
	}
	if tree.Text(s.n, "format") == "uuid" {
		return "uuid()"
	}
	if p := tree.Text(s.n, "pattern"); p != "" && simplePat.MatchString(p) && compiles(p) {
		return "pattern(" + quoted(strings.TrimSuffix(strings.TrimPrefix(p, "^"), "$")) + ")"
	}
	most := 0
	if n := tree.Text(s.n, "maxLength"); digits.MatchString(n) && len(n) < 4 {
		most, _ = strconv.Atoi(n)
	}
	example := w.exampleID(g)
	if m := prefixed.FindStringSubmatch(example); m != nil {
		return "pattern(" + quoted(m[1]+"[A-Za-z0-9]{"+itoa(tail(len(m[2]), most-len(m[1])))+"}") + ")"
	}
	if m := letters.FindStringSubmatch(example); m != nil {
		return "pattern(" + quoted(m[1]+"[A-Z0-9]{"+itoa(tail(len(m[2]), most-len(m[1])))+"}") + ")"
	}
	switch {
	case uuidLike.MatchString(example):
		return "uuid()"
	case digits.MatchString(example):
		return "pattern(" + quoted("[1-9][0-9]{"+itoa(min(max(len(example)-1, 5), 18))+"}") + ")"
	case hexLike.MatchString(example):
		return "pattern(" + quoted("[0-9a-f]{"+itoa(min(len(example), 64))+"}") + ")"
	case len(example) > 8 && plainName("a"+example):
		return "pattern(" + quoted("[A-Za-z0-9]{"+itoa(min(len(example), 64))+"}") + ")"
	case most > 0 && most < 36:
		return "pattern(" + quoted("[a-z0-9]{"+itoa(most)+"}") + ")"
	}
	return "uuid()"
}

func compiles(pattern string) bool {
	_, err := regexp.Compile(pattern)
	return err == nil
}

// tail is how many characters follow a prefix: as many as in the example, but
// enough to be told apart, and at most so many where there is a bound.
func tail(example, most int) int {
	n := min(max(example, 8), 40)
	if most > 0 {
		n = min(n, most)
	}
	return n
}

// exampleID is an id as the document shows it, "" if it shows none.
func (w *writer) exampleID(g *group) string {
	at := func(n *yaml.Node) string {
		if n != nil && n.Kind == yaml.ScalarNode && len(n.Value) <= 100 {
			return n.Value
		}
		return ""
	}
	first := func(n *yaml.Node) *yaml.Node {
		if n != nil && n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
			return tree.Follow(n.Content[0])
		}
		return n
	}
	list := []string{at(tree.Get(g.idProp.n, "example")), at(first(tree.Get(g.idProp.n, "examples"))), at(tree.Get(tree.Get(g.rec.n, "example"), g.id))}
	for _, s := range g.ops {
		if s.Action == Read || s.Action == Create {
			path, _ := w.record(s.answer, g.words)
			n := tree.Get(s.media.n, "example")
			if n == nil {
				for k := range tree.Pairs(tree.Get(s.media.n, "examples")) {
					ex := w.deref(s.media.below("examples", k.Value))
					n = tree.Get(ex.n, "value")
					break
				}
			}
			for _, p := range path {
				n = tree.Get(n, p)
			}
			list = append(list, at(tree.Get(n, g.id)))
		}
		if p := s.param("path", s.IDParam); p != nil && s.IDParam != "" {
			list = append(list, at(tree.Get(p.node, "example")), at(tree.Get(p.schema.n, "example")))
		}
	}
	for _, e := range list {
		if e != "" {
			return e
		}
	}
	return ""
}
