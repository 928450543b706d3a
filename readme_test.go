package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/understudy-dev/understudy/cmd"
)

// TestMain makes the program, and curl where there is none, commands of the
// shell that runs the README.
func TestMain(m *testing.M) {
	programs := map[string]func(){
		"understudy": func() { os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	}
	if _, err := exec.LookPath("curl"); err != nil || filepath.Base(os.Args[0]) == "curl" {
		programs["curl"] = func() {
			if err := curl(os.Args[1:], os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, "curl:", err)
				os.Exit(1)
			}
		}
	}
	testscript.Main(m, programs)
}

// block is a fenced block of the README.
type block struct {
	line  int // of its first line
	kind  string
	lines []string
}

func readme(t *testing.T) (text string, blocks []block) {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	for i, line := range strings.Split(string(data), "\n") {
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{line: i + 2, kind: kind}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
	return string(data), blocks
}

// command is a line of the README that begins with "$ ", and what it shows.
type command struct {
	line int
	text string
	want []string // a line "…" stands for any lines
}

func (b block) commands() (list []command) {
	for i, line := range b.lines {
		if text, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, command{line: b.line + i, text: text})
		} else if n := len(list); n > 0 {
			list[n-1].want = append(list[n-1].want, line)
		}
	}
	return list
}

// testCommand is not run here: it is what runs here. .ci/run takes it from the
// README.
const testCommand = "go test ./..."

// TestReadmeCommands runs every line of a sh block that begins with "$ ", in
// order and in one shell, and compares what it prints. "go run . mock" is the
// server, on a port of its own.
func TestReadmeCommands(t *testing.T) {
	_, blocks := readme(t)
	sh := newShell(t)
	var server *process
	tests, logs := 0, 0
	for _, b := range blocks {
		if b.kind == "log" {
			logs += len(b.lines)
			for _, line := range b.lines {
				server.waitFor(t, line)
			}
		}
		if b.kind != "sh" {
			continue
		}
		if len(b.commands()) == 0 {
			t.Errorf("README.md:%d: a sh block without a command; each begins with \"$ \"", b.line)
		}
		for _, c := range b.commands() {
			if c.text == testCommand {
				tests++
				continue
			}
			if args, ok := strings.CutPrefix(c.text, "go run . mock"); ok {
				server.end(t)
				server = startServer(t, append([]string{"mock"}, strings.Fields(args)...))
				sh.port = server.port
				compare(t, c, server.printed())
				sh.tryLines(t, server.printed())
				server.reset(t)
				continue
			}
			compare(t, c, sh.run(t, strings.Replace(c.text, "go run . ", "understudy ", 1)))
		}
	}
	if server == nil || tests != 1 || logs == 0 {
		t.Errorf("the README starts a server: %t, shows %d log lines, and has %q %d times; want true, some, 1", server != nil, logs, testCommand, tests)
	}
	server.end(t)
}

// normal replaces what differs from run to run.
func normal(s string) string {
	for _, r := range []struct{ re, to string }{
		{`\s+$`, ""},
		{`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "<uuid>"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "<time>"},
		{`\d[\d.]*(µs|ms|s)$`, "<took>"},
		{`[\d,]+ requests in [\d.]+ m?s,`, "<effort>,"},
		{`(\.yaml):\d+:\d+`, "$1:<position>"},
		{`(127\.0\.0\.1|localhost):\d+`, "<address>"},
	} {
		s = regexp.MustCompile(r.re).ReplaceAllString(s, r.to)
	}
	return s
}

// compare holds what a command printed against what the README shows.
func compare(t *testing.T, c command, printed string) {
	t.Helper()
	got := strings.Split(strings.TrimRight(printed, "\n"), "\n")
	if printed == "" {
		got = nil
	}
	if !matches(c.want, got) {
		t.Errorf("README.md:%d: $ %s\ngot  %s\nwant %s", c.line, c.text, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
	}
}

func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "…" {
		for i := range len(got) + 1 {
			if matches(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && normal(want[0]) == normal(got[0]) && matches(want[1:], got[1:])
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		name, want, got string
		match           bool
	}{
		{"the same", "a\nb", "a\nb", true},
		{"another line", "a\nb", "a\nc", false},
		{"a line too many", "a", "a\nb", false},
		{"a line too few", "a\nb", "a", false},
		{"left out at the end", "a\n…", "a\nb\nc", true},
		{"left out in the middle", "a\n…\nd", "a\nb\nc\nd", true},
		{"left out, but the end differs", "a\n…\nd", "a\nb\nc", false},
		{"another status", "{} 204", "{} 404", false},
		{"another time", "at 2026-01-01T00:00:00Z", "at 2027-02-02T03:04:05.678Z", true},
		{"another port", "http://127.0.0.1:4010/a", "http://127.0.0.1:38211/a", true},
		{"another count", `{"active_calls":2}`, `{"active_calls":3}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := matches(strings.Split(tt.want, "\n"), strings.Split(tt.got, "\n")); got != tt.match {
				t.Errorf("want %q, got %q: matches = %t, want %t", tt.want, tt.got, got, tt.match)
			}
		})
	}
}

