package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// What the stories tell at the most.
const (
	mostVariants = 5 // bodies of one operation
	mostParents  = 6 // lists below different parents
	mostStates   = 5 // values of a member that are gone through in pairs
)

// stories lead a few records of each resource through what can happen to them: changes
// one after the other, every order of states, names that clash and do not any more,
// and what comes after the end.
func (r *run) stories(ctx context.Context) {
	resources := slices.Clone(r.API.Plan.Resources())
	slices.Reverse(resources) // children before their parents
	tell := func(resource string, tales ...func(*story)) bool {
		create, ok := r.creator(resource)
		if !ok && r.Safe {
			return true
		}
		for _, tale := range tales {
			j, ok := r.begin(ctx)
			if !ok {
				return false
			}
			s := &story{run: r, ctx: ctx, j: j, resource: resource, create: create, going: true, used: map[string]bool{}}
			if create != nil {
				r.provide(ctx, j, create, &s.steps)
			}
			tale(s)
		}
		return true
	}
	for _, resource := range resources {
		if !tell(resource, (*story).changes, (*story).states, (*story).clashes, (*story).ends, (*story).neighbours) {
			return
		}
	}
	for _, resource := range resources {
		if !tell(resource, (*story).orphans) {
			return
		}
	}
}

// creator is the operation that makes records of a resource.
func (r *run) creator(resource string) (*openapi.Operation, bool) {
	for _, op := range r.operations() {
		if !op.Writes() || slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Resource == resource }) {
			continue
		}
		if slices.Contains(op.Creates(), resource) {
			return op, true
		}
	}
	return nil, false
}

// A story is calls about some records, one after the other. It ends when the server does
// something else than it should, and nobody knows its state any more.
type story struct {
	*run
	ctx      context.Context
	j        *Judge
	resource string
	create   *openapi.Operation // nil where no operation makes records: then those of others are taken
	used     map[string]bool    // records of others that were taken
	near     value.Value        // the last of them
	steps    []Exchange
	going    bool
}

// do makes one call, if the picture knows what comes of it.
func (s *story) do(op *openapi.Operation, q Request, why string) bool {
	if !s.going {
		return false
	}
	q.Operation, q.Why = op.ID, why
	s.going = s.step(s.ctx, s.j, &s.steps, q)
	return s.going
}

// make creates a record and is its id; "" if none was made.
func (s *story) make(change func(body value.Value) value.Value) string {
	if s.create == nil {
		return s.take()
	}
	q, ok := s.good(s.create, s.j)
	if !ok {
		s.going = false
		return ""
	}
	q = s.gen.renamed(q)
	if body, err := value.Parse(q.Body); err == nil && change != nil {
		q.Body = value.Append(nil, change(body))
	}
	if !s.do(s.create, q, "to have one more") {
		return ""
	}
	for _, w := range s.j.writes {
		if w.Resource == s.resource && w.Before.IsMissing() {
			return w.ID
		}
	}
	return ""
}

// take is the id of a record of somebody else, near the last one that was taken; "" if
// there is none left.
func (s *story) take() string {
	best, most := value.Value{}, -1
	for _, rec := range s.j.world().Records(s.resource) {
		id := rec.Get(s.API.Plan.Resource(s.resource).ID())
		if !id.IsString() || s.used[id.Text()] || !s.seen(id, rec) {
			continue
		}
		alike := 0
		for _, m := range rec.Members() {
			if m.Value.IsString() && value.Equal(s.near.Get(m.Name), m.Value) {
				alike++
			}
		}
		if alike > most {
			best, most = rec, alike
		}
	}
	if most < 0 {
		s.going = false
		return ""
	}
	s.near = best
	id := best.Get(s.API.Plan.Resource(s.resource).ID()).Text()
	s.used[id] = true
	return id
}

// seen is whether the ordinary caller finds a record.
func (s *story) seen(id, rec value.Value) bool {
	for _, op := range s.ofRecord(func(op *openapi.Operation) bool {
		return op.Method == http.MethodGet && !op.Writes() && len(op.Lists()) == 0
	}) {
		if p := s.API.PathOf(op); !strings.HasSuffix(strings.TrimSuffix(p.Template, "/"), "}") {
			continue
		}
		q, ok := s.about(op, Request{Method: op.Method, Target: op.Path, Caller: first(s.Names)}, id.Text(), rec)
		if !ok {
			return false
		}
		_, out, err := s.j.predict(&q)
		return err == nil && !out.Refused
	}
	return true
}

