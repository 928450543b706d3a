package contracttests

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/overlay"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Pin is how a document would be changed so that its rules say what a server did.
type Pin struct {
	Finding *Finding
	Seen    string // what the server answered, in a few words
	Not     string // why the rules cannot be made to say so, or what the change means for others; "" for neither

	actions []pinAction // none where it cannot be expressed
}

// Expressed is whether there is a change.
func (p *Pin) Expressed() bool { return len(p.actions) > 0 }

// A pinAction is one action of an Overlay.
type pinAction struct {
	target, description string
	path                []any
	remove              bool
	update              value.Value
}

// Pins are changes of the document for the observations of a result that contradict a
// rule: those of rules that are assumed, and of wordings. The error is one of
// the document's.
func Pins(src openapi.Source, api *openapi.API, r *Result) ([]Pin, error) {
	f, err := tree.Parse(src.File, src.Data)
	if err != nil {
		return nil, err
	}
	for _, over := range src.Overlays {
		o, err := overlay.Parse(over.File, over.Data)
		if err == nil {
			err = o.Apply(f)
		}
		if err != nil {
			return nil, err
		}
	}
	var out []Pin
	done := map[*behavior.Rule]bool{}
	for i := range r.Findings {
		x := &r.Findings[i]
		op := api.OperationByID(x.Operation)
		if x.Severity != Observation || x.Rule == "" || x.Unstable || op == nil || len(x.Steps) == 0 {
			continue
		}
		rule := ruleAt(api, x)
		if rule == nil || done[rule] {
			continue
		}
		done[rule] = true
		p := &pinner{file: f, api: api, op: op, rule: rule, last: &x.Steps[len(x.Steps)-1]}
		out = append(out, p.pin(x))
	}
	return out, nil
}

// ruleAt is the rule of a finding; nil if several have its name and none its place.
func ruleAt(api *openapi.API, x *Finding) *behavior.Rule {
	var named []*behavior.Rule
	for _, op := range everyOperation(api) {
		for _, rule := range op.Rules() {
			if rule.ID == x.Rule && rule.Pos == x.Pos {
				return rule
			}
			if rule.ID == x.Rule {
				named = append(named, rule)
			}
		}
	}
	if len(named) == 1 {
		return named[0] // what the document says of the answer has a place of its own
	}
	return nil
}

// Overlay is an Overlay document (version 1.0) of all changes; nil if there are none.
func Overlay(title string, pins []Pin) []byte {
	var first, last []pinAction
	seen := map[string]bool{}
	for i := range pins {
		for _, a := range pins[i].actions {
			key := fmt.Sprint(a.target, a.remove, a.update)
			if seen[key] {
				continue
			}
			seen[key] = true
			if a.remove && strings.HasSuffix(a.target, "]") && !strings.HasSuffix(a.target, "']") {
				last = append(last, a)
			} else {
				first = append(first, a)
			}
		}
	}
	if len(first)+len(last) == 0 {
		return nil
	}
	// What is removed from a list moves what stands behind it.
	slices.SortStableFunc(last, func(a, b pinAction) int { return comparePaths(b.path, a.path) })
	var b strings.Builder
	fmt.Fprintf(&b, "overlay: 1.0.0\ninfo: {title: %s, version: \"1\"}\nactions:\n", quoted(title))
	for _, a := range append(first, last...) {
		fmt.Fprintf(&b, "  - target: %s\n", quoted(a.target))
		if a.description != "" {
			fmt.Fprintf(&b, "    description: %s\n", quoted(a.description))
		}
		if a.remove {
			b.WriteString("    remove: true\n")
		} else {
			fmt.Fprintf(&b, "    update: %s\n", value.Append(nil, a.update))
		}
	}
	return []byte(b.String())
}

func comparePaths(a, b []any) int {
	return slices.CompareFunc(a, b, func(x, y any) int {
		m, one := x.(int)
		n, two := y.(int)
		if one && two {
			return m - n
		}
		return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y))
	})
}

// A pinner makes the pin of one finding.
type pinner struct {
	file *tree.File
	api  *openapi.API
	op   *openapi.Operation
	rule *behavior.Rule
	last *Exchange
	path []any // of the mapping where the rule is written
	out  Pin
}

func (p *pinner) pin(x *Finding) Pin {
	p.out = Pin{Finding: x}
	if p.last.Response == nil {
		p.out.Seen, p.out.Not = "no answer", "there was no answer"
		return p.out
	}
	status := p.last.Response.Status
	p.out.Seen = fmt.Sprintf("%d", status)
	if body := p.last.Response.Body; len(body) > 0 {
		p.out.Seen += " " + excerpt(body)
	}
	switch place, key := p.find(); {
	case x.Steps[len(x.Steps)-1].Request.Operation != p.rule.Operation:
		p.out.Not = "it was seen by another operation, " + x.Operation
	case status >= 500:
		p.out.Not = "the server failed"
	case place == nil:
		p.out.Not = "the place of the rule is not in the document"
	case p.rule.Refusal && status < 400 && key == "refuse":
		p.do(pinAction{path: p.path, remove: true, description: fmt.Sprintf("The server does not refuse this: %d", status)})
	case p.rule.Refusal && status < 400:
		p.out.Not = "the server does not refuse the call; what it does instead, no rule says"
	case p.rule.Refusal && key == "":
		p.failure(p.path, status)
	case p.rule.Refusal:
		p.refusal(place, key, status)
	case status >= 400:
		p.out.Not = "the server refuses the call; under which condition, one answer does not show"
	case key == "reply":
		p.reply(place, status)
	default:
		p.out.Not = "what makes this answer is not one step of the operation"
	}
	return p.out
}

