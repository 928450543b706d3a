package report

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/contracttests"
)

const (
	key   = "sk_live_abc123xyz789" // as in the fixtures: made up
	shop  = "specs/shop.yaml"
	base  = "http://127.0.0.1:4010/v1"
	agent = `{"id":"agent_k3x9","name":"Support line","status":"active"}`
)

var began = time.Date(2026, 4, 4, 14, 0, 0, 0, time.UTC)

// sent is an exchange of the shop, with the key.
func sent(why, method, target, body string, status int, answer string) contracttests.Exchange {
	x := contracttests.Exchange{
		Request: contracttests.Request{Operation: "op", Method: method, Target: target, Caller: "owner", Why: why},
		URL:     base + target,
		Sent:    http.Header{"Authorization": {"Bearer " + key}, "Accept": {"application/json"}},
		At:      began.Add(200 * time.Millisecond), Took: 3200 * time.Microsecond,
		Response: &contracttests.Response{Status: status, Header: http.Header{}},
	}
	if body != "" {
		x.Request.Body = []byte(body)
		x.Request.Header = http.Header{"Content-Type": {"application/json"}}
		x.Sent.Set("Content-Type", "application/json")
	}
	if answer != "" {
		x.Response.Header.Set("Content-Type", "application/json")
		x.Response.Body = []byte(answer)
	}
	return x
}

func at(line, column int) behavior.Position {
	return behavior.Position{File: shop, Line: line, Column: column}
}

// brokenRun has findings of every kind.
func brokenRun() *contracttests.Result {
	create := func() contracttests.Exchange {
		return sent("make an agent", "POST", "/agents", `{"name":"Support line"}`, 201, agent)
	}
	lost := sent("an empty name", "POST", "/agents", `{"name":""}`, 0, "")
	lost.Response, lost.Err = nil, errors.New("Post \""+base+"/agents\": read: connection reset by peer")
	return &contracttests.Result{
		API: "shop", Title: "Shop agents API", URL: base, Seed: 1, Began: began, Took: 1342 * time.Millisecond, Requests: 412,
		Findings: []contracttests.Finding{
			{
				Code: "use-after-delete", Severity: contracttests.Breach, Operation: "getAgent", Rule: "getAgent.agent-not-found",
				Pos: at(120, 11), Basis: "stated", Cite: "the 404 example", Title: "A deleted agent can still be read",
				Expected: "404, with the body of the example agent_not_found", Got: "200, with the agent as it was before it was deleted",
				Times: 3, Confirmed: true,
				Steps: []contracttests.Exchange{
					create(),
					sent("delete it", "DELETE", "/agents/agent_k3x9", "", 204, ""),
					sent("read it", "GET", "/agents/agent_k3x9", "", 200, agent),
				},
			},
			{
				Code: "connection-lost", Severity: contracttests.Breach, Operation: "createAgent", Pos: at(58, 5),
				Title: "The server drops the connection instead of answering", Expected: "422", Got: "no answer", Times: 1, Unstable: true,
				Steps: []contracttests.Exchange{lost},
			},
			{
				Code: "status", Severity: contracttests.Observation, Operation: "createAgent", Rule: "createAgent.name-taken", Pos: at(77, 13),
				Basis: "assumed", Title: "A name that differs only in case is refused with 400, not 409", Expected: "409 name_taken",
				Got: "400 bad_request", Times: 1, Confirmed: true,
				Control: []contracttests.Exchange{sent("another name", "POST", "/agents", `{"name":"Sales line"}`, 201, strings.ReplaceAll(agent, "Support", "Sales"))},
				Steps: []contracttests.Exchange{
					create(),
					sent("the same name in capitals", "POST", "/agents", `{"name":"SUPPORT LINE"}`, 400,
						`{"error": {"code": "bad_request", "message": "name exists"}}`),
				},
			},
		},
		Coverage: contracttests.Coverage{
			Operations: []contracttests.Covered{
				{Name: "listAgents", Pos: at(30, 5), Times: 120}, {Name: "createAgent", Pos: at(58, 5), Times: 90},
				{Name: "getAgent", Pos: at(110, 5), Times: 130},
				{Name: "pauseAgent", Pos: at(140, 5), Why: "safe mode: the operation changes what others own"},
			},
			Statuses: []contracttests.Covered{
				{Name: "listAgents 200", Pos: at(33, 9), Times: 100}, {Name: "createAgent 201", Pos: at(60, 9), Times: 40},
				{Name: "createAgent 429", Pos: at(62, 9), Why: "the limit is 1000 a minute, more than the budget"},
				{Name: "listAgents 429", Pos: at(35, 9), Why: "the limit is 1000 a minute, more than the budget"},
				{Name: "getAgent 500", Pos: at(118, 9), Why: "no request is known to lead to it"},
			},
			Parameters: []contracttests.Covered{
				{Name: "createAgent body name: sent valid", Pos: at(64, 9), Times: 80}, {Name: "createAgent body name: sent invalid", Pos: at(64, 9), Times: 9},
				{Name: "createAgent body name: left out", Pos: at(64, 9), Why: "every call had one"},
			},
			Keywords: []contracttests.Covered{
				{Name: "createAgent body name maxLength: kept", Pos: at(64, 9), Times: 80},
				{Name: "createAgent body name maxLength: broken", Pos: at(64, 9), Why: "no call broke it"},
			},
			Transitions: []contracttests.Covered{{Name: "createAgent.agent-created → getAgent.agent-found", Pos: at(112, 9), Times: 31}},
			Vacuous: []contracttests.Covered{
				{Name: "listAgents query status", Pos: at(30, 5), Times: 4, Why: "no record matched the filter, in any list"},
			},
			Rules: []contracttests.Covered{
				{Name: "getAgent.agent-not-found", Pos: at(120, 11), Times: 12, Passed: 118}, {Name: "createAgent.name-taken", Pos: at(77, 13), Times: 7},
				{Name: "deleteAgent.agent-has-active-calls", Pos: at(133, 11),
					Why: "no agent has a call in progress; a record of Conversation with status in_progress in the fixtures would make it possible"},
			},
		},
		Leftovers: []contracttests.Entry{
			{Resource: "Agent", ID: "agent_k3x9", Undo: contracttests.Request{Method: "DELETE", Target: "/agents/agent_k3x9", Caller: "owner"}},
			{Resource: "Call", ID: "call_1"},
		},
		Notes: []string{"pauseAgent has no rules: only its schema was checked."},
	}
}

