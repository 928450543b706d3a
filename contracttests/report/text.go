package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/understudy-dev/understudy/contracttests"
)

// TextOptions say how a text report looks.
type TextOptions struct {
	Color bool // with the colours of a terminal
	Width int  // where prose is broken, in columns; 0 means 100. Command lines are never broken.
}

// Text writes a report for a terminal. The verdict is its first line; the command of a
// step can be pasted into a shell as it stands. The error is one of w.
func Text(w io.Writer, r *contracttests.Result, opts TextOptions) error {
	return writeText(w, newDocument(r), opts)
}

// paint are the colours of a terminal.
type paint bool

const (
	red    = "1;31"
	yellow = "1;33"
	green  = "1;32"
	bold   = "1"
	dim    = "2"
)

func (p paint) as(color, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// A texter writes a text report. Lines that a server may have had a hand in are
// indented, each of them, so that none can pass for one of ours.
type texter struct {
	*bufio.Writer
	paint
	width int
}

func newTexter(w io.Writer, opts TextOptions) *texter {
	t := &texter{bufio.NewWriter(w), paint(opts.Color), opts.Width}
	if t.width <= 0 {
		t.width = 100
	}
	return t
}

func writeText(w io.Writer, d *document, opts TextOptions) error {
	t := newTexter(w, opts)
	color := map[verdict]string{broken: red, kept: green, nothing: yellow}[d.Verdict]
	fmt.Fprintf(t, "%s: %s; %s, seed %s\n", line(d.subject()), t.as(color, d.summary()), d.effort(), d.Seed)
	for i := range d.Findings {
		t.finding(&d.Findings[i])
	}
	t.coverage(&d.Coverage)
	if len(d.Leftovers) > 0 {
		fmt.Fprintf(t, "\n%s\n", t.as(bold, "left on the server"))
		for i := range d.Leftovers {
			t.prose("  ", "    ", line(d.Leftovers[i].line()))
		}
	}
	if len(d.Notes) > 0 {
		fmt.Fprintf(t, "\n%s\n", t.as(bold, "notes"))
		for _, n := range d.Notes {
			t.prose("  ", "  ", n)
		}
	}
	return t.Flush()
}

func (t *texter) finding(f *finding) {
	color := yellow
	if f.breach() {
		color = red
	}
	place := f.Position.String()
	if place != "" {
		place += ": "
	}
	fmt.Fprintf(t, "\n%s%s: %s\n", place, t.as(color, line(f.Code)), t.as(bold, line(f.Title)))
	head := f.Severity
	if f.about() != "" {
		head += " of " + f.about()
	}
	if s := f.source(); s != "" {
		head += "; " + s
	}
	if s := f.evidence(); s != "" {
		head += "; " + s
	}
	t.prose("  ", "  ", line(head))
	t.prose("  expected  ", "            ", f.Expected)
	t.prose("  got       ", "            ", f.Got)
	for i := range f.Steps {
		t.step(i+1, &f.Steps[i])
	}
	if len(f.Control) > 0 {
		t.prose("  ", "  ", "for comparison, this is answered properly")
	}
	for i := range f.Control {
		t.step(i+1, &f.Control[i])
	}
}

// step writes a call as a command, and what came of it. That is no comment for the
// shell: some shells run what is in a comment that was pasted.
func (t *texter) step(n int, s *step) {
	why := line(s.Why)
	if why == "" {
		why = "call"
	}
	fmt.Fprintf(t, "    %d. %s\n", n, why)
	fmt.Fprintf(t, "       %s\n", command(s.Curl))
	answer := line(s.answer())
	if b := s.answered(false); b != "" {
		answer += ": " + lead(b, 300, "")
	}
	arrow := "→ "
	for _, row := range wrap(answer, max(t.width-9, 20)) {
		fmt.Fprintf(t, "       %s%s\n", arrow, t.as(dim, row))
		arrow = "  "
	}
}

func (t *texter) coverage(c *coverageDoc) {
	if c.empty() {
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.as(bold, "coverage"))
	missing := false
	for _, p := range c.parts() {
		n := exercised(p.List)
		both := ""
		if p.Name == "rules" {
			both = fmt.Sprintf(", %d both ways", bothWays(p.List))
		}
		fmt.Fprintf(t, "  %-13s%d of %d%s\n", p.Name, n, len(p.List), both)
		missing = missing || n < len(p.List)
	}
	if len(c.Vacuous) > 0 {
		fmt.Fprintf(t, "\n%s\n", t.as(bold, "exercised, but showing little"))
		for _, v := range c.Vacuous {
			t.prose("  ", "    ", line(v.Name+": "+v.Why))
		}
	}
	if !missing {
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.as(bold, "not exercised"))
	for _, p := range c.parts() {
		for _, g := range gaps(p.List) {
			t.prose("  "+p.Name+": ", "    ", line(g.Why))
			list, more := g.shown(p.Name)
			names := make([]string, len(list), len(list)+1)
			for i, c := range list {
				// One word each, so that a line is not broken inside of it.
				names[i] = strings.ReplaceAll(line(c.Name), " ", "\u00a0")
			}
			if more > 0 {
				names = append(names, strings.ReplaceAll(rest(len(list), more), " ", "\u00a0"))
			}
			for _, row := range wrap(strings.Join(names, ", "), max(t.width-6, 20)) {
				fmt.Fprintf(t, "      %s\n", strings.ReplaceAll(row, "\u00a0", " "))
			}
		}
	}
}

// prose writes s, broken into lines, the first after one indent, the rest after
// another.
func (t *texter) prose(first, rest, s string) {
	for i, row := range wrap(visible(s, "\n"), max(t.width-len(rest), 20)) {
		indent := rest
		if i == 0 {
			indent = first
		}
		fmt.Fprintln(t, strings.TrimRight(indent+row, " "))
	}
}
