package behavior

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

func (c *compiler) steps(list []StepSpec) ([]step, error) {
	out := make([]step, 0, len(list))
	for i := range list {
		s, err := c.step(&list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *compiler) step(s *StepSpec) (step, error) {
	if c.later && (s.Kind == Reply || s.Kind == Check) {
		return nil, errorAt(s.Pos, "%s makes no sense below after: the answer is long gone", s.Kind)
	}
	when, err := c.optional(s.When)
	if err != nil {
		return nil, err
	}
	var do step
	switch s.Kind {
	case Find:
		do, err = c.find(s)
	case List:
		do, err = c.list(s)
	case Let:
		do, err = c.let(s)
	case Refuse:
		do, err = c.refuseStep(s)
	case Create:
		do, err = c.create(s)
	case Update:
		do, err = c.update(s)
	case Delete:
		do, err = c.delete(s)
	case Clear:
		do, err = c.clear(s)
	case After:
		do, err = c.after(s)
	case Check:
		do, err = c.check(s)
	case Reply:
		do, err = c.replyStep(s)
	case OneOf:
		do, err = c.oneOf(s)
	}
	if err != nil || when == nil {
		return do, err
	}
	return func(f *frame) bool { return f.truth(when(f)) && do(f) }, nil
}

func (c *compiler) optional(t *Text) (expr, error) {
	if t == nil {
		return nil, nil
	}
	x, _, err := c.expression(*t)
	return x, err
}

func (c *compiler) resource(s *StepSpec) (*Resource, error) {
	r := c.plan.resource(s.Target)
	if r == nil {
		return nil, errorAt(s.Pos, "%s: there is no resource %q in x-resources; have %s", s.Kind, s.Target, c.plan.resourceNames())
	}
	return r, nil
}

// bound is the slot and resource of a bound record.
func (c *compiler) bound(s *StepSpec) (int, *Resource, error) {
	slot, member, t, ok := c.lookup(s.Target)
	if !ok || member || t.res == nil || t.list {
		return 0, nil, errorAt(s.Pos, "%s: %q is no record that a step before has bound%s", s.Kind, s.Target, c.have())
	}
	return slot, t.res, nil
}

// snake writes a resource's name as a name that steps bind: PersonaGroup,
// persona_group.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

func nameOr(name, otherwise string) string {
	if name != "" {
		return name
	}
	return otherwise
}

// where compiles the condition of a step on the records of a resource.
func (c *compiler) where(r *Resource, t *Text) (*query, error) {
	if t == nil {
		return c.query(r, nil, "")
	}
	tree, err := parse(*t)
	if err != nil {
		return nil, err
	}
	q, err := c.query(r, tree.Expr(), "")
	return q, c.placed(*t, tree, err)
}

// placed gives an error its place in the text.
func (c *compiler) placed(t Text, tree *ast.AST, err error) error {
	if err == nil {
		return nil
	}
	_, _, err = c.locate(t, tree, err)
	return err
}

func (c *compiler) find(s *StepSpec) (step, error) {
	r, err := c.resource(s)
	if err != nil {
		return nil, err
	}
	if s.ID == nil && s.Where == nil {
		return nil, errorAt(s.Pos, "find needs id, where, or both")
	}
	if len(s.Else) == 0 && !c.later {
		return nil, errorAt(s.Pos, "find needs else: what is answered if there is none")
	}
	id, err := c.optional(s.ID)
	if err != nil {
		return nil, err
	}
	c.collectLookups(s.ID, r)
	q, err := c.where(r, s.Where)
	if err != nil {
		return nil, err
	}
	if id == nil {
		q = c.ordered(q, nil)
	}
	otherwise, err := c.refusal(s.Else)
	if err != nil {
		return nil, err
	}
	for _, a := range otherwise {
		a.rule.from(s)
	}
	read, err := c.reader(r)
	if err != nil {
		return nil, err
	}
	slot := c.bind(nameOr(s.As, snake(r.Name)), typ{res: r})
	return func(f *frame) bool {
		var rec *record
		if id != nil {
			if v := id(f); !v.IsNull() {
				got, ok := f.tx.table(r).ids.Get(idText(v))
				switch {
				case ok && q.matches(f, got):
					rec = got
				case !ok:
					rec = f.perhaps(q, v)
				}
			}
		} else {
			q.each(f, func(got *record) bool { rec = got; return false })
		}
		if rec == nil {
			if len(otherwise) == 0 {
				f.out.Refused = true
				return true
			}
			f.refuse(otherwise)
			return true
		}
		f.slots[slot] = read(f, rec.val)
		return false
	}, nil
}

// from gives a rule what the step says that uses the failure, where the failure
// itself does not say it.
func (r *Rule) from(s *StepSpec) {
	if s.Rule != "" {
		r.Name = s.Rule
		r.ID = r.Operation + "." + s.Rule
	}
	if r.Cite == "" {
		r.Cite = s.Cite
	}
	if s.Basis != "" {
		r.Basis = s.Basis
	}
	r.Pos = s.Pos
}

// reader makes what steps see of a record: with the members that are computed
// when it is read.
func (c *compiler) reader(r *Resource) (func(f *frame, v value.Value) value.Value, error) {
	if len(r.spec.OnRead) == 0 {
		return func(_ *frame, v value.Value) value.Value { return v }, nil
	}
	if c.reading {
		return func(_ *frame, v value.Value) value.Value { return v }, nil
	}
	c.reading = true
	defer func() { c.reading = false }()
	names := c.names
	slot := c.bind("it", typ{res: r})
	computed, err := c.chosen(r.spec.OnRead)
	c.names = names
	if err != nil {
		return nil, err
	}
	return func(f *frame, v value.Value) value.Value {
		f.slots[slot] = v
		full := make([]value.Member, 0, v.Len()+len(computed))
		full = append(full, v.Members()...)
		for _, m := range computed {
			full = append(full, value.Member{Name: m.name, Value: orNull(m.x(f))})
		}
		all := value.Object(full...)
		shown := all.Without(r.spec.Hidden...)
		return all.Sent(shown)
	}, nil
}

func (c *compiler) let(s *StepSpec) (step, error) {
	if s.Be == nil {
		return nil, errorAt(s.Pos, "let needs be: an expression")
	}
	x, t, err := c.expression(*s.Be)
	if err != nil {
		return nil, err
	}
	slot := c.bind(s.Target, t)
	return func(f *frame) bool { f.slots[slot] = x(f); return false }, nil
}

func (c *compiler) refuseStep(s *StepSpec) (step, error) {
	if len(s.Else) == 0 {
		return nil, errorAt(s.Pos, "refuse needs a failure")
	}
	r, err := c.refusal(s.Else)
	if err != nil {
		return nil, err
	}
	for _, a := range r {
		a.rule.from(s)
	}
	return func(f *frame) bool { f.refuse(r); return true }, nil
}

func (c *compiler) check(s *StepSpec) (step, error) {
	var judge func(f *frame, op *Operation, call *Call) bool
	switch s.Target {
	case "body":
		judge = func(f *frame, op *Operation, call *Call) bool {
			if !f.soundMedia(call) {
				return false
			}
			f.only(func(v *Violation) bool { return v.Source != InParameter })
			if !f.soundBody(op, f.call) {
				return false
			}
			f.call = call // a later check sees the rest
			return true
		}
	case "parameters":
		judge = (*frame).soundParameters
	default:
		return nil, errorAt(s.Pos, "check: %s is unknown; want body or parameters", s.Target)
	}
	return func(f *frame) bool {
		return len(f.call.Violations) > 0 && !judge(f, f.call.Op, f.call)
	}, nil
}

func (c *compiler) replyStep(s *StepSpec) (step, error) {
	response := findResponse(c.op.Responses, s.Status)
	if response == nil {
		return nil, errorAt(s.Pos, "%s documents no response %d; have %s", c.op.ID, s.Status, statuses(c.op.Responses))
	}
	if s.Body == nil && s.Example == "" && len(s.Set) == 0 {
		if m := pickMedia(response, s.Media); m != nil && len(m.Examples) == 0 && len(c.op.Steps) == 0 {
			s.Body = &TemplateSpec{Pos: s.Pos, Scalar: value.Null}
		}
	}
	a, err := c.answer(s, response)
	if err != nil {
		return nil, err
	}
	return func(f *frame) bool { f.reply(a); return true }, nil
}

func (c *compiler) oneOf(s *StepSpec) (step, error) {
	var branches [][]step
	names := c.names
	for _, b := range s.Branches {
		steps, err := c.steps(b)
		c.names = names
		if err != nil {
			return nil, err
		}
		branches = append(branches, steps)
	}
	if len(branches) < 2 {
		return nil, errorAt(s.Pos, "one-of needs two lists of steps, or more")
	}
	law := &Law{Kind: Alternative, High: int64(len(branches) - 1)}
	return func(f *frame) bool {
		n, _ := f.choose.Choose(law).Int()
		return f.run(branches[max(0, min(int(n), len(branches)-1))])
	}, nil
}

// afterStep is what goes on later.
type afterStep struct {
	steps []step
	slot  int // of the round's number; -1 for none
}

// mostRounds bounds how often the steps of one after run.
const mostRounds = 100_000

func (c *compiler) after(s *StepSpec) (step, error) {
	delay, err := c.optional(s.DelayBy)
	if err != nil {
		return nil, err
	}
	times, err := c.optional(s.Times)
	if err != nil {
		return nil, err
	}
	a := &afterStep{slot: -1}
	names, later := c.names, c.later
	if s.As != "" {
		a.slot = c.bind(s.As, typ{})
	}
	c.later = true
	a.steps, err = c.steps(s.Steps)
	c.names, c.later = names, later
	if err != nil {
		return nil, err
	}
	if len(a.steps) == 0 {
		return nil, errorAt(s.Pos, "after needs steps")
	}
	fixed := time.Duration(s.Delay) * time.Millisecond
	return func(f *frame) bool {
		t := &task{after: a, round: 1, rounds: 1, delay: fixed, slots: slices.Clone(f.slots)}
		if times != nil {
			t.rounds = whole(times(f))
		}
		if delay != nil {
			ms, _ := delay(f).Int()
			t.delay = time.Duration(max(0, min(ms, 1<<40))) * time.Millisecond
		}
		if t.rounds = min(t.rounds, mostRounds); t.rounds < 1 {
			return false
		}
		call := *f.call
		call.Headers, call.Violations = nil, nil
		t.call, t.due = &call, f.now.Add(t.delay)
		f.tx.later(t)
		return false
	}, nil
}
