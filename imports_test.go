package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/understudy-dev/understudy"

// arrows says which packages each package may import, besides the standard
// library. These are the arrows of the README's package diagram: to add one,
// change this table in the same commit and say why.
var arrows = map[string][]string{
	".":                    {"cmd"},
	"cmd":                  {"mockserver", "mockserver/faults", "contracttests", "contracttests/report", "fixtures", "openapi", "openapi/infer", "behavior", "behavior/value", "github.com/spf13/cobra"},
	"mockserver":           {"openapi", "behavior", "behavior/value", "github.com/labstack/echo/v4"},
	"mockserver/faults":    {"mockserver", "openapi", "openapi/schema", "behavior", "behavior/value"},
	"contracttests":        {"openapi", "openapi/schema", "openapi/param", "openapi/sample", "openapi/tree", "openapi/overlay", "behavior", "behavior/value", "github.com/anishathalye/porcupine"},
	"contracttests/report": {"contracttests", "behavior"},
	"fixtures":             {"openapi", "openapi/schema", "openapi/tree", "behavior", "behavior/value", "gopkg.in/yaml.v3"},
	"openapi": {"openapi/tree", "openapi/infer", "openapi/overlay", "openapi/schema", "openapi/param", "openapi/route", "behavior", "behavior/value",
		"gopkg.in/yaml.v3"},
	"openapi/param":   {"openapi/tree", "openapi/schema", "openapi/route", "behavior", "behavior/value", "gopkg.in/yaml.v3"},
	"openapi/infer":   {"openapi/tree", "gopkg.in/yaml.v3"},
	"openapi/sample":  {"openapi/schema", "behavior/value"},
	"openapi/schema":  {"openapi/tree", "behavior", "behavior/value", "gopkg.in/yaml.v3", "github.com/dlclark/regexp2"},
	"openapi/overlay": {"openapi/tree", "behavior/value", "gopkg.in/yaml.v3"},
	"openapi/tree":    {"behavior", "behavior/value", "gopkg.in/yaml.v3"},
	"openapi/route":   {},
	"behavior": {"behavior/value", "cel.dev/cel-go/parser", "cel.dev/cel-go/common", "cel.dev/cel-go/common/ast",
		"cel.dev/cel-go/common/operators", "cel.dev/cel-go/common/types", "github.com/tidwall/btree", "golang.org/x/text/cases"},
	"behavior/value": {},
}

// pure are the packages that do no I/O, and impure is what they therefore do
// not import, nor anything below it.
var (
	pure   = []string{"behavior", "behavior/value"}
	impure = []string{"net/http", "os", "io/fs", "io/ioutil", "embed", "syscall", "log", "database/sql"}
)

// TestImports holds the arrows. Test files are free.
func TestImports(t *testing.T) {
	used, files := imports(t)
	for pkg, paths := range used {
		allowed, known := arrows[pkg]
		if !known {
			t.Errorf("package %s (%s): has no line in the table of imports_test.go", pkg, files[pkg])
			continue
		}
		for name, file := range paths {
			if bad := arrow(pkg, name, allowed); bad != "" {
				t.Errorf("%s: package %s imports %s: %s", file, pkg, name, bad)
			}
		}
	}
	for pkg, allowed := range arrows {
		if used[pkg] == nil {
			t.Errorf("the table has a line for %s, which is no package", pkg)
			continue
		}
		for _, name := range allowed {
			if _, ok := used[pkg][name]; !ok {
				t.Errorf("the table lets %s import %s, which it does not; drop the arrow", pkg, name)
			}
		}
	}
}

// arrow says what is wrong with an import; "" if nothing is.
func arrow(pkg, name string, allowed []string) string {
	first, _, _ := strings.Cut(name, "/")
	standard := !strings.Contains(first, ".") && arrows[name] == nil
	switch {
	case name == "C":
		return "want Go only"
	case standard && slices.Contains(pure, pkg) && slices.ContainsFunc(impure, func(p string) bool { return name == p || strings.HasPrefix(name, p+"/") }):
		return "want no I/O here"
	case standard || slices.Contains(allowed, name):
		return ""
	case len(allowed) == 0:
		return "want the standard library only"
	}
	return "want " + strings.Join(allowed, ", ") + " or the standard library"
}

// TestArrow keeps the rule itself from going blind.
func TestArrow(t *testing.T) {
	for _, tt := range []struct {
		name, pkg, path string
		good            bool
	}{
		{"an arrow of the table", "cmd", "mockserver", true},
		{"the standard library", "cmd", "net/http", true},
		{"an arrow upwards", "behavior", "openapi", false},
		{"a package that nobody knows", "mockserver", "fixtures", false},
		{"a library of another package", "openapi", "github.com/labstack/echo/v4", false},
		{"another package of an allowed library", "behavior", "cel.dev/cel-go/cel", false},
		{"HTTP in the pure part", "behavior", "net/http", false},
		{"something below it", "behavior", "net/http/httptest", false},
		{"files in the pure part", "behavior/value", "os", false},
		{"processes, too", "behavior", "os/exec", false},
		{"URLs are only texts", "behavior", "net/url", true},
		{"anything but the standard library at the bottom", "behavior/value", "golang.org/x/text/cases", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := arrow(tt.pkg, tt.path, arrows[tt.pkg]); (got == "") != tt.good {
				t.Errorf("%s imports %s: got %q, want it allowed: %t", tt.pkg, tt.path, got, tt.good)
			}
		})
	}
}

// imports lists what each package of the module imports (paths inside the module
// without its name, each with a file that has it), and one file of each package.
func imports(t *testing.T) (used map[string]map[string]string, files map[string]string) {
	t.Helper()
	used, files = map[string]map[string]string{}, map[string]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name != "." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(file))
		if used[pkg] == nil {
			used[pkg] = map[string]string{}
		}
		files[pkg] = file
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			used[pkg][strings.TrimPrefix(p, module+"/")] = file
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < len(arrows)/2 {
		t.Fatalf("found only the packages %q", slices.Sorted(maps.Keys(used)))
	}
	return used, files
}
