package contracttests

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// What learning may cost.
const (
	mostLearning = 400 // calls
	mostPages    = 100 // of one list
	mostTargets  = 40  // lists of one operation, by parents
	mostDetails  = 60  // records of one resource that are read one by one
)

// learner finds out what a server holds by listing it.
type learner struct {
	r     *run
	ctx   context.Context
	judge *Judge
	calls int
	found map[string]map[string]*sighting // by resource and id
	order map[string][]*sighting          // by resource, as they were listed
	part  map[string]bool                 // resources of which not everything was seen
	lists map[string]bool                 // resources that some operation lists
	good  map[string]bool                 // callers that the server has let in
	bad   map[string]bool                 // callers that it has not, though it should
	why   string                          // the first refusal
	seen  map[string]bool                 // calls that were made
	ways  map[string][]Request            // by operation: how to list all
	shown map[string]map[string]bool      // by resource: callers who got a list of it
	who   map[string]*behavior.Caller
}

// sighting is a record as lists and reads have shown it.
type sighting struct {
	resource string
	id       value.Value
	shown    value.Value     // the fullest that was seen
	whole    bool            // shown is of an operation that reads one record
	equal    []value.Member  // what the lists say of it
	by       map[string]bool // callers whose lists have it
	serial   int
}

// learn is a judge whose picture is what the server holds now. What this run has made
// is looked at one by one where no list shows it.
func (r *run) learn(ctx context.Context, before *Judge) (*Judge, error) {
	world, err := r.API.Plan.NewWorld(behavior.WorldConfig{})
	if err != nil {
		return nil, err
	}
	j := NewJudge(r.API, world, r.Callers, r.Credentials)
	j.know = newKnowledge(r.gen.token)
	j.know.sure = r.Known
	j.ordinary = r.gen.ordinary
	if before != nil {
		j.know.own, j.know.met, j.know.spoil = before.know.own, before.know.met, before.know.spoil
		j.callers = before.callers
		j.pictures[0].taken = before.pictures[0].taken
		j.pictures[0].newest = before.pictures[0].newest
	}
	for _, name := range r.API.Plan.Resources() {
		j.know.open[name] = true
	}
	l := &learner{r: r, ctx: ctx, judge: j, found: map[string]map[string]*sighting{}, order: map[string][]*sighting{}, part: map[string]bool{},
		lists: map[string]bool{}, good: map[string]bool{}, bad: map[string]bool{}, seen: map[string]bool{},
		shown: map[string]map[string]bool{}, ways: r.ways, who: map[string]*behavior.Caller{}}
	// Lists below parents need the parents first: each round knows more of them.
	for range 4 {
		had := l.calls
		for _, op := range everyOperation(r.API) {
			if len(op.Lists()) == 1 && !op.Writes() {
				l.list(op)
			}
		}
		l.settle()
		if l.calls == had {
			break
		}
	}
	if before != nil {
		l.remember(before)
	}
	for _, name := range r.API.Plan.Resources() {
		j.know.open[name] = !l.lists[name] || l.part[name] || r.Safe
	}
	if len(l.good) == 0 && len(l.bad) > 0 {
		return nil, fmt.Errorf("the server lets in none of the callers (%s): want their credentials as the server knows them", l.why)
	}
	r.admitted(l)
	return j, ctx.Err()
}

// admitted drops callers whom the server does not know.
func (r *run) admitted(l *learner) {
	if r.Known || len(l.good) == 0 {
		return
	}
	var names []string
	for _, n := range r.Names {
		if l.good[n] || slices.Contains(r.Vouched, n) {
			names = append(names, n)
		}
	}
	if len(names) < len(r.Names) {
		r.remark(fmt.Sprintf("the server knows %s only; what others are allowed or refused is not checked", strings.Join(names, ", ")))
		r.Names = names
		r.gen.known(names)
	}
}

