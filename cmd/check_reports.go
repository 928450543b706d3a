package cmd

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/contracttests/report"
)

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
		var err error
		if o.file == "" {
			err = report.Text(o.Writer, r, report.TextOptions{Color: terminal(o.Writer) && os.Getenv("NO_COLOR") == ""})
		} else {
			err = report.Write(o.format, o.Writer, r)
		}
		if file, ok := o.Writer.(*os.File); ok && o.file != "" {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			errs = append(errs, usagef("the %s report: %w", o.format, err))
		}
	}
	return errors.Join(errs...)
}

// textOnStdout is whether something is printed for people to read.
func textOnStdout(list []output) bool {
	return slices.ContainsFunc(list, func(o output) bool { return o.file == "" })
}
