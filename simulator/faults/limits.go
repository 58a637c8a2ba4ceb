package faults

// The kinds of limits, by their keys.
const (
	capacity = "capacity" // so many in all, ever
	quota    = "quota"    // so many alive at once
	grant    = "grant"    // so many a launch
)

// limit is how many instances a rule lets launches have.
type limit struct {
	kind   string // "" for a rule without one
	amount int
	used   int
	// tokens remembers what launches were given: to EC2 a repeated token is the
	// same launch.
	tokens map[string]int
	alive  map[string]bool // instances that count against a quota
}

// booking is what a limit gave a launch before anybody knew its outcome.
type booking struct {
	limit *limit
	n     int
	token string
}

// before returns what the token was given, if it was.
func (l *limit) before(token string) (n int, again bool) {
	if token == "" {
		return 0, false
	}
	n, again = l.tokens[token]
	return n, again
}

// ration lets a launch have what the limit has left for it. A launch that gets
// all it wants goes on to the rules below.
func (k *rule) ration(f Fact, out *Effect) bool {
	l, most := &k.limit, max(f.Size, f.Max)
	n, again := l.before(f.Token)
	if !again {
		if n = min(l.amount-l.used, most); n < f.Size || n <= 0 {
			out.Code, out.Status, out.Message = k.reason(f)
			out.Limited = true
			return true
		}
		if l.kind != grant {
			l.used += n
		}
		if f.Token != "" {
			l.tokens[f.Token] = n
		}
		out.booked = append(out.booked, booking{l, n, f.Token})
	}
	if n < most {
		out.Grant, out.Limited = n, true
		out.Code, _, out.Message = k.reason(f)
		return true
	}
	return false
}

// reason is what a limit answers: the rule's own code, else that of EC2 for the
// kind of limit. EC2 counts vCPUs on demand and instances for spot.
func (k *rule) reason(f Fact) (code string, status int, message string) {
	code, message = k.code, k.message
	switch {
	case code != "":
	case k.limit.kind != quota:
		code = ice
	case f.Market == "spot":
		code = "MaxSpotInstanceCountExceeded"
	default:
		code = "VcpuLimitExceeded"
	}
	if message == "" {
		message = textOf(code)
	}
	return code, StatusOf(code), message
}

// settle puts what a launch really got in place of what it was booked with.
func (l *limit) settle(b booking, launched []string) {
	if len(launched) == 0 {
		delete(l.tokens, b.token)
	}
	if l.kind == grant {
		return
	}
	l.used -= b.n
	for _, id := range launched {
		if l.kind == quota {
			if l.alive[id] {
				continue
			}
			l.alive[id] = true
		}
		l.used++
	}
}

// free gives back what ended instances held of a quota.
func (l *limit) free(ended []string) {
	for _, id := range ended {
		if l.alive[id] {
			delete(l.alive, id)
			l.used--
		}
	}
}
