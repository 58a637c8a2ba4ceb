package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
)

// Two resume calls for one node: the second waits for the first one's lock, and
// has it the moment the first one's machine loses power.
func Example() {
	e := simulator.New(simulator.Options{Seed: 1})
	resume := func(ctx context.Context, v env.Env) {
		unlock, err := v.Lock(ctx, "node-1")
		if err != nil {
			return
		}
		defer unlock()
		fmt.Println(v.Now().Sub(0), "has the node")
		if v.Sleep(ctx, time.Minute) == nil {
			fmt.Println(v.Now().Sub(0), "has launched")
			e.Trace("launch", simulator.Text("node-1"))
		}
	}
	first := e.Spawn("resume", resume)
	e.Spawn("resume", resume)
	e.After(20*time.Second, func() { e.Crash(first) })
	if err := e.Run(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0s has the node
	// 20s has the node
	// 1m20s has launched
}

// A queue with one server (M/M/1), of callbacks alone: customers come once a
// minute, one takes 30 s, and so 30 s is what they wait in the mean. A callback
// that is made once costs no allocation an event.
func ExampleEngine_After() {
	e := simulator.New(simulator.Options{Seed: 1})
	between, service := rand.New(e.Rand("queue", "between")), rand.New(e.Rand("queue", "service"))
	const customers = 200_000
	var (
		waiting      []time.Duration // when they came
		came, served int
		busy         bool
		waited       time.Duration
		leave        func()
	)
	serve := func() {
		waited += e.Now().Sub(0) - waiting[0]
		waiting, busy = waiting[1:], true
		e.After(time.Duration(service.ExpFloat64()*float64(30*time.Second)), leave)
	}
	leave = func() {
		served, busy = served+1, false
		if len(waiting) > 0 {
			serve()
		}
	}
	var arrive func()
	arrive = func() {
		waiting = append(waiting, e.Now().Sub(0))
		if !busy {
			serve()
		}
		if came++; came < customers {
			e.After(time.Duration(between.ExpFloat64()*float64(time.Minute)), arrive)
		}
	}
	e.After(0, arrive)
	if err := e.Run(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(served, "served, mean wait", (waited / customers).Round(time.Second))
	// Output:
	// 200000 served, mean wait 30s
}

// A process that takes a lock twice waits for itself. When nothing is left that
// could wake it, the run says who waits and for what.
func ExampleEngine_Run_leak() {
	e := simulator.New(simulator.Options{})
	e.Spawn("suspend", func(ctx context.Context, v env.Env) {
		for range 2 {
			if _, err := v.Lock(ctx, "node-1"); err != nil {
				return
			}
		}
	})
	var leaked *simulator.LeakError
	if err := e.Run(); errors.As(err, &leaked) {
		for _, l := range leaked.Leaks {
			fmt.Println(l.Process, "waits:", l.Waits)
		}
	}
	// Output:
	// suspend waits: lock node-1, held by suspend
}

// What happens at the same instant happens first come, first served, or in an
// order that the seed draws. The same seed is the same run.
func ExampleOptions_shuffleTies() {
	run := func(seed uint64) (order string, hash uint64) {
		e := simulator.New(simulator.Options{Seed: seed, ShuffleTies: true})
		for _, name := range []string{"a", "b", "c", "d"} {
			e.Spawn(name, func(context.Context, env.Env) {
				order += name
				e.Trace("ran", simulator.Text(name))
			})
		}
		if err := e.Run(); err != nil {
			fmt.Println(err)
		}
		return order, e.Hash()
	}
	order, hash := run(3)
	again, same := run(3)
	other, _ := run(4)
	fmt.Println(order, again, hash == same, other)
	// Output:
	// bcda bcda true dbac
}

// A machine loses power after it has written its intent and before it has made
// its call: the file is there when it comes back, the call was never made.
func ExampleDisk() {
	e, disk := simulator.New(simulator.Options{}), simulator.NewDisk()
	resume := e.Spawn("resume", func(ctx context.Context, v env.Env) {
		if err := disk.For(v).Write("journal/intent", []byte("launch node-1")); err != nil {
			return
		}
		if v.Sleep(ctx, time.Second) == nil {
			fmt.Println("launched")
		}
	})
	e.After(500*time.Millisecond, func() { e.Crash(resume) })
	e.After(time.Minute, func() {
		e.Spawn("heal", func(_ context.Context, v env.Env) {
			text, err := disk.For(v).Read("journal/intent")
			fmt.Printf("%s %v\n", text, err)
		})
	})
	if err := e.Run(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// launch node-1 <nil>
}
