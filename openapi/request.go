package openapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// Limits bound what a request may cost. The zero value has sensible ones.
type Limits struct {
	// Body is the largest request body that is decoded, in bytes. 0 means
	// 1 MiB. A longer one is refused as too large.
	Body int64
}

func (l Limits) body() int64 {
	if l.Body > 0 {
		return l.Body
	}
	return 1 << 20
}

// scratch is what decoding one request needs and nothing keeps.
type scratch struct {
	header     http.Header
	query      param.Query
	violations []schema.Violation
	source     param.Source
}

var scratches = sync.Pool{New: func() any {
	s := new(scratch)
	s.source.Header = func(name string) []string { return s.header.Values(name) } // documents write names in any case
	s.source.Cookie = func(name string) (string, bool) { return cookie(s.header, name) }
	return s
}}

// Call decodes a request. Everything that is wrong with it is in the call;
// nothing is decided here. args are the raw path parameters from [API.Match],
// names those of its path.
func (o *Operation) Call(r *http.Request, args []string, names []string, callers *Callers, limits Limits, now time.Time) *behavior.Call {
	c := &behavior.Call{Op: o.Operation, Method: r.Method, Remote: remote(r), Headers: r.Header}
	c.Origin, c.Target = address(r)
	header := r.Header
	s := scratches.Get().(*scratch)
	defer s.release()
	s.query = param.ParseQuery(r.URL.RawQuery, s.query)
	c.Caller, c.Auth = callers.identify(o.security, header, s.query, now)
	if c.Auth != behavior.Granted {
		return c // whoever is not let in is told nothing else
	}
	c.NotAcceptable = !o.acceptable(header)
	s.header = header
	s.source.Path, s.source.PathNames, s.source.Query = args, names, s.query
	o.parameters(c, s)
	if o.body != nil {
		o.decodeBody(c, s, r, limits.body())
	}
	return c
}

func (s *scratch) release() {
	clear(s.violations)
	clear(s.query)
	s.query, s.violations, s.header = s.query[:0], s.violations[:0], nil
	s.source.Path, s.source.PathNames, s.source.Query = nil, nil, nil
	scratches.Put(s)
}

// PathCall is a call of a path that reaches none of its operations. Who calls
// is told by what the first of them requires.
func (p *Path) PathCall(r *http.Request, callers *Callers, now time.Time) *behavior.Call {
	c := &behavior.Call{Method: r.Method, Remote: remote(r), Headers: r.Header}
	c.Origin, c.Target = address(r)
	if len(p.Operations) > 0 {
		c.Caller, _ = callers.identify(p.Operations[0].security, r.Header, param.ParseQuery(r.URL.RawQuery, nil), now)
	}
	return c
}

// parameters decodes all parameters into one run of members, cut by location.
func (o *Operation) parameters(c *behavior.Call, s *scratch) {
	members := make([]value.Member, 0, len(o.params))
	i := 0
	for in, n := range o.members {
		from := len(members)
		for range n {
			p := o.params[i]
			v, vs := p.Decode(&s.source, s.violations[:0])
			s.violations = vs
			if len(vs) > 0 && o.ignore[i] {
				v, vs = value.Value{}, nil
			}
			for j := range vs {
				c.Violations = append(c.Violations, parameterViolation(p, i, &vs[j]))
			}
			if v.IsMissing() && p.Schema != nil {
				v = p.Schema.Default()
			}
			if !v.IsMissing() {
				name := p.Name
				if p.In == param.InHeader {
					name = strings.ToLower(name)
				}
				members = append(members, value.Member{Name: name, Value: v})
			}
			i++
		}
		object := value.Object(members[from:len(members):len(members)]...)
		switch param.Location(in) {
		case param.InPath:
			c.Path = object
		case param.InQuery:
			c.Query = object
		case param.InHeader:
			c.Header = object
		case param.InCookie:
			c.Cookie = object
		}
	}
}

func parameterViolation(p *param.Param, number int, v *schema.Violation) behavior.Violation {
	path := make([]value.Value, 0, 1+len(v.Path))
	path = append(path, value.String(p.Name))
	if v.Keyword != "required" || len(v.Path) > 1 || len(v.Path) == 1 && v.Path[0].Text() != p.Name {
		path = append(path, v.Path...)
	}
	return behavior.Violation{
		Source: behavior.InParameter, Parameter: number, Location: p.In.String(), Path: path,
		Keyword: v.Keyword, Limit: v.Limit, Value: v.Value, Message: v.Message(),
	}
}

