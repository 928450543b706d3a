package sample

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

var one = big.NewRat(1, 1)

// oddTexts are texts that servers forget about.
var oddTexts = []struct{ why, text string }{
	{"is empty", ""},
	{"is white space", "   "},
	{"has combining marks", "e\u0301a\u0308o\u0302"},
	{"is written from right to left", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"},
	{"has characters beyond U+FFFF", "\U0001F600\U0001F468\u200d\U0001F469\u200d\U0001F467"},
	{"has a NUL", "a\x00b"},
	{"has control characters", "a\tb\r\nc\x1b"},
	{"has invisible characters", "a\u200bb\ufeffc\u202ed"},
	{"has quotes and brackets", `"'<b>{{x}}</b>\`},
}

// oddFormats are texts that are clearly no such thing, and such that are, but
// unusual.
var oddFormats = map[string]struct{ bad, good []string }{
	"date-time": {[]string{"2026-02-30T00:00:00Z", "2026-01-01 00:00:00", "2026-01-01T00:00:00", "2026-01-01", "1767225600", "2026-01-01T25:00:00Z"},
		[]string{"2024-02-29T23:59:59.123456789+14:00", "2016-12-31T23:59:60Z", "2026-01-01t00:00:00z", "0001-01-01T00:00:00-12:00"}},
	"date":                  {[]string{"2026-02-30", "2025-02-29", "01/02/2026", "2026-1-1", "20260101"}, []string{"2024-02-29", "0001-01-01", "9999-12-31"}},
	"time":                  {[]string{"25:00:00Z", "12:00", "12:00:00", "12:60:00Z"}, []string{"23:59:60Z", "00:00:00.5-23:59"}},
	"duration":              {[]string{"P", "1D", "PT", "P1S", "P1M2Y"}, []string{"P1Y2M3DT4H5M6S", "P52W", "PT0S"}},
	"email":                 {[]string{"plain", "@example.com", "a@", "a b@example.com", "a@@example.com", "a@-x.com"}, []string{"a+b@example.com", `"a b"@example.com`, "o'neil@sub.example.co.uk", "a@[192.0.2.1]"}},
	"hostname":              {[]string{"-a.example", "a..b", "a_b.example", "a b"}, []string{"xn--bcher-kva.example", "a", "1.2.3.example"}},
	"ipv4":                  {[]string{"256.1.1.1", "1.1.1", "01.2.3.4", "::1"}, []string{"0.0.0.0", "255.255.255.255"}},
	"ipv6":                  {[]string{"1.1.1.1", "12345::", "::1::", "fe80::1%eth0"}, []string{"::", "::ffff:192.0.2.1", "2001:DB8::A"}},
	"uri":                   {[]string{"/relative", "no scheme", "http://a b", "://x", "http://[::1"}, []string{"urn:isbn:0451450523", "https://u@xn--bcher-kva.example:8443/a%20b?q=1#f", "mailto:a@example.com"}},
	"uri-reference":         {[]string{"a b", "http://[x", "%zz"}, []string{"", "../x?y#z", "//example.com/a"}},
	"uuid":                  {[]string{"not-a-uuid", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400", "{123e4567-e89b-12d3-a456-426614174000}", "g23e4567-e89b-12d3-a456-426614174000"}, []string{"00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"}},
	"byte":                  {[]string{"a", "ab=c", "a-_=", "a b="}, []string{"", "+/+/", "QQ=="}},
	"json-pointer":          {[]string{"a", "/~2", "/a~"}, []string{"", "/", "/a~1b/~0/0"}},
	"regex":                 {[]string{"(", "[", "a{2,1}", `\`}, []string{"", "(?=a)b", `^\p{L}+$`}},
	"relative-json-pointer": {[]string{"/a", "-1"}, []string{"0", "1/a"}},
}

func (c *cases) texts(l *list) {
	text := l.value.Text()
	t := l.plan.text
	for _, f := range l.plan.facts {
		if f.MinLength > 0 {
			c.length(l, "minLength", "is one character shorter than the least", f.MinLength-1)
			c.length(l, "minLength", "has the least length", f.MinLength)
			c.length(l, "minLength", "is one character longer than the least", f.MinLength+1)
		}
		if f.MaxLength >= 0 {
			c.length(l, "maxLength", "is one character too long", f.MaxLength+1)
			c.length(l, "maxLength", "has the greatest length", f.MaxLength)
			if f.MaxLength > 0 {
				c.length(l, "maxLength", "is one character shorter than the greatest", f.MaxLength-1)
			}
		}
		if f.Pattern != nil {
			c.pattern(l, text)
		}
		if odd, ok := oddFormats[f.Format]; ok {
			for i := range max(len(odd.bad), len(odd.good)) {
				if i < len(odd.bad) {
					l.add("format", "is no "+f.Format, value.String(odd.bad[i]))
				}
				if i < len(odd.good) {
					l.add("format", "is an unusual "+f.Format, value.String(odd.good[i]))
				}
			}
		}
	}
	for _, odd := range oddTexts {
		l.add("text", odd.why, value.String(odd.text))
	}
	l.add("text", "begins with a space", value.String(" "+text))
	l.add("text", "ends in a space", value.String(text+" "))
	if t == nil || t.max < 0 {
		l.add("text", "is very long", value.String(strings.Repeat("long ", 2000)))
	}
}

// length has a text of n characters that keeps the other rules, if there is
// one, and the same of characters that are two units of UTF-16.
func (c *cases) length(l *list, keyword, why string, n int) {
	if n > maxLong || n < 0 {
		return
	}
	p := *l.plan
	t := texts{}
	if p.text != nil {
		t = *p.text
	}
	t.min, t.max = n, n
	p.text, p.entries = &t, nil
	v, ok := c.r.text(&p, &l.at)
	if !ok || utf8.RuneCountInString(v.Text()) != n {
		g := rng(l.at.base)
		v = value.String(fit(l.value.Text(), n, n, &g))
		if utf8.RuneCountInString(v.Text()) != n {
			v = value.String(strings.Repeat("a", n))
		}
	}
	l.add(keyword, why, v)
	if n > 0 {
		l.add(keyword, why+", beyond U+FFFF", value.String(strings.Repeat("\U0001F600", n)))
	}
}

func (c *cases) pattern(l *list, text string) {
	near := func(why, s string) { l.add("pattern", why, value.String(s)) }
	near("ends in another character", text+"!")
	near("begins with another character", "!"+text)
	next := l.at
	next.walk++
	if v, ok := c.r.text(l.plan, &next); ok {
		l.add("pattern", "is another text of the pattern", v)
	}
	if text != "" {
		_, first := utf8.DecodeRuneInString(text)
		_, last := utf8.DecodeLastRuneInString(text)
		near("lacks its last character", text[:len(text)-last])
		near("lacks its first character", text[first:])
		near("has another first character", "~"+text[first:])
	}
	near("is in the other case", strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text))
	near("ends in a line feed", text+"\n")
	near("is empty", "")
	near("has digits of another script", strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '\u0660'
		}
		return r
	}, text))
}

func (c *cases) numbers(l *list) {
	whole := !slices.Contains(l.plan.kinds, "number")
	for _, f := range l.plan.facts {
		unit := big.NewRat(1, 100)
		if !f.MultipleOf.IsMissing() && value.Rat(f.MultipleOf.Text()) != nil {
			unit = value.Rat(f.MultipleOf.Text())
		} else if whole {
			unit = one
		}
		for _, b := range []struct {
			keyword string
			at      value.Value
			inside  int
		}{{"minimum", f.Minimum, 1}, {"exclusiveMinimum", f.ExclusiveMinimum, 1}, {"maximum", f.Maximum, -1}, {"exclusiveMaximum", f.ExclusiveMaximum, -1}} {
			at := value.Rat(b.at.Text())
			if at == nil || b.at.IsMissing() {
				continue
			}
			l.add(b.keyword, "is at the bound", b.at)
			l.add(b.keyword, "is just below the bound", value.Number(decimal(new(big.Rat).Sub(at, unit))))
			l.add(b.keyword, "is just above the bound", value.Number(decimal(new(big.Rat).Add(at, unit))))
		}
		if f.MultipleOf.IsMissing() {
			continue
		}
		if m, v := value.Rat(f.MultipleOf.Text()), value.Rat(l.value.Text()); m != nil && v != nil {
			half := new(big.Rat).Quo(m, big.NewRat(2, 1))
			l.add("multipleOf", "is half a step off", value.Number(decimal(half.Add(half, v))))
			l.add("multipleOf", "is the next multiple", value.Number(decimal(new(big.Rat).Add(v, m))))
			l.add("multipleOf", "is the multiple before", value.Number(decimal(new(big.Rat).Sub(v, m))))
		}
	}
	if limits, ok := intLimits[c.format(l)]; ok {
		l.add("format", "is the greatest that fits", value.Number(limits[0]))
		l.add("format", "is one too large", value.Number(limits[1]))
		l.add("format", "is the least that fits", value.Number(limits[2]))
		l.add("format", "is one too small", value.Number(limits[3]))
	}
	text := l.value.Text()
	if whole {
		if !strings.ContainsAny(text, ".eE") {
			l.add("number", "is written with a fraction of zero", value.Number(text+".0"))
		}
		l.add("type", "has a fraction", value.Number("1.5"))
	}
	for _, odd := range []struct{ why, digits string }{
		{"is zero", "0"}, {"is negative", "-1"}, {"is negative zero", "-0"}, {"is above 2^53", "9007199254740993"},
		{"is above 2^64", "18446744073709551617"}, {"is beyond a double", "1e400"}, {"is very small", "1e-400"}, {"has an exponent", "1E2"},
	} {
		l.add("number", odd.why, value.Number(odd.digits))
	}
}

var intLimits = map[string][4]string{
	"int32":  {"2147483647", "2147483648", "-2147483648", "-2147483649"},
	"int64":  {"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"},
	"float":  {"3.4e38", "3.5e38", "-3.4e38", "-3.5e38"},
	"double": {"1.7e308", "1.8e308", "-1.7e308", "-1.8e308"},
}

func (c *cases) format(l *list) string {
	for _, f := range l.plan.facts {
		if f.Format != "" {
			return f.Format
		}
	}
	return ""
}

func (c *cases) arrays(l *list) {
	a := l.plan.arr
	elems := l.value.Elems()
	if a == nil {
		return
	}
	size := func(keyword, why string, n int) {
		if n < 0 || n > maxLong/100 {
			return
		}
		if v, ok := c.resize(l, n); ok {
			l.add(keyword, why, v)
		}
	}
	for _, f := range l.plan.facts {
		if f.MinItems > 0 {
			size("minItems", "has one item too few", f.MinItems-1)
			size("minItems", "has the least number of items", f.MinItems)
			size("minItems", "has one item more than the least", f.MinItems+1)
		}
		if f.MaxItems >= 0 {
			size("maxItems", "has one item too many", f.MaxItems+1)
			size("maxItems", "has the greatest number of items", f.MaxItems)
			size("maxItems", "has one item less than the greatest", f.MaxItems-1)
		}
		if f.UniqueItems && len(elems) > 0 {
			l.add("uniqueItems", "has an item twice", value.Array(append(slices.Clone(elems), elems[0])...))
			if len(elems) > 1 {
				l.add("uniqueItems", "has an item twice, and as many as before", value.Array(append(slices.Clone(elems[:len(elems)-1]), elems[0])...))
				l.add("uniqueItems", "has the items in the other order", value.Array(reversed(elems)...))
			}
			size("uniqueItems", "has another item", len(elems)+1)
		}
		if n := len(f.PrefixItems); n > 0 {
			size("prefixItems", "ends before the last place", n-1)
			size("prefixItems", "ends at the last place", n)
			if v, ok := c.resize(l, n); ok {
				l.add("prefixItems", "has a further item", value.Array(append(slices.Clone(v.Elems()), value.String("more"))...))
			}
		}
	}
	if len(elems) > 1 {
		l.add("items", "has the items in the other order", value.Array(reversed(elems)...))
	}
	size("items", "is empty", 0)
	size("items", "has one item", 1)
	for i := range a.contains {
		x := &a.contains[i]
		var without, with []value.Value
		for _, e := range elems {
			if x.schema.ValidWithin(e, c.r.o.Direction, &c.r.budget) {
				with = append(with, e)
			} else {
				without = append(without, e)
			}
		}
		l.add("contains", "has no item of those that it must contain", value.Array(without...))
		if len(with) == 0 {
			continue
		}
		l.add("contains", "has one of the items more that it must contain", value.Array(append(slices.Clone(elems), with[0])...))
		if x.max >= 0 && x.max < maxLong/100 {
			more := slices.Clone(elems)
			for n := len(with); n <= x.max; n++ {
				e, ok := c.r.make(c.m.at(x.plan), l.at.below(uint64(len(more))))
				if !ok {
					e = with[0]
				}
				if more = append(more, e); n == x.max-1 {
					l.add("maxContains", "has as many as it may of the items that it must contain", value.Array(slices.Clone(more)...))
				}
			}
			l.add("maxContains", "has too many of the items that it must contain", value.Array(more...))
			l.add("maxContains", "has only items that it must contain", value.Array(with...))
		}
	}
}

func reversed(list []value.Value) []value.Value {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// resize cuts the array or makes more elements of the same kind.
func (c *cases) resize(l *list, n int) (value.Value, bool) {
	elems := slices.Clone(l.value.Elems())
	if n <= len(elems) {
		return value.Array(elems[:n]...), true
	}
	for i := len(elems); i < n; i++ {
		at := l.at
		at.varied = true
		e, ok := c.r.element(l.plan, &at, i, n+1, elems)
		if !ok {
			next := l.at.below(uint64(i))
			next.varied = true
			if e, ok = c.r.make(c.m.elem(l.plan, i), next); !ok {
				if len(elems) == 0 {
					return value.Value{}, false
				}
				e = elems[0]
			}
		}
		elems = append(elems, e)
	}
	return value.Array(elems...), true
}

func (c *cases) objects(l *list) {
	o := l.plan.obj
	unknown := "unknown_member"
	l.member("additionalProperties", unknown, "is a member that nobody declared", value.String("x"))
	for _, m := range l.value.Members() {
		why := "is left out, though required"
		if o == nil || o.find(m.Name) < 0 || !o.props[o.find(m.Name)].required {
			why = optional
		}
		l.member("required", m.Name, why, value.Value{})
	}
	l.add("properties", "has no members", value.Object())
	if o == nil {
		return
	}
	d := c.r.o.Direction & 1
	for i := range o.props {
		q := &o.props[i]
		if l.value.Has(q.name) {
			continue
		}
		next := l.at.below(q.hash)
		next.hint = q.hint
		v, ok := c.r.make(c.m.at(q.plan), next)
		switch {
		case ok && q.hidden[d]:
			l.member("readOnly", q.name, "is sent, though not in this direction", v)
		case ok:
			l.member("properties", q.name, "is there", v)
		case q.never:
			l.member("properties", q.name, "is there, though it cannot be", value.True)
		}
	}
	for _, n := range o.needs {
		trigger, other := &o.props[n.at], &o.props[n.other]
		v := l.value
		if !v.Has(trigger.name) {
			if made, ok := c.r.make(c.m.at(trigger.plan), l.at.below(trigger.hash)); ok {
				v = v.With(trigger.name, made)
			}
		}
		l.add("dependentRequired", "has "+trigger.name+" without "+other.name, v.Without(other.name))
		if made, ok := c.r.make(c.m.at(other.plan), l.at.below(other.hash)); ok && !v.Has(other.name) {
			l.add("dependentRequired", "has "+trigger.name+" and "+other.name, v.With(other.name, made))
		}
		l.add("dependentRequired", "lacks "+trigger.name, l.value.Without(trigger.name))
	}
	for _, f := range l.plan.facts {
		if f.MinProperties > 0 {
			c.members(l, "minProperties", "has one member too few", f.MinProperties-1)
			c.members(l, "minProperties", "has the least number of members", f.MinProperties)
		}
		if f.MaxProperties >= 0 {
			c.members(l, "maxProperties", "has one member too many", f.MaxProperties+1)
			c.members(l, "maxProperties", "has the greatest number of members", f.MaxProperties)
		}
		if f.PropertyNames != nil {
			for i, name := range []string{"", "Unknown Name", strings.Repeat("n", 200)} {
				l.member("propertyNames", name, "is a name that may not be allowed ("+strconv.Itoa(i+1)+")", value.String("x"))
			}
			for k := range 2 {
				if v, ok := c.r.make(c.m.root(f.PropertyNames), l.at.below(uint64(k))); ok && v.IsString() {
					c.extra(l, "propertyNames", v.Text())
				}
			}
		}
		for _, p := range f.patterns {
			g := rng(l.at.base)
			if p.root == nil {
				continue
			}
			if name, ok := p.text(&g, max(p.root.lo, min(p.root.hi, 4))); ok {
				c.extra(l, "patternProperties", name)
				for _, v := range []value.Value{value.Null, value.String("x"), value.Int(1), value.Object()} {
					l.member("patternProperties", name, "is "+article(v.Kind().String()), v)
				}
			}
		}
		if f.AdditionalProperties != nil {
			c.extra(l, "additionalProperties", "another_member")
			for _, v := range []value.Value{value.Null, value.Int(1), value.Object()} {
				l.member("additionalProperties", unknown, "is "+article(v.Kind().String())+", undeclared", v)
			}
		}
	}
}

// extra adds a member that is not declared, of the kind that it should be.
func (c *cases) extra(l *list, keyword, name string) {
	if child, ok := c.m.extra(l.plan, name); ok && !l.value.Has(name) {
		if v, ok := c.r.make(child, l.at.below(hashText(name))); ok {
			l.member(keyword, name, "is a further member", v)
		}
	}
}

// members has as many members: the last ones go, or others come.
func (c *cases) members(l *list, keyword, why string, n int) {
	if n < 0 || n > maxLong/100 {
		return
	}
	v, o := l.value, l.plan.obj
	for i := len(o.props) - 1; i >= 0 && v.Len() > n; i-- {
		if !o.props[i].required {
			v = v.Without(o.props[i].name)
		}
	}
	for v.Len() > n {
		v = v.Without(v.Members()[v.Len()-1].Name)
	}
	for i := 0; i < len(o.props) && v.Len() < n; i++ {
		if q := &o.props[i]; !v.Has(q.name) && !q.never && !q.hidden[c.r.o.Direction&1] {
			if made, ok := c.r.make(c.m.at(q.plan), l.at.below(q.hash)); ok {
				v = v.With(q.name, made)
			}
		}
	}
	if v.Len() < n {
		ms := c.r.extras(l.plan, &l.at, l.at.base, slices.Clone(v.Members()), n)
		v = value.Object(ms...)
	}
	for i := 0; v.Len() < n; i++ {
		v = v.With("member"+strconv.Itoa(i), value.String("x"))
	}
	l.add(keyword, why, v)
}
