package contracttests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// A history is calls that were made at the same time, and reads, one after the
// other, that came behind them. It is linearizable (Herlihy and Wing, 1990) if the
// calls can be put in an order that keeps to what was over before something else
// began, in which each answer is permitted after those before it.
type history struct {
	start  []*situation // what the state may be at first
	events []*event     // the calls at the same time, then the reads
}

// event is one call of a history.
type event struct {
	x        Exchange
	a        asked
	look     bool  // it came behind the others, to see what they have done
	from, to int64 // when it was under way, in ns since the first one began
	lane     int   // of the drawing
}

// situation is a state that the server may be in on the way through a history.
type situation struct {
	judge   *Judge                 // has one picture; nil: anything may be true
	touched map[[2]string]struct{} // resource and id of what was written or seen on the way
	apart   bool                   // it differs from others in what touched does not have
	rules   []*behavior.Rule       // that have decided the answers
	cause   *behavior.Rule         // that has decided the last one of no look
	writes  []behavior.Write       // in order
}

// situations are those that a judge holds possible.
func situations(j *Judge) []*situation {
	var out []*situation
	for _, p := range j.pictures {
		c := j.fork()
		c.pictures = []*picture{p.fork()}
		out = append(out, &situation{judge: c, touched: map[[2]string]struct{}{}})
	}
	return out
}

// answered is whether there is an answer that says what was done.
func (e *event) answered() bool {
	return e.x.Response != nil && !e.x.Response.Truncated && e.x.Err == nil
}

// turnedAway are the refusals by which a server says that something else got in the way
// of a call, or too much, and that it has done nothing (RFC 9110, sections 15.5.10 and
// 15.5.13; RFC 4918, section 11.3; RFC 6585, section 4).
var turnedAway = []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked, http.StatusTooManyRequests}

// after are the situations that an event may lead to: none if its answer is not
// permitted. Where no rule has them, a call without an answer or with 5xx was carried out
// or was not, and one that was turned away was not.
func (s *situation) after(e *event) []*situation {
	if s.judge == nil {
		return []*situation{s}
	}
	p := s.judge.pictures[0]
	if e.answered() {
		ways, _, all := s.judge.ways(p, e.a, &e.x)
		var next []*situation
		for _, w := range ways {
			next = append(next, s.went(w, e))
		}
		switch {
		case !all:
			return append(next, &situation{})
		case len(next) == 0 && slices.Contains(turnedAway, e.x.Response.Status):
			return []*situation{s}
		case len(next) > 0 || e.x.Response.Status < 500:
			return next
		}
	}
	next := []*situation{s}
	for script, tried := []int{}, 0; script != nil && e.a.op.Writes(); tried++ {
		w := &way{from: p, choices: &choices{judge: s.judge, picture: p, vague: s.judge.vagueMembers(p), script: script, since: p.newest}}
		w.bound = map[*hole]value.Value{}
		w.out = p.world.Try(e.a.call, w.choices)
		switch {
		case tried == mostWays:
			return append(next, &situation{})
		case w.out.Refused:
		case slices.ContainsFunc(w.out.Writes, func(x behavior.Write) bool {
			return x.Before.IsMissing() && x.After.Get(s.judge.api.Plan.Resource(x.Resource).ID()).Kind() == value.HoleKind
		}):
			return append(next, &situation{}) // nobody has said what its id is
		default:
			next = append(next, s.went(w, e))
		}
		script = w.choices.next()
	}
	return next
}

// went is the situation at the end of a way.
func (s *situation) went(w *way, e *event) *situation {
	copied := *s.judge
	j := &copied
	j.know = s.judge.know.fork()
	p, writes := w.take(j, e.a, true)
	p.newest = w.from.newest // calls at the same time do not read the clock in their order
	j.pictures, j.writes = []*picture{p}, writes
	j.learnWrites()
	n := &situation{judge: j, touched: maps.Clone(s.touched), apart: s.apart, cause: s.cause, rules: append(slices.Clip(s.rules), w.out.Rule), writes: append(slices.Clip(s.writes), writes...)}
	if !e.look {
		n.cause = w.out.Rule
	}
	for _, x := range writes {
		n.touched[[2]string{x.Resource, x.ID}] = struct{}{}
	}
	for h := range w.bound {
		n.apart = n.apart || w.from.holes[h]
	}
	n.apart = n.apart || len(w.choices.unseen) > 0
	return n
}

