package contracttests

import (
	"net/http"
	"strings"
)

// unreached is why something was not exercised.
func (r *run) unreached(why string) string {
	if r.lost {
		return "the run ended before"
	}
	return why
}

func (r *run) finish() {
	for _, f := range r.sorted() {
		r.result.Findings = append(r.result.Findings, *f)
	}
	for _, path := range r.API.Paths {
		for _, op := range path.Operations {
			c := Covered{Name: op.ID, Pos: op.Pos, Times: r.ops[op.ID]}
			if op.Later() {
				c.Why = "what it does goes on after its answer"
			}
			if c.Times == 0 && c.Why == "" {
				c.Why = r.unreached("no call was found that it permits")
			}
			r.result.Coverage.Operations = append(r.result.Coverage.Operations, c)
			for _, response := range op.Responses() {
				c := Covered{Name: op.ID + " " + response.Status, Pos: response.Pos}
				for status, n := range r.statuses {
					if of, got, _ := strings.Cut(status, " "); of == op.ID && (got == response.Status || strings.EqualFold(response.Status, got[:1]+"XX")) {
						c.Times += n
					}
				}
				if c.Times == 0 {
					c.Why = r.unreached("no rule answers so, or none was reached")
				}
				r.result.Coverage.Statuses = append(r.result.Coverage.Statuses, c)
			}
			for _, rule := range op.Rules() {
				c := Covered{Name: rule.ID, Pos: rule.Pos, Times: r.rules[rule]}
				if c.Times == 0 {
					c.Why = r.unreached("no call was found that leads to it")
					if rule.Status == http.StatusTooManyRequests {
						c.Why = "the rate limit was not reached"
					}
				}
				r.result.Coverage.Rules = append(r.result.Coverage.Rules, c)
			}
		}
	}
}
