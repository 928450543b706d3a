package overlay

import (
	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// A place is a node of the document and the way to it: a node behind an alias
// has as many places as there are aliases.
type place struct {
	parent *place
	index  int        // in the content of the parent
	depth  int        // below the root
	node   *yaml.Node // what an alias stands for, if it is one
}

// search looks for places. Every node that it looks at is a step; it stops when
// there are none left.
type search struct {
	file  *tree.File
	root  *place
	steps *int
}

// spend is false when no steps are left.
func (s *search) spend(n int) bool {
	if *s.steps -= n; *s.steps < 0 {
		*s.steps = -1
		return false
	}
	return true
}

// from is where a query in a filter begins.
func (s *search) from(q *query, at *place) *place {
	if q.absolute {
		return s.root
	}
	return at
}

// walk calls found with every place that the segments lead to, in the order of
// RFC 9535. It ends when found, or it itself, is false.
func (s *search) walk(at *place, segments []segment, found func(*place) bool) bool {
	if len(segments) == 0 {
		return found(at)
	}
	next := found
	if rest := segments[1:]; len(rest) > 0 {
		next = func(p *place) bool { return s.walk(p, rest, found) }
	}
	if segments[0].descend {
		return s.descend(at, segments[0].selectors, next)
	}
	return s.children(at, segments[0].selectors, next)
}

// descend visits a node before its children (section 2.5.2.2).
func (s *search) descend(at *place, list []selector, found func(*place) bool) bool {
	return s.children(at, list, found) &&
		s.each(at, func(p *place) bool { return s.descend(p, list, found) })
}

// each goes through the children.
func (s *search) each(at *place, found func(*place) bool) bool {
	first, stride := 0, 1
	switch at.node.Kind {
	case yaml.MappingNode:
		first, stride = 1, 2
	case yaml.SequenceNode:
	default:
		return true
	}
	for i := first; i < len(at.node.Content); i += stride {
		if !s.spend(1) || !found(child(at, i)) {
			return false
		}
	}
	return true
}

func child(at *place, i int) *place {
	return &place{at, i, at.depth + 1, tree.Follow(at.node.Content[i])}
}

func (s *search) children(at *place, list []selector, found func(*place) bool) bool {
	content, isList := at.node.Content, at.node.Kind == yaml.SequenceNode
	for i := range list {
		sel, ok := &list[i], true
		switch {
		case !s.spend(1):
			return false
		case sel.kind == wildcard:
			ok = s.each(at, found)
		case sel.kind == byFilter:
			ok = s.each(at, func(p *place) bool { return !sel.filter(s, p) || found(p) })
		case sel.kind == byName && at.node.Kind == yaml.MappingNode:
			for k := 0; k < len(content); k += 2 {
				if content[k].Value == sel.name {
					ok = found(child(at, k+1))
					break
				}
			}
			ok = s.spend(len(content)/16) && ok
		case sel.kind == byIndex && isList:
			if k := sel.start; k >= 0 && k < int64(len(content)) {
				ok = found(child(at, int(k)))
			} else if k += int64(len(content)); sel.start < 0 && k >= 0 {
				ok = found(child(at, int(k)))
			}
		case sel.kind == bySlice && isList:
			ok = s.slice(at, sel, found)
		}
		if !ok || *s.steps < 0 {
			return false
		}
	}
	return true
}

// slice is section 2.3.4.2.
func (s *search) slice(at *place, sel *selector, found func(*place) bool) bool {
	size := int64(len(at.node.Content))
	bound := func(i int64, none bool, low, high, otherwise int64) int64 {
		if none {
			return otherwise
		}
		if i < 0 {
			i += size
		}
		return min(max(i, low), high)
	}
	if sel.step > 0 {
		end := bound(sel.end, sel.noEnd, 0, size, size)
		for i := bound(sel.start, sel.noStart, 0, size, 0); i < end; i += sel.step {
			if !s.spend(1) || !found(child(at, int(i))) {
				return false
			}
		}
	}
	if sel.step < 0 {
		end := bound(sel.end, sel.noEnd, -1, size-1, -1)
		for i := bound(sel.start, sel.noStart, -1, size-1, size-1); i > end; i += sel.step {
			if !s.spend(1) || !found(child(at, int(i))) {
				return false
			}
		}
	}
	return true
}

// one is the only place that a query leads to; nil if there is none, or more.
func (s *search) one(q *query, at *place) *place {
	var only *place
	n := 0
	s.walk(s.from(q, at), q.segments, func(p *place) bool {
		only = p
		n++
		return n < 2
	})
	if n != 1 {
		return nil
	}
	return only
}

// value is that of a node; of no place it is missing.
func (s *search) value(p *place) value.Value {
	if p == nil || !s.weigh(p.node) {
		return value.Value{}
	}
	v, err := s.file.Value(p.node)
	if err != nil {
		return value.Value{} // such as .inf, which is equal to nothing
	}
	return v
}

// weigh spends what it takes to copy a node with all that is below it.
func (s *search) weigh(n *yaml.Node) bool {
	n = tree.Follow(n)
	if n.Kind == yaml.ScalarNode {
		return s.spend(1 + len(n.Value)/64)
	}
	for _, c := range n.Content {
		if !s.spend(20) || !s.weigh(c) {
			return false
		}
	}
	return true
}

// length is the function of that name (section 2.4.4).
func (s *search) length(p *place) value.Value {
	if p == nil {
		return value.Value{}
	}
	switch p.node.Kind {
	case yaml.MappingNode:
		return value.Int(int64(len(p.node.Content) / 2))
	case yaml.SequenceNode:
		return value.Int(int64(len(p.node.Content)))
	}
	return textLength(s.value(p))
}

// matches is whether a pattern is found (sections 2.4.6 and 2.4.7).
func (s *search) matches(v value.Value, p pattern) bool {
	return v.IsString() && s.spend(1+len(v.Text())/16*(1+p.size/4)) && p.MatchString(v.Text())
}
