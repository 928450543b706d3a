package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// judge judges the last step. It is false when the picture does not fit the server
// any more.
func (r *run) judge(ctx context.Context, j *Judge, steps []Exchange) bool {
	x := &steps[len(steps)-1]
	problems := j.Observe(x)
	fits := !slices.ContainsFunc(problems, func(p problem) bool { return p.code != "wording" && !p.settled })
	op := r.API.OperationByID(x.Request.Operation)
	problems = r.merge(problems, r.supposed(j, op, x, r.conformance.check(x, op)))
	if j.last != nil {
		r.rules[j.last]++
	}
	if x.Request.Why != look {
		r.cause = j.last
		for _, p := range problems {
			r.plain[p.code+" "+x.Request.Operation+" "+p.title] = true
		}
	} else if r.cause != nil {
		r.blame(problems, x.Request.Operation, r.cause)
	}
	if a := j.asked; r.tally != nil && a.op != nil && x.Response != nil {
		r.tally.saw(a.op, a.call, a.call.Violations, x.Response.Status)
		r.tally.decided(a.op, a.call, j.last, j.writes)
		if len(a.op.Lists()) > 0 && x.Response.Status < 300 {
			if shown, ok := elements(x.Response.value(a.head), r.API.Plan.Resource(a.op.Lists()[0]).ID()); ok {
				r.tally.listed(a.op, a.call, len(shown))
			}
		}
	}
	if x.Request.Operation != "" && x.Response != nil {
		r.ops[x.Request.Operation]++
		r.statuses[fmt.Sprintf("%s %d", x.Request.Operation, x.Response.Status)]++
	}
	for _, p := range problems {
		r.note(p, x.Request.Operation, steps)
	}
	if j.unsure {
		fits = false
		r.remark(fmt.Sprintf("answers of %s were left unjudged: more than %d ways may explain them", x.Request.Operation, mostWays))
	}
	if x.Response == nil && (op == nil || op.Writes()) {
		fits = false // nobody knows whether it was carried out
	}
	if !fits && r.Reset == nil && (r.usual(op, problems) || r.mend(ctx, j, x)) {
		return true
	}
	if !fits {
		r.stale = true
	}
	return fits
}

// usual is whether an operation that only reads has answered wrongly before, and so
// often that the fault is likely to be its own and not the picture's.
func (r *run) usual(op *openapi.Operation, problems []problem) bool {
	if op == nil || op.Writes() || len(problems) == 0 {
		return false
	}
	key := op.ID + " " + problems[0].code
	r.misfits[key]++
	return r.misfits[key] > mostMisfits
}

// mostMisfits is how often the state is learned anew because of one read.
const mostMisfits = 2

// document says what is wrong with an answer whatever the state of the server.
func (r *run) document(x *Exchange, op *openapi.Operation) []problem {
	return r.supposed(nil, op, x, r.conformance.check(x, op))
}

// supposed are problems that the document alone sees, with their severity: where the
// answer's form is assumed, they break nothing.
func (r *run) supposed(j *Judge, op *openapi.Operation, x *Exchange, list []problem) []problem {
	if op == nil || x.Response == nil {
		return list
	}
	doc := op.Response(x.Response.Status)
	assumed := doc != nil && doc.Basis == "assumed" || j != nil && j.last != nil && j.last.Basis == "assumed" && j.last.Refusal && x.Response.Status >= 400 && x.Response.Status < 500
	odd := false
	if five := x.Response.Status == http.StatusInternalServerError && doc != nil && doc.Status == "500"; five && j != nil {
		a, err := j.ask(&x.Request)
		odd = err == nil && a.op != nil && len(a.call.Violations) == 0 && j.ordinary != nil && !j.ordinary(j, a, &x.Request)
	}
	if j != nil && j.know.spoilt(x.Response.Body) {
		// The server has let in what its answers may not have. That was told.
		list = slices.DeleteFunc(list, func(p problem) bool { return p.code == "response-schema" })
	}
	for i := range list {
		if odd && list[i].code == "server-error" { // it says itself that it may fail, and the call is strange
			list[i].severity, list[i].assumed = Observation, true
		}
		if assumed && slices.Contains(ofForm, list[i].code) {
			list[i].severity, list[i].assumed = Observation, true
		}
	}
	return list
}

// ofForm are the checks of what the document says of an answer's form.
var ofForm = []string{"undocumented-status", "content-type", "response-schema", "response-headers"}

