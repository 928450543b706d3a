package behavior

import "github.com/understudy-dev/understudy/behavior/value"

// A Spec is what one document says about behaviour, as it stands there. Package
// openapi fills it; [Compile] makes a [Plan] of it.
type Spec struct {
	Resources  []ResourceSpec
	Failures   []FailureSpec // those of the root, by Name
	Wordings   []WordingSpec
	Headers    []NamedTemplate
	Quotas     []QuotaSpec
	Operations []*OperationSpec
}

// A TemplateSpec is a JSON value whose texts may hold ${…}. It is a scalar, an
// object or an array.
type TemplateSpec struct {
	Pos     Position
	Scalar  value.Value     // Missing for objects and arrays
	Members []NamedTemplate // of an object, not nil
	Elems   []TemplateSpec  // of an array
}

// A NamedTemplate is a member of an object, or a header.
type NamedTemplate struct {
	Name string
	Pos  Position // of the name
	TemplateSpec
}

// A SetSpec writes a template at a path.
type SetSpec struct {
	Path []string
	TemplateSpec
}

// A ResourceSpec is one entry of x-resources.
type ResourceSpec struct {
	Name     string
	Pos      Position
	ID       string   // the member that identifies; "" means "id"
	Members  []string // the properties of its schema
	Within   []WithinSpec
	Visible  *Text
	Default  []NamedTemplate
	OnCreate []NamedTemplate
	OnUpdate []NamedTemplate
	OnRead   []NamedTemplate
	Unique   []UniqueSpec
	Hidden   []string
	Soft     bool // delete: soft
}

// A WithinSpec says which values of a member are in the caller's scope.
type WithinSpec struct {
	Member string
	Pos    Position
	Values []Text // the first is what a new record gets
}

// A UniqueSpec is one entry of a resource's unique.
type UniqueSpec struct {
	Pos   Position
	By    Text
	Among *Text
	Else  []FailureSpec
}

// A FailureSpec is a failure, or the name of one (then only Ref and Pos are
// set).
type FailureSpec struct {
	Ref     string
	Name    string // of those at the root; else "", and the example names it
	Pos     Position
	Status  int
	From    *ResponseSpec // the response, where it is not one of the operation's
	Example string
	Set     []SetSpec
	Body    *TemplateSpec
	Headers []NamedTemplate
	Basis   string
	Cite    string
}

// A WordingSpec is one entry of x-violations.
type WordingSpec struct {
	Key     string // keyword:limit, type:null, keyword or *
	Pos     Position
	Code    *TemplateSpec
	Message *TemplateSpec
}

// A QuotaSpec is one entry of x-quotas. Window is in milliseconds.
type QuotaSpec struct {
	Name    string
	Pos     Position
	By      Text
	Limit   Text
	Window  int64
	Headers []NamedTemplate
	Else    []FailureSpec
}

// An OperationSpec is one operation: what it documents and what it does.
type OperationSpec struct {
	ID         string
	Pos        Position
	Method     string
	Path       string
	Parameters map[string][]string // by location: the names that are documented
	OnInvalid  [][]FailureSpec     // of the parameters, in their order; nil for none
	Body       *BodySpec           // nil if it takes none
	Responses  []ResponseSpec
	Scopes     []string
	Challenge  string // WWW-Authenticate of its security scheme, "" for none
	Open       bool   // anonymous callers are let in
	Steps      []StepSpec
}

// A BodySpec is what an operation's request body may hold. Members is empty
// where its schema names none.
type BodySpec struct {
	Members   []BodyMember
	OnInvalid []FailureSpec
}

// A BodyMember is one property of a request body.
type BodyMember struct {
	Name     string
	Keep     string      // the name it is kept under
	Default  value.Value // Missing for none
	ReadOnly bool
}

// A ResponseSpec is a documented response.
type ResponseSpec struct {
	Status string // 404, 4XX or default
	Pos    Position
	Media  []MediaSpec
}

// A MediaSpec is one media type of a response.
type MediaSpec struct {
	Type     string
	Examples []ExampleSpec // the unnamed one has the name ""
}

// An ExampleSpec is one example of a response.
type ExampleSpec struct {
	Name  string
	Pos   Position
	Value value.Value
}

// StepKind is the word that a step begins with.
type StepKind string

// The steps of the language.
const (
	Find   StepKind = "find"
	List   StepKind = "list"
	Let    StepKind = "let"
	Refuse StepKind = "refuse"
	Create StepKind = "create"
	Update StepKind = "update"
	Delete StepKind = "delete"
	Clear  StepKind = "clear"
	After  StepKind = "after"
	Check  StepKind = "check"
	Reply  StepKind = "reply"
	OneOf  StepKind = "one-of"
)

// A StepSpec is one step. Which fields count depends on Kind.
type StepSpec struct {
	Kind  StepKind
	Pos   Position
	Rule  string
	Basis string
	Cite  string

	Target   string // the word behind Kind: a resource or a bound name
	As       string
	ID       *Text
	Where    *Text
	When     *Text
	Be       *Text
	From     *Text // also update's with
	Count    *Text
	Times    *Text
	Delay    int64 // of after: milliseconds …
	DelayBy  *Text // … or an expression for them
	Filter   []FilterSpec
	Sort     *SortSpec
	Page     *PageSpec
	Only     []string
	Replace  bool
	Set      []SetSpec
	Else     []FailureSpec // of find, and what refuse says
	Status   int           // of reply
	Example  string
	Body     *TemplateSpec
	Media    string
	Headers  []NamedTemplate
	Steps    []StepSpec
	Branches [][]StepSpec
}

// A FilterSpec is a condition that applies when On was sent.
type FilterSpec struct {
	On, Where Text
}

// A SortSpec is an order of a list: Default, or what the request asks for.
type SortSpec struct {
	Pos        Position
	Default    []string // member names, with - in front for descending
	By         *Text
	Among      []string
	Descending *Text
}

// A PageSpec says which page a request asks for: by number and size or by
// offset and limit.
type PageSpec struct {
	Pos           Position
	Number, Size  *Text
	Offset, Limit *Text
	Else          []FailureSpec
}
