package contracttests

import (
	"net/http"
	"slices"
)

// A scenario is calls of an operation that may get in each other's way.
type scenario struct {
	name  string
	title string
	of    effect // operations that have one of these
	// calls sets the stage and is the calls to make at the same time, each of which is
	// permitted alone; none where there are no such calls.
	calls func(s *stage) []Request
}

// scenarios are tried in this order, for each operation that writes.
var scenarios = []scenario{
	{"equal", "equal calls", anything, equal},
	{"parts", "two updates of one record", updates, parts},
	{"gone", "an update and the deletion of its record", updates, gone},
	{"orphan", "the creation of a record and the deletion of what it belongs to", creates, orphan},
	{"value", "two updates to one value", updates, sameValue},
	{"shared", "two creations with one value", creates, shared},
	{"last", "two creations where there is one place left", creates, lastPlace},
}

// equal is one call several times, where a second one is not permitted.
func equal(s *stage) []Request {
	q, ok := s.good(s.op, 0)
	if !ok || !s.interfere(q, q) {
		return nil
	}
	return slices.Repeat([]Request{q}, pick(s.gen, []int{2, 2, 3, 4}))
}

// parts is two updates of one record, of different members if there are two, and
// now and then a read.
func parts(s *stage) []Request {
	q, ok := s.good(s.op, 0)
	large, has := s.full(s.op)
	if !ok || !has {
		return nil
	}
	ones := s.changes(q, large)
	s.gen.rng.Shuffle(len(ones), func(i, k int) { ones[i], ones[k] = ones[k], ones[i] })
	var out []Request
	switch {
	case len(ones) > 1:
		out = []Request{ones[0][0], ones[1][len(ones[1])-1]}
	case len(ones) == 1:
		out = ones[0]
	}
	if s.gen.chance(30) && len(out) == 2 {
		looks := s.around(s.j, &q)
		out = append(out, looks[:min(len(looks), 1)]...)
	}
	return out
}

// gone is an update and the deletion of its record, now and then twice.
func gone(s *stage) []Request {
	q, ok := s.good(s.op, 0)
	if !ok {
		return nil
	}
	if ones := s.changes(q, q); len(ones) > 0 {
		q = pick(s.gen, ones)[0]
	}
	w, ok := s.updated(q)
	if !ok {
		return nil
	}
	d, ok := s.deletion(w.Resource, w.ID)
	if !ok || !s.interfere(q, d) {
		return nil
	}
	return append([]Request{q, d}, slices.Repeat([]Request{d}, s.gen.rng.IntN(2))...)
}

// orphan is the creation of a record and the deletion of one that it needs.
func orphan(s *stage) []Request {
	q, ok := s.good(s.op, 0)
	if !ok || !s.makes(q) {
		return nil
	}
	for _, l := range slices.Backward(s.op.Lookups()) {
		ids := s.own[l.Resource]
		if len(ids) == 0 {
			continue
		}
		if d, ok := s.deletion(l.Resource, ids[0]); ok && s.interfere(q, d) {
			return []Request{q, d}
		}
	}
	return nil
}

// makes is whether a call makes a record.
func (s *stage) makes(q Request) bool { return effectOf(s.foresee(q))&creates != 0 }

// sameValue is two records that take one value, which is to be unique.
func sameValue(s *stage) []Request {
	q, ok := s.good(s.op, 0)
	if !ok {
		return nil
	}
	w, ok := s.updated(q)
	if ones := s.changes(q, q); !ok || len(ones) == 0 || len(s.own[w.Resource]) != 1 || !s.make(w.Resource, 0) {
		return nil
	}
	for _, calls := range s.changes(q, q) {
		a, b := calls[0], s.aim(calls[0], s.op, 1)
		if s.succeeds(b, s.op) && s.interfere(a, b) {
			return []Request{a, b}
		}
	}
	return nil
}

// shared is two creations with different names and something else that is to be
// unique.
func shared(s *stage) []Request {
	q, ok := s.full(s.op)
	if !ok || !s.makes(q) {
		return nil
	}
	a, b := s.named(q), s.named(q)
	if string(a.Body) == string(b.Body) || !s.succeeds(a, s.op) || !s.succeeds(b, s.op) || !s.interfere(a, b) {
		return nil
	}
	return []Request{a, b}
}

// mostBeforeLast bounds how many records are made to come to a limit.
const mostBeforeLast = 6

// lastPlace is two creations where the rules permit only one more.
func lastPlace(s *stage) []Request {
	base, ok := s.good(s.op, 0)
	if !ok || !s.makes(base) {
		return nil
	}
	for _, caller := range s.Names {
		q := base
		q.Caller, q.Credentials = caller, nil
		if caller == base.Caller {
			q.Credentials = base.Credentials
		}
		var before []Request
		for len(before) < mostBeforeLast && !s.behind(s.named(q), before...).Refused {
			before = append(before, s.named(q))
		}
		out := s.behind(s.named(q), before...)
		if len(before) == 0 || !out.Refused || out.Status == http.StatusTooManyRequests {
			continue
		}
		for _, c := range before[:len(before)-1] {
			if !s.do(c) {
				return nil
			}
		}
		a, b := s.named(q), s.named(q)
		if s.succeeds(a, s.op) && s.succeeds(b, s.op) && s.interfere(a, b) {
			return []Request{a, b}
		}
		return nil
	}
	return nil
}
