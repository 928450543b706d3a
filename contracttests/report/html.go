package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"line": line,
	"text": func(s string) string { return visible(s, "\n\t") },
	"add":  func(a, b int) int { return a + b },
	"link": func(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") },
}).Parse(page))

// htmlPage is what the template shows.
type htmlPage struct {
	*document
	Mark, Headline string
	Title          string
	Summary        string
	Effort         string
	When           string
	Again          string // the command that does the run again
	Masked         bool   // some command has a masked credential
	Groups         []htmlGroup
	Parts          []htmlPart
	Covered        bool // the coverage is known
	Gaps           bool // it has gaps
}

// A htmlGroup has the findings of one severity.
type htmlGroup struct {
	Title, Intro string
	Findings     []htmlFinding
}

type htmlFinding struct {
	*finding
	N        int // from 1
	Place    string
	Check    string // what the check holds
	About    string
	Evidence string
	Steps    []htmlStep
}

type htmlStep struct {
	Why, Command, Answer, Body string
	Last                       bool
}

type htmlPart struct {
	Name      string
	List      []covered
	N, Of     int
	Percent   int
	Gaps      []gap
	Exercised []covered
}

// htmlHeads are the first glance.
var htmlHeads = map[verdict][2]string{
	broken:  {"✗", "The contract is broken"},
	kept:    {"✓", "The contract holds"},
	nothing: {"?", "Nothing was checked"},
}

// writeHTML writes one page that needs nothing else: no script, no other file, no
// network, and no colour.
func writeHTML(w io.Writer, d *document) error {
	head := htmlHeads[d.Verdict]
	p := htmlPage{
		document: d, Mark: head[0], Headline: head[1], Title: line(d.Title), Summary: d.summary(), Effort: d.effort(),
		When:    d.began.Format("2 January 2006, 15:04:05 MST"),
		Covered: !d.Coverage.empty(),
		Again:   command("understudy check " + quote(d.API) + " --url " + quote(d.URL) + " --seed " + d.Seed),
	}
	breaches := htmlGroup{Title: "What broke", Intro: "The server contradicts what its document states."}
	observed := htmlGroup{
		Title: "Observations",
		Intro: "The server does otherwise where no document says what is right, or says the same in other words. These break nothing.",
	}
	for i := range d.Findings {
		f := newHTMLFinding(i+1, &d.Findings[i])
		p.Masked = p.Masked || slices.ContainsFunc(f.Steps, func(s htmlStep) bool { return strings.Contains(s.Command, "…") })
		if f.breach() {
			breaches.Findings = append(breaches.Findings, f)
		} else {
			observed.Findings = append(observed.Findings, f)
		}
	}
	for _, g := range []htmlGroup{breaches, observed} {
		if len(g.Findings) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	for _, part := range d.Coverage.parts() {
		h := htmlPart{Name: part.Name, List: part.List, Of: len(part.List), Gaps: gaps(part.List)}
		h.N = exercised(part.List)
		if h.Of > 0 {
			h.Percent = 100 * h.N / h.Of
		}
		for _, c := range part.List {
			if c.Times > 0 {
				h.Exercised = append(h.Exercised, c)
			}
		}
		p.Gaps = p.Gaps || len(h.Gaps) > 0
		p.Parts = append(p.Parts, h)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func newHTMLFinding(n int, f *finding) htmlFinding {
	out := htmlFinding{finding: f, N: n, Place: f.Position.String(), About: line(f.about()), Evidence: f.evidence()}
	if kind := check(f.Code); kind != nil {
		out.Check = kind.Title
	}
	for i := range f.Steps {
		s := &f.Steps[i]
		out.Steps = append(out.Steps, htmlStep{
			Why: line(s.Why), Command: command(s.Curl), Answer: line(s.answer()),
			Body: lead(s.answered(true), 1500, "\n\t"), Last: i == len(f.Steps)-1,
		})
	}
	return out
}

// quote is a word for a shell, in quotes where it needs them.
func quote(s string) string {
	plain := s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == ""
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
