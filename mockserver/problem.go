package mockserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/understudy-dev/understudy/behavior/value"
)

// problem is what the mock says for itself (RFC 9457).
type problem struct {
	Status int
	Code   string // kebab-case, stable
	Detail string
	Hint   string
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

func (p problem) body() []byte {
	v := value.Object(
		value.Member{Name: "type", Value: value.String("urn:understudy:problem:" + p.Code)},
		value.Member{Name: "title", Value: value.String(http.StatusText(p.Status))},
		value.Member{Name: "status", Value: value.Int(int64(p.Status))},
		value.Member{Name: "code", Value: value.String(p.Code)},
		value.Member{Name: "detail", Value: value.String(p.Detail)},
	)
	if p.Hint != "" {
		v = v.With("hint", value.String(p.Hint))
	}
	return append(value.Append(nil, v), '\n')
}

// refuse answers for the mock itself.
func (s *Server) refuse(c echo.Context, began time.Time, p problem) error {
	r := c.Request()
	h := c.Response().Header()
	if origin := r.Header.Get("Origin"); origin != "" {
		crossOrigin(h, origin)
	}
	h.Set("Content-Type", "application/problem+json")
	body := p.body()
	h.Set("Content-Length", fmt.Sprint(len(body)))
	c.Response().WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = c.Response().Write(body)
	}
	s.config.Log(Entry{Method: r.Method, Path: requestPath(r), Status: p.Status, Code: p.Code, Note: p.Detail, Took: s.config.Clock().Sub(began)})
	return nil
}

// unknown answers a path that no document has: a redirect where only the closing
// slash differs and the API does so, the index at the root, else 404.
func (s *Server) unknown(c echo.Context, began time.Time) error {
	r := c.Request()
	if to, t := s.slash(r); to != "" {
		h := c.Response().Header()
		if w, ok := t.api.world(r.Header.Get(WorldHeader)); ok {
			for _, carried := range w.Carried(t.path.PathCall(r, t.api.Callers, began)) {
				h.Set(carried.Name, carried.Value)
			}
		}
		status, api := t.api.RedirectSlash, t.api.Name
		h.Set("Location", to)
		h.Set("Content-Length", "0")
		if origin := r.Header.Get("Origin"); origin != "" {
			crossOrigin(h, origin)
		}
		c.Response().WriteHeader(status)
		s.config.Log(Entry{Method: r.Method, Path: requestPath(r), Status: status, API: api, Note: "to " + to, Took: s.config.Clock().Sub(began)})
		return nil
	}
	path := r.URL.EscapedPath()
	if path == "/" || path == "" {
		return s.index(c, began)
	}
	p := problem{Status: 404, Code: "no-such-path", Detail: "No document that is served here has the path " + path + "."}
	if near := s.nearest(path); near != "" {
		p.Hint = "Did you mean " + near + "? GET / lists all paths."
	} else {
		p.Hint = "GET / lists all paths."
	}
	return s.refuse(c, began, p)
}

// slash is the URL of a redirect to the other spelling of the closing slash, and
// what it leads to; "" if there is none.
func (s *Server) slash(r *http.Request) (to string, t target) {
	path := r.URL.EscapedPath()
	other := path + "/"
	if strings.HasSuffix(path, "/") {
		other = strings.TrimSuffix(path, "/")
	}
	if other == "" || strings.HasPrefix(other, "//") {
		return "", t
	}
	u, err := url.Parse(other)
	if err != nil {
		return "", t
	}
	again := *r
	again.URL = u
	t, claims := s.find(&again, nil)
	if claims != 1 || t.api.RedirectSlash == 0 {
		return "", t
	}
	if r.URL.RawQuery != "" {
		other += "?" + r.URL.RawQuery
	}
	return other, t
}

