package schema

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// textFormats are the formats of strings that are checked; every other one is
// ignored. None of them allocates on a valid text, but regex.
var textFormats = map[string]func(string) bool{
	"uuid":          isUUID,
	"date":          isDate,
	"date-time":     isDateTime,
	"time":          func(s string) bool { return isTime(s) },
	"email":         isEmail,
	"uri":           func(s string) bool { return isURI(s, true) },
	"uri-reference": func(s string) bool { return isURI(s, false) },
	"hostname":      isHostname,
	"ipv4":          func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() },
	"ipv6":          isIPv6,
	"byte":          isBase64,
	"duration":      isDuration,
	"json-pointer":  isJSONPointer,
	"regex":         isRegex,
}

// numberFormats are the formats of numbers that are checked (OpenAPI 3.0.3,
// Data Types).
var numberFormats = map[string]func(value.Value) bool{
	"int32":  func(v value.Value) bool { i, ok := v.Int(); return ok && i >= math.MinInt32 && i <= math.MaxInt32 },
	"int64":  func(v value.Value) bool { _, ok := v.Int(); return ok },
	"float":  func(v value.Value) bool { _, err := strconv.ParseFloat(v.Text(), 32); return err == nil },
	"double": func(v value.Value) bool { _, err := strconv.ParseFloat(v.Text(), 64); return err == nil },
}

var formatWords = map[string]string{
	"uuid":          "a UUID",
	"date":          "a date such as 2026-01-31",
	"date-time":     "a date and time such as 2026-01-31T12:00:00Z",
	"time":          "a time such as 12:00:00Z",
	"email":         "an email address",
	"uri":           "an absolute URI",
	"uri-reference": "a URI or a relative reference",
	"hostname":      "a host name",
	"ipv4":          "an IPv4 address",
	"ipv6":          "an IPv6 address",
	"byte":          "base64",
	"duration":      "an ISO 8601 duration such as P1DT12H",
	"json-pointer":  "a JSON Pointer",
	"regex":         "a regular expression",
	"int32":         "a whole number of 32 bits",
	"int64":         "a whole number of 64 bits",
	"float":         "a number that a float of 32 bits can hold",
	"double":        "a number that a float of 64 bits can hold",
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// isUUID follows RFC 9562, section 4, in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// number reads exactly n digits at the start of s; -1 if they are not there.
func number(s string, n int) int {
	if len(s) < n {
		return -1
	}
	x := 0
	for i := range n {
		if !isDigit(s[i]) {
			return -1
		}
		x = x*10 + int(s[i]-'0')
	}
	return x
}

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// isDate is full-date of RFC 3339, section 5.6, in the real calendar.
func isDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	year, month, day := number(s, 4), number(s[5:], 2), number(s[8:], 2)
	if year < 0 || month < 1 || month > 12 || day < 1 {
		return false
	}
	most := monthDays[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		most = 29
	}
	return day <= most
}

// isDateTime is date-time of RFC 3339, section 5.6.
func isDateTime(s string) bool {
	return len(s) > 11 && s[10]|0x20 == 't' && isDate(s[:10]) && isTime(s[11:])
}

// isTime is full-time of RFC 3339, section 5.6. A second 60 is the leap second
// before midnight UTC (section 5.7).
func isTime(s string) bool {
	if len(s) < 9 || s[2] != ':' || s[5] != ':' {
		return false
	}
	hour, minute, second := number(s, 2), number(s[3:], 2), number(s[6:], 2)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return false
	}
	s = s[8:]
	if s[0] == '.' {
		i := 1
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == 1 {
			return false
		}
		s = s[i:]
	}
	offset := 0
	switch {
	case len(s) == 1 && s[0]|0x20 == 'z':
	case len(s) == 6 && (s[0] == '+' || s[0] == '-') && s[3] == ':':
		h, m := number(s[1:], 2), number(s[4:], 2)
		if h < 0 || h > 23 || m < 0 || m > 59 {
			return false
		}
		if offset = h*60 + m; s[0] == '-' {
			offset = -offset
		}
	default:
		return false
	}
	return second < 60 || (hour*60+minute-offset+2*1440)%1440 == 1439
}

// isEmail is the addr-spec of RFC 5322, section 3.4.1, without comments, within
// the lengths of RFC 5321, section 4.5.3.1.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		if v6, is := strings.CutPrefix(literal, "IPv6:"); is {
			return ok && isIPv6(v6) && isLocal(local)
		}
		a, err := netip.ParseAddr(literal)
		return ok && err == nil && a.Is4() && isLocal(local)
	}
	return isHostname(domain) && isLocal(local)
}

