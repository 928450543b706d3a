package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/contracttests/report"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/openapi"
)

type checkFlags struct {
	url      string
	fixtures string
	overlays []string
	secrets  []string
	safe     bool
	only     []string
	exclude  []string
	budget   string
	shard    string
	ledger   string
	seed     uint64
	walk     int
	reports  []string
	reset    string
	timeout  time.Duration
	maxTime  time.Duration
	rate     float64
}

// How a mock can be seen to be alive, and put back.
const (
	healthPath = "/__admin/health"
	resetPath  = "/__admin/reset"
)

func checkCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check <api> --url URL",
		Short: "Check whether a server keeps the contract of an API",
		Long: `Check whether a server keeps the contract of an API: call it in every way that
the API's document and rules speak of, and report each answer that contradicts
them, with the calls that show it. The APIs are
` + strings.Join(openapi.Names(), ", ") + `.

The server must begin in the state of the fixtures. A run creates, changes and
deletes records: so far it calls servers on this machine only. Where nothing can
put the server back, the run ends at the first contradiction after which its
state is not known.

The exit status is 0 if nothing is broken (observations break nothing), 1 if
something is, and 2 if the command line cannot be carried out or the server
cannot be reached or put back.`,
		Example: `  understudy check ayra --url http://127.0.0.1:4010/ayra
  understudy check ayra --url http://localhost:8080 --fixtures mine.yaml --reset /test/reset
  understudy check ayra --url http://localhost:8080 --report text --report junit=check.xml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("check: %d arguments; want the name of one API: %s", len(args), strings.Join(openapi.Names(), ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return check(ctx, f, args[0], c.OutOrStdout())
		},
		ValidArgs: openapi.Names(),
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.url, "url", "", "where the server is, perhaps with a base path; required")
	fl.StringVar(&f.fixtures, "fixtures", "", "file of the server's callers and records, instead of the API's own")
	fl.StringArrayVar(&f.secrets, "credential", nil, "scheme=secret of the ordinary caller, or caller.scheme=secret; may be repeated. The environment has "+credentialEnv+"<SCHEME>")
	fl.StringArrayVar(&f.overlays, "overlay", nil, "file with an OpenAPI Overlay for the document; may be repeated")
	fl.BoolVar(&f.safe, "safe", false, "change and remove nothing but what this run has made; always so where the server is not on this machine")
	fl.StringSliceVar(&f.only, "only", nil, "check these operations, rules (operation.rule) or checks only: names or globs")
	fl.StringSliceVar(&f.exclude, "exclude", nil, "leave these operations, rules or checks out: names or globs")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of all that is chosen; equal seeds make equal runs")
	fl.IntVar(&f.walk, "walk", 300, "calls that the random walks make")
	fl.StringArrayVar(&f.reports, "report", nil, "text, which is printed unless another report is asked for, or format=file with a format of "+strings.Join(report.Formats, ", ")+"; may be repeated")
	fl.StringVar(&f.reset, "reset", "", `path below the origin of the URL to POST to, which puts the server back, or "none"; a mock of understudy has its own`)
	fl.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	fl.DurationVar(&f.maxTime, "max-time", 0, "an answer that takes longer is a finding; 0 for none")
	fl.Float64Var(&f.rate, "rate", 0, "the most calls per second; 0 for no limit")
	return c
}

// check is a run of the contract suite. Exit status 1 is for a broken contract
// alone: everything else that goes wrong is a usageError.
func check(ctx context.Context, f checkFlags, name string, stdout io.Writer) error {
	base, err := f.check()
	if err != nil {
		return err
	}
	outputs, err := parseReports(f.reports)
	if err != nil {
		return err
	}
	config, err := f.load(name)
	if err != nil {
		return err
	}
	if err := reach(ctx, base, f.timeout); err != nil {
		return usagef("%s cannot be reached: %w", f.url, err)
	}
	client := contracttests.NewClient(contracttests.Target{
		URL: f.url, API: config.API, Credentials: config.Credentials, Timeout: f.timeout, Rate: f.rate,
	})
	defer client.Close()
	config.Sender = client
	back := &backPutter{client: contracttests.NewClient(contracttests.Target{URL: base.Scheme + "://" + base.Host, Timeout: f.timeout})}
	defer back.client.Close()
	if back.path = f.reset; f.reset == "" && back.mock(ctx) {
		back.path = resetPath
	}
	if back.path != "" && back.path != "none" {
		config.Reset = back.reset
	}
	if err := open(outputs, stdout); err != nil {
		return err
	}
	result, err := config.Run(ctx)
	if result == nil {
		return usageError{err}
	}
	lost := back.err
	if config.Reset != nil {
		// What the run has made does not stay, even if it was stopped.
		lost = cmp.Or(lost, back.reset(context.WithoutCancel(ctx)))
	}
	if err != nil {
		result.Notes = append(result.Notes, "the run was stopped before its end")
	}
	if err := write(outputs, result); err != nil {
		return err
	}
	switch n := result.Breaches(); {
	case err != nil:
		return usagef("stopped before the end of the run")
	case n == 1:
		return errors.New("the contract is broken: 1 breach")
	case n > 1:
		return fmt.Errorf("the contract is broken: %d breaches", n)
	case lost != nil:
		return usagef("the server could not be put back: %w", lost)
	case result.Incomplete:
		return usagef("the run ended before it was done: the notes say why; --reset lets it go on")
	}
	return nil
}

// check looks at the flags, and is the URL.
func (f *checkFlags) check() (*url.URL, error) {
	if f.url == "" {
		return nil, usagef("--url is missing; want one like http://127.0.0.1:4010")
	}
	u, err := url.Parse(f.url)
	if err == nil && u.User != nil {
		return nil, usagef("--url holds a user; want it without: credentials are those of the fixtures")
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, usagef("--url %q: want a scheme, a host and perhaps a path, like http://127.0.0.1:4010/v1", f.url)
	}
	if !loopback(u.Hostname()) {
		return nil, usagef("--url %s: %s is not loopback (127.0.0.0/8, ::1, localhost): a run creates, changes and deletes records; "+
			"checking a server that others use needs the safe mode, which does not exist yet", f.url, u.Hostname())
	}
	switch {
	case f.walk < 0:
		return nil, usagef("--walk %d: want 0 or more calls", f.walk)
	case f.reset != "" && f.reset != "none" && !strings.HasPrefix(f.reset, "/"):
		return nil, usagef("--reset %q: want a path that begins with /, or none", f.reset)
	case f.timeout <= 0:
		return nil, usagef("--timeout %v: want more than 0", f.timeout)
	case f.maxTime < 0:
		return nil, usagef("--max-time %v: want 0 or more", f.maxTime)
	case f.rate < 0 || math.IsNaN(f.rate) || f.rate > 0 && f.rate < 0.001:
		return nil, usagef("--rate %v: want 0, or at least 0.001", f.rate)
	}
	return u, nil
}

// loopback is whether a host is this machine, whatever a resolver says.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// load reads the document and the fixtures, and makes a config of them that lacks
// the server.
func (f *checkFlags) load(name string) (c contracttests.Config, err error) {
	defer func() {
		if err != nil {
			err = usageError{err}
		}
	}()
	m := mockFlags{auth: "fixtures", seed: f.seed, overlays: f.overlays}
	s, err := m.loadOne(name, f.fixtures)
	if err != nil {
		return c, err
	}
	given, err := secrets(s.API, s.fixtures, f.secrets)
	if err != nil {
		return c, err
	}
	replaced := present(s.fixtures, given)
	if err := fit(s.API, s.fixtures); err != nil {
		return c, err
	}
	if s.Callers, err = s.fixtures.Known(s.API); err != nil {
		return c, err
	}
	c = contracttests.Config{
		API: s.API, World: s.World, Callers: s.Callers, Credentials: map[string]map[string]string{},
		Seed: f.seed, Walk: f.walk, MaxTime: f.maxTime, URL: f.url, Known: f.fixtures != "",
		Safe: f.safe, Only: f.only, Exclude: f.exclude,
	}
	if f.walk == 0 {
		c.Walk = -1
	}
	for _, caller := range s.fixtures.Callers {
		c.Names = append(c.Names, caller.Name)
		c.Credentials[caller.Name] = caller.Credentials
	}
	c.Examples, err = examples(s.API, c.Credentials)
	rewrite(c.Examples, replaced)
	return c, err
}

// examples are the documented calls of callers that are known.
func examples(api *openapi.API, known map[string]map[string]string) ([]contracttests.Request, error) {
	vectors, err := fixtures.Vectors(api)
	if err != nil {
		return nil, err
	}
	var list []contracttests.Request
	for _, v := range vectors {
		for _, q := range append(slices.Clone(v.Before), v.Request) {
			if _, ok := known[q.Caller]; q.Method == "" || q.Caller != "" && !ok {
				continue
			}
			header, body := q.Parts()
			r := contracttests.Request{Method: q.Method, Target: q.Path, Caller: q.Caller, Header: header}
			if body != "" {
				r.Body = []byte(body)
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// reach connects, and sends nothing.
func reach(ctx context.Context, u *url.URL, patience time.Duration) error {
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// A backPutter puts the server back to its first state.
type backPutter struct {
	client *contracttests.Client
	path   string
	err    error // the last one
}

func (b *backPutter) reset(ctx context.Context) error {
	x := b.client.Send(ctx, contracttests.Request{Method: http.MethodPost, Target: b.path})
	switch {
	case x.Err != nil:
		b.err = fmt.Errorf("POST %s: %w", b.path, x.Err)
	case x.Response.Status < 200 || x.Response.Status > 299:
		b.err = fmt.Errorf("POST %s is answered with %d; want 2xx", b.path, x.Response.Status)
	default:
		b.err = nil
	}
	return b.err
}

// mock is whether the server is one of ours. Other stand-ins have the same path and
// say more.
func (b *backPutter) mock(ctx context.Context) bool {
	x := b.client.Send(ctx, contracttests.Request{Method: http.MethodGet, Target: healthPath})
	if x.Err != nil || x.Response.Status != http.StatusOK {
		return false
	}
	var got map[string]any
	return json.Unmarshal(x.Response.Body, &got) == nil && len(got) == 1 && got["status"] == "healthy"
}

// An output is a report and where it goes to.
type output struct {
	format, file string // "" for stdout
	io.Writer
}

func parseReports(args []string) ([]output, error) {
	if len(args) == 0 {
		args = []string{"text"}
	}
	var list []output
	for _, arg := range args {
		format, file, named := strings.Cut(arg, "=")
		if !slices.Contains(report.Formats, format) {
			return nil, usagef("--report %s: unknown format %q; have %s", arg, format, strings.Join(report.Formats, ", "))
		}
		if named && file == "" || !named && format != "text" {
			return nil, usagef("--report %s: which file is it for? want %s=file", arg, format)
		}
		if slices.ContainsFunc(list, func(o output) bool { return o.file == file }) {
			if file == "" {
				file = "stdout"
			}
			return nil, usagef("--report %s: %s has another report already", arg, file)
		}
		list = append(list, output{format: format, file: file})
	}
	return list, nil
}

// open begins the files, so that a run is not made for nothing, and none keeps the
// report of an earlier one.
func open(list []output, stdout io.Writer) error {
	for i := range list {
		o := &list[i]
		if o.Writer = stdout; o.file == "" {
			continue
		}
		file, err := os.Create(o.file)
		if err != nil {
			return usagef("--report: %w", err)
		}
		o.Writer = file
	}
	return nil
}

// write writes all reports, and closes their files.
func write(list []output, r *contracttests.Result) error {
	var errs []error
	for _, o := range list {
		err := report.Write(o.format, o.Writer, r)
		if file, ok := o.Writer.(*os.File); ok && o.file != "" {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			errs = append(errs, usagef("the %s report: %w", o.format, err))
		}
	}
	return errors.Join(errs...)
}
