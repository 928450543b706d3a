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
	"github.com/understudy-dev/understudy/behavior/value"
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
	World   *behavior.World  // with Reset: what the server's state is at first; else what is known of records there
	Callers *openapi.Callers // whom it knows
	Sender  Sender

	// Names are the callers whose credentials are known, the ordinary one
	// first, and Credentials what they present, by scheme. Known is whether the
	// server surely knows them all; else those whom it does not let in are left out.
	Names       []string
	Credentials map[string]map[string]string
	Known       bool
	Vouched     []string // callers of whom that is sure, even if not of all

	// Examples are documented calls. Others are variations of them.
	Examples []Request

	// Reset puts the server back to its first state. nil means that it cannot
	// be done: then the run learns what is there by listing it, and deletes what
	// it has made.
	Reset func(ctx context.Context) error

	// Safe confines the run to what it has made itself: nothing else is changed
	// or removed. Others may change the rest meanwhile. It takes effect without
	// Reset only.
	Safe bool

	// Only and Exclude say what is checked and what is not: globs (* and ?) for
	// operations (createAgent), rules (createAgent.name_taken) and codes of
	// checks (response-schema). Without Only it is everything.
	Only, Exclude []string

	// Shard and Shards divide the operations among several runs: this one has
	// those with number Shard, from 1, of Shards. 0 means no division.
	Shard, Shards int

	// MaxRequests and MaxDuration end a run early. 0 means no limit.
	MaxRequests int
	MaxDuration time.Duration

	// Seed of all that is chosen. Equal seeds make equal runs.
	Seed uint64

	// Walk is how many calls the random walks make. 0 means 300, less than 0
	// none.
	Walk int

	// MaxTime is how long an answer may take. 0 means as long as the sender
	// waits.
	MaxTime time.Duration

	// Ledger is told of each record that the run has made, as the request that
	// removes it, and again when it is gone. nil for nobody.
	Ledger func(Entry)

	// Until ends the run, but for confirming, once it is true of a finding. nil
	// for never.
	Until func(*Finding) bool

	// Sleep waits while something goes on after an answer. nil is time.
	Sleep func(ctx context.Context, d time.Duration) error

	// Progress is told how far the run is, now and then. nil for nobody.
	Progress func(Progress)

	// URL is what the result says of where the server is.
	URL string

	// For tests: the only phase that runs; how many rounds of calls at the same time
	// there are, whatever they cost; who is told of each.
	phase  string
	rounds int
	told   func(string)
}

// An Entry of a ledger is a record that a run has made, or that is gone again.
type Entry struct {
	Resource string
	ID       string
	Gone     bool
	Undo     Request // removes it; without a method where no operation does
}

// Progress is how far a run is.
type Progress struct {
	Phase    string
	Requests int
	Findings int
}

// run is one run on its way.
type run struct {
	Config
	gen   *generator
	base  *Judge // with Reset: the picture of the first state; else of the state now
	stale bool   // without Reset: base does not fit the server any more
	conformance
	result   *Result
	findings map[string]*Finding
	rules    map[*behavior.Rule]int
	ops      map[string]int
	statuses map[string]int
	cause    *behavior.Rule       // that decided the last call that is no look
	lost     bool                 // the state is not known any more
	ways     map[string][]Request // how each operation lists all that there is
	learned  int                  // how often it was learned
	booked   map[string]bool      // what the ledger has: resource and id
	hints    map[string]map[string]value.Value
	plain    map[string]bool // problems of reads that nothing came before
	misfits  map[string]int  // how often an operation's answers did not fit
	stop     context.CancelCauseFunc
	phase    string
	tally    *tally            // nil while findings are shown again
	replayed bool              // this run shows a finding again: it has no phases
	habits   habits            // what the server does otherwise, one call after the other
	effects  map[string]effect // by operation: what calls at the same time have been tried for
}

// errBudget ends a run that has used up what it may.
var errBudget = errors.New("the budget is used up")

// errEnough ends a run that has found what it was to find.
var errEnough = errors.New("enough was found")

