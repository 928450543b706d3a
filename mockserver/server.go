// Package mockserver answers HTTP requests the way the behaviour of OpenAPI
// documents says, with state.
//
// An answer is of one of three kinds, never mixed: modelled (what the document
// says, success or refusal, in the API's own shape), a refusal of the mock
// itself (application/problem+json with a code and a hint), or a bug (500 with an
// id that is in the log).
package mockserver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi"
)

// Config is everything a server can be told. Only APIs is required.
type Config struct {
	APIs []Served

	// Limits of a request. The zero value is 1 MiB for a body.
	Limits openapi.Limits

	// Log is called after each request. nil discards.
	Log func(Entry)

	// Clock tells the time that requests are measured and credentials
	// judged by. nil means time.Now.
	Clock func() time.Time
}

// Served is one API, the state it begins with, and whom it knows.
type Served struct {
	*openapi.API
	World   *behavior.World
	Callers *openapi.Callers
}

// An Entry is one request and its answer.
type Entry struct {
	Method string
	Path   string // escaped, with the query
	Status int
	API    string         // "" where no API was meant
	Rule   *behavior.Rule // nil where the mock answered for itself
	Code   string         // then: of the problem
	Note   string         // what else the log should say
	Took   time.Duration
}

// WorldHeader chooses a world by name. A world is made of the fixtures when it
// is named first. Without the header a request goes to the default one.
const WorldHeader = "X-Understudy-World"

// RuleHeader names the rule that decided, on every modelled answer.
const RuleHeader = "X-Understudy-Rule"

// mostWorlds bounds the worlds of one API.
const mostWorlds = 10_000

// Server is an http.Handler.
type Server struct {
	config Config
	apis   []*served
	echo   *echo.Echo
}

type served struct {
	Served
	index  int
	prefix string // "/ayra"
	home   *behavior.World
	rules  map[*behavior.Rule][]string // the value of RuleHeader
	media  map[string][]string         // of Content-Type

	mu     sync.RWMutex
	worlds map[string]*behavior.World
}

// New makes a server. The error says which part of the config is missing.
func New(c Config) (*Server, error) {
	if len(c.APIs) == 0 {
		return nil, errors.New("mockserver: Config.APIs is empty")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = func(Entry) {}
	}
	s := &Server{config: c}
	for i, a := range c.APIs {
		if a.API == nil || a.World == nil || a.Callers == nil {
			return nil, fmt.Errorf("mockserver: Config.APIs[%d] lacks its API, World or Callers", i)
		}
		if slices.ContainsFunc(s.apis, func(o *served) bool { return o.Name == a.Name }) {
			return nil, fmt.Errorf("mockserver: two APIs are called %q", a.Name)
		}
		v := &served{
			Served: a, index: i, prefix: "/" + a.Name, home: a.World.Fork(),
			rules: map[*behavior.Rule][]string{}, media: map[string][]string{}, worlds: map[string]*behavior.World{},
		}
		for _, p := range a.Paths {
			for _, o := range p.Operations {
				for _, r := range o.Rules() {
					v.rules[r] = []string{r.ID}
				}
			}
		}
		s.apis = append(s.apis, v)
	}
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.failed(c, err) }
	s.echo.RouteNotFound("/*", s.serve)
	s.admin(http.MethodPost, "/__admin/reset", s.reset)
	s.admin(http.MethodGet, "/__admin/health", s.health)
	return s, nil
}