// callersOf are callers who see different records, the ordinary one first.
func (l *learner) callersOf(op *openapi.Operation) []string {
	if len(l.r.Names) == 0 {
		return []string{""}
	}
	return l.r.Names
}

// list asks for all that an operation lists, below all parents that are known.
func (l *learner) list(op *openapi.Operation) {
	resource := op.Lists()[0]
	for n, args := range l.targets(op) {
		if n == mostTargets {
			l.part[resource] = true
			break
		}
		for i, caller := range l.callersOf(op) {
			// The first way to ask that is understood is kept.
			for len(l.ways[op.ID]) > 1 {
				q := l.aim(op, l.ways[op.ID][0], args)
				q.Caller = caller
				if l.pages(q, op, resource, i == 0) || i > 0 {
					break
				}
				l.ways[op.ID] = l.ways[op.ID][1:]
			}
			if len(l.ways[op.ID]) == 1 {
				q := l.aim(op, l.ways[op.ID][0], args)
				q.Caller = caller
				if !l.pages(q, op, resource, i == 0) && i == 0 {
					l.part[resource] = true
				}
			}
		}
	}
}

// aim fills the path of a call.
func (l *learner) aim(op *openapi.Operation, q Request, args []string) Request {
	p := l.r.API.PathOf(op)
	_, query, asks := strings.Cut(q.Target, "?")
	q.Operation, q.Method, q.Target, q.Why = op.ID, op.Method, p.Template, "to learn what is there"
	for i, name := range p.Names {
		q.Target = replaceParameter(q.Target, name, url.PathEscape(args[i]))
	}
	if asks {
		q.Target += "?" + query
	}
	return q
}

// targets are the ways to fill an operation's path with records that are known.
func (l *learner) targets(op *openapi.Operation) [][]string {
	if l.ways[op.ID] == nil {
		l.ways[op.ID] = l.r.gen.plainest(op)
	}
	return l.r.fillings(l.judge, op)
}

// fillings are the ways to fill an operation's path with records of a picture.
func (r *run) fillings(j *Judge, op *openapi.Operation) [][]string {
	p := r.API.PathOf(op)
	args := [][]string{nil}
	for _, name := range p.Names {
		k := slices.IndexFunc(op.Lookups(), func(x behavior.Lookup) bool { return x.Location == "path" && x.Name == name })
		if k < 0 {
			return nil
		}
		res := op.Lookups()[k].Resource
		id := j.api.Plan.Resource(res).ID()
		var next [][]string
		for _, a := range args {
			for _, rec := range j.world().Records(res) {
				if below(rec, p.Names, a) {
					next = append(next, append(slices.Clone(a), text(rec.Get(id))))
				}
			}
		}
		if args = next; len(args) > 10*mostTargets {
			args = args[:10*mostTargets]
		}
	}
	return args
}

// below is whether a record may belong to those that a path names before it.
func below(rec value.Value, names, args []string) bool {
	for i, a := range args {
		if v := rec.Get(names[i]); v.IsString() && !strings.EqualFold(v.Text(), a) {
			return false
		}
	}
	return true
}

