package behavior

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A Plan is the compiled behaviour of one document. It never changes.
type Plan struct {
	resources        []*Resource
	operations       []*Operation
	failures         map[string]*FailureSpec
	wordings         map[string]wording
	headers          []chosen
	quotas           []quota
	methodNotAllowed refusal
	pending          []*query
	slots            int // of what belongs to no operation
}

// A Resource is a kind of record that the server keeps.
type Resource struct {
	Name string

	spec     ResourceSpec
	number   int
	id       string
	members  map[string]bool // all that expressions may name
	order    []string        // the same, as documented
	computed map[string]bool // by on-read
	indexes  []index
	unique   []int  // the index of each entry of unique
	among    []expr // of each entry, for fixtures; nil where it needs an operation
	defaults []chosen
	scopes   [][]expr // of each entry of within; nil where it needs an operation
	plan     *Plan

	amongSlots int
}

// An Operation is one operation, compiled.
type Operation struct {
	ID     string
	Method string
	Path   string
	Pos    Position

	spec              *OperationSpec
	plan              *Plan
	slots             int
	writes            bool
	bodyInSteps       bool // there is a "check: body"
	parametersInSteps bool
	steps             []step
	onInvalid         []refusal
	bodyInvalid       refusal
	builtin           [len(builtins)]refusal
	rules             []*Rule
	lookups           []Lookup
}

// A Rule is what decided an answer.
type Rule struct {
	ID        string // operationId.name
	Operation string
	Name      string
	Status    int
	Refusal   bool
	Pos       Position
	Basis     string // stated, documented-elsewhere or assumed
	Cite      string
}

// Operations are the plan's operations, in the order of the spec.
func (p *Plan) Operations() []*Operation { return p.operations }

// Rules are the rules of an operation: its refusals, with those of the built-in
// checks, and its replies.
func (o *Operation) Rules() []*Rule { return o.rules }

// Writes is whether the operation may change state.
func (o *Operation) Writes() bool { return o.writes }

