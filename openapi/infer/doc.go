// Package infer works out what the operations of a document do where nobody has
// said it: from paths, methods, parameters and schemas alone.
//
// [Classify] names, for each operation, the resource that it is about and what
// it does with it. [Infer] says the same in the language of docs/behavior.md and
// writes it into the tree as an overlay would, so that the loader compiles it
// like anything that a person wrote; [Overlay] is that overlay as a text.
// Operations that have an x-behavior are left alone, and what cannot be told is
// left without one.
//
// The package knows English and the habits of HTTP APIs, but no vendor.
package infer

// An Action is what an operation does with its resource. Beside those below
// there is "action:" and a verb, such as action:cancel.
type Action string

// The actions.
const (
	List            Action = "list"
	Create          Action = "create"
	Read            Action = "read"
	Update          Action = "update"  // changes what was sent
	Replace         Action = "replace" // and drops what was not
	Delete          Action = "delete"
	DeleteMany      Action = "delete-many"
	Search          Action = "search" // a list by another path or method
	SingletonRead   Action = "singleton-read"
	SingletonUpdate Action = "singleton-update"
	Stateless       Action = "stateless"
)

// Act is the action of a verb: Act("cancel") is action:cancel.
func Act(verb string) Action { return Action("action:" + verb) }

// Verb is the verb of an action that has one, else "".
func (a Action) Verb() string {
	if len(a) > 7 && a[:7] == "action:" {
		return string(a[7:])
	}
	return ""
}

// An Operation is what was worked out about one operation.
type Operation struct {
	Method   string
	Path     string // as documented
	ID       string // operationId, "" for none
	Resource string // "" for stateless ones
	Action   Action

	// IDParam is the parameter that says which record is meant, and IDIn where
	// it is: path, query or body. Both are "" where no record is chosen.
	IDParam string
	IDIn    string

	Parents []Parent // the resources that the path goes through, outermost first

	// ListAt is the JSON Pointer of the list in the answer, where Listed; ""
	// is the answer itself.
	Listed bool
	ListAt string

	Confidence float64 // 0 to 1
	Reason     string  // in words, for people
	Stateful   bool    // Infer wrote an x-behavior for it; false from Classify
}

// A Parent is a resource that a path goes through, and the parameters that
// choose it there. It has no name where the path has none for it.
type Parent struct {
	Resource string
	Params   []string
}
