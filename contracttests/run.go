package contracttests

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi"
)

// Sender sends requests to a server. [Client] is one.
type Sender interface {
	Send(ctx context.Context, r Request) Exchange
}

// Config is everything that a run can be told. API, World, Callers and Sender are
// required.
type Config struct {
	API     *openapi.API
	World   *behavior.World  // what the server's state is at first
	Callers *openapi.Callers // whom it knows
	Sender  Sender

	// Names are the callers whose credentials are known, the ordinary one
	// first, and Credentials what they present, by scheme.
	Names       []string
	Credentials map[string]map[string]string

	// Examples are documented calls. Others are variations of them.
	Examples []Request

	// Reset puts the server back to its first state. nil means that it cannot
	// be done: then a run ends where the state is not known any more.
	Reset func(ctx context.Context) error

	// Seed of all that is chosen. Equal seeds make equal runs.
	Seed uint64

	// Walk is how many calls the random walks make. 0 means 300, less than 0
	// none.
	Walk int

	// MaxTime is how long an answer may take. 0 means as long as the sender
	// waits.
	MaxTime time.Duration

	// URL is what the result says of where the server is.
	URL string
}

// run is one run on its way.
type run struct {
	Config
	gen  *generator
	base *Judge // the picture of the first state
	conformance
	result   *Result
	findings map[string]*Finding
	rules    map[*behavior.Rule]int
	ops      map[string]int
	statuses map[string]int
	cause    *behavior.Rule // that decided the last call that is no look
	lost     bool           // the state is not known any more
}

// Run runs all phases. The error says what the config lacks, or why the
// server could not be reached.
func (c Config) Run(ctx context.Context) (*Result, error) {
	if c.API == nil || c.World == nil || c.Callers == nil || c.Sender == nil {
		return nil, errors.New("contracttests: Config lacks its API, World, Callers or Sender")
	}
	if c.Walk == 0 {
		c.Walk = 300
	}
	began := time.Now()
	r := &run{
		Config: c, gen: newGenerator(c.API, c.Seed, c.Examples, c.Names),
		base:        NewJudge(c.API, c.World, c.Callers, c.Credentials),
		conformance: conformance{api: c.API, slow: c.MaxTime},
		result:      &Result{API: c.API.Name, Title: c.API.Title, URL: c.URL, Seed: c.Seed, Began: began},
		findings:    map[string]*Finding{}, rules: map[*behavior.Rule]int{}, ops: map[string]int{}, statuses: map[string]int{},
	}
	if err := r.reset(ctx); err != nil {
		return nil, err
	}
	for _, phase := range []func(context.Context){r.documented, r.eachRule, r.lives, r.access, r.parents, r.methods, r.bodies, r.walk} {
		phase(ctx)
	}
	r.confirm(ctx)
	r.result.Took = time.Since(began)
	r.finish()
	return r.result, ctx.Err()
}

func (r *run) reset(ctx context.Context) error {
	if r.Reset == nil {
		return nil
	}
	return r.Reset(ctx)
}

// begin is the picture that the next calls begin with.
func (r *run) begin(ctx context.Context) (*Judge, bool) {
	if r.lost || ctx.Err() != nil {
		return nil, false
	}
	if r.Reset == nil {
		return r.base, true
	}
	if err := r.Reset(ctx); err != nil {
		r.result.Notes = append(r.result.Notes, fmt.Sprintf("the server could not be put back: %v", err))
		r.lost, r.result.Incomplete = true, true
		return nil, false
	}
	return r.base.fork(), true
}

// eachRule leads to every rule of every operation, and looks at what it has done.
func (r *run) eachRule(ctx context.Context) {
	p := &planner{api: r.API, gen: r.gen, judge: r.base}
	for _, path := range r.API.Paths {
		for _, op := range path.Operations {
			if op.Later() {
				r.result.Notes = append(r.result.Notes, op.ID+" is not called: what it does goes on after its answer")
				continue
			}
			found := p.plan(op)
			for _, rule := range op.Rules() {
				if s, ok := found[rule]; ok {
					j, ok := r.begin(ctx)
					if !ok {
						return
					}
					r.play(ctx, j, s.calls, true)
				}
			}
		}
	}
}

// walk makes calls of all kinds, one after the other, in one state.
func (r *run) walk(ctx context.Context) {
	ops := r.operations()
	const stretch = 50
	for done := 0; done < r.Walk && len(ops) > 0; done += stretch {
		j, ok := r.begin(ctx)
		if !ok {
			return
		}
		var steps []Exchange
		for range min(stretch, r.Walk-done) {
			x := r.send(ctx, r.gen.call(pick(r.gen, ops), j))
			steps = append(steps, x)
			if !r.judge(j, steps) {
				break
			}
		}
	}
}

// play makes planned calls and, if asked, looks at what the last one has done. It
// is false when the server contradicted something.
func (r *run) play(ctx context.Context, j *Judge, calls []Request, look bool) bool {
	shadow := j.fork() // where the ids are those of the plan
	real := map[string]string{}
	var steps []Exchange
	var looks []Request
	for i, call := range calls {
		planned, err := shadow.ask(&call)
		if err != nil || planned.op == nil {
			return true
		}
		out := shadow.world().Do(planned.call)
		if look && i == len(calls)-1 {
			p := &planner{api: r.API, gen: r.gen, judge: j}
			looks = p.looksAt(shadow, &call, &out)
		}
		x := r.send(ctx, rename(call, real))
		steps = append(steps, x)
		if !r.judge(j, steps) {
			return false
		}
		for n, w := range out.Writes {
			if n < len(j.writes) && w.Before.IsMissing() && j.writes[n].Resource == w.Resource {
				real[w.ID] = j.writes[n].ID
			}
		}
	}
	for _, l := range looks {
		steps = append(steps, r.send(ctx, rename(l, real)))
		if !r.judge(j, steps) {
			return false
		}
	}
	return true
}

