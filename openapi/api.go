// Package openapi reads OpenAPI documents with their behaviour extensions. It
// compiles a document, once, to an [API]: a router, decoders and validators for
// requests, and the [behavior.Plan] that decides. Per request there is one
// straight line: [API.Match], then [Operation.Call].
//
// The documents of the four APIs that come with the project are embedded; see
// [Names] and [Builtin].
package openapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/overlay"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/route"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// An API is a compiled document. It never changes.
type API struct {
	Name    string // short, for prefixes and messages
	File    string // as errors print it
	Title   string
	Version string
	Plan    *behavior.Plan
	Paths   []*Path // in the order of the document

	// Hosts are the names of the servers that the document lists; BasePaths
	// their paths, without the empty one, longest first.
	Hosts     []string
	BasePaths []string

	// RedirectSlash is the status that redirects to the documented spelling
	// of a path that differs by its closing slash. 0 means that such a path
	// does not exist.
	RedirectSlash int

	schemes   []authScheme
	router    route.Router
	resources map[string]*schema.Schema
}

// A Path is one path of the document.
type Path struct {
	Template   string
	Names      []string // of its parameters, in order
	Operations []*Operation
	Allow      string // the methods, for the header of that name
}

// An Operation is one operation of the document.
type Operation struct {
	*behavior.Operation
	API     *API
	Summary string
	Tags    []string

	params   []*param.Param
	members  []int  // how many of params are in path, query, header, cookie
	ignore   []bool // an invalid one counts as not sent
	body     *body
	security []requirement
	produces []string // the media types of its answers

	responses func() []*Response // compiled when first asked for
}

// body is what an operation takes as its request body.
type body struct {
	required bool
	media    []media
}

type media struct {
	typ    string // lower case, without parameters
	json   bool
	schema *schema.Schema
}

// Resource is the schema of one record of a resource, nil if there is none of
// that name.
func (a *API) Resource(name string) *schema.Schema { return a.resources[name] }

// Operation is the operation with that method, nil if the path has none.
func (p *Path) Operation(method string) *Operation {
	for _, o := range p.Operations {
		if o.Method == method {
			return o
		}
	}
	return nil
}

// loader is a document on its way to an API.
type loader struct {
	file            *tree.File
	schemas         *schema.Set
	api             *API
	resourceSchemas map[string]*schema.Schema
}

// A Source is the text of a document, and of the Overlay documents that change
// it before it is read, in that order (package overlay).
type Source struct {
	Name     string // of the API; it is also its path prefix
	File     string // as errors print it
	Data     []byte
	Overlays []Source // of these only File and Data count
}

// Load compiles a document. The errors begin with file:line:column.
func Load(name, file string, data []byte) (*API, error) {
	return LoadSource(Source{Name: name, File: file, Data: data})
}

// LoadSource compiles a document with its overlays. The errors begin with
// file:line:column, of the file in which the fault is written.
func LoadSource(s Source) (*API, error) {
	f, err := s.parse()
	if err != nil {
		return nil, err
	}
	l := &loader{file: f, schemas: schema.NewSet(f), resourceSchemas: map[string]*schema.Schema{}}
	l.api = &API{Name: s.Name, File: s.File, resources: l.resourceSchemas}
	if err := l.load(); err != nil {
		return nil, err
	}
	return l.api, nil
}

