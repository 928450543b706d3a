package behavior

import (
	"slices"
	"strconv"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// step is one compiled step. It is true when the call is answered.
type step func(f *frame) bool

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

// Step decides what a call does in the state that tx shows. The writes are in
// tx and in the outcome; nobody sees them before tx is committed. A wrong call
// is an outcome, too.
func (p *Plan) Step(tx *Tx, call *Call, choose Chooser, now time.Time) Outcome {
	f := frames.Get().(*frame)
	defer f.release()
	f.reset(p, call)
	f.tx, f.now = tx, now
	f.watch(choose)
	return f.step()
}

// Try is what a call would do now. Nothing is kept. With a nil chooser the
// world makes the choices.
func (w *World) Try(call *Call, choose Chooser) Outcome {
	now := w.clock()
	w.settle(now)
	w.rw.RLock()
	defer w.rw.RUnlock()
	base := w.state.Load()
	tx := &Tx{plan: w.plan, base: base, id: nextTx(), counter: base.counter, quotas: &w.quotas, enforce: w.EnforceQuotas}
	if choose == nil {
		counter := w.reads.Add(1) << 16
		choose = &seeded{seed: ^w.seed, counter: &counter, now: now}
	} else {
		tx.quotas = nil
	}
	return w.plan.Step(tx, call, choose, now)
}

// Carried are the headers of an answer to a call that reaches no operation, such
// as a redirect. The call counts in quotas.
func (w *World) Carried(call *Call) []Header {
	call.Op = nil
	return w.Do(call).Headers
}

// MethodNotAllowed is the answer where the path exists and the method does not.
func (w *World) MethodNotAllowed(call *Call) Outcome {
	call.Op = nil
	return w.Do(call)
}

func (f *frame) step() Outcome {
	call, op := f.call, f.call.Op
	limited := f.carry()
	switch {
	case op == nil:
		f.refuseOr(f.plan.methodNotAllowed, 405, methodNotAllowedName)
	case !f.admit(op, limited):
	case call.NotAcceptable && len(op.builtin[notAcceptable]) > 0:
		f.refuse(op.builtin[notAcceptable])
	case len(call.Violations) > 0 && !f.sound(op, call):
	default:
		f.run(op.steps)
	}
	if f.fuel <= 0 {
		f.out = Outcome{Status: 500, Problem: "rule-too-costly", Refused: true}
	}
	if !f.out.Refused {
		f.out.Writes = f.tx.writes()
	}
	return f.out
}

func (f *frame) run(steps []step) bool {
	for _, s := range steps {
		if s(f) {
			return true
		}
	}
	return false
}

// refuseOr refuses with a failure of the document, or for the mock itself.
func (f *frame) refuseOr(r refusal, status int, name string) {
	if len(r) > 0 {
		f.refuse(r)
		return
	}
	f.out = Outcome{Status: status, Problem: name, Refused: true, Headers: f.carried}
}

func (f *frame) refuseBuiltin(i int) bool {
	f.refuseOr(f.call.Op.builtin[i], builtins[i].status, builtins[i].name)
	return false
}

// carry makes the headers of every answer and counts the call. It is true when
// a quota is used up.
func (f *frame) carry() (limited bool) {
	p := f.plan
	if n := len(p.headers) + 3*len(p.quotas); n > 0 && (len(p.headers) > 0 || f.tx.quotas != nil) {
		f.carried = make([]Header, 0, n+4)
	}
	for _, h := range p.headers {
		f.carried = f.header(f.carried, h)
	}
	if f.tx.quotas == nil {
		return false
	}
	var over quotaView
	for i := range p.quotas {
		q := &p.quotas[i]
		most := q.limit(f)
		limit, ok := most.Int()
		if !ok {
			continue
		}
		w := f.tx.quotas.take(i, q.by(f), q.window, f.now)
		wait := int64((w.ends.Sub(f.now) + time.Second - 1) / time.Second)
		f.quota = quotaView{name: q.name, limit: most, remaining: max(limit-w.used, 0), reset: w.reset, retryAfter: max(wait, 1)}
		for _, h := range q.headers {
			f.carried = f.header(f.carried, h)
		}
		if w.used > limit && !limited {
			limited, over = true, f.quota
		}
	}
	if !limited || !f.tx.enforce {
		return false
	}
	f.quota = over
	return true
}

// admit checks credentials, quota and scopes.
func (f *frame) admit(op *Operation, limited bool) bool {
	switch f.call.Auth {
	case NoCredentials:
		if f.observer != nil && f.call.rawHeader("Authorization").Text() != "" {
			// Something was sent, in no form that is known: none, or a bad one.
			f.refuse(slices.Concat(f.call.Op.builtin[unauthenticated], f.call.Op.builtin[badCredentials]))
			return false
		}
		return f.refuseBuiltin(unauthenticated)
	case BadCredentials:
		return f.refuseBuiltin(badCredentials)
	case ExpiredCredentials:
		return f.refuseBuiltin(expiredCredentials)
	}
	if limited {
		f.carried = append(f.carried, Header{"Retry-After", strconv.FormatInt(f.quota.retryAfter, 10)})
		return f.refuseBuiltin(rateLimited)
	}
	var missing []string
	for _, s := range op.spec.Scopes {
		if f.call.Caller == nil || !f.call.Caller.has(s) {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		f.missing = value.Strings(missing)
		return f.refuseBuiltin(forbidden)
	}
	return true
}

// sound judges parameters and, unless a step does it later, the body.
func (f *frame) sound(op *Operation, call *Call) bool {
	if !op.bodyInSteps && !f.soundMedia(call) {
		return false
	}
	if !op.parametersInSteps && !f.soundParameters(op, call) {
		return false
	}
	if op.bodyInSteps {
		return true
	}
	return f.soundBody(op, call)
}

func (f *frame) soundMedia(call *Call) bool {
	for i := range call.Violations {
		switch call.Violations[i].Source {
		case MediaType:
			return f.refuseBuiltin(unsupportedMediaType)
		case BodySize:
			return f.refuseBuiltin(tooLarge)
		}
	}
	return true
}

// soundParameters refuses for parameters that have a refusal of their own, and
// for the others, unless the body is going to be judged with them.
func (f *frame) soundParameters(op *Operation, call *Call) bool {
	plain := false
	for i := range call.Violations {
		v := &call.Violations[i]
		if v.Source != InParameter {
			continue
		}
		if v.Parameter < len(op.onInvalid) && len(op.onInvalid[v.Parameter]) > 0 {
			f.refuse(op.onInvalid[v.Parameter])
			return false
		}
		plain = true
	}
	if plain && (op.bodyInSteps || op.parametersInSteps) {
		f.only(func(v *Violation) bool { return v.Source == InParameter })
		return f.refuseBuiltin(invalid)
	}
	return true
}

// only keeps some violations, for a failure that is about those.
func (f *frame) only(keep func(*Violation) bool) {
	c := *f.call
	c.Violations = nil
	for i := range f.call.Violations {
		if keep(&f.call.Violations[i]) {
			c.Violations = append(c.Violations, f.call.Violations[i])
		}
	}
	f.call = &c
}

func (f *frame) soundBody(op *Operation, call *Call) bool {
	plain := false
	for i := range call.Violations {
		switch call.Violations[i].Source {
		case UndecodedBody:
			if len(op.bodyInvalid) > 0 {
				f.refuse(op.bodyInvalid)
				return false
			}
			return f.refuseBuiltin(malformed)
		case InBody:
			if len(op.bodyInvalid) > 0 {
				f.refuse(op.bodyInvalid)
				return false
			}
			plain = true
		case InParameter:
			plain = plain || !op.bodyInSteps && !op.parametersInSteps
		}
	}
	if plain {
		return f.refuseBuiltin(invalid)
	}
	return true
}

// round runs the steps of a task.
func (f *frame) round(t *task) {
	if len(f.slots) < len(t.slots) {
		f.slots = make([]value.Value, len(t.slots))
	}
	copy(f.slots, t.slots)
	if t.after.slot >= 0 {
		f.slots[t.after.slot] = value.Int(t.round)
	}
	f.run(t.after.steps)
	if f.fuel <= 0 {
		f.out.Refused = true
	}
}

// next is the round after this one, nil if it was the last.
func (t *task) next() *task {
	if t.round >= t.rounds {
		return nil
	}
	n := *t
	n.round++
	n.due = t.due.Add(t.delay)
	return &n
}
