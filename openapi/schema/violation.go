package schema

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A Violation is one thing that is wrong with a value.
type Violation struct {
	// Path leads from the root of the value to the part: a text for a member,
	// a number for an index; nil for the value itself. Of a required member,
	// and of one that is not allowed, its name comes last.
	Path []value.Value

	// Keyword is JSON Schema's name of the broken rule: required, type,
	// minLength, … Beyond those, discriminator is OpenAPI's, false is the schema
	// that nothing fits, and complexity is a value that takes too long to judge.
	Keyword string

	// Limit is the keyword's value. Of type it is the name of what is wanted
	// or a list of names, null left out; of required true; of oneOf and anyOf
	// the number of alternatives; of discriminator the list of its values;
	// Missing for not, propertyNames and false.
	Limit value.Value

	// Value is what was found; of required the object that lacks the member.
	Value value.Value

	first, second int // for the message: equal items; how many fit
}

// add keeps a violation at the current path, once.
func (r *run) add(v Violation) {
	if r.done {
		return
	}
	if r.fast {
		r.done = true
		return
	}
	for i := r.base; i < len(r.out); i++ {
		if o := &r.out[i]; o.Keyword == v.Keyword && r.at(o.Path) && value.Equal(o.Limit, v.Limit) {
			return
		}
	}
	if r.depth > 0 {
		v.Path = make([]value.Value, r.depth)
		for i := range v.Path {
			s := r.segment(i)
			if s.index < 0 {
				v.Path[i] = value.String(s.name)
			} else {
				v.Path[i] = value.Int(int64(s.index))
			}
		}
	}
	r.out = append(r.out, v)
	r.done = len(r.out)-r.base >= maxViolations
}

// at is whether path is the current one.
func (r *run) at(path []value.Value) bool {
	if len(path) != r.depth {
		return false
	}
	for i := len(path) - 1; i >= 0; i-- {
		s := r.segment(i)
		if path[i].IsString() != (s.index < 0) {
			return false
		}
		if s.index < 0 {
			if path[i].Text() != s.name {
				return false
			}
		} else if n, _ := path[i].Int(); n != int64(s.index) {
			return false
		}
	}
	return true
}

// Pointer is the path as a JSON Pointer (RFC 6901): "/hours/0/from".
func (v Violation) Pointer() string {
	var b strings.Builder
	for _, p := range v.Path {
		b.WriteByte('/')
		escape.WriteString(&b, p.Text())
	}
	return b.String()
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// Name is the path with dots: "hours.0.from"; empty for the value itself.
func (v Violation) Name() string {
	var b strings.Builder
	for i, p := range v.Path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.Text())
	}
	return b.String()
}

// Message says what is wrong, without the place: "must be at most 255
// characters long, but has 300".
func (v Violation) Message() string {
	limit := brief(v.Limit)
	switch v.Keyword {
	case "required":
		return "is required"
	case "dependentRequired":
		return "is required beside " + limit
	case "type":
		return "must be " + wanted(v.Limit) + ", but is " + found(v)
	case "format":
		if words, ok := formatWords[v.Limit.Text()]; ok {
			return "must be " + words
		}
		return "must be in the format " + v.Limit.Text()
	case "enum", "discriminator":
		return "must be " + choices(v.Limit)
	case "const":
		return "must be " + limit
	case "minLength":
		return "must be at least " + count(v.Limit, "character") + " long, but has " + strconv.Itoa(utf8.RuneCountInString(v.Value.Text()))
	case "maxLength":
		return "must be at most " + count(v.Limit, "character") + " long, but has " + strconv.Itoa(utf8.RuneCountInString(v.Value.Text()))
	case "pattern":
		return "must match the pattern " + v.Limit.Text()
	case "minimum":
		return "must be at least " + limit + ", but is " + brief(v.Value)
	case "maximum":
		return "must be at most " + limit + ", but is " + brief(v.Value)
	case "exclusiveMinimum":
		return "must be greater than " + limit + ", but is " + brief(v.Value)
	case "exclusiveMaximum":
		return "must be less than " + limit + ", but is " + brief(v.Value)
	case "multipleOf":
		return "must be a multiple of " + limit + ", but is " + brief(v.Value)
	case "minItems":
		return "must have at least " + count(v.Limit, "item") + ", but has " + strconv.Itoa(v.Value.Len())
	case "maxItems":
		return "must have at most " + count(v.Limit, "item") + ", but has " + strconv.Itoa(v.Value.Len())
	case "uniqueItems":
		return "must not have an item twice, but items " + strconv.Itoa(v.first) + " and " + strconv.Itoa(v.second) + " are equal"
	case "contains":
		return "must have at least " + count(v.Limit, "matching item") + ", but has " + strconv.Itoa(v.first)
	case "maxContains":
		return "must have at most " + count(v.Limit, "matching item") + ", but has " + strconv.Itoa(v.first)
	case "minProperties":
		return "must have at least " + count(v.Limit, "member") + ", but has " + strconv.Itoa(v.Value.Len())
	case "maxProperties":
		return "must have at most " + count(v.Limit, "member") + ", but has " + strconv.Itoa(v.Value.Len())
	case "additionalProperties", "false":
		return "is not allowed"
	case "propertyNames":
		return "has a name that is not allowed"
	case "oneOf":
		if v.first > 1 {
			return "must fit exactly one of " + limit + " alternatives, but fits " + strconv.Itoa(v.first)
		}
		return "must fit exactly one of " + limit + " alternatives, but fits none"
	case "anyOf":
		return "must fit at least one of " + limit + " alternatives, but fits none"
	case "not":
		return "must not be what the schema excludes"
	case "encoding":
		return "is not percent-encoded UTF-8"
	case "style":
		return "is not written in the style of the parameter"
	case "complexity":
		return "is too complex to be judged"
	}
	return "violates " + v.Keyword
}

// brief is a value as JSON, cut where it is long.
func brief(v value.Value) string {
	const most = 60
	s := v.String()
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func count(limit value.Value, noun string) string {
	if limit.Text() == "1" {
		return "1 " + noun
	}
	return limit.Text() + " " + noun + "s"
}

func article(typ string) string {
	switch typ {
	case "null", "nothing":
		return typ
	case "integer", "array", "object":
		return "an " + typ
	}
	return "a " + typ
}

func wanted(limit value.Value) string {
	if !limit.IsArray() {
		return article(limit.Text())
	}
	names := make([]string, limit.Len())
	for i, e := range limit.Elems() {
		names[i] = article(e.Text())
	}
	return strings.Join(names, " or ")
}

func found(v Violation) string {
	if v.Value.IsNumber() && strings.Contains(v.Limit.String(), "integer") {
		return brief(v.Value)
	}
	if v.Value.IsMissing() {
		return "null"
	}
	return article(v.Value.Kind().String())
}

func choices(list value.Value) string {
	const most = 20
	elems := list.Elems()
	if len(elems) == 1 {
		return brief(elems[0])
	}
	var b strings.Builder
	b.WriteString("one of ")
	for i, e := range elems {
		if i == most {
			b.WriteString(", … (" + strconv.Itoa(len(elems)) + " in all)")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(brief(e))
	}
	return b.String()
}
