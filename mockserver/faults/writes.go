package faults

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// writes are the faults of what changes keep, and of what refusals must not.
var writes = []Fault{
	{Name: "update-does-nothing", Check: "rule-body", Summary: "An update succeeds and changes nothing.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, _ := m.update(c)
			if before.IsObject() && c.good(a) {
				for _, b := range before.Members() {
					m.records.put(c.subject(), b.Name, b.Value)
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "update-not-kept", Check: "list-contents", Summary: "The answer to an update shows it, later reads do not.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, _ := m.update(c)
			if !before.IsObject() || !c.good(a) {
				m.records.show(c, a)
				return a
			}
			for _, b := range before.Members() {
				m.records.put(c.subject(), b.Name, b.Value)
			}
			return a
		})},
	{Name: "update-changes-more", Check: "rule-body", Summary: "An update changes a member that was not sent, too.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, after := m.update(c)
			if before.IsObject() && c.good(a) {
				if name, v, ok := after.spoil(c.sent()); ok {
					m.records.put(c.subject(), name, v)
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "update-loses-member", Check: "rule-body", Summary: "Of an update with several members the last one is not kept.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, _ := m.update(c)
			if members := c.sent().Members(); before.IsObject() && c.good(a) && len(members) > 1 {
				for _, s := range slices.Backward(members) {
					if before.Has(s.Name) && !value.Equal(before.Get(s.Name), s.Value) {
						m.records.put(c.subject(), s.Name, before.Get(s.Name))
						break
					}
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "put-not-idempotent", Check: "rule-body", Summary: "A PUT that is repeated changes another member.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, after := m.update(c)
			if before.IsObject() && c.good(a) && c.r.Method == http.MethodPut {
				if id := c.subject(); m.texts[id] != string(c.body) {
					m.texts[id] = string(c.body)
				} else if name, v, ok := after.spoil(c.sent()); ok {
					m.records.put(id, name, v)
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "timestamps-do-not-move", Check: "rule-body", Summary: "An update leaves the time of the last change as it was.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a, before, after := m.update(c)
			if before.IsObject() && c.good(a) {
				for _, b := range before.Members() {
					if isTime(b.Value) && isTime(after.rec.Get(b.Name)) && !value.Equal(b.Value, after.rec.Get(b.Name)) && !c.sent().Has(b.Name) {
						m.records.put(c.subject(), b.Name, b.Value)
					}
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "timestamps-in-the-past", Check: "list-contents", Summary: "A new record says that it was made in 2001.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if id := c.created(a); id != "" {
				_, rec, ok := c.record(a.json())
				if now := c.read(id); !ok && now != nil {
					rec = now.rec
				}
				for _, t := range rec.Members() {
					if isTime(t.Value) && !c.sent().Has(t.Name) {
						m.records.put(id, t.Name, value.String("2001"+t.Value.Text()[4:]))
					}
				}
			}
			m.records.show(c, a)
			return a
		})},

	{Name: "failed-create-leaves-record", Check: "list-contents", Summary: "A body that is refused as invalid makes a record all the same.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if c.created(a) != "" {
				m.flags[c.op.ID+" creates"] = true
			}
			if a.status/100 == 4 && c.creates(m) && len(c.judge(c.body).Violations) > 0 {
				m.n++
				if body := c.mended(m.n); body != nil {
					c.with(c.r.Method, c.r.RequestURI, body, nil)
				}
			}
			return a
		})},
	{Name: "failed-update-changes", Check: "rule-body", Summary: "Of an update that is refused as invalid the valid members are kept.",
		Wrap: remember(func(_ *memory, c *call) *answer {
			a := c.send()
			if a.status/100 != 4 || !c.updates() {
				return a
			}
			body := c.sent()
			vs := c.judge(c.body).Violations
			for _, v := range vs {
				if v.Source != behavior.InBody || len(v.Path) == 0 {
					return a
				}
				body = body.Without(v.Path[0].Text())
			}
			if len(vs) > 0 && body.Len() > 0 {
				c.with(c.r.Method, c.r.RequestURI, value.Append(nil, body), nil)
			}
			return a
		})},
	{Name: "refusal-changes-state", Check: "list-contents", Summary: "A record that a rule protects from deletion or change is changed by the refused call.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			id := c.subject()
			if (c.deletes() || c.updates()) && a.status/100 == 4 && c.refused(a) && a.status != http.StatusUnauthorized &&
				a.status != http.StatusTooManyRequests && len(c.judge(c.body).Violations) == 0 {
				if now := c.read(id); now != nil {
					if name, v, ok := now.spoil(value.Value{}); ok {
						m.records.put(id, name, v)
					}
				}
			}
			m.records.show(c, a)
			return a
		})},

	{Name: "duplicate-accepted", Check: "rule-status", Summary: "What has to be unique may be there twice.",
		Wrap: remember(func(m *memory, c *call) *answer { return m.twice(c, func(value.Member) bool { return true }) })},
	{Name: "case-tells-apart", Check: "rule-status", Summary: "Names that differ in upper and lower case only count as different, where they are the same.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := m.twice(c, func(s value.Member) bool {
				return !m.flags[s.Name+"\n"+s.Value.Text()] && m.flags[s.Name+"\r"+behavior.Fold(s.Value.Text())]
			})
			m.learn(c, a)
			return a
		})},
	{Name: "case-does-not-tell-apart", Check: "refuses-valid", Summary: "Names that differ in upper and lower case only count as the same, where they are different.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			id := c.created(a)
			for _, s := range c.sent().Members() {
				if id == "" || !s.Value.IsString() || m.flags[s.Name+"\n"+s.Value.Text()] || !m.flags[s.Name+"\r"+behavior.Fold(s.Value.Text())] {
					continue
				}
				again := c.send() // refused, if anything of it has to be unique
				if more := c.created(again); more != "" {
					c.remove(more)
				} else if c.uniqueness(again, s) && c.remove(id) {
					return again
				}
			}
			m.learn(c, a)
			return a
		})},
}

