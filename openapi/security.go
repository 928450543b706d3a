package openapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// authScheme is one of components.securitySchemes.
type authScheme struct {
	name string
	kind schemeKind
	key  string // the name of header, query parameter or cookie
}

type schemeKind uint8

const (
	keyInHeader schemeKind = iota
	keyInQuery
	keyInCookie
	bearer // http bearer; also oauth2 and openIdConnect, whose tokens travel like that
	basic
)

// requirement is one alternative: all of its schemes are needed. None means
// that anonymous callers are let in.
type requirement []int // indexes into API.schemes

func (l *loader) securitySchemes() error {
	components := tree.Get(l.file.Root, "components")
	if err := l.file.Holds(components, "securitySchemes", yaml.MappingNode, "securitySchemes"); err != nil {
		return err
	}
	list := tree.Get(components, "securitySchemes")
	for k, n := range tree.Pairs(list) {
		n, err := l.file.Resolve(n)
		if err != nil {
			return err
		}
		s := authScheme{name: k.Value, key: tree.Text(n, "name")}
		switch typ := tree.Text(n, "type"); typ {
		case "apiKey":
			switch in := tree.Text(n, "in"); in {
			case "header":
				s.kind, s.key = keyInHeader, http.CanonicalHeaderKey(s.key)
			case "query":
				s.kind = keyInQuery
			case "cookie":
				s.kind = keyInCookie
			default:
				return l.file.Errorf(k, "security scheme %s: in is %q; want header, query or cookie", k.Value, in)
			}
			if s.key == "" {
				return l.file.Errorf(k, "security scheme %s: has no name", k.Value)
			}
		case "http":
			switch strings.ToLower(tree.Text(n, "scheme")) {
			case "bearer":
				s.kind = bearer
			case "basic":
				s.kind = basic
			default:
				return l.file.Errorf(k, "security scheme %s: the http scheme %q is not supported; want bearer or basic", k.Value, tree.Text(n, "scheme"))
			}
		case "oauth2", "openIdConnect":
			s.kind = bearer
		default:
			return l.file.Errorf(k, "security scheme %s: type is %q; want apiKey, http, oauth2 or openIdConnect", k.Value, typ)
		}
		l.api.schemes = append(l.api.schemes, s)
	}
	return nil
}

func (l *loader) requirements(n *yaml.Node) (list []requirement, challenge string, err error) {
	for _, c := range tree.Items(n) {
		var r requirement
		for k := range tree.Pairs(c) {
			i := slices.IndexFunc(l.api.schemes, func(s authScheme) bool { return s.name == k.Value })
			if i < 0 {
				return nil, "", l.file.Errorf(k, "security: there is no scheme %q in components.securitySchemes", k.Value)
			}
			r = append(r, i)
			if challenge == "" {
				switch l.api.schemes[i].kind {
				case bearer:
					challenge = "Bearer"
				case basic:
					challenge = fmt.Sprintf("Basic realm=%q", l.api.Title)
				default:
					challenge = "ApiKey"
				}
			}
		}
		list = append(list, r)
	}
	return list, challenge, nil
}

// Schemes are the names of the document's security schemes.
func (a *API) Schemes() []string {
	var names []string
	for _, s := range a.schemes {
		names = append(names, s.name)
	}
	return names
}

// Callers are those whom a server knows, by their credentials.
type Callers struct {
	api       *API
	known     map[credential]*behavior.Caller
	anonymous *behavior.Caller
	any       *behavior.Caller
}

type credential struct {
	scheme int
	secret string
}

// NewCallers begins with nobody but the anonymous caller, who may be nil.
func (a *API) NewCallers(anonymous *behavior.Caller) *Callers {
	if anonymous == nil {
		anonymous = behavior.NewCaller("", nil, value.Value{}, time.Time{})
	}
	return &Callers{api: a, known: map[credential]*behavior.Caller{}, anonymous: anonymous}
}

// Add makes a credential known: for basic it is "user:password", otherwise the
// key or token. The error says that there is no such scheme, or that the
// credential belongs to somebody else.
func (c *Callers) Add(scheme, secret string, caller *behavior.Caller) error {
	i := slices.IndexFunc(c.api.schemes, func(s authScheme) bool { return s.name == scheme })
	if i < 0 {
		return fmt.Errorf("there is no security scheme %q; have %s", scheme, strings.Join(c.api.Schemes(), ", "))
	}
	key := credential{i, secret}
	if old := c.known[key]; old != nil && old != caller {
		return fmt.Errorf("the %s credential of %s is also that of %s", scheme, caller.Name, old.Name)
	}
	c.known[key] = caller
	return nil
}

// AcceptAny takes unknown credentials for those of this caller; nil for nobody.
func (c *Callers) AcceptAny(caller *behavior.Caller) { c.any = caller }

