package infer

import (
	"slices"
	"strings"
	"unicode"
)

// words cuts a name into lower-case words: listPetsByID, list-pets_by.id.
func words(name string) []string {
	var out []string
	rs := []rune(name)
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(rs[start:end])))
		}
	}
	for i, r := range rs {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush(i)
			start = i + 1
		case unicode.IsUpper(r) && i > start && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]) && rs[i+1] != 's'):
			flush(i)
			start = i
		}
	}
	flush(len(rs))
	return out
}

// plain is a name without case and separators, to compare names.
func plain(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func pascal(ws []string) string {
	var b strings.Builder
	for _, w := range ws {
		for i, r := range w {
			switch {
			case i == 0:
				b.WriteRune(unicode.ToUpper(r))
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

var irregular = map[string]string{
	"people": "person", "children": "child", "men": "man", "women": "woman", "media": "media", "data": "data", "indices": "index",
	"vertices": "vertex", "matrices": "matrix", "criteria": "criterion", "analyses": "analysis", "statuses": "status", "aliases": "alias",
	"series": "series", "news": "news", "movies": "movie", "cookies": "cookie", "quizzes": "quiz", "buses": "bus", "leaves": "leave", "viruses": "virus",
	"addresses": "address", "processes": "process", "caches": "cache", "axes": "axis", "knives": "knife", "shelves": "shelf", "halves": "half", "wolves": "wolf", "lives": "life", "species": "species",
	"canvases": "canvas", "atlases": "atlas", "bonuses": "bonus", "campuses": "campus", "databases": "database", "heroes": "hero", "houses": "house",
}

// notPlural are words that end like plurals.
var notPlural = set("status", "news", "address", "process", "access", "progress", "analysis", "alias", "business", "class", "canvas", "bus", "series", "dns", "tls",
	"https", "sms", "gas", "always", "basis", "bonus", "campus", "virus", "atlas", "species", "address", "success", "gps", "ios", "os", "css", "us", "is", "has", "as",
	"this", "pass", "loss", "press", "focus", "census", "corpus", "emphasis", "diagnosis", "axis", "lens", "chaos", "compass", "bypass")

func set(list ...string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, w := range list {
		m[w] = true
	}
	return m
}

// plural is whether a word means several.
func plural(w string) bool {
	if _, ok := irregular[w]; ok {
		return w != "news"
	}
	return len(w) > 2 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !notPlural[w]
}

func singular(w string) string {
	if s, ok := irregular[w]; ok {
		return s
	}
	if !plural(w) {
		return w
	}
	switch {
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case hasSuffix(w, "sses", "shes", "ches", "xes", "zzes"):
		return w[:len(w)-2]
	}
	return w[:len(w)-1]
}

func hasSuffix(s string, list ...string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.HasSuffix(s, x) })
}

// manyWords is whether a name means several: its last word does.
func manyWords(ws []string) bool { return len(ws) > 0 && plural(ws[len(ws)-1]) }

// resourceName is the name of one of what a path calls by ws.
func resourceName(ws []string) string {
	if len(ws) == 0 {
		return ""
	}
	ws = slices.Clone(ws)
	ws[len(ws)-1] = singular(ws[len(ws)-1])
	return pascal(ws)
}

// crud are the verbs that mean one of the actions.
var crud = map[string]Action{
	"list": List, "index": List, "browse": List,
	"get": Read, "read": Read, "fetch": Read, "show": Read, "retrieve": Read, "describe": Read, "info": Read, "view": Read, "load": Read,
	"create": Create, "add": Create, "new": Create, "insert": Create, "register": Create, "upload": Create, "make": Create,
	"update": Update, "edit": Update, "modify": Update, "patch": Update, "change": Update, "partial": Update, "upsert": Update, "save": Update,
	"replace": Replace,
	"delete":  Delete, "remove": Delete, "destroy": Delete, "del": Delete,
	"search": Search, "query": Search, "find": Search, "lookup": Search, "filter": Search,
}

// strong are those of crud that begin no noun.
var strong = set("list", "get", "fetch", "retrieve", "describe", "create", "add", "insert", "update", "edit", "modify", "replace", "delete", "remove", "destroy", "search", "query", "find", "lookup", "upsert")

// verbs do something to a record that already exists.
var verbs = set("accept", "acknowledge", "activate", "apply", "approve", "archive", "assign", "attach", "authorize", "back", "ban", "block", "boot", "build", "cancel", "capture", "check",
	"checkin", "checkout", "claim", "clear", "clone", "close", "commit", "compare", "complete", "compress", "confirm", "connect", "convert", "copy", "deactivate", "debit", "decline", "deliver",
	"deploy", "detach", "disable", "disconnect", "dismiss", "dispatch", "download", "duplicate", "enable", "escalate", "evaluate", "execute", "expire", "export", "extend", "fail",
	"finalize", "finish", "flag", "follow", "fork", "forward", "freeze", "fulfill", "generate", "grant", "hide", "hold", "import", "increment", "install", "invalidate", "invite", "invoke", "join", "kick",
	"kill", "leave", "like", "link", "lock", "login", "logout", "mark", "match", "merge", "migrate", "move", "mute", "notify", "open", "pause", "pay", "pin", "ping", "play", "post", "poll", "preview", "print", "process", "promote",
	"provision", "publish", "purge", "reactivate", "reauthorize", "reboot", "rebuild", "recalculate", "receive", "reconcile", "record", "recover", "redeem", "refresh", "refund", "regenerate", "reject", "release", "reload", "rename", "renew",
	"reopen", "reorder", "repeat", "replay", "reply", "report", "request", "rerequest", "rerun", "resend", "reset", "resize", "resolve", "restart", "restore", "resume", "retry", "return", "reverse", "revert", "revoke", "rollback", "rotate", "run",
	"scale", "schedule", "send", "set", "share", "ship", "shutdown", "sign", "simulate", "skip", "snooze", "split", "stage", "star", "start", "stop", "submit", "subscribe", "succeed", "suspend", "swap", "sync", "synchronize", "tag", "terminate", "test", "toggle",
	"track", "transfer", "transition", "translate", "transmit", "trigger", "unarchive", "unassign", "unban", "unblock", "undelete", "undo", "unfollow", "unfreeze", "unhide", "uninstall", "unlink", "unlock", "unmute", "unpin", "unpublish", "unschedule", "unshare", "unstar", "unsubscribe", "upgrade",
	"validate", "verify", "void", "vote", "wait", "wake", "watch", "withdraw", "bookmark", "favorite", "favourite", "rate", "review", "analyze", "batch", "bulk", "charge", "cleanup", "defer", "discard", "drain", "enroll", "exit", "emit", "expand", "finalise", "flush", "give", "impersonate",
	"initiate", "introspect", "mint", "negotiate", "override", "quit", "reindex", "rebase", "rescan", "respond", "scan", "settle", "switch", "tokenize", "touch", "unbind", "bind", "unset", "unlike", "unregister", "confirmed", "upload", "register", "advance", "present", "collect", "fund", "recalc", "calculate", "compute", "estimate", "render", "signal")

// verbLike is whether a word is a verb, by the list or by its ending.
func verbLike(w string) bool {
	return verbs[w] || len(w) > 5 && hasSuffix(w, "ify", "ize", "ise") || len(w) > 6 && strings.HasPrefix(w, "un") && verbs[w[2:]] || len(w) > 6 && strings.HasPrefix(w, "re") && verbs[w[2:]]
}

// small are words that say nothing of what a thing is.
var small = set("by", "with", "for", "all", "of", "to", "from", "in", "on", "the", "a", "an", "and", "at", "using", "batch", "bulk", "multiple", "many", "my", "one", "single")

// asks are names of things that are computed, not kept.
var asks = set("health", "healthz", "healthcheck", "ping", "version", "versions", "ready", "readyz", "live", "livez", "metrics", "openapi", "swagger", "docs", "count", "login", "logout", "token", "authorize",
	"signin", "signout", "signup", "oauth", "introspect", "echo", "heartbeat", "count", "whoami", "stats", "statistics", "autocomplete", "suggest", "suggestions", "validate", "preview", "export", "download", "graphql", "batch")

// self are names of the record that is the caller's own.
var self = set("me", "self", "current", "myself", "@me", "whoami")

// participles are how a state may be called that a verb leads to, the likeliest
// first.
func participles(verb string) []string {
	var out []string
	if list, ok := states[verb]; ok {
		out = append(out, list...)
	}
	n := len(verb)
	if n < 2 {
		return out
	}
	switch {
	case strings.HasSuffix(verb, "e"):
		out = append(out, verb+"d")
	case strings.HasSuffix(verb, "y") && !strings.ContainsRune("aeiou", rune(verb[n-2])):
		out = append(out, verb[:n-1]+"ied")
	default:
		out = append(out, verb+"ed", verb+verb[n-1:]+"ed")
	}
	return append(out, verb)
}

// states are the irregular ones, and where the state is another word.
var states = map[string][]string{
	"pay": {"paid"}, "send": {"sent"}, "hold": {"held", "on_hold"}, "freeze": {"frozen"}, "unfreeze": {"active"}, "hide": {"hidden"}, "withdraw": {"withdrawn"}, "build": {"built"},
	"begin": {"begun", "started"}, "give": {"given"}, "shut": {"shut"}, "run": {"running", "run"}, "start": {"started", "running", "in_progress", "active"}, "stop": {"stopped"},
	"pause": {"paused"}, "resume": {"resumed", "active", "running", "in_progress", "open"}, "unpause": {"active", "running"}, "activate": {"active", "activated", "enabled"},
	"deactivate": {"inactive", "deactivated", "disabled"}, "enable": {"enabled", "active"}, "disable": {"disabled", "inactive"}, "open": {"open", "opened"}, "reopen": {"reopened", "open"},
	"complete": {"completed", "complete", "done"}, "finish": {"finished", "completed", "done"}, "cancel": {"canceled", "cancelled"}, "capture": {"captured", "succeeded"}, "confirm": {"confirmed", "succeeded"},
	"void": {"voided", "void"}, "suspend": {"suspended"}, "unsuspend": {"active"}, "reactivate": {"active", "reactivated"}, "restore": {"restored", "active"}, "unarchive": {"unarchived", "active", "open"},
	"accept": {"accepted"}, "ship": {"shipped"}, "submit": {"submitted"}, "resolve": {"resolved", "closed"}, "merge": {"merged"}, "lose": {"lost"}, "win": {"won"}, "publish": {"published"},
	"unpublish": {"unpublished", "draft"}, "finalize": {"finalized", "final", "open"}, "reject": {"rejected"}, "fulfill": {"fulfilled"}, "terminate": {"terminated"}, "unlock": {"unlocked"}, "checkout": {"checked_out"}, "checkin": {"checked_in"}, "process": {"processed", "processing", "in_progress"},
	"succeed": {"succeeded", "success"}, "fail": {"failed", "failure"}, "retry": {"retrying", "pending", "queued"}, "restart": {"running", "restarting"}, "schedule": {"scheduled"}, "revert": {"reverted"}, "return": {"returned"}, "block": {"blocked"}, "unblock": {"active", "unblocked"},
}

// opposite is the verb that a verb undoes: unlock, lock; disable, enable.
func opposite(verb string) string {
	switch verb {
	case "disable":
		return "enable"
	case "deactivate":
		return "activate"
	case "reopen":
		return "close"
	case "hide":
		return "show"
	case "restore", "undelete":
		return "delete"
	}
	if rest, ok := strings.CutPrefix(verb, "un"); ok && len(rest) > 2 {
		return rest
	}
	return ""
}
