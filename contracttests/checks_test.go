package contracttests

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestChecksAreDocumented holds the table against its page, which is made by
// go test ./contracttests -run ChecksAreDocumented -update.
func TestChecksAreDocumented(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# What findings are about\n\n| code | rule | who says so | elsewhere |\n| --- | --- | --- | --- |\n")
	for _, c := range Checks {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, c.Title, c.Source, c.Like)
	}
	const file = "testdata/checks.md"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is not what the table says; run go test ./contracttests -run ChecksAreDocumented -update", file)
	}
}

func TestChecksAreWellFormed(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, c := range Checks {
		switch {
		case !kebab.MatchString(c.Code):
			t.Errorf("%q: want a code in kebab case", c.Code)
		case seen[c.Code]:
			t.Errorf("%s: occurs twice", c.Code)
		case !strings.HasSuffix(c.Title, ".") || strings.ContainsAny(c.Title+c.Source+c.Like, "\n|") || len(c.Title) > 140:
			t.Errorf("%s: the rule is %q; want one line that ends with a full stop", c.Code, c.Title)
		case c.Source == "":
			t.Errorf("%s: has no source", c.Code)
		}
		seen[c.Code] = true
	}
}

// TestChecksOfOthers: each check of Schemathesis has its equivalent.
func TestChecksOfOthers(t *testing.T) {
	for _, name := range []string{
		"not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
		"response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
		"unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
		"max_response_time",
	} {
		if !slices.ContainsFunc(Checks, func(c CheckKind) bool {
			return slices.Contains(strings.FieldsFunc(c.Like, func(r rune) bool { return r == ' ' || r == ',' }), name)
		}) {
			t.Errorf("no check is like %s", name)
		}
	}
}

// known is whether the table has a code.
func known(code string) bool {
	return slices.ContainsFunc(Checks, func(c CheckKind) bool { return c.Code == code })
}
