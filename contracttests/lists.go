package contracttests

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// What one list is asked.
const (
	mostProbes = 90 // calls with filters
	mostPairs  = 30 // of them with two
	mostTurns  = 12 // pages of one size
	listedOwn  = 4  // records that are made first
)

// lists asks each list for what its filters, orders and pages can show, with values
// that records have.
func (r *run) lists(ctx context.Context) {
	for _, op := range r.operations() {
		if op.Writes() || len(op.Lists()) == 0 {
			continue
		}
		resource := op.Lists()[0]
		r.series(ctx, nil, func(j *Judge) []Request {
			var steps []Exchange
			r.makeSome(ctx, j, resource, &steps)
			base, listing, ok := r.everything(j, op)
			if !ok {
				return nil
			}
			probes := r.probes(j, op, base, resource)
			out := []Request{base}
			out = append(out, probes...)
			out = append(out, r.turns(j, base, listing)...)
			for _, other := range r.Names {
				if other == base.Caller {
					continue
				}
				for _, q := range append([]Request{base}, probes[:min(len(probes), 6)]...) {
					q.Caller, q.Why = other, "as "+other
					out = append(out, q)
				}
			}
			return out
		})
		r.wholePages(ctx, op)
	}
}

// makeSome makes records of a resource, of as many kinds as documented calls show.
func (r *run) makeSome(ctx context.Context, j *Judge, resource string, steps *[]Exchange) {
	for _, op := range r.everyCalled() {
		if !op.Writes() || slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Resource == resource }) {
			continue
		}
		r.provide(ctx, j, op, steps)
		made := 0
		for _, q := range r.gen.corpus[op.ID] {
			if own, is := r.reaimed(j, op, q); is {
				q = own
			}
			q = r.gen.renamed(q)
			a, out, err := j.predict(&q)
			if made == listedOwn || err != nil || out.Refused || !r.gen.ordinary(j, a, &q) ||
				!slices.ContainsFunc(out.Writes, func(w behavior.Write) bool { return w.Resource == resource && w.Before.IsMissing() }) {
				continue
			}
			q.Operation, q.Why = op.ID, "to have something to list"
			if made++; !r.step(ctx, j, steps, q) {
				return
			}
		}
	}
}

// everything is a call that lists as much as there is.
func (r *run) everything(j *Judge, op *openapi.Operation) (best Request, listing *behavior.Listing, ok bool) {
	like, found := r.good(op, j)
	if !found {
		return like, nil, false
	}
	path, _, _ := cutQuery(like.Target)
	for _, q := range append(r.gen.plainest(op), like) {
		_, query, asks := cutQuery(q.Target)
		if q.Target = path; asks {
			q.Target += "?" + query
		}
		q.Operation, q.Caller, q.Credentials, q.Why = op.ID, like.Caller, like.Credentials, ""
		a, err := j.ask(&q)
		if err != nil || a.op != op || !r.gen.ordinary(j, a, &q) {
			continue
		}
		c := &choices{judge: j, vague: j.vagueMembers(j.pictures[0])}
		if out := j.world().Try(a.call, c); out.Refused || len(c.lists) == 0 {
			continue
		}
		if l := c.lists[0]; !ok || len(l.Records) > len(listing.Records) {
			best, listing, ok = q, l, true
		}
	}
	return best, listing, ok
}

// An input is a parameter of a list, or a member of its body.
type input struct {
	name   string
	inBody bool
	schema *schema.Schema
}

func inputs(op *openapi.Operation) (out []input) {
	for _, p := range op.Parameters() {
		if p.In == param.InQuery && p.Schema != nil {
			out = append(out, input{p.Name, false, p.Schema})
		}
	}
	if media, _ := op.RequestBody(); len(media) > 0 && media[0].Schema != nil {
		for _, p := range media[0].Schema.Properties() {
			out = append(out, input{p.Name, true, p.Schema})
		}
	}
	return out
}

// set is a call with a value in an input.
func (in input) set(q Request, v value.Value) (Request, bool) {
	if !in.inBody {
		q.Target = withQuery(q.Target, in.name, []string{text(v)})
		return q, true
	}
	body, err := value.Parse(q.Body)
	if q.Body != nil && (err != nil || !body.IsObject()) {
		return q, false
	}
	if q.Body == nil {
		body = value.Object()
	}
	if in.schema.Type() == "array" && !v.IsArray() {
		v = value.Array(v)
	}
	q.Body = value.Append(nil, body.With(in.name, v))
	return q, true
}

