package contracttests

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// generator makes calls: variations of documented ones, aimed at records that
// are there, were there, or never were. Equal seeds make equal calls.
type generator struct {
	api        *openapi.API
	rng        *rand.Rand
	corpus     map[string][]Request                   // documented calls, by operation
	callers    []string                               // the first is the ordinary one
	token      string                                 // stands in all names that this run gives
	documented map[string]map[string]bool             // values that documented calls send, by name
	samples    map[string][]value.Value               // the same, in order
	custom     map[*openapi.Operation]map[string]bool // members that documented calls send
	home       *Judge                                 // the picture in which the documented calls were made
	serial     int
}

func newGenerator(api *openapi.API, seed uint64, examples []Request, callers []string) *generator {
	g := &generator{api: api, rng: rand.New(rand.NewPCG(seed, 1)), corpus: map[string][]Request{}, callers: callers,
		token: "u" + strconv.FormatUint(rand.NewPCG(seed, 2).Uint64()%(1<<40)|1<<39, 36)}
	for _, r := range examples {
		if p, _, ok := api.Match(pathOf(r.Target), nil); ok {
			if op := p.Operation(r.Method); op != nil {
				r.Operation = op.ID
				g.corpus[op.ID] = append(g.corpus[op.ID], r)
			}
		}
	}
	return g
}

// known leaves out callers whom the server does not know: what they would have sent,
// the ordinary one does.
func (g *generator) known(names []string) {
	g.callers = names
	for _, list := range g.corpus {
		for i := range list {
			if c := list[i].Caller; c != "" && !slices.Contains(names, c) {
				list[i].Caller = first(names)
			}
		}
	}
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.rng.IntN(len(list))] }

// call is a call of an operation, in the picture that j has.
func (g *generator) call(op *openapi.Operation, j *Judge) Request {
	var r Request
	if list := g.corpus[op.ID]; len(list) > 0 {
		r = pick(g, list)
		r.Header = r.Header.Clone()
	} else {
		r = Request{Method: op.Method, Target: op.Path}
		if len(g.callers) > 0 {
			r.Caller = g.callers[0]
		}
	}
	r.Operation, r.Why = op.ID, ""
	if r.Caller != "" || g.chance(20) {
		g.caller(&r)
	}
	g.aim(&r, op, j)
	if r.Body != nil {
		g.body(&r, op, j)
	}
	return r
}

// plainest are documented calls that list all that there is, those with the longest
// pages first, and the bare operation.
func (g *generator) plainest(op *openapi.Operation) []Request {
	type candidate struct {
		q     Request
		limit int
	}
	list := []candidate{}
	var calls []Request
	for _, q := range g.corpus[op.ID] {
		calls = append(append(calls, q), reduced(q)...)
	}
	for _, q := range calls {
		q.Operation = op.ID
		a, err := g.home.ask(&q)
		if err != nil || a.op != op {
			continue
		}
		c := &choices{judge: g.home, vague: g.home.vagueMembers(g.home.pictures[0])}
		out := g.home.world().Try(a.call, c)
		if out.Refused || len(c.lists) == 0 || !c.lists[0].Whole || c.lists[0].Offset > 0 || c.lists[0].Limit == 0 {
			continue
		}
		limit := c.lists[0].Limit
		if limit < 0 {
			limit = math.MaxInt
		}
		list = append(list, candidate{q, limit})
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		if a.limit != b.limit {
			return cmp.Compare(b.limit, a.limit)
		}
		return len(a.q.Target) + len(a.q.Body) - len(b.q.Target) - len(b.q.Body)
	})
	var out []Request
	seen := map[string]bool{}
	for _, c := range append(list, candidate{q: Request{Operation: op.ID, Method: op.Method, Target: op.Path}}) {
		_, query, _ := strings.Cut(c.q.Target, "?")
		if key := query + " " + string(c.q.Body); !seen[key] && len(out) < mostWaysToList {
			seen[key] = true
			out = append(out, c.q)
		}
	}
	return out
}

