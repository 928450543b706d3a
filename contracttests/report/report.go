// Package report writes down what a run of the contract suite has found: as text
// for a terminal, JSON for programs, JUnit for CI, HTML for people, SARIF for code
// hosts, HAR for the tools that replay traffic.
//
// Two promises hold in every format. Credentials are masked, also where the server
// repeats them. And nothing that a server sent can act: markup, control characters
// and invalid UTF-8 are shown, not obeyed.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/contracttests"
)

// Formats are the names that [Write] knows.
var Formats = []string{"text", "json", "junit", "html", "sarif", "har"}

// writers has a function for each of [Formats].
var writers = map[string]func(io.Writer, *document) error{
	"text":  func(w io.Writer, d *document) error { return writeText(w, d, TextOptions{}) },
	"json":  writeJSON,
	"junit": writeJUnit,
	"html":  writeHTML,
	"sarif": writeSARIF,
	"har":   writeHAR,
}

// Write writes the report of r in one of the [Formats]. Text is without colour, 100
// columns wide; [Text] can do otherwise.
func Write(format string, w io.Writer, r *contracttests.Result) error {
	if !slices.Contains(Formats, format) {
		return fmt.Errorf("unknown report format %q; want %s", format, strings.Join(Formats, ", "))
	}
	return writers[format](w, newDocument(r))
}
