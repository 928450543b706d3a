package overlay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/openapi/tree"
)

const head = "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions:\n"

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"YAML", head + "- {target: $, update: {a: 1}}", ""},
		{"JSON", `{"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [{"target": "$.a", "remove": true}]}`, ""},
		{"all that there is", "overlay: 1.1.7\ninfo: {title: t, version: 1.0, description: d, x-a: 1}\nextends: ./a.yaml\nx-b: 2\nactions: [{target: $, description: d, update: 1, remove: false, x-c: 3, x-optional: true}]", ""},
		{"an update with null", head + "- {target: $.a, update: null}", ""},
		{"nothing", "", "o.yaml: is empty"},
		{"another document", "openapi: 3.1.0", "o.yaml:1:1: there is no overlay, so this is no Overlay document; want overlay: 1.1.0"},
		{"a version that is too short", "overlay: 1.0", `o.yaml:1:10: overlay is the scalar "1.0"; want 1.0.x or 1.1.x, such as 1.1.0`},
		{"a later version", "overlay: 1.2.0", `o.yaml:1:10: overlay is the scalar "1.2.0"; want 1.0.x or 1.1.x, such as 1.1.0`},
		{"a version that is a list", "overlay: [1.0.0]", `o.yaml:1:10: overlay is a list; want 1.0.x or 1.1.x, such as 1.1.0`},
		{"an unknown key", "overlay: 1.0.0\naction: []", `o.yaml:2:1: the overlay: unknown key "action"; want overlay, info, extends, actions`},
		{"no info", "overlay: 1.0.0", "o.yaml:1:1: the overlay has no info; want one with title and version"},
		{"info that is a text", "overlay: 1.0.0\ninfo: t", `o.yaml:2:7: info: is the scalar "t"; want a mapping with title, version, description`},
		{"info without title", "overlay: 1.0.0\ninfo: {version: 1}", "o.yaml:2:7: info: has no title; want a text"},
		{"info with an empty version", "overlay: 1.0.0\ninfo: {title: t, version: }", "o.yaml:2:27: info: has no version; want a text"},
		{"info with an unknown key", "overlay: 1.0.0\ninfo: {name: t}", `o.yaml:2:8: info: unknown key "name"; want title, version, description`},
		{"a description of info that is a list", "overlay: 1.0.0\ninfo: {title: t, version: 1, description: []}", "o.yaml:2:43: info: description is a list; want a text"},
		{"extends that is a list", "overlay: 1.0.0\ninfo: {title: t, version: 1}\nextends: [a]", "o.yaml:3:10: the overlay: extends is a list; want a text"},
		{"no actions", "overlay: 1.0.0\ninfo: {title: t, version: 1}", "o.yaml:1:1: the overlay has no actions; want a list of at least one"},
		{"an empty list of actions", "overlay: 1.0.0\ninfo: {title: t, version: 1}\nactions: []", "o.yaml:3:10: the overlay has no actions; want a list of at least one"},
		{"an action that is a text", head + "- $", `o.yaml:4:3: an action: is the scalar "$"; want a mapping with target, description, update, remove, copy, x-optional`},
		{"an action with an unknown key", head + "- {target: $, add: 1}", `o.yaml:4:15: an action: unknown key "add"; want target, description, update, remove, copy, x-optional`},
		{"an action without a target", head + "- {update: 1}", "o.yaml:4:3: an action: has no target; want a JSONPath query such as $.paths['/pets'].get"},
		{"a target that is a list", head + "- {target: [$], update: 1}", "o.yaml:4:12: an action: target is a list; want a text"},
		{"a description that is a number", head + "- {target: $, update: 1, description: 1}", `o.yaml:4:39: an action: description is the scalar "1"; want a text`},
		{"remove that is a text", head + "- {target: $, remove: sure}", `o.yaml:4:23: an action: remove is the scalar "sure"; want true or false`},
		{"x-optional that is a text", head + "- {target: $, update: 1, x-optional: sure}", `o.yaml:4:38: an action: x-optional is the scalar "sure"; want true or false`},
		{"nothing to do", head + "- {target: $}", "o.yaml:4:3: an action: has 0 of update, copy and remove: true; want one"},
		{"remove: false alone", head + "- {target: $, remove: false}", "o.yaml:4:3: an action: has 0 of update, copy and remove: true; want one"},
		{"two things to do", head + "- {target: $, update: 1, remove: true}", "o.yaml:4:3: an action: has 2 of update, copy and remove: true; want one"},
		{"copy in 1.0", strings.Replace(head, "1.1.0", "1.0.0", 1) + "- {target: $, copy: $.a}", "o.yaml:4:15: an action: copy is of Overlay 1.1; want overlay: 1.1.0"},
		{"a query that is none", head + "- {target: $.a.x-b, update: 1}", `o.yaml:4:17: target "$.a.x-b": '-' cannot stand in a name behind a dot; want brackets and quotes: ['x-…']`},
		{"one in quotes, with quotes before the fault", head + "- {target: '$[''a'']x', update: 1}", `o.yaml:4:21: target "$['a']x": 'x' is unexpected; want .name, ['name'], [index], [?filter], * or ..`},
		{"one in double quotes with escapes", head + `- {target: "$[\"a\"]x", update: 1}`, `o.yaml:4:12: target "$["a"]x": 'x' is unexpected; want .name, ['name'], [index], [?filter], * or ..`},
		{"one in a block", head + "- target: |-\n    $x\n  update: 1", `o.yaml:4:11: target "$x": 'x' is unexpected; want .name, ['name'], [index], [?filter], * or ..`},
		{"a long one", head + "- {target: " + strings.Repeat("x", 200) + ", update: 1}", `o.yaml:4:12: target "` + strings.Repeat("x", 80) + `…": does not begin with $, the root`},
		{"a copy that is none", head + "- {target: $, copy: a}", `o.yaml:4:21: copy "a": does not begin with $, the root`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := Parse("o.yaml", []byte(tt.text))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want || (o == nil) != (err != nil) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// laid is the JSON of a document with an overlay of these actions, or the error.
func laid(t *testing.T, doc, actions string) string {
	t.Helper()
	f := parsed(t, "d.yaml", doc)
	o, err := Parse("o.yaml", []byte(head+actions))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Apply(f); err != nil {
		return err.Error()
	}
	v, err := f.Value(f.Root)
	if err != nil {
		t.Fatal(err)
	}
	return v.String()
}

// TestApply holds what the specification says of Action Objects.
func TestApply(t *testing.T) {
	for _, tt := range []struct{ name, doc, actions, want string }{
		{"what only the document has stays", "a: {b: 1}", "- {target: $.a, update: {c: 2}}", `{"a":{"b":1,"c":2}}`},
		{"a scalar replaces a scalar", "a: {b: 1}", "- {target: $.a, update: {b: x}}", `{"a":{"b":"x"}}`},
		{"null is a scalar", "a: {b: 1}", "- {target: $.a, update: {b: null}}", `{"a":{"b":null}}`},
		{"mappings are merged all the way down", "a: {b: {c: 1, d: 2}}", "- {target: $, update: {a: {b: {d: 3, e: 4}}}}", `{"a":{"b":{"c":1,"d":3,"e":4}}}`},
		{"lists in them are put together", "a: {b: [1]}", "- {target: $.a, update: {b: [1, 2]}}", `{"a":{"b":[1,1,2]}}`},
		{"a list is appended to a list", "a: [1]", "- {target: $.a, update: [2, 3]}", `{"a":[1,2,3]}`},
		{"a mapping is one more element", "a: [1]", "- {target: $.a, update: {b: 2}}", `{"a":[1,{"b":2}]}`},
		{"a scalar is one more element", "a: [1]", "- {target: $.a, update: 2}", `{"a":[1,2]}`},
		{"a list in a list is one element", "a: [1]", "- {target: $.a, update: [[2, 3]]}", `{"a":[1,[2,3]]}`},
		{"a scalar is replaced", "a: {b: 1}", "- {target: $.a.b, update: true}", `{"a":{"b":true}}`},
		{"an element is replaced", "a: [1, 2, 1]", "- {target: '$.a[?@ == 1]', update: 3}", `{"a":[3,2,3]}`},
		{"every target", "a: {x: {b: 1}, y: {b: 2}}", "- {target: $.a.*, update: {c: [0]}}\n- {target: $.a.x.c, update: 1}", `{"a":{"x":{"b":1,"c":[0,1]},"y":{"b":2,"c":[0]}}}`},
		{"a target that is selected twice", "a: [1]", "- {target: \"$['a', 'a']\", update: 2}", `{"a":[1,2]}`},
		{"a target in another target", "a: {a: {}}", "- {target: $..a, update: {b: 1}}", `{"a":{"a":{"b":1},"b":1}}`},
		{"a target that the same action made", "a: {}", "- {target: '$..*', update: {a: {}}}", `{"a":{"a":{}}}`},
		{"a key that is a number in YAML", "a: {200: {b: 1}}", "- {target: $.a, update: {'200': {c: 2}}}", `{"a":{"200":{"b":1,"c":2}}}`},
		{"one after the other", "a: 1", "- {target: $.a, remove: true}\n- {target: $, update: {a: [2]}}", `{"a":[2]}`},
		{"a member is removed", "a: {b: 1, c: 2}", "- {target: $.a.b, remove: true}", `{"a":{"c":2}}`},
		{"elements are removed", "a: [1, 2, 3, 1]", "- {target: '$.a[?@ == 1]', remove: true}", `{"a":[2,3]}`},
		{"elements are removed by index", "a: [1, 2, 3]", "- {target: '$.a[0, 2, -1]', remove: true}", `{"a":[2]}`},
		{"what is in another target is removed with it", "a: {b: {b: 1}, c: 2}", "- {target: $..b, remove: true}", `{"a":{"c":2}}`},
		{"everything is removed", "a: {b: 1}\nc: 2", "- {target: '$..*', remove: true}", `{}`},
		{"a copy is merged", "a: {b: 1, c: [1]}\nd: {c: [2]}", "- {target: $.d, copy: $.a}", `{"a":{"b":1,"c":[1]},"d":{"c":[2,1],"b":1}}`},
		{"a copy into itself", "a: {b: 1}", "- {target: $.a, update: {c: {}}}\n- {target: $.a.c, copy: $.a}", `{"a":{"b":1,"c":{"b":1,"c":{}}}}`},
		{"a copied scalar", "a: 1\nb: 2", "- {target: $.b, copy: $.a}", `{"a":1,"b":1}`},
		{"a copied element", "a: [1]", "- {target: $.a, copy: '$.a[0]'}", `{"a":[1,1]}`},
		{"a move", "a: {b: 1}", "- {target: $, update: {c: {}}}\n- {target: $.c, copy: $.a}\n- {target: $.a, remove: true}", `{"c":{"b":1}}`},
		{"a copy changes alone", "a: {b: {}}\nc: {}", "- {target: $.c, copy: $.a}\n- {target: $.c.b, update: {d: 1}}", `{"a":{"b":{}},"c":{"b":{"d":1}}}`},
		{"two uses of an update do not share", "a: {}\nb: {}", "- {target: $.*, update: {c: {}}}\n- {target: $.a.c, update: {d: 1}}", `{"a":{"c":{"d":1}},"b":{"c":{}}}`},
		{"nothing selected, as allowed", "a: 1", "- {target: $.b, update: 1, x-optional: true}\n- {target: $.b, remove: true, x-optional: true}", `{"a":1}`},

		{"a change at an anchor is not one at its aliases", "a: &x {b: 1}\nc: *x", "- {target: $.a, update: {d: 2}}", `{"a":{"b":1,"d":2},"c":{"b":1}}`},
		{"a change behind an alias is one there alone", "a: &x {b: {c: 1}}\nd: *x\ne: *x", "- {target: $.d.b, update: {f: 2}}", `{"a":{"b":{"c":1}},"d":{"b":{"c":1,"f":2}},"e":{"b":{"c":1}}}`},
		{"a change below an anchor", "a: &x {b: {c: 1}}\nd: *x", "- {target: $.a.b.c, update: 2}", `{"a":{"b":{"c":2}},"d":{"b":{"c":1}}}`},
		{"removal behind an alias", "a: &x [1, 2]\nb: *x", "- {target: '$.b[0]', remove: true}", `{"a":[1,2],"b":[2]}`},
		{"removal of an anchor", "a: &x [1]\nb: *x", "- {target: $.a, remove: true}", `{"b":[1]}`},
		{"removal of an alias", "a: &x [1]\nb: *x", "- {target: $.b, remove: true}", `{"a":[1]}`},
		{"an alias that is merged into", "a: &x {b: [1]}\nc: {d: *x}", "- {target: $.c, update: {d: {b: [2]}}}", `{"a":{"b":[1]},"c":{"d":{"b":[1,2]}}}`},
		{"an aliased scalar that is replaced", "a: &x 1\nb: *x", "- {target: $.b, update: 2}", `{"a":1,"b":2}`},
		{"an anchored scalar that is replaced", "a: &x 1\nb: *x", "- {target: $.a, update: 2}", `{"a":2,"b":1}`},
		{"aliases of the overlay", "a: {}\nb: []", "- {target: $.a, update: {c: &y {d: 1}, e: *y}}\n- {target: $.a.c, update: {f: 2}}\n- {target: $.b, update: *y}", `{"a":{"c":{"d":1,"f":2},"e":{"d":1}},"b":[{"d":1}]}`},
		{"an action that is an alias", "a: []\nb: []", "- {target: $.a, update: &y [1]}\n- {target: $.b, update: *y}", `{"a":[1],"b":[1]}`},
		{"a copy of what holds an alias", "a: &x [1]\nb: {c: *x}\nd: {}", "- {target: $.d, copy: $.b}\n- {target: $.d.c, update: 2}", `{"a":[1],"b":{"c":[1]},"d":{"c":[1,2]}}`},
		{"an alias and its anchor are both targets", "a: &x {}\nb: *x", "- {target: $.*, update: {c: 1}}", `{"a":{"c":1},"b":{"c":1}}`},

		{"nothing selected", "a: 1", "- {target: $.b, update: 1}", `o.yaml:4:12: the target "$.b" selects nothing; want one that does, or x-optional: true beside it`},
		{"nothing selected for removal", "a: 1", "- {target: $.b, remove: true}", `o.yaml:4:12: the target "$.b" selects nothing; want one that does, or x-optional: true beside it`},
		{"targets of several kinds", "a: [1]\nb: {}", "- {target: $.*, update: 1}", `o.yaml:4:12: the target "$.*" selects a list (d.yaml:1:4) and a mapping (d.yaml:2:4); want only mappings, only lists or only scalars`},
		{"a scalar into a mapping", "a: {}", "- {target: $.a, update: 1}", `o.yaml:4:25: update: the scalar "1" cannot be merged into a mapping (d.yaml:1:4); want the same kind, or an action that removes that first`},
		{"a list into a mapping", "a: {}", "- {target: $.a, update: []}", `o.yaml:4:25: update: a list cannot be merged into a mapping (d.yaml:1:4); want the same kind, or an action that removes that first`},
		{"a mapping into a scalar", "a: 1", "- {target: $.a, update: {b: 1}}", `o.yaml:4:25: update: a mapping cannot be merged into the scalar "1" (d.yaml:1:4); want the same kind, or an action that removes that first`},
		{"a mapping into a list below the top", "a: {b: []}", "- {target: $.a, update: {b: {c: 1}}}", `o.yaml:4:26: update: a mapping cannot be merged into a list (d.yaml:1:8); want the same kind, or an action that removes that first`},
		{"null into a mapping", "a: {b: {}}", "- {target: $.a, update: {b: }}", `o.yaml:4:26: update: empty cannot be merged into a mapping (d.yaml:1:8); want the same kind, or an action that removes that first`},
		{"a list into the root", "a: 1", "- {target: $, update: [1]}", `o.yaml:4:23: update: a list cannot be merged into a mapping (d.yaml:1:1); want the same kind, or an action that removes that first`},
		{"what an earlier action left", "a: 1", "- {target: $, update: {b: []}}\n- {target: $, update: {b: 1}}", `o.yaml:5:24: update: the scalar "1" cannot be merged into a list (o.yaml:4:27); want the same kind, or an action that removes that first`},
		{"a copy of another kind", "a: 1\nb: {}", "- {target: $.b, copy: $.a}", `o.yaml:4:23: copy: the scalar "1" cannot be merged into a mapping (d.yaml:2:4); want the same kind, or an action that removes that first`},
		{"a copy of nothing", "a: 1", "- {target: $, copy: $.b}", `o.yaml:4:21: copy "$.b" selects 0 nodes; want one`},
		{"a copy of several", "a: [1, 2]", "- {target: $.a, copy: '$.a[*]'}", `o.yaml:4:23: copy "$.a[*]" selects 2 nodes; want one`},
		{"removal of the root", "a: 1", "- {target: $, remove: true}", "o.yaml:4:12: the root cannot be replaced or removed; want what is in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := laid(t, tt.doc, tt.actions); got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestOnce: the overlay itself does not change, and no two documents share.
func TestOnce(t *testing.T) {
	o, err := Parse("o.yaml", []byte(head+"- {target: $, update: {a: {b: [1]}}}\n- {target: $.a.b, update: 2}"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*tree.File
	for range 2 {
		f := parsed(t, "d.yaml", "{}")
		if err := o.Apply(f); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		if v, _ := f.Value(f.Root); v.String() != `{"a":{"b":[1,2]}}` {
			t.Errorf("got %v", v)
		}
	}
	if a, b := tree.Get(files[0].Root, "a"), tree.Get(files[1].Root, "a"); a == b {
		t.Error("two documents share a node")
	}
}

// TestPlaces: what the overlay wrote is in the overlay's file, the rest where it
// was, behind aliases too.
func TestPlaces(t *testing.T) {
	f := parsed(t, "d.yaml", "a: &x {b: 1}\nc: *x\n")
	o, err := Parse("o.yaml", []byte(head+"- target: $.c\n  update:\n    d: &y [2]\n    e: *y\n    b: 3\n- {target: $, update: {g: {}}}\n- {target: $.g, copy: $.c}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Apply(f); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"$.a.b", "d.yaml:1:11"}, {"$.c", "d.yaml:1:4"}, {"$.c.b", "o.yaml:8:8"}, {"$.c.d", "o.yaml:6:8"},
		{"$.c.d[0]", "o.yaml:6:12"}, {"$.c.e", "o.yaml:6:8"}, {"$.c.e[0]", "o.yaml:6:12"}, {"$.g", "o.yaml:9:27"}, {"$.g.e[0]", "o.yaml:6:12"}, {"$", "d.yaml:1:1"},
	} {
		q, bad := parsePath(tt.path)
		if bad != nil {
			t.Fatal(bad)
		}
		steps := 100
		s := &search{file: f, root: &place{node: f.Root}, steps: &steps}
		p := s.one(q, s.root)
		if p == nil {
			t.Errorf("%s: nothing", tt.path)
		} else if got := f.Position(p.node).String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
		}
	}
	if k := tree.Key(tree.Get(f.Root, "c"), "d"); f.Position(k).String() != "o.yaml:6:5" {
		t.Errorf("the key d is at %v", f.Position(k))
	}
	if k := tree.Key(tree.Get(f.Root, "c"), "b"); f.Position(k).String() != "d.yaml:1:8" {
		t.Errorf("the key b is at %v", f.Position(k))
	}
}

// TestLimits: what would cost too much ends with an error, and soon.
func TestLimits(t *testing.T) {
	deep := "a: " + strings.Repeat("{a: ", 900) + "{}" + strings.Repeat("}", 900)
	double := strings.Repeat("- {target: $, update: {b: {}}}\n- {target: $.b, copy: $}\n- {target: $.a, copy: $.b}\n", 30)
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [1]\n")
	for i := range 13 {
		fmt.Fprintf(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	for _, tt := range []struct{ name, doc, actions, want string }{
		{"a filter in a filter of everything", "a: [" + strings.Repeat("1,", 500) + "1]", "- {target: '$..[?$..[?$..x]]', update: 1}", "o.yaml:4:12: the targets so far need too many steps; want simpler ones"},
		{"the same again and again", "a: " + strings.Repeat("[", 20) + strings.Repeat("]", 20), "- {target: '$" + strings.Repeat("[*, *]", 15) + "', update: 1}", "o.yaml:4:12: selects more than 1000 nodes"},
		{"many places of one alias", laughs.String(), "- {target: '$..*', update: 2}", "o.yaml:4:12: selects more than 1000 nodes"},
		{"comparisons of large values", laughs.String(), "- {target: '$.a1[?$.a13 == $.a12]', update: 2}", "o.yaml:4:12: the targets so far need too many steps; want simpler ones"},
		{"a pattern that is slow", "a: ['" + strings.Repeat("a", 5000) + "']", "- {target: \"$.a[?match(@, '(a?){1000}b')]\", update: 2}", "o.yaml:4:12: the targets so far need too many steps; want simpler ones"},
		{"patterns of the document", "a: ['" + strings.Repeat("a?", 1000) + "']", "- {target: '$.a[?match(@, @)]', update: 2}", "o.yaml:4:12: the targets so far need too many steps; want simpler ones"},
		{"an update of many places", "a: [" + strings.Repeat("{},", 900) + "{}]", "- {target: '$.a[*]', update: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}", "o.yaml:4:12: the actions so far add too many nodes to the document"},
		{"copies that double", "a: {}", double, "o.yaml:27:12: the actions so far add too many nodes to the document"},
		{"one below the other", deep, "- {target: $, update: {b: {}}}\n- {target: '$" + strings.Repeat(".a", 300) + "', copy: $}", "o.yaml:5:12: the result is nested deeper than 1000 levels"},
		{"an alias below what is deep", deep + "\nb: &b " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "\nc: {z: *b}", "- {target: '$" + strings.Repeat(".a", 600) + "', copy: $.c}", "d.yaml:2:407: nested deeper than 1000 levels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parsed(t, "d.yaml", tt.doc)
			o, err := Parse("o.yaml", []byte(head+tt.actions))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(o.apply(f, 100_000, 1000, 5000)); !strings.HasPrefix(got, tt.want) {
				t.Errorf("\ngot  %.200s\nwant %s", got, tt.want)
			}
		})
	}
}
