package market

import (
	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
)

// Command returns the command. What it prints goes to std.Stdout, which is to
// remember by itself what could not be written.
func Command(std app.IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "catalog",
		Short: "What is known of EC2's instance types, zones and prices, and how old it is",
	}
	c.AddCommand(showCommand(std), refreshCommand(std))
	return c
}

type options struct{ config, region, family, format string }

func (o *options) flags(c *cobra.Command) {
	c.Flags().StringVarP(&o.config, "config", "c", "", "take region, endpoint and caches from the configuration in `FILE`")
	c.Flags().StringVar(&o.region, "region", "", "the `REGION`; else the configuration's, else AWS_REGION's")
	c.Flags().StringVarP(&o.format, "output", "o", "table", "print the result as table, json, yaml or markdown")
}

func showCommand(std app.IO) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "show [TYPE...]",
		Short: "Show instance types with their facts, zones and prices; without TYPE what is known at all",
		Long: `Show what the programs know of instance types in a region: size, network, GPUs,
how they are sold, which zones offer them, what they cost on demand and, usually,
on the spot market, each with the day it is of. Without TYPE show how much is known
of the region, from where, and how old it is. Nobody is asked.`,
		Example: `  aws-slurm-burst catalog show
  aws-slurm-burst catalog show c6i.2xlarge hpc7a.96xlarge --region us-east-2
  aws-slurm-burst catalog show --family c5n -o json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := app.CheckFormat(o.format); err != nil {
				return err
			}
			m, err := Shown(cmd.Context(), std, o.config, o.region)
			if err != nil {
				return err
			}
			return m.show(std.Stdout, names, o)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.family, "family", "", "show all types of the `FAMILY`, such as c5n")
	return c
}

func refreshCommand(std app.IO) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "refresh",
		Short: "Ask EC2 itself what it sells in a region, and keep it for the programs",
		Long: `Ask EC2 for its instance types, zones, offers and today's spot prices in a
region, and keep them beside the journal's caches (without a configuration: among
the user's own caches). The programs then use, of each kind of fact, the newer.
Prices on demand stay those that are shipped: EC2 has no call for them.

It takes some fifty calls, all of which only read: DescribeInstanceTypes,
DescribeInstanceTypeOfferings, DescribeAvailabilityZones, DescribeSpotPriceHistory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.CheckFormat(o.format); err != nil {
				return err
			}
			m, err := Open(cmd.Context(), std, o.config, o.region)
			if err != nil {
				return err
			}
			return m.refresh(cmd.Context(), std, o)
		},
	}
	o.flags(c)
	return c
}
