package cmd_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/understudy-dev/understudy/cmd"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"understudy": func() { os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScript runs testdata/script. Besides the commands of testscript there are
//
//	serve args…        starts "understudy args…", waits for its address, which
//	                   is then $URL and $PORT
//	end [signal]       ends it, with SIGTERM unless told otherwise; fails unless
//	                   the exit status is 0. What it printed is stdout and stderr,
//	                   with the address 127.0.0.1:4010 and 1µs for each duration
//	http METHOD path [key=… | header: … | body]…
//	                   sends a request; the status, the headers in order and the
//	                   body are stdout. The path may have Go's escapes (\u202e);
//	                   key=x is a bearer token
//	let NAME regexp    $NAME is the first group of the regexp in the last answer
//	status N           fails unless N is the status of the last answer
//	exits N cmd args…  runs a program that must end with that status
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "end": end, "http": request, "let": let, "status": status, "exits": exits,
		},
		Setup: func(e *testscript.Env) error {
			e.Values[theServer{}] = &server{}
			return nil
		},
	})
}

// theServer is the key of a script's server.
type theServer struct{}

// server is a background server, and its last answer.
type server struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	last   int
	body   string

	mu     sync.Mutex
	stdout bytes.Buffer
	read   chan struct{} // closed when stdout is at its end
}

func (s *server) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stdout.String()
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`)

// patience is how long a server may take for anything: forever, on a slow
// machine, is better than a test that fails now and then.
const patience = time.Minute

func serve(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(theServer{}).(*server)
	if neg || s.cmd != nil {
		ts.Fatalf("usage: serve args…, once until end")
	}
	*s = server{cmd: exec.Command("understudy", args...), read: make(chan struct{})}
	s.cmd.Dir = ts.Getenv("WORK")
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		if s.cmd != nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	found := make(chan string, 1)
	go func() {
		defer close(s.read)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			s.mu.Lock()
			s.stdout.WriteString(line)
			s.mu.Unlock()
			if m := address.FindStringSubmatch(line); m != nil {
				select {
				case found <- m[1]:
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case port := <-found:
		ts.Setenv("PORT", port)
		ts.Setenv("URL", "http://127.0.0.1:"+port)
	case <-s.read:
		_ = s.cmd.Wait()
		ts.Fatalf("understudy %s ended: %v\n%s%s", strings.Join(args, " "), s.cmd.ProcessState, s.printed(), s.stderr.String())
	case <-time.After(patience):
		ts.Fatalf("understudy %s printed no address:\n%s", strings.Join(args, " "), s.printed())
	}
}

// took is a duration in a log line.
var took = regexp.MustCompile(`\d[\d.]*(ns|µs|ms|s)\n|"us":\d+`)

func end(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(theServer{}).(*server)
	if neg || s.cmd == nil || len(args) > 1 {
		ts.Fatalf("usage: end [signal], after serve")
	}
	sig := map[string]os.Signal{"": syscall.SIGTERM, "SIGINT": os.Interrupt}[strings.Join(args, "")]
	if sig == nil {
		ts.Fatalf("unknown signal %q; want SIGINT or none", args)
	}
	ts.Check(s.cmd.Process.Signal(sig))
	select {
	case <-s.read:
	case <-time.After(patience):
		ts.Fatalf("the server does not end after %v", sig)
	}
	err := s.cmd.Wait()
	s.cmd = nil
	text := strings.ReplaceAll(s.printed(), ts.Getenv("PORT"), "4010")
	text = took.ReplaceAllStringFunc(text, func(d string) string {
		if strings.HasPrefix(d, `"`) {
			return `"us":1`
		}
		return "1µs\n"
	})
	_, _ = io.WriteString(ts.Stdout(), text)
	_, _ = io.WriteString(ts.Stderr(), s.stderr.String())
	if err != nil {
		ts.Fatalf("the server ended with %v after %v\n%s", err, sig, s.stderr.String())
	}
}

// client follows no redirect and no proxy.
var client = &http.Client{
	Transport:     &http.Transport{},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       patience,
}

var header = regexp.MustCompile(`^([A-Za-z-]+): (.*)$`)

func request(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(theServer{}).(*server)
	if neg || len(args) < 2 {
		ts.Fatalf("usage: http METHOD path [key=… | header: … | body]…")
	}
	path, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	u, err := url.Parse(ts.Getenv("URL") + path)
	ts.Check(err)
	r := &http.Request{Method: args[0], URL: u, Header: http.Header{}}
	for _, a := range args[2:] {
		key, isKey := strings.CutPrefix(a, "key=")
		h := header.FindStringSubmatch(a)
		switch {
		case isKey:
			r.Header.Set("Authorization", "Bearer "+key)
		case h != nil && h[1] == "Host":
			r.Host = h[2]
		case h != nil:
			r.Header.Add(h[1], h[2])
		default:
			r.Header.Set("Content-Type", cmp.Or(r.Header.Get("Content-Type"), "application/json"))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(a)), int64(len(a))
		}
	}
	res, err := client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	s.last, s.body = res.StatusCode, string(body)
	var lines []string
	for name, values := range res.Header {
		for _, v := range values {
			lines = append(lines, name+": "+v)
		}
	}
	slices.Sort(lines)
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n\n%s\n", res.StatusCode, strings.Join(lines, "\n"), bytes.TrimSpace(body))
}

func let(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(theServer{}).(*server)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: let NAME regexp")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(s.body)
	if m == nil {
		ts.Fatalf("nothing in the last answer matches %s:\n%s", args[1], s.body)
	}
	ts.Setenv(args[0], m[1])
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(theServer{}).(*server)
	if len(args) != 1 || (fmt.Sprint(s.last) == args[0]) == neg {
		ts.Fatalf("the status of the last answer is %d; want %s", s.last, strings.Join(args, " "))
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N program args…")
	}
	c := exec.Command(args[1], args[2:]...)
	c.Dir = ts.Getenv("WORK")
	c.Stdout, c.Stderr = ts.Stdout(), ts.Stderr()
	if err := c.Run(); c.ProcessState == nil {
		ts.Check(err)
	}
	if got := fmt.Sprint(c.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("%s: exit status %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}