// Run runs all phases. The error says what the config lacks, or why the
// server could not be reached.
func (c Config) Run(ctx context.Context) (*Result, error) {
	if c.API == nil || c.World == nil || c.Callers == nil || c.Sender == nil {
		return nil, errors.New("contracttests: Config lacks its API, World, Callers or Sender")
	}
	if c.Walk == 0 {
		c.Walk = 300
	}
	c.Safe = c.Safe && c.Reset == nil
	pause := c.Sleep
	if pause == nil {
		pause = sleep
	}
	c.Sender = patient(c.Sender, pause)
	began := time.Now()
	r := &run{
		Config: c, gen: newGenerator(c.API, c.Seed, c.Examples, c.Names),
		base:        NewJudge(c.API, c.World, c.Callers, c.Credentials),
		conformance: conformance{api: c.API, slow: c.MaxTime},
		result:      &Result{API: c.API.Name, Title: c.API.Title, URL: c.URL, Seed: c.Seed, Began: began},
		booked:      map[string]bool{}, tally: newTally(c.API), ways: map[string][]Request{}, plain: map[string]bool{}, misfits: map[string]int{},
		findings: map[string]*Finding{}, rules: map[*behavior.Rule]int{}, ops: map[string]int{}, statuses: map[string]int{},
	}
	r.gen.home, r.base.ordinary = r.base, r.gen.ordinary
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stop = stop
	if c.MaxDuration > 0 {
		var end context.CancelFunc
		limited, end = context.WithTimeoutCause(limited, c.MaxDuration, errBudget)
		defer end()
	}
	for _, phase := range phases {
		if limited.Err() != nil {
			break
		}
		if c.phase != "" && c.phase != phase.name {
			continue
		}
		r.tell(phase.name)
		phase.run(r, limited)
	}
	if errors.Is(context.Cause(limited), errEnough) {
		r.result.Incomplete, r.result.Spent = true, true
		r.remark("the run ended early: what it was to find, it has found")
	}
	if errors.Is(context.Cause(limited), errBudget) {
		r.result.Incomplete, r.result.Spent = true, true
		r.remark("the run ended early: its budget was used up")
	}
	r.MaxRequests = 0
	r.tell("confirming")
	r.confirm(ctx)
	r.tell("cleaning up")
	r.leave(ctx)
	r.result.Took = time.Since(began)
	r.finish()
	return r.result, ctx.Err()
}

// phases are what a run does, in this order.
var phases = []struct {
	name string
	run  func(*run, context.Context)
}{
	{"documented calls", (*run).documented},
	{"rules", (*run).eachRule},
	{"lives of records", (*run).lives},
	{"access", (*run).access},
	{"strangers", (*run).strangers},
	{"other parents", (*run).parents},
	{"methods", (*run).methods},
	{"bodies", (*run).bodies},
	{"schemas", (*run).schemas},
	{"lists", (*run).lists},
	{"stories", (*run).stories},
	{"what goes on later", (*run).later},
	{"walks", (*run).walk},
	{"protocol", (*run).protocol},
	{"calls at the same time", (*run).overlap},
}

func (r *run) tell(phase string) {
	r.phase = phase
	if r.Progress != nil {
		r.Progress(Progress{phase, r.result.Requests, len(r.findings)})
	}
}

// remark adds a note, once.
func (r *run) remark(s string) {
	if !slices.Contains(r.result.Notes, s) {
		r.result.Notes = append(r.result.Notes, s)
	}
}

// open finds out what the server's state is at first.
func (r *run) open(ctx context.Context) error {
	if r.Reset != nil {
		if err := r.Reset(ctx); err != nil {
			return err
		}
		return r.letIn(ctx)
	}
	r.hints = map[string]map[string]value.Value{}
	for _, name := range r.API.Plan.Resources() {
		r.hints[name] = map[string]value.Value{}
		for _, rec := range r.World.Records(name) {
			r.hints[name][text(rec.Get(r.API.Plan.Resource(name).ID()))] = rec
		}
	}
	r.tell("learning what is there")
	j, err := r.learn(ctx, nil)
	if err != nil {
		return err
	}
	r.base, r.learned = j, 1
	return nil
}

// letIn is an error if the server refuses the ordinary caller whatever it calls: then
// its credentials are not those that the server knows, and there is nothing to judge.
func (r *run) letIn(ctx context.Context) error {
	refused := 0
	for _, op := range r.everyCalled() {
		q, ok := r.good(op, r.base)
		if !ok || op.Writes() || q.Caller == "" || q.Caller != first(r.Names) {
			continue
		}
		x := r.send(ctx, q)
		if x.Response == nil || x.Response.Status != http.StatusUnauthorized {
			return nil
		}
		if refused++; refused == 3 {
			break
		}
	}
	if refused > 1 {
		return fmt.Errorf("the server lets in none of the calls of %s (401): want the credentials as the server knows them", first(r.Names))
	}
	return nil
}

