package workload

// IDs remembers which numbers jobs have had: a bit a job where they count up, as
// they mostly do.
type IDs struct {
	word map[int64]uint64
	at   int64 // which word bits is
	bits uint64
}

// Add reports whether id is new, and remembers it.
func (s *IDs) Add(id int64) bool {
	if at := id >> 6; at != s.at {
		s.turn(at)
	}
	bit := uint64(1) << (id & 63)
	if s.bits&bit != 0 {
		return false
	}
	s.bits |= bit
	return true
}

// Has reports whether id was added.
func (s *IDs) Has(id int64) bool {
	at := id >> 6
	bits := s.bits
	if at != s.at {
		bits = s.word[at]
	}
	return bits&(1<<(id&63)) != 0
}

func (s *IDs) turn(at int64) {
	if s.word == nil {
		s.word = map[int64]uint64{}
	}
	s.word[s.at] = s.bits
	s.at, s.bits = at, s.word[at]
}
