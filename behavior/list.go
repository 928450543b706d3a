package behavior

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/understudy-dev/understudy/behavior/value"
)

// listStep is a compiled list.
type listStep struct {
	res     *Resource
	slot    int
	base    *query            // in the default order
	by      expr              // the order that is asked for; nil if none can be
	orders  map[string]*query // by its name
	desc    expr
	filters []filter
	page    *paging
	read    func(f *frame, v value.Value) value.Value
}

type filter struct{ on, where expr }

type paging struct {
	number, size expr // size is the limit of an offset
	offset       expr
	numberName   string // the query parameters, for links
	offsetName   string
	sizeName     string
	numberAt     Input
	offsetAt     Input
	sizeAt       Input
	beyond       refusal
}

// An Input is a place in the request; the zero Input is none.
type Input struct {
	Location string // path, query, header, cookie or body
	Name     string
}

// requestName is the first place in the request that an expression looks at.
func requestName(e ast.Expr) (in Input) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if in.Name != "" || e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind {
			return
		}
		if root := e.AsSelect().Operand().AsIdent(); roots[root] != nil {
			in = Input{root, e.AsSelect().FieldName()}
		}
	}))
	return in
}

func (c *compiler) list(s *StepSpec) (step, error) {
	r, err := c.resource(s)
	if err != nil {
		return nil, err
	}
	q, err := c.where(r, s.Where)
	if err != nil {
		return nil, err
	}
	l := &listStep{res: r}
	for _, fs := range s.Filter {
		if err := c.filter(l, q, fs); err != nil {
			return nil, err
		}
	}
	if err := c.sorting(l, q, s.Sort); err != nil {
		return nil, err
	}
	if s.Page != nil {
		if l.page, err = c.paging(s.Page); err != nil {
			return nil, err
		}
		for _, a := range l.page.beyond {
			if a.rule.Pos.Line == 0 {
				a.rule.Pos = s.Page.Pos
			}
		}
	}
	if l.read, err = c.reader(r); err != nil {
		return nil, err
	}
	l.slot = c.bind(nameOr(s.As, "page"), typ{})
	return l.run, nil
}

// filter compiles a condition that applies when something was sent. It looks
// at the record in the slot of the query.
func (c *compiler) filter(l *listStep, q *query, fs FilterSpec) error {
	on, _, err := c.expression(fs.On)
	if err != nil {
		return err
	}
	return c.inRecord(l.res, func(slot int) error {
		x, _, err := c.expression(fs.Where)
		l.filters = append(l.filters, filter{on, func(f *frame) value.Value {
			f.slots[slot] = f.slots[q.slot]
			return x(f)
		}})
		return err
	})
}

func (c *compiler) sorting(l *listStep, q *query, s *SortSpec) error {
	if s == nil {
		l.base = c.ordered(q, nil)
		return nil
	}
	for _, name := range slices.Concat(s.Default, s.Among) {
		if name = strings.TrimPrefix(name, "-"); l.res.computed[name] || l.res.member(name) != nil {
			return errorAt(s.Pos, "sort: %w", l.res.member(name))
		}
	}
	l.base = c.ordered(q, parseSort(s.Default))
	if s.By == nil {
		return nil
	}
	var err error
	if l.by, _, err = c.expression(*s.By); err != nil {
		return err
	}
	if l.desc, err = c.optional(s.Descending); err != nil {
		return err
	}
	l.orders = map[string]*query{}
	for _, name := range s.Among {
		l.orders[name] = c.ordered(q, parseSort([]string{name}))
	}
	return nil
}

func (c *compiler) paging(s *PageSpec) (*paging, error) {
	p := &paging{}
	var err error
	for _, part := range []struct {
		text *Text
		to   *expr
		name *string
		at   *Input
	}{
		{s.Number, &p.number, &p.numberName, &p.numberAt}, {s.Size, &p.size, &p.sizeName, &p.sizeAt},
		{s.Offset, &p.offset, &p.offsetName, &p.offsetAt}, {s.Limit, &p.size, &p.sizeName, &p.sizeAt},
	} {
		if part.text == nil {
			continue
		}
		tree, err := parse(*part.text)
		if err != nil {
			return nil, err
		}
		if *part.to, _, err = c.compileAt(*part.text, tree, tree.Expr()); err != nil {
			return nil, err
		}
		*part.name = queryName(tree.Expr())
		*part.at = requestName(tree.Expr())
	}
	if p.size == nil || (p.number == nil) == (p.offset == nil) {
		return nil, errorAt(s.Pos, "page wants number and size, or offset and limit")
	}
	p.beyond, err = c.refusal(s.Else)
	return p, err
}

