package mockserver

import (
	"bytes"
	"fmt"
	"net"
)

// Listener makes the answers to requests that are not even HTTP clear ones.
// net/http answers those by itself, in plain text, before any handler sees them:
// a bad escape in the path, a header without a colon, headers without end.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{c}, nil
}

type conn struct{ net.Conn }

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
		p.Code, p.Hint = "headers-too-large", "The headers are larger than the server reads."
	}
	body := p.body()
	return fmt.Appendf(nil, "%s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, len(body), body)
}