// same is whether two situations permit the same from here on.
func (s *situation) same(o *situation) bool {
	switch {
	case s == o, s.judge == nil && o.judge == nil:
		return true
	case s.judge == nil || o.judge == nil || s.apart || o.apart || !maps.Equal(s.touched, o.touched):
		return false
	}
	for at := range s.touched {
		id := value.String(at[1])
		if a, b := s.judge.world().Record(at[0], id), o.judge.world().Record(at[0], id); a.IsMissing() != b.IsMissing() || !value.Equal(a, b) {
			return false
		}
	}
	return true
}

// String is what was touched, as it is, in HTML: it stands in a drawing so, and texts
// are the server's.
func (s *situation) String() string {
	if s.judge == nil {
		return "anything"
	}
	var lines []string
	for at := range s.touched {
		lines = append(lines, at[0]+" "+brief(s.judge.world().Record(at[0], value.String(at[1]))))
	}
	slices.Sort(lines)
	return html.EscapeString(strings.Join(lines, "; "))
}

// searching is how long an order is looked for.
const searching = 2 * time.Second

// model is what porcupine needs to know.
func (h *history) model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any {
			var all []any
			for _, s := range h.start {
				all = append(all, s)
			}
			return all
		},
		StepContext: func(ctx context.Context, state, input, _ any) []any {
			if ctx.Err() != nil {
				return nil
			}
			var all []any
			for _, s := range state.(*situation).after(input.(*event)) {
				all = append(all, s)
			}
			return all
		},
		Equal:             func(a, b any) bool { return a.(*situation).same(b.(*situation)) },
		DescribeOperation: func(input, _ any) string { return input.(*event).String() },
		DescribeState:     func(state any) string { return state.(*situation).String() },
	}
	return m.ToModel()
}

// String is the call and its answer, in a line.
func (e *event) String() string {
	out := e.x.Request.Method + " " + e.x.Request.Target
	if e.x.Request.Body != nil {
		out += fmt.Sprintf(" %.200q", e.x.Request.Body)
	}
	if e.x.Response == nil {
		return out + " → no answer"
	}
	return fmt.Sprintf("%s → %d", out, e.x.Response.Status)
}

// check looks for an order that explains the history. The drawing is of a history
// that has none.
func (h *history) check() (result porcupine.CheckResult, drawing []byte) {
	last := int64(0)
	for _, e := range h.events {
		last = max(last, e.to)
	}
	var ops []porcupine.Operation
	for _, e := range h.events {
		to := e.to
		if !e.answered() || e.x.Response.Status >= 500 {
			to = last + 1 // whatever is still under way, may be carried out later
		}
		ops = append(ops, porcupine.Operation{ClientId: e.lane, Input: e, Call: e.from, Return: to})
	}
	model := h.model()
	result, info := porcupine.CheckOperationsVerbose(model, ops, searching)
	if result != porcupine.Illegal {
		return result, nil
	}
	out := &bounded{room: mostDrawing}
	if err := porcupine.Visualize(model, info, out); err != nil {
		return result, nil
	}
	return result, out.Bytes()
}

// mostDrawing bounds a drawing, in bytes. There is none where it would be longer.
const mostDrawing = 1 << 20

type bounded struct {
	bytes.Buffer
	room int
}

var errRoom = errors.New("it is too long")

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.room {
		return 0, errRoom
	}
	return b.Buffer.Write(p)
}

// order is one order of a history's calls, and how far it explains the answers.
type order struct {
	calls  []*event     // at the same time, as they would have been one after the other
	end    []*situation // if it explains all
	far    int          // how many answers it explains
	stuck  *event       // the first that it does not; nil for none
	before []*situation // then
}

// orders are those that keep to what was over before something else began. They are
// not all if following them takes too long.
func (h *history) orders() (list []*order, all bool) {
	var calls, looks []*event
	for _, e := range h.events {
		if e.look {
			looks = append(looks, e)
		} else {
			calls = append(calls, e)
		}
	}
	end := time.Now().Add(searching)
	for _, p := range permutations(len(calls)) {
		o := &order{}
		for _, i := range p {
			o.calls = append(o.calls, calls[i])
		}
		if !o.keepsTime() {
			continue
		}
		if !o.follow(h.start, looks, end) {
			return list, false
		}
		list = append(list, o)
	}
	return list, true
}

func (o *order) keepsTime() bool {
	for i, e := range o.calls {
		for _, later := range o.calls[i+1:] {
			if later.to < e.from {
				return false
			}
		}
	}
	return true
}

// follow goes through the order. It is false if that is not over in time.
func (o *order) follow(states []*situation, looks []*event, end time.Time) bool {
	for _, e := range slices.Concat(o.calls, looks) {
		if time.Now().After(end) {
			return false
		}
		next := following(states, e)
		if len(next) == 0 {
			o.stuck, o.before = e, states
			return true
		}
		states = next
		o.far++
	}
	o.end = states
	return true
}

