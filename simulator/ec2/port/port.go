// Package port is the executor's port to EC2's model without a wire between them.
// Faults and the time that calls take are here; what EC2 does is the model's.
package port

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2"
	"aws-slurm-burst/simulator/ec2/api"
	"aws-slurm-burst/simulator/ec2/network"
	"aws-slurm-burst/simulator/ec2/template"
	"aws-slurm-burst/simulator/faults"
)

// Port is the executor's port to a model: one method, one call of it. It sleeps half of a call's latency before the
// model is asked and half after, so that a process can be cut off or end on
// either side of the moment at which its call is applied.
type Port struct {
	model   *ec2.Model
	env     env.Env
	latency func(action string) time.Duration
	rules   *faults.Rules
}

var _ cloud.Cloud = (*Port)(nil)

// New returns a port to the model for one process; latency may be nil.
func New(model *ec2.Model, e env.Env, latency func(action string) time.Duration) *Port {
	return &Port{model: model, env: e, latency: latency}
}

// WithFaults returns the port with calls that fail as the rules say.
func (p *Port) WithFaults(r *faults.Rules) *Port {
	q := *p
	q.rules = r
	return &q
}

// errLost is the cause of an answer that never came.
var errLost = errors.New("connection closed before the answer came")

// outcome is what an applied call launched or ended, for the rules that count.
type outcome struct{ launched, ended []string }

// call runs one API call with its latency and faults; fn asks the model.
func (p *Port) call(ctx context.Context, f faults.Fact, fn func() error) error {
	return p.apply(ctx, f, func(faults.Effect) (outcome, error) { return outcome{}, fn() })
}

// apply is call for what an effect can change: fn asks for no more than its
// grant, or for a stale world.
func (p *Port) apply(ctx context.Context, f faults.Fact, fn func(faults.Effect) (outcome, error)) error {
	var half time.Duration
	if p.latency != nil {
		half = p.latency(f.Action) / 2
	}
	fail := func(class cloud.Class, err error) error {
		return &cloud.Error{Op: f.Action, Class: class, Type: f.Type, AZ: f.AZ, Err: err}
	}
	if err := p.sleep(ctx, half); err != nil {
		return fail(cloud.Ambiguous, err)
	}
	f.Time = p.model.Now()
	effect, _ := p.rules.Next(f)
	var did outcome
	err := p.sleep(ctx, effect.Delay)
	if err != nil {
		p.rules.Settle(effect, nil, nil)
		return fail(cloud.Ambiguous, err)
	}
	if effect.Refused() {
		err = &api.Error{Code: effect.Code, Message: effect.Message, Status: effect.Status}
		p.model.Refused(f.Action, effect.Code)
	} else {
		did, err = fn(effect)
	}
	p.rules.Settle(effect, did.launched, did.ended)
	if err := p.sleep(ctx, half); err != nil {
		return fail(cloud.Ambiguous, err)
	}
	if effect.Lost {
		return fail(cloud.Ambiguous, errLost)
	}
	if err == nil {
		return nil
	}
	e := api.AsError(err)
	return &cloud.Error{Op: f.Action, Class: cloud.Classify(e.Status, e.Code), Code: e.Code, Status: e.Status,
		Type: f.Type, AZ: f.AZ, Err: errors.New(e.Message)}
}

func (p *Port) sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		return p.env.Sleep(ctx, d)
	}
	return context.Cause(ctx)
}

// Launch is RunInstances.
func (p *Port) Launch(ctx context.Context, r cloud.LaunchRequest) ([]cloud.Instance, error) {
	f := faults.Fact{Action: "RunInstances", Type: r.Type, AZ: cmp.Or(p.model.ZoneOf(r.SubnetID), r.AZ),
		Market: string(cmp.Or(r.Market, cloud.OnDemand)), Size: r.MinCount, Max: r.MaxCount, Token: r.Token}
	var res ec2.Reservation
	err := p.apply(ctx, f, func(e faults.Effect) (did outcome, err error) {
		run := runRequest(r)
		if e.Grant > 0 {
			run.Max = e.Grant
		}
		res, err = p.model.RunInstances(run)
		return outcome{launched: ids(res.Instances)}, err
	})
	if r.DryRun && cloud.Is(err, cloud.DryRunOK) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return instances(res.Instances), nil
}

