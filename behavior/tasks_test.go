package behavior

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// note keeps an Order that says what happened.
func note(t testing.TB, text string) StepSpec {
	return StepSpec{Kind: Create, Target: "Order", Set: sets(t, `{"item": "`+text+`", "amount": "${now()}"}`)}
}

// notes are what happened, with the milliseconds since the beginning.
func notes(w *World) string {
	var out []string
	for _, r := range w.Records("Order") {
		at, _ := Timestamp(r.Get("amount").Text())
		out = append(out, fmt.Sprintf("%s@%d", textOf(r.Get("item")), at.Sub(newClock().now.Truncate(time.Microsecond)).Milliseconds()))
	}
	return strings.Join(out, " ")
}

func TestAfter(t *testing.T) {
	after := func(ms int64, steps ...StepSpec) StepSpec {
		return StepSpec{Kind: After, Delay: ms, Steps: steps}
	}
	times := func(s StepSpec, n, as string) StepSpec {
		s.Times, s.As = tx(n), as
		return s
	}
	for _, tt := range []struct {
		name    string
		steps   []StepSpec
		advance []int64 // milliseconds
		want    string
	}{
		{"not yet", []StepSpec{after(100, note(t, "a"))}, []int64{99}, ""},
		{"just now", []StepSpec{after(100, note(t, "a"))}, []int64{100}, "a@100"},
		{"once", []StepSpec{after(100, note(t, "a"))}, []int64{100, 1000}, "a@100"},
		{"in the order of time, not of writing", []StepSpec{after(300, note(t, "c")), after(100, note(t, "a")), after(200, note(t, "b"))}, []int64{1000}, "a@100 b@200 c@300"},
		{"at one time in the order of writing", []StepSpec{after(100, note(t, "a")), after(100, note(t, "b")), after(100, note(t, "c"))}, []int64{1000}, "a@100 b@100 c@100"},
		{"rounds", []StepSpec{times(after(100, note(t, "${n}")), "3", "n")}, []int64{1000}, "1@100 2@200 3@300"},
		{"rounds, step by step", []StepSpec{times(after(100, note(t, "${n}")), "3", "n")}, []int64{150, 100, 0, 10000}, "1@100 2@200 3@300"},
		{"rounds among others", []StepSpec{times(after(100, note(t, "${n}")), "3", "n"), after(250, note(t, "x"))}, []int64{1000}, "1@100 2@200 x@250 3@300"},
		{"no round", []StepSpec{times(after(100, note(t, "a")), "0", "")}, []int64{1000}, ""},
		{"a computed delay", []StepSpec{{Kind: After, DelayBy: tx("body.rank * 50"), Steps: []StepSpec{note(t, "a")}}}, []int64{1000}, "a@100"},
		{"a delay that makes no sense", []StepSpec{{Kind: After, DelayBy: tx(`"soon"`), Steps: []StepSpec{note(t, "a")}}}, []int64{0}, "a@0"},
		{"when", []StepSpec{{Kind: After, When: tx("false"), Delay: 1, Steps: []StepSpec{note(t, "a")}}}, []int64{1000}, ""},
		{"after in after", []StepSpec{after(100, note(t, "a"), after(100, note(t, "b")))}, []int64{1000}, "a@100 b@200"},
		{"the names that were bound, as they were", []StepSpec{{Kind: Let, Target: "x", Be: tx("body.rank")}, after(100, note(t, "${x}"))}, []int64{1000}, "2@100"},
		{"a record that is gone ends the round", []StepSpec{after(100, StepSpec{Kind: Find, Target: "Item", ID: tx(`"q"`)}, note(t, "a"))}, []int64{1000}, ""},
		{"and leaves nothing", []StepSpec{times(after(100, note(t, "${n}"), StepSpec{Kind: Find, Target: "Item", Where: tx("rank == n")}), "3", "n")}, []int64{1000}, "1@100"},
		{"a round too costly leaves nothing", []StepSpec{after(100, note(t, "a"), StepSpec{Kind: Create, Target: "PriceTag", Count: tx("1000000000"), Set: sets(t, `{"id": "${uuid()}"}`)}), after(200, note(t, "b"))}, []int64{1000}, "b@200"},
		{"refused, nothing goes on", []StepSpec{after(100, note(t, "a")), {Kind: Refuse, When: tx("true"), Else: ref("busy")}}, []int64{1000}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			w := world(t, compile(t, shop(t, tt.steps...)), items(alpha), c)
			w.Do(call(t, w, "act", `{"body": {"rank": 2}}`))
			for _, ms := range tt.advance {
				c.advance(time.Duration(ms) * time.Millisecond)
				w.Records("Item")
			}
			if got := notes(w); got != tt.want {
				t.Errorf("after %v ms: got %q, want %q", tt.advance, got, tt.want)
			}
			audit(t, w)
		})
	}
}

