package cmd

import (
	"math"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// check looks at the flags, and is the URL.
func (f *checkFlags) check() (*url.URL, error) {
	u, err := f.address()
	if err != nil {
		return nil, err
	}
	f.safe = f.safe || !loopback(u.Hostname())
	if err := f.numbers(); err != nil {
		return nil, err
	}
	switch {
	case f.reset != "" && f.reset != "none" && !strings.HasPrefix(f.reset, "/"):
		return nil, usagef("--reset %q: want a path that begins with /, or none", f.reset)
	case f.safe && f.reset != "" && f.reset != "none":
		return nil, usagef("--reset %s: puts back everything that is there, and the run is safe (%s is not this machine, or --safe): want one or the other", f.reset, u.Hostname())
	case f.update && f.baseline == "":
		return nil, usagef("--update-baseline: which file? want --baseline file, too")
	case f.lock != lockFile && !f.drift:
		return nil, usagef("--lock is for --against-mock; want both")
	case f.dryRun && (f.drift || f.update || f.cleanUp != ""):
		return nil, usagef("--dry-run sends nothing; want it without --against-mock, --update-baseline and --clean-up")
	}
	return u, nil
}

func (f *checkFlags) address() (*url.URL, error) {
	if f.url == "" {
		return nil, usagef("--url is missing; want one like http://127.0.0.1:4010")
	}
	u, err := url.Parse(f.url)
	if err == nil && u.User != nil {
		return nil, usagef("--url holds a user; want it without, and --credential instead")
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, usagef("--url %q: want a scheme, a host and perhaps a path, like http://127.0.0.1:4010/v1", f.url)
	}
	return u, nil
}

func (f *checkFlags) numbers() (err error) {
	switch {
	case f.walk < 0:
		return usagef("--walk %d: want 0 or more calls", f.walk)
	case f.timeout <= 0:
		return usagef("--timeout %v: want more than 0", f.timeout)
	case f.maxTime < 0:
		return usagef("--max-time %v: want 0 or more", f.maxTime)
	case f.rate < 0 || math.IsNaN(f.rate) || f.rate > 0 && f.rate < 0.001:
		return usagef("--rate %v: want 0, or at least 0.001", f.rate)
	case f.workers < 1 || f.workers > mostWorkers:
		return usagef("--workers %d: want 1 to %d", f.workers, mostWorkers)
	case f.workers > 1 && f.shard != "":
		return usagef("--workers %d: every worker has a shard already; want it without --shard", f.workers)
	}
	if f.most, f.longest, err = parseBudget(f.budget); err != nil {
		return err
	}
	f.part, f.parts, err = parseShard(f.shard)
	return err
}

// parseBudget reads "2000", "2000 requests", "30s", or both with a comma.
func parseBudget(text string) (requests int, d time.Duration, err error) {
	if text == "" {
		return 0, 0, nil
	}
	bad := usagef("--budget %q: want a number of requests, a duration, or both, like \"2000 requests,30s\"", text)
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(part, "s"), " request"))
		if n, err := strconv.Atoi(number); err == nil && (number == part || strings.Contains(part, " request")) {
			if n < 1 || requests != 0 {
				return 0, 0, bad
			}
			requests = n
			continue
		}
		if took, err := time.ParseDuration(part); err == nil && took > 0 && d == 0 {
			d = took
			continue
		}
		return 0, 0, bad
	}
	return requests, d, nil
}

// parseShard reads "2/5".
func parseShard(text string) (part, parts int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	a, b, two := strings.Cut(text, "/")
	part, err1 := strconv.Atoi(a)
	parts, err2 := strconv.Atoi(b)
	if !two || err1 != nil || err2 != nil || part < 1 || part > parts || parts > 10_000 {
		return 0, 0, usagef("--shard %q: want i/n, with i from 1 to n, like 2/5", text)
	}
	return part, parts, nil
}

// loopback is whether a host is this machine, whatever a resolver says.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// readSmall reads a file that was written by hand or by this program. missing is
// whether there is none.
func readSmall(flag, file string) (data []byte, missing bool, err error) {
	data, err = os.ReadFile(file)
	switch {
	case os.IsNotExist(err):
		return nil, true, usagef("%s %s: there is no such file", flag, file)
	case err != nil:
		return nil, false, usagef("%s: %w", flag, err)
	case len(data) > mostDocument:
		return nil, false, usagef("%s %s: is larger than %d MiB", flag, file, mostDocument>>20)
	}
	return data, false, nil
}

// writeWhole puts a file in the place of an old one, whole or not at all.
func writeWhole(file string, data []byte) error {
	temporary := file + ".new"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}
