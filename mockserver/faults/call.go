package faults

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// target is what a fault is wrapped around.
type target struct {
	next    http.Handler
	api     *openapi.API
	rules   map[string]*behavior.Rule
	anybody *openapi.Callers
	headers []string // that credentials travel in
	ids     []string // the members that identify records
}

func newTarget(next http.Handler, api *openapi.API) *target {
	t := &target{next: next, api: api, rules: map[string]*behavior.Rule{}, anybody: api.NewCallers(nil)}
	t.anybody.AcceptAny(behavior.NewCaller("anybody", []string{"*"}, value.Value{}, time.Time{}))
	for _, op := range api.Plan.Operations() {
		for _, r := range op.Rules() {
			t.rules[r.ID] = r
		}
	}
	for _, name := range api.Plan.Resources() {
		if id := api.Plan.Resource(name).ID(); !slices.Contains(t.ids, id) {
			t.ids = append(t.ids, id)
		}
	}
	for _, s := range api.Schemes() {
		r := &http.Request{Header: http.Header{}, URL: &url.URL{}}
		api.Present(r, map[string]string{s: "secret"})
		for name := range r.Header {
			if !slices.Contains(t.headers, name) {
				t.headers = append(t.headers, name)
			}
		}
	}
	return t
}

// call is one request on its way to the mock.
type call struct {
	*target
	r    *http.Request
	body []byte
	base string             // what stands before the path of the document
	path *openapi.Path      // nil if the document has no such path
	op   *openapi.Operation // nil if it has no such method
	args []string           // of the path, decoded
}

// answer is a response that was not sent yet.
type answer struct {
	status int
	header http.Header
	body   []byte
	raw    bool // send the body whatever the status
}

// recorder is an http.ResponseWriter that keeps the answer.
type recorder struct{ answer }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

// mostBody is how much of a request's body is looked at, in bytes. A call with a
// longer one passes as it is.
const mostBody = 1 << 20

// newCall reads a request. It is nil where the fault has no business.
func (t *target) newCall(r *http.Request) *call {
	c := &call{target: t, r: r}
	escaped := r.URL.EscapedPath()
	if strings.HasPrefix(escaped, "/__admin/") || r.Method == http.MethodOptions {
		return nil
	}
	c.find(escaped)
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
		if err != nil || len(body) > mostBody {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
			return nil
		}
		c.body = body
	}
	return c
}

// find looks the path up as the mock does: as it is, below the name of the API,
// below the base path of one of its servers.
func (c *call) find(escaped string) {
	bases := []string{"", "/" + c.api.Name}
	for _, base := range c.api.BasePaths {
		bases = append(bases, base, "/"+c.api.Name+base)
	}
	for _, base := range bases {
		rest, ok := strings.CutPrefix(escaped, base)
		if !ok {
			continue
		}
		if p, args, ok := c.api.Match(rest, nil); ok {
			c.base, c.path, c.op = base, p, p.Operation(c.r.Method)
			for _, a := range args {
				if plain, err := url.PathUnescape(a); err == nil {
					a = plain
				}
				c.args = append(c.args, a)
			}
			return
		}
	}
}

// send is what the mock answers to the request as it is.
func (c *call) send() *answer { return c.with(c.r.Method, c.r.RequestURI, c.body, nil) }

// with is what the mock answers to another request of the same caller in the same
// world; with other credentials where there are any.
func (c *call) with(method, target string, body []byte, credentials http.Header) *answer {
	w := &recorder{answer{header: http.Header{}}}
	c.next.ServeHTTP(w, c.request(method, target, body, credentials))
	w.WriteHeader(http.StatusOK)
	return &w.answer
}