// TestAfterForkAndReset: what is due belongs to a world.
func TestAfterForkAndReset(t *testing.T) {
	c := newClock()
	a := world(t, compile(t, shop(t, StepSpec{Kind: After, Delay: 100, Steps: []StepSpec{note(t, "a")}})), "", c)
	b := a.Fork()
	a.Do(call(t, a, "act", ""))
	d := a.Fork()
	reset := a.Fork()
	reset.Reset()
	c.advance(time.Second)
	for i, tt := range []struct {
		w    *World
		want string
	}{{a, "a@100"}, {b, ""}, {d, "a@100"}, {reset, ""}} {
		if got := notes(tt.w); got != tt.want {
			t.Errorf("world %d: got %q, want %q", i, got, tt.want)
		}
	}
}

// TestSettleOnce: of many that come when a task is due, one runs it.
func TestSettleOnce(t *testing.T) {
	c := newClock()
	w := world(t, compile(t, shop(t, StepSpec{Kind: After, Delay: 100, Times: tx("50"), As: "n", Steps: []StepSpec{note(t, "${n}")}}, says(t, `"${Order.size()}"`))), "", c)
	w.Do(call(t, w, "act", ""))
	c.advance(4 * time.Second)
	parallel(8, func(int) {
		if got := len(w.Records("Order")); got != 40 {
			t.Errorf("got %d rounds, want 40", got)
		}
	})
}

func quotaPlan(t testing.TB) *Plan {
	spec := shop(t)
	spec.Quotas = []QuotaSpec{
		{Name: "minute", By: *tx("first(caller.name, request.remote)"), Limit: *tx(`caller.name == "other" ? 2 : 3`), Window: 60_000,
			Headers: named(t, `{"X-Limit": "${quota.limit}", "X-Remaining": "${quota.remaining}", "X-Reset": "${quota.reset}"}`), Else: ref("rate_limited")},
		{Name: "hour", By: *tx("caller.name"), Limit: *tx(`caller.name == "other" ? 5 : null`), Window: 3_600_000, Else: ref("rate_limited")},
	}
	for i, f := range spec.Failures {
		if f.Name == "rate_limited" {
			spec.Failures[i].Body = body(t, `"${quota.name + \" \" + quota.retry_after}"`)
		}
	}
	spec.Failures[4].Body = body(t, `"${quota.name} ${quota.retry_after}"`)
	return compile(t, spec)
}

