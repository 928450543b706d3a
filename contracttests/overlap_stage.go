package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// stage is where a scenario is played: a state, and what was made for it.
type stage struct {
	*run
	ctx    context.Context
	j      *Judge
	op     *openapi.Operation
	steps  []Exchange
	own    map[string][]string // ids of what was made, by resource
	failed bool                // the server contradicted something on the way
}

// stage makes what a scenario needs, in a new state, and is the calls to make then.
func (r *run) stage(ctx context.Context, s scenario, op *openapi.Operation, seed string) (*stage, []Request) {
	r.seed(seed)
	j, ok := r.begin(ctx)
	if !ok {
		return &stage{failed: true}, nil
	}
	j.habits = r.habits
	st := &stage{run: r, ctx: ctx, j: j, op: op, own: map[string][]string{}}
	calls := s.calls(st)
	for i := range calls {
		if r.Reset == nil && !r.harmless(j, &calls[i]) {
			return st, nil
		}
	}
	return st, calls
}

// do makes a call that sets the stage.
func (s *stage) do(q Request) bool {
	if s.failed || s.Reset == nil && !s.harmless(s.j, &q) {
		return false
	}
	q.Why = "to set the stage"
	a, err := s.j.ask(&q)
	if err != nil || a.op == nil {
		return false
	}
	e := &event{x: s.send(s.ctx, q), a: a}
	s.steps = append(s.steps, e.x)
	s.conform(s.steps[:len(s.steps)-1], e)
	next := s.habits.alone(situations(s.j), e)
	if !e.answered() || len(next) == 0 || !s.adopt(next) {
		s.failed, s.stale = true, true
		return false
	}
	s.j.date(&e.x)
	s.j.writes = next[0].writes
	s.keepLedger(s.j)
	for _, w := range next[0].writes {
		if w.Before.IsMissing() && !slices.Contains(s.own[w.Resource], w.ID) {
			s.own[w.Resource] = append(s.own[w.Resource], w.ID)
		}
	}
	return true
}

// adopt leaves the judge with what is known at an end. It is false where anything may
// be true.
func (s *stage) adopt(ends []*situation) bool {
	if len(ends) == 0 || len(ends) > mostPictures || slices.ContainsFunc(ends, func(e *situation) bool { return e.judge == nil }) {
		return false
	}
	newest := s.j.pictures[0].newest
	s.j.pictures = nil
	for _, e := range ends {
		p := e.judge.pictures[0]
		p.newest = newest
		s.j.pictures = append(s.j.pictures, p)
		if s.j.know != nil {
			for id := range e.judge.know.own {
				s.j.know.own[id] = true
			}
		}
	}
	for _, rule := range ends[0].rules {
		if rule != nil {
			s.rules[rule]++
		}
	}
	return true
}

// deepest bounds how many records are made for the sake of another.
const deepest = 3

// make makes a record of a resource, and first those that it belongs to.
func (s *stage) make(resource string, depth int) bool {
	if depth > deepest {
		return false
	}
	for _, op := range everyOperation(s.API) {
		if !op.Writes() || op.Later() || op.Method == http.MethodGet || slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Resource == resource }) {
			continue
		}
		q, ok := s.good(op, depth+1)
		if !ok {
			continue
		}
		if out := s.foresee(q); slices.ContainsFunc(out.Writes, func(w behavior.Write) bool { return w.Resource == resource && w.Before.IsMissing() }) {
			had := len(s.own[resource])
			return s.do(q) && len(s.own[resource]) > had
		}
	}
	return false
}

// good is a call of an operation that succeeds, aimed at what this stage has made,
// under a name of its own. Where the server is put back, it may be aimed at what
// was there.
func (s *stage) good(op *openapi.Operation, depth int) (Request, bool) {
	for _, l := range op.Lookups() {
		if len(s.own[l.Resource]) == 0 && (l.Location == "path" || l.Location == "body") {
			s.make(l.Resource, depth)
		}
	}
	if s.failed {
		return Request{}, false
	}
	best, found := s.best(op, func(a, b *Request) bool { return len(a.Body) < len(b.Body) })
	if !found {
		if best, found = s.run.good(op, s.j); found {
			best, found = s.fit(s.plainly(best), op)
		}
	}
	if found {
		s.effects[op.ID] |= effectOf(s.foresee(best))
	}
	return best, found
}

// best is the documented call that succeeds and comes before the others, an ordinary one
// if there is one.
func (s *stage) best(op *openapi.Operation, before func(a, b *Request) bool) (best Request, found bool) {
	plain := false
	for _, q := range s.gen.corpus[op.ID] {
		q, ok := s.fit(s.plainly(q), op)
		if !ok {
			continue
		}
		better := !found || before(&q, &best)
		if !better && plain {
			continue
		}
		if ordinary := s.ordinary(&q); ordinary && !plain || ordinary == plain && better {
			best, found, plain = q, true, ordinary
		}
	}
	return best, found
}

