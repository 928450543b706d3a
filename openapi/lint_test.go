package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/tree"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// each runs a test for every document that comes with the project.
func each(t *testing.T, do func(t *testing.T, api *openapi.API, file *tree.File)) {
	names := openapi.Names()
	if len(names) != 4 {
		t.Errorf("Names() = %q, want four", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			api, err := openapi.Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			data, err := openapi.Document(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := tree.Parse(api.File, data)
			if err != nil {
				t.Fatal(err)
			}
			do(t, api, file)
		})
	}
}

// foreign reads a document with another implementation.
func foreign(t *testing.T, name string) *openapi3.T {
	t.Helper()
	data, err := openapi.Document(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentsAreValid(t *testing.T) {
	each(t, func(t *testing.T, api *openapi.API, _ *tree.File) {
		doc := foreign(t, api.Name)
		if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation()); err != nil {
			t.Error(err)
		}
		if len(doc.Servers) == 0 || len(api.Hosts) == 0 {
			t.Errorf("servers %v, hosts %v; want some", doc.Servers, api.Hosts)
		}
		ids := 0
		for path, item := range doc.Paths.Map() {
			for method, o := range item.Operations() {
				if o.OperationID == "" || len(o.Tags) == 0 || o.Summary == "" {
					t.Errorf("%s %s: operationId %q, tags %q, summary %q; want all", method, path, o.OperationID, o.Tags, o.Summary)
				}
				ids++
			}
		}
		ours := 0
		for _, p := range api.Paths {
			ours += len(p.Operations)
		}
		if ids != ours || ids == 0 {
			t.Errorf("%d operations, kin-openapi finds %d", ours, ids)
		}
	})
}

// unshown are the responses that have no example. The list only becomes shorter.
var unshown = []string{
	"GET /v1/conversations/{conversation_id}/transcript: 200 text/plain",
	"GET /v1/conversations/{conversation_id}/transcript: 200 text/vtt",
	"GET /v1/conversations/{conversation_id}/transcript: 200 application/x-subrip",
}

// TestExamples: every response with content shows at least one answer by name,
// and kin-openapi finds each as its schema says.
func TestExamples(t *testing.T) {
	each(t, func(t *testing.T, api *openapi.API, _ *tree.File) {
		n := 0
		for path, item := range foreign(t, api.Name).Paths.Map() {
			for method, o := range item.Operations() {
				for status, r := range o.Responses.Map() {
					for typ, media := range r.Value.Content {
						at := fmt.Sprintf("%s %s: %s %s", method, path, status, typ)
						if media.Schema == nil {
							t.Errorf("%s: has no schema", at)
							continue
						}
						if got := len(media.Examples) == 0; got != slices.Contains(unshown, at) {
							t.Errorf("%s: without an example by name: %v, want %v", at, got, !got)
						}
						for name, ex := range media.Examples {
							if err := media.Schema.Value.VisitJSON(plain(t, ex.Value.Value), openapi3.VisitAsResponse(), openapi3.EnableFormatValidation(), openapi3.MultiErrors()); err != nil {
								t.Errorf("%s: example %s: %v", at, name, err)
							}
							n++
						}
					}
				}
			}
		}
		if n < 20 {
			t.Errorf("only %d examples were judged", n)
		}
	})
}

// plain is a value as encoding/json decodes it.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// walk calls do for every key of a tree, with its place, but not for what is
// data: examples, defaults, bodies.
func walk(n *yaml.Node, do func(key, val *yaml.Node)) {
	for k, v := range tree.Pairs(n) {
		do(k, v)
		if !slices.Contains([]string{"example", "examples", "default", "value", "enum", "body", "set"}, k.Value) {
			walk(v, do)
		}
	}
	for _, v := range tree.Items(n) {
		walk(v, do)
	}
}

// TestExtensionsAreDescribed: the documents use no other extensions than those
// that docs/behavior.md lists in its table.
func TestExtensionsAreDescribed(t *testing.T) {
	manual, err := os.ReadFile("../docs/behavior.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for line := range bytes.Lines(manual) {
		if bytes.HasPrefix(line, []byte("| ")) {
			for _, m := range regexp.MustCompile("\\[`(x-[a-z-]+)`\\]").FindAllSubmatch(line, -1) {
				described[string(m[1])] = true
			}
		}
	}
	if len(described) != 12 {
		t.Errorf("docs/behavior.md describes %q, want 12 extensions", slices.Sorted(maps.Keys(described)))
	}
	used := map[string]bool{}
	each(t, func(t *testing.T, _ *openapi.API, file *tree.File) {
		walk(file.Root, func(k, _ *yaml.Node) {
			if strings.HasPrefix(k.Value, "x-") {
				used[k.Value] = true
				if !described[k.Value] {
					t.Errorf("%v: docs/behavior.md does not describe %s", file.Position(k), k.Value)
				}
			}
		})
	})
	for name := range described {
		if !used[name] {
			t.Errorf("no document shows %s", name)
		}
	}
}

// TestBasis: what is documented elsewhere says where, and what is assumed says
// why it has to be.
func TestBasis(t *testing.T) {
	each(t, func(t *testing.T, api *openapi.API, file *tree.File) {
		n := 0
		walk(file.Root, func(_, v *yaml.Node) {
			for _, c := range append([]*yaml.Node{v}, v.Content...) {
				basis := tree.Text(c, "basis")
				if basis == "" || tree.Get(c, "type") != nil {
					continue
				}
				n++
				if basis == "documented-elsewhere" && tree.Text(c, "cite") == "" {
					t.Errorf("%v: basis is %s without cite", file.Position(tree.Key(c, "basis")), basis)
				}
			}
		})
		if n == 0 {
			t.Error("no basis was found")
		}
		for _, r := range rules(api) {
			if r.Basis == "documented-elsewhere" && r.Cite == "" {
				t.Errorf("%v: %s: basis is %s without cite", r.Pos, r.ID, r.Basis)
			}
		}
	})
}

func rules(api *openapi.API) []*behavior.Rule {
	var out []*behavior.Rule
	for _, p := range api.Paths {
		for _, o := range p.Operations {
			out = append(out, o.Rules()...)
		}
	}
	return out
}

func TestRuleNames(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	each(t, func(t *testing.T, api *openapi.API, _ *tree.File) {
		for _, r := range rules(api) {
			if !snake.MatchString(r.Name) || r.ID != r.Operation+"."+r.Name || r.Pos.Line == 0 || r.Status == 0 {
				t.Errorf("%v: rule %s (%s, %d) of %s; want a name in snake case behind the operationId, a place and a status", r.Pos, r.ID, r.Name, r.Status, r.Operation)
			}
		}
	})
}

// TestRulesHaveVectors: testdata/rules-without-vector.txt lists the rules that
// no documented exchange shows. The list may only become shorter.
func TestRulesHaveVectors(t *testing.T) {
	var missing []string
	each(t, func(t *testing.T, api *openapi.API, _ *tree.File) {
		hit := replay(t, api)
		without := map[string]bool{}
		for _, r := range rules(api) {
			if !hit[r.ID] {
				without[api.Name+" "+r.ID] = true
			}
		}
		missing = append(missing, slices.Sorted(maps.Keys(without))...)
	})
	const golden = "testdata/rules-without-vector.txt"
	got := "# Rules that no vector in fixtures shows. Made by go test -run RulesHaveVectors -update; the list only becomes shorter.\n" + strings.Join(missing, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")[1:]
	for _, r := range missing {
		if !slices.Contains(want, r) {
			t.Errorf("no vector shows %s", r)
		}
	}
	for _, r := range want {
		if !slices.Contains(missing, r) {
			t.Errorf("%s is in %s, but a vector shows it or it is gone; run with -update", r, golden)
		}
	}
}

// replay sends every documented exchange of an API, and collects the rules that
// decided.
func replay(t *testing.T, api *openapi.API) map[string]bool {
	fix, err := fixtures.Builtin(api)
	if err != nil {
		t.Fatal(err)
	}
	known, err := fix.Known(api)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := fixtures.Vectors(api)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	clock := func() time.Time { return now }
	now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: fix.Records, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	hit := map[string]bool{}
	server, err := mockserver.New(mockserver.Config{
		APIs:  []mockserver.Served{{API: api, World: world, Callers: known}},
		Clock: clock,
		Log: func(e mockserver.Entry) {
			if e.Rule != nil {
				hit[e.Rule.ID] = true
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/__admin/reset", nil))
		for _, q := range append(slices.Clone(v.Before), v.Request) {
			now = now.Add(q.Advance + time.Millisecond)
			if q.Method == "" {
				continue
			}
			r, err := q.HTTP(api, fix, "http://127.0.0.1")
			if err != nil {
				t.Fatalf("%v: %v", v.Pos, err)
			}
			r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
			server.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	return hit
}
