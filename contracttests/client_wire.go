package contracttests

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// A wire is one connection.
type wire struct {
	net.Conn
	in       meter
	br       *bufio.Reader
	used     time.Time    // when its last answer was complete; zero before that
	deadline time.Time    // as it is set
	out      []byte       // what is written; kept for its room
	request  http.Request // that is being answered
	quiet    func() bool  // a quick open; nil where there is none
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

// repeatable are the methods that are idempotent (RFC 9110, section 9.2.2).
var repeatable = []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}

// overWire is the exchange of one message on a connection, or on two.
func (c *Client) overWire(ctx context.Context, m *message, x *Exchange) {
	idempotent := slices.Contains(repeatable, m.method)
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
		now := time.Now()
		if now.Sub(w.used) < idleFor && w.br.Buffered() == 0 && w.arm(now.Add(c.target.Timeout), c.target.Timeout) == nil && (repeatable || w.open()) {
			return w
		}
		w.Close()
	}
}

// open is whether the server has neither closed the connection nor said
// anything on it unasked.
func (w *wire) open() bool {
	if w.quiet != nil {
		return w.quiet()
	}
	// What TLS has to say to itself is no answer: only a read tells.
	if w.SetReadDeadline(time.Now().Add(50*time.Microsecond)) != nil {
		return false
	}
	w.deadline, w.in.left = time.Time{}, 1
	_, err := w.br.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// arm sets the deadline of what comes next. It may be up to a second, and a tenth
// of the timeout, too late: a deadline is set only where that would be exceeded.
func (w *wire) arm(deadline time.Time, timeout time.Duration) error {
	if !w.deadline.Before(deadline) {
		return nil
	}
	w.deadline = deadline.Add(min(time.Second, timeout/10))
	return w.SetDeadline(w.deadline)
}

func (c *Client) give(w *wire) {
	w.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(w.out) > 2*bigBody {
		w.out = nil
	}
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
	if c.base.Scheme == "http" {
		w.quiet = quiet(conn)
	}
	w.br = bufio.NewReader(&w.in)
	return w, nil
}

// exchange writes a message and reads its answer into x. keep is whether the
// connection can serve another one.
func (c *Client) exchange(ctx context.Context, w *wire, m *message, deadline time.Time, x *Exchange) (keep bool) {
	if err := w.arm(deadline, c.target.Timeout); err != nil {
		x.Err = c.explain(ctx, w, err, false)
		return false
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = w.SetDeadline(time.Unix(1, 0)) })
		defer func() { keep = stop() && keep }()
	}
	w.out = m.head(w.out[:0])
	var wrote chan error
	var early *http.Response
	var failed, err error // to write may fail because the answer is there already
	switch {
	case m.waits:
		early, failed, err = w.ask(ctx, m)
	case len(m.body) <= bigBody:
		w.out = m.payload(w.out)
		_, err = w.Write(w.out)
	default:
		wrote = make(chan error, 1)
		go func() {
			_, err := w.Write(m.payload(w.out))
			wrote <- err
		}()
	}
	resp := early
	if resp == nil && failed == nil {
		resp, failed = w.answer(m.method)
	}
	if failed != nil {
		x.Took, x.Err = time.Since(x.At), c.explain(ctx, w, failed, false)
	} else {
		x.Response = &Response{Status: resp.StatusCode, Header: resp.Header}
		keep = c.body(ctx, w, m, resp, deadline, x)
	}
	if wrote == nil {
		return keep && err == nil && early == nil
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

// patience is how long a server may take to say that it wants the body.
const patience = time.Second

// ask writes the head and waits until the server wants the body, or answers without
// it. Who says nothing gets it after a while. failed is of what was read, err of what
// was written.
func (w *wire) ask(ctx context.Context, m *message) (early *http.Response, failed, err error) {
	if _, err := w.Write(w.out); err != nil {
		return nil, nil, err
	}
	asked := errors.New("not yet")
	until := w.deadline
	if soon := time.Now().Add(patience); soon.Before(until) && ctx.Err() == nil {
		_ = w.SetReadDeadline(soon)
		w.in.left = maxHeader
		_, asked = w.br.Peek(1)
		_ = w.SetReadDeadline(until)
		if ctx.Err() != nil { // it may have ended meanwhile
			_ = w.SetDeadline(time.Unix(1, 0))
		}
	}
	if asked == nil {
		w.in.left = maxHeader
		if resp, failed := http.ReadResponse(w.br, w.asking(m.method)); failed != nil || resp.StatusCode >= 200 {
			return resp, failed, nil
		}
	}
	w.out = m.payload(w.out[:0])
	_, err = w.Write(w.out)
	return nil, nil, err
}

// asking is the request that an answer is read for. Answers are read one by one.
func (w *wire) asking(method string) *http.Request {
	w.request.Method = method
	return &w.request
}

// answer reads the head of an answer; those on the way to it (100, 103) are
// skipped.
func (w *wire) answer(method string) (*http.Response, error) {
	w.in.left = maxHeader + int64(w.br.Size())
	for range 10 {
		resp, err := http.ReadResponse(w.br, w.asking(method))
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
	last := resp.Close || m.last
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
	if n == 0 && !last {
		return nil
	}
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

// readLimited reads at most max bytes and says whether there are more. size is
// how many there are, less than 0 if that is not known.
func readLimited(r io.Reader, size, max int64) (body []byte, more bool, err error) {
	if size >= 0 && size <= min(max, 64<<10) {
		body = make([]byte, size)
		n, err := io.ReadFull(r, body)
		return body[:n], false, err
	}
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
