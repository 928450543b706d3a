package contracttests

// A CheckKind is one kind of finding.
type CheckKind struct {
	Code   string // stable, in kebab case
	Title  string // the rule, in one line
	Source string // who says so
	Like   string // what others call it; "" where nobody has it
}

const (
	byRules    = "the document's x-behavior"
	byDocument = "OpenAPI 3.1, "
)

// Checks are all kinds of findings. Codes never change.
var Checks = []CheckKind{
	// What the document says of any answer.
	{"server-error", "No request makes the server fail: no answer is 5xx, unless such a status other than 500 is documented.", "RFC 9110, section 15.6", "Schemathesis not_a_server_error, RESTler's bug buckets of 500"},
	{"undocumented-status", "The status is one that the operation documents: itself, by its range (4XX) or by default.", byDocument + "Responses Object", "Schemathesis status_code_conformance"},
	{"content-type", "The media type of the answer is one of those that are documented for its status.", byDocument + "Response Object, content", "Schemathesis content_type_conformance"},
	{"response-headers", "The required headers are there, and all documented ones keep their schemas.", byDocument + "Header Object", "Schemathesis response_headers_conformance"},
	{"response-schema", "The body keeps the schema that is documented for its status and media type, and shows nothing that is writeOnly.", byDocument + "Media Type Object, schema", "Schemathesis response_schema_conformance"},
	{"malformed-answer", "The answer is HTTP, complete, and as long as it says; what is called JSON is JSON.", "RFC 9112, sections 4 to 8; RFC 8259", ""},
	{"body-without-content", "Answers to HEAD, and those with 204, 205 and 304, have no body, and nothing announces one.", "RFC 9110, sections 6.4.1, 8.6, 9.3.2, 15.3.5, 15.3.6 and 15.4.5", "WFC hygiene: 204 with a body"},
	{"no-www-authenticate", "Whoever is refused with 401 is told by WWW-Authenticate how to do better.", "RFC 9110, section 15.5.2", "WFC hygiene: 401 without WWW-Authenticate"},
	{"allow-header", "An answer 405 lists in Allow the methods that there are.", "RFC 9110, section 15.5.6", "Schemathesis allow_header_conformance"},
	{"bad-location", "Location is a URI, is there where a redirect needs it, stays on the server, and leads to what was created.", "RFC 9110, sections 10.2.2 and 15.3.2", "WFC hygiene: bad Location"},
	{"head-differs", "HEAD announces what GET sends: the same length and media type.", "RFC 9110, sections 8.6 (MUST NOT) and 9.3.2 (SHOULD)", ""},
	{"request-framing", "A body in chunks, or one that waits for 100 Continue, is read like any other, or refused with 411, 501 or 417.", "RFC 9112, section 7.1; RFC 9110, sections 10.1.1, 15.5.12 and 15.6.2", ""},
	{"keep-alive", "Behind a refusal the connection is in order, or closed: nothing of the refused call is taken for the next one.", "RFC 9112, sections 9.3 and 9.6", ""},
	{"content-coding", "What is called gzip is gzip, nobody gets a coding that was not asked for, and Vary says that it hangs on Accept-Encoding.", "RFC 9110, sections 8.4.1.3, 12.5.3 and 12.5.5", ""},
	{"conditional", "An ETag is one; a GET with a condition gets 304 or 200, and a write whose If-Match is false is not carried out, where 412 is documented.", "RFC 9110, sections 8.8.3, 13.1, 13.2.2 and 15.4.5", ""},
	{"retry-after", "A 429 says when to come again.", "RFC 6585, section 4; RFC 9110, section 10.2.3; the document's headers of 429", ""},
	{"rate-limit", "What is left of a rate limit falls with the calls, and does not rise within a window.", "the document's headers", ""},
	{"too-slow", "The answer comes in time.", "the limit that the user gives", "Schemathesis max_response_time"},

	// What the document says of requests.
	{"accepts-invalid", "A request that breaks the document is refused: its body, its parameters, its media type.", byDocument + "Schema Object; Parameter Object, required", "Schemathesis negative_data_rejection, missing_required_header"},
	{"refuses-valid", "A request that keeps the document and all rules is not refused.", byDocument + "Schema Object", "Schemathesis positive_data_acceptance"},
	{"undeclared-method", "A method that the path does not document is refused.", byDocument + "Path Item Object; RFC 9110, section 15.5.6", "Schemathesis unsupported_method"},
	{"ignored-auth", "A request without the credentials that the document demands is refused, and so is one with wrong credentials.", byDocument + "Security Requirement Object", "Schemathesis ignored_auth"},

	// What the rules say.
	{"rule-status", "The server answers with the status that the rule says.", byRules, ""},
	{"rule-body", "The body says what the rule says: the values that were sent, kept and chosen, and changed by no other call.", byRules, "WFC hygiene: failed update that changed something, repeated PUT that differs"},
	{"wording", "The server says the same as the rule, in the same words.", byRules, ""},
	{"use-after-delete", "What was deleted, or is another tenant's, or below another parent, is not found.", byRules, "Schemathesis use_after_free, RESTler UseAfterFree, NameSpaceRule and ResourceHierarchy"},
	{"lost-create", "What was created is there.", byRules, "Schemathesis ensure_resource_availability"},
	{"never-ends", "What goes on after an answer comes to its end.", byRules, "EvoMaster's and RESTler's polling of 202"},
	{"list-contents", "A list has the records that belong to it and no other, as they are, in its order; totals and pages agree.", byRules, "RESTler LeakageRule"},

	// What holds for calls at the same time.
	{race, "Calls at the same time are answered as if one came after the other.", "linearizability, Herlihy and Wing 1990", ""},
}
