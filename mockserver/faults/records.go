package faults

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// id is what identifies a record, "" if v is none.
func (t *target) id(v value.Value) string {
	for _, name := range t.ids {
		if s := v.Get(name); s.IsString() {
			return s.Text()
		}
	}
	return ""
}

// record is the one record in a body and where it stands: the body itself, or
// what a member of it holds. ok is false if there is none.
func (t *target) record(v value.Value) (at []string, rec value.Value, ok bool) {
	if t.id(v) != "" {
		return nil, v, true
	}
	for _, m := range v.Members() {
		if t.id(m.Value) != "" {
			return []string{m.Name}, m.Value, true
		}
	}
	return nil, rec, false
}

// list are the records in a body, and where the array stands. ok is false if
// there is no array of them; an empty one counts where it is the body.
func (t *target) list(v value.Value) (at []string, elems []value.Value, ok bool) {
	if v.IsArray() {
		return nil, v.Elems(), v.Len() == 0 || t.id(v.At(0)) != ""
	}
	if t.id(v) != "" {
		return nil, nil, false
	}
	for _, m := range v.Members() {
		if m.Value.IsArray() && (t.id(m.Value.At(0)) != "" || m.Value.Len() == 0 && counts(v)) {
			return []string{m.Name}, m.Value.Elems(), true
		}
	}
	return nil, nil, false
}

// total is where a list says how many records match, nil where it does not.
func total(v value.Value) []string {
	for _, m := range v.Members() {
		name := strings.ToLower(m.Name)
		switch {
		case m.Value.IsObject():
			if at := total(m.Value); at != nil {
				return append([]string{m.Name}, at...)
			}
		case m.Value.IsNumber() && !strings.Contains(name, "page") && (strings.Contains(name, "total") || strings.Contains(name, "count")):
			return []string{m.Name}
		}
	}
	return nil
}

func counts(v value.Value) bool { return total(v) != nil }

// at is the part of v at a path.
func at(v value.Value, path []string) value.Value {
	for _, name := range path {
		v = v.Get(name)
	}
	return v
}

// put is v with part at a path.
func put(v value.Value, path []string, part value.Value) value.Value {
	if len(path) == 0 {
		return part
	}
	return v.Set(path, part)
}

// editList lets f make another list of the one in an answer. It does nothing to
// other answers.
func (c *call) editList(a *answer, f func(elems []value.Value) []value.Value) {
	if !c.good(a) || c.op.Writes() {
		return
	}
	body := a.json()
	if path, elems, ok := c.list(body); ok {
		if now := f(slices.Clone(elems)); now != nil {
			a.set(put(body, path, value.Array(now...)))
		}
	}
}

// editRecord lets f make another record of the one in an answer.
func (c *call) editRecord(a *answer, f func(rec value.Value) value.Value) {
	body := a.json()
	if path, rec, ok := c.record(body); ok && c.good(a) {
		a.set(put(body, path, f(rec)))
	}
}

// recount adds n to the total that a list shows.
func recount(a *answer, n int64) {
	body := a.json()
	if path := total(body); path != nil {
		was, _ := at(body, path).Int()
		a.set(body.Set(path, value.Int(was+n)))
	}
}

// answerID is the id that the answer to a change names, "" if it names none: the
// record's, or that of an envelope around nothing.
func (c *call) answerID(a *answer) string {
	body := a.json()
	if _, rec, ok := c.record(body); ok {
		return c.id(rec)
	}
	for _, m := range body.Members() {
		if m.Value.IsString() && strings.HasSuffix(m.Name, "_id") {
			return m.Value.Text()
		}
	}
	return ""
}

// created is the id of the record that the call has made: one that the request
// did not know. "" if it made none.
func (c *call) created(a *answer) string {
	if c.op == nil || !c.good(a) || a.status == http.StatusAccepted || c.r.Method != http.MethodPost || !c.op.Writes() {
		return ""
	}
	id := c.answerID(a)
	if id == "" || bytes.Contains(c.body, []byte(id)) || slices.ContainsFunc(c.args, func(s string) bool { return strings.EqualFold(s, id) }) {
		return ""
	}
	return id
}

// creates is whether the operation makes records: a POST that documents 201, or
// one that was seen to (m.flags).
func (c *call) creates(m *memory) bool {
	return c.op != nil && c.r.Method == http.MethodPost && c.op.Writes() &&
		(m.flags[c.op.ID+" creates"] || slices.ContainsFunc(c.op.Responses(), func(r *openapi.Response) bool { return r.Status == "201" }))
}

