package sums

// Peak is a number that goes up and down, and how high it was.
type Peak struct {
	now int
	// Most is how high it was.
	Most int
}

// Add adds n, which may be below 0.
func (p *Peak) Add(n int) {
	p.now += n
	p.Most = max(p.Most, p.now)
}
