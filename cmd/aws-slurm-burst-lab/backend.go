package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/features/report"
	"aws-slurm-burst/localstack"
	"aws-slurm-burst/localstack/container"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/wire"
)

// find finds or starts the backend that a word names, on every rung there is. An
// EC2 of our own is the given region; "" is us-east-1.
func find(ctx context.Context, word, region string, getenv func(string) string) (localstack.Backend, error) {
	want, err := localstack.Parse(word)
	if err != nil {
		return localstack.Backend{}, err
	}
	want.Getenv, want.Container, want.Embedded = getenv, container.Rung, embedded(region)
	return localstack.Find(ctx, want)
}

// pricesOf are the catalogue's, to judge budgets by in a region; "" is us-east-1,
// as it is for the EC2 of our own.
func pricesOf(region string) func(instanceType string) (usd float64, known bool) {
	return func(instanceType string) (usd float64, known bool) {
		p, known := catalog.Default().Price(instanceType, cmp.Or(region, catalog.PriceRegion))
		return p.USD, known
	}
}

// told is a backend as reports have it.
func told(b localstack.Backend) report.Backend {
	out := report.Backend{Name: b.Name, Product: b.Product, URL: b.URL, Why: b.Reason()}
	switch b.Kind {
	case localstack.Container, localstack.Host:
		out.Rung = "localstack-" + string(b.Kind)
	}
	return out
}

// wallClock drives the embedded EC2 in real time.
type wallClock struct{}

func (wallClock) Now() env.Time { return env.At(time.Now()) }

// embedded serves the EC2 of `aws-slurm-burst ec2` from this process, so that
// nothing outlives it. It ends with stop alone: what scenarios leave behind is
// cleaned up after ctx.
func embedded(region string) func(context.Context) (string, func() error, error) {
	return func(ctx context.Context) (url string, stop func() error, err error) {
		_, ids := ec2.Zones(catalog.Default(), region)
		model, err := ec2.New(ec2.Options{Clock: wallClock{}, Types: ec2.Catalog(catalog.Default()), Seed: 1, Region: region, ZoneIDs: ids})
		if err != nil {
			return "", nil, err
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return "", nil, fmt.Errorf("the embedded EC2: %w", err)
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		served := make(chan error, 1)
		go func() { served <- wire.Serve(ctx, l, wire.New(model)) }()
		return "http://" + l.Addr().String(), func() error { cancel(); return <-served }, nil
	}
}
