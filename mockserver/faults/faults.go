// Package faults wraps a mock server, so that it breaks one rule and keeps all
// others. Every check of the contract suite has a fault here on which it must
// fire, and everybody can try their own tests on such a server.
//
// A fault knows no API: it reads the document, remembers what went through it,
// in each world apart, and edits requests and answers on their way. Where an API
// has not what a fault needs (no 429, no two credentials), the server behaves.
// Equal requests in equal order have equal answers.
//
// Some faults have to know who is who or what is there, and learn it from the
// exchanges that they see: an answer is taken for a success if its status and
// the header [mockserver.RuleHeader] say so.
package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/openapi"
)

// A Fault is one way to break a contract.
type Fault struct {
	Name    string // kebab-case, stable
	Summary string // what the server does, one sentence
	Check   string // the code of the check that must fire

	// Wrap gives next the fault. Requests that are not for api pass as they are,
	// so that a server of several APIs is wrapped once for each.
	Wrap func(next http.Handler, api *openapi.API) http.Handler
}

// All are the faults, by name.
var All = sorted(wire, shape, input, access, life, writes, lists, overlap, protocol)

func sorted(groups ...[]Fault) []Fault {
	all := slices.Concat(groups...)
	slices.SortFunc(all, func(a, b Fault) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ByName is the fault of that name. The error lists the names.
func ByName(name string) (Fault, error) {
	i, ok := slices.BinarySearchFunc(All, name, func(f Fault, n string) int { return strings.Compare(f.Name, n) })
	if !ok {
		names := make([]string, len(All))
		for i := range All {
			names[i] = All[i].Name
		}
		return Fault{}, fmt.Errorf("unknown fault %q; have %s", name, strings.Join(names, ", "))
	}
	return All[i], nil
}
