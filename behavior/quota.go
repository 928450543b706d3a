package behavior

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// quotas counts calls in fixed windows.
type quotas struct {
	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	ends  time.Time
	reset value.Value // ends, in Unix seconds
	used  int64
}

// mostWindows bounds the memory of a server that is called by very many: those
// that have ended are dropped then.
const mostWindows = 10_000

func (q *quotas) reset() {
	q.mu.Lock()
	q.windows = nil
	q.mu.Unlock()
}

// take counts a call and shows its window, with this call in it.
func (q *quotas) take(quota int, by value.Value, length time.Duration, now time.Time) window {
	var buf [64]byte
	key := appendKey(binary.BigEndian.AppendUint32(buf[:0], uint32(quota)), by)
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.windows[string(key)]
	if w == nil {
		if q.windows == nil {
			q.windows = make(map[string]*window)
		}
		if len(q.windows) >= mostWindows {
			for k, old := range q.windows {
				if !old.ends.After(now) {
					delete(q.windows, k)
				}
			}
			if len(q.windows) >= mostWindows {
				clear(q.windows)
			}
		}
		w = new(window)
		q.windows[string(key)] = w
	}
	if !w.ends.After(now) {
		w.used, w.ends = 0, now.Add(length)
		w.reset = value.Int(w.ends.Unix())
	}
	w.used++
	return *w
}
