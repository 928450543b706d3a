package report

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/contracttests"
)

// A masker hides the credentials of a run. A secret of eight bytes and more is
// hidden wherever it appears, a shorter one only where it was sent: it may be a
// word of any sentence.
type masker struct{ all *strings.Replacer }

// newMasker collects what was sent as a credential, and the cookies that came.
func newMasker(r *contracttests.Result) masker {
	secrets := map[string]bool{}
	add := func(s string) {
		if len(s) < 8 {
			return
		}
		secrets[s] = true
		// The same text as it stands in an address, and in JSON.
		secrets[url.QueryEscape(s)] = true
		secrets[url.PathEscape(s)] = true
		if b, err := json.Marshal(s); err == nil {
			secrets[string(b[1:len(b)-1])] = true
		}
	}
	credential := func(s string) {
		add(s)
		if _, password, two := strings.Cut(s, ":"); two {
			add(password)
		}
	}
	address := func(raw, target string) {
		eachSecretOf(raw, target, func(s string) {
			add(s)
			if plain, err := url.QueryUnescape(s); err == nil {
				add(plain)
			}
		})
	}
	address(r.URL, "")
	for i := range r.Findings {
		for _, x := range exchanges(&r.Findings[i]) {
			for _, s := range x.Request.Credentials {
				credential(s)
			}
			for name, values := range x.Sent {
				for _, v := range values {
					if !sentPlain(x, name, v) {
						eachSecretIn(name, v, credential)
					}
				}
			}
			address(x.URL, x.Request.Target)
			if x.Response != nil {
				for _, v := range x.Response.Header.Values("Set-Cookie") {
					eachSecretIn("Set-Cookie", v, add)
				}
			}
		}
	}
	// The longest first: one may contain another.
	sorted := make([]string, 0, len(secrets))
	for s := range secrets {
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(sorted))
	for _, s := range sorted {
		pairs = append(pairs, s, mask(s))
	}
	return masker{strings.NewReplacer(pairs...)}
}

// exchanges are all that a finding has.
func exchanges(f *contracttests.Finding) (out []*contracttests.Exchange) {
	for i := range f.Steps {
		out = append(out, &f.Steps[i])
	}
	for i := range f.Control {
		out = append(out, &f.Control[i])
	}
	return out
}

// text hides the secrets in a text.
func (m masker) text(s string) string { return m.all.Replace(s) }

// exchange is x without secrets: headers, address, bodies. The error is left to
// the caller.
func (m masker) exchange(x *contracttests.Exchange) *contracttests.Exchange {
	c := *x
	c.Sent = http.Header{}
	for name, values := range x.Sent {
		for _, v := range values {
			if !sentPlain(x, name, v) {
				v = maskHeader(name, v)
			}
			c.Sent[name] = append(c.Sent[name], m.text(v))
		}
	}
	// What is masked here is not masked again by Curl.
	c.Request.Header = c.Sent
	c.URL = m.text(maskURL(x.URL, x.Request.Target))
	if x.Request.Body != nil {
		c.Request.Body = []byte(m.text(string(x.Request.Body)))
	}
	if x.Response != nil {
		resp := *x.Response
		resp.Header = http.Header{}
		for name, values := range x.Response.Header {
			for _, v := range values {
				if http.CanonicalHeaderKey(name) == "Set-Cookie" {
					v = maskHeader(name, v)
				}
				resp.Header[name] = append(resp.Header[name], m.text(v))
			}
		}
		resp.Body = []byte(m.text(string(resp.Body)))
		c.Response = &resp
	}
	return &c
}

