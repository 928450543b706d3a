package contracttests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// conformance judges answers by what the document itself and HTTP say of them,
// whatever the state of the server.
type conformance struct {
	api  *openapi.API
	slow time.Duration // an answer that takes longer is too slow; 0 means that none is

	before []*Exchange // calls that the next one is compared with, see [conformance.unusual]
}

// check says what is wrong with an answer. op is the operation that was called,
// or that of GET where HEAD was; nil for a path or method that the document has
// not. An exchange that the client itself ended has no problems.
func (c *conformance) check(x *Exchange, op *openapi.Operation) []problem {
	return c.unusual(c.document(x, op))
}

// document judges an answer alone.
func (c *conformance) document(x *Exchange, op *openapi.Operation) *answer {
	head := x.Request.Method == http.MethodHead
	if op != nil && op.Method != x.Request.Method && !(head && op.Method == http.MethodGet) {
		op = nil
	}
	a := &answer{x: x, Response: x.Response, op: op, what: x.Request.Method + " " + pathOf(x.Request.Target), head: head,
		pos: behavior.Position{File: c.api.File}}
	a.path, _, _ = c.api.Match(pathOf(x.Request.Target), nil)
	switch {
	case op != nil:
		a.what, a.pos = op.ID, op.Pos
	case a.path != nil && len(a.path.Operations) > 0:
		a.pos = a.path.Operations[0].Pos
	}
	whole := a.arrived(c.slow)
	if x.Response == nil {
		return a
	}
	if x.Response.Status < 100 || x.Response.Status > 599 {
		a.add("malformed-answer", Breach, "answers with a status that does not exist", "a status from 100 to 599", strconv.Itoa(x.Response.Status))
		return a
	}
	if op != nil {
		if a.doc = op.Response(x.Response.Status); a.doc != nil {
			a.pos = a.doc.Pos
		}
	}
	a.status()
	a.challenge()
	a.allow()
	a.location(c.api.Hosts)
	a.headers()
	a.tag()
	a.retry()
	if bodyless(x.Request.Method, x.Response.Status) || x.Response.Status == http.StatusResetContent {
		a.empty()
	} else if whole {
		a.length()
		a.body()
	}
	return a
}

// answer is one answer on its way through the checks.
type answer struct {
	x *Exchange
	*Response
	op   *openapi.Operation
	path *openapi.Path     // nil where the document has not this one
	doc  *openapi.Response // what it says of the status; nil for nothing
	head bool
	what string // was called
	pos  behavior.Position

	problems []problem
}

// add keeps a problem; says goes on where "createOrder " ends.
func (a *answer) add(code string, severity Severity, says, expected, got string) {
	a.problems = append(a.problems, problem{code: code, title: a.what + " " + says, expected: expected, got: got, pos: a.pos, severity: severity})
}

// arrived is whether there is a whole answer to judge, and says why not.
func (a *answer) arrived(slow time.Duration) bool {
	switch kindOf(a.x.Err) {
	case late:
		a.add("too-slow", Breach, "is not answered in time", "a whole answer in time", a.x.Err.Error())
	case closed:
		a.add("malformed-answer", Breach, "is not answered to the end", "a whole answer", a.x.Err.Error())
	case malformed:
		a.add("malformed-answer", Breach, "is not answered in HTTP", "an answer in HTTP/1.1", a.x.Err.Error())
	default:
		if slow > 0 && a.x.Took > slow && a.Response != nil {
			a.add("too-slow", Breach, "is answered too late", "an answer within "+slow.String(), a.x.Took.Round(time.Millisecond).String())
		}
	}
	if a.Response != nil && a.Truncated {
		a.add("malformed-answer", Observation, "has a longer answer than is read",
			"an answer that ends", fmt.Sprintf("more than %d bytes; what follows was not judged", len(a.Body)))
	}
	return a.x.Err == nil && a.Response != nil && !a.Truncated
}

// protocol are statuses that HTTP itself and what stands before a server
// answer with, wherever it is; a document need not list them (OpenAPI: "not
// necessarily expected to cover all possible HTTP response codes").
var protocol = []int{401, 405, 406, 408, 411, 413, 414, 415, 417, 421, 425, 426, 429, 431}

// conditions are the request headers that make HTTP answer with a status.
var conditions = map[int][]string{
	206: {"Range"}, 416: {"Range"}, 304: {"If-None-Match", "If-Modified-Since"},
	412: {"If-Match", "If-Unmodified-Since", "If-None-Match"},
}

