package behavior

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// shop is a spec with one operation, of these steps. Items are kept apart by
// space; those of space "" are everybody's.
func shop(t testing.TB, steps ...StepSpec) *Spec {
	if last := len(steps) - 1; last < 0 || steps[last].Kind != Reply && steps[last].Kind != OneOf || steps[last].When != nil {
		steps = append(steps, StepSpec{Kind: Reply, Status: 200})
	}
	op := operation("act", nil, steps...)
	op.Body = &BodySpec{Members: []BodyMember{
		{Name: "id", Keep: "id"}, {Name: "title", Keep: "name"}, {Name: "name", Keep: "name"}, {Name: "label", Keep: "name"}, {Name: "code", Keep: "code"}, {Name: "status", Keep: "status"}, {Name: "tags", Keep: "tags"},
		{Name: "meta", Keep: "meta"}, {Name: "created", Keep: "created"}, {Name: "rank", Keep: "rank", Default: value.Int(5)}, {Name: "note", Keep: "note", ReadOnly: true}, {Name: "secret", Keep: "secret"}, {Name: "unknown", Keep: "unknown"},
	}}
	return &Spec{
		Resources: []ResourceSpec{
			{
				Name: "Item", Members: []string{"id", "name", "code", "status", "tags", "meta", "created", "updated", "rank", "note", "orders"}, Hidden: []string{"secret", "space"},
				Within: []WithinSpec{{Member: "space", Values: []Text{{S: "caller.space"}, {S: `""`}}}}, Visible: tx(`status != "draft"`),
				Default: named(t, `{"status": "active", "rank": 1, "tags": []}`), OnCreate: named(t, `{"created": "${now(\"s\")}"}`), OnUpdate: named(t, `{"updated": "${now(\"s\")}"}`),
				OnRead: named(t, `{"orders": "${Order.filter(o, o.item == it.id).size()}"}`),
				Unique: []UniqueSpec{{By: *tx("fold(name)"), Among: tx(`status != "archived"`), Else: ref("taken")}, {By: *tx("[code, note]"), Else: ref("busy")}},
			},
			{Name: "Order", Members: []string{"id", "item", "amount"}, Hidden: []string{"secret"}, Soft: true, OnCreate: named(t, `{"id": "${uuid()}"}`)},
			{Name: "PriceTag", Members: []string{"id", "name"}},
		},
		Failures: failures(t), Operations: []*OperationSpec{op},
	}
}

const (
	alpha = `{"id": "a", "name": "Alpha", "status": "active", "space": "w1"}`
	beta  = `{"id": "b", "name": "Beta", "status": "active", "space": "w1", "secret": "x"}`
	alien = `{"id": "z", "name": "Zeta", "status": "active", "space": "w2"}`
	ours  = `{"id": "o", "name": "Omega", "status": "active", "space": ""}`
	draft = `{"id": "d", "name": "Delta", "status": "draft", "space": "w1"}`
)

func items(list ...string) string { return `{"Item": [` + strings.Join(list, ",") + `]}` }

var findItem = StepSpec{Kind: Find, Target: "Item", ID: tx("path.id"), Else: ref("gone")}

type stepRow struct {
	name    string
	records string
	call    string
	steps   []StepSpec
	status  int
	body    string // of the answer; "" is not compared
	kept    string // the Items afterwards, as JSON lines without the members that all have; "" is not compared
}

func (row stepRow) run(t *testing.T) {
	t.Run(row.name, func(t *testing.T) {
		w := world(t, compile(t, shop(t, row.steps...)), row.records, nil)
		before := everything(w)
		out := w.Do(call(t, w, "act", row.call))
		if out.Status != row.status {
			t.Fatalf("%s with %s: got %d %s, want %d", row.call, row.records, out.Status, answered(out), row.status)
		}
		if row.body != "" && out.Body.String() != row.body {
			t.Errorf("%s with %s: got body\n     %s\nwant %s", row.call, row.records, out.Body, row.body)
		}
		after := everything(w)
		if out.Refused && after != before {
			t.Errorf("%s is refused with %d, but changes\n%s to\n%s", row.call, out.Status, before, after)
		}
		if out.Refused != (out.Status >= 300) || out.Refused && len(out.Writes) > 0 {
			t.Errorf("%s: status %d, refused %v, %d writes", row.call, out.Status, out.Refused, len(out.Writes))
		}
		if got := strings.ReplaceAll(strings.TrimSpace(kept(w, "Item")), "\n", " "); row.kept != "" && got != row.kept {
			t.Errorf("%s with %s: kept\n     %s\nwant %s", row.call, row.records, got, row.kept)
		}
	})
}

func says(t testing.TB, json string) StepSpec {
	return StepSpec{Kind: Reply, Status: 200, Body: body(t, json)}
}

