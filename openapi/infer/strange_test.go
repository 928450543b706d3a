package infer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// TestStrange: documents that nobody means are stateless, or whatever; they end,
// and soon.
func TestStrange(t *testing.T) {
	deep := strings.Repeat("{allOf: [", 300) + "{}" + strings.Repeat("]}", 300)
	wide := "{" + strings.Repeat("x", 10) + ": {type: object, properties: {"
	for i := range 5000 {
		wide += fmt.Sprintf("p%d: {type: string}, ", i)
	}
	wide += "}}}"
	for _, tt := range []struct{ what, doc string }{
		{"no paths", "openapi: 3.0.0"},
		{"paths that are a list", "paths: [a]"},
		{"a path that is a text", "paths: {/a: b}"},
		{"an operation that is a list", "paths: {/a: {get: []}}"},
		{"references in a circle", "paths: {/a: {$ref: '#/paths/~1a'}, /b: {$ref: '#/paths/~1c'}, /c: {$ref: '#/paths/~1b'}}"},
		{"a reference that leads nowhere", "paths: {'/a/{id}': {get: {responses: {'200': {$ref: '#/x'}}}}}"},
		{"a schema in itself", "paths: {/a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/s'}}}}}}}}\ns: {allOf: [{$ref: '#/s'}], oneOf: [{$ref: '#/s'}], items: {$ref: '#/s'}, properties: {data: {$ref: '#/s'}}}"},
		{"a list of lists in itself", "paths: {/as: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/s'}}}}}}, post: {requestBody: {content: {application/json: {schema: {$ref: '#/s'}}}}, responses: {'201': {content: {application/json: {schema: {$ref: '#/s'}}}}}}}}\ns: {type: array, items: {$ref: '#/s'}}"},
		{"an error in itself", "paths: {'/as/{id}': {get: {responses: {'200': {content: {application/json: {schema: {properties: {id: {type: string}}}}}}, '404': {content: {application/json: {schema: {$ref: '#/e'}}}}}}}}\ne: {type: object, required: [error], properties: {error: {$ref: '#/e'}, errors: {type: array, minItems: 1, items: {$ref: '#/e'}}}}"},
		{"much allOf", "paths: {'/as/{id}': {get: {responses: {'200': {content: {application/json: {schema: " + deep + "}}}}}}}"},
		{"many members", "paths: {'/as/{id}': {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/c/xxxxxxxxxx'}}}}}}}}\nc: " + wide},
		{"statuses that are none", "paths: {/a: {get: {responses: {ok: {}, 2xx: {}, '99999999999999999999': {}, '-1': {}}}}}"},
		{"a parameter without a name", "paths: {'/a/{}': {get: {parameters: [{}, {in: path}, 1], responses: {}}}}"},
		{"odd names", "paths: {'/a b/{x.y}/{z-1}:v!': {post: {responses: {'200': {content: {application/json: {schema: {properties: {'${x}': {type: string, enum: ['${y}']}, 'a\"b': {type: string}}}}}}}}}}"},
	} {
		f, err := tree.Parse("x.yaml", []byte(tt.doc))
		if err != nil {
			t.Fatalf("%s: %v", tt.what, err)
		}
		start := time.Now()
		Classify(f)
		if _, _, err := Overlay(f, nil); err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
		if _, err := Infer(f, nil); err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: took %v", tt.what, d)
		}
	}
}

// TestAgain: what was inferred stays as it is when it is inferred again, and is
// the same each time.
func TestAgain(t *testing.T) {
	for _, d := range documents(t, "tune") {
		first, _, err := Overlay(d.file, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := tree.Parse(d.name, d.data)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := Overlay(again, nil)
		if err != nil || string(first) != string(second) {
			t.Errorf("%s: two runs differ (%v)", d.name, err)
		}
		if _, err := Infer(again, nil); err != nil {
			t.Fatal(err)
		}
		report, err := Infer(again, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range report {
			if o.Stateful {
				t.Errorf("%s: %s %s got an x-behavior twice", d.name, o.Method, o.Path)
			}
		}
	}
}

// FuzzInfer: no text that is a tree makes it panic, and what comes out is a
// tree.
func FuzzInfer(f *testing.F) {
	for _, doc := range []string{
		"paths: {}",
		"paths: {/as: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/s'}}}}}}, post: {requestBody: {content: {application/json: {schema: {$ref: '#/s'}}}}, responses: {'201': {content: {application/json: {schema: {$ref: '#/s'}}}}}}}}\ns: {type: array, items: {$ref: '#/s'}}",
		"paths:\n  '/a/{b}/cs/{id}':\n    get: {operationId: getC, parameters: [{name: id, in: path, schema: {type: integer}}], responses: {'200': {content: {application/json: {schema: {$ref: '#/c'}}}}, '404': {content: {application/json: {schema: {properties: {message: {type: string}}}}}}}}\n    put: {requestBody: {content: {application/json: {schema: {$ref: '#/c'}}}}, responses: {'201': {}, '200': {}}}\n  /a.list: {get: {parameters: [{name: page, in: query}, {name: 'x[]', in: query}], responses: {default: {content: {application/json: {schema: {properties: {data: {type: array, items: {$ref: '#/c'}}, total: {type: integer}}}}}}}}}\nc: {type: object, properties: {id: {type: integer}, status: {type: string, enum: [a]}, x: {anyOf: [{type: string}]}}}",
		"paths: {'/a/{id}:cancel': {post: {responses: {'200': {content: {application/json: {schema: {properties: {id: {type: string, example: ch_123456}, state: {enum: [canceled]}}}}}}}}}}",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 50_000 {
			return
		}
		file, err := tree.Parse("x", data)
		if err != nil {
			return
		}
		for _, o := range Classify(file) {
			if o.Action == "" || o.Confidence <= 0 || o.Confidence >= 1 || o.Reason == "" || o.Action != Stateless && o.Resource == "" && o.IDIn == "path" && words(o.IDParam) != nil {
				t.Errorf("%+v says too little", o)
			}
		}
		if _, err := Infer(file, nil); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// BenchmarkClassify is of documents of one operation, a hundred and a thousand.
func BenchmarkClassify(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		var doc strings.Builder
		doc.WriteString("components: {schemas: {Pet: {type: object, properties: {id: {type: string}, name: {type: string}}}}}\npaths:\n")
		for i := range n {
			fmt.Fprintf(&doc, "  /pets%d/{id}: {get: {operationId: getPet%d, responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}}\n", i, i)
		}
		f, err := tree.Parse("x", []byte(doc.String()))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("operations=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Classify(f)
			}
		})
	}
}
