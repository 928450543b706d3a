package cmd_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/cmd"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
)

// TestCheckServers checks servers that are not quite our mock.
func TestCheckServers(t *testing.T) {
	mock := ayra(t)
	for _, tt := range []struct {
		name    string
		admin   func(w http.ResponseWriter, resets int64) bool // of /__admin/: whether it answered
		args    []string
		exit    int
		resets  bool
		out     string // in what is printed, on either
		without string
	}{
		{"our own is put back", func(http.ResponseWriter, int64) bool { return false }, nil, 0, true, ": no breaches; ", "ended here"},
		{"a health that says more is that of another stand-in, which is left alone", func(w http.ResponseWriter, _ int64) bool {
			_, _ = io.WriteString(w, `{"status":"healthy","version":"3"}`)
			return true
		}, nil, 0, false, ": no breaches; ", "ended here"},
		{"so is a server that has none", func(w http.ResponseWriter, _ int64) bool {
			w.WriteHeader(http.StatusNotFound)
			return true
		}, nil, 0, false, ": no breaches; ", "ended here"},
		{"one that can be put back no longer has no verdict", func(w http.ResponseWriter, resets int64) bool {
			if resets > 3 {
				w.WriteHeader(http.StatusBadGateway)
			}
			return resets > 3
		}, nil, 2, true, "could not be put back: POST /__admin/reset is answered with 502", ""},
		{"one whose answers take longer than is allowed is slow", func(http.ResponseWriter, int64) bool { return false },
			[]string{"--max-time", "1ns"}, 1, true, "too-slow", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var resets atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/__admin/reset" {
					resets.Add(1)
				}
				if strings.HasPrefix(r.URL.Path, "/__admin/") && tt.admin(w, resets.Load()) {
					return
				}
				// A world for each of them, all in one mock.
				r.Header.Set(mockserver.WorldHeader, strings.ReplaceAll(t.Name(), "/", "."))
				mock.ServeHTTP(w, r)
			}))
			defer server.Close()
			var out bytes.Buffer
			exit := cmd.Main(append([]string{"check", "ayra", "--url", server.URL, "--walk", "0"}, tt.args...), &out, &out)
			if exit != tt.exit || !strings.Contains(out.String(), tt.out) || tt.without != "" && strings.Contains(out.String(), tt.without) {
				t.Errorf("exit status %d, want %d with %q and without %q:\n%.2000s", exit, tt.exit, tt.out, tt.without, out.String())
			}
			if got := resets.Load(); (got > 0) != tt.resets {
				t.Errorf("it was put back %d times; want any: %t", got, tt.resets)
			}
		})
	}
}

func ayra(t *testing.T) http.Handler {
	t.Helper()
	api, err := openapi.Builtin("ayra")
	if err != nil {
		t.Fatal(err)
	}
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	known, err := fix.Known(api)
	if err != nil {
		t.Fatal(err)
	}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	mock, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: api, World: world, Callers: known}}})
	if err != nil {
		t.Fatal(err)
	}
	return mock
}
