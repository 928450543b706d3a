package faults_test

const (
	// New records: a fresh one, and one in the way.
	agent    = `owner POST /v1/agents {"name":"Front desk","voice_platform":"retell"}`
	persona  = `owner POST /simulate/api/personas/ {"name":"Nora","description":"Asks twice"}`
	project  = `owner POST /api/v1/projects {"name":"Launch"}`
	helper   = `owner POST /agents/create {"name":"Helper","description":"d","create_from":"scratch","project_key":"YOUR_PROJECT_KEY"}`
	group    = `{"name":"G","age_min":20,"age_max":30,"gender":"All","location":"Manila","occupation":"Cook","income_level":"Low","persona_count":2}`
	acme     = `/v1/agents/agent_abc123xyz789`
	busy     = `/v1/agents/agent_busytwocalls`
	nobody   = `/v1/agents/agent_nobodyatall1`
	skeptic  = `/simulate/api/personas/550e8400-e29b-41d4-a716-446655440000/`
	copying  = `/simulate/api/personas/duplicate/be627180-9fae-4dbd-84c5-d6f708192a3b/`
	snack    = `/api/v1/projects/3fa85f64-5717-4562-b3fc-2c963f66afa6`
	glow     = `/api/v1/projects/9b1c3e2a-4f7d-4a1b-8c6e-2d0f5a3b7e91`
	manila   = `b2c3d4e5-0000-0000-0000-000000000010`
	long500  = `WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW`
	allOfOne = `owner GET /agents/query/$1?project_key=YOUR_PROJECT_KEY`
)

// shop is a document that has what the four APIs have not.
const shop = `openapi: 3.0.3
info: {title: Shop, version: "1"}
paths:
  /offers:
    get:
      operationId: listOffers
      parameters:
        - {name: kind, in: query, required: true, schema: {type: string, enum: [cheap, dear]}}
        - {name: X-Shop, in: header, required: true, schema: {type: integer, minimum: 3}}
      responses:
        "200": {description: offers, content: {application/json: {example: [], schema: {type: array}}}}
        "400": {description: not understood}
`

