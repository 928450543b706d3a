package contracttests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/understudy-dev/understudy/behavior"
)

// habits are differences from the rules that a server shows when calls come one after
// the other: they have another cause than calls at the same time, and are told
// elsewhere. nil and empty mean none.
type habits map[string]bool

func habit(rule *behavior.Rule, what string) string {
	name := ""
	if rule != nil {
		name = rule.ID
	}
	parts := strings.Split(what, ".")
	for i, p := range parts {
		if strings.Trim(p, "0123456789") == "" {
			parts[i] = "#" // whichever element it is
		}
	}
	return name + " " + strings.Join(parts, ".")
}

func otherStatus(status int) string { return fmt.Sprint("status ", status) }

// excuse takes from a way what the server does out of habit.
func (h habits) excuse(w *way, status int) {
	if len(h) == 0 {
		return
	}
	if !w.status && h[habit(w.out.Rule, otherStatus(status))] {
		w.status = true
	}
	kept := w.found[:0]
	for _, d := range w.found {
		if d.wording || !h[habit(w.out.Rule, d.at)] {
			kept = append(kept, d)
		}
	}
	w.found = kept
}

// note takes down what the closest way does not explain. It is false where the server
// does something else than what the rules say, not the same in another way.
func (h habits) note(states []*situation, e *event) bool {
	var closest *way
	for _, s := range states {
		if s.judge == nil {
			continue
		}
		_, w, all := s.judge.ways(s.judge.pictures[0], e.a, &e.x)
		if !all {
			return false
		}
		if w != nil && w.closer(closest) {
			closest = w
		}
	}
	if closest == nil {
		return false
	}
	if got := e.x.Response.Status; !closest.status {
		if closest.out.Status/100 != got/100 || got >= 500 {
			return false
		}
		h[habit(closest.out.Rule, otherStatus(got))] = true
	}
	for _, d := range closest.found {
		if !d.wording {
			h[habit(closest.out.Rule, d.at)] = true
		}
	}
	return true
}

// mostHabits bounds how often one answer is looked at again.
const mostHabits = 3

// alone are the situations behind an event that came alone. Where its answer is not
// permitted, but of the kind that is, that is a habit from then on; there is none where
// it is not.
func (h habits) alone(states []*situation, e *event) []*situation {
	for range mostHabits {
		if next := following(states, e); len(next) > 0 {
			return next
		}
		if !h.note(states, e) {
			return nil
		}
	}
	return following(states, e)
}

// following are the situations behind an event.
func following(states []*situation, e *event) (next []*situation) {
	for _, s := range states {
		for _, n := range s.after(e) {
			if len(next) < mostPictures && !slices.ContainsFunc(next, n.same) {
				next = append(next, n)
			}
		}
	}
	return next
}

// follow goes through calls that were made one after the other. There are no situations
// at the end if the answers are not as the rules say, but for habits.
func (h habits) follow(calls *history) []*situation {
	events := slices.Clone(calls.events)
	slices.SortStableFunc(events, func(a, b *event) int { return cmp.Compare(a.from, b.from) })
	states := calls.start
	for _, e := range events {
		if states = h.alone(states, e); len(states) == 0 {
			return nil
		}
	}
	return states
}
