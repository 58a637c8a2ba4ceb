package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/boot"
	"aws-slurm-burst/simulator/ec2/throttle"
	"aws-slurm-burst/simulator/ec2/wire"
	"aws-slurm-burst/simulator/faults"
)

// rulesLimit bounds a file of fault rules.
const rulesLimit = 1 << 20

// wallClock drives the embedded EC2 in real time.
type wallClock struct{}

func (wallClock) Now() env.Time { return env.At(time.Now()) }

// ec2 serves the EC2 model on a port.
func (t *tool) ec2() *cobra.Command {
	var listen, rules, cidr, region, boots string
	var throttled bool
	var seed uint64
	var pending, ending time.Duration
	c := &cobra.Command{
		Use:   "ec2",
		Short: "Serve the embedded EC2 on this machine; its first line is its URL",
		Long: `Serve an EC2 of our own on a port of this machine, for any EC2 client: the
programs of this project, boto3, the AWS CLI. It keeps everything in memory,
takes any credentials, and models what a gang launch can meet: zones, subnets
and their addresses, client tokens, placement groups, spot prices and, with
--faults, shortages, throttles and lost answers. --throttle refuses calls that
come more often than EC2 lets an account call; --boot has instances come up, or
die, as those of an image do.

GET /_asb/calls tells which calls came, as JSON.`,
		Example: `  aws-slurm-burst ec2 --listen 127.0.0.1:0
  aws-slurm-burst ec2 --faults examples/faults/first-zone-short.yaml
  aws-slurm-burst ec2 --throttle --boot hpc`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, ids := ec2.Zones(catalog.Default(), region)
			o := ec2.Options{Clock: wallClock{}, Types: ec2.Catalog(catalog.Default()), Seed: seed, Region: region, ZoneIDs: ids, PendingFor: pending, ShuttingDownFor: ending}
			if cidr != "" {
				p, err := netip.ParsePrefix(cidr)
				if err != nil {
					return app.Exitf(report.ExitUsage, "--cidr: %v", err)
				}
				o.CIDR = p
			}
			if throttled {
				o.Throttle = throttle.Published()
			}
			if boots != "" {
				p, err := boot.Named(boots)
				if err != nil {
					return app.Exitf(report.ExitUsage, "--boot: %v", err)
				}
				o.Boot = &p
			}
			model, err := ec2.New(o)
			if err != nil {
				return app.Exitf(report.ExitUsage, "%v", err)
			}
			handler, err := withFaults(wire.New(model), rules, model.ZoneOf)
			if err != nil {
				return err
			}
			return t.serve(listen, handler)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:4566", "listen on `ADDRESS`; port 0 is a free one")
	c.Flags().StringVar(&rules, "faults", "", "break calls as the rules in `FILE` say")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of all ids: the same seed and calls give the same ids")
	c.Flags().StringVar(&region, "region", "us-east-1", "the region it is")
	c.Flags().StringVar(&cidr, "cidr", "", "the default VPC's `CIDR`, such as 127.0.0.0/16 beside a real slurmctld (default 172.31.0.0/16)")
	c.Flags().DurationVar(&pending, "pending", 0, "how long instances stay pending; 0: until the next describe")
	c.Flags().DurationVar(&ending, "shutting-down", 0, "how long instances stay shutting-down; 0: until the next describe")
	c.Flags().BoolVar(&throttled, "throttle", false, "refuse calls beyond EC2's published rate limits, with RequestLimitExceeded")
	c.Flags().StringVar(&boots, "boot", "", "how instances come up, in place of --pending: minimal, hpc or parallelcluster `IMAGE`; some die")
	c.MarkFlagsMutuallyExclusive("boot", "pending")
	return c
}

// serve serves an endpoint until the program is told to stop, and tells its URL
// first.
func (t *tool) serve(listen string, handler http.Handler) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return app.Exitf(report.ExitFailed, "--listen %s: %v (choose another port, or 127.0.0.1:0 for a free one)", listen, err)
	}
	if _, err := fmt.Fprintf(t.Stdout, "http://%s\n", l.Addr()); err != nil {
		_ = l.Close()
		return app.Exitf(report.ExitFailed, "the URL could not be told: %v", err)
	}
	if err := wire.Serve(t.Stop, l, handler); err != nil {
		return app.Exitf(report.ExitFailed, "%v", err)
	}
	return nil
}

// withFaults puts the rules of a file before the endpoint.
func withFaults(h http.Handler, file string, zone func(subnet string) string) (http.Handler, error) {
	if file == "" {
		return h, nil
	}
	rules, err := readRules(file)
	if err != nil {
		return nil, err
	}
	return faultproxy.New(h, faultproxy.Options{Rules: rules, Zone: zone}), nil
}

// readRules reads a file of fault rules; no file holds none.
func readRules(file string) (*faults.Rules, error) {
	if file == "" {
		return nil, nil
	}
	data, err := host.ReadFile(file, rulesLimit)
	if err != nil {
		return nil, app.Exitf(report.ExitUsage, "--faults: %v", err)
	}
	rules, err := faults.Parse(data, file)
	if err != nil {
		return nil, app.Exitf(report.ExitUsage, "%v", err)
	}
	return rules, nil
}
