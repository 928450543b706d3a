package contracttests

import (
	"cmp"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// How bad a contradiction is, hangs on who says so. Where the rule itself is assumed,
// the server may know better. But no server may contradict itself: what was sent is
// kept, what is kept is shown, what is gone is gone, in the words of whatever document.

// severityOfStatus is how bad a wrong status is that a check was named for.
func (j *Judge) severityOfStatus(code string, a asked, w *way, x *Exchange) Severity {
	switch {
	case x.Response.Status >= 500:
		return Breach
	case code == "accepts-invalid":
		return j.severityOfInvalid(a, w)
	case code == "use-after-delete" || code == "lost-create":
		return Breach
	case code == "refuses-valid" && slices.Contains([]int{400, 422}, x.Response.Status):
		if w.out.Rule != nil && w.out.Rule.Basis != "stated" && !strings.HasPrefix(x.Request.Why, whyClaim) {
			return Observation // the server may ask for more than is known
		}
	case code == "refuses-valid" && slices.Contains([]int{401, 403, 409, 410, 412, 423, 428}, x.Response.Status):
		return Breach // unless the call is odd
	case code == "ignored-auth":
		return Breach
	}
	return basisSeverity(w.out.Rule)
}

// basisSeverity is how bad it is to contradict a rule.
func basisSeverity(r *behavior.Rule) Severity {
	if r != nil && r.Basis == "assumed" {
		return Observation
	}
	return Breach
}

// severityOfInvalid is how bad it is to accept a call with these violations: as bad as
// the worst of them.
func (j *Judge) severityOfInvalid(a asked, w *way) Severity {
	for i := range a.call.Violations {
		v := &a.call.Violations[i]
		switch v.Source {
		case behavior.MediaType, behavior.BodySize:
			if basisSeverity(w.out.Rule) == Breach {
				return Breach
			}
		case behavior.UndecodedBody:
			if !strings.Contains(v.Value.Text(), "occurs twice") { // RFC 8259, section 4: names should be unique
				return Breach
			}
		case behavior.InBody:
			if !lenient(a, v) && !assumedPlace(a, v.Path) && !twiceSpelt(a, v.Path) {
				return Breach
			}
		case behavior.InParameter:
			if v.Parameter >= 0 && v.Parameter < len(a.op.Parameters()) && a.op.Parameters()[v.Parameter].Basis() != "assumed" {
				return Breach
			}
		}
	}
	return Observation
}

// twiceSpelt is whether the member that is wrong is sent under another name, too, under
// which it is kept as well: which of both counts, no page says.
func twiceSpelt(a asked, path []value.Value) bool {
	media, _ := a.op.RequestBody()
	if len(media) == 0 || media[0].Schema == nil || len(path) == 0 {
		return false
	}
	s := media[0].Schema
	sub, ok := s.Property(path[0].Text())
	if !ok {
		return false
	}
	kept := cmp.Or(sub.KeepAs(), path[0].Text())
	return slices.ContainsFunc(s.Properties(), func(p schema.Property) bool {
		return p.Name != path[0].Text() && a.call.Body.Has(p.Name) && cmp.Or(p.Schema.KeepAs(), p.Name) == kept
	})
}

// assumedPlace is whether the document only supposes what stands at a place of the
// body, or above it.
func assumedPlace(a asked, path []value.Value) bool {
	media, _ := a.op.RequestBody()
	if len(media) == 0 || media[0].Schema == nil {
		return false
	}
	s := media[0].Schema
	for _, p := range path {
		if s == nil || s.Basis() == "assumed" {
			return s != nil
		}
		if p.IsNumber() {
			s = s.Items()
			continue
		}
		sub, ok := s.Property(p.Text())
		if !ok {
			return false
		}
		s = sub
	}
	return s != nil && s.Basis() == "assumed"
}

// severityOfBody is how bad a difference in a body is.
func (j *Judge) severityOfBody(a asked, w *way, d *difference) Severity {
	basis := basisSeverity(w.out.Rule)
	if w.out.Refused || basis == Breach || strings.HasPrefix(d.at, "header ") {
		return basis
	}
	if d.actual.IsMissing() && !d.expected.IsMissing() {
		return basis // the form of the answer is assumed
	}
	if len(w.choices.lists) > 0 && d.expected.IsNumber() && !strings.ContainsAny(d.at, "0123456789") {
		if n, ok := d.expected.Int(); ok && int(n) == w.choices.lists[0].Limit {
			return basis // how a server says what it took for the size of the page
		}
	}
	name := j.recordMember(d.at)
	if !a.op.Writes() && (len(a.op.Lists()) > 0 || name != "" && j.shows(a, name, d.expected)) {
		return Breach // it has shown something else before
	}
	if name == "" {
		return basis
	}
	for _, sent := range []value.Value{a.call.Body.Get(name), a.call.Body} {
		if !sent.IsMissing() && sends(sent, d.expected, 4) {
			if d.actual.IsString() && strings.TrimSpace(d.expected.Text()) == d.actual.Text() {
				return basis // without the white space around it
			}
			return Breach
		}
	}
	for _, change := range w.out.Writes {
		if before := change.Before.Get(name); !before.IsMissing() && value.Equal(before, change.After.Get(name)) && before.Kind() != value.HoleKind {
			return Breach // nobody has asked to change it
		}
	}
	return basis
}

// recordMember is the member of a record that a place in a body is in, "" for none.
func (j *Judge) recordMember(at string) string {
	for part := range strings.SplitSeq(at, ".") {
		if j.members[part] {
			return part
		}
	}
	return ""
}

// sends is whether a value that was sent is, or holds, another one.
func sends(sent, v value.Value, depth int) bool {
	if v.IsNull() || depth < 0 {
		return false
	}
	return value.Equal(sent, v) || slices.ContainsFunc(sent.Elems(), func(e value.Value) bool { return sends(e, v, depth-1) }) ||
		slices.ContainsFunc(sent.Members(), func(m value.Member) bool { return sends(m.Value, v, depth-1) })
}

// shows is whether a record that a call looks up has a value in a member.
func (j *Judge) shows(a asked, member string, v value.Value) bool {
	for _, l := range a.op.Lookups() {
		id := a.call.Path.Get(l.Name)
		if l.Location == "body" {
			id = a.call.Body.Get(l.Name)
		}
		if rec := j.world().Record(l.Resource, id); value.Equal(rec.Get(member), v) || sends(rec.Get(member), v, 4) {
			return true
		}
	}
	return false
}
