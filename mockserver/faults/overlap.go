package faults

import (
	"net/http"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// window is how long the answer to a call waits for another call like it. Tests wait
// longer.
var window = 20 * time.Millisecond

// overlap are the faults that need two calls at once.
var overlap = []Fault{
	{Name: "race-double-create", Check: "race", Summary: "Of two equal creations at once both succeed, although something of it has to be unique.",
		Wrap: meet(func(c *call) bool { return c.r.Method == http.MethodPost && c.op.Writes() }, func(m *memory, c *call, first *answer) *answer {
			if first == nil || c.created(first) == "" {
				return c.send()
			}
			return m.twice(c, func(value.Member) bool { return true })
		})},
	{Name: "race-double-delete", Check: "race", Summary: "Of two deletions of one record at once both succeed.",
		Wrap: meet(func(c *call) bool { return c.deletes() }, func(_ *memory, c *call, first *answer) *answer {
			if first == nil || !c.good(first) {
				return c.send()
			}
			return first.clone()
		})},
	{Name: "race-lost-update", Check: "race", Summary: "Of two updates of one record at once both succeed, but only one is kept.",
		Wrap: meet(func(c *call) bool { return c.updates() }, func(_ *memory, c *call, first *answer) *answer {
			if first == nil || !c.good(first) {
				return c.send()
			}
			a := first.clone() // as if it were kept: with what was sent
			c.editRecord(a, func(rec value.Value) value.Value {
				for _, s := range c.sent().Members() {
					if rec.Has(s.Name) {
						rec = rec.With(s.Name, s.Value)
					}
				}
				return rec
			})
			return a
		})},
}

// meeting is a call that is under way, and whoever joins it.
type meeting struct {
	joined   chan struct{} // closed when the second one is there
	answered chan struct{} // closed when there is the answer of the first one
	answer   *answer       // of the first one; nil if it has none
}

// meet holds the answers to calls that applies says back until another call to the
// same target comes, for window at most; refusals are not held back. f answers both, one
// after the other; first is what the first of them was answered, nil for itself and for
// who met nobody.
func meet(applies func(c *call) bool, f func(m *memory, c *call, first *answer) *answer) func(http.Handler, *openapi.API) http.Handler {
	return func(next http.Handler, api *openapi.API) http.Handler {
		t := newTarget(next, api)
		all := &worlds{all: map[string]*memory{}}
		var mu sync.Mutex
		waiting := map[string]*meeting{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m := all.of(r)
			c := t.newCall(r)
			switch {
			case c == nil:
				next.ServeHTTP(w, r)
				return
			case m == nil || c.op == nil || !applies(c):
				a := c.send()
				if m != nil && c.op != nil {
					m.mu.Lock()
					m.records.show(c, a)
					m.mu.Unlock()
				}
				a.write(w, r)
				return
			}
			key := r.Header.Get(mockserver.WorldHeader) + "\n" + r.Method + r.URL.RequestURI() + "\n" + c.subject()
			mu.Lock()
			one := waiting[key]
			second := one != nil
			if second {
				delete(waiting, key)
				close(one.joined)
			} else {
				one = &meeting{joined: make(chan struct{}), answered: make(chan struct{})}
				waiting[key] = one
			}
			mu.Unlock()
			do := func(first *answer) *answer {
				m.mu.Lock()
				defer m.mu.Unlock()
				return f(m, c, first)
			}
			if second {
				<-one.answered
				do(one.answer).write(w, r)
				return
			}
			a := func() *answer {
				defer close(one.answered)
				a := do(nil)
				one.answer = a.clone()
				return a
			}()
			if c.good(a) {
				timer := time.NewTimer(window)
				select {
				case <-one.joined:
				case <-timer.C:
				}
				timer.Stop()
			}
			mu.Lock()
			if waiting[key] == one {
				delete(waiting, key)
			}
			mu.Unlock()
			a.write(w, r)
		})
	}
}
