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

// good is a call of an operation that succeeds in the picture: a documented one
// if there is one, with as small a body as there is. It is false if none is found.
func (r *run) good(op *openapi.Operation, j *Judge) (best Request, ok bool) {
	return r.best(op, j, func(a, b *Request) bool { return len(a.Body) < len(b.Body) })
}

// fullest is [run.good] with as large a body as there is, for what goes through
// the members.
func (r *run) fullest(op *openapi.Operation, j *Judge) (best Request, ok bool) {
	return r.best(op, j, func(a, b *Request) bool { return len(a.Body) > len(b.Body) })
}

// best is the call that succeeds in the picture and that comes before all others; what
// any server is sure to accept comes before what only the model does.
func (r *run) best(op *openapi.Operation, j *Judge, before func(a, b *Request) bool) (best Request, ok bool) {
	succeeds := func(q *Request) (plain, ok bool) {
		a, out, err := j.predict(q)
		ok = err == nil && a.op == op && !out.Refused && out.Status < 300 && len(a.call.Violations) == 0
		return ok && r.gen.ordinary(j, a, q), ok
	}
	plain := false
	try := func(q Request) {
		p, good := succeeds(&q)
		if own, is := r.reaimed(j, op, q); is {
			if p2, good2 := succeeds(&own); good2 && (p2 || !p || !good) {
				q, p, good = own, p2, good2
			}
		}
		if good && (!ok || p && !plain || p == plain && before(&q, &best)) {
			best, ok, plain = q, true, p
		}
	}
	for _, q := range r.gen.corpus[op.ID] {
		try(q)
	}
	for i := 0; i < 100 && (!ok || i < 30 && !plain); i++ {
		try(r.gen.call(op, j))
	}
	return best, ok
}

// series makes calls of an operation one after the other; op may be nil, for calls of
// several. After a contradiction it begins anew.
func (r *run) series(ctx context.Context, op *openapi.Operation, calls func(j *Judge) []Request) {
	j, ok := r.begin(ctx)
	if !ok {
		return
	}
	var made, refused []Exchange // calls that have changed something, and those that may not have
	aims := r.prepare(ctx, j, op, &made)
	moved := map[string]string{} // ids that the calls have, and those that they have become
	for _, q := range calls(j) {
		q = rename(q, moved)
		if ctx.Err() != nil {
			return
		}
		if r.Safe && !r.harmless(j, &q) || !r.spares(j, &q) {
			continue
		}
		x := r.send(ctx, q)
		// What came before is in the picture; to see the same again, the calls are
		// needed that have changed something, and before a look all others, too.
		steps := append(slices.Clone(made), x)
		if q.Why == look {
			steps = append(append(slices.Clone(made), refused...), x)
		}
		if r.judge(ctx, j, steps) {
			r.keepLedger(j)
			if len(j.writes) > 0 {
				made = append(made, x)
			} else if q.Why != look {
				refused = append(refused, x)
			}
			continue
		}
		made, refused = nil, nil
		if j, ok = r.begin(ctx); !ok {
			return
		}
		for resource, id := range r.prepare(ctx, j, op, &made) {
			if old := aims[resource]; old != "" && old != id {
				moved[old] = id
			}
		}
	}
}

// prepare provides records for an operation, and is their ids, by resource.
func (r *run) prepare(ctx context.Context, j *Judge, op *openapi.Operation, steps *[]Exchange) map[string]string {
	ids := map[string]string{}
	if op == nil || j.know == nil {
		return ids
	}
	r.provide(ctx, j, op, steps)
	for _, l := range op.Lookups() {
		if rec := r.ownOf(j, l.Resource); !rec.IsMissing() {
			ids[l.Resource] = text(rec.Get(r.API.Plan.Resource(l.Resource).ID()))
		}
	}
	return ids
}

// strangers calls operations about records that are not there, under ids of many forms.
func (r *run) strangers(ctx context.Context) {
	for _, op := range r.operations() {
		p := r.API.PathOf(op)
		if len(op.Lookups()) == 0 {
			continue
		}
		r.series(ctx, op, func(j *Judge) []Request {
			base, ok := r.good(op, j)
			if !ok {
				return nil
			}
			_, args, _ := r.API.Match(pathOf(base.Target), nil)
			_, query, asks := cutQuery(base.Target)
			var out []Request
			for i, name := range p.Names {
				for _, id := range otherIDs(args[i], r.gen) {
					q := base
					q.Operation, q.Target, q.Why = op.ID, p.Template, "with another "+name
					for k, n := range p.Names {
						arg := args[k]
						if k == i {
							arg = url.PathEscape(id)
						}
						q.Target = replaceParameter(q.Target, n, arg)
					}
					if asks {
						q.Target += "?" + query
					}
					out = append(out, q)
				}
			}
			body, err := value.Parse(base.Body)
			for _, l := range op.Lookups() {
				if err != nil || l.Location != "body" || !body.Get(l.Name).IsString() {
					continue
				}
				for _, id := range otherIDs(body.Get(l.Name).Text(), r.gen) {
					q := base
					q.Operation, q.Body, q.Why = op.ID, value.Append(nil, body.With(l.Name, value.String(id))), "with another "+l.Name
					out = append(out, q)
				}
			}
			return out
		})
	}
}

