package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// bareEnv makes the test program a bare echo server that answers every request
// with the status and body in it.
const bareEnv = "UNDERSTUDY_TEST_BARE_ECHO"

func init() {
	spec, ok := os.LookupEnv(bareEnv)
	if !ok {
		return
	}
	code, body, _ := strings.Cut(spec, " ")
	status, _ := strconv.Atoi(code)
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	answer := func(c echo.Context) error {
		_, _ = io.Copy(io.Discard, c.Request().Body)
		return c.Blob(status, "application/json", []byte(body))
	}
	e.GET("/v1/agents/:id", answer)
	e.POST("/agents/create", answer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listens at http://%s\n", l.Addr())
	_ = http.Serve(l, e)
	os.Exit(0)
}

// start runs a server process and returns its address once it prints it.
func start(b *testing.B, cmd *exec.Cmd) string {
	b.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	_, rest, _ := strings.Cut(line, "http://")
	return strings.Fields(rest)[0]
}

// drive sends requests over some connections for a while and returns how many
// were answered with that status.
func drive(b *testing.B, addr string, request func(conn, i int) []byte, status int, length time.Duration) int {
	b.Helper()
	const conns = 16
	var wg sync.WaitGroup
	counts := make([]int, conns)
	stop := time.Now().Add(length)
	for n := range conns {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReaderSize(c, 16<<10)
			want := []byte(fmt.Sprintf("HTTP/1.1 %d ", status))
			for i := 0; time.Now().Before(stop); i++ {
				if _, err := c.Write(request(n, i)); err != nil {
					b.Error(err)
					return
				}
				length := 0
				for first := true; ; first = false {
					line, err := r.ReadSlice('\n')
					if err != nil {
						b.Error(err)
						return
					}
					if first && !bytes.HasPrefix(line, want) {
						b.Errorf("got %q, want %s", line, want)
						return
					}
					if len(line) == 2 {
						break
					}
					if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
						length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
					}
				}
				if _, err := r.Discard(length); err != nil {
					b.Error(err)
					return
				}
				counts[n]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// BenchmarkLoad puts the whole program under load from this process, in turn
// with a bare echo handler that writes the same bytes. It reports requests per
// second of both and their ratio in per cent.
func BenchmarkLoad(b *testing.B) {
	program := filepath.Join(b.TempDir(), "understudy")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	get := []byte("GET /v1/agents/agent_abc123xyz789 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk_live_abc123xyz789\r\n\r\n")
	for _, tt := range []struct {
		name    string
		api     string
		status  int
		request func(conn, i int) []byte
	}{
		{"get", "ayra", 200, func(int, int) []byte { return get }},
		{"create", "selise-blocks", 200, func(conn, i int) []byte {
			body := fmt.Sprintf(`{"name":"Agent %d.%d","description":"Answers","project_key":"p","create_from":"scratch"}`, conn, i)
			return fmt.Appendf(nil, "POST /agents/create HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			ours := start(b, exec.Command(program, "mock", tt.api, "-p", "0", "--quiet"))
			res, err := http.ReadResponse(bufio.NewReader(once(b, ours, tt.request(99, 0))), nil)
			if err != nil {
				b.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			bare := exec.Command(os.Args[0])
			bare.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", bareEnv, tt.status, body))
			theirs := start(b, bare)
			a, z := 0, 0
			const slice = 500 * time.Millisecond
			began := time.Duration(0)
			for b.Loop() {
				a += drive(b, ours, tt.request, tt.status, slice)
				z += drive(b, theirs, tt.request, tt.status, slice)
				began += slice
			}
			b.ReportMetric(float64(a)/began.Seconds(), "req/s")
			b.ReportMetric(float64(z)/began.Seconds(), "echo-req/s")
			b.ReportMetric(100*float64(a)/float64(z), "%-of-echo")
		})
	}
}

func once(b *testing.B, addr string, request []byte) io.Reader {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	return c
}