func (c *call) request(method, target string, body []byte, credentials http.Header) *http.Request {
	r := c.r.Clone(c.r.Context())
	r.Method = method
	if target != "" && target != c.r.RequestURI {
		if u, err := url.ParseRequestURI(target); err == nil {
			r.URL, r.RequestURI = u, target
		}
	}
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	r.Header.Del("Content-Length")
	if len(body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if r.Header.Get("Content-Type") == "" {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	for name, values := range credentials {
		r.Header[name] = values
	}
	return r
}

// judge is what the mock's own decoder says of the request with another body,
// whoever sends it.
func (c *call) judge(body []byte) *behavior.Call {
	if c.op == nil {
		return &behavior.Call{}
	}
	credentials := http.Header{}
	for _, s := range c.api.Schemes() {
		r := &http.Request{Header: http.Header{}, URL: &url.URL{}}
		c.api.Present(r, map[string]string{s: "anything"})
		for name, v := range r.Header {
			credentials[name] = v
		}
	}
	args := make([]string, len(c.args))
	for i, a := range c.args {
		args[i] = url.PathEscape(a)
	}
	return c.op.Call(c.request(c.r.Method, c.r.RequestURI, body, credentials), args, c.path.Names, c.anybody, openapi.Limits{}, time.Time{})
}

// sent is the request's body, Missing if it is no JSON.
func (c *call) sent() value.Value { return parse(c.body) }

func parse(b []byte) value.Value {
	v, err := value.Parse(b)
	if err != nil {
		return value.Value{}
	}
	return v
}

// rule is the rule that an answer says decided it, nil for none.
func (c *call) rule(a *answer) *behavior.Rule { return c.rules[a.header.Get(mockserver.RuleHeader)] }

// good is whether an answer says that what was asked for was done.
func (c *call) good(a *answer) bool {
	rule := c.rule(a)
	return c.op != nil && a.status/100 == 2 && (rule == nil || !rule.Refusal)
}

// credentials are those that the request carries, in their headers.
func (c *call) credentials() http.Header {
	h := http.Header{}
	for _, name := range c.headers {
		h[name] = c.r.Header[name]
	}
	return h
}

// who tells callers apart.
func (c *call) who() string {
	var b strings.Builder
	for _, name := range c.headers {
		b.WriteString(strings.Join(c.r.Header[name], ",") + "\n")
	}
	return b.String()
}

// json is the answer's body, Missing if it is no JSON.
func (a *answer) json() value.Value { return parse(a.body) }

// set gives the answer another body.
func (a *answer) set(v value.Value) { a.body = value.Append(nil, v) }

// clone is an answer that can be edited apart.
func (a *answer) clone() *answer {
	return &answer{status: a.status, header: a.header.Clone(), body: slices.Clone(a.body), raw: a.raw}
}

// write sends the answer.
func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if r.Method != http.MethodHead {
		h.Del("Content-Length") // net/http counts
	}
	if a.raw {
		a.writeRaw(w)
		return
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead && len(a.body) > 0 {
		_, _ = w.Write(a.body)
	}
}

// edit is a fault that remembers nothing: f answers a call.
func edit(f func(c *call) *answer) func(http.Handler, *openapi.API) http.Handler {
	return func(next http.Handler, api *openapi.API) http.Handler {
		t := newTarget(next, api)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c := t.newCall(r); c != nil {
				f(c).write(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// after is a fault that edits answers of operations.
func after(f func(c *call, a *answer)) func(http.Handler, *openapi.API) http.Handler {
	return edit(func(c *call) *answer {
		a := c.send()
		if c.op != nil {
			f(c, a)
		}
		return a
	})
}

// mostWorlds bounds the worlds of which something is remembered.
const mostWorlds = 10_000

// worlds keeps what a fault remembers of each world. A reset forgets it.
type worlds struct {
	mu  sync.Mutex
	all map[string]*memory
}

// of is what is remembered of the request's world; nil if there are too many.
func (m *worlds) of(r *http.Request) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := r.Header.Get(mockserver.WorldHeader)
	if r.URL.Path == "/__admin/reset" && r.Method == http.MethodPost {
		delete(m.all, name)
		return nil
	}
	s := m.all[name]
	if s == nil && len(m.all) < mostWorlds {
		s = newMemory()
		m.all[strings.Clone(name)] = s
	}
	return s
}

// memory is what most faults remember, each a part of it.
type memory struct {
	mu      sync.Mutex
	texts   map[string]string
	flags   map[string]bool
	places  map[string]int
	answers map[string]*answer
	callers map[string]http.Header // who had something to do with what
	order   []string               // of what is in one of these
	records overlay
	n       int // counts what has to differ
}

func newMemory() *memory {
	return &memory{texts: map[string]string{}, flags: map[string]bool{}, places: map[string]int{}, answers: map[string]*answer{}, callers: map[string]http.Header{}, records: overlay{}}
}

// remember is a fault with a memory: f answers a call.
func remember(f func(m *memory, c *call) *answer) func(http.Handler, *openapi.API) http.Handler {
	return func(next http.Handler, api *openapi.API) http.Handler {
		t := newTarget(next, api)
		all := &worlds{all: map[string]*memory{}}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m := all.of(r)
			c := t.newCall(r)
			if m == nil || c == nil || c.op == nil {
				if c != nil {
					c.send().write(w, r)
					return
				}
				next.ServeHTTP(w, r)
				return
			}
			a := func() *answer {
				m.mu.Lock()
				defer m.mu.Unlock()
				return f(m, c)
			}()
			a.write(w, r)
		})
	}
}

// wait passes the time. Tests do not.
var wait = func(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
