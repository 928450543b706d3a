package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/infer"
)

type inspectFlags struct {
	overlays []string
	write    string
	why      bool
}

func inspectCommand() *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect <api|document>",
		Short: "Say what the operations of a document seem to do",
		Long: `Say what the operations of a document seem to do, from its paths, schemas and
responses alone: which resource each is about, and what becomes of it.

With --write the same is written as an OpenAPI Overlay: behaviour rules for the
operations that have none, to look at and to correct. "understudy mock DOCUMENT
--overlay FILE" runs them, and "understudy check" judges by them. Members of an
answer that neither the request nor a rule supplies are left out.`,
		Example: `  understudy inspect petstore.yaml
  understudy inspect petstore.yaml --write rules.yaml
  understudy mock petstore.yaml --overlay rules.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("inspect: %d arguments; want the name of one API (%s) or the file of an OpenAPI document", len(args), strings.Join(openapi.Names(), ", "))
			}
			return nil
		},
		RunE:      func(c *cobra.Command, args []string) error { return inspect(f, args[0], c.OutOrStdout()) },
		ValidArgs: openapi.Names(),
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringArrayVar(&f.overlays, "overlay", nil, "file with an OpenAPI Overlay that changes the document first; may be repeated")
	fl.StringVar(&f.write, "write", "", "file for the rules, as an Overlay; - for the standard output, instead of the table")
	fl.BoolVar(&f.why, "why", false, "say why, too")
	return c
}

func inspect(f inspectFlags, arg string, stdout io.Writer) error {
	d, err := parseDocument(arg)
	if err != nil {
		return err
	}
	source, err := d.source(f.overlays)
	if err != nil {
		return err
	}
	list, rules, err := openapi.Inspect(source)
	if err != nil {
		return err
	}
	if f.write == "-" {
		_, err := stdout.Write(rules)
		return err
	}
	if f.write != "" && rules != nil {
		if err := os.WriteFile(f.write, rules, 0o644); err != nil {
			return err
		}
	}
	if err := tabulate(stdout, list, f.why); err != nil {
		return err
	}
	switch {
	case f.write != "" && rules == nil:
		_, err = fmt.Fprintf(stdout, "nothing was written: every operation has rules, or nothing can be told of it\n")
	case f.write != "":
		_, err = fmt.Fprintf(stdout, "the rules are in %s\n", f.write)
	}
	return err
}

// tabulate prints a line for each operation.
func tabulate(out io.Writer, list []infer.Operation, why bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, op := range list {
		line := []string{op.Method, op.Path, string(op.Action), what(&op), fmt.Sprintf("%d %%", int(op.Confidence*100+0.5))}
		if why {
			line = append(line, op.Reason)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(line, "\t"), "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// what is the resource of an operation, how one is chosen, and what it is below.
func what(op *infer.Operation) string {
	if op.Resource == "" {
		return "-"
	}
	s := op.Resource
	if op.IDParam != "" {
		s += " by " + op.IDIn + " " + op.IDParam
	}
	for _, p := range op.Parents {
		if p.Resource != "" {
			s += ", below " + p.Resource
		}
	}
	return s
}
