package schema

import (
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

const bodySchema = `
X: {type: object, required: [name, language, voice, model, temperature, workspace_id], additionalProperties: false, properties: {name: {type: string, minLength: 1, maxLength: 255}, description: {type: string, nullable: true, maxLength: 2000}, language: {type: string, enum: [en, de, fr, hi]}, voice: {type: string}, model: {type: string, enum: [small, large]}, temperature: {type: number, minimum: 0, maximum: 2}, max_tokens: {type: integer, minimum: 1, maximum: 100000}, stream: {type: boolean}, workspace_id: {type: string, format: uuid}, created_at: {type: string, format: date-time, readOnly: true}, email: {type: string, format: email}, phone: {type: string, pattern: '^\+[1-9][0-9]{6,14}$'}, tags: {type: array, maxItems: 20, uniqueItems: true, items: {type: string, maxLength: 50}}, hours: {$ref: '#/components/schemas/Hours'}, score: {type: number}}}
Hours: {type: object, required: [from, to], properties: {from: {type: integer, minimum: 0, maximum: 24}, to: {type: integer, minimum: 0, maximum: 24}}}`

const body = `{"name":"Support line","description":"Answers the phone at night","language":"en","voice":"nova","model":"large","temperature":0.7,"max_tokens":2048,"stream":true,"workspace_id":"123e4567-e89b-12d3-a456-426614174000","created_at":"2026-04-04T14:00:00.123456Z","email":"support@example.com","phone":"+4915112345678","tags":["night","phone"],"hours":{"from":18,"to":24},"score":1}`

// BenchmarkValidate judges a valid body of 15 members.
func BenchmarkValidate(b *testing.B) {
	s, v := compile(b, bodySchema), parse(b, body)
	b.Run("valid", func(b *testing.B) {
		b.ReportAllocs()
		var vs []Violation
		for b.Loop() {
			if vs = s.Validate(v, Request, vs[:0]); len(vs) > 0 {
				b.Fatal(report(vs))
			}
		}
	})
	b.Run("shuffled", func(b *testing.B) {
		ms := v.Members()
		turned := make([]value.Member, len(ms))
		for i := range ms {
			turned[len(ms)-1-i] = ms[i]
		}
		v := value.Object(turned...)
		b.ReportAllocs()
		for b.Loop() {
			if !s.Valid(v, Request) {
				b.Fatal("invalid")
			}
		}
	})
	b.Run("violations=3", func(b *testing.B) {
		v := v.With("language", value.String("xx")).With("score", value.String("1")).Without("name")
		b.ReportAllocs()
		var vs []Violation
		for b.Loop() {
			if vs = s.Validate(v, Request, vs[:0]); len(vs) != 3 {
				b.Fatal(report(vs))
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	s, v := compile(t, bodySchema), parse(t, body)
	if n := testing.AllocsPerRun(100, func() {
		if vs := s.Validate(v, Request, nil); len(vs) > 0 {
			t.Error(report(vs))
		}
	}); n != 0 {
		t.Errorf("a valid body allocates %v times", n)
	}
}
