package contracttests

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/openapi"
)

// Why a call of the protocol phase is made: what is judged of its answer depends on
// it, also when the call is made again.
const (
	whyPlain    = "on a connection that ends with it"
	whyHead     = "HEAD of it"
	whyAgain    = "once more, to compare it with HEAD"
	whyGzip     = "compressed, if the server likes"
	whyHTML     = "as HTML, which is not documented"
	whyChunked  = "with its body in chunks"
	whyExpect   = "with a body that waits until it is wanted"
	whyLarge    = "behind more white space than is sane"
	whySame     = "if it has changed"
	whyOther    = "if it is not what it never was"
	whyIfMatch  = "only if it is what it never was"
	whyRefused  = "to be refused"
	whyAfter    = "on the connection of the refused call"
	whyLocation = "where Location leads"
	whyMetered  = "to see what is left of the rate limit"
)

// unusual adds what is to be said of answers to calls that are about HTTP itself, and
// takes away what is not theirs. It remembers the calls that belong together.
func (c *conformance) unusual(a *answer) []problem {
	x := a.x
	switch x.Request.Why {
	case whyPlain, whyRefused:
		c.before = []*Exchange{x.copy()}
	case whyHead:
		c.before = append(c.before, x.copy())
	case whyAgain:
		a.head2(c.before)
	case whyGzip:
		a.coding()
	case whyHTML:
		a.only("server-error", "too-slow")
	case whyLarge:
		// A server that has had enough may close the connection (RFC 9110, section 15.5.14).
		a.only("server-error", "too-slow")
	case whyChunked:
		a.framing("chunks", "RFC 9112, section 7.1", http.StatusLengthRequired, http.StatusNotImplemented)
	case whyExpect:
		a.framing("a body that waits for 100 Continue", "RFC 9110, section 10.1.1", http.StatusExpectationFailed)
	case whySame, whyOther, whyIfMatch:
		a.condition(c.before)
	case whyAfter:
		a.after(c.before)
	case whyLocation:
		a.leads()
	case whyMetered:
		c.before = append(slices.Clip(c.before), x.copy())
		a.meter(c.before)
	default:
		if c.before != nil {
			c.before = nil
		}
	}
	return a.problems
}

// copy is the exchange as it is now.
func (x *Exchange) copy() *Exchange {
	c := *x
	return &c
}

// only keeps the problems of some kinds.
func (a *answer) only(codes ...string) {
	a.problems = slices.DeleteFunc(a.problems, func(p problem) bool { return !slices.Contains(codes, p.code) })
}

// instead replaces all problems by one.
func (a *answer) instead(code string, severity Severity, says, expected, got string) {
	a.problems = nil
	a.add(code, severity, says, expected, got)
}

// came is the answer in short.
func (a *answer) came() string {
	if a.Response == nil {
		return a.x.Err.Error()
	}
	if a.x.Err != nil {
		return fmt.Sprintf("%d, and %v", a.Status, a.x.Err)
	}
	return strconv.Itoa(a.Status) + a.says()
}

// failed is whether there is no answer, or one that says no. What we ended ourselves
// has not failed.
func (a *answer) failed() bool {
	switch kindOf(a.x.Err) {
	case late, closed, malformed:
		return true
	}
	return a.Response != nil && a.Status >= 400
}

// head2 compares HEAD with the GETs around it (RFC 9110, sections 8.6 and 9.3.2).
// Where the GETs differ, nothing can be said.
func (a *answer) head2(before []*Exchange) {
	if len(before) != 2 || before[1].Request.Why != whyHead || before[0].Response == nil || before[1].Response == nil || a.Response == nil {
		return
	}
	first, head := before[0], before[1].Response
	if first.Request.Target != a.x.Request.Target || first.Request.Caller != a.x.Request.Caller || first.Response.Status != a.Status || head.Status != a.Status ||
		first.Err != nil || a.x.Err != nil || first.Response.Truncated || a.Truncated || len(first.Response.Body) != len(a.Body) {
		return
	}
	if n := head.Header.Get("Content-Length"); n != "" && n != strconv.Itoa(len(a.Body)) {
		a.add("head-differs", Breach, "announces another length to HEAD than GET has", strconv.Itoa(len(a.Body)), n)
	}
	typ := a.Header.Get("Content-Type")
	if t := head.Header.Get("Content-Type"); t != "" && typ == first.Response.Header.Get("Content-Type") && t != typ {
		a.add("head-differs", Observation, "names another media type to HEAD than to GET", typ, t)
	}
}

// coding wants what was asked for, gzip, or nothing (RFC 9110, sections 8.4.1.3,
// 12.5.3 and 12.5.5).
func (a *answer) coding() {
	if a.Response == nil || a.x.Err != nil || a.Status >= 300 {
		return
	}
	switch coding := strings.ToLower(a.Header.Get("Content-Encoding")); coding {
	case "", "identity":
		return
	case "gzip", "x-gzip":
		if _, err := gunzip(a.Body); err != nil && !a.Truncated {
			a.add("content-coding", Breach, "calls gzip what is none", "a body that can be decompressed", err.Error()+": "+excerpt(a.Body))
			return
		}
	default:
		a.add("content-coding", Observation, "encodes its answer otherwise than was asked for", "gzip, or nothing", coding)
		return
	}
	if !slices.ContainsFunc(a.Header.Values("Vary"), func(v string) bool {
		return strings.Contains(v, "*") || strings.Contains(strings.ToLower(v), "accept-encoding")
	}) {
		a.add("content-coding", Observation, "compresses its answer without a Vary that says so", "Vary: Accept-Encoding", strings.Join(a.Header.Values("Vary"), ", ")+" (nothing of Accept-Encoding)")
	}
}