// otherIDs are ids of nothing, of the form of one that is: fresh, in other letters, of
// another length, of other characters.
func otherIDs(id string, g *generator) []string {
	id, _ = url.PathUnescape(id)
	fresh := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return rune('0' + g.rng.IntN(10))
		case r >= 'a' && r <= 'f':
			return rune('a' + g.rng.IntN(6))
		case r >= 'A' && r <= 'F':
			return rune('A' + g.rng.IntN(6))
		}
		return r
	}, id)
	list := []string{fresh, strings.ToUpper(fresh), strings.ToUpper(id), fresh + "0", strings.Repeat("z", len(id)), "0", "-1", "nothing", "00000000-0000-0000-0000-000000000000"}
	if len(fresh) > 2 {
		list = append(list, fresh[:len(fresh)-1], fresh[:len(fresh)/2]+"g"+fresh[len(fresh)/2+1:])
	}
	var out []string
	for _, s := range list {
		if s != id && s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// look is why a call is made that shows what others have done.
const look = "to see what it has done"

// parents calls operations about records below parents that are there, but are
// not theirs.
func (r *run) parents(ctx context.Context) {
	for _, op := range r.operations() {
		p := r.API.PathOf(op)
		if len(p.Names) < 2 {
			continue
		}
		r.series(ctx, op, func(j *Judge) []Request {
			base, ok := r.good(op, j)
			if !ok {
				return nil
			}
			_, args, _ := r.API.Match(pathOf(base.Target), nil)
			var out []Request
			for i, name := range p.Names[:len(p.Names)-1] {
				l := slices.IndexFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "path" && l.Name == name })
				if l < 0 {
					continue
				}
				res := op.Lookups()[l].Resource
				for n, other := range j.world().Records(res) {
					id := other.Get(r.API.Plan.Resource(res).ID())
					if n == 10 || !id.IsString() {
						break
					}
					target := p.Template
					for k, name := range p.Names {
						arg := args[k]
						if k == i {
							arg = url.PathEscape(id.Text())
						}
						target = replaceParameter(target, name, arg)
					}
					q := base
					q.Operation, q.Target, q.Why = op.ID, target, "below another "+name
					out = append(out, q)
				}
			}
			return out
		})
	}
}

// documented makes the documented calls that only read, and asks for the pages
// beside those that they ask for.
func (r *run) documented(ctx context.Context) {
	for _, op := range r.operations() {
		if op.Writes() {
			continue
		}
		r.series(ctx, op, func(*Judge) []Request {
			var out []Request
			seen := map[string]bool{}
			add := func(q Request, why string) {
				q.Operation, q.Why = op.ID, why
				if key := fmt.Sprint(q.Target, q.Caller, q.Credentials, string(q.Body), q.Header); !seen[key] {
					seen[key] = true
					out = append(out, q)
				}
			}
			for _, q := range r.gen.corpus[op.ID] {
				add(q, "as documented")
				for _, target := range otherNumbers(q.Target) {
					q := q
					q.Target = target
					add(q, "as documented, with another number")
				}
			}
			return out
		})
	}
}

// otherNumbers are targets with another small number in one place of the query.
func otherNumbers(target string) (out []string) {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return nil
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, v, _ := strings.Cut(pair, "=")
		if _, err := strconv.Atoi(v); err != nil {
			continue
		}
		for _, n := range []string{"1", "2", "3"} {
			other := slices.Clone(pairs)
			other[i] = name + "=" + n
			out = append(out, path+"?"+strings.Join(other, "&"))
		}
	}
	return out
}

