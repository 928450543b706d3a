package schema

import (
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// compiler is one run of [Set.Compile]. Schemas that are met for the first time
// are queued instead of entered, so that neither recursion nor long chains of
// references cost stack.
type compiler struct {
	*Set
	fresh []*Schema
}

// annotations are the members beside a $ref that change nothing.
var annotations = map[string]bool{
	"$ref": true, "description": true, "summary": true, "title": true, "example": true, "examples": true,
	"deprecated": true, "externalDocs": true, "xml": true, "$comment": true,
}

func hasSiblings(n *yaml.Node) bool {
	for k := range tree.Pairs(n) {
		if !annotations[k.Value] && (!strings.HasPrefix(k.Value, "x-") || k.Value == "x-trim" || k.Value == "x-keep-as") {
			return true
		}
	}
	return false
}

// schema is the schema at n, perhaps not yet filled.
func (c *compiler) schema(n *yaml.Node) (*Schema, error) {
	start := n
	for hops := 0; ; hops++ {
		n = tree.Follow(n)
		ref := tree.Get(n, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode || hasSiblings(n) {
			break
		}
		if hops > 100 {
			return nil, c.file.Errorf(start, "the reference leads back to itself")
		}
		to, err := c.file.Lookup(ref.Value)
		if err != nil {
			return nil, c.file.Errorf(ref, "%v", err)
		}
		n = to
	}
	if s, ok := c.done[n]; ok {
		return s, nil
	}
	s := &Schema{node: n, pos: c.file.Position(n)}
	c.done[n] = s
	c.fresh = append(c.fresh, s)
	return s, nil
}

func (c *compiler) fill(s *Schema) error {
	n := s.node
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		v, err := c.file.Value(n)
		s.never = !v.True()
		return err
	}
	if n.Kind != yaml.MappingNode {
		return c.file.Errorf(n, "a schema is %s; want a mapping", tree.Kind(n))
	}
	for k, v := range tree.Pairs(n) {
		if err := c.keyword(s, k.Value, v); err != nil {
			return err
		}
	}
	if err := c.bounds(s); err != nil {
		return err
	}
	if err := c.nulls(s); err != nil {
		return err
	}
	if err := c.format(s); err != nil {
		return err
	}
	if err := c.required(s); err != nil {
		return err
	}
	return c.discriminator(s)
}

func (c *compiler) keyword(s *Schema, key string, v *yaml.Node) (err error) {
	switch key {
	case "$ref":
		// Siblings: the reference is one more part of allOf.
		if v.Kind != yaml.ScalarNode {
			return c.file.Errorf(v, "$ref is %s; want a text", tree.Kind(v))
		}
		to, err := c.file.Lookup(v.Value)
		if err != nil {
			return c.file.Errorf(v, "%v", err)
		}
		target, err := c.schema(to)
		if err != nil {
			return err
		}
		s.allOf = append(s.allOf, target)
		s.allOfFirst = s.obj == nil
	case "type":
		return c.types(s, v)
	case "enum":
		return c.enum(s, v)
	case "const":
		s.constant, err = c.file.Value(v)
	case "default":
		s.of.fallback, err = c.file.Value(v)
	case "readOnly":
		s.of.readOnly, err = c.bool(key, v)
	case "writeOnly":
		s.of.writeOnly, err = c.bool(key, v)
	case "x-trim":
		s.trim, err = c.bool(key, v)
	case "x-keep-as":
		if v.Kind != yaml.ScalarNode || v.Value == "" {
			return c.file.Errorf(v, "x-keep-as is %s; want the name of a member", tree.Kind(v))
		}
		s.of.keepAs = v.Value
	case "minLength":
		r := s.texts()
		r.min, r.minV, err = c.count(key, v)
	case "maxLength":
		r := s.texts()
		r.max, r.maxV, err = c.count(key, v)
	case "pattern":
		r := s.texts()
		r.pattern, err = c.pattern(v)
		r.patternV = value.String(v.Value)
	case "multipleOf":
		r := s.numbers()
		if r.multiple, err = c.number(key, v); err == nil && value.Compare(r.multiple, value.Int(0)) <= 0 {
			return c.file.Errorf(v, "multipleOf is %s; want a number greater than 0", v.Value)
		}
	case "minItems":
		r := s.arrays()
		r.min, r.minV, err = c.count(key, v)
	case "maxItems":
		r := s.arrays()
		r.max, r.maxV, err = c.count(key, v)
	case "uniqueItems":
		s.arrays().unique, err = c.bool(key, v)
	case "items":
		s.arrays().items, err = c.schema(v)
	case "prefixItems":
		s.arrays().prefix, err = c.list(key, v)
	case "contains":
		s.arrays().contains, err = c.schema(v)
	case "minContains":
		r := s.arrays()
		r.minContains, r.minContainsV, err = c.count(key, v)
	case "maxContains":
		r := s.arrays()
		r.maxContains, r.maxContainsV, err = c.count(key, v)
	case "minProperties":
		r := s.objects()
		r.min, r.minV, err = c.count(key, v)
	case "maxProperties":
		r := s.objects()
		r.max, r.maxV, err = c.count(key, v)
	case "additionalProperties":
		s.objects().extra, err = c.schema(v)
	case "propertyNames":
		s.objects().names, err = c.schema(v)
	case "properties", "patternProperties", "dependentRequired", "dependentSchemas":
		return c.members(s, key, v)
	case "allOf":
		list, err := c.list(key, v)
		s.allOf = append(s.allOf, list...)
		s.allOfFirst = s.allOfFirst || s.obj == nil || len(s.obj.props) == 0
		return err
	case "anyOf":
		s.combos().anyOf, err = c.list(key, v)
	case "oneOf":
		s.combos().oneOf, err = c.list(key, v)
	case "not":
		s.combos().not, err = c.schema(v)
	case "if":
		s.combos().cond, err = c.schema(v)
	case "then":
		s.combos().then, err = c.schema(v)
	case "else":
		s.combos().other, err = c.schema(v)
	}
	return err
}

func (s *Schema) texts() *textRules {
	if s.str == nil {
		s.str = &textRules{max: -1}
	}
	return s.str
}

func (s *Schema) numbers() *numberRules {
	if s.num == nil {
		s.num = &numberRules{}
	}
	return s.num
}

func (s *Schema) arrays() *arrayRules {
	if s.arr == nil {
		s.arr = &arrayRules{max: -1, minContains: 1, minContainsV: value.Int(1), maxContains: -1}
	}
	return s.arr
}

func (s *Schema) objects() *objectRules {
	if s.obj == nil {
		s.obj = &objectRules{max: -1}
	}
	return s.obj
}

func (s *Schema) combos() *combinations {
	if s.comb == nil {
		s.comb = &combinations{}
	}
	return s.comb
}

func (c *compiler) bool(key string, n *yaml.Node) (bool, error) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		return false, c.file.Errorf(n, "%s is %s; want true or false", key, tree.Kind(n))
	}
	v, err := c.file.Value(n)
	return v.True(), err
}

