package infer

import (
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"listPets", "list pets"}, {"PostChargesCharge", "post charges charge"}, {"repos/get-by-id", "repos get by id"},
		{"projects_partial_update", "projects partial update"}, {"getHTTPServer", "get http server"}, {"petID", "pet id"}, {"photoIDs", "photo ids"}, {"", ""}, {"__", ""}, {"ünïCode", "ünï code"},
	} {
		if got := strings.Join(words(tt.name), " "); got != tt.want {
			t.Errorf("words(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSingular(t *testing.T) {
	for _, tt := range []struct {
		word, want string
		many       bool
	}{
		{"pets", "pet", true}, {"categories", "category", true}, {"addresses", "address", true}, {"boxes", "box", true}, {"people", "person", true}, {"statuses", "status", true},
		{"status", "status", false}, {"news", "news", false}, {"address", "address", false}, {"class", "class", false}, {"pet", "pet", false}, {"invoices", "invoice", true},
		{"branches", "branch", true}, {"keys", "key", true}, {"movies", "movie", true}, {"", "", false}, {"s", "s", false},
	} {
		if got := singular(tt.word); got != tt.want || plural(tt.word) != tt.many {
			t.Errorf("%q: singular %q, several %t; want %q, %t", tt.word, got, plural(tt.word), tt.want, tt.many)
		}
	}
}

func TestParticiples(t *testing.T) {
	for verb, want := range map[string]string{
		"cancel": "canceled", "archive": "archived", "apply": "applied", "stop": "stopped", "pay": "paid", "close": "closed", "ship": "shipped", "play": "played", "disable": "disabled",
	} {
		if got := participles(verb); !slices.Contains(got, want) {
			t.Errorf("participles(%q) = %q, want %q among them", verb, got, want)
		}
	}
	if !slices.Contains(participles("cancel"), "cancelled") {
		t.Error("the British spelling is missing")
	}
	if participles("") != nil {
		t.Error("no verb has participles")
	}
}

func TestParsePath(t *testing.T) {
	for _, tt := range []struct{ what, path, key, verb, parents string }{
		{"plain", "/a/b", "/a/b", "", ""},
		{"the root", "/", "", "", ""},
		{"a closing slash", "/pets/{id}/", "/pets/{}", "", "Pet"},
		{"a format", "/Accounts/{Sid}.json", "/Accounts/{}", "", "Account"},
		{"a format of a collection", "/Accounts.json", "/Accounts", "", ""},
		{"a verb behind a parameter", "/books/{id}:cancel", "/books/{}", "cancel", "Book"},
		{"a verb behind a name", "/books:batchGet", "/books", "batchGet", ""},
		{"a dotted name", "/users.profile.get", "/profile", "get", ""},
		{"a version is no verb", "/segments/2.0", "/segments/2.0", "", ""},
		{"a key in parentheses", "/Products({ID})/Supplier", "/Products/{}/Supplier", "", "Product"},
		{"a quoted key", "/Customers('{ID}')", "/Customers/{}", "", "Customer"},
		{"two parameters for one", "/repos/{owner}/{repo}", "/repos/{}/{}", "", "Repo"},
		{"two in one segment", "/compare/{base}...{head}", "/compare/{}", "", "Compare"},
		{"a parameter behind a version", "/v2/{tenant}/users", "/v2/{}/users", "", "Tenant"},
		{"a query, as some write it", "/a/b?x=1", "/a/b", "", ""},
		{"a fragment", "/a/b#c", "/a/b", "", ""},
		{"a brace that does not close", "/a/{b", "/a/{b", "", ""},
		{"braces the wrong way round", "/a/}b{", "/a/}b{", "", ""},
	} {
		p := parsePath(tt.path)
		var parents []string
		for _, q := range p.parents(len(p.segs)) {
			parents = append(parents, q.Resource)
		}
		if p.key != tt.key || p.verb != tt.verb || strings.Join(parents, " ") != tt.parents {
			t.Errorf("%s: %s: got %q, verb %q, parents %q; want %q, %q, %q", tt.what, tt.path, p.key, p.verb, parents, tt.key, tt.verb, tt.parents)
		}
	}
}
