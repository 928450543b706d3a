package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible writes what cannot be seen as an escape: control characters (terminals
// obey them), marks that turn the direction of writing, bytes that are no UTF-8.
// The characters of keep stay.
func visible(s, keep string) string {
	return escape(s, keep, func(b *strings.Builder, code string) { b.WriteString(code) })
}

// line is s in one line.
func line(s string) string { return visible(s, "") }

// command does the same for a line of shell whose words are in single quotes, so
// that it still means the same (in bash, zsh, and POSIX of 2024).
func command(s string) string {
	return escape(s, "", func(b *strings.Builder, code string) { b.WriteString(`'$'` + code + `''`) })
}

func escape(s, keep string, write func(b *strings.Builder, code string)) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			write(&b, fmt.Sprintf(`\x%02x`, s[i]))
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r == '\n':
			write(&b, `\n`)
		case r == '\r':
			write(&b, `\r`)
		case r == '\t':
			write(&b, `\t`)
		case r < 0x80:
			write(&b, fmt.Sprintf(`\x%02x`, r))
		case r <= 0xffff:
			write(&b, fmt.Sprintf(`\u%04x`, r))
		default:
			write(&b, fmt.Sprintf(`\U%08x`, r))
		}
	}
	return b.String()
}

// encodeJSON writes v as JSON in which everything that cannot be seen is escaped.
func encodeJSON(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, r := range string(data) {
		// Beyond ASCII there is nothing but text inside quotes.
		switch {
		case r < 0x7f || unicode.IsPrint(r) || r == utf8.RuneError:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// cut is the beginning of s, n characters at most, and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	chars := 0
	for i := range s {
		if chars++; chars > n {
			return s[:i] + " …"
		}
	}
	return s
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	s := fmt.Sprint(n)
	if n > 9999 {
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	}
	if strings.HasSuffix(noun, "ch") {
		return s + " " + noun + "es"
	}
	return s + " " + noun + "s"
}
