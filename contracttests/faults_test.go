package contracttests_test

import (
	"context"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver/faults"
	"github.com/understudy-dev/understudy/openapi"
)

// foundAt says which API each fault shows itself at soonest.
var foundAt = map[string]string{
	"accepts-bad-parameter":       "ayra",
	"accepts-broken-json":         "ayra",
	"accepts-malformed-pattern":   "ayra",
	"accepts-missing-member":      "futureagi",
	"accepts-missing-parameter":   "offers", // no built-in document requires one that is not in a path
	"accepts-null":                "futureagi",
	"accepts-other-enum":          "futureagi",
	"accepts-other-media-type":    "futureagi",
	"accepts-out-of-range":        "selise-blocks",
	"accepts-too-long":            "futureagi",
	"accepts-too-short":           "futureagi",
	"accepts-wrong-type":          "futureagi",
	"allow-missing":               "futureagi",
	"allow-wrong":                 "futureagi",
	"async-stands-still":          "temujin",
	"async-never-finishes":        "temujin",
	"auth-expired-accepted":       "ayra",
	"auth-ignored":                "futureagi",
	"auth-missing-accepted":       "temujin",
	"auth-one-of-two":             "futureagi",
	"bad-request-as-conflict":     "futureagi",
	"body-with-204":               "futureagi",
	"case-does-not-tell-apart":    "ayra",
	"case-tells-apart":            "futureagi",
	"challenge-missing":           "futureagi",
	"child-through-other-parent":  "temujin",
	"conflict-as-bad-request":     "ayra",
	"content-type-wrong":          "futureagi",
	"copy-forgets-member":         "futureagi",
	"copy-keeps-id":               "futureagi",
	"create-forgets-member":       "futureagi",
	"create-not-listed":           "futureagi",
	"delete-does-nothing":         "futureagi",
	"delete-removes-more":         "temujin",
	"delete-twice-succeeds":       "temujin",
	"duplicate-accepted":          "futureagi",
	"echo-other-id":               "ayra",
	"echo-wrong-count":            "ayra",
	"error-without-body":          "futureagi",
	"failed-create-leaves-record": "futureagi",
	"failed-update-changes":       "selise-blocks",
	"forbidden-as-not-found":      "futureagi",
	"header-malformed":            "futureagi",
	"header-missing":              "ayra",
	"id-reused":                   "futureagi",
	"json-cut-off":                "futureagi",
	"list-filter-ignored":         "futureagi",
	"list-leaks":                  "temujin",
	"list-loses-one":              "futureagi",
	"list-member-missing":         "futureagi",
	"list-order-of-two":           "futureagi",
	"list-order-wrong":            "futureagi",
	"list-repeats-one":            "futureagi",
	"list-shows-deleted":          "futureagi",
	"list-sort-ignored":           "ayra",
	"list-total-of-page":          "futureagi",
	"list-total-wrong":            "futureagi",
	"location-wrong":              "futureagi",
	"lost-create":                 "futureagi",
	"member-missing":              "futureagi",
	"member-not-in-enum":          "futureagi",
	"member-null":                 "futureagi",
	"member-of-wrong-type":        "futureagi",
	"name-not-freed":              "futureagi",
	"not-found-as-bad-request":    "futureagi",
	"not-found-as-forbidden":      "futureagi",
	"other-tenant-changeable":     "temujin",
	"other-tenant-visible":        "temujin",
	"page-size-ignored":           "futureagi",
	"put-not-idempotent":          "ayra",
	"race-double-create":          "ayra",
	"race-double-delete":          "futureagi",
	"race-lost-update":            "temujin",
	"rate-limit-headers-missing":  "ayra",
	"refusal-changes-state":       "futureagi",
	"refuses-longest":             "futureagi",
	"refuses-smallest":            "futureagi",
	"refuses-unicode":             "futureagi",
	"scope-ignored":               "ayra",
	"server-error":                "ayra",
	"server-error-on-invalid":     "ayra",
	"slow":                        "temujin",
	"timestamps-do-not-move":      "temujin",
	"timestamps-in-the-past":      "futureagi",
	"page-gap":                    "futureagi",
	"page-overlap":                "futureagi",
	"undeclared-method":           "futureagi",
	"undocumented-refusal":        "futureagi",
	"undocumented-success":        "futureagi",
	"update-changes-more":         "futureagi",
	"update-does-nothing":         "futureagi",
	"update-loses-member":         "selise-blocks",
	"update-not-kept":             "temujin",
	"use-after-delete":            "futureagi",

	// What only unusual requests show.
	"chunked-body-unread":     "futureagi",
	"condition-refused":       "futureagi",
	"expectation-refused":     "futureagi",
	"gzip-broken":             "futureagi",
	"head-other-length":       "futureagi",
	"rate-limit-stands-still": "ayra",
	"refused-body-unread":     "futureagi",
	"retry-after-missing":     "ayra",
}