// record is what the picture knows of a record.
func (s *story) record(id string) value.Value {
	return s.j.world().Record(s.resource, value.String(id))
}

// about is a call of an operation about one record: q with the ids of the record and of
// its parents.
func (s *story) about(op *openapi.Operation, q Request, id string, rec value.Value) (Request, bool) {
	p := s.API.PathOf(op)
	_, args, ok := s.API.Match(pathOf(q.Target), nil)
	if !ok || len(args) != len(p.Names) {
		args = make([]string, len(p.Names))
	}
	args = slices.Clone(args)
	for i := range args {
		if strings.HasPrefix(args[i], "{") { // of the bare template
			args[i] = ""
		}
	}
	found := false
	for i, name := range p.Names {
		k := slices.IndexFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "path" && l.Name == name })
		if k < 0 {
			continue
		}
		switch l := op.Lookups()[k]; l.Resource {
		case s.resource:
			args[i], found = id, true
		default:
			if parent := s.parentOf(s.j, l.Resource, rec); !parent.IsMissing() {
				args[i] = text(parent.Get(s.API.Plan.Resource(l.Resource).ID()))
			}
		}
	}
	_, query, asks := cutQuery(q.Target)
	q.Target = p.Template
	for i, name := range p.Names {
		if args[i] == "" {
			return q, false
		}
		q.Target = replaceParameter(q.Target, name, args[i])
	}
	if asks {
		q.Target += "?" + query
	}
	if body, err := value.Parse(q.Body); err == nil && body.IsObject() {
		for _, l := range op.Lookups() {
			if l.Location == "body" && l.Resource == s.resource {
				body, found = body.With(l.Name, value.String(id)), true
			}
		}
		q.Body = value.Append(nil, body)
	}
	return q, found
}

// ofRecord are the operations about one record.
func (s *story) ofRecord(fits func(op *openapi.Operation) bool) (out []*openapi.Operation) {
	for _, op := range s.everyCalled() {
		if fits(op) && slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Resource == s.resource }) {
			out = append(out, op)
		}
	}
	return out
}

func isChange(op *openapi.Operation) bool {
	return op.Writes() && op.Method != http.MethodDelete && len(op.Creates()) == 0
}

// look reads records, and the lists around them.
func (s *story) look(ids ...string) {
	for _, op := range s.ofRecord(func(op *openapi.Operation) bool {
		return op.Method == http.MethodGet && !op.Writes() && len(op.Lists()) == 0
	}) {
		for _, id := range ids {
			if q, ok := s.about(op, Request{Method: op.Method, Target: op.Path, Caller: first(s.Names)}, id, s.record(id)); ok {
				s.do(op, q, look)
			}
		}
	}
	for _, op := range s.everyCalled() {
		if !op.Writes() && slices.Contains(op.Lists(), s.resource) {
			s.lookAt(op)
		}
	}
}

// lookAt reads a list, below each of its parents.
func (s *story) lookAt(op *openapi.Operation) {
	plain, _, ok := s.everything(s.j, op)
	if !ok {
		return
	}
	p := s.API.PathOf(op)
	_, query, asks := cutQuery(plain.Target)
	ways := s.fillings(s.j, op)
	if len(ways) > mostParents { // the newest
		ways = ways[len(ways)-mostParents:]
	}
	for _, args := range ways {
		q := plain
		q.Target = p.Template
		for i, name := range p.Names {
			q.Target = replaceParameter(q.Target, name, url.PathEscape(args[i]))
		}
		if asks {
			q.Target += "?" + query
		}
		s.do(op, q, look)
	}
}

// variants are calls of an operation about one record, each permitted alone: the
// documented ones, and one with as many members as the document knows values for.
func (s *story) variants(op *openapi.Operation, id string) (out []Request) {
	seen := map[string]bool{}
	try := func(q Request) {
		q, ok := s.about(op, q, id, s.record(id))
		if !ok {
			return
		}
		q.Caller, q.Credentials = first(s.Names), nil
		a, o, err := s.j.predict(&q)
		if err != nil || a.op != op || o.Refused || len(a.call.Violations) > 0 || !s.gen.ordinary(s.j, a, &q) || seen[string(q.Body)] || len(out) >= mostVariants {
			return
		}
		seen[string(q.Body)] = true
		out = append(out, q)
	}
	if q, ok := s.good(op, s.j); ok {
		try(s.gen.rich(op, q))
	}
	for _, q := range s.gen.corpus[op.ID] {
		try(q)
	}
	return out
}

