package sample

import (
	"strings"
	"time"
	"unicode"
)

// A hint is what the name of a member says about its value.
type hint uint8

const (
	hintNone hint = iota
	hintID
	hintEmail
	hintFirst
	hintLast
	hintPerson
	hintUser
	hintName
	hintTitle
	hintSentence
	hintSlug
	hintURL
	hintPhone
	hintCompany
	hintStreet
	hintCity
	hintRegion
	hintCountry
	hintCountryCode
	hintPostal
	hintCurrency
	hintLanguage
	hintTimezone
	hintColor
	hintIP
	hintHost
	hintToken
	hintVersion
	hintMIME
	hintFile
	hintPath
	hintStatus
	hintType
	hintModel
	hintTag
	hintGender
	hintPrice
	hintCount
	hintAge
	hintPercent
	hintRating
	hintLatitude
	hintLongitude
	hintYear
	hintMonth
	hintDay
	hintHour
	hintPage
	hintLimit
	hintSeconds
	hintPort
	hintBirth
	hintCreated
	hintUpdated
	hintStart
	hintEnd
	hintExpires
	hintDeleted
)

// hints are words at the end of a name, up to three.
var hints = map[string]hint{
	"id": hintID, "uid": hintID, "key": hintID, "reference": hintID, "ref": hintID,
	"email": hintEmail, "email address": hintEmail, "mail": hintEmail, "idn email": hintEmail,
	"first name": hintFirst, "given name": hintFirst, "firstname": hintFirst,
	"last name": hintLast, "family name": hintLast, "surname": hintLast, "lastname": hintLast,
	"full name": hintPerson, "display name": hintPerson, "contact name": hintPerson, "customer name": hintPerson, "author": hintPerson, "owner": hintPerson,
	"username": hintUser, "user name": hintUser, "login": hintUser, "handle": hintUser, "nickname": hintUser,
	"name": hintName, "label": hintName, "title": hintTitle, "subject": hintTitle, "headline": hintTitle,
	"description": hintSentence, "message": hintSentence, "comment": hintSentence, "note": hintSentence, "notes": hintSentence,
	"summary": hintSentence, "text": hintSentence, "body": hintSentence, "content": hintSentence, "bio": hintSentence,
	"reason": hintSentence, "detail": hintSentence, "details": hintSentence, "instructions": hintSentence, "prompt": hintSentence,
	"slug": hintSlug, "url": hintURL, "uri": hintURL, "link": hintURL, "href": hintURL, "website": hintURL, "homepage": hintURL, "webhook": hintURL,
	"phone": hintPhone, "phone number": hintPhone, "mobile": hintPhone, "telephone": hintPhone, "fax": hintPhone, "from number": hintPhone, "to number": hintPhone,
	"company": hintCompany, "company name": hintCompany, "organization": hintCompany, "organisation": hintCompany, "vendor": hintCompany, "brand": hintCompany,
	"street": hintStreet, "address": hintStreet, "street address": hintStreet, "line1": hintStreet, "address line1": hintStreet,
	"city": hintCity, "town": hintCity, "location": hintCity, "state": hintStatus, "province": hintRegion, "region": hintRegion, "country": hintCountry, "country name": hintCountry,
	"country code": hintCountryCode, "zip": hintPostal, "zip code": hintPostal, "postal code": hintPostal, "postcode": hintPostal,
	"currency": hintCurrency, "currency code": hintCurrency, "language": hintLanguage, "lang": hintLanguage, "locale": hintLanguage, "language code": hintLanguage,
	"timezone": hintTimezone, "time zone": hintTimezone, "tz": hintTimezone, "color": hintColor, "colour": hintColor,
	"ip": hintIP, "ip address": hintIP, "host": hintHost, "hostname": hintHost, "domain": hintHost,
	"token": hintToken, "secret": hintToken, "password": hintToken, "hash": hintToken, "checksum": hintToken, "etag": hintToken, "cursor": hintToken, "api key": hintToken, "signature": hintToken,
	"version": hintVersion, "mime type": hintMIME, "content type": hintMIME, "media type": hintMIME,
	"filename": hintFile, "file name": hintFile, "file": hintFile, "path": hintPath,
	"status": hintStatus, "type": hintType, "kind": hintType, "category": hintType, "model": hintModel, "tag": hintTag, "tags": hintTag, "keyword": hintTag, "gender": hintGender,
	"price": hintPrice, "amount": hintPrice, "total": hintPrice, "subtotal": hintPrice, "cost": hintPrice, "fee": hintPrice, "balance": hintPrice, "tax": hintPrice, "discount": hintPrice, "shipping": hintPrice,
	"count": hintCount, "quantity": hintCount, "qty": hintCount, "size": hintCount, "number": hintCount, "stock": hintCount, "attempts": hintCount, "retries": hintCount,
	"age": hintAge, "percent": hintPercent, "percentage": hintPercent, "progress": hintPercent, "score": hintPercent, "rating": hintRating, "stars": hintRating, "priority": hintRating,
	"lat": hintLatitude, "latitude": hintLatitude, "lng": hintLongitude, "lon": hintLongitude, "longitude": hintLongitude,
	"year": hintYear, "month": hintMonth, "day": hintDay, "hour": hintHour, "page": hintPage, "offset": hintPage, "limit": hintLimit, "per page": hintLimit, "page size": hintLimit,
	"duration": hintSeconds, "seconds": hintSeconds, "timeout": hintSeconds, "ttl": hintSeconds, "port": hintPort,
	"birth date": hintBirth, "date of birth": hintBirth, "birthday": hintBirth, "dob": hintBirth, "birthdate": hintBirth,
	"created": hintCreated, "created at": hintCreated, "created on": hintCreated, "creation date": hintCreated, "registered at": hintCreated, "inserted at": hintCreated,
	"updated": hintUpdated, "updated at": hintUpdated, "modified": hintUpdated, "modified at": hintUpdated, "last modified": hintUpdated, "changed at": hintUpdated, "completed at": hintEnd,
	"start": hintStart, "start date": hintStart, "start time": hintStart, "started at": hintStart, "starts at": hintStart, "from": hintStart, "valid from": hintStart, "since": hintStart, "start at": hintStart, "begin": hintStart,
	"end": hintEnd, "end date": hintEnd, "end time": hintEnd, "ended at": hintEnd, "ends at": hintEnd, "finished at": hintEnd, "to": hintEnd, "until": hintEnd, "end at": hintEnd,
	"expires": hintExpires, "expires at": hintExpires, "expiry": hintExpires, "valid until": hintExpires, "valid to": hintExpires, "due date": hintExpires, "due at": hintExpires, "expiration": hintExpires,
	"deleted at": hintDeleted, "archived at": hintDeleted, "cancelled at": hintDeleted, "canceled at": hintDeleted, "revoked at": hintDeleted,
}

