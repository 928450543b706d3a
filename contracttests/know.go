package contracttests

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// knowledge says how much of a server its pictures show. nil means all of it.
type knowledge struct {
	open  map[string]bool // resources that may have records nobody has seen
	own   map[string]bool // ids that the server gave to what this run has made
	met   map[string]bool // attributes of callers that were learned
	spoil map[string]bool // ids of records that took what they should not
	sure  bool            // the callers are known as they are
	token string          // stands in the names that this run gives, and nowhere else
}

func newKnowledge(token string) *knowledge {
	return &knowledge{open: map[string]bool{}, own: map[string]bool{}, met: map[string]bool{}, spoil: map[string]bool{}, token: token}
}

// fork shares what is known of the server at large.
func (k *knowledge) fork() *knowledge {
	if k == nil {
		return nil
	}
	return &knowledge{open: k.open, own: maps.Clone(k.own), met: k.met, spoil: k.spoil, sure: k.sure, token: k.token}
}

// fresh is whether a value comes from this run, so that nobody else's records have
// it.
func (k *knowledge) fresh(v value.Value) bool {
	switch {
	case v.IsString():
		return k.own[v.Text()] || k.token != "" && strings.Contains(strings.ToLower(v.Text()), k.token)
	case v.IsArray():
		return slices.ContainsFunc(v.Elems(), k.fresh)
	}
	return v.Kind() == value.HoleKind // what the server is about to choose
}

// spoilt is whether a body shows a record that took what it should not have taken.
func (k *knowledge) spoilt(body []byte) bool {
	if k == nil {
		return false
	}
	for id := range k.spoil {
		if bytes.Contains(body, []byte(id)) {
			return true
		}
	}
	return false
}

// learnWrites notes what the last call has made.
func (j *Judge) learnWrites() {
	if j.know == nil {
		return
	}
	for _, w := range j.writes {
		if w.Before.IsMissing() {
			j.know.own[w.ID] = true
		}
	}
}

// Others implements [behavior.Observer].
func (c *choices) Others(resource string, members []string, values []value.Value) bool {
	k := c.judge.know
	if k == nil || slices.ContainsFunc(values, k.fresh) {
		return false
	}
	return k.open[resource] || slices.ContainsFunc(members, func(m string) bool { return c.vague[resource][m] })
}

// vagueMembers are the members, by resource, in which some record has something that
// nobody has seen.
func (j *Judge) vagueMembers(p *picture) map[string]map[string]bool {
	if j.know == nil || len(p.holes) == 0 {
		return nil
	}
	if p.vague != nil {
		return p.vague
	}
	p.vague = map[string]map[string]bool{}
	for _, resource := range j.api.Plan.Resources() {
		p.vague[resource] = map[string]bool{}
		for _, rec := range p.world.Records(resource) {
			for _, m := range rec.Members() {
				if m.Value.Kind() == value.HoleKind {
					p.vague[resource][m.Name] = true
				}
			}
		}
	}
	return p.vague
}

// Perhaps implements [behavior.Observer].
func (c *choices) Perhaps(resource string, id value.Value) value.Value {
	k := c.judge.know
	if k == nil || !k.open[resource] || k.fresh(id) || c.picture != nil && c.picture.taken[text(id)] {
		return value.Value{}
	}
	for _, u := range c.unseen {
		if u.resource == resource && value.Equal(u.id, id) {
			return u.record
		}
	}
	var rec value.Value
	if c.way(2) == 1 {
		rec = c.judge.stranger(resource, id)
	}
	c.unseen = append(c.unseen, unseen{resource, id, rec})
	return rec
}

// stranger is a record of which nothing but the id is known.
func (j *Judge) stranger(resource string, id value.Value) value.Value {
	r := j.api.Plan.Resource(resource)
	members := make([]value.Member, 0, len(r.Members()))
	for _, m := range r.Members() {
		v := id
		if m != r.ID() {
			v = value.Hole(&hole{law: kept})
		}
		members = append(members, value.Member{Name: m, Value: v})
	}
	return value.Object(members...)
}

var kept = &behavior.Law{Kind: behavior.Kept}

