package advise

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aws-slurm-burst/asba/plan"
	"aws-slurm-burst/asba/plan/lint"
)

// told is all that an advice says, but for each type's own reason.
func told(a Advice) string {
	return fmt.Sprintf("%s\n%d %+v %v\n", plan.Write(a.Plan), a.Nodes, a.Confidence, names(a.Choices()))
}

func TestWhatIsRememberedIsWhatWouldBeAdvised(t *testing.T) {
	var m Memory
	recalled := 0
	rapid.Check(t, func(t *rapid.T) {
		j, o := jobs(t), settings(t)
		for range 3 {
			if _, ok := m.Recall(j, o); ok {
				recalled++
			}
			if d := cmp.Diff(told(Advise(j, o)), told(m.Advise(j, o))); d != "" {
				t.Fatal(d)
			}
			// Another user's, later on the same day, or the day after.
			j.ID, j.User, j.Account = rapid.StringMatching("[0-9]{1,5}").Draw(t, "id"), rapid.SampledFrom([]string{"", "bob"}).Draw(t, "user"), "tides"
			o.Now = o.Now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours later")) * time.Hour)
		}
	})
	if recalled == 0 {
		t.Error("nothing was remembered")
	}
}

// TestAShapeIsAllThatDecides changes one field after the other.
func TestAShapeIsAllThatDecides(t *testing.T) {
	j := Job{GPUs: []GPU{{"h100", 1, PerNode}}, Unjudged: []string{"--contiguous"}}
	o := Options{Market: markets["us-east-1"], Now: today, Line: &lint.NodeLine{}, Archs: []string{"arm64"}, Zones: []string{"use1-az1"}, Allow: []string{"c*"}, Deny: []string{"d*"}}
	before, _ := shape(&j, &o)
	// Who asks, and what the job is called; of Market a Memory knows one, and of
	// the time it knows the day.
	free := []string{"ID", "Name", "User", "Account", "Partition", "Market"}
	changed := 0
	each(reflect.ValueOf(&j).Elem(), "", free, func(name string) {
		changed++
		if after, _ := shape(&j, &o); slices.Equal(before, after) {
			t.Errorf("Job%s decides, but is not in the shape", name)
		}
	})
	each(reflect.ValueOf(&o).Elem(), "", free, func(name string) {
		changed++
		if after, ok := shape(&j, &o); ok && slices.Equal(before, after) {
			t.Errorf("Options%s decides, but is not in the shape", name)
		}
	})
	if again, _ := shape(&j, &o); !slices.Equal(before, again) || changed < 40 {
		t.Errorf("%d fields, and the shape is not what it was", changed)
	}
	for _, name := range free[:5] {
		reflect.ValueOf(&j).Elem().FieldByName(name).SetString("another")
	}
	o.Now = today.Add(time.Hour)
	if after, _ := shape(&j, &o); !slices.Equal(before, after) {
		t.Error("another name is another shape")
	}
}

// each sets every field to another value, calls see, and sets it back.
func each(v reflect.Value, name string, free []string, see func(name string)) {
	set := func(to reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.Set(to)
		see(name)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			set(reflect.ValueOf(v.Interface().(time.Time).Add(48 * time.Hour)))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); !slices.Contains(free, f.Name) {
				each(v.Field(i), name+"."+f.Name, free, see)
			}
		}
	case reflect.Pointer:
		each(v.Elem(), name, free, see)
		set(reflect.Zero(v.Type()))
	case reflect.Slice:
		each(v.Index(0), name+"[0]", free, see)
		set(reflect.Append(reflect.Zero(v.Type()), v.Index(0), v.Index(0)))
	case reflect.Bool:
		set(reflect.ValueOf(!v.Bool()).Convert(v.Type()))
	case reflect.String:
		set(reflect.ValueOf(v.String() + "z").Convert(v.Type()))
	case reflect.Int, reflect.Int64:
		set(reflect.ValueOf(v.Int() + 1).Convert(v.Type()))
	case reflect.Float64:
		set(reflect.ValueOf(v.Float() + 0.5).Convert(v.Type()))
	default:
		panic(name + " is a " + v.Kind().String())
	}
}

func TestAMemoryIsBoundedAndKeepsWhatIsAskedFor(t *testing.T) {
	var m Memory
	o := options("us-east-1")
	a := Advise(Job{MinNodes: 1}, o)
	often := Job{MinNodes: 1, Tasks: 7}
	for i := range 5 * shapes {
		m.Keep(Job{MinNodes: 1, TimeLimit: time.Duration(1+i) * time.Second}, o, a)
		m.Advise(often, o)
	}
	if n := len(m.young) + len(m.old); n > 2*shapes {
		t.Errorf("%d shapes", n)
	}
	if _, ok := m.Recall(often, o); !ok {
		t.Error("what is asked for all the time was forgotten")
	}
	if _, ok := m.Recall(Job{MinNodes: 1, TimeLimit: time.Second}, o); ok {
		t.Error("nothing was forgotten")
	}
	for _, j := range []Job{
		{Constraint: strings.Repeat("x", longTexts+1)},
		{Unjudged: []string{"--nodelist=" + strings.Repeat("n", longTexts)}},
		{GPUs: []GPU{{Model: strings.Repeat("g", longTexts+1), Count: 1}}},
	} {
		m.Advise(j, o)
		if _, ok := m.Recall(j, o); ok {
			t.Errorf("a job of %d bytes of texts is remembered", texts(&j))
		}
	}
	other := options("us-east-2")
	m.Advise(often, other)
	if _, ok := m.Recall(often, o); ok || len(m.young)+len(m.old) != 1 {
		t.Error("another market's is remembered")
	}
	o.Deadline = today.Add(24 * time.Hour)
	m.Advise(often, o)
	if _, ok := m.Recall(often, o); ok {
		t.Error("with a deadline each moment is another")
	}
}

func BenchmarkMemory(b *testing.B) {
	var m Memory
	j, o := Job{MinNodes: 4, Tasks: 64, TimeLimit: 2 * time.Hour, Requeue: true}, options("us-east-1")
	b.ReportAllocs()
	for b.Loop() {
		m.Advise(j, o)
	}
}
