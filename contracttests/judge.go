package contracttests

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// Judge knows what a server may answer: it keeps pictures of what the server's
// state may be, asks the model which answers are permitted in them, compares, and
// goes on with the pictures that an answer fits, which take on what the server has
// chosen.
type Judge struct {
	api      *openapi.API
	pictures []*picture // at least one; several where several things may be true
	callers  *openapi.Callers
	present  map[string]map[string]string // credentials by caller
	members  map[string]bool              // that records have
	know     *knowledge                   // nil: the pictures show all that there is
	last     *behavior.Rule               // that decided the last answer, as the model has it
	writes   []behavior.Write             // what the last call has changed
	asked    asked                        // the last call, as the model has it
	ordinary func(*Judge, asked, *Request) bool
	habits   habits // of the server, that are no difference
	unsure   bool   // the last answer may be explained by more ways than were tried
}

// NewJudge begins with the picture that world shows. The world is the judge's own
// from then on. credentials are those of the callers, by name and scheme.
func NewJudge(api *openapi.API, world *behavior.World, callers *openapi.Callers, credentials map[string]map[string]string) *Judge {
	j := &Judge{api: api, pictures: []*picture{newPicture(world)}, callers: callers, present: credentials, members: map[string]bool{}}
	for _, name := range api.Plan.Resources() {
		for _, m := range api.Plan.Resource(name).Members() {
			j.members[m] = true
		}
	}
	return j
}

// world is what the likeliest picture shows.
func (j *Judge) world() *behavior.World { return j.pictures[0].world }

// fork is a judge with pictures of its own, as they are now.
func (j *Judge) fork() *Judge {
	c := &Judge{api: j.api, callers: j.callers, present: j.present, members: j.members, know: j.know.fork(), ordinary: j.ordinary, habits: j.habits}
	for _, p := range j.pictures {
		c.pictures = append(c.pictures, p.fork())
	}
	return c
}

// asked is a request as the model sees it.
type asked struct {
	path *openapi.Path // nil if the document has no such path
	op   *openapi.Operation
	head bool
	call *behavior.Call
}

// wire is the request as it goes over the wire, with credentials.
func (j *Judge) wire(r *Request) (*http.Request, error) {
	u, err := url.ParseRequestURI(r.Target)
	if err != nil {
		return nil, err
	}
	h := &http.Request{Method: r.Method, URL: u, Host: "localhost", RequestURI: r.Target, RemoteAddr: "127.0.0.1:1", Header: http.Header{}, Body: http.NoBody}
	for name, v := range r.Header {
		h.Header[name] = v
	}
	if r.Body != nil {
		h.Body, h.ContentLength = reader(r.Body), int64(len(r.Body))
	}
	credentials := r.Credentials
	if r.Caller != "" {
		credentials = j.present[r.Caller]
	}
	j.api.Present(h, credentials)
	h.RequestURI = h.URL.RequestURI()
	return h, nil
}

// ask decodes a request, as the server would.
func (j *Judge) ask(r *Request) (a asked, err error) {
	h, err := j.wire(r)
	if err != nil {
		return a, err
	}
	path, args, ok := j.api.Match(h.URL.EscapedPath(), nil)
	if !ok {
		return a, nil
	}
	a.path, a.op = path, path.Operation(r.Method)
	if a.op == nil && r.Method == http.MethodHead {
		a.op, a.head = path.Operation(http.MethodGet), true
	}
	if a.op != nil {
		a.call = a.op.Call(h, args, path.Names, j.callers, openapi.Limits{}, time.Now())
	}
	return a, nil
}

// predict is the first way that the model permits, without keeping anything.
func (j *Judge) predict(r *Request) (asked, behavior.Outcome, error) {
	a, err := j.ask(r)
	if err != nil || a.op == nil {
		return a, behavior.Outcome{}, err
	}
	return a, j.world().Try(a.call, &choices{judge: j, vague: j.vagueMembers(j.pictures[0])}), nil
}

