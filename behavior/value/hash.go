package value

import "hash/maphash"

// Hash is the same for values that are [Equal]. Hashes of one seed only can be
// compared.
func Hash(seed maphash.Seed, v Value) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	return hash(&h, seed, v)
}

// hash begins h anew.
func hash(h *maphash.Hash, seed maphash.Seed, v Value) uint64 {
	switch v.kind {
	case Missing, NullKind:
		return 1
	case BoolKind:
		return 2 + uint64(len(v.text))
	case StringKind:
		return maphash.String(seed, v.text)
	case NumberKind:
		d := parseDecimal(v.text) // not the text: 1.0 is 1
		h.Reset()
		h.WriteByte('n')
		if d.neg {
			h.WriteByte('-')
		}
		h.WriteString(d.a)
		h.WriteString(d.b)
		for e := uint64(d.exp); e != 0; e >>= 8 {
			h.WriteByte(byte(e))
		}
		return h.Sum64()
	case ArrayKind:
		sum := uint64(7)
		for _, e := range v.Elems() {
			sum = mix(sum ^ hash(h, seed, e))
		}
		return mix(sum)
	case ObjectKind:
		sum := uint64(11) // a sum: members have no order
		for _, m := range v.Members() {
			sum += mix(maphash.String(seed, m.Name) ^ mix(hash(h, seed, m.Value)))
		}
		return mix(sum)
	}
	return 13
}

// mix spreads the bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