func TestFind(t *testing.T) {
	id := says(t, `"${item.id}"`)
	where := func(s string) StepSpec {
		return StepSpec{Kind: Find, Target: "Item", Where: tx(s), Else: ref("gone")}
	}
	for _, row := range []stepRow{
		{"by id", items(alpha, beta), `{"path": {"id": "b"}}`, []StepSpec{findItem, says(t, `"${item}"`)}, 200, `{"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"orders":0}`, ""},
		{"no such id", items(alpha), `{"path": {"id": "q"}}`, []StepSpec{findItem}, 404, `{"code":"gone"}`, ""},
		{"no id at all", items(`{"id": "null", "space": "w1"}`), `{}`, []StepSpec{findItem}, 404, "", ""},
		{"an id that is a number", items(`{"id": 7, "space": "w1"}`), `{"path": {"id": "7"}}`, []StepSpec{findItem, id}, 200, `7`, ""},
		{"of another scope", items(alien), `{"path": {"id": "z"}}`, []StepSpec{findItem}, 404, "", ""},
		{"of the second alternative of within", items(ours), `{"path": {"id": "o"}}`, []StepSpec{findItem, id}, 200, `"o"`, ""},
		{"not visible", items(draft), `{"path": {"id": "d"}}`, []StepSpec{findItem}, 404, "", ""},
		{"by id and where", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{{Kind: Find, Target: "Item", ID: tx("path.id"), Where: tx(`status == "active"`), Else: ref("gone")}, id}, 200, `"a"`, ""},
		{"by id, but where does not hold", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{{Kind: Find, Target: "Item", ID: tx("path.id"), Where: tx(`status == "archived"`), Else: ref("gone")}}, 404, "", ""},
		{"by id, where is no equality", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{{Kind: Find, Target: "Item", ID: tx("path.id"), Where: tx(`rank > 1`), Else: ref("gone")}}, 404, "", ""},
		{"by where: the oldest", items(beta, alpha), `{}`, []StepSpec{where(`status == "active"`), id}, 200, `"b"`, ""},
		{"by where with a method", items(alpha, beta), `{"body": {"name": "et"}}`, []StepSpec{where(`name.contains(body.name)`), id}, 200, `"b"`, ""},
		{"by where across scopes", items(alien), `{}`, []StepSpec{where(`name == "Zeta"`)}, 404, "", ""},
		{"by where: 1.0 is 1", items(`{"id": "a", "rank": 1, "space": "w1"}`), `{"body": {"rank": 1.0}}`, []StepSpec{where(`rank == body.rank`), id}, 200, `"a"`, ""},
		{"by where: what is missing is null", items(alpha), `{}`, []StepSpec{where(`note == body.code`), id}, 200, `"a"`, ""},
		{"by it", items(alpha, beta), `{}`, []StepSpec{where(`it.name == "Beta" && it.rank == 1`), id}, 200, `"b"`, ""},
		{"by a hidden member", items(alpha, beta), `{}`, []StepSpec{where(`secret == "x"`), id}, 200, `"b"`, ""},
		{"as", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{{Kind: Find, Target: "Item", ID: tx("path.id"), As: "thing", Else: ref("gone")}, says(t, `"${thing.id}"`)}, 200, `"a"`, ""},
		{"when it is not asked for", items(), `{"path": {"id": "a"}}`, []StepSpec{{Kind: Find, Target: "Item", ID: tx("path.id"), When: tx("body.name != null"), Else: ref("gone")}, id}, 200, "null", ""},
		{"in snake case", `{"PriceTag": [{"id": "p"}]}`, `{"path": {"id": "p"}}`, []StepSpec{{Kind: Find, Target: "PriceTag", ID: tx("path.id"), Else: ref("gone")}, says(t, `"${price_tag.id}"`)}, 200, `"p"`, ""},
		{"what is computed when it is read", `{"Item": [` + alpha + `], "Order": [{"id": 1, "item": "a"}, {"id": 2, "item": "a"}, {"id": 3, "item": "b"}]}`, `{"path": {"id": "a"}}`, []StepSpec{findItem, says(t, `"${item.orders}"`)}, 200, "2", ""},
	} {
		row.run(t)
	}
}