// Present writes credentials into a request, as the named schemes want them.
func (a *API) Present(r *http.Request, credentials map[string]string) {
	for _, s := range a.schemes {
		secret, ok := credentials[s.name]
		if !ok {
			continue
		}
		switch s.kind {
		case keyInHeader:
			r.Header.Set(s.key, secret)
		case keyInQuery:
			rest := r.URL.RawQuery // as it is: it may be meant to be wrong
			r.URL.RawQuery = url.QueryEscape(s.key) + "=" + url.QueryEscape(secret)
			if rest != "" {
				r.URL.RawQuery += "&" + rest
			}
		case keyInCookie:
			r.AddCookie(&http.Cookie{Name: s.key, Value: secret})
		case bearer:
			r.Header.Set("Authorization", "Bearer "+secret)
		case basic:
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(secret)))
		}
	}
}

// CredentialHeaders are the names of the headers that credentials travel in.
func (a *API) CredentialHeaders() []string {
	var names []string
	for _, s := range a.schemes {
		switch s.kind {
		case keyInHeader:
			names = append(names, s.key)
		case keyInCookie:
			names = append(names, "Cookie")
		case bearer, basic:
			names = append(names, "Authorization")
		}
	}
	return names
}

// CurlArguments are the arguments that make curl present credentials.
func (a *API) CurlArguments(credentials map[string]string) []string {
	var out []string
	for _, s := range a.schemes {
		secret, ok := credentials[s.name]
		if !ok {
			continue
		}
		switch s.kind {
		case keyInHeader:
			out = append(out, "-H '"+s.key+": "+secret+"'")
		case keyInCookie:
			out = append(out, "-b '"+s.key+"="+secret+"'")
		case bearer:
			out = append(out, "-H 'Authorization: Bearer "+secret+"'")
		case basic:
			out = append(out, "-u '"+secret+"'")
		}
	}
	return out
}

// identify says who calls.
func (c *Callers) identify(list []requirement, header http.Header, query param.Query, now time.Time) (*behavior.Caller, behavior.Auth) {
	if len(list) == 0 {
		return c.anonymous, behavior.Granted
	}
	best, open := behavior.NoCredentials, false
	for _, r := range list {
		if len(r) == 0 {
			open = true
			continue
		}
		caller, auth := c.satisfies(r, header, query, now)
		if auth == behavior.Granted {
			return caller, auth
		}
		best = max(best, auth)
	}
	if open {
		return c.anonymous, behavior.Granted
	}
	return c.anonymous, best
}

// satisfies looks for one caller to whom all credentials belong.
func (c *Callers) satisfies(r requirement, header http.Header, query param.Query, now time.Time) (*behavior.Caller, behavior.Auth) {
	var who *behavior.Caller
	known := true
	for _, i := range r {
		secret, present, formed := c.api.schemes[i].find(header, query)
		if !present {
			return nil, behavior.NoCredentials
		}
		caller := c.known[credential{i, secret}]
		if !formed || caller == nil || who != nil && caller != who {
			known = false
			continue
		}
		who = caller
	}
	switch {
	case !known && c.any != nil:
		return c.any, behavior.Granted
	case !known:
		return nil, behavior.BadCredentials
	case !who.Expires.IsZero() && !now.Before(who.Expires) && c.any == nil:
		return nil, behavior.ExpiredCredentials
	}
	return who, behavior.Granted
}

// find looks for a credential. Of Authorization, another scheme's or a bare
// token is none of this one.
func (s *authScheme) find(header http.Header, query param.Query) (secret string, present, formed bool) {
	switch s.kind {
	case keyInHeader:
		if v := header[s.key]; len(v) > 0 && v[0] != "" {
			return v[0], true, len(v) == 1
		}
	case keyInQuery:
		for i := range query {
			if query[i].Name == s.key && query[i].Value != "" {
				return query[i].Value, true, true
			}
		}
	case keyInCookie:
		if v, ok := cookie(header, s.key); ok && v != "" {
			return v, true, true
		}
	case bearer, basic:
		v := header["Authorization"]
		if len(v) == 0 {
			return "", false, false
		}
		name, rest, _ := strings.Cut(v[0], " ")
		rest = strings.TrimLeft(rest, " ")
		want := "bearer"
		if s.kind == basic {
			want = "basic"
		}
		if !strings.EqualFold(name, want) || rest == "" {
			return "", false, false
		}
		if s.kind == bearer {
			return rest, true, len(v) == 1
		}
		plain, err := base64.StdEncoding.DecodeString(rest)
		return string(plain), true, err == nil
	}
	return "", false, false
}

// cookie is the value of a cookie, unquoted (RFC 6265, section 4.2).
func cookie(header http.Header, name string) (string, bool) {
	for _, line := range header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			k, v, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if ok && k == name {
				if n := len(v); n > 1 && v[0] == '"' && v[n-1] == '"' {
					v = v[1 : n-1]
				}
				return v, true
			}
		}
	}
	return "", false
}
