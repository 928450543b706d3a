package contracttests

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
)

// TestVerdicts: each finding is told once, under its rule or under "document".
func TestVerdicts(t *testing.T) {
	r := Result{
		Coverage: Coverage{
			Operations: []Covered{{Name: "get", Times: 3}, {Name: "list"}},
			Rules:      []Covered{{Name: "get.found", Times: 2}, {Name: "get.gone", Why: "no call was found"}, {Name: "list.all", Why: "no call was found"}},
		},
		Findings: []Finding{
			{Code: "rule-status", Operation: "get", Rule: "get.found", Severity: Breach, Pos: behavior.Position{File: "a.yaml", Line: 3, Column: 5}, Got: "200", Expected: "404"},
			{Code: "response-schema", Operation: "get", Severity: Breach},
			{Code: "undeclared-method", Severity: Breach},
		},
	}
	var got []string
	for _, v := range r.verdicts() {
		for _, rule := range v.rules {
			line := v.operation + "/" + rule.name
			for _, f := range rule.findings {
				line += " " + f.Code
			}
			got = append(got, line+" "+rule.skip)
		}
	}
	want := "get/found rule-status |get/gone no call was found|get/document response-schema |list/all no call was found|any operation/document undeclared-method "
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %q\nwant %q", s, want)
	}
	if s := r.Findings[0].String(); !strings.HasPrefix(s, "a.yaml:3:5: rule-status: ") {
		t.Errorf("got %q, want its place first", s)
	}
}
