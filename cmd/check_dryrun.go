package cmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// The kinds of calls that a dry run counts.
const (
	reads = iota
	creates
	changes
	deletes
	refused
	kinds
)

var kindNames = [kinds]string{"reads", "creates", "changes", "deletes", "refused"}

// A recorder counts what a run sends to a mock in this process.
type recorder struct {
	contracttests.Sender
	api *openapi.API

	mu    sync.Mutex
	count map[string]*[kinds]int // by operation; "" for methods that no operation has
	last  []*[kinds]int          // where the last changes were counted, of which more may be told
}

// mostLast is how many calls may be made at once before more is told of the first.
const mostLast = 8

func (r *recorder) Send(ctx context.Context, q contracttests.Request) contracttests.Exchange {
	x := r.Sender.Send(ctx, q)
	op := r.api.OperationByID(q.Operation)
	name := ""
	if op != nil {
		name = op.ID
	}
	kind := changes
	switch {
	case x.Response == nil || x.Response.Status >= 400:
		kind = refused
	case slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, q.Method), op != nil && !op.Writes():
		kind = reads
	case q.Method == http.MethodDelete:
		kind = deletes
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.count[name]
	if n == nil {
		n = &[kinds]int{}
		r.count[name] = n
	}
	n[kind]++
	if kind == changes {
		if r.last = append(r.last, n); len(r.last) > mostLast {
			r.last = r.last[1:]
		}
	}
	return x
}

// made is told what a change was: the making of a record, or its end.
func (r *recorder) made(e contracttests.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Gone || len(r.last) == 0 {
		return
	}
	n := r.last[len(r.last)-1]
	r.last = r.last[:len(r.last)-1]
	n[changes]--
	n[creates]++
}

// dryRun makes the run against a mock of the document in this process, and says what
// it was.
func dryRun(ctx context.Context, f checkFlags, config contracttests.Config, stdout io.Writer) error {
	mock, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: config.API, World: config.World.Fork(), Callers: config.Callers}}})
	if err != nil {
		return usageError{err}
	}
	dated := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat)) // as net/http does
		mock.ServeHTTP(w, r)
	})
	client := contracttests.NewClient(contracttests.Target{Handler: dated, API: config.API, Credentials: config.Credentials})
	defer client.Close()
	rec := &recorder{Sender: client, api: config.API, count: map[string]*[kinds]int{}}
	config.Sender, config.Ledger, config.MaxTime = rec, rec.made, 0
	result, err := config.Run(ctx)
	if err != nil {
		return usageError{err}
	}
	_, err = io.WriteString(stdout, f.wouldDo(config, rec, result))
	return err
}

// wouldDo is what a dry run prints.
func (f *checkFlags) wouldDo(config contracttests.Config, rec *recorder, result *contracttests.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "a run at %s would make about %s, seed %d; nothing was sent there\n", f.url, plural(result.Requests, "request"), f.seed)
	b.WriteString("(counted on a mock of the document with its fixtures: another server has other records)\n")
	if f.safe {
		b.WriteString("safe mode: it changes and removes nothing but what it has made itself\n")
	} else {
		b.WriteString("not safe mode: it changes and removes whatever is there; --safe confines it to what it has made\n")
	}
	width := len("methods of no operation")
	for _, p := range config.API.Paths {
		for _, op := range p.Operations {
			width = max(width, len(op.ID))
		}
	}
	row := func(name string, n *[kinds]int) {
		fmt.Fprintf(&b, "  %-*s", width, name)
		for k, label := range kindNames {
			cell := "."
			if n == nil {
				cell = label
			} else if n[k] > 0 {
				cell = fmt.Sprint(n[k])
			}
			fmt.Fprintf(&b, "  %*s", max(len(label), 6), cell)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	row("", nil)
	var total [kinds]int
	list := func(name, label string) {
		if n := rec.count[name]; n != nil {
			row(label, n)
			for k := range total {
				total[k] += n[k]
			}
		}
	}
	var out []string
	for _, p := range config.API.Paths {
		for _, op := range p.Operations {
			list(op.ID, op.ID)
			if rec.count[op.ID] == nil {
				out = append(out, op.ID)
			}
		}
	}
	list("", "methods of no operation")
	row("total", &total)
	if len(out) > 0 {
		b.WriteString("\nleft out\n")
	}
	for _, name := range out {
		why := "no call was found that it permits"
		for _, c := range result.Coverage.Operations {
			if c.Name == name && c.Why != "" {
				why = c.Why
			}
		}
		fmt.Fprintf(&b, "  %-*s  %s\n", width, name, why)
	}
	return b.String()
}
