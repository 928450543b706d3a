package contracttests

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/openapi"
)

// A Target is a server to call, and what it may cost. Only one of URL and
// Handler is required.
type Target struct {
	URL     string       // http or https, perhaps with a base path; with a Handler what it is to believe: http://localhost
	Handler http.Handler // called in this process instead
	API     *openapi.API // presents credentials

	// Credentials are the secrets of the callers: by name of the caller, then
	// of the security scheme.
	Credentials map[string]map[string]string

	Timeout time.Duration // of a call, from its first byte to the last of the answer; 0 means 10 s
	MaxBody int64         // the longest body read, in bytes; 0 means 4 MiB
	Rate    float64       // the most calls per second; 0 means no limit
}

const (
	maxHeader = 1 << 20                // of an answer, in bytes
	bigBody   = 32 << 10               // a longer one is sent while the answer is read, in bytes
	linger    = 250 * time.Millisecond // how long to wait for what follows the last answer of a connection
	maxIdle   = 64                     // connections
	idleFor   = 20 * time.Second       // an older connection is not used again
)

// A Client sends requests as they stand, over HTTP/1.1 connections of its own:
// net/http would hide a body behind a 204 or an answer to HEAD, follow what is
// not asked for, refuse broken escapes, and try again. It follows no redirects,
// keeps no cookies, decompresses nothing and uses no proxy. It is safe for
// concurrent use.
type Client struct {
	target Target
	base   url.URL // without a closing slash
	err    error   // of the target
	tls    *tls.Config
	sleep  func(context.Context, time.Duration) error

	mu   sync.Mutex
	idle []*wire   // the last one used last
	next time.Time // when the rate allows the next call
}

// NewClient opens nothing yet. A target that cannot be called is told by every
// [Client.Send].
func NewClient(target Target) *Client {
	if target.Timeout <= 0 {
		target.Timeout = 10 * time.Second
	}
	if target.MaxBody <= 0 {
		target.MaxBody = 4 << 20
	}
	if target.URL == "" && target.Handler != nil {
		target.URL = "http://localhost"
	}
	c := &Client{target: target, tls: &tls.Config{NextProtos: []string{"http/1.1"}}, sleep: sleep}
	u, err := url.Parse(target.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.err = &callError{notSent, fmt.Sprintf("the target is %q; want one like http://127.0.0.1:4010", target.URL), err}
		return c
	}
	c.base = *u
	return c
}

// Close closes the connections that are kept.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.idle {
		w.Close()
	}
	c.idle = nil
}

// A callKind is a way in which a call ends without a whole answer.
type callKind uint8

const (
	notSent     callKind = iota + 1 // it cannot be written as HTTP
	unreachable                     // there is no connection
	cancelled                       // by the context
	late                            // the time is over
	closed                          // the connection was, before the answer was complete
	malformed                       // the answer is no HTTP
)

// A callError says why there is no answer, or not all of one.
type callError struct {
	kind callKind
	text string
	err  error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.err }

// kindOf is the kind of an exchange's error, 0 for none.
func kindOf(err error) callKind {
	var e *callError
	if errors.As(err, &e) {
		return e.kind
	}
	return 0
}

// Send sends one request and reads the answer. An answer that is cut off, late
// or followed by more than it announced has both a response and an error. What
// stands behind the head of an answer that may have no body (to HEAD, 204, 304)
// is its body nevertheless; it is seen for certain only if the request has
// Connection: close.
//
// A call is sent again, once, only where it is idempotent and a connection that
// was used before was closed ahead of the first byte of the answer.
//
// The URL and headers in the exchange are those that were sent, without Host,
// Content-Length and Accept-Encoding: identity.
func (c *Client) Send(ctx context.Context, r Request) Exchange {
	x := Exchange{Request: r, At: time.Now()}
	if c.err != nil {
		x.Err = c.err
		return x
	}
	m, err := c.prepare(&r)
	if m != nil {
		x.URL, x.Sent = c.base.Scheme+"://"+c.base.Host+m.target, m.header
	}
	if err != nil {
		x.Err = &callError{notSent, err.Error(), nil}
		return x
	}
	if err := c.pace(ctx); err != nil {
		x.Err = &callError{cancelled, "stopped before it was sent: " + err.Error(), err}
		return x
	}
	x.At = time.Now()
	if c.target.Handler != nil {
		x.Response, x.Err = c.inProcess(ctx, m)
		x.Took = time.Since(x.At)
		return x
	}
	c.overWire(ctx, m, &x)
	return x
}

