package processors_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/processors"
	"aws-slurm-burst/simulator/workload/models"
)

// How much less jobs wait when small ones may overtake.
func Example() {
	for _, try := range []struct {
		name   string
		policy processors.Policy
	}{{"fifo", processors.FIFO}, {"easy", processors.EASY}} {
		e := simulator.New(simulator.Options{Seed: 1})
		jobs := models.Lublin{Jobs: 5_000, MaxProcs: 128}.Source(func(stream string) rand.Source { return e.Rand("workload", stream) })
		var waited time.Duration
		ended := 0
		err := processors.Run(e, jobs, processors.Options{Processors: 256, Policy: try.policy}, func(r processors.Result) {
			waited += r.Wait()
			ended++
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(try.name, ended, (waited / time.Duration(ended)).Round(time.Minute))
	}
	// Output:
	// fifo 5000 2h17m0s
	// easy 5000 24m0s
}
