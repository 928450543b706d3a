// Package contracttests checks whether a server keeps the contract of an
// OpenAPI document with behaviour rules: it calls the server, asks the same model
// that the mock runs what each answer may be, and reports what contradicts it.
package contracttests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
)

// A Request is one call, ready to be sent.
type Request struct {
	Operation string      // operationId; "" for a path or method that the document has not
	Method    string      //
	Target    string      // path and query, escaped, below the base of the server
	Header    http.Header // without credentials; nil for none
	Body      []byte      // nil for none

	// Caller is whose credentials go with it, by name in the fixtures; "" for
	// nobody's. Credentials replaces them, by name of the security scheme, for
	// wrong ones.
	Caller      string
	Credentials map[string]string

	Why string // what it is for, in a few words
}

// A Response is what came back.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte
	Truncated bool // the body went on beyond what is read
}

// An Exchange is a request and what came of it: a response, or an error.
type Exchange struct {
	Request  Request
	URL      string // as it was sent
	Sent     http.Header
	Response *Response // nil if there was none
	Err      error
	At       time.Time
	Took     time.Duration
}

// Curl is a command line that sends the request again. Credentials are masked: all
// but their last four characters.
func (x *Exchange) Curl() string {
	var b strings.Builder
	b.WriteString("curl -i")
	if x.Request.Method != http.MethodGet {
		b.WriteString(" -X " + method(x.Request.Method))
	}
	names := make([]string, 0, len(x.Sent))
	for n := range x.Sent {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, v := range x.Sent[n] {
			if !slices.Contains(harmless, n) && (x.Request.Header == nil || x.Request.Header.Get(n) != v) {
				v = mask(n, v)
			}
			b.WriteString(" -H " + shell(n+": "+v))
		}
	}
	if x.Request.Body != nil {
		body := string(x.Request.Body)
		if !utf8.ValidString(body) || len(body) > 2000 {
			body = fmt.Sprintf("<%d bytes>", len(body))
		}
		b.WriteString(" --data-raw " + shell(body))
	}
	b.WriteString(" " + shell(x.URL))
	return b.String()
}

// method quotes a method that is no plain word.
func method(m string) string {
	if strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return m
	}
	return shell(m)
}

// harmless are headers that hold no secrets.
var harmless = []string{"Accept", "Content-Type", "User-Agent"}

// mask hides a credential but for its end and, in Authorization, the scheme.
func mask(header, v string) string {
	word, secret := "", v
	if scheme, rest, two := strings.Cut(v, " "); two && header == "Authorization" {
		word, secret = scheme+" ", rest
	}
	if len(secret) <= 8 {
		return word + "…"
	}
	return word + "…" + secret[len(secret)-4:]
}

// shell quotes a word for a POSIX shell.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Severity says how bad a finding is.
type Severity string

const (
	// Breach: a rule that the vendor states, or the document's own words, are
	// contradicted.
	Breach Severity = "breach"
	// Observation: the server does otherwise where nobody knows better, or says
	// the same in other words.
	Observation Severity = "observation"
)

// A Finding is one cause for which the server does not keep the contract, with
// the shortest sequence of calls that shows it.
type Finding struct {
	Code      string // of the check, see [Checks]
	Severity  Severity
	Operation string
	Rule      string            // operationId.name; "" for the document's own words
	Pos       behavior.Position // of the rule, or of the operation
	Basis     string            // of the rule
	Cite      string
	Title     string // one sentence
	Expected  string
	Got       string
	Steps     []Exchange // in order; the last one shows it
	Times     int        // how often it was seen
	Confirmed bool       // a re-run showed the same
	Unstable  bool       // a re-run showed something else
	Known     bool       // a baseline has it: it breaks nothing

	// Control are calls that are answered properly, for comparison; nil for none.
	Control []Exchange
	// Drawing is a page of HTML that shows which calls overlapped, up to 1 MiB; nil
	// for none.
	Drawing []byte
}

// Key tells causes apart.
func (f *Finding) Key() string {
	return f.Code + " " + f.Operation + " " + f.Rule + " " + string(f.Severity)
}

// A Covered thing was exercised so many times, or says why it was not.
type Covered struct {
	Name  string // operationId, operationId status, operationId.rule, …
	Pos   behavior.Position
	Times int
	Why   string // where Times is 0: what would make it possible; of what is vacuous: why it shows little

	// Passed is how often a call went past a rule to one that comes later, or, of a
	// rule that is no refusal, was refused before it. A rule with both was seen both
	// ways.
	Passed int
}

// Coverage says what the run has exercised.
type Coverage struct {
	Operations  []Covered
	Statuses    []Covered // the documented ones
	Rules       []Covered
	Parameters  []Covered // "operationId query limit: sent valid", … sent invalid, … left out; and members of bodies
	Keywords    []Covered // of schemas of requests: "operationId body name maxLength: kept", … broken
	Transitions []Covered // "rule that wrote a record → rule of the next call about it"
	Vacuous     []Covered // what was exercised, but in a way that shows little
}

// A Result is all that a run has to say.
type Result struct {
	API      string
	Title    string
	URL      string
	Seed     uint64
	Began    time.Time
	Took     time.Duration
	Requests int
	Findings []Finding // breaches first
	Coverage Coverage
	// Incomplete is whether the run ended before it was done; the notes say why.
	Incomplete bool
	Spent      bool     // it ended because its budget was used up
	Leftovers  []Entry  // what the run has made and could not remove
	Notes      []string // what the reader should know: what was left out, what stopped the run
}

// Breaches counts the findings that break the contract, without the known ones.
func (r *Result) Breaches() int {
	n := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == Breach && !f.Known {
			n++
		}
	}
	return n
}
