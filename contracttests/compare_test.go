package contracttests

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

func parsed(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// told is what a comparison found: where, and whether only words differ.
func told(c *comparison) string {
	var out []string
	for _, d := range c.found {
		s := d.at
		if d.wording {
			s += " (wording)"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func newComparison() *comparison {
	return &comparison{bound: map[*hole]value.Value{}, taken: map[string]bool{}, data: map[string]bool{"name": true}}
}

func TestCompare(t *testing.T) {
	for _, row := range []struct{ name, want, got, differs string }{
		{"equal is equal", `{"a":[1,{"b":null}],"c":"x"}`, `{"a":[1,{"b":null}],"c":"x"}`, ""},
		{"more members may be there", `{"a":1}`, `{"a":1,"b":2}`, ""},
		{"deep down, too", `{"a":{"b":[{"c":1}]}}`, `{"a":{"b":[{"c":1,"d":2}]}}`, ""},
		{"members have no order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, ""},
		{"elements have one", `[1,2]`, `[2,1]`, "body.0, body.1"},
		{"null may be left out", `{"a":null}`, `{}`, ""},
		{"but not be something", `{"a":null}`, `{"a":1}`, "body.a"},
		{"what is not null may not be left out", `{"a":false}`, `{}`, "body.a"},
		{"nor be null", `{"a":""}`, `{"a":null}`, "body.a"},
		{"numbers are compared by their value", `{"a":10}`, `{"a":1e1}`, ""},
		{"a number is no text", `{"a":1}`, `{"a":"1"}`, "body.a"},
		{"an object is no array", `{"a":{}}`, `{"a":[]}`, "body.a"},
		{"no body is not an empty object", `{}`, ``, "body"},
		{"an element too many is one difference", `{"a":[1,2]}`, `{"a":[9,8,7]}`, "body.a"},
		{"an element too few is one difference", `[1,2]`, `[]`, "body"},
		{"a sentence may have other words", `{"a":"not found"}`, `{"a":"No such thing."}`, "body.a (wording)"},
		{"what was kept may not", `{"name":"Front desk"}`, `{"name":"Back desk"}`, "body.name"},
		{"nor may an element of it", `{"a":{"name":["Front desk"]}}`, `{"a":{"name":["Back desk"]}}`, "body.a.name.0"},
		{"but it has to be there", `{"a":"not found"}`, `{"a":""}`, "body.a"},
		{"and be a text", `{"a":"not found"}`, `{"a":404}`, "body.a"},
		{"a code has one spelling", `{"a":"not_found"}`, `{"a":"NOT_FOUND"}`, "body.a"},
		{"an instant may be in another zone", `"2026-05-01T12:00:00Z"`, `"2026-05-01T14:00:00+02:00"`, ""},
		{"an instant may be more precise", `"2026-05-01T12:00:00Z"`, `"2026-05-01T12:00:00.999Z"`, ""},
		{"an instant may be less precise", `"2026-05-01T12:00:00.123456Z"`, `"2026-05-01T12:00:00.123Z"`, ""},
		{"an instant may not be another one", `"2026-05-01T12:00:00Z"`, `"2026-05-01T12:00:01Z"`, "body"},
		{"not even by a little, where both tell", `"2026-05-01T12:00:00.123Z"`, `"2026-05-01T12:00:00.124Z"`, "body"},
		{"a date is a text", `"2026-05-01"`, `"2026-05-02"`, "body"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := value.Value{}
			if row.got != "" {
				got = parsed(t, row.got)
			}
			c := newComparison()
			c.compare("body", parsed(t, row.want), got)
			if s := told(c); s != row.differs {
				t.Errorf("compare(%s, %s) differs at %q, want %q", row.want, row.got, s, row.differs)
			}
		})
	}
}

// TestChoiceByLaw: a server chooses what its law permits.
func TestChoiceByLaw(t *testing.T) {
	const id = `"123e4567-e89b-42d3-a456-426614174000"`
	noon := time.Date(2026, 5, 1, 12, 0, 0, 500_000_000, time.UTC)
	var (
		uuid    = behavior.Law{Kind: behavior.UUID}
		clock   = behavior.Law{Kind: behavior.Time, Layout: time.RFC3339}
		pattern = behavior.Law{Kind: behavior.Pattern, Pattern: `n_[a-z]{3}`}
		pick    = behavior.Law{Kind: behavior.Pick, Of: []value.Value{value.String("red"), value.Int(7)}}
		between = behavior.Law{Kind: behavior.Between, Low: 3, High: 5}
		unknown = behavior.Law{Kind: behavior.Unknown}
	)
	for _, row := range []struct {
		name  string
		law   *behavior.Law
		got   string // "" for nothing
		holds bool
	}{
		{"a UUID", &uuid, id, true},
		{"no UUID", &uuid, `"123"`, false},
		{"no id at all", &uuid, ``, false},
		{"a UUID that a record had", &uuid, `"00000000-0000-4000-8000-000000000001"`, false},
		{"a time", &clock, `"2026-05-01T12:00:01Z"`, true},
		{"the time that was the last one", &clock, `"2026-05-01T12:00:00.5Z"`, true},
		{"the second of the last one", &clock, `"2026-05-01T12:00:00Z"`, true},
		{"the second before", &clock, `"2026-05-01T11:59:59Z"`, false},
		{"a little before, where it tells", &clock, `"2026-05-01T12:00:00.4Z"`, false},
		{"a later time in another zone", &clock, `"2026-05-01T14:00:01+02:00"`, true},
		{"an earlier time in another zone", &clock, `"2026-05-01T13:00:00+02:00"`, false},
		{"no time", &clock, `"yesterday"`, false},
		{"a text of the pattern", &pattern, `"n_abc"`, true},
		{"a longer text", &pattern, `"n_abcd"`, false},
		{"a text that a record had", &pattern, `"n_old"`, false},
		{"a number for a text", &pattern, `1`, false},
		{"one of a list", &pick, `7`, true},
		{"none of a list", &pick, `"blue"`, false},
		{"the least number", &between, `3`, true},
		{"the greatest number", &between, `5`, true},
		{"a greater number", &between, `6`, false},
		{"half a number", &between, `3.5`, false},
		{"anything, where nothing is known", &unknown, `{"a":1}`, true},
		{"nothing, where nothing is known", &unknown, ``, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newComparison()
			c.taken["00000000-0000-4000-8000-000000000001"], c.taken["n_old"] = true, true
			h := &hole{law: row.law, since: noon}
			got := value.Value{}
			if row.got != "" {
				got = parsed(t, row.got)
			}
			c.compare("body", value.Hole(h), got)
			if holds := len(c.found) == 0; holds != row.holds {
				t.Errorf("%q holds: %v, want %v; found %+v", row.got, holds, row.holds, c.found)
			}
			// What breaks the law was chosen nevertheless; what a record had before, was not.
			chosen := row.holds && row.law.Kind != behavior.Unknown || len(c.found) == 1 && c.found[0].law
			if v, ok := c.bound[h]; ok != chosen || ok && !value.Equal(v, got) {
				t.Errorf("%q: known as %v (%v)", row.got, v, ok)
			}
		})
	}
}

// TestChoiceTwice: a choice is made once.
func TestChoiceTwice(t *testing.T) {
	const a, b = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
	id := func() *hole { return &hole{law: &behavior.Law{Kind: behavior.UUID}} }
	one := id()
	known, at := id(), &hole{law: &behavior.Law{Kind: behavior.Time}}
	for _, row := range []struct {
		name    string
		x, y    *hole
		got     string
		differs string
	}{
		{"one choice in two places is one value", one, one, `["` + a + `","` + a + `"]`, ""},
		{"one choice in two places is not two values", one, one, `["` + a + `","` + b + `"]`, "body.1"},
		{"two choices may be two values", one, id(), `["` + a + `","` + b + `"]`, ""},
		{"what is known stays", known, one, `["` + a + `","` + b + `"]`, ""},
		{"what is known does not become another", known, one, `["` + b + `","` + a + `"]`, "body.0"},
		{"what is known is not left out", known, one, `[null,"` + b + `"]`, "body.0"},
		{"a known time may be written otherwise", at, one, `["2026-05-01T14:00:00+02:00","` + a + `"]`, ""},
		{"a known time does not move", at, one, `["2026-05-01T12:00:00.26Z","` + a + `"]`, "body.0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newComparison()
			c.bound[known], c.bound[at] = value.String(a), value.String("2026-05-01T12:00:00.25Z")
			c.compare("body", value.Array(value.Hole(row.x), value.Hole(row.y)), parsed(t, row.got))
			if s := told(c); s != row.differs {
				t.Errorf("%s differs at %q, want %q", row.got, s, row.differs)
			}
		})
	}
}
