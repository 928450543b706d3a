package contracttests

import (
	"fmt"
	"slices"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// TestWays: every way of a model is walked, and none twice. The models answer with
// what was decided.
func TestWays(t *testing.T) {
	alternative := func(c *choices, of int64) int64 {
		n, _ := c.Choose(&behavior.Law{Kind: behavior.Alternative, High: of - 1}).Int()
		return n
	}
	condition := func(c *choices) bool { return c.Choose(&behavior.Law{Kind: behavior.Condition}).True() }
	for _, row := range []struct {
		name  string
		model func(c *choices) string
		want  []string
	}{
		{"nothing to decide", func(*choices) string { return "one" }, []string{"one"}},
		{"two alternatives", func(c *choices) string { return fmt.Sprint(alternative(c, 2)) }, []string{"0", "1"}},
		{"a condition is false first", func(c *choices) string { return fmt.Sprint(condition(c)) }, []string{"false", "true"}},
		{"two decisions", func(c *choices) string { return fmt.Sprint(alternative(c, 2), alternative(c, 3)) },
			[]string{"0 0", "0 1", "0 2", "1 0", "1 1", "1 2"}},
		{"a decision that only one way has", func(c *choices) string {
			if alternative(c, 3) == 1 {
				return fmt.Sprint("1 ", condition(c))
			}
			return "else"
		}, []string{"else", "1 false", "1 true", "else"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for script := []int{}; script != nil; {
				c := &choices{script: script}
				got = append(got, row.model(c))
				if len(got) > 20 {
					break
				}
				script = c.next()
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("walked %q, want %q", got, row.want)
			}
		})
	}
}

// TestReplay: the way that explained an answer is gone again with the same holes,
// and those that the answer has shown are values now.
func TestReplay(t *testing.T) {
	model := func(c *choices) []value.Value {
		id := c.Choose(&behavior.Law{Kind: behavior.UUID})
		way := c.Choose(&behavior.Law{Kind: behavior.Alternative, High: 1})
		return []value.Value{id, way, c.Choose(&behavior.Law{Kind: behavior.Time}), c.Choose(&behavior.Law{Kind: behavior.Unknown})}
	}
	first := &choices{script: []int{1}}
	before := model(first)
	if n := len(first.holes); n != 2 {
		t.Fatalf("%d holes, want 2: what nobody knows is none", n)
	}
	known := map[*hole]value.Value{first.holes[0]: value.String("x")}
	after := model(&choices{script: first.script, replay: first.holes, bound: known})
	if got := after[0]; !value.Equal(got, value.String("x")) {
		t.Errorf("the id is %v, want x", got)
	}
	if !value.Equal(after[1], value.Int(1)) || !value.Equal(before[1], after[1]) {
		t.Errorf("the way is %v, want 1", after[1])
	}
	if after[2].Kind() != value.HoleKind || after[2].Hole() != before[2].Hole() {
		t.Errorf("the time is %v, want the same hole", after[2])
	}
	if after[3].Kind() != value.HoleKind {
		t.Errorf("what nobody knows is %v, want a hole", after[3])
	}
}
