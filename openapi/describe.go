package openapi

import (
	"slices"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi/param"
	"github.com/understudy-dev/understudy/openapi/schema"
)

// PathOf is the path that an operation belongs to.
func (a *API) PathOf(op *Operation) *Path {
	i := slices.IndexFunc(a.Paths, func(p *Path) bool { return slices.Contains(p.Operations, op) })
	if i < 0 {
		return nil
	}
	return a.Paths[i]
}

// OperationByID is the operation of that id, nil if there is none.
func (a *API) OperationByID(id string) *Operation {
	for _, p := range a.Paths {
		for _, o := range p.Operations {
			if o.ID == id {
				return o
			}
		}
	}
	return nil
}

// Parameters are those of the operation, of its path, too: by location, else as
// documented. Do not change them.
func (o *Operation) Parameters() []*param.Param { return o.params }

// RequestMedia is one media type of a request body.
type RequestMedia struct {
	Type   string         // lower case, without parameters
	Schema *schema.Schema // nil if there is none
}

// RequestBody are the media types of the request body, none where there is no body,
// and whether it is required.
func (o *Operation) RequestBody() (list []RequestMedia, required bool) {
	if o.body == nil {
		return nil, false
	}
	for _, m := range o.body.media {
		list = append(list, RequestMedia{m.typ, m.schema})
	}
	return list, o.body.required
}

// With is what is known of callers, with another value in an attribute of one of them.
func (c *Callers) With(caller *behavior.Caller, attribute string, v value.Value) *Callers {
	attributes := caller.Attributes
	if attributes.IsMissing() {
		attributes = value.Object()
	}
	changed := behavior.NewCaller(caller.Name, caller.Scopes, attributes.With(attribute, v), caller.Expires)
	out := *c
	out.known = make(map[credential]*behavior.Caller, len(c.known))
	for k, who := range c.known {
		if who == caller {
			who = changed
		}
		out.known[k] = who
	}
	if out.anonymous == caller {
		out.anonymous = changed
	}
	if out.any == caller {
		out.any = changed
	}
	return &out
}
