package contracttests

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/sample"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// How many values are tried around one good one.
const (
	mostOfBody      = 120
	mostOfParameter = 16
)

// schemas sends, around a good call of each operation, values at and beyond the bounds
// of every keyword of its body and parameters, one at a time. What is right or wrong
// about them, the model knows.
func (r *run) schemas(ctx context.Context) {
	maker := &sample.Maker{}
	for _, op := range r.operations() {
		r.series(ctx, op, func(j *Judge) []Request {
			base, ok := r.fullest(op, j)
			if !ok {
				return nil
			}
			base.Operation = op.ID
			if rich := r.gen.rich(op, base); string(rich.Body) != string(base.Body) {
				if _, out, err := j.predict(&rich); err == nil && !out.Refused {
					base = rich
				}
			}
			var out []Request
			seen := map[string]bool{}
			add := func(q Request) {
				if key := q.Target + "\n" + string(q.Body) + fmt.Sprint(q.Header); !seen[key] {
					seen[key] = true
					out = append(out, q)
				}
			}
			r.bodyCases(maker, op, base, add)
			for _, p := range op.Parameters() {
				r.parameterCases(maker, p, op, base, add)
			}
			return r.inOrder(j, &base, out)
		})
	}
}

// inOrder puts first what is to be refused, then a look whether it was without effect,
// then what is to be accepted.
func (r *run) inOrder(j *Judge, base *Request, list []Request) []Request {
	var refused, accepted []Request
	for _, q := range list {
		if a, o, err := j.predict(&q); err == nil && !o.Refused {
			if a.op != nil && undeclared(a) {
				continue // whether a member that nobody declares is kept, no page says
			}
			accepted = append(accepted, q)
		} else {
			refused = append(refused, q)
		}
	}
	looks := r.around(j, base)
	return slices.Concat(refused, looks, accepted, looks)
}

func (r *run) bodyCases(maker *sample.Maker, op *openapi.Operation, base Request, add func(Request)) {
	media, _ := op.RequestBody()
	good, err := value.Parse(base.Body)
	if err != nil || len(media) == 0 || media[0].Schema == nil {
		return
	}
	with := func(why, name string, v value.Value) {
		q := base
		if q.Body, q.Why = value.Append(nil, good.With(name, v)), why; len(op.Creates()) > 0 && name != "name" {
			q = r.gen.renamed(q)
		}
		add(q)
	}
	for _, m := range good.Members() {
		switch e := m.Value; {
		case e.IsString() && strings.Contains(e.Text(), " "):
			with(m.Name+" has letters of many scripts", m.Name, value.String("Grüße, 世界 🌍 "+r.gen.token))
		case e.IsArray() && e.Len() == 1:
			with(m.Name+" has two elements", m.Name, value.Array(e.At(0), another(e.At(0))))
		}
		for _, inner := range m.Value.Members() {
			if inner.Value.IsArray() && inner.Value.Len() == 1 {
				with(m.Name+"."+inner.Name+" has two elements", m.Name, m.Value.With(inner.Name, value.Array(inner.Value.At(0), another(inner.Value.At(0)))))
			}
			if n, ok := inner.Value.Int(); ok && n != 0 || inner.Value.IsNumber() && !inner.Value.Integral() {
				with(m.Name+"."+inner.Name+" is 0", m.Name, m.Value.With(inner.Name, value.Int(0)))
			}
		}
	}
	for _, m := range good.Members() { // free names are kept as they are
		sub, ok := media[0].Schema.Property(m.Name)
		if !ok || !m.Value.IsObject() || m.Value.Len() == 0 || len(sub.Properties()) > 0 {
			continue
		}
		q := base
		q.Body, q.Why = value.Append(nil, good.With(m.Name, value.Object(value.Member{Name: "Team Ü", Value: m.Value.Members()[0].Value}))), m.Name+" has a name with capitals"
		if len(op.Creates()) > 0 {
			q = r.gen.renamed(q)
		}
		add(q)
	}
	for _, c := range maker.Cases(media[0].Schema, good, sample.CaseOptions{Seed: r.Seed, Most: mostOfBody}) {
		if otherSpelling(media[0].Schema, good, c.Pointer) || c.Valid && c.Keyword == "additionalProperties" && strings.Count(c.Pointer, "/") > 1 {
			continue // whether a member that nobody declares is kept, no page says
		}
		q := base
		if q.Body, q.Why = value.Append(nil, c.Value), c.Why; c.Valid && bytes.Contains(q.Body, []byte(`\u0000`)) {
			continue // what that is, no server agrees on
		}
		if len(op.Creates()) > 0 && !strings.HasPrefix(c.Pointer, "/name") {
			q = r.gen.renamed(q)
		}
		add(q)
	}
}

