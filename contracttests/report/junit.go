package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []*junitCase    `xml:"testcase"`
	Out        *junitText      `xml:"system-out"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Skipped *junitMessage `xml:"skipped"`
	Failure *junitFailure `xml:"failure"`
	Out     *junitText    `xml:"system-out"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

// A junitKey finds the case of a finding.
type junitKey struct{ operation, rule string }

// writeJUnit writes a case for each operation and each rule. A breach fails the case
// of its rule, or of its operation if the document's own words are broken; more
// breaches of one case share its failure, since most readers know only one.
func writeJUnit(w io.Writer, d *document) error {
	api := line(d.API)
	suite := junitSuite{
		Name: api, Time: seconds(d.took), Timestamp: d.began.Format(time.RFC3339),
		Properties: []junitProperty{{"url", line(d.URL)}, {"seed", d.Seed}, {"requests", fmt.Sprint(d.Requests)}},
		Out:        &junitText{visible(junitOut(d), "\n")},
	}
	cases := map[junitKey]*junitCase{}
	add := func(key junitKey, p position, why string) *junitCase {
		c := &junitCase{Class: api, Name: line(key.operation), Time: seconds(0), File: line(p.File), Line: p.Line}
		if key.rule != "" {
			c.Class, c.Name = junitRule(api, key.rule)
		}
		if why != "" {
			c.Skipped = &junitMessage{line(why)}
		}
		cases[key] = c
		suite.Cases = append(suite.Cases, c)
		return c
	}
	for i, list := range [][]covered{d.Coverage.Operations, d.Coverage.Rules} {
		for _, c := range list {
			key, why := junitKey{operation: c.Name}, ""
			if i == 1 {
				key = junitKey{rule: c.Name}
			}
			if c.Times == 0 {
				why = "not exercised"
				if c.Why != "" {
					why += ": " + c.Why
				}
			}
			add(key, c.Position, why)
		}
	}
	spent := map[*junitCase]time.Duration{}
	for i := range d.Findings {
		f := &d.Findings[i]
		key := junitKey{operation: f.Operation}
		if f.Rule != "" {
			key = junitKey{rule: f.Rule}
		}
		c, ok := cases[key]
		if !ok {
			c = add(key, f.Position, "")
			if c.Name == "" {
				c.Name = "(no operation)"
			}
		}
		for j := range f.Steps {
			spent[c] += f.Steps[j].sent.Took
		}
		c.Time = seconds(spent[c])
		c.Skipped = nil
		c.add(f)
	}
	for _, c := range suite.Cases {
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Skipped != nil:
			suite.Skipped++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	err := e.Encode(junitSuites{
		Name: "understudy check", Tests: suite.Tests, Failures: suite.Failures, Skipped: suite.Skipped, Time: suite.Time,
		Suites: []junitSuite{suite},
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// junitRule is the class and the name of a rule's case.
func junitRule(api, rule string) (class, name string) {
	operation, name, two := strings.Cut(rule, ".")
	if !two {
		return api, line(rule)
	}
	return api + "." + line(operation), line(name)
}

// add adds a finding to its case.
func (c *junitCase) add(f *finding) {
	var b strings.Builder
	// The same words as on a terminal.
	t := newTexter(&b, TextOptions{})
	t.finding(f)
	_ = t.Flush() // to memory, which does not fail
	text := strings.TrimSpace(b.String())
	switch {
	case !f.breach():
		if c.Out == nil {
			c.Out = &junitText{text}
		} else {
			c.Out.Text += "\n\n" + text
		}
	case c.Failure == nil:
		c.Failure = &junitFailure{Message: line(f.Title), Type: line(f.Code), Text: text}
	default:
		c.Failure.Message += "; " + line(f.Title)
		c.Failure.Text += "\n\n" + text
	}
}

// junitOut is what has no case: the notes, and the coverage of statuses.
func junitOut(d *document) string {
	var b strings.Builder
	for _, n := range d.Notes {
		fmt.Fprintln(&b, n)
	}
	for i := range d.Leftovers {
		fmt.Fprintf(&b, "left on the server: %s\n", d.Leftovers[i].line())
	}
	for _, v := range d.Coverage.Vacuous {
		fmt.Fprintf(&b, "exercised, but showing little: %s: %s\n", v.Name, v.Why)
	}
	for _, p := range d.Coverage.parts()[3:] {
		fmt.Fprintf(&b, "%d of %d %s exercised\n", exercised(p.List), len(p.List), p.Name)
	}
	n := exercised(d.Coverage.Statuses)
	fmt.Fprintf(&b, "%d of %d documented statuses exercised", n, len(d.Coverage.Statuses))
	for _, g := range gaps(d.Coverage.Statuses) {
		for _, c := range g.Items {
			fmt.Fprintf(&b, "\nnot exercised: %s: %s", c.Name, g.Why)
		}
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
