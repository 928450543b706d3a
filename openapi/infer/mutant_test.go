package infer_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/infer"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// TestMutants: a document with faults in it that the loader takes as it is, it
// takes with what was inferred, too.
func TestMutants(t *testing.T) {
	var seeds [][]byte
	corpus := infer.Corpus(t)
	for _, name := range []string{"tracker", "repos", "droplets", "helpdesk", "verbs", "chat"} {
		seeds = append(seeds, corpus[name])
	}
	r := rand.New(rand.NewPCG(1, 2))
	loaded := 0
	for range 40 {
		f, err := tree.Parse("x", seeds[r.IntN(len(seeds))])
		if err != nil {
			t.Fatal(err)
		}
		mutate(r, f.Root)
		text, err := yaml.Marshal(f.Root)
		if err != nil {
			continue
		}
		if _, err := openapi.Load("x", "x", text); err != nil {
			continue
		}
		loaded++
		out, _ := grafted(t, "x", text)
		if _, err := openapi.Load("x", "x", out); err != nil {
			t.Errorf("%v in\n%s", err, out)
		}
	}
	if loaded < 8 {
		t.Errorf("only %d mutants could be loaded", loaded)
	}
}

// mutate changes some nodes of a tree: to another node, without a member, with
// another text.
func mutate(r *rand.Rand, root *yaml.Node) {
	all := nodes(root, nil)
	for range r.IntN(6) + 1 {
		a, b := all[r.IntN(len(all))], all[r.IntN(len(all))]
		switch r.IntN(3) {
		case 0:
			if !slices.Contains(nodes(b, nil), a) {
				*a = *b
			}
		case 1:
			if a.Kind == yaml.MappingNode && len(a.Content) > 1 {
				i := r.IntN(len(a.Content)/2) * 2
				a.Content = slices.Concat(a.Content[:i], a.Content[i+2:])
			}
		case 2:
			if a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode {
				a.Value = b.Value
			}
		}
	}
}

func nodes(n *yaml.Node, out []*yaml.Node) []*yaml.Node {
	out = append(out, n)
	for _, c := range n.Content {
		out = nodes(c, out)
	}
	return out
}
