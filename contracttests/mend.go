package contracttests

import (
	"context"
	"net/http"
	"slices"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// repair lets a picture take on what an answer shows, where the rules expected other
// values in the same records. It is false where more than values differs.
func (j *Judge) repair(a asked, x *Exchange, w *way) bool {
	if j.know == nil || !w.status || w.out.Refused || x.Response.Status >= 300 {
		return false
	}
	body := x.Response.value(a.head)
	if a.op.Writes() {
		p, writes := w.take(j, a, false)
		j.pictures = []*picture{p}
		j.writes = writes
		j.learnWrites()
		for _, change := range writes {
			if change.After.IsMissing() {
				continue
			}
			id := change.After.Get(j.api.Plan.Resource(change.Resource).ID())
			if id.Kind() == value.HoleKind {
				return false // nobody knows what was made
			}
			j.overwrite(change.Resource, id, body)
		}
		return true
	}
	if len(a.op.Lists()) > 0 {
		resource := a.op.Lists()[0]
		id := j.api.Plan.Resource(resource).ID()
		shown, ok := elements(body, id)
		expected, also := elements(w.out.Body, id)
		if !ok || !also || !slices.EqualFunc(shown, expected, func(a, b value.Value) bool { return value.Equal(a.Get(id), b.Get(id)) }) {
			return false
		}
		for _, e := range shown {
			j.overwrite(resource, e.Get(id), body)
		}
		return true
	}
	for _, l := range a.op.Lookups() {
		if l.Location == "path" {
			j.overwrite(l.Resource, a.call.Path.Get(l.Name), body)
		}
	}
	return true
}

// overwrite puts the members of a record that a body shows into the pictures.
func (j *Judge) overwrite(resource string, id, body value.Value) {
	r := j.api.Plan.Resource(resource)
	shown, ok := anywhere(body, r.ID(), id, 6)
	if !ok {
		return
	}
	for _, p := range j.pictures {
		rec := p.world.Record(resource, id)
		if rec.IsMissing() {
			continue
		}
		for _, name := range r.Members() {
			if v := shown.Get(name); !v.IsMissing() && !r.Computed(name) && name != r.ID() {
				rec = rec.With(name, v)
			}
		}
		p.vague = nil
		p.world.Put(resource, rec)
	}
}

// anywhere is the first object with that id in a body, lists included.
func anywhere(v value.Value, id string, is value.Value, depth int) (value.Value, bool) {
	if depth < 0 {
		return value.Value{}, false
	}
	if v.IsObject() && value.Equal(v.Get(id), is) {
		return v, true
	}
	for _, m := range v.Members() {
		if found, ok := anywhere(m.Value, id, is, depth-1); ok {
			return found, true
		}
	}
	for _, e := range v.Elems() {
		if found, ok := anywhere(e, id, is, depth-1); ok {
			return found, true
		}
	}
	return value.Value{}, false
}

// mend looks at what a call was about that the server carried out although the rules
// refuse it. It is false where that does not show what it has done.
func (r *run) mend(ctx context.Context, j *Judge, x *Exchange) bool {
	if j.know == nil || x.Response == nil || x.Response.Status >= 300 || x.Request.Why == look {
		return false
	}
	a, err := j.ask(&x.Request)
	if err != nil || a.op == nil {
		return false
	}
	if !a.op.Writes() {
		return true // whatever it was, it was a read
	}
	_, out, err := j.predict(&x.Request)
	if err != nil || !out.Refused {
		return false
	}
	about := map[string]bool{}
	for _, l := range a.op.Lookups() {
		about[l.Resource] = true
		id := a.call.Path.Get(l.Name)
		if l.Location == "body" {
			id = a.call.Body.Get(l.Name)
		}
		rec := j.world().Record(l.Resource, id)
		if id.IsString() && id.Text() != "" {
			j.know.spoil[id.Text()] = true
		}
		if rec.IsMissing() {
			return false // what was not known to be there
		}
		q, ok := j.reads(l.Resource, id, rec, rec.Members())
		if !ok {
			return false
		}
		q.Caller = first(r.Names)
		y := r.send(ctx, q)
		switch {
		case y.Response == nil:
			return false
		case y.Response.Status == http.StatusNotFound || y.Response.Status == http.StatusGone:
			j.drop(l.Resource, id)
		case y.Response.Status < 300:
			j.overwrite(l.Resource, id, y.Response.value(false))
		default:
			return false
		}
	}
	if a.op.Method != http.MethodPost {
		return true
	}
	// What it made stands in the answer.
	body := x.Response.value(false)
	for _, resource := range r.API.Plan.Resources() {
		res := r.API.Plan.Resource(resource)
		made, ok := newcomer(body, res)
		if !ok || about[resource] && len(r.API.Plan.Resources()) > 1 || !j.world().Record(resource, made.Get(res.ID())).IsMissing() {
			continue
		}
		j.know.own[text(made.Get(res.ID()))] = true
		j.know.spoil[text(made.Get(res.ID()))] = true
		s := &sighting{resource: resource, id: made.Get(res.ID()), shown: made, whole: true, by: map[string]bool{x.Request.Caller: true}}
		l := &learner{r: r, judge: j, good: map[string]bool{x.Request.Caller: true}, who: map[string]*behavior.Caller{x.Request.Caller: a.call.Caller}}
		j.adopt(l.record(s))
		return true
	}
	return len(about) > 0
}

// newcomer is the object in a body that looks like a record: it has an id, and most of
// the members.
func newcomer(body value.Value, r *behavior.Resource) (value.Value, bool) {
	level := []value.Value{body}
	for range 3 {
		var next []value.Value
		for _, v := range level {
			if v.IsObject() && v.Get(r.ID()).IsString() {
				has := 0
				for _, m := range r.Members() {
					if v.Has(m) {
						has++
					}
				}
				if 2*has > len(r.Members()) {
					return v, true
				}
			}
			for _, m := range v.Members() {
				next = append(next, m.Value)
			}
		}
		level = next
	}
	return value.Value{}, false
}

// drop forgets a record that is gone.
func (j *Judge) drop(resource string, id value.Value) {
	for _, p := range j.pictures {
		p.taken[text(id)] = true
		p.vague = nil
		p.world.Drop(resource, id)
	}
}
