package overlay

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A query is a JSONPath query (RFC 9535), compiled. It is read in one pass and
// never backtracks, so that no text costs more than its length.
type query struct {
	segments []segment
	absolute bool // begins with $, not with @
}

// singular is whether it can select one node at most (section 2.3.5.1).
func (q *query) singular() bool {
	return !slices.ContainsFunc(q.segments, func(s segment) bool {
		return s.descend || len(s.selectors) != 1 || s.selectors[0].kind > byIndex
	})
}

type segment struct {
	descend   bool // ..
	selectors []selector
}

type selector struct {
	kind             selectorKind
	name             string
	start, end, step int64 // an index is start
	noStart, noEnd   bool
	filter           logical
}

type selectorKind uint8

const (
	byName selectorKind = iota
	byIndex
	bySlice
	byFilter
	wildcard
)

// A logical is what a filter asks of a node.
type logical func(s *search, at *place) bool

// An operand is one side of a comparison or an argument of a function: a
// literal, a query, or a function whose result is a value.
type operand struct {
	literal  value.Value
	query    *query
	function func(s *search, at *place) value.Value
	logical  logical // match and search, which have no value
}

// A syntaxError is where a query goes wrong, in bytes, and what is wrong.
type syntaxError struct {
	at   int
	what string
}

func (e *syntaxError) Error() string { return e.what }

// mostNesting is how deep filters may contain filters.
const mostNesting = 100

// parsePath reads a query.
func parsePath(text string) (*query, *syntaxError) {
	p := &pathParser{text: text}
	if !utf8.ValidString(text) {
		return nil, &syntaxError{0, "is no UTF-8"}
	}
	if !p.take("$") {
		return nil, &syntaxError{0, "does not begin with $, the root"}
	}
	q := &query{absolute: true, segments: p.segments()}
	if p.err == nil && p.at < len(text) {
		p.fail("%s is unexpected; want .name, ['name'], [index], [?filter], * or ..", p.here())
	}
	return q, p.err
}

// pathParser stands at a byte of the text. After an error, which is the first,
// what it reads is nothing.
type pathParser struct {
	text  string
	at    int
	depth int
	err   *syntaxError
}

func (p *pathParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = &syntaxError{p.at, fmt.Sprintf(format, args...)}
	}
	p.at = len(p.text)
}

// here describes the next character.
func (p *pathParser) here() string {
	if p.at >= len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return strconv.QuoteRune(r)
}

func (p *pathParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *pathParser) take(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *pathParser) want(s string) {
	if !p.take(s) {
		p.fail("%s is unexpected; want %s", p.here(), s)
	}
}

func (p *pathParser) blank() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

// segments reads as many as follow (section 2.5).
func (p *pathParser) segments() (out []segment) {
	for p.err == nil {
		start := p.at
		p.blank()
		switch {
		case p.take(".."):
			s := segment{descend: true}
			if p.peek() == '[' {
				s.selectors = p.bracketed()
			} else {
				s.selectors = []selector{p.shorthand()}
			}
			out = append(out, s)
		case p.take("."):
			out = append(out, segment{selectors: []selector{p.shorthand()}})
		case p.peek() == '[':
			out = append(out, segment{selectors: p.bracketed()})
		default:
			p.at = start // blanks belong to a segment that follows
			return out
		}
	}
	return out
}

// shorthand reads * or a name, behind a dot (section 2.5.1.1).
func (p *pathParser) shorthand() selector {
	if p.take("*") {
		return selector{kind: wildcard}
	}
	start := p.at
	for p.at < len(p.text) && (nameByte(p.text[p.at]) || p.at > start && digit(p.text[p.at])) {
		p.at++
	}
	if p.at == start {
		p.fail("%s cannot follow a dot; want a name or *, or brackets and quotes without the dot: ['…']", p.here())
		return selector{}
	}
	name := p.text[start:p.at]
	if c := p.peek(); c == '-' || c == '/' || c == '{' || c == '~' {
		p.fail("%s cannot stand in a name behind a dot; want brackets and quotes: ['%s%c…']", p.here(), name, c)
	}
	return selector{kind: byName, name: name}
}

func nameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// bracketed reads selectors in brackets.
func (p *pathParser) bracketed() (out []selector) {
	if p.depth++; p.depth > mostNesting {
		p.fail("nested deeper than %d levels", mostNesting)
	}
	defer func() { p.depth-- }()
	p.want("[")
	for p.err == nil {
		p.blank()
		out = append(out, p.selector())
		p.blank()
		if p.take("]") {
			return out
		}
		if !p.take(",") {
			p.fail("%s is unexpected; want , or ]", p.here())
		}
	}
	return out
}

func (p *pathParser) selector() selector {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return selector{kind: byName, name: p.quoted()}
	case p.take("*"):
		return selector{kind: wildcard}
	case p.take("?"):
		p.blank()
		return selector{kind: byFilter, filter: p.or()}
	case c == ':' || c == '-' || digit(c):
		return p.slice()
	}
	p.fail("%s is unexpected; want a name in quotes, an index, a slice, * or ?", p.here())
	return selector{}
}

// slice reads an index or start:end:step (sections 2.3.3 and 2.3.4).
func (p *pathParser) slice() selector {
	s := selector{kind: bySlice, step: 1, noStart: true, noEnd: true}
	if p.peek() != ':' {
		s.start, s.noStart = p.integer(), false
		end := p.at
		if p.blank(); p.peek() != ':' {
			p.at = end
			s.kind = byIndex
			return s
		}
	}
	p.want(":")
	p.blank()
	if c := p.peek(); c == '-' || digit(c) {
		s.end, s.noEnd = p.integer(), false
		p.blank()
	}
	if p.take(":") {
		p.blank()
		if c := p.peek(); c == '-' || digit(c) {
			s.step = p.integer()
		}
	}
	return s
}

// integer reads one that every JSON reader can hold (section 2.1).
func (p *pathParser) integer() int64 {
	start := p.at
	p.take("-")
	for digit(p.peek()) {
		p.at++
	}
	text := p.text[start:p.at]
	digits := strings.TrimPrefix(text, "-")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n >= 1<<53 || n <= -1<<53 || digits[0] == '0' && text != "0" {
		p.at = start
		p.fail("%s is no index; want an integer without leading zeros, below 2^53", text)
		return 0
	}
	return n
}

// quoted reads a text in either quotes (section 2.3.1.1).
func (p *pathParser) quoted() string {
	start, quote := p.at, p.peek()
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return b.String()
		case c < 0x20:
			p.fail("%s must be escaped in a text", p.here())
			return ""
		case c != '\\':
			b.WriteByte(c)
			p.at++
		case p.at+1 < len(p.text) && p.text[p.at+1] == quote:
			b.WriteByte(quote)
			p.at += 2
		default:
			p.escape(&b)
		}
	}
	if p.err == nil {
		p.at = start
		p.fail("the text that begins here does not end; want %c", quote)
	}
	return ""
}

// escape reads one of JSON's, except for quotes.
func (p *pathParser) escape(b *strings.Builder) {
	n := 2
	if strings.HasPrefix(p.text[p.at:], `\u`) {
		n = 6
		if high := p.text[p.at:min(p.at+n, len(p.text))]; len(high) == n && high[2]|0x20 == 'd' && strings.IndexByte("89abAB", high[3]) >= 0 {
			n = 12
		}
	}
	if text := p.text[p.at:min(p.at+n, len(p.text))]; len(text) == n && text[1] != '"' {
		if v, err := value.ParseString(`"` + text + `"`); err == nil && utf8.RuneCountInString(v.Text()) == 1 {
			b.WriteString(v.Text())
			p.at += n
			return
		}
	}
	p.fail(`this is no escape; want \b, \f, \n, \r, \t, \/, \\, \uXXXX or the quote`)
}

// or reads a logical expression (section 2.3.5.1), which is what follows "?".
func (p *pathParser) or() logical {
	if p.depth++; p.depth > mostNesting {
		p.fail("nested deeper than %d levels", mostNesting)
	}
	defer func() { p.depth-- }()
	list := []logical{p.and()}
	for p.err == nil && p.infix("||") {
		list = append(list, p.and())
	}
	if len(list) == 1 {
		return list[0]
	}
	return func(s *search, at *place) bool {
		return slices.ContainsFunc(list, func(l logical) bool { return l(s, at) })
	}
}

