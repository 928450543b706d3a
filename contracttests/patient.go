package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	longestWait = 70 * time.Second // for one answer
	mostWaiting = 3 * time.Minute  // in one run
	shortWait   = 5 * time.Second  // where a 429 does not say how long
	mostKept429 = 100              // exchanges that are kept for the judge
)

// patientSender waits where the server asks for it: an answer 429, or 503 with
// Retry-After, is no answer, and the call is sent again when the time has come
// (RFC 9110, section 10.2.3). Where that takes too long, the answer is handed on and
// nothing is waited for any more. Calls that want to see a rate limit are not held
// back. It is safe for concurrent use, if what it wraps is.
type patientSender struct {
	next  Sender
	sleep func(context.Context, time.Duration) error

	mu      sync.Mutex
	waits   int           // how often it has waited
	waited  time.Duration // in all
	spent   string        // why it waits no more; "" while it does
	refused []Exchange    // the answers that it has not handed on
}

var _ Sender = (*patientSender)(nil)

func patient(s Sender, sleep func(context.Context, time.Duration) error) *patientSender {
	return &patientSender{next: s, sleep: sleep}
}

// Send implements [Sender].
func (p *patientSender) Send(ctx context.Context, r Request) Exchange {
	for {
		x := p.next.Send(ctx, r)
		d, asked := delay(&x)
		if !asked || r.Why == whyMetered || !p.may(&x, d) {
			return x
		}
		if p.sleep(ctx, d) != nil {
			return x
		}
	}
}

// may is whether an answer is to be waited for so long, and books it.
func (p *patientSender) may(x *Exchange, d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spent != "" {
		return false
	}
	switch {
	case d > longestWait:
		p.spent = fmt.Sprintf("%s is answered with %d for another %v; at most %v are waited for", x.Request.Operation, x.Response.Status, d.Round(time.Second), longestWait)
	case p.waited+d > mostWaiting:
		p.spent = fmt.Sprintf("the server has let us wait for %v already, and %s is answered with %d for another %v; in one run at most %v are waited for",
			p.waited.Round(time.Second), x.Request.Operation, x.Response.Status, d.Round(time.Second), mostWaiting)
	}
	if p.spent != "" {
		return false
	}
	p.waits++
	p.waited += d
	if len(p.refused) < mostKept429 {
		p.refused = append(p.refused, *x)
	}
	return true
}

// take hands the answers over that were waited out since it was called last, and says
// why nothing is waited for any more; "" while it is.
func (p *patientSender) take() (refused []Exchange, spent string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused, p.refused = p.refused, nil
	return refused, p.spent
}

// delay is how long an answer asks to be waited for.
func delay(x *Exchange) (time.Duration, bool) {
	if x.Response == nil || x.Err != nil {
		return 0, false
	}
	h, at := x.Response.Header, x.At.Add(x.Took)
	if now, err := http.ParseTime(h.Get("Date")); err == nil {
		at = now // by the server's clock
	}
	v := h.Get("Retry-After")
	d, ok := retryAfter(v, at)
	switch {
	case x.Response.Status == http.StatusServiceUnavailable:
		return max(d, 0), ok
	case x.Response.Status != http.StatusTooManyRequests:
		return 0, false
	case ok:
		return max(d, 0), true
	}
	for n := range h {
		if ofRate(n, "reset") {
			if ends, ok := windowEnd(h.Get(n), at); ok && ends.After(at) {
				return ends.Sub(at), true
			}
		}
	}
	return shortWait, true
}

// retryAfter reads Retry-After: seconds, or a date (RFC 9110, section 10.2.3). A number
// that no duration holds is as long as one can be.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	v = strings.TrimSpace(v)
	if v != "" && strings.Trim(v, "0123456789") == "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n > int64((1<<63-1)/time.Second) {
			return 1<<63 - 1, true
		}
		return time.Duration(n) * time.Second, true
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return t.Sub(now), true
}

// hear judges the answers that were waited out, and ends the run when nothing is
// waited for any more.
func (r *run) hear(p *patientSender) {
	refused, spent := p.take()
	for i := range refused {
		x := &refused[i]
		for _, problem := range r.document(x, r.API.OperationByID(x.Request.Operation)) {
			r.note(problem, x.Request.Operation, refused[i:i+1])
		}
	}
	if spent != "" && r.stop != nil {
		r.remark("the run ended early: " + spent)
		r.stop(errBudget)
	}
}
