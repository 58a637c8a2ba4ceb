package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/simulator/cluster"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/record"
	"aws-slurm-burst/simulator/slurm/conf"
	"aws-slurm-burst/simulator/slurm/sched"
	"aws-slurm-burst/simulator/workload"
)

// One node on the premises and two in the cloud: the first job runs at once, the
// second, for which nothing is left, on nodes that the executor launches.
func Example() {
	const site = `
cluster: example
aws: {region: us-east-1}
slurm:
  partitions:
    - partition_name: aws
      node_groups:
        - {node_group_name: cpu, nodes: "aws-[1-2]", instance_types: [c6i.xlarge], subnets: {default_for_az: true}, image: {owner: amazon, name: "al2023-ami-2023*"}}
`
	cfg, err := config.Parse([]byte(site), "config.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	types := catalog.Default()
	text, err := cluster.SlurmConf(cluster.Premises{Nodes: 1, Cores: 4}, cfg, types, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	image, err := boot.Named("hpc")
	if err != nil {
		fmt.Println(err)
		return
	}
	slurm := conf.Read([]byte(text), "slurm.conf", nil).Settings
	var partitions []string
	for _, p := range slurm.Partitions {
		partitions = append(partitions, p.Name)
	}
	jobs := func(yield func(workload.Job, error) bool) {
		for i, procs := range []int32{4, 8} {
			submit := time.Duration(i) * time.Minute
			if !yield(workload.Job{ID: int64(i + 1), Submit: submit, Run: time.Hour, Limit: 2 * time.Hour, Procs: procs, Partition: strings.Join(partitions, ",")}, nil) {
				return
			}
		}
	}
	ledger := &billing.Ledger{}
	out, err := cluster.Run(context.Background(), cluster.NewEngine(1), jobs, cluster.Options{
		Slurm: slurm, Policy: sched.Slurm,
		Cloud: &cluster.Cloud{Config: cfg, Types: types, EC2: ec2.Options{Seed: 1, Boot: &image, Ledger: ledger}},
		Sink: func(e record.Event) {
			at := e.At.Sub(record.Begin).Truncate(time.Second)
			switch e.Kind {
			case record.JobAllocated:
				fmt.Println(at, e.Kind, e.Job, e.Nodes)
			case record.JobEnded:
				fmt.Println(at, e.Kind, e.Job)
			case record.InstanceLaunched, record.InstanceEnding:
				fmt.Println(at, e.Kind, e.Type)
			case record.NodeReady:
				fmt.Println(at, e.Kind, e.Node)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d jobs in %v\n", out.Ended, out.Simulated.Truncate(time.Second))
	// Output:
	// 3s job_allocated 1 [local-1]
	// 1m0s job_allocated 2 [aws-1 aws-2]
	// 1m2s instance_launched c6i.xlarge
	// 1m2s instance_launched c6i.xlarge
	// 2m15s node_ready aws-1
	// 2m51s node_ready aws-2
	// 1h0m3s job_ended 1
	// 1h2m51s job_ended 2
	// 1h12m52s instance_ending c6i.xlarge
	// 1h12m52s instance_ending c6i.xlarge
	// 2 jobs in 1h13m32s
}
