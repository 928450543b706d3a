package contracttests

import "github.com/understudy-dev/understudy/behavior"

// problem is one thing that is wrong with an answer.
type problem struct {
	code, title   string
	expected, got string
	severity      Severity
	rule          *behavior.Rule // nil where the document's own words are contradicted
	pos           behavior.Position
}