func (p *pinner) do(a pinAction) {
	a.target = target(a.path)
	p.out.actions = append(p.out.actions, a)
}

// find is the mapping in which the rule is written: a step, with the word that it
// begins with, or a failure, with "".
func (p *pinner) find() (mapping func(key string) (value.Value, bool), key string) {
	var best []any
	steps := 0
	home := []any{"paths", p.op.Path, strings.ToLower(p.op.Method)}
	// The type of a node is not named here, so that only package tree knows YAML.
	at := p.file.Root
	var walk func(path []any)
	walk = func(path []any) {
		n := at
		if steps++; steps > 2_000_000 || len(path) > 200 {
			return
		}
		for k, c := range tree.Pairs(n) {
			here := p.file.Position(k) == p.rule.Pos || p.file.Position(n) == p.rule.Pos && k.Value == "response"
			if here && (best == nil || len(path) >= 3 && slices.Equal(path[:3], home) && !(len(best) >= 3 && slices.Equal(best[:3], home))) {
				best, key = slices.Clone(path), ""
				if slices.Contains(stepWords, k.Value) {
					key = k.Value
				}
			}
			at = c
			walk(append(path, k.Value))
		}
		for i, c := range tree.Items(n) {
			at = c
			walk(append(path, i))
		}
	}
	walk(nil)
	if best == nil {
		return nil, ""
	}
	p.path = best
	n := p.file.Root
	for _, part := range best {
		switch part := part.(type) {
		case string:
			n = tree.Get(n, part)
		case int:
			for i, c := range tree.Items(n) {
				if i == part {
					n = c
					break
				}
			}
		}
	}
	return func(key string) (value.Value, bool) {
		c := tree.Get(n, key)
		if c == nil {
			return value.Value{}, false
		}
		v, err := p.file.Value(c)
		return v, err == nil
	}, key
}

// stepWords are the words that a step begins with which can answer.
var stepWords = []string{"refuse", "find", "list", "reply", "check", "create", "update"}

// refusal changes what a step refuses with.
func (p *pinner) refusal(place func(string) (value.Value, bool), key string, status int) {
	where := "else"
	if key == "refuse" {
		where = "refuse"
	}
	old, ok := place(where)
	if !ok {
		p.out.Not = "the step does not say itself how it refuses"
		return
	}
	failure, ok := p.answer(status, old)
	if !ok {
		return
	}
	p.document(status)
	p.do(pinAction{path: append(slices.Clone(p.path), where), remove: true})
	change := value.Object(value.Member{Name: where, Value: failure})
	if _, named := place("rule"); !named {
		change = change.With("rule", value.String(p.rule.Name))
	}
	p.do(pinAction{path: p.path, update: change, description: fmt.Sprintf("As the server answers: %d", status)})
}

// failure changes a failure that several operations may share.
func (p *pinner) failure(path []any, status int) {
	place, _ := p.find()
	answer, ok := p.answer(status, value.Value{})
	if !ok {
		return
	}
	shared := path[0] == "x-failures"
	for _, key := range []string{"example", "set", "body"} {
		if _, there := place(key); there {
			p.do(pinAction{path: append(slices.Clone(path), key), remove: true})
		}
	}
	p.document(status)
	if _, from := place("from"); shared && !from {
		name := fmt.Sprintf("Seen%d", status)
		list := value.Object(value.Member{Name: "responses", Value: value.Object(value.Member{Name: name, Value: p.response()})})
		p.do(pinAction{update: value.Object(value.Member{Name: "components", Value: list})})
		answer = answer.With("from", value.String("#/components/responses/"+name))
	}
	if shared {
		p.out.Not = "the failure is one of all operations that use it: the change is one for all of them"
	}
	p.do(pinAction{path: path, update: answer, description: fmt.Sprintf("As the server answers: %d", status)})
}

// answer is a failure that answers as the server did.
func (p *pinner) answer(status int, old value.Value) (value.Value, bool) {
	out := value.Object(value.Member{Name: "response", Value: value.Int(int64(status))})
	for _, key := range []string{"headers", "basis", "cite"} {
		if v := old.Get(key); old.IsObject() && !v.IsMissing() {
			out = out.With(key, v)
		}
	}
	body := p.last.Response.Body
	if len(body) == 0 {
		if doc := p.op.Response(status); doc != nil && len(doc.Media) > 0 {
			p.out.Not = fmt.Sprintf("the answer has no body, and the document has one for %d", status)
			return out, false
		}
		return out, true
	}
	v, err := value.Parse(body)
	if err != nil {
		p.out.Not = "the answer is no JSON"
		return out, false
	}
	return out.With("body", p.template(v, 0)), true
}

