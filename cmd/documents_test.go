package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManual: the files that docs/overlays.md shows are those of the script
// that runs them.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("../docs/overlays.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/overlay.txtar")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(manual), "```yaml\n")[1:]
	for i, file := range []string{"petstore.yaml", "rules.yaml", "pets.yaml"} {
		if i >= len(blocks) {
			t.Fatalf("docs/overlays.md has %d files", len(blocks))
		}
		text, _, _ := strings.Cut(blocks[i], "```")
		if !strings.Contains(string(script), "-- "+file+" --\n"+text+"-- ") {
			t.Errorf("the script overlay.txtar does not have %s as docs/overlays.md shows it:\n%s", file, text)
		}
	}
}

// TestReadDocument: a file of the largest size is read, a larger one is not, and
// no more is read of it than that.
func TestReadDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(file, bytes.Repeat([]byte("#"), mostDocument), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := readDocument(file); err != nil || len(data) != mostDocument {
		t.Errorf("the largest: %d bytes, %v", len(data), err)
	}
	if err := os.Truncate(file, 1<<40); err != nil {
		t.Skip(err) // the file system has no holes
	}
	if _, err := readDocument(file); err == nil || err.Error() != file+": is larger than 64 MiB" {
		t.Errorf("a larger one: %v", err)
	}
}

// TestLoadDocument: everything that a command line may name is loaded with its
// overlays.
func TestLoadDocument(t *testing.T) {
	dir := t.TempDir()
	shop, over := filepath.Join(dir, "My shop.yaml"), filepath.Join(dir, "over.yaml")
	for file, text := range map[string]string{
		shop: "openapi: 3.0.3\ninfo: {title: Shop}\npaths: {/a: {get: {}}}",
		over: "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions: [{target: $.info.title, update: Changed}]",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		arg, name, title string
		overlays         []string
	}{
		{"ayra", "ayra", "Ayra Voice Agents API", nil},
		{"ayra", "ayra", "Changed", []string{over}},
		{shop, "My-shop", "Shop", nil},
		{"x=" + shop, "x", "Changed", []string{over, over}},
	} {
		api, err := loadDocument(tt.arg, tt.overlays)
		if err != nil {
			t.Errorf("%s: %v", tt.arg, err)
		} else if api.Name != tt.name || api.Title != tt.title {
			t.Errorf("%s with %d overlays: got %s, %q, want %s, %q", tt.arg, len(tt.overlays), api.Name, api.Title, tt.name, tt.title)
		}
	}
	if _, err := loadDocument("nobody", nil); err == nil {
		t.Error("what is not there is loaded")
	}
}
