package cmd

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
)

// terminal is whether somebody looks at what is written there, line by line.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// redraw is how often the line of a progress is written anew.
const redraw = 100 * time.Millisecond

// progress is one line on a terminal that is written again and again. The zero value
// writes nothing.
type progress struct {
	w     io.Writer // nil for nowhere
	color bool
	now   func() time.Time

	mu    sync.Mutex
	parts []contracttests.Progress // by worker
	drawn time.Time
}

// newProgress shows the progress of n workers, if anybody looks.
func newProgress(w io.Writer, n int) *progress {
	p := &progress{parts: make([]contracttests.Progress, n), now: time.Now, color: os.Getenv("NO_COLOR") == ""}
	if terminal(w) {
		p.w = w
	}
	return p
}

// of is told by one worker; nil where nothing is shown.
func (p *progress) of(worker int) func(contracttests.Progress) {
	if p.w == nil {
		return nil
	}
	return func(now contracttests.Progress) {
		p.mu.Lock()
		defer p.mu.Unlock()
		another := p.parts[worker].Phase != now.Phase
		p.parts[worker] = now
		if t := p.now(); another || t.Sub(p.drawn) >= redraw {
			p.drawn = t
			_, _ = io.WriteString(p.w, p.line())
		}
	}
}

// line goes back to the first column, and clears what is right of it.
func (p *progress) line() string {
	requests, findings, phase := 0, 0, ""
	for _, part := range p.parts {
		requests += part.Requests
		findings += part.Findings
		if part.Phase != "" {
			phase = part.Phase
		}
	}
	on, off := "\x1b[1m", "\x1b[0m"
	if !p.color {
		on, off = "", ""
	}
	return fmt.Sprintf("\r%s%s%s  %d requests, %d findings\x1b[K", on, phase, off, requests, findings)
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil {
		_, _ = io.WriteString(p.w, "\r\x1b[K")
	}
}
