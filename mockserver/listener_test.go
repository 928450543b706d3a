package mockserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/mockserver"
)

// listen serves on a free port of the loopback interface.
func listen(t testing.TB, h http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() { _ = server.Serve(mockserver.Listener(l)) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// exchange sends raw bytes and reads one answer.
func exchange(t testing.TB, addr, raw string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	body, _ := io.ReadAll(res.Body)
	return res, string(body)
}

const owner = "Authorization: Bearer sk_live_abc123xyz789\r\n"

// TestRawRequests sends what no HTTP client would.
func TestRawRequests(t *testing.T) {
	s, _, _, _ := serve(t, "ayra")
	addr := listen(t, s)
	for _, tt := range []struct {
		name, raw string
		status    int
		want      string // in the body
	}{
		{"a bad escape is an id like another", "GET /v1/agents/%zz HTTP/1.1\r\nHost: x\r\n" + owner + "\r\n", 404, `"agent_id":"%zz"`},
		{"so is one at the end of the path", "GET /v1/agents/100% HTTP/1.1\r\nHost: x\r\n" + owner + "\r\n", 404, `"agent_id":"100%"`},
		{"a good escape is decoded", "GET /v1/agents/%41%2F HTTP/1.1\r\nHost: x\r\n" + owner + "\r\n", 404, `"agent_id":"A/"`},
		{"bytes that are not UTF-8 in a path", "GET /v1/agents/%ff HTTP/1.1\r\nHost: x\r\n" + owner + "\r\n", 404, `"agent_not_found"`},
		{"a bad escape in the query", "GET /v1/agents?search=%zz HTTP/1.1\r\nHost: x\r\n" + owner + "\r\n", 400, `"param":"search"`},
		{"a header without a colon", "GET /v1/agents HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, `"code":"unreadable-request"`},
		{"headers without end", "GET /v1/agents HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 200_000) + "\r\n\r\n", 431, `"code":"headers-too-large"`},
		{"no host", "GET /v1/agents HTTP/1.1\r\n\r\n", 400, `"code":"unreadable-request"`},
		{"a body that ends too soon", "POST /v1/agents HTTP/1.1\r\nHost: x\r\n" + owner + "Content-Length: 2\r\nConnection: close\r\n\r\n{\"", 400, `"validation_error"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, body := exchange(t, addr, tt.raw)
			if res.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%.80q = %d %s, want %d with %s", tt.raw, res.StatusCode, body, tt.status, tt.want)
			}
			if _, err := value.ParseString(body); err != nil {
				t.Errorf("%.80q: the body %q is no JSON: %v", tt.raw, body, err)
			}
		})
	}
}

// TestBodyIsNotMended: only a request line may be changed, never a body, also
// where the server writes 100 Continue before it.
func TestBodyIsNotMended(t *testing.T) {
	got := make(chan string, 1)
	addr := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- string(b)
	}))
	text := "50% off\r\n"
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(text))
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v; want 100 Continue", line, err)
	}
	fmt.Fprint(c, text)
	if b := <-got; b != text {
		t.Errorf("the body %q arrived as %q", text, b)
	}
}

// TestHalfClosed: a client that sends half a body and closes its side gets an
// answer, and nothing is kept.
func TestHalfClosed(t *testing.T) {
	s, _, _, _ := serve(t, "ayra")
	addr := listen(t, s)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /v1/agents HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"name\":", owner)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 400 {
		t.Errorf("status %d, want 400", res.StatusCode)
	}
}

// TestLargeBody: 10 MB are refused in the API's shape, and the client that sends
// them all before it listens sees the answer.
func TestLargeBody(t *testing.T) {
	s, _, _, _ := serve(t, "ayra")
	addr := listen(t, s)
	body := `{"name":"` + strings.Repeat("x", 10<<20) + `"}`
	for _, chunked := range []bool{false, true} {
		var r io.Reader = strings.NewReader(body)
		if chunked {
			r = struct{ io.Reader }{r}
		}
		req, err := http.NewRequest("POST", "http://"+addr+"/v1/agents", r)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer sk_live_abc123xyz789")
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("chunked %v: %v", chunked, err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 413 || !strings.Contains(string(b), `"error"`) {
			t.Errorf("chunked %v: %d %s, want 413 in the API's shape", chunked, res.StatusCode, b)
		}
	}
}
