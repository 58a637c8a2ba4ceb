package simulator_test

import (
	"context"
	"fmt"
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
