package param

import (
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/route"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// A Source is where the texts of one request's parameters come from. nil
// functions have nothing.
type Source struct {
	Path      []string // the captured texts, still escaped …
	PathNames []string // … and the parameters they belong to
	Query     Query
	Header    func(name string) []string // the values of a header, in any case, in order
	Cookie    func(name string) (string, bool)
}

// Decode gives the parameter's value, Missing if it was not sent, and appends
// what is wrong with it to vs. It applies no default. Paths of violations begin
// at the value.
//
// Of a query parameter that is sent several times but is no array the last one
// counts, as in most frameworks. Whatever the style says, arrays may be sent as
// a[]=1&a[]=2 or a[0]=1, and objects as a[k]=v; an exploded object takes the
// names of its declared properties only. An array or object of form style
// without explode that is sent empty is empty. With allowEmptyValue, an empty
// text breaks no schema, and is Missing unless the schema takes texts.
//
// Header values are not percent-decoded; several are one list (RFC 9110, 5.3).
// A cookie with a broken escape is taken as it was sent.
func (p *Param) Decode(src *Source, vs []schema.Violation) (value.Value, []schema.Violation) {
	if len(p.forms) == 1 {
		v, out, _ := p.decode(&p.forms[0], src, vs)
		return v, out
	}
	// A scalar would swallow all but the last of several texts: it comes last.
	repeated := p.In == InQuery && src.Query.count(p.Name) > 1
	for _, late := range [2]bool{false, true} {
		for i := range p.forms {
			if f := &p.forms[i]; (repeated && f.shape == scalar) == late {
				if v, out, sent := p.decode(f, src, vs); sent && len(out) == len(vs) {
					return v, out
				}
			}
		}
	}
	for i := range p.forms {
		if v, out, sent := p.decode(&p.forms[i], src, vs); sent {
			return v, out
		}
	}
	v, out, _ := p.decode(&p.forms[0], src, vs)
	return v, out
}

// decode is Decode with one of the forms.
func (p *Param) decode(f *form, src *Source, vs []schema.Violation) (v value.Value, out []schema.Violation, sent bool) {
	r := reader{p: p, src: src}
	v, got := r.read(f)
	switch {
	case r.keyword != "":
		v = value.String(strings.ToValidUTF8(r.text, "\uFFFD"))
		return v, append(vs, schema.Violation{Keyword: r.keyword, Limit: r.limit, Value: v}), true
	case got == absent:
		if p.Required {
			vs = append(vs, schema.Violation{Keyword: "required", Limit: value.True})
		}
		return value.Value{}, vs, false
	case got == full && p.Schema != nil:
		vs = p.Schema.Validate(v, schema.Request, vs)
	}
	return v, vs, true
}

// got is whether a parameter was sent.
type got uint8

const (
	absent got = iota
	empty      // without a value, which is allowed: there is nothing to judge
	full
)

// A reader decodes one parameter of one request.
type reader struct {
	p   *Param
	src *Source

	keyword string // of the first violation of the text itself
	limit   value.Value
	text    string
}

var percent = value.String("percent-encoded UTF-8")

func (r *reader) fail(keyword string, limit value.Value, text string) {
	if r.keyword == "" {
		r.keyword, r.limit, r.text = keyword, limit, text
	}
}

func (r *reader) read(f *form) (value.Value, got) {
	if r.p.Content != "" {
		return r.content()
	}
	if r.p.In == InQuery {
		return r.query(r.p.Name, r.p.base, f, r.p.Style, r.p.Explode, true)
	}
	if r.p.In == InCookie && f.shape == object && r.p.Explode {
		return r.cookies(f)
	}
	text, ok := r.raw()
	if !ok {
		return value.Value{}, absent
	}
	switch r.p.Style {
	case "label":
		return r.label(f, text), full
	case "matrix":
		return r.matrix(f, text), full
	}
	var buf [bufParts]string
	switch {
	case f.shape != array && f.shape != object:
		return coerce(f.schema, r.unescape(text)), full
	case r.p.In == InCookie && r.p.Explode: // blue&color=black
		return r.array(f, strings.Split(text, "&"+r.p.Name+"=")), full
	}
	return r.parts(f, text, split(text, ',', buf[:0]), r.p.Explode), full
}

// raw is the text of a parameter that is no query parameter.
func (r *reader) raw() (string, bool) {
	switch r.p.In {
	case InPath:
		for i, name := range r.src.PathNames {
			if name == r.p.Name && i < len(r.src.Path) {
				return r.src.Path[i], true
			}
		}
	case InHeader:
		if r.src.Header == nil {
			break
		}
		switch list := r.src.Header(r.p.Name); len(list) {
		case 0:
		case 1:
			return list[0], true
		default:
			return strings.Join(list, ", "), true
		}
	case InCookie:
		if r.src.Cookie != nil {
			return r.src.Cookie(r.p.Name)
		}
	}
	return "", false
}

// unescape decodes one part as its location demands.
func (r *reader) unescape(raw string) string {
	var text string
	var ok bool
	switch r.p.In {
	case InQuery:
		text, ok = unescapeQuery(raw)
	case InPath:
		text, ok = route.Unescape(raw)
	case InHeader:
		text, ok = strings.Trim(raw, " \t"), utf8.ValidString(raw)
	case InCookie:
		if text, ok = route.Unescape(raw); !ok {
			text, ok = raw, utf8.ValidString(raw)
		}
	}
	if !ok {
		r.fail("encoding", percent, raw)
		return ""
	}
	return text
}

func (r *reader) content() (value.Value, got) {
	var text string
	if r.p.In == InQuery {
		pair := r.src.Query.last(r.p.Name)
		if pair == nil {
			return value.Value{}, absent
		}
		if pair.Bad {
			r.fail("encoding", percent, pair.RawValue)
		}
		text = pair.Value
	} else {
		raw, ok := r.raw()
		if !ok {
			return value.Value{}, absent
		}
		text = r.unescape(raw)
	}
	switch {
	case r.keyword != "":
		return value.Value{}, full
	case text == "" && r.p.AllowEmpty:
		return value.Value{}, empty
	case !r.p.json:
		return coerce(r.p.Schema, text), full
	}
	v, err := value.ParseString(text)
	if err != nil {
		r.fail("json", value.String(err.Error()), text)
	}
	return v, full
}

// label reads ".blue.black". What OpenAPI 3.0.3 joins by dots, RFC 6570 and
// later versions join by commas unless it is exploded: both are read.
func (r *reader) label(f *form, text string) value.Value {
	text, ok := strings.CutPrefix(text, ".")
	if !ok {
		r.fail("style", value.String("label"), text)
		return value.Value{}
	}
	if f.shape != array && f.shape != object {
		return coerce(f.schema, r.unescape(text))
	}
	var buf [bufParts]string
	delimiter := byte('.')
	if !r.p.Explode && strings.IndexByte(text, ',') >= 0 {
		delimiter = ','
	}
	parts := split(text, delimiter, buf[:0])
	if f.shape == object && r.p.Explode {
		parts = rejoin(text, parts)
	}
	return r.parts(f, text, parts, r.p.Explode)
}

// rejoin puts parts without = behind the part before them: the dot in R=1.5
// separates nothing. The parts are consecutive parts of text.
func rejoin(text string, parts []string) []string {
	out := parts[:0]
	at := 0
	start := 0 // of the last of out
	for i, p := range parts {
		if i == 0 || strings.IndexByte(p, '=') >= 0 {
			start = at
			out = append(out, p)
		} else {
			out[len(out)-1] = text[start : at+len(p)]
		}
		at += len(p) + 1
	}
	return out
}

// matrix reads ";color=blue;color=black".
func (r *reader) matrix(f *form, text string) value.Value {
	rest, ok := strings.CutPrefix(text, ";")
	if !ok {
		r.fail("style", value.String("matrix"), text)
		return value.Value{}
	}
	var buf [bufParts]string
	if r.p.Explode && f.shape == object {
		if rest == r.p.Name {
			rest = ""
		}
		return r.parts(f, rest, split(rest, ';', buf[:0]), true)
	}
	if r.p.Explode && f.shape == array {
		parts := split(rest, ';', buf[:0])
		for i := range parts {
			parts[i] = r.named(parts[i], text)
		}
		if len(parts) == 1 && parts[0] == "" {
			parts = nil
		}
		return r.array(f, parts)
	}
	rest = r.named(rest, text)
	if f.shape != array && f.shape != object {
		return coerce(f.schema, r.unescape(rest))
	}
	return r.parts(f, rest, split(rest, ',', buf[:0]), false)
}

// named is the value of "name=value" or of "name" alone.
func (r *reader) named(part, text string) string {
	name, v, _ := strings.Cut(part, "=")
	if name != r.p.Name {
		if n, ok := route.Unescape(name); !ok || n != r.p.Name {
			r.fail("style", value.String("matrix"), text)
		}
	}
	return v
}

// cookies reads an exploded object, each property of which is a cookie.
func (r *reader) cookies(f *form) (value.Value, got) {
	var list []value.Member
	for _, prop := range f.schema.Properties() {
		if r.src.Cookie == nil {
			break
		}
		if text, ok := r.src.Cookie(prop.Name); ok {
			list = append(list, value.Member{Name: prop.Name, Value: coerce(prop.Schema, r.unescape(text))})
		}
	}
	if len(list) == 0 {
		return value.Value{}, absent
	}
	return value.Object(list...), full
}

// query reads a query parameter, or at a lower level the property of an exploded
// object.
func (r *reader) query(name, base string, f *form, style string, explode, top bool) (value.Value, got) {
	q := r.src.Query
	if f.shape == scalar || f.shape == untyped {
		if pair := q.last(name); pair != nil {
			return r.pair(f.schema, pair)
		}
		if f.shape == scalar || !q.bracketed(name, base) {
			return value.Value{}, absent
		}
	}
	if q.bracketed(name, base) {
		return r.tree(name, base).value(f.shape, f.schema, f.extra), full
	}
	if f.shape == object && explode && style != "deepObject" {
		if !top {
			return value.Value{}, absent
		}
		return r.exploded(f)
	}
	n := q.count(name)
	if n == 0 {
		return value.Value{}, absent
	}
	last := q.last(name)
	if n == 1 && last.Value == "" && r.p.AllowEmpty {
		if f.shape == array {
			return value.Array(), empty
		}
		return value.Value{}, empty
	}
	var buf [bufParts]string
	delimiter := byte(',')
	switch style {
	case "spaceDelimited":
		delimiter = ' '
	case "pipeDelimited":
		delimiter = '|'
	}
	if f.shape == object {
		if style == "deepObject" {
			return r.pair(nil, last)
		}
		return r.parts(f, last.RawValue, split(last.RawValue, delimiter, buf[:0]), false), full
	}
	parts := buf[:0]
	for i := range q {
		if q[i].Name != name {
			continue
		}
		if explode || style == "deepObject" {
			parts = append(parts, q[i].RawValue)
		} else {
			parts = split(q[i].RawValue, delimiter, parts)
		}
	}
	return r.array(f, parts), full
}

// pair is the value of a single text.
func (r *reader) pair(s *schema.Schema, pair *Pair) (value.Value, got) {
	if pair.Bad {
		r.fail("encoding", percent, pair.RawValue)
		return value.Value{}, full
	}
	if pair.Value == "" && r.p.AllowEmpty {
		if t := shapeOf(s); t == untyped || s.Type() == "string" {
			return value.String(""), empty
		}
		return value.Value{}, empty
	}
	return coerce(s, pair.Value), full
}

func (r *reader) exploded(f *form) (value.Value, got) {
	var list []value.Member
	for _, prop := range f.schema.Properties() {
		sub := form{shape: shapeOf(prop.Schema), schema: prop.Schema}
		v, got := r.query(prop.Name, strings.TrimSuffix(prop.Name, "[]"), &sub, "form", true, false)
		if got != absent && !v.IsMissing() {
			list = append(list, value.Member{Name: prop.Name, Value: v})
		}
	}
	if len(list) == 0 {
		return value.Value{}, absent
	}
	return value.Object(list...), full
}

// parts is the array or object of a delimited text; if there are more than
// maxParts, or names without values, it is the text itself.
func (r *reader) parts(f *form, text string, parts []string, pairs bool) value.Value {
	switch {
	case len(parts) > maxParts:
		return value.String(r.unescape(text))
	case f.shape == array:
		return r.array(f, parts)
	}
	step := 2
	if pairs {
		step = 1
	}
	if len(parts)%step != 0 {
		return value.String(r.unescape(text))
	}
	m := members{list: make([]value.Member, 0, len(parts)/step)}
	for i := 0; i < len(parts); i += step {
		name, part, ok := parts[i], "", true
		if pairs {
			name, part, ok = strings.Cut(name, "=")
		} else {
			part = parts[i+1]
		}
		if !ok {
			return value.String(r.unescape(text))
		}
		name = r.unescape(name)
		s := f.extra
		if p, ok := f.schema.Property(name); ok {
			s = p
		}
		m.set(name, coerce(s, r.unescape(part)))
	}
	return value.Object(m.list...)
}

func (r *reader) array(f *form, parts []string) value.Value {
	if len(parts) > maxParts {
		return value.String(r.unescape(strings.Join(parts, ",")))
	}
	items := f.schema.Items()
	elems := make([]value.Value, len(parts))
	for i, part := range parts {
		elems[i] = coerce(items, r.unescape(part))
	}
	return value.Array(elems...)
}

// members is an object in the making; of two members with one name the last
// counts.
type members struct {
	list []value.Member
	at   map[string]int // of more than a few
}

func (m *members) set(name string, v value.Value) {
	const few = 16
	i := -1
	if m.at != nil {
		if have, ok := m.at[name]; ok {
			i = have
		}
	} else {
		for k := range m.list {
			if m.list[k].Name == name {
				i = k
			}
		}
	}
	if i >= 0 {
		m.list[i].Value = v
		return
	}
	m.list = append(m.list, value.Member{Name: name, Value: v})
	if m.at != nil {
		m.at[name] = len(m.list) - 1
	} else if len(m.list) > few {
		m.at = make(map[string]int, 2*few)
		for k := range m.list {
			m.at[m.list[k].Name] = k
		}
	}
}

const (
	maxParts = 10_000 // of one delimited text
	bufParts = 16     // that need no allocation
)

// split appends the parts of a text, none of an empty one, and at most
// maxParts+1. Escaped spaces and bars delimit as well, because neither may
// stand in a URL.
func split(text string, delimiter byte, parts []string) []string {
	if text == "" {
		return parts
	}
	start := 0
	for i := 0; i < len(text) && len(parts) <= maxParts; i++ {
		size := 0
		switch c := text[i]; {
		case c == delimiter, c == '+' && delimiter == ' ':
			size = 1
		case c == '%' && i+2 < len(text):
			if e := text[i+1 : i+3]; delimiter == ' ' && e == "20" || delimiter == '|' && strings.EqualFold(e, "7c") {
				size = 3
			}
		}
		if size > 0 {
			parts = append(parts, text[start:i])
			i += size - 1
			start = i + 1
		}
	}
	return append(parts, text[start:])
}
