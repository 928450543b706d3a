package behavior

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-dev/understudy/behavior/value"
)

// appendKey writes a value so that equal values have equal bytes and others have
// not, and no key begins another. The order of the bytes is the order of the
// values ([value.Compare]), except inside of arrays and objects and among
// numbers that are no int64 and that a float64 cannot tell apart.
func appendKey(dst []byte, v value.Value) []byte {
	switch v.Kind() {
	case value.BoolKind:
		if v.True() {
			return append(dst, 3)
		}
		return append(dst, 2)
	case value.NumberKind:
		x := v.Float()
		bits := math.Float64bits(x)
		if x == 0 {
			bits = 0
		}
		if bits>>63 != 0 {
			bits = ^bits
		} else {
			bits |= 1 << 63
		}
		dst = binary.BigEndian.AppendUint64(append(dst, 4), bits)
		const exact = 15 // digits that a float64 always tells apart
		large := math.Abs(x) >= 1<<53
		if !large && len(v.Text()) <= exact {
			return dst
		}
		if i, ok := v.Int(); ok {
			if large {
				return binary.BigEndian.AppendUint64(dst, uint64(i)^1<<63)
			}
			return dst
		}
		return appendDigits(dst, v.Text(), x)
	case value.StringKind:
		return appendText(append(dst, 5), v.Text())
	case value.ArrayKind:
		dst = append(dst, 6)
		for _, e := range v.Elems() {
			dst = appendKey(dst, e)
		}
		return append(dst, 0)
	case value.ObjectKind:
		members := slices.SortedFunc(slices.Values(v.Members()), func(a, b value.Member) int { return strings.Compare(a.Name, b.Name) })
		dst = append(dst, 7)
		for _, m := range members {
			dst = appendKey(appendText(append(dst, 1), m.Name), m.Value)
		}
		return append(dst, 0)
	case value.HoleKind:
		return appendText(append(dst, 8), fmt.Sprintf("%p", v.Hole()))
	}
	return append(dst, 1)
}

// appendDigits writes what x, the nearest float64, does not say of a number.
func appendDigits(dst []byte, digits string, x float64) []byte {
	r := value.Rat(digits)
	if r == nil {
		return appendText(append(dst, 9), digits)
	}
	if short := value.Rat(strconv.FormatFloat(x, 'g', -1, 64)); short != nil && r.Cmp(short) == 0 {
		return dst
	}
	return appendText(append(dst, 9), r.RatString())
}

// appendText ends a text with 0 1, and writes a 0 in it as 0 255.
func appendText(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			dst = append(dst, 0, 255)
		} else {
			dst = append(dst, s[i])
		}
	}
	return append(dst, 0, 1)
}

// appendSort writes the sort keys of a record, then the order of creation,
// which runs the way of the last key.
func appendSort(dst []byte, keys []sortKey, r *record) []byte {
	desc := false
	for _, k := range keys {
		from := len(dst)
		dst = appendKey(dst, r.val.Get(k.prop))
		if k.desc {
			for i := from; i < len(dst); i++ {
				dst[i] = ^dst[i]
			}
		}
		desc = k.desc
	}
	seq := r.seq
	if desc {
		seq = ^seq
	}
	return binary.BigEndian.AppendUint64(dst, seq)
}