// patience is how long anything may take on a slow machine.
const patience = time.Minute

// process is a server that runs beside the test.
type process struct {
	cmd  *exec.Cmd
	port string
	done chan struct{}

	mu   sync.Mutex
	text []byte
	more chan struct{} // closed when there is more text
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`)

// startServer starts the program on a free port and waits for the end of its banner.
func startServer(t *testing.T, args []string) *process {
	t.Helper()
	p := &process{cmd: exec.Command("understudy", append(args, "-p", "0")...), done: make(chan struct{}), more: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() {
		defer close(p.done)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadBytes('\n')
			p.mu.Lock()
			p.text = append(p.text, line...)
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	p.waitFor(t, "Reset: curl -X POST http://127.0.0.1:4010/__admin/reset   Stop: Ctrl-C")
	p.port = address.FindStringSubmatch(p.printed())[1]
	return p
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text)
}

// waitFor waits until the process has printed a line like this one.
func (p *process) waitFor(t *testing.T, line string) {
	t.Helper()
	if p == nil {
		t.Fatalf("no server runs that could print %q", line)
	}
	for late := time.After(patience); ; {
		p.mu.Lock()
		text, more := string(p.text), p.more
		p.mu.Unlock()
		if slices.ContainsFunc(strings.SplitAfter(text, "\n"), func(l string) bool { return strings.HasSuffix(l, "\n") && normal(l) == normal(line) }) {
			return
		}
		select {
		case <-more:
		case <-p.done:
			t.Fatalf("the server ended; it printed\n%s\nwant the line\n%s", p.printed(), line)
		case <-late:
			t.Fatalf("the server printed\n%s\nwant the line\n%s", p.printed(), line)
		}
	}
}

func (p *process) reset(t *testing.T) {
	t.Helper()
	res, err := client.Post("http://127.0.0.1:"+p.port+"/__admin/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// end is Ctrl-C.
func (p *process) end(t *testing.T) {
	t.Helper()
	if p == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v, want exit status 0", err)
	}
}

// shell is one sh for all commands, so that a variable set by one is known to
// the next.
type shell struct {
	in   io.Writer
	out  *bufio.Reader
	port string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	c := exec.Command("sh")
	c.Stderr = os.Stderr
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			c.Env = append(c.Env, v)
		}
	}
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatalf("the README's commands need sh: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait()
	})
	return &shell{in: in, out: bufio.NewReader(out)}
}

const mark = "=== end of a command of the README ==="

// run is what a command prints.
func (s *shell) run(t *testing.T, text string) string {
	t.Helper()
	text = strings.NewReplacer("localhost:4010", "127.0.0.1:"+s.port, "127.0.0.1:4010", "127.0.0.1:"+s.port).Replace(text)
	if _, err := fmt.Fprintf(s.in, "%s\necho; echo '%s'\n", text, mark); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("$ %s: %v after %q", text, err, b.String())
		}
		if line == mark+"\n" {
			return strings.TrimSuffix(b.String(), "\n")
		}
		b.WriteString(line)
	}
}

// tryLines runs the curl lines that the server offers: each must succeed.
func (s *shell) tryLines(t *testing.T, banner string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^  try +(curl .*)$`).FindAllStringSubmatch(banner, -1)
	if len(lines) != strings.Count(banner, "\n  at ") {
		t.Errorf("%d of the APIs offer a line to try; want all %d", len(lines), strings.Count(banner, "\n  at "))
	}
	for _, l := range lines {
		if got := s.run(t, l[1]+` -so /dev/null -w '%{http_code}\n'`); got != "200\n" {
			t.Errorf("$ %s\nends with %q, want 200", l[1], got)
		}
	}
}

var client = &http.Client{Transport: &http.Transport{}, Timeout: patience}

// curl is as much of curl as the README uses, for machines that have none:
// -s -S -i -X -H -d -o -w.
func curl(args []string, stdout io.Writer) error {
	method, body, format, url := "", "", "", ""
	include, out := false, stdout
	header := http.Header{"Accept": {"*/*"}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			url = arg
			continue
		}
		for i, f := range arg[1:] {
			value := ""
			if strings.ContainsRune("XHdow", f) {
				if value = arg[i+2:]; value == "" && len(args) > 0 {
					value, args = args[0], args[1:]
				}
			}
			switch f {
			case 's', 'S':
			case 'i':
				include = true
			case 'X':
				method = value
			case 'H':
				name, text, _ := strings.Cut(value, ":")
				header.Add(name, strings.TrimSpace(text))
			case 'd':
				body = value
			case 'o':
				if value != "-" {
					out = io.Discard
				}
			case 'w':
				format = value
			default:
				return fmt.Errorf("option -%c is not one that the README may use", f)
			}
			if value != "" {
				break
			}
		}
	}
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	if body != "" && method == "" {
		method = "POST"
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if include {
		fmt.Fprintf(out, "%s %s\r\n", res.Proto, res.Status)
		_ = res.Header.Write(out)
		_, _ = io.WriteString(out, "\r\n")
	}
	if _, err := io.Copy(out, res.Body); err != nil {
		return err
	}
	_, err = io.WriteString(stdout, strings.NewReplacer(`%{http_code}`, fmt.Sprint(res.StatusCode), `\n`, "\n").Replace(format))
	return err
}

