package behavior

import (
	"fmt"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

// many is a world of n Items; every tenth belongs to everybody.
func many(b *testing.B, n int) *World {
	var records []value.Value
	for i := range n {
		space := "w1"
		if i%10 == 0 {
			space = ""
		}
		records = append(records, parseJSON(b, fmt.Sprintf(`{"id": "i%d", "name": "Item %d", "rank": %d, "space": %q}`, i, i, i*7919%n, space)))
	}
	w, err := store(b).NewWorld(WorldConfig{Records: map[string][]value.Value{"Item": records}})
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func bench(b *testing.B, w *World, c *Call, want int) {
	b.ReportAllocs()
	for b.Loop() {
		if out := w.Do(c); out.Status != want {
			b.Fatalf("got %d %s, want %d", out.Status, answered(out), want)
		}
	}
}

func BenchmarkFork(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			w := many(b, n)
			b.ReportAllocs()
			for b.Loop() {
				w.Fork()
			}
		})
	}
}

// BenchmarkForkWrite is the first write of a fork: it copies what it changes.
func BenchmarkForkWrite(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			w := many(b, n)
			c := call(b, w, "update", `{"path": {"id": "i5"}, "body": {"rank": 3}}`)
			b.ReportAllocs()
			for b.Loop() {
				w.Fork().Do(c)
			}
		})
	}
}

func BenchmarkFindReply(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			w := many(b, n)
			bench(b, w, call(b, w, "read", `{"path": {"id": "i5"}}`), 200)
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			w := many(b, n)
			c := call(b, w, "create", "")
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				c.Body = value.Object(value.Member{Name: "name", Value: value.String("New " + value.Int(int64(i)).Text())})
				if out := w.Do(c); out.Status != 201 {
					b.Fatalf("got %d %s, want 201", out.Status, answered(out))
				}
			}
		})
	}
}

// BenchmarkList is a page of 20 out of 100,000 records.
func BenchmarkList(b *testing.B) {
	records := make([]value.Value, 100_000)
	for i := range records {
		space := []string{"w1", "w1", ""}[i%3]
		records[i] = parseJSON(b, fmt.Sprintf(`{"id": %d, "name": "Thing %d", "kind": "k%d", "rank": %d, "space": %q}`, i, i, i%7, i*7919%100_000, space))
	}
	for _, tt := range []struct {
		name   string
		shared bool
		where  *Text
		offset int
	}{{"one-part/first", false, nil, 0}, {"one-part/deep", false, nil, 60_000}, {"two-parts/first", true, nil, 0}, {"two-parts/deep", true, nil, 90_000}, {"where-equal", false, tx(`kind == "k3"`), 5000}, {"where-scan", false, tx(`kind != "k3"`), 5000}} {
		b.Run(tt.name, func(b *testing.B) {
			spec := listSpec(b, tt.shared, StepSpec{Where: tt.where, Sort: &SortSpec{Default: []string{"-rank"}}, Page: &PageSpec{Offset: tx("query.offset"), Limit: tx("query.size")}})
			w, err := compile(b, spec).NewWorld(WorldConfig{Records: map[string][]value.Value{"Thing": records}})
			if err != nil {
				b.Fatal(err)
			}
			c := call(b, w, "list", fmt.Sprintf(`{"query": {"offset": %d, "size": 20}}`, tt.offset))
			if n := w.Do(c).Body.Get("items").Len(); n != 20 {
				b.Fatalf("%d items, want 20", n)
			}
			bench(b, w, c, 200)
		})
	}
}

func BenchmarkExpression(b *testing.B) {
	for _, expr := range []string{"body.n + 1", `fold(body.name) == fold("ÄRGER")`, `body.list.map(x, x * 2)`, `Item.exists(i, i.name == "beta")`} {
		b.Run(expr, func(b *testing.B) {
			w := world(b, compile(b, exprSpec(b, expr)), exprRecords, nil)
			bench(b, w, exprCall(b, w, exprBody), 200)
		})
	}
}