func TestCreate(t *testing.T) {
	fromBody := StepSpec{Kind: Create, Target: "Item", From: tx("body")}
	with := func(change func(*StepSpec)) []StepSpec {
		s := fromBody
		change(&s)
		return []StepSpec{s}
	}
	find := StepSpec{Kind: Find, Target: "Order", ID: tx("path.id"), Else: ref("gone")}
	const now = `"created":"2026-04-04T14:00:00Z"`
	for _, row := range []stepRow{
		{"from the body", "", `{"body": {"id": "n", "name": "New", "code": 1.50}}`, []StepSpec{fromBody, says(t, `"${item}"`)}, 200, `{"id":"n","name":"New","code":1.50,"status":"active","tags":[],` + now + `,"rank":5,"orders":0}`,
			`{"id":"n","name":"New","code":1.50,"status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"on-create beats what was sent", "", `{"body": {"id": "n", "created": "never"}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"on-create beats set", "", `{"body": {"id": "n"}}`, with(func(s *StepSpec) { s.Set = sets(t, `{"created": "never"}`) }), 200, "", `{"id":"n","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"set beats what was sent", "", `{"body": {"id": "n", "name": "sent"}}`, with(func(s *StepSpec) { s.Set = sets(t, `{"name": "set ${body.name}"}`) }), 200, "", `{"id":"n","name":"set sent","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"set to null beats default", "", `{"body": {"id": "n"}}`, with(func(s *StepSpec) { s.Set = sets(t, `{"status": null}`) }), 200, "", `{"id":"n","status":null,"tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"what was sent beats defaults", "", `{"body": {"id": "n", "status": "new", "rank": 0, "tags": ["x"]}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","status":"new","tags":["x"],` + now + `,"rank":0,"space":"w1"}`},
		{"a null that was sent is kept", "", `{"body": {"id": "n", "status": null, "rank": null}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","status":null,"tags":[],` + now + `,"rank":null,"space":"w1"}`},
		{"without a body: the resource's defaults", "", `{}`, []StepSpec{{Kind: Create, Target: "Item", Set: sets(t, `{"id": "n"}`)}}, 200, "", `{"id":"n","status":"active","tags":[],` + now + `,"rank":1,"space":"w1"}`},
		{"readOnly, hidden and unknown members are not taken", "", `{"body": {"id": "n", "note": "x", "secret": "x", "unknown": 1, "space": "w2"}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"only", "", `{"body": {"id": "n", "name": "x", "status": "new", "rank": 3}}`, with(func(s *StepSpec) { s.Only = []string{"id", "name"} }), 200, "", `{"id":"n","name":"x","status":"active","tags":[],` + now + `,"rank":1,"space":"w1"}`},
		{"kept under another name", "", `{"body": {"id": "n", "label": "L"}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","name":"L","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"of two spellings the exact one", "", `{"body": {"id": "n", "title": "T", "label": "L", "name": "N"}}`, []StepSpec{fromBody}, 200, "", `{"id":"n","name":"N","status":"active","tags":[],` + now + `,"rank":5,"space":"w1"}`},
		{"deep set", "", `{"body": {"id": "n", "meta": {"a": {"b": 1}}, "tags": ["x", "y"]}}`, with(func(s *StepSpec) {
			s.Set = sets(t, `{"meta.a.c": "${body.id}", "tags.1": "z", "tags.2": "+", "tags.9": "far"}`)
		}), 200, "",
			`{"id":"n","status":"active","tags":["x","z","+"],"meta":{"a":{"b":1,"c":"n"}},` + now + `,"rank":5,"space":"w1"}`},
		{"deep set makes what is missing", "", `{"body": {"id": "n"}}`, with(func(s *StepSpec) { s.Set = sets(t, `{"meta.a.b": 1}`) }), 200, "", `{"id":"n","status":"active","tags":[],"meta":{"a":{"b":1}},` + now + `,"rank":5,"space":"w1"}`},
		{"set beats within", "", `{"body": {"id": "n"}}`, with(func(s *StepSpec) { s.Set = sets(t, `{"space": ""}`) }), 200, "", `{"id":"n","status":"active","tags":[],` + now + `,"rank":5,"space":""}`},
		{"when", "", `{"body": {"id": "n"}}`, with(func(s *StepSpec) { s.When = tx("body.name != null") }), 200, "", ""},
		{"several", "", `{"body": {"rank": 3}}`, []StepSpec{{Kind: Create, Target: "Order", Count: tx("body.rank"), Set: sets(t, `{"amount": "${body.rank}"}`)}, says(t, `"${Order.map(o, o.amount)}"`)}, 200, "[3,3,3]", ""},
		{"none", "", `{"body": {"rank": -1}}`, []StepSpec{{Kind: Create, Target: "Order", Count: tx("body.rank")}, says(t, `"${Order.size()}"`)}, 200, "0", ""},
		{"far too many", "", `{"body": {"rank": 1000000000}}`, []StepSpec{{Kind: Create, Target: "PriceTag", Count: tx("body.rank"), Set: sets(t, `{"id": "${uuid()}"}`)}}, 500, "null", ""},
		{"an id that is there", items(alpha), `{"body": {"id": "a"}}`, []StepSpec{fromBody}, 500, "", ""},
		{"an id that is there in another scope", items(alien), `{"body": {"id": "z"}}`, []StepSpec{fromBody}, 500, "", ""},
		{"from a record, with what no schema names", `{"Order": [{"id": "q", "item": "i", "amount": 1, "secret": "s", "extra": 1}]}`, `{"path": {"id": "q"}}`, []StepSpec{find, {Kind: Create, Target: "Order", From: tx("order"), As: "copy"}, says(t, `"${[without(copy, [\"id\"]), copy.secret, copy.id == order.id]}"`)}, 200, `[{"item":"i","amount":1,"extra":1},"s",false]`, ""},
		{"from a record of another resource: nothing hidden comes to light", `{"Order": [{"id": "q", "secret": "s"}]}`, `{"path": {"id": "q"}}`, []StepSpec{find, {Kind: Create, Target: "PriceTag", From: tx("order")}, says(t, `"${price_tag}"`)}, 200, `{"id":"q"}`, ""},
		{"from a record, only", `{"Order": [{"id": "q", "item": "i", "amount": 1, "extra": 1}]}`, `{"path": {"id": "q"}}`, []StepSpec{find, {Kind: Create, Target: "Order", From: tx("order"), As: "copy", Only: []string{"amount"}}, says(t, `"${without(copy, [\"id\"])}"`)}, 200, `{"amount":1}`, ""},
		{"from any object", "", `{"body": {"name": "N"}}`, []StepSpec{{Kind: Create, Target: "PriceTag", From: tx(`{"id": "p", "name": body.name}`)}, says(t, `"${price_tag}"`)}, 200, `{"id":"p","name":"N"}`, ""},
		{"refused behind it", "", `{"body": {"id": "n"}}`, []StepSpec{fromBody, {Kind: Refuse, Else: ref("busy")}}, 409, "", ""},
		{"seen by the steps behind it", "", `{"body": {"id": "n", "name": "N"}}`, []StepSpec{fromBody, says(t, `"${Item.filter(i, i.name == \"N\").size()}"`)}, 200, "1", ""},
	} {
		row.run(t)
	}
}

func TestUnique(t *testing.T) {
	create := StepSpec{Kind: Create, Target: "Item", From: tx("body"), Set: sets(t, `{"note": "n"}`)}
	update := []StepSpec{findItem, {Kind: Update, Target: "item", From: tx("body")}}
	archived := `{"id": "x", "name": "Alpha", "status": "archived", "space": "w1"}`
	coded := `{"id": "c", "name": "Coded", "code": 1, "note": "n", "space": "w1"}`
	for _, row := range []stepRow{
		{"the same name", items(alpha), `{"body": {"id": "n", "name": "Alpha"}}`, []StepSpec{create}, 409, `{"code":"taken"}`, ""},
		{"the same name in another case", items(alpha), `{"body": {"id": "n", "name": "ALPHA"}}`, []StepSpec{create}, 409, `{"code":"taken"}`, ""},
		{"another name", items(alpha), `{"body": {"id": "n", "name": "Alpha2"}}`, []StepSpec{create}, 200, "", ""},
		{"the name of an archived one", items(archived), `{"body": {"id": "n", "name": "alpha"}}`, []StepSpec{create}, 200, "", ""},
		{"an archived one with a name that is taken", items(alpha), `{"body": {"id": "n", "name": "alpha", "status": "archived"}}`, []StepSpec{create}, 200, "", ""},
		{"of an archived one and of one that is not", items(archived, alpha), `{"body": {"id": "n", "name": "alpha"}}`, []StepSpec{create}, 409, "", ""},
		{"in another scope", items(alien), `{"body": {"id": "n", "name": "Zeta"}}`, []StepSpec{create}, 200, "", ""},
		{"in the second alternative", items(ours), `{"body": {"id": "n", "name": "omega"}}`, []StepSpec{create}, 409, "", ""},
		{"no name clashes with no name", items(`{"id": "1", "space": "w1"}`), `{"body": {"id": "n"}}`, []StepSpec{create}, 200, "", ""},
		{"null clashes with nothing", items(`{"id": "1", "name": null, "space": "w1"}`), `{"body": {"id": "n", "name": null}}`, []StepSpec{create}, 200, "", ""},
		{"a list of values", items(coded), `{"body": {"id": "n", "code": 1.0}}`, []StepSpec{create}, 409, `{"code":"busy"}`, ""},
		{"a list of values with another", items(coded), `{"body": {"id": "n", "code": 2}}`, []StepSpec{create}, 200, "", ""},
		{"a list with a null clashes with nothing", items(`{"id": "c", "note": "n", "space": "w1"}`), `{"body": {"id": "n"}}`, []StepSpec{create}, 200, "", ""},
		{"both: the first that is written", items(alpha, coded), `{"body": {"id": "n", "name": "alpha", "code": 1}}`, []StepSpec{create}, 409, `{"code":"taken"}`, ""},
		{"twice in one call", "", `{"body": {"id": "n", "name": "N"}}`, []StepSpec{create, {Kind: Create, Target: "Item", Set: sets(t, `{"id": "m", "name": "n"}`)}}, 409, "", ""},
		{"update to its own name", items(alpha), `{"path": {"id": "a"}, "body": {"name": "ALPHA"}}`, update, 200, "", ""},
		{"update to another's name", items(alpha, beta), `{"path": {"id": "a"}, "body": {"name": "beta"}}`, update, 409, `{"code":"taken"}`, ""},
		{"update out of the archive", items(alpha, archived), `{"path": {"id": "x"}, "body": {"status": "active"}}`, update, 409, "", ""},
		{"a name that an update freed", items(alpha), `{"path": {"id": "a"}, "body": {"name": "Other", "id": "a"}}`, append(update[:2:2], StepSpec{Kind: Create, Target: "Item", Set: sets(t, `{"id": "n", "name": "Alpha"}`)}), 200, "", ""},
		{"a name that a delete freed", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item"}, {Kind: Create, Target: "Item", Set: sets(t, `{"id": "n", "name": "Alpha"}`)}}, 200, "", ""},
	} {
		row.run(t)
	}
}

// TestUniqueLoop has a loop in by, which needs a slot of its own.
func TestUniqueLoop(t *testing.T) {
	spec := shop(t, StepSpec{Kind: Create, Target: "Item", From: tx("body")})
	spec.Resources[0].Unique = []UniqueSpec{{By: *tx(`tags.map(x, fold(x))`), Else: ref("taken")}}
	w := world(t, compile(t, spec), items(`{"id": "a", "tags": ["X", "y"], "space": "w1"}`), nil)
	for _, tt := range []struct {
		tags string
		want int
	}{{`["x", "Y"]`, 409}, {`["x"]`, 200}, {`["y", "x"]`, 200}} {
		if out := w.Do(call(t, w, "act", `{"body": {"id": "n`+tt.tags[2:3]+`", "tags": `+tt.tags+`}}`)); out.Status != tt.want {
			t.Errorf("tags %s: got %d %s, want %d", tt.tags, out.Status, answered(out), tt.want)
		}
	}
}

// TestDefaultLoop has a loop in a default: it must not touch what is bound.
func TestDefaultLoop(t *testing.T) {
	spec := shop(t, findItem, StepSpec{Kind: Create, Target: "PriceTag", Set: sets(t, `{"id": "p"}`)}, says(t, `"${[item.id, price_tag.name]}"`))
	spec.Resources[2].Default = named(t, `{"name": "${[1, 2].map(x, x * 2)}"}`)
	w := world(t, compile(t, spec), `{"Item": [`+alpha+`], "PriceTag": [{"id": "q"}]}`, nil)
	if got, want := kept(w, "PriceTag"), `{"id":"q","name":[2,4]}`+"\n"; got != want {
		t.Errorf("fixture: got %s, want %s", got, want)
	}
	if out := w.Do(call(t, w, "act", `{"path": {"id": "a"}}`)); out.Body.String() != `["a",[2,4]]` {
		t.Errorf("got %s, want [\"a\",[2,4]]", answered(out))
	}
}

func TestUpdate(t *testing.T) {
	full := `{"id": "a", "name": "Alpha", "code": 1, "status": "active", "tags": ["x"], "meta": {"k": {"l": 1}}, "created": "then", "rank": 9, "note": "n", "secret": "s", "space": "w1", "extra": true}`
	update := func(change func(*StepSpec)) []StepSpec {
		s := StepSpec{Kind: Update, Target: "item", From: tx("body")}
		if change != nil {
			change(&s)
		}
		return []StepSpec{findItem, s}
	}
	replace := func(s *StepSpec) { s.Replace = true }
	const now = `"updated":"2026-04-04T14:00:00Z"`
	for _, row := range []stepRow{
		{"merge", items(full), `{"path": {"id": "a"}, "body": {"name": "New", "code": null, "note": "-", "secret": "-", "created": "now"}}`, update(nil), 200, "",
			`{"id":"a","name":"New","code":null,"status":"active","tags":["x"],"meta":{"k":{"l":1}},"created":"now",` + now + `,"rank":9,"note":"n","space":"w1","secret":"s","extra":true}`},
		{"merge of nothing still changes what on-update says", items(alpha), `{"path": {"id": "a"}}`, update(nil), 200, "", `{"id":"a","name":"Alpha","status":"active","tags":[],` + now + `,"rank":1,"space":"w1"}`},
		{"merge applies no default of the request", items(full), `{"path": {"id": "a"}, "body": {}}`, append(update(nil), says(t, `"${item.rank}"`)), 200, "9", ""},
		{"merge takes the place of a whole member", items(full), `{"path": {"id": "a"}, "body": {"meta": {"m": 1}}}`, append(update(nil), says(t, `"${item.meta}"`)), 200, `{"m":1}`, ""},
		{"replace drops what was not sent, but for the id and what a client cannot send", items(full), `{"path": {"id": "a"}, "body": {"name": "New"}}`, update(replace), 200, "",
			`{"id":"a","name":"New","status":"active","tags":[],` + now + `,"rank":5,"note":"n","space":"w1","secret":"s","extra":true}`},
		{"replace, only", items(full), `{"path": {"id": "a"}, "body": {"name": "New", "code": 2}}`, update(func(s *StepSpec) { s.Replace, s.Only = true, []string{"name", "meta"} }), 200, "",
			`{"id":"a","name":"New","code":1,"status":"active","tags":["x"],"created":"then",` + now + `,"rank":9,"note":"n","space":"w1","secret":"s","extra":true}`},
		{"only", items(full), `{"path": {"id": "a"}, "body": {"name": "New", "code": 2}}`, append(update(func(s *StepSpec) { s.Only = []string{"name"} }), says(t, `"${[item.name, item.code]}"`)), 200, `["New",1]`, ""},
		{"set beats what was sent", items(full), `{"path": {"id": "a"}, "body": {"name": "New"}}`, append(update(func(s *StepSpec) { s.Set = sets(t, `{"name": "${body.name + item.name}"}`) }), says(t, `"${item.name}"`)), 200, `"NewAlpha"`, ""},
		{"on-update beats set", items(full), `{"path": {"id": "a"}}`, append(update(func(s *StepSpec) { s.Set = sets(t, `{"updated": "never"}`) }), says(t, `"${item.updated}"`)), 200, `"2026-04-04T14:00:00Z"`, ""},
		{"deep set", items(full), `{"path": {"id": "a"}, "body": {}}`, append(update(func(s *StepSpec) { s.Set = sets(t, `{"meta.k.m": 2, "tags.0": "y"}`) }), says(t, `"${[item.meta, item.tags]}"`)), 200, `[{"k":{"l":1,"m":2}},["y"]]`, ""},
		{"set of a hidden member", items(full), `{"path": {"id": "a"}}`, append(update(func(s *StepSpec) { s.Set = sets(t, `{"secret": "new"}`) }), says(t, `"${[item.secret, has(item.secret)]}"`)), 200, `["new",true]`, ""},
		{"when", items(full), `{"path": {"id": "a"}, "body": {"name": "New"}}`, append(update(func(s *StepSpec) { s.When = tx("item.code == 2") }), says(t, `"${item.name}"`)), 200, `"Alpha"`, ""},
		{"with another record", items(full, beta), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Update, Target: "item", From: tx(`{"name": "N", "orders": 7}`)}, says(t, `"${[item.name, item.code, item.orders]}"`)}, 200, `["N",1,0]`, ""},
		{"to an id that is there", items(full, beta), `{"path": {"id": "a"}, "body": {"id": "b", "name": "x"}}`, update(nil), 500, "", ""},
		{"to another id", items(alpha, beta), `{"path": {"id": "a"}, "body": {"id": "c"}}`, append(update(nil), says(t, `"${Item.map(i, i.id)}"`)), 200, `["c","b"]`, ""},
		{"of what a step before deleted", items(alpha), `{"path": {"id": "a"}, "body": {"name": "x"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item"}, {Kind: Update, Target: "item", From: tx("body")}, says(t, `"${Item.size()}"`)}, 200, "0", ""},
		{"all that match", items(alpha, beta, alien, ours, draft), `{}`, []StepSpec{{Kind: Update, Target: "Item", Where: tx(`name != "Beta"`), Set: sets(t, `{"code": "${fold(name)}", "meta.a": "${it.id}"}`)}}, 200, "",
			`{"id":"a","name":"Alpha","code":"alpha","status":"active","tags":[],"meta":{"a":"a"},` + now + `,"rank":1,"space":"w1"} {"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"space":"w1","secret":"x"} ` +
				`{"id":"z","name":"Zeta","status":"active","tags":[],"rank":1,"space":"w2"} {"id":"o","name":"Omega","code":"omega","status":"active","tags":[],"meta":{"a":"o"},` + now + `,"rank":1,"space":""} {"id":"d","name":"Delta","status":"draft","tags":[],"rank":1,"space":"w1"}`},
		{"all, by what they change", items(alpha, beta), `{}`, []StepSpec{{Kind: Update, Target: "Item", Where: tx(`rank == 1`), Set: sets(t, `{"rank": "${rank + 1}"}`)}, says(t, `"${Item.map(i, i.rank)}"`)}, 200, "[2,2]", ""},
	} {
		row.run(t)
	}
}

func TestDeleteAndClear(t *testing.T) {
	ids := says(t, `"${Item.map(i, i.id)}"`)
	orders := `{"Order": [{"id": "1", "item": "a"}, {"id": "2", "item": "b"}, {"id": "3", "item": "a"}]}`
	find := StepSpec{Kind: Find, Target: "Order", ID: tx("path.id"), Else: ref("gone")}
	left := says(t, `"${Order.map(o, o.id)}"`)
	for _, row := range []stepRow{
		{"delete", items(alpha, beta), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item"}, ids}, 200, `["b"]`, ""},
		{"delete when", items(alpha, beta), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item", When: tx("item.rank > 1")}, ids}, 200, `["a","b"]`, ""},
		{"delete twice", items(alpha, beta), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item"}, {Kind: Delete, Target: "item"}, ids}, 200, `["b"]`, ""},
		{"find what was deleted", items(alpha), `{"path": {"id": "a"}}`, []StepSpec{findItem, {Kind: Delete, Target: "item"}, findItem}, 404, "", ""},
		{"soft delete", orders, `{"path": {"id": "1"}}`, []StepSpec{find, {Kind: Delete, Target: "order"}, left}, 200, `["2","3"]`, ""},
		{"find what was softly deleted", orders, `{"path": {"id": "1"}}`, []StepSpec{find, {Kind: Delete, Target: "order"}, find}, 404, "", ""},
		{"clear some", orders, `{}`, []StepSpec{{Kind: Clear, Target: "Order", Where: tx(`item == "a"`)}, left}, 200, `["2"]`, ""},
		{"clear all", orders, `{}`, []StepSpec{{Kind: Clear, Target: "Order"}, left}, 200, `[]`, ""},
		{"clear when", orders, `{}`, []StepSpec{{Kind: Clear, Target: "Order", When: tx("false")}, left}, 200, `["1","2","3"]`, ""},
		{"clear leaves other scopes and what is not visible", items(alpha, alien, ours, draft), `{}`, []StepSpec{{Kind: Clear, Target: "Item"}}, 200, "", `{"id":"z","name":"Zeta","status":"active","tags":[],"rank":1,"space":"w2"} {"id":"d","name":"Delta","status":"draft","tags":[],"rank":1,"space":"w1"}`},
	} {
		row.run(t)
	}
}

// TestSoft says where a softly deleted record is: kept, and in nobody's way.
func TestSoft(t *testing.T) {
	w := world(t, compile(t, shop(t, StepSpec{Kind: Clear, Target: "Order"})), `{"Order": [{"id": "1"}]}`, nil)
	out := w.Do(call(t, w, "act", ""))
	gone := w.state.Load().tables[w.plan.Resource("Order").number].gone
	if kept(w, "Order") != "" || gone.Len() != 1 || len(out.Writes) != 1 || out.Writes[0].ID != "1" || !out.Writes[0].After.IsMissing() {
		t.Errorf("got %q, %d gone, writes %v; want nothing, 1 gone, one delete", kept(w, "Order"), gone.Len(), out.Writes)
	}
}

func TestWrites(t *testing.T) {
	steps := []StepSpec{findItem, {Kind: Update, Target: "item", Set: sets(t, `{"rank": 2}`)}, {Kind: Create, Target: "PriceTag", Set: sets(t, `{"id": "p"}`)}, {Kind: Delete, Target: "item"}}
	w := world(t, compile(t, shop(t, steps...)), items(alpha), nil)
	var got []string
	for _, write := range w.Do(call(t, w, "act", `{"path": {"id": "a"}}`)).Writes {
		got = append(got, write.Resource+" "+write.ID+" "+write.Before.Get("rank").String()+" "+write.After.Get("rank").String()+" "+write.After.Kind().String())
	}
	if want := "Item a 1 2 object,PriceTag p null null object,Item a 2 null nothing"; strings.Join(got, ",") != want {
		t.Errorf("writes: got %s, want %s", strings.Join(got, ","), want)
	}
}

func TestOther(t *testing.T) {
	refuse := func(when string, names ...string) StepSpec {
		return StepSpec{Kind: Refuse, When: tx(when), Else: ref(names...)}
	}
	for _, row := range []stepRow{
		{"let", "", `{"body": {"rank": 2}}`, []StepSpec{{Kind: Let, Target: "double_rank", Be: tx("body.rank * 2")}, says(t, `"${double_rank}"`)}, 200, "4", ""},
		{"let when", "", `{}`, []StepSpec{{Kind: Let, Target: "a", Be: tx("1"), When: tx("false")}, says(t, `"${a}"`)}, 200, "null", ""},
		{"let of a record keeps what it is", items(beta), `{"path": {"id": "b"}}`, []StepSpec{findItem, {Kind: Let, Target: "same", Be: tx("item")}, {Kind: Delete, Target: "same"}, says(t, `"${[same, Item.size()]}"`)}, 200, `[{"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"orders":0},0]`, ""},
		{"a failure that is not meant", "", `{}`, []StepSpec{refuse("false", "busy")}, 200, "", ""},
		{"a failure", "", `{}`, []StepSpec{refuse("true", "busy")}, 409, `{"code":"busy"}`, ""},
		{"the first of several failures", "", `{}`, []StepSpec{refuse("true", "taken", "gone")}, 409, `{"code":"taken"}`, ""},
		{"the first refusal", "", `{}`, []StepSpec{refuse("false", "gone"), refuse("true", "taken"), refuse("true", "busy")}, 409, `{"code":"taken"}`, ""},
		{"an example", "", `{}`, []StepSpec{{Kind: Reply, Status: 201, Example: "one"}}, 201, `{"example":"201"}`, ""},
		{"the only example", "", `{}`, []StepSpec{{Kind: Reply, Status: 200}}, 200, `{"example":"200"}`, ""},
		{"set in an example", "", `{"body": {"rank": 2}}`, []StepSpec{{Kind: Reply, Status: 200, Set: sets(t, `{"a.b": "${body.rank}", "example": null}`)}}, 200, `{"example":null,"a":{"b":2}}`, ""},
		{"constant set in an example", "", `{}`, []StepSpec{{Kind: Reply, Status: 200, Set: sets(t, `{"a": 1}`)}}, 200, `{"example":"200","a":1}`, ""},
		{"set in a body that is a record: nothing hidden", items(beta), `{"path": {"id": "b"}}`, []StepSpec{findItem, {Kind: Reply, Status: 200, Body: body(t, `"${item}"`), Set: sets(t, `{"x": 1}`)}}, 200, `{"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"orders":0,"x":1}`, ""},
		{"set inside of a record in a body: nothing hidden", items(beta), `{"path": {"id": "b"}}`, []StepSpec{findItem, {Kind: Reply, Status: 200, Body: body(t, `{"list": ["${item}"]}`), Set: sets(t, `{"list.0.x": 1}`)}}, 200, `{"list":[{"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"orders":0,"x":1}]}`, ""},
		{"no body", "", `{}`, []StepSpec{{Kind: Reply, Status: 204}}, 204, "null", ""},
		{"an early reply", items(), `{}`, []StepSpec{{Kind: Reply, Status: 201, When: tx("true")}, {Kind: Create, Target: "PriceTag", Set: sets(t, `{"id": "p"}`)}}, 201, "", ""},
		{"one-of: the first", "", `{}`, []StepSpec{{Kind: OneOf, Branches: [][]StepSpec{{says(t, `"first"`)}, {says(t, `"second"`)}}}}, 200, `"first"`, ""},
		{"one-of may go on behind", "", `{}`, []StepSpec{{Kind: OneOf, Branches: [][]StepSpec{{{Kind: Let, Target: "a", Be: tx("1")}}, {says(t, `"second"`)}}}, says(t, `"behind"`)}, 200, `"behind"`, ""},
		{"one-of when", "", `{}`, []StepSpec{{Kind: OneOf, When: tx("false"), Branches: [][]StepSpec{{says(t, `"first"`)}, {says(t, `"second"`)}}}, says(t, `"behind"`)}, 200, `"behind"`, ""},
	} {
		row.run(t)
	}
}

func TestOnReadInLists(t *testing.T) {
	page := StepSpec{Kind: List, Target: "Item"}
	for _, row := range []stepRow{
		{"list", `{"Item": [` + beta + `], "Order": [{"id": 1, "item": "b"}]}`, `{}`, []StepSpec{page, says(t, `"${page.items}"`)}, 200, `[{"id":"b","name":"Beta","status":"active","tags":[],"rank":1,"orders":1}]`, ""},
		{"after an update", `{"Item": [` + beta + `], "Order": [{"id": 1, "item": "b"}]}`, `{"path": {"id": "b"}}`, []StepSpec{findItem, {Kind: Update, Target: "item", From: tx("body")}, says(t, `"${item.orders}"`)}, 200, `1`, ""},
	} {
		row.run(t)
	}
}

func TestHeadersOfReplies(t *testing.T) {
	spec := shop(t, StepSpec{Kind: Reply, Status: 200, Headers: named(t, `{"x-one": "1", "X-TWO": "${body.rank}", "x-none": "${body.name}"}`)})
	spec.Headers = named(t, `{"x-request-id": "${first(header[\"x-id\"], \"none\")}"}`)
	w := world(t, compile(t, spec), "", nil)
	out := w.Do(call(t, w, "act", `{"body": {"rank": 2}}`))
	if got, want := answered(out), "act.reply | {\"example\":\"200\"} | X-Request-Id: none\nX-One: 1\nX-Two: 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if out.Header("X-Two") != "2" || out.Header("X-None") != "" || out.MediaType != "application/json" {
		t.Errorf("X-Two %q, X-None %q, media type %q", out.Header("X-Two"), out.Header("X-None"), out.MediaType)
	}
}

// TestTimeIsOne: all of a call happens at one time.
func TestTimeIsOne(t *testing.T) {
	spec := shop(t, says(t, `"${[now(), now(), now(\"s\"), now(\"ms\")]}"`))
	p := compile(t, spec)
	ticks := 0
	w, err := p.NewWorld(WorldConfig{Clock: func() time.Time { ticks++; return time.Unix(int64(ticks), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	v := w.Do(call(t, w, "act", "")).Body
	if v.At(0).Text() != v.At(1).Text() || v.At(0).Text()[:19] != v.At(2).Text()[:19] || v.At(3).Text()[:19] != v.At(2).Text()[:19] {
		t.Errorf("got %s, want the same time four times", v)
	}
}
