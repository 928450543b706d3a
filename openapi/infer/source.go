package infer

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

func itoa(i int) string { return strconv.Itoa(i) }

// source is one operation as the document has it.
type source struct {
	*look
	Operation
	key, node *yaml.Node // of the method
	path      parsed
	verb      []string // the words of the operationId
	summary   string
	params    []param
	body      spot // of the request
	hasBody   bool
	jsonBody  bool
	status    int  // of success, 0 for none that is documented
	answer    spot // its schema
	content   bool // there is a body
	json      bool // and it is JSON
	media     spot
	responses spot
	group     *group
	at        int    // the segment that names the collection, -1 if none does
	idAt      int    // the segment of the record's parameter, -1 if it has none
	paged     bool   // the list has pages
	zeroBased string // what the number of a page is less than ours
}

type param struct {
	name, in string
	schema   spot
	required bool
	node     *yaml.Node
}

func (s *source) param(in, name string) *param {
	for i := range s.params {
		if p := &s.params[i]; p.in == in && p.name == name {
			return p
		}
	}
	return nil
}

var methods = []string{"get", "put", "post", "delete", "patch", "head", "options", "trace"}

// sources reads all operations of a document.
func sources(f *tree.File) []*source {
	l := newLook(f)
	var out []*source
	seen := map[*yaml.Node]bool{}
	paths := spot{tree.Get(f.Root, "paths"), "#/paths"}
	for k, n := range tree.Pairs(paths.n) {
		if !strings.HasPrefix(k.Value, "/") {
			continue
		}
		item := l.deref(spot{n, paths.ref + "/" + escape(k.Value)})
		p := parsePath(k.Value)
		for m, c := range tree.Pairs(item.n) {
			if !slices.Contains(methods, m.Value) || c.Kind != yaml.MappingNode || seen[c] {
				continue
			}
			seen[c] = true
			s := &source{look: l, key: m, node: c, path: p, at: -1, idAt: -1}
			s.Method, s.Path, s.ID = strings.ToUpper(m.Value), k.Value, tree.Text(c, "operationId")
			s.verb = words(s.ID)
			s.summary = strings.ToLower(tree.Text(c, "summary"))
			s.read(item, spot{c, item.ref + "/" + m.Value})
			out = append(out, s)
		}
	}
	return out
}

func (s *source) read(item, op spot) {
	for _, at := range []spot{op.below("parameters"), item.below("parameters")} {
		for i, c := range tree.Items(at.n) {
			p := s.deref(spot{c, at.ref + "/" + itoa(i)})
			q := param{name: tree.Text(p.n, "name"), in: tree.Text(p.n, "in"), required: tree.Text(p.n, "required") == "true", node: p.n}
			q.schema = s.deref(p.below("schema"))
			if q.name != "" && s.param(q.in, q.name) == nil {
				s.params = append(s.params, q)
			}
		}
	}
	if body := s.deref(op.below("requestBody")); body.has() {
		s.hasBody = true
		m, _ := mediaOf(body.below("content"), true)
		s.body = s.deref(m.below("schema"))
		s.jsonBody = s.body.has()
	}
	s.responses = op.below("responses")
	var best spot
	for k, c := range tree.Pairs(s.responses.n) {
		n, err := strconv.Atoi(strings.ReplaceAll(strings.ToUpper(k.Value), "XX", "00"))
		if err != nil || n < 200 || n > 299 {
			continue
		}
		if better := s.status == 0 || rank(n) < rank(s.status); better {
			s.status, best = n, spot{c, s.responses.ref + "/" + escape(k.Value)}
		}
	}
	if s.status == 0 {
		if d := s.responses.below("default"); d.has() {
			best = d
		}
	}
	best = s.deref(best)
	content := best.below("content")
	s.content = content.has() && len(content.n.Content) > 0
	if s.content {
		s.media, s.json = mediaOf(content, false)
		if s.json {
			s.answer = s.deref(s.media.below("schema"))
		}
	}
}

// rank orders statuses of success: of several the one with the most to say
// decides.
func rank(n int) int {
	switch n {
	case 201:
		return 0
	case 200:
		return 1
	case 202:
		return 2
	case 204:
		return 9
	}
	return n - 190
}

// mediaOf is the media type that is looked at: JSON, else of a request a form.
func mediaOf(content spot, form bool) (m spot, json bool) {
	for k := range tree.Pairs(content.n) {
		if isJSON(k.Value) {
			return content.below(k.Value), true
		}
	}
	if form {
		for k := range tree.Pairs(content.n) {
			if strings.Contains(k.Value, "form") {
				return content.below(k.Value), false
			}
		}
		for k := range tree.Pairs(content.n) {
			return content.below(k.Value), false
		}
	}
	return spot{}, false
}

func isJSON(media string) bool {
	media, _, _ = strings.Cut(strings.ToLower(media), ";")
	media = strings.TrimSpace(media)
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// idVerb is what the operationId says is done; "" if nothing plain. Verbs that
// only repeat the method do not count.
func (s *source) idVerb() Action {
	if len(s.verb) == 0 {
		return ""
	}
	for _, w := range []string{s.verb[0], s.verb[len(s.verb)-1]} {
		if w == strings.ToLower(s.Method) && w != "delete" && w != "get" {
			continue
		}
		if a, ok := crud[w]; ok {
			if a == Read && slices.Contains(s.verb[1:], "all") || a == Search && w != "search" && s.Method == "GET" {
				return ""
			}
			return a
		}
	}
	for _, w := range s.verb {
		if a, ok := crud[w]; ok && strong[w] && w != strings.ToLower(s.Method) {
			return a
		}
	}
	return ""
}
