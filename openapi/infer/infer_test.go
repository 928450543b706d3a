package infer_test

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
	"github.com/understudy-dev/understudy/openapi/infer"
	"github.com/understudy-dev/understudy/openapi/schema"
	"github.com/understudy-dev/understudy/openapi/tree"
)

// sound is the loader's opinion of a schema.
func sound(f *tree.File) func(*yaml.Node) bool {
	set := schema.NewSet(f)
	return func(n *yaml.Node) bool { _, err := set.Compile(n); return err == nil }
}

// grafted is a document with what was inferred in it.
func grafted(t testing.TB, name string, data []byte) ([]byte, []infer.Operation) {
	t.Helper()
	f, err := tree.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	report, err := infer.Infer(f, sound(f))
	if err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(f.Root)
	if err != nil {
		t.Fatal(err)
	}
	return out, report
}

// TestCompiles: what is inferred for the labelled documents is accepted by the
// loader, grafted and as an overlay.
func TestCompiles(t *testing.T) {
	corpus := infer.Corpus(t)
	for name, data := range corpus {
		if _, err := openapi.Load(name, name, data); err != nil {
			t.Logf("%s does not load as it is: %v", name, err)
			continue
		}
		text, report := grafted(t, name, data)
		if _, err := openapi.Load(name, name, text); err != nil {
			t.Errorf("%v", err)
		}
		stateful := 0
		for _, o := range report {
			if o.Stateful {
				stateful++
			}
		}
		t.Logf("%s: %d of %d operations keep state", name, stateful, len(report))
		if len(data) > 200_000 {
			continue
		}
		f, err := tree.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		over, _, err := infer.Overlay(f, sound(f))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openapi.LoadSource(openapi.Source{Name: name, File: name, Data: data, Overlays: []openapi.Source{{File: "overlay.yaml", Data: over}}}); err != nil {
			t.Errorf("%s with the overlay: %v", name, err)
		}
	}
}

// call is one request of a story, and what is expected of the answer. In URLs,
// bodies and what is expected {name} stands for what was kept before.
type call struct {
	what   string
	do     string // METHOD /path
	body   string
	status int
	keep   string // name=pointer: keeps a part of the answer
	has    string // must be in the answer's body, as JSON without spaces
	lacks  string // must not be
}

func play(t *testing.T, data []byte, calls []call) {
	t.Helper()
	text, _ := grafted(t, "doc.yaml", data)
	api, err := openapi.Load("doc", "doc.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Clock: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{}
	for _, c := range calls {
		with := strings.NewReplacer(kept...)
		method, url, _ := strings.Cut(with.Replace(c.do), " ")
		r := httptest.NewRequest(method, url, strings.NewReader(with.Replace(c.body)))
		p, args, ok := api.Match(r.URL.EscapedPath(), nil)
		if !ok || p.Operation(method) == nil {
			t.Fatalf("%s: %s is not in the document", c.what, c.do)
		}
		op := p.Operation(method)
		out := world.Do(op.Call(r, args, p.Names, api.NewCallers(nil), openapi.Limits{}, time.Unix(1_700_000_000, 0)))
		got := out.Body.Shown().String()
		for _, v := range misfits(op, &out) {
			t.Errorf("%s: %s %s: the answer %s breaks the document: %s", c.what, method, url, got, v)
		}
		if out.Status != c.status {
			t.Errorf("%s: %s %s: got %d %s, want %d", c.what, method, url, out.Status, got, c.status)
			continue
		}
		if c.has != "" && !strings.Contains(got, with.Replace(c.has)) {
			t.Errorf("%s: %s %s: got %s, want %s in it", c.what, method, url, got, with.Replace(c.has))
		}
		if c.lacks != "" && strings.Contains(got, with.Replace(c.lacks)) {
			t.Errorf("%s: %s %s: got %s, want no %s in it", c.what, method, url, got, with.Replace(c.lacks))
		}
		if name, pointer, ok := strings.Cut(c.keep, "="); ok {
			v := out.Body
			for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
				v = v.Get(part)
			}
			text := v.String()
			if v.Kind() == value.StringKind {
				text = v.Text()
			}
			if text == "" || v.IsMissing() {
				t.Fatalf("%s: %s has no %s", c.what, got, pointer)
			}
			kept = append(kept, "{"+name+"}", text)
		}
	}
}

