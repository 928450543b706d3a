package tree

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior/value"
)

func TestParseErrors(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [1]\n")
	for i := range 30 {
		fmt.Fprintf(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	var ladder strings.Builder
	ladder.WriteString("a0: &a0 [1]\n")
	for i := range 1100 {
		fmt.Fprintf(&ladder, "a%d: &a%d [*a%d]\n", i+1, i+1, i)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "x.yaml: is empty"},
		{"a comment", "# nothing\n", "x.yaml: is empty"},
		{"a list", "- a\n", "x.yaml:1:1: is a list; want a mapping"},
		{"a scalar", "hello", `x.yaml:1:1: is the scalar "hello"; want a mapping`},
		{"null", "~", "x.yaml:1:1: is empty; want a mapping"},
		{"a tab", "a:\n\tb: 1", "x.yaml:2: found character that cannot start any token"},
		{"an open bracket", "a: [1", "x.yaml:1: did not find expected ',' or ']'"},
		{"a key twice", "a: 1\nb: {c: 1, d: 2, c: 3}", `x.yaml:2:17: the key "c" occurs twice (first in line 2)`},
		{"a list as a key", "a: 1\n? [b]\n: 2", "x.yaml:2:3: a key is a list; want a text"},
		{"an unknown anchor", "a: *b", "x.yaml: unknown anchor 'b' referenced"},
		{"an alias of itself", "a: &a\n  b: *a", "x.yaml:2:6: the alias contains itself"},
		{"aliases that multiply", laughs.String(), "x.yaml:16:6: more than 20000000 nodes once the aliases are written out"},
		{"aliases one below another", ladder.String(), "x.yaml:1000:14: nested deeper than 1000 levels"},
		{"a second document", "a: 1\n---\nb: 2", "x.yaml:2:1: a second document begins; want one"},
		{"too deep", "a: " + strings.Repeat("[", 1001) + strings.Repeat("]", 1001), "x.yaml:1:1004: nested deeper than 1000 levels"},
	} {
		_, err := Parse("x.yaml", []byte(tt.text))
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	f, err := Parse("x.yaml", []byte(`
to: {b: {c: 1}, "a/b": 2, "m~n": 3, "p q": 4}
list: [x, {y: 5}]
ok: {$ref: '#/hop'}
hop: {$ref: '#/to/b/c'}
slash: {$ref: '#/to/a~1b'}
tilde: {$ref: '#/to/m~0n'}
space: {$ref: '#/to/p%20q'}
index: {$ref: '#/list/1/y'}
range: {$ref: '#/list/2'}
loop: {$ref: '#/loop'}
none: {$ref: '#/to/x'}
file: {$ref: 'other.yaml#/a'}
scalar: {$ref: '#/to/b/c/d'}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, want string }{
		{"ok", "1"}, {"slash", "2"}, {"tilde", "3"}, {"space", "4"}, {"index", "5"},
		{"range", `x.yaml:10:15: the reference "#/list/2" leads nowhere: there is no "2"`},
		{"loop", "x.yaml:11:7: the reference leads back to itself"},
		{"none", `x.yaml:12:14: the reference "#/to/x" leads nowhere: there is no "x"; have b, a/b, m~n, p q`},
		{"file", `x.yaml:13:14: the reference "other.yaml#/a" does not point into this document; want one that begins with #/`},
		{"scalar", `x.yaml:14:16: the reference "#/to/b/c/d" leads nowhere: there is no "d"`},
	} {
		n, err := f.Resolve(Get(f.Root, tt.from))
		got := fmt.Sprint(err)
		if err == nil {
			got = n.Value
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.from, got, tt.want)
		}
	}
}

func TestValue(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1", "1"}, {"1.50", "1.50"}, {"12345678901234567890123", "12345678901234567890123"}, {"0x1F", "31"}, {"1_000", "1000"}, {"+1", "1"}, {".5", "0.5"}, {"1e3", "1e3"},
		{"true", "true"}, {"yes", `"yes"`}, {"~", "null"}, {"null", "null"}, {`"1"`, `"1"`}, {"2026-01-31", `"2026-01-31"`}, {"2026-01-31T12:00:00Z", `"2026-01-31T12:00:00Z"`},
		{"{b: [1, x], a: {}}", `{"b":[1,"x"],"a":{}}`}, {"|\n  two\n  lines", `"two\nlines"`},
		{".inf", "x.yaml:1:4: .inf is no JSON number"}, {".nan", "x.yaml:1:4: .nan is no JSON number"},
	} {
		f, err := Parse("x.yaml", []byte("v: "+tt.text))
		if err != nil {
			t.Fatal(err)
		}
		v, err := f.Value(Get(f.Root, "v"))
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestSurrogates(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": "\ud83d\uDE00!"}`:    "😀!",
		`{"a": "\\ud83d\\ude00"}`:   `\ud83d\ude00`,
		`{"a": "\\\ud83d\ude00\n"}`: "\\😀\n",
		`a: '\ud83d\ude00'`:         `\ud83d\ude00`,
	} {
		f, err := Parse("x.json", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := Text(f.Root, "a"); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if _, err := Parse("x.json", []byte(`{"a": "\ud83d"}`)); err == nil {
		t.Error("half a pair is read")
	}
}

// TestOrigin: errors and places of a node from another file name that file.
func TestOrigin(t *testing.T) {
	f, err := Parse("x.yaml", []byte("a: {b: 1}"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Parse("y.yaml", []byte("\n\nc: {d: 2, e: 3}"))
	if err != nil {
		t.Fatal(err)
	}
	f.SetOrigin(f.Root, "x.yaml")
	if f.origins != nil {
		t.Error("a node of the file itself is noted")
	}
	d, e := Get(Get(other.Root, "c"), "d"), Get(Get(other.Root, "c"), "e")
	f.SetOrigin(d, other.Name)
	for _, tt := range []struct {
		n    *yaml.Node
		want string
	}{{d, "y.yaml:3:8"}, {e, "x.yaml:3:14"}, {f.Root, "x.yaml:1:1"}, {nil, "x.yaml"}} {
		if got := f.Position(tt.n).String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if got := f.Errorf(d, "is bad").Error(); got != "y.yaml:3:8: is bad" {
		t.Error(got)
	}
}

// TestCheck: a tree that was changed is held to the limits again.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(f *File)
		want   string
	}{
		{"nothing", func(*File) {}, "<nil>"},
		{"a key twice", func(f *File) {
			f.Root.Content = append(f.Root.Content, f.Root.Content[0], f.Root.Content[1])
		}, `x.yaml:1:1: the key "a" occurs twice (first in line 1)`},
		{"a node in itself", func(f *File) {
			a := Get(f.Root, "a")
			a.Anchor = "a"
			a.Content = append(a.Content, &yaml.Node{Kind: yaml.AliasNode, Alias: a, Line: 7, Column: 3})
			f.SetOrigin(a.Content[1], "y.yaml")
		}, "y.yaml:7:3: the alias contains itself"},
	} {
		f, err := Parse("x.yaml", []byte("a: [1]"))
		if err != nil {
			t.Fatal(err)
		}
		tt.change(f)
		if got := fmt.Sprint(f.Check()); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestNil(t *testing.T) {
	var f File
	if v, err := f.Value(nil); err != nil || !v.IsMissing() {
		t.Errorf("the value of nothing is %v, %v", v, err)
	}
	if Get(nil, "a") != nil || Key(nil, "a") != nil || Text(nil, "a") != "" || Kind(nil) != "nothing" {
		t.Error("nothing has something")
	}
}

// FuzzParse checks that what parses can be walked, printed and read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1", `{"a": [1, "\u00e9", null]}`, "a: &x {b: 1}\nc: *x", "a: !!binary aGk=\nb: !x y", "? a\n: b", "a: .inf", "<<: {a: 1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 {
			return
		}
		file, err := Parse("x", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		for k, v := range Pairs(file.Root) {
			if Get(file.Root, k.Value) != v || Key(file.Root, k.Value) != k {
				t.Errorf("%q: the key %q is not found again", data, k.Value)
			}
			if v.Kind == yaml.AliasNode {
				t.Errorf("%q: %q is an alias", data, k.Value)
			}
		}
		v, err := file.Value(file.Root)
		if err != nil {
			return
		}
		if back, err := value.Parse(value.Append(nil, v)); err != nil || !value.Equal(v, back) {
			t.Errorf("%q: the value %s reads as %v, %v", data, v, back, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var doc strings.Builder
	doc.WriteString("paths:\n")
	for i := range 200 {
		fmt.Fprintf(&doc, "  /things%d:\n    get: {operationId: get%d, responses: {'200': {description: ok}}}\n", i, i)
	}
	b.ReportAllocs()
	b.SetBytes(int64(doc.Len()))
	for b.Loop() {
		if _, err := Parse("x", []byte(doc.String())); err != nil {
			b.Fatal(err)
		}
	}
}
