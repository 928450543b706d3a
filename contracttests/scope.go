package contracttests

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/param"
)

// everyOperation are the operations of a document, in its order.
func everyOperation(api *openapi.API) []*openapi.Operation {
	var out []*openapi.Operation
	for _, p := range api.Paths {
		out = append(out, p.Operations...)
	}
	return out
}

// operations are those that are called: what was asked for, but for those that go on
// after their answer.
func (r *run) operations() []*openapi.Operation {
	var out []*openapi.Operation
	for i, op := range everyOperation(r.API) {
		if op.Later() || r.Shards > 0 && i%r.Shards != r.Shard-1 || !r.reachable(op) {
			continue
		}
		out = append(out, op)
	}
	return out
}

// reachable is whether anything of an operation is asked for.
func (r *run) reachable(op *openapi.Operation) bool {
	if r.wanted(op.ID, "", "") {
		return true
	}
	return slices.ContainsFunc(op.Rules(), func(rule *behavior.Rule) bool { return r.wanted(op.ID, rule.ID, "") })
}

// wanted is whether an operation, a rule of it, or a check is asked for. What is empty
// counts as any.
func (r *run) wanted(operation, rule, code string) bool {
	names := []string{operation, rule, code}
	match := func(globs []string) bool {
		return slices.ContainsFunc(globs, func(g string) bool {
			return slices.ContainsFunc(names, func(n string) bool {
				ok, err := path.Match(g, n)
				return err == nil && ok && n != ""
			})
		})
	}
	if match(r.Exclude) {
		return false
	}
	if len(r.Only) == 0 || match(r.Only) {
		return true
	}
	// A glob for checks leaves all operations in, as long as no check is asked about.
	return code == "" && slices.ContainsFunc(r.Only, func(g string) bool {
		return slices.ContainsFunc(Checks, func(c CheckKind) bool { ok, err := path.Match(g, c.Code); return err == nil && ok })
	})
}

// harmless is whether a call can change nothing but what this run has made, whatever
// the server makes of it.
func (r *run) harmless(j *Judge, q *Request) bool {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, q.Method) {
		return true
	}
	a, err := j.ask(q)
	if err != nil {
		return false
	}
	if a.op == nil {
		// Nobody knows what the server does. Where the path names something of this
		// run, it is this run's own.
		return a.path != nil && len(a.path.Names) > 0 && r.owns(j, q, a.path)
	}
	if !a.op.Writes() {
		return true
	}
	for _, l := range a.op.Lookups() {
		v := a.call.Path.Get(l.Name)
		if l.Location == "body" {
			v = a.call.Body.Get(l.Name)
		}
		if v.IsString() && !j.know.fresh(v) {
			return false
		}
	}
	c := &choices{judge: j, vague: j.vagueMembers(j.pictures[0])}
	out := j.world().Try(a.call, c)
	if c.swept {
		return false
	}
	for _, w := range out.Writes {
		if !w.Before.IsMissing() && !j.know.own[w.ID] {
			return false
		}
	}
	return true
}

// spares is whether a call leaves records alone that others have made, where the run can
// make some of its own: once they are gone, nothing brings them back.
func (r *run) spares(j *Judge, q *Request) bool {
	if r.Reset != nil || q.Why == whyOrphans {
		return true
	}
	a, out, err := j.predict(q)
	if err != nil || a.op == nil {
		return true
	}
	if a.op.Writes() && !out.Refused && undeclared(a) {
		return false // whether such a member is kept, no page says, and nothing would take it away again
	}
	for _, w := range out.Writes {
		if w.After.IsMissing() && !j.know.own[w.ID] {
			if _, made := r.creator(w.Resource); made {
				return false
			}
		}
	}
	return true
}

