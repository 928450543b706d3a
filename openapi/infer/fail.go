package infer

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// said are the words of a refusal.
type said struct {
	code, message string // the message is a template
	list          bool   // there are violations to list
}

var refusals = map[int]said{
	401: {code: "unauthorized", message: "Authentication is required."},
	404: {code: "not_found", message: "There is no such resource."},
	409: {code: "conflict", message: "It is there already."},
	400: {code: "invalid_request", message: `${trim(string(violation.name) + " " + violation.message)}`, list: true},
	422: {code: "invalid_request", message: `${trim(string(violation.name) + " " + violation.message)}`, list: true},
}

// documented is the response that an operation documents for a status, also by
// a range or by default.
func (s *source) documented(status int) spot {
	for _, key := range []string{itoa(status), itoa(status/100) + "XX", itoa(status/100) + "xx", "default"} {
		if r := s.responses.below(key); r.has() {
			return s.deref(r)
		}
	}
	return spot{}
}

// refusal is the failure with which an operation says a status: what it
// documents, or else an answer of our own.
func (w *writer) refusal(s *source, status int) *yaml.Node {
	if r := s.documented(status); r.has() {
		return w.failure(r, status, false)
	}
	return w.own(status)
}

// failure is a failure with a documented response. from names it, for use by
// operations that do not document it.
func (w *writer) failure(r spot, status int, from bool) *yaml.Node {
	f := w.mapping("response", status)
	if from {
		w.put(f, "from", w.text(r.ref))
	}
	w.put(f, "basis", w.text("assumed"))
	content := r.below("content")
	if !content.has() || len(content.n.Content) == 0 {
		return f
	}
	media, json := mediaOf(content, false)
	if !json {
		w.put(f, "body", w.text(refusals[status].message))
		return f
	}
	schema := w.deref(media.below("schema"))
	example := tree.Get(media.n, "example") != nil || len(contentOf(tree.Get(media.n, "examples"))) > 0 && w.hasValue(media)
	if example && !refusals[status].list {
		return f
	}
	if schema.has() {
		if !example && tree.Get(schema.n, "example") != nil {
			return f
		}
		w.put(f, "body", w.errorBody(schema, status, "", 0))
		return f
	}
	if !example {
		w.put(f, "body", w.mapping("code", refusals[status].code, "message", refusals[status].message))
	}
	return f
}

func contentOf(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	return n.Content
}

// hasValue is whether one of a media type's examples has a value here.
func (w *writer) hasValue(media spot) bool {
	all := media.below("examples")
	for k := range tree.Pairs(all.n) {
		if ex := w.deref(all.below(k.Value)); tree.Get(ex.n, "value") != nil {
			return true
		}
	}
	return false
}

var (
	messageWords = set("message", "detail", "details", "description", "errormessage", "errordescription", "msg", "title", "reason", "error", "userMessage", "text", "errormsg", "statusmessage", "developermessage")
	codeWords    = set("code", "errorcode", "type", "status", "statuscode", "id", "kind", "name", "key", "identifier", "httpstatus", "httpcode", "httpstatuscode")
	fieldWords   = set("field", "param", "parameter", "property", "path", "name", "location", "source", "loc", "pointer", "propertyname", "attribute")
)

