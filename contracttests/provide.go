package contracttests

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// provide makes records for an operation that changes some, where nothing puts the
// server back: what others have made is better left as it is.
func (r *run) provide(ctx context.Context, j *Judge, op *openapi.Operation, steps *[]Exchange) {
	if j.know == nil || !op.Writes() {
		return
	}
	for _, l := range op.Lookups() {
		if r.ownOf(j, l.Resource).IsMissing() {
			r.makeOne(ctx, j, l.Resource, steps)
		}
	}
}

// ownOf is the newest record of a resource that this run has made; Missing if there is
// none.
func (r *run) ownOf(j *Judge, resource string) value.Value {
	id := r.API.Plan.Resource(resource).ID()
	for _, rec := range slices.Backward(j.world().Records(resource)) {
		if v := rec.Get(id); v.IsString() && j.know.own[v.Text()] {
			return rec
		}
	}
	return value.Value{}
}

// makeOne creates a record, below records of this run if there are any.
func (r *run) makeOne(ctx context.Context, j *Judge, resource string, steps *[]Exchange) {
	for _, op := range r.everyCalled() {
		if op.Method != http.MethodPost || !op.Writes() || slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Resource == resource }) {
			continue
		}
		q, ok := r.good(op, j)
		if !ok {
			continue
		}
		_, out, err := j.predict(&q)
		if err != nil || !slices.ContainsFunc(out.Writes, func(w behavior.Write) bool { return w.Resource == resource && w.Before.IsMissing() }) {
			continue
		}
		q.Operation, q.Why = op.ID, "to have one that may be changed"
		r.step(ctx, j, steps, r.gen.renamed(q))
		return
	}
}

// everyCalled are all operations that are called, whatever is asked for.
func (r *run) everyCalled() []*openapi.Operation {
	return slices.DeleteFunc(everyOperation(r.API), (*openapi.Operation).Later)
}

// reaimed is a call that changes a record of this run instead of another's; ok is false
// where there is none.
func (r *run) reaimed(j *Judge, op *openapi.Operation, q Request) (Request, bool) {
	if j.know == nil || !op.Writes() || len(op.Lookups()) == 0 {
		return q, false
	}
	p := r.API.PathOf(op)
	_, args, ok := r.API.Match(pathOf(q.Target), nil)
	if !ok {
		return q, false
	}
	args = slices.Clone(args)
	child := value.Value{} // what the path names last
	for i, name := range slices.Backward(p.Names) {
		k := slices.IndexFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "path" && l.Name == name })
		if k < 0 {
			continue
		}
		res := op.Lookups()[k].Resource
		rec := r.parentOf(j, res, child)
		if rec.IsMissing() {
			rec = r.ownOf(j, res)
		}
		if rec.IsMissing() {
			continue
		}
		args[i] = url.PathEscape(text(rec.Get(r.API.Plan.Resource(res).ID())))
		child = rec
	}
	_, query, asks := cutQuery(q.Target)
	q.Target = p.Template
	for i, name := range p.Names {
		q.Target = replaceParameter(q.Target, name, args[i])
	}
	if asks {
		q.Target += "?" + query
	}
	if body, err := value.Parse(q.Body); err == nil && body.IsObject() {
		for _, l := range op.Lookups() {
			if rec := r.ownOf(j, l.Resource); l.Location == "body" && !rec.IsMissing() && body.Has(l.Name) {
				body = body.With(l.Name, rec.Get(r.API.Plan.Resource(l.Resource).ID()))
				q.Body = value.Append(nil, body)
			}
		}
	}
	return q, true
}

// parentOf is the record of a resource that another one names; Missing if none is.
func (r *run) parentOf(j *Judge, resource string, child value.Value) value.Value {
	for _, m := range child.Members() {
		if m.Value.IsString() {
			if rec := j.world().Record(resource, m.Value); !rec.IsMissing() && m.Name != r.API.Plan.Resource(resource).ID() {
				return rec
			}
		}
	}
	return value.Value{}
}
