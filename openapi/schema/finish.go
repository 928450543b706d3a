package schema

// state is how far the last pass over a schema has come.
type state uint8

const (
	untouched state = iota
	entered
	finished
)

// maxHeight is how many schemas may apply to one value inside one another.
const maxHeight = 200

// maxWeight is how many schemas may apply to one value in all, each counted as
// often as it is reached.
const maxWeight = 100_000

// finish computes what needs other schemas: the properties through allOf, what
// is not required in one direction, and where x-trim is. Schemas that contain
// themselves without going down into the value are errors: no value could ever
// be judged.
func (c *compiler) finish() error {
	for _, s := range c.fresh {
		if err := c.enter(s, 0); err != nil {
			return err
		}
	}
	for _, s := range c.fresh {
		s.mark()
	}
	c.spreadTrim()
	return nil
}

// inPlace goes through the schemas that apply to the same value as s.
func (s *Schema) inPlace(yield func(*Schema) bool) {
	for _, b := range s.allOf {
		if !yield(b) {
			return
		}
	}
	if m := s.comb; m != nil {
		for _, list := range [][]*Schema{m.anyOf, m.oneOf, {m.not, m.cond, m.then, m.other}} {
			for _, b := range list {
				if b != nil && !yield(b) {
					return
				}
			}
		}
		if m.tag != nil {
			for _, b := range m.tag.list {
				if !yield(b) {
					return
				}
			}
		}
	}
	if s.obj != nil {
		for _, d := range s.obj.dependent {
			if d.schema != nil && !yield(d.schema) {
				return
			}
		}
	}
}

func (c *compiler) enter(s *Schema, depth int) error {
	switch {
	case s.final == finished:
		return nil
	case s.final == entered:
		return c.file.Errorf(s.node, "the schema contains itself")
	case depth > maxHeight:
		return c.file.Errorf(s.node, "more than %d schemas contain one another", maxHeight)
	}
	s.final, s.weight = entered, 1
	for b := range s.inPlace {
		if err := c.enter(b, depth+1); err != nil {
			return err
		}
		s.height = max(s.height, b.height+1)
		s.weight = min(s.weight+b.weight, maxWeight+1)
	}
	if s.height > maxHeight {
		return c.file.Errorf(s.node, "more than %d schemas contain one another", maxHeight)
	}
	if s.weight > maxWeight {
		return c.file.Errorf(s.node, "more than %d schemas apply to one value", maxWeight)
	}
	s.final = finished
	s.summarize()
	s.flatten()
	return nil
}

// summarize adds to what s says itself what the parts of its allOf say, which
// are summarized already.
func (s *Schema) summarize() {
	o := &s.of
	o.allows = anyType
	if s.types != 0 {
		o.allows = s.types
	}
	if s.obj != nil {
		o.closed = s.obj.extra != nil && s.obj.extra.never
		for _, p := range s.obj.props {
			o.require(p.name, p.required)
		}
	}
	if s.arr != nil {
		o.items = s.arr.items
	}
	nullable := len(s.allOf) > 0 && s.types == 0
	for _, b := range s.allOf {
		if s.types == 0 && o.typeList == nil {
			o.typeList = b.of.typeList
		}
		o.allows = o.allows.and(b.of.allows)
		nullable = nullable && b.of.nullable
		o.readOnly = o.readOnly || b.of.readOnly
		o.writeOnly = o.writeOnly || b.of.writeOnly
		o.closed = o.closed || b.of.closed
		if o.fallback.IsMissing() {
			o.fallback = b.of.fallback
		}
		if o.keepAs == "" {
			o.keepAs = b.of.keepAs
		}
		if o.items == nil {
			o.items = b.of.items
		}
		for name := range b.of.required {
			o.require(name, true)
		}
	}
	o.nullable = s.nullPasses || s.types&nullType != 0 || nullable
	if s.nullPasses {
		o.allows |= nullType
	}
}

func (o *summary) require(name string, is bool) {
	if !is {
		return
	}
	if o.required == nil {
		o.required = make(map[string]bool)
	}
	o.required[name] = true
}

// flatten collects the properties, those of allOf included.
func (s *Schema) flatten() {
	if s.obj == nil && len(s.allOf) == 0 {
		return
	}
	at := make(map[string]int)
	declare := func(p Property) {
		i, ok := at[p.Name]
		if !ok {
			at[p.Name] = len(s.all)
			s.all = append(s.all, p)
		} else if p.Required {
			s.all[i].Required = true
		}
	}
	own := func() {
		if s.obj == nil {
			return
		}
		for _, p := range s.obj.props {
			if p.schema != nil {
				declare(Property{p.name, p.schema, p.required})
			}
		}
	}
	if !s.allOfFirst {
		own()
	}
	for _, b := range s.allOf {
		for _, p := range b.all {
			declare(p)
		}
	}
	if s.allOfFirst {
		own()
	}
	for i := range s.all {
		p := &s.all[i]
		p.Required = p.Required || s.of.required[p.Name]
	}
	const small = 16
	if len(s.all) > small {
		s.allIndex = at
	}
}

// mark notes which required properties are not required in one direction.
func (s *Schema) mark() {
	if s.obj == nil {
		return
	}
	for i := range s.obj.props {
		p := &s.obj.props[i]
		if p.required {
			p.optional = [2]bool{s.exempt(p.name, Request), s.exempt(p.name, Response)}
		}
	}
}

// exempt is whether a property of that name need not be sent in a direction.
func (s *Schema) exempt(name string, d Direction) bool {
	p, ok := s.Property(name)
	return ok && (d == Request && p.ReadOnly() || d == Response && p.WriteOnly())
}

// below goes through the schemas that [Schema.Normalize] goes down to.
func (s *Schema) below(yield func(*Schema) bool) {
	for _, b := range s.allOf {
		if !yield(b) {
			return
		}
	}
	if s.obj != nil {
		for i := range s.obj.props {
			if b := s.obj.props[i].schema; b != nil && !yield(b) {
				return
			}
		}
	}
	if s.arr != nil && s.arr.items != nil {
		yield(s.arr.items)
	}
}

// spreadTrim sets trims from the schemas with x-trim, and from integers, upwards. Schemas of an
// earlier run know theirs already.
func (c *compiler) spreadTrim() {
	above := make(map[*Schema][]*Schema)
	var queue []*Schema
	for _, s := range c.fresh {
		s.trims = s.trim || s.Type() == "integer"
		for b := range s.below {
			above[b] = append(above[b], s)
			s.trims = s.trims || b.trims
		}
		if s.trims {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, up := range above[s] {
			if !up.trims {
				up.trims = true
				queue = append(queue, up)
			}
		}
	}
}
