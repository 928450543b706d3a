package behavior

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

const exprBody = `{
	"name": "Ärger", "n": 7, "zero": 0, "big": 12345678901234567890, "frac": 1.10, "exp": 1e2, "yes": true, "no": false, "nil": null,
	"list": [3, 1, 2], "texts": ["a", "b", "a"], "obj": {"k": 1, "l": null}, "deep": {"a": {"b": [{"c": "x"}]}}, "blank": "", "key": "k"
}`

const exprRecords = `{"Item": [
	{"id": "a", "name": "Alpha", "rank": 2, "secret": "s1", "space": "w1"},
	{"id": "b", "name": "beta", "rank": 1, "secret": "s2", "space": "w1"},
	{"id": "c", "name": "gamma", "rank": 3, "secret": "s3", "space": "w2"}
]}`

func exprSpec(t testing.TB, expression string) *Spec {
	return &Spec{
		Resources: []ResourceSpec{{
			Name: "Item", Members: []string{"id", "name", "rank"}, Hidden: []string{"secret", "space"},
			Within: []WithinSpec{{Member: "space", Values: []Text{{S: "caller.space"}}}},
		}},
		Failures: failures(t),
		Operations: []*OperationSpec{{
			ID: "eval", Method: "POST", Path: "/eval", Responses: responses(), Body: &BodySpec{},
			Parameters: map[string][]string{"path": {"id"}, "query": {"q", "flag"}, "header": {"x-shop"}, "cookie": {"sid"}},
			Steps: []StepSpec{
				{Kind: Find, Target: "Item", ID: tx("path.id"), Else: ref("gone")},
				{Kind: Let, Target: "seven", Be: tx("7")},
				{Kind: Reply, Status: 200, Body: &TemplateSpec{Scalar: value.String("${" + expression + "}")}},
			},
		}},
	}
}

func exprCall(t testing.TB, w *World, json string) *Call {
	c := call(t, w, "eval", `{"path": {"id": "a"}, "query": {"q": "x y"}, "header": {"x-shop": "main"}, "cookie": {"sid": "s"}}`)
	c.Body = parseJSON(t, json)
	c.Headers = map[string][]string{"X-Raw": {"raw"}}
	return c
}

// evaluate answers with the value of an expression, as JSON.
func evaluate(t testing.TB, expression string) value.Value {
	t.Helper()
	p, err := Compile(exprSpec(t, expression))
	if err != nil {
		t.Errorf("%s: %v", expression, err)
		return value.Value{}
	}
	w := world(t, p, exprRecords, nil)
	out := w.Do(exprCall(t, w, exprBody))
	if out.Status != 200 {
		t.Errorf("%s: got status %d (%s), want 200", expression, out.Status, out.Problem)
	}
	return out.Body
}