// hintOf reads created_at, createdAt, created-at and billing_email.
func hintOf(name string) hint {
	const longest = 64
	if len(name) > longest {
		return hintNone
	}
	words := split(name)
	for n := min(3, len(words)); n > 0; n-- {
		if h, ok := hints[strings.Join(words[len(words)-n:], " ")]; ok {
			return h
		}
	}
	return hintNone
}

// split is the words of a name in lower case.
func split(name string) []string {
	var words []string
	var word []rune
	last := ' '
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	for _, c := range name {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			flush()
		case unicode.IsUpper(c) && unicode.IsLower(last):
			flush()
			word = append(word, c)
		default:
			word = append(word, c)
		}
		last = c
	}
	flush()
	return words
}

// span is the usual range of a number; ok is false where there is none.
func (h hint) span() (lo, hi int64, ok bool) {
	switch h {
	case hintPrice:
		return 1, 200, true
	case hintCount:
		return 1, 20, true
	case hintAge:
		return 18, 80, true
	case hintPercent:
		return 0, 100, true
	case hintRating:
		return 1, 5, true
	case hintLatitude:
		return -60, 60, true
	case hintLongitude:
		return -150, 150, true
	case hintYear:
		return 2015, 2026, true
	case hintMonth:
		return 1, 12, true
	case hintDay:
		return 1, 28, true
	case hintHour:
		return 0, 23, true
	case hintPage:
		return 1, 5, true
	case hintLimit:
		return 10, 50, true
	case hintSeconds:
		return 1, 600, true
	case hintPort:
		return 1024, 9999, true
	case hintCreated, hintUpdated, hintStart, hintEnd, hintExpires:
		return 0, 0, false
	}
	return 0, 0, false
}

