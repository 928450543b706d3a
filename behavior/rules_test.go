package behavior

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

// TestRules: what a step says of a failure goes with it.
func TestRules(t *testing.T) {
	named := []FailureSpec{{Name: "gone", Status: 404, Pos: Position{"f", 1, 1}}, {Name: "quoted", Status: 404, Pos: Position{"f", 2, 1}, Basis: "assumed", Cite: "root"}}
	at := Position{"f", 9, 9}
	for _, tt := range []struct {
		name string
		step StepSpec
		want Rule
	}{
		{"a failure of the root", StepSpec{Else: ref("gone")}, Rule{ID: "act.gone", Name: "gone", Basis: "stated"}},
		{"the step names it", StepSpec{Else: ref("gone"), Rule: "unknown_item"}, Rule{ID: "act.unknown_item", Name: "unknown_item", Basis: "stated"}},
		{"the step's basis and cite", StepSpec{Else: ref("gone"), Basis: "documented-elsewhere", Cite: "step"}, Rule{ID: "act.gone", Name: "gone", Basis: "documented-elsewhere", Cite: "step"}},
		{"the failure's basis and cite", StepSpec{Else: ref("quoted")}, Rule{ID: "act.quoted", Name: "quoted", Basis: "assumed", Cite: "root"}},
		{"both: the step's basis, the failure's cite", StepSpec{Else: ref("quoted"), Basis: "stated", Cite: "step"}, Rule{ID: "act.quoted", Name: "quoted", Basis: "stated", Cite: "root"}},
		{"an inline failure is named after its example", StepSpec{Else: []FailureSpec{{Status: 404, Example: "one"}}}, Rule{ID: "act.one", Name: "one", Basis: "stated"}},
		{"or after its status", StepSpec{Else: []FailureSpec{{Status: 404}}}, Rule{ID: "act.refused_404", Name: "refused_404", Basis: "stated"}},
	} {
		for _, kind := range []StepKind{Find, Refuse} {
			t.Run(tt.name+" of "+string(kind), func(t *testing.T) {
				step := tt.step
				step.Kind, step.Pos = kind, at
				if kind == Find {
					step.Target, step.ID = "Item", tx("path.id")
				}
				spec := shop(t, step, StepSpec{Kind: Reply, Status: 200})
				spec.Failures = append(named, failures(t)[1:]...)
				w := world(t, compile(t, spec), "", nil)
				want := tt.want
				want.Operation, want.Status, want.Refusal, want.Pos = "act", 404, true, at
				got := w.Do(call(t, w, "act", `{"path": {"id": "q"}}`)).Rule
				if *got != want {
					t.Errorf("got %+v, want %+v", *got, want)
				}
				for _, r := range w.plan.op("act").Rules() {
					if r == got {
						return
					}
				}
				t.Errorf("the rule %s is not among those of the operation", got.ID)
			})
		}
	}
	for _, tt := range []struct {
		step StepSpec
		want Rule
	}{
		{StepSpec{}, Rule{ID: "act.reply", Name: "reply", Basis: "stated"}},
		{StepSpec{Example: "one"}, Rule{ID: "act.one", Name: "one", Basis: "stated"}},
		{StepSpec{Example: "one", Rule: "r", Basis: "assumed", Cite: "c"}, Rule{ID: "act.r", Name: "r", Basis: "assumed", Cite: "c"}},
	} {
		step := tt.step
		step.Kind, step.Status, step.Pos = Reply, 200, at
		w := world(t, compile(t, shop(t, step)), "", nil)
		want := tt.want
		want.Operation, want.Status, want.Pos = "act", 200, at
		if got := *w.Do(call(t, w, "act", "")).Rule; got != want {
			t.Errorf("reply %+v: got %+v, want %+v", tt.step, got, want)
		}
	}
}