// rename puts the server's ids in the place of those that a plan has.
func rename(q Request, real map[string]string) Request {
	if len(real) == 0 {
		return q
	}
	var pairs []string
	for _, planned := range slices.Sorted(maps.Keys(real)) {
		pairs = append(pairs, planned, real[planned])
	}
	in := strings.NewReplacer(pairs...) // all at once: what is put in is not replaced again
	q.Target = in.Replace(q.Target)
	if q.Body != nil {
		q.Body = []byte(in.Replace(string(q.Body)))
	}
	return q
}

func (r *run) send(ctx context.Context, q Request) Exchange {
	r.result.Requests++
	return r.Sender.Send(ctx, q)
}

// judge judges the last step. It is false when the picture does not fit the server
// any more.
func (r *run) judge(j *Judge, steps []Exchange) bool {
	x := &steps[len(steps)-1]
	problems := j.Observe(x)
	fits := !slices.ContainsFunc(problems, func(p problem) bool { return p.code != "wording" })
	problems = r.merge(problems, r.conformance.check(x, r.API.OperationByID(x.Request.Operation)))
	if j.last != nil {
		r.rules[j.last]++
	}
	if x.Request.Why != look {
		r.cause = j.last
	} else if r.cause != nil {
		blame(problems, r.cause)
	}
	if x.Request.Operation != "" && x.Response != nil {
		r.ops[x.Request.Operation]++
		r.statuses[fmt.Sprintf("%s %d", x.Request.Operation, x.Response.Status)]++
	}
	for _, p := range problems {
		r.note(p, x.Request.Operation, steps)
	}
	op := r.API.OperationByID(x.Request.Operation)
	if j.unsure {
		fits = false
		if n := fmt.Sprintf("answers of %s were left unjudged: more than %d ways may explain them", x.Request.Operation, mostWays); !slices.Contains(r.result.Notes, n) {
			r.result.Notes = append(r.result.Notes, n)
		}
	}
	if !fits && r.Reset == nil && (op == nil || op.Writes()) {
		r.lost, r.result.Incomplete = true, true
		r.result.Notes = append(r.result.Notes, "the run ended here: after a contradiction the server's state is not known, and it cannot be put back")
	}
	return fits
}

// blame says of what a look has shown that it is the doing of the call before: it is
// that call's rule which is broken, not the one by which the server answers reads.
func blame(problems []problem, cause *behavior.Rule) {
	for i := range problems {
		p := &problems[i]
		if p.code == "wording" || p.rule == nil || p.rule == cause {
			continue
		}
		p.title += ", behind " + cause.ID
		p.rule, p.pos, p.severity = cause, cause.Pos, Breach
		if cause.Basis == "assumed" {
			p.severity = Observation
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
		if out[i].severity == Breach {
			d.severity = Breach
		}
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
	old := r.findings[f.Key()]
	if old == nil {
		f.Steps = slices.Clone(steps)
		r.findings[f.Key()] = f
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
	if r.Reset == nil {
		return
	}
	for _, f := range r.sorted() {
		if ctx.Err() != nil {
			return
		}
		if f.Confirmed = r.shows(ctx, f.Steps, f.Key()); !f.Confirmed {
			f.Unstable = true
			continue
		}
		// In ever smaller pieces, from the front: what came first is needed least.
		tries := mostShrinks
		for size := len(f.Steps) / 2; size > 0; size /= 2 {
			for at := 0; at+size < len(f.Steps) && tries > 0; tries-- {
				fewer := slices.Concat(f.Steps[:at], f.Steps[at+size:])
				if r.shows(ctx, fewer, f.Key()) {
					f.Steps = fewer
				} else {
					at += size
				}
			}
		}
	}
}

// mostShrinks bounds the re-runs that shorten one finding.
const mostShrinks = 40

// shows is whether the calls, made from the first state, lead to a finding again.
func (r *run) shows(ctx context.Context, steps []Exchange, key string) bool {
	if ctx.Err() != nil || r.Reset(ctx) != nil {
		return false
	}
	again := &run{
		Config: r.Config, gen: r.gen, base: r.base, conformance: r.conformance, result: r.result,
		findings: map[string]*Finding{}, rules: map[*behavior.Rule]int{}, ops: map[string]int{}, statuses: map[string]int{},
	}
	again.replay(ctx, r.base.fork(), steps)
	_, same := again.findings[key]
	return same
}

// replay makes the calls of a finding again. Ids that the server chose then have
// others in their place now.
func (r *run) replay(ctx context.Context, j *Judge, before []Exchange) {
	real := map[string]string{}
	var steps []Exchange
	for i := range before {
		x := r.send(ctx, rename(before[i].Request, real))
		steps = append(steps, x)
		if !r.judge(j, steps) {
			return
		}
		for from, to := range chosen(&before[i], &x) {
			real[from] = to
		}
	}
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
