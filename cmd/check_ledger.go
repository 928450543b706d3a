package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
)

// A ledger is a file with what a run has made and not removed yet, a line each, so
// that a run that was killed can be cleaned up after. The first line says of which
// run it is.
type ledger struct {
	file    string
	secrets *strings.Replacer

	mu   sync.Mutex
	out  *os.File
	open map[string]bool
	err  error // the first
}

// ledgerHead is the first line of a ledger.
type ledgerHead struct {
	Ledger   int      `json:"ledger"` // 1
	API      string   `json:"api"`    // as on the command line
	Overlays []string `json:"overlays,omitempty"`
	URL      string   `json:"url"`
	Began    string   `json:"began"`
}

// ledgerLine is any other one.
type ledgerLine struct {
	Resource string      `json:"resource"`
	ID       string      `json:"id"`
	Gone     bool        `json:"gone,omitempty"`
	Undo     *ledgerUndo `json:"undo,omitempty"` // absent where no operation removes it
}

type ledgerUndo struct {
	Operation string      `json:"operation,omitempty"`
	Method    string      `json:"method"`
	Target    string      `json:"target"`
	Header    http.Header `json:"header,omitempty"`
	Body      string      `json:"body,omitempty"`
	Caller    string      `json:"caller,omitempty"` // whose credentials go with it; they are not written down
}

// newLedger begins a file. Without a name it is one in the user's cache.
func newLedger(name string, head ledgerHead, secrets []string) (*ledger, error) {
	if name == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, usagef("--ledger is missing, and there is no place for one: %w", err)
		}
		dir = filepath.Join(dir, "understudy", "ledgers")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, usagef("--ledger is missing, and there is no place for one: %w", err)
		}
		u, _ := url.Parse(head.URL)
		host := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
				return r
			}
			return '-'
		}, strings.ToLower(u.Host))
		name = filepath.Join(dir, fmt.Sprintf("%s-%s-%d.jsonl", host, time.Now().UTC().Format("20060102-150405"), os.Getpid()))
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, usagef("--ledger %s: is there already, and may hold what an earlier run has left; want another name, or understudy check --clean-up %s first", name, name)
	}
	if err != nil {
		return nil, usagef("--ledger: %w", err)
	}
	var pairs []string
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "…")
		}
	}
	l := &ledger{file: name, out: out, open: map[string]bool{}, secrets: strings.NewReplacer(pairs...)}
	l.line(head)
	if l.err != nil {
		return nil, usagef("--ledger: %w", l.err)
	}
	return l, nil
}

// line appends one line, in one piece.
func (l *ledger) line(v any) {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = l.out.Write(append(data, '\n'))
	}
	l.err = cmp.Or(l.err, err)
}

// keep is what a run tells.
func (l *ledger) keep(e contracttests.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := e.Resource + " " + e.ID
	if e.Gone {
		delete(l.open, key)
	} else {
		l.open[key] = true
	}
	n := ledgerLine{Resource: e.Resource, ID: e.ID, Gone: e.Gone}
	if e.Undo.Method != "" {
		n.Undo = &ledgerUndo{Operation: e.Undo.Operation, Method: e.Undo.Method, Target: l.secrets.Replace(e.Undo.Target), Caller: e.Undo.Caller,
			Body: l.secrets.Replace(string(e.Undo.Body)), Header: http.Header{}}
		for name, values := range e.Undo.Header {
			for _, v := range values {
				n.Undo.Header.Add(name, l.secrets.Replace(v))
			}
		}
	}
	l.line(n)
}

// end closes the file, and removes it if nothing is left. left is how much is.
func (l *ledger) end() (left int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = cmp.Or(l.err, l.out.Close())
	if len(l.open) == 0 && l.err == nil {
		return 0, os.Remove(l.file)
	}
	return len(l.open), l.err
}