// scripts show every fault at least once: see TestFaults.
var scripts = []struct{ fault, api, script, faulty, sound string }{
	{"server-error", "ayra", `owner POST /v1/agents {"name":"Empfänge","voice_platform":"vapi"}`, `^500`, `^201`},
	{"server-error", "temujin", `owner POST /api/v1/projects {"name":"ö"}`, `^500`, `^201`},
	{"server-error-on-invalid", "temujin", `owner POST /api/v1/projects {"name":5}`, `^500`, `^422`},
	{"undocumented-success", "futureagi", persona, `^206`, `^201`},
	{"undocumented-success", "selise-blocks", helper, `^206`, `^200`},
	{"undocumented-refusal", "ayra", `owner GET ` + nobody, `^418`, `^404`},
	{"content-type-wrong", "temujin", `owner GET ` + snack, `Content-Type: text/html`, `Content-Type: application/json`},
	{"header-missing", "temujin", `owner GET ` + snack, `!X-Request-Id: `, `X-Request-Id: `},
	{"header-malformed", "ayra", `owner GET ` + acme, `X-Ratelimit-Limit: many`, `X-Ratelimit-Limit: 500`},
	{"rate-limit-headers-missing", "futureagi", `owner GET ` + skeptic, `^200\r?\nContent-Type: [^\n]*\n(X-Understudy[^\n]*\n)?\n`, `X-Ratelimit-Reset`},
	{"rate-limit-stands-still", "ayra", `owner GET ` + acme, `X-Ratelimit-Remaining: 500`, `X-Ratelimit-Remaining: 499`},
	{"retry-after-missing", "ayra", `
		metered GET /v1/agents
		metered GET /v1/agents
		metered GET /v1/agents
		metered GET /v1/agents
		metered GET /v1/agents
		metered GET /v1/agents`, `^429\r?\nContent-Type: [^\n]*\nX-Rate`, `^429.*Retry-After`},
	{"head-other-length", "futureagi", `owner HEAD ` + skeptic, `Content-Length: 859\r?\n`, `Content-Length: 858\r?\n`},
	{"challenge-missing", "ayra", `- GET ` + acme, `^401\r?\nContent-Type: [^\n]*\n(X-[^\n]*\n)*\r?\n`, `^401.*Www-Authenticate: Bearer`},
	{"allow-missing", "ayra", `owner PATCH ` + acme, `^405\r?\nContent-Type`, `^405\r?\nAllow: GET`},
	{"allow-wrong", "ayra", `owner PATCH ` + acme, `Allow: PATCH`, `Allow: GET, HEAD, PUT, DELETE, OPTIONS`},
	{"undeclared-method", "selise-blocks", `owner PUT /agents/create {}`, `^200`, `^405`},
	{"body-with-204", "ayra", `owner DELETE ` + acme, `^204.*success`, `^204.*\n$`},
	{"location-wrong", "futureagi", `owner GET /simulate/api/personas`, `^301.*Location: https://elsewhere.invalid/`, `^301.*Location: /simulate/api/personas/`},
	{"location-wrong", "ayra", agent, `^201.*Location: /v1/agents/nothing-here`, `!Location`},
	{"slow", "ayra", `owner GET /v1/agents?page=1`, `^200.*waited 2s`, `!waited`},

	{"member-missing", "ayra", `owner GET ` + acme, `"id":"agent_abc123xyz789","status"`, `"id":"agent_abc123xyz789","name"`},
	{"member-of-wrong-type", "temujin", `owner GET ` + snack, `"name":7`, `"name":"Q3`},
	{"member-null", "futureagi", `owner GET ` + skeptic, `"name":null`, `"name":"Skeptical`},
	{"member-null", "selise-blocks", `owner GET /agents/query/a1b2c3d4-e5f6-7890-abcd-ef1234567890`, `"name":null`, `"name":"Customer`},
	{"member-not-in-enum", "ayra", `owner GET ` + acme, `"status":"understudy"`, `"status":"active"`},
	{"list-member-missing", "temujin", `owner GET /api/v1/projects`, `"id":"[^"]*","description":[^}]*\}\]$`, `"id":"[^"]*","name":[^}]*\}\]$`},
	{"json-cut-off", "ayra", `owner GET ` + acme, `[^}]$`, `\}\}$`},
	{"error-without-body", "ayra", `owner GET ` + nobody, `^404.*\n$`, `^404.*"agent_not_found"`},

	{"not-found-as-bad-request", "temujin", `owner GET /api/v1/projects/3fa85f64-5717-4562-b3fc-2c963f66afa7`, `^400`, `^404`},
	{"not-found-as-forbidden", "ayra", `owner DELETE ` + nobody, `^403`, `^404`},
	{"conflict-as-bad-request", "ayra", `owner DELETE ` + busy, `^400`, `^409`},
	{"forbidden-as-not-found", "futureagi", `owner DELETE /simulate/api/personas/00000000-0000-4000-8000-000000000001/`, `^404`, `^403`},
	{"bad-request-as-conflict", "futureagi", persona + "\n" + persona, `^409`, `^400`},
	{"echo-other-id", "ayra", `owner DELETE ` + nobody, `"agent_id":"agent_nobodybubmm2"`, `"agent_id":"agent_nobodyatall1"`},
	{"echo-wrong-count", "ayra", `owner DELETE ` + busy, `"active_calls":3`, `"active_calls":2`},

	{"accepts-missing-member", "ayra", `owner POST /v1/agents {"voice_platform":"vapi"}`, `^201`, `^400`},
	{"accepts-missing-member", "selise-blocks", `owner POST /agents/create {"name":"Helper","project_key":"YOUR_PROJECT_KEY"}`, `^200`, `^422`},
	{"accepts-too-long", "ayra", `owner POST /v1/agents {"name":"` + long500 + long500 + `","voice_platform":"vapi"}`, `^201`, `^400`},
	{"accepts-too-short", "ayra", `owner POST /v1/agents {"name":"","voice_platform":"vapi"}`, `^201`, `^400`},
	{"accepts-other-enum", "ayra", `owner POST /v1/agents {"name":"A","voice_platform":"cisco"}`, `^201`, `^400`},
	{"accepts-wrong-type", "temujin", `owner POST /api/v1/projects {"name":{}}`, `^201`, `^422`},
	{"accepts-null", "futureagi", `owner POST /simulate/api/personas/ {"name":null,"description":"d"}`, `^201`, `^400`},
	{"accepts-out-of-range", "selise-blocks", `owner POST /agents/queries {"limit":-1}`, `^200`, `^422`},
	{"accepts-malformed-pattern", "ayra", `owner POST /v1/agents {"name":"A","voice_platform":"vapi","phone_number":"call me"}`, `^201`, `^400`},
	{"accepts-other-media-type", "temujin", `owner POST {Content-Type: text/plain} /api/v1/projects {"name":"A"}`, `^201`, `^415`},
	{"accepts-broken-json", "temujin", `owner POST /api/v1/projects {"name":"A`, `^201`, `^422`},
	{"accepts-bad-parameter", "ayra", `owner GET /v1/agents?per_page=1000`, `^200`, `^400`},
	{"accepts-missing-parameter", "shop", `- GET /offers`, `^200`, `^4`},
	{"refuses-unicode", "temujin", `owner POST /api/v1/projects {"name":"Süd"}`, `^422`, `^201`},
	{"refuses-longest", "ayra", `owner POST /v1/agents {"name":"` + long500 + `","voice_platform":"vapi"}`, `^400`, `^201`},
	{"refuses-smallest", "temujin", project, `^422`, `^201`},

	{"auth-ignored", "ayra", `
		owner GET /v1/agents
		- GET {Authorization: Bearer wrong} ` + acme, `^200`, `^401`},
	{"auth-missing-accepted", "temujin", `
		owner GET /api/v1/projects
		- GET /api/v1/projects`, `^200`, `^401`},
	{"auth-one-of-two", "futureagi", `
		owner GET ` + skeptic + `
		owner GET {X-Secret-Key: } ` + skeptic, `^200`, `^401`},
	{"auth-expired-accepted", "ayra", `
		owner GET ` + acme + `
		expired GET ` + acme, `^200`, `^401`},
	{"scope-ignored", "ayra", agent + `
		reader POST /v1/agents {"name":"Mine","voice_platform":"vapi"}`, `^201`, `^403`},
	{"scope-ignored", "futureagi", persona + `
		viewer POST /simulate/api/personas/ {"name":"Mine","description":"d"}`, `^201`, `^403`},
	{"other-tenant-visible", "temujin", project + `
		rival GET /api/v1/projects/$1`, `^200`, `^404`},
	{"other-tenant-visible", "ayra", `
		owner GET ` + acme + `
		other GET ` + acme, `^200`, `^404`},
	{"other-tenant-changeable", "temujin", project + `
		rival PATCH /api/v1/projects/$1 {"name":"Mine now"}
		owner GET /api/v1/projects/$1`, `Mine now`, `Launch`},
	{"list-leaks", "temujin", `
		rival GET /api/v1/projects
		owner GET /api/v1/projects`, `^200.*Instant Noodle`, `!Instant Noodle`},
	{"child-through-other-parent", "temujin", `
		owner GET ` + glow + `
		owner GET ` + snack + `/persona-groups/` + manila + `
		owner GET ` + glow + `/persona-groups/` + manila, `^200`, `^404`},

	{"use-after-delete", "futureagi", `
		owner DELETE ` + skeptic + `
		owner GET ` + skeptic, `^200`, `^404`},
	{"use-after-delete", "selise-blocks", helper + `
		owner DELETE /agents/delete/$1
		owner GET /agents/query/$1`, `^200`, `^404`},
	{"list-shows-deleted", "temujin", project + `
		owner DELETE /api/v1/projects/$1
		owner GET /api/v1/projects`, `^200.*"Launch"`, `!"Launch"`},
	{"list-shows-deleted", "ayra", agent + `
		owner DELETE /v1/agents/$1
		owner GET /v1/agents`, `^200.*Front desk`, `!Front desk`},
	{"delete-does-nothing", "ayra", agent + `
		owner DELETE /v1/agents/$1
		owner DELETE /v1/agents/$1`, `^204`, `^404`},
	{"delete-does-nothing", "temujin", project + `
		owner DELETE /api/v1/projects/$1
		owner GET /api/v1/projects/$1`, `^200`, `^404`},
	{"delete-removes-more", "ayra", agent + `
		owner POST /v1/agents {"name":"Second","voice_platform":"vapi"}
		owner DELETE /v1/agents/$2
		owner GET /v1/agents/$1`, `^404`, `^200`},
	{"delete-removes-more", "selise-blocks", helper + `
		` + helper + `
		owner DELETE /agents/delete/$2
		owner GET /agents/query/$1`, `^404`, `^200`},
	{"delete-twice-succeeds", "temujin", project + `
		owner DELETE /api/v1/projects/$1
		owner DELETE /api/v1/projects/$1`, `^204`, `^404`},
	{"lost-create", "ayra", agent + `
		owner GET /v1/agents/$1`, `^404`, `^200`},
	{"lost-create", "selise-blocks", helper + "\n" + allOfOne, `^404`, `^200`},
	{"create-not-listed", "futureagi", persona + `
		owner GET /simulate/api/personas/`, `"count":25.*Skeptical`, `"count":26.*Nora`},
	{"create-forgets-member", "temujin", project + `
		owner GET /api/v1/projects/$1`, `"name":"xLaunch"`, `"name":"Launch"`},
	{"create-forgets-member", "selise-blocks", helper + "\n" + allOfOne, `^200.*"(xHelper|xd)"`, `!"(xHelper|xd)"`},
	{"id-reused", "temujin", project + `
		owner DELETE /api/v1/projects/$1
		owner POST /api/v1/projects {"name":"Next"}
		owner GET /api/v1/projects/$1`, `^200.*Next`, `^404`},
	{"name-not-freed", "ayra", agent + `
		owner DELETE /v1/agents/$1
		` + agent, `^409`, `^201`},
	{"name-not-freed", "futureagi", persona + `
		owner DELETE /simulate/api/personas/$1/
		` + persona, `^400`, `^201`},
	{"copy-forgets-member", "futureagi", `owner POST ` + copying + ` {"name":"Copy"}`, `"gender":\[\]`, `"gender":\["male","female"\]`},
	{"copy-keeps-id", "futureagi", `owner POST ` + copying + ` {"name":"Copy"}`, `^201.*"id":"be627180`, `^201.*"id":"[^b][^e]`},
	{"async-never-finishes", "temujin", `
		owner POST ` + snack + `/persona-groups ` + group + `
		owner POST ` + snack + `/persona-groups/$1/generate
		owner GET ` + snack + `/persona-groups/$1
		owner GET ` + snack + `/persona-groups/$1
		owner GET ` + snack + `/persona-groups/$1`, `"generation_status":"generating"`, `"generation_status":"complete"`},

	{"async-stands-still", "temujin", `
		owner POST ` + snack + `/persona-groups ` + group + `
		owner POST ` + snack + `/persona-groups/$1/generate
		owner GET ` + snack + `/persona-groups/$1
		owner GET ` + snack + `/persona-groups/$1
		owner GET ` + snack + `/persona-groups/$1`, `"generation_status":"generating"`, `"generation_status":"complete"`},

	{"update-does-nothing", "ayra", `owner PUT ` + acme + ` {"name":"Changed"}`, `"name":"Acme`, `"name":"Changed"`},
	{"update-does-nothing", "selise-blocks", helper + `
		owner POST /agents/change-status {"agent_id":"$1","is_disabled":true,"is_archived":true,"project_key":"YOUR_PROJECT_KEY"}
		` + allOfOne, `"is_disabled":false`, `"is_disabled":true`},
	{"update-not-kept", "temujin", `
		owner PATCH ` + snack + ` {"name":"Changed"}
		owner GET ` + snack, `"name":"Q3`, `"name":"Changed"`},
	{"update-changes-more", "ayra", `
		owner PUT ` + acme + ` {"name":"Changed"}
		owner GET ` + acme, `"Changed".*"recording_enabled":false`, `"Changed".*"recording_enabled":true`},
	{"update-changes-more", "temujin", `owner PATCH ` + snack + ` {"name":"Changed"}`, `market \(changed\)`, `market"`},
	{"update-loses-member", "temujin", `
		owner PATCH ` + snack + ` {"name":"Changed","description":"New"}
		owner GET ` + snack, `"Changed","description":"Testing`, `"Changed","description":"New"`},
	{"put-not-idempotent", "ayra", `
		owner PUT ` + acme + ` {"name":"Changed"}
		owner PUT ` + acme + ` {"name":"Changed"}`, `"recording_enabled":false`, `"recording_enabled":true`},
	{"timestamps-do-not-move", "ayra", `owner PUT ` + acme + ` {"name":"Changed"}`, `"updated_at":"2025-01-15`, `"updated_at":"2026-05-01`},
	{"timestamps-in-the-past", "temujin", project, `"created_at":"2001-05-01`, `"created_at":"2026-05-01`},
	{"failed-create-leaves-record", "ayra", `
		owner POST /v1/agents {"name":"Front desk","voice_platform":"cisco"}
		owner GET /v1/agents`, `^200.*Front desk`, `!Front desk`},
	{"failed-update-changes", "ayra", `
		owner PUT ` + acme + ` {"name":"Changed","status":"gone"}
		owner GET ` + acme, `"Changed"`, `"Acme`},
	{"refusal-changes-state", "ayra", `
		owner DELETE ` + busy + `
		owner GET ` + busy, `"recording_enabled":false`, `"recording_enabled":true`},
	{"refusal-changes-state", "futureagi", `
		owner DELETE /simulate/api/personas/00000000-0000-4000-8000-000000000001/
		owner GET /simulate/api/personas/00000000-0000-4000-8000-000000000001/`, `"multilingual":true`, `"multilingual":false`},
	{"duplicate-accepted", "ayra", agent + "\n" + agent, `^201.*"name":"Front desk"`, `^409`},
	{"duplicate-accepted", "futureagi", persona + "\n" + persona, `^201.*"name":"Nora"`, `^400`},
	{"case-tells-apart", "futureagi", persona + `
		owner POST /simulate/api/personas/ {"name":"NORA","description":"d"}`, `^201.*"name":"NORA"`, `^400`},
	{"case-does-not-tell-apart", "ayra", agent + `
		owner POST /v1/agents {"name":"FRONT DESK","voice_platform":"vapi"}`, `^409`, `^201`},

	{"list-loses-one", "temujin", `owner GET /api/v1/projects`, `^200.*GlowUp[^}]*\}\]$`, `Q3 Snack[^}]*\}\]$`},
	{"list-repeats-one", "temujin", `owner GET /api/v1/projects`, `Ideas for Q4.*Ideas for Q4`, `Ideas for Q4.*Q3 Snack`},
	{"list-total-wrong", "ayra", `owner GET /v1/agents?search=acme`, `"total":2,`, `"total":1,`},
	{"list-total-of-page", "ayra", `owner GET /v1/agents?per_page=2`, `"total":2,`, `"total":\d\d,`},
	{"list-total-of-page", "selise-blocks", `owner POST /agents/queries {"limit":1}`, `"total_count":1\}`, `"total_count":([2-9]|\d\d)`},
	{"list-order-wrong", "temujin", `owner GET /api/v1/projects`, `Q3 Snack.*Ideas for Q4`, `Ideas for Q4.*Q3 Snack`},
	{"list-order-of-two", "temujin", `owner GET /api/v1/projects`, `GlowUp.*Ideas for Q4`, `Ideas for Q4.*GlowUp`},
	{"list-sort-ignored", "ayra", `owner GET /v1/agents?sort_by=name&sort_order=asc&per_page=1`, `"name":"[B-Z]`, `"name":"A`},
	{"list-filter-ignored", "ayra", `owner GET /v1/agents?search=acme`, `"total":\d\d,`, `"total":1,`},
	{"list-filter-ignored", "selise-blocks", `owner POST /agents/queries {"name":"sales"}`, `"total_count":([2-9]|\d\d)`, `"total_count":1\}`},
	{"page-overlap", "futureagi", `owner GET /simulate/api/personas/?type=custom&limit=2&page=2`, `Renewal`, `Frau`},
	{"page-overlap", "selise-blocks", `owner POST /agents/queries {"offset":1,"limit":1}`, `Customer Support Agent`, `Sales Advisor`},
	{"page-gap", "futureagi", `owner GET /simulate/api/personas/?type=custom&limit=2&page=2`, `"results":\[\{"id":"9c405f6e`, `"results":\[\{"id":"ad51607f`},
	{"page-size-ignored", "ayra", `owner GET /v1/agents?per_page=1&search=night`, `Night.*Night`, `!Night.*Night`},

	{"race-double-create", "ayra", agent + "\n& " + agent, `^201.*\n201.*"name":"Front desk"`, `^201.*\n409`},
	{"race-double-delete", "ayra", `
		owner DELETE ` + acme + `
		& owner DELETE ` + acme, `^204.*\n204`, `^204.*\n404`},
	{"race-lost-update", "temujin", `
		owner PATCH ` + snack + ` {"name":"One"}
		& owner PATCH ` + snack + ` {"description":"Two"}
		owner GET ` + snack, `Q3 Snack|Testing new`, `"name":"One","description":"Two"`},
}
