package contracttests

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/openapi"
)

// zipped is a text as gzip has it.
func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// TestUnusual: each line of calls belongs together; what is found at the last one is
// compared.
func TestUnusual(t *testing.T) {
	const list = "200\nX-Total: 0\nContent-Type: application/json"
	const get, head = "GET /papers", "HEAD /papers"
	const prob = "\nContent-Type: application/problem+json\n\n" + `{"title": "no"}`
	type call struct{ why, call, answer string }
	api := loadKiosk(t)
	for _, tt := range []struct {
		name  string
		calls []call
		want  string
	}{
		{"HEAD like GET", []call{{whyPlain, get, list + "\n\n[]"}, {whyHead, head, list + "\nContent-Length: 2"}, {whyAgain, get, list + "\n\n[]"}}, ""},
		{"HEAD without a length", []call{{whyPlain, get, list + "\n\n[]"}, {whyHead, head, list}, {whyAgain, get, list + "\n\n[]"}}, ""},
		{"HEAD with another length", []call{{whyPlain, get, list + "\n\n[]"}, {whyHead, head, list + "\nContent-Length: 0"}, {whyAgain, get, list + "\n\n[]"}}, "head-differs"},
		{"HEAD with another length, but GET changes, too", []call{{whyPlain, get, list + "\n\n[]"}, {whyHead, head, list + "\nContent-Length: 3"}, {whyAgain, get, list + "\n\n[ ]"}}, ""},
		{"HEAD with another media type", []call{{whyPlain, get, "302\nLocation: /papers\nContent-Type: a/b"}, {whyHead, head, "302\nLocation: /papers\nContent-Type: a/c"}, {whyAgain, get, "302\nLocation: /papers\nContent-Type: a/b"}}, "(head-differs)"},
		{"HEAD of something else", []call{{whyPlain, get + "?a", list + "\n\n[]"}, {whyHead, head, list + "\nContent-Length: 3"}, {whyAgain, get, list + "\n\n[]"}}, ""},

		{"gzip", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\nContent-Encoding: gzip\nVary: Origin, accept-encoding\n\n" + zipped("[]")}}, ""},
		{"nothing, though gzip was welcome", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\n\n[]"}}, ""},
		{"gzip without Vary", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\nContent-Encoding: gzip\n\n" + zipped("[]")}}, "(content-coding)"},
		{"half of gzip", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\nContent-Encoding: gzip\nVary: *\n\n" + zipped("[]")[:20]}}, "content-coding"},
		{"gzip that is none", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\nContent-Encoding: gzip\nVary: *\n\n[]"}}, "content-coding"},
		{"brotli instead of gzip", []call{{whyGzip, get + "\nAccept-Encoding: gzip", list + "\nContent-Encoding: br\nVary: *\n\n..."}}, "(content-coding)"},

		{"HTML is not to be had: JSON", []call{{whyHTML, get + "\nAccept: text/html", list + "\n\n[]"}}, ""},
		{"HTML is not to be had: HTML nevertheless", []call{{whyHTML, get + "\nAccept: text/html", "200\nContent-Type: text/html\n\n<p>"}}, ""},
		{"HTML is not to be had: 406", []call{{whyHTML, get + "\nAccept: text/html", "406\nContent-Type: text/plain\n\nno"}}, ""},
		{"HTML is not to be had: 500", []call{{whyHTML, get + "\nAccept: text/html", "500\n\noops"}}, "server-error"},

		{"chunks are understood", []call{{whyChunked, "POST /papers", "204"}}, ""},
		{"chunks are refused with 411", []call{{whyChunked, "POST /papers", "411"}}, ""},
		{"chunks are refused with 501", []call{{whyChunked, "POST /papers", "501"}}, ""},
		{"chunks are no body", []call{{whyChunked, "POST /papers", "400"}}, "request-framing"},
		{"chunks are too much", []call{{whyChunked, "POST /papers", "502"}}, "server-error"},
		{"an expectation fails with 417", []call{{whyExpect, "POST /papers", "417"}}, ""},
		{"an expectation fails with 411", []call{{whyExpect, "POST /papers", "411"}}, "request-framing"},
		{"much white space: 413", []call{{whyLarge, "POST /papers", "413\n\n"}}, ""},
		{"much white space: 500", []call{{whyLarge, "POST /papers", "500\n\n"}}, "server-error"},

		{"not modified, with the tag", []call{{whyPlain, get, list + "\nETag: \"a\"\n\n[]"}, {whySame, get + "\nIf-None-Match: \"a\"", "304\nETag: \"a\""}}, ""},
		{"not modified, without the tag", []call{{whyPlain, get, list + "\nETag: \"a\"\n\n[]"}, {whySame, get + "\nIf-None-Match: \"a\"", "304"}}, "conditional"},
		{"modified, or conditions are not its business", []call{{whyPlain, get, list + "\nETag: \"a\"\n\n[]"}, {whySame, get + "\nIf-None-Match: \"a\"", list + "\n\n[]"}}, ""},
		{"412 to a GET", []call{{whyPlain, get, list + "\nETag: \"a\"\n\n[]"}, {whySame, get + "\nIf-None-Match: \"a\"", "412"}}, "conditional"},
		{"304 to a tag that never was", []call{{whyPlain, get, list + "\nETag: \"a\"\n\n[]"}, {whyOther, get + "\nIf-None-Match: \"b\"", "304\nETag: \"a\""}}, "conditional"},
		{"If-Match is heeded", []call{{whyIfMatch, "POST /papers\nIf-Match: \"b\"", "412"}}, ""},
		{"If-Match is not heeded", []call{{whyIfMatch, "POST /papers\nIf-Match: \"b\"", "204"}}, "conditional"},
		{"a weak tag", []call{{"", get, list + "\nETag: W/\"a\"\n\n[]"}}, ""},
		{"a tag without quotes", []call{{"", get, list + "\nETag: abc\n\n[]"}}, "conditional"},

		{"a good answer behind a refusal", []call{{whyRefused, "POST /papers", "400"}, {whyAfter, get, list + "\n\n[]"}}, ""},
		{"a bad one behind a refusal", []call{{whyRefused, "POST /papers", "400"}, {whyAfter, get, "400" + prob}}, "keep-alive"},
		{"a bad one behind nothing", []call{{whyAfter, get, "400" + prob}}, ""},
		{"too many, behind a refusal", []call{{whyRefused, "POST /papers", "400"}, {whyAfter, get, "429\nRetry-After: 1" + prob}}, ""},

		{"Location leads to the record", []call{{whyLocation, get, list + "\n\n[]"}}, ""},
		{"Location leads nowhere", []call{{whyLocation, get, "404" + prob}}, "bad-location"},
		{"Location leads to where one may not go", []call{{whyLocation, get, "403" + prob}}, ""},

		{"429 with Retry-After", []call{{"", get, "429\nRetry-After: 3" + prob}}, ""},
		{"429 with a date", []call{{"", get, "429\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT" + prob}}, ""},
		{"429 that says it otherwise", []call{{"", get, "429\nX-RateLimit-Reset: 1700000000" + prob}}, ""},
		{"429 that says nothing", []call{{"", get, "429" + prob}}, "(retry-after)"},
		{"429 that comes again soon", []call{{"", get, "429\nRetry-After: soon" + prob}}, "retry-after"},
		{"503 with an empty Retry-After", []call{{"", "POST /papers", "503\nRetry-After: \n\n"}}, "retry-after"},

		{"OPTIONS with all methods", []call{{"", "OPTIONS /papers", "204\nAllow: GET, POST"}}, ""},
		{"OPTIONS without Allow", []call{{"", "OPTIONS /papers", "204"}}, ""},
		{"OPTIONS with half of the methods", []call{{"", "OPTIONS /papers", "204\nAllow: GET"}}, "(allow-header)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &conformance{api: api}
			var ps []problem
			for _, call := range tt.calls {
				x := handcrafted(t, call.call, call.answer)
				x.Request.Why = call.why
				ps = c.check(x, operationAt(api, x))
			}
			if got := codes(ps); got != tt.want {
				t.Errorf("got %q, want %q; %+v", got, tt.want, ps)
			}
			for _, p := range ps {
				if !known(p.code) || p.title == "" || p.expected == "" || p.got == "" || p.pos.File == "" {
					t.Errorf("the problem %+v lacks something, or has an unknown code", p)
				}
			}
		})
	}
}

// TestUnusualWithoutAnswer: a call that hangs or is cut off.
func TestUnusualWithoutAnswer(t *testing.T) {
	api := loadKiosk(t)
	for _, tt := range []struct {
		why  string
		kind callKind
		want string
	}{
		{whyChunked, late, "request-framing"},
		{whyExpect, closed, "request-framing"},
		{whyChunked, cancelled, ""},
		{whyLarge, closed, ""},
		{whyLarge, late, "too-slow"},
		{whyHTML, late, "too-slow"},
		{whyAfter, closed, "keep-alive"},
		{whyAfter, malformed, "keep-alive"},
		{whyAfter, unreachable, ""},
		{whyLocation, closed, "bad-location"},
		{whyGzip, closed, "malformed-answer"},
		{whyAgain, closed, "malformed-answer"},
	} {
		t.Run(fmt.Sprint(tt.why, " ", tt.kind), func(t *testing.T) {
			c := &conformance{api: api}
			refused := handcrafted(t, "POST /papers", "400")
			refused.Request.Why = whyRefused
			c.check(refused, operationAt(api, refused))
			x := &Exchange{Request: Request{Method: "GET", Target: "/papers", Why: tt.why}, Err: &callError{tt.kind, "so it is", nil}}
			if got := codes(c.check(x, operationAt(api, x))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLocated(t *testing.T) {
	api, err := openapi.Load("a", "a.yaml", []byte(`openapi: 3.1.0
info: {title: A, version: "1"}
paths:
  /x: {post: {responses: {'201': {description: ok}}}}
  /x/{id}: {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'200': {description: ok}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, base, location, want string
		status                     int
	}{
		{"a path", "", "/x/1", "/x/1", 201},
		{"a path below the base", "/v1", "/v1/x/1", "/x/1", 201},
		{"a path without the base, as a server behind a proxy has it", "/v1", "/x/1", "/x/1", 201},
		{"a relative path", "/v1", "x/1", "/x/1", 201},
		{"a URL", "", "http://127.0.0.1:4010/x/1?v=2", "/x/1?v=2", 201},
		{"a URL on another server", "", "http://elsewhere.test/x/1", "", 201},
		{"a list", "", "/x", "", 201},
		{"what is not documented", "", "/y/1", "", 201},
		{"no URL", "", "http://[", "", 201},
		{"no creation", "", "/x/1", "", 200},
		{"nothing", "", "", "", 201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := &Exchange{Request: Request{Method: "POST", Target: "/x"}, URL: "http://127.0.0.1:4010" + tt.base + "/x",
				Response: &Response{Status: tt.status, Header: http.Header{"Location": {tt.location}}}}
			if got, _, ok := located(api, x); got != tt.want || ok != (tt.want != "") {
				t.Errorf("located(%q) = %q, %t; want %q", tt.location, got, ok, tt.want)
			}
		})
	}
}

// TestMeter: a row is what a header shows, call by call: remaining, and behind a slash
// when the window ends.
func TestMeter(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	fall := func(from, n, step int) string {
		var out []string
		for i := range n {
			out = append(out, strconv.Itoa(from-i*step))
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct {
		name, calls string
		stands      bool
		rises       bool
	}{
		{"it falls by one", fall(100, 15, 1), false, false},
		{"others use it up, too", fall(100, 15, 6), false, false},
		{"it stands still", fall(100, 11, 0), true, false},
		{"it stands still for a while", fall(100, 10, 0) + " 99", false, false},
		{"it stood still before", fall(100, 11, 0) + " 99", false, false},
		{"it is used up", fall(0, 15, 0), false, false},
		{"one answer has none", fall(9, 6, 0) + " - " + fall(9, 6, 0), false, false},
		{"it is a word", strings.Repeat("many ", 15), false, false},
		{"a new window", "3/1700000060 99/1700000120", false, false},
		{"more in the same window", "3/1700000060 99/1700000060", false, true},
		{"more in the same window, told in seconds", "3/60 99/60", false, true},
		{"more, near the end of the window", "3/1700000003 99/1700000003", false, false},
		{"more, and nobody knows the window", "3 99", false, false},
		{"more, in milliseconds", "3/1700000060000 99/1700000060000", false, true},
		{"a window that slides", "3/1700000060 4/1700000061", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls []*Exchange
			for call := range strings.FieldsSeq(tt.calls) {
				n, ends, _ := strings.Cut(call, "/")
				h := http.Header{"X-Ratelimit-Remaining": {n}}
				if ends != "" {
					h.Set("X-RateLimit-Reset", ends)
				}
				calls = append(calls, &Exchange{At: at, Response: &Response{Status: 200, Header: h}})
			}
			if title, _, _ := stands(calls, "X-RateLimit-Remaining"); (title != "") != tt.stands {
				t.Errorf("stands: %q, want %t", title, tt.stands)
			}
			if _, got := rises(calls, "X-RateLimit-Remaining"); (got != "") != tt.rises {
				t.Errorf("rises: %q, want %t", got, tt.rises)
			}
		})
	}
}

func TestRateHeaders(t *testing.T) {
	for _, tt := range []struct {
		header, part string
		want         bool
	}{
		{"X-RateLimit-Remaining", "remaining", true},
		{"RateLimit-Remaining", "remaining", true},
		{"X-Rate-Limit-Remaining-Day", "remaining", true},
		{"X-RateLimit-Limit", "limit", true},
		{"X-RateLimit-Reset", "limit", false},
		{"X-Remaining", "remaining", false},
	} {
		if got := ofRate(tt.header, tt.part); got != tt.want {
			t.Errorf("ofRate(%q, %q) = %t", tt.header, tt.part, got)
		}
	}
	if got, want := sibling("X-Rate-Limit-Remaining-Day", "Reset"), "X-Rate-Limit-Reset-Day"; got != want {
		t.Errorf("sibling: got %s, want %s", got, want)
	}
}

// FuzzUnusual: whatever an answer holds, judging ends, and says what it found.
func FuzzUnusual(f *testing.F) {
	f.Add(uint8(3), 200, "gzip", "\x1f\x8b\x08\x00", "1", "9", "Fri, 31 Dec 1999 23:59:59 GMT", "http://[")
	f.Add(uint8(10), 304, "", "", "-1", "99999999999999999999", "", "/papers/1")
	api := loadKiosk(f)
	whys := []string{"", whyPlain, whyHead, whyAgain, whyGzip, whyHTML, whyLarge, whyChunked, whyExpect, whySame, whyOther, whyIfMatch, whyRefused, whyAfter, whyLocation, whyMetered}
	f.Fuzz(func(t *testing.T, n uint8, status int, coding, body, remaining, reset, retry, location string) {
		c := &conformance{api: api}
		for i := range 3 {
			x := &Exchange{Request: Request{Method: "GET", Target: "/papers", Why: whys[(int(n)+i)%len(whys)]}, URL: "http://127.0.0.1/papers", Response: &Response{Status: status, Body: []byte(body), Header: http.Header{
				"Content-Encoding": {coding}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "Retry-After": {retry}, "Location": {location}, "Etag": {coding},
			}}}
			for _, p := range c.check(x, operationAt(api, x)) {
				if !known(p.code) || p.title == "" || p.expected == "" {
					t.Errorf("%+v", p)
				}
			}
			located(api, x)
			if d, ok := delay(x); ok && d < 0 {
				t.Errorf("delay: %v", d)
			}
			stands(c.before, "X-RateLimit-Remaining")
			rises(c.before, "X-RateLimit-Remaining")
		}
	})
}