func (p *pathParser) and() logical {
	list := []logical{p.basic()}
	for p.err == nil && p.infix("&&") {
		list = append(list, p.basic())
	}
	if len(list) == 1 {
		return list[0]
	}
	return func(s *search, at *place) bool {
		return !slices.ContainsFunc(list, func(l logical) bool { return !l(s, at) })
	}
}

// infix takes an operator and the blanks around it, or nothing.
func (p *pathParser) infix(op string) bool {
	start := p.at
	p.blank()
	if !p.take(op) {
		p.at = start
		return false
	}
	p.blank()
	return true
}

func (p *pathParser) basic() logical {
	not := p.take("!")
	if not {
		p.blank()
	}
	var l logical
	if p.take("(") {
		p.blank()
		l = p.or()
		p.blank()
		p.want(")")
	} else {
		l = p.test(not)
	}
	if not {
		return func(s *search, at *place) bool { return !l(s, at) }
	}
	return l
}

// comparisons are the operators, the longer ones first.
var comparisons = []struct {
	op    string
	holds func(a, b value.Value) bool
}{
	{"==", equal},
	{"!=", func(a, b value.Value) bool { return !equal(a, b) }},
	{"<=", func(a, b value.Value) bool { return less(a, b) || equal(a, b) }},
	{">=", func(a, b value.Value) bool { return less(b, a) || equal(a, b) }},
	{"<", less},
	{">", func(a, b value.Value) bool { return less(b, a) }},
}

// equal takes nothing for equal to nothing only (section 2.3.5.2.2).
func equal(a, b value.Value) bool {
	return a.IsMissing() == b.IsMissing() && value.Equal(a, b)
}

func less(a, b value.Value) bool {
	return (a.IsNumber() && b.IsNumber() || a.IsString() && b.IsString()) && value.Compare(a, b) < 0
}

// test reads a comparison, or a query or function that is true by itself.
func (p *pathParser) test(not bool) logical {
	start := p.at
	left := p.operand()
	if p.err != nil {
		return nil
	}
	for _, c := range comparisons {
		if !p.infix(c.op) {
			continue
		}
		if not {
			p.at = start
			p.fail("! cannot stand before a comparison; want !(…)")
			return nil
		}
		a := p.comparable(left, start)
		start = p.at
		b := p.comparable(p.operand(), start)
		return func(s *search, at *place) bool { return c.holds(a(s, at), b(s, at)) }
	}
	switch {
	case left.logical != nil:
		return left.logical
	case left.query != nil:
		return func(s *search, at *place) bool {
			found := false
			s.walk(s.from(left.query, at), left.query.segments, func(*place) bool { found = true; return false })
			return found
		}
	}
	p.at = start
	p.fail("a value alone is no condition; want a comparison, as in @.name == 'a'")
	return nil
}

// comparable is an operand that has a value. It began at start.
func (p *pathParser) comparable(o operand, start int) func(s *search, at *place) value.Value {
	switch {
	case p.err != nil:
		return nil
	case o.function != nil:
		return o.function
	case o.query != nil && o.query.singular():
		return func(s *search, at *place) value.Value { return s.value(s.one(o.query, at)) }
	case o.query != nil:
		p.at = start
		p.fail("this query can select several nodes; want one with names and indexes only")
		return nil
	case o.logical != nil:
		p.at = start
		p.fail("the function is a condition, not a value that can be compared")
		return nil
	}
	return func(*search, *place) value.Value { return o.literal }
}

