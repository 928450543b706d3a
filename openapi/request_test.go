package openapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// wrong lists the violations of a call, a line each.
func wrong(c *behavior.Call) string {
	var lines []string
	for _, v := range c.Violations {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", v.Location, value.Array(v.Path...), v.Keyword, v.Message))
	}
	return strings.Join(lines, "\n")
}

func TestParameters(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	const defaults = `{"page":1,"size":10}`
	for _, tt := range []struct {
		name, target string
		headers      []string
		query, rest  string // rest: header and cookie
		wrong        string
	}{
		{"nothing sent, defaults apply", "/orders", nil, defaults, "{} {}", ""},
		{"everything sent", "/orders?status=open&size=5&page=2", []string{"X-Trace-Id: abc", "Cookie: theme=dark; sid=1"}, `{"page":2,"size":5,"status":"open"}`, `{"x-trace-id":"abc"} {"theme":"dark"}`, ""},
		{"an invalid one that is ignored has its default", "/orders?page=0", nil, defaults, "{} {}", ""},
		{"an ignored one of the wrong type has its default", "/orders?page=first", nil, defaults, "{} {}", ""},
		{"an undocumented one is nothing", "/orders?pages=2&sig=x", nil, defaults, "{} {}", ""},
		{"too large", "/orders?size=51", nil, "", "", `query ["size"] maximum: must be at most 50, but is 51`},
		{"no number", "/orders?size=ten", nil, "", "", `query ["size"] type: must be an integer, but is a string`},
		{"a broken escape", "/orders?status=%zz", nil, "", "", "query [\"status\"] encoding: …"},
		{"all that is wrong, in the order of locations", "/orders?status=lost&size=0", []string{"X-Trace-Id: 123456789", "Cookie: theme=pink"}, "", "",
			"query [\"size\"] minimum: must be at least 1, but is 0\nquery [\"status\"] enum: must be one of \"open\", \"sent\"\nheader [\"x-trace-ID\"] maxLength: must be at most 8 characters long, but has 9\ncookie [\"theme\"] enum: must be one of \"dark\", \"light\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := call(t, api, known, Limits{}, request("GET", tt.target, "", append(tt.headers, "X-Api-Key: ann-key")...))
			got := wrong(c)
			if start, open := strings.CutSuffix(tt.wrong, "…"); got != tt.wrong && !(open && strings.HasPrefix(got, start)) {
				t.Errorf("%s %q is wrong:\n%s\nwant\n%s", tt.target, tt.headers, got, tt.wrong)
			}
			if tt.query != "" && c.Query.String() != tt.query {
				t.Errorf("%s: query %s, want %s", tt.target, c.Query, tt.query)
			}
			if rest := c.Header.String() + " " + c.Cookie.String(); tt.rest != "" && rest != tt.rest {
				t.Errorf("%s %q: header and cookie %s, want %s", tt.target, tt.headers, rest, tt.rest)
			}
		})
	}
	c := call(t, api, known, Limits{}, request("DELETE", "/orders/"+orderID, "", "X-Api-Key: ann-key"))
	if got, want := c.Path.String(), `{"id":"`+orderID+`"}`; got != want || len(c.Violations) > 0 {
		t.Errorf("path %s with %s, want %s", got, wrong(c), want)
	}
	c = call(t, api, known, Limits{}, request("DELETE", "/orders/a b", "", "X-Api-Key: ann-key"))
	if got := wrong(c); !strings.HasPrefix(got, `path ["id"] format: `) {
		t.Errorf("a malformed id: %s", got)
	}
	if n := c.Violations[0].Parameter; n != 0 {
		t.Errorf("a malformed id is parameter %d, want 0", n)
	}
}