// A message is a request as it is written.
type message struct {
	method, target, host string // target with the base path and credentials
	header               http.Header
	body                 []byte
}

// prepare makes a message of a request. With an error, the message may be nil.
func (c *Client) prepare(r *Request) (*message, error) {
	if !isToken(r.Method) {
		return nil, fmt.Errorf("the method %q cannot be sent", r.Method)
	}
	if !strings.HasPrefix(r.Target, "/") || strings.ContainsFunc(r.Target, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return nil, fmt.Errorf("the target %q cannot be sent; want a path without spaces and control characters", r.Target)
	}
	m := &message{method: r.Method, host: c.base.Host, header: r.Header.Clone(), body: r.Body}
	if m.header == nil {
		m.header = http.Header{}
	}
	path, query, marked := strings.Cut(r.Target, "?")
	m.target = strings.TrimSuffix(c.base.EscapedPath(), "/") + path
	secrets := r.Credentials
	if secrets == nil && r.Caller != "" {
		known := false
		if secrets, known = c.target.Credentials[r.Caller]; !known {
			return m, fmt.Errorf("there are no credentials of %q; have those of %s", r.Caller, strings.Join(slices.Sorted(maps.Keys(c.target.Credentials)), ", "))
		}
	}
	if len(secrets) > 0 {
		if c.target.API == nil {
			return m, errors.New("without an API there is no way to present credentials")
		}
		present := &http.Request{Header: m.header, URL: &url.URL{RawQuery: query}}
		c.target.API.Present(present, secrets)
		query = present.URL.RawQuery
	}
	if marked || query != "" {
		m.target += "?" + query
	}
	if h := m.header.Get("Host"); h != "" {
		m.host = h
	}
	for _, n := range []string{"Host", "Content-Length", "Transfer-Encoding"} {
		delete(m.header, n)
	}
	for n, v := range map[string]string{"User-Agent": "understudy", "Accept": "*/*"} {
		if _, set := m.header[n]; !set {
			m.header[n] = []string{v}
		}
	}
	for n, vs := range m.header {
		if !isToken(n) || strings.ContainsAny(strings.Join(vs, "")+m.host, "\r\n\x00") {
			return m, fmt.Errorf("the header %q cannot be sent", n)
		}
	}
	return m, nil
}

// isToken is whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// head is the request line and the headers, in a steady order.
func (m *message) head() []byte {
	b := make([]byte, 0, 512+len(m.body))
	line := func(parts ...string) {
		for _, p := range parts {
			b = append(b, p...)
		}
		b = append(b, "\r\n"...)
	}
	line(m.method, " ", m.target, " HTTP/1.1")
	line("Host: ", m.host)
	for _, n := range slices.Sorted(maps.Keys(m.header)) {
		for _, v := range m.header[n] {
			line(n, ": ", v)
		}
	}
	if _, set := m.header["Accept-Encoding"]; !set {
		line("Accept-Encoding: identity")
	}
	if m.body != nil || m.method == http.MethodPost || m.method == http.MethodPut || m.method == http.MethodPatch {
		line("Content-Length: ", strconv.Itoa(len(m.body)))
	}
	line()
	return b
}