// reduced are calls that send one member of the body, or one parameter of the query,
// and nothing else.
func reduced(q Request) (out []Request) {
	if body, err := value.Parse(q.Body); err == nil && body.Len() > 1 {
		for _, m := range body.Members() {
			q := q
			q.Body = value.Append(nil, value.Object(m))
			out = append(out, q)
		}
	}
	if path, query, asks := cutQuery(q.Target); asks {
		for pair := range strings.SplitSeq(query, "&") {
			q := q
			q.Target = path + "?" + pair
			out = append(out, q)
		}
	}
	return out
}

// mostWaysToList is how many ways to list are tried.
const mostWaysToList = 6

// renamed is a call that gives another name: no two records have the same then.
func (g *generator) renamed(q Request) Request {
	body, err := value.Parse(q.Body)
	if err != nil || !body.Get("name").IsString() {
		return q
	}
	q.Body = value.Append(nil, body.With("name", value.String(fmt.Sprintf("%.40s %s-%d", body.Get("name").Text(), g.token, g.rng.IntN(1_000_000)))))
	return q
}

func cutQuery(target string) (path, query string, asks bool) { return strings.Cut(target, "?") }

// caller is mostly the ordinary one, or the documented one.
func (g *generator) caller(r *Request) {
	switch n := g.rng.IntN(100); {
	case n < 60 && len(g.callers) > 0:
		r.Caller = g.callers[0]
	case n < 70 && len(g.callers) > 0:
		r.Caller = pick(g, g.callers)
	case n < 75:
		r.Caller = ""
	case n < 80 && len(g.api.Schemes()) > 0:
		r.Caller = ""
		r.Credentials = map[string]string{}
		for _, s := range g.api.Schemes() {
			if g.chance(70) {
				r.Credentials[s] = fmt.Sprintf("wrong-%d", g.rng.IntN(1000))
			}
		}
	}
}

// aim fills the path: with the ids of one record and of those that it belongs
// to, with the documented ones, or with ids of nothing.
func (g *generator) aim(r *Request, op *openapi.Operation, j *Judge) {
	p := g.api.PathOf(op)
	if len(p.Names) == 0 {
		return
	}
	_, raw, ok := g.api.Match(pathOf(r.Target), nil)
	args := make([]string, len(p.Names))
	if ok && len(raw) == len(args) {
		copy(args, raw)
	}
	if g.chance(70) || !ok {
		var home value.Value // the record that the last parameter names
		for i := len(p.Names) - 1; i >= 0; i-- {
			name := p.Names[i]
			if v := home.Get(name); v.IsString() && !g.chance(15) { // now and then below somebody else's parent
				args[i] = url.PathEscape(v.Text())
				continue
			}
			l := slices.IndexFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "path" && l.Name == name })
			if l < 0 {
				continue
			}
			res := op.Lookups()[l].Resource
			records := g.targets(op, j, res)
			if len(records) == 0 {
				continue
			}
			home = pick(g, records)
			if id := home.Get(j.api.Plan.Resource(res).ID()); id.Kind() != value.HoleKind {
				args[i] = url.PathEscape(text(id))
			}
		}
	}
	if g.chance(15) {
		args[g.rng.IntN(len(args))] = pick(g, []string{g.uuid(), "nothing-" + fmt.Sprint(g.rng.IntN(1000)), "%20", "0", strings.ToUpper(args[len(args)-1])})
	}
	_, query, has := strings.Cut(r.Target, "?")
	target := p.Template
	for i, name := range p.Names {
		target = strings.Replace(target, "{"+name+"}", args[i], 1)
	}
	if has {
		target += "?" + query
	}
	r.Target = target
}

