package cmd

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/openapi"
)

// lockFile is where --against-mock keeps its comparison unless told otherwise.
const lockFile = "understudy.lock.yaml"

// kept is what earlier runs have left: a baseline, and a lock. Both may be nil.
type kept struct {
	baseline *contracttests.Baseline
	gone     []contracttests.KnownFinding
	lock     *contracttests.Lock
}

// keep reads the files of earlier runs, before the server is called.
func (f *checkFlags) keep(api string) (*kept, error) {
	k := &kept{}
	if f.baseline != "" {
		data, missing, err := readSmall("--baseline", f.baseline)
		switch {
		case missing && f.update:
		case missing:
			return nil, usagef("%w; --update-baseline makes one", err)
		case err != nil:
			return nil, err
		default:
			if k.baseline, err = contracttests.ParseBaseline(f.baseline, data); err != nil {
				return nil, usageError{err}
			}
			if k.baseline.API != "" && k.baseline.API != api {
				return nil, usagef("--baseline %s: is of %s; want one of %s", f.baseline, k.baseline.API, api)
			}
		}
	}
	if f.drift {
		data, missing, err := readSmall("--lock", f.lock)
		if err != nil && !missing {
			return nil, err
		}
		if !missing {
			if k.lock, err = contracttests.ParseLock(f.lock, data); err != nil {
				return nil, usageError{err}
			}
			if k.lock.API != api {
				return nil, usagef("--lock %s: is of %s; want one of %s", f.lock, k.lock.API, api)
			}
		}
	}
	return k, nil
}

// known marks what the baseline knows, and notes what it knows in vain.
func (k *kept) known(r *contracttests.Result) {
	if k.baseline == nil {
		return
	}
	k.gone = k.baseline.Apply(r)
	for _, g := range k.gone {
		r.Notes = append(r.Notes, "the baseline knows a finding that was not seen again: "+g.Key)
	}
}

// updateBaseline writes the findings of a run into the baseline. They are known then.
func (f *checkFlags) updateBaseline(k *kept, r *contracttests.Result, stderr io.Writer) error {
	if !f.update {
		return nil
	}
	// What was not looked for may still be there.
	all := !r.Incomplete && len(f.only)+len(f.exclude) == 0 && f.parts == 0
	b := k.baseline.Update(r, all)
	b.Apply(r)
	if err := writeWhole(f.baseline, b.Encode(strings.EqualFold(filepath.Ext(f.baseline), ".json"))); err != nil {
		return usagef("--update-baseline: %w", err)
	}
	fmt.Fprintf(stderr, "%s has %s now\n", f.baseline, plural(len(b.Known), "known finding"))
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// compare says how the rules and the server compare, and keeps it.
func (f *checkFlags) compare(name string, config contracttests.Config, r *contracttests.Result, k *kept, outputs []output, stdout io.Writer) error {
	if !f.drift {
		return nil
	}
	basis := map[string]string{}
	for _, p := range config.API.Paths {
		for _, op := range p.Operations {
			for _, rule := range op.Rules() {
				// Of several places the one that is known best.
				if basis[rule.ID] == "" || rule.Basis == "stated" {
					basis[rule.ID] = rule.Basis
				}
			}
		}
	}
	var hide []string
	for _, list := range config.Credentials {
		for _, s := range list {
			hide = append(hide, s)
		}
	}
	lock := contracttests.NewLock(config.API.Version, r, func(rule string) string { return basis[rule] }, k.lock, hide...)
	if err := writeWhole(f.lock, lock.Encode()); err != nil {
		return usagef("--lock: %w", err)
	}
	if !textOnStdout(outputs) {
		return nil
	}
	src, err := source(name, f.overlays)
	if err != nil {
		return usageError{err}
	}
	pins, err := contracttests.Pins(src, config.API, r)
	if err != nil {
		return usageError{err}
	}
	_, err = io.WriteString(stdout, drift(lock, k.lock, pins, f.lock))
	return err
}

// source is the text of a document that a command line names.
func source(arg string, overlays []string) (s openapi.Source, err error) {
	d, err := parseDocument(arg)
	if err != nil {
		return s, err
	}
	if s = (openapi.Source{Name: d.name, File: d.file}); d.file == "" {
		s, err = openapi.BuiltinSource(d.name)
	} else {
		s.Data, err = readDocument(d.file)
	}
	for _, file := range overlays {
		if err == nil {
			var data []byte
			data, err = readDocument(file)
			s.Overlays = append(s.Overlays, openapi.Source{File: file, Data: data})
		}
	}
	return s, err
}

// drift is the comparison as text: the table, what has changed, and what would make
// the document agree.
func drift(now, before *contracttests.Lock, pins []contracttests.Pin, file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nrules compared with the server on %s: %d confirmed, %d contradicted, %d not exercised (%s)\n", now.Checked,
		now.Count(contracttests.Confirmed), now.Count(contracttests.Contradicted), now.Count(contracttests.NotExercised), file)
	width := 0
	for _, r := range now.Rules {
		width = max(width, len(r.Rule))
	}
	for _, r := range now.Rules {
		fmt.Fprintf(&b, "  %-*s  %-13s  since %s", width, r.Rule, r.State, r.Since)
		if r.State == contracttests.Contradicted {
			fmt.Fprintf(&b, "  want %s, got %s", plain(r.Expected), plain(r.Got))
		}
		b.WriteByte('\n')
	}
	if before != nil {
		changes := now.Changes(before)
		fmt.Fprintf(&b, "\nsince %s: ", before.Checked)
		if len(changes) == 0 {
			b.WriteString("nothing has changed\n")
		} else {
			b.WriteByte('\n')
			for _, c := range changes {
				fmt.Fprintf(&b, "  %s\n", plain(c))
			}
		}
	}
	for _, p := range pins {
		f := p.Finding
		if p.Not == "" {
			continue
		}
		how := "cannot be pinned"
		if p.Expressed() {
			how = "can be pinned"
		}
		fmt.Fprintf(&b, "\n%v: %s %s: %s\n  the server answered %s\n", f.Pos, f.Rule, how, p.Not, plain(p.Seen))
	}
	if overlay := contracttests.Overlay("What understudy check has seen", pins); overlay != nil {
		b.WriteString("\nThis overlay makes the document say what the server did; judge whether it should.\n\n")
		b.Write(overlay)
	}
	return b.String()
}