// blame says of what a look has shown that it is the doing of the call before: it is
// that call's rule which is broken, not the one by which the server answers reads.
func (r *run) blame(problems []problem, operation string, cause *behavior.Rule) {
	for i := range problems {
		p := &problems[i]
		if p.code == "wording" || p.rule == nil || p.rule == cause || r.plain[p.code+" "+operation+" "+p.title] || p.odd || p.settled && p.severity == Observation {
			continue // it is so whatever was called before
		}
		p.title += ", behind " + cause.ID
		p.rule, p.pos = cause, cause.Pos
		if cause.Basis != "assumed" {
			p.severity = Breach
		}
	}
}

// merge puts together what the rules and what the document say of one answer. Where
// both complain, it is of one cause, and the more exact one names it.
func (r *run) merge(rules, document []problem) []problem {
	exact := []string{"server-error", "undocumented-status", "content-type", "response-schema", "malformed-answer", "response-headers"}
	vague := []string{"rule-status", "rule-body", "list-contents", "refuses-valid"}
	out := slices.Clone(rules)
	named := false
	if slices.ContainsFunc(rules, func(p problem) bool { return p.code == "accepts-invalid" || p.odd }) {
		// What was wrong, or odd, in the call is in the answer then.
		document = slices.DeleteFunc(document, func(p problem) bool { return p.code == "response-schema" })
	}
	for _, d := range document {
		i := slices.IndexFunc(out, func(p problem) bool {
			return p.code == d.code || !named && slices.Contains(exact, d.code) && slices.Contains(vague, p.code)
		})
		if i < 0 {
			out = append(out, d)
			continue
		}
		named = true
		d.rule = out[i].rule
		switch {
		case out[i].odd && slices.Contains(ofForm, d.code):
			d.severity = Observation
		case out[i].severity == Breach && !d.assumed:
			d.severity = Breach
		}
		d.settled = out[i].settled
		out[i] = d
	}
	return out
}

// note keeps a problem: of one cause the shortest way to see it.
func (r *run) note(p problem, operation string, steps []Exchange) {
	f := &Finding{Code: p.code, Severity: p.severity, Operation: operation, Title: p.title, Expected: p.expected, Got: p.got, Pos: p.pos, Times: 1}
	if p.rule != nil {
		f.Rule, f.Basis, f.Cite = p.rule.ID, p.rule.Basis, p.rule.Cite
	}
	if !r.wanted(operation, f.Rule, f.Code) {
		return
	}
	old := r.findings[f.Key()]
	if old == nil {
		f.Steps = slices.Clone(steps)
		r.findings[f.Key()] = f
		if r.Until != nil && r.stop != nil && !r.replayed && r.Until(f) {
			r.stop(errEnough)
		}
		return
	}
	old.Times++
	if len(steps) < len(old.Steps) {
		old.Title, old.Expected, old.Got, old.Steps = f.Title, f.Expected, f.Got, slices.Clone(steps)
	}
}

// confirm sees each finding once more, from the first state, and leaves out the
// calls that it can be seen without.
func (r *run) confirm(ctx context.Context) {
	for _, f := range r.sorted() {
		if ctx.Err() != nil {
			return
		}
		if f.Code == race {
			continue // it was seen more than once, or not: see noteRace
		}
		var again bool
		if f.Confirmed, again = r.shows(ctx, f.Steps, f.Key()); !f.Confirmed {
			// Where nothing puts the server back, what was there may be gone.
			f.Unstable = r.Reset != nil || again
			continue
		}
		if f.Control == nil {
			f.Control = r.control(ctx, f)
		}
		if r.Reset == nil && len(f.Steps) > mostReplays {
			continue
		}
		// In ever smaller pieces, from the front: what came first is needed least.
		tries := mostShrinks
		for size := len(f.Steps) / 2; size > 0; size /= 2 {
			for at := 0; at+size < len(f.Steps) && tries > 0; tries-- {
				fewer := slices.Concat(f.Steps[:at], f.Steps[at+size:])
				if same, _ := r.shows(ctx, fewer, f.Key()); same {
					f.Steps = fewer
				} else {
					at += size
				}
			}
		}
		r.simplify(ctx, f)
	}
}

