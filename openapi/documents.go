package openapi

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.yaml
var documents embed.FS

// Names are the APIs that come with the project, in order.
func Names() []string {
	entries, err := documents.ReadDir(".")
	if err != nil {
		panic(err) // the files are part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Document is the text of the document of one of [Names].
func Document(name string) ([]byte, error) {
	data, err := documents.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("unknown API %q; have %s", name, strings.Join(Names(), ", "))
	}
	return data, nil
}

// BuiltinSource is the document of one of [Names], to be loaded with overlays.
func BuiltinSource(name string) (Source, error) {
	data, err := Document(name)
	return Source{Name: name, File: "openapi/" + name + ".yaml", Data: data}, err
}

// Builtin loads the document of one of [Names].
func Builtin(name string) (*API, error) {
	s, err := BuiltinSource(name)
	if err != nil {
		return nil, err
	}
	return LoadSource(s)
}
