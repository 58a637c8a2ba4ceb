package network

import (
	"encoding/binary"
	"net/netip"

	"aws-slurm-burst/simulator/ec2/api"
)

// Subnet is a part of a VPC in one zone.
type Subnet struct {
	api.Resource
	VPC          string
	CIDR         netip.Prefix
	AZ, AZID     string
	DefaultForAZ bool
	Free         int // addresses

	// Peak is the most addresses that ever were in use.
	Peak int

	used map[uint32]bool // offsets from the subnet's first address
	next uint32          // where the search for a free one begins
}

// AWS keeps the first four addresses of a subnet and the last one.
const (
	reservedFirst = 4
	reservedLast  = 1
)

// Take hands out the next free address. Addresses given back come round last,
// as late as the subnet allows.
func (s *Subnet) Take() netip.Addr {
	last := uint32(1)<<(32-s.CIDR.Bits()) - 1 - reservedLast
	for s.used[s.next] {
		if s.next++; s.next > last {
			s.next = reservedFirst
		}
	}
	n := s.next
	s.used[n] = true
	s.Peak = max(s.Peak, len(s.used))
	s.Free--
	if s.next++; s.next > last {
		s.next = reservedFirst
	}
	return addr4(binary.BigEndian.Uint32(s.CIDR.Addr().AsSlice()) + n)
}

// Give takes an address back.
func (s *Subnet) Give(a netip.Addr) {
	n := binary.BigEndian.Uint32(a.AsSlice()) - binary.BigEndian.Uint32(s.CIDR.Addr().AsSlice())
	if s.used[n] {
		delete(s.used, n)
		s.Free++
	}
}

func addr4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}