// pace waits until the rate allows a call.
func (c *Client) pace(ctx context.Context) error {
	if c.target.Rate > 0 {
		now := time.Now()
		c.mu.Lock()
		if c.next.Before(now) {
			c.next = now
		}
		wait := c.next.Sub(now)
		c.next = c.next.Add(time.Duration(float64(time.Second) / c.target.Rate))
		c.mu.Unlock()
		if wait > 0 {
			return c.sleep(ctx, wait)
		}
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A wire is one connection.
type wire struct {
	net.Conn
	in   meter
	br   *bufio.Reader
	used time.Time // when its last answer was complete; zero before that
}

// A meter counts what is read and ends it at a limit.
type meter struct {
	r          io.Reader
	read, left int64
	full, end  bool // the limit was met, the end of the connection
}

var errHeader = fmt.Errorf("its header is longer than %d bytes", maxHeader)

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		m.full = true
		return 0, errHeader
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.read += int64(n)
	m.left -= int64(n)
	m.end = m.end || err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// overWire is the exchange of one message on a connection, or on two.
func (c *Client) overWire(ctx context.Context, m *message, x *Exchange) {
	idempotent := slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}, m.method)
	w := c.take(idempotent)
	for again := w != nil && idempotent; ; again = false {
		deadline := time.Now().Add(c.target.Timeout)
		if w == nil {
			var err error
			if w, err = c.dial(ctx, deadline); err != nil {
				kind := unreachable
				if ctx.Err() != nil {
					kind = cancelled
				}
				x.Err = &callError{kind, "there is no connection: " + err.Error(), err}
				return
			}
		}
		x.At = time.Now()
		before := w.in.read
		keep := c.exchange(ctx, w, m, deadline, x)
		if keep {
			c.give(w)
			return
		}
		w.Close()
		if !again || kindOf(x.Err) != closed || w.in.read > before {
			return
		}
		w, x.Err = nil, nil
	}
}

// take is a connection that was used before, nil if there is none. A call that
// cannot be repeated gets only one that is seen to be open.
func (c *Client) take(repeatable bool) *wire {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			return nil
		}
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if time.Since(w.used) < idleFor && w.br.Buffered() == 0 && (repeatable || w.open()) {
			return w
		}
		w.Close()
	}
}

// open is whether the server has neither closed the connection nor said
// anything on it unasked.
func (w *wire) open() bool {
	if w.SetReadDeadline(time.Now().Add(50*time.Microsecond)) != nil {
		return false
	}
	w.in.left = 1
	_, err := w.br.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func (c *Client) give(w *wire) {
	w.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) >= maxIdle {
		w.Close()
		return
	}
	c.idle = append(c.idle, w)
}

