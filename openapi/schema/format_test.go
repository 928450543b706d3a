package schema

import (
	"strings"
	"testing"

	"github.com/understudy-dev/understudy/behavior/value"
)

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		format    string
		good, bad []string
	}{
		{"uuid", []string{"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"},
			[]string{"", "123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "123e4567-e89b-12d3-a456-42661417400g"}},
		{"date", []string{"2024-02-29", "2000-02-29", "0000-01-01"}, []string{"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-04-31", "2024-1-01", "2024-01-00", "20240101", "2024-01-01T"}},
		{"date-time", []string{"2024-01-01T00:00:00Z", "2024-01-01t00:00:00.123456789z", "2024-01-01T00:00:00+05:30", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.5-08:00"},
			[]string{"2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "1998-12-31T22:59:60Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+24:00", "2023-02-29T00:00:00Z", "2024-01-01T00:00:00+0530"}},
		{"time", []string{"12:00:00Z", "23:59:60Z"}, []string{"12:00:00", "12:00Z", "12:00:61Z"}},
		{"email", []string{"a@example.com", "a.b+c@sub.example.com", `"a b"@example.com`, "a@[127.0.0.1]", "a@[IPv6:::1]", "root@localhost"},
			[]string{"", "a", "@b.c", "a@", "a b@c.d", ".a@b.c", "a.@b.c", "a..b@c.d", "A <a@b.c>", "a@-b.c", "a@[1.2.3]", strings.Repeat("a", 65) + "@b.c", `"a@b.c`}},
		{"uri", []string{"https://example.com/a?b=c#d", "urn:isbn:1", "http://[::1]:80/", "mailto:a@b.c", "http://u:p@h/%20"}, []string{"", "/a", "example.com", "http://a b", "1http://x", "http://h/%2", "http://h:x/", "http://[::1", `http://h/"`}},
		{"uri-reference", []string{"", "/a", "a/b", "?q", "#f", "//h/p", "https://x"}, []string{"a b", "%", `\\x`}},
		{"hostname", []string{"a", "example.com", "xn--nxasmq6b", "1.example"}, []string{"", ".", "a..b", "a.", "-a", "a-", "a_b", strings.Repeat("a", 64)}},
		{"ipv4", []string{"127.0.0.1"}, []string{"127.0.0", "127.0.0.256", "01.0.0.1", "::1"}},
		{"ipv6", []string{"::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"}, []string{"1.2.3.4", ":::", "fe80::1%eth0", "12345::"}},
		{"byte", []string{"", "YQ==", "YWI=", "YWJj"}, []string{"YQ", "YQ=", "Y===", "Y!==", "YQ==\n"}},
		{"duration", []string{"P1D", "PT0S", "P1Y2M3DT4H5M6S", "P7W", "PT1.5S"}, []string{"", "P", "PT", "1D", "P1", "P1DT", "P1S", "PT1D", "P1W1D", "PT1.5H1M", "PT1.S", "P1D1Y"}},
		{"json-pointer", []string{"", "/", "/a~0b~1c/0"}, []string{"a", "/~", "/~2", "#/a"}},
		{"regex", []string{"^a$", "(?=x)", `\u{1F600}`}, []string{"(", "[", `\`, "a**"}},
		{"password", []string{"anything"}, nil},
	} {
		s := compile(t, `{format: `+tt.format+`}`)
		for _, text := range tt.good {
			if !s.Valid(value.String(text), Request) {
				t.Errorf("%q is no %s, want one", text, tt.format)
			}
		}
		for _, text := range tt.bad {
			if s.Valid(value.String(text), Request) {
				t.Errorf("%q is a %s, want none", text, tt.format)
			}
		}
	}
}

func TestNumberFormats(t *testing.T) {
	for _, tt := range []struct {
		format, number string
		want           bool
	}{
		{"int32", "-2147483648", true}, {"int32", "-2147483649", false}, {"int32", "1.0", true}, {"int32", "0.5", false},
		{"int64", "-9223372036854775808", true}, {"int64", "9.223372036854775808e18", false}, {"int64", "1e18", true},
		{"float", "3.4e38", true}, {"float", "3.5e38", false}, {"double", "1e308", true}, {"double", "1e309", false},
	} {
		if got := compile(t, `{format: `+tt.format+`}`).Valid(value.Number(tt.number), Request); got != tt.want {
			t.Errorf("%s is %s: %v, want %v", tt.number, tt.format, got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		text    string
		want    bool
	}{
		{`^\d+$`, "12", true}, {`^\d+$`, "١٢", false}, {`^\D$`, "١", true},
		{`^\w+$`, "aZ_9", true}, {`^\w$`, "é", false}, {`^\W$`, "é", true}, {`^[\W]$`, "_", false},
		{`^\s$`, "\u00a0", true}, {`^\s$`, "\ufeff", true}, {`^\s$`, "\v", true}, {`^\S+$`, "a\u2003b", false}, {`^[^\s]$`, "\u2028", false},
		{`^a$`, "a\n", false}, {`a\/b`, "a/b", true}, {`^\u00e9\xe9\cJ\0$`, "éé\n\x00", true}, {`^\u{1F600}$`, "😀", true}, {`^\ud83d\ude00$`, "😀", true}, {`^.$`, "😀", true},
		{`^[^]$`, "\n", true}, {`^[]$`, "a", false}, {`^.$`, "\u2028", false}, {`^.$`, "\r", false},
		{`^[[:alpha:]]$`, ":]", true}, {`^[\w-.]+$`, "a-.", true}, {`^[a\-z]$`, "b", false}, {`^[\b]$`, "\b", true}, {`^[&&a]$`, "&", true},
		{`a{,2}`, "a{,2}", true}, {`^a{2}$`, "aa", true}, {`^x{`, "x{", true}, {`^\p{Lu}\p{Script=Greek}$`, "Ωω", true}, {`^[\p{L}]$`, "ß", true}, {`^\P{L}$`, "1", true},
		{`^(?<y>\d{2})-\d$`, "12-3", true}, {`^(?<c>.)\k<c>$`, "aa", true}, {`^(?<c>.)\k<c>$`, "ab", false}, {`^(.)(?<c>.)\1$`, "aba", true}, {`^(.)\10$`, "x", false},
		{`^(?!admin)\w+$`, "admin1", false}, {`^(?!admin)\w+$`, "user", true}, {`^(?!admin)\w+$`, "user\n", false}, {`(?<=a)b`, "ab", true}, {`(?<!a)b`, "ab", false},
		{`^(?=.*\bé).*$`, "é", false}, {`\bfoo\b`, "a foo b", true}, {`^(?=.*\d)[^x]{2}$`, "\u20281", false},
		{`^.{0,2000}$`, strings.Repeat("a", 2000), true}, {`^.{0,2000}$`, strings.Repeat("a", 2001), false},
		{`^agent_[a-z0-9]{12}$`, "agent_abc123xyz789", true}, {`^agent_[a-z0-9]{12}$`, "agent_abc123xyz78", false}, {`^agent_[a-z0-9]{12}$`, "agent_abc123xyz7890", false},
		{`^[a-z]+-?[0-9]*$`, "ab-12", true}, {`^[a-z]+-?[0-9]*$`, "-12", false}, {`^[a-z]*b$`, "aab", true}, {`^[A-Z]{2,}$`, "A", false}, {`^a|b$`, "ac", true}, {`^(a|b)$`, "ab", false},
	} {
		p, err := compilePattern(tt.pattern)
		if strings.Contains(tt.pattern, `\10`) {
			if err == nil {
				t.Errorf("%s compiles, want an error: there is no group 10", tt.pattern)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := p.match(tt.text); got != tt.want {
			t.Errorf("%s matches %q: %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// FuzzPattern checks that the short way of matching agrees with the engine.
func FuzzPattern(f *testing.F) {
	f.Add(`^agent_[a-z0-9]{12}$`, "agent_abc123xyz789")
	f.Add(`^[a-z]+-?[0-9]*$`, "ab-12")
	f.Add(`^a{2,3}[b-d]?[^\x00-\x7f]?$`, "aab")
	f.Add(`^(?=a)\b\k<x>(?<x>[^])$`, "a")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 100 || len(text) > 100 {
			return
		}
		p, err := compilePattern(pattern)
		if err != nil {
			return
		}
		got := p.match(text)
		if p.simple != nil && got != p.fast.MatchString(text) {
			t.Errorf("%q matches %q: %v, but the engine says %v", pattern, text, got, !got)
		}
	})
}