var (
	firstNames = strings.Fields("Ada Amara Ben Chloe Daniel Elif Emma Farid Grace Hana Ivan Jonas Kenji Lena Mateo Nadia Omar Priya Rosa Samuel Tara Victor Wanjiru Yuki")
	lastNames  = strings.Fields("Adeyemi Bauer Costa Dubois Eriksen Fischer Garcia Haddad Ito Jansen Kowalski Lopez Meyer Nguyen Okafor Patel Quinn Rossi Sato Tanaka Usman Vargas Weber Yilmaz")
	adjectives = strings.Fields("amber bold bright calm clever crisp eager early fine gentle golden green happy keen lively mellow nimble quiet rapid silver smart steady sunny warm")
	nouns      = strings.Fields("anchor basket bridge canyon cedar comet falcon garden harbor island lantern maple meadow mirror orchard otter pebble pillar ridge river signal summit thunder valley")
	verbs      = strings.Fields("answers brings checks covers explains follows gathers guides handles improves keeps lists moves opens prepares reviews sends shows sorts starts supports tracks updates welcomes")
	statuses   = strings.Fields("active pending completed")
	kinds      = strings.Fields("standard basic custom")
	colors     = strings.Fields("#1e88e5 #43a047 #e53935 #fb8c00 #8e24aa #00897b")
	files      = strings.Fields("report.pdf photo.png notes.txt data.csv")
	mimes      = strings.Fields("application/json image/png text/plain application/pdf")
)

// A place is consistent in itself: its phone numbers begin as they do there.
type place struct{ city, region, country, code, postal, currency, language, zone, dial, street string }

var places = []place{
	{"Berlin", "Berlin", "Germany", "DE", "10115", "EUR", "de", "Europe/Berlin", "+4930", "Gartenstraße"},
	{"Lyon", "Auvergne-Rhône-Alpes", "France", "FR", "69001", "EUR", "fr", "Europe/Paris", "+334", "Rue de la Gare"},
	{"Leeds", "Yorkshire", "United Kingdom", "GB", "LS1 4AP", "GBP", "en", "Europe/London", "+44113", "Park Row"},
	{"Austin", "Texas", "United States", "US", "78701", "USD", "en", "America/Chicago", "+1512", "Oak Street"},
	{"Osaka", "Osaka", "Japan", "JP", "530-0001", "JPY", "ja", "Asia/Tokyo", "+816", "Umeda"},
	{"Pune", "Maharashtra", "India", "IN", "411001", "INR", "hi", "Asia/Kolkata", "+9120", "Station Road"},
	{"Porto", "Porto", "Portugal", "PT", "4000-008", "EUR", "pt", "Europe/Lisbon", "+35122", "Rua das Flores"},
	{"Zurich", "Zurich", "Switzerland", "CH", "8001", "CHF", "de", "Europe/Zurich", "+4144", "Seeweg"},
	{"Nairobi", "Nairobi", "Kenya", "KE", "00100", "KES", "sw", "Africa/Nairobi", "+25420", "Moi Avenue"},
	{"Toronto", "Ontario", "Canada", "CA", "M5H 2N2", "CAD", "en", "America/Toronto", "+1416", "King Street"},
}

// A rng is the generator SplitMix64. Whatever a value is made of comes from one
// that is seeded by the value's place.
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	return hash(uint64(*r))
}

