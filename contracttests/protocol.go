package contracttests

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/openapi"
)

// protocol looks at HTTP itself: what is on the wire behind answers without a body,
// HEAD, connections that go on behind refusals, framing and coding, conditions,
// Location, and rate limits. Each operation is called as it succeeds, in every way that
// HTTP has for that.
func (r *run) protocol(ctx context.Context) {
	for _, op := range r.operations() {
		if op.Writes() {
			r.waysToWrite(ctx, op)
		} else {
			r.waysToRead(ctx, op)
		}
	}
	r.afterRefusals(ctx)
	r.rates(ctx)
	r.conformance.before = nil
}

// same is a call like another one, for another reason and with further headers: names
// and values in turn. Without a value the name is only spelled so.
func same(q Request, why string, headers ...string) Request {
	q.Why, q.Header = why, q.Header.Clone()
	if q.Header == nil {
		q.Header = http.Header{}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if q.Header[headers[i]] = nil; headers[i+1] != "" {
			q.Header[headers[i]] = []string{headers[i+1]}
		}
	}
	return q
}

// spelled is a call with its header names in another case (RFC 9110, section 5.1).
func (r *run) spelled(q Request) Request {
	q = same(q, "with header names in another case", "aCCEPT", "*/*")
	for _, n := range append(r.API.CredentialHeaders(), "Content-Type") {
		if lower := strings.ToLower(n); lower != n && q.Header.Get("Accept") == "" {
			q.Header[lower] = nil
		}
	}
	return q
}

// waysToRead calls an operation that changes nothing.
func (r *run) waysToRead(ctx context.Context, op *openapi.Operation) {
	j, ok := r.begin(ctx)
	if !ok {
		return
	}
	base, ok := r.good(op, j)
	if !ok {
		return
	}
	base.Operation = op.ID
	var steps []Exchange
	if !r.step(ctx, j, &steps, same(base, whyPlain, "Connection", "close")) || !succeeded(steps) {
		return
	}
	first := steps[0]
	calls := []Request{r.spelled(base)}
	if typ := plainType(first.Response); typ != "" {
		calls = append(calls, same(base, "with a preference", "Accept", typ+";q=0.5"))
	}
	calls = append(calls, r.framed(base)...)
	if op.Method == http.MethodGet {
		compared := same(base, whyHead, "Connection", "close")
		compared.Method = http.MethodHead
		calls = append(calls, same(base, whyGzip, "Accept-Encoding", "gzip"), same(base, whyHTML, "Accept", "text/html"),
			same(base, whyPlain, "Connection", "close"), compared, same(base, whyAgain, "Connection", "close"))
		calls = append(calls, conditions412(base, first.Response)...)
	}
	for _, q := range calls {
		if !r.probe(ctx, j, &steps, q, base.Body) {
			return
		}
	}
	if big, ok := r.large(base, &first); ok {
		r.probe(ctx, j, &steps, big, base.Body)
	}
}

// conditions412 are GETs that are conditional on what an answer to the same GET has.
func conditions412(base Request, was *Response) (out []Request) {
	tag, date := was.Header.Get("ETag"), was.Header.Get("Last-Modified")
	if tag != "" && isTag(tag) {
		out = append(out, same(base, whySame, "Connection", "close", "If-None-Match", tag), same(base, whyOther, "If-None-Match", `"understudy-never-was"`))
	}
	if _, err := http.ParseTime(date); err == nil {
		out = append(out, same(base, whySame, "Connection", "close", "If-Modified-Since", date))
	}
	return out
}

