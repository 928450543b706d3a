package report

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/contracttests"
)

// A document is a result without credentials: what all formats are made of, and,
// as it stands, the JSON report. Members are only added to it while Version stays.
// No list is ever null; times are RFC 3339 in UTC.
type document struct {
	Version      int         `json:"version"` // 1
	Verdict      verdict     `json:"verdict"`
	API          string      `json:"api"`
	Title        string      `json:"title"`
	URL          string      `json:"url"`
	Seed         string      `json:"seed"` // a decimal number of 64 bits, which JSON numbers cannot be trusted with
	Began        string      `json:"began"`
	TookMS       float64     `json:"took_ms"`
	Requests     int         `json:"requests"`
	Breaches     int         `json:"breaches"`     // how many findings are breaches
	Observations int         `json:"observations"` // how many are not
	Known        int         `json:"known"`        // how many findings are in the baseline; neither of the two counts them
	Incomplete   bool        `json:"incomplete"`   // the run ended before it was done; the notes say why
	Findings     []finding   `json:"findings"`     // breaches first
	Coverage     coverageDoc `json:"coverage"`
	Leftovers    []leftover  `json:"leftovers"` // what the run has made and could not remove
	Notes        []string    `json:"notes"`

	began time.Time
	took  time.Duration
}

// A verdict is the whole report in one word.
type verdict string

const (
	broken  verdict = "broken"  // there are breaches
	kept    verdict = "kept"    // there are none, as far as was looked
	nothing verdict = "nothing" // there was no request, so nobody knows
)

type finding struct {
	Key       string   `json:"key"` // tells causes apart, the same in every run
	Code      string   `json:"code"`
	Severity  string   `json:"severity"` // "breach" or "observation"
	Operation string   `json:"operation,omitempty"`
	Rule      string   `json:"rule,omitempty"`
	Position  position `json:"position"`
	Basis     string   `json:"basis,omitempty"`
	Cite      string   `json:"cite,omitempty"`
	Title     string   `json:"title"`
	Expected  string   `json:"expected"`
	Got       string   `json:"got"`
	Times     int      `json:"times"`
	Confirmed bool     `json:"confirmed"`
	Unstable  bool     `json:"unstable"`
	Known     bool     `json:"known"` // it is in the baseline, and breaks nothing
	Steps     []step   `json:"steps"`
	Control   []step   `json:"control,omitempty"` // for comparison: calls that are answered properly
	Drawing   string   `json:"drawing,omitempty"` // a page of HTML that shows which calls overlapped
}

// breach tells whether the finding breaks the contract.
func (f *finding) breach() bool { return f.Severity == string(contracttests.Breach) && !f.Known }

// A leftover is a record that is still there, and the request that removes it.
type leftover struct {
	Resource string `json:"resource"`
	ID       string `json:"id"`
	Method   string `json:"method,omitempty"` // absent where no operation removes it
	Target   string `json:"target,omitempty"`
	Caller   string `json:"caller,omitempty"`
}

type position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // from 1; absent if unknown
	Column int    `json:"column,omitempty"`
}

func (p position) String() string { return line(behavior.Position(p).String()) }

type step struct {
	Why       string              `json:"why,omitempty"`
	Operation string              `json:"operation,omitempty"`
	Caller    string              `json:"caller,omitempty"`
	Method    string              `json:"method"`
	URL       string              `json:"url"`
	Headers   map[string][]string `json:"headers"`
	Body      *body               `json:"body,omitempty"`
	Curl      string              `json:"curl"`
	At        string              `json:"at"`
	TookMS    float64             `json:"took_ms"`
	Response  *response           `json:"response,omitempty"` // absent if there was none
	Error     string              `json:"error,omitempty"`

	sent *contracttests.Exchange // masked
}

type response struct {
	Status    int                 `json:"status"`
	Headers   map[string][]string `json:"headers"`
	Body      *body               `json:"body,omitempty"`
	Truncated bool                `json:"truncated"` // the server went on beyond what was read
}

// A body is a text, or bytes that are none.
type body struct {
	Size   int    `json:"size"`             // in bytes
	Text   string `json:"text,omitempty"`   // at most 64 KiB of it
	Base64 string `json:"base64,omitempty"` // instead of Text where that is not UTF-8
	Cut    bool   `json:"cut"`              // there is more than is shown
}

type coverageDoc struct {
	Operations  []covered `json:"operations"`
	Statuses    []covered `json:"statuses"`
	Rules       []covered `json:"rules"`
	Parameters  []covered `json:"parameters"`  // and members of bodies: sent valid, sent invalid, left out
	Keywords    []covered `json:"keywords"`    // of the schemas of requests: kept, broken
	Transitions []covered `json:"transitions"` // from the rule that wrote a record to that of the next call about it
	Vacuous     []covered `json:"vacuous"`     // exercised, but in a way that shows little
}

type covered struct {
	Name     string   `json:"name"`
	Position position `json:"position"`
	Times    int      `json:"times"`
	Passed   int      `json:"passed"`        // of a rule: how often a call went by it
	Why      string   `json:"why,omitempty"` // where Times is 0, and of what is vacuous
}

