package behavior

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/understudy-dev/understudy/behavior/value"
)

// LawKind says what sort of choice a server has.
type LawKind uint8

const (
	UUID        LawKind = iota // a fresh UUID, version 4
	Time                       // the server's time, in Layout
	Pattern                    // a fresh text that Pattern matches
	Pick                       // one of Of
	Between                    // a whole number from Low to High
	Alternative                // which of High+1 permitted ways; the answer is its number, from 0
	Condition                  // whether something holds that hangs on other choices
	Unknown                    // computed from other choices
	Kept                       // what a record holds that nobody has looked at
)

// A Law says what a server may choose in one place.
type Law struct {
	Kind      LawKind
	Layout    string        // of Time, as package time has it
	Pattern   string        // of Pattern, as package regexp has it
	Of        []value.Value // of Pick
	Low, High int64         // of Between and Alternative

	generate *pattern
}

// Holds is whether v is a possible choice. What can only be judged with more
// knowledge (whether an id is fresh, a time not too early) counts as possible.
func (l *Law) Holds(v value.Value) bool {
	switch l.Kind {
	case UUID:
		return v.IsString() && uuidForm.MatchString(v.Text())
	case Time:
		_, ok := Timestamp(v.Text())
		return v.IsString() && ok
	case Pattern:
		re, err := regexp.Compile("^(?:" + l.Pattern + ")$")
		return v.IsString() && err == nil && re.MatchString(v.Text())
	case Pick:
		for _, o := range l.Of {
			if value.Equal(o, v) {
				return true
			}
		}
		return false
	case Between, Alternative:
		i, ok := v.Int()
		return ok && i >= l.Low && i <= l.High
	}
	return true
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// A Chooser makes the choices that are the server's. It answers with a value
// that the law permits or, to leave a choice open, with a [value.Hole]; what is
// computed from a hole is a hole with the law [Unknown].
type Chooser interface {
	Choose(*Law) value.Value
}

// unknown is what is computed from a hole.
var unknown = value.Hole(&Law{Kind: Unknown})

// seeded makes every choice from a seed, a counter and a time, so that equal
// histories have equal answers. Of alternatives it takes the first.
type seeded struct {
	seed    uint64
	counter *uint64
	now     time.Time
}

func (s *seeded) random() *rand.Rand {
	*s.counter++
	return rand.New(rand.NewPCG(s.seed, *s.counter))
}

// Choose implements [Chooser].
func (s *seeded) Choose(l *Law) value.Value {
	switch l.Kind {
	case UUID:
		*s.counter++
		src := rand.NewPCG(s.seed, *s.counter)
		return value.String(formatUUID(src.Uint64(), src.Uint64()))
	case Time:
		return value.String(s.now.UTC().Format(l.Layout))
	case Pattern:
		return value.String(l.generate.make(s.random()))
	case Pick:
		return l.Of[s.random().IntN(len(l.Of))]
	case Between:
		return value.Int(l.Low + s.random().Int64N(max(l.High-l.Low+1, 1)))
	case Alternative:
		return value.Int(0)
	}
	return value.False
}

// formatUUID writes 128 random bits as a UUID version 4 (RFC 9562, section 5.4).
func formatUUID(a, b uint64) string {
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	var out [36]byte
	const digits = "0123456789abcdef"
	at := 0
	for i := range 32 {
		switch i {
		case 8, 12, 16, 20:
			out[at] = '-'
			at++
		}
		word := a
		if i >= 16 {
			word = b
		}
		out[at] = digits[word>>(60-4*(i%16))&15]
		at++
	}
	return string(out[:])
}

// pattern generates texts that a regular expression matches.
type pattern struct{ re *syntax.Regexp }

func compilePattern(s string) (*pattern, error) {
	re, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern %s: %v", strconv.Quote(s), err)
	}
	return &pattern{re.Simplify()}, nil
}

func (p *pattern) make(r *rand.Rand) string {
	var b strings.Builder
	write(&b, p.re, r)
	return b.String()
}

// unbounded is how often at the most something is repeated that the expression
// lets be repeated without end.
const unbounded = 8

func write(b *strings.Builder, re *syntax.Regexp, r *rand.Rand) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			b.WriteRune(c)
		}
	case syntax.OpCharClass:
		b.WriteRune(fromClass(re.Rune, r))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[r.IntN(36)])
	case syntax.OpStar:
		repeat(b, re.Sub[0], r.IntN(unbounded+1), r)
	case syntax.OpPlus:
		repeat(b, re.Sub[0], 1+r.IntN(unbounded), r)
	case syntax.OpQuest:
		repeat(b, re.Sub[0], r.IntN(2), r)
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + unbounded
		}
		repeat(b, re.Sub[0], re.Min+r.IntN(most-re.Min+1), r)
	case syntax.OpAlternate:
		write(b, re.Sub[r.IntN(len(re.Sub))], r)
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			write(b, sub, r)
		}
	}
}

func repeat(b *strings.Builder, re *syntax.Regexp, n int, r *rand.Rand) {
	for range n {
		write(b, re, r)
	}
}

// fromClass takes a rune of a class, a printable ASCII one where there is one.
func fromClass(ranges []rune, r *rand.Rand) rune {
	total, plain := 0, 0
	for i := 0; i+1 < len(ranges); i += 2 {
		total += int(ranges[i+1]-ranges[i]) + 1
		if lo, hi := max(ranges[i], ' '+1), min(ranges[i+1], unicode.MaxASCII-1); lo <= hi {
			plain += int(hi-lo) + 1
		}
	}
	if plain > 0 {
		n := r.IntN(plain)
		for i := 0; i+1 < len(ranges); i += 2 {
			lo, hi := max(ranges[i], ' '+1), min(ranges[i+1], unicode.MaxASCII-1)
			if lo > hi {
				continue
			}
			if k := int(hi-lo) + 1; n >= k {
				n -= k
				continue
			}
			return lo + rune(n)
		}
	}
	if total == 0 {
		return '?'
	}
	n := r.IntN(total)
	for i := 0; i+1 < len(ranges); i += 2 {
		if k := int(ranges[i+1]-ranges[i]) + 1; n >= k {
			n -= k
			continue
		}
		return ranges[i] + rune(n)
	}
	return '?'
}
