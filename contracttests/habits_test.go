package contracttests_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
	"github.com/understudy-dev/understudy/openapi"
)

// otherwise answers as next does, but with the members of every object in the other
// order, with members and headers that no document has, and with times in another
// zone and precision.
func otherwise(next http.Handler, _ *openapi.API) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if v, err := value.Parse(body); err == nil && strings.Contains(rec.Header().Get("Content-Type"), "json") {
			body = value.Append(nil, turned(v))
		}
		for name, v := range rec.Header() {
			w.Header()[name] = v
		}
		w.Header().Set("X-Served-By", "another server")
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead {
			w.Header().Del("Content-Length") // of another body
		}
		if len(body) > 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	})
}

func turned(v value.Value) value.Value {
	switch {
	case v.IsArray():
		elems := slices.Clone(v.Elems())
		for i := range elems {
			elems[i] = turned(elems[i])
		}
		return value.Array(elems...)
	case v.IsObject() && v.Len() > 0:
		members := slices.Clone(v.Members())
		slices.Reverse(members)
		for i := range members {
			members[i].Value = turned(members[i].Value)
		}
		if v.Has("id") {
			members = append(members, value.Member{Name: "revision", Value: value.String("7")})
		}
		return value.Object(members...)
	case v.IsString() && strings.HasSuffix(v.Text(), "Z") && len(v.Text()) >= len("2006-01-02T15:04:05Z") && v.Text()[10] == 'T':
		return value.String(strings.TrimSuffix(v.Text(), "Z") + "+00:00")
	}
	return v
}

// TestOtherHabits: a correct server that writes its answers differently, and makes
// other ids, has no finding.
func TestOtherHabits(t *testing.T) {
	for i, name := range openapi.Names() {
		if slow && i != 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := config(t, name, otherwise).Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Findings {
				t.Errorf("%s: %v", f.Severity, &f)
			}
		})
	}
}