// simplify leaves out what the last call of a finding sends and is not needed to see
// it: members of its body, parameters of its query.
func (r *run) simplify(ctx context.Context, f *Finding) {
	last := len(f.Steps) - 1
	tries := mostSimpler
	try := func(change func(q *Request)) bool {
		if tries--; tries < 0 {
			return false
		}
		steps := slices.Clone(f.Steps)
		change(&steps[last].Request)
		seen, _ := r.shown(ctx, steps, f.Key())
		if seen == nil || len(seen.Steps) != len(steps) {
			return false
		}
		f.Steps, f.Title, f.Expected, f.Got = seen.Steps, seen.Title, seen.Expected, seen.Got
		return true
	}
	if body, err := value.Parse(f.Steps[last].Request.Body); err == nil && body.Len() > 1 {
		for _, m := range body.Members() {
			fewer := body.Without(m.Name)
			if try(func(q *Request) { q.Body = value.Append(nil, fewer) }) {
				body = fewer
			}
		}
	}
	if path, query, asks := cutQuery(f.Steps[last].Request.Target); asks {
		pairs := strings.Split(query, "&")
		for i := len(pairs) - 1; i >= 0 && len(pairs) > 1; i-- {
			fewer := slices.Delete(slices.Clone(pairs), i, i+1)
			if try(func(q *Request) { q.Target = path + "?" + strings.Join(fewer, "&") }) {
				pairs = fewer
			}
		}
	}
}

// control is a call of the same operation that is answered properly, to compare with.
// nil if there is none.
func (r *run) control(ctx context.Context, f *Finding) []Exchange {
	op := r.API.OperationByID(f.Operation)
	if op == nil || op.Later() || ctx.Err() != nil {
		return nil
	}
	again := r.aside()
	j, ok := again.begin(ctx)
	if !ok {
		return nil
	}
	var steps []Exchange
	again.prepare(ctx, j, op, &steps)
	q, ok := again.good(op, j)
	if !ok || again.stale {
		r.back(again)
		return nil
	}
	q.Operation, q.Why = op.ID, "for comparison"
	from := len(steps)
	again.step(ctx, j, &steps, q)
	r.back(again)
	if len(again.findings) > 0 || len(steps) == from {
		return nil
	}
	return steps[from:]
}

const (
	mostShrinks = 40 // re-runs that shorten one finding
	mostSimpler = 12 // re-runs that simplify the last call of one
	mostReplays = 25 // steps of a finding that is shortened where the server is not put back
)

// shows is whether the calls lead to a finding again. made is whether all of them
// could be made as before.
func (r *run) shows(ctx context.Context, steps []Exchange, key string) (same, made bool) {
	f, made := r.shown(ctx, steps, key)
	return f != nil, made
}

// shown is the finding that the calls lead to again, nil if they do not.
func (r *run) shown(ctx context.Context, steps []Exchange, key string) (f *Finding, made bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	again := r.aside()
	j, ok := again.begin(ctx)
	if !ok {
		return nil, false
	}
	made = again.replay(ctx, j, steps)
	r.back(again)
	return again.findings[key], made
}

// aside is a run that notes what it finds for itself.
func (r *run) aside() *run {
	again := *r
	again.Only, again.Exclude, again.tally, again.replayed = nil, nil, nil, true
	again.findings, again.rules, again.ops, again.statuses = map[string]*Finding{}, map[*behavior.Rule]int{}, map[string]int{}, map[string]int{}
	return &again
}

// back takes over what a run aside has learned of the server.
func (r *run) back(again *run) {
	r.base, r.stale, r.learned, r.lost = again.base, again.stale, again.learned, again.lost
}

// replay makes the calls of a finding again. Ids that the server chose then have
// others in their place now. It is whether the answers were of the same kind.
func (r *run) replay(ctx context.Context, j *Judge, before []Exchange) (same bool) {
	real := map[string]string{}
	var steps []Exchange
	same = true
	for i := range before {
		if !r.step(ctx, j, &steps, rename(before[i].Request, real)) || len(steps) <= i {
			return same
		}
		x := &steps[i]
		if i < len(before)-1 && before[i].Response != nil && x.Response != nil && before[i].Response.Status != x.Response.Status {
			same = false
		}
		for from, to := range chosen(&before[i], x) {
			real[from] = to
		}
	}
	return same
}

// chosen pairs the texts that look like ids in two answers to one call.
func chosen(old, now *Exchange) map[string]string {
	out := map[string]string{}
	if old.Response == nil || now.Response == nil {
		return out
	}
	a, b := words(old.Response.Body), words(now.Response.Body)
	if len(a) != len(b) {
		return out
	}
	for i := range a {
		if a[i] != b[i] && len(a[i]) >= 8 && !strings.Contains(a[i], " ") {
			out[a[i]] = b[i]
		}
	}
	return out
}

// words are the quoted texts of a JSON body.
func words(body []byte) []string {
	return strings.Split(string(body), `"`)
}

// sorted are the findings, breaches first, in the order of the document.
func (r *run) sorted() []*Finding {
	var list []*Finding
	for _, f := range r.findings {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *Finding) int {
		if a.Severity != b.Severity {
			return strings.Compare(string(a.Severity), string(b.Severity)) // breach before observation
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return strings.Compare(a.Key(), b.Key())
	})
	return list
}