// probes are calls of a list with one or two of its inputs set to values that matter.
func (r *run) probes(j *Judge, op *openapi.Operation, base Request, resource string) []Request {
	records := j.world().Records(resource)
	slices.Reverse(records) // the newest first: those of this run
	var out []Request
	type setting struct {
		in input
		v  value.Value
	}
	var singles [][]setting
	for _, in := range inputs(op) {
		var list []setting
		for _, v := range r.telling(in, records) {
			list = append(list, setting{in, v})
		}
		singles = append(singles, list)
	}
	add := func(why string, list ...setting) {
		q, ok := base, true
		for _, s := range list {
			if q, ok = s.in.set(q, s.v); !ok {
				return
			}
		}
		q.Why = why
		if _, o, err := j.predict(&q); err == nil && !o.Refused {
			out = append(out, q)
		}
	}
	for turn, more := 0, true; more && len(out) < mostProbes; turn++ {
		more = false
		for _, list := range singles {
			if turn < len(list) {
				more = true
				add("filtered by "+list[turn].in.name, list[turn])
			}
		}
	}
	pairs := 0
	for depth := 0; depth < 3; depth++ {
		for i := range singles {
			for k := i + 1; k < len(singles); k++ {
				if depth < len(singles[i]) && depth < len(singles[k]) && pairs < mostPairs {
					pairs++
					add("filtered by "+singles[i][0].in.name+" and "+singles[k][0].in.name, singles[i][depth], singles[k][(depth+1)%len(singles[k])])
				}
			}
		}
	}
	return out
}

// telling are values of an input that some records have and others have not.
func (r *run) telling(in input, records []value.Value) (out []value.Value) {
	add := func(v value.Value) {
		if !v.IsNull() && v.Kind() != value.HoleKind && len(out) < 8 && !slices.ContainsFunc(out, func(o value.Value) bool { return value.Equal(o, v) }) {
			out = append(out, v)
		}
	}
	s := in.schema
	if s.Type() == "array" && s.Items() != nil {
		s = s.Items()
	}
	f := s.Facets()
	for _, e := range f.Enum {
		add(e)
	}
	if s.Type() == "boolean" {
		add(value.True)
		add(value.False)
	}
	for _, rec := range records {
		v := rec.Get(in.name)
		if v.IsArray() {
			for _, e := range slices.Backward(v.Elems()) {
				add(e)
			}
			continue
		}
		if len(f.Enum) == 0 {
			add(v)
		}
		if s.Type() == "string" && v.IsString() && f.Format == "" && utf8.RuneCountInString(v.Text()) > 6 {
			add(value.String(middle(v.Text())))
		}
	}
	if len(out) > 0 || s.Type() != "string" || len(f.Enum) > 0 {
		return out
	}
	// A text that no member is called like: it may be searched in any.
	if common := commonest(records); common != "" && f.Format == "" && f.Pattern == nil {
		add(value.String(common))
	}
	for _, rec := range records {
		for _, m := range rec.Members() {
			switch {
			case !m.Value.IsString():
			case f.Format == "date-time" || f.Format == "date":
				if isTime(m.Value) && (f.Format == "date-time" || len(m.Value.Text()) >= 10) {
					if t := m.Value.Text(); f.Format == "date" {
						add(value.String(t[:10]))
					} else {
						add(m.Value)
					}
				}
			case f.Format != "" || f.Pattern != nil:
			case strings.Contains(m.Value.Text(), " "):
				add(value.String(middle(m.Value.Text())))
				add(value.String(strings.ToUpper(middle(m.Value.Text()))))
			}
		}
	}
	return out
}

// middle is a part of a text that begins behind its first character and ends before
// its last one.
func middle(s string) string {
	runes := []rune(s)
	if len(runes) < 6 {
		return s
	}
	from := 1
	return strings.TrimSpace(string(runes[from : from+min(len(runes)-2, 5)]))
}

// turns are the pages of a list, of several sizes.
func (r *run) turns(j *Judge, base Request, l *behavior.Listing) (out []Request) {
	if l.Size.Name == "" {
		return nil
	}
	total := len(l.Records)
	for _, size := range []int{1, 2, 3, 7} {
		pages := (total + size - 1) / size
		numbers := []int{0, 1, 2, pages - 1, pages}
		if pages <= 5 {
			numbers = []int{0, 1, 2, 3, 4, 5}
		}
		for i, n := range numbers {
			if n < 0 || i > 0 && slices.Contains(numbers[:i], n) || len(out) > 4*mostTurns {
				continue
			}
			if q, ok := page(base, l, n, size); ok {
				q.Why = fmt.Sprintf("page %d of %d each", n+1, size)
				out = append(out, q)
			}
		}
	}
	return out
}

