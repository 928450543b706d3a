package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-dev/understudy/contracttests"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

var extensions = map[string]string{"text": "txt", "json": "json", "junit": "xml", "html": "html", "sarif": "sarif", "har": "har"}

func written(t *testing.T, format string, r *contracttests.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(format, &b, r); err != nil {
		t.Fatalf("Write(%s): %v", format, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, run := range []struct {
		name   string
		result *contracttests.Result
	}{
		{"broken", brokenRun()}, {"known", knownRun()}, {"kept", keptRun()}, {"nothing", idleRun()}, {"hostile", hostileRun()},
	} {
		for _, format := range Formats {
			if (run.name != "broken" && run.name != "hostile") && format != "text" && format != "html" {
				continue
			}
			file := run.name + "." + extensions[format]
			t.Run(file, func(t *testing.T) { golden(t, file, written(t, format, run.result)) })
		}
	}
	t.Run("broken.color.txt", func(t *testing.T) {
		var b bytes.Buffer
		if err := Text(&b, brokenRun(), TextOptions{Color: true, Width: 60}); err != nil {
			t.Fatal(err)
		}
		golden(t, "broken.color.txt", b.String())
	})
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d: got\n%s\nwant\n%s\n(go test -update rewrites it)", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s: got %d lines, want %d", path, len(g), len(w))
}

func TestVerdict(t *testing.T) {
	observed := brokenRun()
	observed.Findings = observed.Findings[2:]
	for _, tt := range []struct {
		name   string
		result *contracttests.Result
		text   string // the first line, after the address
		page   string // the headline
	}{
		{"breaches and an observation", brokenRun(), "2 breaches, 1 observation; 412 requests in 1.3 s, seed 1", "The contract is broken"},
		{"an observation breaks nothing", observed, "no breaches, 1 observation; 412 requests in 1.3 s, seed 1", "The contract holds"},
		{"no findings", keptRun(), "no breaches; 412 requests in 1.3 s, seed 1", "The contract holds"},
		{"what is known breaks nothing", knownRun(), "no new breaches, 3 known; 412 requests in 1.3 s, seed 1", "The contract holds"},
		{"no requests prove nothing", idleRun(), "nothing was checked; 0 requests in less than 1 ms, seed 1", "Nothing was checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, _, _ := strings.Cut(written(t, "text", tt.result), "\n")
			if want := "shop at " + base + ": " + tt.text; first != want {
				t.Errorf("text begins with %q, want %q", first, want)
			}
			if got := written(t, "html", tt.result); !strings.Contains(got, "<h1>"+tt.page+"</h1>") {
				t.Errorf("the page has no headline %q", tt.page)
			}
		})
	}
}

func TestUnknownFormat(t *testing.T) {
	err := Write("pdf", io.Discard, idleRun())
	if want := `unknown report format "pdf"; want text, json, junit, html, sarif, har`; err == nil || err.Error() != want {
		t.Errorf("Write(pdf) = %v, want %s", err, want)
	}
}

// knownRun has the findings of brokenRun, all of them known.
func knownRun() *contracttests.Result {
	r := brokenRun()
	for i := range r.Findings {
		r.Findings[i].Known = true
	}
	return r
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	for _, format := range Formats {
		if err := Write(format, full{}, brokenRun()); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("Write(%s) to a full disk = %v, want disk full", format, err)
		}
	}
}

// TestHostile: whatever a server sends is shown and does nothing.
func TestHostile(t *testing.T) {
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			got := written(t, format, hostileRun())
			if !utf8.ValidString(got) {
				t.Error("is not UTF-8")
			}
			for i, r := range got {
				if r != '\n' && !unicode.IsPrint(r) && (r != '\t' || format != "html") {
					t.Fatalf("has %U raw, after %q", r, got[max(0, i-60):i])
				}
			}
			switch format {
			case "text":
				for line := range strings.SplitSeq(got, "\n") {
					if strings.HasPrefix(line, "specs/shop.yaml:1:1: forged") {
						t.Errorf("has a forged line %q", line)
					}
				}
			case "json", "sarif", "har":
				if !json.Valid([]byte(got)) {
					t.Error("is not JSON")
				}
				if strings.Contains(got, "<script") {
					t.Error("has markup that a page could run")
				}
			case "junit":
				tokens(t, got)
			case "html":
				for _, bad := range []string{"<script", "<img", "javascript:", "onerror=alert(2)>"} {
					if strings.Contains(strings.ReplaceAll(got, "“javascript:", ""), bad) {
						t.Errorf("has %q", bad)
					}
				}
			}
		})
	}
}