func (c *Client) dial(ctx context.Context, deadline time.Time) (*wire, error) {
	port := c.base.Port()
	if port == "" {
		port = c.base.Scheme // a name of the port, too
	}
	d := net.Dialer{Deadline: deadline}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(c.base.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if c.base.Scheme == "https" {
		config := c.tls.Clone()
		config.ServerName = c.base.Hostname()
		secure := tls.Client(conn, config)
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	w := &wire{Conn: conn, in: meter{r: conn}}
	w.br = bufio.NewReader(&w.in)
	return w, nil
}

// exchange writes a message and reads its answer into x. keep is whether the
// connection can serve another one.
func (c *Client) exchange(ctx context.Context, w *wire, m *message, deadline time.Time, x *Exchange) (keep bool) {
	if err := w.SetDeadline(deadline); err != nil {
		x.Err = c.explain(ctx, w, err, false)
		return false
	}
	stop := context.AfterFunc(ctx, func() { w.SetDeadline(time.Unix(1, 0)) })
	wrote := make(chan error, 1)
	if head := m.head(); len(m.body) <= bigBody {
		_, err := w.Write(append(head, m.body...))
		wrote <- err
	} else {
		go func() {
			_, err := w.Write(append(head, m.body...))
			wrote <- err
		}()
	}
	resp, err := w.answer(m.method)
	if err != nil {
		x.Took, x.Err = time.Since(x.At), c.explain(ctx, w, err, false)
	} else {
		x.Response = &Response{Status: resp.StatusCode, Header: resp.Header}
		keep = c.body(ctx, w, m, resp, deadline, x)
	}
	if !stop() {
		keep = false
	}
	select {
	case err := <-wrote:
		return keep && err == nil
	default: // the server answered before it had everything
		w.Close()
		<-wrote
		return false
	}
}

// answer reads the head of an answer; those on the way to it (100, 103) are
// skipped.
func (w *wire) answer(method string) (*http.Response, error) {
	w.in.left = maxHeader + int64(w.br.Size())
	for range 10 {
		resp, err := http.ReadResponse(w.br, &http.Request{Method: method})
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode < 100 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
	return nil, errors.New("nothing but informational answers")
}

// body reads what follows the head of an answer.
func (c *Client) body(ctx context.Context, w *wire, m *message, resp *http.Response, deadline time.Time, x *Exchange) (keep bool) {
	r := x.Response
	w.in.left = math.MaxInt64
	bodiless := bodyless(m.method, resp.StatusCode)
	framed := bodiless || resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0
	var err error
	if !bodiless {
		r.Body, r.Truncated, err = readLimited(resp.Body, resp.ContentLength, c.target.MaxBody)
	}
	x.Took = time.Since(x.At)
	switch {
	case err != nil:
		x.Err = c.explain(ctx, w, err, true)
		return false
	case r.Truncated || !framed || resp.StatusCode == http.StatusSwitchingProtocols:
		return false
	}
	last := resp.Close || m.header.Get("Connection") == "close"
	rest := w.rest(last, c.target.MaxBody, deadline)
	switch {
	case len(rest) == 0:
	case bodiless && !bytes.HasPrefix(rest, []byte("HTTP/")):
		r.Body = rest
	default:
		x.Err = &callError{malformed, fmt.Sprintf("at least %d bytes follow the end of the answer: %s", len(rest), excerpt(rest)), nil}
	}
	return !last && len(rest) == 0
}

// bodyless is whether an answer has no body whatever its headers say (RFC 9112,
// section 6.3).
func bodyless(method string, status int) bool {
	return method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// rest is what follows an answer: what is here already, and of the last one
// what comes before the connection ends.
func (w *wire) rest(last bool, limit int64, deadline time.Time) []byte {
	n := int64(w.br.Buffered())
	if last {
		n = limit
		if soon := time.Now().Add(linger); soon.Before(deadline) {
			deadline = soon
		}
		if w.SetDeadline(deadline) != nil {
			return nil
		}
	}
	rest, _ := io.ReadAll(io.LimitReader(w.br, n))
	return rest
}

// readLimited reads at most max bytes and says whether there are more.
func readLimited(r io.Reader, size, max int64) (body []byte, more bool, err error) {
	var b bytes.Buffer
	b.Grow(int(min(size+1, max, 64<<10)) + bytes.MinRead)
	_, err = b.ReadFrom(io.LimitReader(r, max+1))
	if int64(b.Len()) > max {
		b.Truncate(int(max))
		return b.Bytes(), true, nil
	}
	return b.Bytes(), false, err
}

// explain makes an error of what happened on a connection.
func (c *Client) explain(ctx context.Context, w *wire, err error, begun bool) error {
	what := "before an answer"
	if begun {
		what = "before the answer was complete"
	}
	var network *net.OpError
	switch {
	case ctx.Err() != nil:
		return &callError{cancelled, "stopped " + what + ": " + ctx.Err().Error(), ctx.Err()}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &callError{late, fmt.Sprintf("%v were over %s", c.target.Timeout, what), err}
	case w.in.full:
		return &callError{malformed, "the answer is malformed: " + errHeader.Error(), errHeader}
	case w.in.end && !begun, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return &callError{closed, "the connection was closed " + what, err}
	}
	return &callError{malformed, "the answer is malformed: " + err.Error(), err}
}
