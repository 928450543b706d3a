package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	ColumnKind  string            `json:"columnKind"`
	Properties  map[string]any    `json:"properties"`
}

type sarifTool struct {
	Driver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	} `json:"driver"`
}

type sarifRule struct {
	ID    string     `json:"id"`
	Short sarifText  `json:"shortDescription"`
	Help  *sarifText `json:"help,omitempty"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Start         string              `json:"startTimeUtc"`
	End           string              `json:"endTimeUtc"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Occurrences  int               `json:"occurrenceCount,omitempty"`
	Baseline     string            `json:"baselineState,omitempty"`
	Request      *sarifRequest     `json:"webRequest,omitempty"`
	Response     *sarifResponse    `json:"webResponse,omitempty"`
	Properties   sarifProperties   `json:"properties"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifRegion struct {
	Line   int `json:"startLine"`
	Column int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifRequest struct {
	Protocol string            `json:"protocol"`
	Version  string            `json:"version"`
	Target   string            `json:"target"`
	Method   string            `json:"method"`
	Headers  map[string]string `json:"headers"`
	Body     *sarifContent     `json:"body,omitempty"`
}

type sarifResponse struct {
	Status  int               `json:"statusCode"`
	Reason  string            `json:"reasonPhrase"`
	Headers map[string]string `json:"headers"`
	Body    *sarifContent     `json:"body,omitempty"`
}

type sarifContent struct {
	Text   string `json:"text,omitempty"`
	Binary string `json:"binary,omitempty"`
}

type sarifProperties struct {
	Expected  string      `json:"expected"`
	Got       string      `json:"got"`
	Rule      string      `json:"rule,omitempty"`
	Basis     string      `json:"basis,omitempty"`
	Cite      string      `json:"cite,omitempty"`
	Confirmed bool        `json:"confirmed"`
	Unstable  bool        `json:"unstable"`
	Known     bool        `json:"known"`
	Steps     []sarifStep `json:"steps"`
	Control   []sarifStep `json:"control,omitempty"`
}

type sarifStep struct {
	Why     string `json:"why,omitempty"`
	Command string `json:"command"`
	Answer  string `json:"answer"`
}

// writeSARIF writes SARIF 2.1.0: a rule for each code among the findings, a result
// for each finding, with its last request and response.
func writeSARIF(w io.Writer, d *document) error {
	run := sarifRun{
		Results: make([]sarifResult, 0, len(d.Findings)), ColumnKind: "unicodeCodePoints",
		Properties: map[string]any{
			"api": d.API, "url": d.URL, "seed": d.Seed, "requests": d.Requests, "verdict": d.Verdict, "coverage": d.Coverage, "leftovers": d.Leftovers,
		},
	}
	codes := map[string]bool{}
	for i := range d.Findings {
		codes[d.Findings[i].Code] = true
	}
	rules := slices.Sorted(maps.Keys(codes))
	run.Tool.Driver.Name = "understudy"
	run.Tool.Driver.Rules = make([]sarifRule, len(rules))
	for i, code := range rules {
		rule := sarifRule{ID: code, Short: sarifMessage(strings.ReplaceAll(code, "-", " "))}
		if kind := check(code); kind != nil {
			help := sarifMessage(kind.Title + "\nSource: " + kind.Source)
			rule.Short, rule.Help = sarifMessage(kind.Title), &help
		}
		run.Tool.Driver.Rules[i] = rule
	}
	done := sarifInvocation{
		// Without a request it did not do what it was called for.
		Successful: d.Verdict != nothing,
		Start:      d.began.Format(time.RFC3339), End: d.began.Add(d.took).Format(time.RFC3339),
	}
	for _, n := range d.Notes {
		done.Notifications = append(done.Notifications, sarifNotification{"note", sarifMessage(n)})
	}
	run.Invocations = []sarifInvocation{done}
	for i := range d.Findings {
		f := &d.Findings[i]
		index, _ := slices.BinarySearch(rules, f.Code)
		run.Results = append(run.Results, sarifFinding(f, index))
	}
	return encodeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifFinding(f *finding, rule int) sarifResult {
	key := sha256.Sum256([]byte(f.Key))
	out := sarifResult{
		RuleID: f.Code, RuleIndex: rule, Level: "note", Occurrences: f.Times,
		Message:      sarifMessage(f.Title + "\nExpected: " + f.Expected + "\nGot: " + f.Got),
		Fingerprints: map[string]string{"understudyFinding/v1": hex.EncodeToString(key[:])},
		Properties: sarifProperties{
			Expected: visible(f.Expected, "\n"), Got: visible(f.Got, "\n"), Rule: f.Rule, Basis: f.Basis, Cite: f.Cite,
			Confirmed: f.Confirmed, Unstable: f.Unstable, Known: f.Known, Steps: make([]sarifStep, 0, len(f.Steps)),
		},
	}
	if f.breach() {
		out.Level = "error"
	}
	if f.Known {
		out.Baseline = "unchanged"
	}
	var place sarifLocation
	if f.Position.File != "" {
		place.Physical = &sarifPhysical{}
		place.Physical.Artifact.URI = sarifURI(f.Position.File)
		if f.Position.Line > 0 {
			place.Physical.Region = &sarifRegion{f.Position.Line, f.Position.Column}
		}
	}
	if f.about() != "" {
		place.Logical = []sarifLogical{{line(f.about()), "member"}}
	}
	out.Locations = []sarifLocation{place}
	for i := range f.Steps {
		s := &f.Steps[i]
		out.Properties.Steps = append(out.Properties.Steps, sarifStep{line(s.Why), command(s.Curl), line(s.answer())})
	}
	for i := range f.Control {
		s := &f.Control[i]
		out.Properties.Control = append(out.Properties.Control, sarifStep{line(s.Why), command(s.Curl), line(s.answer())})
	}
	if n := len(f.Steps); n > 0 {
		out.Request, out.Response = sarifWeb(&f.Steps[n-1])
	}
	return out
}

func sarifWeb(s *step) (*sarifRequest, *sarifResponse) {
	req := &sarifRequest{Protocol: "HTTP", Version: "1.1", Target: s.URL, Method: s.Method, Headers: sarifHeaders(s.Headers), Body: sarifBody(s.Body)}
	if s.Response == nil {
		return req, nil
	}
	return req, &sarifResponse{
		Status: s.Response.Status, Reason: http.StatusText(s.Response.Status),
		Headers: sarifHeaders(s.Response.Headers), Body: sarifBody(s.Response.Body),
	}
}

// sarifHeaders joins the values of each header, since SARIF has one value per name.
func sarifHeaders(h map[string][]string) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		out[line(name)] = line(strings.Join(values, ", "))
	}
	return out
}

func sarifBody(b *body) *sarifContent {
	if b == nil {
		return nil
	}
	return &sarifContent{b.Text, b.Base64}
}

// sarifMessage escapes what SARIF takes for placeholders (section 3.11.5) and links
// (section 3.11.6).
func sarifMessage(s string) sarifText {
	s = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `{`, `{{`, `}`, `}}`).Replace(visible(s, "\n"))
	return sarifText{s}
}

// sarifURI is a file as a URI, relative unless the path is absolute.
func sarifURI(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	u := url.URL{Path: path.Clean(file)}
	if path.IsAbs(u.Path) {
		u.Scheme = "file"
	} else if len(u.Path) > 1 && u.Path[1] == ':' {
		u.Scheme, u.Path = "file", "/"+u.Path
	}
	return u.String()
}