// bodies sends each operation's body with one thing changed: each member left
// out, null, of another type, too short, too long. What is right or wrong about it,
// the model knows.
func (r *run) bodies(ctx context.Context) {
	for _, op := range r.operations() {
		r.series(ctx, op, func(j *Judge) []Request {
			base, ok := r.fullest(op, j)
			if !ok || base.Body == nil {
				return nil
			}
			body, err := value.Parse(base.Body)
			if err != nil || !body.IsObject() {
				return nil
			}
			var out []Request
			add := func(why string, body []byte) {
				q := base
				q.Operation, q.Body, q.Why = op.ID, body, why
				out = append(out, q)
			}
			for _, text := range []string{`{"a":`, `{"a":1,"a":2}`, `[]`, `null`, `"text"`, `{} {}`, "\xff", "{" + strings.Repeat(`"a":{`, 600)} {
				add("a body that is no such object", []byte(text))
			}
			add("no body", nil)
			for _, m := range body.Members() {
				add("without "+m.Name, value.Append(nil, body.Without(m.Name)))
				for _, v := range variants(m.Value) {
					add(fmt.Sprintf("%s is %.20s", m.Name, v), value.Append(nil, body.With(m.Name, v)))
				}
			}
			for _, typ := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded"} {
				q := base
				q.Operation, q.Header, q.Why = op.ID, http.Header{"Content-Type": {typ}}, "as "+typ
				out = append(out, q)
			}
			return r.inOrder(j, &base, out)
		})
	}
}

// around are reads of what a call is about, where it is there already.
func (r *run) around(j *Judge, q *Request) (out []Request) {
	a, err := j.ask(q)
	if err != nil || a.op == nil {
		return nil
	}
	done := j.fork().world().Do(a.call)
	p := &planner{api: r.API, gen: r.gen, judge: j}
	for _, l := range p.looksAt(j, q, &done) {
		if !slices.ContainsFunc(done.Writes, func(w behavior.Write) bool { return w.Before.IsMissing() && strings.Contains(l.Target, w.ID) }) {
			out = append(out, l)
		}
	}
	return out
}

// variants are other values for one that is right.
func variants(v value.Value) []value.Value {
	out := []value.Value{
		value.Null, value.True, value.Int(-1), value.Int(0), value.Number("1.5"), value.Number("9007199254740993"), value.String(""), value.String(" "), value.String("nobody-knows-this"),
		value.Array(), value.Array(v), value.Object(), value.Object(value.Member{Name: "a", Value: v}),
	}
	switch {
	case v.IsString():
		out = append(out, value.String(strings.Repeat("ä", 50)))
	case v.IsNumber():
		if i, ok := v.Int(); ok {
			out = append(out, value.Int(i+1), value.Int(i-1), value.Int(i*1000))
		}
	case v.IsArray():
		out = append(out, value.Array(append(slices.Clone(v.Elems()), v.At(0))...), value.Array(value.Null), value.Array(value.Int(1)), value.Array(value.Int(0)), value.Array(value.Int(11)), value.Array(value.Int(1_000_000)), value.Array(value.String("nobody-knows-this")))
	}
	return out
}

// methods calls each path with methods that it has not, and with those that
// every path has.
func (r *run) methods(ctx context.Context) {
	r.series(ctx, nil, func(j *Judge) []Request {
		var out []Request
		for _, p := range r.API.Paths {
			base, ok := Request{}, false
			for _, op := range p.Operations {
				if base, ok = r.good(op, j); ok {
					break
				}
			}
			if !ok {
				continue
			}
			for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD", "UNDERSTUDY"} {
				if p.Operation(m) != nil || m == "HEAD" && p.Operation("GET") != nil && p.Operation("GET").Writes() {
					continue
				}
				q := base
				q.Operation, q.Method, q.Body, q.Why = "", m, nil, "a method of another path"
				if m == "HEAD" && p.Operation("GET") != nil {
					q.Operation = p.Operation("GET").ID
				}
				q.Header = http.Header{"Connection": {"close"}}
				out = append(out, q)
			}
		}
		return out
	})
}

// access calls each operation as everybody and as nobody, and with half of the
// credentials.
func (r *run) access(ctx context.Context) {
	for _, op := range r.operations() {
		r.series(ctx, op, func(j *Judge) []Request {
			base, ok := r.good(op, j)
			if !ok {
				return nil
			}
			base.Operation, base.Header = op.ID, base.Header.Clone()
			for _, name := range r.API.CredentialHeaders() {
				base.Header.Del(name)
			}
			var out []Request
			as := func(why, caller string, credentials map[string]string) {
				q := base
				q.Caller, q.Credentials, q.Why = caller, credentials, why
				if len(op.Creates()) > 0 { // or the name would be in the way
					q = r.gen.renamed(q)
				}
				out = append(out, q)
			}
			as("as itself", base.Caller, base.Credentials)
			as("as nobody", "", nil)
			ordinary := map[string]string{}
			if len(r.Names) > 0 {
				ordinary = r.Credentials[r.Names[0]]
			}
			for _, scheme := range r.API.Schemes() {
				secret, ok := ordinary[scheme]
				if !ok {
					continue
				}
				one := func(change string) map[string]string {
					c := map[string]string{}
					for s, v := range ordinary {
						c[s] = v
					}
					if c[scheme] = change; change == "" {
						delete(c, scheme)
					}
					return c
				}
				as("without "+scheme, "", one(""))
				as("with another "+scheme, "", one(secret+"x"))
				for _, other := range r.Names[1:] {
					if v := r.Credentials[other][scheme]; v != "" && len(ordinary) > 1 {
						as("with the "+scheme+" of "+other, "", one(v))
					}
				}
			}
			for _, name := range r.Names {
				as("as "+name, name, nil)
			}
			return out
		})
	}
}

