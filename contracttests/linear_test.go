package contracttests

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/understudy-dev/understudy/behavior/value"
)

// historyOf is a history of lines "from-to METHOD target body -> status body", or
// "-> nothing" for no answer. Lines without times are reads that came behind.
func historyOf(t *testing.T, before, lines string) *history {
	t.Helper()
	j := newNotes(t)
	for line := range strings.Lines(before) {
		call, answer, _ := strings.Cut(strings.TrimSpace(line), " -> ")
		if s := said(j, call, answer); s != "" {
			t.Fatalf("%s: got %q, want nothing said", line, s)
		}
	}
	j.habits = habits{}
	h := &history{start: situations(j)}
	now := int64(1000)
	for line := range strings.Lines(lines) {
		e := &event{lane: len(h.events)}
		line = strings.TrimSpace(line)
		if n, _ := fmt.Sscanf(line, "%d-%d ", &e.from, &e.to); n == 2 {
			_, line, _ = strings.Cut(line, " ")
		} else {
			now += 10
			e.from, e.to, e.look = now, now+5, true
		}
		call, answer, _ := strings.Cut(line, " -> ")
		q := strings.SplitN(call, " ", 3)
		e.x.Request = Request{Method: q[0], Target: q[1]}
		if len(q) > 2 {
			e.x.Request.Body, e.x.Request.Header = []byte(q[2]), http.Header{"Content-Type": {"application/json"}}
		}
		if answer != "nothing" {
			status, body, _ := strings.Cut(answer, " ")
			n, _ := value.Number(status).Int()
			e.x.Response = &Response{Status: int(n), Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		}
		a, err := j.ask(&e.x.Request)
		if err != nil || a.op == nil {
			t.Fatalf("%s: %v, want an operation", line, err)
		}
		e.a, e.x.Request.Operation = a, a.op.ID
		h.events = append(h.events, e)
	}
	return h
}

// note1 is what a read shows of the note.
func note1(text string) string {
	return `{"id":"` + n1 + `","made":"2026-01-01T00:00:00Z","text":"` + text + `","state":"new"}`
}

const (
	read1 = "GET /notes/" + n1 + " -> "
	gone1 = "DELETE /notes/" + n1 + " -> "
	put1  = "PUT /notes/" + n1 + " "
	none  = `404 {"code":"not_found","detail":"there is none"}`
)

func TestHistories(t *testing.T) {
	put := func(text, answer string) string { return put1 + `{"text":"` + text + `"} -> ` + answer }
	milk2 := strings.ReplaceAll(strings.Replace(milk, "POST", "0-10 POST", 1), n1, n2)
	for _, tt := range []struct {
		name, lines string
		want        porcupine.CheckResult
	}{
		{"two deletions, of which the first succeeds", "0-10 " + gone1 + "204\n0-10 " + gone1 + none, porcupine.Ok},
		{"two deletions, of which the second succeeds", "0-10 " + gone1 + none + "\n0-10 " + gone1 + "204", porcupine.Ok},
		{"two deletions, and both succeed", "0-10 " + gone1 + "204\n0-10 " + gone1 + "204", porcupine.Illegal},
		{"two deletions, and none succeeds", "0-10 " + gone1 + none + "\n0-10 " + gone1 + none, porcupine.Illegal},
		{"the deletion that fails is over before the other begins", "0-10 " + gone1 + none + "\n11-20 " + gone1 + "204", porcupine.Illegal},
		{"an update before the deletion", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + gone1 + "204\n" + read1 + none, porcupine.Ok},
		{"an update behind the deletion", "0-10 " + put("tea", none) + "\n0-10 " + gone1 + "204\n" + read1 + none, porcupine.Ok},
		{"an update that brings back what was deleted", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + gone1 + "204\n" + read1 + "200 " + note1("tea"), porcupine.Illegal},
		{"of two updates the last one is kept", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + put("rum", "200 "+note1("rum")) + "\n" + read1 + "200 " + note1("tea"), porcupine.Ok},
		{"of two updates neither is kept", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + put("rum", "200 "+note1("rum")) + "\n" + read1 + "200 " + note1("milk"), porcupine.Illegal},
		{"the one that is kept was over before the other began", "0-10 " + put("tea", "200 "+note1("tea")) + "\n11-20 " + put("rum", "200 "+note1("rum")) + "\n" + read1 + "200 " + note1("tea"), porcupine.Illegal},
		{"a rule with two ways, of which each takes one", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + put("rum", "202") + "\n" + read1 + "200 " + strings.Replace(note1("tea"), "new", "waiting", 1), porcupine.Ok},
		{"what has no answer may have been carried out", "0-10 " + gone1 + "nothing\n" + read1 + none, porcupine.Ok},
		{"what has no answer may not have been carried out", "0-10 " + gone1 + "nothing\n" + read1 + "200 " + note1("milk"), porcupine.Ok},
		{"what has no answer may be carried out late", "0-10 " + gone1 + "nothing\n" + read1 + "200 " + note1("milk") + "\n" + read1 + none, porcupine.Ok},
		{"what has no answer is not carried out twice", "0-10 " + gone1 + "nothing\n" + read1 + none + "\n" + read1 + "200 " + note1("milk"), porcupine.Illegal},
		{"what is answered with 500 may have been carried out", "0-10 " + gone1 + "500 {}\n" + read1 + none, porcupine.Ok},
		{"what is answered with 429 was not carried out", "0-10 " + gone1 + "429 {}\n" + read1 + none, porcupine.Illegal},
		{"what is answered with 429 changes nothing", "0-10 " + gone1 + "429 {}\n" + read1 + "200 " + note1("milk"), porcupine.Ok},
		{"of two updates one is turned away because of the other", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + put("rum", "409 {}") + "\n" + read1 + "200 " + note1("tea"), porcupine.Ok},
		{"what was turned away is done all the same", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + put("rum", "409 {}") + "\n" + read1 + "200 " + note1("rum"), porcupine.Illegal},
		{"of what was made without an answer nothing is known", milk2 + "\n0-10 POST /notes {\"text\":\"tea\"} -> nothing\nGET /notes -> 200 []", porcupine.Ok},
		{"what was made is listed, in either order", milk2 + "\nGET /notes -> 200 [" + strings.Replace(note1("milk"), n1, n2, 1) + "," + note1("milk") + "]", porcupine.Ok},
		{"what was made is not listed", milk2 + "\nGET /notes -> 200 [" + note1("milk") + "]", porcupine.Illegal},
		{"a clock that goes back from one call to the next", "0-10 " + put("tea", "200 "+note1("tea")) + "\n0-10 " + milk2[5:] + "\nGET /notes -> 200 [" + note1("tea") + "," +
			strings.Replace(strings.Replace(note1("milk"), n1, n2, 1), "2026-01-01", "2025-12-31", 1) + "]", porcupine.Ok},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := historyOf(t, milk+"\n"+read1+"200 "+note1("milk"), tt.lines)
			got, drawing := h.check()
			if got != tt.want {
				t.Errorf("%s\ngot %s, want %s", tt.lines, got, tt.want)
			}
			if drawn := bytes.Contains(drawing, []byte("<html")) && len(drawing) <= mostDrawing; drawn != (tt.want == porcupine.Illegal) {
				t.Errorf("%s\na drawing of %d bytes; want one if it is illegal", tt.lines, len(drawing))
			}
			explained := false
			orders, all := h.orders()
			for _, o := range orders {
				explained = explained || len(o.end) > 0
			}
			if late := strings.Contains(tt.name, "late"); !late && (!all || explained != (tt.want == porcupine.Ok)) {
				t.Errorf("%s\nan order explains it: %t; want what porcupine says", tt.lines, explained)
			}
		})
	}
}

func TestRaceIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name, lines     string
		rule, want, got string
		events          int
	}{
		{"two deletions", "0-10 " + gone1 + "204\n0-10 " + gone1 + "204\n" + read1 + none, "deleteNote.not_found", "in any order 204, 404", "204, 204", 2},
		{"the second one came later", "0-10 " + gone1 + none + "\n11-20 " + gone1 + "204", "deleteNote.reply", "one of the orders: 1 then 2 → 204, 404", "404, 204", 1},
		{"a lost update", "0-10 " + put1 + `{"text":"tea"} -> 200 ` + note1("tea") + "\n0-10 " + put1 + `{"text":"rum"} -> 200 ` + note1("rum") + "\n" + read1 + "200 " + note1("milk"),
			"changeNote.at_once", `one of the orders: 1 then 2 → 200, 200; then readNote: body.text "rum"; 2 then 1 → 200, 200; then readNote: body.text "tea"`, `200, 200; then readNote: body.text "milk"`, 3},
		{"an answer that shows the other call's doing", "0-10 " + put1 + `{"text":"tea"} -> 200 ` + note1("rum") + "\n0-10 " + put1 + `{"text":"rum"} -> 200 ` + note1("rum"),
			"changeNote.at_once", `in any order 200, 200; in answer 1: body.text "tea"`, `200, 200; in answer 1: body.text "rum"`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := historyOf(t, milk+"\n"+read1+"200 "+note1("milk"), tt.lines)
			p, events := h.race("calls")
			rule := ""
			if p.rule != nil {
				rule = p.rule.ID
			}
			if rule != tt.rule || p.expected != tt.want || p.got != tt.got || events != tt.events || p.severity != Breach || p.code != race {
				t.Errorf("%s\ngot  %s %s: %s, want %s; %d events\nwant %s: %s, want %s; %d events", tt.lines, p.severity, rule, p.got, p.expected, events, tt.rule, tt.got, tt.want, tt.events)
			}
		})
	}
}