func (c *compiler) number(key string, n *yaml.Node) (value.Value, error) {
	if n.Kind == yaml.ScalarNode {
		if v, err := c.file.Value(n); err == nil && v.IsNumber() {
			return v, nil
		}
	}
	return value.Value{}, c.file.Errorf(n, "%s is %s; want a number", key, tree.Kind(n))
}

func (c *compiler) count(key string, n *yaml.Node) (int, value.Value, error) {
	v, err := c.number(key, n)
	i, ok := v.Int()
	if err != nil || !ok || i < 0 || i > 1<<53 {
		return 0, v, c.file.Errorf(n, "%s is %s; want a whole number, 0 or more", key, tree.Kind(n))
	}
	return int(i), value.Int(i), nil
}

func (c *compiler) list(key string, n *yaml.Node) ([]*Schema, error) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return nil, c.file.Errorf(n, "%s is %s; want a list of schemas", key, tree.Kind(n))
	}
	list := make([]*Schema, 0, len(n.Content))
	for _, e := range tree.Items(n) {
		s, err := c.schema(e)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (c *compiler) pattern(n *yaml.Node) (*pattern, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, c.file.Errorf(n, "pattern is %s; want a text", tree.Kind(n))
	}
	p, err := compilePattern(n.Value)
	if err != nil {
		return nil, c.file.Errorf(n, "the pattern %q does not compile: %v", n.Value, err)
	}
	return p, nil
}

