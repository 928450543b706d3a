package behavior

import (
	"strings"
	"time"

	"github.com/understudy-dev/understudy/behavior/value"
)

// A Caller is somebody whom the fixtures know.
type Caller struct {
	Name       string
	Scopes     []string
	Attributes value.Value // an object, or Missing
	Expires    time.Time   // the zero time means never

	object value.Value
}

// NewCaller makes a caller; what an expression sees of it is made once.
func NewCaller(name string, scopes []string, attributes value.Value, expires time.Time) *Caller {
	c := &Caller{Name: name, Scopes: scopes, Attributes: attributes, Expires: expires}
	c.object = value.Object()
	if name != "" {
		c.object = c.object.With("name", value.String(name)).With("scopes", value.Strings(scopes))
	}
	for _, m := range attributes.Members() {
		c.object = c.object.With(m.Name, m.Value)
	}
	return c
}

func (c *Caller) value() value.Value {
	if c == nil {
		return value.Value{}
	}
	return c.object
}

func (c *Caller) has(scope string) bool {
	for _, s := range c.Scopes {
		if s == scope || s == "*" {
			return true
		}
	}
	return false
}

// Auth is what became of a call's credentials.
type Auth uint8

const (
	Granted Auth = iota // known, or none are needed
	NoCredentials
	BadCredentials
	ExpiredCredentials
)

// A Call is a request as the plan sees it: decoded, and with everything that is
// wrong with it. Nothing is decided yet.
type Call struct {
	Op     *Operation // nil where only the path is known
	Method string
	Origin string // scheme and host, as the client used them: http://127.0.0.1:4010
	Target string // path and query, as the client wrote them
	Remote string // the client's address, without port

	Path, Query, Header, Cookie value.Value // objects of decoded parameters
	Body                        value.Value // Missing when none was sent
	BodySize                    int         // in bytes, as it was sent

	// Headers are all header fields, by canonical name (X-Request-Id).
	Headers map[string][]string

	Caller        *Caller
	Auth          Auth
	NotAcceptable bool
	Violations    []Violation
}

// Source is the part of a request that a violation is about.
type Source uint8

const (
	InParameter   Source = iota
	InBody               // it breaks its schema, or is missing
	UndecodedBody        // it cannot be decoded
	BodySize
	MediaType
)

// A Violation is one thing that is wrong with a request.
type Violation struct {
	Source    Source
	Parameter int // its number in [OperationSpec.OnInvalid]
	Location  string
	Path      []value.Value // for a parameter: its name, then the place inside it
	Keyword   string
	Limit     value.Value
	Value     value.Value
	Message   string // our own words
}

// rawHeader is the text of a header, by its canonical name. One that was sent
// several times is joined (RFC 9110, section 5.3).
func (c *Call) rawHeader(name string) value.Value {
	switch list := c.Headers[name]; len(list) {
	case 0:
		return value.Value{}
	case 1:
		return value.String(list[0])
	default:
		return value.String(strings.Join(list, ", "))
	}
}

// requestMembers are what an expression sees of the request.
var requestMembers = map[string]func(c *Call) value.Value{
	"method": func(c *Call) value.Value { return value.String(c.Method) },
	"url":    func(c *Call) value.Value { return value.String(c.Origin + c.Target) },
	"remote": func(c *Call) value.Value { return value.String(c.Remote) },
}

// Place is where the violation is: "query limit", "body metadata.team", "body".
func (v *Violation) Place() string {
	names := make([]string, len(v.Path))
	for i, p := range v.Path {
		names[i] = textOf(p)
	}
	return strings.TrimSpace(v.Location + " " + strings.Join(names, "."))
}

// object is a violation as expressions see it, in our own words.
func (v *Violation) object() value.Value {
	names := make([]string, len(v.Path))
	pointer := ""
	for i, p := range v.Path {
		names[i] = textOf(p)
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(names[i])
	}
	field := ""
	if len(names) > 0 {
		field = names[0]
	}
	return value.Object(
		value.Member{Name: "location", Value: value.String(v.Location)},
		value.Member{Name: "name", Value: value.String(strings.Join(names, "."))},
		value.Member{Name: "field", Value: value.String(field)},
		value.Member{Name: "path", Value: value.Array(v.Path...)},
		value.Member{Name: "pointer", Value: value.String(pointer)},
		value.Member{Name: "keyword", Value: value.String(v.Keyword)},
		value.Member{Name: "limit", Value: orNull(v.Limit)},
		value.Member{Name: "value", Value: orNull(v.Value)},
		value.Member{Name: "message", Value: value.String(v.Message)},
		value.Member{Name: "code", Value: value.String(v.Keyword)},
	)
}
