package cmd

import (
	"slices"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/openapi"
)

// load reads the document and the fixtures, and makes a config of them that lacks
// the server.
func (f *checkFlags) load(name string) (c contracttests.Config, err error) {
	defer func() {
		if err != nil {
			err = usageError{err}
		}
	}()
	m := mockFlags{auth: "fixtures", seed: f.seed, overlays: f.overlays}
	s, err := m.loadOne(name, f.fixtures)
	if err != nil {
		return c, err
	}
	given, err := secrets(s.API, s.fixtures, f.secrets)
	if err != nil {
		return c, err
	}
	var vouched []string
	for _, g := range given {
		vouched = append(vouched, g.caller)
	}
	replaced := present(s.fixtures, given)
	if err := fit(s.API, s.fixtures); err != nil {
		return c, err
	}
	if s.Callers, err = s.fixtures.Known(s.API); err != nil {
		return c, err
	}
	c = contracttests.Config{
		API: s.API, World: s.World, Callers: s.Callers, Credentials: map[string]map[string]string{},
		Seed: f.seed, Walk: f.walk, MaxTime: f.maxTime, URL: f.url, Known: f.fixtures != "", Vouched: vouched,
		Safe: f.safe, Only: f.only, Exclude: f.exclude,
		Shard: f.part, Shards: f.parts, MaxRequests: f.most, MaxDuration: f.longest,
	}
	if err := checkScope(s.API, "only", f.only); err != nil {
		return c, err
	}
	if err := checkScope(s.API, "exclude", f.exclude); err != nil {
		return c, err
	}
	if f.walk == 0 {
		c.Walk = -1
	}
	for _, caller := range s.fixtures.Callers {
		c.Names = append(c.Names, caller.Name)
		c.Credentials[caller.Name] = caller.Credentials
	}
	// A document of one's own has the name of its file, which says nothing.
	if d, _ := parseDocument(name); d.file == "" {
		c.Examples, err = examples(s.API, c.Credentials)
		rewrite(c.Examples, replaced)
	}
	return c, err
}

// examples are the documented calls of callers that are known.
func examples(api *openapi.API, known map[string]map[string]string) ([]contracttests.Request, error) {
	vectors, err := fixtures.Vectors(api)
	if err != nil {
		return nil, err
	}
	var list []contracttests.Request
	for _, v := range vectors {
		for _, q := range append(slices.Clone(v.Before), v.Request) {
			if _, ok := known[q.Caller]; q.Method == "" || q.Caller != "" && !ok {
				continue
			}
			header, body := q.Parts()
			r := contracttests.Request{Method: q.Method, Target: q.Path, Caller: q.Caller, Header: header}
			if body != "" {
				r.Body = []byte(body)
			}
			list = append(list, r)
		}
	}
	return list, nil
}