const typeChoices = "array, boolean, integer, null, number, object, string"

func (c *compiler) types(s *Schema, n *yaml.Node) error {
	names := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		names = n.Content
	}
	var wanted []value.Value
	for _, name := range names {
		name = tree.Follow(name)
		text := name.Value
		bit, ok := typeBits[text]
		if !ok || name.Kind != yaml.ScalarNode {
			return c.file.Errorf(name, "unknown type %q; want %s", text, typeChoices)
		}
		s.types |= bit
		if bit != nullType {
			s.of.typeList = append(s.of.typeList, text)
			wanted = append(wanted, value.String(text))
		}
	}
	switch len(wanted) {
	case 0:
		if s.types == 0 {
			return c.file.Errorf(n, "type is an empty list; want %s", typeChoices)
		}
		s.wanted = value.String("null")
	case 1:
		s.wanted = wanted[0]
	default:
		s.wanted = value.Array(wanted...)
	}
	return nil
}

func (c *compiler) enum(s *Schema, n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return c.file.Errorf(n, "enum is %s; want a list", tree.Kind(n))
	}
	list, err := c.file.Value(n)
	if err != nil {
		return err
	}
	s.enumList, s.enum = list, list.Elems()
	if s.enum == nil {
		s.enum = []value.Value{}
	}
	const small = 8
	if len(s.enum) <= small || slices.ContainsFunc(s.enum, func(v value.Value) bool { return !v.IsString() }) {
		return nil
	}
	s.enumTexts = make(map[string]bool, len(s.enum))
	for _, v := range s.enum {
		s.enumTexts[v.Text()] = true
	}
	return nil
}

// nulls reads nullable. Beside a type it adds null, also to an enum that lacks
// it; beside $ref and compositions, where OpenAPI 3.0.3 gives it no meaning,
// documents mean the same by it. Elsewhere it says nothing.
func (c *compiler) nulls(s *Schema) error {
	n := tree.Get(s.node, "nullable")
	if n == nil {
		return nil
	}
	nullable, err := c.bool("nullable", n)
	composed := len(s.allOf) > 0 || s.comb != nil && (s.comb.anyOf != nil || s.comb.oneOf != nil)
	s.nullPasses = nullable && (s.types != 0 || composed)
	return err
}

// bounds reads minimum and maximum with their exclusive forms: booleans in
// OpenAPI 3.0, numbers in 3.1.
func (c *compiler) bounds(s *Schema) error {
	for _, b := range []struct {
		bound, exclusive string
		incl, excl       func(*numberRules) *value.Value
	}{
		{"minimum", "exclusiveMinimum", func(r *numberRules) *value.Value { return &r.min }, func(r *numberRules) *value.Value { return &r.above }},
		{"maximum", "exclusiveMaximum", func(r *numberRules) *value.Value { return &r.max }, func(r *numberRules) *value.Value { return &r.below }},
	} {
		var err error
		n, x := tree.Get(s.node, b.bound), tree.Get(s.node, b.exclusive)
		exclusive := false
		if x != nil && x.ShortTag() == "!!bool" {
			if exclusive, err = c.bool(b.exclusive, x); err != nil {
				return err
			}
		} else if x != nil {
			if *b.excl(s.numbers()), err = c.number(b.exclusive, x); err != nil {
				return err
			}
		}
		if n == nil {
			continue
		}
		limit, err := c.number(b.bound, n)
		if err != nil {
			return err
		}
		if exclusive {
			*b.excl(s.numbers()) = limit
		} else {
			*b.incl(s.numbers()) = limit
		}
	}
	return nil
}

func (c *compiler) format(s *Schema) error {
	n := tree.Get(s.node, "format")
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		return c.file.Errorf(n, "format is %s; want a text", tree.Kind(n))
	}
	if check, ok := textFormats[n.Value]; ok {
		s.texts().format, s.str.formatV = check, value.String(n.Value)
	}
	if check, ok := numberFormats[n.Value]; ok {
		s.numbers().format, s.num.formatV = check, value.String(n.Value)
	}
	return nil
}

