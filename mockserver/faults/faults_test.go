package faults_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/fixtures"
	"github.com/understudy-dev/understudy/mockserver"
	"github.com/understudy-dev/understudy/mockserver/faults"
	"github.com/understudy-dev/understudy/openapi"
)

// waited is how long a slow server would have let one wait, in nanoseconds.
var waited atomic.Int64

func TestMain(m *testing.M) {
	faults.SetWait(func(d time.Duration) { waited.Add(int64(d)) })
	faults.SetWindow(time.Minute)
	os.Exit(m.Run())
}

// bench is a mock of one API, perhaps with a fault, that a script is run against.
type bench struct {
	http.Handler
	api *openapi.API
	fix *fixtures.Fixtures

	mu  sync.Mutex
	now time.Time
}

// loaded are the documents and fixtures, which never change.
var loaded = sync.OnceValues(func() (map[string]*bench, error) {
	all := map[string]*bench{}
	for _, name := range openapi.Names() {
		api, err := openapi.Builtin(name)
		if err != nil {
			return nil, err
		}
		fix, err := fixtures.Builtin(api)
		if err != nil {
			return nil, err
		}
		all[name] = &bench{api: api, fix: fix}
	}
	api, err := openapi.Load("shop", "shop.yaml", []byte(shop))
	if err != nil {
		return nil, err
	}
	fix, err := fixtures.Load(api, "shop.yaml", []byte("callers: {}\nrecords: {}\n"))
	if err != nil {
		return nil, err
	}
	all["shop"] = &bench{api: api, fix: fix}
	return all, nil
})

