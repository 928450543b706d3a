package report

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

type harFile struct {
	Log harLog `json:"log"`
}

type harLog struct {
	Version string     `json:"version"`
	Creator harCreator `json:"creator"`
	Pages   []harPage  `json:"pages"`
	Entries []harEntry `json:"entries"`
	Comment string     `json:"comment"`
}

type harCreator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A harPage is a finding: what viewers group by.
type harPage struct {
	Started string   `json:"startedDateTime"`
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Timings struct{} `json:"pageTimings"`
}

type harEntry struct {
	Page     string      `json:"pageref"`
	Started  string      `json:"startedDateTime"`
	Time     float64     `json:"time"` // milliseconds
	Request  harRequest  `json:"request"`
	Response harResponse `json:"response"`
	Cache    struct{}    `json:"cache"`
	Timings  harTimings  `json:"timings"`
	Comment  string      `json:"comment,omitempty"`
}

type harRequest struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	Version     string    `json:"httpVersion"`
	Cookies     []harPair `json:"cookies"`
	Headers     []harPair `json:"headers"`
	Query       []harPair `json:"queryString"`
	Post        *harPost  `json:"postData,omitempty"`
	HeadersSize int       `json:"headersSize"` // -1: not known
	BodySize    int       `json:"bodySize"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harPost struct {
	Type     string    `json:"mimeType"`
	Params   []harPair `json:"params"`
	Text     string    `json:"text"`
	Encoding string    `json:"_encoding,omitempty"` // HAR has none for requests
}

type harResponse struct {
	Status      int        `json:"status"` // 0 if there was none
	StatusText  string     `json:"statusText"`
	Version     string     `json:"httpVersion"`
	Cookies     []harPair  `json:"cookies"`
	Headers     []harPair  `json:"headers"`
	Content     harContent `json:"content"`
	Redirect    string     `json:"redirectURL"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int        `json:"bodySize"`
	Error       string     `json:"_error,omitempty"`
}

type harContent struct {
	Size     int    `json:"size"`
	Type     string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding,omitempty"`
}

type harTimings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

// writeHAR writes HAR 1.2: an entry for each step of each finding.
func writeHAR(w io.Writer, d *document) error {
	log := harLog{
		Version: "1.2", Creator: harCreator{Name: "understudy", Version: ""},
		Pages: []harPage{}, Entries: []harEntry{},
		Comment: line(fmt.Sprintf("%s: %s; seed %s", d.subject(), d.summary(), d.Seed)),
	}
	for i := range d.Leftovers {
		log.Comment += line("; left on the server: " + d.Leftovers[i].line())
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		page := harPage{Started: d.Began, ID: fmt.Sprintf("finding_%d", i+1), Title: line(f.Severity + ": " + f.Code + ": " + f.Title)}
		if len(f.Steps) > 0 {
			page.Started = f.Steps[0].At
		}
		log.Pages = append(log.Pages, page)
		for j := range f.Steps {
			log.Entries = append(log.Entries, harStep(page.ID, &f.Steps[j]))
		}
		for j := range f.Control {
			e := harStep(page.ID, &f.Control[j])
			e.Comment = strings.TrimSpace("for comparison, this is answered properly; " + e.Comment)
			log.Entries = append(log.Entries, e)
		}
	}
	return encodeJSON(w, harFile{log})
}

func harStep(page string, s *step) harEntry {
	x := s.sent
	e := harEntry{
		Page: page, Started: s.At, Time: s.TookMS, Timings: harTimings{Wait: s.TookMS}, Comment: line(s.Why),
		Request: harRequest{
			Method: line(s.Method), URL: line(s.URL), Version: "HTTP/1.1", Query: harQuery(s.URL),
			Cookies: []harPair{}, Headers: harHeaders(x.Sent), HeadersSize: -1, BodySize: len(x.Request.Body),
		},
		Response: harResponse{
			Version: "HTTP/1.1", Cookies: []harPair{}, Headers: []harPair{}, HeadersSize: -1, BodySize: -1,
			Error: line(s.Error), Content: harContent{Type: "x-unknown"},
		},
	}
	if x.Request.Body != nil {
		text, encoding := harText(x.Request.Body)
		e.Request.Post = &harPost{harType(x.Sent), []harPair{}, text, encoding}
	}
	if x.Response == nil {
		return e
	}
	r := &e.Response
	r.Status, r.StatusText = x.Response.Status, http.StatusText(x.Response.Status)
	r.Headers = harHeaders(x.Response.Header)
	r.Redirect = line(x.Response.Header.Get("Location"))
	r.BodySize = len(x.Response.Body)
	text, encoding := harText(x.Response.Body)
	r.Content = harContent{len(x.Response.Body), harType(x.Response.Header), text, encoding}
	return e
}

func harText(b []byte) (text, encoding string) {
	if utf8.Valid(b) {
		return string(b), ""
	}
	return base64.StdEncoding.EncodeToString(b), "base64"
}

func harType(h http.Header) string {
	if t := h.Get("Content-Type"); t != "" {
		return line(t)
	}
	return "x-unknown"
}

func harHeaders(h http.Header) []harPair {
	out := []harPair{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			out = append(out, harPair{line(name), line(v)})
		}
	}
	return out
}

func harQuery(address string) []harPair {
	out := []harPair{}
	address, _, _ = strings.Cut(address, "#")
	_, query, _ := strings.Cut(address, "?")
	for p := range strings.SplitSeq(query, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		pair := harPair{name, value}
		if s, err := url.QueryUnescape(name); err == nil {
			pair.Name = s
		}
		if s, err := url.QueryUnescape(value); err == nil {
			pair.Value = s
		}
		out = append(out, harPair{line(pair.Name), line(pair.Value)})
	}
	return out
}