// nearest is a documented path that resembles one, "" if none does.
func (s *Server) nearest(path string) string {
	best, bestScore := "", 2
	for _, a := range s.apis {
		inside, prefix := path, ""
		if rest, ok := strings.CutPrefix(path, a.prefix); ok {
			inside, prefix = rest, a.prefix
		}
		for _, p := range a.Paths {
			if n := resemblance(inside, p.Template); n > bestScore {
				best, bestScore = prefix+p.Template, n
			}
		}
	}
	return best
}

// resemblance is how much a path is like a template: most of all by segments that
// are equal from the left, then by how much of the next is, then by length.
func resemblance(path, template string) int {
	x, y := strings.Split(strings.Trim(path, "/"), "/"), strings.Split(strings.Trim(template, "/"), "/")
	score, n := 0, 0
	for n < len(x) && n < len(y) && (x[n] == y[n] || strings.HasPrefix(y[n], "{") && x[n] != "") {
		score += 20
		n++
	}
	if n < len(x) && n < len(y) {
		for i := 0; i < len(x[n]) && i < len(y[n]) && i < 15 && x[n][i] == y[n][i]; i++ {
			score++
		}
	}
	if n > 0 && len(x) == len(y) {
		score += 2
	}
	return score
}

// prefixes lists the prefixed spellings of a path.
func (s *Server) prefixes(path string) string {
	var list []string
	for _, a := range s.apis {
		if _, _, ok := a.Match(path, nil); ok {
			list = append(list, a.prefix+path)
		}
	}
	return strings.Join(list, ", ")
}

// index says what is served.
func (s *Server) index(c echo.Context, began time.Time) error {
	r := c.Request()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		c.Response().Header().Set("Allow", "GET, HEAD")
		return s.refuse(c, began, problem{Status: 405, Code: "method-not-allowed", Detail: "The root of the mock has no such method.", Hint: "It has GET, HEAD."})
	}
	var b strings.Builder
	b.WriteString("understudy stands in for:\n")
	for _, a := range s.apis {
		fmt.Fprintf(&b, "\n%s (%s), also below %s\n", a.Title, a.Name, a.prefix)
		for _, p := range a.Paths {
			for _, o := range p.Operations {
				fmt.Fprintf(&b, "  %-7s %-60s %s\n", o.Method, p.Template, o.ID)
			}
		}
	}
	b.WriteString("\nPOST /__admin/reset puts everything back.\n")
	c.Response().Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.Response().Header().Set("Content-Length", fmt.Sprint(b.Len()))
	c.Response().WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = c.Response().Write([]byte(b.String()))
	}
	s.config.Log(Entry{Method: r.Method, Path: requestPath(r), Status: 200, Note: "the index", Took: s.config.Clock().Sub(began)})
	return nil
}

// recover answers a panic, which is a fault of ours, with an id that is in the
// log beside the stack.
func (s *Server) recover(c echo.Context, began time.Time) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	id := fmt.Sprintf("bug-%x", began.UnixNano())
	s.config.Log(Entry{Method: c.Request().Method, Path: requestPath(c.Request()), Status: 500, Code: id, Note: fmt.Sprintf("%v\n%s", v, debug.Stack())})
	if c.Response().Committed {
		panic(http.ErrAbortHandler)
	}
	clear(c.Response().Header())
	_ = s.refuse(c, began, problem{Status: 500, Code: "bug", Detail: "This is a fault of understudy: " + id + ".", Hint: "Please report it with what the log says of that id."})
}

// failed answers errors that echo has, and those of our handlers, which should
// have none.
func (s *Server) failed(c echo.Context, err error) {
	if c.Response().Committed {
		return
	}
	p := problem{Status: 500, Code: "bug", Detail: err.Error(), Hint: "This is a fault of understudy. Please report it with the line in its log."}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		p = problem{Status: he.Code, Code: strings.ReplaceAll(strings.ToLower(http.StatusText(he.Code)), " ", "-"),
			Detail: fmt.Sprintf("%s %s: %v.", c.Request().Method, c.Request().URL.EscapedPath(), he.Message), Hint: "GET / lists all paths."}
	}
	_ = s.refuse(c, s.config.Clock(), p)
}
