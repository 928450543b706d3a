package openapi

import "slices"

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
