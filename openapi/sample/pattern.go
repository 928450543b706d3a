package sample

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/openapi/schema"
)

// A pattern is a regular expression taken apart for making texts. It covers all
// that a document may say; what a lookaround asks for is only a hint, and the
// caller tests every text.
type pattern struct {
	judge *schema.Pattern
	root  *node    // nil: too odd to be taken apart
	spice [][]rune // what lookaheads ask for
}

type nodeOp uint8

const (
	opEmpty nodeOp = iota
	opSet
	opCat
	opAlt
	opRepeat
	opGroup
	opRef
)

type node struct {
	op     nodeOp
	ranges []rune // pairs
	pick   []rune // the characters of ranges that are nice to read
	subs   []*node
	min    int // of opRepeat: how often
	max    int
	group  int // of opGroup and opRef
	lo, hi int // characters of the texts
}

// maxText bounds the characters of a text that is made.
const maxText = 1 << 20

func newPattern(judge *schema.Pattern) *pattern {
	p := &pattern{judge: judge}
	r := reader{in: judge.Expr(), p: p}
	n, ok := r.alternatives(0)
	if ok && r.i == len(r.in) {
		p.root = n
	}
	return p
}

// reader parses what [schema.Pattern.Expr] writes.
type reader struct {
	in     string
	i      int
	groups int
	fold   bool
	p      *pattern
	nodes  int
}

func (r *reader) more() bool { return r.i < len(r.in) }

func (r *reader) alternatives(depth int) (*node, bool) {
	const deepest = 200
	if depth > deepest {
		return nil, false
	}
	var alts []*node
	for {
		n, ok := r.sequence(depth)
		if !ok {
			return nil, false
		}
		alts = append(alts, n)
		if !r.more() || r.in[r.i] != '|' {
			break
		}
		r.i++
	}
	if len(alts) == 1 {
		return alts[0], true
	}
	n := &node{op: opAlt, subs: alts, lo: maxText}
	for _, a := range alts {
		n.lo, n.hi = min(n.lo, a.lo), max(n.hi, a.hi)
	}
	return n, true
}

func (r *reader) sequence(depth int) (*node, bool) {
	n := &node{op: opCat}
	for r.more() && r.in[r.i] != '|' && r.in[r.i] != ')' {
		sub, ok := r.atom(depth)
		if !ok {
			return nil, false
		}
		if sub = r.repeated(sub); sub == nil {
			return nil, false
		}
		n.subs = append(n.subs, sub)
		n.lo, n.hi = min(n.lo+sub.lo, maxText), min(n.hi+sub.hi, maxText)
	}
	return n, true
}

func (r *reader) repeated(n *node) *node {
	for r.more() {
		low, high := 0, maxText
		switch r.in[r.i] {
		case '*':
		case '+':
			low = 1
		case '?':
			high = 1
		case '{':
			end := strings.IndexByte(r.in[r.i:], '}')
			if end < 0 {
				return nil
			}
			a, b, ranged := strings.Cut(r.in[r.i+1:r.i+end], ",")
			low, high = count(a), count(b)
			if !ranged {
				high = low
			} else if b == "" {
				high = maxText
			}
			r.i += end
		default:
			return n
		}
		r.i++
		if r.more() && r.in[r.i] == '?' { // lazy: the same texts
			r.i++
		}
		n = &node{op: opRepeat, subs: []*node{n}, min: low, max: high, lo: times(n.lo, low), hi: times(n.hi, high)}
	}
	return n
}

func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n > maxText {
		return maxText
	}
	return n
}

func times(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return min(a*b, maxText)
}