// TestReadmeFlags compares the README's tables with the flags of the commands.
func TestReadmeFlags(t *testing.T) {
	text, _ := readme(t)
	for _, command := range []string{"mock", "check"} {
		t.Run(command, func(t *testing.T) {
			_, section, found := strings.Cut(text, "\n## `understudy "+command+" ")
			if !found {
				t.Fatalf("the README has no section about %s", command)
			}
			section, _, _ = strings.Cut(section, "\n## ")
			shown := map[string]string{}
			for _, m := range regexp.MustCompile("(?m)^\\| (?:`-\\w`, )?`(--[a-z-]+)` \\| (?:`([^`]*)`)? *\\|").FindAllStringSubmatch(section, -1) {
				shown[m[1]] = m[2]
			}
			var help bytes.Buffer
			cmd.Main([]string{command, "--help"}, &help, io.Discard)
			have := map[string]string{}
			for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+) .*?(?:\(default "?([^")]*)"?\))?$`).FindAllStringSubmatch(help.String(), -1) {
				have[m[1]] = m[2]
			}
			delete(have, "--help")
			if len(have) == 0 {
				t.Fatalf("no flags found in\n%s", help.String())
			}
			for name, value := range have {
				if got, ok := shown[name]; !ok || got != value {
					t.Errorf("the README's table has %s with the default %q (there: %t), want %q", name, got, ok, value)
				}
			}
			for name := range shown {
				if _, ok := have[name]; !ok {
					t.Errorf("the README's table has %s, which %s has not", name, command)
				}
			}
		})
	}
}

// TestReadmeRules: what the README shows of a document is there, word for word.
func TestReadmeRules(t *testing.T) {
	document, err := os.ReadFile("openapi/ayra.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, blocks := readme(t)
	shown := 0
	for _, b := range blocks {
		if b.kind != "yaml" {
			continue
		}
		shown++
		found := false
		for indent := range 12 {
			pad := strings.Repeat(" ", indent)
			found = found || strings.Contains(string(document), "\n"+pad+strings.Join(b.lines, "\n"+pad)+"\n")
		}
		if !found {
			t.Errorf("README.md:%d: openapi/ayra.yaml has no lines\n%s", b.line, strings.Join(b.lines, "\n"))
		}
	}
	if shown == 0 {
		t.Error("the README shows no rule")
	}
}

// TestReadmeNames: every API with its caller, package, library, benchmark and
// file is named as it is.
func TestReadmeNames(t *testing.T) {
	text, _ := readme(t)
	for pkg := range arrows {
		if pkg != "." && !strings.Contains(text, "─ "+pkg+" ") {
			t.Errorf("the README's diagram lacks the package %s", pkg)
		}
	}

	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		if !strings.Contains(text, "`"+m[1]+"`") {
			t.Errorf("the README gives no reason for the library %s", m[1])
		}
	}

	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("the README links to %s: %v", m[1], err)
		}
	}

	benchmarks := ""
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, "_test.go") && !d.IsDir() {
			data, err := os.ReadFile(name)
			benchmarks += string(data)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`(Benchmark\\w+)").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(benchmarks, "func "+m[1]+"(") {
			t.Errorf("the README names %s, which is no benchmark", m[1])
		}
	}
}

// TestReadmeCallers: the credentials that the README shows for each API are
// those of the first caller, whom the server names first.
func TestReadmeCallers(t *testing.T) {
	text, _ := readme(t)
	server := startServer(t, []string{"mock"})
	defer server.end(t)
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([^|`]+) \\| (.*) \\|$").FindAllStringSubmatch(text, -1) {
		rows[m[1]] = m[0]
	}
	found := regexp.MustCompile(`(?m)^(.+), \d+ operations \((\S+)\)\n(?:  .*\n)*?  try +curl (.*) http`).FindAllStringSubmatch(server.printed(), -1)
	if len(found) == 0 || len(found) != strings.Count(server.printed(), "\n  at ") {
		t.Fatalf("found %d APIs in\n%s", len(found), server.printed())
	}
	for _, api := range found {
		row := rows[api[2]]
		if !strings.Contains(row, " "+api[1]+" ") {
			t.Errorf("the README's row of %s is %q; want the title %q", api[2], row, api[1])
		}
		for _, h := range regexp.MustCompile(`-H '([^']*)'`).FindAllStringSubmatch(api[3], -1) {
			if !strings.Contains(row, "`"+h[1]+"`") {
				t.Errorf("the README's row of %s is %q; want the header %q", api[2], row, h[1])
			}
		}
	}
}