func (p *pathParser) operand() operand {
	start := p.at
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return operand{literal: value.String(p.quoted())}
	case p.take("$"):
		return operand{query: &query{absolute: true, segments: p.segments()}}
	case p.take("@"):
		return operand{query: &query{segments: p.segments()}}
	case c == '-' || digit(c):
		for p.at < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.at]) >= 0 {
			p.at++
		}
		v, err := value.ParseString(p.text[start:p.at])
		if err != nil {
			text := p.text[start:p.at]
			p.at = start
			p.fail("%s is no number", text)
		}
		return operand{literal: v}
	}
	for c := p.peek(); 'a' <= c && c <= 'z' || p.at > start && (c == '_' || digit(c)); c = p.peek() {
		p.at++
	}
	word := p.text[start:p.at]
	if word != "" && p.take("(") {
		return p.function(word, start)
	}
	switch word {
	case "true", "false":
		return operand{literal: value.Bool(word == "true")}
	case "null":
		return operand{literal: value.Null}
	}
	p.at = start
	p.fail("%s is unexpected; want @, $, a text in quotes, a number, true, false, null or a function", p.here())
	return operand{}
}

// function reads the arguments of one (section 2.4), behind its parenthesis.
func (p *pathParser) function(name string, start int) operand {
	if p.depth++; p.depth > mostNesting {
		p.fail("nested deeper than %d levels", mostNesting)
	}
	defer func() { p.depth-- }()
	var args []operand
	var starts []int
	for p.err == nil {
		p.blank()
		if len(args) == 0 && p.take(")") {
			break
		}
		starts = append(starts, p.at)
		args = append(args, p.operand())
		p.blank()
		if p.take(")") {
			break
		}
		p.want(",")
	}
	if p.err != nil {
		return operand{}
	}
	count, known := map[string]int{"length": 1, "count": 1, "value": 1, "match": 2, "search": 2}[name]
	end := p.at
	p.at = start
	switch {
	case !known:
		p.fail("there is no function %s; want length, count, match, search or value", name)
	case len(args) != count:
		p.fail("%s has %d arguments; want %d", name, len(args), count)
	case count == 1 && name != "length" && args[0].query == nil:
		p.fail("the argument of %s is no query", name)
	}
	if p.err != nil {
		return operand{}
	}
	p.at = end
	switch name {
	case "count":
		return operand{function: func(s *search, at *place) value.Value {
			n := int64(0)
			s.walk(s.from(args[0].query, at), args[0].query.segments, func(*place) bool { n++; return true })
			return value.Int(n)
		}}
	case "value":
		return operand{function: func(s *search, at *place) value.Value { return s.value(s.one(args[0].query, at)) }}
	case "length":
		if q := args[0].query; q != nil && q.singular() {
			return operand{function: func(s *search, at *place) value.Value { return s.length(s.one(q, at)) }}
		}
		v := p.comparable(args[0], starts[0])
		return operand{function: func(s *search, at *place) value.Value { return textLength(v(s, at)) }}
	}
	text, whole := p.comparable(args[0], starts[0]), name == "match"
	if l := args[1].literal; l.IsString() {
		re, err := compile(l.Text(), whole)
		if err != nil {
			p.at = starts[1]
			p.fail("%s is no regular expression: %v", l, err)
		}
		return operand{logical: func(s *search, at *place) bool { return s.matches(text(s, at), re) }}
	}
	dynamic := p.comparable(args[1], starts[1])
	return operand{logical: func(s *search, at *place) bool {
		v := dynamic(s, at)
		if !v.IsString() || !s.spend(100*(1+len(v.Text()))) {
			return false
		}
		re, err := compile(v.Text(), whole)
		return err == nil && s.spend(10*re.size) && s.matches(text(s, at), re)
	}}
}

func textLength(v value.Value) value.Value {
	if !v.IsString() {
		return value.Value{}
	}
	return value.Int(int64(utf8.RuneCountInString(v.Text())))
}

// A pattern is a regular expression, and of how many instructions it consists.
type pattern struct {
	*regexp.Regexp
	size int
}

// compile reads an I-Regexp (RFC 9485).
func compile(text string, whole bool) (p pattern, err error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			b.WriteByte(c)
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '.' && !class:
			b.WriteString(`[^\n\r]`)
			continue
		}
		b.WriteByte(text[i])
	}
	text = b.String()
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return p, err
	}
	if whole {
		text = `\A(?:` + text + `)\z`
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return p, err
	}
	p.size = len(prog.Inst)
	p.Regexp, err = regexp.Compile(text)
	return p, err
}
