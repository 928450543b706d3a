package openapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// scalar is the text of a scalar node.
func (l *loader) scalar(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return "", l.file.Errorf(n, "%s: is %s; want a text", what, tree.Kind(n))
	}
	return n.Value, nil
}

// text is an expression, with the place where it begins.
func (l *loader) text(n *yaml.Node, what string) (*behavior.Text, error) {
	if n == nil {
		return nil, nil
	}
	s, err := l.scalar(n, what)
	if err != nil {
		return nil, err
	}
	return &behavior.Text{S: s, Pos: l.inside(n)}, nil
}

// inside is where the content of a scalar begins: behind its quote.
func (l *loader) inside(n *yaml.Node) behavior.Position {
	pos := l.file.Position(n)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		pos.Column++
	}
	return pos
}

func (l *loader) word(n *yaml.Node, key, what string, allowed ...string) (string, error) {
	v := tree.Get(n, key)
	if v == nil {
		return "", nil
	}
	s, err := l.scalar(v, what+" "+key)
	if err == nil && len(allowed) > 0 && !slices.Contains(allowed, s) {
		err = l.file.Errorf(v, "%s: %s is %q; want %s", what, key, s, strings.Join(allowed, ", "))
	}
	return s, err
}

// strings reads a text or a list of texts.
func (l *loader) strings(n *yaml.Node, what string) ([]string, error) {
	if n == nil {
		return nil, nil
	}
	if n.Kind == yaml.ScalarNode {
		s, err := l.scalar(n, what)
		return []string{s}, err
	}
	if n.Kind != yaml.SequenceNode {
		return nil, l.file.Errorf(n, "%s: is %s; want a list of texts", what, tree.Kind(n))
	}
	var out []string
	for _, c := range tree.Items(n) {
		s, err := l.scalar(c, what)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (l *loader) template(n *yaml.Node) (behavior.TemplateSpec, error) {
	n = tree.Follow(n)
	t := behavior.TemplateSpec{Pos: l.inside(n)}
	switch n.Kind {
	case yaml.MappingNode:
		members, err := l.members(n)
		t.Members = members
		return t, err
	case yaml.SequenceNode:
		for _, c := range tree.Items(n) {
			e, err := l.template(c)
			if err != nil {
				return t, err
			}
			t.Elems = append(t.Elems, e)
		}
		return t, nil
	}
	v, err := l.file.Value(n)
	t.Scalar = v
	return t, err
}

// members reads a mapping of templates. The result is not nil.
func (l *loader) members(n *yaml.Node) ([]behavior.NamedTemplate, error) {
	if n == nil {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, l.file.Errorf(n, "is %s; want a mapping", tree.Kind(n))
	}
	out := []behavior.NamedTemplate{}
	for k, c := range tree.Pairs(n) {
		t, err := l.template(c)
		if err != nil {
			return nil, err
		}
		out = append(out, behavior.NamedTemplate{Name: k.Value, Pos: l.file.Position(k), TemplateSpec: t})
	}
	return out, nil
}

func (l *loader) optionalTemplate(n *yaml.Node) (*behavior.TemplateSpec, error) {
	if n == nil {
		return nil, nil
	}
	t, err := l.template(n)
	return &t, err
}

// set reads a mapping of paths, dotted or JSON Pointers, to templates.
func (l *loader) set(n *yaml.Node) ([]behavior.SetSpec, error) {
	members, err := l.members(n)
	var out []behavior.SetSpec
	for _, m := range members {
		var path []string
		if p, ok := strings.CutPrefix(m.Name, "/"); ok {
			for part := range strings.SplitSeq(p, "/") {
				path = append(path, strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~"))
			}
		} else {
			path = strings.Split(m.Name, ".")
		}
		out = append(out, behavior.SetSpec{Path: path, TemplateSpec: m.TemplateSpec})
	}
	return out, err
}

func (l *loader) resources(n *yaml.Node) ([]behavior.ResourceSpec, error) {
	if err := l.file.Holds(l.file.Root, "x-resources", yaml.MappingNode, "x-resources"); err != nil {
		return nil, err
	}
	var out []behavior.ResourceSpec
	for k, c := range tree.Pairs(n) {
		r, err := l.resource(k, c)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (l *loader) resource(key, n *yaml.Node) (r behavior.ResourceSpec, err error) {
	what := "x-resources " + key.Value
	if err := l.file.Keys(n, what, "schema", "id", "within", "visible", "default", "on-create", "on-update", "on-read", "unique", "hidden", "delete"); err != nil {
		return r, err
	}
	r.Name, r.Pos = key.Value, l.file.Position(key)
	ref := tree.Get(n, "schema")
	if ref == nil {
		return r, l.file.Errorf(key, "%s: has no schema; want a reference such as '#/components/schemas/%s'", what, key.Value)
	}
	target, err := l.file.Lookup(ref.Value)
	if err != nil {
		return r, l.file.Errorf(ref, "%s: %v", what, err)
	}
	s, err := l.schemas.Compile(target)
	if err != nil {
		return r, err
	}
	l.resourceSchemas[r.Name] = s
	for _, p := range s.Properties() {
		r.Members = append(r.Members, p.Name)
	}
	if r.ID, err = l.word(n, "id", what); err != nil {
		return r, err
	}
	if err := l.file.Holds(n, "within", yaml.MappingNode, what+" within"); err != nil {
		return r, err
	}
	for k, c := range tree.Pairs(tree.Get(n, "within")) {
		w := behavior.WithinSpec{Member: k.Value, Pos: l.file.Position(k)}
		if c.Kind == yaml.SequenceNode {
			for _, e := range tree.Items(c) {
				t, err := l.text(e, what+" within")
				if err != nil {
					return r, err
				}
				w.Values = append(w.Values, *t)
			}
			if len(w.Values) == 0 {
				return r, l.file.Errorf(c, "%s within: the list is empty; want an expression", what)
			}
		} else {
			t, err := l.text(c, what+" within")
			if err != nil {
				return r, err
			}
			w.Values = []behavior.Text{*t}
		}
		r.Within = append(r.Within, w)
	}
	if r.Visible, err = l.text(tree.Get(n, "visible"), what+" visible"); err != nil {
		return r, err
	}
	for _, part := range []struct {
		key string
		to  *[]behavior.NamedTemplate
	}{{"default", &r.Default}, {"on-create", &r.OnCreate}, {"on-update", &r.OnUpdate}, {"on-read", &r.OnRead}} {
		if *part.to, err = l.members(tree.Get(n, part.key)); err != nil {
			return r, err
		}
	}
	if err := l.file.Holds(n, "unique", yaml.SequenceNode, what+" unique"); err != nil {
		return r, err
	}
	for _, c := range tree.Items(tree.Get(n, "unique")) {
		if err := l.file.Keys(c, what+" unique", "by", "among", "else"); err != nil {
			return r, err
		}
		u := behavior.UniqueSpec{Pos: l.file.Position(c)}
		by := tree.Get(c, "by")
		if by == nil {
			return r, l.file.Errorf(c, "%s unique: has no by", what)
		}
		t, err := l.text(by, what+" unique by")
		if err != nil {
			return r, err
		}
		u.By = *t
		if u.Among, err = l.text(tree.Get(c, "among"), what+" unique among"); err != nil {
			return r, err
		}
		if u.Else, err = l.failures(tree.Get(c, "else"), what+" unique else"); err != nil {
			return r, err
		}
		r.Unique = append(r.Unique, u)
	}
	if r.Hidden, err = l.strings(tree.Get(n, "hidden"), what+" hidden"); err != nil {
		return r, err
	}
	how, err := l.word(n, "delete", what, "hard", "soft")
	r.Soft = how == "soft"
	return r, err
}

// failures reads what stands where a failure is expected: a name, a failure, or
// a list of those.
func (l *loader) failures(n *yaml.Node, what string) ([]behavior.FailureSpec, error) {
	if n == nil {
		return nil, nil
	}
	switch n.Kind {
	case yaml.SequenceNode:
		var out []behavior.FailureSpec
		for _, c := range tree.Items(n) {
			f, err := l.failures(c, what)
			if err != nil {
				return nil, err
			}
			out = append(out, f...)
		}
		if len(out) == 0 {
			return nil, l.file.Errorf(n, "%s: the list is empty; want the failures that are permitted", what)
		}
		return out, nil
	case yaml.MappingNode:
		f, err := l.failure("", n, what)
		return []behavior.FailureSpec{f}, err
	}
	name, err := l.scalar(n, what)
	return []behavior.FailureSpec{{Ref: name, Pos: l.file.Position(n)}}, err
}

func (l *loader) failure(name string, n *yaml.Node, what string) (f behavior.FailureSpec, err error) {
	if err := l.file.Keys(n, what, "response", "from", "example", "set", "body", "headers", "basis", "cite"); err != nil {
		return f, err
	}
	f.Name, f.Pos = name, l.file.Position(n)
	if f.Status, err = l.status(tree.Get(n, "response"), n, what); err != nil {
		return f, err
	}
	if from := tree.Get(n, "from"); from != nil {
		target, err := l.file.Lookup(from.Value)
		if err != nil {
			return f, l.file.Errorf(from, "%s: from: %v", what, err)
		}
		r, err := l.response(strconv.Itoa(f.Status), target)
		if err != nil {
			return f, err
		}
		f.From = &r
	}
	if f.Example, err = l.word(n, "example", what); err != nil {
		return f, err
	}
	if f.Set, err = l.set(tree.Get(n, "set")); err != nil {
		return f, err
	}
	if f.Body, err = l.optionalTemplate(tree.Get(n, "body")); err != nil {
		return f, err
	}
	if f.Headers, err = l.members(tree.Get(n, "headers")); err != nil {
		return f, err
	}
	f.Basis, f.Cite, err = l.basis(n, what)
	return f, err
}

func (l *loader) basis(n *yaml.Node, what string) (basis, cite string, err error) {
	if basis, err = l.word(n, "basis", what, "stated", "documented-elsewhere", "assumed"); err != nil {
		return
	}
	cite, err = l.word(n, "cite", what)
	return
}

func (l *loader) status(n, parent *yaml.Node, what string) (int, error) {
	if n == nil {
		return 0, l.file.Errorf(parent, "%s: has no status", what)
	}
	status, err := strconv.Atoi(n.Value)
	if err != nil || status < 100 || status > 599 {
		return 0, l.file.Errorf(n, "%s: %q is no status; want 100 to 599", what, n.Value)
	}
	return status, nil
}

func (l *loader) rootFailures(n *yaml.Node) ([]behavior.FailureSpec, error) {
	if err := l.file.Holds(l.file.Root, "x-failures", yaml.MappingNode, "x-failures"); err != nil {
		return nil, err
	}
	var out []behavior.FailureSpec
	for k, c := range tree.Pairs(n) {
		f, err := l.failure(k.Value, c, "x-failures "+k.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (l *loader) wordings(n *yaml.Node) ([]behavior.WordingSpec, error) {
	if err := l.file.Holds(l.file.Root, "x-violations", yaml.MappingNode, "x-violations"); err != nil {
		return nil, err
	}
	var out []behavior.WordingSpec
	for k, c := range tree.Pairs(n) {
		if err := l.file.Keys(c, "x-violations "+k.Value, "code", "message"); err != nil {
			return nil, err
		}
		w := behavior.WordingSpec{Key: k.Value, Pos: l.file.Position(k)}
		var err error
		if w.Code, err = l.optionalTemplate(tree.Get(c, "code")); err != nil {
			return nil, err
		}
		if w.Message, err = l.optionalTemplate(tree.Get(c, "message")); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (l *loader) quotas(n *yaml.Node) ([]behavior.QuotaSpec, error) {
	if err := l.file.Holds(l.file.Root, "x-quotas", yaml.SequenceNode, "x-quotas"); err != nil {
		return nil, err
	}
	var out []behavior.QuotaSpec
	for _, c := range tree.Items(n) {
		const what = "x-quotas"
		if err := l.file.Keys(c, what, "name", "by", "limit", "window", "headers", "else", "basis", "cite"); err != nil {
			return nil, err
		}
		q := behavior.QuotaSpec{Pos: l.file.Position(c)}
		for _, key := range []string{"name", "by", "limit", "window"} {
			if tree.Get(c, key) == nil {
				return nil, l.file.Errorf(c, "%s: has no %s", what, key)
			}
		}
		q.Name = tree.Text(c, "name")
		by, err := l.text(tree.Get(c, "by"), what+" by")
		if err != nil {
			return nil, err
		}
		limit, err := l.text(tree.Get(c, "limit"), what+" limit")
		if err != nil {
			return nil, err
		}
		q.By, q.Limit = *by, *limit
		w := tree.Get(c, "window")
		d, err := time.ParseDuration(w.Value)
		if err != nil || d < time.Millisecond {
			return nil, l.file.Errorf(w, "%s: window %q is no duration; want one like 60s or 24h", what, w.Value)
		}
		q.Window = d.Milliseconds()
		if q.Headers, err = l.members(tree.Get(c, "headers")); err != nil {
			return nil, err
		}
		if e := tree.Get(c, "else"); e != nil && e.Value != "rate_limited" {
			return nil, l.file.Errorf(e, "%s: else is %q; want rate_limited, which x-failures says", what, e.Value)
		}
		out = append(out, q)
	}
	return out, nil
}

// response reads a documented response with its examples.
func (l *loader) response(status string, n *yaml.Node) (r behavior.ResponseSpec, err error) {
	if n, err = l.file.Resolve(n); err != nil {
		return r, err
	}
	if err = l.file.Holds(n, "content", yaml.MappingNode, "content of the response "+status); err != nil {
		return r, err
	}
	r.Status, r.Pos = status, l.file.Position(n)
	for k, m := range tree.Pairs(tree.Get(n, "content")) {
		media := behavior.MediaSpec{Type: k.Value}
		add := func(name string, at, n *yaml.Node) error {
			v, err := l.file.Value(n)
			media.Examples = append(media.Examples, behavior.ExampleSpec{Name: name, Pos: l.file.Position(at), Value: v})
			return err
		}
		if ex := tree.Get(m, "example"); ex != nil {
			if err := add("", ex, ex); err != nil {
				return r, err
			}
		}
		for name, ex := range tree.Pairs(tree.Get(m, "examples")) {
			if ex, err = l.file.Resolve(ex); err != nil {
				return r, err
			}
			if v := tree.Get(ex, "value"); v != nil {
				if err := add(name.Value, name, v); err != nil {
					return r, err
				}
			}
		}
		if len(media.Examples) == 0 {
			if s, err := l.file.Resolve(tree.Get(m, "schema")); err == nil {
				if ex := tree.Get(s, "example"); ex != nil {
					if err := add("", ex, ex); err != nil {
						return r, err
					}
				}
			}
		}
		r.Media = append(r.Media, media)
	}
	return r, nil
}

// Template reads a node as a JSON value with ${…} in its texts.
func Template(f *tree.File, n *yaml.Node) (behavior.TemplateSpec, error) {
	l := &loader{file: f}
	return l.template(n)
}
