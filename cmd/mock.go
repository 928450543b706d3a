package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/mockserver/faults"
	"github.com/understudy-dev/understudy/openapi"
)

type mockFlags struct {
	port       int
	host       string
	overlays   []string
	fixtures   []string
	auth       string
	seed       uint64
	rateLimits bool
	log        string
	quiet      bool
	fault      string
}

func mockCommand() *cobra.Command {
	var f mockFlags
	c := &cobra.Command{
		Use:   "mock [api…]",
		Short: "Stand in for APIs, with state",
		Long: `Stand in for APIs: validate requests, answer them as the API's rules say, and
remember. Without an argument all APIs that come with understudy are served:
` + strings.Join(openapi.Names(), ", ") + `.

An OpenAPI document of your own is served, too: give its file, or name=file. An
Overlay document (--overlay) changes a document before it is served, so that rules
can be added to one that somebody else owns.

Each API is reachable under its own path prefix (/ayra/v1/agents), by its host
name in the Host header, and at the root where no other API claims the path.
POST /__admin/reset puts the records back; an X-Understudy-World header gives a
test a world of its own.

With --fault the server breaks one rule on purpose, for all APIs, so that you can
see whether your tests notice. The faults are:
` + faultTable(),
		Example: `  understudy mock
  understudy mock ayra temujin -p 8080 --log json
  understudy mock ayra --fixtures ayra=my-agents.yaml --rate-limits
  understudy mock petstore.yaml --overlay rules.yaml --fixtures pets.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return mock(ctx, f, args, c.OutOrStdout(), c.ErrOrStderr())
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return openapi.Names(), cobra.ShellCompDirectiveDefault
		},
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.IntVarP(&f.port, "port", "p", 4010, "port to listen on; 0 chooses a free one")
	fl.StringVar(&f.host, "host", "127.0.0.1", "address to listen on")
	fl.StringArrayVar(&f.overlays, "overlay", nil, "Overlay document that changes the API's document; with several APIs api=file; may be repeated")
	fl.StringArrayVar(&f.fixtures, "fixtures", nil, "fixture file instead of the API's own; with several APIs api=file; may be repeated")
	fl.StringVar(&f.auth, "auth", "fixtures", `whose credentials are good: those in the fixtures, or "any" that are presented`)
	fl.Uint64Var(&f.seed, "seed", 1, "seed of ids and other choices; equal seeds and requests have equal answers")
	fl.BoolVar(&f.rateLimits, "rate-limits", false, "refuse requests beyond the rate limits with 429, instead of only counting them")
	fl.StringVar(&f.log, "log", "text", "one line per request as text or json")
	fl.StringVar(&f.fault, "fault", "", "break one rule on purpose; the faults are listed above")
	fl.BoolVar(&f.quiet, "quiet", false, "print the address only")
	return c
}

// faultTable is a line for each fault.
func faultTable() string {
	width := 0
	for _, f := range faults.All {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	for _, f := range faults.All {
		fmt.Fprintf(&b, "\n  %-*s  %s", width, f.Name, f.Summary)
	}
	return b.String()
}

func (f *mockFlags) check() error {
	if f.port < 0 || f.port > 65535 {
		return usagef("--port %d: want 0 to 65535", f.port)
	}
	if f.auth != "fixtures" && f.auth != "any" {
		return usagef("--auth %q: want fixtures or any", f.auth)
	}
	if f.log != "text" && f.log != "json" {
		return usagef("--log %q: want text or json", f.log)
	}
	if f.fault != "" {
		if _, err := faults.ByName(f.fault); err != nil {
			return usagef("--fault: %w", err)
		}
	}
	return nil
}

// stand is one API, ready to be served.
type stand struct {
	mockserver.Served
	fixtures *fixtures.Fixtures
	anybody  bool // nobody is known, so any credentials are good
}

// load reads documents and fixtures.
func (f *mockFlags) load(args []string) ([]stand, error) {
	if len(args) == 0 {
		args = openapi.Names()
	}
	documents, names := make([]document, len(args)), make([]string, len(args))
	for i, arg := range args {
		d, err := parseDocument(arg)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names[:i], d.name) {
			if d.file != "" {
				return nil, usagef("%s is named twice; want another name: name=%s", d.name, d.file)
			}
			return nil, usagef("%s is named twice", d.name)
		}
		documents[i], names[i] = d, d.name
	}
	files, err := f.fixtureFiles(names)
	if err != nil {
		return nil, err
	}
	overlays := map[string][]string{}
	for _, arg := range f.overlays {
		name, file, err := whose("--overlay", arg, names)
		if err != nil {
			return nil, err
		}
		overlays[name] = append(overlays[name], file)
	}
	stands := make([]stand, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, d := range documents {
		wg.Go(func() { stands[i], errs[i] = f.stand(d, overlays[d.name], files[d.name]) })
	}
	wg.Wait()
	return stands, errors.Join(errs...)
}

// loadOne is the only API of a command line, with all overlays of the flags.
func (f *mockFlags) loadOne(arg, fixtures string) (s stand, err error) {
	d, err := parseDocument(arg)
	if err != nil {
		return s, err
	}
	return f.stand(d, f.overlays, fixtures)
}

// stand loads one API. file is that of the fixtures, or "" for the API's own.
func (f *mockFlags) stand(d document, overlays []string, file string) (s stand, err error) {
	if s.API, err = d.load(overlays); err != nil {
		return s, err
	}
	switch {
	case file != "":
		var data []byte
		if data, err = os.ReadFile(file); err != nil {
			return s, err
		}
		s.fixtures, err = fixtures.Load(s.API, file, data)
	case d.file != "":
		s.fixtures = &fixtures.Fixtures{}
	default:
		s.fixtures, err = fixtures.Builtin(s.API)
	}
	if err != nil {
		return s, err
	}
	if s.Callers, err = s.fixtures.Known(s.API); err != nil {
		return s, err
	}
	nobody := len(s.fixtures.Callers) == 0
	if f.auth == "any" || nobody && d.file != "" {
		any := behavior.NewCaller("anybody", []string{"*"}, value.Value{}, time.Time{})
		if !nobody {
			any = s.fixtures.Callers[0].Caller
		}
		s.Callers.AcceptAny(any)
		s.anybody = nobody
	}
	s.World, err = s.API.Plan.NewWorld(behavior.WorldConfig{Records: s.fixtures.Records, Seed: f.seed})
	if err != nil {
		return s, fmt.Errorf("%s: %w", d.name, err)
	}
	s.World.EnforceQuotas = f.rateLimits
	return s, nil
}

// fixtureFiles says which file each API gets.
func (f *mockFlags) fixtureFiles(names []string) (map[string]string, error) {
	files := map[string]string{}
	for _, arg := range f.fixtures {
		name, file, err := whose("--fixtures", arg, names)
		if err != nil {
			return nil, err
		}
		if old, twice := files[name]; twice {
			return nil, usagef("--fixtures %s: %s has %s already; want one file", arg, name, old)
		}
		files[name] = file
	}
	return files, nil
}

// whose says which API a file is for: one that is named before it, the only
// one, or that with the name of the file.
func whose(flag, arg string, names []string) (name, file string, err error) {
	name, file, named := strings.Cut(arg, "=")
	if !named {
		file = arg
		base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".yml"), ".yaml")
		switch {
		case len(names) == 1:
			name = names[0]
		case slices.Contains(names, base):
			name = base
		default:
			return "", "", usagef("%s %s: which API is it for? want %s=%s", flag, arg, names[0], file)
		}
	}
	if !slices.Contains(names, name) {
		return "", "", usagef("%s %s: %q is not served; have %s", flag, arg, name, strings.Join(names, ", "))
	}
	return name, file, nil
}

func mock(ctx context.Context, f mockFlags, names []string, stdout, stderr io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	stands, err := f.load(names)
	if err != nil {
		return err
	}
	config := mockserver.Config{}
	for _, s := range stands {
		config.APIs = append(config.APIs, s.Served)
	}
	log := newLog(stdout, f.log == "json")
	defer log.close()
	if !f.quiet {
		config.Log = log.entry
	}
	server, err := mockserver.New(config)
	if err != nil {
		return err
	}
	var handler http.Handler = server
	if f.fault != "" {
		fault, err := faults.ByName(f.fault)
		if err != nil {
			return err
		}
		for _, s := range stands {
			handler = fault.Wrap(handler, s.API)
		}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(f.host, strconv.Itoa(f.port)))
	if err != nil {
		return listenError(err, f)
	}
	base := "http://" + listener.Addr().String()
	if f.quiet || f.log == "json" {
		log.listening(base, stands)
	} else {
		log.print(banner(base, stands, f))
	}
	// The state is large and lives long, requests are small and short: collecting
	// half as often as usual is worth its memory.
	debug.SetGCPercent(200)
	return serve(ctx, mockserver.Listener(listener), handler, stderr)
}

func listenError(err error, f mockFlags) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d of %s is in use; choose another with --port, or a free one with --port 0", f.port, f.host)
	}
	return fmt.Errorf("cannot listen on port %d of %s: %w", f.port, f.host, err)
}

// serve answers until the context ends, then lets requests finish.
func serve(ctx context.Context, l net.Listener, h http.Handler, stderr io.Writer) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          errorLog(stderr),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		_ = server.Close()
	}
	return nil
}

// banner says what is served, as whom one can call, and how to begin.
func banner(base string, stands []stand, f mockFlags) string {
	var b strings.Builder
	fmt.Fprintf(&b, "understudy listens at %s and stands in for\n", base)
	for _, s := range stands {
		fmt.Fprintf(&b, "\n%s (%s)\n", s.Describe(), s.Name)
		hosts := ""
		if len(s.Hosts) > 0 {
			hosts = ", or with Host: " + strings.Join(s.Hosts, " or ")
		}
		fmt.Fprintf(&b, "  at     %s/%s%s\n", base, s.Name, hosts)
		if s.anybody && len(s.Schemes()) > 0 {
			b.WriteString("  as     anybody      with any credentials\n")
		}
		width := 12
		for _, c := range s.fixtures.Callers {
			width = max(width, len(c.Name))
		}
		for i, c := range s.fixtures.Callers {
			label := "       "
			if i == 0 {
				label = "  as   "
			}
			fmt.Fprintf(&b, "%s  %-*s %s\n", label, width, c.Name, credentials(s.API, c))
		}
		if line := tryLine(base, s); line != "" {
			fmt.Fprintf(&b, "  try    %s\n", line)
		}
	}
	if f.auth == "any" {
		b.WriteString("\nAny credentials are accepted.\n")
	}
	if fault, err := faults.ByName(f.fault); err == nil { // "" is none
		fmt.Fprintf(&b, "\nOn purpose this server has the fault %s: %s\n", fault.Name, fault.Summary)
	}
	fmt.Fprintf(&b, "\nReset: curl -X POST %s/__admin/reset   Stop: Ctrl-C\n\n", base)
	return b.String()
}

// credentials is one line of what a caller presents.
func credentials(api *openapi.API, c fixtures.Caller) string {
	var parts []string
	for _, scheme := range api.Schemes() {
		if secret, ok := c.Credentials[scheme]; ok {
			parts = append(parts, scheme+" "+secret)
		}
	}
	if !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
		return strings.Join(parts, ", ") + " (expired)"
	}
	return strings.Join(parts, ", ")
}

// tryLine is a curl command that works: the first operation that needs nothing
// but credentials.
func tryLine(base string, s stand) string {
	for _, p := range s.Paths {
		if op := p.Operation(http.MethodGet); op != nil && len(p.Names) == 0 {
			args := append([]string{"curl"}, s.CurlArguments(s.secrets(op))...)
			return strings.Join(append(args, base+"/"+s.Name+p.Template), " ")
		}
	}
	return ""
}

// secrets are credentials that an operation accepts: those of the first caller,
// or made up where any are good.
func (s *stand) secrets(op *openapi.Operation) map[string]string {
	if len(s.fixtures.Callers) > 0 {
		return s.fixtures.Callers[0].Credentials
	}
	if !s.anybody {
		return nil
	}
	all, tries := map[string]string{}, []map[string]string{nil}
	for _, scheme := range s.Schemes() {
		all[scheme] = "any:thing" // curl asks for the password of a user without a colon
		tries = append(tries, map[string]string{scheme: all[scheme]})
	}
	for _, t := range tries {
		r := &http.Request{Method: op.Method, URL: &url.URL{Path: op.Path}, Header: http.Header{}}
		s.Present(r, t)
		if op.Call(r, nil, nil, s.Callers, openapi.Limits{}, time.Now()).Auth == behavior.Granted {
			return t
		}
	}
	return all
}