// queryName is the parameter of "query.name", "" for any other expression.
func queryName(e ast.Expr) string {
	if e.Kind() != ast.SelectKind {
		return ""
	}
	if o := e.AsSelect().Operand(); o.Kind() != ast.IdentKind || o.AsIdent() != "query" {
		return ""
	}
	return e.AsSelect().FieldName()
}

func (l *listStep) run(f *frame) bool {
	q, reverse := l.base, l.base.reverse
	if l.by != nil {
		if asked := l.by(f); !asked.IsNull() {
			if o := l.orders[asked.Text()]; o != nil {
				q, reverse = o, o.reverse
			}
		}
		if l.desc != nil && q != l.base && f.truth(l.desc(f)) {
			reverse = !reverse
		}
	}
	var conditions []expr
	for i := range l.filters {
		if !l.filters[i].on(f).IsNull() {
			conditions = append(conditions, l.filters[i].where)
		}
	}
	number, size, offset := int64(1), int64(-1), int64(0)
	from := value.Int(0)
	asked := value.Int(1) // the page's number and offset with all the digits that were asked for
	if p := l.page; p != nil {
		if v := p.size(f); v.IsNumber() {
			size = max(whole(v), 0)
		}
		if p.offset != nil {
			v := p.offset(f)
			if offset = max(whole(v), 0); offset > 0 {
				from = v
			}
			if size > 0 {
				number = offset/size + 1
			}
			asked = value.Int(number)
		} else {
			if v := p.number(f); v.IsNumber() && v.Integral() && whole(v) > 1 {
				number, asked = whole(v), v
			}
			offset = max(size, 0) * (number - 1)
			from = value.Int(offset)
		}
	}
	var items []value.Value
	var total value.Value
	if f.observer != nil {
		items, total = l.observed(f, q, conditions, reverse, int(offset), int(size))
	} else {
		var n int
		items, n = q.page(f, conditions, reverse, int(offset), int(size))
		total = value.Int(int64(n))
	}
	count, known := total.Int()
	pages := int64(1)
	if size > 0 {
		pages = (count + size - 1) / size
	}
	if p := l.page; p != nil && p.number != nil && len(p.beyond) > 0 && (known && number > max(pages, 1) || !known && number > 1 && f.truth(unknown)) {
		f.refuse(p.beyond)
		return true
	}
	for i := range items {
		items[i] = l.read(f, items[i])
	}
	page := make([]value.Member, 0, 8)
	page = append(page,
		value.Member{Name: "items", Value: value.Array(items...)},
		value.Member{Name: "total", Value: total},
		value.Member{Name: "number", Value: asked},
		value.Member{Name: "size", Value: value.Int(max(size, 0))},
		value.Member{Name: "pages", Value: unless(known && (count > 0 || f.observer == nil), value.Int(pages))},
		value.Member{Name: "offset", Value: from},
	)
	if l.page != nil {
		next, previous := l.page.links(f, number, size, offset, count)
		next = unless(known, next)
		page = append(page, value.Member{Name: "next", Value: next}, value.Member{Name: "previous", Value: previous})
	}
	f.slots[l.slot] = value.Object(page...)
	return false
}

// unless is a value that is open where it is not known.
func unless(known bool, v value.Value) value.Value {
	if known {
		return v
	}
	return unknown
}

// whole is a number as far as lists reach: what is larger is beyond all of them,
// and small enough to multiply.
func whole(v value.Value) int64 {
	const most = 1 << 31
	if n, ok := v.Int(); ok {
		return max(-most, min(n, most))
	}
	return int64(max(-most, min(v.Float(), most)))
}

// links are the URLs of the pages behind and before this one; null where there
// is none.
func (p *paging) links(f *frame, number, size, offset, total int64) (next, previous value.Value) {
	next, previous = value.Null, value.Null
	name, after, before := p.numberName, number+1, number-1
	if p.offset != nil {
		name, after, before = p.offsetName, offset+size, max(offset-size, 0)
	}
	if name == "" || size <= 0 {
		return next, previous
	}
	if offset+size < total {
		next = value.String(withQuery(f.call.Origin+f.call.Target, name, after))
	}
	if offset > 0 {
		previous = value.String(withQuery(f.call.Origin+f.call.Target, name, before))
	}
	return next, previous
}

// withQuery is a URL with another value of one query parameter; all else stays
// as it was written.
func withQuery(u, name string, n int64) string {
	base, query, _ := strings.Cut(u, "?")
	query, _, _ = strings.Cut(query, "#")
	var pairs []string
	done := false
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if k, err := url.QueryUnescape(key); err == nil && k == name {
			if done {
				continue
			}
			done = true
			pair = key + "=" + strconv.FormatInt(n, 10)
		}
		if pair != "" {
			pairs = append(pairs, pair)
		}
	}
	if !done {
		pairs = append(pairs, url.QueryEscape(name)+"="+strconv.FormatInt(n, 10))
	}
	return base + "?" + strings.Join(pairs, "&")
}
