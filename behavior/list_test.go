package behavior

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

// listSpec lists Things: of one part or, with shared, of two.
func listSpec(t testing.TB, shared bool, step StepSpec) *Spec {
	within := WithinSpec{Member: "space", Values: []Text{{S: "caller.space"}}}
	if shared {
		within.Values = append(within.Values, Text{S: `""`})
	}
	step.Kind, step.Target = List, "Thing"
	return &Spec{
		Resources:  []ResourceSpec{{Name: "Thing", Members: []string{"id", "name", "kind", "rank"}, Hidden: []string{"space"}, Within: []WithinSpec{within}}},
		Failures:   failures(t),
		Operations: []*OperationSpec{operation("list", nil, step, says(t, `"${page}"`))},
	}
}

// thing is a row of the slow reference.
type thing struct {
	id   int
	v    value.Value
	rank value.Value
}

func things(r *rand.Rand, n int) ([]thing, []value.Value) {
	var rows []thing
	var records []value.Value
	for i := range n {
		rank := []value.Value{value.Int(r.Int64N(5)), value.Null, value.Float(float64(r.IntN(8)) / 4), {}}[min(r.IntN(6), 3)]
		v := value.Object(
			value.Member{Name: "id", Value: value.Int(int64(i))},
			value.Member{Name: "name", Value: value.String([]string{"a", "B", "b", "aa", "", "ä"}[r.IntN(6)])},
			value.Member{Name: "kind", Value: value.String([]string{"x", "y"}[r.IntN(2)])},
			value.Member{Name: "space", Value: value.String([]string{"w1", "", "w2", "w1"}[r.IntN(4)])},
		)
		if !rank.IsMissing() {
			v = v.With("rank", rank)
		}
		rows, records = append(rows, thing{i, v, rank}), append(records, v)
	}
	return rows, records
}

