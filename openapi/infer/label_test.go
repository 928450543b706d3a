package infer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// A labelled document says of its operations what a person thinks that they do.
type labelled struct {
	name   string
	file   *tree.File
	data   []byte
	labels map[string]label
}

// A label is "action Resource id=param parent=Resource"; alternatives stand
// behind |, and what is left out is to be absent.
type label struct{ action, resource, id, parent []string }

func parseLabel(text string) (l label) {
	for i, part := range strings.Fields(text) {
		id, isID := strings.CutPrefix(part, "id=")
		parent, isParent := strings.CutPrefix(part, "parent=")
		switch {
		case i == 0:
			l.action = strings.Split(part, "|")
		case isID:
			l.id = strings.Split(id, "|")
		case isParent:
			l.parent = strings.Split(parent, "|")
		default:
			l.resource = strings.Split(part, "|")
		}
	}
	return l
}

// wrong says what of an operation is not as its label has it.
func (l label) wrong(o *Operation) string {
	var bad []string
	among := func(what, got string, want []string) {
		if !slices.ContainsFunc(want, func(w string) bool { return plain(w) == plain(got) }) {
			bad = append(bad, fmt.Sprintf("%s %q, want %s", what, got, strings.Join(want, "|")))
		}
	}
	if !slices.Contains(l.action, string(o.Action)) {
		bad = append(bad, fmt.Sprintf("action %s, want %s", o.Action, strings.Join(l.action, "|")))
	}
	if o.Action == Stateless {
		return strings.Join(bad, "; ")
	}
	among("resource", o.Resource, l.resource)
	if len(l.action) == 1 || o.IDParam != "" {
		among("id", o.IDParam, orEmpty(l.id))
	}
	parent := ""
	if n := len(o.Parents); n > 0 {
		parent = o.Parents[n-1].Resource
	}
	among("parent", parent, orEmpty(l.parent))
	return strings.Join(bad, "; ")
}

func orEmpty(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

var read = map[string][]labelled{}

// documents are the labelled documents of a folder, read once. Their trees are
// not to be changed.
func documents(t testing.TB, folder string) []labelled {
	t.Helper()
	if read[folder] == nil {
		read[folder] = readDocuments(t, folder)
	}
	return read[folder]
}

func readDocuments(t testing.TB, folder string) []labelled {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "labels", folder, "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no labels in %s: %v", folder, err)
	}
	var out []labelled
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var in struct {
			About, Module, File string
			Labels              map[string]string
			Document            yaml.Node
		}
		if err := yaml.Unmarshal(data, &in); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d := labelled{name: strings.TrimSuffix(filepath.Base(name), ".yaml"), labels: map[string]label{}}
		if in.Module != "" {
			d.data = moduleFile(t, in.Module, in.File)
			if d.data == nil {
				continue
			}
		} else if d.data, err = yaml.Marshal(&in.Document); err != nil {
			t.Fatal(err)
		}
		if d.file, err = tree.Parse(d.name, d.data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for op, text := range in.Labels {
			d.labels[op] = parseLabel(text)
		}
		out = append(out, d)
	}
	return out
}

// moduleFile is a file of a module that the project needs anyway; nil where the
// module is not there.
func moduleFile(t testing.TB, module, file string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil || strings.TrimSpace(string(dir)) == "" {
		t.Logf("the module %s is not there", module)
		return nil
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(file)))
	if err != nil {
		t.Logf("%v", err)
		return nil
	}
	// The parser takes no control characters, though JSON allows some of them.
	return bytes.Map(func(r rune) rune {
		if r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, data)
}

// Corpus is the texts of all labelled documents, by name.
func Corpus(t testing.TB) map[string][]byte {
	out := map[string][]byte{}
	for _, folder := range []string{"tune", "measure"} {
		for _, d := range documents(t, folder) {
			out[d.name] = d.data
		}
	}
	return out
}

// TestLabels compares what is inferred with what people say. The documents in
// measure are not for tuning: what is wrong there is counted, not shown, unless
// the test fails.
func TestLabels(t *testing.T) {
	for _, folder := range []string{"tune", "measure"} {
		t.Run(folder, func(t *testing.T) {
			good, all := 0, 0
			for _, d := range documents(t, folder) {
				have := map[string]*Operation{}
				ops := Classify(d.file)
				for i := range ops {
					have[ops[i].Method+" "+ops[i].Path] = &ops[i]
				}
				right := 0
				var wrong []string
				for op, l := range d.labels {
					o := have[op]
					if o == nil {
						t.Errorf("%s: %s has a label, but the document does not have it", d.name, op)
						continue
					}
					if bad := l.wrong(o); bad != "" {
						wrong = append(wrong, fmt.Sprintf("%s: %s (%s)", op, bad, o.Reason))
						continue
					}
					right++
				}
				good, all = good+right, all+len(d.labels)
				t.Logf("%-12s %3d of %3d right (%.0f %%)", d.name, right, len(d.labels), 100*float64(right)/float64(len(d.labels)))
				if folder == "tune" || os.Getenv("UNDERSTUDY_SHOW_MEASURE") != "" {
					slices.Sort(wrong)
					for _, w := range wrong {
						t.Logf("    %s", w)
					}
				}
			}
			share := 100 * float64(good) / float64(all)
			t.Logf("%s: %d of %d right (%.1f %%)", folder, good, all, share)
			if share < 90 {
				t.Errorf("%s: %.1f %% are right, want at least 90 %%", folder, share)
			}
		})
	}
}
