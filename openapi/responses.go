package openapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Response is one documented answer of an operation. It never changes.
type Response struct {
	Status  string            // as documented: "200", "4XX", "default"
	Pos     behavior.Position // of the status, in the operation
	Media   []ResponseMedia   // in the order of the document; none: it says nothing of a body
	Basis   string            // x-basis: how sure its form is; "" for stated
	Headers []ResponseHeader  // without Content-Type, which OpenAPI has ignored here

	// Err says what of it could not be compiled, and is therefore left out.
	Err error
}

// A ResponseMedia is one media type of a response.
type ResponseMedia struct {
	Type   string         // as documented, perhaps a range such as text/*
	Schema *schema.Schema // nil if there is none
}

// A ResponseHeader is one documented header of a response.
type ResponseHeader struct {
	Name     string
	Required bool
	Schema   *schema.Schema // nil if there is none

	param *param.Param // nil if nothing is said of the value
}

// Violations are what is wrong with the header in an answer that has it.
func (h *ResponseHeader) Violations(header http.Header) []schema.Violation {
	values := header.Values(h.Name)
	if h.param == nil || len(values) == 0 {
		return nil
	}
	if !strings.EqualFold(h.Name, "Set-Cookie") { // the only one that is no list (RFC 9110, section 5.3)
		_, vs := h.param.Decode(&param.Source{Header: header.Values}, nil)
		return vs
	}
	var vs []schema.Violation
	for _, v := range values {
		_, vs = h.param.Decode(&param.Source{Header: func(string) []string { return []string{v} }}, vs)
	}
	return vs
}

// Response is what the document says of answers with a status: of the status
// itself, or else of its range (4XX), or else by default. nil if it says
// nothing. The responses are compiled when the first of them is asked for.
func (o *Operation) Response(status int) *Response {
	if o.responses == nil {
		return nil
	}
	var best *Response
	exact := strconv.Itoa(status)
	for _, r := range o.responses() {
		switch {
		case r.Status == exact:
			return r
		case len(r.Status) == 3 && strings.EqualFold(r.Status[1:], "XX") && r.Status[0] == exact[0]:
			best = r
		case r.Status == "default" && best == nil:
			best = r
		}
	}
	return best
}

// Responses are all documented answers, in the order of the document.
func (o *Operation) Responses() []*Response {
	if o.responses == nil {
		return nil
	}
	return slices.Clone(o.responses())
}

// lazyResponses compiles the responses at n when they are first asked for.
func (l *loader) lazyResponses(n *yaml.Node) func() []*Response {
	file, set := l.file, l.schemas
	return sync.OnceValue(func() []*Response {
		var out []*Response
		for k, c := range tree.Pairs(n) {
			if !strings.HasPrefix(k.Value, "x-") {
				out = append(out, compileResponse(file, set, k, c))
			}
		}
		return out
	})
}

func compileResponse(f *tree.File, set *schema.Set, key, n *yaml.Node) *Response {
	r := &Response{Status: key.Value, Pos: f.Position(key)}
	n, err := f.Resolve(n)
	if err != nil {
		r.Err = err
		return r
	}
	r.Basis = tree.Text(n, "x-basis")
	var errs []error
	for k, m := range tree.Pairs(tree.Get(n, "content")) {
		media := ResponseMedia{Type: k.Value}
		if sn := tree.Get(m, "schema"); sn != nil {
			if media.Schema, err = set.Compile(sn); err != nil {
				errs = append(errs, err)
			}
		}
		r.Media = append(r.Media, media)
	}
	for k, c := range tree.Pairs(tree.Get(n, "headers")) {
		if strings.EqualFold(k.Value, "Content-Type") {
			continue
		}
		h, err := compileHeader(f, set, k.Value, c)
		if err != nil {
			errs = append(errs, err)
		}
		r.Headers = append(r.Headers, h)
	}
	r.Err = errors.Join(errs...)
	return r
}

// compileHeader reads a Header Object: a parameter whose name and place are
// given from outside.
func compileHeader(f *tree.File, set *schema.Set, name string, n *yaml.Node) (ResponseHeader, error) {
	h := ResponseHeader{Name: name}
	n, err := f.Resolve(n)
	if err != nil {
		return h, err
	}
	if n.Kind != yaml.MappingNode {
		return h, f.Errorf(n, "the header %s is %s; want a mapping", name, tree.Kind(n))
	}
	h.Required = tree.Text(n, "required") == "true"
	if tree.Get(n, "schema") == nil && tree.Get(n, "content") == nil {
		return h, nil
	}
	p := *n // the same place, for errors
	p.Content = []*yaml.Node{text("name"), text(name), text("in"), text("header")}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i].Value; k != "name" && k != "in" {
			p.Content = append(p.Content, n.Content[i], n.Content[i+1])
		}
	}
	q, err := param.Compile(f, set, &p)
	if err != nil {
		return h, err // what it returns beside an error is half of one
	}
	h.param, h.Schema = q, q.Schema
	return h, nil
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
