package faults

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// lists are the faults of collections.
var lists = []Fault{
	{Name: "list-loses-one", Check: "list-contents", Summary: "Lists of several records lack the last one.",
		Wrap: after(func(c *call, a *answer) {
			c.editList(a, func(e []value.Value) []value.Value {
				if len(e) < 2 {
					return nil
				}
				return e[:len(e)-1]
			})
		})},
	{Name: "list-repeats-one", Check: "list-contents", Summary: "Lists of several records have the first one in place of the last one, too.",
		Wrap: after(func(c *call, a *answer) {
			c.editList(a, func(e []value.Value) []value.Value {
				if len(e) < 2 {
					return nil
				}
				e[len(e)-1] = e[0]
				return e
			})
		})},
	{Name: "list-total-wrong", Check: "list-contents", Summary: "The total of a list is one too many.",
		Wrap: after(func(c *call, a *answer) {
			if _, _, ok := c.list(a.json()); ok && c.good(a) {
				recount(a, 1)
			}
		})},
	{Name: "list-total-of-page", Check: "list-contents", Summary: "The total of a list is the number of records on the page.",
		Wrap: after(func(c *call, a *answer) {
			body := a.json()
			if _, e, ok := c.list(body); ok && c.good(a) {
				if at := total(body); at != nil {
					a.set(body.Set(at, value.Int(int64(len(e)))))
				}
			}
		})},
	{Name: "list-order-wrong", Check: "list-contents", Summary: "Lists are in the opposite order, page by page.",
		Wrap: after(func(c *call, a *answer) {
			c.editList(a, func(e []value.Value) []value.Value {
				slices.Reverse(e)
				return e
			})
		})},
	{Name: "list-order-of-two", Check: "list-contents", Summary: "The first two records of a list have changed places.",
		Wrap: after(func(c *call, a *answer) {
			c.editList(a, func(e []value.Value) []value.Value {
				if len(e) > 1 {
					e[0], e[1] = e[1], e[0]
				}
				return e
			})
		})},
	{Name: "list-sort-ignored", Check: "list-contents", Summary: "The order that a request asks for is ignored.",
		Wrap: edit(func(c *call) *answer {
			if c.op == nil || c.op.Writes() || c.r.URL.RawQuery == "" || len(c.judge(c.body).Violations) > 0 {
				return c.send()
			}
			return c.with(c.r.Method, c.targetWith(func(q url.Values) {
				for name := range q {
					if isOrder(name) {
						q.Del(name)
					}
				}
			}), c.body, nil)
		})},
	{Name: "list-filter-ignored", Check: "list-contents", Summary: "Filters of lists are ignored.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if _, _, ok := c.list(a.json()); !ok || !c.good(a) || c.op.Writes() {
				return a
			}
			target := c.targetWith(func(q url.Values) {
				for name := range q {
					if !isPaging(name) {
						q.Del(name)
					}
				}
			})
			body := c.body
			if sent := c.sent(); sent.IsObject() {
				for _, m := range sent.Members() {
					if !isPaging(m.Name) {
						sent = sent.Without(m.Name)
					}
				}
				body = value.Append(nil, sent)
			}
			if b := c.with(c.r.Method, target, body, nil); c.good(b) {
				return b
			}
			return a
		})},
	{Name: "page-overlap", Check: "list-contents", Summary: "Each page after the first begins with the last record of the page before.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			_, elems, ok := c.list(a.json())
			if !ok || !c.good(a) || c.op.Writes() || len(elems) == 0 {
				return a
			}
			before := c.previous()
			if before == nil {
				return a
			}
			_, was, _ := c.list(before.json())
			if len(was) == 0 {
				return a
			}
			c.editList(a, func(e []value.Value) []value.Value {
				e[0] = was[len(was)-1]
				return e
			})
			return a
		})},
	{Name: "page-gap", Check: "list-contents", Summary: "Each page after the first lacks its first record.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.op != nil && c.previous() != nil {
				c.editList(a, func(e []value.Value) []value.Value {
					if len(e) < 2 {
						return nil
					}
					return e[1:]
				})
			}
			return a
		})},
	{Name: "page-size-ignored", Check: "list-contents", Summary: "Pages have one record more than was asked for, where there is one.",
		Wrap: edit(func(c *call) *answer {
			for _, name := range []string{"limit", "per_page", "page_size", "size"} {
				if n := number(value.String(c.r.URL.Query().Get(name)), 0); n > 0 && n < 50 && c.op != nil {
					return c.with(c.r.Method, c.targetWith(func(q url.Values) { q.Set(name, fmt.Sprint(n+1)) }), c.body, nil)
				}
				if n := number(c.sent().Get(name), 0); n > 0 && n < 50 && c.op != nil && !c.op.Writes() {
					return c.with(c.r.Method, c.r.RequestURI, value.Append(nil, c.sent().With(name, value.Int(n+1))), nil)
				}
			}
			return c.send()
		})},
}

func isOrder(name string) bool {
	return strings.Contains(name, "sort") || strings.Contains(name, "order")
}

// previous is the page before, nil if this is the first one.
func (c *call) previous() *answer {
	q := c.r.URL.Query()
	if n := number(value.String(q.Get("page")), 1); n > 1 {
		return c.with(c.r.Method, c.targetWith(func(q url.Values) { q.Set("page", fmt.Sprint(n-1)) }), c.body, nil)
	}
	if n := number(value.String(q.Get("offset")), 0); n > 0 {
		return c.with(c.r.Method, c.targetWith(func(q url.Values) {
			q.Set("offset", fmt.Sprint(n-1))
			q.Set("limit", "1")
		}), c.body, nil)
	}
	if n := number(c.sent().Get("offset"), 0); n > 0 && !c.op.Writes() {
		body := c.sent().With("offset", value.Int(n-1)).With("limit", value.Int(1))
		return c.with(c.r.Method, c.r.RequestURI, value.Append(nil, body), nil)
	}
	return nil
}
