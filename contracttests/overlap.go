package contracttests

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/understudy-dev/understudy/openapi"
)

// race is the code of findings about calls at the same time.
const race = "race"

// What calls at the same time may cost.
const (
	mostRounds  = 3  // in which every scenario is played once
	fewest      = 60 // calls that the phase may make, however short the run is
	mostRepeats = 3  // of a scenario that no order has explained
	mostLooks   = 6  // reads behind the calls of one scenario
	mostFresh   = 12 // times that the phase leaves a state behind that has to be learned
)

// overlap makes calls at the same time, and holds the answers against the orders in
// which they might have come one after the other.
func (r *run) overlap(ctx context.Context) {
	began := r.result.Requests
	most := began + max(began/4, fewest) // a fifth of all calls
	rounds := mostRounds
	if r.rounds > 0 {
		most, rounds = math.MaxInt, r.rounds
	}
	fresh := r.learned + mostFresh
	settled := map[string]bool{} // scenarios that cannot be played here, or have a finding
	r.habits, r.effects = habits{}, map[string]effect{}
	ours := r.gen.rng
	defer func() { r.gen.rng = ours }()
	for round := range rounds {
		for _, s := range scenarios {
			for _, op := range r.operations() {
				key := s.name + " " + op.ID
				if settled[key] || !op.Writes() || op.Method == http.MethodGet || !r.wanted(op.ID, "", race) {
					continue
				}
				if ctx.Err() != nil || r.lost || r.result.Requests >= most || r.Reset == nil && r.learned >= fresh {
					return
				}
				if e := r.effects[op.ID]; e != 0 && e&s.of == 0 {
					settled[key] = true
					continue
				}
				settled[key] = r.compete(ctx, s, op, round)
			}
		}
	}
}

// seed makes what is chosen hang on the scenario only, not on how the calls before it
// came to overlap.
func (r *run) seed(of string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(of))
	r.gen.rng = rand.New(rand.NewPCG(r.Seed, h.Sum64()))
}

// verdict is what is said of calls at the same time.
type verdict int

const (
	unfit   verdict = iota // there are no such calls here
	unknown                // nothing can be said
	fine                   // some order explains the answers
	wrong                  // none does
)

// compete plays a scenario, and again if no order explains the answers. It is true if
// there is no need to play it any more.
func (r *run) compete(ctx context.Context, s scenario, op *openapi.Operation, round int) bool {
	seed := fmt.Sprint(s.name, " ", op.ID, round)
	// What is wrong with the same calls one after the other, is another matter. Where
	// learning the state is dear, they are tried so first.
	if r.Reset == nil && round == 0 {
		if _, v := r.attempt(ctx, s, op, seed, inTurn); v != fine {
			return v == unfit
		}
	}
	first, v := r.attempt(ctx, s, op, seed, atOnce)
	if v != wrong {
		return v == unfit
	}
	for _, when := range []timing{inTurn, inReverse} {
		if _, v := r.attempt(ctx, s, op, seed, when); v != fine {
			return round > 0 // perhaps it is of these values only
		}
	}
	var result porcupine.CheckResult
	if result, first.drawing = first.history.check(); result != porcupine.Illegal {
		return false // it was a habit only
	}
	times := 1
	for i := 0; i < mostRepeats && times == 1; i++ {
		if _, v := r.attempt(ctx, s, op, seed, atOnce); v == wrong {
			times++
		}
	}
	r.noteRace(first, s, op, times)
	return true
}

// noteRace keeps a finding.
func (r *run) noteRace(c *clash, s scenario, op *openapi.Operation, times int) {
	p, events := c.history.race(s.title)
	operation := op.ID
	if p.rule != nil {
		operation = p.rule.Operation
	} else {
		p.pos = op.Pos
	}
	steps := slices.Clone(c.before)
	for i, e := range c.history.events {
		if i < events || !e.look {
			steps = append(steps, e.x)
		}
	}
	f := &Finding{Code: p.code, Operation: operation, Severity: p.severity}
	if p.rule != nil {
		f.Rule = p.rule.ID
	}
	had := r.findings[f.Key()] != nil
	r.note(p, operation, steps)
	if f = r.findings[f.Key()]; f != nil && (!had || f.Unstable && times > 1) {
		f.Drawing, f.Confirmed, f.Unstable = c.drawing, times > 1, times == 1
	}
}

