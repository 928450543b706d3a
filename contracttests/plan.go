package contracttests

import (
	"net/http"
	"slices"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi"
)

// A sequence is calls, the last of which leads to a rule.
type sequence struct {
	rule  *behavior.Rule
	calls []Request
}

// planner looks for calls that make each rule decide, in pictures only: a call
// costs microseconds there, and nothing on the server.
type planner struct {
	api   *openapi.API
	gen   *generator
	judge *Judge // at the state that every sequence begins with
}

// effort is how many calls are tried for an operation: alone, and how often in vain
// behind others.
const (
	effortAlone  = 400
	effortBehind = 60
	mostBefore   = 3
)

// plan finds the shortest sequences it can, for one operation: by rule.
func (p *planner) plan(op *openapi.Operation) map[*behavior.Rule]sequence {
	found := map[*behavior.Rule]sequence{}
	note := func(calls []Request, r *behavior.Rule) {
		if old, ok := found[r]; r != nil && (!ok || len(calls) < len(old.calls)) {
			found[r] = sequence{rule: r, calls: slices.Clone(calls)}
		}
	}
	for range effortAlone {
		if len(found) == len(op.Rules()) {
			break
		}
		r := p.gen.call(op, p.judge)
		if _, out, err := p.judge.predict(&r); err == nil {
			note([]Request{r}, out.Rule)
		}
	}
	writes := p.writing()
	for dry := 0; dry < effortBehind && len(writes) > 0 && len(found) < len(op.Rules()); dry++ {
		had := len(found)
		j := p.judge.fork()
		var calls []Request
		for range 1 + p.gen.rng.IntN(mostBefore) {
			before := p.gen.call(pick(p.gen, writes), j)
			a, err := j.ask(&before)
			if err != nil || a.op == nil {
				continue
			}
			if out := j.world().Do(a.call); !out.Refused {
				calls = append(calls, before)
			}
		}
		for range 5 {
			r := p.gen.call(op, j)
			if _, out, err := j.predict(&r); err == nil {
				note(append(calls, r), out.Rule)
			}
		}
		if len(found) > had {
			dry = 0
		}
	}
	return found
}

// leads is whether a sequence still leads to its rule.
func (p *planner) leads(s sequence) bool {
	j := p.judge.fork()
	for i, q := range s.calls {
		a, err := j.ask(&q)
		if err != nil || a.op == nil {
			return false
		}
		if out := j.world().Do(a.call); i == len(s.calls)-1 {
			return out.Rule == s.rule
		}
	}
	return false
}

// writing are the operations that change something, at once.
func (p *planner) writing() []*openapi.Operation {
	var out []*openapi.Operation
	for _, path := range p.api.Paths {
		for _, op := range path.Operations {
			if op.Writes() && !op.Later() && op.Method != http.MethodGet {
				out = append(out, op)
			}
		}
	}
	return out
}

// looksAt are reads that show what a call has done, or not done: of what its path
// names, of what it made, and the lists around.
func (p *planner) looksAt(j *Judge, r *Request, out *behavior.Outcome) []Request {
	var looks []Request
	caller := r.Caller
	if caller == "" && len(p.gen.callers) > 0 && r.Credentials != nil {
		caller = p.gen.callers[0]
	}
	ids := map[string]string{} // by parameter
	if path, args, ok := p.api.Match(pathOf(r.Target), nil); ok {
		for i, name := range path.Names {
			ids[name] = args[i]
		}
	}
	byResource := map[string]string{}
	for _, w := range out.Writes {
		byResource[w.Resource] = w.ID
	}
	for _, path := range p.api.Paths {
		op := path.Operation(http.MethodGet)
		if op == nil || op.Writes() {
			continue
		}
		target, ok := path.Template, true
		for _, name := range path.Names {
			id, known := ids[name]
			for _, l := range op.Lookups() {
				if made, is := byResource[l.Resource]; l.Location == "path" && l.Name == name && is {
					id, known = made, true
				}
			}
			ok = ok && known
			target = replaceParameter(target, name, id)
		}
		if ok {
			looks = append(looks, Request{Operation: op.ID, Method: http.MethodGet, Target: target, Caller: caller, Why: look})
		}
	}
	return looks
}