func isLocal(s string) bool {
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == '"' {
				return false
			}
			if i >= len(s) || s[i] < ' ' || s[i] > '~' {
				return false
			}
		}
		return true
	}
	dot := true // a dot may not come next
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if dot {
				return false
			}
			dot = true
			continue
		case isAlpha(c), isDigit(c), strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
		default:
			return false
		}
		dot = false
	}
	return !dot
}

// isHostname follows RFC 1123, section 2.1.
func isHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if c := s[i]; !isAlpha(c) && !isDigit(c) && c != '-' {
				return false
			}
			continue
		}
		if n := i - start; n == 0 || n > 63 || s[start] == '-' || s[i-1] == '-' {
			return false
		}
		start = i + 1
	}
	return true
}

func isIPv6(s string) bool {
	if strings.IndexByte(s, '%') >= 0 {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

// isURI follows RFC 3986, appendix A: a URI, or any reference where a scheme is
// not needed.
func isURI(s string, absolute bool) bool {
	rest := s
	colon := strings.IndexByte(s, ':')
	if end := strings.IndexAny(s, "/?#"); end >= 0 && colon > end {
		colon = -1
	}
	switch {
	case colon >= 0:
		if colon == 0 || !isAlpha(s[0]) {
			return false
		}
		for _, c := range []byte(s[:colon]) {
			if !isAlpha(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
				return false
			}
		}
		rest = s[colon+1:]
	case absolute:
		return false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		authority := after
		rest = ""
		if i := strings.IndexByte(after, '/'); i >= 0 {
			authority, rest = after[:i], after[i:]
		}
		if !isAuthority(authority) {
			return false
		}
	}
	return uriChars(rest, "/:@") && uriChars(query, "/?:@") && uriChars(fragment, "/?:@")
}

func isAuthority(s string) bool {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if !uriChars(s[:i], ":") {
			return false
		}
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 || !isIPv6(s[1:i]) {
			return false
		}
		s = s[i+1:]
		return s == "" || s[0] == ':' && isPort(s[1:])
	}
	host, port, _ := strings.Cut(s, ":")
	return uriChars(host, "") && isPort(port)
}

func isPort(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// uriChars is whether s holds unreserved characters, sub-delims, escapes and
// the others.
func uriChars(s, others string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isAlpha(c), isDigit(c), strings.IndexByte("-._~!$&'()*+,;=", c) >= 0, strings.IndexByte(others, c) >= 0:
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

// isBase64 follows RFC 4648, section 4, with padding.
func isBase64(s string) bool {
	if len(s)%4 != 0 {
		return false
	}
	n := len(s)
	for range 2 {
		if n > 0 && s[n-1] == '=' {
			n--
		}
	}
	for i := range n {
		if c := s[i]; !isAlpha(c) && !isDigit(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// isDuration follows ISO 8601: P1Y2M3DT4H5M6S or P7W; the last number may have
// a fraction.
func isDuration(s string) bool {
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return false
	}
	units, timed, fraction, weeks, parts := "YMWD", false, false, false, 0
	for s != "" {
		if s[0] == 'T' && !timed {
			timed, units = true, "HMS"
			if s = s[1:]; s == "" {
				return false
			}
			continue
		}
		i := 0
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == 0 || fraction {
			return false
		}
		if i < len(s) && (s[i] == '.' || s[i] == ',') {
			fraction = true
			from := i + 1
			for i++; i < len(s) && isDigit(s[i]); i++ {
			}
			if i == from {
				return false
			}
		}
		if i == len(s) {
			return false
		}
		at := strings.IndexByte(units, s[i])
		if at < 0 {
			return false
		}
		weeks = weeks || s[i] == 'W'
		units, s = units[at+1:], s[i+1:]
		parts++
	}
	return parts > 0 && (!weeks || parts == 1 && !timed)
}

// isJSONPointer follows RFC 6901, section 3.
func isJSONPointer(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != '/' {
		return false
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

// isRegex is whether a text is a pattern that could stand in a document. Longer
// ones than anybody writes are not looked at.
func isRegex(s string) bool {
	if len(s) > 1000 {
		return false
	}
	_, err := compilePattern(s)
	return err == nil
}
