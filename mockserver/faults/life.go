package faults

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// life are the faults of what becomes of records when they are made and deleted.
var life = []Fault{
	{Name: "use-after-delete", Check: "use-after-delete", Summary: "A deleted record can still be read.",
		Wrap: remember(func(m *memory, c *call) *answer { return m.ghost(c, true, false) })},
	{Name: "list-shows-deleted", Check: "list-contents", Summary: "A deleted record stays in the lists.",
		Wrap: remember(func(m *memory, c *call) *answer { return m.ghost(c, false, true) })},
	{Name: "delete-does-nothing", Check: "use-after-delete", Summary: "Deletion succeeds, but the record can still be read, is listed, and can be deleted again.",
		Wrap: remember(func(m *memory, c *call) *answer {
			if gone := m.answers["deletion of "+strings.ToLower(c.subject())]; gone != nil && c.deletes() {
				return gone.clone()
			}
			a := m.ghost(c, true, true)
			if c.deletes() && c.good(a) {
				m.answers["deletion of "+strings.ToLower(c.subject())] = a.clone()
			}
			return a
		})},
	{Name: "delete-removes-more", Check: "list-contents", Summary: "With a record goes another one of its kind, which was made before it.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if id := c.created(a); id != "" {
				m.order = append(m.order, id)
			} else if _, elems, ok := c.list(a.json()); ok && c.good(a) {
				for _, e := range elems {
					if !slices.Contains(m.order, c.id(e)) {
						m.order = slices.Insert(m.order, 0, c.id(e))
					}
				}
			}
			if c.deletes() && c.good(a) {
				m.order = slices.DeleteFunc(m.order, func(id string) bool { return id == c.subject() })
				for i := len(m.order) - 1; i >= 0; i-- {
					if c.remove(m.order[i]) {
						m.order = slices.Delete(m.order, i, i+1)
						break
					}
				}
			}
			return a
		})},
	{Name: "delete-twice-succeeds", Check: "use-after-delete", Summary: "Deleting a record again succeeds, where it must not be found.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			key := c.r.URL.Path
			if c.deletes() && c.good(a) {
				m.answers[key] = a.clone()
			} else if gone := m.answers[key]; gone != nil && c.deletes() {
				return gone.clone()
			}
			return a
		})},
	{Name: "lost-create", Check: "lost-create", Summary: "A record that was made cannot be read.",
		Wrap: remember(func(m *memory, c *call) *answer {
			if id := c.subject(); c.reads() && m.flags[id] {
				a := c.with(http.MethodGet, strings.ReplaceAll(c.r.URL.RequestURI(), id, other(id)), nil, nil)
				a.body = []byte(strings.ReplaceAll(string(a.body), other(id), id))
				return a
			}
			a := c.send()
			if id := c.created(a); id != "" {
				m.flags[id] = true
			}
			return a
		})},
	{Name: "create-not-listed", Check: "list-contents", Summary: "A record that was made is in no list.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if id := c.created(a); id != "" {
				m.flags[id] = true
			}
			before := 0
			c.editList(a, func(elems []value.Value) []value.Value {
				before = len(elems)
				return slices.DeleteFunc(elems, func(e value.Value) bool { return m.flags[c.id(e)] })
			})
			if _, elems, _ := c.list(a.json()); before > len(elems) {
				recount(a, int64(len(elems)-before))
			}
			return a
		})},
	{Name: "create-forgets-member", Check: "rule-body", Summary: "A new record lacks a text that was sent: it has another one.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if id := c.created(a); id != "" {
				if shown := c.read(id); shown != nil {
					for _, s := range c.sent().Members() {
						v := value.String("x" + s.Value.Text())
						if s.Value.IsString() && value.Equal(shown.rec.Get(s.Name), s.Value) && shown.takes(s.Name, v) {
							m.records.put(id, s.Name, v)
							break
						}
					}
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "id-reused", Check: "rule-body", Summary: "A record that is made after a deletion gets the id of the deleted one.",
		Wrap: remember(func(m *memory, c *call) *answer {
			for _, alias := range m.order {
				c.body = []byte(strings.ReplaceAll(string(c.body), alias, m.texts[alias]))
			}
			target := c.r.RequestURI
			for _, alias := range m.order {
				target = strings.ReplaceAll(target, alias, m.texts[alias])
			}
			a := c.with(c.r.Method, target, c.body, nil)
			subject := c.subject()
			switch id := c.created(a); {
			case c.deletes() && c.good(a) && m.texts[subject] == "" && subject != "":
				m.texts["free"] = subject
			case id != "" && m.texts["free"] != "":
				alias := m.texts["free"]
				delete(m.texts, "free")
				m.texts[alias] = id
				m.order = append(m.order, alias)
			}
			for _, alias := range m.order {
				a.body = []byte(strings.ReplaceAll(string(a.body), m.texts[alias], alias))
			}
			return a
		})},
	{Name: "name-not-freed", Check: "refuses-valid", Summary: "What had to be unique about a record stays taken when it is deleted.",
		Wrap: remember(func(m *memory, c *call) *answer {
			if c.deletes() {
				was := c.read(c.subject())
				a := c.send()
				if was != nil && c.good(a) {
					for _, v := range was.rec.Members() {
						if v.Value.IsString() {
							m.flags[v.Name+"\n"+behavior.Fold(v.Value.Text())] = true
						}
					}
				}
				return a
			}
			a := c.send()
			id := c.created(a)
			if id == "" {
				return a
			}
			for _, s := range c.sent().Members() {
				if !s.Value.IsString() || !m.flags[s.Name+"\n"+behavior.Fold(s.Value.Text())] {
					continue
				}
				again := c.send() // refused, if anything of it has to be unique
				if more := c.created(again); more != "" {
					c.remove(more)
				} else if c.uniqueness(again, s) && c.remove(id) {
					return again
				}
			}
			return a
		})},
	{Name: "copy-forgets-member", Check: "rule-body", Summary: "A copy lacks a list that its source has.",
		Wrap: remember(func(m *memory, c *call) *answer {
			a := c.send()
			if id, source, rec := c.copied(a); id != "" {
				for _, s := range source.Members() {
					if s.Value.IsArray() && s.Value.Len() > 0 && value.Equal(s.Value, rec.Get(s.Name)) {
						m.records.put(id, s.Name, value.Array())
						break
					}
				}
			}
			m.records.show(c, a)
			return a
		})},
	{Name: "copy-keeps-id", Check: "list-contents", Summary: "A copy is answered with the id of its source.",
		Wrap: after(func(c *call, a *answer) {
			if id, source, _ := c.copied(a); id != "" {
				a.body = []byte(strings.ReplaceAll(string(a.body), id, c.id(source)))
			}
		})},
	{Name: "async-never-finishes", Check: "rule-body", Summary: "What was answered with 202 never ends: nothing about it changes again.",
		Wrap: remember(func(m *memory, c *call) *answer {
			key := c.who() + c.r.URL.RequestURI()
			if c.r.Method == http.MethodGet && m.answers[key] != nil {
				return m.answers[key].clone()
			}
			a := c.send()
			switch {
			case a.status == http.StatusAccepted:
				m.flags[c.subject()] = true
				if now := c.read(c.subject()); now != nil {
					m.answers[c.who()+now.r.URL.RequestURI()] = now.a
				}
			case c.r.Method == http.MethodGet && c.good(a) && len(c.args) > 0 && m.flags[c.subject()]:
				m.answers[key] = a.clone()
			case c.deletes() && c.good(a):
				for k := range m.answers {
					if strings.Contains(k, c.subject()) {
						delete(m.answers, k)
					}
				}
			}
			return a
		})},
	{Name: "async-stands-still", Check: "never-ends", Summary: "After an answer 202 time stands still: every read shows what it showed first, until something else is written.",
		Wrap: remember(func(m *memory, c *call) *answer {
			key := c.who() + c.r.URL.RequestURI()
			if c.r.Method == http.MethodGet && m.flags["accepted"] && m.answers[key] != nil {
				return m.answers[key].clone()
			}
			a := c.send()
			switch {
			case c.r.Method != http.MethodGet:
				clear(m.answers)
				if m.flags["accepted"] = a.status == http.StatusAccepted; m.flags["accepted"] {
					if now := c.read(c.subject()); now != nil {
						m.answers[c.who()+now.r.URL.RequestURI()] = now.a
					}
				}
			case m.flags["accepted"]:
				m.answers[key] = a.clone()
			}
			return a
		})},
}

