package infer

import (
	"bytes"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// writer makes the extensions for one document.
type writer struct {
	*look
	maker
	file      *tree.File
	usable    func(schema *yaml.Node) bool
	groups    []*group
	resources *yaml.Node // what is added to x-resources …
	failures  *yaml.Node // … to x-failures …
	problems  *yaml.Node // … and the answers that no operation documents
	owned     map[int]bool
	steps     map[*source]*yaml.Node
}

// Infer says of every operation what it does and writes it into the tree:
// x-resources, x-failures and x-inferred at the root, and an x-behavior at each
// operation that it can say it of and that has none. What the document says
// itself stays as it is. Nodes that are new have the place of the operation
// that they were inferred from. The report is in the order of the document. An
// error is one of the tree that comes out, which [tree.File.Check] refuses.
//
// usable says whether the loader can compile a schema: a resource whose schema
// it cannot compile is left out. nil means that it can compile all.
func Infer(f *tree.File, usable func(schema *yaml.Node) bool) (report []Operation, err error) {
	w, list := write(f, usable)
	for s, steps := range w.steps {
		w.put(s.node, "x-behavior", steps)
	}
	for _, part := range w.parts() {
		at := tree.Get(f.Root, part.key)
		if at == nil || at.Kind != yaml.MappingNode {
			w.put(f.Root, part.key, part.n)
			continue
		}
		for i := 0; i+1 < len(part.n.Content); i += 2 {
			w.put(at, part.n.Content[i].Value, part.n.Content[i+1])
		}
	}
	return reports(list), f.Check()
}

type part struct {
	key string
	n   *yaml.Node
}

// parts are the extensions of the root that have something in them.
func (w *writer) parts() []part {
	list := []part{{"x-resources", w.resources}, {"x-failures", w.failures}, {ownRoot, w.problems}}
	return slices.DeleteFunc(list, func(p part) bool { return len(p.n.Content) == 0 })
}

// Overlay is what [Infer] would write, as an OpenAPI Overlay to look at and to
// correct. The tree stays as it is. It is nil where there is nothing to write.
func Overlay(f *tree.File, usable func(schema *yaml.Node) bool) ([]byte, []Operation, error) {
	w, list := write(f, usable)
	w.at = nil
	actions := w.list()
	if parts := w.parts(); len(parts) > 0 {
		update := w.mapping()
		for _, p := range parts {
			w.put(update, p.key, p.n)
		}
		actions.Content = append(actions.Content, w.mapping("target", "$", "update", update))
	}
	for _, s := range list {
		if steps := w.steps[s]; steps != nil {
			actions.Content = append(actions.Content, w.mapping("target", "$.paths["+jsonPathText(s.Path)+"]."+strings.ToLower(s.Method),
				"description", s.Reason, "update", w.mapping("x-behavior", steps)))
		}
	}
	if len(actions.Content) == 0 {
		return nil, reports(list), nil
	}
	title := tree.Text(tree.Get(f.Root, "info"), "title")
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := enc.Encode(w.mapping("overlay", "1.1.0", "info", w.mapping("title", strings.TrimSpace("What was inferred "+title), "version", "1"), "actions", actions))
	return out.Bytes(), reports(list), err
}

// jsonPathText is a text in a JSONPath query (RFC 9535, section 2.3.1).
func jsonPathText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func reports(list []*source) []Operation {
	out := make([]Operation, len(list))
	for i, s := range list {
		out[i] = s.Operation
	}
	return out
}

// write works out everything and changes nothing.
func write(f *tree.File, usable func(schema *yaml.Node) bool) (*writer, []*source) {
	list := classify(f)
	w := &writer{usable: usable, file: f, owned: map[int]bool{}, steps: map[*source]*yaml.Node{}, look: newLook(f)}
	if len(list) > 0 {
		w.look = list[0].look
		w.at = list[0].key
	}
	w.resources, w.failures, w.problems = w.mapping(), w.mapping(), w.mapping()
	w.groups = groups(list)
	w.adopt()
	for _, g := range w.groups {
		w.identify(g)
	}
	for _, s := range list {
		if tree.Get(s.node, "x-behavior") != nil {
			s.Reason = "the document has an x-behavior"
			s.Confidence = 1
			continue
		}
		w.at = s.key
		steps, why := w.behave(s)
		if steps == nil {
			if why != "" {
				s.Reason += "; answered without state: " + why
			}
			continue
		}
		s.Stateful = true
		if s.group != nil {
			s.group.kept = true
		}
		w.steps[s] = steps
	}
	for _, g := range w.groups {
		if g.kept && !g.given {
			w.at = g.ops[0].key
			w.put(w.resources, g.name, w.resource(g))
		}
	}
	if len(w.steps) > 0 {
		w.builtins(list)
	}
	return w, list
}

// adopt takes the resources that the document declares itself.
func (w *writer) adopt() {
	have := tree.Get(w.file.Root, "x-resources")
	taken := map[string]bool{}
	for k := range tree.Pairs(have) {
		taken[k.Value] = true
	}
	for _, g := range w.groups {
		for k, r := range tree.Pairs(have) {
			if ref := tree.Text(r, "schema"); ref != "" && g.rec.has() && ref == g.rec.ref && !g.single {
				g.name, g.given, g.id = k.Value, true, tree.Text(r, "id")
				if g.id == "" {
					g.id = "id"
				}
				g.obj = w.object(g.rec)
			}
		}
		for base, n := g.name, 2; taken[g.name] && !g.given; n++ {
			g.name = base + itoa(n)
		}
	}
}
