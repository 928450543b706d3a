package openapi

import (
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// stepKeys are the keys of each step besides the common ones.
var stepKeys = map[behavior.StepKind][]string{
	behavior.Find:   {"id", "where", "as", "else"},
	behavior.List:   {"where", "filter", "sort", "page", "as"},
	behavior.Let:    {"be"},
	behavior.Refuse: {"when"},
	behavior.Create: {"from", "only", "set", "as", "count", "when"},
	behavior.Update: {"with", "only", "mode", "set", "where", "when"},
	behavior.Delete: {"when"},
	behavior.Clear:  {"where", "when"},
	behavior.After:  {"times", "as", "when", "steps"},
	behavior.Check:  {},
	behavior.Reply:  {"example", "body", "media-type", "headers", "set", "when"},
	behavior.OneOf:  {"when"},
}

var stepKinds = []behavior.StepKind{
	behavior.Find, behavior.List, behavior.Let, behavior.Refuse, behavior.Create, behavior.Update,
	behavior.Delete, behavior.Clear, behavior.After, behavior.Check, behavior.Reply, behavior.OneOf,
}

func (l *loader) steps(n *yaml.Node, what string) ([]behavior.StepSpec, error) {
	if n == nil {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, l.file.Errorf(n, "%s: is %s; want a list of steps", what, tree.Kind(n))
	}
	if len(n.Content) == 0 {
		return nil, l.file.Errorf(n, "%s: the list of steps is empty", what)
	}
	var out []behavior.StepSpec
	for _, c := range tree.Items(n) {
		s, err := l.step(c, what)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (l *loader) step(n *yaml.Node, what string) (s behavior.StepSpec, err error) {
	var key, val *yaml.Node
	var names []string
	for _, k := range stepKinds {
		names = append(names, string(k))
		if at := tree.Key(n, string(k)); at != nil {
			if key != nil {
				return s, l.file.Errorf(at, "%s: a step is either %s or %s", what, key.Value, k)
			}
			key, val, s.Kind = at, tree.Get(n, string(k)), k
		}
	}
	if key == nil {
		return s, l.file.Errorf(n, "%s: unknown step%s; want one of %s", what, tree.Choices(n), strings.Join(names, ", "))
	}
	what += " " + key.Value
	allowed := append([]string{key.Value}, stepKeys[s.Kind]...)
	if err := l.file.Keys(n, what, append(allowed, "rule", "basis", "cite")...); err != nil {
		return s, err
	}
	s.Pos = l.file.Position(key)
	if s.Rule, err = l.word(n, "rule", what); err != nil {
		return s, err
	}
	if s.Basis, s.Cite, err = l.basis(n, what); err != nil {
		return s, err
	}
	if err := l.stepHead(&s, val, what); err != nil {
		return s, err
	}
	return s, l.stepBody(&s, n, what)
}

// durationLike is what nobody writes who means an expression.
var durationLike = regexp.MustCompile(`^[-+]?[0-9.]+ *[a-zA-Zµ]+$`)

// stepHead reads what stands behind the word that the step begins with.
func (l *loader) stepHead(s *behavior.StepSpec, val *yaml.Node, what string) (err error) {
	switch s.Kind {
	case behavior.Refuse:
		s.Else, err = l.failures(val, what)
	case behavior.Reply:
		s.Status, err = l.status(val, val, what)
	case behavior.OneOf:
		if val.Kind != yaml.SequenceNode {
			return l.file.Errorf(val, "%s: is %s; want a list of lists of steps", what, tree.Kind(val))
		}
		for _, c := range tree.Items(val) {
			b, err := l.steps(c, what)
			if err != nil {
				return err
			}
			s.Branches = append(s.Branches, b)
		}
	case behavior.After:
		text, err := l.text(val, what)
		if err != nil {
			return err
		}
		if d, err := time.ParseDuration(text.S); err == nil && d >= 0 {
			s.Delay = d.Milliseconds()
		} else if durationLike.MatchString(text.S) {
			return l.file.Errorf(val, "%s: %q is no duration; want one like 300ms, 20s or 1h, or an expression", what, text.S)
		} else {
			s.DelayBy = text
		}
	default:
		s.Target, err = l.scalar(val, what)
	}
	return err
}

func (l *loader) stepBody(s *behavior.StepSpec, n *yaml.Node, what string) (err error) {
	if s.As, err = l.word(n, "as", what); err != nil {
		return err
	}
	for _, part := range []struct {
		key string
		to  **behavior.Text
	}{{"id", &s.ID}, {"where", &s.Where}, {"when", &s.When}, {"be", &s.Be}, {"from", &s.From}, {"with", &s.From}, {"count", &s.Count}, {"times", &s.Times}} {
		t, err := l.text(tree.Get(n, part.key), what+" "+part.key)
		if err != nil {
			return err
		}
		if t != nil {
			*part.to = t
		}
	}
	if err := l.file.Holds(n, "filter", yaml.MappingNode, what+" filter"); err != nil {
		return err
	}
	for k, c := range tree.Pairs(tree.Get(n, "filter")) {
		where, err := l.text(c, what+" filter")
		if err != nil {
			return err
		}
		s.Filter = append(s.Filter, behavior.FilterSpec{On: behavior.Text{S: k.Value, Pos: l.inside(k)}, Where: *where})
	}
	if s.Sort, err = l.sort(tree.Get(n, "sort"), what+" sort"); err != nil {
		return err
	}
	if s.Page, err = l.page(tree.Get(n, "page"), what+" page"); err != nil {
		return err
	}
	if s.Only, err = l.strings(tree.Get(n, "only"), what+" only"); err != nil {
		return err
	}
	mode, err := l.word(n, "mode", what, "merge", "replace")
	if err != nil {
		return err
	}
	s.Replace = mode == "replace"
	if s.Set, err = l.set(tree.Get(n, "set")); err != nil {
		return err
	}
	if e := tree.Get(n, "else"); e != nil {
		if s.Else, err = l.failures(e, what+" else"); err != nil {
			return err
		}
	}
	if s.Example, err = l.word(n, "example", what); err != nil {
		return err
	}
	if s.Body, err = l.optionalTemplate(tree.Get(n, "body")); err != nil {
		return err
	}
	if s.Media, err = l.word(n, "media-type", what); err != nil {
		return err
	}
	if s.Headers, err = l.members(tree.Get(n, "headers")); err != nil {
		return err
	}
	if st := tree.Get(n, "steps"); st != nil {
		s.Steps, err = l.steps(st, what)
	}
	return err
}

func (l *loader) sort(n *yaml.Node, what string) (*behavior.SortSpec, error) {
	if n == nil {
		return nil, nil
	}
	s := &behavior.SortSpec{Pos: l.file.Position(n)}
	var err error
	if n.Kind != yaml.MappingNode {
		s.Default, err = l.strings(n, what)
		return s, err
	}
	if err := l.file.Keys(n, what, "by", "among", "descending", "default"); err != nil {
		return nil, err
	}
	if s.By, err = l.text(tree.Get(n, "by"), what+" by"); err != nil {
		return nil, err
	}
	if s.By == nil {
		return nil, l.file.Errorf(n, "%s: has no by; want the expression that asks for an order", what)
	}
	if s.Among, err = l.strings(tree.Get(n, "among"), what+" among"); err != nil {
		return nil, err
	}
	if s.Descending, err = l.text(tree.Get(n, "descending"), what+" descending"); err != nil {
		return nil, err
	}
	s.Default, err = l.strings(tree.Get(n, "default"), what+" default")
	return s, err
}

func (l *loader) page(n *yaml.Node, what string) (*behavior.PageSpec, error) {
	if n == nil {
		return nil, nil
	}
	if err := l.file.Keys(n, what, "number", "size", "offset", "limit", "else"); err != nil {
		return nil, err
	}
	p := &behavior.PageSpec{Pos: l.file.Position(n)}
	var err error
	for _, part := range []struct {
		key string
		to  **behavior.Text
	}{{"number", &p.Number}, {"size", &p.Size}, {"offset", &p.Offset}, {"limit", &p.Limit}} {
		if *part.to, err = l.text(tree.Get(n, part.key), what+" "+part.key); err != nil {
			return nil, err
		}
	}
	p.Else, err = l.failures(tree.Get(n, "else"), what+" else")
	return p, err
}