// List implements [behavior.Observer]: the section of a list as the answer has it,
// if the rules permit that.
func (c *choices) List(l *behavior.Listing) ([]value.Value, value.Value) {
	c.lists = append(c.lists, l)
	id := c.judge.api.Plan.Resource(l.Resource).ID()
	shown, isList := elements(c.answer, id)
	if !isList {
		return l.Window(), value.Int(int64(len(l.Records)))
	}
	ids := make([]string, len(shown))
	for i, e := range shown {
		ids[i] = text(e.Get(id))
	}
	if l.Others || l.Maybe != nil {
		return c.partly(l, id, shown, ids)
	}
	if items, ok := strangersIn(l, id, ids); ok {
		return items, value.Int(int64(len(l.Records)))
	}
	for _, order := range orders(l) {
		arranged := &behavior.Listing{Records: order, Keys: l.Keys, Offset: l.Offset, Limit: l.Limit}
		fit(arranged, id, ids)
		window := arranged.Window()
		if slices.EqualFunc(window, ids, func(r value.Value, want string) bool { return text(r.Get(id)) == want }) {
			return window, value.Int(int64(len(l.Records)))
		}
	}
	return l.Window(), value.Int(int64(len(l.Records)))
}

// Sweep implements [behavior.Observer].
func (c *choices) Sweep(string) { c.swept = true }

// strangersIn arranges a list in which records stand whose ids nobody has seen yet: each
// id that is not known is that of one of them.
func strangersIn(l *behavior.Listing, id string, ids []string) ([]value.Value, bool) {
	known, unknown := map[string]value.Value{}, []value.Value(nil)
	for _, r := range l.Records {
		if v := r.Get(id); v.Kind() == value.HoleKind {
			unknown = append(unknown, r)
		} else {
			known[text(v)] = r
		}
	}
	if len(unknown) == 0 || l.Limit >= 0 && len(l.Records) > l.Limit || l.Offset > 0 {
		return nil, false
	}
	var items []value.Value
	for _, key := range ids {
		if r, ok := known[key]; ok {
			items = append(items, r)
			delete(known, key)
		} else if len(unknown) > 0 {
			items, unknown = append(items, unknown[0]), unknown[1:]
		}
	}
	for _, r := range l.Records { // what the answer leaves out
		if _, left := known[text(r.Get(id))]; left {
			items = append(items, r)
		}
	}
	return append(items, unknown...), true
}

// elements are those of the list in a body: of the array, nearest to the root,
// whose elements have that member. An empty array is a list, too.
func elements(body value.Value, id string) ([]value.Value, bool) {
	level := []value.Value{body}
	for depth := 0; depth < 4 && len(level) > 0; depth++ {
		var next []value.Value
		for _, v := range level {
			switch {
			case v.IsArray() && (v.Len() == 0 || !v.At(0).Get(id).IsMissing()):
				return v.Elems(), true
			case v.IsArray() && v.Len() > 20:
			case v.IsArray():
				next = append(next, v.Elems()...)
			default:
				for _, m := range v.Members() {
					next = append(next, m.Value)
				}
			}
		}
		level = next
	}
	return nil, false
}

// fit exchanges records that the rules do not tell apart, so that the section shows
// those that the answer has.
func fit(l *behavior.Listing, id string, want []string) {
	at := make(map[string]int, len(l.Records))
	for i, r := range l.Records {
		at[text(r.Get(id))] = i
	}
	for i, w := range want {
		here := l.Offset + i
		from, ok := at[w]
		if !ok || here >= len(l.Records) || from < here && from >= l.Offset || !tie(l.Keys, l.Records[here], l.Records[from]) {
			continue
		}
		if from < here { // of an earlier page: they change places
			l.Records[from], l.Records[here] = l.Records[here], l.Records[from]
			at[text(l.Records[from].Get(id))], at[w] = from, here
			continue
		}
		moved := l.Records[from]
		copy(l.Records[here+1:from+1], l.Records[here:from])
		l.Records[here] = moved
		for k := here; k <= from; k++ {
			at[text(l.Records[k].Get(id))] = k
		}
	}
}

// tie is whether two records have the same place in an order.
func tie(keys []behavior.SortKey, a, b value.Value) bool {
	for _, k := range keys {
		x, y := a.Get(k.Member), b.Get(k.Member)
		if x.Kind() == value.HoleKind || y.Kind() == value.HoleKind {
			continue
		}
		if !value.Equal(x, y) && !(x.IsNull() && y.IsNull()) {
			return false
		}
	}
	return true
}