// copied is the id of a record that the call has made of another one, with both;
// "" if it has not.
func (c *call) copied(a *answer) (id string, source, rec value.Value) {
	id = c.created(a)
	if id == "" || len(c.args) == 0 {
		return "", source, rec
	}
	from := c.read(c.subject())
	_, rec, has := c.record(a.json())
	if from == nil || !has || from.rec.Len() != rec.Len() {
		return "", source, rec // below a parent, and no copy of it
	}
	return id, from.rec, rec
}

// uniqueness is whether a refusal of a valid body goes away with another text in
// this member. It leaves nothing behind.
func (c *call) uniqueness(a *answer, m value.Member) bool {
	if a.status/100 != 4 || len(c.judge(c.body).Violations) > 0 {
		return false
	}
	more := *c
	more.body = value.Append(nil, c.sent().With(m.Name, altered(m.Value, 0)))
	if id := more.created(more.send()); id != "" {
		return more.remove(id)
	}
	return false
}

// ghost lets deleted records be read, listed, or both.
func (m *memory) ghost(c *call, read, list bool) *answer {
	id := strings.ToLower(c.subject())
	if c.deletes() {
		was := c.read(c.subject())
		if all := c.collection(); all != nil && list {
			b := all.send()
			if _, elems, ok := all.list(b.json()); ok && all.good(b) {
				m.place(all, b, elems, false)
			}
		}
		a := c.send()
		if was != nil && c.good(a) {
			m.answers["record "+id] = was.a
			m.texts[id] = c.who()
			if e := m.answers["element "+id]; e != nil && !slices.Contains(m.order, id) {
				m.order = append(m.order, id)
			} else if e == nil {
				m.answers["element "+id] = &answer{body: value.Append(nil, was.rec)}
				m.order = append(m.order, id)
			}
		}
		return a
	}
	a := c.send()
	if was := m.answers["record "+id]; read && was != nil && c.reads() && !c.good(a) && m.texts[id] == c.who() {
		return was.clone()
	}
	if _, elems, ok := c.list(a.json()); ok && c.good(a) && !c.op.Writes() {
		m.place(c, a, elems, list)
	}
	return a
}

