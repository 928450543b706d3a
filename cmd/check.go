package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/understudy-dev/understudy/openapi"
)

type checkFlags struct {
	url      string
	fixtures string
	overlays []string
	secrets  []string
	safe     bool
	dryRun   bool
	ledger   string
	cleanUp  string
	only     []string
	exclude  []string
	seed     uint64
	walk     int
	budget   string
	shard    string
	workers  int
	baseline string
	update   bool
	drift    bool
	lock     string
	reports  []string
	reset    string
	timeout  time.Duration
	maxTime  time.Duration
	rate     float64

	// What budget and shard say.
	most        int
	longest     time.Duration
	part, parts int
}

// How a mock can be seen to be alive, and put back.
const (
	healthPath = "/__admin/health"
	resetPath  = "/__admin/reset"
)

func checkCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check <api|document> --url URL",
		Short: "Check whether a server keeps the contract of an API",
		Long: `Check whether a server keeps the contract of an API: call it in every way that
the API's document and rules speak of, and report each answer that contradicts
them, with the calls that show it. The API is the file of an OpenAPI document
(--overlay adds rules to one that is not yours), or one that comes with
understudy: ` + strings.Join(openapi.Names(), ", ") + `.

A run creates, changes and deletes records. On this machine it changes whatever
is there, and --reset says how the server is put back. Anywhere else, and with
--safe, it changes and removes nothing but what it has made itself; --dry-run says
what that would be. What it makes it writes down, so that --clean-up removes what
a run has left that was stopped.

The exit status is 0 if nothing is broken (observations and what --baseline knows
break nothing), 1 if something is, and 2 if the command line cannot be carried out
or the server cannot be reached or put back.`,
		Example: `  understudy check ayra --url http://127.0.0.1:4010/ayra
  understudy check shop.yaml --url http://localhost:8080 --fixtures mine.yaml --reset /test/reset
  understudy check shop.yaml --url https://staging.example.com/v1 --credential bearer=… --dry-run
  understudy check shop.yaml --url http://localhost:8080 --report text --report junit=check.xml --baseline known.yaml
  understudy check --clean-up ledger.jsonl --url https://staging.example.com/v1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 0 && f.cleanUp == "" {
				return usagef("check: %d arguments; want one API, or one OpenAPI document: %s, or a file", len(args), strings.Join(openapi.Names(), ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if f.cleanUp != "" {
				return cleanUp(ctx, f, args, c.OutOrStdout())
			}
			return check(ctx, f, args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return openapi.Names(), cobra.ShellCompDirectiveDefault
		},
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.url, "url", "", "where the server is, perhaps with a base path; required")
	fl.StringArrayVar(&f.overlays, "overlay", nil, "file with an OpenAPI Overlay for the document; may be repeated")
	fl.StringVar(&f.fixtures, "fixtures", "", "file of the server's callers and records, instead of the API's own")
	fl.StringArrayVar(&f.secrets, "credential", nil, "scheme=secret of the ordinary caller, or caller.scheme=secret; may be repeated. The environment has "+credentialEnv+"<SCHEME>")
	fl.BoolVar(&f.safe, "safe", false, "change and remove nothing but what this run has made; always so where the server is not on this machine")
	fl.BoolVar(&f.dryRun, "dry-run", false, "say what a run would do, and send nothing")
	fl.StringVar(&f.ledger, "ledger", "", "file for what the run makes, until it is removed again; a safe run has one in the user's cache")
	fl.StringVar(&f.cleanUp, "clean-up", "", "remove what is left in this ledger, instead of a run")
	fl.StringSliceVar(&f.only, "only", nil, "check these operations, rules (operation.rule) or checks only: names or globs")
	fl.StringSliceVar(&f.exclude, "exclude", nil, "leave these operations, rules or checks out: names or globs")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of all that is chosen; equal seeds make equal runs")
	fl.IntVar(&f.walk, "walk", 300, "calls that the random walks make")
	fl.StringVar(&f.budget, "budget", "", `end early: a number of requests, a duration, or both: "2000 requests,30s"`)
	fl.StringVar(&f.shard, "shard", "", "i/n: the i-th of n parts of the operations, for runs that divide the work")
	fl.IntVar(&f.workers, "workers", 1, "parts of the run that are made at once, each in a world of its own; for mocks of understudy only")
	fl.StringVar(&f.baseline, "baseline", "", "file of findings that are known and fail no run")
	fl.BoolVar(&f.update, "update-baseline", false, "write the findings of this run into the baseline, and fail for none of them")
	fl.BoolVar(&f.drift, "against-mock", false, "compare each rule with the server, and with the run before: what is confirmed, contradicted, not exercised")
	fl.StringVar(&f.lock, "lock", lockFile, "file that --against-mock keeps the comparison in")
	fl.StringArrayVar(&f.reports, "report", nil, "text, which is printed unless another report is asked for, or format=file with a format of "+strings.Join(report.Formats, ", ")+"; may be repeated")
	fl.StringVar(&f.reset, "reset", "", `path below the origin of the URL to POST to, which puts the server back, or "none"; a mock of understudy has its own`)
	fl.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	fl.DurationVar(&f.maxTime, "max-time", 0, "an answer that takes longer is a finding; 0 for none")
	fl.Float64Var(&f.rate, "rate", 0, "the most calls per second; 0 for no limit")
	return c
}

// check is a run of the contract suite. Exit status 1 is for a broken contract
// alone: everything else that goes wrong is a usageError.
func check(ctx context.Context, f checkFlags, name string, stdout, stderr io.Writer) error {
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
	if f.dryRun {
		return dryRun(ctx, f, config, stdout)
	}
	keep, err := f.keep(config.API.Name)
	if err != nil {
		return err
	}
	client, err := f.client(ctx, base, &config)
	if err != nil {
		return err
	}
	defer client.Close()
	config.Sender = client
	admin := contracttests.NewClient(contracttests.Target{URL: base.Scheme + "://" + base.Host, Timeout: f.timeout})
	defer admin.Close()
	back, err := f.backPutter(ctx, admin)
	if err != nil {
		return err
	}
	if back.path != "" && back.path != "none" {
		config.Reset = back.reset
	}
	if err := open(outputs, stdout); err != nil {
		return err
	}
	book, err := f.book(name, base, config, stderr)
	if err != nil {
		return err
	}
	if book != nil {
		config.Ledger = book.keep
	}
	progress := newProgress(stderr, f.workers)
	var result *contracttests.Result
	if f.workers > 1 {
		result, err = runWorkers(ctx, f.workers, config, back, progress)
	} else {
		config.Progress = progress.of(0)
		result, err = config.Run(ctx)
	}
	progress.end()
	left := book.tell(f, stderr)
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
		result.Incomplete = true
	}
	keep.known(result)
	if err := write(outputs, result); err != nil {
		return err
	}
	if err := f.compare(name, config, result, keep, outputs, stdout); err != nil {
		return err
	}
	if err := f.updateBaseline(keep, result, stderr); err != nil {
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
	case left != nil:
		return usageError{left}
	case result.Incomplete && !result.Spent:
		return usagef("the run ended before it was done: the notes say why; --reset lets it go on")
	}
	return nil
}

// backPutter is how the server is put back: not at all where others may use it.
func (f *checkFlags) backPutter(ctx context.Context, admin *contracttests.Client) (*backPutter, error) {
	back := &backPutter{client: admin, path: f.reset}
	mock := !f.safe && (f.reset == "" || f.workers > 1) && back.mock(ctx)
	if f.reset == "" && mock {
		back.path = resetPath
	}
	switch {
	case f.workers == 1:
	case f.safe:
		return nil, usagef("--workers %d: a safe run makes its calls one after the other, for it reasons about what it alone has made; want 1", f.workers)
	case !mock:
		return nil, usagef("--workers %d: %s is no mock of understudy, and only those have a world for each worker; a run reasons about one state, so that its calls come one after the other. Want 1, or --shard for servers of their own", f.workers, f.url)
	case back.path != resetPath:
		return nil, usagef("--workers %d: every worker puts its own world back; want it without --reset", f.workers)
	}
	return back, nil
}

// book is the ledger of the run; nil if it needs none.
func (f *checkFlags) book(name string, base *url.URL, config contracttests.Config, stderr io.Writer) (*ledger, error) {
	if config.Reset != nil && f.ledger == "" || config.Reset == nil && f.ledger == "" && !f.safe {
		return nil, nil
	}
	var hide []string
	for _, list := range config.Credentials {
		for _, s := range list {
			hide = append(hide, s)
		}
	}
	slices.Sort(hide)
	head := ledgerHead{Ledger: 1, API: name, Overlays: f.overlays, URL: f.url, Began: time.Now().UTC().Format(time.RFC3339)}
	l, err := newLedger(f.ledger, head, hide)
	if err == nil {
		fmt.Fprintf(stderr, "what this run makes is written down in %s until it is removed\n", l.file)
	}
	return l, err
}

// tell ends a ledger, and says what is left in it. A nil one has nothing to say.
func (l *ledger) tell(f checkFlags, stderr io.Writer) error {
	if l == nil {
		return nil
	}
	n, err := l.end()
	if err != nil {
		return fmt.Errorf("the ledger %s: %w", l.file, err)
	}
	if n > 0 {
		fmt.Fprintf(stderr, "%d of what the run has made is left; this removes it: understudy check --clean-up %s --url %s\n", n, l.file, f.url)
	}
	return nil
}
