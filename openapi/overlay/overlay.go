// Package overlay changes a document as an Overlay document says (OpenAPI
// Overlay Specification 1.0 and 1.1), so that a document that somebody else
// owns can be given rules, examples or corrections while its file stays as it
// is.
//
// A document is the JSON that it stands for: what is changed behind an alias, or
// at an anchor, is changed at that place alone. What comes from an overlay
// keeps its place in the overlay's file, for errors and rules.
//
// In three points the package is stricter than the specification, since what
// is without effect is most often a mistake: a target that selects nothing is
// an error unless the action has "x-optional: true"; an action does one thing
// (update, copy or remove); and unknown keys are errors unless they begin
// with x-.
package overlay

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// An Overlay is a list of changes. It never changes itself and can be applied
// to several documents.
type Overlay struct {
	file    *tree.File
	actions []action
}

// action is one change; of update, copy and remove it has one.
type action struct {
	at       *yaml.Node // its target, for errors
	target   *query
	update   *yaml.Node
	copy     *query
	copyAt   *yaml.Node
	remove   bool
	optional bool // may select nothing
}

var version = regexp.MustCompile(`^1\.[01]\.\d+$`)

// Parse reads an Overlay document, strictly. "extends", which names the
// document that the overlay is made for, is not followed: the document is
// given to [Overlay.Apply]. Errors begin with file:line:column.
func Parse(name string, data []byte) (*Overlay, error) {
	f, err := tree.Parse(name, data)
	if err != nil {
		return nil, err
	}
	o := &Overlay{file: f}
	at := tree.Get(f.Root, "overlay")
	if at == nil {
		return nil, f.Errorf(f.Root, "there is no overlay, so this is no Overlay document; want overlay: 1.1.0")
	}
	if at.Kind != yaml.ScalarNode || !version.MatchString(at.Value) {
		return nil, f.Errorf(at, "overlay is %s; want 1.0.x or 1.1.x, such as 1.1.0", tree.Kind(at))
	}
	if err := keys(f, f.Root, "the overlay", "overlay", "info", "extends", "actions"); err != nil {
		return nil, err
	}
	if err := o.info(); err != nil {
		return nil, err
	}
	list := tree.Get(f.Root, "actions")
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		if list == nil {
			list = f.Root
		}
		return nil, f.Errorf(list, "the overlay has no actions; want a list of at least one")
	}
	copies := !strings.HasPrefix(at.Value, "1.0.")
	for _, n := range tree.Items(list) {
		a, err := o.action(n, copies)
		if err != nil {
			return nil, err
		}
		o.actions = append(o.actions, a)
	}
	return o, nil
}

// keys is [tree.File.Keys], but for extensions.
func keys(f *tree.File, n *yaml.Node, what string, allowed ...string) error {
	if n.Kind != yaml.MappingNode {
		return f.Keys(n, what, allowed...)
	}
	for k := range tree.Pairs(n) {
		if !strings.HasPrefix(k.Value, "x-") && !slices.Contains(allowed, k.Value) {
			return f.Errorf(k, "%s: unknown key %q; want %s", what, k.Value, strings.Join(allowed, ", "))
		}
	}
	return nil
}

func (o *Overlay) info() error {
	f, info := o.file, tree.Get(o.file.Root, "info")
	if info == nil {
		return f.Errorf(f.Root, "the overlay has no info; want one with title and version")
	}
	if err := keys(f, info, "info", "title", "version", "description"); err != nil {
		return err
	}
	for _, key := range []string{"title", "version"} {
		if v := tree.Get(info, key); v == nil || v.Kind != yaml.ScalarNode || v.ShortTag() == "!!null" {
			if v == nil {
				v = info
			}
			return f.Errorf(v, "info: has no %s; want a text", key)
		}
	}
	if err := o.text(info, "info", "description"); err != nil {
		return err
	}
	return o.text(f.Root, "the overlay", "extends")
}

// text checks that what stands under a key of n, if anything does, is a text.
func (o *Overlay) text(n *yaml.Node, what, key string) error {
	if v := tree.Get(n, key); v != nil && (v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str") {
		return o.file.Errorf(v, "%s: %s is %s; want a text", what, key, tree.Kind(v))
	}
	return nil
}

func (o *Overlay) action(n *yaml.Node, copies bool) (a action, err error) {
	const what = "an action"
	f := o.file
	allowed := []string{"target", "description", "update", "remove"}
	if copies {
		allowed = append(allowed, "copy")
	} else if at := tree.Key(n, "copy"); at != nil {
		return a, f.Errorf(at, "%s: copy is of Overlay 1.1; want overlay: 1.1.0", what)
	}
	if err := keys(f, n, what, append(allowed, "x-optional")...); err != nil {
		return a, err
	}
	if err := o.text(n, what, "description"); err != nil {
		return a, err
	}
	if a.at = tree.Get(n, "target"); a.at == nil {
		return a, f.Errorf(n, "%s: has no target; want a JSONPath query such as $.paths['/pets'].get", what)
	}
	if a.target, err = o.path(n, "target"); err != nil {
		return a, err
	}
	if a.remove, err = o.flag(n, "remove"); err != nil {
		return a, err
	}
	if a.optional, err = o.flag(n, "x-optional"); err != nil {
		return a, err
	}
	a.update = tree.Get(n, "update")
	if a.copyAt = tree.Get(n, "copy"); a.copyAt != nil {
		if a.copy, err = o.path(n, "copy"); err != nil {
			return a, err
		}
	}
	count := 0
	for _, has := range []bool{a.update != nil, a.copy != nil, a.remove} {
		if has {
			count++
		}
	}
	if count != 1 {
		return a, f.Errorf(n, "%s: has %d of update, copy and remove: true; want one", what, count)
	}
	return a, nil
}

func (o *Overlay) flag(n *yaml.Node, key string) (bool, error) {
	v := tree.Get(n, key)
	if v == nil {
		return false, nil
	}
	var is bool
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || v.Decode(&is) != nil {
		return false, o.file.Errorf(v, "an action: %s is %s; want true or false", key, tree.Kind(v))
	}
	return is, nil
}

// path reads a query. An error names its place in the file, as well as that can
// be known.
func (o *Overlay) path(n *yaml.Node, key string) (*query, error) {
	if err := o.text(n, "an action", key); err != nil {
		return nil, err
	}
	v := tree.Get(n, key)
	q, err := parsePath(v.Value)
	if err == nil {
		return q, nil
	}
	pos := o.file.Position(v)
	before := v.Value[:min(err.at, len(v.Value))]
	quoted := v.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle)
	switch {
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(v.Value, "\n\t"):
	case quoted&yaml.DoubleQuotedStyle != 0 && strings.ContainsAny(before, `"\`):
	default:
		pos.Column += utf8.RuneCountInString(before)
		if quoted != 0 {
			pos.Column++
		}
		if quoted&yaml.SingleQuotedStyle != 0 {
			pos.Column += strings.Count(before, "'") // each is written twice
		}
	}
	return nil, &pathError{pos.String() + ": " + key + " " + clip(v.Value) + ": " + err.what}
}

// pathError is a query that is none.
type pathError struct{ text string }

func (e *pathError) Error() string { return e.text }

// clip quotes a text for an error.
func clip(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return `"` + s + `"`
	}
	return `"` + string([]rune(s)[:most]) + `…"`
}
