package route

import (
	"strings"
	"unicode/utf8"
)

// plain are the bytes that stand for themselves in a path: pchar of RFC 3986,
// section 3.3, and the slash. unreserved are those of section 2.3, whose escape
// means the same as themselves.
var plain, unreserved = func() (p, u [256]bool) {
	for c := range 256 {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if letter || digit || c < 0x80 && strings.IndexByte("-._~", byte(c)) >= 0 {
			p[c], u[c] = true, true
		}
		if c < 0x80 && strings.IndexByte("!$&'()*+,;=:@/", byte(c)) >= 0 {
			p[c] = true
		}
	}
	return p, u
}()

const hex = "0123456789ABCDEF"

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// escape is the byte that the escape at s[i] stands for.
func escape(s string, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	high, ok1 := unhex(s[i+1])
	low, ok2 := unhex(s[i+2])
	return high<<4 | low, ok1 && ok2
}

// unit reads one byte or one escape: the bytes it takes, what it stands for,
// and whether the normal form (RFC 3986, 6.2.2) writes it as an escape.
func unit(s string, i int) (size int, c byte, escaped bool) {
	if c, ok := escape(s, i); ok {
		return 3, c, !unreserved[c]
	}
	return 1, s[i], !plain[s[i]]
}

// isNormal is whether s is what normal would make of it.
func isNormal(s string) bool {
	for i := 0; i < len(s); i++ {
		if plain[s[i]] {
			continue
		}
		c, ok := escape(s, i)
		if !ok || unreserved[c] || s[i+1] >= 'a' || s[i+2] >= 'a' {
			return false
		}
		i += 2
	}
	return true
}

// normal brings a path into the form in which texts are compared: escapes of
// unreserved bytes written out, others in upper case, and whatever may not
// stand in a path escaped. It does not allocate where nothing changes.
func normal(s string) string {
	if isNormal(s) {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); {
		size, c, escaped := unit(s, i)
		if escaped {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
		i += size
	}
	return string(b)
}

// aligned is whether i is no place within an escape of a normal text.
func aligned(s string, i int) bool {
	return !(i >= 1 && s[i-1] == '%' || i >= 2 && s[i-2] == '%')
}

// Unescape decodes the escapes of one captured text; a plus is a plus. It is
// false for an escape without two hexadecimal digits and for bytes that are
// not UTF-8.
func Unescape(raw string) (string, bool) {
	if strings.IndexByte(raw, '%') < 0 {
		return raw, utf8.ValidString(raw)
	}
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			b = append(b, raw[i])
			continue
		}
		c, ok := escape(raw, i)
		if !ok {
			return "", false
		}
		b = append(b, c)
		i += 2
	}
	return string(b), utf8.Valid(b)
}