// Observe judges an answer by the rules. The pictures in which one of the ways that
// the model permits explains it go that way and take on what the server has chosen;
// the others are dropped. If none explains it, all stay as they are.
func (j *Judge) Observe(x *Exchange) []problem {
	j.last, j.writes, j.unsure, j.asked = nil, nil, false, asked{}
	defer j.date(x)
	if x.Response == nil {
		return nil // there is nothing to compare; that there is no answer, is told elsewhere
	}
	a, err := j.ask(&x.Request)
	if err != nil || a.path == nil {
		return nil
	}
	if a.op == nil {
		return j.undeclared(x, a.path)
	}
	j.asked = a
	if s := x.Response.Status; a.head && (s == http.StatusNotFound || s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented) {
		return nil // not every server answers HEAD where it answers GET
	}
	if plain, err := url.QueryUnescape(x.Request.Target); err != nil || !utf8.ValidString(plain) {
		// No page says what a text means that is none.
		j.unsure = x.Response.Status < 300 && a.op.Writes()
		return nil
	}
	var fitting []*way
	var closest *way
	for _, p := range j.pictures {
		for ahead := 0; ; ahead++ {
			ways, next, all := j.ways(p, a, x)
			if !all {
				j.unsure = true
			}
			if closest == nil || next != nil && next.closer(closest) {
				closest = next
			}
			if len(ways) > 0 {
				fitting = append(fitting, ways...)
				break
			}
			// Perhaps what goes on after an earlier answer has gone on.
			if p = j.ahead(p); p == nil || ahead == mostAhead {
				break
			}
		}
	}
	if len(fitting) == 0 {
		if j.unsure {
			return nil // another way might explain it: what is not known is not said
		}
		if j.meet(a.call.Caller, closest) {
			return j.Observe(x)
		}
		j.last = closest.out.Rule
		if p, ok := j.otherReason(x, a, closest); ok {
			return p
		}
		problems := j.contradiction(x, a, closest)
		if s := x.Response.Status; j.know != nil && s >= 400 && s < 500 {
			// What is refused changes nothing. If it did, the next look shows it.
			settle(problems)
		}
		if j.repair(a, x, closest) {
			settle(problems)
		}
		return problems
	}
	j.last = fitting[0].out.Rule
	j.pictures = j.pictures[:0]
	for i, w := range fitting {
		j.own(w)
		p, writes := w.take(j, a, i+1 < len(fitting) && fitting[i+1].from == w.from)
		if i == 0 {
			j.writes = writes
		}
		j.pictures = append(j.pictures, p)
	}
	if len(j.pictures) > mostPictures {
		j.unsure = true
		j.pictures = j.pictures[:mostPictures]
	}
	j.learnWrites()
	return fitting[0].wordings()
}

// settle says that the picture fits, whatever the problems are.
func settle(problems []problem) {
	for i := range problems {
		problems[i].settled = true
	}
}

// otherReason is whether a call that is wrong in several ways is refused for another of
// them: in which order a server looks, is its own business.
func (j *Judge) otherReason(x *Exchange, a asked, w *way) ([]problem, bool) {
	got := x.Response.Status
	if !w.out.Refused || w.status || len(a.call.Violations) == 0 || got < 400 || got > 499 {
		return nil, false
	}
	other := slices.Contains([]int{400, 401, 403, 413, 415, 422}, got)
	if !other {
		sound := *a.call
		sound.Violations = nil
		out := j.world().Try(&sound, &choices{judge: j, vague: j.vagueMembers(j.pictures[0])})
		other = out.Refused && out.Status == got
	}
	if !other {
		return nil, false
	}
	p := problem{code: "rule-status", title: "refuses for another reason first", expected: fmt.Sprint(w.out.Status), got: fmt.Sprint(got),
		severity: Observation, rule: w.out.Rule, pos: a.op.Pos, settled: true}
	if p.rule != nil {
		p.pos = p.rule.Pos
	}
	return []problem{p}, true
}

// meet takes from an answer what it says of a caller of whom no more than the
// credentials is known: the value of an attribute that a new record has.
func (j *Judge) meet(caller *behavior.Caller, w *way) bool {
	if j.know == nil || j.know.sure || caller == nil || !w.status {
		return false
	}
	for _, d := range w.found {
		for _, resource := range j.api.Plan.Resources() {
			attribute := j.api.Plan.Resource(resource).ScopeAttribute(member(d.at))
			if attribute == "" || !value.Equal(caller.Attributes.Get(attribute), d.expected) || !d.actual.IsString() {
				continue
			}
			if key := caller.Name + " " + attribute; !j.know.met[key] {
				j.know.met[key] = true
				j.callers = j.callers.With(caller, attribute, d.actual)
				return true
			}
		}
	}
	return false
}

