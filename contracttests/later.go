package contracttests

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// ahead is a picture in which one more round has happened of what goes on after earlier
// answers; nil where nothing is to come.
func (j *Judge) ahead(p *picture) *picture {
	if p.world.Pending() == 0 {
		return nil
	}
	p = p.fork()
	c := &choices{judge: j, picture: p, vague: j.vagueMembers(p), loose: true}
	writes, ok := p.world.Advance(c)
	if !ok {
		return nil
	}
	for _, h := range c.holes {
		p.holes[h] = true
	}
	p.vague = nil
	for _, w := range writes {
		if !w.After.IsMissing() {
			p.world.Put(w.Resource, j.softened(p, w))
		}
	}
	return p
}

// softened is a record as somebody else's server may have written it where no page says
// what it writes: what comes from other records, and states, are as the rules say, all
// else may be anything.
func (j *Judge) softened(p *picture, w behavior.Write) value.Value {
	r := j.api.Plan.Resource(w.Resource)
	s := j.api.Resource(w.Resource)
	out := w.After
	for _, m := range w.After.Members() {
		if m.Name == r.ID() || m.Value.Kind() == value.HoleKind || value.Equal(m.Value, w.Before.Get(m.Name)) {
			continue
		}
		if m.Value.IsString() {
			if s != nil {
				if sub, ok := s.Property(m.Name); ok && slices.ContainsFunc(sub.Facets().Enum, func(e value.Value) bool { return value.Equal(e, m.Value) }) {
					continue
				}
			}
			if j.copied(p, w, m.Value) {
				continue
			}
		}
		if r.Hidden(m.Name) {
			continue // nobody sees it
		}
		h := &hole{law: kept}
		p.holes[h] = true
		out = out.With(m.Name, value.Hole(h))
	}
	return out
}

// copied is whether a value stands in another record that the one that was written
// names.
func (j *Judge) copied(p *picture, w behavior.Write, v value.Value) bool {
	for _, m := range w.After.Members() {
		for _, resource := range j.api.Plan.Resources() {
			if !m.Value.IsString() || resource == w.Resource && m.Name == j.api.Plan.Resource(resource).ID() {
				continue
			}
			rec := p.world.Record(resource, m.Value)
			if value.Equal(m.Value, v) && !rec.IsMissing() {
				return true // it is that record's id
			}
			if slices.ContainsFunc(rec.Members(), func(o value.Member) bool { return value.Equal(o.Value, v) }) {
				return true
			}
		}
	}
	return false
}

// own notes records of this run whose ids an answer shows for the first time.
func (j *Judge) own(w *way) {
	if j.know == nil {
		return
	}
	for h, v := range w.bound {
		if v.IsString() && (h.law.Kind == behavior.UUID || h.law.Kind == behavior.Pattern) && w.from.holes[h] {
			j.know.own[v.Text()] = true
		}
	}
}

// How long what goes on after an answer may take, and how often it is looked at.
const (
	longest = 20 * time.Second
	glance  = 120 * time.Millisecond
	fewer   = 2 // where a call says how many there are to be
)

// later calls the operations that go on after their answers, and looks on until they
// have ended.
func (r *run) later(ctx context.Context) {
	for i, op := range everyOperation(r.API) {
		if !op.Later() || r.Shards > 0 && i%r.Shards != r.Shard-1 || !r.reachable(op) {
			continue
		}
		r.series(ctx, nil, func(j *Judge) []Request { return r.refusing(j, op) })
		j, ok := r.begin(ctx)
		if !ok {
			return
		}
		var steps []Exchange
		for _, l := range op.Lookups() {
			r.makeFew(ctx, j, l.Resource, &steps)
		}
		for range 2 { // what is there already, stays
			q, ok := r.best(op, j, func(a, b *Request) bool { return len(a.Body) < len(b.Body) })
			if !ok || j.stale(r) {
				break
			}
			q.Operation = op.ID
			if r.Safe && !r.harmless(j, &q) || !r.step(ctx, j, &steps, q) || !r.watch(ctx, j, op, &q, &steps) {
				break
			}
		}
	}
}