func (a *answer) status() {
	documented := a.doc != nil
	got := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	switch {
	case a.Status == http.StatusNotImplemented && a.op == nil && a.x.Request.Method != http.MethodGet:
		return // right for a method that it does not know (RFC 9110, section 15.6.2)
	case a.Status >= 500 && !(documented && a.doc.Status != "default" && a.Status != http.StatusInternalServerError):
		a.add("server-error", Breach, "makes the server fail", "no 5xx", got+a.says())
		return
	case a.op == nil || documented || slices.ContainsFunc(conditions[a.Status], func(n string) bool { return a.x.Request.Header.Get(n) != "" }):
		return
	}
	severity := Breach
	if slices.Contains(protocol, a.Status) {
		severity = Observation
	}
	var have []string
	for _, r := range a.op.Responses() {
		have = append(have, r.Status)
	}
	a.add("undocumented-status", severity, fmt.Sprintf("answers with %d, which is not documented", a.Status), strings.Join(have, ", "), got+a.says())
}

// says is the beginning of the body, to tell what happened.
func (a *answer) says() string {
	if len(a.Body) == 0 {
		return ""
	}
	return ": " + excerpt(a.Body)
}

// excerpt is the beginning of a text in which anything may be.
func excerpt(b []byte) string {
	const most = 200
	short := b[:min(len(b), most)]
	if !utf8.Valid(short) && (len(b) <= most || !utf8.Valid(short[:len(short)-utf8.UTFMax])) {
		return fmt.Sprintf("%.200q", short)
	}
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(short), "")), " ")
	if len(b) > most {
		s += "…"
	}
	return s
}

func (a *answer) challenge() {
	if a.Status != http.StatusUnauthorized {
		return
	}
	values := a.Header.Values("WWW-Authenticate")
	if !slices.ContainsFunc(values, func(v string) bool {
		scheme, _, _ := strings.Cut(strings.TrimSpace(v), " ")
		return isToken(strings.TrimSuffix(scheme, ","))
	}) {
		got := "none"
		if len(values) > 0 {
			got = fmt.Sprintf("%q", values)
		}
		a.add("no-www-authenticate", Breach, "answers 401 and does not say how to authenticate", "a WWW-Authenticate with a scheme", got)
	}
}

// allow wants Allow with a 405. A documented 405 may be one of this record only,
// so there the list may be short.
func (a *answer) allow() {
	lines, sent := a.Header["Allow"]
	if a.Status != http.StatusMethodNotAllowed {
		if a.x.Request.Method != http.MethodOptions || a.Status >= 300 || !sent || a.op != nil || a.path == nil {
			return
		}
		have := strings.Join(lines, ",")
		for _, o := range a.path.Operations {
			if !slices.Contains(strings.FieldsFunc(have, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }), o.Method) {
				a.add("allow-header", Observation, "answers OPTIONS with an Allow that leaves out documented methods", a.methods(), have)
				return
			}
		}
		return
	}
	if !sent {
		a.add("allow-header", Breach, "answers 405 without Allow", a.methods(), "none")
		return
	}
	var have []string
	for _, line := range lines {
		for m := range strings.SplitSeq(line, ",") {
			if m = strings.TrimSpace(m); m != "" {
				have = append(have, m)
			}
		}
	}
	got := strings.Join(lines, ", ")
	if i := slices.IndexFunc(have, func(m string) bool { return !isToken(m) }); i >= 0 {
		a.add("allow-header", Breach, "answers 405 with an Allow that is no list of methods", a.methods(), got)
		return
	}
	if slices.Contains(have, a.x.Request.Method) {
		a.add("allow-header", Breach, "answers 405 and lists that very method in Allow", a.methods(), got)
		return
	}
	if a.path == nil || a.op != nil {
		return
	}
	for _, o := range a.path.Operations {
		if !slices.Contains(have, o.Method) {
			a.add("allow-header", Breach, "answers 405 with an Allow that leaves out documented methods", a.methods(), got)
			return
		}
	}
}

func (a *answer) methods() string {
	if a.path == nil {
		return "a list of methods"
	}
	return a.path.Allow
}

