package contracttests

import (
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// hole is a choice that the server has made and that the judge does not know yet.
type hole struct {
	law   *behavior.Law
	since time.Time // of a time: it is not before this one; zero for unknown
}

// choices leaves a server's choices open and walks one of the ways that the
// model permits: script answers, in order, which alternative is taken and whether a
// condition that hangs on open choices holds. Beyond the script it takes the first
// way; asked says how many there were each time.
type choices struct {
	judge   *Judge
	picture *picture // nil: nothing is compared yet
	script  []int
	asked   []int
	since   time.Time // the newest of the server's times
	holes   []*hole
	replay  []*hole                    // the holes of an earlier walk, to be given again
	bound   map[*hole]value.Value      // and what is known of them
	answer  value.Value                // the body that came; Missing if there is none
	loose   bool                       // what is chosen from a list, or by a pattern, may be anything
	vague   map[string]map[string]bool // members that are open in some records, by resource
	lists   []*behavior.Listing        // what was listed on the way
	swept   bool                       // records that nobody knows are changed or removed
	unseen  []unseen                   // records that are held possible, or not, on this way
}

// unseen is a record that the picture does not have: Missing if this way has it that
// there is none.
type unseen struct {
	resource string
	id       value.Value
	record   value.Value
}

// Choose implements [behavior.Chooser].
func (c *choices) Choose(l *behavior.Law) value.Value {
	switch l.Kind {
	case behavior.Alternative:
		return value.Int(int64(c.way(int(l.High) + 1)))
	case behavior.Condition:
		return value.Bool(c.way(2) == 1)
	case behavior.Unknown:
		return value.Hole(&hole{law: l})
	}
	if c.loose && (l.Kind == behavior.Pick || l.Kind == behavior.Pattern) {
		l = kept
	}
	h := &hole{law: l, since: c.since}
	if n := len(c.holes); n < len(c.replay) {
		h = c.replay[n]
	}
	c.holes = append(c.holes, h)
	if v, ok := c.bound[h]; ok {
		return v
	}
	return value.Hole(h)
}

func (c *choices) way(of int) int {
	n := len(c.asked)
	c.asked = append(c.asked, of)
	if n < len(c.script) {
		return c.script[n]
	}
	return 0
}

// next is the script of the next way, nil after the last one.
func (c *choices) next() []int {
	script := append([]int(nil), c.script...)
	for len(script) < len(c.asked) {
		script = append(script, 0)
	}
	for i := len(script) - 1; i >= 0; i-- {
		if i < len(c.asked) && script[i]+1 < c.asked[i] {
			script[i]++
			return script[:i+1]
		}
	}
	return nil
}

// mostWays bounds the ways that are tried for one answer in one picture.
const mostWays = 64
