package openapi

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// places are the extensions of docs/behavior.md, and where each has an effect.
// Those of schemas are package schema's.
var places = map[string][]string{
	"x-resources":      {"the root"},
	"x-failures":       {"the root"},
	"x-violations":     {"the root"},
	"x-headers":        {"the root"},
	"x-quotas":         {"the root"},
	"x-redirect-slash": {"the root"},
	"x-behavior":       {"an operation"},
	"x-scopes":         {"an operation"},
	"x-on-invalid":     {"a parameter", "a request body"},
}

// extensions checks that n has no extension of ours that would silently be
// without effect: misspelt, or in the wrong place. Other people's are theirs.
func (l *loader) extensions(n *yaml.Node, place string) error {
	for k := range tree.Pairs(n) {
		if !strings.HasPrefix(k.Value, "x-") {
			continue
		}
		if at, ours := places[k.Value]; ours {
			if !slices.Contains(at, place) {
				return l.file.Errorf(k, "%s is without effect at %s; want it at %s", k.Value, place, strings.Join(at, " or "))
			}
			continue
		}
		for _, want := range slices.Sorted(maps.Keys(places)) {
			if alike(k.Value, want) {
				return l.file.Errorf(k, "%s is unknown; want %s", k.Value, want)
			}
		}
	}
	return nil
}

// alike is whether a name is probably meant to be want: the same but for case,
// dashes and one letter, or two in a long name.
func alike(name, want string) bool {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
	}
	name, want = plain(name), plain(want)
	limit := 1
	if len(want) >= len("xbehavior") {
		limit = 2
	}
	return len(name) <= len(want)+limit && distance(name, want) <= limit
}

// distance is how many letters are to be inserted, dropped, changed or swapped
// with the next one to make b of a (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], 1+rows[i-2][j-2])
			}
		}
	}
	return rows[len(a)][len(b)]
}