// errorBody makes the body of a refusal from its schema, by what the names of
// its members say. of is the expression of one violation in a list of them.
func (w *writer) errorBody(schema spot, status int, of string, depth int) *yaml.Node {
	say := refusals[status]
	schema = w.choice(schema)
	o := w.object(schema)
	if kindOf(schema) == "array" && depth < 4 {
		return w.list(w.errorBody(schema.below("items"), status, of, depth+1))
	}
	if kindOf(schema) == "string" {
		return w.text(say.message)
	}
	if o == nil || depth > 4 {
		return w.filler(schema, depth)
	}
	m := w.mapping()
	for i := range o.props {
		p := &o.props[i]
		name, k := plain(p.name), kindOf(p.schema)
		switch {
		case firstConst(p.schema) != nil:
			w.put(m, p.name, w.literal(firstConst(p.schema)))
		case tree.Get(p.schema.n, "enum") != nil:
			if p.required || codeWords[name] {
				w.put(m, p.name, w.enumFor(p.schema, say.code))
			}
		case (k == "string" || k == "") && messageWords[name]:
			w.put(m, p.name, w.text(say.message))
		case k == "string" && strings.Contains(tree.Text(p.schema.n, "format"), "uri") && (p.required || name == "type"):
			w.put(m, p.name, w.text("about:blank"))
		case k == "string" && name == "instance":
		case k == "string" && say.list && fieldWords[name]:
			w.put(m, p.name, w.text("${violation.name}"))
		case k == "string" && codeWords[name]:
			if strings.Contains(name, "status") {
				w.put(m, p.name, w.text(itoa(status)))
			} else {
				w.put(m, p.name, w.text(say.code))
			}
		case (k == "integer" || k == "number") && codeWords[name]:
			w.put(m, p.name, w.scalar("!!int", itoa(status)))
		case k == "boolean" && (name == "success" || name == "ok"):
			w.put(m, p.name, w.scalar("!!bool", "false"))
		case k == "object" && (strings.HasPrefix(name, "error") || p.required):
			w.put(m, p.name, w.errorBody(p.schema, status, of, depth+1))
		case k == "array" && (p.required || name == "errors" && say.list):
			items := w.choice(p.schema.below("items"))
			if strings.Contains(name, "error") || tree.Text(p.schema.n, "minItems") != "" {
				w.put(m, p.name, w.list(w.errorBody(items, status, of, depth+1)))
			} else {
				w.put(m, p.name, w.list())
			}
		case p.required:
			w.put(m, p.name, w.filler(p.schema, depth))
		}
	}
	return m
}

// enumFor is the value of an enum that a code is most like, else the first.
func (w *writer) enumFor(s spot, code string) *yaml.Node {
	list := tree.Get(s.n, "enum").Content
	if len(list) == 0 {
		return w.text(code)
	}
	best := list[0]
	for _, ws := range words(code) {
		for _, c := range list {
			if slices.Contains(words(tree.Follow(c).Value), ws) {
				return w.literal(c)
			}
		}
	}
	return w.literal(best)
}

// ownRoot is where the answers stand that no operation documents.
const ownRoot = "x-inferred"

// own is a failure that the document does not know, as problem+json (RFC 9457).
func (w *writer) own(status int) *yaml.Node {
	name := refusals[status].code
	if !w.owned[status] {
		w.owned[status] = true
		title := refusals[status].message
		w.put(w.problems, name, w.mapping("description", title, "content", w.mapping("application/problem+json", w.mapping("example",
			w.mapping("type", "about:blank", "title", title, "status", status)))))
		w.put(w.failures, w.failureName(status), w.mapping("response", status, "from", "#/"+ownRoot+"/"+name, "basis", "assumed", "cite", "nothing is documented for it"))
	}
	return w.text(w.failureName(status))
}

func (w *writer) failureName(status int) string { return "inferred_" + refusals[status].code }

// builtins says how the document words what is refused before the steps, where
// it has one wording for all operations.
func (w *writer) builtins(list []*source) {
	for _, b := range []struct {
		name     string
		statuses []int
	}{{"unauthenticated", []int{401}}, {"invalid", []int{422, 400}}} {
		if tree.Get(tree.Get(w.file.Root, "x-failures"), b.name) != nil {
			continue
		}
		type found struct {
			at     spot
			status int
			n      int
		}
		var all []found
		total := 0
		for _, s := range list {
			for _, status := range b.statuses {
				r := s.deref(s.responses.below(itoa(status)))
				if !r.has() {
					continue
				}
				total++
				media, json := mediaOf(r.below("content"), false)
				key := r
				if json {
					if sc := s.deref(media.below("schema")); sc.has() {
						key = sc
					}
				}
				i := slices.IndexFunc(all, func(f found) bool { return f.status == status && w.sameError(f.at, r, key) })
				if i < 0 {
					all, i = append(all, found{at: r, status: status}), len(all)
				}
				all[i].n++
				break
			}
		}
		for _, f := range all {
			if f.n*10 >= total*9 {
				w.put(w.failures, b.name, w.failure(f.at, f.status, true))
			}
		}
	}
}

// sameError is whether two responses have one schema.
func (w *writer) sameError(a, b, key spot) bool {
	if a.n == b.n {
		return true
	}
	media, json := mediaOf(a.below("content"), false)
	return json && w.deref(media.below("schema")).n == key.n
}
