package value

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest in a text that [Parse]
// reads.
const MaxDepth = 512

// A SyntaxError says where and why a text is no JSON.
type SyntaxError struct {
	Offset       int // in bytes, from 0
	Line, Column int // from 1; columns count characters
	Problem      string
}

// Error reads like "line 3, column 7: a comma or } is missing".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// Parse reads one JSON text (RFC 8259), strictly: nothing but white space may
// follow, no name may occur twice in an object, all of it is UTF-8, escaped
// surrogates come in pairs, and nothing nests deeper than [MaxDepth]. The
// error is always a [*SyntaxError].
func Parse(data []byte) (Value, error) { return ParseString(string(data)) }

// ParseString is [Parse] of a string, parts of which the value keeps.
func ParseString(text string) (Value, error) {
	p := parsers.Get().(*parser)
	defer p.release()
	p.s = text
	if strings.HasPrefix(text, "\ufeff") {
		p.i = 3 // a byte order mark, which RFC 8259, section 8.1, lets a parser ignore
	}
	p.space()
	v, ok := p.value(0)
	if ok {
		p.space()
		if p.i < len(p.s) {
			ok = p.fail("only one value is expected, but more follows")
		}
	}
	if !ok {
		return Value{}, p.err()
	}
	return v, nil
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// release gives the parser back, without what it has read; stacks that a
// hostile text made large are dropped.
func (p *parser) release() {
	const most = 1024
	elems, members := p.elems, p.members
	*p = parser{}
	if cap(elems) <= most {
		clear(elems[:cap(elems)])
		p.elems = elems[:0]
	}
	if cap(members) <= most {
		clear(members[:cap(members)])
		p.members = members[:0]
	}
	parsers.Put(p)
}

type parser struct {
	s       string
	i       int
	problem string
	elems   []Value // stacks, so that every array and object is allocated once, in its size
	members []Member
}

func (p *parser) fail(problem string) bool {
	if p.problem == "" {
		p.problem = problem
	}
	return false
}

func (p *parser) err() *SyntaxError {
	at := min(p.i, len(p.s))
	before := p.s[:at]
	line := strings.Count(before, "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	if start == 0 {
		before = strings.TrimPrefix(before, "\ufeff") // no editor counts it
	}
	return &SyntaxError{Offset: at, Line: line + 1, Column: utf8.RuneCountInString(before[start:]) + 1, Problem: p.problem}
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (Value, bool) {
	if p.i >= len(p.s) {
		return Value{}, p.fail("the text ends where a value is expected")
	}
	switch c := p.s[p.i]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, ok := p.str()
		return Value{kind: StringKind, text: s}, ok
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case strings.HasPrefix(p.s[p.i:], "true"):
		p.i += 4
		return True, true
	case strings.HasPrefix(p.s[p.i:], "false"):
		p.i += 5
		return False, true
	case strings.HasPrefix(p.s[p.i:], "null"):
		p.i += 4
		return Null, true
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.i:])
	return Value{}, p.fail(fmt.Sprintf("a value is expected, not %q", r))
}

func (p *parser) array(depth int) (Value, bool) {
	if depth >= MaxDepth {
		return Value{}, p.fail("nested deeper than " + strconv.Itoa(MaxDepth) + " levels")
	}
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == ']' {
		p.i++
		return Value{kind: ArrayKind}, true
	}
	mark := len(p.elems)
	for {
		v, ok := p.value(depth + 1)
		if !ok {
			return Value{}, false
		}
		p.elems = append(p.elems, v)
		p.space()
		if p.i >= len(p.s) {
			return Value{}, p.fail("the text ends inside an array")
		}
		switch p.s[p.i] {
		case ',':
			p.i++
			p.space()
			continue
		case ']':
			p.i++
			elems := make([]Value, len(p.elems)-mark)
			copy(elems, p.elems[mark:])
			p.elems = p.elems[:mark]
			return Value{kind: ArrayKind, node: &node{elems: elems}}, true
		}
		return Value{}, p.fail("a comma or ] is expected")
	}
}

func (p *parser) object(depth int) (Value, bool) {
	if depth >= MaxDepth {
		return Value{}, p.fail("nested deeper than " + strconv.Itoa(MaxDepth) + " levels")
	}
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '}' {
		p.i++
		return Value{kind: ObjectKind}, true
	}
	mark := len(p.members)
	var seen map[string]bool // only of large objects
	for {
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return Value{}, p.fail("a member name in quotes is expected")
		}
		at := p.i
		name, ok := p.str()
		if !ok {
			return Value{}, false
		}
		if p.repeated(mark, name, &seen) {
			p.i = at
			return Value{}, p.fail(fmt.Sprintf("the member %q occurs twice", name))
		}
		p.space()
		if p.i >= len(p.s) || p.s[p.i] != ':' {
			return Value{}, p.fail("a colon is expected")
		}
		p.i++
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return Value{}, false
		}
		p.members = append(p.members, Member{name, v})
		p.space()
		if p.i >= len(p.s) {
			return Value{}, p.fail("the text ends inside an object")
		}
		switch p.s[p.i] {
		case ',':
			p.i++
			p.space()
			continue
		case '}':
			p.i++
			members := make([]Member, len(p.members)-mark)
			copy(members, p.members[mark:])
			p.members = p.members[:mark]
			return Value{kind: ObjectKind, node: &node{members: members}}, true
		}
		return Value{}, p.fail("a comma or } is expected")
	}
}

