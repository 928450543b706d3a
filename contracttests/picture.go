package contracttests

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// picture is one state that the server may be in.
type picture struct {
	world  *behavior.World
	holes  map[*hole]bool             // that stand in its records
	newest time.Time                  // of the server's times
	taken  map[string]bool            // ids that records had that are gone
	vague  map[string]map[string]bool // see vagueMembers; nil while it is to be computed
}

func newPicture(world *behavior.World) *picture {
	world.Hold()
	return &picture{world: world, holes: map[*hole]bool{}, taken: map[string]bool{}}
}

func (p *picture) fork() *picture {
	return &picture{world: p.world.Fork(), holes: maps.Clone(p.holes), newest: p.newest, taken: maps.Clone(p.taken)}
}

// way is one way that the model permits, held against the answer.
type way struct {
	from    *picture
	choices *choices
	out     behavior.Outcome
	status  bool // the status is as expected
	comparison
}

// ways are those that explain an answer in a picture, or else the closest of the
// others. all is whether every way was tried that might make a difference.
func (j *Judge) ways(p *picture, a asked, x *Exchange) (fitting []*way, closest *way, all bool) {
	body := x.Response.value(a.head)
	for script, tried := []int{}, 0; script != nil; tried++ {
		if tried == mostWays {
			return fitting, closest, false
		}
		w := j.walk(p, a, script, x, body)
		switch {
		case w.explains():
			if len(fitting) == 0 || !w.alike(fitting[0]) {
				fitting = append(fitting, w)
			}
			// Of a call that leaves nothing behind, one explanation is as good as another.
			if (!a.op.Writes() || w.out.Refused || a.head) && len(w.bound) == 0 {
				return fitting, closest, true
			}
		case closest == nil || w.closer(closest):
			closest = w
		}
		script = w.choices.next()
	}
	return fitting, closest, true
}

// value is the body of a response: JSON, or else a text.
func (r *Response) value(head bool) value.Value {
	if len(r.Body) == 0 || head {
		return value.Value{}
	}
	v, err := value.Parse(r.Body)
	if err != nil {
		return value.String(string(r.Body))
	}
	return v
}

func (j *Judge) walk(p *picture, a asked, script []int, x *Exchange, body value.Value) *way {
	w := &way{from: p, choices: &choices{judge: j, picture: p, vague: j.vagueMembers(p), script: script, since: p.newest, answer: body}}
	w.out = p.world.Try(a.call, w.choices)
	w.bound, w.taken = map[*hole]value.Value{}, p.taken
	if !w.out.Refused {
		w.data = j.members
	}
	w.status = w.out.Status == x.Response.Status
	if !w.status {
		j.habits.excuse(w, x.Response.Status)
		return w
	}
	if !w.out.Body.IsMissing() && !a.head {
		w.compare("body", w.out.Body, body)
	}
	for i := range w.found {
		// A sentence that somebody has sent is data; only the vendor's own may be
		// put otherwise.
		if d := &w.found[i]; d.wording && !w.out.Refused && j.isData(a.call, d.text) {
			d.wording = false
		}
	}
	if w.out.Refused {
		for i := range w.found {
			if d := &w.found[i]; d.actual.IsMissing() && !d.expected.IsMissing() && !promised(a.op, x.Response.Status, d.at) {
				d.wording = true // the answer may do without it
			}
		}
	}
	if w.out.Refused && len(a.call.Violations) > 0 {
		for i := range w.found {
			// How a violation is called is the server's business; where it is, is not.
			d := &w.found[i]
			words := d.expected.IsString() && d.actual.IsString() && (len(a.call.Violations) > 1 || !isPlace(a.call, d.expected.Text()))
			words = words || d.expected.IsMissing() && d.actual.IsMissing() // other numbers of them
			d.wording = d.wording || words || body.IsObject() && (ofTheBody(a.call) || allLenient(a))
		}
	}
	for _, h := range w.out.Headers {
		if got := x.Response.Header.Get(h.Name); !strings.HasPrefix(strings.ToLower(got), strings.ToLower(h.Value)) {
			w.found = append(w.found, difference{at: "header " + h.Name, want: h.Value, got: got})
		}
	}
	j.habits.excuse(w, x.Response.Status)
	return w
}

// explains is whether nothing but words differs.
func (w *way) explains() bool {
	if !w.status {
		return false
	}
	for _, d := range w.found {
		if !d.wording && !d.law {
			return false
		}
	}
	return true
}

// alike is whether two ways leave the same behind.
func (w *way) alike(o *way) bool {
	if w.from != o.from || len(w.bound) != len(o.bound) || len(w.out.Writes) != len(o.out.Writes) {
		return false
	}
	for h, v := range w.bound {
		if !value.Equal(o.bound[h], v) && len(w.out.Writes) == 0 {
			return false
		}
	}
	for i, x := range w.out.Writes {
		y := o.out.Writes[i]
		if x.Resource != y.Resource || !w.same(x.Before, y.Before, o) || !w.same(x.After, y.After, o) {
			return false
		}
	}
	return true
}

// same is whether two values are equal once the choices of both ways are put in.
func (w *way) same(x, y value.Value, o *way) bool {
	return value.Equal(filled(x, w.bound), filled(y, o.bound))
}

func filled(v value.Value, bound map[*hole]value.Value) value.Value {
	return behavior.Fill(v, func(what any) (value.Value, bool) {
		h, ok := what.(*hole)
		got, known := bound[h]
		return got, ok && known
	})
}

func (w *way) closer(than *way) bool {
	return than == nil || w.status && (!than.status || len(w.found) < len(than.found))
}

