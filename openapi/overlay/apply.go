package overlay

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// What applying an overlay may cost: nodes that are looked at (a few seconds
// of them), places that an action may select, and nodes that are added to the
// document (half a gigabyte of them).
const (
	mostSteps  = 100_000_000
	mostPlaces = 1_000_000
	mostCopies = 2_000_000
)

// Apply changes a document in place. Its root is a mapping and stays one. After
// an error the document is half changed and of no use. Errors begin with
// file:line:column, in the overlay or in the document.
func (o *Overlay) Apply(f *tree.File) error {
	return o.apply(f, mostSteps, mostPlaces, mostCopies)
}

func (o *Overlay) apply(f *tree.File, steps, places, copies int) error {
	a := &applier{file: f, steps: steps, places: places, copies: copies}
	a.mark(o.file.Root, o.file.Name)
	for i := range o.actions {
		if err := a.do(&o.actions[i]); err != nil {
			return err
		}
	}
	return f.Check()
}

// applier is a document that is being changed.
type applier struct {
	file                  *tree.File
	steps, places, copies int
}

// mark notes where the nodes of the overlay come from: their copies, and what
// aliases among those stand for, become part of the document.
func (a *applier) mark(n *yaml.Node, name string) {
	a.file.SetOrigin(n, name)
	for _, c := range n.Content {
		a.mark(c, name)
	}
}

func (a *applier) do(c *action) error {
	list, err := a.find(c.target, c.at)
	switch {
	case err != nil:
		return err
	case len(list) == 0 && c.optional:
		return nil
	case len(list) == 0:
		return a.file.Errorf(c.at, "the target %s selects nothing; want one that does, or x-optional: true beside it", clip(c.at.Value))
	case c.remove:
		return a.remove(list, c)
	}
	for _, p := range list {
		if shape(p.node) != shape(list[0].node) {
			return a.file.Errorf(c.at, "the target %s selects %s (%v) and %s (%v); want only mappings, only lists or only scalars", clip(c.at.Value),
				tree.Kind(list[0].node), a.file.Position(list[0].node), tree.Kind(p.node), a.file.Position(p.node))
		}
	}
	what := c.update
	if c.copy != nil {
		if what, err = a.source(c); err != nil {
			return err
		}
	}
	return a.update(list, what, c)
}

// find is every place that a query selects, in order.
func (a *applier) find(q *query, at *yaml.Node) ([]*place, error) {
	s := &search{file: a.file, root: &place{node: a.file.Root}, steps: &a.steps}
	var list []*place
	s.walk(s.root, q.segments, func(p *place) bool {
		list = append(list, p)
		return len(list) <= a.places
	})
	switch {
	case a.steps < 0:
		return nil, a.file.Errorf(at, "the targets so far need too many steps; want simpler ones")
	case len(list) > a.places:
		return nil, a.file.Errorf(at, "selects more than %d nodes", a.places)
	}
	return list, nil
}

// shape is 0 for scalars.
func shape(n *yaml.Node) yaml.Kind {
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		return n.Kind
	}
	return 0
}

// source is the node that a copy action copies, as it is before the action.
func (a *applier) source(c *action) (*yaml.Node, error) {
	list, err := a.find(c.copy, c.copyAt)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, a.file.Errorf(c.copyAt, "copy %s selects %d nodes; want one", clip(c.copyAt.Value), len(list))
	}
	return a.clone(list[0].node, 1, c)
}

// spot is where a node stands.
type spot struct {
	parent *yaml.Node
	index  int
	depth  int // of the node, below the root
}

// spots makes the parents of the places fit to be changed. A place that occurs
// twice is one spot.
func (a *applier) spots(list []*place, c *action) ([]spot, error) {
	seen := make(map[spot]bool, len(list))
	var out []spot
	for _, p := range list {
		if p.parent == nil {
			return nil, a.file.Errorf(c.at, "the root cannot be replaced or removed; want what is in it")
		}
		parent, err := a.own(p.parent, c)
		if err != nil {
			return nil, err
		}
		if at := (spot{parent, p.index, p.depth}); !seen[at] {
			seen[at] = true
			out = append(out, at)
		}
	}
	return out, nil
}

// own makes the node at a place fit to be changed: what aliases stand for is
// copied first, so that they keep their meaning.
func (a *applier) own(p *place, c *action) (*yaml.Node, error) {
	if a.steps--; a.steps < 0 {
		return nil, a.file.Errorf(c.at, "the targets so far need too many steps; want simpler ones")
	}
	if p.parent == nil {
		return a.file.Root, nil
	}
	parent, err := a.own(p.parent, c)
	if err != nil {
		return nil, err
	}
	return a.ownAt(spot{parent, p.index, p.depth}, c)
}

