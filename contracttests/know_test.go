package contracttests

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// TestOrders: the rules say by what a list is sorted. How texts are compared, where nulls
// stand and how ties are broken is the server's.
func TestOrders(t *testing.T) {
	records := `[{"id":"a","n":1,"s":"Beta"},{"id":"b","n":1,"s":"alpha"},{"id":"c","n":2,"s":null},{"id":"d","n":3,"s":"Gamma"}]`
	for _, row := range []struct {
		name          string
		keys          []behavior.SortKey
		offset, limit int
		shown         string // ids
		fits          bool
	}{
		{"in the order of the rules", []behavior.SortKey{{Member: "n"}}, 0, -1, "a b c d", true},
		{"a tie may be broken the other way", []behavior.SortKey{{Member: "n"}}, 0, -1, "b a c d", true},
		{"also between two pages", []behavior.SortKey{{Member: "n"}}, 0, 1, "b", true},
		{"and so the second page has the other one", []behavior.SortKey{{Member: "n"}}, 1, 1, "a", true},
		{"what is no tie stays", []behavior.SortKey{{Member: "n"}}, 0, -1, "a b d c", false},
		{"none stands there twice", []behavior.SortKey{{Member: "n"}}, 0, -1, "a a c d", false},
		{"none is missing", []behavior.SortKey{{Member: "n"}}, 0, -1, "a b c", false},
		{"without an order any will do", nil, 0, -1, "d c b a", true},
		{"capitals before small letters, null first", []behavior.SortKey{{Member: "s"}}, 0, -1, "c a d b", true},
		{"whatever the case, null last", []behavior.SortKey{{Member: "s"}}, 0, -1, "b a d c", true},
		{"downwards", []behavior.SortKey{{Member: "s", Descending: true}}, 0, -1, "d a b c", true},
		{"texts in no order at all", []behavior.SortKey{{Member: "s"}}, 0, -1, "d b a c", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var shown []value.Value
			for _, id := range strings.Fields(row.shown) {
				shown = append(shown, value.Object(value.Member{Name: "id", Value: value.String(id)}))
			}
			j := newNotes(t)
			c := &choices{judge: j, answer: value.Array(shown...)}
			items, total := c.List(&behavior.Listing{Resource: "Note", Records: parsed(t, records).Elems(), Keys: row.keys, Offset: row.offset, Limit: row.limit})
			var got []string
			for _, r := range items {
				got = append(got, r.Get("id").Text())
			}
			if fits := strings.Join(got, " ") == row.shown; fits != row.fits || !value.Equal(total, value.Int(4)) {
				t.Errorf("shown %q: got %q of %v, want that it fits: %v", row.shown, got, total, row.fits)
			}
		})
	}
}