// runRequest translates a launch as executor/awscloud puts it on the wire.
func runRequest(r cloud.LaunchRequest) ec2.RunRequest {
	s := template.Spec{
		Type: r.Type, ImageID: r.ImageID, Group: r.Group,
		KeyName: r.KeyName, InstanceProfile: r.InstanceProfile,
		UserData: base64.StdEncoding.EncodeToString([]byte(r.UserData)),
	}
	if r.Market == cloud.Spot {
		s.Market = cloud.Spot
		if r.MaxPrice > 0 {
			s.MaxPrice = strconv.FormatFloat(r.MaxPrice, 'f', -1, 64)
		}
	}
	if r.EFA == 0 {
		s.SubnetID, s.SecurityGroups = r.SubnetID, r.SecurityGroups
	}
	for card := range r.EFA {
		// Card 0 begins with device 0, every further card with device 1.
		s.Interfaces = append(s.Interfaces, template.Interface{
			Card: card, Device: min(card, 1), Kind: "efa", SubnetID: r.SubnetID, Groups: r.SecurityGroups})
	}
	if len(r.Tags) > 0 {
		s.Tags = []api.TagSpec{{Kind: "instance", Tags: r.Tags}, {Kind: "volume", Tags: r.Tags}}
	}
	out := ec2.RunRequest{Spec: s, Min: r.MinCount, Max: r.MaxCount, Token: r.Token, DryRun: r.DryRun}
	if strings.HasPrefix(r.Template, "lt-") {
		out.Template = &template.Ref{ID: r.Template, Version: r.TemplateVersion}
	} else if r.Template != "" {
		out.Template = &template.Ref{Name: r.Template, Version: r.TemplateVersion}
	}
	return out
}

func ids(list []ec2.Instance) []string {
	out := make([]string, len(list))
	for k := range list {
		out[k] = list[k].ID
	}
	return out
}

func instances(list []ec2.Instance) []cloud.Instance {
	out := make([]cloud.Instance, len(list))
	for k := range list {
		out[k] = list[k].Brief()
	}
	return out
}

// Describe is one page of DescribeInstances.
func (p *Port) Describe(ctx context.Context, q cloud.InstanceQuery) (cloud.InstancePage, error) {
	query := api.Query{IDs: q.IDs, Filters: tagFilters(q.Tags), Next: q.Page, Max: pageSize(q.IDs)}
	if len(q.States) > 0 {
		f := api.Filter{Name: "instance-state-name"}
		for _, s := range q.States {
			f.Values = append(f.Values, string(s))
		}
		query.Filters = append(query.Filters, f)
	}
	var page api.Page[cloud.Instance]
	err := p.apply(ctx, faults.Fact{Action: "DescribeInstances"}, func(e faults.Effect) (did outcome, err error) {
		page, err = p.model.DescribeBriefly(query, e.Stale)
		return did, err
	})
	return cloud.InstancePage{Instances: page.Items, Next: page.Next}, err
}

// pageSize asks for EC2's largest page, but EC2 takes none beside ids.
func pageSize(ids []string) int {
	if len(ids) > 0 {
		return 0
	}
	return api.MaxPage
}

// tagFilters makes one filter a key: values of one key are alternatives.
func tagFilters(tags []cloud.Tag) []api.Filter {
	var out []api.Filter
	at := map[string]int{}
	for _, t := range tags {
		k, ok := at[t.Key]
		if !ok {
			k = len(out)
			at[t.Key] = k
			out = append(out, api.Filter{Name: "tag:" + t.Key})
		}
		out[k].Values = append(out[k].Values, literal(t.Value))
	}
	return out
}

// literal keeps a value from being read as a pattern.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace

// Terminate is TerminateInstances.
func (p *Port) Terminate(ctx context.Context, ids []string) error {
	return p.apply(ctx, faults.Fact{Action: "TerminateInstances"}, func(faults.Effect) (outcome, error) {
		_, err := p.model.TerminateInstances(ids, false)
		if err != nil {
			return outcome{}, err // none of them ended
		}
		return outcome{ended: ids}, nil
	})
}

