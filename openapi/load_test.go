package openapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fails checks an error. One that is wanted to end in … may go on.
func fails(t *testing.T, err error, want string) {
	t.Helper()
	got := fmt.Sprint(err)
	start, open := strings.CutSuffix(want, "…")
	if got != want && !(open && strings.HasPrefix(got, start)) {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}

func TestLoadFaults(t *testing.T) {
	load(t, shop) // nothing else is wrong with it
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			api, err := Load("shop", "shop.yaml", []byte(change(t, tt.old, tt.new)))
			fails(t, err, "shop.yaml:"+tt.want)
			if err != nil && api != nil {
				t.Error("there is an API beside the error")
			}
		})
	}
}

// TestLoadWhole has documents in which the fault is the whole.
func TestLoadWhole(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an empty file", "", "is empty"},
		{"a comment", "# soon\n", "is empty"},
		{"a list", "- openapi: 3.0.3", "1:1: is a list; want a mapping"},
		{"a text", "openapi 3.0.3", `1:1: is the scalar "openapi 3.0.3"; want a mapping`},
		{"broken YAML", "openapi: 3.0.3\npaths: {", "2: did not find expected node content"},
		{"two documents", "openapi: 3.0.3\n---\npaths: {}", "2:1: a second document begins; want one"},
		{"no version", "paths: {}", `1:1: openapi is ""; want 3.0.x or 3.1.x`},
		{"a version that is a mapping", "openapi: {}", `1:10: openapi is ""; want 3.0.x or 3.1.x`},
		{"no paths", "openapi: 3.1.0", "1:1: the document has no operations"},
		{"no operations", "openapi: 3.1.0\npaths: {/a: {}}", "1:1: the document has no operations"},
		{"paths as a list", "openapi: 3.1.0\npaths: [/a]", "2:8: paths: is a list; want a mapping"},
		{"failures as a list", "openapi: 3.1.0\nx-failures: [a]\npaths: {/a: {get: {}}}", "2:13: x-failures: is a list; want a mapping"},
		{"an empty x-resources", "openapi: 3.1.0\nx-resources:\npaths: {/a: {get: {}}}", "2:13: x-resources: is empty; want a mapping"},
		{"security schemes as a list", "openapi: 3.1.0\ncomponents: {securitySchemes: [key]}\npaths: {/a: {get: {}}}", "2:31: securitySchemes: is a list; want a mapping"},
		{"responses as a list", "openapi: 3.1.0\npaths: {/a: {get: {responses: [200]}}}", "2:31: responses of GET /a: is a list; want a mapping"},
		{"an operation that is empty", "openapi: 3.1.0\npaths: {/a: {get: }}", "2:19: GET /a is empty; want a mapping"},
		{"a path that is not there", "openapi: 3.1.0\npaths: {/a: {$ref: '#/components/pathItems/a'}}", `2:20: the reference "#/components/pathItems/a" leads nowhere: there is no "components"; have openapi, paths`},
		{"a scheme that refers to itself", "openapi: 3.1.0\npaths: {/a: {get: {}}}\ncomponents: {securitySchemes: {a: {$ref: '#/components/securitySchemes/a'}}}", "3:35: the reference leads back to itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("shop", "x.yaml", []byte(tt.text))
			sep := ":"
			if tt.want == "is empty" {
				sep = ": "
			}
			fails(t, err, "x.yaml"+sep+tt.want)
		})
	}
}

// TestOthersExtensions: only what is near one of ours is taken for it.
func TestOthersExtensions(t *testing.T) {
	for _, name := range []string{"x-internal", "x-logo", "x-code-samples", "x-codeSamples", "x-tag-groups", "x-stainless-retries", "x-badges", "x-header-groups", "x-amazon-apigateway-integration", "x-", "x-webhooks"} {
		for _, at := range []string{"x-logo:", "x-scopes:"} {
			text := change(t, at, name+": {a: 1}\n"+map[string]string{"x-logo:": "x-more:", "x-scopes:": "      x-scopes:"}[at])
			if _, err := Load("shop", "shop.yaml", []byte(text)); err != nil {
				t.Errorf("%s beside %s: %v", name, at, err)
			}
		}
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "xbc", 1}, {"abc", "ab", 1}, {"abc", "axbxc", 2}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got, back := distance(tt.a, tt.b), distance(tt.b, tt.a); got != tt.want || back != got {
			t.Errorf("distance(%q, %q) = %d, back %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}

func TestLoadedAPI(t *testing.T) {
	api := load(t, shop)
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"Name", api.Name, "shop"},
		{"File", api.File, "shop.yaml"},
		{"Title", api.Title, "Shop"},
		{"Version", api.Version, "1"},
		{"Describe", api.Describe(), "Shop, 4 operations"},
		{"Hosts", api.Hosts, []string{"shop.test"}},
		{"BasePaths", api.BasePaths, []string{"/v1"}},
		{"RedirectSlash", api.RedirectSlash, 308},
		{"Schemes", api.Schemes(), []string{"key", "token", "session", "word", "link"}},
		{"Allow of /orders", api.Paths[0].Allow, "GET, HEAD, POST, OPTIONS"},
		{"Allow of /orders/{id}", api.Paths[1].Allow, "PUT, DELETE, OPTIONS"},
		{"Names of /orders/{id}", api.Paths[1].Names, []string{"id"}},
		{"POST /orders/{id}", api.Paths[1].Operation("POST") == nil, true},
		{"Tags", api.Paths[0].Operation("GET").Tags, []string{"orders"}},
		{"ID", api.Paths[0].Operation("GET").ID, "listOrders"},
		{"Pos", api.Paths[0].Operation("GET").Pos.String(), "shop.yaml:35:5"},
		{"Resource", api.Resource("Order") != nil, true},
		{"no Resource", api.Resource("order") == nil, true},
	} {
		if fmt.Sprint(tt.got) != fmt.Sprint(tt.want) {
			t.Errorf("%s = %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestServers(t *testing.T) {
	api := load(t, `openapi: 3.1.0
servers:
  - {url: 'https://API.test:8443/'}
  - {url: 'https://api.test/v1/'}
  - {url: '/v1/deep'}
  - {url: 'https://{region}.test/{v}', variables: {region: {default: eu}, v: {default: v2}}}
  - {url: 'https://{unknown}.test/%zz'}
paths: {/a: {get: {responses: {default: {description: ok}}}}}`)
	if want := []string{"api.test", "eu.test"}; !slices.Equal(api.Hosts, want) {
		t.Errorf("Hosts = %q, want %q", api.Hosts, want)
	}
	if want := []string{"/v1/deep", "/v1", "/v2"}; !slices.Equal(api.BasePaths, want) {
		t.Errorf("BasePaths = %q, want %q", api.BasePaths, want)
	}
}

func TestMatch(t *testing.T) {
	api := load(t, shop)
	for _, tt := range []struct{ path, want string }{
		{"/orders", "/orders []"},
		{"/orders/a%2Fb", "/orders/{id} [a%2Fb]"},
		{"/orders/", "false"},
		{"/orders/a/b", "false"},
		{"", "false"},
		{"/v1/orders", "false"},
	} {
		p, args, ok := api.Match(tt.path, nil)
		got := "false"
		if ok {
			got = fmt.Sprint(p.Template, " ", args)
		}
		if got != tt.want {
			t.Errorf("Match(%q) = %s, want %s", tt.path, got, tt.want)
		}
	}
}

func TestBuiltinUnknown(t *testing.T) {
	_, err := Builtin("nobody")
	fails(t, err, `unknown API "nobody"; have ayra, futureagi, selise-blocks, temujin`)
}
