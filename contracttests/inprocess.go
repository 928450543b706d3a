package contracttests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// inProcess calls the handler as a server of net/http would. A handler that
// does not come back in time is left alone: it cannot be stopped.
func (c *Client) inProcess(ctx context.Context, m *message) (*Response, error) {
	u, err := url.ParseRequestURI(m.target)
	if err != nil {
		return nil, &callError{notSent, "net/http refuses the target before a handler sees it: " + err.Error(), err}
	}
	within, cancel := context.WithTimeout(ctx, c.target.Timeout)
	defer cancel()
	req := (&http.Request{
		Method: m.method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: m.header.Clone(), Body: http.NoBody,
		Host: m.host, RequestURI: m.target, RemoteAddr: "127.0.0.1:1", ContentLength: int64(len(m.body)),
	}).WithContext(within)
	if len(m.body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(m.body))
	}
	for n := range req.Header { // as net/http reads it
		if usual := http.CanonicalHeaderKey(n); usual != n {
			req.Header[usual] = req.Header[n]
			delete(req.Header, n)
		}
	}
	if m.chunked {
		req.ContentLength, req.TransferEncoding = -1, []string{"chunked"}
		req.Header.Del("Transfer-Encoding")
	}
	if _, set := req.Header["Accept-Encoding"]; !set {
		req.Header.Set("Accept-Encoding", "identity")
	}
	rec := &recorder{method: m.method, max: c.target.MaxBody, header: http.Header{}, full: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer func() {
			if p := recover(); p != nil {
				err = &callError{closed, fmt.Sprintf("the connection was closed before the answer was complete: the handler panicked: %v", p), nil}
			}
		}()
		c.target.Handler.ServeHTTP(rec, req)
		rec.WriteHeader(http.StatusOK) // if nothing was written
	}()
	select {
	case err = <-done:
	case <-rec.full:
	case <-within.Done():
		if err = ctx.Err(); err != nil {
			err = &callError{cancelled, "stopped before the answer was complete: " + err.Error(), err}
		} else {
			err = &callError{late, fmt.Sprintf("%v were over before the answer was complete", c.target.Timeout), within.Err()}
		}
	}
	return rec.end(), err
}

// A recorder takes what a handler answers, and no more than max bytes of it.
type recorder struct {
	method string
	max    int64
	full   chan struct{} // closed when there is more

	header http.Header // the handler's own
	mu     sync.Mutex
	sent   *Response // nil until the header is written
	over   bool      // nobody listens any more
}

var _ http.Flusher = (*recorder)(nil)

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// Flush implements http.Flusher.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

// WriteHeader implements http.ResponseWriter. Informational statuses are
// skipped, as a client does; all but the first final one have no effect.
func (r *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status)) // net/http's words
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(status)
}

func (r *recorder) begin(status int) {
	if r.sent != nil || r.over || status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	r.sent = &Response{Status: status, Header: r.header.Clone()}
}

var errOver = errors.New("nobody reads what is written")

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin(http.StatusOK)
	switch {
	case r.over || r.sent.Truncated:
		return 0, errOver
	case r.method == http.MethodHead:
		return len(p), nil
	case bodyless(r.method, r.sent.Status):
		return 0, http.ErrBodyNotAllowed
	}
	if room := r.max - int64(len(r.sent.Body)); int64(len(p)) > room {
		r.sent.Body, r.sent.Truncated = append(r.sent.Body, p[:room]...), true
		close(r.full)
		return int(room), errOver
	}
	r.sent.Body = append(r.sent.Body, p...)
	return len(p), nil
}

// end is the answer, nil if there is none, with what a server adds to it. What
// is written later goes nowhere.
func (r *recorder) end() *Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.sent == nil {
		return nil
	}
	h := r.sent.Header
	if _, set := h["Content-Type"]; !set && len(r.sent.Body) > 0 && h.Get("Content-Encoding") == "" {
		h.Set("Content-Type", http.DetectContentType(r.sent.Body))
	}
	if _, set := h["Date"]; !set {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	return r.sent
}