// lives leads records through a life: made, read, made again under the same name,
// changed, deleted, read, deleted again, made again.
func (r *run) lives(ctx context.Context) {
	for _, op := range r.operations() {
		if op.Method == http.MethodGet || op.Method == http.MethodDelete {
			continue
		}
		j, ok := r.begin(ctx)
		if !ok {
			return
		}
		r.life(ctx, j, op)
	}
}

func (r *run) life(ctx context.Context, j *Judge, op *openapi.Operation) {
	first, ok := r.good(op, j)
	if !ok {
		return
	}
	var steps []Exchange
	do := func(q Request) bool {
		if q.Operation == "" {
			q.Operation = op.ID
		}
		return r.step(ctx, j, &steps, q)
	}
	if !do(first) {
		return
	}
	i := slices.IndexFunc(j.writes, func(w behavior.Write) bool { return w.Before.IsMissing() })
	if i < 0 {
		_ = do(first) // twice the same change
		return
	}
	made := j.writes[i]
	about := func(method string) (out []Request) {
		for _, p := range r.API.Paths {
			o := p.Operation(method)
			if o == nil || o.Later() {
				continue
			}
			l := slices.IndexFunc(o.Lookups(), func(l behavior.Lookup) bool { return l.Resource == made.Resource && l.Location == "path" })
			if l < 0 {
				continue
			}
			if q, ok := r.aimed(j, o, &first, o.Lookups()[l].Name, made); ok {
				out = append(out, q)
			}
		}
		return out
	}
	plan := [][]Request{about("GET"), {first}, {swapped(first)}, about("DELETE"), about("GET"), about("DELETE"), {first}, lists(r.API, &first)}
	for _, calls := range plan {
		for _, q := range calls {
			if !do(q) {
				return
			}
		}
	}
}

// aimed is a call of an operation about one record, as the caller who made it.
func (r *run) aimed(j *Judge, op *openapi.Operation, like *Request, parameter string, made behavior.Write) (Request, bool) {
	p := r.API.PathOf(op)
	target := p.Template
	_, args, _ := r.API.Match(pathOf(like.Target), nil)
	from, _, ok := r.API.Match(pathOf(like.Target), nil)
	for _, name := range p.Names {
		switch k := -1; {
		case name == parameter:
			target = replaceParameter(target, name, made.ID)
		default:
			if ok {
				k = slices.Index(from.Names, name)
			}
			if k < 0 {
				return Request{}, false
			}
			target = replaceParameter(target, name, args[k])
		}
	}
	if _, query, has := strings.Cut(like.Target, "?"); has {
		target += "?" + query
	}
	q := Request{Operation: op.ID, Method: op.Method, Target: target, Caller: like.Caller, Credentials: like.Credentials}
	if !op.Writes() {
		q.Why = look
	}
	return q, true
}

// swapped is a call with its name in the other case.
func swapped(q Request) Request {
	body, err := value.Parse(q.Body)
	if err != nil || !body.Get("name").IsString() {
		return q
	}
	q.Body = value.Append(nil, body.With("name", value.String(swapCase(body.Get("name").Text()))))
	return q
}

// swapCase is a text with small letters for capitals and capitals for small ones.
func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if u := []rune(strings.ToUpper(string(r))); len(u) == 1 && u[0] != r {
			return u[0]
		}
		if l := []rune(strings.ToLower(string(r))); len(l) == 1 {
			return l[0]
		}
		return r
	}, s)
}

// lists are the reads without a parameter that is not in the call's path.
func lists(api *openapi.API, like *Request) (out []Request) {
	from, args, ok := api.Match(pathOf(like.Target), nil)
	if !ok {
		return nil
	}
	for _, p := range api.Paths {
		op := p.Operation(http.MethodGet)
		if op == nil || op.Writes() {
			continue
		}
		target, all := p.Template, true
		for _, name := range p.Names {
			k := slices.Index(from.Names, name)
			if all = all && k >= 0; all {
				target = replaceParameter(target, name, args[k])
			}
		}
		if all {
			out = append(out, Request{Operation: op.ID, Method: http.MethodGet, Target: target, Caller: like.Caller, Credentials: like.Credentials, Why: look})
		}
	}
	return out
}
