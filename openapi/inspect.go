package openapi

import (
	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/infer"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// Inspect says what the operations of a document seem to do, from its paths, schemas
// and responses alone, and writes that as an Overlay: rules for the operations that
// have none. The Overlay is nil where there is nothing to write. Errors begin with
// file:line:column.
func Inspect(s Source) ([]infer.Operation, []byte, error) {
	f, err := s.parse()
	if err != nil {
		return nil, nil, err
	}
	set := schema.NewSet(f)
	data, list, err := infer.Overlay(f, func(n *yaml.Node) bool { _, err := set.Compile(n); return err == nil })
	return list, data, err
}
