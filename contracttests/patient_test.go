package contracttests

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// answering gives one answer after the other, the last one for ever.
type answering struct {
	answers []*Response
	calls   int
}

func (s *answering) Send(_ context.Context, r Request) Exchange {
	x := Exchange{Request: r, Response: s.answers[min(s.calls, len(s.answers)-1)], At: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	s.calls++
	return x
}

// answerOf reads "status Header=value Header=value"; _ stands for a space.
func answerOf(s string) *Response {
	r := &Response{Header: http.Header{}}
	for i, word := range strings.Fields(s) {
		if i == 0 {
			_, _ = fmt.Sscan(word, &r.Status)
			continue
		}
		n, v, _ := strings.Cut(word, "=")
		r.Header.Set(n, strings.ReplaceAll(v, "_", " "))
	}
	return r
}

func TestPatient(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers string // divided by ;
		calls   int
		why     string
		want    string // statuses that the caller sees
		waits   string
		spent   bool
	}{
		{"nothing to wait for", "200", 2, "", "200 200", "", false},
		{"seconds", "429 Retry-After=3; 200", 1, "", "200", "3s", false},
		{"twice", "429 Retry-After=3; 429 Retry-After=4; 200", 1, "", "200", "3s 4s", false},
		{"at once", "429 Retry-After=0; 200", 1, "", "200", "0s", false},
		{"a date, by the server's clock", "429 Retry-After=Fri,_01_May_2026_10:00:30_GMT Date=Fri,_01_May_2026_10:00:10_GMT; 200", 1, "", "200", "20s", false},
		{"a date, by our clock", "429 Retry-After=Fri,_01_May_2026_12:00:30_GMT; 200", 1, "", "200", "30s", false},
		{"a date that is over", "429 Retry-After=Fri,_01_May_1998_12:00:30_GMT; 200", 1, "", "200", "0s", false},
		{"a window that ends", "429 X-RateLimit-Reset=1777636810; 200", 1, "", "200", "10s", false},
		{"a 429 that says nothing", "429; 200", 1, "", "200", "5s", false},
		{"503 with Retry-After", "503 Retry-After=2; 200", 1, "", "200", "2s", false},
		{"503 without", "503", 1, "", "503", "", false},
		{"other refusals are answers", "403 Retry-After=2", 1, "", "403", "", false},
		{"a Retry-After that is none", "429 Retry-After=soon; 200", 1, "", "200", "5s", false},
		{"an hour is too long, and then nothing is waited for", "429 Retry-After=3600; 429 Retry-After=1", 2, "", "429 429", "", true},
		{"more seconds than there are", "429 Retry-After=99999999999999999999", 1, "", "429", "", true},
		{"again and again, for three minutes", "429 Retry-After=60", 2, "", "429 429", "1m0s 1m0s 1m0s", true},
		{"who wants to see the limit does not wait", "429 Retry-After=3", 1, whyMetered, "429", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &answering{}
			for a := range strings.SplitSeq(tt.answers, ";") {
				s.answers = append(s.answers, answerOf(a))
			}
			var waits, got []string
			p := patient(s, func(_ context.Context, d time.Duration) error {
				waits = append(waits, d.String())
				return nil
			})
			for range tt.calls {
				got = append(got, fmt.Sprint(p.Send(context.Background(), Request{Operation: "op", Why: tt.why}).Response.Status))
			}
			if strings.Join(got, " ") != tt.want || strings.Join(waits, " ") != tt.waits {
				t.Errorf("got %v after %v, want %s after %s", got, waits, tt.want, tt.waits)
			}
			refused, spent := p.take()
			if (spent != "") != tt.spent || len(refused) != len(waits) || p.waits != len(waits) {
				t.Errorf("take: %d answers, %q; want %d, spent: %t", len(refused), spent, len(waits), tt.spent)
			}
			if again, _ := p.take(); len(again) > 0 {
				t.Errorf("take once more: %d answers", len(again))
			}
		})
	}
	p := patient(&answering{answers: []*Response{answerOf("429 Retry-After=3")}}, func(context.Context, time.Duration) error { return errors.New("enough") })
	if x := p.Send(context.Background(), Request{}); x.Response.Status != 429 {
		t.Errorf("stopped while it waits: got %d, want the answer as it is", x.Response.Status)
	}
}

// TestHear: what was waited out is judged, and who is let wait for too long ends.
func TestHear(t *testing.T) {
	api := loadKiosk(t)
	stopped := error(nil)
	r := &run{Config: Config{API: api}, conformance: conformance{api: api}, result: &Result{}, findings: map[string]*Finding{}, stop: func(err error) { stopped = err }}
	p := patient(&answering{answers: []*Response{answerOf("429 Content-Type=application/problem+json"), answerOf("429 Retry-After=3600")}}, func(context.Context, time.Duration) error { return nil })
	p.next.(*answering).answers[0].Body = []byte(`{"title": "slower"}`)
	p.Send(context.Background(), Request{Operation: "listPapers", Method: "GET", Target: "/papers"})
	r.hear(p)
	f := r.findings["retry-after listPapers  observation"]
	if f == nil || len(f.Steps) != 1 || f.Steps[0].Response.Status != 429 {
		t.Errorf("the findings are %v, want the 429 without Retry-After", r.findings)
	}
	if !errors.Is(stopped, errBudget) || !slices.ContainsFunc(r.result.Notes, func(n string) bool { return strings.Contains(n, "1h0m0s") }) {
		t.Errorf("stopped by %v with the notes %q, want the end and why", stopped, r.result.Notes)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Fri, 31 Dec 1999 23:59:59 GMT")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := retryAfter(s, time.Unix(0, 0)); !ok && d != 0 {
			t.Errorf("retryAfter(%q) = %v, but it is none", s, d)
		}
	})
}