// misfits is what of an answer breaks its schema. What is required and is not
// there is left to whoever completes the records.
func misfits(op *openapi.Operation, out *behavior.Outcome) []string {
	r := op.Response(out.Status)
	if r == nil || out.MediaType == "" {
		return nil
	}
	var bad []string
	for _, m := range r.Media {
		if m.Type != out.MediaType || m.Schema == nil {
			continue
		}
		for _, v := range m.Schema.Validate(out.Body.Shown(), schema.Response, nil) {
			if v.Keyword != "required" && v.Keyword != "anyOf" {
				bad = append(bad, v.Keyword+" "+v.Message())
			}
		}
	}
	return bad
}

// TestEmpty: in an empty world every list answers with one that fits its
// document, and every item is missing.
func TestEmpty(t *testing.T) {
	for name, data := range infer.Corpus(t) {
		if len(data) > 200_000 {
			continue // it says the same more often
		}
		if _, err := openapi.Load(name, name, data); err != nil {
			continue
		}
		text, report := grafted(t, name, data)
		api, err := openapi.Load(name, name, text)
		if err != nil {
			t.Fatal(err)
		}
		world, err := api.Plan.NewWorld(behavior.WorldConfig{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range report {
			if !o.Stateful || o.Method != "GET" {
				continue
			}
			url := parameter.ReplaceAllString(o.Path, "7")
			for _, p := range api.Paths {
				if p.Template != o.Path {
					continue
				}
				r := httptest.NewRequest("GET", url, nil)
				_, args, ok := api.Match(r.URL.EscapedPath(), nil)
				if !ok {
					t.Fatalf("%s: no match for %s", name, url)
				}
				op := p.Operation("GET")
				call := op.Call(r, args, p.Names, api.NewCallers(nil), openapi.Limits{}, time.Unix(0, 0))
				call.Violations, call.Auth = nil, behavior.Granted
				out := world.Do(call)
				if want := o.Action == infer.List && len(o.Parents) == 0; want && out.Status != 200 || o.Action == infer.Read && out.Status != 404 {
					t.Errorf("%s: GET %s (%s): got %d", name, url, o.Action, out.Status)
				}
				for _, v := range misfits(op, &out) {
					t.Errorf("%s: GET %s: the answer %d %s breaks the document: %s", name, url, out.Status, out.Body.Shown(), v)
				}
			}
		}
	}
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func TestStories(t *testing.T) {
	corpus := infer.Corpus(t)
	for _, tt := range []struct {
		doc   string
		calls []call
	}{
		{"petstore", []call{
			{what: "nothing is there", do: "GET /pet/findByStatus?status=sold", status: 200, has: "[]"},
			{what: "a pet is made", do: "POST /pet", body: `{"name":"rex","photoUrls":[],"status":"sold","tags":[{"id":1,"name":"big"}]}`, status: 200, keep: "id=/id", has: `"name":"rex"`},
			{what: "it is read", do: "GET /pet/{id}", status: 200, has: `"status":"sold"`},
			{what: "it is found by its status", do: "GET /pet/findByStatus?status=sold", status: 200, has: `"name":"rex"`},
			{what: "not by another", do: "GET /pet/findByStatus?status=pending", status: 200, has: "[]"},
			{what: "it is found by a tag", do: "GET /pet/findByTags?tags=big", status: 200, has: `"name":"rex"`},
			{what: "not by another tag", do: "GET /pet/findByTags?tags=small", status: 200, has: "[]"},
			{what: "it is changed", do: "PUT /pet", body: `{"id":{id},"name":"max","photoUrls":[]}`, status: 200, has: `"name":"max"`},
			{what: "its id is taken", do: "POST /pet", body: `{"id":{id},"name":"max","photoUrls":[]}`, status: 409},
			{what: "the change is kept", do: "GET /pet/{id}", status: 200, has: `"name":"max"`},
			{what: "it is deleted", do: "DELETE /pet/{id}", status: 200},
			{what: "it is gone", do: "GET /pet/{id}", status: 404},
			{what: "a user has a name of their own", do: "POST /user", body: `{"username":"ann","firstName":"Ann"}`, status: 200},
			{what: "and is found by it", do: "GET /user/ann", status: 200, has: `"firstName":"Ann"`},
		}},
		{"tracker", []call{
			{what: "a project", do: "POST /api/projects/", body: `{"name":"one"}`, status: 201, keep: "id=/id", has: `"status":"active"`},
			{what: "its name is taken", do: "POST /api/projects/", body: `{"name":"one"}`, status: 409, has: `"detail":`},
			{what: "without one", do: "POST /api/projects/", body: `{}`, status: 400, has: `"detail":"name is required"`},
			{what: "another", do: "POST /api/projects/", body: `{"name":"two"}`, status: 201},
			{what: "both are listed", do: "GET /api/projects/", status: 200, has: `"count":2`},
			{what: "on pages", do: "GET /api/projects/?page_size=1", status: 200, has: `"next":"http://example.com/api/projects/?page_size=1&page=2"`},
			{what: "the other way round", do: "GET /api/projects/?page_size=1&ordering=-name", status: 200, has: `"name":"two"`},
			{what: "searched", do: "GET /api/projects/?search=TW", status: 200, has: `"count":1`},
			{what: "archived", do: "POST /api/projects/{id}/archive/", status: 200, has: `"status":"archived"`},
			{what: "filtered", do: "GET /api/projects/?status=archived", status: 200, has: `"count":1`},
			{what: "merged", do: "PATCH /api/projects/{id}/", body: `{"name":"uno"}`, status: 200, has: `"status":"archived"`},
			{what: "a task in it", do: "POST /api/projects/{id}/tasks/", body: `{"title":"x"}`, status: 201, keep: "task=/id", has: `"project":"{id}"`},
			{what: "the task is read", do: "GET /api/projects/{id}/tasks/{task}/", status: 200, has: `"title":"x"`},
			{what: "not in another project", do: "GET /api/projects/3f2504e0-4f89-11d3-9a0c-0305e82c3301/tasks/{task}/", status: 404},
			{what: "a list of what is not there", do: "GET /api/projects/3f2504e0-4f89-11d3-9a0c-0305e82c3301/tasks/", status: 404},
			{what: "deleted", do: "DELETE /api/projects/{id}/", status: 204},
			{what: "gone", do: "GET /api/projects/{id}/", status: 404, has: `"code":"not_found"`},
		}},
		{"repos", []call{
			{what: "an issue", do: "POST /repos/a/b/issues", body: `{"title":"broken"}`, status: 201, keep: "n=/number", has: `"created_at":"2023-11-14T22:13:20.000000Z"`},
			{what: "it is read", do: "GET /repos/a/b/issues/{n}", status: 200, has: `"title":"broken"`},
			{what: "not in another repository", do: "GET /repos/a/c/issues/{n}", status: 404, has: `"message":`},
			{what: "it is listed", do: "GET /repos/a/b/issues?state=all", status: 200, has: `"title":"broken"`},
			{what: "not elsewhere", do: "GET /repos/a/c/issues?state=all", status: 200, has: `[]`},
			{what: "it is closed", do: "PATCH /repos/a/b/issues/{n}", body: `{"state":"closed"}`, status: 200, has: `"state":"closed"`},
			{what: "and found so", do: "GET /repos/a/b/issues?state=closed", status: 200, has: `"title":"broken"`},
			{what: "but not as open", do: "GET /repos/a/b/issues", status: 200, has: `[]`},
		}},
		{"droplets", []call{
			{what: "wrapped in its name", do: "POST /v2/droplets", body: `{"name":"web"}`, status: 202, keep: "id=/droplet/id", has: `{"droplet":{`},
			{what: "read", do: "GET /v2/droplets/{id}", status: 200, has: `"status":"new"`},
			{what: "listed with a total", do: "GET /v2/droplets?name=web", status: 200, has: `"meta":{"total":1}`},
			{what: "filtered away", do: "GET /v2/droplets?name=db", status: 200, has: `"meta":{"total":0}`},
			{what: "deleted", do: "DELETE /v2/droplets/{id}", status: 204},
			{what: "gone", do: "GET /v2/droplets/{id}", status: 404, has: `"id":"not_found"`},
		}},
		{"chat", []call{
			{what: "by remote call", do: "POST /conversations.create", body: `{"name":"general"}`, status: 200, keep: "id=/channel/id", has: `"ok":true`},
			{what: "read by a query", do: "GET /conversations.info?conversation={id}", status: 200, has: `"is_archived":false`},
			{what: "archived by a body", do: "POST /conversations.archive", body: `{"conversation":"{id}"}`, status: 200, has: `{"ok":true}`},
			{what: "which is kept", do: "GET /conversations.info?conversation={id}", status: 200, has: `"is_archived":true`},
			{what: "listed", do: "GET /conversations.list", status: 200, has: `"channels":[{"id":"{id}"`},
		}},
		{"cluster", []call{
			{what: "a name in the metadata", do: "POST /api/v1/namespaces", body: `{"metadata":{"name":"prod"}}`, status: 201},
			{what: "is the id", do: "GET /api/v1/namespaces/prod", status: 200, has: `"name":"prod"`},
			{what: "a pod", do: "POST /api/v1/namespaces/prod/pods", body: `{"metadata":{"name":"web"}}`, status: 201},
			{what: "is in its namespace", do: "GET /api/v1/namespaces/prod/pods/web", status: 200},
			{what: "and in the list of all", do: "GET /api/v1/pods", status: 200, has: `"name":"web"`, lacks: "inferred"},
			{what: "all are deleted", do: "DELETE /api/v1/namespaces/prod/pods", status: 200},
			{what: "it is gone", do: "GET /api/v1/namespaces/prod/pods/web", status: 404},
		}},
		{"articles", []call{
			{what: "the data of a body", do: "POST /articles", body: `{"data":{"type":"articles","attributes":{"title":"hi"}}}`, status: 201, keep: "id=/data/id"},
			{what: "are the data of the answer", do: "GET /articles/{id}", status: 200, has: `"attributes":{"title":"hi"}`},
			{what: "on pages", do: "GET /articles?page[number]=2&page[size]=1", status: 200, has: `"data":[]`},
		}},
		{"helpdesk", []call{
			{what: "settings that nobody made", do: "GET /api/v2/acme/settings", status: 404},
			{what: "are made by a PUT", do: "PUT /api/v2/acme/settings", body: `{"locale":"de"}`, status: 200, has: `"locale":"de"`},
			{what: "kept", do: "GET /api/v2/acme/settings", status: 200, has: `"locale":"de"`},
			{what: "for each tenant", do: "GET /api/v2/other/settings", status: 404},
			{what: "a ticket", do: "POST /api/v2/acme/tickets.json", body: `{"ticket":{"subject":"help"}}`, status: 201, keep: "id=/ticket/id", has: `"status":"new"`},
			{what: "of one tenant", do: "GET /api/v2/acme/tickets/{id}.json", status: 200, has: `"subject":"help"`},
			{what: "not of the other", do: "GET /api/v2/other/tickets/{id}.json", status: 404},
		}},
		{"northwind", []call{
			{what: "an entity", do: "POST /Products", body: `{"ID":7,"Name":"tea"}`, status: 201},
			{what: "by its key", do: "GET /Products(7)", status: 200, has: `"Name":"tea"`},
			{what: "in a set", do: "GET /Products?$top=1", status: 200, has: `"@odata.count":1`},
		}},
		{"verbs", []call{
			{what: "an order", do: "POST /createOrder", body: `{"total":3}`, status: 200, keep: "id=/id"},
			{what: "read", do: "GET /getOrder/{id}", status: 200, has: `"total":3`},
			{what: "cancelled", do: "POST /orders/{id}/cancel", status: 200, has: `"status":"cancelled"`},
			{what: "listed", do: "GET /getOrders", status: 200, has: `"status":"cancelled"`},
		}},
	} {
		t.Run(tt.doc, func(t *testing.T) {
			if corpus[tt.doc] == nil {
				t.Fatal("the document is not there")
			}
			play(t, corpus[tt.doc], tt.calls)
		})
	}
}

// TestByHand: what a document says itself stays.
func TestByHand(t *testing.T) {
	doc := []byte(`
openapi: 3.0.3
info: {title: Pets, version: "1"}
x-resources: {Animal: {schema: '#/components/schemas/Pet', id: id, default: {id: '${uuid()}'}}}
x-failures: {gone: {response: 404}}
paths:
  /pets:
    get:
      operationId: listPets
      x-behavior: [{reply: 200, body: []}]
      responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}
    post:
      operationId: createPet
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {"201": {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, "404": {description: none}}
components: {schemas: {Pet: {type: object, properties: {id: {type: string}, name: {type: string}}}}}
`)
	text, report := grafted(t, "pets.yaml", doc)
	if i := slices.IndexFunc(report, func(o infer.Operation) bool { return o.ID == "listPets" }); report[i].Stateful {
		t.Error("the x-behavior of a person was replaced")
	}
	if strings.Contains(string(text), "Pet:\n        schema") {
		t.Errorf("a resource was made for the schema of one that is there:\n%s", text)
	}
	play(t, doc, []call{
		{what: "made", do: "POST /pets", body: `{"name":"rex"}`, status: 201, keep: "id=/id"},
		{what: "read", do: "GET /pets/{id}", status: 200, has: "rex"},
		{what: "as the person said", do: "GET /pets", status: 200, has: "[]"},
	})
}
