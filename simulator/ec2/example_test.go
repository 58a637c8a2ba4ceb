package ec2_test

import (
	"cmp"
	"fmt"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/market"
	"aws-slurm-burst/simulator/ec2/template"
	"aws-slurm-burst/simulator/record"
)

// A spot instance of a type that is hard to have, from its launch to the end of
// its capacity.
func Example() {
	noon := env.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	engine := simulator.New(simulator.Options{Seed: 1, Start: noon})
	image, err := boot.Named("hpc")
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := ec2.New(ec2.Options{
		Clock: engine, Seed: 1, Types: ec2.Catalog(catalog.Default()),
		Boot: &image, Supplies: market.Default, Ledger: &billing.Ledger{},
		At: func(t env.Time, fn func()) { engine.At(t, fn) },
		Sink: func(e record.Event) {
			if e.Instance != "" {
				fmt.Println(e.At.Sub(noon).Truncate(time.Second), e.Kind, cmp.Or(e.Cause, e.AZ))
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = model.RunInstances(ec2.RunRequest{Min: 1, Max: 1, Spec: template.Spec{
		Type: "g5.xlarge", AZ: "us-east-1e", Market: cloud.Spot, ImageID: "ami-0a120230000086640"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := engine.Run(); err != nil {
		fmt.Println(err)
		return
	}
	total, _ := model.Bill()
	fmt.Println(total, model.CheckBill())
	// Output:
	// 0s instance_launched us-east-1e
	// 15s instance_running us-east-1e
	// 1h7m14s instance_warned us-east-1e
	// 1h9m14s instance_ending Server.SpotInstanceTermination
	// 1h9m14s instance_gone us-east-1e
	// 0.34 USD <nil>
}