// isItem is whether a path ends with a parameter.
func isItem(p *openapi.Path) bool {
	return len(p.Names) > 0 && strings.HasSuffix(strings.TrimSuffix(p.Template, "/"), "{"+p.Names[len(p.Names)-1]+"}")
}

// subject is the id of the record that the request is about: the last parameter
// of the path or, where the path has none, the member of the body that is called
// like one.
func (c *call) subject() string {
	if n := len(c.args); n > 0 {
		return c.args[n-1]
	}
	sent := c.sent()
	for _, p := range c.api.Paths {
		if isItem(p) {
			if v := sent.Get(p.Names[len(p.Names)-1]); v.IsString() {
				return v.Text()
			}
		}
	}
	return ""
}

// item is the URL of a record of the kind that the call is about, for GET or
// DELETE; "" if there is none. Of several, it is the one whose path is most like
// the call's. Scopes that travel in a body travel in the query then.
func (c *call) item(method, id string) string {
	known := map[string]string{}
	for i, name := range c.path.Names {
		known[name] = c.args[i]
	}
	last := "" // the name of the id, where the request has it
	if n := len(c.args); n > 0 && id == c.args[n-1] {
		last = c.path.Names[n-1]
	}
	var found *openapi.Path
	best := -1
	for _, p := range c.api.Paths {
		op := p.Operation(method)
		if op == nil || !isItem(p) || last != "" && p.Names[len(p.Names)-1] != last || method == http.MethodGet && op.Writes() ||
			slices.ContainsFunc(p.Names[:len(p.Names)-1], func(n string) bool { return known[n] == "" }) {
			continue
		}
		n := 0
		for n < len(p.Template) && n < len(c.path.Template) && p.Template[n] == c.path.Template[n] {
			n++
		}
		if n > best {
			found, best = p, n
		}
	}
	if found == nil || id == "" {
		return ""
	}
	path := found.Template
	for i, name := range found.Names {
		v := known[name]
		if i == len(found.Names)-1 {
			v = id
		}
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(v), 1)
	}
	query := c.r.URL.RawQuery
	for _, m := range c.sent().Members() {
		if m.Value.IsString() && strings.Contains(m.Name, "_") && len(m.Value.Text()) < 100 {
			query += "&" + url.QueryEscape(m.Name) + "=" + url.QueryEscape(m.Value.Text())
		}
	}
	if query = strings.TrimPrefix(query, "&"); query != "" {
		path += "?" + query
	}
	return c.base + path
}

// view is a record as a GET of its own shows it.
type view struct {
	*call
	a   *answer
	rec value.Value
}

// read is a record as the mock shows it to the caller; nil if it does not.
func (c *call) read(id string) *view {
	target := c.item(http.MethodGet, id)
	if target == "" {
		return nil
	}
	v := &view{call: c.newCall(c.request(http.MethodGet, target, nil, nil))}
	if v.call == nil || v.op == nil {
		return nil
	}
	v.a = v.send()
	var ok bool
	if _, v.rec, ok = v.record(v.a.json()); !ok || v.a.status != http.StatusOK {
		return nil
	}
	return v
}

// remove deletes a record; ok is whether it is gone.
func (c *call) remove(id string) bool {
	target := c.item(http.MethodDelete, id)
	if target == "" {
		return false
	}
	a := c.with(http.MethodDelete, target, nil, nil)
	rule := c.rule(a)
	return a.status/100 == 2 && (rule == nil || !rule.Refusal)
}

// reads is whether the call reads one record.
func (c *call) reads() bool {
	return c.op != nil && c.r.Method == http.MethodGet && !c.op.Writes() && isItem(c.path)
}

// updates is whether the call changes one record that is there, by a body.
func (c *call) updates() bool {
	if c.op == nil || !c.op.Writes() || !c.sent().IsObject() || c.subject() == "" {
		return false
	}
	return c.r.Method == http.MethodPut || c.r.Method == http.MethodPatch || c.r.Method == http.MethodPost && len(c.args) == 0
}

// deletes is whether the call deletes one record.
func (c *call) deletes() bool {
	return c.op != nil && c.r.Method == http.MethodDelete && isItem(c.path)
}

