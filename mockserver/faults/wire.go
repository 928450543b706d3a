package faults

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// slowness is how long the slow server lets one wait.
const slowness = 2 * time.Second

// wire are the faults of HTTP itself: statuses, headers, methods, time.
var wire = []Fault{
	{Name: "server-error", Check: "server-error", Summary: "Creating a record whose texts are not all ASCII is answered with 500.",
		Wrap: edit(func(c *call) *answer {
			if c.op != nil && c.r.Method == http.MethodPost && c.op.Writes() && !ascii(c.body) {
				return broken()
			}
			return c.send()
		})},
	{Name: "server-error-on-invalid", Check: "server-error", Summary: "A body that breaks its schema is answered with 500.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if a.status/100 == 4 && len(c.body) > 0 && len(c.judge(c.body).Violations) > 0 {
				return broken()
			}
			return a
		})},
	{Name: "undocumented-success", Check: "undocumented-status", Summary: "Creation is answered with 206, which the document has not.",
		Wrap: after(func(c *call, a *answer) {
			if c.created(a) != "" {
				a.status = http.StatusPartialContent
			}
		})},
	{Name: "undocumented-refusal", Check: "undocumented-status", Summary: "What is not found is answered with 418.",
		Wrap: after(func(c *call, a *answer) {
			if a.status == http.StatusNotFound {
				a.status = http.StatusTeapot
			}
		})},
	{Name: "content-type-wrong", Check: "content-type", Summary: "JSON is sent as text/html.",
		Wrap: after(func(_ *call, a *answer) {
			if a.header.Get("Content-Type") == "application/json" && a.status/100 == 2 {
				a.header.Set("Content-Type", "text/html; charset=utf-8")
			}
		})},
	{Name: "header-missing", Check: "response-headers", Summary: "The documented headers of successful answers are missing.",
		Wrap: after(func(c *call, a *answer) {
			if r := c.op.Response(a.status); r != nil && a.status/100 == 2 {
				for _, h := range r.Headers {
					a.header.Del(h.Name)
				}
			}
		})},
	{Name: "header-malformed", Check: "response-headers", Summary: "Documented headers that hold numbers hold a word.",
		Wrap: after(func(c *call, a *answer) {
			if r := c.op.Response(a.status); r != nil {
				for _, h := range r.Headers {
					if h.Schema != nil && (h.Schema.Type() == "integer" || h.Schema.Type() == "number") && a.header.Get(h.Name) != "" {
						a.header.Set(h.Name, "many")
					}
				}
			}
		})},
	{Name: "rate-limit-headers-missing", Check: "response-headers", Summary: "No answer says how many requests are left.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			for name := range a.header {
				if strings.Contains(strings.ToLower(strings.ReplaceAll(name, "-", "")), "ratelimit") {
					a.header.Del(name)
				}
			}
			return a
		})},
	{Name: "rate-limit-stands-still", Check: "rate-limit", Summary: "The number of requests that are left is always the limit.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			for name := range a.header {
				if before, ok := strings.CutSuffix(name, "-Remaining"); ok {
					if limit := a.header.Get(before + "-Limit"); limit != "" {
						a.header.Set(name, limit)
					}
				}
			}
			return a
		})},
	{Name: "retry-after-missing", Check: "retry-after", Summary: "429 does not say when to come again.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if a.status == http.StatusTooManyRequests {
				a.header.Del("Retry-After")
			}
			return a
		})},
	{Name: "challenge-missing", Check: "no-www-authenticate", Summary: "401 has no WWW-Authenticate.",
		Wrap: after(func(_ *call, a *answer) {
			if a.status == http.StatusUnauthorized {
				a.header.Del("WWW-Authenticate")
			}
		})},
	{Name: "allow-missing", Check: "allow-header", Summary: "405 has no Allow.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if a.status == http.StatusMethodNotAllowed {
				a.header.Del("Allow")
			}
			return a
		})},
	{Name: "allow-wrong", Check: "allow-header", Summary: "Allow of a 405 names the method that is not allowed.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if a.status == http.StatusMethodNotAllowed {
				a.header.Set("Allow", c.r.Method)
			}
			return a
		})},
	{Name: "undeclared-method", Check: "undeclared-method", Summary: "A method that the document has not is answered with 200.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.path != nil && a.status == http.StatusMethodNotAllowed && c.r.Method != http.MethodHead {
				a.status, a.body = http.StatusOK, []byte("{}")
				a.header.Del("Allow")
			}
			return a
		})},
	{Name: "body-with-204", Check: "body-without-content", Summary: "204 has a body, on the wire.",
		Wrap: after(func(_ *call, a *answer) {
			if a.status == http.StatusNoContent {
				a.raw, a.body = true, []byte(`{"status":"success"}`)
				a.header.Set("Content-Type", "application/json")
			}
		})},
	{Name: "location-wrong", Check: "bad-location", Summary: "Redirects and creation have a Location that leads nowhere.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			switch {
			case a.status/100 == 3 && a.header.Get("Location") != "":
				a.header.Set("Location", "https://elsewhere.invalid/")
			case c.created(a) != "":
				a.header.Set("Location", c.base+c.path.Template+"/nothing-here")
			}
			return a
		})},
	{Name: "slow", Check: "too-slow", Summary: "Lists with a query take two seconds.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.r.URL.RawQuery != "" && a.status == http.StatusOK {
				wait(c.r.Context(), slowness)
			}
			return a
		})},
}

// broken is what a server says that stumbled.
func broken() *answer {
	return &answer{status: http.StatusInternalServerError, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte("internal server error\n")}
}

// ascii is whether all texts of a JSON body are.
func ascii(body []byte) bool {
	v := parse(body)
	for _, b := range value.Append(nil, v) {
		if b >= 0x80 {
			return false
		}
	}
	return true
}

// writeRaw sends an answer past net/http, which sends no body that HTTP forbids.
// Where the connection cannot be had, such as in HTTP/2, what is forbidden is left
// out.
func (a *answer) writeRaw(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
		return
	}
	conn, buf, err := h.Hijack()
	if err != nil {
		w.WriteHeader(a.status)
		return
	}
	defer conn.Close()
	header := w.Header().Clone()
	header.Set("Connection", "close")
	header.Set("Content-Length", fmt.Sprint(len(a.body)))
	fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	_ = header.Write(buf)
	_, _ = fmt.Fprintf(buf, "\r\n%s", a.body)
	_ = buf.Flush()
}
