package contracttests

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
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
	unsure   bool                         // the last answer may be explained by more ways than were tried
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
	c := &Judge{api: j.api, callers: j.callers, present: j.present, members: j.members, know: j.know.fork()}
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
	return a, j.world().Try(a.call, &choices{judge: j}), nil
}

// Observe judges an answer by the rules. The pictures in which one of the ways that
// the model permits explains it go that way and take on what the server has chosen;
// the others are dropped. If none explains it, all stay as they are.
func (j *Judge) Observe(x *Exchange) []problem {
	j.last, j.writes, j.unsure = nil, nil, false
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
	var fitting []*way
	var closest *way
	for _, p := range j.pictures {
		ways, next, all := j.ways(p, a, x)
		if !all {
			j.unsure = true
		}
		fitting = append(fitting, ways...)
		if closest == nil || next != nil && next.closer(closest) {
			closest = next
		}
	}
	if len(fitting) == 0 {
		if j.unsure {
			return nil // another way might explain it: what is not known is not said
		}
		j.last = closest.out.Rule
		return j.contradiction(x, a, closest)
	}
	j.last = fitting[0].out.Rule
	j.pictures = j.pictures[:0]
	for i, w := range fitting {
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
	j.learnWrites(a)
	return fitting[0].wordings()
}

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
	p := problem{rule: w.out.Rule, severity: Breach, pos: a.op.Pos}
	if p.rule != nil {
		p.pos = p.rule.Pos
		if p.rule.Basis == "assumed" && x.Response.Status < 500 {
			p.severity = Observation
		}
	}
	if !w.status {
		p.expected, p.got = fmt.Sprint(w.out.Status), fmt.Sprint(x.Response.Status)
		p.code, p.title = name(a, w, x.Response.Status)
		return []problem{p}
	}
	for _, d := range w.found {
		if d.wording {
			continue
		}
		p.code, p.title = "rule-body", d.at+" is not what the rule says"
		switch {
		case strings.HasPrefix(d.at, "header "):
			p.code = "response-headers"
		case isList(w.out.Body):
			p.code = "list-contents"
		}
		p.expected, p.got = d.want, d.got
		return []problem{p} // what else differs has the same cause
	}
	return nil
}

// isList is whether a body is a list of records or has one in it.
func isList(v value.Value) bool {
	if v.IsArray() {
		return true
	}
	for _, m := range v.Members() {
		if m.Value.IsArray() && m.Value.At(0).IsObject() {
			return true
		}
	}
	return false
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