// document adds a response to the operation that it has not.
func (p *pinner) document(status int) {
	if p.op.Response(status) != nil {
		return
	}
	_, path := p.operation()
	if path == nil {
		return
	}
	p.do(pinAction{path: append(path, "responses"), update: value.Object(value.Member{Name: strconv.Itoa(status), Value: p.response()})})
}

// response is a Response Object for what was seen.
func (p *pinner) response() value.Value {
	r := value.Object(value.Member{Name: "description", Value: value.String("Seen by understudy check")})
	if typ := p.last.Response.Header.Get("Content-Type"); len(p.last.Response.Body) > 0 && typ != "" {
		typ, _, _ = strings.Cut(typ, ";")
		r = r.With("content", value.Object(value.Member{Name: strings.TrimSpace(typ), Value: value.Object()}))
	}
	return r
}

// operation is what the document has of the operation, and where.
func (p *pinner) operation() (value.Value, []any) {
	path := []any{"paths", p.op.Path, strings.ToLower(p.op.Method)}
	n := tree.Get(tree.Get(tree.Get(p.file.Root, "paths"), p.op.Path), path[2].(string))
	if n == nil {
		p.out.actions, p.out.Not = nil, "the path is a reference"
		return value.Value{}, nil
	}
	v, err := p.file.Value(n)
	if err != nil {
		return value.Value{}, nil
	}
	return v, path
}

// reply changes the status of an answer that says the same otherwise.
func (p *pinner) reply(place func(string) (value.Value, bool), status int) {
	if p.rule.Status == status {
		p.out.Not = "one answer does not show what the others have in the place of what differs"
		return
	}
	if _, named := place("example"); named {
		p.out.Not = fmt.Sprintf("the answer is an example of %d; of %d the document has none like it", p.rule.Status, status)
		return
	}
	if p.op.Response(status) == nil {
		op, path := p.operation()
		if path == nil {
			return
		}
		response := op.Get("responses").Get(strconv.Itoa(p.rule.Status))
		if response.IsMissing() {
			response = p.response()
		}
		p.do(pinAction{path: append(path, "responses"), update: value.Object(value.Member{Name: strconv.Itoa(status), Value: response})})
	}
	p.do(pinAction{path: p.path, update: value.Object(value.Member{Name: "reply", Value: value.Int(int64(status))}), description: fmt.Sprintf("As the server answers: %d", status)})
}

var (
	aUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	anID  = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
)

// template is a body with what comes from the request, and what the server chooses,
// as expressions.
func (p *pinner) template(v value.Value, depth int) value.Value {
	switch {
	case depth > 50:
		return v
	case v.IsArray():
		elems := slices.Clone(v.Elems())
		for i := range elems {
			elems[i] = p.template(elems[i], depth+1)
		}
		return value.Array(elems...)
	case v.IsObject():
		members := slices.Clone(v.Members())
		for i := range members {
			members[i].Value = p.template(members[i].Value, depth+1)
		}
		return value.Object(members...)
	case v.IsString():
		return value.String(p.expression(v.Text()))
	}
	return v
}

func (p *pinner) expression(s string) string {
	at, err := time.Parse(time.RFC3339, s)
	now := err == nil && at.Sub(p.last.At).Abs() < 10*time.Minute
	digits := strings.ContainsAny(s, "0123456789")
	for _, part := range p.parts() {
		if s == part[1] {
			return "${" + part[0] + "}"
		}
	}
	switch {
	case now:
		return "${now()}"
	case err == nil:
		return s
	case aUUID.MatchString(s):
		return "${uuid()}"
	case anID.MatchString(s) && digits:
		return fmt.Sprintf(`${pattern("[A-Za-z0-9_-]{%d}")}`, len(s))
	}
	s = strings.ReplaceAll(s, "${", "$${")
	for _, part := range p.parts() {
		if len(part[1]) >= 4 {
			s = strings.ReplaceAll(s, part[1], "${"+part[0]+"}")
		}
	}
	return s
}

// parts are the texts of the request that an answer may repeat: the expression, and
// the text.
func (p *pinner) parts() (out [][2]string) {
	if path, args, ok := p.api.Match(pathOf(p.last.Request.Target), nil); ok {
		for i, name := range path.Names {
			if plain, err := url.PathUnescape(args[i]); err == nil && plain != "" && isName.MatchString(name) {
				out = append(out, [2]string{"path." + name, plain})
			}
		}
	}
	if body, err := value.Parse(p.last.Request.Body); err == nil {
		for _, m := range body.Members() {
			if m.Value.IsString() && m.Value.Text() != "" && isName.MatchString(m.Name) {
				out = append(out, [2]string{"body." + m.Name, m.Value.Text()})
			}
		}
	}
	return out
}

var isName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// target is a path as JSONPath (RFC 9535).
func target(path []any) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, part := range path {
		switch part := part.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", part)
		case string:
			if isName.MatchString(part) {
				b.WriteString("." + part)
			} else {
				b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(part) + "']")
			}
		}
	}
	return b.String()
}
