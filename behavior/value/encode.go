package value

import "unicode/utf8"

// Append writes v as compact JSON behind dst. Of an object that was marked by
// [Value.Sent] it writes what clients see. Missing is written as null, a hole
// as null, too.
func Append(dst []byte, v Value) []byte {
	switch v.kind {
	case BoolKind:
		if v.text != "" {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case NumberKind:
		return append(dst, v.text...)
	case StringKind:
		return AppendString(dst, v.text)
	case ArrayKind:
		if v.node == nil {
			return append(dst, "[]"...)
		}
		if v.node.raw != "" {
			return append(dst, v.node.raw...)
		}
		dst = append(dst, '[')
		for i, e := range v.node.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case ObjectKind:
		n := v.node
		if n != nil && n.sent != nil {
			n = n.sent
		}
		if n == nil {
			return append(dst, "{}"...)
		}
		if n.raw != "" {
			return append(dst, n.raw...)
		}
		dst = append(dst, '{')
		for i := range n.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, n.members[i].Name)
			dst = append(dst, ':')
			dst = Append(dst, n.members[i].Value)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// String is v as compact JSON.
func (v Value) String() string { return string(Append(nil, v)) }

// MarshalJSON writes v as compact JSON, for encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return Append(nil, v), nil }

const hex = "0123456789abcdef"

// AppendString writes a JSON string (RFC 8259, section 7), with no escape that
// it does not need. Bytes that are no UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