// orders are those that a list may have: the rules say by what it is sorted, not how
// texts are compared and where nulls stand.
func orders(l *behavior.Listing) [][]value.Value {
	out := [][]value.Value{slices.Clone(l.Records)}
	texts, nulls := false, false
	for _, k := range l.Keys {
		for _, r := range l.Records {
			v := r.Get(k.Member)
			texts = texts || v.IsString() && !isTime(v)
			nulls = nulls || v.IsNull()
		}
	}
	if !texts && !nulls {
		return out
	}
	for _, folded := range []bool{false, true} {
		for _, nullsLast := range []bool{false, true} {
			again := slices.Clone(l.Records)
			slices.SortStableFunc(again, func(a, b value.Value) int { return compareBy(l.Keys, a, b, folded, nullsLast) })
			out = append(out, again)
		}
	}
	return out
}

func isTime(v value.Value) bool {
	_, ok := behavior.Timestamp(v.Text())
	return ok
}

func compareBy(keys []behavior.SortKey, a, b value.Value, folded, nullsLast bool) int {
	for _, k := range keys {
		x, y := a.Get(k.Member), b.Get(k.Member)
		c := 0
		switch {
		case x.IsNull() && y.IsNull():
		case x.IsNull() || y.IsNull():
			c = 1
			if x.IsNull() != nullsLast {
				c = -1
			}
			if c != 0 {
				return c // wherever the order begins
			}
		case x.IsString() && y.IsString() && folded:
			if c = strings.Compare(strings.ToLower(x.Text()), strings.ToLower(y.Text())); c == 0 {
				c = strings.Compare(x.Text(), y.Text())
			}
		default:
			c = value.Compare(x, y)
		}
		if k.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// partly is the section of a list of which not all records are known: what the
// answer shows, as far as that can be, and what this run has made.
func (c *choices) partly(l *behavior.Listing, id string, shown []value.Value, ids []string) ([]value.Value, value.Value) {
	total := value.Hole(&hole{law: &behavior.Law{Kind: behavior.Unknown}})
	certain, perhaps := map[string]value.Value{}, map[string]value.Value{}
	for i, r := range l.Records {
		if l.Maybe != nil && l.Maybe[i] {
			perhaps[text(r.Get(id))] = r
		} else {
			certain[text(r.Get(id))] = r
		}
	}
	var items []value.Value
	there := map[string]bool{}
	for i, key := range ids {
		if there[key] {
			return l.Window(), total // none stands there twice
		}
		there[key] = true
		rec, ok := certain[key]
		if !ok {
			rec, ok = perhaps[key]
		}
		switch {
		case ok:
		case !l.Others || c.judge.know.own[key] || c.picture != nil && c.picture.taken[key],
			!c.judge.world().Record(l.Resource, shown[i].Get(id)).IsMissing():
			continue // it does not belong here: the lists differ
		default:
			rec = c.stranger(l, shown[i].Get(id))
		}
		items = append(items, rec)
	}
	if last := c.judge.lastKnown(items); last != nil && !inOrder(l.Keys, last) {
		return l.Window(), total
	}
	// Whatever else there may be, what is known for certain is there, if the answer shows the end.
	if l.Limit < 0 || l.Offset == 0 && len(ids) < l.Limit {
		for _, r := range l.Records {
			key := text(r.Get(id))
			if _, sure := certain[key]; sure && !there[key] && (c.judge.know == nil || c.judge.know.own[key] || !l.Others) {
				items = append(items, r)
			}
		}
	}
	return items, total
}

// stranger is a record that a list shows and nobody has seen before.
func (c *choices) stranger(l *behavior.Listing, id value.Value) value.Value {
	for _, u := range c.unseen {
		if u.resource == l.Resource && value.Equal(u.id, id) && !u.record.IsMissing() {
			return u.record
		}
	}
	rec := c.judge.stranger(l.Resource, id)
	for _, m := range l.Equal {
		if m.Value.Kind() != value.HoleKind {
			rec = rec.With(m.Name, m.Value)
		}
	}
	c.unseen = append(c.unseen, unseen{l.Resource, id, rec})
	return rec
}

// lastKnown are the records of a list whose members are all known.
func (j *Judge) lastKnown(items []value.Value) []value.Value {
	var out []value.Value
	for _, r := range items {
		if !slices.ContainsFunc(r.Members(), func(m value.Member) bool { return m.Value.Kind() == value.HoleKind }) {
			out = append(out, r)
		}
	}
	return out
}

// inOrder is whether records stand in one of the orders that their keys permit.
func inOrder(keys []behavior.SortKey, list []value.Value) bool {
	for _, folded := range []bool{false, true} {
		for _, nullsLast := range []bool{false, true} {
			if slices.IsSortedFunc(list, func(a, b value.Value) int { return compareBy(keys, a, b, folded, nullsLast) }) {
				return true
			}
		}
	}
	return false
}