// ordinary is whether a call sends what everybody would permit.
func (s *stage) ordinary(q *Request) bool {
	a, err := s.j.ask(q)
	return err == nil && a.op != nil && s.gen.ordinary(s.j, a, q)
}

// full is good with as large a body as there is.
func (s *stage) full(op *openapi.Operation) (Request, bool) {
	if q, ok := s.good(op, 0); !ok {
		return q, false
	}
	return s.best(op, func(a, b *Request) bool { return len(a.Body) > len(b.Body) })
}

// plainly is a call as the ordinary caller makes it, if that makes sense.
func (s *stage) plainly(q Request) Request {
	plain := q
	plain.Header, plain.Caller, plain.Credentials = q.Header.Clone(), first(s.Names), nil
	for _, name := range s.API.CredentialHeaders() {
		plain.Header.Del(name)
	}
	if a, out, err := s.j.predict(&plain); err != nil || a.op == nil || a.call.Auth != behavior.Granted || out.Status == http.StatusForbidden {
		return q
	}
	return plain
}

// fit aims a call and gives it a name, as far as it succeeds then.
func (s *stage) fit(q Request, op *openapi.Operation) (Request, bool) {
	q.Operation = op.ID
	aimed := s.aim(q, op, 0)
	for _, c := range []Request{s.named(aimed), aimed, s.named(q), q} {
		if s.succeeds(c, op) && (s.Reset != nil || s.harmless(s.j, &c)) {
			return c, true
		}
	}
	return q, false
}

func (s *stage) succeeds(q Request, op *openapi.Operation) bool {
	a, out, err := s.j.predict(&q)
	return err == nil && a.op == op && !out.Refused && out.Status < 300 && len(a.call.Violations) == 0
}

// aim puts the ids of records that this stage has made in the place of others: the
// nth of what the call looks up last, the first of all others.
func (s *stage) aim(q Request, op *openapi.Operation, n int) Request {
	p := s.API.PathOf(op)
	_, args, ok := s.API.Match(pathOf(q.Target), nil)
	if !ok || len(args) != len(p.Names) {
		return q
	}
	body, err := value.Parse(q.Body)
	target := p.Template
	lookups := op.Lookups()
	for i, l := range lookups {
		ids := s.own[l.Resource]
		at := 0
		if i == len(lookups)-1 {
			at = n
		}
		if at >= len(ids) {
			continue
		}
		switch {
		case l.Location == "path":
			target = replaceParameter(target, l.Name, url.PathEscape(ids[at]))
		case l.Location == "body" && err == nil && body.Get(l.Name).IsString():
			body = body.With(l.Name, value.String(ids[at]))
			q.Body = value.Append(nil, body)
		}
	}
	for i, name := range p.Names {
		target = replaceParameter(target, name, args[i])
	}
	if _, query, has := strings.Cut(q.Target, "?"); has {
		target += "?" + query
	}
	q.Target = target
	return q
}

// named gives what a call makes or changes a name that nothing has.
func (s *stage) named(q Request) Request {
	return withName(q, s.name())
}

func (s *stage) name() string {
	s.gen.serial++
	return fmt.Sprintf("%s %d", s.gen.token, s.gen.serial)
}

func withName(q Request, name string) Request {
	body, err := value.Parse(q.Body)
	if err != nil || !body.Get("name").IsString() {
		return q
	}
	q.Body = value.Append(nil, body.With("name", value.String(name)))
	return q
}

// foresee is what a call would do now.
func (s *stage) foresee(q Request) behavior.Outcome { return s.behind(q) }

// behind is what a call would do after others.
func (s *stage) behind(q Request, others ...Request) behavior.Outcome {
	j := s.j.fork()
	out := behavior.Outcome{Refused: true}
	for _, c := range append(others, q) {
		a, err := j.ask(&c)
		if err != nil || a.op == nil {
			return behavior.Outcome{Refused: true}
		}
		out = j.world().Do(a.call)
	}
	return out
}

// interfere is whether one call changes what becomes of the other.
func (s *stage) interfere(a, b Request) bool {
	one := func(a, b Request) bool {
		alone, after := s.foresee(b), s.behind(b, a)
		return alone.Refused != after.Refused || alone.Rule != after.Rule
	}
	return one(a, b) || one(b, a)
}

// deletion is a call that deletes a record and nothing above it.
func (s *stage) deletion(resource, id string) (Request, bool) {
	for _, op := range everyOperation(s.API) {
		n := len(op.Lookups())
		if !op.Writes() || op.Later() || op.Method == http.MethodGet || n == 0 || op.Lookups()[n-1].Resource != resource {
			continue
		}
		q, ok := s.good(op, 0)
		if !ok {
			continue
		}
		if slices.ContainsFunc(s.foresee(q).Writes, func(w behavior.Write) bool { return w.Resource == resource && w.ID == id && w.After.IsMissing() }) {
			return q, true
		}
	}
	return Request{}, false
}