// parse is the tree of a document with its overlays applied.
func (s Source) parse() (*tree.File, error) {
	f, err := tree.Parse(s.File, s.Data)
	if err != nil {
		return nil, err
	}
	for _, over := range s.Overlays {
		o, err := overlay.Parse(over.File, over.Data)
		if err != nil {
			return nil, err
		}
		if err := o.Apply(f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (l *loader) load() error {
	root, api := l.file.Root, l.api
	version := tree.Text(root, "openapi")
	if !strings.HasPrefix(version, "3.0.") && !strings.HasPrefix(version, "3.1.") {
		at := tree.Get(root, "openapi")
		switch {
		case at != nil:
		case tree.Get(root, "overlay") != nil:
			return l.file.Errorf(tree.Key(root, "overlay"), "is an Overlay document, which changes another one; want openapi: 3.0.x or 3.1.x")
		default:
			at = root
		}
		return l.file.Errorf(at, "openapi is %q; want 3.0.x or 3.1.x", version)
	}
	api.Title, api.Version = tree.Text(tree.Get(root, "info"), "title"), tree.Text(tree.Get(root, "info"), "version")
	l.servers(tree.Get(root, "servers"))
	if err := l.extensions(root, "the root"); err != nil {
		return err
	}
	if n := tree.Get(root, "x-redirect-slash"); n != nil {
		status, err := l.status(n, n, "x-redirect-slash")
		if err != nil {
			return err
		}
		if status != 301 && status != 302 && status != 307 && status != 308 {
			return l.file.Errorf(n, "x-redirect-slash is %d; want 301, 302, 307 or 308", status)
		}
		api.RedirectSlash = status
	}
	var spec behavior.Spec
	var err error
	if err = l.securitySchemes(); err != nil {
		return err
	}
	if spec.Resources, err = l.resources(tree.Get(root, "x-resources")); err != nil {
		return err
	}
	if spec.Failures, err = l.rootFailures(tree.Get(root, "x-failures")); err != nil {
		return err
	}
	if spec.Wordings, err = l.wordings(tree.Get(root, "x-violations")); err != nil {
		return err
	}
	if n := tree.Get(root, "x-headers"); n != nil {
		if spec.Headers, err = l.members(n); err != nil {
			return err
		}
	}
	if spec.Quotas, err = l.quotas(tree.Get(root, "x-quotas")); err != nil {
		return err
	}
	if err := l.file.Holds(root, "paths", yaml.MappingNode, "paths"); err != nil {
		return err
	}
	operations, ids := []*Operation(nil), map[string]behavior.Position{}
	for k, n := range tree.Pairs(tree.Get(root, "paths")) {
		if strings.HasPrefix(k.Value, "x-") {
			continue
		}
		p, err := l.path(k, n, &spec)
		if err != nil {
			return err
		}
		if err := api.router.Add(p.Template, len(api.Paths)); err != nil {
			return l.file.Errorf(k, "%v", err)
		}
		api.Paths = append(api.Paths, p)
		for _, o := range p.Operations {
			if at, taken := ids[o.ID]; taken {
				return fmt.Errorf("%v: the operationId %s occurs twice (first at %v)", o.Pos, o.ID, at)
			}
			ids[o.ID] = o.Pos
		}
		operations = append(operations, p.Operations...)
	}
	if len(operations) == 0 {
		return l.file.Errorf(root, "the document has no operations")
	}
	if api.Plan, err = behavior.Compile(&spec); err != nil {
		return err
	}
	for i, o := range api.Plan.Operations() {
		operations[i].Operation = o
	}
	return nil
}

// servers reads hosts and base paths. A server that is no URL is left out, as
// are variables without a default.
func (l *loader) servers(n *yaml.Node) {
	for _, s := range tree.Items(n) {
		text := tree.Text(s, "url")
		for k, v := range tree.Pairs(tree.Get(s, "variables")) {
			text = strings.ReplaceAll(text, "{"+k.Value+"}", tree.Text(v, "default"))
		}
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		if h := strings.ToLower(u.Hostname()); h != "" && !slices.Contains(l.api.Hosts, h) {
			l.api.Hosts = append(l.api.Hosts, h)
		}
		if p := strings.TrimSuffix(u.EscapedPath(), "/"); p != "" && !slices.Contains(l.api.BasePaths, p) {
			l.api.BasePaths = append(l.api.BasePaths, p)
		}
	}
	slices.SortFunc(l.api.BasePaths, func(a, b string) int { return len(b) - len(a) })
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (l *loader) path(key, n *yaml.Node, spec *behavior.Spec) (*Path, error) {
	if !strings.HasPrefix(key.Value, "/") {
		return nil, l.file.Errorf(key, "the path %q does not begin with /", key.Value)
	}
	n, err := l.file.Resolve(n)
	if err != nil {
		return nil, err
	}
	if n.Kind != yaml.MappingNode {
		return nil, l.file.Errorf(n, "the path %s is %s; want a mapping of methods", key.Value, tree.Kind(n))
	}
	if err := l.extensions(n, "a path"); err != nil {
		return nil, err
	}
	p := &Path{Template: key.Value, Names: route.Names(key.Value)}
	for k, c := range tree.Pairs(n) {
		if !slices.Contains(methods, k.Value) {
			continue
		}
		op, err := l.operation(p, k, c, n, spec)
		if err != nil {
			return nil, err
		}
		p.Operations = append(p.Operations, op)
	}
	p.Allow = allow(p)
	return p, nil
}

// allow lists the methods of a path: the documented ones, HEAD where GET is,
// and OPTIONS.
func allow(p *Path) string {
	var list []string
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		if p.Operation(m) != nil || m == "OPTIONS" || m == "HEAD" && p.Operation("GET") != nil {
			list = append(list, m)
		}
	}
	return strings.Join(list, ", ")
}

// operation reads one operation into the spec.
func (l *loader) operation(p *Path, key, n, path *yaml.Node, spec *behavior.Spec) (*Operation, error) {
	s := &behavior.OperationSpec{
		ID: tree.Text(n, "operationId"), Pos: l.file.Position(key), Method: strings.ToUpper(key.Value), Path: p.Template,
		Parameters: map[string][]string{},
	}
	if s.ID == "" {
		s.ID = s.Method + " " + p.Template
	}
	if n.Kind != yaml.MappingNode {
		return nil, l.file.Errorf(n, "%s is %s; want a mapping", s.ID, tree.Kind(n))
	}
	if err := l.extensions(n, "an operation"); err != nil {
		return nil, err
	}
	if err := l.file.Holds(n, "responses", yaml.MappingNode, "responses of "+s.ID); err != nil {
		return nil, err
	}
	op := &Operation{API: l.api, Summary: tree.Text(n, "summary"), members: make([]int, 4)}
	var err error
	if op.Tags, err = l.strings(tree.Get(n, "tags"), "tags"); err != nil {
		return nil, err
	}
	if err := l.parameters(op, s, p, path, n); err != nil {
		return nil, err
	}
	if err := l.requestBody(op, s, tree.Get(n, "requestBody")); err != nil {
		return nil, err
	}
	op.responses = l.lazyResponses(tree.Get(n, "responses"))
	for k, c := range tree.Pairs(tree.Get(n, "responses")) {
		if strings.HasPrefix(k.Value, "x-") {
			continue
		}
		r, err := l.response(k.Value, c)
		if err != nil {
			return nil, err
		}
		for _, m := range r.Media {
			if t := baseMedia(m.Type); !slices.Contains(op.produces, t) {
				op.produces = append(op.produces, t)
			}
		}
		s.Responses = append(s.Responses, r)
	}
	if s.Scopes, err = l.strings(tree.Get(n, "x-scopes"), "x-scopes"); err != nil {
		return nil, err
	}
	at := n
	security := tree.Get(n, "security")
	if security == nil {
		at, security = l.file.Root, tree.Get(l.file.Root, "security")
	}
	if err := l.file.Holds(at, "security", yaml.SequenceNode, "security"); err != nil {
		return nil, err
	}
	if op.security, s.Challenge, err = l.requirements(security); err != nil {
		return nil, err
	}
	s.Open = len(op.security) == 0 || slices.ContainsFunc(op.security, func(r requirement) bool { return len(r) == 0 })
	if s.Steps, err = l.steps(tree.Get(n, "x-behavior"), "x-behavior of "+s.ID); err != nil {
		return nil, err
	}
	if len(s.Steps) == 0 {
		withoutSuccess(s)
	}
	spec.Operations = append(spec.Operations, s)
	op.Operation = &behavior.Operation{ID: s.ID, Method: s.Method, Path: s.Path, Pos: s.Pos} // until it is compiled
	return op, nil
}

// withoutSuccess makes an operation that has no steps and documents no success
// answer with the lowest final status that it documents, or with an empty 200
// if there is none: OpenAPI 3.1 lets an operation have no responses.
func withoutSuccess(s *behavior.OperationSpec) {
	best := -1
	var lowest int
	for i, r := range s.Responses {
		n, err := strconv.Atoi(strings.ReplaceAll(strings.ToUpper(r.Status), "XX", "00"))
		switch {
		case r.Status == "default" || n >= 200 && n < 300:
			return
		case err == nil && n >= 300 && n < 600 && (best < 0 || n < lowest):
			best, lowest = i, n
		}
	}
	if best < 0 {
		s.Responses = append(s.Responses, behavior.ResponseSpec{Status: "200", Pos: s.Pos})
		return
	}
	step := behavior.StepSpec{Kind: behavior.Reply, Pos: s.Pos, Status: lowest, Rule: "example", Basis: "assumed"}
	media := s.Responses[best].Media
	if i := slices.IndexFunc(media, func(m behavior.MediaSpec) bool { return len(m.Examples) > 0 }); i >= 0 {
		step.Media = media[i].Type
	} else if len(media) > 0 {
		step.Body = &behavior.TemplateSpec{Pos: s.Pos, Scalar: value.Null}
	}
	s.Steps = []behavior.StepSpec{step}
}

// parameters reads those of the operation and, where it does not override
// them, of the path; sorted by location, else as documented.
func (l *loader) parameters(op *Operation, s *behavior.OperationSpec, p *Path, path, n *yaml.Node) error {
	var list []*param.Param
	for _, parent := range []*yaml.Node{n, path} {
		if err := l.file.Holds(parent, "parameters", yaml.SequenceNode, "parameters of "+s.ID); err != nil {
			return err
		}
		for _, c := range tree.Items(tree.Get(parent, "parameters")) {
			q, err := param.Compile(l.file, l.schemas, c)
			if err != nil {
				return err
			}
			if param.Ignored(q.In, q.Name) || slices.ContainsFunc(list, func(o *param.Param) bool { return o.In == q.In && o.Name == q.Name }) {
				continue
			}
			if q.In == param.InPath && !slices.Contains(p.Names, q.Name) {
				return fmt.Errorf("%v: the path %s has no parameter {%s}", q.Position, p.Template, q.Name)
			}
			list = append(list, q)
		}
	}
	for _, name := range p.Names {
		if !slices.ContainsFunc(list, func(o *param.Param) bool { return o.In == param.InPath && o.Name == name }) {
			return fmt.Errorf("%v: %s does not describe its path parameter %q", s.Pos, s.ID, name)
		}
	}
	slices.SortStableFunc(list, func(a, b *param.Param) int { return int(a.In) - int(b.In) })
	for _, q := range list {
		name := q.Name
		if q.In == param.InHeader {
			name = strings.ToLower(name)
		}
		where := q.In.String()
		s.Parameters[where] = append(s.Parameters[where], name)
		op.members[q.In]++
		if err := l.extensions(q.Node, "a parameter"); err != nil {
			return err
		}
		on := tree.Get(q.Node, "x-on-invalid")
		ignore := on != nil && on.Value == "ignore"
		var failures []behavior.FailureSpec
		if on != nil && !ignore {
			var err error
			if failures, err = l.failures(on, "x-on-invalid of "+q.Name); err != nil {
				return err
			}
		}
		op.ignore = append(op.ignore, ignore)
		s.OnInvalid = append(s.OnInvalid, failures)
	}
	op.params = list
	return nil
}

func (l *loader) requestBody(op *Operation, s *behavior.OperationSpec, n *yaml.Node) error {
	if n == nil {
		return nil
	}
	n, err := l.file.Resolve(n)
	if err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		return l.file.Errorf(n, "the request body of %s is %s; want a mapping", s.ID, tree.Kind(n))
	}
	if err := l.extensions(n, "a request body"); err != nil {
		return err
	}
	if err := l.file.Holds(n, "content", yaml.MappingNode, "content of the body of "+s.ID); err != nil {
		return err
	}
	op.body = &body{required: tree.Text(n, "required") == "true"}
	s.Body = &behavior.BodySpec{}
	if s.Body.OnInvalid, err = l.failures(tree.Get(n, "x-on-invalid"), "x-on-invalid of the body"); err != nil {
		return err
	}
	for k, c := range tree.Pairs(tree.Get(n, "content")) {
		m := media{typ: baseMedia(k.Value)}
		m.json = m.typ == "application/json" || strings.HasSuffix(m.typ, "+json")
		if sn := tree.Get(c, "schema"); sn != nil {
			if m.schema, err = l.schemas.Compile(sn); err != nil {
				return err
			}
		}
		op.body.media = append(op.body.media, m)
		if m.schema == nil || len(s.Body.Members) > 0 {
			continue
		}
		for _, p := range m.schema.Properties() {
			member := behavior.BodyMember{Name: p.Name, Keep: p.Schema.KeepAs(), Default: p.Schema.Default(), ReadOnly: p.Schema.ReadOnly()}
			if member.Keep == "" {
				member.Keep = p.Name
			}
			s.Body.Members = append(s.Body.Members, member)
		}
	}
	return nil
}

// baseMedia is a media type in lower case, without parameters.
func baseMedia(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// Match finds the path of the document that a request path (as it was escaped)
// belongs to. args are the raw texts of its parameters, in buf if they fit.
func (a *API) Match(escaped string, buf []string) (p *Path, args []string, ok bool) {
	id, args, ok := a.router.Match(escaped, buf)
	if !ok {
		return nil, nil, false
	}
	return a.Paths[id], args, true
}

// Describe is one line about an API: "Ayra voice agents 1.0: 8 operations".
func (a *API) Describe() string {
	n := 0
	for _, p := range a.Paths {
		n += len(p.Operations)
	}
	return a.Title + ", " + strconv.Itoa(n) + " operations"
}