// mostAhead bounds the rounds that may have happened between two answers.
const mostAhead = 40

// mostPictures bounds what is held possible at one time.
const mostPictures = 16

// skew is how far the clock that a server writes into records may be behind the
// one that it writes into answers.
const skew = time.Minute

// date takes the server's word for what time it is: no time that it chooses after
// this answer is before it.
func (j *Judge) date(x *Exchange) {
	if x.Response == nil {
		return
	}
	if t, err := http.ParseTime(x.Response.Header.Get("Date")); err == nil {
		for _, p := range j.pictures {
			if t := t.Add(-skew); t.After(p.newest) {
				p.newest = t
			}
		}
	}
}

// isData is whether a text was sent with the call or stands in a record.
func (j *Judge) isData(call *behavior.Call, text string) bool {
	if holds(call.Body, text) {
		return true
	}
	for _, resource := range j.api.Plan.Resources() {
		for _, record := range j.world().Records(resource) {
			if holds(record, text) {
				return true
			}
		}
	}
	return false
}

// holds is whether a text is somewhere in a value.
func holds(v value.Value, text string) bool {
	return v.IsString() && v.Text() == text ||
		slices.ContainsFunc(v.Elems(), func(e value.Value) bool { return holds(e, text) }) ||
		slices.ContainsFunc(v.Members(), func(m value.Member) bool { return holds(m.Value, text) })
}

// undeclared judges a method that the path has not. A server may also refuse it
// because it knows no such thing, or nobody who calls.
func (j *Judge) undeclared(x *Exchange, p *openapi.Path) []problem {
	switch s := x.Response.Status; {
	case x.Request.Method == http.MethodOptions || x.Request.Method == http.MethodHead, s >= 300 && s < 500, s == http.StatusNotImplemented:
		return nil
	default:
		return []problem{{code: "undeclared-method", title: fmt.Sprintf("%s is answered at %s, which documents %s", x.Request.Method, p.Template, p.Allow),
			expected: "405", got: fmt.Sprint(s), severity: Breach, pos: p.Operations[0].Pos}}
	}
}

// contradiction says what an answer contradicts that no way explains.
func (j *Judge) contradiction(x *Exchange, a asked, w *way) []problem {
	p := problem{rule: w.out.Rule, pos: a.op.Pos}
	if p.rule != nil {
		p.pos = p.rule.Pos
	}
	var code string
	if w.status {
		for i := range w.found {
			d := &w.found[i]
			if d.wording || d.law {
				continue
			}
			code, p.title = "rule-body", d.at+" is not what the rule says"
			switch {
			case strings.HasPrefix(d.at, "header "):
				code = "response-headers"
			case len(a.op.Lists()) > 0 && !w.out.Refused:
				code = "list-contents"
			}
			p.expected, p.got, p.severity = d.want, d.got, j.severityOfBody(a, w, d)
			break // what else differs has the same cause
		}
		if w.out.Refused && x.Response.Status >= 400 && p.rule != nil && p.rule.Basis != "stated" {
			p.severity, p.settled = Observation, true // that it is refused is known, not with what words
		}
	} else {
		p.expected, p.got = fmt.Sprint(w.out.Status), fmt.Sprint(x.Response.Status)
		code, p.title = name(a, w, x.Response.Status)
		p.severity = j.severityOfStatus(code, a, w, x)
		j.oddity(x, a, w, code, &p)
	}
	if p.code = code; code == "" {
		return nil
	}
	certain := slices.Contains([]string{"accepts-invalid", "use-after-delete", "ignored-auth"}, code)
	if undeclared(a) && !certain || !a.op.Writes() && j.ordinary != nil && x.Response.Status < 500 && len(a.call.Violations) == 0 && a.call.Auth == behavior.Granted && !j.ordinary(j, a, &x.Request) {
		p.severity, p.odd = Observation, true // no page says what becomes of such a member, or value
		p.settled = p.settled || !a.op.Writes()
	}
	return []problem{p}
}

