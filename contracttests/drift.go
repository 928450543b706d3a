package contracttests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-dev/understudy/openapi/tree"
)

// A Lock says how the rules of a document and a server compared when they were
// checked last. It is kept in a file beside the document (understudy.lock.yaml), and
// holds no secrets, no ids and no addresses.
type Lock struct {
	API     string
	Version string // of the document
	Seed    uint64
	Checked string // the day of the run in UTC, 2006-01-02
	Rules   []LockedRule
}

// A RuleState is how a rule compares with a server.
type RuleState string

// The states. A rule that has decided an answer and was not contradicted is confirmed.
const (
	Confirmed    RuleState = "confirmed"
	Contradicted RuleState = "contradicted"
	NotExercised RuleState = "not exercised"
)

// A LockedRule is one rule in a lock.
type LockedRule struct {
	Rule     string // operationId.name
	Basis    string
	State    RuleState
	Since    string // the day on which it was first found so, 2006-01-02
	Expected string // where it is contradicted: what the rule says,
	Got      string // and what the server answers
	Why      string // where it is not exercised
}

const day = "2006-01-02"

// NewLock compares the rules of a document with what a run has found. before is
// the lock of an earlier run, from which days are taken for what has not changed; it
// may be nil. secrets are texts that must not stand in the lock.
func NewLock(version string, r *Result, basis func(rule string) string, before *Lock, secrets ...string) *Lock {
	l := &Lock{API: r.API, Version: version, Seed: r.Seed, Checked: r.Began.UTC().Format(day)}
	scrub := scrubber(secrets)
	at := map[string]int{}
	for _, c := range r.Coverage.Rules {
		i, ok := at[c.Name]
		if !ok {
			i = len(l.Rules)
			at[c.Name] = i
			l.Rules = append(l.Rules, LockedRule{Rule: c.Name, Basis: basis(c.Name), State: NotExercised, Why: scrub(c.Why)})
		}
		if c.Times > 0 {
			l.Rules[i].State, l.Rules[i].Why = Confirmed, ""
		}
	}
	for k := range r.Findings {
		f := &r.Findings[k]
		i, ok := at[f.Rule]
		if !ok || f.Code == "too-slow" || l.Rules[i].State == Contradicted {
			continue
		}
		l.Rules[i] = LockedRule{Rule: f.Rule, Basis: l.Rules[i].Basis, State: Contradicted, Expected: scrub(f.Expected), Got: scrub(f.Got)}
	}
	for i := range l.Rules {
		n := &l.Rules[i]
		n.Since = l.Checked
		if old := before.rule(n.Rule); old != nil && old.State == n.State && old.Expected == n.Expected && old.Got == n.Got && old.Since != "" {
			n.Since = old.Since
		}
	}
	return l
}

func (l *Lock) rule(name string) *LockedRule {
	if l == nil {
		return nil
	}
	for i := range l.Rules {
		if l.Rules[i].Rule == name {
			return &l.Rules[i]
		}
	}
	return nil
}

var (
	aTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d[0-9:.]*(Z|[+-]\d\d:?\d\d)?`)
	aWord = regexp.MustCompile(`[A-Za-z0-9_+/=.:-]{6,}`)
	anURL = regexp.MustCompile(`https?://[^\s"'<>,]+`)
)

// mostLocked is how much of an answer a lock holds, in characters.
const mostLocked = 200

// scrubber takes out of a text what differs from run to run, or must not be kept:
// secrets, addresses, times, and words with several digits, which are ids.
func scrubber(secrets []string) func(string) string {
	var pairs []string
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, s := range secrets {
		if len(s) >= 4 {
			pairs = append(pairs, s, "…")
		}
	}
	hide := strings.NewReplacer(pairs...)
	return func(s string) string {
		s = hide.Replace(strings.ToValidUTF8(s, "\uFFFD"))
		s = anURL.ReplaceAllString(s, "<address>")
		s = aTime.ReplaceAllString(s, "<time>")
		s = aWord.ReplaceAllStringFunc(s, func(w string) string {
			digits := 0
			for _, r := range w {
				if r >= '0' && r <= '9' {
					digits++
				}
			}
			_, err := strconv.ParseFloat(w, 64)
			if digits >= 2 && (err != nil || len(w) > 8) {
				return "<id>"
			}
			return w
		})
		if r := []rune(s); len(r) > mostLocked {
			s = string(r[:mostLocked]) + "…"
		}
		return s
	}
}

// lockVersion is the only one that there is.
const lockVersion = "1"

