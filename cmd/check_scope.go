package cmd

import (
	"path"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/openapi"
)

// checkScope wants each glob of --only and --exclude to mean something.
func checkScope(api *openapi.API, flag string, globs []string) error {
	names := scopeNames(api)
	for _, g := range globs {
		if _, err := path.Match(g, ""); err != nil {
			return usagef("--%s %q: is no pattern; want a name, perhaps with * and ?, like createAgent.*", flag, g)
		}
		if slices.ContainsFunc(names, func(n string) bool { ok, _ := path.Match(g, n); return ok }) {
			continue
		}
		near := nearest(g, names)
		if len(near) == 0 {
			return usagef("--%s %q: is no operation, rule or check of %s; have operations like %s", flag, g, api.Name, names[0])
		}
		return usagef("--%s %q: is no operation, rule or check of %s; did you mean %s?", flag, g, api.Name, strings.Join(near, ", "))
	}
	return nil
}

// scopeNames are the operations, rules and checks that there are.
func scopeNames(api *openapi.API) (out []string) {
	for _, p := range api.Paths {
		for _, op := range p.Operations {
			out = append(out, op.ID)
			for _, rule := range op.Rules() {
				if !slices.Contains(out, rule.ID) {
					out = append(out, rule.ID)
				}
			}
		}
	}
	for _, c := range contracttests.Checks {
		out = append(out, c.Code)
	}
	return out
}

// nearest are at most three names that somebody may have meant.
func nearest(word string, names []string) []string {
	plain := strings.ToLower(strings.Trim(word, "*?"))
	type near struct {
		name string
		far  int
	}
	var list []near
	for _, n := range names {
		lower := strings.ToLower(n)
		far := distance(plain, lower)
		if _, rule, two := strings.Cut(lower, "."); two {
			far = min(far, distance(strings.TrimPrefix(plain, "."), rule))
		}
		if plain != "" && (strings.Contains(lower, plain) || strings.Contains(plain, lower)) {
			far = min(far, 1+len(plain)/4)
		}
		if far <= 1+len(plain)/3 {
			list = append(list, near{n, far})
		}
	}
	slices.SortStableFunc(list, func(a, b near) int { return a.far - b.far })
	var out []string
	for _, n := range list[:min(3, len(list))] {
		out = append(out, n.name)
	}
	return out
}

// distance is how many bytes have to be changed, added or left out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