// TestStateless: an operation without steps answers with its lowest 2xx
// response.
func TestStateless(t *testing.T) {
	spec := &Spec{Operations: []*OperationSpec{operation("act", nil)}}
	spec.Operations[0].Responses = []ResponseSpec{{Status: "404"}, responses()[1], {Status: "204"}}
	w := world(t, compile(t, spec), "", nil)
	if got, want := answered(w.Do(call(t, w, "act", ""))), `act.example | {"example":"201"} | `; got != want || w.plan.op("act").Writes() {
		t.Errorf("got %s, writes %v; want %s", got, w.plan.op("act").Writes(), want)
	}
}

func inParameter(number int, name string) Violation {
	return Violation{Source: InParameter, Parameter: number, Location: "query", Path: []value.Value{value.String(name)}, Keyword: "type", Limit: value.String("integer"), Value: value.String("x"), Message: "is no integer"}
}

func inBody(keyword string, limit value.Value, path ...value.Value) Violation {
	return Violation{Source: InBody, Location: "body", Path: path, Keyword: keyword, Limit: limit, Value: value.Null, Message: "is wrong"}
}

// TestChecks is the order of the built-in checks and of those among the steps.
func TestChecks(t *testing.T) {
	hours := []value.Value{value.String("hours"), value.Int(0), value.String("from")}
	check := func(what string) StepSpec { return StepSpec{Kind: Check, Target: what} }
	busy := StepSpec{Kind: Refuse, Else: ref("busy")}
	for _, tt := range []struct {
		name   string
		steps  []StepSpec
		change func(*OperationSpec, *Call)
		want   string
	}{
		{"sound", nil, func(*OperationSpec, *Call) {}, `200 act.reply {"example":"200"}`},
		{"no credentials", nil, func(_ *OperationSpec, c *Call) {
			c.Auth = NoCredentials
			c.Violations = []Violation{inParameter(0, "number")}
		}, `401 act.unauthenticated {"code":"unauthenticated"}`},
		{"bad credentials fall back", nil, func(_ *OperationSpec, c *Call) { c.Auth = BadCredentials }, `401 act.unauthenticated {"code":"unauthenticated"}`},
		{"expired credentials fall back", nil, func(_ *OperationSpec, c *Call) { c.Auth = ExpiredCredentials }, `401 act.unauthenticated {"code":"unauthenticated"}`},
		{"a scope is missing", nil, func(o *OperationSpec, c *Call) { o.Scopes = []string{"read", "write", "admin"} }, `403 act.forbidden {"missing":["write","admin"]}`},
		{"every scope", nil, func(o *OperationSpec, c *Call) { o.Scopes = []string{"read", "write"}; c.Caller = other }, `200 act.reply {"example":"200"}`},
		{"anonymous has no scope", nil, func(o *OperationSpec, c *Call) { o.Scopes = []string{"read"}; c.Caller = nil }, `403 act.forbidden {"missing":["read"]}`},
		{"scopes before parameters", nil, func(o *OperationSpec, c *Call) {
			o.Scopes = []string{"x"}
			c.Violations = []Violation{inParameter(0, "number")}
		}, `403 act.forbidden {"missing":["x"]}`},
		{"not acceptable is tolerated where nothing says otherwise", nil, func(_ *OperationSpec, c *Call) { c.NotAcceptable = true }, `200 act.reply {"example":"200"}`},
		{"parameters and body together", nil, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{inParameter(0, "number"), inBody("required", value.Value{}, value.String("name"))}
		}, `422 act.invalid ["query number type","body name required"]`},
		{"a parameter with a failure of its own goes before invalid", nil, func(o *OperationSpec, c *Call) {
			o.OnInvalid = [][]FailureSpec{nil, ref("gone")}
			c.Violations = []Violation{inParameter(0, "number"), inParameter(1, "id"), inBody("required", value.Value{})}
		}, `404 act.gone {"code":"gone"}`},
		{"a body with a failure of its own", nil, func(o *OperationSpec, c *Call) {
			o.Body.OnInvalid = ref("gone")
			c.Violations = []Violation{inBody("required", value.Value{})}
		}, `404 act.gone {"code":"gone"}`},
		{"media type falls back on invalid", nil, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{{Source: MediaType, Location: "body", Keyword: "media-type"}}
		}, `422 act.invalid ["body  media-type"]`},
		{"too large falls back on malformed and invalid", nil, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{{Source: BodySize, Location: "body", Keyword: "size"}}
		}, `422 act.invalid ["body  size"]`},
		{"malformed", nil, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{{Source: UndecodedBody, Location: "body", Keyword: "json"}}
		}, `422 act.invalid ["body  json"]`},
		{"deep", nil, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{inBody("format", value.String("time"), hours...)}
		}, `422 act.invalid ["body hours.0.from format"]`},
		{"the body is judged among the steps", []StepSpec{busy}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inBody("required", value.Value{})} }, `422 act.invalid ["body  required"]`},
		{"not before them", []StepSpec{{Kind: Refuse, When: tx("true"), Else: ref("busy")}, check("body")}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inBody("required", value.Value{})} }, `409 act.busy {"code":"busy"}`},
		{"but there", []StepSpec{check("body"), busy}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inBody("required", value.Value{})} }, `422 act.invalid ["body  required"]`},
		{"with its media type", []StepSpec{check("body"), busy}, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{{Source: MediaType, Location: "body", Keyword: "media-type"}}
		}, `422 act.invalid ["body  media-type"]`},
		{"parameters alone are judged before", []StepSpec{busy, check("body")}, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{inParameter(0, "number"), inBody("required", value.Value{})}
		}, `422 act.invalid ["query number type"]`},
		{"check: parameters", []StepSpec{check("parameters"), busy}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inParameter(0, "number")} }, `422 act.invalid ["query number type"]`},
		{"check: parameters, not before", []StepSpec{{Kind: Refuse, When: tx("true"), Else: ref("busy")}, check("parameters")}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inParameter(0, "number")} }, `409 act.busy {"code":"busy"}`},
		{"first the body, then the parameters", []StepSpec{check("body"), check("parameters")}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inParameter(0, "number")} }, `422 act.invalid ["query number type"]`},
		{"the body first", []StepSpec{check("body"), check("parameters")}, func(_ *OperationSpec, c *Call) {
			c.Violations = []Violation{inParameter(0, "number"), inBody("required", value.Value{})}
		}, `422 act.invalid ["body  required"]`},
		{"a check that does not apply", []StepSpec{{Kind: Check, Target: "body", When: tx("false")}}, func(_ *OperationSpec, c *Call) { c.Violations = []Violation{inBody("required", value.Value{})} }, `200 act.reply {"example":"200"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := shop(t, append(tt.steps, StepSpec{Kind: Reply, Status: 200})...)
			spec.Failures = append(failures(t), failure(t, "unauthenticated", 401), FailureSpec{Name: "forbidden", Status: 403, Body: body(t, `{"missing": "${missing_scopes}"}`)})
			spec.Failures[3].Body = body(t, `"${violations.map(v, v.location + \" \" + v.name + \" \" + v.keyword)}"`)
			var change Call
			change.Caller = owner
			tt.change(spec.Operations[0], &change)
			w := world(t, compile(t, spec), "", nil)
			c := call(t, w, "act", "")
			c.Caller, c.Auth, c.Violations, c.NotAcceptable = change.Caller, change.Auth, change.Violations, change.NotAcceptable
			out := w.Do(c)
			name := ""
			if out.Rule != nil {
				name = out.Rule.ID
			}
			if got := strings.Join([]string{value.Int(int64(out.Status)).Text(), name, out.Body.String()}, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestOwnWords: where the document has no words for a refusal, the answer is a
// code.
func TestOwnWords(t *testing.T) {
	spec := shop(t)
	spec.Failures = failures(t)[:3]
	spec.Operations[0].Scopes = []string{"x"}
	w := world(t, compile(t, spec), "", nil)
	for _, tt := range []struct {
		auth   Auth
		status int
		code   string
	}{{NoCredentials, 401, "unauthenticated"}, {BadCredentials, 401, "bad_credentials"}, {ExpiredCredentials, 401, "expired_credentials"}, {Granted, 403, "forbidden"}} {
		c := call(t, w, "act", "")
		c.Auth = tt.auth
		if out := w.Do(c); out.Status != tt.status || out.Problem != tt.code || !out.Refused || out.Rule != nil {
			t.Errorf("auth %d: got %d %s, want %d %s", tt.auth, out.Status, answered(out), tt.status, tt.code)
		}
	}
	c := call(t, w, "act", "")
	if out := w.MethodNotAllowed(c); out.Status != 405 || out.Problem != "method_not_allowed" {
		t.Errorf("method not allowed: got %d %s", out.Status, answered(out))
	}
}

func TestChallenge(t *testing.T) {
	for own, want := range map[string]string{"": "Bearer", "ApiKey": "ApiKey"} {
		spec := shop(t)
		f := failure(t, "unauthenticated", 401)
		if own != "" {
			f.Headers = named(t, `{"www-authenticate": "`+own+`"}`)
		}
		spec.Failures = append(spec.Failures, f)
		spec.Operations[0].Challenge = "Bearer"
		w := world(t, compile(t, spec), "", nil)
		c := call(t, w, "act", "")
		c.Auth = NoCredentials
		if out := w.Do(c); len(out.Headers) != 1 || out.Header("Www-Authenticate") != want {
			t.Errorf("a failure with the challenge %q: got headers %v, want %s", own, out.Headers, want)
		}
	}
}

// TestWordings: the most exact entry of x-violations wins, each for what the
// others have not.
func TestWordings(t *testing.T) {
	words := map[string]string{"required": `required/field required`, "format:uuid": "type_error.uuid/", "minLength:1": "blank/may not be blank", "type:null": "/may not be null", "type:string": "no_string/not a string", "type": "/not a ${v.limit}", "maxLength": "/at most ${v.limit} characters", "*": "value_error/"}
	spec := shop(t)
	for key, w := range words {
		code, message, _ := strings.Cut(w, "/")
		s := WordingSpec{Key: key}
		if code != "" {
			s.Code = &TemplateSpec{Scalar: value.String(code)}
		}
		if message != "" {
			s.Message = &TemplateSpec{Scalar: value.String(message)}
		}
		spec.Wordings = append(spec.Wordings, s)
	}
	spec.Failures[3].Body = body(t, `"${violation.code + \"/\" + violation.message}"`)
	w := world(t, compile(t, spec), "", nil)
	text := value.String("x")
	for _, tt := range []struct {
		name    string
		keyword string
		limit   value.Value
		value   value.Value
		want    string
	}{
		{"keyword", "required", value.String("name"), value.Value{}, "required/field required"},
		{"keyword:limit", "format", value.String("uuid"), text, "type_error.uuid/own"},
		{"another limit", "format", value.String("date"), text, "value_error/own"},
		{"a number as limit", "minLength", value.Int(1), text, "blank/may not be blank"},
		{"another number", "minLength", value.Int(2), text, "value_error/own"},
		{"null", "type", value.String("string"), value.Null, "no_string/may not be null"},
		{"no null", "type", value.String("string"), value.Int(1), "no_string/not a string"},
		{"message from the keyword, code from *", "type", value.String("integer"), text, "value_error/not a integer"},
		{"a template", "maxLength", value.Int(255), text, "value_error/at most 255 characters"},
	} {
		c := call(t, w, "act", "")
		c.Violations = []Violation{{Source: InBody, Location: "body", Keyword: tt.keyword, Limit: tt.limit, Value: tt.value, Message: "own"}}
		if got := w.Do(c).Body.Text(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestViolationMembers is what expressions see of a violation.
func TestViolationMembers(t *testing.T) {
	spec := shop(t)
	spec.Failures[3].Body = body(t, `"${violations}"`)
	w := world(t, compile(t, spec), "", nil)
	c := call(t, w, "act", "")
	c.Violations = []Violation{{Source: InBody, Location: "body", Path: []value.Value{value.String("a/b~"), value.Int(0)}, Keyword: "maximum", Limit: value.Number("1.50"), Value: value.Int(2), Message: "own"}}
	want := `[{"location":"body","name":"a/b~.0","field":"a/b~","path":["a/b~",0],"pointer":"/a~1b~0/0","keyword":"maximum","limit":1.50,"value":2,"message":"own","code":"maximum"}]`
	if got := w.Do(c).Body.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
