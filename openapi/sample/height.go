package sample

import "github.com/understudy-dev/understudy/openapi/schema"

// endless is the height of a schema that only an infinite value fits.
const endless = 1 << 20

// height computes of these schemas, and of all that they lead to, how deep
// their smallest value is, about. It is called with m.mu held.
func (m *Maker) height(roots []*schema.Schema) {
	var order []*schema.Schema
	fresh := make(map[*schema.Schema]bool)
	visit := func(s *schema.Schema) {
		if s == nil || fresh[s] {
			return
		}
		if _, ok := m.heights[s]; !ok {
			fresh[s] = true
			order = append(order, s)
		}
	}
	for _, s := range roots {
		visit(s)
	}
	for i := 0; i < len(order); i++ {
		f := m.fact(order[i])
		for _, list := range [][]*schema.Schema{f.AllOf, f.AnyOf, f.OneOf, f.PrefixItems, {f.Items, f.Contains, f.If, f.Then, f.Else, f.AdditionalProperties}} {
			for _, s := range list {
				visit(s)
			}
		}
		for _, p := range f.Properties {
			visit(p.Schema)
		}
		for _, p := range f.PatternProperties {
			visit(p.Schema)
		}
		for _, d := range f.Dependents {
			visit(d.Schema)
		}
	}
	for _, s := range order {
		m.heights[s] = endless
	}
	const rounds = 100
	for range rounds {
		changed := false
		for i := len(order) - 1; i >= 0; i-- {
			s := order[i]
			if h := m.smallest(m.fact(s)); h < m.heights[s] {
				m.heights[s] = h
				changed = true
			}
		}
		if !changed {
			return
		}
	}
}

func (m *Maker) smallest(f *facts) int {
	if f.Never {
		return endless
	}
	if f.Nullable || f.Enum != nil || !f.Const.IsMissing() {
		return 0
	}
	h := 0
	raise := func(x int) { h = min(max(h, x), endless) }
	for _, s := range f.AllOf {
		raise(m.heights[s])
	}
	for _, list := range [][]*schema.Schema{f.AnyOf, f.OneOf} {
		least := endless
		for _, s := range list {
			least = min(least, m.heights[s])
		}
		if list != nil {
			raise(least)
		}
	}
	other := false // than objects and arrays
	object, array := f.Types == nil, f.Types == nil
	for _, t := range f.Types {
		switch t {
		case "object":
			object = true
		case "array":
			array = true
		default:
			other = true
		}
	}
	if other || object && array && f.Types != nil {
		return h
	}
	if object {
		for _, p := range f.Properties {
			if p.Required && p.Schema != nil && !p.Schema.ReadOnly() && !p.Schema.WriteOnly() {
				raise(m.heights[p.Schema] + 1)
			}
		}
	}
	if array && f.MinItems > 0 {
		for i, s := range f.PrefixItems {
			if i < f.MinItems {
				raise(m.heights[s] + 1)
			}
		}
		if f.Items != nil && f.MinItems > len(f.PrefixItems) {
			raise(m.heights[f.Items] + 1)
		}
	}
	return h
}
