package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
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
	Drawn          bool   // some finding has a drawing, which has scripts
	Policy         string // what the page may do: the Content-Security-Policy
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
	Control  []htmlStep
	Picture  template.URL // the drawing; "" for none
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
	Both      int // of rules: seen both ways
	Gaps      []htmlGap
	Exercised []covered
}

type htmlGap struct {
	Why   string
	Items []covered
	Rest  string // in the place of those that are not shown
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
	groups := []htmlGroup{
		{Title: "What broke", Intro: "The server contradicts what its document states."},
		{
			Title: "Observations",
			Intro: "The server does otherwise where no document says what is right, or says the same in other words. These break nothing.",
		},
		{Title: "Known", Intro: "The baseline has these findings. They break nothing until they are taken out of it."},
	}
	var scripts []string
	for i := range d.Findings {
		f := newHTMLFinding(i+1, &d.Findings[i])
		p.Masked = p.Masked || slices.ContainsFunc(slices.Concat(f.Steps, f.Control), func(s htmlStep) bool { return strings.Contains(s.Command, "…") })
		if f.Drawing != "" {
			scripts = append(scripts, scriptsOf(f.Drawing)...)
		}
		g := &groups[1]
		switch {
		case f.Known:
			g = &groups[2]
		case f.breach():
			g = &groups[0]
		}
		g.Findings = append(g.Findings, f)
	}
	p.Policy, p.Drawn = policy(scripts), len(scripts) > 0
	for _, g := range groups {
		if len(g.Findings) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	for _, part := range d.Coverage.parts() {
		h := htmlPart{Name: part.Name, List: part.List, Of: len(part.List)}
		h.N = exercised(part.List)
		if part.Name == "rules" {
			h.Both = bothWays(part.List)
		}
		if h.Of > 0 {
			h.Percent = 100 * h.N / h.Of
		}
		for _, g := range gaps(part.List) {
			list, more := g.shown(part.Name)
			gap := htmlGap{Why: g.Why, Items: list}
			if more > 0 {
				gap.Rest = rest(len(list), more)
			}
			h.Gaps = append(h.Gaps, gap)
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
		out.Steps = append(out.Steps, newHTMLStep(&f.Steps[i]))
	}
	if n := len(out.Steps); n > 0 {
		out.Steps[n-1].Last = true
	}
	for i := range f.Control {
		out.Control = append(out.Control, newHTMLStep(&f.Control[i]))
	}
	if f.Drawing != "" {
		out.Picture = template.URL("data:text/html;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(f.Drawing)))
	}
	return out
}

func newHTMLStep(s *step) htmlStep {
	return htmlStep{Why: line(s.Why), Command: command(s.Curl), Answer: line(s.answer()), Body: lead(s.answered(true), 1500, "\n\t")}
}

// policy lets the page load and run nothing, but for the scripts of drawings, which
// run in frames that reach neither the page nor the network.
func policy(scripts []string) string {
	p := "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
	if len(scripts) > 0 {
		p += "; frame-src data:; script-src " + strings.Join(scripts, " ")
	}
	return p
}

var aScript = regexp.MustCompile(`(?is)<script[^>]*>(.*?)</script`)

// scriptsOf are the hashes of the scripts in a drawing, as a policy names them.
func scriptsOf(page string) (out []string) {
	for _, m := range aScript.FindAllStringSubmatch(page, -1) {
		sum := sha256.Sum256([]byte(strings.ReplaceAll(m[1], "\r\n", "\n")))
		out = append(out, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
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