func (c *compiler) members(s *Schema, key string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return c.file.Errorf(n, "%s is %s; want a mapping", key, tree.Kind(n))
	}
	o := s.objects()
	for k, v := range tree.Pairs(n) {
		if key == "dependentRequired" {
			names, err := c.names(key, v)
			if err != nil {
				return err
			}
			o.dependent = append(o.dependent, dependent{name: k.Value, needs: names})
			continue
		}
		sub, err := c.schema(v)
		if err != nil {
			return err
		}
		switch key {
		case "properties":
			if !utf8.ValidString(k.Value) {
				return c.file.Errorf(k, "the name of a property is no UTF-8")
			}
			o.props = append(o.props, member{name: k.Value, schema: sub})
		case "patternProperties":
			p, err := c.pattern(k)
			if err != nil {
				return err
			}
			o.patterns = append(o.patterns, patternMember{p, sub})
		case "dependentSchemas":
			o.dependent = append(o.dependent, dependent{name: k.Value, schema: sub})
		}
	}
	return nil
}

func (c *compiler) names(key string, n *yaml.Node) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, c.file.Errorf(n, "%s is %s; want a list of names", key, tree.Kind(n))
	}
	var names []string
	for _, e := range tree.Items(n) {
		if e.Kind != yaml.ScalarNode {
			return nil, c.file.Errorf(e, "%s holds %s; want a name", key, tree.Kind(e))
		}
		names = append(names, e.Value)
	}
	return names, nil
}

// required marks properties and adds those that are not declared, and makes the
// index of all of them.
func (c *compiler) required(s *Schema) error {
	var names []string
	if n := tree.Get(s.node, "required"); n != nil {
		var err error
		if names, err = c.names("required", n); err != nil {
			return err
		}
		if len(names) > 0 {
			s.objects()
		}
	}
	if s.obj == nil {
		return nil
	}
	o := s.obj
	at := make(map[string]int, len(o.props)+len(names))
	for i := range o.props {
		at[o.props[i].name] = i
	}
	for _, name := range names {
		i, ok := at[name]
		if !ok {
			i = len(o.props)
			at[name] = i
			o.props = append(o.props, member{name: name})
		}
		o.props[i].required = true
	}
	const small = 16
	if len(o.props) > small {
		o.index = at
	}
	return nil
}

func (c *compiler) discriminator(s *Schema) error {
	n := tree.Get(s.node, "discriminator")
	if n == nil {
		return nil
	}
	property := tree.Text(n, "propertyName")
	if property == "" {
		return c.file.Errorf(n, "a discriminator has no propertyName")
	}
	if s.comb == nil || s.comb.oneOf == nil && s.comb.anyOf == nil {
		return nil // of a base of inheritance: it tells code generators something, not us
	}
	d := &discriminator{property: property, branches: make(map[string]*Schema)}
	var names []value.Value
	add := func(name string, s *Schema) {
		if d.branches[name] == nil {
			d.branches[name] = s
			d.list = append(d.list, s)
			names = append(names, value.String(name))
		}
	}
	mapped := make(map[*Schema]bool)
	for k, v := range tree.Pairs(tree.Get(n, "mapping")) {
		ref := v.Value
		if !strings.ContainsAny(ref, "#/") {
			ref = "#/components/schemas/" + ref
		}
		to, err := c.file.Lookup(ref)
		if err != nil {
			return c.file.Errorf(v, "%v", err)
		}
		b, err := c.schema(to)
		if err != nil {
			return err
		}
		mapped[b] = true
		add(k.Value, b)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		for _, e := range tree.Items(tree.Get(s.node, key)) {
			b, err := c.schema(e)
			if err != nil {
				return err
			}
			if ref := tree.Text(e, "$ref"); ref != "" && !mapped[b] {
				add(ref[strings.LastIndexByte(ref, '/')+1:], b)
			} else if ref == "" {
				d.open = true
			}
		}
	}
	d.names = value.Array(names...)
	s.comb.tag = d
	return nil
}
