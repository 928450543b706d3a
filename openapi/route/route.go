// Package route finds the path template of an OpenAPI document that a request
// path matches.
//
// It works on the path as the client escaped it ([net/url.URL.EscapedPath]), so
// that %2F does not split a segment. Literal text is compared in the normal
// form of RFC 3986, section 6.2.2: %41 is A, %2f is %2F, and %2F is no slash.
//
// A segment may hold several parameters between literal text ("{a}-{b}",
// "{id}.json", "{id}:cancel"); each matches at least one character, and each but
// the last as few as possible. Which template wins is decided segment by segment
// from the left: one that is wholly literal, then the one with the most literal
// text, then with the longest literal prefix, then suffix, then with more
// parameters; a plain {id} is last. If the rest of the path does not match, the
// next in that order is tried. A closing slash makes another path.
package route

import (
	"fmt"
	"slices"
	"strings"
)

// A Router is a set of path templates. The zero value is empty and ready. Any
// number of goroutines may call Match once no more templates are added.
//
// Match looks at each node of the tree of segments at most once, and only at
// those whose templates match the path so far. So its time grows with the
// path, not with the number of templates, unless many of these begin alike but
// for the place of their parameters; even then it is linear in both.
type Router struct{ root node }

// A node stands behind the same segments of some templates.
type node struct {
	literal map[string]*node // by the next segment, in normal form
	longest int              // bytes of the longest of these
	classes []class          // in the order in which they are tried
	leaf    *leaf            // the template that ends here
}

type leaf struct {
	*template
	id int
}

// A class holds the segments of one rank, so that one look into a map finds the
// few that can fit.
type class struct {
	rank
	edges []edge               // in the order in which they are tried
	ends  map[[2]string][]edge // by prefix and suffix; nil while edges are few
}

type edge struct {
	segment
	to *node
}

const fewEdges = 4

// Add enters a template as the document writes it; a query string or fragment
// in it ("/x?action=y") is ignored. Match answers with id. The error is for
// a text that is no template and for one that matches exactly the paths of
// another.
func (r *Router) Add(text string, id int) error {
	t, err := parse(text)
	if err != nil {
		return err
	}
	n := &r.root
	for _, s := range t.segments {
		n = n.enter(s)
	}
	if n.leaf != nil {
		return fmt.Errorf("path %q: matches the same requests as %q; want only one of them", text, n.leaf.text)
	}
	n.leaf = &leaf{t, id}
	return nil
}

// enter is the node behind s, which it makes if need be.
func (n *node) enter(s segment) *node {
	if s.params() == 0 {
		to := n.literal[s[0]]
		if to == nil {
			to = new(node)
			if n.literal == nil {
				n.literal = make(map[string]*node)
			}
			n.literal[s[0]] = to
			n.longest = max(n.longest, len(s[0]))
		}
		return to
	}
	r := s.rank()
	i, found := slices.BinarySearchFunc(n.classes, r, func(c class, r rank) int { return c.compare(r) })
	if !found {
		n.classes = slices.Insert(n.classes, i, class{rank: r})
	}
	return n.classes[i].enter(s)
}

func (c *class) enter(s segment) *node {
	i, found := slices.BinarySearchFunc(c.edges, s, func(e edge, s segment) int { return slices.Compare(e.segment, s) })
	if found {
		return c.edges[i].to
	}
	e := edge{s, new(node)}
	c.edges = slices.Insert(c.edges, i, e)
	switch {
	case c.ends != nil:
		c.index(e)
	case len(c.edges) > fewEdges:
		c.ends = make(map[[2]string][]edge)
		for _, e := range c.edges {
			c.index(e)
		}
	}
	return e.to
}

func (c *class) index(e edge) {
	ends := [2]string{e.segment[0], e.segment[len(e.segment)-1]}
	same := c.ends[ends]
	i, _ := slices.BinarySearchFunc(same, e.segment, func(o edge, s segment) int { return slices.Compare(o.segment, s) })
	c.ends[ends] = slices.Insert(same, i, e)
}

// Match finds the template of an escaped path. captured is args[:0] with the
// texts of its parameters appended, still escaped, in the template's order;
// nothing is allocated if args has the room and the path is in normal form.
func (r *Router) Match(path string, args []string) (id int, captured []string, ok bool) {
	captured = args[:0]
	if path == "" || path[0] != '/' {
		return 0, captured, false
	}
	text := normal(path)
	found := r.root.find(text[1:])
	if found == nil {
		return 0, captured, false
	}
	if len(found.names) == 0 {
		return found.id, captured, true
	}
	text, path = text[1:], path[1:]
	for _, s := range found.segments {
		var t, raw string
		t, text, _ = strings.Cut(text, "/")
		raw, path, _ = strings.Cut(path, "/")
		if s.params() > 0 {
			captured = s.capture(t, raw, captured)
		}
	}
	return found.id, captured, true
}

// find is the template for a path in normal form without its first slash.
func (n *node) find(path string) *leaf {
	s, rest, more := strings.Cut(path, "/")
	if len(s) <= n.longest {
		if to := n.literal[s]; to != nil {
			if found := to.follow(rest, more); found != nil {
				return found
			}
		}
	}
	for i := range n.classes {
		c := &n.classes[i]
		if len(s) < c.rank.literal+c.params {
			continue
		}
		edges := c.edges
		if c.ends != nil {
			edges = c.ends[[2]string{s[:c.prefix], s[len(s)-c.suffix:]}]
		}
		for j := range edges {
			if !edges[j].fits(s) {
				continue
			}
			if found := edges[j].to.follow(rest, more); found != nil {
				return found
			}
		}
	}
	return nil
}

func (n *node) follow(rest string, more bool) *leaf {
	if !more {
		return n.leaf
	}
	return n.find(rest)
}
