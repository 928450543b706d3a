package infer

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// maker makes nodes. Each has the place of at: of what it was inferred from.
type maker struct{ at *yaml.Node }

func (m *maker) node(kind yaml.Kind, tag, text string) *yaml.Node {
	n := &yaml.Node{Kind: kind, Tag: tag, Value: text}
	if m.at != nil {
		n.Line, n.Column = m.at.Line, m.at.Column
	}
	return n
}

func (m *maker) scalar(tag, text string) *yaml.Node { return m.node(yaml.ScalarNode, tag, text) }
func (m *maker) text(s string) *yaml.Node           { return m.scalar("!!str", s) }
func (m *maker) null() *yaml.Node                   { return m.scalar("!!null", "null") }

func (m *maker) list(elems ...*yaml.Node) *yaml.Node {
	n := m.node(yaml.SequenceNode, "!!seq", "")
	n.Content = elems
	return n
}

func (m *maker) texts(list ...string) *yaml.Node {
	n := m.list()
	for _, s := range list {
		n.Content = append(n.Content, m.text(s))
	}
	return n
}

// mapping is made of keys, each with a *yaml.Node, a text or a number behind it.
func (m *maker) mapping(pairs ...any) *yaml.Node {
	n := m.node(yaml.MappingNode, "!!map", "")
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case *yaml.Node:
			if v != nil {
				m.put(n, key, v)
			}
		case string:
			m.put(n, key, m.text(v))
		case int:
			m.put(n, key, m.scalar("!!int", itoa(v)))
		}
	}
	return n
}

// put adds a member, or changes the one that is there.
func (m *maker) put(n *yaml.Node, key string, v *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = v
			return
		}
	}
	n.Content = append(n.Content, m.text(key), v)
}

// literal is a value of the document as a template that stands for itself.
func (m *maker) literal(n *yaml.Node) *yaml.Node { return m.clone(n, 0) }

func (m *maker) clone(n *yaml.Node, depth int) *yaml.Node {
	n = tree.Follow(n)
	if n == nil || depth > 50 {
		return m.null()
	}
	out := m.node(n.Kind, n.ShortTag(), n.Value)
	out.Tag = n.ShortTag()
	if n.Kind == yaml.ScalarNode && out.Tag == "!!str" {
		out.Value = strings.ReplaceAll(n.Value, "${", "$${")
	}
	if n.Kind == yaml.ScalarNode && (out.Tag == "!!timestamp" || out.Tag == "!!binary") {
		out.Tag = "!!str"
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			out.Content = append(out.Content, m.text(c.Value))
			continue
		}
		out.Content = append(out.Content, m.clone(c, depth+1))
	}
	return out
}

// reserved are words that are no names in expressions.
var reserved = set("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "package", "namespace", "return", "true", "null", "var", "void", "while")

func plainName(s string) bool {
	if s == "" || reserved[s] {
		return false
	}
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// member is the expression for a member of what another expression stands for.
func member(of, name string) string {
	if plainName(name) {
		return of + "." + name
	}
	return of + "[" + quoted(name) + "]"
}

// quoted is a text as an expression.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