// inOrder sorts like a list step does: ties in order of creation, the way of
// the last key.
func inOrder(rows []thing, sort ...string) {
	slices.SortStableFunc(rows, func(a, b thing) int {
		down := false
		for _, s := range sort {
			name, desc := strings.CutPrefix(s, "-")
			down = desc
			c := value.Compare(a.v.Get(name), b.v.Get(name))
			if desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		if down {
			return b.id - a.id
		}
		return a.id - b.id
	})
}

func ids(rows []thing) string {
	out := []string{}
	for _, r := range rows {
		out = append(out, fmt.Sprint(r.id))
	}
	return strings.Join(out, " ")
}

// TestPages compares pages with a slow reference, on random records.
func TestPages(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, shared := range []bool{false, true} {
		for _, sort := range [][]string{nil, {"rank"}, {"-rank"}, {"name"}, {"-name", "rank"}, {"kind", "-rank"}, {"-kind", "-name"}, {"id"}, {"-id"}} {
			for _, where := range []string{"", `kind == "x"`, `kind == "x" && name != "b"`, `rank > 0`} {
				step := StepSpec{
					Filter: []FilterSpec{{On: *tx("query.q"), Where: *tx("name.contains(query.q)")}, {On: *tx("query.status"), Where: *tx("kind == query.status")}},
					Page:   &PageSpec{Offset: tx("query.offset"), Limit: tx("query.size")},
				}
				if sort != nil {
					step.Sort = &SortSpec{Default: sort}
				}
				if where != "" {
					step.Where = tx(where)
				}
				spec := listSpec(t, shared, step)
				rows, records := things(r, r.IntN(60))
				w, err := compile(t, spec).NewWorld(WorldConfig{Records: map[string][]value.Value{"Thing": records}, Clock: newClock().Now})
				if err != nil {
					t.Fatal(err)
				}
				var all []thing
				for _, row := range rows {
					space := row.v.Get("space").Text()
					ok := space == "w1" || shared && space == ""
					switch where {
					case `kind == "x"`:
						ok = ok && row.v.Get("kind").Text() == "x"
					case `kind == "x" && name != "b"`:
						ok = ok && row.v.Get("kind").Text() == "x" && row.v.Get("name").Text() != "b"
					case `rank > 0`:
						ok = ok && row.rank.Float() > 0
					}
					if ok {
						all = append(all, row)
					}
				}
				for range 12 {
					offset, limit := r.IntN(len(all)+5), r.IntN(9)
					if r.IntN(4) == 0 {
						limit = 100
					}
					query := fmt.Sprintf(`"offset": %d, "size": %d`, offset, limit)
					want := slices.Clone(all)
					switch r.IntN(6) {
					case 0:
						query += `, "q": "a"`
						want = slices.DeleteFunc(want, func(x thing) bool { return !strings.Contains(x.v.Get("name").Text(), "a") })
					case 1:
						query += `, "status": "y"`
						want = slices.DeleteFunc(want, func(x thing) bool { return x.v.Get("kind").Text() != "y" })
					case 2:
						query += `, "q": null, "status": null`
					}
					inOrder(want, sort...)
					total := len(want)
					want = want[min(offset, total):min(offset+limit, total)]
					page := w.Do(call(t, w, "list", `{"query": {`+query+`}}`)).Body
					got := []thing{}
					for _, e := range page.Get("items").Elems() {
						n, _ := e.Get("id").Int()
						got = append(got, thing{id: int(n)})
					}
					if n, _ := page.Get("total").Int(); ids(got) != ids(want) || int(n) != total {
						t.Fatalf("shared %v, sort %v, where %q, %s of %d: got %s of %d, want %s of %d", shared, sort, where, query, len(rows), ids(got), n, ids(want), total)
					}
				}
			}
		}
	}
}

// TestDeepPages leaps over stretches of two parts of very different sizes.
func TestDeepPages(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, share := range []int{2, 10, 500} {
		var records []value.Value
		var rows []thing
		for i := range 2000 {
			space := "w1"
			if r.IntN(share) == 0 {
				space = ""
			}
			v := value.Object(value.Member{Name: "id", Value: value.Int(int64(i))}, value.Member{Name: "rank", Value: value.Int(r.Int64N(300))}, value.Member{Name: "space", Value: value.String(space)})
			records, rows = append(records, v), append(rows, thing{id: i, v: v})
		}
		for _, sort := range []string{"rank", "-rank"} {
			inOrder(rows, sort)
			w, err := compile(t, listSpec(t, true, StepSpec{Sort: &SortSpec{Default: []string{sort}}, Page: &PageSpec{Offset: tx("query.offset"), Limit: tx("query.size")}})).NewWorld(WorldConfig{Records: map[string][]value.Value{"Thing": records}})
			if err != nil {
				t.Fatal(err)
			}
			for range 150 {
				offset := r.IntN(2001)
				var got []thing
				for _, e := range w.Do(call(t, w, "list", fmt.Sprintf(`{"query": {"offset": %d, "size": 3}}`, offset))).Body.Get("items").Elems() {
					n, _ := e.Get("id").Int()
					got = append(got, thing{id: int(n)})
				}
				if want := rows[offset:min(offset+3, len(rows))]; ids(got) != ids(want) {
					t.Fatalf("one of %d is shared, sort %s, offset %d: got %s, want %s", share, sort, offset, ids(got), ids(want))
				}
			}
		}
	}
}

// TestSortAsked is the order that a request asks for.
func TestSortAsked(t *testing.T) {
	step := StepSpec{Sort: &SortSpec{Default: []string{"-rank"}, By: tx("query.sort"), Among: []string{"name", "rank"}, Descending: tx(`query.order == "desc"`)}}
	records := `{"Thing": [{"id": 1, "name": "b", "rank": 1, "space": "w1"}, {"id": 2, "name": "a", "rank": 2, "space": "w1"}, {"id": 3, "name": "b", "rank": 3, "space": ""}, {"id": 4, "name": "c", "rank": 2, "space": ""}]}`
	for _, shared := range []bool{true, false} {
		w := world(t, compile(t, listSpec(t, shared, step)), records, nil)
		for _, tt := range []struct{ query, want, alone string }{
			{`{}`, "3 4 2 1", "2 1"}, {`{"order": "desc"}`, "3 4 2 1", "2 1"}, {`{"sort": null}`, "3 4 2 1", "2 1"}, {`{"sort": "name"}`, "2 1 3 4", "2 1"}, {`{"sort": "name", "order": "asc"}`, "2 1 3 4", "2 1"},
			{`{"sort": "name", "order": "desc"}`, "4 3 1 2", "1 2"}, {`{"sort": "rank"}`, "1 2 4 3", "1 2"}, {`{"sort": "rank", "order": "desc"}`, "3 4 2 1", "2 1"}, {`{"sort": "space"}`, "3 4 2 1", "2 1"},
		} {
			var got []string
			for _, e := range w.Do(call(t, w, "list", `{"query": `+tt.query+`}`)).Body.Get("items").Elems() {
				got = append(got, textOf(e.Get("id")))
			}
			want := tt.want
			if !shared {
				want = tt.alone
			}
			if strings.Join(got, " ") != want {
				t.Errorf("shared %v, %s: got %v, want %s", shared, tt.query, got, want)
			}
		}
	}
}

// TestPageMembers is all that a page says of itself, with its links.
func TestPageMembers(t *testing.T) {
	const base = "http://x.test/list"
	number := StepSpec{Page: &PageSpec{Number: tx("query.number"), Size: tx("query.size")}}
	offset := StepSpec{Page: &PageSpec{Offset: tx("query.offset"), Limit: tx("query.size")}}
	strict := StepSpec{Page: &PageSpec{Number: tx("query.number"), Size: tx("query.size"), Else: ref("gone")}}
	for _, tt := range []struct {
		name   string
		step   StepSpec
		n      int
		target string
		query  string
		want   string // ids of the items, then number size pages offset total, next, previous
	}{
		{"first of three", number, 5, "?size=2", `{"size": 2}`, "0 1 | 1 2 3 0 5 | ?size=2&number=2 | null"},
		{"middle", number, 5, "?number=2&size=2", `{"number": 2, "size": 2}`, "2 3 | 2 2 3 2 5 | ?number=3&size=2 | ?number=1&size=2"},
		{"last", number, 5, "?number=3&size=2", `{"number": 3, "size": 2}`, "4 | 3 2 3 4 5 | null | ?number=2&size=2"},
		{"full last", number, 4, "?number=2&size=2", `{"number": 2, "size": 2}`, "2 3 | 2 2 2 2 4 | null | ?number=1&size=2"},
		{"beyond the end", number, 5, "?number=9&size=2", `{"number": 9, "size": 2}`, " | 9 2 3 16 5 | null | ?number=8&size=2"},
		{"beyond the end, refused", strict, 5, "?number=4&size=2", `{"number": 4, "size": 2}`, "404"},
		{"the last is not beyond", strict, 5, "?number=3&size=2", `{"number": 3, "size": 2}`, "4 | 3 2 3 4 5 | null | ?number=2&size=2"},
		{"the first page of nothing", strict, 0, "", `{"number": 1, "size": 2}`, " | 1 2 0 0 0 | null | null"},
		{"the second page of nothing", strict, 0, "", `{"number": 2, "size": 2}`, "404"},
		{"page 0 is the first", number, 3, "?number=0&size=2", `{"number": 0, "size": 2}`, "0 1 | 1 2 2 0 3 | ?number=2&size=2 | null"},
		{"a negative page is the first", number, 3, "", `{"number": -5, "size": 2}`, "0 1 | 1 2 2 0 3 | ?number=2 | null"},
		{"no size: all", number, 3, "", `{"number": 1}`, "0 1 2 | 1 0 1 0 3 | null | null"},
		{"size 0", number, 3, "", `{"size": 0}`, " | 1 0 1 0 3 | null | null"},
		{"other parameters stay as they are written", number, 5, "?q=a%20b&number=1&x=%C3%A4&number=7&size=2&&z", `{"number": 1, "size": 2}`, "0 1 | 1 2 3 0 5 | ?q=a%20b&number=2&x=%C3%A4&size=2&z | null"},
		{"a name that is escaped", number, 5, "?%6Eumber=1&size=2", `{"number": 1, "size": 2}`, "0 1 | 1 2 3 0 5 | ?%6Eumber=2&size=2 | null"},
		{"offset", offset, 5, "?offset=2&size=2", `{"offset": 2, "size": 2}`, "2 3 | 2 2 3 2 5 | ?offset=4&size=2 | ?offset=0&size=2"},
		{"crooked offset", offset, 5, "?offset=1&size=2", `{"offset": 1, "size": 2}`, "1 2 | 1 2 3 1 5 | ?offset=3&size=2 | ?offset=0&size=2"},
		{"offset at the end", offset, 4, "?offset=4&size=2", `{"offset": 4, "size": 2}`, " | 3 2 2 4 4 | null | ?offset=2&size=2"},
		{"negative offset", offset, 3, "", `{"offset": -1, "size": 2}`, "0 1 | 1 2 2 0 3 | ?offset=2 | null"},
		{"without page", StepSpec{}, 3, "", `{}`, "0 1 2 | 1 0 1 0 3 | null | null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var records []string
			for i := range tt.n {
				records = append(records, fmt.Sprintf(`{"id": %d, "space": "w1"}`, i))
			}
			w := world(t, compile(t, listSpec(t, false, tt.step)), `{"Thing": [`+strings.Join(records, ",")+`]}`, nil)
			c := call(t, w, "list", `{"query": `+tt.query+`}`)
			c.Target += tt.target
			out := w.Do(c)
			got := fmt.Sprint(out.Status)
			if out.Status == 200 {
				p := out.Body
				var items, numbers []string
				for _, e := range p.Get("items").Elems() {
					items = append(items, textOf(e.Get("id")))
				}
				for _, name := range []string{"number", "size", "pages", "offset", "total"} {
					numbers = append(numbers, p.Get(name).Text())
				}
				got = strings.Join(items, " ") + " | " + strings.Join(numbers, " ") + " | " + textOf(p.Get("next")) + " | " + textOf(p.Get("previous"))
			}
			if want := strings.ReplaceAll(tt.want, "| ?", "| "+base+"?"); got != want {
				t.Errorf("%s%s of %d:\n got %s\nwant %s", base, tt.target, tt.n, got, want)
			}
		})
	}
}