// fits is whether a body is what the document says of answers with that status.
func (c *call) fits(status int, body value.Value) bool {
	r := c.op.Response(status)
	if r == nil {
		return true
	}
	for _, m := range r.Media {
		if m.Schema != nil && strings.Contains(m.Type, "json") {
			return m.Schema.Valid(body, schema.Response)
		}
	}
	return true
}

// described is whether the document says what answers with that status are like.
func (c *call) described(status int) bool {
	r := c.op.Response(status)
	return r != nil && slices.ContainsFunc(r.Media, func(m openapi.ResponseMedia) bool { return m.Schema != nil })
}

// other is an id of the same form that nobody has: its digits and letters are
// turned by one.
func other(id string) string {
	b := []byte(id)
	for i := max(0, len(b)-6); i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '9':
			b[i] = '0'
		case ch == 'f', ch == 'F':
			b[i] -= 5
		case ch == 'z', ch == 'Z':
			b[i] -= 19
		case ch >= '0' && ch < '9', ch >= 'a' && ch < 'z', ch >= 'A' && ch < 'Z':
			b[i]++
		}
	}
	return string(b)
}

// overlay is what records look like to clients, by id and member, where that is
// not how the mock keeps them.
type overlay map[string]map[string]value.Value

// put makes a member of a record look like v.
func (o overlay) put(id, member string, v value.Value) {
	id = strings.ToLower(id)
	if o[id] == nil {
		o[id] = map[string]value.Value{}
	}
	o[id][member] = v
}

// show writes the overlay into an answer that has records.
func (o overlay) show(c *call, a *answer) {
	if len(o) == 0 || !c.good(a) {
		return
	}
	c.editRecord(a, func(rec value.Value) value.Value { return o.over(c, rec) })
	c.editList(a, func(elems []value.Value) []value.Value {
		for i := range elems {
			elems[i] = o.over(c, elems[i])
		}
		return elems
	})
}

func (o overlay) over(c *call, rec value.Value) value.Value {
	for name, v := range o[strings.ToLower(c.id(rec))] {
		if rec.Has(name) {
			rec = rec.With(name, v)
		}
	}
	return rec
}

// takes is whether the answer would still be what the document says with v for a
// member of the record.
func (v *view) takes(member string, part value.Value) bool {
	body := v.a.json()
	path, rec, _ := v.record(body)
	return v.fits(v.a.status, put(body, path, rec.With(member, part)))
}

// spoil is another value for a member of a record that keep says nothing of, such
// that the answer is still what the document says. ok is false if there is none.
func (v *view) spoil(keep value.Value) (member string, part value.Value, ok bool) {
	for _, wanted := range []value.Kind{value.BoolKind, value.StringKind, value.NullKind} {
		for _, m := range v.rec.Members() {
			if m.Value.Kind() != wanted || keep.Has(m.Name) || slices.Contains(v.ids, m.Name) || strings.HasSuffix(m.Name, "_id") || isTime(m.Value) {
				continue
			}
			switch wanted {
			case value.BoolKind:
				part = value.Bool(!m.Value.True())
			case value.StringKind:
				part = value.String(m.Value.Text() + " (changed)")
			default:
				part = value.String("changed")
			}
			if v.takes(m.Name, part) {
				return m.Name, part, true
			}
		}
	}
	return "", part, false
}

func isTime(v value.Value) bool {
	if !v.IsString() || len(v.Text()) < len("2006-01-02T15:04") {
		return false
	}
	_, ok := behavior.Timestamp(v.Text())
	return ok
}

// paging are words in the names of parameters that choose no records but a part
// of them, their order, or whose they are.
var paging = []string{"page", "size", "limit", "offset", "cursor", "sort", "order", "key"}

func isPaging(name string) bool {
	return slices.ContainsFunc(paging, func(w string) bool { return strings.Contains(strings.ToLower(name), w) })
}

// targetWith is the call's target with an edited query.
func (c *call) targetWith(edit func(q url.Values)) string {
	q := c.r.URL.Query()
	edit(q)
	target := c.r.URL.EscapedPath()
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	return target
}

// number is a whole number in a query or body, or otherwise.
func number(v value.Value, otherwise int64) int64 {
	if n, ok := v.Int(); ok {
		return n
	}
	if n, err := strconv.ParseInt(v.Text(), 10, 64); err == nil {
		return n
	}
	return otherwise
}
