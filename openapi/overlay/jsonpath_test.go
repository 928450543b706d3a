package overlay

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// normal is the normalized path of a place (RFC 9535, section 2.7), but for
// escapes.
func normal(p *place) string {
	if p.parent == nil {
		return "$"
	}
	n := p.parent.node
	if n.Kind == yaml.MappingNode {
		return normal(p.parent) + "['" + n.Content[p.index-1].Value + "']"
	}
	return normal(p.parent) + "[" + strconv.Itoa(p.index) + "]"
}

func parsed(t testing.TB, name, text string) *tree.File {
	t.Helper()
	f, err := tree.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSelect has a row for each kind of selector, and for what RFC 9535 says
// where it is easily got wrong.
func TestSelect(t *testing.T) {
	for _, tt := range []struct{ name, doc, path, want string }{
		{"the root", "a: 1", "$", "$"},
		{"a name", "a: {b: 1}", "$.a.b", "$['a']['b']"},
		{"a name in quotes", "a: {'x-b': 1}", `$['a']["x-b"]`, "$['a']['x-b']"},
		{"a name that is not there", "a: 1", "$.b", ""},
		{"a name in a list", "a: [1]", "$.a.b", ""},
		{"a name that is a number in YAML", "a: {200: 1}", "$.a['200']", "$['a']['200']"},
		{"a name that is not ASCII", "ä: 1", "$.ä", "$['ä']"},
		{"blanks between segments", "a: [{b: 1}]", "$ .a\n[ 0 ]\t.b", "$['a'][0]['b']"},
		{"escapes", `{"a'b": 1, "😀\n": 2}`, `$['a\'b', "\uD83D\uDE00\n"]`, "$['a'b'] $['😀\n']"},
		{"an escaped slash and letter", "a/b: 1", `$['\u0061\/b']`, "$['a/b']"},
		{"the other quote without an escape", `a"b: 1`, `$['a"b']`, `$['a"b']`},
		{"a wildcard of a mapping", "a: 1\nb: [2]", "$.*", "$['a'] $['b']"},
		{"a wildcard of a list", "a: [1, 2]", "$.a[*]", "$['a'][0] $['a'][1]"},
		{"a wildcard of a scalar", "a: 1", "$.a.*", ""},
		{"an index", "a: [1, 2, 3]", "$.a[1]", "$['a'][1]"},
		{"an index from the end", "a: [1, 2, 3]", "$.a[-1]", "$['a'][2]"},
		{"an index too large", "a: [1]", "$.a[1, -2, 9007199254740991]", ""},
		{"an index of a mapping", "a: {0: 1}", "$.a[0]", ""},
		{"several selectors in their order", "a: [1, 2]\nb: 3", "$['b', 'a', 'b']", "$['b'] $['a'] $['b']"},
		{"a slice", "a: [1, 2, 3, 4]", "$.a[1:3]", "$['a'][1] $['a'][2]"},
		{"a slice with a step", "a: [1, 2, 3, 4]", "$.a[::2]", "$['a'][0] $['a'][2]"},
		{"a slice backwards", "a: [1, 2, 3, 4]", "$.a[3:0:-2]", "$['a'][3] $['a'][1]"},
		{"all backwards", "a: [1, 2]", "$.a[::-1]", "$['a'][1] $['a'][0]"},
		{"a slice from the end", "a: [1, 2, 3]", "$.a[-2:]", "$['a'][1] $['a'][2]"},
		{"a slice beyond the end", "a: [1, 2]", "$.a[1:9007199254740991:9007199254740991]", "$['a'][1]"},
		{"a slice with step 0", "a: [1, 2]", "$.a[::0]", ""},
		{"descendants: a node before its children", "a: {b: {b: 1}}\nb: [{b: 2}]", "$..b", "$['b'] $['a']['b'] $['a']['b']['b'] $['b'][0]['b']"},
		{"all descendants", "a: {b: 1}\nc: 2", "$..*", "$['a'] $['c'] $['a']['b']"},
		{"descendants by index", "a: [[1], 2]", "$..[0]", "$['a'][0] $['a'][0][0]"},
		{"below descendants", "a: {b: {c: 1}}", "$..b.c", "$['a']['b']['c']"},
		{"existence", "a: [{b: null}, {c: 1}]", "$.a[?@.b]", "$['a'][0]"},
		{"no existence", "a: [{b: null}, {c: 1}]", "$.a[?!@.b]", "$['a'][1]"},
		{"a filter of a mapping", "a: {x: {b: 1}, y: {b: 2}}", "$.a[?@.b == 2]", "$['a']['y']"},
		{"equal texts", "a: [x, y]", "$.a[?@ == 'y']", "$['a'][1]"},
		{"equal numbers", "a: [1, 1.0, 10e-1, '1', true]", "$.a[?@ == 1]", "$['a'][0] $['a'][1] $['a'][2]"},
		{"equal lists and mappings", "a: [[1, {b: 2, c: 3}]]\nd: [1, {c: 3, b: 2}]", "$.a[?@ == $.d]", "$['a'][0]"},
		{"null is not nothing", "a: [{b: null}, {c: 1}]", "$.a[?@.b == null]", "$['a'][0]"},
		{"nothing is nothing", "a: [{b: 1}, {c: 1}]", "$.a[?@.b == @.x]", "$['a'][1]"},
		{"unequal", "a: [1, 2]", "$.a[?@ != 1]", "$['a'][1]"},
		{"unequal to nothing", "a: [1]", "$.a[?@ != $.b]", "$['a'][0]"},
		{"less", "a: [1, 2, '1', null]", "$.a[?@ < 2]", "$['a'][0]"},
		{"not more", "a: [1, 2, 3]", "$.a[?@ <= 2]", "$['a'][0] $['a'][1]"},
		{"more", "a: [a, b]", "$.a[?@ > 'a']", "$['a'][1]"},
		{"not less", "a: [1, 2, true]", "$.a[?@ >= 2]", "$['a'][1]"},
		{"null is not less, but equal", "a: [null]", "$.a[?@ <= null]", "$['a'][0]"},
		{"true and false", "a: [true, false]", "$.a[?@ == false]", "$['a'][1]"},
		{"a number with an exponent", "a: [-150]", "$.a[?@ == -1.5e2]", "$['a'][0]"},
		{"and before or", "a: [1, 2, 3]", "$.a[?@ == 1 || @ > 1 && @ < 3]", "$['a'][0] $['a'][1]"},
		{"parentheses", "a: [1, 2, 3]", "$.a[?(@ == 1 || @ > 1) && !(@ < 3)]", "$['a'][2]"},
		{"a filter in a filter", "a: [{b: [1]}, {b: [2]}]", "$.a[?@.b[?@ > 1]]", "$['a'][1]"},
		{"the root in a filter", "a: [1, 2]\nb: 2", "$.a[?@ == $.b]", "$['a'][1]"},
		{"length of a text", "a: [ä, ab]", "$.a[?length(@) == 1]", "$['a'][0]"},
		{"length of a list and a mapping", "a: [[1], {b: 1}, 1]", "$.a[?length(@) == 1]", "$['a'][0] $['a'][1]"},
		{"length of a literal", "a: [1]", "$.a[?length('ab') == 2]", "$['a'][0]"},
		{"count", "a: [[1, 2], [3]]", "$.a[?count(@.*) == 2]", "$['a'][0]"},
		{"value", "a: [{b: 1}, {b: 1, c: {b: 1}}]", "$.a[?value(@..b) == 1]", "$['a'][0]"},
		{"match is of the whole", "a: [ab, abc, 1]", "$.a[?match(@, 'a.')]", "$['a'][0]"},
		{"search is of a part", "a: [xaby, xb]", "$.a[?search(@, 'a[b.]')]", "$['a'][0]"},
		{"a pattern of the document that opens what it does not close", "a: [{t: b, p: ')|(b'}]", "$.a[?match(@.t, @.p)]", ""},
		{"alternatives are of the whole, too", "a: [ab, b]", "$.a[?match(@, 'a|b')]", "$['a'][1]"},
		{"a dot is no line feed", `a: ["a\n", "a\r", "ab"]`, "$.a[?match(@, 'a.')]", "$['a'][2]"},
		{"a dot in a class or escaped is a dot", "a: [ab, a.]", `$.a[?match(@, 'a[.]') && match(@, 'a\\.')]`, "$['a'][1]"},
		{"a pattern of the document", "a: [{t: ab, p: a.}, {t: ab, p: '('}, {t: ab, p: 1}]", "$.a[?match(@.t, @.p)]", "$['a'][0]"},
		{"behind an alias", "a: &x {b: 1}\nc: *x", "$.c.b", "$['c']['b']"},
		{"every place of what is aliased", "a: &x {b: 1}\nc: *x", "$..b", "$['a']['b'] $['c']['b']"},
		{"a comparison with an alias", "a: &x [1]\nc: [*x]", "$.c[?@ == $.a]", "$['c'][0]"},
		{"what is no JSON number is nothing", "a: [.inf]", "$.a[?@ == @.b]", "$['a'][0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, bad := parsePath(tt.path)
			if bad != nil {
				t.Fatalf("%s: character %d: %v", tt.path, bad.at, bad)
			}
			steps := 10_000
			f := parsed(t, "x.yaml", tt.doc)
			s := &search{file: f, root: &place{node: f.Root}, steps: &steps}
			var got []string
			s.walk(s.root, q.segments, func(p *place) bool { got = append(got, normal(p)); return true })
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("%s of %s selects %s, want %s", tt.path, tt.doc, g, tt.want)
			}
		})
	}
}