// readLedger is the head of a ledger, and what was not gone when it ended, in the order
// in which it was made. A last line that was cut off is left out.
func readLedger(file string) (head ledgerHead, list []ledgerLine, err error) {
	data, _, err := readSmall("--clean-up", file)
	if err != nil {
		return head, nil, err
	}
	s := bufio.NewReader(bytes.NewReader(data))
	for n := 1; ; n++ {
		text, err := s.ReadBytes('\n')
		if err == io.EOF {
			if n == 1 {
				return head, nil, usagef("%s:1:1: is empty; want the ledger of a run", file)
			}
			return head, list, nil
		}
		if err != nil {
			return head, nil, err
		}
		if n == 1 {
			if err := json.Unmarshal(text, &head); err != nil || head.Ledger != 1 {
				return head, nil, usagef("%s:1:1: is no ledger; want one that understudy check has written", file)
			}
			continue
		}
		var e ledgerLine
		if err := json.Unmarshal(text, &e); err != nil {
			return head, nil, usagef("%s:%d:1: is no line of a ledger: %w", file, n, err)
		}
		list = slices.DeleteFunc(list, func(o ledgerLine) bool { return o.Resource == e.Resource && o.ID == e.ID })
		if !e.Gone {
			list = append(list, e)
		}
	}
}

// cleanUp removes what a run has left, the last first, and says what came of it.
func cleanUp(ctx context.Context, f checkFlags, args []string, stdout io.Writer) error {
	head, list, err := readLedger(f.cleanUp)
	if err != nil {
		return err
	}
	if f.url == "" {
		return usagef("--url is missing; the ledger is of %s", head.URL)
	}
	base, err := f.check()
	if err != nil {
		return err
	}
	if strings.TrimSuffix(f.url, "/") != strings.TrimSuffix(head.URL, "/") {
		return usagef("--url %s: the ledger is of %s; want that one", f.url, head.URL)
	}
	if len(args) == 0 {
		args = []string{head.API}
	}
	if len(f.overlays) == 0 {
		f.overlays = head.Overlays
	}
	config, err := f.load(args[0])
	if err != nil {
		return err
	}
	client, err := f.client(ctx, base, &config)
	if err != nil {
		return err
	}
	defer client.Close()
	out, err := appendLines(f.cleanUp)
	if err != nil {
		return usagef("--clean-up: %w", err)
	}
	l := &ledger{file: f.cleanUp, out: out, open: map[string]bool{}, secrets: strings.NewReplacer()}
	for _, e := range list {
		l.open[e.Resource+" "+e.ID] = true
	}
	removed, gone := 0, 0
	for _, e := range slices.Backward(list) {
		what, left := undo(ctx, client, config, &e)
		fmt.Fprintf(stdout, "%-8s %s %s%s\n", what, e.Resource, plain(e.ID), left)
		switch what {
		case "removed":
			removed++
		case "gone":
			gone++
		default:
			continue
		}
		l.keep(contracttests.Entry{Resource: e.Resource, ID: e.ID, Gone: true})
	}
	n, err := l.end()
	fmt.Fprintf(stdout, "%d removed, %d gone already, %d left\n", removed, gone, n)
	switch {
	case err != nil:
		return usagef("%s: %w", f.cleanUp, err)
	case n > 0:
		return fmt.Errorf("%d of what the run has made is left; %s still lists it", n, f.cleanUp)
	}
	return nil
}

// appendLines opens a file of lines to write more of them. A last line that was cut
// off is taken away.
func appendLines(file string) (*os.File, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if whole := bytes.LastIndexByte(data, '\n') + 1; whole < len(data) {
		if err := os.Truncate(file, int64(whole)); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
}

// undo sends one request of a ledger.
func undo(ctx context.Context, client contracttests.Sender, config contracttests.Config, e *ledgerLine) (what, why string) {
	switch {
	case e.Undo == nil:
		return "left", ": no operation removes it"
	case e.Undo.Caller != "" && config.Credentials[e.Undo.Caller] == nil:
		return "left", fmt.Sprintf(": the credentials of %s are not known; want --fixtures or --credential %s.scheme=secret", e.Undo.Caller, e.Undo.Caller)
	}
	q := contracttests.Request{Operation: e.Undo.Operation, Method: e.Undo.Method, Target: e.Undo.Target, Header: e.Undo.Header, Caller: e.Undo.Caller}
	if e.Undo.Body != "" {
		q.Body = []byte(e.Undo.Body)
	}
	x := client.Send(ctx, q)
	switch {
	case x.Response == nil:
		return "left", fmt.Sprintf(": %v", x.Err)
	case x.Response.Status == http.StatusNotFound || x.Response.Status == http.StatusGone:
		return "gone", ""
	case x.Response.Status >= 200 && x.Response.Status < 300:
		return "removed", ""
	}
	return "left", fmt.Sprintf(": %s %s is answered with %d", q.Method, plain(q.Target), x.Response.Status)
}

// plain is a text of a server in one line, without what a terminal obeys.
func plain(s string) string {
	q := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
