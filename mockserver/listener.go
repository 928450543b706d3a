package mockserver

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
)

// Listener makes the best of requests that net/http refuses by itself, in plain
// text, before any handler sees them. A % in the path that no two hexadecimal
// digits follow stands for itself, as in the URL standard, so that the API can say
// in its own words that there is no such thing. What remains (a header without a
// colon, headers without end) gets a clear answer.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	wrapped := &conn{Conn: c}
	wrapped.fresh.Store(true)
	return wrapped, nil
}

type conn struct {
	net.Conn
	fresh atomic.Bool // the next bytes may begin a request
	rest  []byte      // bytes that are to be read before those of Conn
}

// Read implements net.Conn. net/http reads and writes a connection one after
// the other, but may watch for its end meanwhile.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n < 2 || !c.fresh.Swap(false) { // one byte is the watch
		return n, err
	}
	if mended := mend(p[:n]); mended != nil {
		n = copy(p, mended)
		c.rest = mended[n:]
	}
	return n, err
}

// mend escapes each stray % of the request line. It returns nil where there is
// nothing to mend.
func mend(b []byte) []byte {
	end := bytes.IndexByte(b, '\n')
	if end < 0 || !bytes.HasSuffix(b[:end], []byte(" HTTP/1.1\r")) || bytes.IndexByte(b[:end], '%') < 0 {
		return nil
	}
	stop := end
	if q := bytes.IndexByte(b[:end], '?'); q >= 0 {
		stop = q // a query may hold anything
	}
	var out []byte
	from := 0
	for i := 0; i < stop; i++ {
		if b[i] == '%' && (i+2 >= stop || !isHex(b[i+1]) || !isHex(b[i+2])) {
			out = append(append(out, b[from:i]...), "%25"...)
			from = i + 1
		}
	}
	if out == nil {
		return nil
	}
	return append(out, b[from:]...)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// CloseWrite lets net/http end a connection so that the client still reads the
// answer.
func (c *conn) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// plain is how net/http begins such an answer, behind the status.
var plain = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// Write implements net.Conn. It replaces the body of what net/http answers by
// itself, which it always writes in one piece.
func (c *conn) Write(p []byte) (int, error) {
	c.fresh.Store(true)
	if len(p) > 12 && (p[9] == '4' || p[9] == '5') && bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		if head, reason, ok := bytes.Cut(p, plain); ok && !bytes.Contains(head, []byte("\r\n")) {
			if _, err := c.Conn.Write(unreadable(head, reason)); err != nil {
				return 0, err
			}
			return len(p), nil
		}
	}
	return c.Conn.Write(p)
}

// unreadable is the answer to a request that net/http could not read.
func unreadable(head, reason []byte) []byte {
	var status int
	_, _ = fmt.Sscanf(string(head), "HTTP/1.1 %d", &status)
	p := problem{Status: status, Code: "unreadable-request", Detail: "The request is not valid HTTP: " + string(reason) + "."}
	switch status {
	case 400:
		p.Hint = "Look at the request line (is each % in the path followed by two hexadecimal digits?) and at the headers."
	case 431:
		p.Code, p.Hint = "headers-too-large", "The request line and the headers together are larger than the server reads."
	}
	body := p.body()
	return fmt.Appendf(nil, "%s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, len(body), body)
}
