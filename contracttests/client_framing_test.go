package contracttests

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestClientFraming: bodies in chunks, bodies that wait to be wanted, and names that
// are spelled oddly.
func TestClientFraming(t *testing.T) {
	const ok = "HTTP/1.1 204 No Content\nConnection: close\n\n"
	post := func(headers ...string) Request {
		return same(Request{Method: "POST", Target: "/", Header: http.Header{"Content-Type": {"a/b"}, "Accept": nil, "User-Agent": nil}, Body: []byte("abcdef")}, "", headers...)
	}
	for _, tt := range []struct {
		name    string
		request Request
		first   string // what the server says when it has the head
		rest    string // of the request, behind its head
		head    string // a part of it
		kind    callKind
		status  int
	}{
		{"chunks", post("Transfer-Encoding", "chunked"), "", "3\nabc\n3\ndef\n0\n\n", "Transfer-Encoding: chunked\n", 0, 204},
		{"chunks of nothing are no body", Request{Method: "GET", Target: "/", Header: http.Header{"Transfer-Encoding": {"chunked"}}}, "", "", "Accept-Encoding: identity\n\n", 0, 204},
		{"another transfer coding is not ours", post("Transfer-Encoding", "gzip"), "", "abcdef", "Content-Length: 6\n\n", 0, 204},
		{"a body that is wanted", post("Expect", "100-continue"), "HTTP/1.1 100 Continue\n\n", "abcdef", "Expect: 100-continue\n", 0, 204},
		{"a body that is not wanted", post("Expect", "100-continue"), "HTTP/1.1 417 Expectation Failed\nContent-Length: 0\n\n", "", "", 0, 417},
		{"no HTTP, to one that waits", post("Expect", "100-continue"), "what?\n", "", "", malformed, 0},
		{"names in another case", post("content-type", "", "aCCEPT", "*/*"), "", "abcdef", "aCCEPT: */*\ncontent-type: a/b\n", 0, 204},
		{"a name of nothing in another case", post("x-nothing", ""), "", "abcdef", "Content-Type: a/b\nAccept-Encoding: identity\nContent-Length: 6\n\n", 0, 204},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan string, 1)
			url := rude(t, func(_ int, c net.Conn, head string, in *bufio.Reader) {
				_, _ = io.WriteString(c, lines(tt.first))
				rest := make([]byte, len(lines(tt.rest)))
				_, _ = io.ReadFull(in, rest)
				if got <- head + string(rest); tt.kind == 0 && tt.status == 204 {
					_, _ = io.WriteString(c, lines(ok))
				}
			})
			x := newTestClient(t, Target{URL: url}).Send(context.Background(), tt.request)
			if kindOf(x.Err) != tt.kind || x.Response == nil != (tt.status == 0) || x.Response != nil && x.Response.Status != tt.status {
				t.Fatalf("got %+v, %v, want %d", x.Response, x.Err, tt.status)
			}
			if sent := <-got; !strings.Contains(sent, lines(tt.head)) || !strings.HasSuffix(sent, "\r\n\r\n"+lines(tt.rest)) {
				t.Errorf("sent %q, want a head with %q, and %q behind it", sent, tt.head, tt.rest)
			}
		})
	}
	// Who says nothing gets the body after a while, and in time.
	url := rude(t, func(_ int, c net.Conn, _ string, in *bufio.Reader) { _, _ = in.ReadByte() })
	c := newTestClient(t, Target{URL: url, Timeout: 30 * time.Millisecond})
	if x := c.Send(context.Background(), post("Expect", "100-continue")); x.Err == nil || x.Response != nil {
		t.Errorf("got %+v, %v, want no answer", x.Response, x.Err)
	}
}

// TestClientDeadline: a connection that is used again has a deadline that fits.
func TestClientDeadline(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	w := &wire{Conn: here}
	at := time.Now()
	for _, tt := range []struct {
		name    string
		begin   time.Duration // behind at
		timeout time.Duration
		want    time.Duration
	}{
		{"at first", 0, 10 * time.Second, 11 * time.Second},
		{"soon after: as it is", 900 * time.Millisecond, 10 * time.Second, 11 * time.Second},
		{"later", 2 * time.Second, 10 * time.Second, 13 * time.Second},
		{"of a short timeout", 20 * time.Second, 100 * time.Millisecond, 20*time.Second + 110*time.Millisecond},
	} {
		if err := w.arm(at.Add(tt.begin+tt.timeout), tt.timeout); err != nil || w.deadline.Sub(at) != tt.want {
			t.Errorf("%s: the deadline is %v (%v), want %v", tt.name, w.deadline.Sub(at), err, tt.want)
		}
	}
}