// mostLearned is how often the state of a server is learned again.
const mostLearned = 100

// begin is the picture that the next calls begin with. What earlier calls have made
// is gone then.
func (r *run) begin(ctx context.Context) (*Judge, bool) {
	if r.lost || ctx.Err() != nil {
		return nil, false
	}
	if r.tally != nil {
		r.tally.begin()
	}
	if r.Reset == nil {
		return r.again(ctx)
	}
	if err := r.Reset(ctx); err != nil {
		r.remark(fmt.Sprintf("the server could not be put back: %v", err))
		r.lost, r.result.Incomplete = true, true
		return nil, false
	}
	return r.base.fork(), true
}

// again is the picture of a server that cannot be put back: what the run has made is
// deleted, and if the picture does not fit any more, it is learned anew.
func (r *run) again(ctx context.Context) (*Judge, bool) {
	r.cleanUp(ctx)
	if !r.stale {
		return r.base, true
	}
	if r.learned >= mostLearned {
		r.lost, r.result.Incomplete = true, true
		r.remark("the run ended early: after so many contradictions the server's state is not known; --reset, if there is a way to put it back, lets it go on")
		return nil, false
	}
	r.learned++
	j, err := r.learn(ctx, r.base)
	if err != nil {
		r.lost, r.result.Incomplete = true, true
		r.remark("the run ended early: " + err.Error())
		return nil, false
	}
	r.base, r.stale = j, false
	return j, true
}

// eachRule leads to every rule of every operation, and looks at what it has done.
func (r *run) eachRule(ctx context.Context) {
	for _, op := range r.operations() {
		var found map[*behavior.Rule]sequence
		for _, rule := range op.Rules() {
			if !r.wanted(op.ID, rule.ID, "") {
				continue
			}
			j, ok := r.begin(ctx)
			if !ok {
				return
			}
			if r.prepare(ctx, j, op, &[]Exchange{}); r.stale {
				if j, ok = r.begin(ctx); !ok {
					return
				}
			}
			p := &planner{api: r.API, gen: r.gen, judge: j}
			if s, ok := found[rule]; found == nil || r.Reset == nil && ok && !p.leads(s) {
				found = p.plan(op)
			}
			if s, ok := found[rule]; ok {
				r.play(ctx, j, s.calls, true)
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
		for _, op := range ops {
			r.provide(ctx, j, op, &steps)
		}
		for range min(stretch, r.Walk-done) {
			if !r.step(ctx, j, &steps, r.gen.call(pick(r.gen, ops), j)) {
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
		if !r.step(ctx, j, &steps, rename(call, real)) {
			return false
		}
		for n, w := range out.Writes {
			if n < len(j.writes) && w.Before.IsMissing() && j.writes[n].Resource == w.Resource {
				real[w.ID] = j.writes[n].ID
			}
		}
	}
	for _, l := range looks {
		if !r.step(ctx, j, &steps, rename(l, real)) {
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

// step makes one more call and judges its answer. It is false when the picture does
// not fit the server any more, or the run is to end.
func (r *run) step(ctx context.Context, j *Judge, steps *[]Exchange, q Request) bool {
	if ctx.Err() != nil {
		return false
	}
	if r.Safe && !r.harmless(j, &q) || !r.spares(j, &q) {
		return true
	}
	x := r.send(ctx, q)
	*steps = append(*steps, x)
	fits := r.judge(ctx, j, *steps)
	if fits {
		r.keepLedger(j)
	}
	return fits
}

// send makes a call, and counts it.
func (r *run) send(ctx context.Context, q Request) Exchange {
	r.count()
	x := r.Sender.Send(ctx, q)
	if p, ok := r.Sender.(*patientSender); ok {
		r.hear(p)
	}
	return x
}

// count counts a call.
func (r *run) count() {
	r.result.Requests++
	if r.MaxRequests > 0 && r.result.Requests >= r.MaxRequests && r.stop != nil {
		r.stop(errBudget)
	}
	if r.Progress != nil && r.result.Requests%50 == 0 {
		r.tell(r.phase)
	}
}