// TestHabits: what a server does otherwise when calls come alone, is excused in the
// histories behind.
func TestHabits(t *testing.T) {
	shown := strings.Replace(note1("milk"), `"state":"new"`, `"state":"fresh"`, 1)
	for _, tt := range []struct {
		name, alone string
		lines       string
		want        porcupine.CheckResult
	}{
		{"nothing", "", read1 + "200 " + shown, porcupine.Illegal},
		{"another value", read1 + "200 " + shown, read1 + "200 " + shown, porcupine.Ok},
		{"not in another member", read1 + "200 " + shown, read1 + "200 " + strings.Replace(shown, "milk", "tea", 1), porcupine.Illegal},
		{"not by another rule", read1 + "200 " + shown, "GET /notes -> 200 [" + shown + "]", porcupine.Illegal},
		{"in another element of a list", "GET /notes -> 200 [" + shown + "]", "GET /notes -> 200 [" + shown + "]", porcupine.Ok},
		{"another status of a refusal", strings.ReplaceAll(read1, n1, n2) + `410 {"code":"not_found","detail":"there is none"}`, strings.ReplaceAll(read1, n1, n2) + "410 {}", porcupine.Ok},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := historyOf(t, milk+"\n"+read1+"200 "+note1("milk"), tt.lines)
			before := historyOf(t, milk+"\n"+read1+"200 "+note1("milk"), tt.alone)
			if end := before.start[0].judge.habits.follow(before); len(end) == 0 {
				t.Fatalf("%s: is no habit; want one", tt.alone)
			}
			h.start[0].judge.habits = before.start[0].judge.habits
			if got, _ := h.check(); got != tt.want {
				t.Errorf("%s, behind %s: got %s, want %s", tt.lines, tt.alone, got, tt.want)
			}
		})
	}
	h := historyOf(t, milk, gone1+none)
	if end := h.start[0].judge.habits.follow(h); len(end) > 0 {
		t.Errorf("%s: is a habit; want a refusal where the rule has none to be more", gone1+none)
	}
}

// TestDrawingIsSafe: what a server sends does not become a part of the page that shows it.
func TestDrawingIsSafe(t *testing.T) {
	evil := note1("<img src=x onerror=alert(1)></script>")
	h := historyOf(t, milk+"\n"+read1+"200 "+note1("milk"), "0-10 "+put1+`{"text":"<img src=x onerror=alert(1)></script>"} -> 200 `+evil+"\n0-10 "+gone1+"204\n"+read1+"200 "+evil)
	_, drawing := h.check()
	if !bytes.Contains(drawing, []byte(`\u0026lt;img`)) || bytes.Contains(drawing, []byte("<img")) {
		t.Errorf("got %s, want the record's text escaped", drawing[bytes.Index(drawing, []byte("const data")):])
	}
	for s := range bytes.SplitSeq(drawing, []byte(`"StateDescription":"`)) {
		if state, _, _ := bytes.Cut(s, []byte(`","`)); bytes.Contains(state, []byte(`\u003c`)) && !bytes.HasPrefix(s, []byte("<!doctype")) {
			t.Errorf("got the state %s, want no markup in it", state)
		}
	}
}

func TestPermutations(t *testing.T) {
	for n, want := range []string{"[[]]", "[[0]]", "[[0 1] [1 0]]", "[[0 1 2] [0 2 1] [1 0 2] [1 2 0] [2 0 1] [2 1 0]]"} {
		if got := fmt.Sprint(permutations(n)); got != want {
			t.Errorf("permutations(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestBoundedDrawing(t *testing.T) {
	b := &bounded{room: 5}
	if _, err := b.Write([]byte("1234")); err != nil {
		t.Errorf("4 bytes: got %v, want none", err)
	}
	if _, err := b.Write([]byte("56")); err != errRoom || b.Len() != 4 {
		t.Errorf("2 bytes more: got %v and %d bytes, want %v and 4", err, b.Len(), errRoom)
	}
}
