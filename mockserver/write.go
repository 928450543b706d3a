package mockserver

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/understudy-dev/understudy/behavior"
	"github.com/understudy-dev/understudy/behavior/value"
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// mostKept is the size from which on a buffer is not kept for the next answer.
const mostKept = 1 << 20

// jsonType is the Content-Type of nearly all answers.
var jsonType = []string{"application/json"}

// write sends a modelled answer.
func (a *served) write(w http.ResponseWriter, r *http.Request, out *behavior.Outcome, head bool) {
	h := w.Header()
	if out.Rule != nil {
		if v, ok := a.rules[out.Rule]; ok {
			h[RuleHeader] = v
		} else {
			h[RuleHeader] = []string{out.Rule.ID}
		}
	}
	if n := len(out.Headers); n > 0 {
		values := make([]string, n)
		for i, f := range out.Headers {
			values[i] = f.Value
			if old, ok := h[f.Name]; ok {
				h[f.Name] = append(old, f.Value)
			} else {
				h[f.Name] = values[i : i+1 : i+1]
			}
		}
	}
	if o := r.Header["Origin"]; len(o) > 0 && o[0] != "" {
		crossOrigin(h, o[0])
	}
	if out.Body.IsMissing() || out.Status == http.StatusNoContent || out.Status == http.StatusNotModified {
		if out.Status != http.StatusNoContent && out.Status != http.StatusNotModified && out.Status >= 200 {
			h["Content-Length"] = zero
		}
		w.WriteHeader(out.Status)
		return
	}
	h["Content-Type"] = contentType(out.MediaType)
	buf := buffers.Get().(*[]byte)
	*buf = encode((*buf)[:0], out)
	if head || len(*buf) > lengthBySelf {
		h["Content-Length"] = []string{strconv.Itoa(len(*buf))}
	}
	w.WriteHeader(out.Status)
	if !head {
		_, _ = w.Write(*buf)
	}
	if cap(*buf) <= mostKept {
		buffers.Put(buf)
	}
}

var zero = []string{"0"}

// lengthBySelf is the size of a body in bytes up to which net/http says its
// length by itself, as it fits into its buffer.
const lengthBySelf = 2000

func contentType(media string) []string {
	if media == jsonType[0] {
		return jsonType
	}
	if strings.HasPrefix(media, "text/") && !strings.Contains(media, "charset") {
		media += "; charset=utf-8"
	}
	return []string{media}
}

// encode writes a body: JSON, or a text as it is where the media type is another.
func encode(dst []byte, out *behavior.Outcome) []byte {
	if out.Body.IsString() && !strings.HasPrefix(out.MediaType, "application/json") && !strings.HasSuffix(out.MediaType, "+json") {
		return append(dst, out.Body.Text()...)
	}
	return value.Append(dst, out.Body)
}

// crossOrigin lets a page of another origin read the answer (Fetch standard, CORS
// protocol), also with credentials.
func crossOrigin(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
	var names []string
	for n := range h {
		if !strings.HasPrefix(n, "Access-Control-") && n != "Vary" && n != "Content-Type" {
			names = append(names, n)
		}
	}
	if len(names) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(sorted(names), ", "))
	}
}