// location wants a URI. That it leads elsewhere can be meant, so it is told only.
func (a *answer) location(hosts []string) {
	redirect := slices.Contains([]int{301, 302, 303, 307, 308}, a.Status)
	if a.Status != http.StatusCreated && !redirect {
		return
	}
	values := a.Header["Location"]
	if len(values) == 0 {
		if redirect {
			a.add("bad-location", Observation, "redirects without Location", "a Location", "none")
		}
		return
	}
	got := strings.Join(values, ", ")
	to, err := url.Parse(values[0])
	if err != nil || len(values) > 1 || values[0] == "" || strings.ContainsFunc(values[0], func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r) }) {
		a.add("bad-location", Breach, "has a Location that is no URI", "one URI reference (RFC 3986)", fmt.Sprintf("%q", got))
		return
	}
	from, err := url.Parse(a.x.URL)
	if err != nil || to.Host == "" && to.Scheme == "" || sameOrigin(from, to) || slices.Contains(hosts, strings.ToLower(to.Hostname())) {
		return
	}
	a.add("bad-location", Observation, "has a Location that leads elsewhere", "a URI on "+from.Scheme+"://"+from.Host, got)
}

// sameOrigin takes all names of this machine for one.
func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		switch {
		case u.Port() != "":
			return u.Port()
		case u.Scheme == "https":
			return "443"
		}
		return "80"
	}
	local := func(u *url.URL) bool {
		return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	}
	return (b.Scheme == a.Scheme || b.Scheme == "") && port(a) == port(&url.URL{Scheme: a.Scheme, Host: b.Host}) &&
		(strings.EqualFold(a.Hostname(), b.Hostname()) || local(a) && local(b))
}

// headers judges the documented ones. An answer to HEAD may leave out what GET
// would send (RFC 9110, section 9.3.2).
func (a *answer) headers() {
	if a.doc == nil {
		return
	}
	for i := range a.doc.Headers {
		h := &a.doc.Headers[i]
		values := a.Header.Values(h.Name)
		if len(values) == 0 {
			if h.Required && (!a.head || a.op.Method == http.MethodHead) && !a.promises(h.Name) {
				a.add("response-headers", Breach, "leaves out the header "+h.Name, h.Name, "none")
			}
			continue
		}
		if vs := h.Violations(a.Header); len(vs) > 0 {
			a.add("response-headers", Breach, "has a header "+h.Name+" that is not as documented", listed(vs, "it"), fmt.Sprintf("%s: %s", h.Name, excerpt([]byte(strings.Join(values, ", ")))))
		}
	}
}

// listed puts the first violations into words.
func listed(vs []schema.Violation, root string) string {
	const most = 5
	var parts []string
	for i := range vs {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(vs)-most))
			break
		}
		at := vs[i].Pointer()
		if at == "" {
			at = root
		}
		parts = append(parts, at+" "+vs[i].Message())
	}
	return strings.Join(parts, "; ")
}

// empty judges answers that have no body.
func (a *answer) empty() {
	why := strconv.Itoa(a.Status)
	if a.head {
		why = "an answer to HEAD"
	}
	if len(a.Body) > 0 {
		a.add("body-without-content", Breach, "sends a body with "+why, "no body", fmt.Sprintf("%d bytes: %s", len(a.Body), excerpt(a.Body)))
		return
	}
	if a.Status != http.StatusNoContent {
		if a.head {
			a.media()
		}
		return
	}
	if n := a.Header.Get("Content-Length"); n != "" && n != "0" {
		a.add("body-without-content", Breach, "announces a body with 204", "no Content-Length", n)
	}
	if t := a.Header.Get("Content-Type"); t != "" {
		a.add("body-without-content", Observation, "names a media type with 204", "no Content-Type", t)
	}
}

// length compares what was announced with what came.
func (a *answer) length() {
	said := a.Header.Get("Content-Length")
	if said == "" {
		return
	}
	if n, err := strconv.ParseUint(said, 10, 63); err != nil || n != uint64(len(a.Body)) {
		a.add("malformed-answer", Breach, "is answered with a wrong Content-Length", strconv.Itoa(len(a.Body)), said)
	}
}

// media judges Content-Type and finds what is documented for it. ok is whether
// the body can be judged by that, which may be nil.
func (a *answer) media() (m *openapi.ResponseMedia, ok bool) {
	if a.doc == nil || len(a.doc.Media) == 0 {
		return nil, true
	}
	types := a.Header.Values("Content-Type")
	var want []string
	for i := range a.doc.Media {
		want = append(want, a.doc.Media[i].Type)
	}
	if len(types) == 0 || types[0] == "" {
		if len(a.Body) > 0 {
			a.add("content-type", Breach, "does not say what its body is", strings.Join(want, " or "), "no Content-Type")
		}
		if len(a.doc.Media) > 1 {
			return nil, false
		}
		return &a.doc.Media[0], true
	}
	best := 0
	for i := range a.doc.Media {
		if n := fitness(a.doc.Media[i].Type, types[0]); n > best {
			m, best = &a.doc.Media[i], n
		}
	}
	if m == nil || len(types) > 1 {
		a.add("content-type", Breach, "answers in another media type than is documented", strings.Join(want, " or "), strings.Join(types, ", "))
		return nil, false
	}
	return m, true
}

