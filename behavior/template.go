package behavior

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// template compiles a JSON value with ${…} in its texts. What is constant in
// it is made once; fixed tells whether all of it is.
func (c *compiler) template(t TemplateSpec) (x expr, fixed bool, err error) {
	switch {
	case !t.Scalar.IsMissing():
		return c.scalar(t)
	case t.Members != nil:
		names := make([]string, len(t.Members))
		parts := make([]expr, len(t.Members))
		fixed = true
		for i, m := range t.Members {
			part, constant, err := c.template(m.TemplateSpec)
			if err != nil {
				return nil, false, err
			}
			names[i], parts[i] = m.Name, part
			fixed = fixed && constant
		}
		x = func(f *frame) value.Value {
			members := make([]value.Member, len(names))
			for i, name := range names {
				members[i] = value.Member{Name: name, Value: orNull(parts[i](f))}
			}
			return value.Object(members...)
		}
	default:
		parts := make([]expr, len(t.Elems))
		fixed = true
		for i, e := range t.Elems {
			part, constant, err := c.template(e)
			if err != nil {
				return nil, false, err
			}
			parts[i] = part
			fixed = fixed && constant
		}
		x = func(f *frame) value.Value {
			elems := make([]value.Value, len(parts))
			for i, p := range parts {
				elems[i] = orNull(p(f))
			}
			return value.Array(elems...)
		}
	}
	if fixed {
		x = constant(x(nil).Sealed())
	}
	return x, fixed, nil
}

func (c *compiler) scalar(t TemplateSpec) (expr, bool, error) {
	if !t.Scalar.IsString() || !strings.Contains(t.Scalar.Text(), "${") {
		return constant(t.Scalar), true, nil
	}
	pieces, err := cut(Text{t.Scalar.Text(), t.Pos})
	if err != nil {
		return nil, false, err
	}
	if len(pieces) == 1 && !pieces[0].code {
		return constant(value.String(pieces[0].S)), true, nil
	}
	parts := make([]expr, len(pieces))
	for i, p := range pieces {
		if !p.code {
			parts[i] = constant(value.String(p.S))
			continue
		}
		if parts[i], _, err = c.expression(p.Text); err != nil {
			return nil, false, err
		}
	}
	if len(parts) == 1 {
		return parts[0], false, nil
	}
	return func(f *frame) value.Value {
		var b strings.Builder
		for _, p := range parts {
			v := p(f)
			if v.Kind() == value.HoleKind {
				return unknown
			}
			b.WriteString(textOf(v))
		}
		return value.String(b.String())
	}, false, nil
}

type piece struct {
	Text
	code bool
}

// cut splits a text into what stands for itself and what is in ${…}. Quotes and
// braces inside an expression are respected; $${ is a literal ${.
func cut(t Text) ([]piece, error) {
	var out []piece
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, piece{Text: Text{S: plain.String(), Pos: t.Pos}})
			plain.Reset()
		}
	}
	s := t.S
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$${"):
			plain.WriteString("${")
			i += 3
		case strings.HasPrefix(s[i:], "${"):
			end := closing(s, i+2)
			if end < 0 {
				return nil, errorAt(t.Pos, "%s: a ${ has no }", quote(s))
			}
			flush()
			pos := t.Pos
			if pos.Line > 0 && !strings.Contains(s, "\n") {
				pos.Column += utf8.RuneCountInString(s[:i]) + 2
			}
			out = append(out, piece{Text{S: s[i+2 : end], Pos: pos}, true})
			i = end + 1
		default:
			plain.WriteByte(s[i])
			i++
		}
	}
	flush()
	return out, nil
}

// closing is the index of the } that closes the ${ whose expression begins at
// i, -1 if there is none.
func closing(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '"', '\'':
			for q := s[i]; i+1 < len(s) && s[i+1] != q; i++ {
				if s[i+1] == '\\' {
					i++
				}
			}
			i++
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// assignment writes a template at a path.
type assignment struct {
	path []string
	x    expr
}

func (c *compiler) assignments(set []SetSpec) ([]assignment, bool, error) {
	fixed := true
	var out []assignment
	for _, s := range set {
		x, constant, err := c.template(s.TemplateSpec)
		if err != nil {
			return nil, false, err
		}
		fixed = fixed && constant
		out = append(out, assignment{s.Path, x})
	}
	return out, fixed, nil
}

// headers compiles templates of header fields.
func (c *compiler) headers(list []NamedTemplate) ([]chosen, error) {
	out, err := c.chosen(list)
	for i := range out {
		out[i].name = canonical(out[i].name)
	}
	return out, err
}

func assign(f *frame, v value.Value, set []assignment) value.Value {
	for _, a := range set {
		v = put(v, a.path, orNull(a.x(f)))
	}
	return v
}

// put is [value.Value.Set], but what is hidden in an object on the way does not
// come to light.
func put(v value.Value, path []string, part value.Value) value.Value {
	v = v.Shown()
	if len(path) < 2 {
		return v.Set(path, part)
	}
	next := v.Get(path[0])
	if v.IsArray() {
		i, err := strconv.Atoi(path[0])
		if err != nil {
			return v
		}
		next = v.At(i)
	}
	return v.Set(path[:1], put(next, path[1:], part))
}

// chosen are members that templates give: of default, on-create and the like.
type chosen struct {
	name string
	x    expr
}

func (c *compiler) chosen(list []NamedTemplate) ([]chosen, error) {
	out := make([]chosen, len(list))
	for i, m := range list {
		x, _, err := c.template(m.TemplateSpec)
		if err != nil {
			return nil, err
		}
		out[i] = chosen{m.Name, x}
	}
	return out, nil
}

// NewTemplate compiles a template that belongs to no operation, with these
// names in it. The function takes their values. The server's choices (uuid, now
// and the like) are all null in it.
func NewTemplate(spec TemplateSpec, names ...string) (func(values ...value.Value) value.Value, error) {
	c := &compiler{plan: &Plan{}}
	for _, n := range names {
		c.bind(n, typ{})
	}
	x, _, err := c.template(spec)
	if err != nil {
		return nil, err
	}
	return func(values ...value.Value) value.Value {
		f := &frame{plan: c.plan, call: &Call{}, choose: nobody{}, fuel: fuel, slots: make([]value.Value, c.slots)}
		copy(f.slots, values)
		return orNull(x(f))
	}, nil
}

// nobody chooses nothing.
type nobody struct{}

func (nobody) Choose(*Law) value.Value { return value.Null }
