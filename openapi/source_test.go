package openapi

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
)

const layer = "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions:\n"

// TestLoadSource: overlays are applied in their order, before anything is read,
// and what they say has its place in them.
func TestLoadSource(t *testing.T) {
	doc := "openapi: 3.1.0\ninfo: {title: A}\npaths: {/a: {get: {operationId: a, responses: {'200': {description: ok}, '404': {description: none, content: {text/plain: {example: none}}}}}}}"
	for _, tt := range []struct{ name, first, second, want string }{
		{"both", "- {target: $.info.title, update: B}", "- {target: \"$.info[?@ == 'B']\", update: C}", "C"},
		{"a rule at its place", "- target: $.paths['/a'].get\n  update:\n    x-behavior: [{refuse: {response: 404}, rule: never}, {reply: 200}]", "- {target: $.info, update: {title: one.yaml:6:19}}", "one.yaml:6:19"},
		{"a fault in a rule", "- target: $.paths['/a'].get\n  update: {x-behavior: [{reply: 201}]}", "- {target: $.info, update: {}}", "one.yaml:5:26: a documents no response 201; have 200, 404"},
		{"a fault in the second", "- {target: $.info, update: {}}", "- {target: $.nix, update: {}}", `two.yaml:4:12: the target "$.nix" selects nothing; want one that does, or x-optional: true beside it`},
		{"a second that is no overlay", "- {target: $.info, update: {}}", "- {}", "two.yaml:4:3: an action: has no target; want a JSONPath query such as $.paths['/pets'].get"},
		{"a fault of the document", "- {target: $.info, update: {}}", "- {target: \"$.paths['/a']\", remove: true}", "d.yaml:1:1: the document has no operations"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, err := LoadSource(Source{Name: "x", File: "d.yaml", Data: []byte(doc), Overlays: []Source{
				{File: "one.yaml", Data: []byte(layer + tt.first)}, {File: "two.yaml", Data: []byte(layer + tt.second)},
			}})
			if err != nil {
				fails(t, err, tt.want)
				return
			}
			if api.Title != tt.want || api.Name != "x" || api.File != "d.yaml" {
				t.Errorf("got %q, %s, %s; want %q, x, d.yaml", api.Title, api.Name, api.File, tt.want)
			}
			for _, r := range api.Paths[0].Operations[0].Rules() {
				if r.ID == "a.never" && r.Pos.String() != tt.want {
					t.Errorf("the rule is at %v, want %s", r.Pos, tt.want)
				}
			}
		})
	}
	if _, err := BuiltinSource("nobody"); err == nil {
		t.Error("there is a document of nobody")
	}
	_, err := Load("x", "x.yaml", []byte("overlay: 1.1.0"))
	fails(t, err, "x.yaml:1:1: is an Overlay document, which changes another one; want openapi: 3.0.x or 3.1.x")
}

// TestWithoutBehavior: an operation without rules answers with what is
// documented, a success where there is one.
func TestWithoutBehavior(t *testing.T) {
	for _, tt := range []struct {
		name, responses, want string
	}{
		{"the lowest success with its example", "{'201': {description: b}, '200': {description: a, content: {application/json: {example: {a: 1}}}}}", `200 {"a":1}`},
		{"a named example", "{'200': {description: a, content: {application/json: {examples: {one: {value: 1}, two: {value: 2}}}}}}", `200 1`},
		{"a class", "{2XX: {description: a, content: {application/json: {example: 1}}}}", `200 1`},
		{"the default", "{default: {description: a, content: {application/json: {example: 1}}}, '404': {description: none}}", `200 1`},
		{"no example", "{'200': {description: a, content: {application/json: {}}}}", `200 null`},
		{"no content", "{'204': {description: a}}", `204 `},
		{"no success: the lowest status", "{'404': {description: none}, '302': {description: moved}}", `302 `},
		{"no success, with an example", "{'400': {description: a, content: {application/json: {}, text/plain: {example: no}}}}", `400 "no"`},
		{"no success, without an example", "{'400': {description: a, content: {application/json: {}}}}", `400 null`},
		{"a class that is no success", "{5XX: {description: a}}", `500 `},
		{"nothing final", "{'101': {description: a}}", `200 `},
		{"nothing", "{}", `200 `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, err := Load("x", "x.yaml", []byte("openapi: 3.1.0\npaths: {/a: {get: {responses: "+tt.responses+"}}}"))
			if err != nil {
				t.Fatal(err)
			}
			world, err := api.Plan.NewWorld(behavior.WorldConfig{})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "http://x.test/a", nil)
			out := world.Do(api.Paths[0].Operations[0].Call(r, nil, nil, api.NewCallers(nil), Limits{}, noon))
			body := ""
			if !out.Body.IsMissing() {
				body = out.Body.String()
			}
			if tt.want != strconv.Itoa(out.Status)+" "+body {
				t.Errorf("got %d %s, want %s", out.Status, body, tt.want)
			}
		})
	}
}
