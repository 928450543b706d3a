package contracttests_test

import (
	"testing"

	"github.com/understudy-dev/understudy/contracttests"
)

// TestRun is how a Go project checks its own server.
func TestRun(t *testing.T) {
	c := config(t, "ayra", nil)
	c.Walk = 50
	contracttests.Run(t, c)
}