func (a *applier) ownAt(s spot, c *action) (*yaml.Node, error) {
	n := s.parent.Content[s.index]
	if n.Kind != yaml.AliasNode && n.Anchor == "" {
		return n, nil
	}
	n, err := a.clone(tree.Follow(n), s.depth, c)
	if err == nil {
		s.parent.Content[s.index] = n
	}
	return n, err
}

// clone is a deep copy, without anchors. Aliases in it stay what they are:
// nothing that they stand for is ever changed. depth is that of the copy.
func (a *applier) clone(n *yaml.Node, depth int, c *action) (*yaml.Node, error) {
	if a.copies--; a.copies < 0 {
		return nil, a.file.Errorf(c.at, "the actions so far add too many nodes to the document")
	}
	if depth > tree.MaxDepth {
		return nil, a.file.Errorf(c.at, "the result is nested deeper than %d levels", tree.MaxDepth)
	}
	out := *n
	out.Anchor = ""
	out.Content = nil
	a.file.SetOrigin(&out, a.file.Origin(n))
	if len(n.Content) > 0 {
		out.Content = make([]*yaml.Node, len(n.Content))
	}
	for i, sub := range n.Content {
		var err error
		if out.Content[i], err = a.clone(sub, depth+1, c); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func (a *applier) remove(list []*place, c *action) error {
	spots, err := a.spots(list, c)
	if err != nil {
		return err
	}
	// All are found before the first goes, since that moves the others.
	parents := make(map[*yaml.Node]bool)
	for _, s := range spots {
		if s.parent.Kind == yaml.MappingNode {
			s.parent.Content[s.index-1] = nil
		}
		s.parent.Content[s.index] = nil
		parents[s.parent] = true
	}
	for n := range parents {
		n.Content = slices.DeleteFunc(n.Content, func(sub *yaml.Node) bool { return sub == nil })
	}
	return nil
}

// update merges a node into each place.
func (a *applier) update(list []*place, with *yaml.Node, c *action) error {
	if list[0].parent == nil {
		return a.merge(a.file.Root, 0, with, with, c)
	}
	spots, err := a.spots(list, c)
	if err != nil {
		return err
	}
	for _, s := range spots {
		// At the top, and only there, a list takes all that is no list as one
		// more element.
		if list := s.parent.Content[s.index]; tree.Follow(list).Kind == yaml.SequenceNode && with.Kind != yaml.SequenceNode {
			if list, err = a.ownAt(s, c); err == nil {
				err = a.add(list, s.depth+1, c, with)
			}
		} else {
			err = a.mergeAt(s, with, with, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mergeAt merges a node into what stands at a spot. Errors are at a node of the
// overlay.
func (a *applier) mergeAt(s spot, with, at *yaml.Node, c *action) error {
	old, with := tree.Follow(s.parent.Content[s.index]), tree.Follow(with)
	if shape(old) != shape(with) {
		return a.incompatible(old, with, at, c)
	}
	if shape(old) == 0 {
		n, err := a.clone(with, s.depth, c)
		if err == nil {
			s.parent.Content[s.index] = n
		}
		return err
	}
	owned, err := a.ownAt(s, c)
	if err != nil {
		return err
	}
	return a.merge(owned, s.depth, with, at, c)
}

// merge is what the specification says of an Action Object: mappings are merged
// member by member, lists are put together, scalars replace scalars, and all
// else is an error.
func (a *applier) merge(old *yaml.Node, depth int, with, at *yaml.Node, c *action) error {
	if shape(old) != shape(with) {
		return a.incompatible(old, with, at, c)
	}
	if old.Kind == yaml.SequenceNode {
		return a.add(old, depth+1, c, with.Content...)
	}
	if a.steps -= len(old.Content) / 2; a.steps < 0 {
		return a.file.Errorf(c.at, "the targets so far need too many steps; want simpler ones")
	}
	where := make(map[string]int, len(old.Content)/2)
	for i := 0; i < len(old.Content); i += 2 {
		where[old.Content[i].Value] = i + 1
	}
	for i := 0; i < len(with.Content); i += 2 {
		key, val := with.Content[i], with.Content[i+1]
		var err error
		if j, has := where[key.Value]; has {
			err = a.mergeAt(spot{old, j, depth + 1}, val, key, c)
		} else {
			err = a.add(old, depth+1, c, key, val)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add appends copies, at that depth.
func (a *applier) add(to *yaml.Node, depth int, c *action, nodes ...*yaml.Node) error {
	for _, n := range nodes {
		n, err := a.clone(n, depth, c)
		if err != nil {
			return err
		}
		to.Content = append(to.Content, n)
	}
	return nil
}

func (a *applier) incompatible(old, with, at *yaml.Node, c *action) error {
	verb := "update"
	if c.copy != nil {
		verb, at = "copy", c.copyAt
	}
	return a.file.Errorf(at, "%s: %s cannot be merged into %s (%v); want the same kind, or an action that removes that first",
		verb, tree.Kind(with), tree.Kind(old), a.file.Position(old))
}
