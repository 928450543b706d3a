package faults

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// access are the faults of who may see and do what.
var access = []Fault{
	{Name: "auth-ignored", Check: "ignored-auth", Summary: "Once somebody's credentials were good, missing and wrong ones are, too.",
		Wrap: remember(func(m *memory, c *call) *answer {
			return m.asSomebody(c, func(a *answer) bool { return a.status == http.StatusUnauthorized })
		})},
	{Name: "auth-missing-accepted", Check: "ignored-auth", Summary: "Once somebody's credentials were good, none are needed; wrong ones are refused.",
		Wrap: remember(func(m *memory, c *call) *answer {
			return m.asSomebody(c, func(a *answer) bool {
				return a.status == http.StatusUnauthorized && strings.Trim(c.who(), "\n") == ""
			})
		})},
	{Name: "auth-one-of-two", Check: "rule-status", Summary: "Of several credentials that a call needs only the first is checked, where the document has several.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if len(c.headers) < 2 {
				return a
			}
			first := c.headers[0] + c.r.Header.Get(c.headers[0])
			if a.status != http.StatusUnauthorized {
				if c.r.Header.Get(c.headers[1]) != "" {
					m.callers[first] = c.credentials()
				}
				return a
			}
			if whole := m.callers[first]; whole != nil {
				return c.with(c.r.Method, c.r.RequestURI, c.body, whole)
			}
			return a
		})},
	{Name: "auth-expired-accepted", Check: "ignored-auth", Summary: "Expired credentials are taken for good ones, where the document tells them from unknown ones.",
		Wrap: remember(func(m *memory, c *call) *answer {
			return m.asSomebody(c, func(a *answer) bool {
				rule := c.rule(a)
				return a.status == http.StatusUnauthorized && rule != nil && strings.HasPrefix(rule.Name, "expired_credentials") ||
					a.status == http.StatusUnauthorized && strings.Contains(strings.ToLower(string(a.body)), "expired")
			})
		})},
	{Name: "scope-ignored", Check: "ignored-auth", Summary: "Once somebody was allowed to do something, everybody with credentials is.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			key := c.op.ID
			rule := c.rule(a)
			if c.good(a) {
				m.callers[key] = c.credentials()
			}
			if as := m.callers[key]; as != nil && a.status == http.StatusForbidden && rule != nil && rule.Pos != c.op.Pos {
				if b := c.with(c.r.Method, c.r.RequestURI, c.body, as); c.good(b) {
					return b
				}
			}
			return a
		})},
	{Name: "other-tenant-visible", Check: "use-after-delete", Summary: "A record that somebody has seen can be read by everybody who knows its id.",
		Wrap: remember(func(m *memory, c *call) *answer { return m.asOwner(c, c.reads()) })},
	{Name: "other-tenant-changeable", Check: "use-after-delete", Summary: "A record that somebody has seen can be changed and deleted by everybody who knows its id.",
		Wrap: remember(func(m *memory, c *call) *answer { return m.asOwner(c, c.updates() || c.deletes()) })},
	{Name: "list-leaks", Check: "list-contents", Summary: "A list ends with a record that another caller has listed and this one must not see.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			body := a.json()
			at, elems, ok := c.list(body)
			if !ok || !c.good(a) || c.op.Writes() {
				return a
			}
			who, mine := c.who(), map[string]bool{}
			for _, e := range elems {
				mine[c.id(e)] = true
			}
			for _, key := range m.order {
				owner, id, _ := strings.Cut(key, "\x00")
				theirs := m.answers[key].json()
				if owner == c.op.ID+who || !strings.HasPrefix(owner, c.op.ID) || mine[id] || m.flags[who+id] {
					continue
				}
				if c.item(http.MethodGet, id) == "" || c.read(id) != nil {
					continue
				}
				a.set(put(body, at, value.Array(append(slices.Clone(elems), theirs)...)))
				break
			}
			for _, e := range elems {
				key := c.op.ID + who + "\x00" + c.id(e)
				if m.answers[key] == nil {
					m.order = append(m.order, key)
				}
				m.answers[key] = &answer{body: value.Append(nil, e)}
				m.flags[who+c.id(e)] = true
			}
			return a
		})},
	{Name: "child-through-other-parent", Check: "use-after-delete", Summary: "A record is found below every parent that is there, not only below its own.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			n := len(c.args)
			if n == 0 {
				return a
			}
			if c.good(a) {
				for i := range c.args { // every parameter of a path that works is a record's, below those before it
					m.texts[c.path.Names[i]+c.args[i]] = strings.Join(c.args[:i], "\n")
				}
				return a
			}
			last := c.path.Names[n-1] + c.args[n-1]
			home, known := m.texts[last]
			_, parent := m.texts[parentKey(c)]
			if n < 2 || a.status != http.StatusNotFound || !known || !parent || home == strings.Join(c.args[:n-1], "\n") {
				return a
			}
			path := c.path.Template
			for i, v := range append(strings.Split(home, "\n"), c.args[n-1]) {
				path = strings.Replace(path, "{"+c.path.Names[i]+"}", url.PathEscape(v), 1)
			}
			return c.with(c.r.Method, c.base+path, c.body, nil)
		})},
}

// parentKey is what is remembered of the parent that a path names.
func parentKey(c *call) string {
	if n := len(c.args); n > 1 {
		return c.path.Names[n-2] + c.args[n-2]
	}
	return ""
}

// asSomebody answers a call that refused says was turned away as if somebody had
// made it whose credentials were good before.
func (m *memory) asSomebody(c *call, refused func(a *answer) bool) *answer {
	a := c.send()
	if !refused(a) {
		if c.good(a) && strings.Trim(c.who(), "\n") != "" {
			m.callers["somebody"] = c.credentials()
			m.callers[c.op.ID] = c.credentials()
		}
		return a
	}
	for _, key := range []string{c.op.ID, "somebody"} {
		if as := m.callers[key]; as != nil {
			return c.with(c.r.Method, c.r.RequestURI, c.body, as)
		}
	}
	return a
}

// asOwner answers a call that is applies says is concerned, and that does not
// find its record, as if the caller had made it who has seen that record.
func (m *memory) asOwner(c *call, applies bool) *answer {
	a := c.send()
	if c.good(a) {
		if id := c.created(a); id != "" {
			m.callers[id] = c.credentials()
		} else if _, elems, ok := c.list(a.json()); ok {
			for _, e := range elems {
				m.callers[c.id(e)] = c.credentials()
			}
		} else if id := c.subject(); id != "" {
			m.callers[id] = c.credentials()
		}
		return a
	}
	if as := m.callers[c.subject()]; applies && as != nil && a.status != http.StatusUnauthorized {
		if b := c.with(c.r.Method, c.r.RequestURI, c.body, as); a.status != http.StatusForbidden && c.good(b) {
			return b
		}
	}
	return a
}
