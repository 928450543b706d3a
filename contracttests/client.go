package contracttests

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	origin string // scheme://host
	host   string // with the port, if it was given
	path   string // below which everything is, without a closing slash
	base   url.URL
	err    error // of the target
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
	c.base, c.host, c.origin, c.path = *u, u.Host, u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
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
// With the header Transfer-Encoding: chunked the body goes in chunks (RFC 9112,
// section 7.1); with Expect: 100-continue it waits for a second until the server
// wants it (RFC 9110, section 10.1.1). A header name in another case than usual
// is sent so; without values it is the spelling of a header that is sent anyway.
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
		x.URL, x.Sent = c.origin+m.target, m.header
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