// pages goes through the pages of one list. It is whether the call was understood, or
// the caller is not meant to make it.
func (l *learner) pages(q Request, op *openapi.Operation, resource string, ordinary bool) bool {
	id := l.judge.api.Plan.Resource(resource).ID()
	size := 0
	for page := 0; ; page++ {
		key := q.Caller + " " + q.Target + " " + string(q.Body)
		if l.seen[key] {
			return true
		}
		l.seen[key] = true
		a, err := l.judge.ask(&q)
		if err != nil || a.op == nil {
			return false
		}
		ch := &choices{judge: l.judge, vague: l.judge.vagueMembers(l.judge.pictures[0])}
		out := l.judge.world().Try(a.call, ch)
		if out.Refused && page == 0 {
			return true // this caller is not meant to see it
		}
		if l.calls++; l.calls > mostLearning || page == mostPages {
			l.part[resource] = true
			return true
		}
		x := l.r.send(l.ctx, q)
		if x.Response == nil || x.Response.Status >= 300 {
			l.refused(&q, &x)
			return page > 0
		}
		l.good[q.Caller], l.who[q.Caller] = true, a.call.Caller
		if l.shown[resource] == nil {
			l.shown[resource] = map[string]bool{}
		}
		l.shown[resource][q.Caller] = true
		shown, ok := elements(x.Response.value(false), id)
		if !ok || len(ch.lists) == 0 {
			l.part[resource] = l.part[resource] || ordinary
			return true
		}
		listing := ch.lists[0]
		if l.attributes(a.call.Caller, resource, shown, listing) {
			l.seen[key] = false
			l.calls--
			continue // asked again, as who it is
		}
		l.lists[resource] = true
		if !listing.Whole {
			l.part[resource] = true
		}
		fresh := l.note(resource, id, shown, listing, &q)
		size = max(size, len(shown))
		if fresh == 0 || len(shown) < size || listing.Limit < 0 {
			return true
		}
		if q, ok = turned(q, listing, page+1, (page+1)*size); !ok {
			l.part[resource] = l.part[resource] || len(shown) == listing.Limit
			return true
		}
	}
}

// attributes takes from a list what it says of the caller, of whom no more than the
// credentials may be known.
func (l *learner) attributes(caller *behavior.Caller, resource string, shown []value.Value, listing *behavior.Listing) (changed bool) {
	if l.r.Known || caller == nil {
		return false
	}
	r := l.r.API.Plan.Resource(resource)
	for _, m := range listing.Equal {
		attribute := r.ScopeAttribute(m.Name)
		if attribute == "" || len(shown) == 0 {
			continue
		}
		v := shown[0].Get(m.Name)
		same := !v.IsNull() && !value.Equal(v, m.Value)
		for _, e := range shown {
			same = same && value.Equal(e.Get(m.Name), v)
		}
		if same {
			l.judge.callers = l.judge.callers.With(caller, attribute, v)
			l.r.Callers = l.judge.callers
			return true
		}
	}
	return false
}

func (l *learner) refused(q *Request, x *Exchange) {
	got := "no answer"
	if x.Response != nil {
		got = strconv.Itoa(x.Response.Status)
	} else if x.Err != nil {
		got = x.Err.Error()
	}
	if x.Response != nil && (x.Response.Status == http.StatusUnauthorized || x.Response.Status == http.StatusForbidden) {
		l.bad[q.Caller] = true
	}
	if l.why == "" {
		l.why = fmt.Sprintf("%s %s as %s: %s", q.Method, q.Target, q.Caller, got)
	}
}

// turned is a call with another page in it.
func turned(q Request, l *behavior.Listing, number, offset int) (Request, bool) {
	in, n := l.Number, number+1
	if in.Name == "" {
		in, n = l.From, offset
	}
	switch in.Location {
	case "query":
		path, query, _ := strings.Cut(q.Target, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return q, false
		}
		values.Set(in.Name, strconv.Itoa(n))
		q.Target = path + "?" + values.Encode()
		return q, true
	case "body":
		body, err := value.Parse(q.Body)
		if err != nil || !body.IsObject() {
			return q, false
		}
		q.Body = value.Append(nil, body.With(in.Name, value.Int(int64(n))))
		return q, true
	}
	return q, false
}

// note keeps what a page shows. It is how many of it are new to the caller.
func (l *learner) note(resource, id string, shown []value.Value, listing *behavior.Listing, q *Request) (fresh int) {
	if l.found[resource] == nil {
		l.found[resource] = map[string]*sighting{}
	}
	for _, e := range shown {
		key := text(e.Get(id))
		s := l.found[resource][key]
		if s == nil {
			s = &sighting{resource: resource, id: e.Get(id), shown: e, by: map[string]bool{}, serial: len(l.order[resource])}
			s.equal = slices.Clone(listing.Equal)
			path, args, _ := l.r.API.Match(pathOf(q.Target), nil)
			for i, name := range path.Names {
				if v, err := url.PathUnescape(args[i]); err == nil {
					s.equal = append(s.equal, value.Member{Name: name, Value: value.String(v)})
				}
			}
			if len(listing.Keys) > 0 && listing.Keys[0].Descending {
				s.serial = -s.serial
			}
			l.found[resource][key] = s
			l.order[resource] = append(l.order[resource], s)
		}
		if !s.by[q.Caller] {
			fresh++
			s.by[q.Caller] = true
		}
	}
	return fresh
}

