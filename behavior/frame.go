package behavior

import (
	"sync"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// frame is one evaluation: what a call brings, what the steps bind, and the
// answer as it comes about.
type frame struct {
	plan   *Plan
	tx     *Tx
	call   *Call
	choose Chooser
	// observer is the same chooser where it is one.
	observer Observer
	now      time.Time
	slots    []value.Value
	fuel     int64 // how many more elements loops may look at

	times     [3]timed
	said      value.Value // the violations, once they are put into words
	violation value.Value // the one that is being worded
	missing   value.Value // the scopes that the caller lacks
	quota     quotaView
	args      []value.Value // of the functions that are being called
	carried   []Header      // by every answer
	out       Outcome

	ownTx   Tx
	seeded  seeded
	counter uint64 // of the choices of a read
}

// quotaView is what an expression sees of a quota.
type quotaView struct {
	name       string
	limit      value.Value
	remaining  int64
	reset      value.Value // Unix seconds
	retryAfter int64       // seconds
}

var quotaMembers = map[string]func(q *quotaView) value.Value{
	"name":        func(q *quotaView) value.Value { return value.String(q.name) },
	"limit":       func(q *quotaView) value.Value { return q.limit },
	"remaining":   func(q *quotaView) value.Value { return value.Int(q.remaining) },
	"reset":       func(q *quotaView) value.Value { return q.reset },
	"retry_after": func(q *quotaView) value.Value { return value.Int(q.retryAfter) },
}

type timed struct {
	law *Law
	val value.Value
}

// fuel bounds what the loops of one call may cost: it is far more than any
// sensible rule over a million records needs.
const fuel = 50_000_000

var frames = sync.Pool{New: func() any { return new(frame) }}

func (f *frame) reset(p *Plan, call *Call) {
	slots := p.slots
	if call.Op != nil {
		slots = max(slots, call.Op.slots)
	}
	old, args, aux, key, all := f.slots, f.args, f.ownTx.aux, f.ownTx.key, f.ownTx.all
	*f = frame{plan: p, call: call, fuel: fuel, args: args}
	f.tx = &f.ownTx
	f.tx.aux, f.tx.key, f.tx.all = aux, key, all
	if cap(old) >= slots {
		f.slots = old[:slots]
	} else {
		f.slots = make([]value.Value, slots, slots+8)
	}
}

// release gives the frame back. Nothing of the call stays in it.
func (f *frame) release() {
	slots, args, aux, key := f.slots[:cap(f.slots)], f.args[:cap(f.args)], f.ownTx.aux, f.ownTx.key
	all := f.ownTx.all
	clear(slots)
	clear(args)
	*f = frame{slots: slots, args: args[:0]}
	if cap(key) <= mostKeys && cap(all) <= mostKeys {
		f.ownTx.key, f.ownTx.all = key, all
	}
	f.ownTx.aux = aux
	frames.Put(f)
}

// mostKeys is the size in bytes of the buffers that are kept for the next call.
const mostKeys = 4 << 10

// spend is whether a loop may look at one more element.
func (f *frame) spend() bool {
	f.fuel--
	return f.fuel > 0
}

// afford is whether a call may go on after something that costs more than one
// step.
func (f *frame) afford(cost int64) bool {
	f.fuel -= cost
	return f.fuel > 0
}

// truth is whether a condition holds. Of what hangs on open choices, the
// chooser decides.
func (f *frame) truth(v value.Value) bool {
	if v.Kind() == value.HoleKind {
		return f.choose.Choose(&Law{Kind: Condition}).True()
	}
	return v.True()
}

// time is the time of the call: the same wherever it is asked for.
// A server that is observed may look at its clock more than once.
func (f *frame) time(l *Law) value.Value {
	if f.observer != nil {
		return f.choose.Choose(l)
	}
	for i := range f.times {
		if f.times[i].law == l {
			return f.times[i].val
		}
		if f.times[i].law == nil {
			f.times[i] = timed{l, f.choose.Choose(l)}
			return f.times[i].val
		}
	}
	return f.choose.Choose(l)
}

// violations are those of the call, in this API's words.
func (f *frame) violations() value.Value {
	if !f.said.IsMissing() {
		return f.said
	}
	list := make([]value.Value, len(f.call.Violations))
	for i := range f.call.Violations {
		list[i] = f.word(f.call.Violations[i].object())
	}
	f.said = value.Array(list...)
	return f.said
}

// word puts a violation into the words of x-violations: the most exact entry
// that has any.
func (f *frame) word(v value.Value) value.Value {
	keyword := v.Get("keyword").Text()
	keys := [4]string{"", keyword + ":" + textOf(v.Get("limit")), keyword, "*"}
	if keyword == "type" && v.Get("value").IsNull() {
		keys[0] = "type:null"
	}
	var code, message expr
	for _, k := range keys {
		w, ok := f.plan.wordings[k]
		if !ok {
			continue
		}
		if code == nil {
			code = w.code
		}
		if message == nil {
			message = w.message
		}
	}
	f.violation = v
	if code != nil {
		v = v.With("code", code(f))
	}
	if message != nil {
		v = v.With("message", value.String(textOf(message(f))))
	}
	return v
}