func serve(t testing.TB, name string) *bench {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{api: all[name].api, fix: all[name].fix, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	known, err := b.fix.Known(b.api)
	if err != nil {
		t.Fatal(err)
	}
	world, err := b.api.Plan.NewWorld(behavior.WorldConfig{Records: b.fix.Records, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	world.EnforceQuotas = true
	s, err := mockserver.New(mockserver.Config{APIs: []mockserver.Served{{API: b.api, World: world, Callers: known}}, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	b.Handler = s
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// run plays a script and returns what the last line was answered: status, headers
// and body. A line is "caller METHOD target body", with - for nobody; a header
// may stand behind the method as {Name: value}. A second passes before each line.
// $n is the id in the answer to line n, from 1. Lines that begin with & are at
// once with the one before, and their answers are joined, in order of the text.
func (b *bench) run(t testing.TB, script string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(script), "\n")
	ids := make([]string, len(lines)+1)
	var last []string
	for i := 0; i < len(lines); {
		b.mu.Lock()
		b.now = b.now.Add(time.Second)
		b.mu.Unlock()
		first := i
		for i++; i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), "&"); i++ {
		}
		last = make([]string, i-first)
		requests := make([]*http.Request, i-first)
		for k := range requests {
			requests[k] = b.request(t, strings.TrimPrefix(strings.TrimSpace(lines[first+k]), "& "), ids)
		}
		var wg sync.WaitGroup
		for k, r := range requests {
			wg.Go(func() { last[k], ids[first+k+1] = b.send(r) })
		}
		wg.Wait()
	}
	slices.Sort(last)
	return strings.Join(last, "\n")
}

var inline = regexp.MustCompile(`\{([A-Za-z-]+): ([^}]*)\} `)

func (b *bench) request(t testing.TB, line string, ids []string) *http.Request {
	t.Helper()
	for i := len(ids) - 1; i > 0; i-- {
		line = strings.ReplaceAll(line, fmt.Sprintf("$%d", i), ids[i])
	}
	headers := inline.FindAllStringSubmatch(line, -1)
	line = inline.ReplaceAllString(line, "")
	parts := strings.SplitN(line, " ", 4)
	if len(parts) < 3 {
		t.Fatalf("no request: %q", line)
	}
	var body io.Reader = http.NoBody
	if len(parts) == 4 {
		body = strings.NewReader(parts[3])
	}
	r := httptest.NewRequest(parts[1], parts[2], body)
	if len(parts) == 4 {
		r.Header.Set("Content-Type", "application/json")
	}
	if parts[0] != "-" {
		c := b.fix.Caller(parts[0])
		if c == nil {
			t.Fatalf("no caller %q", parts[0])
		}
		b.api.Present(r, c.Credentials)
	}
	for _, h := range headers {
		r.Header.Set(h[1], h[2])
		if h[2] == "" {
			r.Header.Del(h[1])
		}
	}
	return r
}

func (b *bench) send(r *http.Request) (text, id string) {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	var s strings.Builder
	fmt.Fprintf(&s, "%d\n", w.Code)
	if d := time.Duration(waited.Swap(0)); d > 0 {
		fmt.Fprintf(&s, "waited %v\n", d)
	}
	_ = w.Header().Write(&s)
	body := w.Body.Bytes()
	s.WriteString("\n" + string(body))
	v, _ := value.Parse(body)
	for _, at := range []value.Value{v.Get("data").Get("id"), v.Get("result").Get("id"), v.Get("id"), v.Get("item_id")} {
		if at.IsString() {
			id = at.Text()
		}
	}
	return s.String(), id
}

// fault is a mock with a fault.
func fault(t testing.TB, api, name string) *bench {
	t.Helper()
	f, err := faults.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, api)
	b.Handler = f.Wrap(b.Handler, b.api)
	return b
}

// TestFaults: the last answer of the script matches faulty on the server with the
// fault, and sound on the one without; never the other way round.
func TestFaults(t *testing.T) {
	shown := map[string]bool{}
	for _, tt := range scripts {
		shown[tt.fault] = true
		t.Run(tt.fault+"/"+tt.api, func(t *testing.T) {
			faulty, sound := pattern(tt.faulty), pattern(tt.sound)
			good, bad := serve(t, tt.api).run(t, tt.script), fault(t, tt.api, tt.fault).run(t, tt.script)
			if !sound(good) || faulty(good) {
				t.Errorf("without the fault:%s\ngot\n%s\nwant %s and not %s", tt.script, head(good), tt.sound, tt.faulty)
			}
			if sound(bad) || !faulty(bad) {
				t.Errorf("with the fault:%s\ngot\n%s\nwant %s and not %s", tt.script, head(bad), tt.faulty, tt.sound)
			}
		})
	}
	for _, f := range faults.All {
		if !shown[f.Name] && !slices.Contains(shownOnWire, f.Name) {
			t.Errorf("no script shows the fault %s", f.Name)
		}
	}
}

// pattern is a regexp; with ! in front it must not match.
func pattern(s string) func(string) bool {
	s, not := strings.CutPrefix(s, "!")
	re := regexp.MustCompile(`(?s)` + s)
	return func(text string) bool { return re.MatchString(text) != not }
}

// head is a text that is not too long for a message.
func head(s string) string { return s[:min(len(s), 900)] }

// TestTable: names are unique, sorted and found; every field is there.
func TestTable(t *testing.T) {
	if len(faults.All) < 45 {
		t.Errorf("%d faults, want 45 or more", len(faults.All))
	}
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for i, f := range faults.All {
		if i > 0 && faults.All[i-1].Name >= f.Name {
			t.Errorf("%s stands behind %s", f.Name, faults.All[i-1].Name)
		}
		if !kebab.MatchString(f.Name) || !kebab.MatchString(f.Check) || !strings.HasSuffix(f.Summary, ".") || f.Wrap == nil {
			t.Errorf("%q: check %q, summary %q: want kebab-case names, a sentence and a wrapper", f.Name, f.Check, f.Summary)
		}
		if got, err := faults.ByName(f.Name); err != nil || got.Name != f.Name {
			t.Errorf("ByName(%q) = %q, %v", f.Name, got.Name, err)
		}
	}
	if _, err := faults.ByName("no-such"); err == nil || !strings.Contains(err.Error(), `"no-such"`) || !strings.Contains(err.Error(), "lost-create, ") {
		t.Errorf("ByName(no-such): %v, want an error that lists the names", err)
	}
}

// TestOtherAPI: the wrapper of one API passes the requests of another.
func TestOtherAPI(t *testing.T) {
	const script = `owner GET /v1/agents?per_page=3`
	want := serve(t, "ayra").run(t, script)
	foreign := serve(t, "temujin").api
	for _, f := range faults.All {
		b := serve(t, "ayra")
		b.Handler = f.Wrap(b.Handler, foreign)
		if f.Name == "rate-limit-headers-missing" || f.Name == "rate-limit-stands-still" || f.Name == "slow" {
			continue
		}
		if got := b.run(t, script); got != want {
			t.Errorf("%s, wrapped for another API:\ngot\n%s\nwant\n%s", f.Name, got, want)
		}
	}
}

// TestReset: what a fault remembers of a world is forgotten with it, and worlds do
// not share it.
func TestReset(t *testing.T) {
	const in = "{X-Understudy-World: a} "
	b := fault(t, "ayra", "use-after-delete")
	create := b.request(t, `owner POST `+in+`/v1/agents {"name":"A","voice_platform":"vapi"}`, nil)
	_, id := b.send(create)
	read := "owner GET " + in + "/v1/agents/" + id
	if got := b.run(t, "owner DELETE "+in+"/v1/agents/"+id+"\n"+read); !strings.HasPrefix(got, "200") {
		t.Fatalf("the fault does not show: %s", head(got))
	}
	if got := b.run(t, strings.Replace(read, ": a", ": b", 1)); !strings.HasPrefix(got, "404") {
		t.Errorf("in another world: %s", head(got))
	}
	b.run(t, "- POST "+in+"/__admin/reset")
	if got := b.run(t, read); !strings.HasPrefix(got, "404") {
		t.Errorf("after the reset: %s", head(got))
	}
}

// TestVectors: whatever documented exchange a server with a fault is asked for, it
// answers, and most of them as documented.
func TestVectors(t *testing.T) {
	faults.SetWindow(0)
	defer faults.SetWindow(time.Minute)
	for _, name := range openapi.Names() {
		vectors, err := fixtures.Vectors(serve(t, name).api)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults.All {
			b := fault(t, name, f.Name)
			kept := 0
			for i, v := range vectors {
				for k, q := range append(slices.Clone(v.Before), v.Request) {
					b.mu.Lock()
					b.now = b.now.Add(q.Advance + time.Millisecond)
					b.mu.Unlock()
					if q.Method == "" {
						continue
					}
					r, err := q.HTTP(b.api, b.fix, "http://127.0.0.1:4010")
					if err != nil {
						t.Fatal(err)
					}
					r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1234"
					r.Header.Set(mockserver.WorldHeader, fmt.Sprint(i))
					w := httptest.NewRecorder()
					b.ServeHTTP(w, r)
					if body := w.Body.String(); strings.Contains(body, `"code":"bug"`) {
						t.Errorf("%s: %s %s (%v) = %s", f.Name, q.Method, q.Path, v.Pos, head(body))
					}
					if res := w.Result(); k == len(v.Before) && v.Response.Differs(res.StatusCode, res.Header, w.Body.Bytes()) == "" {
						kept++
					}
				}
			}
			if kept < len(vectors)/2 {
				t.Errorf("%s keeps %d of %d vectors of %s; want at least half", f.Name, kept, len(vectors), name)
			}
		}
	}
}

// TestRaw: over a connection, 204 has a body all the same.
func TestRaw(t *testing.T) {
	b := fault(t, "ayra", "body-with-204")
	s := httptest.NewServer(b)
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "DELETE /v1/agents/agent_abc123xyz789 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_live_abc123xyz789\r\n\r\n")
	text, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); !strings.HasPrefix(got, "HTTP/1.1 204 No Content\r\n") || !strings.HasSuffix(got, "\r\n\r\n{\"status\":\"success\"}") {
		t.Errorf("got %q, want 204 with a body", got)
	}
}
