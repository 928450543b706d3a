package contracttests

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// difference is where an answer is not what the model says.
type difference struct {
	at        string // status, header X, body.error.code
	want, got string
	wording   bool   // only the words of a sentence differ
	law       bool   // a choice of the server is not as it should be; it was made nevertheless
	text      string // then: the sentence that was expected

	expected, actual value.Value
}

// comparison compares one expected value with what came, and notes what the
// server has chosen.
type comparison struct {
	bound map[*hole]value.Value
	taken map[string]bool // ids that records have had
	data  map[string]bool // members that hold what was sent or kept, not the server's own words
	found []difference
}

func (c *comparison) differ(at string, want, got value.Value) {
	c.found = append(c.found, difference{
		at: at, want: brief(want), got: brief(got), text: want.Text(), expected: want, actual: got,
		wording: want.IsString() && got.IsString() && strings.Contains(want.Text(), " ") && got.Text() != "" && !c.data[member(at)],
	})
}

// member is the name of the member at or around a place.
func member(at string) string {
	for {
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			return ""
		}
		if name := at[i+1:]; strings.Trim(name, "0123456789") != "" {
			return name
		}
		at = at[:i]
	}
}

// brief is a value for a message.
func brief(v value.Value) string {
	if v.IsMissing() {
		return "nothing"
	}
	if v.Kind() == value.HoleKind {
		return "a value of the server's choice"
	}
	s := v.String()
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

// compare goes through both values. A server may send more members than are
// expected, in any order; it may leave out those that are null.
func (c *comparison) compare(at string, want, got value.Value) {
	switch {
	case want.Kind() == value.HoleKind:
		if h, ok := holeOf(want); ok {
			c.choice(at, h, got)
		}
	case want.IsObject() && got.IsObject():
		for _, m := range want.Shown().Members() {
			g := got.Get(m.Name)
			if g.IsMissing() && m.Value.IsNull() {
				continue
			}
			c.compare(at+"."+m.Name, m.Value, g)
		}
	case want.IsArray() && got.IsArray():
		if want.Len() != got.Len() {
			c.found = append(c.found, difference{at: at, want: fmt.Sprintf("%d elements", want.Len()), got: fmt.Sprintf("%d elements", got.Len())})
			return
		}
		for i, e := range want.Elems() {
			c.compare(fmt.Sprintf("%s.%d", at, i), e, got.At(i))
		}
	case value.Equal(want, got):
	case sameInstant(want, got), sameLink(want, got):
	default:
		c.differ(at, want, got)
	}
}

// choice is a value that the server was free to choose, by its law, once.
func (c *comparison) choice(at string, h *hole, got value.Value) {
	known := c.bound[h]
	switch {
	case !known.IsMissing():
		if !value.Equal(known, got) && !sameInstant(known, got) {
			c.differ(at, known, got)
		}
	case h.law.Kind == behavior.Unknown:
	case h.law.Kind == behavior.Kept:
		if !got.IsMissing() { // what is left out here may be shown elsewhere
			c.bound[h] = got
		}
	case got.IsMissing() || !h.law.Holds(got):
		c.found = append(c.found, difference{at: at, want: describe(h.law), got: brief(got), law: !got.IsNull()})
		if !got.IsNull() {
			c.bound[h] = got // it was chosen nevertheless
		}
	case h.law.Kind == behavior.Time && h.before(got):
		c.found = append(c.found, difference{at: at, want: "a time that is not before " + h.since.Format(time.RFC3339Nano), got: brief(got), law: true})
		c.bound[h] = got
	case (h.law.Kind == behavior.UUID || h.law.Kind == behavior.Pattern) && c.taken[got.Text()]:
		c.found = append(c.found, difference{at: at, want: "a fresh value", got: brief(got)})
	default:
		c.bound[h] = got
	}
}

// before is whether a time is earlier than one that the server had chosen
// before, as far as its precision tells.
func (h *hole) before(got value.Value) bool {
	t, ok := behavior.Timestamp(got.Text())
	return ok && !h.since.IsZero() && t.Before(h.since.Truncate(precision(got.Text())))
}

// precision is what the last digit of a time stands for.
func precision(s string) time.Duration {
	_, fraction, ok := strings.Cut(s, ".")
	if !ok {
		return time.Second
	}
	p := time.Second
	for _, d := range fraction {
		if d < '0' || d > '9' {
			break
		}
		p /= 10
	}
	return max(p, 1)
}

func describe(l *behavior.Law) string {
	switch l.Kind {
	case behavior.UUID:
		return "a UUID"
	case behavior.Time:
		return "a time (RFC 3339)"
	case behavior.Pattern:
		return "a text that matches " + l.Pattern
	case behavior.Pick:
		return "one of " + brief(value.Array(l.Of...))
	case behavior.Between:
		return fmt.Sprintf("a whole number from %d to %d", l.Low, l.High)
	}
	return "a value of the server's choice"
}

// sameLink is whether both are absolute URLs that differ in what comes before the
// path only: a server may know itself by another name than we do.
func sameLink(a, b value.Value) bool {
	x, err1 := url.Parse(a.Text())
	y, err2 := url.Parse(b.Text())
	if err1 != nil || err2 != nil || x.Host == "" || y.Host == "" {
		return false
	}
	return strings.HasSuffix(y.EscapedPath(), x.EscapedPath()) && sameQuery(x.Query(), y.Query())
}

// sameQuery is whether b asks for what a asks for. It may say more: what the server
// takes for granted.
func sameQuery(a, b url.Values) bool {
	for name, values := range a {
		if !slices.Equal(b[name], values) && (positive(values[0]) || !positive(b.Get(name))) {
			return false
		}
	}
	return true
}

// positive is whether a text is a number of something. For one that is not, a server
// may put what it takes instead.
func positive(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 || err != nil && s != ""
}

// sameInstant is whether both are one time, written with another zone or
// precision.
func sameInstant(a, b value.Value) bool {
	if !a.IsString() || !b.IsString() || len(a.Text()) < len("2006-01-02T15:04") || a.Text()[4] != '-' {
		return false
	}
	x, ok1 := behavior.Timestamp(a.Text())
	y, ok2 := behavior.Timestamp(b.Text())
	if !ok1 || !ok2 {
		return false
	}
	p := max(precision(a.Text()), precision(b.Text()))
	return x.Truncate(p).Equal(y.Truncate(p))
}