func tokens(t *testing.T, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("is not XML: %v", err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Error("has an element script")
		}
	}
}

// TestSelfContained: the page loads nothing and runs nothing.
func TestSelfContained(t *testing.T) {
	got := written(t, "html", brokenRun())
	for _, bad := range []string{"<script", "<link", "<img", "<iframe", "@import", "url(", " src="} {
		if strings.Contains(got, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	r := brokenRun()
	r.Findings[1].Drawing = []byte("<html><script>let a = \"<b>\"</script><SCRIPT src=x>b</SCRIPT><p>" + key)
	got = written(t, "html", r)
	// The hash of that script, and of the other; the frame is one that reaches nothing.
	for _, want := range []string{
		"; frame-src data:; script-src &#39;sha256-", `<iframe sandbox="allow-scripts" referrerpolicy="no-referrer" title="which calls overlapped" src="data:text/html;charset=utf-8;base64,`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page with a drawing has no %s", want)
		}
	}
	if strings.Contains(decodedBase64(got), key) || strings.Contains(got, "<script") {
		t.Error("the drawing shows a credential, or its script is in the page itself")
	}
	r = brokenRun()
	r.Findings[0].Cite = "https://docs.example/agents?a=1&b=2"
	if got := written(t, "html", r); !strings.Contains(got, `<a href="https://docs.example/agents?a=1&amp;b=2" rel="noreferrer">`) {
		t.Error("an address as cite is no link")
	}
}

// TestMasked sends credentials in every way and has the server repeat them in every
// place.
func TestMasked(t *testing.T) {
	for _, tt := range []struct {
		name    string
		send    func(x *contracttests.Exchange)
		secrets []string
	}{
		{"a bearer token", func(x *contracttests.Exchange) { x.Sent.Set("Authorization", "Bearer tok_verysecret_1") }, []string{"tok_verysecret_1"}},
		{"a password", func(x *contracttests.Exchange) {
			x.Sent.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("root:pass word&1")))
		}, []string{"pass word&1", "pass+word%261", base64.StdEncoding.EncodeToString([]byte("root:pass word&1"))}},
		{"a key with a space in it", func(x *contracttests.Exchange) { x.Sent.Set("X-Api-Key", "fst-h second-half") },
			[]string{"fst-h", "fst-h second-half"}},
		{"a key whose header is not spelled as usual", func(x *contracttests.Exchange) { x.Sent["x-api-key"] = []string{"abcdefghijkl"} },
			[]string{"abcdefghijkl"}},
		{"cookies, also a short one", func(x *contracttests.Exchange) { x.Sent.Set("Cookie", "a=s3cr3t; session=0123456789abc") },
			[]string{"s3cr3t", "0123456789abc"}},
		{"a parameter of the query", func(x *contracttests.Exchange) {
			x.Request.Target += "?page=2"
			x.URL += "?page=2&api_key=se%2Fcret%2Fkey%2F1"
		}, []string{"se%2Fcret%2Fkey%2F1", "se/cret/key/1"}},
		{"a short parameter of the query", func(x *contracttests.Exchange) { x.URL += "?k=zq7" }, []string{"zq7"}},
		{"a password in the address", func(x *contracttests.Exchange) { x.URL = "http://me:hunter2hunter2@127.0.0.1/agents" },
			[]string{"hunter2hunter2"}},
		{"a credential by name", func(x *contracttests.Exchange) {
			x.Request.Credentials = map[string]string{"key": "named_credential"}
		}, []string{"named_credential"}},
		{"a cookie that the server sets", func(x *contracttests.Exchange) {
			x.Response.Header.Set("Set-Cookie", "sid=fresh_session_id; HttpOnly")
		}, []string{"fresh_session_id"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := brokenRun()
			f := &r.Findings[0]
			x := sent("", "GET", "/agents", "", 200, "")
			x.Sent = http.Header{}
			tt.send(&x)
			for _, s := range tt.secrets {
				if len(s) < 8 {
					continue
				}
				quoted, _ := json.Marshal(map[string]string{"echo": "key " + s + " is wrong"})
				x.Response.Body = append(x.Response.Body, quoted...)
				x.Response.Body = append(x.Response.Body, "\xff"+s...)
				x.Response.Header.Add("X-Echo", s)
				x.Request.Body = append(x.Request.Body, s...)
				f.Title += s
				f.Got += s
				f.Expected += s
				f.Cite += s
				r.Notes = append(r.Notes, s)
				r.Coverage.Rules[2].Why += s
			}
			x.Err = errors.New("Get \"" + x.URL + "\": EOF")
			f.Steps = []contracttests.Exchange{x}
			f.Control = []contracttests.Exchange{x}
			r.Leftovers[0].ID = tt.secrets[len(tt.secrets)-1]
			if len(r.Leftovers[0].ID) < 8 {
				r.Leftovers[0].ID = "agent"
			}
			for _, format := range Formats {
				got := written(t, format, r)
				for _, s := range tt.secrets {
					if strings.Contains(got, s) || strings.Contains(decodedBase64(got), s) {
						t.Errorf("%s shows %q", format, s)
					}
				}
			}
			// What was given is not changed.
			if x.Sent == nil || !bytes.Equal(x.Response.Body, f.Steps[0].Response.Body) {
				t.Error("the exchange has changed")
			}
		})
	}
}