// admin adds one route of the mock itself; other methods there are a 405.
func (s *Server) admin(method, path string, h echo.HandlerFunc) {
	s.echo.Any(path, func(c echo.Context) error {
		c.Response().Header().Set("Allow", method)
		return s.refuse(c, s.config.Clock(), problem{Status: 405, Code: "method-not-allowed", Detail: path + " has no such method.", Hint: "It has " + method + "."})
	})
	s.echo.Add(method, path, h)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// world is the world that a request chooses. A name is made known when it is
// used first; ok is false when there are too many.
func (a *served) world(name string) (w *behavior.World, ok bool) {
	if name == "" {
		return a.home, true
	}
	a.mu.RLock()
	w = a.worlds[name]
	a.mu.RUnlock()
	if w != nil {
		return w, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if w = a.worlds[name]; w == nil {
		if len(a.worlds) >= mostWorlds {
			return nil, false
		}
		w = a.World.Fork()
		a.worlds[strings.Clone(name)] = w
	}
	return w, true
}

// target is where a request belongs.
type target struct {
	api  *served
	path *openapi.Path
	args []string
	slot string // for redirects: what stands before the path
	rest string // the path inside the API
}

// find says which API and path a request means: by host, by prefix, or at the
// root, where no other API claims the path. A document pets.yaml may well have
// /pets: what is not there below the prefix is looked for at the root, and where
// both are there, the one with fewer parameters is meant, of equals the whole path.
func (s *Server) find(r *http.Request, buf []string) (t target, claims int) {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	host := hostname(r.Host)
	for _, a := range s.apis {
		if slices.Contains(a.Hosts, host) {
			t = target{api: a, rest: path}
			claims += t.match(buf)
			if claims > 0 {
				return t, claims
			}
		}
	}
	for _, a := range s.apis {
		if rest, ok := strings.CutPrefix(path, a.prefix); ok && (rest == "" || rest[0] == '/') {
			t = target{api: a, slot: a.prefix, rest: rest}
			if claims = t.match(buf); claims == 0 {
				continue
			}
			whole := target{api: a, rest: path}
			if whole.match(nil) > 0 && len(whole.args) <= len(t.args) {
				t = whole
			}
			return t, claims
		}
	}
	for _, a := range s.apis {
		at := target{api: a, rest: path}
		if n := at.match(buf); n > 0 {
			claims += n
			t = at
			buf = nil
		}
	}
	return t, claims
}

// match looks the path up in the API, as it is and without the base path of one
// of its servers.
func (t *target) match(buf []string) int {
	if p, args, ok := t.api.Match(t.rest, buf); ok {
		t.path, t.args = p, args
		return 1
	}
	for _, base := range t.api.BasePaths {
		if rest, ok := strings.CutPrefix(t.rest, base); ok {
			if p, args, ok := t.api.Match(rest, buf); ok {
				t.path, t.args = p, args
				t.slot, t.rest = t.slot+base, rest
				return 1
			}
		}
	}
	return 0
}

func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// arguments are buffers for the raw texts of path parameters.
var arguments = sync.Pool{New: func() any { return new([8]string) }}

// serve is the whole life of a mocked request: find the operation, decode, let
// the plan decide in the request's world, answer.
func (s *Server) serve(c echo.Context) error {
	began := s.config.Clock()
	defer s.recover(c, began)
	r, w := c.Request(), c.Response()
	buf := arguments.Get().(*[8]string)
	defer arguments.Put(buf)
	t, claims := s.find(r, buf[:0])
	switch {
	case claims == 0:
		return s.unknown(c, began)
	case claims > 1:
		return s.refuse(c, began, problem{Status: 404, Code: "ambiguous-path", Detail: "More than one API claims this path at the root.",
			Hint: "Put the name of the API before it: " + s.prefixes(r.URL.EscapedPath())})
	}
	a := t.api
	op := t.path.Operation(r.Method)
	head := false
	if op == nil && r.Method == http.MethodHead {
		op, head = t.path.Operation(http.MethodGet), true
	}
	if r.Method == http.MethodOptions && (op == nil || r.Header.Get("Access-Control-Request-Method") != "") {
		return s.options(c, began, t)
	}
	name := ""
	if v := r.Header[WorldHeader]; len(v) > 0 {
		name = v[0]
	}
	world, ok := a.world(name)
	if !ok {
		return s.refuse(c, began, problem{Status: 503, Code: "too-many-worlds", Detail: fmt.Sprintf("%s has %d worlds already.", a.Name, mostWorlds),
			Hint: "Use fewer names in " + WorldHeader + ", or restart."})
	}
	var out behavior.Outcome
	var call *behavior.Call
	if op != nil {
		call = op.Call(r, t.args, t.path.Names, a.Callers, s.config.Limits, began)
	}
	switch {
	case op == nil:
		out = world.MethodNotAllowed(t.path.PathCall(r, a.Callers, began))
	case head:
		out = world.Try(call, nil)
	default:
		out = world.Do(call)
	}
	header := w.Header()
	if op == nil {
		header["Allow"] = []string{t.path.Allow}
	}
	if out.Problem != "" {
		for _, h := range out.Headers {
			header.Add(h.Name, h.Value)
		}
		return s.refuse(c, began, s.explain(&t, op, &out))
	}
	a.write(w, r, &out, head || r.Method == http.MethodHead)
	s.config.Log(Entry{Method: r.Method, Path: requestPath(r), Status: out.Status, API: a.Name, Rule: out.Rule, Note: reason(call, &out), Took: s.config.Clock().Sub(began)})
	return nil
}

// reason says what is wrong with a refused request, as far as it is the request's
// own fault.
func reason(call *behavior.Call, out *behavior.Outcome) string {
	if call == nil || !out.Refused || len(call.Violations) == 0 {
		return ""
	}
	v := &call.Violations[0]
	note := v.Place() + " " + v.Message
	if n := len(call.Violations) - 1; n > 0 {
		note += fmt.Sprintf(" (and %d more)", n)
	}
	return note
}

// explain is the mock's own refusal where the document has no words for one.
func (s *Server) explain(t *target, op *openapi.Operation, out *behavior.Outcome) problem {
	p := problem{Status: out.Status, Code: strings.ReplaceAll(out.Problem, "_", "-")}
	switch out.Problem {
	case "method_not_allowed":
		p.Detail = fmt.Sprintf("%s has no such method at %s.", t.api.Name, t.path.Template)
		p.Hint = "It has " + t.path.Allow + "."
	case "rule-too-costly":
		p.Detail = "The rules of " + op.ID + " look at too many records."
		p.Hint = "See x-behavior at " + op.Pos.String() + "."
	case "id-exists":
		p.Detail = "The rules of " + op.ID + " made a record with an id that is there already."
		p.Hint = "See on-create in x-resources."
	default:
		p.Detail = fmt.Sprintf("%s refuses this request (%s), but %s says nothing of how it answers then.", op.ID, out.Problem, t.api.File)
		p.Hint = "Say it under x-failures as " + out.Problem + "."
	}
	return p
}

func requestPath(r *http.Request) string {
	p := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		p += "?" + r.URL.RawQuery
	}
	return p
}

// options answers OPTIONS: what the path allows and, to a browser that asks, that
// other origins may call.
func (s *Server) options(c echo.Context, began time.Time, t target) error {
	r, h := c.Request(), c.Response().Header()
	h.Set("Allow", t.path.Allow)
	if origin := r.Header.Get("Origin"); origin != "" {
		crossOrigin(h, origin)
		if r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", t.path.Allow)
			if want := r.Header.Get("Access-Control-Request-Headers"); want != "" {
				h.Set("Access-Control-Allow-Headers", want)
			}
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	c.Response().WriteHeader(http.StatusNoContent)
	s.config.Log(Entry{Method: r.Method, Path: requestPath(r), Status: 204, API: t.api.Name, Note: "allows " + t.path.Allow, Took: s.config.Clock().Sub(began)})
	return nil
}

// reset puts the default world of every API back, or the named one.
func (s *Server) reset(c echo.Context) error {
	began := s.config.Clock()
	name := c.Request().Header.Get(WorldHeader)
	for _, a := range s.apis {
		if w, ok := a.world(name); ok {
			w.Reset()
		}
	}
	c.Response().WriteHeader(http.StatusNoContent)
	s.config.Log(Entry{Method: "POST", Path: "/__admin/reset", Status: 204, Note: "the world is as the fixtures say", Took: s.config.Clock().Sub(began)})
	return nil
}

func (s *Server) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "healthy"})
}
