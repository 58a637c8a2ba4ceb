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
	"strconv"
	"strings"
	"time"

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

// name is the cache file of a query.
func (l *Lookup) name(kind string, query any) string {
	b := make([]byte, 0, 256)
	list := func(texts ...string) {
		b = append(strconv.AppendInt(b, int64(len(texts)), 10), '\n')
		for _, t := range texts {
			b = append(strconv.AppendQuote(b, t), '\n')
		}
	}
	tags := func(tags []cloud.Tag) {
		for _, t := range tags {
			list(t.Key, t.Value)
		}
	}
	list(l.Endpoint, kind)
	switch q := query.(type) {
	case cloud.SubnetQuery:
		list(q.IDs...)
		list(q.AZs...)
		list(q.VPC, strconv.FormatBool(q.DefaultForAZ))
		tags(q.Tags)
	case cloud.ImageQuery:
		list(q.IDs...)
		list(q.Owners...)
		list(q.Name, q.Arch)
		tags(q.Tags)
	default:
		panic(fmt.Sprintf("lookup: a %T would share its answers with every other", q))
	}
	sum := sha256.Sum256(b)
	return "cache/" + kind + "-" + hex.EncodeToString(sum[:8]) + ".txt"
}

// cached returns the lines of an answer. A file's first line has when it was given
// (nanoseconds since 1970), and how many lines follow; every resume reads it.
func cached(l *Lookup, kind string, query any, ask func() ([]string, error)) ([]string, error) {
	name, now := l.name(kind, query), l.Calls.Env.Now()
	if data, err := l.Cache.Read(name); err == nil {
		lines := strings.Split(string(data), "\n") // the last one is empty
		first, count, _ := strings.Cut(lines[0], " ")
		at, err := strconv.ParseInt(first, 10, 64)
		if age := now.Sub(env.Time(at)); err == nil && age >= 0 && age < lifetime && count == strconv.Itoa(len(lines)-2) {
			return lines[1 : len(lines)-1], nil
		}
	}
	lines, err := ask()
	if err != nil {
		return nil, err
	}
	text := strconv.FormatInt(int64(now), 10) + " " + strconv.Itoa(len(lines)) + "\n" + strings.Join(lines, "\n") + "\n"
	if err := l.Cache.Write(name, []byte(text)); err != nil { // the next call asks again, no more than that
		env.Debugf(l.Calls.Env, "lookup.cache", "answer not kept: %v", err)
	}
	return lines, nil
}

// Forget drops a query's answer, because EC2 does not know what it names.
func (l *Lookup) Forget(kind string, query any) {
	if err := l.Cache.Remove(l.name(kind, query)); err != nil {
		env.Debugf(l.Calls.Env, "lookup.cache", "%v", err)
	}
}

// Subnets returns the subnets of a query, their ids and zones: in the order of its
// ids, else of its zones, else by zone and id. Finding none is an error of class
// Config.
func (l *Lookup) Subnets(ctx context.Context, q cloud.SubnetQuery) ([]cloud.Subnet, error) {
	lines, err := cached(l, "subnets", q, func() ([]string, error) {
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
		lines := make([]string, len(all))
		for i, s := range all {
			lines[i] = strings.TrimSpace(s.ID + " " + s.AZ + " " + s.AZID) // LocalStack's zones may have no id
		}
		return lines, nil
	})
	subnets := make([]cloud.Subnet, len(lines))
	for i, line := range lines {
		id, zone, _ := strings.Cut(line, " ")
		zone, zoneID, _ := strings.Cut(zone, " ")
		subnets[i] = cloud.Subnet{ID: id, AZ: zone, AZID: zoneID}
	}
	return subnets, err
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

// Image returns the id of the newest image of a query. Finding none is an error of
// class Config.
func (l *Lookup) Image(ctx context.Context, q cloud.ImageQuery) (id string, err error) {
	lines, err := cached(l, "image", q, func() ([]string, error) {
		var newest cloud.Image
		for page := q; ; {
			var p cloud.ImagePage
			err := l.Calls.Repeat(ctx, "DescribeImages", func() (err error) {
				p, err = l.Calls.Cloud.Images(ctx, page)
				return err
			})
			if err != nil {
				return nil, err
			}
			for _, i := range p.Images {
				// RFC 3339 in UTC sorts as text; ids settle a tie.
				if i.Created > newest.Created || i.Created == newest.Created && i.ID > newest.ID {
					newest = i
				}
			}
			if p.Next == "" || p.Next == page.Page {
				break
			}
			page.Page = p.Next
		}
		if newest.ID == "" {
			return nil, cloud.Errorf("DescribeImages", cloud.Config, "no image matches owner %v, name %q, architecture %q; name image.id in the node group", q.Owners, q.Name, q.Arch)
		}
		return []string{newest.ID}, nil
	})
	if err != nil {
		return "", err
	}
	return lines[0], nil
}