// page is a call for one page, from 0.
func page(q Request, l *behavior.Listing, n, size int) (Request, bool) {
	q, ok := sized(q, l.Size, size)
	if !ok {
		return q, false
	}
	return turned(q, l, n, n*size)
}

func sized(q Request, in behavior.Input, size int) (Request, bool) {
	switch in.Location {
	case "query":
		q.Target = withQuery(q.Target, in.Name, []string{strconv.Itoa(size)})
		return q, true
	case "body":
		body, err := value.Parse(q.Body)
		if err != nil || !body.IsObject() {
			return q, false
		}
		q.Body = value.Append(nil, body.With(in.Name, value.Int(int64(size))))
		return q, true
	}
	return q, false
}

// wholePages goes through a list page by page: every record that belongs there stands
// on one page, and on no other.
func (r *run) wholePages(ctx context.Context, op *openapi.Operation) {
	j, ok := r.begin(ctx)
	if !ok {
		return
	}
	var steps []Exchange
	r.makeSome(ctx, j, op.Lists()[0], &steps)
	base, l, ok := r.everything(j, op)
	if !ok || l.Size.Name == "" || l.Others || l.Maybe != nil || len(l.Records) < 2 || j.stale(r) {
		return
	}
	id := r.API.Plan.Resource(l.Resource).ID()
	size := max(2, (len(l.Records)+mostTurns-1)/mostTurns)
	on := map[string]int{} // the page of each record, from 1
	from := len(steps)
	for n := 0; n*size < len(l.Records); n++ {
		q, ok := page(base, l, n, size)
		if !ok {
			return
		}
		q.Why = fmt.Sprintf("page %d of %d each", n+1, size)
		if !r.step(ctx, j, &steps, q) {
			return
		}
		x := &steps[len(steps)-1]
		if x.Response == nil || x.Response.Status >= 300 {
			return
		}
		shown, _ := elements(x.Response.value(false), id)
		for _, e := range shown {
			key := text(e.Get(id))
			if on[key] != 0 {
				r.note(r.lawOfLists(op, fmt.Sprintf("the record %s stands on page %d and again on page %d", key, on[key], n+1), "every record on one page", "one on two"), op.ID, steps[from:])
				return
			}
			on[key] = n + 1
		}
	}
	for _, rec := range l.Records {
		if on[text(rec.Get(id))] == 0 {
			r.note(r.lawOfLists(op, "the record "+text(rec.Get(id))+" stands on no page", "every record on one page", "one on none"), op.ID, steps[from:])
			return
		}
	}
}

func (r *run) lawOfLists(op *openapi.Operation, title, want, got string) problem {
	return problem{code: "list-contents", title: title, expected: want, got: got, severity: Breach, pos: op.Pos}
}

// stale is whether the picture does not fit the server any more.
func (j *Judge) stale(r *run) bool { return r.Reset == nil && r.stale }

// withQuery is a target with these values, and no others, of one query parameter.
func withQuery(target, name string, values []string) string {
	path, query, _ := strings.Cut(target, "?")
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if k, err := url.QueryUnescape(key); pair != "" && (err != nil || k != name) {
			pairs = append(pairs, pair)
		}
	}
	for _, v := range values {
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(v))
	}
	if len(pairs) == 0 {
		return path
	}
	return path + "?" + strings.Join(pairs, "&")
}

// commonest are three letters that many records have in their texts.
func commonest(records []value.Value) (best string) {
	count := map[string]int{}
	for _, rec := range records {
		seen := map[string]bool{}
		for _, m := range rec.Members() {
			s := strings.ToLower(m.Value.Text())
			if !m.Value.IsString() || !strings.Contains(s, " ") {
				continue
			}
			for i := 0; i+3 <= len(s); i++ {
				if part := s[i : i+3]; strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") == "" && !seen[part] {
					seen[part] = true
					count[part]++
				}
			}
		}
	}
	for part, n := range count {
		if n > count[best] || n == count[best] && part < best {
			best = part
		}
	}
	return best
}
