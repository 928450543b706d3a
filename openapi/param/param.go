// Package param decodes the parameters of a request in every style of OpenAPI
// 3.0 and 3.1 and says what is wrong with them.
//
// [Compile] reads a Parameter Object once; [Param.Decode] takes the raw texts of
// one request, splits them, decodes escapes afterwards (an escaped comma
// separates nothing), gives each part the type that its schema asks for and
// lets the schema judge the whole. A text that does not have the form of an
// array or object stays a text, which the schema then refuses by its type.
//
// Besides the keywords of schemas there are these violations:
//
//   - required: a required parameter was not sent;
//   - encoding: a broken percent escape, or bytes that are not UTF-8;
//   - style: the marks of a label or matrix are missing, or brackets nest
//     deeper than [MaxDepth];
//   - json: the JSON of a content parameter is malformed.
package param

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Location is where in a request a parameter stands.
type Location uint8

const (
	InPath Location = iota
	InQuery
	InHeader
	InCookie
)

var locations = [...]string{"path", "query", "header", "cookie"}

// String is "path", "query", "header" or "cookie", as documents write it.
func (l Location) String() string { return locations[l] }

// styles are those that a location allows, its default first (OpenAPI 3.0.3,
// "Style Values").
var styles = [...][]string{
	InPath:   {"simple", "label", "matrix"},
	InQuery:  {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	InHeader: {"simple"},
	InCookie: {"form"},
}

// A Param is one compiled Parameter Object. It never changes.
type Param struct {
	Name     string
	In       Location
	Required bool // always of path parameters

	// Style, Explode, AllowReserved and AllowEmpty have OpenAPI's defaults
	// filled in. AllowReserved changes nothing here: a server decodes both forms.
	Style                              string
	Explode, AllowReserved, AllowEmpty bool

	Schema  *schema.Schema // of the value; nil for a media type without one
	Content string         // media type of a content parameter, else ""

	Node     *yaml.Node // of the object, behind references
	Position behavior.Position

	json  bool   // the content is JSON
	base  string // Name without a closing []
	forms []form // what the schema lets the value be, in its order
}

// shape is what the text of a value is split into.
type shape uint8

const (
	scalar shape = iota
	array
	object
	untyped // the schema does not tell
)

// A form is one alternative of a schema.
type form struct {
	shape
	schema *schema.Schema
	extra  *schema.Schema // of members that are not declared; may be nil
}

// shapeOf is the shape of the values of a schema, which may be nil.
func shapeOf(s *schema.Schema) shape {
	switch {
	case s == nil:
		return untyped
	case s.Type() == "array":
		return array
	case s.Type() == "object":
		return object
	case s.Type() != "":
		return scalar
	case s.Items() != nil:
		return array
	case len(s.Properties()) > 0:
		return object
	}
	return untyped
}

// Ignored is whether OpenAPI says that a parameter is to be ignored because
// something else in the document describes it: Accept, Content-Type and
// Authorization, in any case, among the headers.
func Ignored(in Location, name string) bool {
	return in == InHeader && (strings.EqualFold(name, "Accept") || strings.EqualFold(name, "Content-Type") || strings.EqualFold(name, "Authorization"))
}

// Compile reads the Parameter Object at n, which may be a reference. Errors
// begin with file:line:column.
func Compile(f *tree.File, set *schema.Set, n *yaml.Node) (*Param, error) {
	n, err := f.Resolve(n)
	if err != nil {
		return nil, err
	}
	if n == nil || n.Kind != yaml.MappingNode {
		if n == nil {
			return nil, fmt.Errorf("%s: there is no parameter", f.Name)
		}
		return nil, f.Errorf(n, "a parameter is %s; want a mapping", tree.Kind(n))
	}
	p := &Param{Name: tree.Text(n, "name"), Node: n, Position: f.Position(n)}
	if p.Name == "" {
		return nil, f.Errorf(n, "a parameter has no name")
	}
	p.base = strings.TrimSuffix(p.Name, "[]")
	if err := p.place(f); err != nil {
		return nil, err
	}
	for _, b := range []struct {
		key string
		to  *bool
	}{
		{"required", &p.Required}, {"explode", &p.Explode}, {"allowReserved", &p.AllowReserved}, {"allowEmptyValue", &p.AllowEmpty},
	} {
		v := tree.Get(n, b.key)
		if v == nil {
			continue
		}
		if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" {
			return nil, f.Errorf(v, "%s of the parameter %q is %s; want true or false", b.key, p.Name, tree.Kind(v))
		}
		t, err := f.Value(v)
		if err != nil {
			return nil, err
		}
		*b.to = t.True()
	}
	p.Required = p.Required || p.In == InPath
	return p, p.describe(f, set)
}

