package faults

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// input are the faults of what requests are taken for.
var input = []Fault{
	{Name: "accepts-missing-member", Check: "accepts-invalid", Summary: "A body without a required member is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "required" && len(v.Path) > 0 })},
	{Name: "accepts-too-long", Check: "accepts-invalid", Summary: "A text that is too long is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "maxLength" })},
	{Name: "accepts-too-short", Check: "accepts-invalid", Summary: "A text that is too short is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "minLength" })},
	{Name: "accepts-other-enum", Check: "accepts-invalid", Summary: "A text that is none of those listed is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "enum" })},
	{Name: "accepts-wrong-type", Check: "accepts-invalid", Summary: "A member of another type is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "type" && len(v.Path) > 0 && !v.Value.IsNull() })},
	{Name: "accepts-null", Check: "accepts-invalid", Summary: "Null is accepted where it is not allowed.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "type" && len(v.Path) > 0 && v.Value.IsNull() })},
	{Name: "accepts-out-of-range", Check: "accepts-invalid", Summary: "A number in the body that is too small or too large is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool {
			return strings.HasSuffix(v.Keyword, "inimum") || strings.HasSuffix(v.Keyword, "aximum")
		})},
	{Name: "accepts-malformed-pattern", Check: "accepts-invalid", Summary: "A text that does not have its pattern or format is accepted.",
		Wrap: accepts(func(v *behavior.Violation) bool { return v.Keyword == "pattern" || v.Keyword == "format" })},
	{Name: "accepts-other-media-type", Check: "accepts-invalid", Summary: "JSON is accepted whatever its Content-Type says.",
		Wrap: edit(func(c *call) *answer {
			if t := c.r.Header.Get("Content-Type"); c.op != nil && t != "" && t != "application/json" && parse(c.body).IsObject() {
				c.r.Header.Set("Content-Type", "application/json")
			}
			return c.send()
		})},
	{Name: "accepts-broken-json", Check: "accepts-invalid", Summary: "JSON that ends too early is accepted.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.op == nil || a.status/100 != 4 || len(c.body) == 0 || !c.sent().IsMissing() {
				return a
			}
			for _, end := range []string{"}", `"}`, "null}", "]}", "}}"} {
				if whole := append(slices.Clone(c.body), end...); parse(whole).IsObject() {
					c.body = whole
					if b := c.send(); b.status/100 == 2 {
						return b
					}
				}
			}
			return a
		})},
	{Name: "accepts-bad-parameter", Check: "accepts-invalid", Summary: "A query parameter that breaks its schema counts as not sent.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.op == nil || a.status/100 != 4 || c.r.URL.RawQuery == "" {
				return a
			}
			var bad []string
			for _, v := range c.judge(c.body).Violations {
				if v.Location == "query" && len(v.Path) > 0 && v.Keyword != "required" {
					bad = append(bad, v.Path[0].Text())
				}
			}
			if len(bad) == 0 {
				return a
			}
			b := c.with(c.r.Method, c.targetWith(func(q url.Values) {
				for _, name := range bad {
					q.Del(name)
				}
			}), c.body, nil)
			if b.status/100 == 2 {
				return b
			}
			return a
		})},
	{Name: "accepts-missing-parameter", Check: "accepts-invalid", Summary: "A required query parameter or header may be missing.",
		Wrap: edit(func(c *call) *answer {
			a := c.send()
			if c.op == nil || a.status/100 != 4 {
				return a
			}
			header, query := http.Header{}, url.Values{}
			for range mostRepairs { // a parameter is as hard to guess as a member
				vs := slices.DeleteFunc(c.judgeWith(header, query).Violations, func(v behavior.Violation) bool {
					return len(v.Path) == 0 || v.Location != "query" && v.Location != "header"
				})
				if len(vs) == 0 {
					break
				}
				v := &vs[0]
				name := v.Path[0].Text()
				if v.Keyword != "required" && query.Get(name) == "" && header.Get(name) == "" {
					return a // something else is wrong
				}
				guess := mend(v, 0)
				if guess.IsMissing() {
					return a
				}
				if text := strings.Trim(guess.String(), `"`); v.Location == "query" {
					query.Set(name, text)
				} else {
					header.Set(name, text)
				}
			}
			if len(header)+len(query) == 0 {
				return a
			}
			if b := c.with(c.r.Method, c.targetWith(func(q url.Values) {
				for name := range query {
					q.Set(name, query.Get(name))
				}
			}), c.body, header); b.status/100 == 2 {
				return b
			}
			return a
		})},
	{Name: "refuses-unicode", Check: "refuses-valid", Summary: "A valid body is refused as invalid when a text in it is not ASCII.",
		Wrap: edit(func(c *call) *answer {
			if c.op != nil && len(c.body) > 0 && !ascii(c.body) && len(c.judge(c.body).Violations) == 0 {
				return c.invalid()
			}
			return c.send()
		})},
	{Name: "refuses-longest", Check: "refuses-valid", Summary: "A text of the greatest length that is allowed is refused as too long.",
		Wrap: edit(func(c *call) *answer {
			if c.op != nil && len(c.judge(c.body).Violations) == 0 {
				for _, m := range c.sent().Members() {
					if !m.Value.IsString() {
						continue
					}
					longer := value.Append(nil, c.sent().With(m.Name, value.String(m.Value.Text()+"x")))
					if vs := c.judge(longer).Violations; len(vs) == 1 && vs[0].Keyword == "maxLength" {
						c.body = longer
						break
					}
				}
			}
			return c.send()
		})},
	{Name: "refuses-smallest", Check: "refuses-valid", Summary: "A body with only what is required is refused as invalid, where more could be sent.",
		Wrap: edit(func(c *call) *answer {
			sent := c.sent()
			if c.op == nil || c.r.Method != http.MethodPost || sent.Len() == 0 || len(c.judge(c.body).Violations) > 0 {
				return c.send()
			}
			for _, m := range sent.Members() {
				if len(c.judge(value.Append(nil, sent.Without(m.Name))).Violations) == 0 {
					return c.send() // this one is not required
				}
			}
			return c.invalid()
		})},
}

