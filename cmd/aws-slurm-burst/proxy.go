package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/localstack/query"
	"aws-slurm-burst/localstack/standin"
)

// answerWithin bounds the question what an endpoint lacks.
const answerWithin = 10 * time.Second

// standIns are the values of --stand-ins.
var standIns = []string{"auto", "always", "never"}

// proxy puts faults, and what the endpoint lacks, before an EC2 elsewhere.
func (t *tool) proxy() *cobra.Command {
	var to, listen, rules, add string
	var allowAWS bool
	c := &cobra.Command{
		Use:   "proxy --to URL",
		Short: "Put faults before an EC2 endpoint such as LocalStack; its first line is its URL",
		Long: `Stand before an EC2 endpoint that looks at no signatures, such as LocalStack,
break calls as the rules of --faults say (docs/FAULTS.md), and keep a log of all.
Where the endpoint has no placement groups, which it is asked first, what
LocalStack lacks is added: placement groups, client tokens, launches of MaxCount
instances, whole instant fleets, and refusals of unknown images and full subnets.

GET /_asb/calls tells which calls came, as JSON.`,
		Example: `  aws-slurm-burst proxy --to http://127.0.0.1:4566 --listen 127.0.0.1:0
  aws-slurm-burst proxy --to http://127.0.0.1:4566 --faults examples/faults/first-zone-short.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return app.Exitf(report.ExitUsage, "no endpoint given: --to URL, such as http://127.0.0.1:4566")
			}
			target, err := url.Parse(to)
			if err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
				return app.Exitf(report.ExitUsage, "--to %q is no URL: write it like http://127.0.0.1:4566", to)
			}
			if query.IsAWS(target.Hostname()) && !allowAWS {
				return app.Exitf(report.ExitUsage, "--to %s is AWS itself, where launches cost money: give a local endpoint, or --allow-aws", to)
			}
			if !slices.Contains(standIns, add) {
				return app.Exitf(report.ExitUsage, "--stand-ins %q is not one of %s", add, strings.Join(standIns, ", "))
			}
			read, err := readRules(rules)
			if err != nil {
				return err
			}
			endpoint := faultproxy.Reverse(target)
			needed := add == "always"
			if add == "auto" {
				ctx, cancel := context.WithTimeout(cmd.Context(), answerWithin)
				defer cancel()
				if needed, err = standin.Needed(ctx, endpoint); err != nil {
					return app.Exitf(report.ExitFailed, "--to %s: %v", to, err)
				}
			}
			if needed {
				endpoint = standin.New(endpoint)
			}
			return t.serve(listen, withLog(faultproxy.New(endpoint, faultproxy.Options{Rules: read})))
		},
	}
	c.Flags().StringVar(&to, "to", "", "the endpoint's `URL`")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:4567", "listen on `ADDRESS`; port 0 is a free one")
	c.Flags().StringVar(&rules, "faults", "", "break calls as the rules in `FILE` say")
	c.Flags().StringVar(&add, "stand-ins", "auto", "add what LocalStack lacks: `WHEN` is auto (where the endpoint has no placement groups), always or never")
	c.Flags().BoolVar(&allowAWS, "allow-aws", false, "let --to be AWS itself, where launches cost money; it refuses calls that are not signed for its own name")
	return c
}

// withLog answers GET /_asb/calls with the proxy's log.
func withLog(p *faultproxy.Proxy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/_asb/calls" || r.URL.RawQuery != "" {
			p.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(struct { // whoever asked may have gone
			Counts map[string]int    `json:"counts"`
			Calls  []faultproxy.Call `json:"calls"`
		}{p.Counts(), append([]faultproxy.Call{}, p.Calls()...)})
	})
}
