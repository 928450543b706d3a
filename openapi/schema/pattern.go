package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// matchTimeout bounds one match of a pattern that needs backtracking. A text
// that takes longer does not match.
const matchTimeout = 100 * time.Millisecond

// A pattern is a regular expression of ECMA-262 in Unicode mode. Those that RE2
// can express take time proportional to the text; lookarounds, back references
// and counts above 1000 need backtracking.
type pattern struct {
	simple *chain
	fast   *regexp.Regexp
	slow   *regexp2.Regexp
}

func compilePattern(text string) (*pattern, error) {
	t := translator{in: text}
	t.scanGroups()
	if err := t.run(); err != nil {
		return nil, err
	}
	out := t.out.String()
	if !t.backtracks {
		re, err := regexp.Compile(out)
		if err == nil {
			return &pattern{fast: re, simple: newChain(out)}, nil
		}
		var se *syntax.Error
		if !errors.As(err, &se) {
			return nil, err
		}
		if se.Code != syntax.ErrInvalidRepeatSize && se.Code != syntax.ErrLarge {
			return nil, fmt.Errorf("%s: %s", se.Code, se.Expr)
		}
		// Only the size is wrong, which the other engine does not mind.
		t = translator{in: text, backtracks: true}
		t.scanGroups()
		if err := t.run(); err != nil {
			return nil, err
		}
		out = t.out.String()
	}
	re, err := regexp2.Compile(out, regexp2.None)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTimeout
	return &pattern{slow: re}, nil
}

func (p *pattern) match(s string) bool {
	if p.simple != nil {
		return p.simple.match(s)
	}
	if p.fast != nil {
		return p.fast.MatchString(s)
	}
	ok, err := p.slow.MatchString(s)
	return ok && err == nil
}

// translator rewrites ECMA-262 into what RE2 and the backtracking engine both
// read in the same way: shorthands become plain classes, named groups numbers.
type translator struct {
	in         string
	i          int
	out        strings.Builder
	names      map[string]int
	groups     int
	backtracks bool
}

// The classes of ECMA-262, 22.2.2.9. White space is its WhiteSpace and
// LineTerminator.
const (
	digits   = `0-9`
	notDigit = `\x00-/:-` + "\U0010FFFF"
	words    = `0-9A-Z_a-z`
	notWord  = `\x00-/:-@\[-\^` + "`" + `\{-` + "\U0010FFFF"
	spaces   = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpace = `\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-` + "\U0010FFFF"
	anything = `[\x00-` + "\U0010FFFF]"
	nothing  = `[^\x00-` + "\U0010FFFF]"
	notLine  = `[^\n\r\x{2028}\x{2029}]`
)

// scanGroups numbers the groups, for references that come before them.
func (t *translator) scanGroups() {
	t.names = make(map[string]int)
	class := false
	for i := 0; i < len(t.in); i++ {
		switch c := t.in[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			rest := t.in[i+1:]
			if !strings.HasPrefix(rest, "?") {
				t.groups++
			} else if name, ok := groupName(rest); ok {
				t.groups++
				t.names[name] = t.groups
			}
		}
	}
}

// groupName reads ?<name> and, as other dialects write it, ?P<name>.
func groupName(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "?<")
	if !ok {
		rest, ok = strings.CutPrefix(s, "?P<")
	}
	end := strings.IndexByte(rest, '>')
	if !ok || end < 1 || rest[0] == '=' || rest[0] == '!' {
		return "", false
	}
	return rest[:end], true
}