// place puts ghosts into a list that has had them, and remembers what else is in
// it.
func (m *memory) place(c *call, a *answer, elems []value.Value, show bool) {
	added := int64(0)
	list := strings.Join([]string{c.op.ID, strings.Join(c.args, "\n"), c.r.URL.RawQuery, string(c.body), c.who()}, "\n")
	if show {
		c.editList(a, func(now []value.Value) []value.Value {
			for _, id := range slices.Backward(m.order) {
				if i, was := m.places[list+id]; was {
					now = slices.Insert(now, min(i, len(now)), m.answers["element "+id].json())
					added++
				}
			}
			return now
		})
		recount(a, added)
	}
	for i, e := range elems {
		id := strings.ToLower(c.id(e))
		m.places[list+id] = i
		m.answers["element "+id] = &answer{body: value.Append(nil, e)}
	}
}

// collection is a GET of the list that a record of the call's path is in, nil if
// the document has none.
func (c *call) collection() *call {
	path := strings.TrimSuffix(c.r.URL.EscapedPath(), "/")
	i := strings.LastIndexByte(path, '/')
	if i < 0 || !isItem(c.path) {
		return nil
	}
	path = path[:i]
	if strings.HasSuffix(c.path.Template, "/") {
		path += "/"
	}
	all := c.newCall(c.request(http.MethodGet, path, nil, nil))
	if all == nil || all.op == nil || all.op.Writes() {
		return nil
	}
	return all
}