const maxBody = 64 << 10

func newDocument(r *contracttests.Result) *document {
	m := newMasker(r)
	d := &document{
		Version: 1,
		Verdict: kept,
		API:     m.text(r.API), Title: m.text(r.Title), URL: m.text(maskURL(r.URL, "")),
		Seed: strconv.FormatUint(r.Seed, 10), Began: instant(r.Began), TookMS: millis(r.Took),
		Requests: r.Requests, Breaches: r.Breaches(),
		Findings: make([]finding, 0, len(r.Findings)),
		Coverage: coverageDoc{
			coveredBy(m, r.Coverage.Operations), coveredBy(m, r.Coverage.Statuses), coveredBy(m, r.Coverage.Rules),
			coveredBy(m, r.Coverage.Parameters), coveredBy(m, r.Coverage.Keywords), coveredBy(m, r.Coverage.Transitions), coveredBy(m, r.Coverage.Vacuous),
		},
		Incomplete: r.Incomplete,
		Leftovers:  make([]leftover, 0, len(r.Leftovers)),
		Notes:      make([]string, 0, len(r.Notes)),
		began:      r.Began.UTC(), took: r.Took,
	}
	switch {
	case d.Breaches > 0:
		d.Verdict = broken
	case r.Requests == 0:
		d.Verdict = nothing
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		out := finding{
			Key: m.text(f.Key()), Code: f.Code, Severity: string(f.Severity), Operation: f.Operation, Rule: f.Rule,
			Position: position(f.Pos), Basis: f.Basis, Cite: m.text(f.Cite), Title: m.text(f.Title),
			Expected: m.text(f.Expected), Got: m.text(f.Got),
			Times: f.Times, Confirmed: f.Confirmed, Unstable: f.Unstable, Known: f.Known,
			Steps: make([]step, 0, len(f.Steps)), Drawing: drawing(m, f.Drawing),
		}
		for j := range f.Steps {
			out.Steps = append(out.Steps, newStep(m, &f.Steps[j]))
		}
		for j := range f.Control {
			out.Control = append(out.Control, newStep(m, &f.Control[j]))
		}
		switch {
		case f.Known:
			d.Known++
		case f.Severity != contracttests.Breach:
			d.Observations++
		}
		d.Findings = append(d.Findings, out)
	}
	for _, e := range r.Leftovers {
		d.Leftovers = append(d.Leftovers, leftover{e.Resource, m.text(e.ID), e.Undo.Method, m.text(e.Undo.Target), e.Undo.Caller})
	}
	for _, n := range r.Notes {
		d.Notes = append(d.Notes, m.text(n))
	}
	return d
}

// maxDrawing is the longest drawing that a report has in it, in bytes.
const maxDrawing = 4 << 20

// drawing is a page of HTML as text; "" for none, and for one that is too long.
func drawing(m masker, b []byte) string {
	if len(b) > maxDrawing {
		return ""
	}
	return m.text(strings.ToValidUTF8(string(b), "\uFFFD"))
}

func newStep(m masker, raw *contracttests.Exchange) step {
	x := m.exchange(raw)
	s := step{
		Why: m.text(x.Request.Why), Operation: x.Request.Operation, Caller: x.Request.Caller,
		Method: x.Request.Method, URL: x.URL, Headers: headers(x.Sent), Body: newBody(x.Request.Body),
		Curl: x.Curl(), At: instant(x.At), TookMS: millis(x.Took), sent: x,
	}
	if x.Err != nil {
		s.Error = x.Err.Error()
		if raw.URL != "" {
			s.Error = strings.ReplaceAll(s.Error, raw.URL, x.URL)
		}
		s.Error = m.text(s.Error)
	}
	if x.Response != nil {
		s.Response = &response{
			Status: x.Response.Status, Headers: headers(x.Response.Header), Body: newBody(x.Response.Body),
			Truncated: x.Response.Truncated,
		}
	}
	return s
}

func headers(h http.Header) map[string][]string {
	if h == nil {
		return map[string][]string{}
	}
	return h
}

// newBody is nil for no body.
func newBody(b []byte) *body {
	if len(b) == 0 {
		return nil
	}
	out := &body{Size: len(b)}
	shown := b
	if len(shown) > maxBody {
		shown, out.Cut = shown[:maxBody], true
		// Not in the middle of a character.
		for n := 1; n < utf8.UTFMax && !utf8.Valid(shown); n++ {
			shown = b[:maxBody-n]
		}
		if !utf8.Valid(shown) {
			shown = b[:maxBody]
		}
	}
	if utf8.Valid(shown) {
		out.Text = string(shown)
	} else {
		out.Base64 = base64.StdEncoding.EncodeToString(shown)
	}
	return out
}

func coveredBy(m masker, list []contracttests.Covered) []covered {
	out := make([]covered, 0, len(list))
	for _, c := range list {
		out = append(out, covered{c.Name, position(c.Pos), c.Times, c.Passed, m.text(c.Why)})
	}
	return out
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