// Tag is CreateTags.
func (p *Port) Tag(ctx context.Context, ids []string, tags []cloud.Tag) error {
	return p.call(ctx, faults.Fact{Action: "CreateTags"}, func() error {
		return p.model.CreateTags(ids, tags, false)
	})
}

// CreateGroup is CreatePlacementGroup.
func (p *Port) CreateGroup(ctx context.Context, g cloud.Group) error {
	r := ec2.GroupRequest{Name: g.Name, Strategy: g.Strategy, Partitions: g.Partitions}
	if len(g.Tags) > 0 {
		r.Tags = []api.TagSpec{{Kind: "placement-group", Tags: g.Tags}}
	}
	return p.call(ctx, faults.Fact{Action: "CreatePlacementGroup"}, func() error {
		_, err := p.model.CreatePlacementGroup(r)
		return err
	})
}

// DeleteGroup is DeletePlacementGroup.
func (p *Port) DeleteGroup(ctx context.Context, name string) error {
	return p.call(ctx, faults.Fact{Action: "DeletePlacementGroup"}, func() error {
		return p.model.DeletePlacementGroup(name, false)
	})
}

// DescribeGroups is DescribePlacementGroups.
func (p *Port) DescribeGroups(ctx context.Context, tags []cloud.Tag) ([]cloud.Group, error) {
	var list []ec2.Group
	err := p.call(ctx, faults.Fact{Action: "DescribePlacementGroups"}, func() (err error) {
		list, err = p.model.DescribePlacementGroups(api.Query{Filters: tagFilters(tags)}, nil)
		return err
	})
	var out []cloud.Group
	for _, g := range list {
		out = append(out, cloud.Group{Name: g.Name, Strategy: g.Strategy, Partitions: g.Partitions, State: "available", Tags: g.Tags})
	}
	return out, err
}

// Subnets is one page of DescribeSubnets.
func (p *Port) Subnets(ctx context.Context, q cloud.SubnetQuery) (cloud.SubnetPage, error) {
	query := api.Query{IDs: q.IDs, Filters: tagFilters(q.Tags), Next: q.Page, Max: pageSize(q.IDs)}
	if q.DefaultForAZ {
		query.Filters = append(query.Filters, api.Filter{Name: "default-for-az", Values: []string{"true"}})
	}
	if q.VPC != "" {
		query.Filters = append(query.Filters, api.Filter{Name: "vpc-id", Values: []string{q.VPC}})
	}
	if len(q.AZs) > 0 {
		query.Filters = append(query.Filters, api.Filter{Name: "availability-zone", Values: q.AZs})
	}
	var page api.Page[network.Subnet]
	err := p.call(ctx, faults.Fact{Action: "DescribeSubnets"}, func() (err error) {
		page, err = p.model.DescribeSubnets(query)
		return err
	})
	out := cloud.SubnetPage{Next: page.Next}
	for _, s := range page.Items {
		out.Subnets = append(out.Subnets, cloud.Subnet{ID: s.ID, AZ: s.AZ, AZID: s.AZID, VPC: s.VPC, CIDR: s.CIDR.String(), FreeAddresses: s.Free})
	}
	return out, err
}

// Images is one page of DescribeImages.
func (p *Port) Images(ctx context.Context, q cloud.ImageQuery) (cloud.ImagePage, error) {
	query := api.Query{IDs: q.IDs, Filters: tagFilters(q.Tags), Next: q.Page, Max: pageSize(q.IDs)}
	if q.Name != "" {
		query.Filters = append(query.Filters, api.Filter{Name: "name", Values: []string{q.Name}})
	}
	if q.Arch != "" {
		query.Filters = append(query.Filters, api.Filter{Name: "architecture", Values: []string{q.Arch}})
	}
	var page api.Page[ec2.Image]
	err := p.call(ctx, faults.Fact{Action: "DescribeImages"}, func() (err error) {
		page, err = p.model.DescribeImages(query, q.Owners)
		return err
	})
	out := cloud.ImagePage{Next: page.Next}
	for _, i := range page.Items {
		out.Images = append(out.Images, cloud.Image{ID: i.ID, Name: i.Name, Arch: i.Arch, Created: i.Created.String()})
	}
	return out, err
}
