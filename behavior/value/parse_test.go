package value

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+1)
	for _, tt := range []struct{ text, want string }{
		{``, `line 1, column 1: the text ends where a value is expected`},
		{" \n ", `line 2, column 2: the text ends where a value is expected`},
		{`nul`, `line 1, column 1: a value is expected, not 'n'`},
		{`é`, `line 1, column 1: a value is expected, not 'é'`},
		{`1 2`, `line 1, column 3: only one value is expected, but more follows`},
		{`nulls`, `line 1, column 5: only one value is expected, but more follows`},
		{`01`, `line 1, column 2: a number does not begin with 0`},
		{`-`, `line 1, column 2: a digit is expected`},
		{`-a`, `line 1, column 2: a digit is expected`},
		{`+1`, `line 1, column 1: a value is expected, not '+'`},
		{`1.`, `line 1, column 3: a digit is expected behind the point`},
		{`.5`, `line 1, column 1: a value is expected, not '.'`},
		{`1e+`, `line 1, column 4: a digit is expected in the exponent`},
		{`[1`, `line 1, column 3: the text ends inside an array`},
		{`[1 2]`, `line 1, column 4: a comma or ] is expected`},
		{`[1,]`, `line 1, column 4: a value is expected, not ']'`},
		{`[,1]`, `line 1, column 2: a value is expected, not ','`},
		{`{`, `line 1, column 2: a member name in quotes is expected`},
		{`{a:1}`, `line 1, column 2: a member name in quotes is expected`},
		{`{"a" 1}`, `line 1, column 6: a colon is expected`},
		{`{"a":1`, `line 1, column 7: the text ends inside an object`},
		{`{"a":1 "b":2}`, `line 1, column 8: a comma or } is expected`},
		{`{"a":1,}`, `line 1, column 8: a member name in quotes is expected`},
		{"{\"a\":1,\n  \"a\":2}", `line 2, column 3: the member "a" occurs twice`},
		{`{"a":1,"\u0061":2}`, `line 1, column 8: the member "a" occurs twice`},
		{`"a`, `line 1, column 3: the text ends inside a string`},
		{`"a\`, `line 1, column 4: the text ends inside a string`},
		{`"a\n`, `line 1, column 5: the text ends inside a string`},
		{"\"ä\n\"", `line 1, column 3: the control character U+000A must be escaped in a string`},
		{"\"\\n\x00\"", `line 1, column 4: the control character U+0000 must be escaped in a string`},
		{"\"\xff\"", `line 1, column 2: the byte 0xFF is not UTF-8`},
		{"\"\\n\xc3\"", `line 1, column 4: the byte 0xC3 is not UTF-8`},
		{`"\x"`, `line 1, column 2: there is no escape \x`},
		{`"\é"`, `line 1, column 2: there is no escape \é`},
		{`"\u12g4"`, `line 1, column 2: four hexadecimal digits are expected behind \u`},
		{`"\u12`, `line 1, column 2: four hexadecimal digits are expected behind \u`},
		{`"\ud83d"`, `line 1, column 2: the surrogate \ud83d stands alone`},
		{`"\ud83dx\ude00"`, `line 1, column 2: the surrogate \ud83d stands alone`},
		{`"a\ude00"`, `line 1, column 3: the surrogate \ude00 stands alone`},
		{deep, `line 1, column 513: nested deeper than 512 levels`},
		{"\ufeff x", `line 1, column 2: a value is expected, not 'x'`},
		{"\u00a01", "line 1, column 1: a value is expected, not '\\u00a0'"},
	} {
		_, err := Parse([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.40q:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{` {"b" : 1.50 , "a" : [ true , false , null ] } `, `{"b":1.50,"a":[true,false,null]}`},
		{`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0001"`, `"\"\\/\u0008\u000c\n\r\té😀\u0001"`},
		{`12345678901234567890.12345678901234567890e-400`, `12345678901234567890.12345678901234567890e-400`},
		{"\ufeff[]", `[]`},
		{strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)},
	} {
		v, err := Parse([]byte(tt.text))
		if got := v.String(); err != nil || got != tt.want {
			t.Errorf("%.40q: got %s, %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

// stricter are the problems that encoding/json does not mind.
var stricter = []string{"occurs twice", "is not UTF-8", "stands alone", "nested deeper than"}

// FuzzParse checks that Parse accepts what encoding/json accepts, apart from
// what is stricter on purpose, and that what was read can be written and read.
func FuzzParse(f *testing.F) {
	for _, s := range []string{body, `[1,-0.5e+3,"\u00e9\ud83d\ude00",{}]`, `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", `01`, `[1,]`, "\ufeff1", `{"":{"":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		valid := json.Valid(bytes.TrimPrefix(data, []byte("\ufeff")))
		if err != nil {
			se := err.(*SyntaxError)
			if se.Offset < 0 || se.Offset > len(data) || se.Line < 1 || se.Column < 1 {
				t.Errorf("%q: impossible place: %+v", data, se)
			}
			if valid {
				for _, s := range stricter {
					if strings.Contains(se.Problem, s) {
						return
					}
				}
				t.Errorf("%q: %v, but encoding/json accepts it", data, err)
			}
			return
		}
		if !valid {
			t.Errorf("%q is read as %s, but encoding/json refuses it", data, v)
		}
		text := Append(nil, v)
		back, err := Parse(text)
		if err != nil || !Equal(v, back) {
			t.Errorf("%q is written as %s, which reads as %s, %v", data, text, back, err)
		}
		if !json.Valid(text) {
			t.Errorf("%q is written as %s, which is no JSON", data, text)
		}
		if again := v.Sealed().Clone(); again.String() != string(text) {
			t.Errorf("%q: sealed and cloned it is %s, not %s", data, again, text)
		}
	})
}

const body = `{"name":"Support line","description":"Answers the phone at night","language":"en","voice":"nova","model":"large","temperature":0.7,"max_tokens":2048,"stream":true,"workspace_id":"123e4567-e89b-12d3-a456-426614174000","created_at":"2026-04-04T14:00:00.123456Z","email":"support@example.com","phone":"+4915112345678","tags":["night","phone"],"hours":{"from":18,"to":24},"score":1}`

func BenchmarkParse(b *testing.B) {
	data := []byte(body)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	v := mustParse(b, body)
	for _, tt := range []struct {
		name string
		v    Value
	}{{"tree", v}, {"sealed", v.Sealed()}} {
		b.Run(tt.name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf = Append(buf[:0], tt.v)
			}
		})
	}
}