// plain are headers that hold no secrets.
var plain = []string{"Accept", "Accept-Encoding", "Accept-Language", "Allow", "Cache-Control", "Connection",
	"Content-Encoding", "Content-Length", "Content-Type", "Date", "Expect", "Host", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Unmodified-Since", "Origin", "Range", "Te", "Trailer", "Transfer-Encoding", "User-Agent"}

// sentPlain tells whether a header of x is no credential: everybody may see it, or
// it was there before the credentials were added.
func sentPlain(x *contracttests.Exchange, name, value string) bool {
	return slices.Contains(plain, http.CanonicalHeaderKey(name)) ||
		slices.Contains(x.Request.Header[name], value) || slices.Contains(x.Request.Header.Values(name), value)
}

// mask hides all but the last four characters, and those, too, of a short secret.
func mask(s string) string {
	if utf8.RuneCountInString(s) <= 8 {
		return "…"
	}
	end := len(s)
	for range 4 {
		_, n := utf8.DecodeLastRuneInString(s[:end])
		end -= n
	}
	return "…" + s[end:]
}

// maskHeader hides the secret of a header: what follows the scheme, the values of
// cookies, or all of it.
func maskHeader(name, v string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		if scheme, secret, two := strings.Cut(v, " "); two {
			return scheme + " " + mask(secret)
		}
	case "Cookie":
		pairs := strings.Split(v, ";")
		for i, p := range pairs {
			pairs[i] = maskCookie(p)
		}
		return strings.Join(pairs, ";")
	case "Set-Cookie":
		pair, attributes, more := strings.Cut(v, ";")
		if more {
			attributes = ";" + attributes
		}
		return maskCookie(pair) + attributes
	}
	return mask(v)
}

func maskCookie(pair string) string {
	name, value, two := strings.Cut(pair, "=")
	if !two {
		return mask(pair)
	}
	return name + "=" + mask(value)
}

// eachSecretIn calls f with what is secret in the value of a header.
func eachSecretIn(name, v string, f func(string)) {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		if scheme, secret, two := strings.Cut(v, " "); two {
			secret = strings.TrimSpace(secret)
			f(secret)
			if b, err := base64.StdEncoding.DecodeString(secret); err == nil && strings.EqualFold(scheme, "Basic") {
				f(string(b))
			}
			return
		}
	case "Cookie", "Set-Cookie":
		pairs := strings.Split(v, ";")
		if http.CanonicalHeaderKey(name) == "Set-Cookie" {
			pairs = pairs[:1]
		}
		for _, p := range pairs {
			if _, value, two := strings.Cut(p, "="); two {
				p = value
			}
			f(strings.TrimSpace(p))
		}
		return
	}
	f(v)
}

// maskURL hides the password of an address, and the parameters that target, the
// request before the credentials were added, has not.
func maskURL(raw, target string) string {
	var b strings.Builder
	at := 0
	eachSecretSpan(raw, target, func(from, to int) {
		b.WriteString(raw[at:from])
		b.WriteString(mask(raw[from:to]))
		at = to
	})
	return b.String() + raw[at:]
}

func eachSecretOf(raw, target string, f func(string)) {
	eachSecretSpan(raw, target, func(from, to int) { f(raw[from:to]) })
}

// eachSecretSpan finds the secrets in an address, from left to right. It does not
// need a well-formed one.
func eachSecretSpan(raw, target string, f func(from, to int)) {
	raw, _, _ = strings.Cut(raw, "#")
	query := strings.IndexByte(raw, '?')
	front := raw
	if query >= 0 {
		front = raw[:query]
	}
	if i := strings.Index(front, "://"); i >= 0 {
		start := i + 3
		end := len(front)
		if j := strings.IndexByte(front[start:], '/'); j >= 0 {
			end = start + j
		}
		if at := strings.LastIndexByte(front[start:end], '@'); at >= 0 {
			from := start
			if colon := strings.IndexByte(front[start:start+at], ':'); colon >= 0 {
				from += colon + 1
			}
			f(from, start+at)
		}
	}
	if query < 0 || target == "" {
		// Without a request nobody knows which parameters are secret.
		return
	}
	_, before, _ := strings.Cut(target, "?")
	known := map[string]bool{}
	for p := range strings.SplitSeq(before, "&") {
		known[decoded(p)] = true
	}
	at := query + 1
	for p := range strings.SplitSeq(raw[at:], "&") {
		if name, _, two := strings.Cut(p, "="); two && !known[decoded(p)] && len(name)+1 < len(p) {
			f(at+len(name)+1, at+len(p))
		}
		at += len(p) + 1
	}
}

// decoded is a parameter, in whatever way it was escaped.
func decoded(pair string) string {
	name, value, _ := strings.Cut(pair, "=")
	if s, err := url.QueryUnescape(name); err == nil {
		name = s
	}
	if s, err := url.QueryUnescape(value); err == nil {
		value = s
	}
	return name + "=" + value
}