// invalid is how the API refuses a body that is not even an object.
func (c *call) invalid() *answer { return c.with(c.r.Method, c.r.RequestURI, []byte("[]"), nil) }

// judgeWith is judge with further headers and query parameters.
func (c *call) judgeWith(header http.Header, query url.Values) *behavior.Call {
	r := c.r.Clone(c.r.Context())
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	q := r.URL.Query()
	for name := range query {
		q.Set(name, query.Get(name))
	}
	r.URL.RawQuery = q.Encode()
	r.RequestURI = r.URL.RequestURI()
	more := *c
	more.r = r
	return more.judge(c.body)
}

// accepts is a fault that takes a body although something is wrong with it, as
// long as that is what ignore says. The mock gets a body that is mended.
func accepts(ignore func(v *behavior.Violation) bool) func(http.Handler, *openapi.API) http.Handler {
	return remember(func(m *memory, c *call) *answer {
		a := c.send()
		if a.status/100 != 4 || len(c.body) == 0 {
			return a
		}
		vs := c.judge(c.body).Violations
		if len(vs) == 0 {
			return a
		}
		for i := range vs {
			if vs[i].Source != behavior.InBody || !ignore(&vs[i]) {
				return a
			}
		}
		m.n++
		if body := c.mended(m.n); body != nil {
			if b := c.with(c.r.Method, c.r.RequestURI, body, nil); b.status/100 == 2 {
				return b
			}
		}
		return a
	})
}

// mostRepairs bounds how often a body is mended.
const mostRepairs = 30

// mended is the body with everything mended, nil if that does not go.
func (c *call) mended(n int) []byte {
	body := c.body
	for range mostRepairs {
		vs := c.judge(body).Violations
		if len(vs) == 0 {
			return body
		}
		v := &vs[0]
		if v.Source != behavior.InBody || len(v.Path) == 0 {
			return nil
		}
		path := make([]string, len(v.Path))
		for i, p := range v.Path {
			path[i] = p.Text()
			if k, ok := p.Int(); ok {
				path[i] = fmt.Sprint(k)
			}
		}
		part := mend(v, n)
		if part.IsMissing() { // leave out the member that it is in
			body = value.Append(nil, parse(body).Without(path[0]))
			continue
		}
		body = value.Append(nil, parse(body).Set(path, part))
	}
	return nil
}

// mend is a value that breaks the rule less; Missing if none comes to mind. n
// makes texts differ.
func mend(v *behavior.Violation, n int) value.Value {
	switch v.Keyword {
	case "required":
		return value.String(fmt.Sprintf("understudy %d", n))
	case "type":
		want := v.Limit
		if want.IsArray() {
			want = want.At(0)
		}
		switch want.Text() {
		case "string":
			return value.String(fmt.Sprintf("understudy %d", n))
		case "integer", "number":
			return value.Int(1)
		case "boolean":
			return value.False
		case "array":
			return value.Array()
		case "object":
			return value.Object()
		}
	case "enum":
		return v.Limit.At(0)
	case "maxLength":
		if most, ok := v.Limit.Int(); ok {
			mark := fmt.Sprint(n)
			runes := []rune(v.Value.Text())
			if int(most) < len(runes) && int(most) > len(mark) {
				return value.String(string(runes[:int(most)-len(mark)]) + mark)
			}
		}
	case "minLength":
		if least, ok := v.Limit.Int(); ok && least < 1000 {
			text := v.Value.Text() + fmt.Sprint(n)
			return value.String(text + strings.Repeat("x", max(0, int(least)-utf8.RuneCountInString(text))))
		}
	case "minimum", "maximum":
		return v.Limit
	case "exclusiveMinimum":
		return value.Int(number(v.Limit, 0) + 1)
	case "exclusiveMaximum":
		return value.Int(number(v.Limit, 0) - 1)
	case "format":
		switch v.Limit.Text() {
		case "uuid":
			return value.String(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
		case "date-time":
			return value.String("2026-01-01T00:00:00Z")
		case "date":
			return value.String("2026-01-01")
		}
	}
	return value.Value{}
}