// settle reads the records that lists show in part, and puts all into the picture.
func (l *learner) settle() {
	for _, resource := range l.r.API.Plan.Resources() {
		list := slices.Clone(l.order[resource])
		slices.SortStableFunc(list, func(a, b *sighting) int { return a.serial - b.serial })
		read := 0
		for _, s := range list {
			if !s.whole && !l.complete(s) && read < mostDetails {
				read++
				l.detail(s)
			}
			l.judge.adopt(l.record(s))
		}
	}
}

// complete is whether all members that may be shown are.
func (l *learner) complete(s *sighting) bool {
	r := l.r.API.Plan.Resource(s.resource)
	for _, m := range r.Members() {
		if !r.Hidden(m) && !r.Computed(m) && !s.shown.Has(m) {
			return false
		}
	}
	return true
}

// detail reads one record.
func (l *learner) detail(s *sighting) {
	s.whole = true // once is enough
	caller := ""
	for _, n := range l.r.Names {
		if s.by[n] {
			caller = n
			break
		}
	}
	q, ok := l.judge.reads(s.resource, s.id, s.shown, s.equal)
	if !ok {
		s.whole = false
		return
	}
	if l.calls++; l.calls > mostLearning {
		s.whole = false
		return
	}
	q.Caller = caller
	x := l.r.send(l.ctx, q)
	if x.Response == nil || x.Response.Status >= 300 {
		s.whole = false
		return
	}
	if v, ok := object(x.Response.value(false), l.r.API.Plan.Resource(s.resource).ID(), s.id); ok {
		s.shown = v
	}
}

// object is the object with that id in a body, the nearest to the root.
func object(body value.Value, id string, is value.Value) (value.Value, bool) {
	level := []value.Value{body}
	for depth := 0; depth < 3 && len(level) > 0; depth++ {
		var next []value.Value
		for _, v := range level {
			if v.IsObject() && strings.EqualFold(text(v.Get(id)), text(is)) {
				return v, true
			}
			for _, m := range v.Members() {
				next = append(next, m.Value)
			}
		}
		level = next
	}
	return value.Value{}, false
}

// reads is a call that reads one record. of and equal say what its parents are.
func (j *Judge) reads(resource string, id, of value.Value, equal []value.Member) (Request, bool) {
	return j.aimed(http.MethodGet, resource, id, of, equal, func(op *openapi.Operation) bool { return !op.Writes() && len(op.Lists()) == 0 })
}

// aimed is a call, with a method, of the operation whose path ends with a record of
// the resource.
func (j *Judge) aimed(method, resource string, id, of value.Value, equal []value.Member, fits func(op *openapi.Operation) bool) (Request, bool) {
	for _, p := range j.api.Paths {
		op := p.Operation(method)
		if op == nil || len(p.Names) == 0 || !strings.HasSuffix(strings.TrimSuffix(p.Template, "/"), "}") || !fits(op) {
			continue
		}
		target, ok := p.Template, true
		for i, name := range p.Names {
			k := slices.IndexFunc(op.Lookups(), func(x behavior.Lookup) bool { return x.Location == "path" && x.Name == name })
			if k < 0 {
				ok = false
				break
			}
			v := of.Get(name)
			for _, m := range equal {
				if v.IsNull() && m.Name == name {
					v = m.Value
				}
			}
			if i == len(p.Names)-1 {
				ok = ok && op.Lookups()[k].Resource == resource
				v = id
			}
			if v.IsNull() || v.Kind() == value.HoleKind {
				ok = false
			}
			target = replaceParameter(target, name, url.PathEscape(text(v)))
		}
		if ok {
			return Request{Operation: op.ID, Method: method, Target: target, Why: "to learn what is there"}, true
		}
	}
	return Request{}, false
}

