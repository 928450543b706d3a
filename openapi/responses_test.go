package openapi

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

const answers = `openapi: 3.0.3
info: {title: A, version: "1"}
paths:
  /a:
    get:
      operationId: get
      responses:
        '200':
          description: ok
          headers:
            X-Left: {$ref: '#/components/headers/Left'}
            X-Plain: {description: says nothing of its value}
            X-Tags: {content: {application/json: {schema: {type: array}}}}
            Set-Cookie: {schema: {type: string, pattern: '^[a-z]+=1$'}}
            content-type: {required: true, schema: {type: integer}}
          content:
            application/json: {schema: {type: integer}}
            text/*: {}
        4XX: {$ref: '#/components/responses/No'}
        '404': {description: gone}
        default: {description: whatever}
        x-more: {}
    post:
      operationId: post
      responses:
        '200': {description: broken, content: {application/json: {schema: {type: wrong}}}, headers: {X: {schema: {$ref: '#/nowhere'}}}}
components:
  headers: {Left: {required: true, schema: {type: integer}}}
  responses: {No: {description: no, content: {text/plain: {}}}}
`

func TestResponse(t *testing.T) {
	api, err := Load("a", "a.yaml", []byte(answers))
	if err != nil {
		t.Fatal(err)
	}
	op := api.OperationByID("get")
	for status, want := range map[int]string{200: "200", 404: "404", 409: "4XX", 499: "4XX", 500: "default", 201: "default"} {
		if r := op.Response(status); r == nil || r.Status != want || r.Err != nil {
			t.Errorf("Response(%d) = %+v, want that of %s", status, r, want)
		}
	}
	if r := api.OperationByID("post").Response(404); r != nil {
		t.Errorf("Response(404) of post = %+v, want none", r)
	}
	if n := len(op.Responses()); n != 4 {
		t.Errorf("%d responses, want 4", n)
	}
	ok := op.Response(200)
	if ok.Pos.String() != "a.yaml:8:9" || len(ok.Media) != 2 || ok.Media[0].Schema == nil || ok.Media[1].Schema != nil || ok.Media[1].Type != "text/*" {
		t.Errorf("Response(200) = %+v", ok)
	}
	var names []string
	for _, h := range ok.Headers {
		names = append(names, h.Name)
	}
	if got, want := strings.Join(names, " "), "X-Left X-Plain X-Tags Set-Cookie"; got != want {
		t.Errorf("headers: got %s, want %s", got, want)
	}
	if !ok.Headers[0].Required || ok.Headers[1].Required || ok.Headers[0].Schema == nil || ok.Headers[1].Schema != nil {
		t.Errorf("headers: got %+v", ok.Headers)
	}
	if r := op.Response(409); len(r.Media) != 1 || r.Pos.String() != "a.yaml:19:9" {
		t.Errorf("Response(409) = %+v", r)
	}
}

func TestResponseHeaderViolations(t *testing.T) {
	api, err := Load("a", "a.yaml", []byte(answers))
	if err != nil {
		t.Fatal(err)
	}
	ok := api.OperationByID("get").Response(200)
	for _, tt := range []struct {
		name, header string
		values       []string
		good         bool
	}{
		{"a number", "X-Left", []string{"5"}, true},
		{"no number", "X-Left", []string{"five"}, false},
		{"not there", "X-Left", nil, true},
		{"anything where nothing is said", "X-Plain", []string{"\xff"}, true},
		{"JSON", "X-Tags", []string{"[1]"}, true},
		{"no JSON", "X-Tags", []string{"[1"}, false},
		{"two cookies", "Set-Cookie", []string{"a=1", "b=1"}, true},
		{"the second cookie is wrong", "Set-Cookie", []string{"a=1", "b=2"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range ok.Headers {
				if h := &ok.Headers[i]; h.Name == tt.header {
					if vs := h.Violations(http.Header{tt.header: tt.values}); (len(vs) == 0) != tt.good {
						t.Errorf("%s: %q: got %v, want it good: %t", tt.header, tt.values, vs, tt.good)
					}
				}
			}
		})
	}
}

// TestResponseErrors: what cannot be compiled is said and left out.
func TestResponseErrors(t *testing.T) {
	api, err := Load("a", "a.yaml", []byte(answers))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 { // the first one compiles, whoever it is
		wg.Go(func() {
			r := api.OperationByID("post").Response(200)
			if r.Err == nil || strings.Count(r.Err.Error(), "a.yaml:") != 2 || len(r.Media) != 1 || r.Media[0].Schema != nil || len(r.Headers) != 1 {
				t.Errorf("Response(200) = %+v, want two errors with their places", r)
			}
			if vs := r.Headers[0].Violations(http.Header{"X": {"y"}}); vs != nil {
				t.Errorf("got %v, want nothing to be judged", vs)
			}
		})
	}
	wg.Wait()
}
