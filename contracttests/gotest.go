package contracttests

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/openapi"
)

// Run checks a server from a Go test, with one subtest for each operation and, in
// it, for each rule. A breach fails the subtest of its rule with the calls that show
// it; an observation is logged; a rule that no call has reached is skipped with
// the reason. With -short there are no random walks. With -run only the operations
// are called whose subtests it picks.
func Run(t *testing.T, c Config) {
	t.Helper()
	if f := flag.Lookup("test.run"); f != nil && len(c.Only) == 0 && c.API != nil {
		c.Only = picked(f.Value.String(), t.Name(), c.API)
	}
	if testing.Short() && c.Walk == 0 {
		c.Walk = -1
	}
	result, err := c.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range result.verdicts() {
		t.Run(v.operation, func(t *testing.T) {
			for _, rule := range v.rules {
				t.Run(rule.name, func(t *testing.T) { rule.tell(t) })
			}
		})
	}
	for _, n := range result.Notes {
		t.Log(n)
	}
}

// picked are the operations that a pattern for subtests of a test names; none if it
// names the test alone.
func picked(pattern, test string, api *openapi.API) []string {
	parts := strings.Split(pattern, "/")
	depth := strings.Count(test, "/") + 1
	if len(parts) <= depth || parts[depth] == "" {
		return nil
	}
	re, err := regexp.Compile(parts[depth])
	if err != nil {
		return nil
	}
	var out []string
	for _, op := range everyOperation(api) {
		if re.MatchString(op.ID) {
			out = append(out, op.ID)
		}
	}
	return out
}

// operationVerdict is what is said of one operation: by rule, and of the document's
// own words under "document".
type operationVerdict struct {
	operation string
	rules     []ruleVerdict
}

type ruleVerdict struct {
	name     string
	skip     string // why it was not exercised; "" if it was
	findings []*Finding
}

// tell reports a verdict to a test.
func (v *ruleVerdict) tell(t testing.TB) {
	t.Helper()
	for _, f := range v.findings {
		if f.Severity == Breach {
			t.Error(f)
		} else {
			t.Log(f)
		}
	}
	if len(v.findings) == 0 && v.skip != "" {
		t.Skip(v.skip)
	}
}

// verdicts sorts what was found and covered by operation and rule.
func (r *Result) verdicts() []operationVerdict {
	var out []operationVerdict
	index := map[string]int{}
	for _, c := range r.Coverage.Operations {
		index[c.Name] = len(out)
		out = append(out, operationVerdict{operation: c.Name})
	}
	told := map[*Finding]bool{}
	for _, c := range r.Coverage.Rules {
		operation, name, _ := strings.Cut(c.Name, ".")
		i, ok := index[operation]
		if !ok {
			continue
		}
		v := ruleVerdict{name: name, skip: c.Why}
		for k := range r.Findings {
			if f := &r.Findings[k]; f.Rule == c.Name {
				v.findings, told[f] = append(v.findings, f), true
			}
		}
		out[i].rules = append(out[i].rules, v)
	}
	others := map[string][]*Finding{}
	var operations []string // of others, in order
	for k := range r.Findings {
		if f := &r.Findings[k]; !told[f] {
			if others[f.Operation] == nil {
				operations = append(operations, f.Operation)
			}
			others[f.Operation] = append(others[f.Operation], f)
		}
	}
	for _, operation := range operations {
		list := others[operation]
		i, ok := index[operation]
		if !ok {
			i = len(out)
			out = append(out, operationVerdict{operation: "any operation"})
			index[operation] = i
		}
		out[i].rules = append(out[i].rules, ruleVerdict{name: "document", findings: list})
	}
	return out
}

// String is the finding as a test prints it: its place, what was expected, and
// the calls that show it.
func (f *Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s: %s: got %s, want %s", f.Pos, f.Code, f.Title, f.Got, f.Expected)
	if f.Cite != "" {
		fmt.Fprintf(&b, " (%s)", f.Cite)
	}
	for i := range f.Steps {
		fmt.Fprintf(&b, "\n  %d. %s", i+1, f.Steps[i].Curl())
		if res := f.Steps[i].Response; res != nil {
			fmt.Fprintf(&b, "\n     → %d", res.Status)
		}
	}
	return b.String()
}