// changes makes every documented change, twice, and looks at the record and at others
// after each.
func (s *story) changes() {
	a := s.make(nil)
	name := s.record(a).Get("name")
	b := s.make(func(body value.Value) value.Value { // one whose name begins alike
		if name.IsString() && body.Has("name") {
			return body.With("name", value.String(name.Text()+" b"))
		}
		return body
	})
	if !s.going || a == "" || b == "" {
		return
	}
	s.look(a, b)
	for _, op := range s.ofRecord(isChange) {
		for _, q := range s.variants(op, a) {
			if !s.do(op, q, "to change it") {
				return
			}
			s.look(a, b)
		}
	}
	for _, op := range s.ofRecord(isChange) {
		list := s.variants(op, a)
		for i, q := range list {
			if i+1 == len(list) || i == 0 {
				s.do(op, q, "to change it again")
				s.look(a, a)
			}
		}
	}
	s.look(b)
}

// states goes through all pairs of values of members that have few.
func (s *story) states() {
	for _, op := range s.ofRecord(isChange) {
		media, _ := op.RequestBody()
		if len(media) == 0 || media[0].Schema == nil {
			continue
		}
		for _, p := range media[0].Schema.Properties() {
			values := fewValues(p.Schema)
			if len(values) < 2 || len(values) > mostStates {
				continue
			}
			id := s.make(nil)
			base, ok := s.good(op, s.j)
			if id == "" || !ok {
				return
			}
			set := func(v value.Value) bool {
				body, err := value.Parse(base.Body)
				if err != nil {
					return false
				}
				q := base
				q.Body = value.Append(nil, body.With(p.Name, v))
				q, ok := s.about(op, q, id, s.record(id))
				if !ok {
					return false
				}
				if a, o, err := s.j.predict(&q); err != nil || a.op == nil || o.Refused && len(a.call.Violations) > 0 {
					return true // it is not one of its values here
				}
				if !s.do(op, q, fmt.Sprintf("%s becomes %.20s", p.Name, v)) {
					return false
				}
				for _, get := range s.ofRecord(func(op *openapi.Operation) bool {
					return op.Method == http.MethodGet && !op.Writes() && len(op.Lists()) == 0
				}) {
					if q, ok := s.about(get, Request{Method: get.Method, Target: get.Path, Caller: first(s.Names)}, id, s.record(id)); ok {
						s.do(get, q, look)
					}
				}
				return s.going
			}
			for i := range values {
				for k := range values {
					if i != k && (!set(values[i]) || !set(values[k])) {
						return
					}
				}
			}
			s.look(id)
		}
	}
}

// fewValues are the values of a schema that has but a few.
func fewValues(s *schema.Schema) []value.Value {
	if s.Type() == "boolean" {
		return []value.Value{value.True, value.False}
	}
	var out []value.Value
	for _, v := range s.Facets().Enum {
		if !v.IsNull() {
			out = append(out, v)
		}
	}
	return out
}

// clashes gives records the values that others have and that are to be unique, before
// and after each change.
func (s *story) clashes() {
	for _, member := range s.API.Plan.Resource(s.resource).Unique() {
		a, b := s.make(nil), ""
		if b = s.make(nil); a == "" || b == "" {
			return
		}
		s.clash(member, a, b)
		if v := s.record(a).Get(member); v.IsString() && strings.Contains(v.Text(), " ") { // letters beyond ASCII have two cases, too
			s.claim(member, value.String(v.Text()+" Ärzte é"))
			s.claim(member, value.String(v.Text()+" äRZTE É"))
		}
		for _, op := range s.ofRecord(isChange) {
			for _, q := range s.variants(op, a) {
				old := s.record(a).Get(member)
				if body, err := value.Parse(q.Body); err == nil && body.Has(member) { // it keeps the value
					q.Body = value.Append(nil, body.Without(member))
				}
				if !s.do(op, q, "to change it") {
					return
				}
				s.clash(member, a, b)
				if now := s.record(a).Get(member); !value.Equal(old, now) {
					s.claim(member, old)
				}
			}
			// Under another value, the old one is free.
			if base, ok := s.good(op, s.j); ok {
				old := s.record(a).Get(member)
				if q, ok := s.with(op, base, a, member, value.String(old.Text()+" x")); ok && old.IsString() && strings.Contains(old.Text(), " ") && s.do(op, q, "to change its "+member) {
					s.claim(member, old)
					s.clash(member, a, b)
				}
			}
		}
		s.look(a, b)
	}
}