func (t *translator) run() error {
	for t.i < len(t.in) {
		switch c := t.in[t.i]; c {
		case '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case '[':
			if err := t.class(); err != nil {
				return err
			}
		case '(':
			if err := t.group(); err != nil {
				return err
			}
		case '.':
			t.i++
			t.write(notLine)
		case '$':
			t.i++
			t.write(`\z`)
		case '{':
			t.i += t.count()
		default:
			r, size := utf8.DecodeRuneInString(t.in[t.i:])
			if strings.ContainsRune("^*+?|)", r) {
				t.out.WriteByte(c)
			} else {
				t.char(r)
			}
			t.i += size
		}
	}
	return nil
}

// count copies a quantifier such as {2,5}. Anything else in braces is text.
func (t *translator) count() int {
	end := strings.IndexByte(t.in[t.i:], '}')
	if end > 1 {
		low, high, ranged := strings.Cut(t.in[t.i+1:t.i+end], ",")
		if allDigits(low) && low != "" && (!ranged || allDigits(high)) {
			t.write(t.in[t.i : t.i+end+1])
			return end + 1
		}
	}
	t.write(`\{`)
	return 1
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// write writes a class or an operator, with \x{…} as the character itself.
func (t *translator) write(s string) {
	for {
		at := strings.Index(s, `\x{`)
		if at < 0 {
			t.out.WriteString(s)
			return
		}
		end := at + strings.IndexByte(s[at:], '}')
		r, _ := strconv.ParseUint(s[at+3:end], 16, 32)
		t.out.WriteString(s[:at])
		t.char(rune(r))
		s = s[end+1:]
	}
}

// char writes one character so that it means itself, in a class or outside.
func (t *translator) char(r rune) {
	switch {
	case r < ' ' || r == 0x7F:
		fmt.Fprintf(&t.out, `\x%02x`, r)
	case r < utf8.RuneSelf && !isAlpha(byte(r)) && !isDigit(byte(r)) && r != '_' && r != ' ':
		t.out.WriteByte('\\')
		t.out.WriteRune(r)
	default:
		t.out.WriteRune(r)
	}
}

func (t *translator) group() error {
	rest := t.in[t.i+1:]
	_, named := groupName(rest)
	switch {
	case !strings.HasPrefix(rest, "?"):
		t.out.WriteByte('(')
		t.i++
	case named:
		t.out.WriteByte('(')
		t.i += strings.IndexByte(t.in[t.i:], '>') + 1
	case strings.HasPrefix(rest, "?:"), strings.HasPrefix(rest, "?i)"), strings.HasPrefix(rest, "?i:"):
		n := 1 + strings.IndexAny(rest, ":)") + 1
		t.out.WriteString(t.in[t.i : t.i+n])
		t.i += n
	case strings.HasPrefix(rest, "?="), strings.HasPrefix(rest, "?!"):
		t.look(3)
	case strings.HasPrefix(rest, "?<="), strings.HasPrefix(rest, "?<!"):
		t.look(4)
	default:
		end := min(len(t.in), t.i+4)
		return fmt.Errorf("unknown group %q", t.in[t.i:end])
	}
	return nil
}

func (t *translator) look(n int) {
	t.backtracks = true
	t.out.WriteString(t.in[t.i : t.i+n])
	t.i += n
}

const wordBoundary = `(?:(?<=[` + words + `])(?![` + words + `])|(?<![` + words + `])(?=[` + words + `]))`

func (t *translator) escape() error {
	if t.i+1 >= len(t.in) {
		return errors.New(`it ends in \`)
	}
	switch c := t.in[t.i+1]; {
	case c == 'b' || c == 'B':
		t.i += 2
		switch {
		case !t.backtracks && !t.needsBacktracking():
			t.out.WriteString(`\` + string(rune(c)))
		case c == 'b':
			t.out.WriteString(wordBoundary)
		default:
			t.out.WriteString(`(?!` + wordBoundary + `)`)
		}
		return nil
	case c >= '1' && c <= '9':
		end := t.i + 2
		for end < len(t.in) && isDigit(t.in[end]) {
			end++
		}
		n, err := strconv.Atoi(t.in[t.i+1 : end])
		if err != nil || n > t.groups {
			return fmt.Errorf("there is no group %s", t.in[t.i+1:end])
		}
		t.i = end
		t.reference(n)
		return nil
	case c == 'k':
		rest := t.in[t.i+2:]
		end := strings.IndexByte(rest, '>')
		if !strings.HasPrefix(rest, "<") || end < 0 || t.names[rest[1:end]] == 0 {
			return errors.New(`\k names no group`)
		}
		t.i += 2 + end + 1
		t.reference(t.names[rest[1:end]])
		return nil
	}
	set, r, err := t.classEscape()
	if err != nil {
		return err
	}
	if set != "" {
		t.write("[" + set + "]")
	} else {
		t.char(r)
	}
	return nil
}

func (t *translator) reference(n int) {
	t.backtracks = true
	fmt.Fprintf(&t.out, `(?:\%d)`, n)
}

// needsBacktracking looks for what follows that RE2 does not have, because the
// two engines differ in what a word is.
func (t *translator) needsBacktracking() bool {
	for _, s := range []string{"(?=", "(?!", "(?<=", "(?<!", `\k`} {
		if strings.Contains(t.in, s) {
			return true
		}
	}
	for i := 0; i+1 < len(t.in); i++ {
		if t.in[i] == '\\' {
			if c := t.in[i+1]; c >= '1' && c <= '9' {
				return true
			}
			i++
		}
	}
	return false
}

// classEscape reads an escape that stands for a set or for one character.
func (t *translator) classEscape() (set string, r rune, err error) {
	if t.i+1 >= len(t.in) {
		return "", 0, errors.New(`it ends in \`)
	}
	c := t.in[t.i+1]
	t.i += 2
	switch c {
	case 'd':
		return digits, 0, nil
	case 'D':
		return notDigit, 0, nil
	case 'w':
		return words, 0, nil
	case 'W':
		return notWord, 0, nil
	case 's':
		return spaces, 0, nil
	case 'S':
		return notSpace, 0, nil
	case 'p', 'P':
		end := strings.IndexByte(t.in[t.i:], '}')
		if !strings.HasPrefix(t.in[t.i:], "{") || end < 2 {
			return "", 0, fmt.Errorf(`\%c has no {name}`, c)
		}
		name := t.in[t.i+1 : t.i+end]
		if _, after, ok := strings.Cut(name, "="); ok {
			name = after
		}
		if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") != "" {
			return "", 0, fmt.Errorf(`unknown property \%c{%s}`, c, name)
		}
		t.i += end + 1
		return `\` + string(rune(c)) + `{` + name + `}`, 0, nil
	case 't':
		return "", '\t', nil
	case 'n':
		return "", '\n', nil
	case 'v':
		return "", '\v', nil
	case 'f':
		return "", '\f', nil
	case 'r':
		return "", '\r', nil
	case 'b':
		return "", '\b', nil
	case '0':
		return "", 0, nil
	case 'c':
		if t.i < len(t.in) && isAlpha(t.in[t.i]) {
			t.i++
			return "", rune(t.in[t.i-1] & 31), nil
		}
		return "", 0, errors.New(`\c has no letter`)
	case 'x':
		r, ok := t.hex(2)
		if !ok {
			return "", 0, errors.New(`\x has no two hexadecimal digits`)
		}
		return "", r, nil
	case 'u':
		return t.unicode()
	}
	if isAlpha(c) || isDigit(c) {
		return "", 0, fmt.Errorf(`unknown escape \%c`, c)
	}
	t.i--
	r, size := utf8.DecodeRuneInString(t.in[t.i:])
	t.i += size
	return "", r, nil
}

func (t *translator) hex(n int) (rune, bool) {
	if t.i+n > len(t.in) {
		return 0, false
	}
	r, err := strconv.ParseUint(t.in[t.i:t.i+n], 16, 32)
	if err != nil || r > utf8.MaxRune {
		return 0, false
	}
	t.i += n
	return rune(r), true
}

func (t *translator) unicode() (string, rune, error) {
	bad := errors.New(`\u is no character`)
	if strings.HasPrefix(t.in[t.i:], "{") {
		end := strings.IndexByte(t.in[t.i:], '}')
		if end < 2 || end > 8 {
			return "", 0, bad
		}
		t.i++
		r, ok := t.hex(end - 1)
		t.i++
		if !ok || utf16.IsSurrogate(r) {
			return "", 0, bad
		}
		return "", r, nil
	}
	r, ok := t.hex(4)
	if !ok {
		return "", 0, bad
	}
	if utf16.IsSurrogate(r) {
		if !strings.HasPrefix(t.in[t.i:], `\u`) {
			return "", 0, bad
		}
		t.i += 2
		low, ok := t.hex(4)
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return "", 0, bad
		}
	}
	return "", r, nil
}

func (t *translator) class() error {
	t.i++
	negated := strings.HasPrefix(t.in[t.i:], "^")
	if negated {
		t.i++
	}
	if strings.HasPrefix(t.in[t.i:], "]") {
		t.i++
		if negated {
			t.write(anything)
		} else {
			t.write(nothing)
		}
		return nil
	}
	t.out.WriteByte('[')
	if negated {
		t.out.WriteByte('^')
	}
	for {
		if t.i >= len(t.in) {
			return errors.New("missing closing ]")
		}
		if t.in[t.i] == ']' {
			t.i++
			t.out.WriteByte(']')
			return nil
		}
		set, low, err := t.atom()
		if err != nil {
			return err
		}
		ranged := t.i+1 < len(t.in) && t.in[t.i] == '-' && t.in[t.i+1] != ']'
		if !ranged {
			t.member(set, low)
			continue
		}
		t.i++
		set2, high, err := t.atom()
		if err != nil {
			return err
		}
		switch {
		case set != "" || set2 != "": // [\w-.]: the - is one
			t.member(set, low)
			t.char('-')
			t.member(set2, high)
		case high < low:
			return fmt.Errorf("the range %c-%c is empty", low, high)
		default:
			t.char(low)
			t.out.WriteByte('-')
			t.char(high)
		}
	}
}

func (t *translator) member(set string, r rune) {
	if set != "" {
		t.write(set)
	} else {
		t.char(r)
	}
}

func (t *translator) atom() (set string, r rune, err error) {
	if t.in[t.i] == '\\' {
		return t.classEscape()
	}
	r, size := utf8.DecodeRuneInString(t.in[t.i:])
	t.i += size
	return "", r, nil
}