// effect is what an operation does with records.
type effect int

const (
	creates effect = 1 << iota
	updates
	deletes
	anything = creates | updates | deletes
)

func effectOf(out behavior.Outcome) (e effect) {
	for _, w := range out.Writes {
		switch {
		case w.Before.IsMissing():
			e |= creates
		case w.After.IsMissing():
			e |= deletes
		default:
			e |= updates
		}
	}
	return e
}

// updated is the record that a call changes, if there is one.
func (s *stage) updated(q Request) (w behavior.Write, ok bool) {
	out := s.foresee(q)
	i := slices.IndexFunc(out.Writes, func(w behavior.Write) bool { return !w.Before.IsMissing() && !w.After.IsMissing() })
	if i < 0 || out.Refused {
		return w, false
	}
	return out.Writes[i], true
}

// changes are calls like one of two that change one member of a record each: by member,
// with up to two values.
func (s *stage) changes(small, large Request) [][]Request {
	w, ok := s.updated(large)
	if !ok {
		return nil
	}
	var plain, odd [][]Request
	for _, m := range w.Before.Members() {
		var calls []Request
		for _, v := range s.others(m.Value) {
			for _, c := range []Request{with(small, m.Name, v, true), with(small, m.Name, v, false), with(large, m.Name, v, false)} {
				if after, ok := s.updated(c); ok && s.succeeds(c, s.op) && after.ID == w.ID && value.Equal(after.After.Get(m.Name), v) {
					calls = append(calls, c)
					break
				}
			}
		}
		switch {
		case len(calls) == 0:
		case s.ordinary(&calls[0]):
			plain = append(plain, calls)
		default:
			odd = append(odd, calls)
		}
	}
	if len(plain) > 1 {
		return plain
	}
	return append(plain, odd...)
}

// with is a call with a member in its body, alone or beside what is there.
func with(q Request, name string, v value.Value, alone bool) Request {
	body, err := value.Parse(q.Body)
	if err != nil || !body.IsObject() || alone {
		body = value.Object()
	}
	q.Body = value.Append(nil, body.With(name, v))
	return q
}

// others are values of the same kind as v, and not v.
func (s *stage) others(v value.Value) []value.Value {
	switch {
	case v.IsString() || v.IsNull():
		return []value.Value{value.String(s.name()), value.String(s.name())}
	case v.IsNumber():
		if i, ok := v.Int(); ok {
			return []value.Value{value.Int(i + 1), value.Int(i - 1)}
		}
	case value.Equal(v, value.True):
		return []value.Value{value.False}
	case value.Equal(v, value.False):
		return []value.Value{value.True}
	}
	return nil
}

// looks are the reads that show what calls have done.
func (s *stage) looks(events []*event) (out []Request) {
	concerned := map[string]bool{}
	for _, e := range events {
		for _, w := range s.foresee(e.x.Request).Writes {
			concerned[w.Resource] = true
		}
	}
	seen := map[string]bool{}
	p := &planner{api: s.API, gen: s.gen, judge: s.j}
	for _, e := range events {
		alone := s.alone(e)
		for _, q := range p.looksAt(s.j, &e.x.Request, &behavior.Outcome{Writes: alone.writes}) {
			op := s.API.OperationByID(q.Operation)
			about := slices.ContainsFunc(op.Lists(), func(r string) bool { return concerned[r] }) ||
				slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return concerned[l.Resource] })
			if key := q.Caller + " " + q.Target; about && !seen[key] && len(out) < mostLooks {
				seen[key] = true
				out = append(out, q)
			}
		}
	}
	return out
}

// alone judges an answer as if there had been no other call.
func (s *stage) alone(e *event) *Judge {
	j := s.j.fork()
	if e.answered() {
		x := e.x
		j.Observe(&x)
	}
	return j
}

// keepOwn takes down what the calls have made, where it has to be removed again.
func (s *stage) keepOwn(events []*event) (own []string) {
	if s.j.know == nil {
		return nil
	}
	for _, e := range events {
		j := s.alone(e)
		s.keepLedger(j)
		for id := range j.know.own {
			own = append(own, id)
		}
	}
	return own
}

// settle leaves the judge with what is known behind a history: ends, or without any
// those of all its orders.
func (s *stage) settle(h *history, v verdict, ends []*situation, own []string) {
	for _, e := range h.events {
		s.j.date(&e.x)
		if !e.answered() {
			v = unknown
		}
	}
	for _, id := range own {
		s.j.know.own[id] = true
	}
	if v == fine && len(ends) == 0 {
		orders, all := h.orders()
		if !all {
			v = unknown
		}
		for _, o := range orders {
			for _, e := range o.end {
				if !slices.ContainsFunc(ends, e.same) {
					ends = append(ends, e)
				}
			}
		}
	}
	if v != fine || !s.adopt(ends) {
		s.stale = true
	}
}