func TestQuotas(t *testing.T) {
	for _, enforce := range []bool{true, false} {
		c := newClock()
		w := world(t, quotaPlan(t), "", c)
		w.EnforceQuotas = enforce
		do := func(who *Caller, remote string, status int, remaining, retry, text string) {
			t.Helper()
			r := call(t, w, "act", "")
			r.Caller, r.Remote = who, remote
			out := w.Do(r)
			if !enforce {
				status, retry, text = 200, "", `{"example":"200"}`
			}
			if out.Status != status || out.Header("X-Remaining") != remaining || out.Header("Retry-After") != retry || out.Body.String() != text {
				t.Errorf("enforced %v, at %v: got %d, remaining %s, retry after %q, %s; want %d, %s, %q, %s", enforce, c.Now().Sub(newClock().now), out.Status, out.Header("X-Remaining"), out.Header("Retry-After"), out.Body, status, remaining, retry, text)
			}
		}
		const ok = `{"example":"200"}`
		do(owner, "", 200, "2", "", ok)
		c.advance(500 * time.Millisecond)
		do(owner, "", 200, "1", "", ok)
		do(owner, "", 200, "0", "", ok)
		do(owner, "", 429, "0", "60", `"minute 60"`) // 59.5 s are left
		do(other, "", 200, "1", "", ok)              // has a window of its own
		do(nil, "1.1.1.1", 200, "2", "", ok)
		do(nil, "2.2.2.2", 200, "2", "", ok)
		c.advance(59 * time.Second)
		do(owner, "", 429, "0", "1", `"minute 1"`)
		c.advance(499 * time.Millisecond)
		do(owner, "", 429, "0", "1", `"minute 1"`)
		c.advance(time.Millisecond) // the window began with the first call
		do(owner, "", 200, "2", "", ok)
		c.advance(time.Minute)
		do(other, "", 200, "1", "", ok)
		do(other, "", 200, "0", "", ok)
		c.advance(time.Minute)
		do(other, "", 200, "1", "", ok)
		do(other, "", 200, "0", "", ok)
		do(other, "", 429, "0", "60", `"minute 60"`) // the first that is used up
		c.advance(time.Minute)
		do(other, "", 429, "1", "3361", `"hour 3361"`)
		f := w.Fork()
		w, f = f, w
		do(other, "", 200, "1", "", ok)
		w = f
		w.Reset()
		do(other, "", 200, "1", "", ok)
	}
}

func TestQuotaReset(t *testing.T) {
	c := newClock()
	w := world(t, quotaPlan(t), "", c)
	first := w.Do(call(t, w, "act", ""))
	c.advance(10 * time.Second)
	second := w.Do(call(t, w, "act", ""))
	want := fmt.Sprint(newClock().now.Add(time.Minute).Unix())
	if first.Header("X-Reset") != want || second.Header("X-Reset") != want || first.Header("X-Limit") != "3" {
		t.Errorf("reset at %s, then %s, limit %s; want %s both times, 3", first.Header("X-Reset"), second.Header("X-Reset"), first.Header("X-Limit"), want)
	}
	// To try is not to call.
	w.Try(call(t, w, "act", ""), &judge{})
	if third := w.Do(call(t, w, "act", "")); third.Header("X-Remaining") != "0" {
		t.Errorf("after two calls and a try %s remain, want 0", third.Header("X-Remaining"))
	}
}

// TestQuotaMemory: very many callers do not need very much memory.
func TestQuotaMemory(t *testing.T) {
	var q quotas
	now := newClock().now
	for i := range 3 * mostWindows {
		q.take(0, value.Int(int64(i)), time.Minute, now)
	}
	if n := len(q.windows); n > mostWindows {
		t.Errorf("%d windows, want at most %d", n, mostWindows)
	}
	q.reset()
	for i := range mostWindows {
		q.take(0, value.Int(int64(i)), time.Minute*time.Duration(1+i%2), now)
	}
	if w := q.take(0, value.String("new"), time.Minute, now.Add(90*time.Second)); w.used != 1 || len(q.windows) != mostWindows/2+1 {
		t.Errorf("%d windows when half have ended, want %d", len(q.windows), mostWindows/2+1)
	}
	if w := q.take(0, value.Int(1), time.Minute*2, now.Add(90*time.Second)); w.used != 2 {
		t.Errorf("a window that has not ended counts %d, want 2", w.used)
	}
}

func TestConcurrentQuotas(t *testing.T) {
	w := world(t, quotaPlan(t), "", nil)
	w.EnforceQuotas = true
	left := make(chan string, 64)
	parallel(8, func(int) {
		for range 8 {
			left <- fmt.Sprint(w.Do(call(t, w, "act", "")).Status)
		}
	})
	close(left)
	n := 0
	for s := range left {
		if s == "200" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d of 64 calls at once are within the limit, want 3", n)
	}
}