// update sends a call and, if it changes a record, reads that before, as clients
// see it, and after. In other cases before is Missing.
func (m *memory) update(c *call) (a *answer, before value.Value, after *view) {
	if !c.updates() {
		return c.send(), before, nil
	}
	was := c.read(c.subject())
	a = c.send()
	if was == nil || !c.good(a) || c.created(a) != "" {
		return a, before, nil
	}
	if after = c.read(c.subject()); after == nil {
		return a, before, nil
	}
	return a, m.records.over(c, was.rec), after
}

// twice makes a record, or changes one, although a member of it is taken that has
// to be unique and that may says. The mock gets another text there.
func (m *memory) twice(c *call, may func(s value.Member) bool) *answer {
	a := c.send()
	sent := c.sent()
	if c.op.Writes() && sent.IsObject() && a.status/100 == 4 && a.status != http.StatusNotFound && c.refused(a) && len(c.judge(c.body).Violations) == 0 {
		for _, s := range sent.Members() {
			if !s.Value.IsString() || s.Value.Text() == "" || !may(s) {
				continue
			}
			m.n++
			body := value.Append(nil, sent.With(s.Name, altered(s.Value, m.n)))
			if len(c.judge(body).Violations) > 0 {
				continue
			}
			if b := c.with(c.r.Method, c.r.RequestURI, body, nil); c.good(b) {
				id := c.created(b)
				if id == "" {
					id = c.subject()
				}
				m.records.put(id, s.Name, s.Value)
				a = b
				break
			}
		}
	}
	m.records.show(c, a)
	return a
}

// learn remembers the texts of records that are there.
func (m *memory) learn(c *call, a *answer) {
	if !c.good(a) {
		return
	}
	_, elems, _ := c.list(a.json())
	if _, rec, ok := c.record(a.json()); ok {
		elems = append(slices.Clone(elems), rec)
	}
	for _, e := range elems {
		for _, t := range e.Members() {
			if t.Value.IsString() && t.Value.Text() != "" {
				m.flags[t.Name+"\n"+t.Value.Text()] = true
				m.flags[t.Name+"\r"+behavior.Fold(t.Value.Text())] = true
			}
		}
	}
}

// altered is a text like v that is probably nobody's. The form of phone numbers
// and other digits is kept.
func altered(v value.Value, n int) value.Value {
	text := v.Text()
	digits := strings.TrimLeft(text, "+")
	if digits != "" && strings.Trim(digits, "0123456789") == "" {
		b := []byte(text)
		for i := len(b) - 1; i > len(b)-5 && i > 1; i-- {
			b[i] = '0' + (b[i]-'0'+byte(n%9)+1)%10
		}
		return value.String(string(b))
	}
	mark := " ." + strings.Repeat(".", n%20)
	if runes := []rune(text); len(runes) > 60 {
		return value.String(string(runes[:60]) + mark)
	}
	return value.String(text + mark)
}