// repeated is whether the object whose members begin at mark has the name
// already. Small objects are searched, large ones keep a set, so that a hostile
// body of many members costs no more than its length.
func (p *parser) repeated(mark int, name string, seen *map[string]bool) bool {
	const small = 24
	have := p.members[mark:]
	if len(have) < small {
		for i := range have {
			if have[i].Name == name {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]bool, 2*small)
		for i := range have {
			(*seen)[have[i].Name] = true
		}
	}
	if (*seen)[name] {
		return true
	}
	(*seen)[name] = true
	return false
}

func (p *parser) number() (Value, bool) {
	start := p.i
	digits := func() bool {
		from := p.i
		for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
			p.i++
		}
		return p.i > from
	}
	if p.s[p.i] == '-' {
		p.i++
	}
	if p.i < len(p.s) && p.s[p.i] == '0' {
		p.i++
		if p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
			return Value{}, p.fail("a number does not begin with 0")
		}
	} else if !digits() {
		return Value{}, p.fail("a digit is expected")
	}
	if p.i < len(p.s) && p.s[p.i] == '.' {
		p.i++
		if !digits() {
			return Value{}, p.fail("a digit is expected behind the point")
		}
	}
	if p.i < len(p.s) && (p.s[p.i] == 'e' || p.s[p.i] == 'E') {
		p.i++
		if p.i < len(p.s) && (p.s[p.i] == '+' || p.s[p.i] == '-') {
			p.i++
		}
		if !digits() {
			return Value{}, p.fail("a digit is expected in the exponent")
		}
	}
	return Value{kind: NumberKind, text: p.s[start:p.i]}, true
}

func (p *parser) str() (string, bool) {
	p.i++
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			s := p.s[start:p.i]
			p.i++
			return s, true
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.fail(fmt.Sprintf("the control character U+%04X must be escaped in a string", c))
		case c < utf8.RuneSelf:
			p.i++
		default:
			r, size := utf8.DecodeRuneInString(p.s[p.i:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail(fmt.Sprintf("the byte 0x%02X is not UTF-8", c))
			}
			p.i += size
		}
	}
	return "", p.fail("the text ends inside a string")
}

// escaped reads the rest of a string that began at start and has its first
// escape here.
func (p *parser) escaped(start int) (string, bool) {
	buf := make([]byte, 0, 2*(p.i-start)+16)
	buf = append(buf, p.s[start:p.i]...)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return string(buf), true
		case c < ' ':
			return "", p.fail(fmt.Sprintf("the control character U+%04X must be escaped in a string", c))
		case c == '\\':
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			buf = utf8.AppendRune(buf, r)
		default:
			r, size := utf8.DecodeRuneInString(p.s[p.i:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail(fmt.Sprintf("the byte 0x%02X is not UTF-8", c))
			}
			buf = append(buf, p.s[p.i:p.i+size]...)
			p.i += size
		}
	}
	return "", p.fail("the text ends inside a string")
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape() (rune, bool) {
	if p.i+1 >= len(p.s) {
		p.i = len(p.s)
		return 0, p.fail("the text ends inside a string")
	}
	if r, ok := escapes[p.s[p.i+1]]; ok {
		p.i += 2
		return r, true
	}
	if p.s[p.i+1] != 'u' {
		r, _ := utf8.DecodeRuneInString(p.s[p.i+1:])
		return 0, p.fail(fmt.Sprintf("there is no escape \\%c", r))
	}
	r, ok := p.unit(p.i)
	if !ok {
		return 0, p.fail("four hexadecimal digits are expected behind \\u")
	}
	if !utf16.IsSurrogate(r) {
		p.i += 6
		return r, true
	}
	if low, ok := p.unit(p.i + 6); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.i += 12
			return pair, true
		}
	}
	return 0, p.fail(fmt.Sprintf("the surrogate \\u%04x stands alone", r))
}

// unit reads the \uXXXX at i.
func (p *parser) unit(i int) (rune, bool) {
	if i+6 > len(p.s) || p.s[i] != '\\' || p.s[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[i+2 : i+6]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
