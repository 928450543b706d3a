package faults

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/openapi"
)

// protocol are faults of HTTP itself that only unusual requests show.
var protocol = []Fault{
	{Name: "head-other-length", Check: "head-differs", Summary: "HEAD announces one byte more than GET sends.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if n, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil && c.r.Method == http.MethodHead && a.status == http.StatusOK {
				a.header.Set("Content-Length", strconv.Itoa(n+1))
			}
			return a
		})},
	{Name: "chunked-body-unread", Check: "request-framing", Summary: "A body that comes in chunks counts as none.",
		Wrap: edit(func(c *call) *answer {
			if slices.Contains(c.r.TransferEncoding, "chunked") {
				return c.with(c.r.Method, c.r.RequestURI, nil, nil)
			}
			return c.send()
		})},
	{Name: "expectation-refused", Check: "request-framing", Summary: "Whoever waits for 100 Continue is answered with 400.",
		Wrap: edit(func(c *call) *answer {
			if c.r.Header.Get("Expect") != "" {
				return &answer{status: http.StatusBadRequest, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte("no such expectation\n")}
			}
			return c.send()
		})},
	{Name: "refused-body-unread", Check: "keep-alive", Summary: "The body of a refused call stays on the connection and is taken for the beginning of the next one.",
		Wrap: leftOver},
	{Name: "gzip-broken", Check: "content-coding", Summary: "To whom accepts gzip, the plain body is sent as if it were gzip.",
		Wrap: after(func(c *call, a *answer) {
			if strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") && len(a.body) > 0 {
				a.header.Set("Content-Encoding", "gzip")
				a.header.Add("Vary", "Accept-Encoding")
			}
		})},
	{Name: "condition-refused", Check: "conditional", Summary: "A GET whose If-None-Match is false is answered with 412.",
		Wrap: after(func(c *call, a *answer) {
			if c.r.Method != http.MethodGet || a.status != http.StatusOK {
				return
			}
			const tag = `"v1"`
			a.header.Set("ETag", tag)
			if c.r.Header.Get("If-None-Match") == tag {
				*a = answer{status: http.StatusPreconditionFailed, header: http.Header{"ETag": {tag}}}
			}
		})},
}

// leftOver answers refused calls with a body as a server would that has not read it:
// the connection goes on, and what is left on it spoils the next call. Where the
// connection cannot be had, such as in HTTP/2, there is nothing to spoil.
func leftOver(next http.Handler, api *openapi.API) http.Handler {
	t := newTarget(next, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := t.newCall(r)
		if c == nil {
			next.ServeHTTP(w, r)
			return
		}
		a := c.send()
		h, ok := w.(http.Hijacker)
		if !ok || len(c.body) == 0 || a.status < 400 || r.Close {
			a.write(w, r)
			return
		}
		conn, buf, err := h.Hijack()
		if err != nil {
			a.write(w, r)
			return
		}
		defer conn.Close()
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
		fmt.Fprintf(buf, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
		_ = a.header.Write(buf)
		_, _ = fmt.Fprintf(buf, "\r\n%s", a.body)
		if buf.Flush() == nil && request(buf.Reader) {
			_, _ = fmt.Fprint(buf, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = buf.Flush()
		}
	})
}

// request reads the head of a request that has few headers, and is whether there was
// one.
func request(r *bufio.Reader) bool {
	for range 100 {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return false
		}
		if len(strings.TrimSpace(string(line))) == 0 {
			return true
		}
	}
	return false
}
