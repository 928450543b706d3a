package faults_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/mockserver/faults"
)

// onWire plays requests on one connection and returns the answers, in short: status,
// media type, what is compressed, length and body.
func onWire(t *testing.T, h http.Handler, requests ...string) []string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(c)
	var out []string
	for _, r := range requests {
		if _, err := io.WriteString(c, strings.ReplaceAll(r, "\n", "\r\n")); err != nil {
			out = append(out, "closed")
			continue
		}
		method, _, _ := strings.Cut(r, " ")
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		for err == nil && resp.StatusCode < 200 {
			resp, err = http.ReadResponse(in, &http.Request{Method: method})
		}
		if err != nil {
			out = append(out, "closed")
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%d %s %s %s", resp.StatusCode, resp.Header.Get("Content-Encoding"), resp.Header.Get("Etag"), body))
	}
	return out
}

const sent = `{"name":"Nora","description":"Asks twice"}`

// shownOnWire are the faults that [TestOnWire] shows.
var shownOnWire = []string{"chunked-body-unread", "expectation-refused", "refused-body-unread", "gzip-broken", "condition-refused"}

// TestOnWire shows faults that only unusual requests show.
func TestOnWire(t *testing.T) {
	caller := serve(t, "futureagi").fix.Callers[0]
	b := serve(t, "futureagi")
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.api.Present(r, caller.Credentials)
	var lines strings.Builder
	_ = r.Header.Write(&lines)
	headers := " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n" + strings.ReplaceAll(lines.String(), "\r\n", "\n")
	get := "GET " + skeptic + headers
	post := "POST /simulate/api/personas/" + headers
	length := "Content-Length: " + strconv.Itoa(len(sent)) + "\n"
	for _, tt := range []struct {
		fault         string
		requests      []string
		sound, faulty string // how the last answer begins
	}{
		{"chunked-body-unread", []string{post + "Transfer-Encoding: chunked\n\n" + fmt.Sprintf("%x\n%s\n0\n\n", len(sent), sent)}, "201", "400"},
		{"expectation-refused", []string{post + "Expect: 100-continue\n" + length + "\n" + sent}, "201", "400"},
		{"refused-body-unread", []string{"PUT " + skeptic + headers + length + "\n" + sent, get + "\n"}, "200", "400"},
		{"gzip-broken", []string{get + "Accept-Encoding: gzip\n\n"}, "200  ", "200 gzip  {"},
		{"condition-refused", []string{get + "If-None-Match: \"v1\"\n\n"}, "200", `412  "v1"`},
		{"condition-refused", []string{get + "If-None-Match: \"v2\"\n\n"}, "200", `200  "v1"`},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			f, err := faults.ByName(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			good := onWire(t, serve(t, "futureagi"), tt.requests...)
			bad := serve(t, "futureagi")
			wrong := onWire(t, f.Wrap(bad.Handler, bad.api), tt.requests...)
			last := len(tt.requests) - 1
			if !strings.HasPrefix(good[last], tt.sound) || !strings.HasPrefix(wrong[last], tt.faulty) {
				t.Errorf("got %.200q without the fault, and %.200q with it; want %q and %q", good, wrong, tt.sound, tt.faulty)
			}
		})
	}
}