// record is what is known of a record, with holes for the rest.
func (l *learner) record(s *sighting) (string, value.Value) {
	r := l.r.API.Plan.Resource(s.resource)
	equal := func(name string) (value.Value, bool) {
		for _, m := range s.equal {
			if m.Name == name && m.Value.Kind() != value.HoleKind {
				return m.Value, true
			}
		}
		return value.Value{}, false
	}
	hint := value.Value{}
	if l.r.hints != nil {
		hint = l.r.hints[s.resource][text(s.id)]
	}
	scopes := l.scopes(r, s)
	var members []value.Member
	for _, name := range r.Members() {
		if r.Computed(name) {
			continue
		}
		v, known := s.shown.Get(name), true
		if v.IsMissing() {
			if v, known = equal(name); !known {
				if v, known = scopes[name]; !known {
					v = hint.Get(name)
					known = !v.IsMissing()
				}
			}
		}
		switch {
		case known:
		default:
			v = value.Hole(&hole{law: kept})
		}
		members = append(members, value.Member{Name: name, Value: v})
	}
	return s.resource, value.Object(members...)
}

// scopes says to whom a record belongs: the values that let those callers see it who
// do, and no others.
func (l *learner) scopes(r *behavior.Resource, s *sighting) map[string]value.Value {
	out := map[string]value.Value{}
	by := map[string]map[string][]value.Value{}
	members := map[string]bool{}
	for _, n := range l.r.Names {
		if !l.good[n] {
			continue
		}
		by[n] = r.Scope(l.who[n])
		for m := range by[n] {
			members[m] = true
		}
	}
	for m := range members {
		for _, n := range l.r.Names {
			for _, v := range by[n][m] {
				fits := s.by[n]
				for o, scope := range by {
					sees := slices.ContainsFunc(scope[m], func(x value.Value) bool { return value.Equal(x, v) })
					fits = fits && (sees == s.by[o] || !l.shown[s.resource][o])
				}
				if _, done := out[m]; fits && !done {
					out[m] = v
				}
			}
		}
	}
	return out
}

// adopt puts a record into the picture.
func (j *Judge) adopt(resource string, v value.Value) {
	for _, p := range j.pictures {
		for _, m := range v.Members() {
			if h, ok := holeOf(m.Value); ok {
				p.holes[h] = true
			}
		}
		p.vague = nil
		p.world.Put(resource, v)
	}
}

// remember looks at what this run has made and no list shows.
func (l *learner) remember(before *Judge) {
	for _, resource := range l.r.API.Plan.Resources() {
		r := l.r.API.Plan.Resource(resource)
		for _, rec := range before.world().Records(resource) {
			id := rec.Get(r.ID())
			if !id.IsString() || !before.know.own[id.Text()] || !l.judge.world().Record(resource, id).IsMissing() {
				continue
			}
			q, ok := l.judge.reads(resource, id, rec, rec.Members())
			if !ok {
				if !l.lists[resource] {
					l.judge.adopt(resource, rec)
				}
				continue
			}
			if l.calls++; l.calls > mostLearning {
				return
			}
			q.Caller = first(l.r.Names)
			x := l.r.send(l.ctx, q)
			if x.Response == nil || x.Response.Status >= 300 {
				continue
			}
			if v, ok := object(x.Response.value(false), r.ID(), id); ok {
				s := &sighting{resource: resource, id: id, shown: v, whole: true, equal: rec.Members(), by: map[string]bool{q.Caller: true}}
				l.judge.adopt(l.record(s))
			}
		}
	}
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
