package openapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

// shop is a small document with every extension in it. Tests of faults change
// one thing in it.
const shop = `openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
  - url: https://shop.test/v1/
x-resources:
  Order:
    schema: '#/components/schemas/Order'
    id: id
    within: {owner: caller.owner}
    visible: status != "secret"
    default: {status: open}
    on-create: {id: '${uuid()}'}
    on-update: {changed: '${now()}'}
    on-read: {label: '${it.name}!'}
    unique:
      - {by: name, among: status == "open", else: name_taken}
    hidden: [owner]
    delete: hard
x-failures:
  unauthenticated: {response: 401, example: no_key}
  order_not_found: {response: 404, example: gone, set: {detail: '${path.id}'}}
  name_taken: {response: 409, body: {detail: taken}, headers: {X-Taken: '1'}, basis: assumed}
  invalid: {response: 422, body: {detail: '${violations}'}}
  method_not_allowed: {response: 405, from: '#/components/responses/Problem', example: gone}
x-violations:
  required: {code: missing, message: field required}
x-headers: {X-Request-Id: '${uuid()}'}
x-quotas:
  - {name: minute, by: caller.name, limit: '100', window: 60s, headers: {X-Left: '${quota.remaining}'}, else: rate_limited}
x-redirect-slash: 308
x-logo: other people's extensions are theirs
security: [{key: []}]
paths:
  /orders:
    get:
      operationId: listOrders
      tags: [orders]
      x-scopes: [orders:read]
      parameters:
        - {name: page, in: query, x-on-invalid: ignore, schema: {type: integer, minimum: 1, default: 1}}
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 10}}
        - {name: status, in: query, schema: {type: string, enum: [open, sent]}}
        - {name: x-trace-ID, in: header, schema: {type: string, maxLength: 8}}
        - {name: theme, in: cookie, schema: {type: string, enum: [dark, light]}}
      x-behavior:
        - list: Order
          where: status != "gone"
          filter: {query.status: status == query.status}
          sort: {by: query.page, among: [name], descending: 'true', default: -name}
          page: {number: query.page, size: query.size, else: {response: 404, example: gone}}
          as: found
        - {reply: 200, body: '${found.items}', media-type: application/json, headers: {X-Total: '${found.total}'}}
      responses:
        "200": {description: ok, content: {application/json: {example: []}, text/csv: {example: ''}}}
        "401": {$ref: '#/components/responses/Problem'}
        "404": {$ref: '#/components/responses/Problem'}
        "422": {$ref: '#/components/responses/Problem'}
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}
          text/plain: {schema: {type: string}}
      x-behavior:
        - {let: wanted, be: body.name}
        - {refuse: name_taken, when: wanted == "x", rule: no_x, basis: stated, cite: page 1}
        - {create: Order, from: body, only: [name], set: {status: open}, count: '1', when: 'true', as: order}
        - after: 300ms
          times: '2'
          as: round
          when: 'true'
          steps:
            - {find: Order, id: order.id}
            - {update: order, set: {status: sent}}
        - {reply: 201, body: '${order}', set: {note: hi}, rule: created}
      responses:
        "201": {description: created, content: {application/json: {example: {id: a, name: b}}}}
        4XX: {$ref: '#/components/responses/Problem'}
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, x-on-invalid: order_not_found, schema: {type: string, format: uuid}}
    put:
      operationId: changeOrder
      security: [{key: []}, {token: [], session: []}, {}]
      requestBody:
        x-on-invalid: {response: 422, example: gone}
        content: {application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}}
      x-behavior:
        - {find: Order, id: path.id, where: status == "open", else: [order_not_found, {response: 404, example: gone}]}
        - check: body
        - {update: order, with: body, only: [name], mode: replace, set: {status: open}, when: 'true'}
        - {update: Order, where: status == "x", set: {status: y}}
        - one-of:
            - [{reply: 200, example: one}]
            - [{reply: 200, example: two}]
      responses:
        "200":
          description: ok
          content: {application/json: {examples: {one: {value: 1}, two: {value: 2}}}}
        4XX: {$ref: '#/components/responses/Problem'}
    delete:
      operationId: deleteOrder
      x-behavior:
        - {find: Order, id: path.id, else: order_not_found}
        - {delete: order, when: 'true'}
        - {clear: Order, where: status == "x", when: 'false'}
        - {reply: 204, when: 'false'}
        - {reply: 204}
      responses:
        "204": {description: gone}
        4XX: {$ref: '#/components/responses/Problem'}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: x-api-key}
    token: {type: http, scheme: bearer}
    session: {type: apiKey, in: cookie, name: sid}
    word: {type: http, scheme: basic}
    link: {type: apiKey, in: query, name: sig}
  responses:
    Problem: {description: no, content: {application/json: {examples: {gone: {value: {detail: x}}, no_key: {value: {detail: y}}}}}}
  schemas:
    Order:
      type: object
      required: [id, name]
      properties: {id: {type: string}, name: {type: string}, status: {type: string}, changed: {type: string}, label: {type: string}}
    NewOrder:
      type: object
      required: [name]
      properties: {name: {type: string, minLength: 1, x-trim: true}, count: {type: integer, default: 1}}
`

