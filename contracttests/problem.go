package contracttests

import "github.com/understudy-dev/understudy/behavior"

// problem is one thing that is wrong with an answer.
type problem struct {
	code, title   string
	expected, got string
	severity      Severity
	odd           bool           // the call is one of which no page speaks
	settled       bool           // the picture fits nevertheless
	assumed       bool           // the document only supposes that it is so
	rule          *behavior.Rule // nil where the document's own words are contradicted
	pos           behavior.Position
}
