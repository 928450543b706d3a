package infer

import "strings"

// segment is one step of a path: a literal or a parameter.
type segment struct {
	lit   string
	param string // the last one, where there are several
	words []string
}

// parsed is a path, taken apart.
type parsed struct {
	segs []segment
	verb string // behind a colon at the end, or the last part of a dotted name
	dots bool   // verb is one of a dotted name
	key  string // segments with all parameters alike
}

// extensions are what paths end in to choose a format.
var extensions = []string{".json", ".xml", ".yaml", ".html", ".csv", ".txt", ".php", ".aspx", ".do"}

func parsePath(path string) parsed {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	var p parsed
	add := func(s segment) {
		p.segs = append(p.segs, s)
	}
	raws := strings.Split(strings.Trim(path, "/"), "/")
	for i, raw := range raws {
		last := i == len(raws)-1
		from, to := strings.IndexByte(raw, '{'), strings.LastIndexByte(raw, '}')
		if from < 0 || to < from {
			if last {
				raw = withoutExtension(raw)
				raw, p.verb = cutVerb(raw, ":")
				raw = strings.TrimSuffix(raw, "()")
				if p.verb == "" {
					if left, verb := cutVerb(raw, "."); verb != "" && (verb[0] < '0' || verb[0] > '9') {
						raw, p.verb, p.dots = left, verb, true
						if j := strings.LastIndexByte(raw, '.'); j >= 0 {
							raw = raw[j+1:]
						}
					}
				}
			}
			if raw != "" {
				add(segment{lit: raw, words: words(raw)})
			}
			continue
		}
		before, after := raw[:from], raw[to+1:]
		inner := raw[from+1 : to]
		if j := strings.LastIndexByte(inner, '{'); j >= 0 {
			inner = inner[j+1:]
		}
		inner = strings.TrimSuffix(strings.TrimPrefix(inner, "+"), "+")
		if j := strings.IndexByte(before, '('); j > 0 { // Products({key}), Products(id={id})
			add(segment{lit: before[:j], words: words(before[:j])})
		}
		add(segment{param: inner})
		if v, ok := strings.CutPrefix(after, ":"); ok && last {
			p.verb = v
		}
	}
	var b strings.Builder
	for _, s := range p.segs {
		b.WriteByte('/')
		if s.param != "" {
			b.WriteString("{}")
		} else {
			b.WriteString(s.lit)
		}
	}
	p.key = b.String()
	return p
}

func withoutExtension(s string) string {
	for _, x := range extensions {
		if t, ok := strings.CutSuffix(s, x); ok && t != "" {
			return t
		}
	}
	return s
}

func cutVerb(s, sep string) (rest, verb string) {
	i := strings.LastIndex(s, sep)
	if i <= 0 || i == len(s)-1 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// collectionAt is the index of the literal to whose items the segment at i, a
// parameter, belongs; -1 if the path has none.
func (p *parsed) collectionAt(i int) int {
	for i--; i >= 0; i-- {
		if p.segs[i].param == "" {
			return i
		}
	}
	return -1
}

// keyTo is the key of the first n segments.
func (p *parsed) keyTo(n int) string {
	rest := p.key
	end := 0
	for range n {
		j := strings.IndexByte(rest[end+1:], '/')
		if j < 0 {
			return p.key
		}
		end += 1 + j
	}
	return p.key[:end]
}

// parents are what the first n segments go through.
func (p *parsed) parents(n int) []Parent {
	var out []Parent
	for i := 0; i < n; i++ {
		if p.segs[i].param == "" {
			continue
		}
		if i > 0 && p.segs[i-1].param != "" {
			out[len(out)-1].Params = append(out[len(out)-1].Params, p.segs[i].param)
			continue
		}
		q := Parent{Params: []string{p.segs[i].param}}
		if i > 0 && !prefix(p.segs[i-1].lit) {
			q.Resource = resourceName(p.segs[i-1].words)
		} else {
			q.Resource = resourceName(trimID(words(p.segs[i].param)))
		}
		out = append(out, q)
	}
	return out
}

// prefix is whether a literal is no name of a collection but a version, or what
// all paths begin with.
func prefix(lit string) bool {
	lit = strings.ToLower(lit)
	if rest := strings.TrimLeft(strings.TrimPrefix(lit, "v"), "0123456789.-_"); rest == "" || strings.HasPrefix(lit, "v") && (rest == "alpha" || rest == "beta") {
		return true
	}
	return lit == "api" || lit == "apis" || lit == "rest" || lit == "rpc" || lit == "latest"
}

// trimID drops words such as id from the name of a parameter.
func trimID(ws []string) []string {
	for len(ws) > 1 && idWord[ws[len(ws)-1]] {
		ws = ws[:len(ws)-1]
	}
	return ws
}

var idWord = set("id", "ids", "uuid", "guid", "key", "sid", "slug", "name", "number", "code", "identifier", "pk", "login", "username", "handle", "no", "num")