// ParseLock reads a lock, strictly. Errors begin with file:line:column.
func ParseLock(file string, data []byte) (*Lock, error) {
	f, err := tree.Parse(file, data)
	if err != nil {
		return nil, err
	}
	if err := f.Keys(f.Root, "a lock", "version", "api", "document", "seed", "checked", "rules"); err != nil {
		return nil, err
	}
	if v := tree.Text(f.Root, "version"); v != lockVersion {
		at := tree.Get(f.Root, "version")
		if at == nil {
			at = f.Root
		}
		return nil, f.Errorf(at, "the version of the lock is %q; want %s", v, lockVersion)
	}
	l := &Lock{API: tree.Text(f.Root, "api"), Version: tree.Text(f.Root, "document"), Checked: tree.Text(f.Root, "checked")}
	if at := tree.Get(f.Root, "seed"); at != nil {
		if l.Seed, err = strconv.ParseUint(tree.Text(f.Root, "seed"), 10, 64); err != nil {
			return nil, f.Errorf(at, "the seed is no number")
		}
	}
	list := tree.Get(f.Root, "rules")
	if list != nil && tree.Kind(list) != "a list" {
		return nil, f.Errorf(list, "rules is %s; want a list", tree.Kind(list))
	}
	seen := map[string]bool{}
	for _, n := range tree.Items(list) {
		if err := f.Keys(n, "a rule", "rule", "basis", "state", "since", "expected", "got", "why"); err != nil {
			return nil, err
		}
		r := LockedRule{
			Rule: tree.Text(n, "rule"), Basis: tree.Text(n, "basis"), State: RuleState(tree.Text(n, "state")), Since: tree.Text(n, "since"),
			Expected: tree.Text(n, "expected"), Got: tree.Text(n, "got"), Why: tree.Text(n, "why"),
		}
		switch {
		case r.Rule == "":
			return nil, f.Errorf(n, "a rule has no name; want rule: operationId.name")
		case r.State != Confirmed && r.State != Contradicted && r.State != NotExercised:
			return nil, f.Errorf(n, "the state of %s is %q; want confirmed, contradicted or not exercised", r.Rule, r.State)
		case r.Since != "":
			if _, err := time.Parse(day, r.Since); err != nil {
				return nil, f.Errorf(tree.Get(n, "since"), "%q is no day; want one like 2026-04-04", r.Since)
			}
		}
		if seen[r.Rule] {
			return nil, f.Errorf(n, "the rule %s is listed twice", r.Rule)
		}
		seen[r.Rule] = true
		l.Rules = append(l.Rules, r)
	}
	return l, nil
}

// Encode writes the lock as YAML, in the order of the document. Equal locks have
// equal texts.
func (l *Lock) Encode() []byte {
	var b strings.Builder
	b.WriteString("# How the rules of the document and the server compared; `understudy check --against-mock` writes it.\n")
	fmt.Fprintf(&b, "version: %s\napi: %s\ndocument: %s\nseed: %d\nchecked: %s\n", lockVersion, quoted(l.API), quoted(l.Version), l.Seed, quoted(l.Checked))
	if len(l.Rules) == 0 {
		b.WriteString("rules: []\n")
		return []byte(b.String())
	}
	b.WriteString("rules:\n")
	for _, r := range l.Rules {
		fmt.Fprintf(&b, "  - rule: %s\n    basis: %s\n    state: %s\n    since: %s\n", quoted(r.Rule), r.Basis, r.State, quoted(r.Since))
		if r.State == Contradicted {
			fmt.Fprintf(&b, "    expected: %s\n    got: %s\n", quoted(r.Expected), quoted(r.Got))
		}
		if r.State == NotExercised && r.Why != "" {
			fmt.Fprintf(&b, "    why: %s\n", quoted(r.Why))
		}
	}
	return []byte(b.String())
}

// Count is how many rules are in a state.
func (l *Lock) Count(s RuleState) (n int) {
	for _, r := range l.Rules {
		if r.State == s {
			n++
		}
	}
	return n
}

// Changes are what is otherwise than in an earlier lock, a sentence each, in the order
// of the rules; none if before is nil.
func (l *Lock) Changes(before *Lock) (out []string) {
	if before == nil {
		return nil
	}
	if before.Version != l.Version {
		out = append(out, fmt.Sprintf("the document was version %s and is %s", cmp.Or(before.Version, "unknown"), cmp.Or(l.Version, "unknown")))
	}
	for i := range l.Rules {
		n := &l.Rules[i]
		switch old := before.rule(n.Rule); {
		case old == nil:
			out = append(out, fmt.Sprintf("%s is new, and %s", n.Rule, n.State))
		case old.State != n.State:
			s := fmt.Sprintf("%s was %s since %s and is %s", n.Rule, old.State, cmp.Or(old.Since, "an unknown day"), n.State)
			if n.State == Contradicted {
				s += fmt.Sprintf(": want %s, got %s", n.Expected, n.Got)
			}
			out = append(out, s)
		case n.State == Contradicted && (old.Got != n.Got || old.Expected != n.Expected):
			out = append(out, fmt.Sprintf("%s is contradicted otherwise: want %s, got %s; before: want %s, got %s", n.Rule, n.Expected, n.Got, old.Expected, old.Got))
		}
	}
	for _, old := range before.Rules {
		if l.rule(old.Rule) == nil {
			out = append(out, fmt.Sprintf("%s, which was %s, is gone from the document", old.Rule, old.State))
		}
	}
	return out
}