// keptRun found nothing; idleRun did nothing.
func keptRun() *contracttests.Result {
	r := brokenRun()
	r.Findings, r.Notes, r.Leftovers, r.Coverage.Vacuous = nil, nil, nil, nil
	for _, list := range [][]contracttests.Covered{r.Coverage.Operations, r.Coverage.Statuses, r.Coverage.Rules, r.Coverage.Parameters, r.Coverage.Keywords} {
		for i := range list {
			list[i].Times, list[i].Why = i+1, ""
		}
	}
	return r
}

func idleRun() *contracttests.Result {
	return &contracttests.Result{API: "shop", Title: "Shop agents API", URL: base, Seed: 1, Began: began,
		Notes: []string{"The server cannot be reached: connection refused."}}
}

// evil is what a server may try.
const evil = "</pre></script><script>alert(1)</script><img src=x onerror=alert(2)>]]>\x1b[2J\x1b]0;owned\a\r\n" +
	"specs/shop.yaml:1:1: forged: a finding\x00\u009b31m\u202egnp\u2066\xff\xfe 'quoted' \"twice\" `backticks` $(rm) {0} [a](http://evil.example) \u2028end"

// hostileRun has it in every text.
func hostileRun() *contracttests.Result {
	x := sent(evil, "POST", "/agents", evil, 200, evil)
	x.URL += "?q=" + evil
	x.Request.Target += "?q=" + evil
	x.Request.Header = http.Header{"X-Evil": {evil}}
	x.Sent.Set("X-Evil", evil)
	x.Request.Operation, x.Request.Caller = evil, evil
	x.Response.Header = http.Header{"X-Evil": {evil}, "Content-Type": {evil}, "Location": {evil}, evil: {evil}}
	x.Err = errors.New(evil)
	text := sent("an answer in UTF-8", "POST", "/agents", strings.ToValidUTF8(evil, ""), 200, strings.ToValidUTF8(evil, ""))
	c := contracttests.Covered{Name: evil, Pos: behavior.Position{File: evil, Line: 1, Column: 1}, Why: evil}
	d := c
	d.Times = 1
	cover := []contracttests.Covered{c, d}
	f := contracttests.Finding{Code: evil, Severity: contracttests.Breach, Operation: evil, Rule: evil, Pos: c.Pos, Basis: evil, Cite: evil, Title: evil,
		Expected: evil, Got: evil, Times: 2, Steps: []contracttests.Exchange{text, x}}
	g := f
	g.Severity, g.Rule, g.Cite = contracttests.Observation, "", "javascript:alert(3)"
	g.Control, g.Known = []contracttests.Exchange{text, x}, true
	return &contracttests.Result{API: evil, Title: evil, URL: evil, Requests: 1, Began: began, Findings: []contracttests.Finding{f, g},
		Coverage:  contracttests.Coverage{Operations: cover, Statuses: cover, Rules: cover, Parameters: cover, Keywords: cover, Transitions: cover, Vacuous: cover},
		Leftovers: []contracttests.Entry{{Resource: evil, ID: evil, Undo: contracttests.Request{Method: evil, Target: evil, Caller: evil}}}, Notes: []string{evil}}
}