// targets are records to aim at. Where nothing puts the server back, what changes
// records changes those of this run, as long as there are any.
func (g *generator) targets(op *openapi.Operation, j *Judge, resource string) []value.Value {
	all := j.world().Records(resource)
	if j.know == nil || !op.Writes() {
		return all
	}
	id := j.api.Plan.Resource(resource).ID()
	var own []value.Value
	for _, rec := range all {
		if v := rec.Get(id); v.IsString() && j.know.own[v.Text()] {
			own = append(own, rec)
		}
	}
	if len(own) == 0 || op.Method != http.MethodPatch && op.Method != http.MethodPut && g.chance(10) {
		return all
	}
	return own
}

func text(v value.Value) string {
	if v.IsString() {
		return v.Text()
	}
	return v.String()
}

func (g *generator) uuid() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", g.rng.Uint32(), g.rng.Uint64()&0xffffffffffff)
}

// body varies a documented body.
func (g *generator) body(r *Request, op *openapi.Operation, j *Judge) {
	v, err := value.Parse(r.Body)
	if err != nil || !v.IsObject() {
		return
	}
	for _, m := range v.Members() {
		if !m.Value.IsString() {
			continue
		}
		l := slices.IndexFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "body" && l.Name == m.Name })
		switch {
		case l >= 0 && g.chance(80):
			if records := g.targets(op, j, op.Lookups()[l].Resource); len(records) > 0 {
				if id := pick(g, records).Get(j.api.Plan.Resource(op.Lookups()[l].Resource).ID()); id.IsString() {
					v = v.With(m.Name, id)
				}
			}
		case l < 0 && m.Name == "name" && g.chance(60), strings.Contains(m.Value.Text(), " ") && g.chance(50):
			g.serial++
			v = v.With(m.Name, value.String(fmt.Sprintf("%.40s %s-%d", m.Value.Text(), g.token, g.rng.IntN(1_000_000))))
		case g.chance(10):
			if other := g.same(j, m.Name); other.IsString() {
				if g.chance(40) {
					other = value.String(strings.ToUpper(other.Text()))
				}
				v = v.With(m.Name, other)
			}
		}
	}
	if g.chance(30) && v.Len() > 0 {
		v = g.spoil(r, v)
	}
	if r.Body != nil && !v.IsMissing() {
		r.Body = value.Append(nil, v)
	}
}

// same is a member of that name of some record.
func (g *generator) same(j *Judge, name string) value.Value {
	for _, res := range j.api.Plan.Resources() {
		if records := j.world().Records(res); len(records) > 0 && slices.Contains(j.api.Plan.Resource(res).Members(), name) {
			return pick(g, records).Get(name)
		}
	}
	return value.Value{}
}

// spoil breaks one thing.
func (g *generator) spoil(r *Request, v value.Value) value.Value {
	m := pick(g, v.Members())
	switch g.rng.IntN(12) {
	case 0, 1, 2:
		return v.Without(m.Name)
	case 3:
		return v.With(m.Name, value.Null)
	case 4:
		return v.With(m.Name, value.Int(g.rng.Int64N(1000)-5))
	case 5:
		return v.With(m.Name, value.String(strings.Repeat("é", pick(g, []int{100, 101, 255, 256, 500, 501, 10_001}))))
	case 6:
		return v.With(m.Name, value.String(pick(g, []string{"", " ", "\t", "x"})))
	case 7:
		return v.With(m.Name, value.Array(m.Value, value.True))
	case 8:
		return v.With(m.Name, value.Object(value.Member{Name: "a", Value: value.Int(1)}))
	case 9:
		return v.With("member_that_nobody_knows", value.Int(1))
	case 10:
		r.Body = []byte(pick(g, []string{"{", `{"a":1,"a":2}`, "[]", "null", "1", `"text"`, "", "{]"}))
		if len(r.Body) == 0 {
			r.Body = nil
		}
		return value.Value{}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Content-Type", pick(g, []string{"text/plain", "application/xml", "application/json; charset=utf-8"}))
	return v
}

func replaceParameter(template, name, id string) string {
	return strings.Replace(template, "{"+name+"}", id, 1)
}