// clash tries to take the value of a for another one, in all cases.
func (s *story) clash(member, a, b string) {
	v := s.record(a).Get(member)
	if !v.IsString() {
		return
	}
	for _, v := range []value.Value{v, value.String(swapCase(v.Text()))} {
		s.claim(member, v)
		for _, op := range s.ofRecord(isChange) {
			if base, ok := s.good(op, s.j); ok {
				if q, ok := s.with(op, base, b, member, v); ok {
					s.do(op, q, "to give another one its "+member)
				}
			}
		}
	}
	for _, op := range s.ofRecord(isChange) { // its own value is its own
		if base, ok := s.good(op, s.j); ok {
			if q, ok := s.with(op, base, a, member, v); ok {
				s.do(op, q, "to give it the "+member+" that it has")
			}
		}
	}
}

// with is a call about a record with a value in a member of its body.
func (s *story) with(op *openapi.Operation, q Request, id, member string, v value.Value) (Request, bool) {
	media, _ := op.RequestBody()
	body, err := value.Parse(q.Body)
	if err != nil || len(media) == 0 || media[0].Schema == nil {
		return q, false
	}
	if _, declared := media[0].Schema.Property(member); !declared {
		return q, false
	}
	q.Body = value.Append(nil, body.With(member, v))
	return s.about(op, q, id, s.record(id))
}

// whyClaim begins why a record is made with a value that another one has or had. But for
// that value the call is one that the server has accepted before.
const whyClaim = "to make another one with that "

// claim creates a record with a value in a member.
func (s *story) claim(member string, v value.Value) {
	if s.create == nil {
		return
	}
	q, ok := s.good(s.create, s.j)
	if !ok {
		return
	}
	media, _ := s.create.RequestBody()
	q = s.gen.renamed(q)
	body, err := value.Parse(q.Body)
	if err != nil || len(media) == 0 || media[0].Schema == nil {
		return
	}
	if _, declared := media[0].Schema.Property(member); declared && v.IsString() {
		q.Body = value.Append(nil, body.With(member, v))
		s.do(s.create, q, whyClaim+member)
	}
}

// ends deletes records, fresh ones and changed ones, and does to them afterwards what
// can be done to a record; then others take their place.
func (s *story) ends() {
	deletes := s.ofRecord(func(op *openapi.Operation) bool { return op.Method == http.MethodDelete && op.Writes() })
	for _, del := range deletes {
		for _, changed := range []bool{false, true} {
			for _, full := range []bool{false, true} {
				s.end(del, changed, full)
			}
		}
	}
}

func (s *story) end(del *openapi.Operation, changed, full bool) {
	var q Request
	id := ""
	if s.create == nil {
		id = s.take()
	} else {
		ok := false
		if q, ok = s.good(s.create, s.j); full {
			q = s.gen.rich(s.create, q)
		}
		q = s.gen.renamed(q)
		if !ok || !s.do(s.create, q, "to have one that ends") {
			return
		}
		if i := slices.IndexFunc(s.j.writes, func(w behavior.Write) bool { return w.Resource == s.resource && w.Before.IsMissing() }); i >= 0 {
			id = s.j.writes[i].ID
		}
	}
	if id == "" {
		return
	}
	if changed {
		for _, op := range s.ofRecord(isChange) {
			if list := s.variants(op, id); len(list) > 0 && !s.do(op, list[len(list)-1], "to change it") {
				return
			}
		}
	}
	rec := s.record(id)
	type call struct {
		op *openapi.Operation
		q  Request
	}
	var after []call
	for _, op := range s.ofRecord(func(op *openapi.Operation) bool { return true }) {
		base, ok := s.good(op, s.j)
		if op == del {
			base, ok = Request{Method: op.Method, Target: op.Path, Caller: first(s.Names)}, true
		}
		if !ok {
			continue
		}
		if q, ok := s.about(op, base, id, rec); ok {
			q.Caller, q.Credentials = first(s.Names), nil
			after = append(after, call{op, q})
		}
	}
	gone, ok := s.about(del, Request{Method: del.Method, Target: del.Path, Caller: first(s.Names)}, id, rec)
	for _, c := range after {
		if c.op == del {
			gone = c.q
		}
	}
	s.look(id)
	if !ok || !s.do(del, gone, "to delete it") {
		return
	}
	for _, c := range after {
		s.do(c.op, c.q, "after its deletion")
	}
	s.look()
	if s.create == nil {
		return
	}
	s.do(s.create, q, whyClaim+"name")
	for _, w := range s.j.writes {
		if w.Resource == s.resource && w.Before.IsMissing() {
			s.look(w.ID)
		}
	}
}

