package schema

import (
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// Coerce reads a parameter's text as the schema's type: a number where it is a
// JSON number, a boolean of true and false, null where that is allowed and the
// text says null. Of several types, and of the alternatives of oneOf and anyOf,
// the first that fits counts. Otherwise it is the text itself, and validation
// says what is wrong.
func (s *Schema) Coerce(text string) value.Value {
	if text == "null" && s.Nullable() {
		return value.Null
	}
	for _, t := range s.of.typeList {
		if v, ok := read(t, text); ok {
			return v
		}
	}
	if s.of.typeList == nil {
		if v, ok := s.choose(text); ok {
			return v
		}
	}
	return value.String(text)
}

// choose coerces without a type: by the enum, else by the alternatives, here or
// in a part.
func (s *Schema) choose(text string) (value.Value, bool) {
	for _, e := range s.enum {
		if e.IsString() && e.Text() == text {
			return e, true
		}
		if v, ok := read(e.Kind().String(), text); ok && value.Equal(v, e) {
			return v, true
		}
	}
	if s.comb != nil {
		for _, list := range [][]*Schema{s.comb.oneOf, s.comb.anyOf} {
			for _, b := range list {
				if v := b.Coerce(text); b.Valid(v, Request) {
					return v, true
				}
			}
		}
	}
	for _, b := range s.allOf {
		if v, ok := b.choose(text); ok {
			return v, true
		}
	}
	return value.Value{}, false
}

func read(typ, text string) (value.Value, bool) {
	switch typ {
	case "string":
		return value.String(text), true
	case "integer", "number":
		if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
			return value.Value{}, false
		}
		if c := text[len(text)-1]; c < '0' || c > '9' {
			return value.Value{}, false
		}
		v, err := value.ParseString(text)
		return v, err == nil
	case "boolean":
		return value.Bool(text == "true"), text == "true" || text == "false"
	case "null":
		return value.Null, text == "null"
	}
	return value.Value{}, false
}

// Normalize drops white space around the texts that are marked x-trim, and writes
// integers as such (5.0 as 5), in v and in what properties, items and allOf lead
// to. A value in which nothing changes is returned as it is.
func (s *Schema) Normalize(v value.Value) value.Value {
	steps := maxSteps
	return s.normalize(v, &steps)
}

func (s *Schema) normalize(v value.Value, steps *int) value.Value {
	if *steps--; !s.trims || *steps < 0 {
		return v
	}
	if s.trim && v.IsString() {
		if t := strings.TrimSpace(v.Text()); len(t) < len(v.Text()) {
			v = value.String(t)
		}
	}
	if v.IsNumber() && s.Type() == "integer" {
		if i, ok := v.Int(); ok {
			if w := value.Int(i); w.Text() != v.Text() {
				v = w
			}
		}
	}
	for _, b := range s.allOf {
		v = b.normalize(v, steps)
	}
	switch {
	case v.IsArray() && s.arr != nil && s.arr.items != nil && s.arr.items.trims:
		return s.normalizeElems(v, steps)
	case v.IsObject() && s.obj != nil:
		return s.normalizeMembers(v, steps)
	}
	return v
}

func (s *Schema) normalizeElems(v value.Value, steps *int) value.Value {
	old := v.Elems()
	var elems []value.Value
	for i := range old {
		e := s.arr.items.normalize(old[i], steps)
		if elems == nil && e != old[i] {
			elems = append(make([]value.Value, 0, len(old)), old...)
		}
		if elems != nil {
			elems[i] = e
		}
	}
	if elems == nil {
		return v
	}
	return value.Array(elems...)
}

func (s *Schema) normalizeMembers(v value.Value, steps *int) value.Value {
	old := v.Members()
	var members []value.Member
	for i := range old {
		k := s.obj.find(old[i].Name)
		if k < 0 || s.obj.props[k].schema == nil {
			continue
		}
		m := s.obj.props[k].schema.normalize(old[i].Value, steps)
		if m == old[i].Value {
			continue
		}
		if members == nil {
			members = append(make([]value.Member, 0, len(old)), old...)
		}
		members[i].Value = m
	}
	if members == nil {
		return v
	}
	return value.Object(members...)
}
