package cmd

import (
	"bufio"
	"fmt"
	"io"
	stdlog "log"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/mockserver"
)

// requestLog writes one line per request. Lines are collected for a moment, so
// that a busy server does not wait for its terminal.
type requestLog struct {
	json bool

	mu      sync.Mutex
	w       *bufio.Writer
	pending bool
	closed  bool
	line    []byte
}

// flushAfter is how long a line may wait.
const flushAfter = 20 * time.Millisecond

func newLog(w io.Writer, json bool) *requestLog {
	return &requestLog{json: json, w: bufio.NewWriterSize(w, 64<<10)}
}

// print writes a text at once.
func (l *requestLog) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.WriteString(text)
	_ = l.w.Flush()
}

// listening says where the server is, for programs.
func (l *requestLog) listening(base string, stands []stand) {
	if !l.json {
		l.print("understudy listens at " + base + "\n")
		return
	}
	var names []string
	for _, s := range stands {
		names = append(names, s.Name)
	}
	l.print(value.Object(
		value.Member{Name: "msg", Value: value.String("listening")},
		value.Member{Name: "url", Value: value.String(base)},
		value.Member{Name: "apis", Value: value.Strings(names)},
	).String() + "\n")
}

func (l *requestLog) entry(e mockserver.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.json {
		l.line = appendJSON(l.line[:0], e)
	} else {
		l.line = appendText(l.line[:0], e)
	}
	_, _ = l.w.Write(l.line)
	if !l.pending {
		l.pending = true
		time.AfterFunc(flushAfter, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.pending = false
			_ = l.w.Flush()
		})
	}
}

func (l *requestLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	_ = l.w.Flush()
}

// appendText writes "DELETE /v1/agents/a  409  ayra deleteAgent.agent_has_active_calls  41µs".
func appendText(b []byte, e mockserver.Entry) []byte {
	b = appendPlain(append(append(b, e.Method...), ' '), e.Path)
	b = append(b, "  "...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	switch {
	case e.Rule != nil:
		b = append(append(append(b, "  "...), e.API...), ' ')
		b = append(b, e.Rule.ID...)
		if e.Rule.Refusal {
			b = append(b, " ("...)
			b = append(append(b, e.Rule.Pos.String()...), ')')
		}
	case e.Code != "":
		b = append(append(b, "  understudy "...), e.Code...)
	}
	if e.Note != "" {
		b = appendPlain(append(b, "  "...), e.Note)
	}
	b = append(b, "  "...)
	b = append(b, e.Took.Round(time.Microsecond).String()...)
	return append(b, '\n')
}

// appendPlain writes a text without what could play tricks on a terminal.
func appendPlain(b []byte, s string) []byte {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) < 0 {
		return append(b, s...)
	}
	return append(b, strings.Trim(strconv.QuoteToGraphic(s), `"`)...)
}

func appendJSON(b []byte, e mockserver.Entry) []byte {
	text := func(name, s string) {
		if s != "" {
			b = append(value.AppendString(append(b, ','), name), ':')
			b = value.AppendString(b, s)
		}
	}
	b = append(b, `{"msg":"request"`...)
	text("method", e.Method)
	text("path", e.Path)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(e.Status), 10)
	text("api", e.API)
	if e.Rule != nil {
		text("rule", e.Rule.ID)
		text("at", e.Rule.Pos.String())
	}
	text("code", e.Code)
	text("note", e.Note)
	b = strconv.AppendInt(append(b, `,"us":`...), e.Took.Microseconds(), 10)
	return append(b, "}\n"...)
}

// errorLog is what net/http complains to: of its own faults, not of clients that
// went away.
func errorLog(w io.Writer) *stdlog.Logger {
	return stdlog.New(quiet{w}, "understudy: ", 0)
}

type quiet struct{ w io.Writer }

func (q quiet) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "TLS handshake error") || strings.Contains(string(p), "superfluous") {
		return len(p), nil
	}
	if _, err := fmt.Fprintf(q.w, "%s", p); err != nil {
		return 0, err
	}
	return len(p), nil
}
