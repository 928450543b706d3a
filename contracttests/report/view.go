package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/contracttests"
)

// What text and HTML, which people read, have in common.

// check is the kind of a finding; nil for a code that is not in the table.
func check(code string) *contracttests.CheckKind {
	for i := range contracttests.Checks {
		if contracttests.Checks[i].Code == code {
			return &contracttests.Checks[i]
		}
	}
	return nil
}

// subject is what was checked.
func (d *document) subject() string {
	if d.URL == "" {
		return d.API
	}
	return d.API + " at " + d.URL
}

// summary counts the findings.
func (d *document) summary() string {
	if d.Verdict == nothing && len(d.Findings) == 0 {
		return "nothing was checked"
	}
	s := "no breaches"
	if d.Known > 0 {
		s = "no new breaches"
	}
	if d.Breaches > 0 {
		s = count(d.Breaches, "breach")
	}
	if d.Observations > 0 {
		s += ", " + count(d.Observations, "observation")
	}
	if d.Known > 0 {
		s += fmt.Sprintf(", %d known", d.Known)
	}
	return s
}

// effort says how much was done.
func (d *document) effort() string {
	return count(d.Requests, "request") + " in " + duration(d.took)
}

func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// about is what the finding contradicts: a rule, or an operation.
func (f *finding) about() string {
	if f.Rule != "" {
		return f.Rule
	}
	return f.Operation
}

// source says how the rule is known.
func (f *finding) source() string {
	switch {
	case f.Cite == "":
		return f.Basis
	case f.Basis == "":
		return f.Cite
	}
	return f.Basis + ": " + f.Cite
}

// evidence says how sure the finding is.
func (f *finding) evidence() string {
	var parts []string
	if f.Known {
		parts = append(parts, "known: the baseline has it")
	}
	if f.Confirmed {
		parts = append(parts, "confirmed by a re-run")
	}
	if f.Unstable {
		parts = append(parts, "unstable: a re-run showed something else")
	}
	if f.Times > 1 {
		parts = append(parts, "seen "+count(f.Times, "time"))
	}
	return strings.Join(parts, ", ")
}

// answer is the outcome of a step in a few words.
func (s *step) answer() string {
	if s.Response == nil {
		if s.Error == "" {
			return "no answer"
		}
		return "no answer: " + s.Error
	}
	out := strconv.Itoa(s.Response.Status)
	if words := http.StatusText(s.Response.Status); words != "" {
		out += " " + words
	}
	if s.Response.Truncated {
		out += " (the body went on)"
	}
	if s.Error != "" {
		out += ", then: " + s.Error
	}
	return out
}

// answered is the body of the answer: JSON as compact as it can be, or indented.
func (s *step) answered(indent bool) string {
	if s.sent.Response == nil {
		return ""
	}
	b := s.sent.Response.Body
	var out bytes.Buffer
	switch {
	case len(b) > maxBody || !json.Valid(b):
		return string(b)
	case indent:
		_ = json.Indent(&out, b, "", "  ")
	default:
		_ = json.Compact(&out, b)
	}
	return out.String()
}

// A gap is what one reason kept from being exercised.
type gap struct {
	Why   string
	Items []covered
}

// gaps groups what was not exercised by reason, in order of appearance.
func gaps(list []covered) []gap {
	var out []gap
	index := map[string]int{}
	for _, c := range list {
		if c.Times > 0 {
			continue
		}
		why := c.Why
		if why == "" {
			why = "no reason given"
		}
		i, ok := index[why]
		if !ok {
			i = len(out)
			index[why] = i
			out = append(out, gap{Why: why})
		}
		out[i].Items = append(out[i].Items, c)
	}
	return out
}

// exercised counts what was.
func exercised(list []covered) int {
	n := 0
	for _, c := range list {
		if c.Times > 0 {
			n++
		}
	}
	return n
}

// A part is one kind of coverage.
type part struct {
	Name string
	List []covered
}

func (c *coverageDoc) parts() []part {
	all := []part{{"operations", c.Operations}, {"statuses", c.Statuses}, {"rules", c.Rules}}
	for _, p := range []part{{"parameters", c.Parameters}, {"keywords", c.Keywords}, {"transitions", c.Transitions}} {
		if len(p.List) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// bothWays counts the rules that decided some calls and let others by.
func bothWays(rules []covered) int {
	n := 0
	for _, r := range rules {
		if r.Times > 0 && r.Passed > 0 {
			n++
		}
	}
	return n
}

// mostGaps is how many names a report for people has behind one reason, of what there
// may be thousands of.
const mostGaps = 12

// shown are the names behind a reason that are shown, and how many are not.
func (g *gap) shown(kind string) (list []covered, more int) {
	if slices.Contains(unasked, g.Why) {
		return nil, len(g.Items)
	}
	if kind == "operations" || kind == "statuses" || kind == "rules" || len(g.Items) <= mostGaps {
		return g.Items, 0
	}
	return g.Items[:mostGaps], len(g.Items) - mostGaps
}

// unasked are reasons for which nobody wants to know the names.
var unasked = []string{"it is not asked for", "another shard has it"}

// rest is what stands in the place of names that are not shown.
func rest(shown, more int) string {
	if shown == 0 {
		return fmt.Sprintf("%d of them", more)
	}
	return fmt.Sprintf("and %d more, which the JSON report has", more)
}

// line is one sentence about a leftover.
func (l *leftover) line() string {
	s := l.Resource + " " + l.ID
	if l.Method == "" {
		return s + ": no operation removes it"
	}
	return s + ": " + l.Method + " " + l.Target + " removes it"
}

// empty tells whether nothing is known of the coverage, as when the run did not start.
func (c *coverageDoc) empty() bool { return len(c.Operations)+len(c.Statuses)+len(c.Rules) == 0 }

// wrap breaks prose into lines of at most width characters, at spaces only.
func wrap(s string, width int) []string {
	var lines []string
	for para := range strings.SplitSeq(s, "\n") {
		row, n := "", 0
		for i, word := range strings.Split(para, " ") {
			chars := utf8.RuneCountInString(word)
			if i > 0 && n+1+chars > width {
				lines = append(lines, strings.TrimRight(row, " "))
				row, n = "", 0
			} else if i > 0 {
				row += " "
				n++
			}
			row += word
			n += chars
		}
		lines = append(lines, row)
	}
	return lines
}

// lead is the beginning of what a server sent, fit to be seen.
func lead(s string, chars int, keep string) string {
	size := len(s)
	// More than this many bytes are never shown.
	if size > utf8.UTFMax*chars+utf8.UTFMax {
		s = s[:utf8.UTFMax*chars+utf8.UTFMax]
	}
	out := cut(visible(s, keep), chars)
	if len(out) < size && strings.HasSuffix(out, " …") {
		out += fmt.Sprintf(" (%d bytes)", size)
	}
	return out
}