// mostPlain is the longest body that is decompressed, in bytes.
const mostPlain = 8 << 20

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, mostPlain+1))
	if err == nil && len(plain) > mostPlain {
		err = fmt.Errorf("it is longer than %d bytes", mostPlain)
	}
	return plain, err
}

// framing is of a call that succeeds if its body is sent in one piece.
func (a *answer) framing(what, cite string, permitted ...int) {
	switch {
	case a.Response != nil && slices.Contains(permitted, a.Status):
		a.only("too-slow")
	case a.Response != nil && a.Status >= 500 && a.x.Err == nil:
		a.only("server-error")
	case a.failed():
		a.instead("request-framing", Breach, "does not understand "+what+" ("+cite+")", "the same as with a body in one piece", a.came())
	}
}

// condition is of a call with If-None-Match or If-Match (RFC 9110, section 13.1).
func (a *answer) condition(before []*Exchange) {
	if a.Response == nil || a.Status >= 500 {
		return
	}
	const code = "conditional"
	switch why := a.x.Request.Why; {
	case why == whyIfMatch && a.Status < 300:
		a.add(code, Breach, "is carried out although If-Match is false (section 13.1.1)", "412", strconv.Itoa(a.Status))
	case why == whyIfMatch:
	case a.Status == http.StatusNotModified && why == whyOther:
		a.add(code, Breach, "answers 304 to an If-None-Match with a tag that it never gave (section 13.1.2)", "200", "304")
	case a.Status == http.StatusNotModified:
		if len(before) == 0 || before[0].Response == nil || before[0].Request.Target != a.x.Request.Target {
			return
		}
		if tag := before[0].Response.Header.Get("ETag"); tag != "" && a.Header.Get("ETag") == "" {
			a.add(code, Breach, "answers 304 without the ETag that 200 has (section 15.4.5)", tag, "none")
		}
	case a.Status >= 400:
		a.instead(code, Breach, "refuses a GET because of its condition (section 13.2.2)", "304 or 200", a.came())
	}
}

// isTag is whether a text is an entity tag (RFC 9110, section 8.8.3).
func isTag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	return len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.ContainsAny(s[1:len(s)-1], "\" ")
}

// tag wants an entity tag, where there is one.
func (a *answer) tag() {
	if v := a.Header.Get("ETag"); v != "" && !isTag(v) {
		a.add("conditional", Breach, "has an ETag that is none (section 8.8.3)", "a quoted text", v)
	}
}

// after is of a good call behind a refused one. Whoever keeps the connection has read
// all that was sent on it (RFC 9112, section 9.3).
func (a *answer) after(before []*Exchange) {
	if len(before) != 1 || before[0].Request.Why != whyRefused || before[0].Response == nil || before[0].Err != nil || !a.failed() ||
		a.Response != nil && a.Status == http.StatusTooManyRequests {
		return
	}
	a.instead("keep-alive", Breach, fmt.Sprintf("is not answered properly on a connection on which a call was refused with %d before", before[0].Response.Status),
		"the usual answer, or that the connection is closed behind the refusal", a.came())
}

// leads is of a GET to where a 201 said that the new record is (RFC 9110, sections
// 10.2.2 and 15.3.2).
func (a *answer) leads() {
	if a.failed() && (a.Response == nil || !slices.Contains([]int{401, 403, 429}, a.Status)) {
		a.instead("bad-location", Breach, "finds nothing where the Location of a 201 leads", "200", a.came())
	}
}

// located is the target, below the base of the server, that the Location of a new
// record leads to, if that is documented as a record.
func located(api *openapi.API, x *Exchange) (target string, op *openapi.Operation, ok bool) {
	if x.Response == nil || x.Response.Status != http.StatusCreated || x.Response.Header.Get("Location") == "" {
		return "", nil, false
	}
	from, err := url.Parse(x.URL)
	if err != nil {
		return "", nil, false
	}
	to, err := from.Parse(x.Response.Header.Get("Location"))
	if err != nil || !sameOrigin(from, to) {
		return "", nil, false
	}
	base, _ := strings.CutSuffix(from.EscapedPath(), pathOf(x.Request.Target))
	target = to.EscapedPath()
	if base != "" {
		if rest, below := strings.CutPrefix(target, base); below {
			target = rest
		}
	}
	p, _, match := api.Match(target, nil)
	if !match || len(p.Names) == 0 || p.Operation(http.MethodGet) == nil || p.Operation(http.MethodGet).Writes() {
		return "", nil, false
	}
	if to.RawQuery != "" {
		target += "?" + to.RawQuery
	}
	return target, p.Operation(http.MethodGet), true
}

// promises is whether a header is the one that tells when to come again.
func (a *answer) promises(header string) bool {
	return a.Status == http.StatusTooManyRequests && strings.EqualFold(header, "Retry-After")
}

// retry wants a 429 to say when to come again (RFC 6585, section 4; RFC 9110, section
// 10.2.3). An answer may say it in a header of its rate limit, too.
func (a *answer) retry() {
	values := a.Header.Values("Retry-After")
	if len(values) > 0 {
		if _, ok := retryAfter(values[0], time.Time{}); !ok {
			a.add("retry-after", Breach, "has a Retry-After that is none", "a number of seconds, or an HTTP date", strconv.Quote(values[0]))
		}
		return
	}
	if a.Status != http.StatusTooManyRequests {
		return
	}
	severity := Observation
	if a.doc != nil && slices.ContainsFunc(a.doc.Headers, func(h openapi.ResponseHeader) bool { return a.promises(h.Name) }) {
		severity = Breach
	}
	if severity == Observation && slices.ContainsFunc(names(a.Header), func(n string) bool { return ofRate(n, "reset") }) {
		return
	}
	a.add("retry-after", severity, "answers 429 and does not say when to come again", "Retry-After", "none")
}