// decodedBase64 is whatever may be base64 in s.
func decodedBase64(s string) string {
	var out []byte
	for _, m := range regexp.MustCompile(`[A-Za-z0-9+/]{16,}=*`).FindAllString(s, -1) {
		if b, err := base64.StdEncoding.DecodeString(m); err == nil {
			out = append(out, b...)
		}
	}
	return string(out)
}

// TestHarmlessStays: masking takes away nothing else.
func TestHarmlessStays(t *testing.T) {
	r := brokenRun()
	x := &r.Findings[0].Steps[2]
	x.Request.Target += "?name=a%20b&page=2"
	x.URL += "?name=a+b&page=2"
	x.Request.Header = http.Header{"X-Request-Id": {"request-0001"}}
	x.Sent.Set("X-Request-Id", "request-0001")
	x.Sent.Set("Content-Length", "0")
	got := written(t, "har", r)
	for _, want := range []string{`"value": "request-0001"`, `?name=a+b\u0026page=2"`, `"value": "a b"`, `"value": "0"`, `"value": "Bearer …z789"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the HAR file has no %s", want)
		}
	}
}

// TestShell runs a command line with hostile words: what the shell makes of it is
// what was sent.
func TestShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	word := strings.ReplaceAll(evil, "\x00", "")
	text := command("printf %s '" + strings.ReplaceAll(word, "'", `'\''`) + "'")
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q has what cannot be seen", text)
	}
	c := exec.Command(bash, "-c", text)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	got, err := c.Output()
	if err != nil || string(got) != word {
		t.Errorf("bash -c %q prints %q (%v), want %q", text, got, err, word)
	}
}

func TestMaskURL(t *testing.T) {
	for _, tt := range []struct{ name, url, target, want string }{
		{"nothing to hide", "http://h/a?b=c", "/a?b=c", "http://h/a?b=c"},
		{"a parameter that was added", "http://h/a?b=c&key=0123456789", "/a?b=c", "http://h/a?b=c&key=…6789"},
		{"the only parameter", "http://h/a?key=0123456789", "/a", "http://h/a?key=…6789"},
		{"the same name with another value", "http://h/a?key=bad&key=0123456789#f", "/a?key=bad", "http://h/a?key=bad&key=…6789#f"},
		{"an empty value", "http://h/a?key=", "/a", "http://h/a?key="},
		{"a user without a password", "http://token12345@h/a", "/a", "http://…2345@h/a"},
		{"an @ in the path", "http://h/@a", "/@a", "http://h/@a"},
		{"no address at all", "%%%", "/", "%%%"},
		{"nothing", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := maskURL(tt.url, tt.target); got != tt.want {
				t.Errorf("maskURL(%q, %q) = %q, want %q", tt.url, tt.target, got, tt.want)
			}
		})
	}
}

// TestJUnitCounts: every operation and every rule is a case, once.
func TestJUnitCounts(t *testing.T) {
	r := brokenRun()
	two := r.Findings[0]
	two.Code, two.Title = "other", "Something else of the same rule"
	r.Findings = append(r.Findings, two)
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suite    struct {
			Cases []struct {
				Class    string   `xml:"classname,attr"`
				Name     string   `xml:"name,attr"`
				Failures []string `xml:"failure"`
				Out      string   `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(written(t, "junit", r)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 7 || got.Failures != 2 || got.Skipped != 2 || len(got.Suite.Cases) != 7 {
		t.Errorf("got %d tests, %d failures, %d skipped, %d cases; want 7, 2, 2, 7", got.Tests, got.Failures, got.Skipped, len(got.Suite.Cases))
	}
	for _, c := range got.Suite.Cases {
		switch c.Class + " " + c.Name {
		case "shop.getAgent agent-not-found":
			if len(c.Failures) != 1 || !strings.Contains(c.Failures[0], "A deleted agent") || !strings.Contains(c.Failures[0], "Something else") {
				t.Errorf("the failure of the rule is %q, want both findings in one", c.Failures)
			}
		case "shop.createAgent name-taken":
			if len(c.Failures) != 0 || !strings.Contains(c.Out, "differs only in case") {
				t.Errorf("the observation is %q, failures %q; want it as output alone", c.Out, c.Failures)
			}
		}
	}
}

// TestSARIF holds what code hosts need: rules by index, places, fingerprints that
// stay when lines move, escaped messages.
func TestSARIF(t *testing.T) {
	type file struct {
		Runs []struct {
			Tool    sarifTool
			Results []sarifResult
		}
	}
	read := func(r *contracttests.Result) file {
		var f file
		if err := json.Unmarshal([]byte(written(t, "sarif", r)), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	r := brokenRun()
	before := read(r).Runs[0]
	for i, got := range before.Results {
		if id := before.Tool.Driver.Rules[got.RuleIndex].ID; id != got.RuleID || id != r.Findings[i].Code {
			t.Errorf("result %d: rule %q at index %d is %q, want %q", i, got.RuleID, got.RuleIndex, id, r.Findings[i].Code)
		}
		if p := got.Locations[0].Physical; p.Artifact.URI != shop || p.Region.Line != r.Findings[i].Pos.Line || p.Region.Column != r.Findings[i].Pos.Column {
			t.Errorf("result %d: place %+v, want %v", i, p, r.Findings[i].Pos)
		}
	}
	for i := range r.Findings {
		r.Findings[i].Pos.Line += 10
		r.Findings[i].Got += " otherwise"
	}
	var prints []string
	for i, got := range read(r).Runs[0].Results {
		p := got.Fingerprints["understudyFinding/v1"]
		if p == "" || p != before.Results[i].Fingerprints["understudyFinding/v1"] || slices.Contains(prints, p) {
			t.Errorf("result %d: fingerprint %q, want the one of before, and one of its own", i, p)
		}
		prints = append(prints, p)
	}
	for _, tt := range []struct{ file, want string }{
		{"specs/a b.yaml", "specs/a%20b.yaml"}, {"./specs/a.yaml", "specs/a.yaml"}, {"/tmp/a.yaml", "file:///tmp/a.yaml"},
		{`C:\specs\a.yaml`, "file:///C:/specs/a.yaml"}, {"../a.yaml", "../a.yaml"},
	} {
		if got := sarifURI(tt.file); got != tt.want {
			t.Errorf("sarifURI(%q) = %q, want %q", tt.file, got, tt.want)
		}
	}
	if got, want := sarifMessage(`[a](http://x) {0} \`).Text, `\[a\](http://x) {{0}} \\`; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// TestJSONShape fails when a member of the JSON report goes or changes its type: the
// schema is what version 1 promises.
func TestJSONShape(t *testing.T) {
	c := jsonschema.NewCompiler()
	s, err := c.Compile("testdata/report.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*contracttests.Result{"broken": brokenRun(), "kept": keptRun(), "nothing": idleRun(), "hostile": hostileRun()} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, "json", r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLargeBody: the body of an answer is cut where people read it, and said to be.
func TestLargeBody(t *testing.T) {
	r := brokenRun()
	steps := r.Findings[0].Steps
	steps[2].Response.Body = []byte("x" + strings.Repeat("é", 1<<20))
	for format, limit := range map[string]int{"text": 8 << 10, "junit": 16 << 10, "html": 32 << 10, "json": 100 << 10, "sarif": 100 << 10} {
		if got := written(t, format, r); len(got) > limit {
			t.Errorf("%s has %d bytes, want %d at most", format, len(got), limit)
		}
	}
	var d struct{ Findings []finding }
	if err := json.Unmarshal([]byte(written(t, "json", r)), &d); err != nil {
		t.Fatal(err)
	}
	if b := d.Findings[0].Steps[2].Response.Body; b.Size != 1+2<<20 || !b.Cut || b.Base64 != "" || len(b.Text) > maxBody {
		t.Errorf("body of %d bytes, cut %t, base64 %t, text %d bytes; want it cut between characters", b.Size, b.Cut, b.Base64 != "", len(b.Text))
	}
}
