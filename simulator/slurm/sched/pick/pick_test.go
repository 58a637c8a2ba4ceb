package pick

import (
	"slices"
	"testing"
	"time"

	"aws-slurm-burst/simulator/slurm/sched/site"
	"aws-slurm-burst/simulator/slurm/sched/slots"
)

// bed is 3 nodes of 4 CPUs (two threads a core) of weight 5 and 2 of 8 of weight 1.
func bed(t *testing.T, shared bool) (*site.Site, *Picker, int32) {
	t.Helper()
	s := site.New()
	s.AddPartition(site.Partition{Name: "batch", MaxTime: time.Hour})
	for _, c := range []site.Class{{CPUs: 4, Threads: 2, Weight: 5, Memory: 100}, {CPUs: 8, Threads: 2, Weight: 1, Memory: 100}} {
		c.Partitions = []string{"batch"}
		k, err := s.AddClass(c)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 - c.CPUs/4 {
			s.AddNode(k)
		}
	}
	place, err := s.Place("batch", "")
	if err != nil {
		t.Fatal(err)
	}
	p := New(&s, shared, true)
	return &s, &p, place
}

func TestNodesAreChosenByAvailabilityThenWeight(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s, p, place := bed(t, shared)
		choose := func(a Ask, c Choice) []int32 {
			a.Place = place
			i := p.Hold(a)
			defer p.Drop(i)
			if p.Choose(&p.Shapes[i], time.Minute, c, nil) == nil {
				return nil
			}
			return p.Chosen
		}
		one := Ask{MinNodes: 1, MaxNodes: 1, CPUs: 1}
		if got := choose(one, Choice{}); !slices.Equal(got, []int32{3}) {
			t.Errorf("shared %v: %v, want the lightest, 3", shared, got)
		}
		avoid := slots.Of(5)
		avoid.Add(3)
		if got := choose(one, Choice{Avoid: avoid}); !slices.Equal(got, []int32{4}) {
			t.Errorf("shared %v: %v, want 4, as 3 is to be avoided", shared, got)
		}
		if got := choose(one, Choice{Caps: []int32{1, 0}}); !slices.Equal(got, []int32{0}) {
			t.Errorf("shared %v: %v, want 0, as none of the light ones may be taken", shared, got)
		}
		s.SetNode(3, site.Off, 0)
		s.SetNode(4, site.Off, 0)
		if got := choose(one, Choice{}); !slices.Equal(got, []int32{0}) {
			t.Errorf("shared %v: %v, want one that is up, 0", shared, got)
		}
	}
}

func TestSharedJobsGetWholeCores(t *testing.T) {
	_, p, place := bed(t, true)
	i := p.Hold(Ask{Place: place, MinNodes: 2, MaxNodes: 2, CPUs: 8})
	if p.Choose(&p.Shapes[i], time.Minute, Choice{}, nil) == nil || !slices.Equal(p.Chosen, []int32{3, 4}) || !slices.Equal(p.CPUs, []int32{6, 2}) {
		t.Errorf("%v on %v", p.CPUs, p.Chosen)
	}
	i = p.Hold(Ask{Place: place, MinNodes: 1, CPUs: 3})
	if p.Choose(&p.Shapes[i], time.Minute, Choice{}, nil) == nil || !slices.Equal(p.CPUs, []int32{4}) {
		t.Errorf("3 CPUs are %v", p.CPUs)
	}
}

func TestWhatNoNodeHasIsRefused(t *testing.T) {
	for _, shared := range []bool{false, true} {
		_, p, place := bed(t, shared)
		for _, c := range []struct {
			ask  Ask
			want Reason
		}{
			{Ask{MinNodes: 1, CPUs: 28}, None},
			{Ask{MinNodes: 1, CPUs: 29}, BadConstraints},
			{Ask{MinNodes: 6, CPUs: 6}, BadConstraints},
			{Ask{MinNodes: 2, MaxNodes: 2, CPUs: 17}, BadConstraints},
			{Ask{MinNodes: 1, CPUs: 1, Memory: 101}, BadConstraints},
			{Ask{MinNodes: 1, CPUs: 1, GPUs: 1}, BadConstraints},
		} {
			c.ask.Place = place
			sh := &p.Shapes[p.Hold(c.ask)]
			if sh.Why != c.want || (len(sh.Wants) > 0) != (c.want == None) {
				t.Errorf("shared %v: %+v: %v", shared, c.ask, sh.Why)
			}
			if c.want == None && (p.Bars(time.Hour, &sh.Wants[0]) != None || p.Bars(time.Hour+1, &sh.Wants[0]) != PartitionTimeLimit) {
				t.Error("the partition's limit does not hold")
			}
		}
	}
}
