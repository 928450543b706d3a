package openapi_test

import (
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// A document is compiled once. A request finds its operation, becomes a call,
// and a world decides.
func ExampleLoad() {
	api, err := openapi.Load("notes", "notes.yaml", []byte(`
openapi: 3.0.3
info: {title: Notes, version: "1"}
x-resources:
  Note: {schema: '#/components/schemas/Note'}
x-failures:
  note_not_found: {response: 404, example: missing, set: {id: '${path.id}'}}
paths:
  /notes/{id}:
    get:
      operationId: getNote
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      x-behavior:
        - {find: Note, id: path.id, else: note_not_found}
        - {reply: 200, body: '${note}'}
      responses:
        "200": {description: the note, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
        "404": {description: none, content: {application/json: {examples: {missing: {value: {error: no such note}}}}}}
components:
  schemas:
    Note: {type: object, properties: {id: {type: string}, text: {type: string}}}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	note, _ := value.ParseString(`{"id": "n1", "text": "buy milk"}`)
	world, err := api.Plan.NewWorld(behavior.WorldConfig{Records: map[string][]value.Value{"Note": {note}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/notes/n1", "/notes/n2"} {
		r := httptest.NewRequest("GET", path, nil)
		p, args, _ := api.Match(r.URL.EscapedPath(), nil)
		call := p.Operation(r.Method).Call(r, args, p.Names, api.NewCallers(nil), openapi.Limits{}, time.Now())
		out := world.Do(call)
		fmt.Println(out.Status, out.Body, out.Rule.ID)
	}
	// Output:
	// 200 {"id":"n1","text":"buy milk"} getNote.reply
	// 404 {"error":"no such note","id":"n2"} getNote.note_not_found
}