// clash is a history that no order explains, and what came before it.
type clash struct {
	before  []Exchange
	history *history
	drawing []byte
}

// timing is when the calls of a scenario are made.
type timing int

const (
	atOnce timing = iota
	inTurn
	inReverse // one after the other, the last one first
)

// attempt plays a scenario once.
func (r *run) attempt(ctx context.Context, s scenario, op *openapi.Operation, seed string, when timing) (*clash, verdict) {
	st, calls := r.stage(ctx, s, op, seed)
	switch {
	case st.failed:
		return nil, unknown
	case len(calls) < 2:
		return nil, unfit
	}
	h := &history{start: situations(st.j)}
	for i, q := range calls {
		a, err := st.j.ask(&q)
		if err != nil || a.op == nil {
			return nil, unfit
		}
		q.Why = "at the same time"
		h.events = append(h.events, &event{x: Exchange{Request: q}, a: a, lane: i})
		r.count()
	}
	began := time.Now()
	r.make(ctx, h.events, began, when)
	mine := st.keepOwn(h.events)
	for _, q := range st.looks(h.events) {
		a, err := st.j.ask(&q)
		if err != nil || a.op == nil {
			continue
		}
		from := time.Since(began)
		x := r.send(ctx, q)
		h.events = append(h.events, &event{x: x, a: a, look: true, from: int64(from), to: int64(time.Since(began)), lane: len(calls)})
	}
	if ctx.Err() != nil {
		r.stale = true
		return nil, unknown
	}
	steps := slices.Clone(st.steps)
	for _, e := range h.events {
		r.conform(steps, e)
		steps = append(steps, e.x)
	}
	c := &clash{before: st.steps, history: h}
	if when != atOnce {
		end, v := r.habits.follow(h), wrong
		if len(end) > 0 {
			v = fine
		}
		st.settle(h, v, end, mine)
		return c, v
	}
	v := unknown
	var result porcupine.CheckResult
	switch result, c.drawing = h.check(); result {
	case porcupine.Illegal:
		v = wrong
	case porcupine.Ok:
		v = fine
	}
	if r.told != nil {
		r.told(fmt.Sprint(op.ID, " ", s.name, " ", result, " ", h.events))
	}
	st.settle(h, v, nil, mine)
	return c, v
}

// make makes calls, and fills in what came of them.
func (r *run) make(ctx context.Context, events []*event, began time.Time, when timing) {
	if when != atOnce {
		events = slices.Clone(events)
		if when == inReverse {
			slices.Reverse(events)
		}
		for _, e := range events {
			r.one(ctx, e, began)
		}
		return
	}
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for _, e := range events {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			r.one(ctx, e, began)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func (r *run) one(ctx context.Context, e *event, began time.Time) {
	e.from = int64(time.Since(began))
	e.x = r.Sender.Send(ctx, e.x.Request)
	e.to = int64(time.Since(began))
}

// conform counts an answer, and tells what is broken about it as such. Everything else
// that the document says of an answer was looked at when it came alone.
func (r *run) conform(before []Exchange, e *event) {
	r.ops[e.a.op.ID]++
	if e.x.Response != nil {
		r.statuses[fmt.Sprintf("%s %d", e.a.op.ID, e.x.Response.Status)]++
	}
	for _, p := range r.conformance.check(&e.x, e.a.op) {
		if p.code == "server-error" || p.code == "malformed-answer" {
			r.note(p, e.a.op.ID, append(slices.Clone(before), e.x))
		}
	}
}