func TestExpressions(t *testing.T) {
	for _, tt := range []struct{ name, expr, want string }{
		// literals
		{"int", "7", "7"}, {"negative", "-7", "-7"}, {"least int", "-9223372036854775808", "-9223372036854775808"}, {"hex", "0x10", "16"},
		{"unsigned beyond int64", "18446744073709551615u", "18446744073709551615"}, {"double", "1.5", "1.5"}, {"large double", "1e21", "1e+21"},
		{"text", `"a\n\"b\""`, `"a\n\"b\""`}, {"single quotes", `'it'`, `"it"`}, {"raw text", `r'\d'`, `"\\d"`}, {"umlaut", `"ä"`, `"ä"`},
		{"true", "true", "true"}, {"null", "null", "null"}, {"list", `[1, "a", null, [2]]`, `[1,"a",null,[2]]`}, {"object keeps its order", `{"b": 1, "a": {}}`, `{"b":1,"a":{}}`},
		{"missing in a list is null", "[body.absent]", "[null]"}, {"missing in an object is null", `{"a": body.absent}`, `{"a":null}`},
		// ==, !=
		{"1 == 1.0", "1 == 1.0", "true"}, {"1 != 2", "1 != 2", "true"}, {"number and text", `1 == "1"`, "false"}, {"null == missing", "body.nil == body.absent", "true"},
		{"null != 0", "null != 0", "true"}, {"false is not null", "false == null", "false"}, {"lists", "[1, 2] == [1.0, 2]", "true"}, {"lists of other length", "[1] == [1, 2]", "false"},
		{"objects in any order", `{"a": 1, "b": 2} == {"b": 2, "a": 1}`, "true"}, {"big numbers by digit", "body.big == body.big + 1", "false"}, {"1e2 == 100", "body.exp == 100", "true"},
		// <, <=, >, >=
		{"<", "1 < 2", "true"}, {"< itself", "2 < 2", "false"}, {"<=", "2 <= 2", "true"}, {">", "2 > 1", "true"}, {"> itself", "1 > 1", "false"}, {">=", "1 >= 2", "false"},
		{"texts by code point", `"Z" < "a"`, "true"}, {"null is less than a number", "null < -1", "true"}, {"null is less than a text", `body.absent < ""`, "true"}, {"null < false", "null < false", "true"},
		{"nothing is less than null", "-1 < null", "false"}, {"null < null", "null < body.absent", "false"}, {"null <= null", "null <= null", "true"}, {"false < true", "false < true", "true"},
		{"kinds that do not compare", `1 < "2"`, "false"}, {"nor the other way", `1 > "2"`, "false"}, {"neither >=", `1 >= "2"`, "false"}, {"9 < 10 as numbers", "9 < 10", "true"}, {"0.1 < 0.25", "0.1 < 0.25", "true"},
		// &&, ||, !, ?:
		{"&&", "true && false", "false"}, {"&& of both", "true && true", "true"}, {"||", "false || true", "true"}, {"neither", "false || false", "false"}, {"null is not true", "null && true", "false"},
		{"1 is not true", "1 || false", "false"}, {"! null", "!null", "true"}, {"! true", "!true", "false"}, {"! text", `!"true"`, "true"},
		{"?: yes", "true ? 1 : 2", "1"}, {"?: of null", "null ? 1 : 2", "2"}, {"?: nested", "false ? 1 : true ? 2 : 3", "2"}, {"?: of missing", "true ? body.absent : 1", "null"},
		// +, -, *, /, %
		{"+", "1 + 2", "3"}, {"+ of decimals", "0.1 + 0.2", "0.3"}, {"+ beyond int64", "9223372036854775807 + 1", "9223372036854775808"}, {"+ of texts", `"a" + "b"`, `"ab"`}, {"+ of lists", "[1] + [2]", "[1,2]"},
		{"text + number is null", `"a" + 1`, "null"}, {"+ null is null", "1 + null", "null"}, {"-", "1 - 2", "-1"}, {"- beyond int64", "-9223372036854775808 - 1", "-9223372036854775809"}, {"- of texts", `"a" - "b"`, "null"},
		{"*", "6 * 7", "42"}, {"* beyond int64", "9223372036854775807 * 2", "18446744073709551614"}, {"least * -1", "-9223372036854775808 * -1", "9223372036854775808"}, {"* of a decimal", "0.5 * 3", "1.5"},
		{"/ towards zero", "7 / 2", "3"}, {"/ of a negative", "-7 / 2", "-3"}, {"/ 0", "1 / 0", "null"}, {"/ 0.0", "1.5 / 0", "null"}, {"/ of a decimal", "1.5 / 2", "0.75"}, {"least / -1", "-9223372036854775808 / -1", "9223372036854775808"},
		{"/ of texts", `"a" / 2`, "null"}, {"%", "7 % 3", "1"}, {"% of a negative", "-7 % 3", "-1"}, {"% 0", "7 % 0", "null"}, {"% of a decimal", "7.5 % 2", "null"}, {"least % -1", "-9223372036854775808 % -1", "0"},
		{"unary -", "-body.n", "-7"}, {"- of a text", "-body.name", "null"}, {"- of null", "-body.absent", "null"}, {"precedence", "1 + 2 * 3 == 7 && !false", "true"},
		// in
		{"in a list", "1 in [2, 1.0]", "true"}, {"not in a list", `"1" in [1]`, "false"}, {"null in a list", "null in [null]", "true"}, {"in null", "1 in body.absent", "false"}, {"key in an object", `"l" in body.obj`, "true"},
		{"no key", `"x" in body.obj`, "false"}, {"number in an object", "1 in body.obj", "false"}, {"in a text", `"r" in body.name`, "false"},
		// a.b, a["b"], a[0], has
		{"member", "body.obj.k", "1"}, {"absent member", "body.absent", "null"}, {"member of null", "body.absent.a.b.c", "null"}, {"member of a number", "body.n.x", "null"}, {"deep", `body.deep.a.b[0]["c"]`, `"x"`},
		{"index", "body.list[0]", "3"}, {"index beyond the end", "body.list[3]", "null"}, {"negative index", "body.list[-1]", "null"}, {"index of null", "body.absent[0]", "null"}, {"index 1.0", "body.list[1.0]", "1"},
		{"index that is a text", `body.list["0"]`, "null"}, {"index 0.5", "body.list[0.5]", "null"}, {"computed member", "body.obj[body.key]", "1"}, {"index null", "body.obj[null]", "null"}, {"character of a text", "body.name[0]", "null"},
		{"has", "has(body.n)", "true"}, {"has null", "has(body.nil)", "true"}, {"has not", "has(body.absent)", "false"}, {"has of null", "has(body.absent.x)", "false"}, {"has deep", "has(body.obj.l)", "true"},
		// numbers keep their digits
		{"passing a large integer on", "body.big", "12345678901234567890"}, {"passing 1.10 on", "body.frac", "1.10"}, {"passing 1e2 on", "body.exp", "1e2"}, {"in a list", "[body.big, body.frac]", "[12345678901234567890,1.10]"},
		{"large + 1", "body.big + 1", "12345678901234567891"}, {"large * large", "body.big * body.big", "152415787532388367501905199875019052100"}, {"through first and max", "max(first(null, body.big), 1)", "12345678901234567890"},
		{"large as text", "string(body.big)", `"12345678901234567890"`},
		// names
		{"path", "path.id", `"a"`}, {"query", "query.q", `"x y"`}, {"query that was not sent", "query.flag", "null"}, {"has(query) that was not sent", "has(query.flag)", "false"}, {"header", `header["x-shop"]`, `"main"`},
		{"header in another case", `header["X-Shop"]`, `"main"`}, {"undeclared header", `header["x-raw"]`, `"raw"`}, {"no such header", `header["x-none"]`, "null"}, {"cookie", "cookie.sid", `"s"`},
		{"caller", "caller.name", `"owner"`}, {"attribute", "caller.space", `"w1"`}, {"scopes", `"read" in caller.scopes`, "true"}, {"no such attribute", "caller.absent", "null"},
		{"request", "request.method + request.url + request.remote", `"POSThttp://x.test/eval10.0.0.1"`}, {"let", "seven + 1", "8"},
		{"bound record without what is hidden", "item", `{"id":"a","name":"Alpha","rank":2}`}, {"hidden member is usable", "item.secret", `"s1"`}, {"hidden in a list", "[item]", `[{"id":"a","name":"Alpha","rank":2}]`},
		{"hidden in a text", "string(item)", `"{\"id\":\"a\",\"name\":\"Alpha\",\"rank\":2}"`}, {"merge shows nothing hidden", `merge(item, {"x": 1})`, `{"id":"a","name":"Alpha","rank":2,"x":1}`}, {"nor without", `without(item, ["rank"])`, `{"id":"a","name":"Alpha"}`},
		{"records of this caller", "Item", `[{"id":"a","name":"Alpha","rank":2},{"id":"b","name":"beta","rank":1}]`}, {"Item.size()", "Item.size()", "2"}, {"size(Item)", "size(Item)", "2"},
		{"Item.filter", `Item.filter(i, i.rank < 2).map(i, i.id)`, `["b"]`}, {"Item.filter by value", `Item.filter(i, i.name == "beta" && i.rank == 1).size()`, "1"}, {"Item.filter by !=", `Item.filter(i, i.name != "beta").size()`, "1"},
		{"Item.exists", `Item.exists(i, i.name == "beta")`, "true"}, {"of another caller", `Item.exists(i, i.name == "gamma")`, "false"}, {"element of Item", "Item[1].name", `"beta"`}, {"Item.all", "Item.all(i, i.rank > 0)", "true"},
		// loops
		{"exists", "body.list.exists(x, x == 2)", "true"}, {"exists in none", "[].exists(x, true)", "false"}, {"exists of null", "body.absent.exists(x, true)", "false"}, {"exists: null is not true", "[1].exists(x, null)", "false"},
		{"all", "body.list.all(x, x > 0)", "true"}, {"not all", "body.list.all(x, x > 1)", "false"}, {"all of none", "body.absent.all(x, false)", "true"}, {"filter", "body.list.filter(x, x > 1)", "[3,2]"}, {"filter of null", "body.nil.filter(x, true)", "[]"},
		{"map", "body.list.map(x, x * 2)", "[6,2,4]"}, {"map of null", "body.absent.map(x, x)", "[]"}, {"map to nothing is null", "body.list.map(x, x.y)", "[null,null,null]"}, {"nested", "[1, 2].map(x, [10, 20].map(y, x * y))", "[[10,20],[20,40]]"},
		{"the inner variable hides the outer", "[1].map(x, [2].map(x, x))[0][0]", "2"}, {"and is gone behind it", "[1].map(x, [2].map(x, x)[0] + x)", "[3]"},
		{"keys of an object", "body.obj.map(k, k)", `["k","l"]`}, {"exists among keys", `body.obj.exists(k, k == "l")`, "true"}, {"map of a number", "body.n.map(x, x)", "[]"},
		{"group", `["ab", "c", "ad"].group(s, s.startsWith("a") ? "a" : "other", s.size())`, `{"a":[2,2],"other":[1]}`}, {"group of null", "body.absent.group(x, x, x)", "{}"}, {"group by number", "[1, 1.0, 2].group(x, x, 0)", `{"1":[0,0],"2":[0]}`},
		// functions
		{"fold", `fold("STRASSE") == fold("Straße")`, "true"}, {"fold ascii", `fold("AbC")`, `"abc"`}, {"fold null", "fold(body.absent)", "null"}, {"lower", `lower("ÄB")`, `"äb"`}, {"upper", `upper("äb")`, `"ÄB"`}, {"upper of a number", "upper(7)", "null"},
		{"trim", `trim(" \t a b \n")`, `"a b"`}, {"trim null", "trim(null)", "null"}, {"split", `split("a, b", ", ")`, `["a","b"]`}, {"split nothing", `split("", ",")`, `[""]`}, {"split null", `split(null, ",")`, "null"}, {"split as a method", `"a-b".split("-")`, `["a","b"]`},
		{"join", `join(body.texts, ", ")`, `"a, b, a"`}, {"join numbers", `join([1, 2.5, true, null], "")`, `"12.5truenull"`}, {"join null", `join(null, ",")`, `""`}, {"join an object", `join(body.obj, ",")`, `""`}, {"join as a method", `["a"].join(",")`, `"a"`},
		{"replace", `replace("aXbX", "X", "-")`, `"a-b-"`}, {"replace nothing", `replace("ab", "", ".")`, `".a.b."`}, {"replace in null", `replace(null, "a", "b")`, "null"},
		{"pad", "pad(7, 3)", `"007"`}, {"pad a text", `pad("x", 2)`, `"0x"`}, {"pad what is longer", "pad(1234, 3)", `"1234"`}, {"pad without end", "size(pad(1, 1000000000000))", "100"}, {"pad by nothing", "pad(1, null)", `"1"`},
		{"contains", `"Alpha".contains("ph")`, "true"}, {"contains not", `"Alpha".contains("PH")`, "false"}, {"contains null", `body.absent.contains("a")`, "false"}, {"contains of null", `"null".contains(null)`, "false"}, {"list contains", "body.list.contains(2)", "true"},
		{"startsWith", `"Alpha".startsWith("Al")`, "true"}, {"startsWith of a number", `7.startsWith("7")`, "false"}, {"endsWith", `"Alpha".endsWith("ha")`, "true"}, {"endsWith not", `"Alpha".endsWith("Al")`, "false"},
		{"matches a part", `"Alpha".matches("l.h")`, "true"}, {"matches whole", `"Alpha".matches("^l")`, "false"}, {"matches of null", `null.matches("")`, "false"}, {"computed pattern", `"a1".matches("^" + "a[0-9]$")`, "true"}, {"computed nonsense", `"a".matches("(" + "")`, "false"},
		{"size of a text", "body.name.size()", "5"}, {"size of a list", "size(body.list)", "3"}, {"size of an object", "body.obj.size()", "2"}, {"size of null", "body.absent.size()", "0"}, {"size of a number", "size(77)", "0"}, {"size of a record", "item.size()", "3"},
		{"merge", `merge({"a": 1, "b": 2}, {"b": 3, "c": 4})`, `{"a":1,"b":3,"c":4}`}, {"merge null into it", `merge({"a": 1}, null)`, `{"a":1}`}, {"merge into null", `merge(null, {"a": 1})`, `{"a":1}`}, {"merge of null and null", "merge(null, null)", "null"},
		{"without", `without(body.obj, ["k", "x"])`, `{"l":null}`}, {"without of null", `without(null, ["k"])`, "null"}, {"without null", "without(body.obj, null)", `{"k":1,"l":null}`},
		{"first", "first(null, body.absent, 3, 4)", "3"}, {"first of one", "first(false)", "false"}, {"first of none", "first(null, body.absent)", "null"},
		{"min", "min(2, 1)", "1"}, {"max", "max(2, 10)", "10"}, {"min with null", "min(1, null)", "null"}, {"max with null", "max(null, 1)", "1"}, {"max of texts", `max("a", "b")`, `"b"`},
		{"int of a text", `int("42")`, "42"}, {"int of a decimal", "int(-2.9)", "-2"}, {"int of a decimal text", `int("2.9")`, "2"}, {"int of words", `int("abc")`, "null"}, {"int of +5", `int("+5")`, "5"}, {"int of nan", `int("nan")`, "null"}, {"int of inf", `int("inf")`, "null"},
		{"int of hex", `int("0x10")`, "null"}, {"int of nothing", `int("")`, "null"}, {"int of true", "int(true)", "null"}, {"int of null", "int(null)", "null"}, {"int of a list", "int([1])", "null"}, {"largest int", `int("9223372036854775807")`, "9223372036854775807"}, {"too large", "int(body.big)", "null"}, {"int of 1e3", `int("1e3")`, "1000"},
		{"double", `double("1.5")`, "1.5"}, {"double of an int", "double(2)", "2"}, {"double of words", `double("x")`, "null"}, {"double of infinity", `double("inf")`, "null"}, {"double of too much", `double("1e999")`, "null"}, {"double of null", "double(null)", "null"},
		{"string", "string(1.5)", `"1.5"`}, {"string of true", "string(true)", `"true"`}, {"string of a list", `string([1, "a"])`, `"[1,\"a\"]"`}, {"string of null", "string(null)", "null"},
		{"timestamp", `timestamp("1970-01-01T00:00:01Z")`, "1000000"}, {"with fraction and zone", `timestamp("1970-01-01T02:00:00.000001+02:00")`, "1"}, {"of a date", `timestamp("1970-01-02")`, "86400000000"}, {"of a time without zone", `timestamp("1970-01-01T00:00:01")`, "1000000"},
		{"of no time", `timestamp("tomorrow")`, "null"}, {"of null", "timestamp(null)", "null"}, {"of a number", "timestamp(7)", "null"}, {"in lower case", `timestamp("1970-01-01t00:00:01z")`, "1000000"},
		// choices
		{"uuid", `uuid().matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")`, "true"}, {"uuids differ", "uuid() == uuid()", "false"}, {"now", "now()", `"2026-04-04T14:00:00.123456Z"`}, {"now in ms", `now("ms")`, `"2026-04-04T14:00:00.123Z"`}, {"now in s", `now("s")`, `"2026-04-04T14:00:00Z"`},
		{"pattern", `pattern("agent_[a-z0-9]{12}").matches("^agent_[a-z0-9]{12}$")`, "true"}, {"patterns differ", `pattern("[a-z]{20}") == pattern("[a-z]{20}")`, "false"}, {"pick", "pick([1, 2]) in [1, 2]", "true"}, {"pick of a computed list", "pick(body.list) in body.list", "true"},
		{"pick of nothing", "pick(body.absent)", "null"}, {"pick of an object", "pick(body.obj)", "null"}, {"pick of a text", "pick(body.name)", "null"}, {"between", "between(1, 6) >= 1 && between(1, 6) <= 6", "true"}, {"between one", "between(3, 3)", "3"}, {"between, turned round", "between(2, 1) in [1, 2]", "true"},
		{"between of null", "between(null, 1)", "null"}, {"between everything", "between(-9223372036854775808, 9223372036854775807) != null", "true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := evaluate(t, tt.expr).String(); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
			}
		})
	}
}

