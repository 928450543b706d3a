// Package cmd is the command line: flags become a config, a config a call, and
// what comes of it is printed. Nothing else happens here.
package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	exitGood   = 0
	exitFailed = 1 // a bad document or fixture, an address that is taken, a broken contract
	exitUsage  = 2
)

// usageError is a command line that cannot be carried out as it stands.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Main runs the command line and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "understudy",
		Short: "A stand-in for HTTP APIs that remembers, driven by their OpenAPI documents",
		Long: `understudy stands in for HTTP APIs. It validates requests and answers them with
state, as the behaviour rules in an OpenAPI document say. It also checks whether a
server keeps them.`,
		Example: `  understudy mock                 # all four APIs that come with it, on port 4010
  understudy mock ayra -p 0       # one of them, on a free port
  understudy check ayra --url http://127.0.0.1:4010/ayra`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; want mock, check or inspect", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(mockCommand(), checkCommand(), inspectCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, c.CommandPath())
	})
	err := root.Execute()
	if err == nil {
		return exitGood
	}
	fmt.Fprintln(stderr, "understudy: "+strings.TrimSpace(err.Error()))
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}
