package contracttests

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi"
)

// elsewhere is why a run has not exercised what another one of several does.
const elsewhere = "another shard has it"

// unreached is why something was not exercised.
func (r *run) unreached(why string) string {
	if r.lost {
		return "the run ended before"
	}
	return why
}

// outside is why an operation is not called at all; "" if it is.
func (r *run) outside(i int, op *openapi.Operation) string {
	switch {
	case op.Later():
		return "what it does goes on after its answer"
	case !r.reachable(op):
		return "it is not asked for"
	case r.Shards > 0 && i%r.Shards != r.Shard-1:
		return elsewhere
	}
	return ""
}

func (r *run) finish() {
	for _, f := range r.sorted() {
		r.result.Findings = append(r.result.Findings, *f)
	}
	c := &r.result.Coverage
	for i, op := range everyOperation(r.API) {
		out := r.outside(i, op)
		why := func(s string) string {
			if out != "" {
				return out
			}
			return r.unreached(s)
		}
		o := Covered{Name: op.ID, Pos: op.Pos, Times: r.ops[op.ID]}
		if o.Times == 0 {
			o.Why = why("no call was found that it permits")
			if r.Safe && op.Writes() {
				o.Why = why("safe mode: no call was found that touches only what the run has made")
			}
		} else if op.Later() {
			o.Why = out
		}
		c.Operations = append(c.Operations, o)
		for _, response := range op.Responses() {
			s := Covered{Name: op.ID + " " + response.Status, Pos: response.Pos, Times: r.answered(op, response.Status)}
			if s.Times == 0 {
				s.Why = why("no rule answers so, or none was reached")
			}
			c.Statuses = append(c.Statuses, s)
		}
		past := passed(op.Rules(), r.rules)
		for k, rule := range op.Rules() {
			l := Covered{Name: rule.ID, Pos: rule.Pos, Times: r.rules[rule], Passed: past[k]}
			switch {
			case l.Times > 0:
			case rule.Status == http.StatusTooManyRequests:
				l.Why = why("the rate limit was not reached")
			default:
				l.Why = why("no call was found that leads to it")
			}
			c.Rules = append(c.Rules, l)
		}
	}
	r.tally.cover(c, func(op *openapi.Operation) string { return r.outside(slices.Index(everyOperation(r.API), op), op) })
}

// answered is how often an operation has answered with a documented status, or one
// of its range.
func (r *run) answered(op *openapi.Operation, documented string) (n int) {
	for status, times := range r.statuses {
		if of, got, _ := strings.Cut(status, " "); of == op.ID && (got == documented || got != "" && strings.EqualFold(documented, got[:1]+"XX")) {
			n += times
		}
	}
	return n
}

// passed is, for each rule of an operation, how often a call came by without that
// it decided: a refusal is passed by what a later rule decides, a success is missed
// by what is refused.
func passed(rules []*behavior.Rule, times map[*behavior.Rule]int) []int {
	out := make([]int, len(rules))
	for i, rule := range rules {
		for k, other := range rules {
			if rule.Refusal && k > i || !rule.Refusal && other.Refusal && k < i {
				out[i] += times[other]
			}
		}
	}
	return out
}

// add sums two lists that speak of the same things. What only one of them has, stays.
func add(a, b []Covered) []Covered {
	type key struct {
		name string
		pos  behavior.Position
	}
	out := slices.Clone(a)
	at := make(map[key]int, len(out))
	for i, c := range out {
		at[key{c.Name, c.Pos}] = i
	}
	for _, c := range b {
		i, ok := at[key{c.Name, c.Pos}]
		if !ok {
			at[key{c.Name, c.Pos}] = len(out)
			out = append(out, c)
			continue
		}
		o := &out[i]
		o.Times += c.Times
		o.Passed += c.Passed
		if o.Why == "" || o.Why == elsewhere {
			o.Why = c.Why
		}
	}
	for i := range out {
		if out[i].Times > 0 {
			out[i].Why = ""
		}
	}
	return out
}

// Merge is what several runs of one API have to say together, such as those of all
// shards: each finding once, with its shortest sequence, and the sum of what was
// exercised. Findings keep the order of the results, breaches first. It took as long
// as the longest.
func Merge(results ...*Result) *Result {
	if len(results) == 0 {
		return &Result{}
	}
	out := *results[0]
	out.Findings, out.Coverage, out.Leftovers, out.Notes = nil, Coverage{}, nil, nil
	out.Requests, out.Took, out.Incomplete = 0, 0, false
	at := map[string]int{}
	for _, r := range results {
		out.Requests += r.Requests
		out.Took = max(out.Took, r.Took)
		out.Incomplete = out.Incomplete || r.Incomplete
		if r.Began.Before(out.Began) {
			out.Began = r.Began
		}
		out.Leftovers = append(out.Leftovers, r.Leftovers...)
		for _, n := range r.Notes {
			if !slices.Contains(out.Notes, n) {
				out.Notes = append(out.Notes, n)
			}
		}
		for _, f := range r.Findings {
			i, ok := at[f.Key()]
			if !ok {
				at[f.Key()] = len(out.Findings)
				out.Findings = append(out.Findings, f)
				continue
			}
			old := out.Findings[i]
			if better(&f, &old) {
				f, old = old, f
			}
			old.Times += f.Times
			out.Findings[i] = old
		}
		c, d := &out.Coverage, &r.Coverage
		c.Operations = add(c.Operations, d.Operations)
		c.Statuses = add(c.Statuses, d.Statuses)
		c.Rules = add(c.Rules, d.Rules)
		c.Parameters = add(c.Parameters, d.Parameters)
		c.Keywords = add(c.Keywords, d.Keywords)
		c.Transitions = add(c.Transitions, d.Transitions)
		// Which steps there are, hangs on what a shard has called.
		c.Transitions = slices.DeleteFunc(c.Transitions, func(x Covered) bool { return x.Times == 0 && x.Why == elsewhere })
	}
	out.Coverage.Vacuous = vacuousInAll(results)
	slices.SortStableFunc(out.Findings, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return strings.Compare(string(a.Severity), string(b.Severity)) // breach before observation
		}
		return a.Pos.Line - b.Pos.Line
	})
	return &out
}

// vacuousInAll is what no result has exercised in a better way.
func vacuousInAll(results []*Result) (out []Covered) {
	has := func(list []Covered, pos behavior.Position, name string) bool {
		return slices.ContainsFunc(list, func(c Covered) bool { return c.Pos == pos && c.Times > 0 && (name == "" || c.Name == name) })
	}
	for _, r := range results {
		for _, c := range r.Coverage.Vacuous {
			if has(out, c.Pos, c.Name) {
				continue
			}
			if !slices.ContainsFunc(results, func(o *Result) bool {
				return has(o.Coverage.Operations, c.Pos, "") && !has(o.Coverage.Vacuous, c.Pos, c.Name)
			}) {
				out = append(out, c)
			}
		}
	}
	return out
}

// better is whether a shows a finding better than b.
func better(a, b *Finding) bool {
	if a.Confirmed != b.Confirmed {
		return a.Confirmed
	}
	return len(a.Steps) < len(b.Steps)
}