// oddity takes the edge off a wrong status where the call is one of which no page
// speaks.
func (j *Judge) oddity(x *Exchange, a asked, w *way, code string, p *problem) {
	got := x.Response.Status
	if (got == http.StatusUnauthorized || got == http.StatusForbidden) && j.stranger401(x, a) {
		p.severity, p.odd = Observation, true // credentials are optional; of wrong ones no page speaks
	}
	if j.ordinary == nil || got < 400 || got > 499 || len(a.call.Violations) > 0 && w.out.Refused || j.ordinary(j, a, &x.Request) {
		return
	}
	if code == "refuses-valid" || w.out.Refused { // what is odd about it may be refused before
		p.severity, p.odd, p.settled = Observation, true, p.settled || w.out.Refused
	}
}

// stranger401 is whether a call presents credentials, in vain, where none are needed.
func (j *Judge) stranger401(x *Exchange, a asked) bool {
	presents := x.Request.Caller != "" || x.Request.Credentials != nil
	for _, h := range j.api.CredentialHeaders() {
		presents = presents || x.Request.Header.Get(h) != ""
	}
	return presents && a.call.Auth == behavior.Granted && (a.call.Caller == nil || a.call.Caller.Name == "")
}

// lenient is whether a violation is no more than an optional member that is null: many
// servers take that for left out.
func lenient(a asked, v *behavior.Violation) bool {
	return v.Source == behavior.InBody && (v.Keyword == "type" || v.Keyword == "enum") && v.Value.IsNull() && len(v.Path) > 0 && !needed(a, v.Path)
}

// allLenient is whether nothing else is wrong with a call.
func allLenient(a asked) bool {
	for i := range a.call.Violations {
		if !lenient(a, &a.call.Violations[i]) {
			return false
		}
	}
	return true
}

// needed is whether a member of the body, or an element of a list in it, is required.
func needed(a asked, path []value.Value) bool {
	media, _ := a.op.RequestBody()
	if len(media) == 0 || media[0].Schema == nil {
		return true
	}
	s := media[0].Schema
	for i, p := range path {
		if p.IsNumber() {
			if i == len(path)-1 {
				return true
			}
			if s = s.Items(); s == nil {
				return true
			}
			continue
		}
		sub, ok := s.Property(p.Text())
		if !ok {
			return true
		}
		if i == len(path)-1 {
			return slices.ContainsFunc(s.Properties(), func(x schema.Property) bool { return x.Name == p.Text() && x.Required })
		}
		s = sub
	}
	return true
}

// undeclared is whether the body has members that the document does not name, in an
// object of which it names some.
func undeclared(a asked) bool {
	media, _ := a.op.RequestBody()
	return len(media) > 0 && media[0].Schema != nil && strange(media[0].Schema, a.call.Body, 6)
}

func strange(s *schema.Schema, v value.Value, depth int) bool {
	if depth < 0 || s == nil {
		return false
	}
	if slices.ContainsFunc(v.Elems(), func(e value.Value) bool { return strange(s.Items(), e, depth-1) }) {
		return true
	}
	if len(s.Properties()) == 0 {
		return false
	}
	return slices.ContainsFunc(v.Members(), func(m value.Member) bool {
		sub, ok := s.Property(m.Name)
		return !ok || strange(sub, m.Value, depth-1)
	})
}

// name is the check that a wrong status belongs to.
func name(a asked, w *way, got int) (code, title string) {
	rule := "the document"
	if w.out.Rule != nil {
		rule = "rule " + w.out.Rule.ID
	}
	good := got >= 200 && got < 300
	switch {
	case got >= 500:
		return "server-error", "the server failed where " + rule + " answers"
	case w.out.Refused && good && (a.call.Auth != behavior.Granted || w.out.Rule != nil && w.out.Rule.Name == "forbidden"):
		return "ignored-auth", "a call is let in although " + rule + " refuses it"
	case w.out.Refused && good && len(a.call.Violations) > 0:
		return "accepts-invalid", "an invalid call is accepted: " + a.call.Violations[0].Place() + " " + a.call.Violations[0].Message
	case w.out.Refused && good && w.out.Status == http.StatusNotFound:
		return "use-after-delete", "what is not there, or not any more, is found"
	case !w.out.Refused && got == http.StatusNotFound:
		return "lost-create", "what is there is not found"
	case !w.out.Refused && !good:
		return "refuses-valid", "a call that " + rule + " permits is refused"
	}
	return "rule-status", rule + " is contradicted"
}
