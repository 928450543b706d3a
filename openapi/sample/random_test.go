package sample

import (
	"math/rand/v2"

	"github.com/understudy-dev/understudy/behavior/value"
)

// random makes schemas of all keywords, of few names and small numbers, so that
// the parts meet.
type random struct{ *rand.Rand }

type object = map[string]any

func (g random) pick(list ...any) any { return list[g.IntN(len(list))] }

func (g random) name() string { return g.pick("a", "b", "c", "x-d").(string) }

func (g random) list(depth int) []any {
	list := make([]any, 1+g.IntN(3))
	for i := range list {
		list[i] = g.schema(depth)
	}
	return list
}

func (g random) named(depth int) object {
	o := object{}
	for range 1 + g.IntN(3) {
		o[g.name()] = g.schema(depth)
	}
	return o
}

func (g random) schema(depth int) any {
	if g.IntN(40) == 0 {
		return g.IntN(4) > 0
	}
	s := object{}
	kind := g.pick("boolean", "integer", "number", "string", "string", "array", "object", "object").(string)
	switch g.IntN(6) {
	case 0:
	case 1:
		s["type"] = []any{kind, "null"}
	default:
		s["type"] = kind
	}
	for range g.IntN(4) {
		g.keyword(s, kind, depth)
	}
	return s
}

func (g random) keyword(s object, kind string, depth int) {
	if depth > 0 && g.IntN(5) == 0 {
		g.combine(s, depth-1)
		return
	}
	n := g.IntN(4)
	switch kind {
	case "integer", "number":
		key := g.pick("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf").(string)
		switch key {
		case "multipleOf":
			s[key] = g.pick(1, 2, 3, 0.5, 0.7)
		case "minimum", "exclusiveMinimum":
			s[key] = g.pick(n-5, 0.25, -1.5)
		default:
			s[key] = g.pick(n+2, 7.75, 100)
		}
	case "string":
		switch g.IntN(4) {
		case 0:
			s["minLength"] = n
		case 1:
			s["maxLength"] = n + 3
		case 2:
			s["pattern"] = g.pick("^a", "b$", "^[^x]*$", "[abc]{2}", `^\d{2,4}$`, "^(x|yz)+$", `^\S+ \w+$`)
		default:
			s["format"] = g.pick("date", "date-time", "time", "duration", "email", "uuid", "ipv4", "ipv6", "uri", "uri-reference", "hostname", "json-pointer", "regex")
		}
	case "array":
		switch k := g.IntN(7); {
		case k == 0:
			s["minItems"] = n
		case k == 1:
			s["maxItems"] = n + 1
		case k == 2:
			s["uniqueItems"] = true
		case k == 3 && depth > 0:
			s["contains"] = g.schema(depth - 1)
			s[g.pick("minContains", "maxContains").(string)] = 1 + n/2
		case k == 4 && depth > 0:
			s["prefixItems"] = g.list(depth - 1)
		case depth > 0:
			s["items"] = g.schema(depth - 1)
		}
	case "object":
		g.objects(s, depth, n)
	}
}

func (g random) objects(s object, depth, n int) {
	switch k := g.IntN(10); {
	case k == 0:
		s["minProperties"] = n
	case k == 1:
		s["maxProperties"] = n + 1
	case k == 2:
		s["required"] = []any{g.pick("a", "b"), g.pick("c", "x-d")}
	case k == 3:
		s["additionalProperties"] = false
	case k == 4 && depth > 0:
		s["additionalProperties"] = g.schema(depth - 1)
	case k == 5 && depth > 0:
		s["patternProperties"] = object{"^x-": g.schema(depth - 1)}
	case k == 6:
		s["propertyNames"] = g.pick(object{"maxLength": n + 1}, object{"pattern": "^[a-c]"})
	case k == 7:
		s["dependentRequired"] = object{g.name(): []any{g.name()}}
	case k == 8 && depth > 0:
		s["dependentSchemas"] = object{g.name(): g.schema(depth - 1)}
	case depth > 0:
		s["properties"] = g.named(depth - 1)
	}
}

func (g random) combine(s object, depth int) {
	switch g.IntN(7) {
	case 0:
		s["allOf"] = g.list(depth)
	case 1:
		s["anyOf"] = g.list(depth)
	case 2:
		s["oneOf"] = g.list(depth)
	case 3:
		s["not"] = g.schema(depth)
	case 4:
		s["if"], s["then"], s["else"] = g.schema(depth), g.schema(depth), g.schema(depth)
	case 5:
		s["const"] = g.pick("a", 1, true, nil, object{"a": 1})
	default:
		s["enum"] = []any{g.pick("a", 1), g.pick("bb", 2.5), g.pick(nil, true)}
	}
}

// value is anything.
func (g random) value(depth int) value.Value {
	n := 7
	if depth <= 0 {
		n = 5
	}
	switch g.IntN(n) {
	case 0:
		return value.Null
	case 1:
		return value.Bool(g.IntN(2) == 0)
	case 2:
		return value.Int(int64(g.IntN(9) - 2))
	case 3:
		return value.Number(g.pick("0.5", "1.5", "1.0", "2.1").(string))
	case 4:
		return value.String(g.pick("", "a", "ab", "abc", "x", "12", "a b").(string))
	case 5:
		list := make([]value.Value, g.IntN(4))
		for i := range list {
			list[i] = g.value(depth - 1)
		}
		return value.Array(list...)
	}
	o := value.Object()
	for range g.IntN(4) {
		o = o.With(g.name(), g.value(depth-1))
	}
	return o
}