// plainType is the media type of an answer, without parameters.
func plainType(x *Response) string {
	typ, _, _ := strings.Cut(x.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(typ)
}

// succeeded is whether the last call was answered with 2xx, and completely.
func succeeded(steps []Exchange) bool {
	if len(steps) == 0 {
		return false
	}
	x := &steps[len(steps)-1]
	return x.Err == nil && x.Response != nil && x.Response.Status/100 == 2
}

// framed are the ways to send a body.
func (r *run) framed(base Request) []Request {
	if len(base.Body) == 0 {
		return nil
	}
	return []Request{same(base, whyChunked, "Transfer-Encoding", "chunked"), same(base, whyExpect, "Expect", "100-continue")}
}

// padding is white space that makes a body too large for most servers, in bytes.
const padding = 3 << 19

// large is a call with white space behind its body, where the server is on this machine.
func (r *run) large(base Request, like *Exchange) (Request, bool) {
	u, err := url.Parse(like.URL)
	if err != nil || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() || !bytes.HasPrefix(base.Body, []byte("{")) {
		return base, false
	}
	q := same(base, whyLarge)
	q.Body = append(slices.Clone(base.Body), bytes.Repeat([]byte(" "), padding)...)
	return q, true
}

// waysToWrite calls an operation that changes something, each time in a fresh state.
func (r *run) waysToWrite(ctx context.Context, op *openapi.Operation) {
	var base Request
	var first Exchange
	fresh := func() (*Judge, bool) {
		j, ok := r.begin(ctx)
		if !ok {
			return j, false
		}
		if _, out, err := j.predict(&base); base.Method == "" || err != nil || out.Refused {
			if base, ok = r.good(op, j); !ok {
				return j, false
			}
			base.Operation = op.ID
		}
		return j, true
	}
	j, ok := fresh()
	if !ok {
		return
	}
	var steps []Exchange
	if !r.step(ctx, j, &steps, same(base, whyPlain, "Connection", "close")) || !succeeded(steps) {
		return
	}
	first = steps[0]
	r.follow(ctx, j, &steps)
	ways := []func() (Request, bool){
		func() (Request, bool) { return r.spelled(base), true },
		func() (Request, bool) {
			return same(base, whyChunked, "Transfer-Encoding", "chunked"), len(base.Body) > 0
		},
		func() (Request, bool) { return same(base, whyExpect, "Expect", "100-continue"), len(base.Body) > 0 },
		func() (Request, bool) {
			q, ok := r.large(base, &first)
			return q, ok
		},
		func() (Request, bool) {
			doc := op.Response(http.StatusPreconditionFailed)
			return same(base, whyIfMatch, "If-Match", `"understudy-never-was"`), doc != nil && doc.Status == "412"
		},
	}
	for _, way := range ways {
		if _, ok := way(); !ok {
			continue
		}
		if j, ok = fresh(); !ok {
			return
		}
		q, _ := way()
		var steps []Exchange
		r.probe(ctx, j, &steps, q, base.Body)
	}
}

// follow goes where the Location of a new record leads.
func (r *run) follow(ctx context.Context, j *Judge, steps *[]Exchange) {
	x := &(*steps)[len(*steps)-1]
	target, op, ok := located(r.API, x)
	if !ok {
		return
	}
	_, args, _ := r.API.Match(pathOf(target), nil)
	q := Request{Operation: op.ID, Method: http.MethodGet, Target: target, Caller: x.Request.Caller, Credentials: x.Request.Credentials, Why: whyLocation}
	for _, w := range j.writes {
		if w.Before.IsMissing() && slices.Contains(args, url.PathEscape(w.ID)) {
			q.Why = look // it is the record: whether it is there, the rules know
		}
	}
	r.probe(ctx, j, steps, q, nil)
}

// probe makes a call that the model knows only in part. Where the answer is like that
// to a usual call, it is judged as such, else by what HTTP says alone. body is that of
// the usual call. It is false when the picture does not fit the server any more.
func (r *run) probe(ctx context.Context, j *Judge, steps *[]Exchange, q Request, body []byte) bool {
	switch q.Why {
	case whyGzip, whyHTML, whyLarge, whyChunked, whyExpect, whySame, whyOther, whyIfMatch, whyAfter, whyLocation:
	default:
		return r.step(ctx, j, steps, q)
	}
	if ctx.Err() != nil {
		return false
	}
	if r.Safe && !r.harmless(j, &q) {
		return true
	}
	x := r.send(ctx, q)
	*steps = append(*steps, x)
	op := r.API.OperationByID(q.Operation)
	problems := r.document(&x, op)
	if slices.ContainsFunc(problems, func(p problem) bool { return slices.Contains(byComparison, p.code) }) {
		return r.compare(ctx, j, *steps, problems)
	}
	for _, p := range problems {
		r.note(p, q.Operation, *steps)
	}
	if x.Response == nil || x.Err != nil {
		if op != nil && op.Writes() {
			r.stale = true
			return false
		}
		return ctx.Err() == nil
	}
	if x.Response.Status >= 300 && q.Why != whyLocation {
		return true // refused, or not modified: nothing was done
	}
	if len(problems) > 0 || q.Why == whyHTML && !isJSON(x.Response.Header.Get("Content-Type")) {
		return !op.Writes() || r.took(j, x, body)
	}
	view := slices.Clone(*steps)
	v := &view[len(view)-1]
	v.Request.Why = ""
	if q.Why == whyLarge {
		v.Request.Body = body
	}
	if coding := x.Response.Header.Get("Content-Encoding"); coding != "" {
		plain, err := gunzip(x.Response.Body)
		if err != nil {
			return true // in a coding that is not read here
		}
		v.Response = &Response{Status: x.Response.Status, Header: x.Response.Header.Clone(), Body: plain}
		for _, n := range []string{"Content-Encoding", "Content-Length"} {
			v.Response.Header.Del(n)
		}
	}
	before := r.conformance.before
	fits := r.judge(ctx, j, view)
	r.conformance.before = before
	if fits {
		r.keepLedger(j)
	}
	return fits
}

// byComparison are the checks of what is amiss only if the same call has success the
// usual way.
var byComparison = []string{"request-framing", "keep-alive", "conditional"}

// compare makes the last call once more, the usual way, and keeps the problems if that
// has success. It is false when the picture does not fit the server any more.
func (r *run) compare(ctx context.Context, j *Judge, steps []Exchange, problems []problem) bool {
	x := &steps[len(steps)-1]
	before := r.conformance.before
	defer func() { r.conformance.before = before }()
	if x.Response != nil && x.Err == nil && x.Response.Status < 400 {
		for _, p := range problems {
			r.note(p, x.Request.Operation, steps) // it was carried out, or not modified
		}
		return x.Response.Status >= 300 || r.took(j, *x, x.Request.Body)
	}
	q := same(x.Request, "the usual way, for comparison", "Connection", "close")
	for _, n := range []string{"Transfer-Encoding", "Expect", "If-None-Match", "If-Modified-Since", "If-Match"} {
		q.Header.Del(n)
	}
	var control []Exchange
	fits := r.step(ctx, j, &control, q)
	if !succeeded(control) {
		return fits
	}
	for _, p := range problems {
		r.note(p, x.Request.Operation, steps)
		f := Finding{Code: p.code, Operation: x.Request.Operation, Severity: p.severity}
		if found := r.findings[f.Key()]; found != nil && found.Control == nil {
			found.Control = control
		}
	}
	return fits
}

// took lets the picture take on what a call has done whose answer was complained of
// already.
func (r *run) took(j *Judge, x Exchange, body []byte) bool {
	x.Request.Body = body
	if len(j.Observe(&x)) > 0 {
		r.stale = true
		return false
	}
	r.keepLedger(j)
	return true
}

// afterRefusals makes calls that are refused, each with a good one behind it on the
// same connection.
func (r *run) afterRefusals(ctx context.Context) {
	j, ok := r.begin(ctx)
	if !ok {
		return
	}
	good, found := Request{}, false
	for _, op := range r.operations() {
		if op.Method == http.MethodGet && !op.Writes() && !found {
			good, found = r.good(op, j)
			good.Operation, good.Why = op.ID, whyAfter
		}
	}
	var steps []Exchange
	if !found || !r.step(ctx, j, &steps, same(good, whyPlain, "Connection", "close")) || !succeeded(steps) {
		return
	}
	for _, op := range r.operations() {
		base, ok := r.good(op, j)
		if !ok {
			continue
		}
		base.Operation = op.ID
		for _, q := range r.refusals(j, op, base) {
			r.conformance.before = nil
			var steps []Exchange
			if r.step(ctx, j, &steps, q) && (len(steps) == 0 || r.probe(ctx, j, &steps, good, nil)) {
				continue
			}
			if j, ok = r.begin(ctx); !ok {
				return
			}
		}
	}
}

// refusals are calls like a good one, with a body, that are refused.
func (r *run) refusals(j *Judge, op *openapi.Operation, base Request) (out []Request) {
	refused := func(q Request) {
		if a, o, err := j.predict(&q); err == nil && (a.op == nil && a.path != nil || a.op == op && o.Refused && o.Status < 500) {
			out = append(out, q)
		}
	}
	long := []byte(`{"understudy":"` + strings.Repeat("x", 3000))
	nobody := same(base, whyRefused)
	for _, n := range r.API.CredentialHeaders() {
		nobody.Header.Del(n)
	}
	nobody.Caller, nobody.Credentials = "", map[string]string{}
	if nobody.Body == nil && op.Method != http.MethodGet {
		nobody.Body = long
	}
	refused(nobody)
	if len(base.Body) > 0 {
		broken := same(base, whyRefused)
		broken.Body = long
		refused(broken)
	}
	if p := r.API.PathOf(op); p.Operations[0] == op {
		for _, m := range []string{http.MethodPatch, http.MethodPut, http.MethodPost} {
			if p.Operation(m) == nil {
				other := same(base, whyRefused, "Content-Type", "application/json")
				other.Operation, other.Method, other.Body = "", m, long
				refused(other)
				break
			}
		}
	}
	return out
}