// owns is whether all that a path names is of this run.
func (r *run) owns(j *Judge, q *Request, p *openapi.Path) bool {
	_, args, ok := r.API.Match(pathOf(q.Target), nil)
	if !ok {
		return false
	}
	for _, a := range args {
		if !j.know.fresh(value.String(a)) {
			return false
		}
	}
	return len(p.Names) > 0
}

// keepLedger writes down what the last call has made or removed.
func (r *run) keepLedger(j *Judge) {
	if r.Ledger == nil || j.know == nil {
		return
	}
	for _, w := range j.writes {
		switch {
		case w.Before.IsMissing():
			undo, _ := r.undo(j, w.Resource, w.ID)
			r.booked[w.Resource+" "+w.ID] = true
			r.Ledger(Entry{Resource: w.Resource, ID: w.ID, Undo: undo})
		case w.After.IsMissing():
			delete(r.booked, w.Resource+" "+w.ID)
			r.Ledger(Entry{Resource: w.Resource, ID: w.ID, Gone: true})
		}
	}
}

// undo is the call that deletes a record.
func (r *run) undo(j *Judge, resource, id string) (Request, bool) {
	rec := j.world().Record(resource, value.String(id))
	if rec.IsMissing() {
		return Request{}, false
	}
	q, ok := j.aimed(http.MethodDelete, resource, rec.Get(r.API.Plan.Resource(resource).ID()), rec, rec.Members(), func(op *openapi.Operation) bool { return op.Writes() })
	if !ok {
		return q, false
	}
	q.Why = "to clean up"
	// Whoever may do it, the ordinary caller first, and as plainly as possible.
	full := q
	for _, p := range r.API.OperationByID(q.Operation).Parameters() {
		if v := rec.Get(p.Name); p.In == param.InQuery && v.IsString() {
			full.Target = withQuery(full.Target, p.Name, []string{v.Text()})
		}
	}
	for _, q := range []Request{q, full} {
		for _, n := range append(slices.Clone(r.Names), "") {
			q.Caller = n
			if a, out, err := j.predict(&q); err == nil && a.op != nil && !out.Refused {
				return q, true
			}
		}
	}
	return q, false
}

// own are the records of this run that are there, children before their parents.
func (r *run) own(j *Judge) (out []Entry) {
	for _, resource := range slices.Backward(r.API.Plan.Resources()) {
		for _, rec := range slices.Backward(j.world().Records(resource)) {
			if id := rec.Get(r.API.Plan.Resource(resource).ID()); id.IsString() && j.know.own[id.Text()] {
				out = append(out, Entry{Resource: resource, ID: id.Text()})
			}
		}
	}
	return out
}

// cleanUp deletes what this run has made.
func (r *run) cleanUp(ctx context.Context) {
	j := r.base
	if j.know == nil {
		return
	}
	for _, e := range r.own(j) {
		q, ok := r.undo(j, e.Resource, e.ID)
		if !ok || ctx.Err() != nil {
			continue
		}
		x := r.send(ctx, q)
		if x.Response != nil && len(j.Observe(&x)) == 0 {
			r.keepLedger(j)
		} else {
			r.stale = true
		}
	}
}

// leave ends a run: what it has made is deleted, and what cannot be is listed.
func (r *run) leave(ctx context.Context) {
	if r.Reset != nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if j, ok := r.again(ctx); ok {
		r.cleanUp(ctx)
		for _, e := range r.own(j) {
			e.Undo, _ = r.undo(j, e.Resource, e.ID)
			r.result.Leftovers = append(r.result.Leftovers, e)
		}
	}
	for _, e := range r.result.Leftovers {
		delete(r.booked, e.Resource+" "+e.ID)
	}
	for _, key := range slices.Sorted(maps.Keys(r.booked)) { // what went with its parent
		resource, id, _ := strings.Cut(key, " ")
		r.Ledger(Entry{Resource: resource, ID: id, Gone: true})
	}
	if n := len(r.result.Leftovers); n > 0 {
		r.remark(fmt.Sprintf("%d records that the run has made are still there", n))
	}
}