func (r *run) parameterCases(maker *sample.Maker, p *param.Param, op *openapi.Operation, base Request, add func(Request)) {
	if p.Schema == nil || p.Content != "" {
		return
	}
	if p.In == param.InPath && slices.ContainsFunc(op.Lookups(), func(l behavior.Lookup) bool { return l.Location == "path" && l.Name == p.Name }) {
		// Ids are tried by the rules: of a wrong one nobody can say how it is refused.
		return
	}
	good, ok := maker.Make(p.Schema, sample.Options{Seed: r.Seed, Place: op.ID + "/" + p.Name})
	if !ok {
		return
	}
	set := func(why string, v value.Value) {
		texts, ok := written(p, v)
		if !ok {
			return
		}
		q := base
		q.Why = p.In.String() + " " + p.Name + ": " + why
		switch p.In {
		case param.InQuery:
			q.Target = withQuery(q.Target, p.Name, texts)
		case param.InHeader:
			q.Header = q.Header.Clone()
			if q.Header == nil {
				q.Header = http.Header{}
			}
			if strings.ContainsFunc(strings.Join(texts, ""), func(c rune) bool { return c < ' ' || c > '~' }) {
				return
			}
			q.Header[http.CanonicalHeaderKey(p.Name)] = texts
		default:
			return
		}
		add(q)
	}
	set("a good value", good)
	for _, c := range maker.Cases(p.Schema, good, sample.CaseOptions{Seed: r.Seed, Most: mostOfParameter}) {
		set(c.Why, c.Value)
	}
	if p.Required && p.In != param.InPath {
		q := base
		q.Why = "without " + p.In.String() + " " + p.Name
		if p.In == param.InQuery {
			q.Target = withQuery(q.Target, p.Name, nil)
		} else {
			q.Header = q.Header.Clone()
			q.Header.Del(p.Name)
		}
		add(q)
	}
}

// written are the texts of a parameter's value, in the style form or simple.
func written(p *param.Param, v value.Value) ([]string, bool) {
	switch {
	case v.IsObject() || v.IsNull():
		return nil, false
	case v.IsArray():
		var texts []string
		for _, e := range v.Elems() {
			if e.IsObject() || e.IsArray() || e.IsNull() {
				return nil, false
			}
			texts = append(texts, text(e))
		}
		if len(texts) == 0 || slices.Contains([]string{"spaceDelimited", "pipeDelimited", "deepObject"}, p.Style) {
			return nil, false
		}
		if !p.Explode || p.In == param.InHeader {
			return []string{strings.Join(texts, ",")}, true
		}
		return texts, true
	}
	if v.IsNumber() && v.Integral() && strings.ContainsAny(v.Text(), ".eE") {
		return nil, false // 1.0 is an integer in JSON; of other texts nobody says so
	}
	return []string{text(v)}, true
}

// another is a value like v, but not equal to it: one text in it is longer.
func another(v value.Value) value.Value {
	if v.IsString() {
		return value.String(v.Text() + " 2")
	}
	for _, m := range slices.Backward(v.Members()) {
		if m.Value.IsString() && strings.Contains(m.Value.Text(), " ") {
			return v.With(m.Name, value.String(m.Value.Text()+" 2"))
		}
	}
	return v
}

// otherSpelling is whether a case is about a member that is kept under the same name as
// one that the good value has.
func otherSpelling(s *schema.Schema, good value.Value, pointer string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	sub, ok := s.Property(name)
	if !ok || good.Has(name) {
		return false
	}
	kept := cmp.Or(sub.KeepAs(), name)
	return slices.ContainsFunc(s.Properties(), func(p schema.Property) bool {
		return p.Name != name && good.Has(p.Name) && cmp.Or(p.Schema.KeepAs(), p.Name) == kept
	})
}