// neighbours makes records that have much in common, deletes one and changes another.
func (s *story) neighbours() {
	unique := s.API.Plan.Resource(s.resource).Unique()
	var ids []string
	for i := range 3 {
		id := s.make(func(body value.Value) value.Value {
			if name := body.Get("name"); name.IsString() && !slices.Contains(unique, "name") {
				return body.With("name", value.String("Neighbour "+s.gen.token))
			} else if name.IsString() {
				return body.With("name", value.String(fmt.Sprintf("Neighbour %s%.*s", s.gen.token, i, "bc")))
			}
			return body
		})
		if id == "" {
			return
		}
		ids = append(ids, id)
	}
	for _, op := range s.ofRecord(isChange) {
		for _, q := range s.variants(op, ids[0]) {
			s.do(op, q, "to change one of them")
		}
		s.look(ids...)
	}
	for _, del := range s.ofRecord(func(op *openapi.Operation) bool { return op.Method == http.MethodDelete && op.Writes() }) {
		if q, ok := s.about(del, Request{Method: del.Method, Target: del.Path, Caller: first(s.Names)}, ids[1], s.record(ids[1])); ok {
			s.do(del, q, "to delete one of them")
		}
	}
	s.look(ids[0], ids[2])
}

// whyOrphans is why a record is deleted that others have made.
const whyOrphans = "to delete what others refer to"

// orphans deletes a record that others refer to, and looks at those.
func (s *story) orphans() {
	if s.Safe {
		return
	}
	for _, del := range s.ofRecord(func(op *openapi.Operation) bool { return op.Method == http.MethodDelete && op.Writes() }) {
		tried := 0
		for _, rec := range s.j.world().Records(s.resource) {
			id := rec.Get(s.API.Plan.Resource(s.resource).ID())
			if !id.IsString() || tried == 3 {
				continue
			}
			children := s.children(id)
			q, ok := s.about(del, Request{Method: del.Method, Target: del.Path, Caller: first(s.Names)}, id.Text(), rec)
			if len(children) == 0 || !ok {
				continue
			}
			if _, out, err := s.j.predict(&q); err != nil || out.Refused {
				continue
			}
			tried++
			if !s.do(del, q, whyOrphans) {
				return
			}
			for i, c := range children {
				if get, ok := s.j.reads(c.resource, c.record.Get(s.API.Plan.Resource(c.resource).ID()), c.record, c.record.Members()); ok && i < mostParents {
					get.Caller = first(s.Names)
					s.do(s.API.OperationByID(get.Operation), get, look)
				}
			}
			for _, op := range s.everyCalled() {
				if !op.Writes() && len(op.Lists()) > 0 && slices.ContainsFunc(children, func(c child) bool { return slices.Contains(op.Lists(), c.resource) }) {
					s.lookAt(op)
				}
			}
		}
	}
}

// A child is a record that refers to another one.
type child struct {
	resource string
	record   value.Value
}

func (s *story) children(id value.Value) (out []child) {
	for _, resource := range s.API.Plan.Resources() {
		own := s.API.Plan.Resource(resource).ID()
		for _, rec := range s.j.world().Records(resource) {
			if slices.ContainsFunc(rec.Members(), func(m value.Member) bool { return m.Name != own && value.Equal(m.Value, id) }) {
				out = append(out, child{resource, rec})
			}
		}
	}
	return out
}
