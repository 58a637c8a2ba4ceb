// Package lookup finds the subnets and images that a configuration names by id
// or chooses by filter, and remembers the answers between calls: a resume on a
// healthy pool makes no look-up at all. Answers are kept by endpoint, for an
// hour, and forgotten when EC2 no longer knows what they name.
package lookup

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
)

// lifetime is how long an answer serves. Subnets and images change by an
// administrator's hand; an image "latest by name" may be an hour late.
const lifetime = time.Hour

// Cache keeps answers; it may forget any of them at any time.
type Cache interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	Remove(name string) error
}

// Lookup asks EC2 where the cache does not know.
type Lookup struct {
	Calls *calls.Caller
	Cache Cache
	// Endpoint tells clouds apart: LocalStack's ids are not AWS's.
	Endpoint string
}

type entry[T any] struct {
	At    env.Time `json:"at"`
	Value T        `json:"value"`
}

// name is the cache file of a query.
func (l *Lookup) name(kind string, query any) (string, error) {
	data, err := json.Marshal(query, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(l.Endpoint+"\n"+kind+"\n"), data...))
	return "cache/" + kind + "-" + hex.EncodeToString(sum[:8]) + ".json", nil
}

func cached[T any](l *Lookup, kind string, query any, ask func() (T, error)) (T, error) {
	var e entry[T]
	name, err := l.name(kind, query)
	if err != nil {
		return e.Value, err
	}
	now := l.Calls.Env.Now()
	if data, err := l.Cache.Read(name); err == nil && json.Unmarshal(data, &e) == nil {
		if age := now.Sub(e.At); age >= 0 && age < lifetime {
			return e.Value, nil
		}
	}
	v, err := ask()
	if err != nil {
		return v, err
	}
	data, err := json.Marshal(entry[T]{now, v}, json.Deterministic(true))
	if err == nil {
		err = l.Cache.Write(name, data)
	}
	if err != nil { // the next call asks again, no more than that
		env.Debugf(l.Calls.Env, "lookup.cache", "answer not kept: %v", err)
	}
	return v, nil
}

// Forget drops a query's answer, because EC2 does not know what it names.
func (l *Lookup) Forget(kind string, query any) {
	if name, err := l.name(kind, query); err == nil {
		if err := l.Cache.Remove(name); err != nil {
			env.Debugf(l.Calls.Env, "lookup.cache", "%v", err)
		}
	}
}

// Subnets returns the subnets of a query: in the order of its ids, else of its
// zones, else by zone and id. Finding none is an error of class Config.
func (l *Lookup) Subnets(ctx context.Context, q cloud.SubnetQuery) ([]cloud.Subnet, error) {
	return cached(l, "subnets", q, func() ([]cloud.Subnet, error) {
		var all []cloud.Subnet
		for page := q; ; {
			var p cloud.SubnetPage
			err := l.Calls.Repeat(ctx, "DescribeSubnets", func() (err error) {
				p, err = l.Calls.Cloud.Subnets(ctx, page)
				return err
			})
			if err != nil {
				return nil, err
			}
			all = append(all, p.Subnets...)
			if p.Next == "" || p.Next == page.Page {
				break
			}
			page.Page = p.Next
		}
		if len(all) == 0 {
			return nil, cloud.Errorf("DescribeSubnets", cloud.Config, "no subnet matches %s; name subnet_ids in the node group, or correct the filter", describe(q))
		}
		place := func(s cloud.Subnet) int { return cmp.Or(slices.Index(q.IDs, s.ID)+1, slices.Index(q.AZs, s.AZ)+1) }
		slices.SortFunc(all, func(a, b cloud.Subnet) int {
			return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.AZ, b.AZ), cmp.Compare(a.ID, b.ID))
		})
		return all, nil
	})
}

func describe(q cloud.SubnetQuery) string {
	switch {
	case len(q.IDs) > 0:
		return fmt.Sprintf("ids %v", q.IDs)
	case len(q.Tags) > 0:
		return fmt.Sprintf("tags %v", q.Tags)
	case q.VPC != "":
		return "VPC " + q.VPC
	case len(q.AZs) > 0:
		return fmt.Sprintf("zones %v", q.AZs)
	}
	return "default subnets (one for each zone)"
}

// Image returns the newest image of a query. Finding none is an error of class
// Config.
func (l *Lookup) Image(ctx context.Context, q cloud.ImageQuery) (cloud.Image, error) {
	return cached(l, "image", q, func() (cloud.Image, error) {
		var newest cloud.Image
		for page := q; ; {
			var p cloud.ImagePage
			err := l.Calls.Repeat(ctx, "DescribeImages", func() (err error) {
				p, err = l.Calls.Cloud.Images(ctx, page)
				return err
			})
			if err != nil {
				return newest, err
			}
			for _, i := range p.Images {
				// RFC 3339 in UTC sorts as text; ids settle a tie.
				if newest.ID == "" || i.Created > newest.Created || i.Created == newest.Created && i.ID > newest.ID {
					newest = i
				}
			}
			if p.Next == "" || p.Next == page.Page {
				break
			}
			page.Page = p.Next
		}
		if newest.ID == "" {
			return newest, cloud.Errorf("DescribeImages", cloud.Config, "no image matches owner %v, name %q, architecture %q; name image.id in the node group", q.Owners, q.Name, q.Arch)
		}
		return newest, nil
	})
}