// permutations of the numbers below n.
func permutations(n int) [][]int {
	out := [][]int{nil}
	for i := range n {
		var next [][]int
		for _, p := range out {
			for at := range len(p) + 1 {
				next = append(next, slices.Insert(slices.Clone(p), at, i))
			}
		}
		out = next
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// wrong says what an order finds wrong.
func (o *order) wrong() (p problem, ok bool) {
	var closest *way
	var judge *Judge
	var cause *behavior.Rule
	for _, s := range o.before {
		if s.judge == nil {
			continue
		}
		if _, w, _ := s.judge.ways(s.judge.pictures[0], o.stuck.a, &o.stuck.x); w != nil && w.closer(closest) {
			closest, judge = w, s.judge
			cause = s.cause
		}
	}
	if closest == nil {
		return p, false
	}
	list := judge.contradiction(&o.stuck.x, o.stuck.a, closest)
	if len(list) == 0 {
		return p, false
	}
	p = list[0]
	at, inside := strings.CutSuffix(p.title, " is not what the rule says")
	if !inside {
		at = "status"
	}
	if o.stuck.look {
		p.rule = cause // what reads show is the doing of the calls before
	}
	if o.stuck.look || inside {
		p.expected, p.got = at+" "+p.expected, at+" "+p.got
		return p, true
	}
	p.expected, p.got = "", "" // the statuses are told anyway
	return p, true
}

// race is what is wrong with a history that no order explains, and how many of its
// events it takes to show it. The same calls one after the other are answered as the
// rules say, so that it is a breach even where the rules are assumed.
func (h *history) race(what string) (p problem, events int) {
	p = problem{code: race, severity: Breach, title: what + " at the same time are answered as in no order"}
	var told []problem
	var orders []*order
	far := 0
	all, _ := h.orders()
	for _, o := range all {
		if q, ok := o.wrong(); ok {
			told, orders = append(told, q), append(orders, o)
			far = max(far, o.far)
		}
	}
	sure := true
	for i, o := range orders {
		events = max(events, slices.Index(h.events, o.stuck)+1)
		if o.far < far {
			continue
		}
		if p.rule == nil {
			p.rule = told[i].rule
		}
		sure = sure && told[i].rule == p.rule
	}
	if !sure {
		p.rule = nil
	}
	if p.rule != nil {
		p.pos = p.rule.Pos
	}
	p.expected, p.got = h.expected(orders, told)
	return p, events
}

// expected says what the answers are in each order, and what they are.
func (h *history) expected(orders []*order, told []problem) (want, got string) {
	var statuses []string
	for _, e := range h.events {
		if !e.look {
			statuses = append(statuses, e.status())
		}
	}
	got = strings.Join(statuses, ", ")
	var ends []string
	byEnd := map[string][]string{}
	for i, o := range orders {
		where := "; in answer " + h.number(o.stuck) + ": "
		if o.stuck.look {
			where = "; then " + o.stuck.x.Request.Operation + ": "
		}
		end := strings.Join(h.foreseen(o), ", ")
		if told[i].expected != "" {
			end += where + told[i].expected
			if !strings.Contains(got, where+told[i].got) {
				got += where + told[i].got
			}
		}
		var places []string
		for _, e := range o.calls {
			places = append(places, h.number(e))
		}
		if byEnd[end] == nil {
			ends = append(ends, end)
		}
		byEnd[end] = append(byEnd[end], strings.Join(places, " then "))
	}
	if len(ends) == 1 && len(orders) > 1 {
		return "in any order " + ends[0], got
	}
	const most = 4
	var names []string
	for i, end := range ends {
		if i == most {
			names = append(names, "…")
			break
		}
		by := byEnd[end]
		if len(by) > 2 {
			by = append(by[:2:2], "…")
		}
		names = append(names, strings.Join(by, " or ")+" → "+end)
	}
	return "one of the orders: " + strings.Join(names, "; "), got
}

// number is what a call is called in an order.
func (h *history) number(e *event) string { return fmt.Sprint(slices.Index(h.events, e) + 1) }

func (e *event) status() string {
	if e.x.Response == nil {
		return "no answer"
	}
	return fmt.Sprint(e.x.Response.Status)
}

// foreseen are the statuses of the calls in an order, as the likeliest picture has
// them.
func (h *history) foreseen(o *order) (out []string) {
	if h.start[0].judge == nil {
		return nil
	}
	world := h.start[0].judge.fork().world()
	for _, e := range o.calls {
		out = append(out, fmt.Sprint(world.Do(e.a.call).Status))
	}
	return out
}
