package swf

import "time"

// number is a field: a decimal number, of which many logs have only the whole
// part. The sign is the whole number's, also of one above -1.
type number struct {
	whole int64
	nano  int32 // billionths beyond it
	minus bool
}

func (n number) negative() bool { return n.minus && (n.whole != 0 || n.nano != 0) }

// duration is the number as seconds.
func (n number) duration() time.Duration {
	d := time.Duration(n.whole) * time.Second
	if n.minus {
		return d - time.Duration(n.nano)
	}
	return d + time.Duration(n.nano)
}

// split reads the numbers of a line: how many columns it has, and which of the
// first ones is not a number, -1 for none.
func split(line []byte, f *[fields]number) (n, bad int) {
	bad = -1
	for i := 0; ; n++ {
		for i < len(line) && blank(line[i]) {
			i++
		}
		switch {
		case i == len(line):
			return n, bad
		case n == 0 && line[i] == ';':
			return 0, -1
		case n >= fields:
			i = word(line, i)
			continue
		}
		// Nearly all are -1, or digits alone.
		if line[i] == '-' && i+1 < len(line) && line[i+1] == '1' && (i+2 == len(line) || blank(line[i+2])) {
			f[n] = number{whole: -1, minus: true}
			i += 2
			continue
		}
		end, whole := i, int64(0)
		for end < len(line) && line[end]-'0' < 10 {
			whole = whole*10 + int64(line[end]-'0')
			end++
		}
		if end > i && end-i <= maxDigits && (end == len(line) || blank(line[end])) {
			f[n] = number{whole: whole}
			i = end
			continue
		}
		end, v, ok := parse(line, i)
		if !ok && bad < 0 {
			bad = n
		}
		f[n] = v
		i = word(line, end)
	}
}

// maxDigits of a number that overflows nothing.
const maxDigits = 18

func blank(c byte) bool { return c == ' ' || c == '\t' }

// word is where the word that goes on at line[i:] ends.
func word(line []byte, i int) int {
	for i < len(line) && !blank(line[i]) {
		i++
	}
	return i
}

// parse reads one number from line[i:], up to a blank: -12, 3.75, 1.5e3. It
// returns where it ended, and false for what is none.
func parse(line []byte, i int) (end int, v number, ok bool) {
	if line[i] == '-' || line[i] == '+' {
		v.minus = line[i] == '-'
		i++
	}
	start := i
	for ; i < len(line) && line[i]-'0' < 10; i++ {
		v.whole = v.whole*10 + int64(line[i]-'0')
	}
	digits := i - start
	if digits > maxDigits {
		return i, v, false // and whatever it overflowed to
	}
	if i < len(line) && line[i] == '.' {
		i++
		for unit := int32(100_000_000); i < len(line) && line[i]-'0' < 10; i++ {
			v.nano += int32(line[i]-'0') * unit
			unit /= 10
			digits++
		}
	}
	if digits == 0 {
		return i, v, false
	}
	if i < len(line) && (line[i] == 'e' || line[i] == 'E') {
		if i, v, ok = power(line, i+1, v); !ok {
			return i, v, false
		}
	}
	if i < len(line) && !blank(line[i]) {
		return i, v, false
	}
	if v.minus {
		v.whole = -v.whole
	}
	return i, v, true
}

// power multiplies v by the power of ten in line[i:], as programs print large
// numbers: 1.2e+06.
func power(line []byte, i int, v number) (int, number, bool) {
	minus := i < len(line) && line[i] == '-'
	if minus || i < len(line) && line[i] == '+' {
		i++
	}
	start, n := i, 0
	for ; i < len(line) && line[i]-'0' < 10 && i-start < 3; i++ {
		n = n*10 + int(line[i]-'0')
	}
	if i == start || n > maxDigits {
		return i, v, false
	}
	nano := int64(v.nano)
	for range n {
		if minus {
			nano, v.whole = (nano+v.whole%10*1e9)/10, v.whole/10
			continue
		}
		if v.whole > 1e17 {
			return i, v, false
		}
		nano *= 10
		v.whole, nano = v.whole*10+nano/1e9, nano%1e9
	}
	v.nano = int32(nano)
	return i, v, true
}
