package overlay

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// written is a node as it is written, aliases and all.
func written(n *yaml.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q %q(", n.Kind, n.Anchor, n.Value)
	for _, c := range n.Content {
		b.WriteString(written(c))
	}
	return b.String() + ")"
}

// FuzzApply checks that whatever is laid over whatever ends in an error that
// begins with one of the files, or in a document that keeps the limits and can
// be walked, and that leaves the overlay as it was.
func FuzzApply(f *testing.F) {
	doc := "openapi: 3.1.0\npaths: &p {/a: {get: &g {tags: [x], responses: {'200': *r}}}}\nr: &r {description: ok}\n"
	doc = "r: &r {description: ok}\n" + strings.Replace(doc, "\nr: &r {description: ok}", "\np: *p", 1)
	for _, actions := range []string{
		"- {target: $, update: {paths: {/b: &y {get: {}}, /c: *y}}}",
		"- {target: $.paths['/a'].get.responses['200'], update: {x: 1}}",
		"- {target: '$..tags[?@ == ''x'']', remove: true}",
		"- {target: $.p, copy: $.paths}\n- {target: $..get, update: {a: [1]}}",
		"- {target: '$..[?match(@.description, ''o.'') || count(@.*) > 1][::-1]', remove: true, x-optional: true}",
		"- {target: '$[''a'', \"\\u0041\", -1, 1:2:3, *]', update: }",
		"- {target: $, update: {a: {}}}\n- {target: $.a, copy: $}\n- {target: $..a, copy: $.a}",
	} {
		f.Add([]byte(doc), []byte(head+actions))
	}
	f.Fuzz(func(t *testing.T, data, over []byte) {
		if len(data) > 10_000 || len(over) > 10_000 {
			return
		}
		o, err := Parse("o", over)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "o:") {
				t.Errorf("%q: %v", over, err)
			}
			return
		}
		before := written(o.file.Root)
		file, err := tree.Parse("d", data)
		if err != nil {
			return
		}
		err = o.apply(file, 100_000, 1000, 10_000)
		if after := written(o.file.Root); before != after {
			t.Errorf("%q over %q has become %s", over, data, after)
		}
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "o:") && !strings.HasPrefix(s, "d:") {
				t.Errorf("%q over %q: %v", over, data, err)
			}
			return
		}
		if err := file.Check(); err != nil {
			t.Errorf("%q over %q: %v", over, data, err)
		}
		steps := 1_000_000
		s := &search{file: file, root: &place{node: file.Root}, steps: &steps}
		s.walk(s.root, []segment{{descend: true, selectors: []selector{{kind: wildcard}}}}, func(p *place) bool {
			if p.depth > tree.MaxDepth {
				t.Errorf("%q over %q: a node is at depth %d", over, data, p.depth)
			}
			if name := file.Origin(p.node); name != "o" && name != "d" {
				t.Errorf("%q over %q: a node comes from %q", over, data, name)
			}
			return true
		})
	})
}