// refusing are calls of an operation that are refused, each for another reason.
func (r *run) refusing(j *Judge, op *openapi.Operation) (out []Request) {
	seen := map[*behavior.Rule]int{}
	try := func(q Request) {
		q.Operation = op.ID
		if a, o, err := j.predict(&q); err == nil && a.op == op && o.Refused && seen[o.Rule] < 3 {
			seen[o.Rule]++
			out = append(out, q)
		}
	}
	for _, q := range r.gen.corpus[op.ID] {
		try(q)
	}
	for range 200 {
		try(r.gen.call(op, j))
	}
	return out
}

// makeFew is [run.makeOne] with small numbers in the body.
func (r *run) makeFew(ctx context.Context, j *Judge, resource string, steps *[]Exchange) {
	if j.know != nil && !r.ownOf(j, resource).IsMissing() {
		return
	}
	op, ok := r.creator(resource)
	if !ok {
		return
	}
	r.provide(ctx, j, op, steps)
	q, ok := r.good(op, j)
	if !ok {
		return
	}
	if body, err := value.Parse(q.Body); err == nil {
		for _, m := range body.Members() {
			if n, ok := m.Value.Int(); ok && n > fewer && strings.Contains(m.Name, "count") {
				body = body.With(m.Name, value.Int(fewer))
			}
		}
		q.Body = value.Append(nil, body)
	}
	q.Operation, q.Why = op.ID, "to have one that may be changed"
	r.step(ctx, j, steps, r.gen.renamed(q))
}

// watch looks at what a call is about until nothing more is to come. What does not fit
// yet may fit a moment later: the parts of a round need not be seen at once. It is
// false when the server contradicts something to the end.
func (r *run) watch(ctx context.Context, j *Judge, op *openapi.Operation, q *Request, steps *[]Exchange) bool {
	p := &planner{api: r.API, gen: r.gen, judge: j}
	looks := slices.DeleteFunc(p.looksAt(j, q, &behavior.Outcome{}), func(l Request) bool { return l.Method != http.MethodGet })
	from, fitted := len(*steps), false
	endless := func() bool {
		r.note(problem{code: "never-ends", title: "what goes on after the answer does not end", expected: "an end within " + longest.String(), got: "none",
			severity: Breach, rule: r.cause, pos: op.Pos}, op.ID, *steps)
		r.stale = true
		return false
	}
	for waited := time.Duration(0); ; waited += glance {
		end := waited >= longest
		fits, over := true, j.world().Pending() == 0
		if end && fitted && !over {
			return endless()
		}
		if len(*steps) > from+mostGlances { // the last looks tell all
			*steps = append((*steps)[:from:from], (*steps)[len(*steps)-len(looks):]...)
		}
		for _, l := range looks {
			if end {
				if !r.step(ctx, j, steps, l) {
					return false
				}
				continue
			}
			x := r.send(ctx, l)
			*steps = append(*steps, x)
			guess := j.fork()
			if slices.ContainsFunc(guess.Observe(&x), func(p problem) bool { return p.code != "wording" && !p.settled }) || guess.unsure {
				fits = false
				break
			}
			j.pictures, j.know, j.callers = guess.pictures, guess.know, guess.callers
		}
		switch {
		case end && j.world().Pending() > 0:
			return endless()
		case end:
			return true
		case fits && over:
			for _, l := range looks { // once more, and for the record
				if !r.step(ctx, j, steps, l) {
					return false
				}
			}
			return true
		}
		if fitted = fits; r.wait(ctx, glance) != nil {
			return false
		}
	}
}

// mostGlances bounds the steps of a finding about what goes on.
const mostGlances = 30

func (r *run) wait(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	return sleep(ctx, d)
}
