package contracttests

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Baseline lists findings that are known, so that a run fails for new ones only.
type Baseline struct {
	API   string
	Known []KnownFinding
}

// A KnownFinding is one that a baseline lists.
type KnownFinding struct {
	Key   string // as [Finding.Key] has it
	Title string // for readers; "" for none
	Note  string // why it is accepted, written by hand; "" for none
}

// baselineVersion is the only one that there is.
const baselineVersion = "1"

// ParseBaseline reads a baseline, YAML or JSON, strictly. Errors begin with
// file:line:column.
func ParseBaseline(file string, data []byte) (*Baseline, error) {
	f, err := tree.Parse(file, data)
	if err != nil {
		return nil, err
	}
	if err := f.Keys(f.Root, "a baseline", "version", "api", "known"); err != nil {
		return nil, err
	}
	if v := tree.Text(f.Root, "version"); v != baselineVersion {
		at := tree.Get(f.Root, "version")
		if at == nil {
			at = f.Root
		}
		return nil, f.Errorf(at, "the version of the baseline is %q; want %s", v, baselineVersion)
	}
	b := &Baseline{API: tree.Text(f.Root, "api")}
	list := tree.Get(f.Root, "known")
	if list != nil && tree.Kind(list) != "a list" {
		return nil, f.Errorf(list, "known is %s; want a list of findings", tree.Kind(list))
	}
	for _, n := range tree.Items(list) {
		if err := f.Keys(n, "a known finding", "key", "title", "note"); err != nil {
			return nil, err
		}
		k := KnownFinding{Key: tree.Text(n, "key"), Title: tree.Text(n, "title"), Note: tree.Text(n, "note")}
		if k.Key == "" {
			return nil, f.Errorf(n, "a known finding has no key; want that of a report, such as \"rule-status createAgent createAgent.name_taken breach\"")
		}
		if b.has(k.Key) {
			return nil, f.Errorf(n, "the key %q is listed twice", k.Key)
		}
		b.Known = append(b.Known, k)
	}
	return b, nil
}

func (b *Baseline) has(key string) bool {
	return slices.ContainsFunc(b.Known, func(k KnownFinding) bool { return k.Key == key })
}

// Apply marks the findings that are known. The result is what the baseline lists and
// the run has not seen.
func (b *Baseline) Apply(r *Result) (gone []KnownFinding) {
	seen := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		seen[f.Key()] = true
		f.Known = b.has(f.Key())
	}
	for _, k := range b.Known {
		if !seen[k.Key] {
			gone = append(gone, k)
		}
	}
	return gone
}

// Update is the baseline of a result: its findings, with the notes that b has of them,
// and, if all is false, what b lists besides. b may be nil.
func (b *Baseline) Update(r *Result, all bool) *Baseline {
	out := &Baseline{API: r.API}
	for i := range r.Findings {
		f := &r.Findings[i]
		k := KnownFinding{Key: f.Key(), Title: f.Title}
		if b != nil {
			for _, old := range b.Known {
				if old.Key == k.Key {
					k.Note = old.Note
				}
			}
		}
		if !out.has(k.Key) {
			out.Known = append(out.Known, k)
		}
	}
	if b != nil && !all {
		for _, old := range b.Known {
			if !out.has(old.Key) {
				out.Known = append(out.Known, old)
			}
		}
	}
	slices.SortFunc(out.Known, func(x, y KnownFinding) int { return strings.Compare(x.Key, y.Key) })
	return out
}

// Encode writes the baseline, as JSON or as YAML. Equal baselines have equal texts.
func (b *Baseline) Encode(asJSON bool) []byte {
	var out strings.Builder
	if asJSON {
		type known struct {
			Key   string `json:"key"`
			Title string `json:"title,omitempty"`
			Note  string `json:"note,omitempty"`
		}
		list := make([]known, 0, len(b.Known))
		for _, k := range b.Known {
			list = append(list, known(k))
		}
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		_ = e.Encode(map[string]any{"version": 1, "api": b.API, "known": list}) // texts can be encoded
		return []byte(printable(out.String()))
	}
	out.WriteString("# Findings that are known: they do not fail `understudy check --baseline`.\n# A note says why one is accepted; --update-baseline keeps it.\n")
	fmt.Fprintf(&out, "version: %s\napi: %s\n", baselineVersion, quoted(b.API))
	if len(b.Known) == 0 {
		out.WriteString("known: []\n")
		return []byte(out.String())
	}
	out.WriteString("known:\n")
	for _, k := range b.Known {
		fmt.Fprintf(&out, "  - key: %s\n", quoted(k.Key))
		if k.Title != "" {
			fmt.Fprintf(&out, "    title: %s\n", quoted(k.Title))
		}
		if k.Note != "" {
			fmt.Fprintf(&out, "    note: %s\n", quoted(k.Note))
		}
	}
	return []byte(out.String())
}

// quoted is a text as YAML and JSON write it, whatever is in it.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(s, "\uFFFD")) // a text can be encoded
	return printable(strings.TrimSuffix(b.String(), "\n"))
}

// printable is JSON without the characters that YAML 1.2 does not let stand as they
// are (section 5.1): DEL, the C1 controls and what is no character.
func printable(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