func TestBodies(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	const (
		js   = "Content-Type: application/json"
		text = "Content-Type: text/plain"
	)
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for _, tt := range []struct {
		name, body string
		headers    []string
		want       string // the body, or what is wrong
	}{
		{"a sound one", `{"name":"a"}`, []string{js}, `{"name":"a"}`},
		{"white space is trimmed before it is judged", `{"name":" a "}`, []string{js}, `{"name":"a"}`},
		{"nothing but white space in a name", `{"name":"  "}`, []string{js}, `body ["name"] minLength: must be at least 1 character long, but has 0`},
		{"two violations", `{"name":1,"count":"2"}`, []string{js}, "body [\"name\"] type: must be a string, but is a number\nbody [\"count\"] type: must be an integer, but is a string"},
		{"a member is missing", `{}`, []string{js}, `body ["name"] required: is required`},
		{"null", `null`, []string{js}, `body [] type: must be an object, but is null`},
		{"nothing", "", []string{js}, `body [] required: is required`},
		{"nothing, and no type", "", nil, `body [] required: is required`},
		{"only white space", "  ", []string{js}, `body [] json: is no valid JSON: …`},
		{"no JSON", `{"name":`, []string{js}, `body [] json: is no valid JSON: …`},
		{"something behind it", `{"name":"a"} x`, []string{js}, `body [] json: is no valid JSON: …`},
		{"a key twice", `{"name":"a","name":"b"}`, []string{js}, `body [] json: is no valid JSON: …`},
		{"a key twice, once escaped", `{"name":"a","n\u0061me":"b"}`, []string{js}, `body [] json: is no valid JSON: …`},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", []string{js}, `body [] json: is no valid JSON: …`},
		{"half a surrogate pair", `{"name":"\ud800"}`, []string{js}, `body [] json: is no valid JSON: …`},
		{"10,000 levels", deep, []string{js}, `body [] json: is no valid JSON: …`},
		{"as large as may be", `{"name":"` + strings.Repeat("a", 30_000-11) + `"}`, []string{js}, `{"name":"` + strings.Repeat("a", 30_000-11) + `"}`},
		{"a byte too large", `{"name":"` + strings.Repeat("a", 30_000-10) + `"}`, []string{js}, `body [] size: must be at most 30000 bytes large`},
		{"a byte too large, in chunks", `{"name":"` + strings.Repeat("a", 30_000-10) + `"}`, []string{js, "ContentLength: -1"}, `body [] size: must be at most 30000 bytes large`},
		{"as large as may be, in chunks", `{"name":"` + strings.Repeat("a", 30_000-11) + `"}`, []string{js, "ContentLength: -1"}, `{"name":"` + strings.Repeat("a", 30_000-11) + `"}`},
		{"in chunks", `{"name":"a"}`, []string{js, "ContentLength: -1"}, `{"name":"a"}`},
		{"no type: the first is meant", `{"name":"a"}`, nil, `{"name":"a"}`},
		{"an empty type", `{"name":"a"}`, []string{"Content-Type: "}, `{"name":"a"}`},
		{"the other type", "{", []string{text}, `"{"`},
		{"the other type, with a charset", "a", []string{text + ";charset=US-ASCII"}, `"a"`},
		{"a type in capitals", `{"name":"a"}`, []string{"Content-Type: Application/JSON"}, `{"name":"a"}`},
		{"UTF-8", `{"name":"a"}`, []string{js + `; charset="UTF-8"`}, `{"name":"a"}`},
		{"a parameter that nobody asked for", `{"name":"a"}`, []string{js + "; v=1"}, `{"name":"a"}`},
		{"a parameter without a value", `{"name":"a"}`, []string{js + "; charset"}, `{"name":"a"}`},
		{"a semicolon at the end", `{"name":"a"}`, []string{js + ";"}, `{"name":"a"}`},
		{"another charset", `{"name":"a"}`, []string{js + "; charset=latin1"}, `body [] media-type: is "application/json; charset=latin1"; want application/json or text/plain`},
		{"another type", `{"name":"a"}`, []string{"Content-Type: application/xml"}, `body [] media-type: is "application/xml"; want application/json or text/plain`},
		{"a type that only ends like JSON", `{"name":"a"}`, []string{"Content-Type: application/merge-patch+json"}, `body [] media-type: is "application/merge-patch+json"; want application/json or text/plain`},
		{"a form", "name=a", []string{"Content-Type: application/x-www-form-urlencoded"}, `body [] media-type: is "application/x-www-form-urlencoded"; want application/json or text/plain`},
		{"no type at all", `{"name":"a"}`, []string{"Content-Type: json"}, `body [] media-type: is "json"; want application/json or text/plain`},
		{"a range", `{"name":"a"}`, []string{"Content-Type: */*"}, `body [] media-type: is "*/*"; want application/json or text/plain`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := call(t, api, known, Limits{Body: 30_000}, request("POST", "/orders", tt.body, append(tt.headers, "X-Api-Key: ann-key")...))
			got := wrong(c)
			if got == "" {
				got = c.Body.String()
				if c.BodySize != len(tt.body) {
					t.Errorf("BodySize = %d, want %d", c.BodySize, len(tt.body))
				}
			}
			if start, open := strings.CutSuffix(tt.want, "…"); got != tt.want && !(open && strings.HasPrefix(got, start) && len(got) > len(start)) {
				t.Errorf("%.60q with %q:\ngot  %.200s\nwant %.200s", tt.body, tt.headers, got, tt.want)
			}
		})
	}
}

