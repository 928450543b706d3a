package contracttests

import (
	"net/http"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// notes is a document in which the server chooses much and shows little.
const notes = `openapi: 3.0.3
info: {title: Notes, version: "1"}
x-resources:
  Note:
    schema: '#/components/schemas/Note'
    id: id
    on-create: {id: '${uuid()}', made: '${now()}'}
    default: {state: new}
    delete: hard
x-failures:
  invalid: {response: 422, body: {detail: no such note}}
  not_found: {response: 404, body: {code: not_found, detail: there is none}}
  locked: {response: 409, body: {code: locked}}
paths:
  /notes:
    get:
      operationId: listNotes
      x-behavior:
        - {list: Note, as: found}
        - {reply: 200, body: '${found.items}'}
      responses: {"200": {description: all, content: {application/json: {example: []}}}}
    post:
      operationId: createNote
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewNote'}}}}
      x-behavior:
        - {create: Note, from: body, as: note}
        - {reply: 201, body: {id: '${note.id}', text: '${note.text}'}}
      responses:
        "201": {description: made, content: {application/json: {example: {}}}}
        4XX: {description: no, content: {application/json: {example: {}}}}
  /recent:
    get:
      operationId: recentNotes
      x-behavior:
        - {let: found, be: 'Note.filter(n, timestamp(n.made) > 0)'}
        - {reply: 200, body: '${found}'}
      responses: {"200": {description: some, content: {application/json: {example: []}}}}
  /listed:
    get:
      operationId: listRecent
      x-behavior:
        - {list: Note, where: timestamp(made) > 0, as: found}
        - {reply: 200, body: '${found.items}'}
      responses: {"200": {description: some, content: {application/json: {example: []}}}}
  /notes/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get:
      operationId: readNote
      x-behavior:
        - {find: Note, id: path.id, else: not_found}
        - {reply: 200, body: '${note}'}
      responses:
        "200": {description: it, content: {application/json: {example: {}}}}
        4XX: {description: no, content: {application/json: {example: {}}}}
    put:
      operationId: changeNote
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewNote'}}}}
      x-behavior:
        - {find: Note, id: path.id, else: not_found}
        - {refuse: locked, when: body.text == "keep"}
        - one-of:
            - [{update: note, with: body}, {reply: 200, body: '${note}', rule: at_once}]
            - [{update: note, set: {state: waiting}}, {reply: 202, rule: later}]
      responses:
        "200": {description: changed, content: {application/json: {example: {}}}}
        "202": {description: will be}
        4XX: {description: no, content: {application/json: {example: {}}}}
    delete:
      operationId: deleteNote
      x-behavior:
        - {find: Note, id: path.id, else: not_found}
        - {delete: note}
        - {reply: 204}
      responses:
        "204": {description: gone}
        4XX: {description: no, content: {application/json: {example: {}}}}
components:
  schemas:
    Note: {type: object, properties: {id: {type: string}, made: {type: string}, text: {type: string}, state: {type: string}}}
    NewNote: {type: object, required: [text], properties: {text: {type: string, minLength: 1}}}
`

func newNotes(t *testing.T) *Judge {
	t.Helper()
	api, err := openapi.Load("notes", "notes.yaml", []byte(notes))
	if err != nil {
		t.Fatal(err)
	}
	world, err := api.Plan.NewWorld(behavior.WorldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return NewJudge(api, world, api.NewCallers(nil), nil)
}

// said is what the judge says of a call and its answer, each in one line: method,
// target and body; status and body.
func said(j *Judge, call, answer string) string {
	q := strings.SplitN(call, " ", 3)
	x := &Exchange{Request: Request{Method: q[0], Target: q[1]}}
	if len(q) > 2 {
		x.Request.Body, x.Request.Header = []byte(q[2]), http.Header{"Content-Type": {"application/json"}}
	}
	status, body, _ := strings.Cut(answer, " ")
	n, _ := value.Number(status).Int()
	x.Response = &Response{Status: int(n), Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	var out []string
	for _, p := range j.Observe(x) {
		out = append(out, p.code+": "+p.title)
	}
	return strings.Join(out, "; ")
}

const (
	n1   = "00000000-0000-4000-8000-000000000001"
	n2   = "00000000-0000-4000-8000-000000000002"
	milk = `POST /notes {"text":"milk"} -> 201 {"id":"` + n1 + `","text":"milk"}`
)

// TestJudge: all lines but the last are what a good server says.
func TestJudge(t *testing.T) {
	const read = "GET /notes/" + n1 + " -> 200 "
	const change = "PUT /notes/" + n1 + ` {"text":"tea"} -> `
	for _, row := range []struct {
		name, lines string
		want        string // the beginning of what is said of the last one
	}{
		{"a note is made", milk, ""},
		{"with another text than was sent", `POST /notes {"text":"milk"} -> 201 {"id":"` + n1 + `","text":"tea"}`, "rule-body: body.text"},
		{"with another sentence than was sent", `POST /notes {"text":"buy milk"} -> 201 {"id":"` + n1 + `","text":"buy tea"}`, "rule-body: body.text"},
		{"without an id", `POST /notes {"text":"milk"} -> 201 {"text":"milk"}`, "rule-body: body.id"},
		{"with the wrong status", `POST /notes {"text":"milk"} -> 200 {"id":"` + n1 + `","text":"milk"}`, "rule-status"},
		{"refused", `POST /notes {"text":"milk"} -> 400 {}`, "refuses-valid"},
		{"an invalid one is made", `POST /notes {} -> 201 {"id":"` + n1 + `"}`, "accepts-invalid"},
		{"the server fails", `POST /notes {"text":"milk"} -> 500 {}`, "server-error"},
		{"a method that there is not is refused", `PATCH /notes {} -> 405 {}`, ""},
		{"a method that there is not is answered", `PATCH /notes {} -> 200 {}`, "undeclared-method"},

		{"a time that was not shown may be any", milk + "\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}`, ""},
		{"but has to be a time", milk + "\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"now"}`, "rule-body: body.made"},
		{"once shown, it stays", milk + "\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}` +
			"\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:01Z"}`, "rule-body: body.made"},
		{"in the list, too", milk + "\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}` +
			"\n" + `GET /notes -> 200 [{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:01Z"}]`, "list-contents: body.0.made"},
		{"and later ones are not earlier", milk + "\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}` +
			"\n" + `POST /notes {"text":"tea"} -> 201 {"id":"` + n2 + `","text":"tea"}` +
			"\nGET /notes/" + n2 + ` -> 200 {"id":"` + n2 + `","text":"tea","state":"new","made":"2026-05-01T11:00:00Z"}`, "rule-body: body.made"},
		{"the note is not found", milk + "\nGET /notes/" + n1 + ` -> 404 {"code":"not_found","detail":"there is none"}`, "lost-create"},
		{"a list without it", milk + "\nGET /notes -> 200 []", "list-contents"},

		{"the first way", milk + "\n" + change + `200 {"id":"` + n1 + `","text":"tea","state":"new","made":"2026-05-01T12:00:00Z"}` +
			"\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}`, "rule-body: body.text"},
		{"the second way", milk + "\n" + change + "202", ""},
		{"is where the picture goes", milk + "\n" + change + "202\n" + read + `{"id":"` + n1 + `","text":"milk","state":"waiting","made":"2026-05-01T12:00:00Z"}`, ""},
		{"and not the first", milk + "\n" + change + "202\n" + read + `{"id":"` + n1 + `","text":"tea","state":"new","made":"2026-05-01T12:00:00Z"}`, "rule-body: body.text"},
		{"a third way", milk + "\n" + change + "204", "rule-status"},

		{"a refusal changes nothing", milk + "\nPUT /notes/" + n1 + ` {"text":"keep"} -> 409 {"code":"locked"}` +
			"\n" + read + `{"id":"` + n1 + `","text":"milk","state":"new","made":"2026-05-01T12:00:00Z"}`, ""},
		{"one that does", milk + "\nPUT /notes/" + n1 + ` {"text":"keep"} -> 409 {"code":"locked"}` +
			"\n" + read + `{"id":"` + n1 + `","text":"keep","state":"new","made":"2026-05-01T12:00:00Z"}`, "rule-body: body.text"},
		{"a refusal in other words", "GET /notes/x -> 404 " + `{"code":"not_found","detail":"nothing here"}`, "wording"},
		{"a refusal by another code", "GET /notes/x -> 404 " + `{"code":"gone","detail":"there is none"}`, "rule-body: body.code"},

		{"a note is gone", milk + "\nDELETE /notes/" + n1 + " -> 204\nGET /notes/" + n1 + ` -> 404 {"code":"not_found","detail":"there is none"}`, ""},
		{"a note is not gone", milk + "\nDELETE /notes/" + n1 + " -> 204\n" + read + `{"id":"` + n1 + `"}`, "use-after-delete"},
		{"its id comes again", milk + "\nDELETE /notes/" + n1 + " -> 204\n" + milk, "rule-body: body.id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newNotes(t)
			lines := strings.Split(row.lines, "\n")
			for i, line := range lines {
				call, answer, _ := strings.Cut(line, " -> ")
				got := said(j, call, answer)
				switch {
				case i < len(lines)-1 && got != "":
					t.Fatalf("%s: %s", line, got)
				case i == len(lines)-1 && (!strings.HasPrefix(got, row.want) || row.want == "" && got != ""):
					t.Errorf("%s: %q, want %q", line, got, row.want)
				}
			}
		})
	}
}

// TestJudgeKeepsHoles: what the server has not shown stays open in the picture, and
// what it shows later comes to stand there.
func TestJudgeKeepsHoles(t *testing.T) {
	j := newNotes(t)
	call, answer, _ := strings.Cut(milk, " -> ")
	if got := said(j, call, answer); got != "" {
		t.Fatal(got)
	}
	record := j.world().Records("Note")[0]
	if id, made := record.Get("id"), record.Get("made"); !value.Equal(id, value.String(n1)) || made.Kind() != value.HoleKind {
		t.Errorf("after the creation: id %v, made %v; want the server's id and a hole", id, made.Kind())
	}
	if got := said(j, "GET /notes/"+n1, `200 {"id":"`+n1+`","text":"milk","state":"new","made":"2026-05-01T14:00:00+02:00"}`); got != "" {
		t.Fatal(got)
	}
	if made := j.world().Records("Note")[0].Get("made"); !value.Equal(made, value.String("2026-05-01T14:00:00+02:00")) {
		t.Errorf("after the read: made %v, want what was shown", made)
	}
	if n := len(j.pictures[0].holes); n != 0 {
		t.Errorf("%d holes are left, want none", n)
	}
}

// TestTooManyWays: what hangs on the unknown times of forty records has 2^40 ways.
// The judge tries some, and says nothing rather than raise a false alarm.
func TestTooManyWays(t *testing.T) {
	j := newNotes(t)
	for i := range 40 {
		id := "11111111-2222-4333-8444-" + strings.Repeat(string(rune('a'+i%6)), 11) + string("0123456789abcdef"[i/6])
		if got := said(j, `POST /notes {"text":"t"}`, `201 {"id":"`+id+`","text":"t"}`); got != "" {
			t.Fatalf("create: got %q, want nothing", got)
		}
	}
	if got := said(j, "GET /recent", `200 [{"id":"nobody"}]`); got != "" || !j.unsure {
		t.Errorf("got %q, unsure %v; want nothing said, and that it is not sure", got, j.unsure)
	}
	if got := said(j, "GET /notes/nobody", `404 {"code":"not_found","detail":"there is none"}`); got != "" || j.unsure {
		t.Errorf("the next call: got %q, unsure %v; want nothing, and sure", got, j.unsure)
	}
}