// place reads in and style.
func (p *Param) place(f *tree.File) error {
	in := tree.Text(p.Node, "in")
	i := slices.Index(locations[:], in)
	if i < 0 {
		at := tree.Get(p.Node, "in")
		if at == nil {
			return f.Errorf(p.Node, "the parameter %q has no in; want %s", p.Name, strings.Join(locations[:], ", "))
		}
		return f.Errorf(at, "unknown in %q of the parameter %q; want %s", in, p.Name, strings.Join(locations[:], ", "))
	}
	p.In = Location(i)
	p.Style = styles[p.In][0]
	if at := tree.Get(p.Node, "style"); at != nil {
		p.Style = tree.Text(p.Node, "style")
		if !slices.Contains(styles[p.In], p.Style) {
			return f.Errorf(at, "the style %q of the parameter %q is not for in: %s; want %s",
				p.Style, p.Name, in, strings.Join(styles[p.In], ", "))
		}
	}
	p.Explode = p.Style == "form"
	return nil
}

// describe reads schema or content.
func (p *Param) describe(f *tree.File, set *schema.Set) error {
	of, content := tree.Get(p.Node, "schema"), tree.Get(p.Node, "content")
	switch {
	case of != nil && content != nil:
		return f.Errorf(tree.Key(p.Node, "content"), "the parameter %q has both schema and content; want one of them", p.Name)
	case of == nil && content == nil:
		return f.Errorf(p.Node, "the parameter %q has neither schema nor content; want one of them", p.Name)
	case content != nil:
		if content.Kind != yaml.MappingNode || len(content.Content) != 2 {
			return f.Errorf(content, "content of the parameter %q does not have one media type; want exactly one", p.Name)
		}
		p.Content = content.Content[0].Value
		p.json = isJSON(p.Content)
		media, err := f.Resolve(content.Content[1])
		if err != nil {
			return err
		}
		if of = tree.Get(media, "schema"); of == nil {
			p.forms = []form{{shape: untyped}}
			return nil
		}
	}
	var err error
	if p.Schema, err = set.Compile(of); err != nil {
		return err
	}
	c := collector{f: f, set: set}
	if err := c.collect(of, 0); err != nil {
		return err
	}
	if c.text || len(c.forms) == 0 {
		plain := form{shape: scalar, schema: p.Schema}
		if len(c.forms) == 0 && !c.typed {
			plain.shape = untyped
		}
		c.forms = slices.Insert(c.forms, c.textAt, plain)
	}
	p.forms = c.forms
	return nil
}

// isJSON is whether a media type is JSON or built on it (RFC 6839, 3.1).
func isJSON(media string) bool {
	media, _, _ = strings.Cut(strings.ToLower(media), ";")
	media = strings.TrimSpace(media)
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// A collector finds the alternatives that a schema offers through anyOf, oneOf,
// allOf and lists of types. All that are no array or object are one, for which
// the whole schema finds the type.
type collector struct {
	f     *tree.File
	set   *schema.Set
	forms []form
	text  bool // one is a scalar
	typed bool // … and says so

	textAt int // its place among forms
}

const (
	maxForms = 8 // alternatives that are tried
	maxNest  = 8 // compositions within compositions that are looked into
)

func (c *collector) collect(n *yaml.Node, depth int) error {
	s, err := c.set.Compile(n)
	if err != nil {
		return err
	}
	if n, err = c.f.Resolve(n); err != nil {
		return err
	}
	if tree.Text(n, "type") == "null" {
		return nil
	}
	if s.Type() != "" {
		return c.add(n, s, shapeOf(s))
	}
	if list := tree.Get(n, "type"); list != nil && list.Kind == yaml.SequenceNode {
		for _, t := range tree.Items(list) {
			switch t.Value {
			case "null":
			case "array":
				err = c.add(n, s, array)
			case "object":
				err = c.add(n, s, object)
			default:
				err = c.add(n, s, scalar)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	composed := false
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		for _, b := range tree.Items(tree.Get(n, key)) {
			if depth >= maxNest || len(c.forms) >= maxForms {
				return nil
			}
			composed = composed || key != "allOf"
			if err := c.collect(b, depth+1); err != nil {
				return err
			}
		}
	}
	if composed {
		return nil
	}
	return c.add(n, s, shapeOf(s))
}

func (c *collector) add(n *yaml.Node, s *schema.Schema, as shape) error {
	if as == scalar || as == untyped {
		if !c.text {
			c.text, c.textAt = true, len(c.forms)
		}
		c.typed = c.typed || as == scalar
		return nil
	}
	if len(c.forms) >= maxForms {
		return nil
	}
	for _, have := range c.forms {
		if have.schema == s && have.shape == as {
			return nil
		}
	}
	next := form{shape: as, schema: s}
	if extra := tree.Get(n, "additionalProperties"); as == object && extra != nil && extra.Kind == yaml.MappingNode {
		var err error
		if next.extra, err = c.set.Compile(extra); err != nil {
			return err
		}
	}
	c.forms = append(c.forms, next)
	return nil
}

// coerce is a text as a value of the schema, which may be nil.
func coerce(s *schema.Schema, text string) value.Value {
	if s == nil {
		return value.String(text)
	}
	return s.Coerce(text)
}

// Basis is x-basis: how sure the document is of the parameter; "" for stated.
func (p *Param) Basis() string { return tree.Text(p.Node, "x-basis") }
