package simulator

import "aws-slurm-burst/executor/env"

// Stream is a stream of random numbers: the SplitMix64 generator (Steele, Lea
// and Flood, 2014), 8 bytes of state, the same on every machine and in every
// release of Go. It is also a math/rand/v2 Source, for its distributions.
type Stream struct{ state uint64 }

var _ env.Rand = (*Stream)(nil)

// golden is 2^64 divided by the golden ratio: SplitMix64's step.
const golden = 0x9e3779b97f4a7c15

// Uint64 returns a uniform 64-bit value.
func (s *Stream) Uint64() uint64 {
	s.state += golden
	return scramble(s.state)
}

// Float64 returns a uniform value in [0, 1), of 53 random bits.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * (1.0 / (1 << 53)) }

// scramble is SplitMix64's output function. It is a bijection, so that folding
// with it loses nothing.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fold adds a number to a hash.
func fold(h, x uint64) uint64 { return scramble(h + golden ^ x) }

// foldString adds a string to a hash, with its length, so that "ab", "c" and
// "a", "bc" differ.
func foldString(h uint64, s string) uint64 {
	h = fold(h, uint64(len(s)))
	for ; len(s) >= 8; s = s[8:] {
		h = fold(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
	}
	if s == "" {
		return h
	}
	var x uint64
	for i := range len(s) {
		x |= uint64(s[i]) << (8 * i)
	}
	return fold(h, x)
}

// streamKey names a stream of a component.
type streamKey struct{ owner, stream string }

// NewStream returns the stream that Rand of an Engine with this seed returns, for
// models that may have to do without an engine.
func NewStream(seed uint64, component, stream string) *Stream {
	return newStream(seed, component, 0, stream)
}

func newStream(seed uint64, owner string, incarnation int, stream string) *Stream {
	h := foldString(scramble(seed), owner)
	return &Stream{foldString(fold(h, uint64(incarnation)), stream)}
}

// Rand returns a stream of a model: the same one on each call. One more draw
// from it, or one more stream, shifts no other, so that two runs of a seed
// under different policies meet the same chances.
func (e *Engine) Rand(component, stream string) *Stream {
	k := streamKey{component, stream}
	s := e.streams[k]
	if s == nil {
		s = newStream(e.opt.Seed, component, 0, stream)
		e.streams[k] = s
	}
	return s
}

// namedStream is a stream of a process: of its name and its incarnation, counted
// from 1.
type namedStream struct {
	name   string
	stream *Stream
}

// stream returns a stream of the process, the same one on each call. They go with
// it.
func (p *Process) stream(name string) *Stream {
	for i := range p.streams {
		if p.streams[i].name == name {
			return p.streams[i].stream
		}
	}
	s := newStream(p.engine.opt.Seed, p.name, p.incarnation, name)
	p.streams = append(p.streams, namedStream{name, s})
	return s
}