const orderID = "123e4567-e89b-42d3-a456-426614174000"

// load compiles a document that is sound.
func load(t testing.TB, text string) *API {
	t.Helper()
	api, err := Load("shop", "shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// change is shop with one thing in it replaced, which has to be there once.
func change(t testing.TB, old, new string) string {
	t.Helper()
	if n := strings.Count(shop, old); n != 1 {
		t.Fatalf("%q is %d times in shop, want once", old, n)
	}
	return strings.Replace(shop, old, new, 1)
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// callers of shop: ann has every kind of credential, bob some, old has an
// expired key.
func callers(t testing.TB, api *API) (known *Callers, ann, bob *behavior.Caller) {
	t.Helper()
	known = api.NewCallers(nil)
	ann = behavior.NewCaller("ann", []string{"*"}, value.Object(), time.Time{})
	bob = behavior.NewCaller("bob", nil, value.Object(), time.Time{})
	old := behavior.NewCaller("old", nil, value.Object(), noon)
	for _, c := range []struct {
		scheme, secret string
		caller         *behavior.Caller
	}{
		{"key", "ann-key", ann}, {"token", "ann-token", ann}, {"session", "ann-sid", ann}, {"word", "ann:pw:1", ann}, {"link", "ann+/ &sig", ann},
		{"key", "bob-key", bob}, {"token", "bob-token", bob}, {"session", "bob-sid", bob}, {"key", "old-key", old}, {"token", "old-token", old}, {"session", "old-sid", old},
	} {
		if err := known.Add(c.scheme, c.secret, c.caller); err != nil {
			t.Fatal(err)
		}
	}
	return known, ann, bob
}

// request makes a request with headers "Name: value"; one that begins with
// "ContentLength: -1" is sent in chunks.
func request(method, target, body string, headers ...string) *http.Request {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, "http://shop.test/", r)
	path, query, _ := strings.Cut(target, "?")
	req.URL.Path, req.URL.RawPath, req.URL.RawQuery, req.RequestURI = path, "", query, target
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		if name == "ContentLength" {
			req.ContentLength = -1
			continue
		}
		req.Header.Add(name, v)
	}
	return req
}

// call decodes a request to an operation of api.
func call(t testing.TB, api *API, known *Callers, limits Limits, r *http.Request) *behavior.Call {
	t.Helper()
	p, args, ok := api.Match(r.URL.EscapedPath(), nil)
	if !ok || p.Operation(r.Method) == nil {
		t.Fatalf("%s %s is no operation of %s", r.Method, r.URL.Path, api.File)
	}
	return p.Operation(r.Method).Call(r, args, p.Names, known, limits, noon)
}
