package contracttests

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A message is a request as it is written.
type message struct {
	method, target, host string // target with the base path and credentials
	header               http.Header
	body                 []byte
	last                 bool // Connection: close
	chunked              bool
	waits                bool // until the server wants the body
}

// prepare makes a message of a request. With an error, the message may be nil.
func (c *Client) prepare(r *Request) (*message, error) {
	if !isToken(r.Method) {
		return nil, fmt.Errorf("the method %q cannot be sent", r.Method)
	}
	if !strings.HasPrefix(r.Target, "/") || strings.ContainsFunc(r.Target, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return nil, fmt.Errorf("the target %q cannot be sent; want a path without spaces and control characters", r.Target)
	}
	m := &message{method: r.Method, host: c.host, body: r.Body, header: make(http.Header, len(r.Header)+4)}
	for n, vs := range r.Header {
		m.header[n] = slices.Clone(vs)
	}
	path, query, marked := strings.Cut(r.Target, "?")
	secrets := r.Credentials
	if secrets == nil && r.Caller != "" {
		known := false
		if secrets, known = c.target.Credentials[r.Caller]; !known {
			m.target = c.path + r.Target
			return m, fmt.Errorf("there are no credentials of %q; have those of %s", r.Caller, strings.Join(slices.Sorted(maps.Keys(c.target.Credentials)), ", "))
		}
	}
	if len(secrets) > 0 {
		if c.target.API == nil {
			m.target = c.path + r.Target
			return m, errors.New("without an API there is no way to present credentials")
		}
		present := &http.Request{Header: m.header, URL: &url.URL{RawQuery: query}}
		c.target.API.Present(present, secrets)
		query = present.URL.RawQuery
	}
	if m.target = c.path + path; marked || query != "" {
		m.target += "?" + query
	}
	m.spell(r.Header)
	if h := m.get("Host"); h != "" {
		m.host = h
	}
	m.last = strings.EqualFold(m.get("Connection"), "close")
	m.chunked = len(m.body) > 0 && strings.EqualFold(m.get("Transfer-Encoding"), "chunked")
	m.waits = len(m.body) > 0 && strings.EqualFold(m.get("Expect"), "100-continue")
	delete(m.header, "Host")
	delete(m.header, "Content-Length")
	if !m.chunked {
		delete(m.header, "Transfer-Encoding")
	}
	m.unlessSet("User-Agent", "understudy")
	m.unlessSet("Accept", "*/*")
	for n, vs := range m.header {
		if !isToken(n) || strings.ContainsAny(m.host, "\r\n\x00") || slices.ContainsFunc(vs, func(v string) bool { return strings.ContainsAny(v, "\r\n\x00") }) {
			return m, fmt.Errorf("the header %q cannot be sent", n)
		}
	}
	return m, nil
}

// spell writes header names as a request has them.
func (m *message) spell(as http.Header) {
	for n := range as {
		usual := http.CanonicalHeaderKey(n)
		if usual == n {
			continue
		}
		if len(m.header[n]) == 0 {
			m.header[n] = m.header[usual]
		}
		if delete(m.header, usual); len(m.header[n]) == 0 {
			delete(m.header, n)
		}
	}
}

// get is the first value of a header, however it is spelled.
func (m *message) get(name string) string {
	for n, vs := range m.header {
		if len(vs) > 0 && len(n) == len(name) && strings.EqualFold(n, name) {
			return vs[0]
		}
	}
	return ""
}

// unlessSet gives a header that the request neither has nor wants left out.
func (m *message) unlessSet(name, v string) {
	for n := range m.header {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return
		}
	}
	m.header[name] = []string{v}
}

// isToken is whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// head appends the request line and the headers, in a steady order.
func (m *message) head(b []byte) []byte {
	line := func(name, v string) {
		b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
	}
	b = append(append(append(append(b, m.method...), ' '), m.target...), " HTTP/1.1\r\n"...)
	line("Host", m.host)
	var room [16]string
	names := room[:0]
	for n := range m.header {
		names = append(names, n)
	}
	slices.Sort(names)
	coded := false
	for _, n := range names {
		coded = coded || strings.EqualFold(n, "Accept-Encoding")
		for _, v := range m.header[n] {
			line(n, v)
		}
	}
	if !coded {
		line("Accept-Encoding", "identity")
	}
	if !m.chunked && (m.body != nil || m.method == http.MethodPost || m.method == http.MethodPut || m.method == http.MethodPatch) {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(m.body)), 10), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// chunks are how many pieces a body is sent in, where it is sent in pieces.
const chunks = 3

// payload appends the body as it is framed.
func (m *message) payload(b []byte) []byte {
	if !m.chunked {
		return append(b, m.body...)
	}
	size := len(m.body)/chunks + 1
	for part := range slices.Chunk(m.body, size) {
		b = append(append(strconv.AppendInt(b, int64(len(part)), 16), "\r\n"...), part...)
		b = append(b, "\r\n"...)
	}
	return append(b, "0\r\n\r\n"...)
}
