package behavior

import (
	"strconv"

	"github.com/understudy-dev/understudy/behavior/value"
)

// An Outcome is the answer to a call, and what the call changes.
type Outcome struct {
	Status    int
	Headers   []Header
	MediaType string      // of the body; "" if there is none
	Body      value.Value // Missing if there is none; may hold holes
	Rule      *Rule       // what decided; nil where the document says nothing
	Refused   bool        // nothing is kept
	Problem   string      // a code, where the document has no words for the refusal
	Writes    []Write
}

// A Header is one header field of an answer.
type Header struct {
	Name, Value string
}

// Header is the value of the first header with that name, in that spelling.
func (o *Outcome) Header(name string) string {
	for _, h := range o.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// answer is a compiled reply or refusal.
type answer struct {
	status  int
	media   string
	body    expr // nil for none
	set     []assignment
	headers []chosen
	fixed   []Header // the headers, where all are constant
	rule    *Rule
}

// refusal is what is permitted where something is refused: one of several.
type refusal []*answer

func (f *frame) refuse(r refusal) {
	i := 0
	if len(r) > 1 {
		n, _ := f.choose.Choose(&Law{Kind: Alternative, High: int64(len(r) - 1)}).Int()
		i = max(0, min(int(n), len(r)-1))
	}
	f.reply(r[i])
	f.out.Refused = true
}

func (f *frame) reply(a *answer) {
	f.out.Status, f.out.MediaType, f.out.Rule = a.status, a.media, a.rule
	if a.body != nil {
		f.out.Body = assign(f, orNull(a.body(f)), a.set)
	}
	switch {
	case len(f.carried) == 0 && len(a.headers) == 0:
		f.out.Headers = a.fixed
	default:
		f.out.Headers = append(f.carried, a.fixed...)
		for _, h := range a.headers {
			f.out.Headers = f.header(f.out.Headers, h)
		}
	}
}

// header appends a header, unless its value is null, or open.
func (f *frame) header(list []Header, h chosen) []Header {
	if v := h.x(f); !v.IsNull() && v.Kind() != value.HoleKind {
		list = append(list, Header{h.name, textOf(v)})
	}
	return list
}

// builtin compiles a failure of the built-in checks, or what it falls back on.
func (c *compiler) builtin(i int) (refusal, error) {
	for ; i >= 0; i = builtins[i].fallback {
		f := c.plan.failures[builtins[i].name]
		if f == nil {
			continue
		}
		if a := c.made[f]; a != nil {
			return refusal{a}, nil
		}
		a, err := c.failure(f, i <= expiredCredentials)
		if err != nil {
			return nil, err
		}
		if c.made == nil {
			c.made = map[*FailureSpec]*answer{}
		}
		c.made[f] = a
		return refusal{a}, nil
	}
	return nil, nil
}

// documented is whether the operation has the response of a built-in failure.
func (c *compiler) documented(i int) bool {
	for ; i >= 0; i = builtins[i].fallback {
		if f := c.plan.failures[builtins[i].name]; f != nil {
			return f.From != nil || c.op.documents(f.Status)
		}
	}
	return false
}

// refusal compiles what a step refuses with: names of failures, or failures.
func (c *compiler) refusal(list []FailureSpec) (refusal, error) {
	var out refusal
	for i := range list {
		f := &list[i]
		if f.Ref != "" {
			named, ok := c.plan.failures[f.Ref]
			if !ok {
				return nil, errorAt(f.Pos, "there is no failure %q in x-failures; have %s", f.Ref, orNone(c.plan.failureNames()))
			}
			f = named
		}
		a, err := c.failure(f, false)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// failure compiles one failure for the operation.
func (c *compiler) failure(f *FailureSpec, challenge bool) (*answer, error) {
	extra := c.extra
	c.extra = map[string]bool{"violations": true, "violation": true, "missing_scopes": true, "quota": true}
	defer func() { c.extra = extra }()
	response := f.From
	if response == nil && c.op != nil {
		if response = findResponse(c.op.Responses, f.Status); response == nil {
			return nil, errorAt(c.op.Pos, "%s documents no response %d, but its failure %s (%v) answers with it; have %s", c.op.ID, f.Status, failureName(f), f.Pos, statuses(c.op.Responses))
		}
	}
	what := StepSpec{
		Pos: f.Pos, Rule: f.Name, Basis: f.Basis, Cite: f.Cite, Status: f.Status, Example: f.Example, Body: f.Body, Set: f.Set, Headers: f.Headers,
	}
	if what.Rule == "" {
		what.Rule = failureName(f)
	}
	a, err := c.answer(&what, response)
	if err != nil {
		return nil, err
	}
	a.rule.Refusal = true
	if challenge && f.Status == 401 && c.op != nil && c.op.Challenge != "" && !hasHeader(f.Headers, "WWW-Authenticate") {
		a.fixed = append(a.fixed, Header{"Www-Authenticate", c.op.Challenge})
	}
	return a, nil
}

func failureName(f *FailureSpec) string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Example != "":
		return f.Example
	}
	return "refused_" + strconv.Itoa(f.Status)
}

func hasHeader(list []NamedTemplate, name string) bool {
	for _, h := range list {
		if canonical(h.Name) == canonical(name) {
			return true
		}
	}
	return false
}

// canonical writes a header's name as net/http does: Www-Authenticate.
func canonical(name string) string {
	b := []byte(name)
	up := true
	for i, c := range b {
		switch {
		case up && c >= 'a' && c <= 'z':
			b[i] = c - 'a' + 'A'
		case !up && c >= 'A' && c <= 'Z':
			b[i] = c - 'A' + 'a'
		}
		up = c == '-'
	}
	return string(b)
}

// answer compiles a reply or a refusal with a documented response.
func (c *compiler) answer(s *StepSpec, response *ResponseSpec) (*answer, error) {
	a := &answer{status: s.Status, rule: c.rule(s)}
	media := pickMedia(response, s.Media)
	if s.Media != "" && media == nil {
		var have []string
		for _, m := range response.Media {
			have = append(have, m.Type)
		}
		return nil, errorAt(s.Pos, "the response %d documents no media type %s; have %s", s.Status, s.Media, orNone(have))
	}
	switch {
	case s.Body != nil:
		if media == nil {
			return nil, errorAt(s.Body.Pos, "the response %d documents no content, so it has no body", s.Status)
		}
		x, _, err := c.template(*s.Body)
		if err != nil {
			return nil, err
		}
		a.body, a.media = x, media.Type
	case media != nil:
		ex, err := c.example(s, media)
		if err != nil {
			return nil, err
		}
		a.body, a.media = constant(ex.Sealed()), media.Type
	case s.Example != "":
		return nil, errorAt(s.Pos, "the response %d documents no content, so it has no example %q", s.Status, s.Example)
	}
	set, fixed, err := c.assignments(s.Set)
	if err != nil {
		return nil, err
	}
	if a.body == nil && len(set) > 0 {
		return nil, errorAt(s.Pos, "the response %d documents no content, so there is nothing to set", s.Status)
	}
	if fixed && len(set) > 0 && s.Body == nil {
		a.body = constant(assign(nil, a.body(nil), set).Sealed())
		set = nil
	}
	a.set = set
	for _, h := range s.Headers {
		x, fixed, err := c.template(h.TemplateSpec)
		if err != nil {
			return nil, err
		}
		if fixed {
			a.fixed = append(a.fixed, Header{canonical(h.Name), textOf(x(nil))})
		} else {
			a.headers = append(a.headers, chosen{canonical(h.Name), x})
		}
	}
	return a, nil
}

// rule names what a step decides and collects it.
func (c *compiler) rule(s *StepSpec) *Rule {
	r := &Rule{Name: s.Rule, Status: s.Status, Pos: s.Pos, Basis: s.Basis, Cite: s.Cite}
	if r.Name == "" {
		if r.Name = s.Example; r.Name == "" {
			r.Name = "reply"
		}
	}
	if r.Basis == "" {
		r.Basis = "stated"
	}
	r.ID = r.Name
	if c.op != nil {
		r.Operation = c.op.ID
		r.ID = c.op.ID + "." + r.Name
	}
	if c.rules != nil {
		*c.rules = append(*c.rules, r)
	}
	return r
}

// pickMedia is the media type of a response: the one asked for, else JSON, else
// the first; nil if the response has no content.
func pickMedia(r *ResponseSpec, want string) *MediaSpec {
	if r == nil {
		return nil
	}
	for i := range r.Media {
		if m := &r.Media[i]; want != "" && m.Type == want || want == "" && isJSON(m.Type) {
			return m
		}
	}
	if want != "" || len(r.Media) == 0 {
		return nil
	}
	return &r.Media[0]
}

func isJSON(media string) bool {
	for i := range media {
		if media[i] == ';' {
			media = media[:i]
			break
		}
	}
	n := len(media)
	return media == "application/json" || n > 5 && media[n-5:] == "+json"
}

func (c *compiler) example(s *StepSpec, m *MediaSpec) (value.Value, error) {
	var names []string
	for _, e := range m.Examples {
		if e.Name == s.Example || s.Example == "" {
			return e.Value, nil
		}
		names = append(names, e.Name)
	}
	if s.Example == "" {
		return value.Value{}, errorAt(s.Pos, "the response %d has no example; want one, or body", s.Status)
	}
	return value.Value{}, errorAt(s.Pos, "the response %d has no example %q; have %s", s.Status, s.Example, orNone(names))
}

func statuses(list []ResponseSpec) string {
	var out []string
	for _, r := range list {
		out = append(out, r.Status)
	}
	return orNone(out)
}

func (p *Plan) failureNames() []string {
	var names []string
	for n := range p.failures {
		names = append(names, n)
	}
	return sorted(names)
}