func TestPathErrors(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"", "0: does not begin with $, the root"},
		{"paths", "0: does not begin with $, the root"},
		{"$ ", "1: ' ' is unexpected; want .name, ['name'], [index], [?filter], * or .."},
		{"$.a x", "3: ' ' is unexpected; want .name, ['name'], [index], [?filter], * or .."},
		{"$a", "1: 'a' is unexpected; want .name, ['name'], [index], [?filter], * or .."},
		{"$.", "2: the end cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']"},
		{"$. a", "2: ' ' cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']"},
		{"$.paths./pets", "8: '/' cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']"},
		{"$.1a", "2: '1' cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']"},
		{"$.info.x-logo", "8: '-' cannot stand in a name behind a dot; want brackets and quotes: ['x-…']"},
		{"$..", "3: the end cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']"},
		{"$[", "2: the end is unexpected; want a name in quotes, an index, a slice, * or ?"},
		{"$[]", "2: ']' is unexpected; want a name in quotes, an index, a slice, * or ?"},
		{"$[a]", "2: 'a' is unexpected; want a name in quotes, an index, a slice, * or ?"},
		{"$['a' 'b']", "6: '\\'' is unexpected; want , or ]"},
		{"$['a',]", "6: ']' is unexpected; want a name in quotes, an index, a slice, * or ?"},
		{"$['a", "2: the text that begins here does not end; want '"},
		{"$['a\x01']", "4: '\\x01' must be escaped in a text"},
		{`$['\x']`, `3: this is no escape; want \b, \f, \n, \r, \t, \/, \\, \uXXXX or the quote`},
		{`$['\"']`, `3: this is no escape; want \b, \f, \n, \r, \t, \/, \\, \uXXXX or the quote`},
		{`$['\uD800']`, `3: this is no escape; want \b, \f, \n, \r, \t, \/, \\, \uXXXX or the quote`},
		{`$['\u12`, `3: this is no escape; want \b, \f, \n, \r, \t, \/, \\, \uXXXX or the quote`},
		{"$\xff", "0: is no UTF-8"},
		{"$[01]", "2: 01 is no index; want an integer without leading zeros, below 2^53"},
		{"$[-0]", "2: -0 is no index; want an integer without leading zeros, below 2^53"},
		{"$[-]", "2: - is no index; want an integer without leading zeros, below 2^53"},
		{"$[9007199254740992]", "2: 9007199254740992 is no index; want an integer without leading zeros, below 2^53"},
		{"$[1:2:3:4]", "7: ':' is unexpected; want , or ]"},
		{"$[?]", "3: ']' is unexpected; want @, $, a text in quotes, a number, true, false, null or a function"},
		{"$[?'a']", "3: a value alone is no condition; want a comparison, as in @.name == 'a'"},
		{"$[?length(@)]", "3: a value alone is no condition; want a comparison, as in @.name == 'a'"},
		{"$[?@.a == ]", "10: ']' is unexpected; want @, $, a text in quotes, a number, true, false, null or a function"},
		{"$[?@.a = 1]", "7: '=' is unexpected; want , or ]"},
		{"$[?@.* == 1]", "3: this query can select several nodes; want one with names and indexes only"},
		{"$[?1 == @..a]", "8: this query can select several nodes; want one with names and indexes only"},
		{"$[?@['a','b'] == 1]", "3: this query can select several nodes; want one with names and indexes only"},
		{"$[?@[1:2] == 1]", "3: this query can select several nodes; want one with names and indexes only"},
		{"$[?!@.a == 1]", "4: ! cannot stand before a comparison; want !(…)"},
		{"$[?match(@.a, 'b') == true]", "3: the function is a condition, not a value that can be compared"},
		{"$[?(@.a]", "7: ']' is unexpected; want )"},
		{"$[?@.a && ]", "10: ']' is unexpected; want @, $, a text in quotes, a number, true, false, null or a function"},
		{"$[?@ == 01]", "8: 01 is no number"},
		{"$[?@ == abc]", "8: 'a' is unexpected; want @, $, a text in quotes, a number, true, false, null or a function"},
		{"$[?size(@) == 1]", "3: there is no function size; want length, count, match, search or value"},
		{"$[?count() == 1]", "3: count has 0 arguments; want 1"},
		{"$[?match(@.a)]", "3: match has 1 arguments; want 2"},
		{"$[?count(1) == 1]", "3: the argument of count is no query"},
		{"$[?value('a') == 1]", "3: the argument of value is no query"},
		{"$[?length(@.*) == 1]", "10: this query can select several nodes; want one with names and indexes only"},
		{"$[?match(@, '(')]", "12: \"(\" is no regular expression: error parsing regexp: missing closing ): `(`"},
		{"$[?length(@ == 1]", "12: '=' is unexpected; want ,"},
		{"$" + strings.Repeat("[?@", 60), "151: nested deeper than 100 levels"},
		{"$[?" + strings.Repeat("(", 200), "102: nested deeper than 100 levels"},
		{"$[?" + strings.Repeat("count(", 200), "597: nested deeper than 100 levels"},
	} {
		_, err := parsePath(tt.path)
		got := "nothing"
		if err != nil {
			got = fmt.Sprintf("%d: %v", err.at, err)
		}
		if got != tt.want {
			t.Errorf("%.40q: got %s, want %s", tt.path, got, tt.want)
		}
	}
}
