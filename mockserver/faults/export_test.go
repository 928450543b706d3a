package faults

import (
	"context"
	"time"
)

// SetWait has slow servers call f instead of waiting.
func SetWait(f func(d time.Duration)) { wait = func(_ context.Context, d time.Duration) { f(d) } }

// SetWindow is how long a call waits for another one.
func SetWindow(d time.Duration) { window = d }