// wordings are observations of other words for the same.
func (w *way) wordings() []problem {
	var out []problem
	for _, d := range w.found {
		p := problem{code: "wording", title: d.at + " says the same in other words", expected: d.want, got: d.got, severity: Observation, rule: w.out.Rule}
		if d.law {
			p.code, p.title, p.severity, p.settled = "rule-body", d.at+" is not what the rule says", Breach, true
		}
		if p.rule != nil {
			p.pos = p.rule.Pos
			if p.rule.Basis == "assumed" {
				p.severity = Observation
			}
		}
		out = append(out, p)
	}
	return out
}

// take makes a picture go a way, with the choices that the answer shows. Where the
// old picture is still needed, a copy goes.
func (w *way) take(j *Judge, a asked, copied bool) (*picture, []behavior.Write) {
	p := w.from
	if copied {
		p = p.fork()
	}
	old := false // a hole in a record is known now
	for h, v := range w.bound {
		if h.law.Kind == behavior.Time {
			if t, ok := behavior.Timestamp(v.Text()); ok && t.After(p.newest) {
				p.newest = t
			}
		}
		if p.holes[h] {
			delete(p.holes, h)
			old = true
		}
	}
	var writes []behavior.Write
	if a.op.Writes() && !w.out.Refused && !a.head {
		again := &choices{judge: j, picture: p, vague: j.vagueMembers(p), script: w.choices.script, replay: w.choices.holes, bound: w.bound, unseen: w.choices.unseen, answer: w.choices.answer}
		writes = p.world.DoWith(a.call, again).Writes
		for _, change := range writes {
			if change.After.IsMissing() {
				p.taken[change.ID] = true
			}
		}
		for _, h := range again.holes {
			if _, known := w.bound[h]; !known {
				p.holes[h] = true
			}
		}
		writes = seen(writes, w.choices.unseen)
		if j.know != nil {
			j.leaveOpen(p, writes, w.choices.answer)
		}
	} else {
		for _, u := range w.choices.unseen {
			if !u.record.IsMissing() {
				p.world.Put(u.resource, u.record)
			}
		}
	}
	for _, u := range w.choices.unseen {
		for _, m := range u.record.Members() {
			if h, ok := holeOf(m.Value); ok {
				p.holes[h] = true
				old = true
			}
		}
	}
	if old {
		p.world.Resolve(func(what any) (value.Value, bool) {
			h, _ := what.(*hole)
			v, ok := w.bound[h]
			if ok {
				delete(p.holes, h)
			}
			return v, ok
		})
	}
	p.vague = nil
	return p, writes
}

// seen are writes without the records that a call has found, not made.
func seen(writes []behavior.Write, unseen []unseen) []behavior.Write {
	if len(unseen) == 0 {
		return writes
	}
	var out []behavior.Write
	for _, w := range writes {
		found := false
		for _, u := range unseen {
			found = found || w.Before.IsMissing() && w.Resource == u.resource && w.ID == text(u.id)
		}
		if !found {
			out = append(out, w)
		}
	}
	return out
}

func holeOf(v value.Value) (*hole, bool) {
	if v.Kind() != value.HoleKind {
		return nil, false
	}
	h, ok := v.Hole().(*hole)
	return h, ok
}

// isPlace is whether a text says where in a call a violation is.
func isPlace(call *behavior.Call, s string) bool {
	for i := range call.Violations {
		v := &call.Violations[i]
		if s == v.Location {
			return true
		}
		for _, p := range v.Path {
			if text(p) == s {
				return true
			}
		}
	}
	return false
}

// ofTheBody is whether all that is wrong with a call is wrong with its body as a whole,
// or deep inside: how that is said, is not known.
func ofTheBody(call *behavior.Call) bool {
	for i := range call.Violations {
		if len(call.Violations[i].Path) == 1 {
			return false
		}
	}
	return true
}

// promised is whether the document says that a member of an answer's body is always
// there.
func promised(op *openapi.Operation, status int, at string) bool {
	doc := op.Response(status)
	if doc == nil || len(doc.Media) == 0 || doc.Media[0].Schema == nil {
		return true
	}
	s := doc.Media[0].Schema
	for part := range strings.SplitSeq(strings.TrimPrefix(at, "body."), ".") {
		if strings.Trim(part, "0123456789") == "" {
			if s = s.Items(); s == nil {
				return true
			}
			continue
		}
		sub, ok := s.Property(part)
		if !ok {
			return len(s.Properties()) == 0
		}
		if !slices.ContainsFunc(s.Properties(), func(p schema.Property) bool { return p.Name == part && p.Required }) {
			return false
		}
		s = sub
	}
	return true
}

// leaveOpen says of new records that the server may have given them more than the rules
// speak of. What the answer shows of that is known.
func (j *Judge) leaveOpen(p *picture, writes []behavior.Write, body value.Value) {
	for _, w := range writes {
		r := j.api.Plan.Resource(w.Resource)
		if !w.Before.IsMissing() || w.After.IsMissing() || w.After.Get(r.ID()).Kind() == value.HoleKind {
			continue
		}
		rec := p.world.Record(w.Resource, w.After.Get(r.ID()))
		if rec.IsMissing() {
			continue
		}
		shown, _ := anywhere(body, r.ID(), w.After.Get(r.ID()), 6)
		changed := false
		for _, m := range r.Members() {
			if rec.Has(m) || r.Hidden(m) || r.Computed(m) {
				continue
			}
			v := shown.Get(m)
			if v.IsMissing() {
				h := &hole{law: kept}
				p.holes[h] = true
				v = value.Hole(h)
			}
			rec, changed = rec.With(m, v), true
		}
		if changed {
			p.world.Put(w.Resource, rec)
		}
	}
}