// fitness says how well a media type fits a documented one, which may be a
// range; 0 for not at all.
func fitness(documented, got string) int {
	base, params, err := mime.ParseMediaType(got)
	if err != nil && base == "" {
		return 0
	}
	want, wanted, err := mime.ParseMediaType(documented)
	if err != nil && want == "" {
		return 0
	}
	prefix, isRange := strings.CutSuffix(want, "*")
	switch {
	case want == base:
		for k, v := range wanted {
			if k != "charset" && !strings.EqualFold(params[k], v) {
				return 3
			}
		}
		return 4
	case want == "*/*":
		return 1
	case isRange && strings.HasSuffix(prefix, "/") && strings.HasPrefix(base, prefix):
		return 2
	}
	return 0
}

// isJSON is whether a media type is JSON.
func isJSON(typ string) bool {
	base, _, _ := strings.Cut(strings.ToLower(typ), ";")
	base = strings.TrimSpace(base)
	return base == "application/json" || strings.HasSuffix(base, "+json")
}

// body judges the body by media type and schema.
func (a *answer) body() {
	if coding := a.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		if a.x.Request.Header.Get("Accept-Encoding") == "" {
			a.add("content-type", Observation, "encodes its answer though that was not asked for", "no Content-Encoding", coding+"; the body was not judged")
		}
		return
	}
	m, ok := a.media()
	typ := a.Header.Get("Content-Type")
	if typ == "" && m != nil {
		typ = m.Type
	}
	if !isJSON(typ) {
		// A text is a value, too, if the schema says that it is one.
		if ok && m != nil && m.Schema != nil && m.Schema.Type() == "string" && strings.HasPrefix(strings.ToLower(typ), "text/") && utf8.Valid(a.Body) {
			a.judge(m.Schema, value.String(string(a.Body)))
		}
		return
	}
	if len(a.Body) == 0 {
		switch {
		case ok && m != nil && m.Schema != nil:
			a.add("response-schema", Breach, fmt.Sprintf("has no body with %d, though one is documented", a.Status), "a body of "+m.Type, "none")
		case a.Header.Get("Content-Type") != "":
			a.add("malformed-answer", Observation, "calls an empty body JSON", "JSON, or no Content-Type", "no body")
		}
		return
	}
	if bytes.HasPrefix(a.Body, []byte("\ufeff")) { // RFC 8259, section 8.1
		a.add("malformed-answer", Breach, "has JSON behind a byte order mark", "JSON from the first byte on", excerpt(a.Body))
	}
	v, err := value.Parse(a.Body)
	switch {
	case err != nil && utf8.Valid(a.Body) && json.Valid(a.Body): // RFC 8259, sections 4, 8.2 and 9, leaves these open
		a.add("malformed-answer", Observation, "has JSON that not all understand alike", "JSON without surprises", err.Error())
	case err != nil:
		a.add("malformed-answer", Breach, "has a body that is no JSON", "JSON", err.Error()+": "+excerpt(a.Body))
	case ok && m != nil && m.Schema != nil:
		a.judge(m.Schema, v)
	}
}

// judge judges the value of the body by its schema.
func (a *answer) judge(s *schema.Schema, v value.Value) {
	if vs := s.Validate(v, schema.Response, nil); len(vs) > 0 {
		a.add("response-schema", Breach, fmt.Sprintf("has a body with %d that is not as documented", a.Status), listed(vs, "the body"), excerpt(a.Body))
	}
	if at := secret(s, v, "", 0); at != "" {
		a.add("response-schema", Breach, "shows what is writeOnly", "no "+at, excerpt(a.Body))
	}
}

// secret finds a member that is only ever sent to the server.
func secret(s *schema.Schema, v value.Value, at string, depth int) string {
	if s == nil || depth > 32 {
		return ""
	}
	for _, p := range s.Properties() {
		member := v.Get(p.Name)
		if member.IsMissing() {
			continue
		}
		here := at + "/" + p.Name
		if p.Schema.WriteOnly() {
			return here
		}
		if found := secret(p.Schema, member, here, depth+1); found != "" {
			return found
		}
	}
	for i, e := range v.Elems() {
		if found := secret(s.Items(), e, at+"/"+strconv.Itoa(i), depth+1); found != "" {
			return found
		}
	}
	return ""
}
