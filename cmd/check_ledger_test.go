package cmd_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/understudy-dev/understudy/cmd"
)

// TestCleanUp removes what a run has left: here one of a server that let nothing be
// deleted while the run lasted.
func TestCleanUp(t *testing.T) {
	var frozen atomic.Bool
	frozen.Store(true)
	mock := ayra(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && frozen.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mock.ServeHTTP(w, r)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "left.jsonl")
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		exit := cmd.Main(append([]string{"check"}, args...), &out, &out)
		return exit, out.String()
	}
	exit, out := run("ayra", "--url", server.URL, "--safe", "--walk", "0", "--only", "createAgent", "--budget", "200", "--ledger", file)
	if exit == 2 || !strings.Contains(out, "of what the run has made is left; this removes it: understudy check --clean-up "+file+" --url "+server.URL) {
		t.Fatalf("exit status %d, want 0 or 1 and what is left:\n%.3000s", exit, out)
	}
	text, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(text, []byte(`{"ledger":1,"api":"ayra","url":"`+server.URL)) || bytes.Contains(text, []byte("sk_live")) {
		t.Fatalf("the ledger (%v) is\n%s", err, text)
	}
	t.Run("while the server deletes nothing", func(t *testing.T) {
		exit, out := run("--clean-up", file, "--url", server.URL)
		if exit != 1 || !strings.Contains(out, ": DELETE /") || !strings.Contains(out, "is answered with 503\n") || !strings.Contains(out, "\n0 removed, 0 gone already, ") ||
			!strings.Contains(out, "is left; "+file+" still lists it") {
			t.Errorf("exit status %d, want 1 and what is left:\n%s", exit, out)
		}
		if now, _ := os.ReadFile(file); !bytes.Equal(now, text) {
			t.Errorf("the ledger has changed to\n%s", now)
		}
	})
	t.Run("on another server", func(t *testing.T) {
		exit, out := run("--clean-up", file, "--url", "http://127.0.0.1:1")
		if exit != 2 || !strings.Contains(out, "the ledger is of "+server.URL+"; want that one") {
			t.Errorf("exit status %d, want 2:\n%s", exit, out)
		}
	})
	frozen.Store(false)
	// One is gone already, and the last line was cut off when the run was killed.
	line := bytes.Split(text, []byte("\n"))[1]
	id := string(line[bytes.Index(line, []byte(`"id":"`))+6:])
	id = id[:strings.IndexByte(id, '"')]
	del(t, server.URL+"/ayra/v1/agents/"+id)
	if err := os.WriteFile(file, append(text, `{"resource":"Ag`...), 0o600); err != nil {
		t.Fatal(err)
	}
	exit, out = run("--clean-up", file, "--url", server.URL+"/")
	if exit != 0 || !strings.Contains(out, " 0 left\n") || !strings.Contains(out, "gone     Agent "+id+"\n") || !strings.Contains(out, "removed  Agent agent_") {
		t.Errorf("exit status %d, want 0 and %s gone:\n%s\nof\n%s", exit, id, out, text)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the ledger is still there (%v)", err)
	}
}

func del(t *testing.T, url string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodDelete, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk_live_abc123xyz789")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE %s: %d", url, res.StatusCode)
	}
}

// TestCleanUpErrors: what is no ledger is not acted upon.
func TestCleanUpErrors(t *testing.T) {
	head := `{"ledger":1,"api":"ayra","url":"http://127.0.0.1:1","began":"2026-04-04T14:00:00Z"}` + "\n"
	for _, tt := range []struct {
		name, text string
		args       []string
		want       string
	}{
		{"an empty file", "", []string{"--url", "http://127.0.0.1:1"}, "is empty; want the ledger of a run"},
		{"another file", "version: 1\n", []string{"--url", "http://127.0.0.1:1"}, ":1:1: is no ledger; want one that understudy check has written"},
		{"a broken line", head + "{\n", []string{"--url", "http://127.0.0.1:1"}, ":2:1: is no line of a ledger: "},
		{"no URL", head, nil, "--url is missing; the ledger is of http://127.0.0.1:1"},
		{"two APIs", head, []string{"ayra", "temujin"}, "check: 2 arguments; "},
		{"nobody there", head, []string{"--url", "http://127.0.0.1:1"}, "http://127.0.0.1:1 cannot be reached: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "l")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			exit := cmd.Main(append([]string{"check", "--clean-up", file}, tt.args...), io.Discard, &out)
			if exit != 2 || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit status %d with %q, want 2 with %q", exit, out.String(), tt.want)
			}
		})
	}
}
