package cmd

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
)

func TestParseBudget(t *testing.T) {
	for _, tt := range []struct {
		text     string
		requests int
		d        time.Duration
		good     bool
	}{
		{"", 0, 0, true},
		{"2000", 2000, 0, true},
		{"2000 requests", 2000, 0, true},
		{"1 request", 1, 0, true},
		{"30s", 0, 30 * time.Second, true},
		{"2000 requests, 1m30s", 2000, 90 * time.Second, true},
		{"1h,5", 5, time.Hour, true},
		{"2000requests", 0, 0, false},
		{"30 seconds", 0, 0, false},
		{"-5", 0, 0, false},
		{"0s", 0, 0, false},
		{"1s,2s", 0, 0, false},
		{",", 0, 0, false},
	} {
		requests, d, err := parseBudget(tt.text)
		if requests != tt.requests || d != tt.d || (err == nil) != tt.good {
			t.Errorf("parseBudget(%q) = %d, %v, %v; want %d, %v, good %t", tt.text, requests, d, err, tt.requests, tt.d, tt.good)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"createAgent", "createAgent.name_taken", "deleteAgent", "rule-status"}
	for _, tt := range []struct{ word, want string }{
		{"creatAgent", "createAgent"}, {"CREATEAGENT", "createAgent"}, {"*name_token", "createAgent.name_taken"}, {"rule-statsu", "rule-status"}, {"xyzzyxyzzy", ""},
	} {
		got := ""
		if near := nearest(tt.word, names); len(near) > 0 {
			got = near[0]
		}
		if got != tt.want {
			t.Errorf("nearest(%q) begins with %q, want %q", tt.word, got, tt.want)
		}
	}
}

// TestProgress: one line that is written again, at every phase and ten times a second,
// and taken away.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{w: &out, parts: make([]contracttests.Progress, 2), now: func() time.Time { return now }}
	one, two := p.of(0), p.of(1)
	one(contracttests.Progress{Phase: "rules", Requests: 10})
	one(contracttests.Progress{Phase: "rules", Requests: 20}) // too soon
	two(contracttests.Progress{Phase: "rules", Requests: 5, Findings: 1})
	now = now.Add(redraw)
	one(contracttests.Progress{Phase: "rules", Requests: 30})
	p.end()
	const want = "\rrules  10 requests, 0 findings\x1b[K\rrules  25 requests, 1 findings\x1b[K\rrules  35 requests, 1 findings\x1b[K\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if q := newProgress(file, 1); q.of(0) != nil || terminal(&out) {
		t.Error("progress is shown where nobody looks")
	}
}
