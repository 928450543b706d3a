package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/openapi"
)

// mostDocument is the largest document that is read, in bytes.
const mostDocument = 64 << 20

// document is an API that a command line names: one of [openapi.Names], or a
// file.
type document struct {
	name string
	file string // "" for one that comes with understudy
}

// apiName is what can stand in a URL as it is, and in a command line before =.
var apiName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// parseDocument reads "ayra", "shop.yaml" or "shop=specs/openapi.yaml". The name of
// a file's API is that of the file, without what does not fit in a URL.
func parseDocument(arg string) (document, error) {
	if slices.Contains(openapi.Names(), arg) {
		return document{name: arg}, nil
	}
	if name, file, named := strings.Cut(arg, "="); named && !strings.ContainsAny(name, `/\`) {
		switch {
		case !apiName.MatchString(name):
			return document{}, usagef("%s: %q is no name for an API; want letters, digits, dots, dashes and underscores", arg, name)
		case file == "":
			return document{}, usagef("%s: want the file of an OpenAPI document behind the =", arg)
		}
		return document{name, file}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(arg, `./\`):
		return document{}, usagef("unknown API %q; have %s", arg, strings.Join(openapi.Names(), ", "))
	case err == nil && info.IsDir():
		return document{}, usagef("%s: is a directory; want the file of an OpenAPI document", arg)
	}
	base := filepath.Base(arg)
	for _, ext := range []string{".yaml", ".yml", ".json"} {
		base = strings.TrimSuffix(base, ext)
	}
	name := strings.Trim(notInName.ReplaceAllString(base, "-"), "-._")
	if name == "" {
		return document{}, usagef("%s: what is its API called? want name=%s", arg, arg)
	}
	return document{name, arg}, nil
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// load reads a document and the files that are laid over it, and compiles it.
func (d document) load(overlays []string) (*openapi.API, error) {
	s, err := d.source(overlays)
	if err != nil {
		return nil, err
	}
	return openapi.LoadSource(s)
}

// source reads a document and the files that are laid over it.
func (d document) source(overlays []string) (s openapi.Source, err error) {
	s = openapi.Source{Name: d.name, File: d.file}
	if d.file == "" {
		s, err = openapi.BuiltinSource(d.name)
	} else {
		s.Data, err = readDocument(d.file)
	}
	if err != nil {
		return s, err
	}
	for _, file := range overlays {
		data, err := readDocument(file)
		if err != nil {
			return s, err
		}
		s.Overlays = append(s.Overlays, openapi.Source{File: file, Data: data})
	}
	return s, nil
}

// loadDocument loads what an argument names: an API that comes with
// understudy, a file, or name=file.
func loadDocument(arg string, overlays []string) (*openapi.API, error) {
	d, err := parseDocument(arg)
	if err != nil {
		return nil, err
	}
	return d.load(overlays)
}

// readDocument reads a file that is not too large. It need not be a regular one.
func readDocument(file string) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file", file)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: is a directory; want a file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, mostDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostDocument {
		return nil, fmt.Errorf("%s: is larger than %d MiB", file, mostDocument>>20)
	}
	return data, nil
}
