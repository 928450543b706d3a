package schema

import "github.com/understudy-dev/understudy/behavior/value"

// combine applies the keywords that make one schema of several.
func (r *run) combine(c *combinations, owner *Schema, v value.Value) {
	if c.not != nil && r.fits(c.not, owner, v) {
		r.add(Violation{Keyword: "not", Value: v})
	}
	if c.cond != nil {
		then := c.other
		if r.fits(c.cond, owner, v) {
			then = c.then
		}
		if then != nil {
			r.check(then, owner, v)
		}
	}
	if c.oneOf == nil && c.anyOf == nil || c.tag != nil && r.tagged(c.tag, owner, v) {
		return
	}
	if c.anyOf != nil {
		r.anyOf(c, owner, v)
	}
	if c.oneOf != nil {
		r.oneOf(c, owner, v)
	}
}

// fits is whether v has no violation of s. It reports nothing.
func (r *run) fits(s, owner *Schema, v value.Value) bool {
	fast, done := r.fast, r.done
	r.fast, r.done = true, false
	r.check(s, owner, v)
	ok := !r.done
	r.fast, r.done = fast, done
	return ok
}

// tagged lets the discriminator pick the alternative. It is false where the
// discriminator says nothing: the value is no object or lacks the member.
func (r *run) tagged(d *discriminator, owner *Schema, v value.Value) bool {
	tag := v.Get(d.property)
	if tag.IsMissing() || tag.Kind() == value.HoleKind {
		return false
	}
	if s := d.branches[tag.Text()]; s != nil && tag.IsString() {
		r.check(s, owner, v)
		return true
	}
	if d.open {
		return false
	}
	r.push(d.property)
	r.add(Violation{Keyword: "discriminator", Limit: d.names, Value: tag})
	r.pop()
	return true
}

func (r *run) anyOf(c *combinations, owner *Schema, v value.Value) {
	for _, s := range c.anyOf {
		if r.fits(s, owner, v) {
			return
		}
	}
	r.none("anyOf", c.anyOf, c.tag, owner, v)
}

func (r *run) oneOf(c *combinations, owner *Schema, v value.Value) {
	n := 0
	for _, s := range c.oneOf {
		if r.fits(s, owner, v) {
			n++
		}
	}
	switch n {
	case 1:
	case 0:
		r.none("oneOf", c.oneOf, c.tag, owner, v)
	default:
		r.add(Violation{Keyword: "oneOf", Limit: value.Int(int64(len(c.oneOf))), Value: v, first: n})
	}
}

// none reports that v fits no alternative: in the words of the one that is
// evidently meant, else as a whole.
func (r *run) none(keyword string, list []*Schema, tag *discriminator, owner *Schema, v value.Value) {
	if r.done {
		return
	}
	if tag != nil && v.IsObject() && !v.Has(tag.property) {
		r.push(tag.property)
		r.add(Violation{Keyword: "required", Limit: value.True, Value: v})
		r.pop()
		return
	}
	if !r.fast {
		if s := meant(list, v); s != nil {
			r.check(s, owner, v)
			return
		}
	}
	r.add(Violation{Keyword: keyword, Limit: value.Int(int64(len(list))), Value: v})
}

// meant is the only alternative of v's type, or of those the only one whose
// constants v has; nil if several or none are.
func meant(list []*Schema, v value.Value) *Schema {
	var typed, marked []*Schema
	for _, s := range list {
		if !s.never && s.of.allows.has(v) {
			typed = append(typed, s)
			if s.marks(v) {
				marked = append(marked, s)
			}
		}
	}
	switch {
	case len(typed) == 1:
		return typed[0]
	case len(marked) == 1:
		return marked[0]
	}
	return nil
}

// marks is whether v has every member whose value s fixes, and s fixes some.
func (s *Schema) marks(v value.Value) bool {
	n := 0
	for _, p := range s.all {
		fixed := p.Schema.constant
		if len(p.Schema.enum) == 1 {
			fixed = p.Schema.enum[0]
		}
		if fixed.IsMissing() {
			continue
		}
		if !value.Equal(fixed, v.Get(p.Name)) {
			return false
		}
		n++
	}
	return n > 0
}
