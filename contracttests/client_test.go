package contracttests

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/openapi"
)

func readAll(t testing.TB, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rude listens on loopback and gives each connection to serve, with its number
// from 0 and the head of its first request read. Returning closes it.
func rude(t testing.TB, serve func(n int, c net.Conn, head string, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				serve(n, c, readHead(in), in)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String()
}

// readHead reads a request without a body, "" if none comes.
func readHead(in *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return ""
		}
		if b.WriteString(line); line == "\r\n" {
			return b.String()
		}
	}
}

// endless writes a text until nobody listens.
func endless(c net.Conn, text string) {
	b := bytes.Repeat([]byte(text), 1+8192/len(text))
	for {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

func lines(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func newTestClient(t testing.TB, target Target) *Client {
	c := NewClient(target)
	t.Cleanup(c.Close)
	return c
}

func TestClientHostile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		request Request
		answer  string         // then the connection is closed, unless …
		then    func(net.Conn) // … something else is done
		kind    callKind       // of the error
		status  int            // of the answer, 0 for none
		body    string
		cut     bool // truncated
	}{
		{name: "an honest answer", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", status: 200, body: "ok"},
		{name: "an answer that ends with the connection", answer: "HTTP/1.0 200 OK\n\nok", status: 200, body: "ok"},
		{name: "answers on the way to the answer", answer: "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok", status: 200, body: "ok"},
		{name: "nothing but answers on the way", then: func(c net.Conn) { endless(c, lines("HTTP/1.1 100 Continue\n\n")) }, kind: malformed},
		{name: "a redirect elsewhere", answer: "HTTP/1.1 302 Found\nLocation: http://192.0.2.1/\nContent-Length: 0\n\n", status: 302},
		{name: "an endless body", answer: "HTTP/1.1 200 OK\n\n", then: func(c net.Conn) { endless(c, "x") }, status: 200, body: strings.Repeat("x", 64), cut: true},
		{name: "an endless chunked body", answer: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", then: func(c net.Conn) { endless(c, lines("1\nx\n")) }, status: 200, body: strings.Repeat("x", 64), cut: true},
		{name: "a body of many gigabytes", answer: "HTTP/1.1 200 OK\nContent-Length: 99999999999\n\n", then: func(c net.Conn) { endless(c, "x") }, status: 200, body: strings.Repeat("x", 64), cut: true},
		{name: "a body that is cut off", answer: "HTTP/1.1 200 OK\nContent-Length: 9\n\nok", kind: closed, status: 200, body: "ok"},
		{name: "chunks that are cut off", answer: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n", kind: closed, status: 200, body: "ok"},
		{name: "chunks without a length", answer: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\nok\n", kind: malformed, status: 200},
		{name: "a chunk length without end", answer: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", then: func(c net.Conn) { endless(c, "0") }, kind: malformed, status: 200},
		{name: "a header of gigabytes", answer: "HTTP/1.1 200 OK\nX: ", then: func(c net.Conn) { endless(c, "x") }, kind: malformed},
		{name: "headers without end", answer: "HTTP/1.1 200 OK\n", then: func(c net.Conn) { endless(c, lines("X: y\n")) }, kind: malformed},
		{name: "a status line without end", then: func(c net.Conn) { endless(c, "H") }, kind: malformed},
		{name: "no HTTP", answer: "hello, I am a mail server\n", kind: malformed},
		{name: "HTTP/2 unasked", answer: "\x00\x00\x12\x04\x00\x00\x00\x00\x00\n", kind: malformed},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3\n\nokk", kind: malformed},
		{name: "a negative length", answer: "HTTP/1.1 200 OK\nContent-Length: -2\n\nok", kind: malformed},
		{name: "nothing", kind: closed},
		{name: "half a status line", answer: "HTTP/1.1 2", kind: closed},
		{name: "half a header", answer: "HTTP/1.1 200 OK\nContent-Le", kind: closed},
		{name: "more than the length says", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\nokay", kind: malformed, status: 200, body: "ok"},
		{name: "two answers", answer: "HTTP/1.1 204 No Content\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n", kind: malformed, status: 204},
		{name: "204 with a body", answer: "HTTP/1.1 204 No Content\n\n{}", status: 204, body: "{}"},
		{name: "304 with a body", answer: "HTTP/1.1 304 Not Modified\nContent-Length: 2\n\n{}", status: 304, body: "{}"},
		{name: "HEAD with a body", request: Request{Method: "HEAD"}, answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", status: 200, body: "{}"},
		{name: "HEAD with the length of what it leaves out", request: Request{Method: "HEAD"}, answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\n", status: 200},
		{name: "invalid UTF-8", answer: "HTTP/1.1 200 \xff\xfe\nX: \xff\nContent-Length: 2\n\n\xff\xfe", status: 200, body: "\xff\xfe"},
		{name: "a compressed bomb stays as it is", answer: "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4\n\n\x1f\x8b\x08\x00", status: 200, body: "\x1f\x8b\x08\x00"},
		{name: "cookies", answer: "HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Length: 0\n\n", status: 200},
		{name: "a switch to nowhere", answer: "HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: upgrade\n\nbytes", status: 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := rude(t, func(_ int, c net.Conn, head string, in *bufio.Reader) {
				_, _ = io.WriteString(c, lines(tt.answer))
				if tt.then != nil {
					tt.then(c)
				}
			})
			r := tt.request
			if r.Method == "" {
				r.Method = "GET"
			}
			r.Target = "/"
			r.Header = http.Header{"Connection": {"close"}}
			x := newTestClient(t, Target{URL: url, MaxBody: 64}).Send(context.Background(), r)
			if kindOf(x.Err) != tt.kind {
				t.Errorf("error: got %v (kind %d), want kind %d", x.Err, kindOf(x.Err), tt.kind)
			}
			if x.Response == nil {
				if tt.status != 0 {
					t.Errorf("no answer (%v), want %d", x.Err, tt.status)
				}
				return
			}
			if got := x.Response; got.Status != tt.status || string(got.Body) != tt.body || got.Truncated != tt.cut {
				t.Errorf("got %d %q cut: %t, want %d %q cut: %t", got.Status, got.Body, got.Truncated, tt.status, tt.body, tt.cut)
			}
		})
	}
}

// TestClientEnds: whatever a server holds back, a call ends in time.
func TestClientEnds(t *testing.T) {
	for _, tt := range []struct {
		name, answer, drip string
		status             int
	}{
		{"no answer", "", "", 0},
		{"half a header", "HTTP/1.1 200 OK\nX: y", "", 0},
		{"half a body", "HTTP/1.1 200 OK\nContent-Length: 9\n\nok", "", 200},
		{"a header that drips", "HTTP/1.1 200 OK\nX: ", "x", 0},
		{"a body that drips", "HTTP/1.1 200 OK\nContent-Length: 9999\n\n", "x", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := rude(t, func(_ int, c net.Conn, _ string, in *bufio.Reader) {
				_, _ = io.WriteString(c, lines(tt.answer))
				for tick := time.Tick(5 * time.Millisecond); tt.drip != ""; <-tick {
					if _, err := io.WriteString(c, tt.drip); err != nil {
						return
					}
				}
				_, _ = in.ReadByte() // until the client has enough
			})
			c := newTestClient(t, Target{URL: url, Timeout: 60 * time.Millisecond})
			began := time.Now()
			x := c.Send(context.Background(), Request{Method: "GET", Target: "/"})
			if kindOf(x.Err) != late || time.Since(began) > 5*time.Second {
				t.Errorf("got %v after %v, want it to be late", x.Err, time.Since(began))
			}
			if (x.Response == nil) != (tt.status == 0) {
				t.Errorf("got the answer %+v, want status %d", x.Response, tt.status)
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(10*time.Millisecond, func() { cancel(errors.New("enough")) })
			c = newTestClient(t, Target{URL: url})
			if x := c.Send(ctx, Request{Method: "GET", Target: "/"}); kindOf(x.Err) != cancelled || !errors.Is(x.Err, context.Canceled) {
				t.Errorf("with a context that ends: got %v, want it to be cancelled", x.Err)
			}
		})
	}
}

// TestClientMemory: a gigabyte of header costs no more than its limit.
func TestClientMemory(t *testing.T) {
	url := rude(t, func(_ int, c net.Conn, _ string, _ *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
		endless(c, "x")
	})
	c := newTestClient(t, Target{URL: url})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.Send(context.Background(), Request{Method: "GET", Target: "/"})
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32*maxHeader {
		t.Errorf("allocated %d bytes", n)
	}
}

func TestClientSends(t *testing.T) {
	api, err := openapi.Load("a", "a.yaml", []byte(`openapi: 3.1.0
info: {title: A, version: "1"}
paths: {/x: {get: {responses: {'200': {description: ok}}}}}
components: {securitySchemes: {token: {type: http, scheme: bearer}, q: {type: apiKey, in: query, name: key}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	heads := make(chan string, 1)
	url := rude(t, func(_ int, c net.Conn, head string, in *bufio.Reader) {
		if strings.Contains(head, "Content-Length: 4") {
			body := make([]byte, 4)
			_, _ = io.ReadFull(in, body)
			head += string(body)
		}
		heads <- head
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	host := strings.TrimPrefix(url, "http://")
	known := map[string]map[string]string{"ann": {"token": "s3cret", "q": "a b"}}
	for _, tt := range []struct {
		name    string
		base    string
		request Request
		want    string // as it is on the wire
		url     string
		err     bool
	}{
		{"a plain GET", "", Request{Method: "GET", Target: "/x"},
			"GET /x HTTP/1.1\nHost: " + host + "\nAccept: */*\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/x", false},
		{"below a base path", "/v1/", Request{Method: "GET", Target: "/x?a=%20&b"},
			"GET /v1/x?a=%20&b HTTP/1.1\nHost: " + host + "\nAccept: */*\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/v1/x?a=%20&b", false},
		{"escapes that are none, as they stand", "", Request{Method: "GET", Target: "/%zz?%"},
			"GET /%zz?% HTTP/1.1\nHost: " + host + "\nAccept: */*\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/%zz?%", false},
		{"with credentials", "", Request{Method: "GET", Target: "/x?p=1", Caller: "ann"},
			"GET /x?key=a+b&p=1 HTTP/1.1\nHost: " + host + "\nAccept: */*\nAuthorization: Bearer s3cret\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/x?key=a+b&p=1", false},
		{"with wrong credentials instead", "", Request{Method: "GET", Target: "/x", Caller: "ann", Credentials: map[string]string{"token": "no"}},
			"GET /x HTTP/1.1\nHost: " + host + "\nAccept: */*\nAuthorization: Bearer no\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/x", false},
		{"with none instead", "", Request{Method: "GET", Target: "/x", Caller: "ann", Credentials: map[string]string{}},
			"GET /x HTTP/1.1\nHost: " + host + "\nAccept: */*\nUser-Agent: understudy\nAccept-Encoding: identity\n\n", "/x", false},
		{"a body and headers", "", Request{Method: "PATCH", Target: "/x", Body: []byte("null"), Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"text/*"}, "Accept-Encoding": {"br"}}},
			"PATCH /x HTTP/1.1\nHost: " + host + "\nAccept: text/*\nAccept-Encoding: br\nContent-Type: application/json\nUser-Agent: understudy\nContent-Length: 4\n\nnull", "/x", false},
		{"no body of a POST", "", Request{Method: "POST", Target: "/x", Header: http.Header{"Accept": nil, "User-Agent": nil}},
			"POST /x HTTP/1.1\nHost: " + host + "\nAccept-Encoding: identity\nContent-Length: 0\n\n", "/x", false},
		{"a caller whom nobody knows", "", Request{Method: "GET", Target: "/x", Caller: "bob"}, "", "/x", true},
		{"a second line in a header", "", Request{Method: "GET", Target: "/x", Header: http.Header{"X": {"a\r\nB: c"}}}, "", "/x", true},
		{"a method with a space", "", Request{Method: "GET /", Target: "/x"}, "", "", true},
		{"a target with a space", "", Request{Method: "GET", Target: "/x y"}, "", "", true},
		{"a target that is a URL", "", Request{Method: "GET", Target: "http://evil.test/"}, "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestClient(t, Target{URL: url + tt.base, API: api, Credentials: known})
			x := c.Send(context.Background(), tt.request)
			if tt.url != "" && x.URL != url+tt.url {
				t.Errorf("URL: got %s, want %s", x.URL, url+tt.url)
			}
			if tt.err {
				if kindOf(x.Err) != notSent {
					t.Errorf("got %v, want it not to be sent", x.Err)
				}
				return
			}
			if x.Err != nil {
				t.Fatal(x.Err)
			}
			if got := <-heads; got != strings.ReplaceAll(lines(tt.want), "null\r\n", "null") {
				t.Errorf("got\n%q\nwant\n%q", got, lines(tt.want))
			}
			if tt.request.Caller == "ann" && tt.request.Credentials == nil && x.Sent.Get("Authorization") == "" {
				t.Error("the credentials are not among what was sent")
			}
			if tt.request.Header.Get("Authorization") != "" {
				t.Error("the request itself was changed")
			}
		})
	}
	for _, bad := range []string{"", "127.0.0.1:80", "ftp://a", "http://", "http://a:b:c"} {
		if x := NewClient(Target{URL: bad}).Send(context.Background(), Request{Method: "GET", Target: "/"}); kindOf(x.Err) != notSent {
			t.Errorf("the target %q: got %v, want it to be refused", bad, x.Err)
		}
	}
}

func TestClientConnections(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, tt := range []struct {
		name   string
		method string
		first  string // the answers of the first connection, then it is closed …
		second string // … and read on, where that says so
		conns  int
		err    callKind // of the second call
	}{
		{"one connection for two calls", "GET", ok, ok, 1, 0},
		{"closed between the calls: once more", "GET", ok, "", 2, 0},
		{"closed between the calls: a DELETE once more, too", "DELETE", ok, "", 2, 0},
		{"closed amid the answer: not again", "GET", ok, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", 1, closed},
		{"a POST whose connection closes under it: not again", "POST", ok, "", 1, closed},
		{"a server that wants it closed", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "", 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var conns atomic.Int32
			url := rude(t, func(n int, c net.Conn, _ string, in *bufio.Reader) {
				conns.Add(1)
				if n > 0 {
					_, _ = io.WriteString(c, ok)
					return
				}
				_, _ = io.WriteString(c, tt.first)
				if !strings.Contains(tt.first, "close") && readHead(in) != "" {
					_, _ = io.WriteString(c, tt.second)
				}
			})
			c := newTestClient(t, Target{URL: url})
			for i, want := range []callKind{0, tt.err} {
				x := c.Send(context.Background(), Request{Method: tt.method, Target: "/"})
				if kindOf(x.Err) != want {
					t.Errorf("call %d: got %v, want kind %d", i+1, x.Err, want)
				}
			}
			if int(conns.Load()) != tt.conns {
				t.Errorf("%d connections, want %d", conns.Load(), tt.conns)
			}
		})
	}
}

// TestClientClosedBefore: a POST that cannot be repeated gets no connection that
// is closed already.
func TestClientClosedBefore(t *testing.T) {
	gone := make(chan bool, 1)
	url := rude(t, func(n int, c net.Conn, _ string, _ *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c.Close()
		gone <- true
	})
	c := newTestClient(t, Target{URL: url})
	for i := range 5 {
		if x := c.Send(context.Background(), Request{Method: "POST", Target: "/"}); x.Err != nil {
			t.Errorf("call %d: %v", i+1, x.Err)
		}
		<-gone
	}
}

// TestClientLargeBody: a server that refuses a large body unread is heard.
func TestClientLargeBody(t *testing.T) {
	url := rude(t, func(_ int, c net.Conn, _ string, in *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		_, _ = in.WriteTo(io.Discard)
	})
	x := newTestClient(t, Target{URL: url}).Send(context.Background(), Request{Method: "PUT", Target: "/", Body: make([]byte, 32<<20)})
	if x.Err != nil || x.Response.Status != 413 {
		t.Errorf("got %+v, %v, want 413", x.Response, x.Err)
	}
}

func TestClientUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if x := NewClient(Target{URL: "http://" + l.Addr().String()}).Send(context.Background(), Request{Method: "GET", Target: "/"}); kindOf(x.Err) != unreachable {
		t.Errorf("got %v, want it to be unreachable", x.Err)
	}
}

func TestClientTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c := newTestClient(t, Target{URL: s.URL})
	c.tls.RootCAs = x509.NewCertPool()
	if x := c.Send(context.Background(), Request{Method: "GET", Target: "/"}); kindOf(x.Err) != unreachable {
		t.Errorf("a certificate that nobody signed: got %v, want it to be unreachable", x.Err)
	}
	c.tls = &tls.Config{RootCAs: x509.NewCertPool()}
	c.tls.RootCAs.AddCert(s.Certificate())
	for range 2 {
		if x := c.Send(context.Background(), Request{Method: "POST", Target: "/"}); x.Err != nil || string(x.Response.Body) != "HTTP/1.1" {
			t.Errorf("got %+v, %v", x.Response, x.Err)
		}
	}
}

func TestClientRate(t *testing.T) {
	c := NewClient(Target{Handler: http.NotFoundHandler(), Rate: 0.001})
	var waits []time.Duration
	c.sleep = func(_ context.Context, d time.Duration) error {
		waits = append(waits, d.Round(time.Second))
		return nil
	}
	for range 3 {
		if x := c.Send(context.Background(), Request{Method: "GET", Target: "/"}); x.Err != nil {
			t.Error(x.Err)
		}
	}
	if want := []time.Duration{1000 * time.Second, 2000 * time.Second}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.sleep = sleep
	if x := c.Send(ctx, Request{Method: "GET", Target: "/"}); kindOf(x.Err) != cancelled {
		t.Errorf("got %v, want it to be cancelled", x.Err)
	}
}

// TestClientInProcess: a handler is called as a server would call it.
func TestClientInProcess(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, tt := range []struct {
		name    string
		method  string
		handler http.HandlerFunc
		kind    callKind
		status  int
		typ     string
		body    string
		cut     bool
		alone   bool // a real server is not compared
	}{
		{name: "nothing", handler: func(http.ResponseWriter, *http.Request) {}, status: 200},
		{name: "the request", handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.RequestURI+" "+r.Proto+" "+string(readAll(t, r.Body)))
		}, status: 200, typ: "text/plain; charset=utf-8", body: "POST /v1/a /v1/a?b=c HTTP/1.1 hi"},
		{name: "a header too late", handler: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			w.Header().Set("Content-Type", "text/late")
			w.WriteHeader(500)
		}, status: 201},
		{name: "204 with a body", handler: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
				t.Errorf("got %v, want what net/http says", err)
			}
		}, status: 204},
		{name: "HEAD", method: "HEAD", handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			_, _ = io.WriteString(w, "x")
		}, status: 200, typ: "a/b"},
		{name: "a hint before the answer", handler: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(202)
		}, status: 202},
		{name: "a flush", handler: func(w http.ResponseWriter, r *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, "x")
		}, status: 200, body: "x", alone: true, typ: "text/plain; charset=utf-8"},
		{name: "a panic", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kind: closed},
		{name: "a body without end", handler: func(w http.ResponseWriter, r *http.Request) {
			for {
				_, _ = io.WriteString(w, "0123456789")
				if r.Context().Err() != nil {
					return
				}
			}
		}, status: 200, typ: "text/plain; charset=utf-8", body: strings.Repeat("0123456789", 6) + "0123", cut: true},
		{name: "a handler that hangs", handler: func(http.ResponseWriter, *http.Request) { <-hang }, kind: late, alone: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Request{Method: tt.method, Target: "/a?b=c"}
			if tt.method == "" {
				r.Method, r.Body = "POST", []byte("hi")
			}
			judge := func(where string, target Target) {
				target.URL += "/v1"
				target.MaxBody = 64
				x := newTestClient(t, target).Send(context.Background(), r)
				if kindOf(x.Err) != tt.kind {
					t.Errorf("%s: got %v, want kind %d", where, x.Err, tt.kind)
				}
				got := x.Response
				if got == nil {
					got = &Response{}
				}
				if got.Status != tt.status || got.Header.Get("Content-Type") != tt.typ || string(got.Body) != tt.body || got.Truncated != tt.cut {
					t.Errorf("%s: got %+v, want %d %s %q cut: %t", where, got, tt.status, tt.typ, tt.body, tt.cut)
				}
			}
			timeout := time.Duration(0)
			if tt.kind == late {
				timeout = 20 * time.Millisecond
			}
			judge("in process", Target{URL: "http://localhost", Handler: tt.handler, Timeout: timeout})
			if !tt.alone {
				s := httptest.NewUnstartedServer(tt.handler)
				s.Config.ErrorLog = log.New(io.Discard, "", 0)
				s.Start()
				defer s.Close()
				judge("over the wire", Target{URL: s.URL})
			}
		})
	}
	if x := NewClient(Target{Handler: http.NotFoundHandler()}).Send(context.Background(), Request{Method: "GET", Target: "/%zz"}); kindOf(x.Err) != notSent {
		t.Errorf("a target that net/http refuses: got %v", x.Err)
	}
}

// BenchmarkClient is one call and its answer on a kept connection: to a server of
// net/http, and to one that does next to nothing.
func BenchmarkClient(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer s.Close()
	trivial := rude(b, func(_ int, c net.Conn, head string, in *bufio.Reader) {
		answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		for {
			if _, err := c.Write(answer); err != nil {
				return
			}
			if strings.HasPrefix(head, "POST") {
				_, _ = in.Discard(len(`{"name":"a"}`))
			}
			for line := ""; line != "\r\n"; {
				b, err := in.ReadSlice('\n')
				if err != nil {
					return
				}
				line = string(b[:min(len(b), 2)])
			}
		}
	})
	for _, server := range []struct{ name, url string }{{"net-http", s.URL}, {"trivial", trivial}} {
		for _, r := range []Request{
			{Method: "GET", Target: "/things?limit=10"},
			{Method: "POST", Target: "/things", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"name":"a"}`)},
		} {
			b.Run(server.name+"/"+r.Method, func(b *testing.B) {
				c := newTestClient(b, Target{URL: server.url})
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				b.ReportAllocs()
				for b.Loop() {
					if x := c.Send(ctx, r); x.Err != nil {
						b.Fatal(x.Err)
					}
				}
			})
		}
	}
}