func (r *rng) intn(n int) int { return int(r.next() % uint64(n)) }

func (r *rng) of(list []string) string { return list[r.intn(len(list))] }

func (r *rng) chars(set string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = set[r.intn(len(set))]
	}
	return string(out)
}

func hash(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func mix(a, b uint64) uint64 { return hash(a*0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019) }

// hashText is FNV-1a.
func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
	alnum  = lower + digits
	hexes  = "0123456789abcdef"
)

// word is the text that a hint stands for. What belongs together in one object
// (name and email, city and country) comes from kin, the object's own hash.
func (h hint) word(r *rng, kin uint64) string {
	k := rng(kin)
	first, last := k.of(firstNames), k.of(lastNames)
	home := &places[k.intn(len(places))]
	switch h {
	case hintID:
		return r.chars(alnum, 16)
	case hintEmail:
		return strings.ToLower(first + "." + last + "@example.com")
	case hintFirst:
		return first
	case hintLast:
		return last
	case hintPerson:
		return first + " " + last
	case hintUser:
		return strings.ToLower(first) + "." + strings.ToLower(last)
	case hintName, hintTitle:
		return capital(r.of(adjectives)) + " " + r.of(nouns)
	case hintSentence:
		return sentence(r)
	case hintSlug:
		return r.of(adjectives) + "-" + r.of(nouns)
	case hintURL:
		return "https://example.com/" + r.of(nouns)
	case hintPhone:
		return home.dial + r.chars(digits[1:], 7)
	case hintCompany:
		return capital(k.of(nouns)) + " Ltd"
	case hintStreet:
		return home.street + " " + string('1'+byte(k.intn(9)))
	case hintCity:
		return home.city
	case hintRegion:
		return home.region
	case hintCountry:
		return home.country
	case hintCountryCode:
		return home.code
	case hintPostal:
		return home.postal
	case hintCurrency:
		return home.currency
	case hintLanguage:
		return home.language
	case hintTimezone:
		return home.zone
	case hintColor:
		return r.of(colors)
	case hintIP:
		return "192.0.2." + string('1'+byte(r.intn(9)))
	case hintHost:
		return r.of(nouns) + ".example.com"
	case hintToken:
		return r.chars(alnum, 24)
	case hintVersion:
		return "1." + string('0'+byte(r.intn(10))) + ".0"
	case hintMIME:
		return r.of(mimes)
	case hintFile:
		return r.of(files)
	case hintPath:
		return "/" + r.of(nouns) + "/" + r.of(nouns)
	case hintStatus:
		return r.of(statuses)
	case hintType:
		return r.of(kinds)
	case hintModel:
		return r.of(nouns) + "-1"
	case hintTag:
		return r.of(nouns)
	case hintGender:
		return [...]string{"female", "male", "diverse"}[k.intn(3)]
	case hintCreated, hintUpdated, hintStart, hintEnd, hintExpires, hintDeleted, hintBirth:
		return h.time(r, kin).Format(time.RFC3339)
	}
	return r.of(adjectives) + " " + r.of(nouns)
}

func sentence(r *rng) string {
	return "The " + r.of(adjectives) + " " + r.of(nouns) + " " + r.of(verbs) + " the " + r.of(nouns) + "."
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// time is an instant; those of one object are in order.
func (h hint) time(r *rng, kin uint64) time.Time {
	k := rng(kin ^ 0x51)
	base := time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(k.intn(300*24*60)) * time.Minute)
	later := time.Duration(1+k.intn(20*24*60)) * time.Minute
	switch h {
	case hintCreated, hintStart:
		return base
	case hintUpdated:
		return base.Add(later)
	case hintEnd:
		return base.Add(later + 24*time.Hour)
	case hintDeleted:
		return base.Add(later + 48*time.Hour)
	case hintExpires:
		return base.Add(later + 365*24*time.Hour)
	case hintBirth:
		return base.AddDate(-20-k.intn(50), 0, 0)
	}
	return base.Add(time.Duration(r.intn(20*24*60)) * time.Minute)
}