// offers is a document that requires parameters in a query and a header.
const offers = `openapi: 3.0.3
info: {title: Offers, version: "1"}
paths:
  /offers:
    get:
      operationId: listOffers
      parameters:
        - {name: kind, in: query, required: true, schema: {type: string, enum: [cheap, dear]}}
        - {name: X-Shop, in: header, required: true, schema: {type: integer, minimum: 3}}
      responses:
        "200": {description: offers, content: {application/json: {example: [], schema: {type: array, items: {type: string}}}}}
        "400": {description: not understood}
`

func loadOffers(t testing.TB) *openapi.API {
	t.Helper()
	api, err := openapi.Load("offers", "offers.yaml", []byte(offers))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// withFault runs the suite against an API's mock with a fault, and says which
// codes it reports.
func withFault(t *testing.T, fault faults.Fault, api string) []string {
	t.Helper()
	wrap := func(h http.Handler, api *openapi.API) http.Handler {
		if fault.Name == "retry-after-missing" {
			h = metered(t, api)
		}
		h = fault.Wrap(h, api)
		if fault.Name != "slow" {
			return h
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // seconds would be too slow for a test
			ctx, cancel := context.WithTimeout(r.Context(), 300*time.Millisecond)
			defer cancel()
			h.ServeHTTP(w, r.WithContext(ctx))
		})
	}
	var c contracttests.Config
	if api == "offers" {
		c = configOf(t, loadOffers(t), &fixtures.Fixtures{}, wrap)
	} else {
		c = config(t, api, wrap)
	}
	if fault.Name == "refused-body-unread" {
		overWire(t, &c)
	}
	c.Walk = 100
	if fault.Name == "slow" {
		c.MaxTime = 250 * time.Millisecond
	}
	c.Until = func(f *contracttests.Finding) bool { return f.Code == fault.Check }
	result, err := c.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range result.Findings {
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// TestFaults gives the suite servers with one known fault each. A check that stays
// silent here would stay silent about a real server, too.
func TestFaults(t *testing.T) {
	before := debug.SetGCPercent(800) // runs are short, and make much garbage
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for i, fault := range faults.All {
		api, found := foundAt[fault.Name]
		if !found {
			t.Errorf("%s: no API is named that would show it", fault.Name)
			continue
		}
		if testing.Short() && i%3 != 0 || slow && i%8 != 0 {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			if codes := withFault(t, fault, api); !slices.Contains(codes, fault.Check) {
				t.Errorf("%s (%s) at %s: reported %q, want %s", fault.Name, fault.Summary, api, codes, fault.Check)
			}
		})
	}
	if n := len(foundAt); n != len(faults.All) {
		t.Errorf("the table has %d faults; want %d", n, len(faults.All))
	}
}

// TestChecksHaveFaults: every fault wants a check that there is, and every check
// has a fault that is found by it.
func TestChecksHaveFaults(t *testing.T) {
	byCheck := map[string][]string{"wording": {"TestJudge"}} // no fault says the same in other words
	for _, fault := range faults.All {
		if !slices.ContainsFunc(contracttests.Checks, func(c contracttests.CheckKind) bool { return c.Code == fault.Check }) {
			t.Errorf("%s wants the check %s, which there is not", fault.Name, fault.Check)
		}
		if foundAt[fault.Name] != "" {
			byCheck[fault.Check] = append(byCheck[fault.Check], fault.Name)
		}
	}
	for _, c := range contracttests.Checks {
		if len(byCheck[c.Code]) == 0 {
			t.Errorf("%s: no fault shows that it fires", c.Code)
		}
		t.Logf("%s: %s", c.Code, strings.Join(byCheck[c.Code], ", "))
	}
}