// TestBodySource: each way in which a body is wrong has a source of its own,
// because the plan answers each differently.
func TestBodySource(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	for _, tt := range []struct {
		name, body, typ string
		want            behavior.Source
		kept            bool
	}{
		{"against its schema", `{}`, "application/json", behavior.InBody, true},
		{"missing", ``, "application/json", behavior.InBody, false},
		{"no JSON", `{`, "application/json", behavior.UndecodedBody, false},
		{"too large", strings.Repeat(" ", 101), "application/json", behavior.BodySize, false},
		{"of another type", `{`, "text/html", behavior.MediaType, false},
	} {
		c := call(t, api, known, Limits{Body: 100}, request("POST", "/orders", tt.body, "Content-Type: "+tt.typ, "X-Api-Key: ann-key"))
		if len(c.Violations) != 1 || c.Violations[0].Source != tt.want || c.Body.IsMissing() == tt.kept {
			t.Errorf("%s: %+v with body %s, want source %d, kept %v", tt.name, c.Violations, c.Body, tt.want, tt.kept)
		}
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	for _, err := range []error{io.ErrUnexpectedEOF, errors.New("connection reset")} {
		r := request("POST", "/orders", "x", "Content-Type: application/json", "X-Api-Key: ann-key")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"name":"a"}`), iotest.ErrReader(err)))
		c := call(t, api, known, Limits{}, r)
		if got, want := wrong(c), "body [] json: ends before it is complete: "+err.Error(); got != want || !c.Body.IsMissing() {
			t.Errorf("got %s, body %s, want %s", got, c.Body, want)
		}
	}
}

func TestBodyIsOptional(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	c := call(t, api, known, Limits{}, request("PUT", "/orders/"+orderID, "", "Content-Type: text/html"))
	if wrong(c) != "" || !c.Body.IsMissing() {
		t.Errorf("no body: %s, body %s", wrong(c), c.Body)
	}
	c = call(t, api, known, Limits{}, request("DELETE", "/orders/"+orderID, "{", "Content-Type: text/html", "X-Api-Key: ann-key"))
	if wrong(c) != "" || !c.Body.IsMissing() {
		t.Errorf("a body that nobody asked for: %s, body %s", wrong(c), c.Body)
	}
}

func TestAccept(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	for _, tt := range []struct { // the answers are application/json and text/csv
		accept []string
		want   bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"*/*"}, true},
		{[]string{"*"}, true},
		{[]string{"application/json"}, true},
		{[]string{"APPLICATION/JSON"}, true},
		{[]string{"application/json; charset=utf-8"}, true},
		{[]string{"application/*"}, true},
		{[]string{"text/*"}, true},
		{[]string{"text/html, application/json;q=0.1"}, true},
		{[]string{"text/html", "text/csv"}, true},
		{[]string{"text/html, */*;q=0.001"}, true},
		{[]string{"text/html"}, false},
		{[]string{"image/*"}, false},
		{[]string{"app*"}, false},
		{[]string{"application/json2"}, false},
		{[]string{"*/*;q=0"}, false},
		{[]string{"application/json;q=0"}, false},
		{[]string{"application/json;q=0, text/*; Q=0.0"}, false},
		{[]string{"application/json;q=0, */*"}, true},                // text/csv
		{[]string{"application/json;q=0, text/csv;q=0, */*"}, false}, // the most exact range decides
		{[]string{"*/*, text/csv;q=0, application/*;q=0"}, false},
		{[]string{"*/*;q=0, text/csv"}, true},
		{[]string{"text/*;q=0, text/csv;q=0.5"}, true},
		{[]string{"application/json;q=x"}, true},
	} {
		r := request("GET", "/orders", "", "X-Api-Key: ann-key")
		r.Header["Accept"] = tt.accept
		if got := !call(t, api, known, Limits{}, r).NotAcceptable; got != tt.want {
			t.Errorf("Accept %q is acceptable: %v, want %v", tt.accept, got, tt.want)
		}
	}
}

func TestCredentials(t *testing.T) {
	api := load(t, shop)
	known, ann, bob := callers(t, api)
	basic := func(s string) string { return "Authorization: Basic " + s }
	// What an operation asks for, as it stands under security.
	for _, tt := range []struct {
		name, security, target string
		headers                []string
		auth                   behavior.Auth
		who                    *behavior.Caller
	}{
		{"key", "[{key: []}]", "", []string{"X-API-KEY: ann-key"}, behavior.Granted, ann},
		{"no key", "[{key: []}]", "", nil, behavior.NoCredentials, nil},
		{"an empty key", "[{key: []}]", "", []string{"X-Api-Key: "}, behavior.NoCredentials, nil},
		{"an unknown key", "[{key: []}]", "", []string{"X-Api-Key: ann"}, behavior.BadCredentials, nil},
		{"a key of another scheme", "[{key: []}]", "", []string{"X-Api-Key: ann-token"}, behavior.BadCredentials, nil},
		{"two keys", "[{key: []}]", "", []string{"X-Api-Key: ann-key", "X-Api-Key: ann-key"}, behavior.BadCredentials, nil},
		{"an expired key, from that moment on", "[{key: []}]", "", []string{"X-Api-Key: old-key"}, behavior.ExpiredCredentials, nil},
		{"a signature in the query", "[{link: []}]", "?a=1&sig=ann%2B/%20%26sig", nil, behavior.Granted, ann},
		{"an empty signature", "[{link: []}]", "?sig=", nil, behavior.NoCredentials, nil},
		{"an unknown signature", "[{link: []}]", "?sig=x", nil, behavior.BadCredentials, nil},
		{"a cookie", "[{session: []}]", "", []string{"Cookie: a=b; sid=ann-sid"}, behavior.Granted, ann},
		{"a cookie in quotes", "[{session: []}]", "", []string{`Cookie: sid="ann-sid"`}, behavior.Granted, ann},
		{"a cookie in another header", "[{session: []}]", "", []string{"Cookie: a=b", "Cookie: sid=ann-sid"}, behavior.Granted, ann},
		{"no cookie", "[{session: []}]", "", []string{"Cookie: sids=ann-sid"}, behavior.NoCredentials, nil},
		{"a token", "[{token: []}]", "", []string{"Authorization: Bearer ann-token"}, behavior.Granted, ann},
		{"a token whatever the case of its scheme", "[{token: []}]", "", []string{"Authorization: bEARER  ann-token"}, behavior.Granted, ann},
		{"a bare token is none", "[{token: []}]", "", []string{"Authorization: ann-token"}, behavior.NoCredentials, nil},
		{"a scheme without a token", "[{token: []}]", "", []string{"Authorization: Bearer "}, behavior.NoCredentials, nil},
		{"an unknown token", "[{token: []}]", "", []string{"Authorization: Bearer ann-token2"}, behavior.BadCredentials, nil},
		{"two tokens", "[{token: []}]", "", []string{"Authorization: Bearer ann-token", "Authorization: Bearer bob-token"}, behavior.BadCredentials, nil},
		{"basic where a token is asked for", "[{token: []}]", "", []string{basic("YW5uOnB3OjE=")}, behavior.NoCredentials, nil},
		{"user and password, with a colon in it", "[{word: []}]", "", []string{basic("YW5uOnB3OjE=")}, behavior.Granted, ann},
		{"a wrong password", "[{word: []}]", "", []string{basic("YW5uOnB3")}, behavior.BadCredentials, nil},
		{"no base64", "[{word: []}]", "", []string{basic("ann:pw:1")}, behavior.BadCredentials, nil},
		{"two of one caller", "[{key: [], token: []}]", "", []string{"X-Api-Key: ann-key", "Authorization: Bearer ann-token"}, behavior.Granted, ann},
		{"two of different callers", "[{key: [], token: []}]", "", []string{"X-Api-Key: ann-key", "Authorization: Bearer bob-token"}, behavior.BadCredentials, nil},
		{"one of two", "[{key: [], token: []}]", "", []string{"X-Api-Key: ann-key"}, behavior.NoCredentials, nil},
		{"two, one unknown", "[{key: [], token: []}]", "", []string{"X-Api-Key: x", "Authorization: Bearer ann-token"}, behavior.BadCredentials, nil},
		{"the first alternative", "[{key: []}, {token: []}]", "", []string{"X-Api-Key: ann-key"}, behavior.Granted, ann},
		{"the second alternative", "[{key: []}, {token: []}]", "", []string{"Authorization: Bearer bob-token"}, behavior.Granted, bob},
		{"the second, and the first is wrong", "[{key: []}, {token: []}]", "", []string{"X-Api-Key: x", "Authorization: Bearer bob-token"}, behavior.Granted, bob},
		{"neither, one is wrong", "[{key: []}, {token: []}]", "", []string{"Authorization: Bearer x"}, behavior.BadCredentials, nil},
		{"neither, one has expired", "[{key: []}, {token: []}]", "", []string{"X-Api-Key: old-key", "Authorization: Bearer x"}, behavior.ExpiredCredentials, nil},
		{"optional, and not sent", "[{key: []}, {}]", "", nil, behavior.Granted, nil},
		{"optional, and sent", "[{}, {key: []}]", "", []string{"X-Api-Key: ann-key"}, behavior.Granted, ann},
		{"nothing is asked for", "[]", "", []string{"X-Api-Key: x"}, behavior.Granted, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := load(t, change(t, "security: [{key: []}]\n", "security: "+tt.security+"\n"))
			known.api = api
			c := call(t, api, known, Limits{}, request("GET", "/orders"+tt.target, "", tt.headers...))
			who := ""
			if tt.who != nil {
				who = tt.who.Name
			}
			if c.Auth != tt.auth || c.Caller.Name != who {
				t.Errorf("%s with %q: auth %d of %q, want %d of %q", tt.security, tt.headers, c.Auth, c.Caller.Name, tt.auth, who)
			}
		})
	}
}

func TestAcceptAny(t *testing.T) {
	api := load(t, shop)
	for _, tt := range []struct {
		key  string
		auth behavior.Auth
		who  string
	}{{"", behavior.NoCredentials, ""}, {"x", behavior.Granted, "ann"}, {"bob-key", behavior.Granted, "bob"}, {"old-key", behavior.Granted, "old"}} {
		known, ann, _ := callers(t, api)
		known.AcceptAny(ann)
		c := call(t, api, known, Limits{}, request("GET", "/orders", "", "X-Api-Key: "+tt.key))
		if c.Auth != tt.auth || c.Caller.Name != tt.who {
			t.Errorf("key %q: auth %d of %q, want %d of %q", tt.key, c.Auth, c.Caller.Name, tt.auth, tt.who)
		}
	}
}

func TestCallersAdd(t *testing.T) {
	api := load(t, shop)
	known, ann, bob := callers(t, api)
	fails(t, known.Add("kay", "x", ann), `there is no security scheme "kay"; have key, token, session, word, link`)
	fails(t, known.Add("key", "ann-key", bob), "the key credential of bob is also that of ann")
	fails(t, known.Add("key", "ann-key", ann), "<nil>")
	fails(t, known.Add("token", "ann-key", bob), "<nil>")
}

// TestWhoIsNotLetInIsToldNothing: neither what else is wrong, nor is the body
// read.
func TestWhoIsNotLetInIsToldNothing(t *testing.T) {
	api := load(t, shop)
	known, _, _ := callers(t, api)
	r := request("POST", "/orders?size=0", "x", "Accept: image/png")
	r.Body = io.NopCloser(iotest.ErrReader(errors.New("the body was read")))
	c := call(t, api, known, Limits{}, r)
	if c.Auth != behavior.NoCredentials || len(c.Violations) > 0 || c.NotAcceptable {
		t.Errorf("auth %d, not acceptable %v, wrong %s", c.Auth, c.NotAcceptable, wrong(c))
	}
}

// TestPresent: what Present writes, a call reads, beside what was there.
func TestPresent(t *testing.T) {
	for scheme, secret := range map[string]string{"key": "ann-key", "token": "ann-token", "session": "ann-sid", "word": "ann:pw:1", "link": "ann+/ &sig"} {
		api := load(t, change(t, "security: [{key: []}]\n", "security: [{"+scheme+": []}]\n"))
		known, ann, _ := callers(t, api)
		r := request("GET", "/orders?z=1&a=%zz&a=;", "", "Cookie: theme=dark")
		api.Present(r, map[string]string{scheme: secret, "nobody": "x"})
		if c := call(t, api, known, Limits{}, r); c.Auth != behavior.Granted || c.Caller != ann {
			t.Errorf("%s: auth %d of %q, want ann; %v %s", scheme, c.Auth, c.Caller.Name, r.Header, r.URL)
		}
		if !strings.HasSuffix(r.URL.RawQuery, "z=1&a=%zz&a=;") || !strings.HasPrefix(r.Header.Get("Cookie"), "theme=dark") {
			t.Errorf("%s: changed query %s or cookies %s", scheme, r.URL.RawQuery, r.Header.Get("Cookie"))
		}
	}
	api := load(t, shop)
	all := map[string]string{"key": "1", "token": "2", "session": "3", "link": "4"}
	r, _ := http.NewRequest("GET", "http://shop.test/orders", nil)
	api.Present(r, all)
	got := fmt.Sprint(r.Header["X-Api-Key"], r.Header["Authorization"], r.Header["Cookie"], r.URL.RawQuery)
	if want := "[1] [Bearer 2] [sid=3]sig=4"; got != want {
		t.Errorf("Present(%v) = %s, want %s", all, got, want)
	}
}
