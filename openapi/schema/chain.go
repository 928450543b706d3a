package schema

import (
	"math"
	"regexp/syntax"
	"unicode/utf8"
)

// A chain is a pattern such as ^agent_[a-z0-9]{12}$, of which most identifiers
// are: ASCII classes in a row from the beginning to the end, each so often, and
// none that repeats at will can take what belongs to the next one. It is
// matched without an engine.
type chain struct{ links []link }

type link struct {
	set      [2]uint64 // of ASCII characters
	min, max int
}

func (l *link) has(c byte) bool {
	return c < utf8.RuneSelf && l.set[c>>6]&(1<<(c&63)) != 0
}

// newChain is nil where the pattern is none.
func newChain(pattern string) *chain {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	re = uncapture(re)
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 ||
		re.Sub[0].Op != syntax.OpBeginText || re.Sub[len(re.Sub)-1].Op != syntax.OpEndText {
		return nil
	}
	var c chain
	for _, sub := range re.Sub[1 : len(re.Sub)-1] {
		if !c.add(sub) {
			return nil
		}
	}
	for i := range c.links {
		l := &c.links[i]
		if l.min == l.max {
			continue
		}
		// The next ones that can follow, up to one that cannot be left out.
		for j := i + 1; j < len(c.links); j++ {
			n := &c.links[j]
			if l.set[0]&n.set[0] != 0 || l.set[1]&n.set[1] != 0 {
				return nil
			}
			if n.min > 0 {
				break
			}
		}
	}
	return &c
}

func uncapture(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return re
}

func (c *chain) add(re *syntax.Regexp) bool {
	re = uncapture(re)
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return false
		}
		for _, r := range re.Rune {
			if r >= utf8.RuneSelf {
				return false
			}
			l := link{min: 1, max: 1}
			l.set[r>>6] |= 1 << (r & 63)
			c.links = append(c.links, l)
		}
		return true
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !c.add(sub) {
				return false
			}
		}
		return true
	case syntax.OpCharClass:
		l := link{min: 1, max: 1}
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] >= utf8.RuneSelf {
				return false
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				l.set[r>>6] |= 1 << (r & 63)
			}
		}
		c.links = append(c.links, l)
		return true
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		at := len(c.links)
		if !c.add(re.Sub[0]) || len(c.links) != at+1 {
			return false
		}
		l := &c.links[at]
		if l.min != 1 || l.max != 1 {
			return false
		}
		switch re.Op {
		case syntax.OpStar:
			l.min, l.max = 0, math.MaxInt
		case syntax.OpPlus:
			l.max = math.MaxInt
		case syntax.OpQuest:
			l.min = 0
		default:
			if l.min, l.max = re.Min, re.Max; l.max < 0 {
				l.max = math.MaxInt
			}
		}
		return true
	}
	return false
}

func (c *chain) match(s string) bool {
	i := 0
	for k := range c.links {
		l := &c.links[k]
		n := 0
		for n < l.max && i < len(s) && l.has(s[i]) {
			i++
			n++
		}
		if n < l.min {
			return false
		}
	}
	return i == len(s)
}