func (p *Plan) resource(name string) *Resource {
	for _, r := range p.resources {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func (p *Plan) resourceNames() string {
	var names []string
	for _, r := range p.resources {
		names = append(names, r.Name)
	}
	return orNone(names)
}

// Resources are the names of the resources, in the order of the spec.
func (p *Plan) Resources() []string {
	var names []string
	for _, r := range p.resources {
		names = append(names, r.Name)
	}
	return names
}

func (r *Resource) member(name string) error {
	if r.members[name] || r.computed[name] {
		return nil
	}
	return fmt.Errorf("%s has no member %q; have %s", r.Name, name, strings.Join(r.order, ", "))
}

// builtins are the failures that the built-in checks use.
const (
	unauthenticated = iota
	badCredentials
	expiredCredentials
	forbidden
	rateLimited
	notAcceptable
	unsupportedMediaType
	tooLarge
	malformed
	invalid
)

// builtins are their names, what each falls back on (-1: the mock answers for
// itself), and the status that it has then.
var builtins = [...]struct {
	name     string
	fallback int
	status   int
}{
	{"unauthenticated", -1, 401},
	{"bad_credentials", unauthenticated, 401},
	{"expired_credentials", badCredentials, 401},
	{"forbidden", -1, 403},
	{"rate_limited", -1, 429},
	{"not_acceptable", -1, 406},
	{"unsupported_media_type", invalid, 415},
	{"too_large", malformed, 413},
	{"malformed", invalid, 400},
	{"invalid", -1, 422},
}

const methodNotAllowedName = "method_not_allowed"

type quota struct {
	name    string
	by      expr
	limit   expr
	window  time.Duration
	headers []chosen
}

type wording struct {
	code, message expr
}

// Compile makes a plan of a spec. The error says, with its place, the first
// thing in the spec that cannot be.
func Compile(spec *Spec) (*Plan, error) {
	p := &Plan{failures: map[string]*FailureSpec{}, wordings: map[string]wording{}}
	for i := range spec.Resources {
		if err := p.addResource(&spec.Resources[i]); err != nil {
			return nil, err
		}
	}
	for i := range spec.Failures {
		p.failures[spec.Failures[i].Name] = &spec.Failures[i]
	}
	c := &compiler{plan: p, extra: map[string]bool{"v": true}}
	for _, w := range spec.Wordings {
		var out wording
		for _, part := range []struct {
			spec *TemplateSpec
			to   *expr
		}{{w.Code, &out.code}, {w.Message, &out.message}} {
			if part.spec == nil {
				continue
			}
			x, _, err := c.template(*part.spec)
			if err != nil {
				return nil, err
			}
			*part.to = x
		}
		p.wordings[w.Key] = out
	}
	c.extra = nil
	var err error
	if p.headers, err = c.headers(spec.Headers); err != nil {
		return nil, err
	}
	for _, q := range spec.Quotas {
		if err := p.addQuota(c, q); err != nil {
			return nil, err
		}
	}
	if f := p.failures[methodNotAllowedName]; f != nil {
		if f.From == nil {
			return nil, errorAt(f.Pos, "failure %s: belongs to no operation, so it needs from: '#/components/responses/…'", methodNotAllowedName)
		}
		r, err := c.failure(f, true)
		if err != nil {
			return nil, err
		}
		p.methodNotAllowed = refusal{r}
	}
	p.slots = max(p.slots, c.slots)
	for _, o := range spec.Operations {
		op, err := p.addOperation(o, spec)
		if err != nil {
			return nil, err
		}
		p.operations = append(p.operations, op)
	}
	p.assignIndexes()
	return p, nil
}

func (p *Plan) addResource(s *ResourceSpec) error {
	if p.resource(s.Name) != nil {
		return errorAt(s.Pos, "the resource %s is declared twice", s.Name)
	}
	r := &Resource{Name: s.Name, plan: p, spec: *s, number: len(p.resources), id: s.ID, members: map[string]bool{}, computed: map[string]bool{}}
	if r.id == "" {
		r.id = "id"
	}
	for _, m := range s.OnRead {
		r.computed[m.Name] = true
	}
	add := func(name string) {
		if !r.members[name] && !r.computed[name] {
			r.members[name] = true
			r.order = append(r.order, name)
		}
	}
	for _, m := range s.Members {
		add(m)
	}
	for _, w := range s.Within {
		add(w.Member)
	}
	for _, h := range s.Hidden {
		add(h)
	}
	if err := r.member(r.id); err != nil {
		return errorAt(s.Pos, "the id of %w", err)
	}
	for _, list := range [][]NamedTemplate{s.Default, s.OnCreate, s.OnUpdate} {
		for _, m := range list {
			if err := r.member(m.Name); err != nil {
				return errorAt(m.Pos, "%w", err)
			}
		}
	}
	c := &compiler{plan: p}
	var err error
	if r.defaults, err = c.chosen(s.Default); err != nil {
		return err
	}
	for _, w := range s.Within {
		var values []expr
		for _, t := range w.Values {
			x, _, _ := c.expression(t) // an error is told where an operation uses it
			values = append(values, x)
		}
		r.scopes = append(r.scopes, values)
	}
	for i := range s.Unique {
		u := &s.Unique[i]
		ix := index{}
		for _, w := range s.Within {
			ix.props = append(ix.props, w.Member)
		}
		if err := c.inRecord(r, func(slot int) error {
			c.record = true
			x, _, err := c.expression(u.By)
			c.record = false
			ix.by, ix.slots = x, c.slots
			if err == nil && slot != 0 {
				err = errorAt(u.Pos, "a unique value cannot be nested")
			}
			return err
		}); err != nil {
			return err
		}
		c.free = 0
		var among expr
		if u.Among != nil {
			_ = c.inRecord(r, func(int) error { among, _, _ = c.expression(*u.Among); return nil })
		}
		r.among, r.amongSlots = append(r.among, among), c.slots
		r.unique = append(r.unique, len(r.indexes))
		r.indexes = append(r.indexes, ix)
		c.free = 0
	}
	p.resources = append(p.resources, r)
	p.slots = max(p.slots, c.slots)
	return nil
}

func (p *Plan) addQuota(c *compiler, s QuotaSpec) error {
	q := quota{name: s.Name, window: time.Duration(s.Window) * time.Millisecond}
	var err error
	if q.by, _, err = c.expression(s.By); err != nil {
		return err
	}
	if q.limit, _, err = c.expression(s.Limit); err != nil {
		return err
	}
	c.extra = map[string]bool{"quota": true}
	q.headers, err = c.headers(s.Headers)
	c.extra = nil
	p.quotas = append(p.quotas, q)
	return err
}

func (p *Plan) addOperation(s *OperationSpec, spec *Spec) (*Operation, error) {
	op := &Operation{ID: s.ID, Method: s.Method, Path: s.Path, Pos: s.Pos, spec: s, plan: p}
	c := &compiler{plan: p, op: s}
	c.rules, c.lookups = &op.rules, &op.lookups
	for i := range builtins {
		if !s.needs(i, spec) {
			continue
		}
		if i == invalid && s.Body == nil && !c.documented(i) {
			continue // perhaps no parameter can be invalid, or each has a failure of its own
		}
		r, err := c.builtin(i)
		if err != nil {
			return nil, err
		}
		op.builtin[i] = r
	}
	for _, list := range s.OnInvalid {
		r, err := c.refusal(list)
		if err != nil {
			return nil, err
		}
		op.onInvalid = append(op.onInvalid, r)
	}
	if s.Body != nil {
		var err error
		if op.bodyInvalid, err = c.refusal(s.Body.OnInvalid); err != nil {
			return nil, err
		}
	}
	steps := s.Steps
	if len(steps) == 0 {
		steps = []StepSpec{s.stateless()}
	}
	op.bodyInSteps = checks(steps, "body")
	op.parametersInSteps = checks(steps, "parameters")
	if at, ok := ends(steps); !ok {
		return nil, errorAt(at, "the steps of %s end without a reply; want a last step like \"reply: %d\"", s.ID, s.success())
	}
	var err error
	if op.steps, err = c.steps(steps); err != nil {
		return nil, err
	}
	op.writes = writes(steps)
	op.slots = c.slots
	return op, nil
}

// needs is whether a built-in check can refuse a call of this operation.
func (s *OperationSpec) needs(builtin int, spec *Spec) bool {
	switch builtin {
	case unauthenticated, badCredentials, expiredCredentials:
		return !s.Open && (s.Challenge != "" || s.documents(401))
	case forbidden:
		return len(s.Scopes) > 0
	case rateLimited:
		return len(spec.Quotas) > 0
	case unsupportedMediaType, tooLarge, malformed:
		return s.Body != nil
	case invalid:
		if s.Body != nil {
			return true
		}
		for _, list := range s.Parameters {
			if len(list) > 0 {
				return true
			}
		}
		return false
	}
	return true
}

func (s *OperationSpec) documents(status int) bool { return findResponse(s.Responses, status) != nil }

// success is the lowest documented 2xx status, else 200.
func (s *OperationSpec) success() int {
	best := 0
	for _, r := range s.Responses {
		n, err := strconv.Atoi(r.Status)
		if err != nil && strings.EqualFold(r.Status, "2XX") {
			n = 200
		}
		if n >= 200 && n < 300 && (best == 0 || n < best) {
			best = n
		}
	}
	if best == 0 {
		return 200
	}
	return best
}

// stateless is the only step of an operation that has none.
func (s *OperationSpec) stateless() StepSpec {
	return StepSpec{Kind: Reply, Pos: s.Pos, Status: s.success(), Rule: "example", Basis: "assumed"}
}

// checks is whether one of the steps is that check.
func checks(steps []StepSpec, what string) bool {
	return slices.ContainsFunc(steps, func(s StepSpec) bool {
		return s.Kind == Check && s.Target == what || slices.ContainsFunc(s.Branches, func(b []StepSpec) bool { return checks(b, what) })
	})
}

func writes(steps []StepSpec) bool {
	return slices.ContainsFunc(steps, func(s StepSpec) bool {
		switch s.Kind {
		case Create, Update, Delete, Clear, After:
			return true
		}
		return slices.ContainsFunc(s.Branches, writes)
	})
}

// ends is whether the steps surely answer, and the place of the last one.
func ends(steps []StepSpec) (Position, bool) {
	last := steps[len(steps)-1]
	switch last.Kind {
	case Reply, Refuse:
		return last.Pos, last.When == nil
	case OneOf:
		for _, b := range last.Branches {
			if len(b) == 0 {
				return last.Pos, false
			}
			if at, ok := ends(b); !ok {
				return at, false
			}
		}
		return last.Pos, len(last.Branches) > 0 && last.When == nil
	}
	return last.Pos, false
}

func findResponse(list []ResponseSpec, status int) *ResponseSpec {
	exact, class := strconv.Itoa(status), strconv.Itoa(status/100)+"XX"
	for _, want := range []string{exact, class, "default"} {
		for i := range list {
			if strings.EqualFold(list[i].Status, want) {
				return &list[i]
			}
		}
	}
	return nil
}

// assignIndexes gives each query its index, at last: one that needs no order
// takes whatever is there.
func (p *Plan) assignIndexes() {
	for _, q := range p.pending {
		if !q.anyOrder {
			q.index = q.res.indexOn(q.props, q.sort)
		}
	}
	for _, q := range p.pending {
		if !q.anyOrder {
			continue
		}
		q.index = -1
		for i, ix := range q.res.indexes {
			if ix.by == nil && slices.Equal(ix.props, q.props) {
				q.index = i
				break
			}
		}
		if q.index < 0 {
			q.index = q.res.indexOn(q.props, nil)
		}
	}
	p.pending = nil
}

// seal makes a value ready to be kept and sent. Hidden members stand last, as a
// rule, so that what is sent is a part of what is kept.
func (r *Resource) seal(v value.Value) value.Value {
	members := v.Members()
	n := len(members)
	for n > 0 && r.Hidden(members[n-1].Name) {
		n--
	}
	if slices.ContainsFunc(members[:n], func(m value.Member) bool { return r.Hidden(m.Name) }) {
		return v.Sent(v.Without(r.spec.Hidden...).Sealed())
	}
	return value.Record(members, n)
}

// Resource is the resource of that name, nil if there is none.
func (p *Plan) Resource(name string) *Resource { return p.resource(name) }

// Members are the members of a kept record that expressions may name, in the
// order in which they are sent.
func (r *Resource) Members() []string { return r.order }

// Hidden is whether a member is kept but never sent.
func (r *Resource) Hidden(member string) bool { return slices.Contains(r.spec.Hidden, member) }

// Computed is whether a member is not kept but computed when it is read.
func (r *Resource) Computed(member string) bool { return r.computed[member] }

// arrange puts the members of a record in the order in which they are sent.
func (r *Resource) arrange(v value.Value) value.Value {
	members := make([]value.Member, 0, v.Len())
	for _, name := range r.order {
		if m := v.Get(name); !m.IsMissing() {
			members = append(members, value.Member{Name: name, Value: m})
		}
	}
	for _, m := range v.Members() {
		if !r.members[m.Name] {
			members = append(members, m)
		}
	}
	return value.Object(members...)
}

// ID is the member that identifies a record.
func (r *Resource) ID() string { return r.id }

// Defaulted is whether a member that nobody gave has a default.
func (r *Resource) Defaulted(member string) bool {
	return slices.ContainsFunc(r.defaults, func(c chosen) bool { return c.name == member })
}
