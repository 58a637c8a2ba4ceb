package simulator

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"aws-slurm-burst/executor/env"
)

func TestADiskOutlivesItsProcesses(t *testing.T) {
	disk := NewDisk()
	var e *Engine
	e = New(Options{OnCall: func(p *Process, call string) {
		if call == "Written" && len(disk.Names("launches")) == 2 {
			e.Crash(p)
		}
	}})
	e.Spawn("p", func(_ context.Context, v env.Env) {
		f := disk.For(v)
		defer func() { _ = f.Remove("launches/a") }()
		for _, name := range []string{"launches/b", "cache/x", "launches/a", "launches/c"} {
			data := []byte(name)
			if err := f.Write(name, data); err != nil {
				t.Error(err)
			}
			data[0] = '!' // the caller's own again
		}
	})
	run(t, e)
	e.Spawn("p", func(_ context.Context, v env.Env) {
		f := disk.For(v)
		names, err := f.List("launches")
		if want := []string{"launches/a", "launches/b"}; !slices.Equal(names, want) || err != nil {
			t.Errorf("%v %v: a write that was made is there, one that was not is not", names, err)
		}
		if data, err := f.Read("launches/a"); string(data) != "launches/a" || err != nil {
			t.Errorf("%q %v", data, err)
		}
		if err := errors.Join(f.Remove("cache/x"), f.Remove("launches/a")); err != nil {
			t.Error(err)
		}
		if _, err := f.Read("cache/x"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err := f.Remove("cache/x"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		disk.Full = true
		if err := f.Write("launches/b", nil); err == nil {
			t.Error("a full disk took a write")
		}
		if data, _ := f.Read("launches/b"); string(data) != "launches/b" {
			t.Errorf("a write that failed changed the file: %q", data)
		}
	})
	run(t, e)
}