// decodeBody reads, decodes and validates the body.
func (o *Operation) decodeBody(c *behavior.Call, s *scratch, r *http.Request, limit int64) {
	text, err := readBody(r, limit)
	problem := func(source behavior.Source, keyword, message string, limit, found value.Value) {
		c.Violations = append(c.Violations, behavior.Violation{Source: source, Location: "body", Keyword: keyword, Limit: limit, Value: found, Message: message})
	}
	switch {
	case errors.Is(err, errTooLarge):
		problem(behavior.BodySize, "size", fmt.Sprintf("must be at most %d bytes large", limit), value.Int(limit), value.Null)
		return
	case err != nil:
		problem(behavior.UndecodedBody, "json", "ends before it is complete: "+err.Error(), value.Null, value.String("it ends before it is complete"))
		return
	case text == "":
		if o.body.required {
			problem(behavior.InBody, "required", "is required", value.True, value.Null)
		}
		return
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		problem(behavior.MediaType, "media-type", fmt.Sprintf("is %s-encoded; want it plain", coding), value.String(o.body.names()), value.Null)
		return
	}
	m := o.body.find(r.Header["Content-Type"])
	if m == nil {
		problem(behavior.MediaType, "media-type", fmt.Sprintf("is %q; want %s", r.Header.Get("Content-Type"), o.body.names()), value.String(o.body.names()), value.Null)
		return
	}
	c.BodySize = len(text)
	if !m.json {
		c.Body = value.String(text)
		return
	}
	v, err := value.ParseString(text)
	if err != nil {
		problem(behavior.UndecodedBody, "json", "is no valid JSON: "+err.Error(), value.Null, value.String(err.Error()))
		return
	}
	if m.schema != nil {
		v = m.schema.Normalize(v)
		s.violations = m.schema.Validate(v, schema.Request, s.violations[:0])
		for i := range s.violations {
			w := &s.violations[i]
			c.Violations = append(c.Violations, behavior.Violation{
				Source: behavior.InBody, Location: "body", Path: w.Path,
				Keyword: w.Keyword, Limit: w.Limit, Value: w.Value, Message: w.Message(),
			})
		}
	}
	c.Body = v
}

var errTooLarge = errors.New("the body is too large")

// drain is how much of a body that is too large is read and thrown away, in
// bytes, so that a client that sends before it listens still sees the answer.
const drain = 32 << 20

// readBody reads a body into a text that nothing else refers to.
func readBody(r *http.Request, limit int64) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	if r.ContentLength > limit {
		if r.Header.Get("Expect") == "" {
			_, _ = io.CopyN(io.Discard, r.Body, drain)
		}
		return "", errTooLarge
	}
	size := r.ContentLength + 1 // one more, to see the end
	if size <= 0 {
		size = 512
	}
	buf := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			_, _ = io.CopyN(io.Discard, r.Body, drain)
			return "", errTooLarge
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
	return unsafe.String(unsafe.SliceData(buf), len(buf)), nil
}

// find is the media type that a Content-Type names. Without the header the
// first one is meant (RFC 9110, section 8.3, lets a recipient assume).
func (b *body) find(contentType []string) *media {
	if len(b.media) == 0 {
		return nil
	}
	if len(contentType) == 0 || contentType[0] == "" {
		return &b.media[0]
	}
	typ := contentType[0]
	for i := range b.media {
		if typ == b.media[i].typ {
			return &b.media[i]
		}
	}
	base, params, err := mime.ParseMediaType(typ)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return nil
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") && !strings.EqualFold(cs, "us-ascii") {
		return nil
	}
	for i := range b.media {
		if covers(b.media[i].typ, base) {
			return &b.media[i]
		}
	}
	return nil
}

func (b *body) names() string {
	var names []string
	for _, m := range b.media {
		names = append(names, m.typ)
	}
	return strings.Join(names, " or ")
}

// covers is whether a range such as */* or text/* has a media type in it.
func covers(pattern, typ string) bool {
	if pattern == typ || pattern == "*/*" || pattern == "*" {
		return true
	}
	prefix, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasSuffix(prefix, "/") && strings.HasPrefix(typ, prefix)
}

// acceptable is whether one of the media types that the operation answers with
// fits Accept. The most exact range that covers a type decides (RFC 9110,
// section 12.5.1), so q=0 for a type holds beside */*.
func (o *Operation) acceptable(header http.Header) bool {
	accept := header["Accept"]
	if len(accept) == 0 || len(o.produces) == 0 || len(accept) == 1 && (accept[0] == "*/*" || accept[0] == o.produces[0]) {
		return true
	}
	any := false
	for _, p := range o.produces {
		best, fits := 0, false
		for _, line := range accept {
			for part := range strings.SplitSeq(line, ",") {
				typ, params, _ := strings.Cut(part, ";")
				if typ = strings.ToLower(strings.TrimSpace(typ)); typ == "" {
					continue
				}
				any = true
				rank := exactness(typ)
				if rank < best || !covers(typ, p) {
					continue
				}
				fits = rank == best && fits || !refused(params)
				best = rank
			}
		}
		if fits {
			return true
		}
	}
	return !any
}

// exactness ranks media ranges: */*, text/*, text/plain.
func exactness(typ string) int {
	switch {
	case typ == "*/*" || typ == "*":
		return 1
	case strings.HasSuffix(typ, "/*"):
		return 2
	}
	return 3
}

// refused is whether the parameters of a media range have q=0.
func refused(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, "q") {
			q, err := strconv.ParseFloat(v, 64)
			return err == nil && q == 0
		}
	}
	return false
}

// address is the URL as the client wrote it, in two parts.
func address(r *http.Request) (origin, target string) {
	target = r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	switch {
	case !strings.HasPrefix(target, "/"): // a proxy's absolute form
		return "", target
	case r.TLS != nil:
		return "https://" + r.Host, target
	}
	h := lastHost.Load()
	if h.host == r.Host {
		return h.origin, target
	}
	h = &hostOrigin{r.Host, "http://" + r.Host}
	lastHost.Store(h)
	return h.origin, target
}

// lastHost remembers the origin of the last request: nearly always the next
// one's, too.
var lastHost atomic.Pointer[hostOrigin]

type hostOrigin struct{ host, origin string }

func init() { lastHost.Store(&hostOrigin{}) }

func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
