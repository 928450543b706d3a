package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/openapi"
)

// ofRate is whether a header tells that part of a rate limit: limit, remaining or
// reset.
func ofRate(header, part string) bool {
	n := strings.ReplaceAll(strings.ToLower(header), "-", "")
	return strings.Contains(n, "ratelimit") && strings.Contains(strings.Replace(n, "ratelimit", "", 1), part)
}

func names(h http.Header) []string {
	out := make([]string, 0, len(h))
	for n := range h {
		out = append(out, n)
	}
	return out
}

// sibling is the header that tells another part of the same limit.
func sibling(remaining, part string) string {
	i := strings.Index(strings.ToLower(remaining), "remaining")
	return remaining[:i] + part + remaining[i+len("remaining"):]
}

// counters are the documented headers that tell what is left of a rate limit.
func counters(doc *openapi.Response) []string {
	var out []string
	if doc != nil {
		for _, h := range doc.Headers {
			if ofRate(h.Name, "remaining") {
				out = append(out, h.Name)
			}
		}
	}
	return out
}

const (
	mostStill  = 10 // successive calls that a counter may stand still for
	lowLimit   = 20 // calls per window, up to which a limit is reached on purpose
	nearWindow = 5 * time.Second
)

// meter judges what is left of a rate limit, over calls of one caller, one behind the
// other. Others may use it up, too, so it may fall as it likes; a window may end.
func (a *answer) meter(calls []*Exchange) {
	for _, name := range counters(a.doc) {
		if title, expected, got := stands(calls, name); title != "" {
			a.add("rate-limit", Breach, title, expected, got)
		} else if expected, got := rises(calls, name); got != "" {
			a.add("rate-limit", Observation, "has more left of its rate limit ("+name+") than before, in the same window", expected, got)
		}
	}
}

// left is a counter as an exchange shows it.
func left(x *Exchange, name string) (int64, bool) {
	if x.Response == nil || x.Err != nil || x.Response.Status >= 500 {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(x.Response.Header.Get(name)), 10, 64)
	return n, err == nil
}

// stands is whether the last calls have all shown the same.
func stands(calls []*Exchange, name string) (title, expected, got string) {
	if len(calls) <= mostStill {
		return "", "", ""
	}
	last := calls[len(calls)-1-mostStill:]
	first, ok := left(last[0], name)
	if !ok || first <= 0 { // beyond the end it stands
		return "", "", ""
	}
	for _, x := range last[1:] {
		if n, ok := left(x, name); !ok || n != first || x.Request.Caller != last[0].Request.Caller {
			return "", "", ""
		}
	}
	return fmt.Sprintf("always has the same left of its rate limit (%s), however often it is called", name),
		fmt.Sprintf("less than %d", first), fmt.Sprintf("%d, %d times", first, len(last))
}

// rises is whether the last call has more left than the one before, although the
// window is the same and far from its end.
func rises(calls []*Exchange, name string) (expected, got string) {
	if len(calls) < 2 {
		return "", ""
	}
	x, y := calls[len(calls)-2], calls[len(calls)-1]
	before, ok1 := left(x, name)
	now, ok2 := left(y, name)
	if !ok1 || !ok2 || now <= before || x.Request.Caller != y.Request.Caller {
		return "", ""
	}
	reset := sibling(name, "Reset")
	ends, ok := windowEnd(x.Response.Header.Get(reset), x.At)
	if again, ok2 := windowEnd(y.Response.Header.Get(reset), y.At); !ok || !ok2 || !again.Equal(ends) || ends.Sub(y.At) < nearWindow {
		return "", ""
	}
	return fmt.Sprintf("at most %d", before), strconv.FormatInt(now, 10)
}

// windowEnd is when a window ends: in Unix seconds or milliseconds, or in seconds from
// now on.
func windowEnd(s string, at time.Time) (time.Time, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	switch {
	case err != nil || n < 0:
		return time.Time{}, false
	case n > 1e11:
		return time.UnixMilli(n), true
	case n > 1e8:
		return time.Unix(n, 0), true
	}
	return at.Add(time.Duration(n) * time.Second).Truncate(time.Second), true
}

// rates calls one documented read after the other as each caller, to see that what is
// left of a rate limit falls, and where the limit is small, to reach it.
func (r *run) rates(ctx context.Context) {
	var op *openapi.Operation
	for _, o := range r.operations() {
		if o.Method == http.MethodGet && !o.Writes() && len(counters(o.Response(http.StatusOK))) > 0 {
			op = o
			break
		}
	}
	if op == nil {
		return
	}
	for i, caller := range r.Names {
		r.conformance.before = nil
		j, ok := r.begin(ctx)
		if !ok {
			return
		}
		q, ok := r.good(op, j)
		if !ok {
			return
		}
		q.Operation, q.Caller, q.Credentials, q.Why = op.ID, caller, nil, whyMetered
		if _, out, err := j.predict(&q); err != nil || out.Refused {
			continue
		}
		r.rate(ctx, op, q, i == 0)
	}
}

func (r *run) rate(ctx context.Context, op *openapi.Operation, q Request, first bool) {
	counter := counters(op.Response(http.StatusOK))[0]
	var steps []Exchange
	for n := int64(0); n <= lowLimit && ctx.Err() == nil; n++ {
		x := r.send(ctx, q)
		steps = append(steps, x)
		problems := r.document(&x, op)
		for _, p := range problems {
			r.note(p, op.ID, steps)
		}
		limit, ok := int64(0), false
		if x.Response != nil {
			v, err := strconv.ParseInt(x.Response.Header.Get(sibling(counter, "Limit")), 10, 64)
			limit, ok = v, err == nil
		}
		low := ok && limit <= lowLimit
		remaining, counted := left(&x, counter)
		switch {
		case x.Response == nil || x.Response.Status >= 300 || len(problems) > 0:
			return
		case low && n > limit: // nobody enforces it
			return
		case !low && (!first || n > mostStill || !counted || remaining <= mostStill/2):
			return
		}
	}
}