func (r *reader) atom(depth int) (*node, bool) {
	const most = 20_000
	if r.nodes++; r.nodes > most {
		return nil, false
	}
	switch c := r.in[r.i]; c {
	case '^':
		r.i++
		return &node{}, true
	case '(':
		return r.parens(depth)
	case '[':
		end := r.i + 1
		for end < len(r.in) && r.in[end] != ']' {
			if r.in[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(r.in) {
			return nil, false
		}
		text := r.in[r.i : end+1]
		r.i = end + 1
		return r.set(text)
	case '\\':
		if r.i+1 >= len(r.in) {
			return nil, false
		}
		size := 2
		switch c := r.in[r.i+1]; {
		case c == 'z' || c == 'b' || c == 'B':
			r.i += 2
			return &node{}, true
		case c == 'x':
			size = 4
		case c >= '1' && c <= '9':
			end := r.i + 1
			for end < len(r.in) && r.in[end] >= '0' && r.in[end] <= '9' {
				end++
			}
			group := count(r.in[r.i+1 : end])
			r.i = end
			return &node{op: opRef, group: group, hi: maxText}, true
		}
		if r.i+size > len(r.in) {
			return nil, false
		}
		text := r.in[r.i : r.i+size]
		r.i += size
		return r.set(text)
	default:
		_, size := utf8.DecodeRuneInString(r.in[r.i:])
		text := r.in[r.i : r.i+size]
		r.i += size
		return r.set(text)
	}
}

// set is one character, or one of a class, as package syntax reads it.
func (r *reader) set(text string) (*node, bool) {
	flags := syntax.Perl
	if r.fold {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(text, flags)
	if err != nil {
		return nil, false
	}
	n := &node{op: opSet, lo: 1, hi: 1}
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			n.ranges = append(n.ranges, c, c)
			if re.Flags&syntax.FoldCase != 0 && c >= 'A' && c <= 'Z' {
				n.ranges = append(n.ranges, c|0x20, c|0x20)
			}
		}
		if len(re.Rune) != 1 {
			return nil, false
		}
	case syntax.OpCharClass:
		n.ranges = re.Rune
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n.ranges = []rune{' ', '~'}
	default: // a class of nothing
		n.ranges = nil
	}
	n.pick = nice(n.ranges)
	if len(n.pick) == 0 {
		n.lo, n.hi = maxText, maxText
	}
	return n, true
}

func in(ranges []rune, c rune) bool {
	for i := 0; i < len(ranges); i += 2 {
		if c >= ranges[i] && c <= ranges[i+1] {
			return true
		}
	}
	return false
}

// nice are letters and digits of the set, else other visible characters of
// ASCII, else whatever there is.
func nice(ranges []rune) []rune {
	var alnum, visible, others []rune
	for c := rune(' '); c <= '~'; c++ {
		switch {
		case !in(ranges, c):
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
			alnum = append(alnum, c)
		default:
			visible = append(visible, c)
		}
	}
	switch {
	case alnum != nil:
		return alnum
	case visible != nil:
		return visible
	}
	const some = 64
	for i := 0; i < len(ranges) && len(others) < some; i += 2 {
		for c := ranges[i]; c <= ranges[i+1] && len(others) < some; c++ {
			if c >= 0xD800 && c < 0xE000 {
				c = 0xE000
				if c > ranges[i+1] {
					break
				}
			}
			others = append(others, c)
		}
	}
	return others
}

func (r *reader) parens(depth int) (*node, bool) {
	r.i++
	rest := r.in[r.i:]
	look, positive, group, fold := false, false, 0, r.fold
	switch {
	case strings.HasPrefix(rest, "?:"):
		r.i += 2
	case strings.HasPrefix(rest, "?i)"):
		r.i += 3
		r.fold = true
		return &node{}, true
	case strings.HasPrefix(rest, "?i:"):
		r.i += 3
		r.fold = true
	case strings.HasPrefix(rest, "?="), strings.HasPrefix(rest, "?!"):
		look, positive = true, rest[1] == '='
		r.i += 2
	case strings.HasPrefix(rest, "?<="), strings.HasPrefix(rest, "?<!"):
		look, positive = true, rest[2] == '='
		r.i += 3
	default:
		r.groups++
		group = r.groups
	}
	n, ok := r.alternatives(depth + 1)
	if !ok || !r.more() || r.in[r.i] != ')' {
		return nil, false
	}
	r.i++
	r.fold = fold
	switch {
	case look:
		if positive {
			r.season(n)
		}
		return &node{}, true
	case group > 0:
		return &node{op: opGroup, group: group, subs: []*node{n}, lo: n.lo, hi: n.hi}, true
	}
	return n, true
}

// season keeps the small sets of a lookahead: (?=.*[A-Z]) asks for a capital.
func (r *reader) season(n *node) {
	const small = 60
	if n.op == opSet && len(n.pick) > 0 && len(n.pick) < small {
		r.p.spice = append(r.p.spice, n.pick)
	}
	for _, sub := range n.subs {
		r.season(sub)
	}
}

// writer makes one text of a pattern.
type writer struct {
	*rng
	p      *pattern
	out    []byte
	seen   map[int]string
	spices int
	left   int // characters that may still be written
}

// text is a text that probably matches, of about that many characters.
func (p *pattern) text(r *rng, want int) (string, bool) {
	if p.root == nil || p.root.lo >= maxText {
		return "", false
	}
	w := writer{rng: r, p: p, spices: r.intn(8), left: max(want, p.root.lo) + 1000}
	w.write(p.root, want)
	return string(w.out), w.left >= 0
}

func (w *writer) write(n *node, want int) {
	if w.left < 0 {
		return
	}
	switch n.op {
	case opSet:
		if w.left--; len(n.pick) == 0 {
			w.left = -1
			return
		}
		c := n.pick[w.intn(len(n.pick))]
		if s := w.p.spice; len(s) > 0 && w.intn(2) == 0 {
			list := s[w.spices%len(s)]
			if x := list[w.intn(len(list))]; in(n.ranges, x) {
				c = x
				w.spices++
			}
		}
		w.out = utf8.AppendRune(w.out, c)
	case opCat:
		extra := want - n.lo
		for i, sub := range n.subs {
			add := 0
			if room := sub.hi - sub.lo; extra > 0 && room > 0 {
				later := 0
				for _, s := range n.subs[i+1:] {
					later = min(later+s.hi-s.lo, maxText)
				}
				low, high := max(0, extra-later), min(room, extra)
				if add = low; high > low {
					add += w.intn(high - low + 1)
				}
			}
			extra -= add
			w.write(sub, sub.lo+add)
		}
	case opAlt:
		at := w.intn(len(n.subs))
		for range n.subs {
			if s := n.subs[at]; s.lo <= want && want <= s.hi {
				break
			}
			at = (at + 1) % len(n.subs)
		}
		if n.subs[at].lo >= maxText {
			for at = 0; at < len(n.subs)-1 && n.subs[at].lo >= maxText; at++ {
			}
		}
		w.write(n.subs[at], want)
	case opRepeat:
		w.repeat(n, want)
	case opGroup:
		from := len(w.out)
		w.write(n.subs[0], want)
		if w.seen == nil {
			w.seen = make(map[int]string)
		}
		w.seen[n.group] = string(w.out[from:])
	case opRef:
		s := w.seen[n.group]
		if w.left -= len(s); w.left >= 0 {
			w.out = append(w.out, s...)
		}
	}
}

func (w *writer) repeat(n *node, want int) {
	sub := n.subs[0]
	least, most := n.min, n.max
	if sub.hi > 0 {
		least = max(least, (want+sub.hi-1)/sub.hi)
	}
	if sub.lo > 0 {
		most = min(most, want/sub.lo)
	}
	k := n.min
	if sub.hi > 0 && want > 0 {
		if k = min(max(least, n.min), n.max); most > k && sub.lo < sub.hi {
			k += w.intn(min(most-k, 3) + 1)
		}
	}
	for i := range k {
		if w.left < 0 {
			return
		}
		share := min(max(want/(k-i), sub.lo), sub.hi)
		w.write(sub, share)
		want -= share
	}
}
