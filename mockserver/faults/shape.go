package faults

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// shape are the faults of what answers look like and of what refusals say.
var shape = []Fault{
	{Name: "member-missing", Check: "response-schema", Summary: "A record is read without a member that its schema requires.",
		Wrap: after(spoiled(func(rec value.Value, m value.Member) value.Value { return rec.Without(m.Name) }))},
	{Name: "member-of-wrong-type", Check: "response-schema", Summary: "A member of a record that is read has another type than its schema says.",
		Wrap: after(spoiled(func(rec value.Value, m value.Member) value.Value {
			if m.Value.IsString() {
				return rec.With(m.Name, value.Int(7))
			}
			return rec.With(m.Name, value.String("seven"))
		}))},
	{Name: "member-null", Check: "response-schema", Summary: "A member of a record that is read is null, which its schema forbids.",
		Wrap: after(spoiled(func(rec value.Value, m value.Member) value.Value { return rec.With(m.Name, value.Null) }))},
	{Name: "member-not-in-enum", Check: "response-schema", Summary: "A member of a record that is read has a text that its schema does not list.",
		Wrap: after(spoiled(func(rec value.Value, m value.Member) value.Value {
			if !m.Value.IsString() {
				return rec
			}
			return rec.With(m.Name, value.String("understudy"))
		}))},
	{Name: "list-member-missing", Check: "response-schema", Summary: "The last record of a list lacks a member that its schema requires.",
		Wrap: after(func(c *call, a *answer) {
			body := a.json()
			at, elems, _ := c.list(body)
			if !c.good(a) || c.op.Writes() || len(elems) == 0 {
				return
			}
			last := elems[len(elems)-1]
			for _, m := range last.Members() {
				now := append(slices.Clone(elems[:len(elems)-1]), last.Without(m.Name))
				if v := put(body, at, value.Array(now...)); !slices.Contains(c.ids, m.Name) && !c.fits(a.status, v) {
					a.set(v)
					return
				}
			}
		})},
	{Name: "json-cut-off", Check: "malformed-answer", Summary: "The JSON of a record that is read ends too early.",
		Wrap: after(func(c *call, a *answer) {
			if c.reads() && c.good(a) && len(a.body) > 2 {
				a.body = a.body[:len(a.body)-2]
			}
		})},
	{Name: "error-without-body", Check: "response-schema", Summary: "What is not found is answered without the documented body.",
		Wrap: after(func(c *call, a *answer) {
			if a.status == http.StatusNotFound && c.described(a.status) {
				a.body = nil
				a.header.Del("Content-Type")
			}
		})},

	{Name: "not-found-as-bad-request", Check: "undocumented-status", Summary: "What is not found is answered with 400 instead of 404.",
		Wrap: after(modelled(http.StatusNotFound, http.StatusBadRequest))},
	{Name: "not-found-as-forbidden", Check: "rule-status", Summary: "What is not found is answered with 403 instead of 404.",
		Wrap: after(modelled(http.StatusNotFound, http.StatusForbidden))},
	{Name: "conflict-as-bad-request", Check: "undocumented-status", Summary: "A conflict is answered with 400 instead of 409.",
		Wrap: after(modelled(http.StatusConflict, http.StatusBadRequest))},
	{Name: "forbidden-as-not-found", Check: "rule-status", Summary: "What is forbidden is answered with 404 instead of 403.",
		Wrap: after(modelled(http.StatusForbidden, http.StatusNotFound))},
	{Name: "bad-request-as-conflict", Check: "undocumented-status", Summary: "A well-formed request that a rule refuses with 400 is answered with 409.",
		Wrap: after(func(c *call, a *answer) {
			if a.status == http.StatusBadRequest && len(c.judge(c.body).Violations) == 0 {
				a.status = http.StatusConflict
			}
		})},
	{Name: "echo-other-id", Check: "rule-body", Summary: "A refusal names another id than the request.",
		Wrap: after(func(c *call, a *answer) {
			if id := c.subject(); id != "" && c.refused(a) {
				a.body = []byte(strings.ReplaceAll(string(a.body), `"`+id+`"`, `"`+other(id)+`"`))
			}
		})},
	{Name: "echo-wrong-count", Check: "rule-body", Summary: "A refusal that counts something counts one too many.",
		Wrap: after(func(c *call, a *answer) {
			if c.refused(a) && a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
				if body := a.json(); body.IsObject() {
					a.set(oneMore(body))
				}
			}
		})},
}

// refused is whether an answer is a refusal by a rule.
func (c *call) refused(a *answer) bool {
	rule := c.rule(a)
	return rule != nil && rule.Refusal
}

// modelled gives refusals by a rule another status.
func modelled(from, to int) func(c *call, a *answer) {
	return func(c *call, a *answer) {
		if a.status == from && c.refused(a) {
			a.status = to
		}
	}
}

// spoiled edits the first member of a record such that the answer breaks the
// document.
func spoiled(f func(rec value.Value, m value.Member) value.Value) func(c *call, a *answer) {
	return func(c *call, a *answer) {
		body := a.json()
		at, rec, ok := c.record(body)
		if !ok || !c.reads() || !c.good(a) {
			return
		}
		for _, m := range rec.Members() {
			if slices.Contains(c.ids, m.Name) || isTime(m.Value) {
				continue
			}
			if v := put(body, at, f(rec, m)); !c.fits(a.status, v) {
				a.set(v)
				return
			}
		}
	}
}

// oneMore adds one to each number in an object.
func oneMore(v value.Value) value.Value {
	for _, m := range v.Members() {
		if n, ok := m.Value.Int(); ok {
			v = v.With(m.Name, value.Int(n+1))
		} else if m.Value.IsObject() {
			v = v.With(m.Name, oneMore(m.Value))
		}
	}
	return v
}
