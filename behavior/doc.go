// Package behavior says what an API operation does, without saying how it is
// served or tested.
//
// A [Plan] is compiled once (package openapi reads the [Spec] from a document)
// and never changes after that. [Plan.Step] answers one question: given this
// state and this request, which reply is correct and what is written? Two
// readers ask it:
//
//   - the mock server, through a [World], which makes the choices that are the
//     server's from its clock and its seed, keeps the writes and sends the reply;
//   - the contract suite, which lets every choice be a hole, compares the reply
//     with what a real server sent, and reads the holes from there.
//
// The language is described in docs/behavior.md. The package does no I/O and
// knows neither HTTP nor YAML, so a rule can be tested with a few structs.
package behavior
