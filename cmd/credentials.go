package cmd

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/openapi"
)

// credentialEnv begins the names of environment variables that hold a secret of the
// ordinary caller: UNDERSTUDY_CREDENTIAL_<SCHEME>.
const credentialEnv = "UNDERSTUDY_CREDENTIAL_"

// A secret is one credential from the command line or the environment.
type secret struct {
	caller, scheme, text string
	from                 string // for messages
}

// secrets reads --credential and the environment; a flag counts more.
func secrets(api *openapi.API, fix *fixtures.Fixtures, flags []string) (list []secret, err error) {
	schemes := api.Schemes()
	ordinary := "caller"
	if len(fix.Callers) > 0 {
		ordinary = fix.Callers[0].Name
	}
	for _, scheme := range schemes {
		if text := os.Getenv(credentialEnv + variable(scheme)); text != "" {
			list = append(list, secret{ordinary, scheme, text, credentialEnv + variable(scheme)})
		}
	}
	for _, arg := range flags {
		left, text, ok := strings.Cut(arg, "=")
		caller, scheme := ordinary, left
		if !slices.Contains(schemes, left) {
			if who, rest, dotted := strings.Cut(left, "."); dotted {
				caller, scheme = who, rest
			}
		}
		switch {
		case !ok || text == "":
			return nil, usagef("--credential %s: want scheme=secret or caller.scheme=secret", left)
		case !slices.Contains(schemes, scheme):
			return nil, usagef("--credential %s: there is no security scheme %q; have %s", left, scheme, strings.Join(schemes, ", "))
		case len(fix.Callers) > 0 && fix.Caller(caller) == nil:
			return nil, usagef("--credential %s: the fixtures have no caller %q; have %s", left, caller, strings.Join(callerNames(fix), ", "))
		}
		list = append(list, secret{caller, scheme, text, "--credential"})
	}
	return list, nil
}

// variable is a scheme's name as part of the name of an environment variable.
func variable(scheme string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(scheme))
}

func callerNames(fix *fixtures.Fixtures) []string {
	var names []string
	for _, c := range fix.Callers {
		names = append(names, c.Name)
	}
	return names
}

// present puts secrets in the place of those of the fixtures. The result is what was
// replaced by what: fixtures may use a secret as an attribute, and documented calls
// may have it in their bodies.
func present(fix *fixtures.Fixtures, list []secret) map[string]string {
	replaced := map[string]string{}
	for _, s := range list {
		c := fix.Caller(s.caller)
		if c == nil {
			fix.Callers = append(fix.Callers, fixtures.Caller{
				Caller:      behavior.NewCaller(s.caller, []string{"*"}, value.Value{}, time.Time{}),
				Credentials: map[string]string{},
			})
			c = &fix.Callers[len(fix.Callers)-1]
		}
		if old := c.Credentials[s.scheme]; old != "" && old != s.text {
			replaced[old] = s.text
		}
		c.Credentials[s.scheme] = s.text
	}
	for i := range fix.Callers {
		fix.Callers[i].Caller = renewed(fix.Callers[i].Caller, replaced)
	}
	fix.Anonymous = renewed(fix.Anonymous, replaced)
	return replaced
}

// renewed is a caller whose attributes have the new secrets in the place of the old.
func renewed(c *behavior.Caller, replaced map[string]string) *behavior.Caller {
	if c == nil {
		return nil
	}
	attributes, changed := c.Attributes, false
	for _, m := range c.Attributes.Members() {
		if to, ok := replaced[m.Value.Text()]; ok && m.Value.IsString() {
			attributes, changed = attributes.With(m.Name, value.String(to)), true
		}
	}
	if !changed {
		return c
	}
	return behavior.NewCaller(c.Name, c.Scopes, attributes, c.Expires)
}

// rewrite puts the new secrets into documented calls.
func rewrite(list []contracttests.Request, replaced map[string]string) {
	if len(replaced) == 0 {
		return
	}
	var pairs []string
	for from, to := range replaced {
		pairs = append(pairs, from, to)
	}
	in := strings.NewReplacer(pairs...)
	for i := range list {
		q := &list[i]
		q.Target = in.Replace(q.Target)
		if q.Body != nil {
			q.Body = []byte(in.Replace(string(q.Body)))
		}
		header := q.Header.Clone()
		for _, values := range header {
			for k := range values {
				values[k] = in.Replace(values[k])
			}
		}
		q.Header = header
	}
}

// fit checks that the ordinary caller has what the document asks for.
func fit(api *openapi.API, fix *fixtures.Fixtures) error {
	if len(fix.Callers) == 0 && len(api.Schemes()) > 0 {
		return fmt.Errorf("%s asks for credentials (%s), and none are known; want --credential scheme=secret, or --fixtures with callers", api.Name, strings.Join(api.Schemes(), ", "))
	}
	return nil
}