func TestTemplates(t *testing.T) {
	for _, tt := range []struct{ name, json, want string }{
		{"no expression", `"a"`, `"a"`}, {"one expression keeps its type", `"${body.list}"`, `[3,1,2]`}, {"in a text", `"n is ${body.n}!"`, `"n is 7!"`}, {"two", `"${body.n}${body.n}"`, `"77"`}, {"null in a text", `"<${body.absent}>"`, `"<null>"`},
		{"list in a text", `"<${body.texts}>"`, `"<[\"a\",\"b\",\"a\"]>"`}, {"literal ${", `"$${body.n}"`, `"${body.n}"`}, {"literal before an expression", `"$${ ${body.n}"`, `"${ 7"`}, {"lone dollar", `"5$ {x}"`, `"5$ {x}"`},
		{"brace in quotes", `"${\"}\" + '{'}"`, `"}{"`}, {"escaped quote", `"${\"\\\"}\"}"`, `"\"}"`}, {"object in an expression", `"${{\"a\": {\"b\": 1}}.a.b}"`, `1`}, {"nested", `{"a": ["${body.n}", {"b": "${body.frac}"}], "c": 1.0}`, `{"a":[7,{"b":1.10}],"c":1.0}`},
		{"missing member is null", `{"a": "${body.absent}"}`, `{"a":null}`}, {"digits in a text", `"${body.big}"`, `12345678901234567890`}, {"digits written into a text", `"=${body.frac}"`, `"=1.10"`}, {"empty object", `{}`, `{}`}, {"empty list", `[]`, `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := exprSpec(t, "1")
			spec.Operations[0].Steps[2].Body = body(t, tt.json)
			w := world(t, compile(t, spec), exprRecords, nil)
			if got := w.Do(exprCall(t, w, exprBody)).Body.String(); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.json, got, tt.want)
			}
		})
	}
}

// TestAnonymous is the null semantics of callers and bodies that are not there.
func TestAnonymous(t *testing.T) {
	for expr, want := range map[string]string{"caller.name": "null", "caller.scopes": "null", "caller": "null", "body": "null", "body.x.y": "null", "has(body.x)": "false", `"a" in caller.scopes`: "false"} {
		spec := exprSpec(t, expr)
		spec.Operations[0].Steps = spec.Operations[0].Steps[1:]
		w := world(t, compile(t, spec), "", nil)
		c := call(t, w, "eval", "")
		c.Caller = nil
		if got := w.Do(c).Body.String(); got != want {
			t.Errorf("%s without caller and body: got %s, want %s", expr, got, want)
		}
	}
}

// limited is a call that reads, with less fuel than Do gives.
func limited(w *World, c *Call, fuel int64) Outcome {
	f := frames.Get().(*frame)
	defer f.release()
	f.reset(w.plan, c)
	f.fuel = fuel
	var counter uint64
	f.tx.plan, f.tx.base, f.now = w.plan, w.state.Load(), w.clock()
	f.seeded = seeded{seed: 1, counter: &counter, now: f.now}
	f.choose = &f.seeded
	return f.step()
}

// TestHostile is what a hostile body makes of sensible expressions: an answer,
// soon. A fiftieth of the fuel is enough for what is linear.
func TestHostile(t *testing.T) {
	many := make([]value.Value, 60_000)
	var object []value.Member
	for i := range many {
		many[i] = value.Int(int64(i))
		object = append(object, value.Member{Name: value.Int(int64(i)).Text(), Value: value.True})
	}
	hostile := value.Object(value.Member{Name: "list", Value: value.Array(many...)}, value.Member{Name: "obj", Value: value.Object(object...)}, value.Member{Name: "text", Value: value.String(strings.Repeat("a", 100_000))})
	for _, tt := range []struct {
		expr string
		want int
	}{
		{"body.list.group(x, x, x).size()", 200},
		{"body.list.group(x, 1, x).size()", 200},
		{"merge(body.obj, body.obj).size()", 200},
		{`merge({"a": 1}, body.obj).size()`, 200},
		{"body.obj == merge({}, body.obj)", 200},
		{"body.list.all(x, body.list.filter(y, y == x).size() == 1)", 500},
		{"body.list.all(x, x in body.list)", 500},
		{"body.list.all(x, body.list.contains(x))", 500},
		{"body.obj.all(k, body.obj[k])", 500},
		{"body.list.map(x, body.list + [x]).size()", 500},
		{`body.list.map(x, replace(body.text, "b", "")).size()`, 500},
		{`replace(replace(body.text, "", body.text), "", body.text).size()`, 500},
		{`join(split(join(split(body.text, ""), body.text), ""), body.text).size()`, 500},
	} {
		w := world(t, compile(t, exprSpec(t, tt.expr)), exprRecords, nil)
		c := exprCall(t, w, "{}")
		c.Body = hostile
		out := limited(w, c, fuel/50)
		if out.Status != tt.want || tt.want == 500 && out.Problem != "rule-too-costly" {
			t.Errorf("%s of a hostile body: got %d %s %.80s, want %d", tt.expr, out.Status, out.Problem, out.Body, tt.want)
		}
	}
}