// TestEnormousPages: a page far beyond the end is empty and keeps the digits
// that were asked for.
func TestEnormousPages(t *testing.T) {
	for _, n := range []string{"9223372036854775807", "2147483648", "4611686018427387905", "12345678901234567890", "1e300"} {
		for name, page := range map[string]*PageSpec{"number": {Number: tx("query.number"), Size: tx("query.size")}, "offset": {Offset: tx("query.offset"), Limit: tx("query.size")}} {
			for _, size := range []string{"2", "9223372036854775807", n} {
				w := world(t, compile(t, listSpec(t, false, StepSpec{Page: page})), `{"Thing": [{"id": 1, "space": "w1"}, {"id": 2, "space": "w1"}, {"id": 3, "space": "w1"}]}`, nil)
				p := w.Do(call(t, w, "list", `{"query": {"`+name+`": `+n+`, "size": `+size+`}}`)).Body
				if p.Get("items").Len() != 0 || p.Get("total").Text() != "3" || !p.Get("next").IsNull() || p.Get(name).Text() != n {
					t.Errorf("%s %s of size %s: got %s", name, n, size, p)
				}
			}
		}
	}
}

// TestListKinds: members that are not named by "query.…" make no links; as, let
// and where work as elsewhere.
func TestListKinds(t *testing.T) {
	step := StepSpec{As: "hits", Where: tx(`kind == "x" && it.rank >= 2`), Page: &PageSpec{Number: tx("1 + 1"), Size: tx("1")}}
	spec := listSpec(t, false, step)
	spec.Operations[0].Steps[1] = says(t, `"${[hits.items.map(h, h.id), hits.total, hits.next, hits.previous]}"`)
	w := world(t, compile(t, spec), `{"Thing": [{"id": 1, "kind": "x", "rank": 2, "space": "w1"}, {"id": 2, "kind": "y", "rank": 2, "space": "w1"}, {"id": 3, "kind": "x", "rank": 1, "space": "w1"}, {"id": 4, "kind": "x", "rank": 3, "space": "w1"}, {"id": 5, "kind": "x", "rank": 3, "space": "w1"}]}`, nil)
	if got := w.Do(call(t, w, "list", "")).Body.String(); got != "[[4],3,null,null]" {
		t.Errorf("got %s, want [[4],3,null,null]", got)
	}
}
