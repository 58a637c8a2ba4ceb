package network

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/simulator/ec2/api"
)

func made(t testing.TB, cidr string, bits int) (*Network, error) {
	t.Helper()
	seq := 0
	return New("us-east-1", 3, nil, netip.MustParsePrefix(cidr), bits, func(r *api.Resource, prefix, kind string, tags []cloud.Tag) {
		seq++
		*r = api.Resource{ID: fmt.Sprintf("%s-%d", prefix, seq), Kind: kind, Tags: tags, Seq: uint64(seq)}
	})
}

func TestEachZoneHasADefaultSubnetOfItsOwn(t *testing.T) {
	n, err := made(t, "172.31.0.0/16", 20)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range n.Subnets {
		if s.AZ != n.Zones[i].Name || !s.DefaultForAZ || s.VPC != n.DefaultVPC().ID || s.Free != 4091 {
			t.Errorf("%+v in %v", s, n.Zones[i])
		}
		for _, other := range n.Subnets[:i] {
			if s.CIDR.Overlaps(other.CIDR) {
				t.Errorf("%v and %v", s.CIDR, other.CIDR)
			}
		}
	}
	if g := n.GroupNamed(n.DefaultVPC().ID, "default"); g == nil || n.Group(g.ID) != g {
		t.Error("no default security group")
	}
	for cidr, bits := range map[string]int{"10.0.0.0/8": 20, "10.0.0.1/16": 20, "10.0.0.0/24": 25, "10.0.0.0/25": 29} {
		if _, err := made(t, cidr, bits); err == nil {
			t.Errorf("%s in subnets of /%d is taken", cidr, bits)
		}
	}
}

// Addresses that are in use differ, are of the subnet, and are as many as it says
// are not free.
func TestNobodySharesAnAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, _ := made(&testing.T{}, "10.0.0.0/24", 28)
		s := n.Subnets[0]
		all, most := s.Free, 0
		used := map[netip.Addr]bool{}
		var list []netip.Addr
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if s.Free > 0 && (len(list) == 0 || rapid.Bool().Draw(t, "take")) {
				a := s.Take()
				if used[a] || !s.CIDR.Contains(a) {
					t.Fatalf("%v of %v is used: %v", a, s.CIDR, used[a])
				}
				used[a] = true
				list = append(list, a)
			} else {
				k := rapid.IntRange(0, len(list)-1).Draw(t, "which")
				s.Give(list[k])
				delete(used, list[k])
				list = append(list[:k], list[k+1:]...)
			}
			most = max(most, len(list))
			if s.Free != all-len(list) || s.Peak != most {
				t.Fatalf("%d free of %d, %d in use, at most %d: %d", s.Free, all, len(list), s.Peak, most)
			}
		}
	})
}
