package site

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The tags by which the programs know their own (docs/CONFIG.md).
const (
	tagPrefix  = "aws-slurm-burst:"
	clusterTag = tagPrefix + "cluster"
	nodesTag   = tagPrefix + "nodes"
	nodeTag    = tagPrefix + "node"
	launchTag  = tagPrefix + "launch"
	bornTag    = tagPrefix + "launched-at"
	expiryTag  = tagPrefix + "expires-at"
)

// EC2 asks EC2 itself, as any client would: a form in, XML out.
type EC2 struct{ url string }

// At returns the EC2 at a URL.
func At(url string) EC2 { return EC2{url} }

// Instance is what EC2 shows of one.
type Instance struct {
	ID    string `xml:"instanceId"`
	State string `xml:"instanceState>name"`
	Type  string `xml:"instanceType"`
	AZ    string `xml:"placement>availabilityZone"`
	Group string `xml:"placement>groupName"`
	// Lifecycle is spot, or empty for on-demand.
	Lifecycle string `xml:"instanceLifecycle"`
	Index     int    `xml:"amiLaunchIndex"`
	Address   string `xml:"privateIpAddress"`
	Tags      []struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	} `xml:"tagSet>item"`
}

// Tag returns the value of a tag, "" where there is none.
func (i Instance) Tag(key string) string {
	for _, t := range i.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// Live: it costs money, or will.
func (i Instance) Live() bool { return i.State == "pending" || i.State == "running" }

// Market is spot or on-demand.
func (i Instance) Market() string {
	if i.Lifecycle == "spot" {
		return "spot"
	}
	return "on-demand"
}

// Node is the node that an instance says it serves: its own tag, else the
// launch's nodes by launch index.
func (i Instance) Node() (string, error) {
	if n := i.Tag(nodeTag); n != "" {
		return n, nil
	}
	list := i.Tag(nodesTag)
	for n := 2; i.Tag(nodesTag+"-"+strconv.Itoa(n)) != ""; n++ {
		list += i.Tag(nodesTag + "-" + strconv.Itoa(n))
	}
	names, err := Expand(list)
	if err != nil {
		return "", fmt.Errorf("instance %s: tag %s: %w", i.ID, nodesTag, err)
	}
	if i.Index >= len(names) {
		return "", fmt.Errorf("instance %s has launch index %d, and its launch nodes %q", i.ID, i.Index, list)
	}
	return names[i.Index], nil
}

// Life is when an instance was asked for and when it expires, by its tags.
func (i Instance) Life() (born, expires time.Time, err error) {
	if born, err = time.Parse(time.RFC3339Nano, i.Tag(bornTag)); err == nil {
		expires, err = time.Parse(time.RFC3339Nano, i.Tag(expiryTag))
	}
	if err != nil {
		err = fmt.Errorf("instance %s: %w", i.ID, err)
	}
	return born, expires, err
}

// tries is how often a read is made that the endpoint fails at.
const tries = 5

// call makes a call and reads its answer into out. A read at which the endpoint
// itself fails is made again: LocalStack 4.14.0 answers some of those that come
// while others write with "dictionary changed size during iteration".
func (e EC2) call(ctx context.Context, form url.Values, out any) error {
	for n := 1; ; n++ {
		err := e.once(ctx, form, out)
		var r *refusal
		if n == tries || !strings.HasPrefix(form.Get("Action"), "Describe") || !errors.As(err, &r) || r.Status < http.StatusInternalServerError {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// once makes one call.
func (e EC2) once(ctx context.Context, form url.Values, out any) error {
	form.Set("Version", "2016-11-15")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(e.url, "/")+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		refusal := refusal{Action: form.Get("Action"), Status: resp.StatusCode}
		if err := xml.Unmarshal(body, &refusal); err != nil {
			return fmt.Errorf("%s: HTTP status %d and no EC2 error: %.200s", refusal.Action, refusal.Status, body)
		}
		return &refusal
	}
	if out == nil {
		return nil
	}
	return xml.Unmarshal(body, out)
}

// refusal is an error of EC2.
type refusal struct {
	Action  string `xml:"-"`
	Status  int    `xml:"-"`
	Code    string `xml:"Errors>Error>Code"`
	Message string `xml:"Errors>Error>Message"`
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %s: %s", r.Action, r.Code, r.Message) }

func (e EC2) describe(ctx context.Context, form url.Values) ([]Instance, error) {
	form.Set("Action", "DescribeInstances")
	var all []Instance
	for {
		var page struct {
			Instances []Instance `xml:"reservationSet>item>instancesSet>item"`
			Next      string     `xml:"nextToken"`
		}
		if err := e.call(ctx, form, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Instances...)
		if page.Next == "" {
			return all, nil
		}
		form.Set("NextToken", page.Next)
	}
}

// OfCluster returns every instance with the cluster's tag that EC2 still shows,
// ended ones too.
func (e EC2) OfCluster(ctx context.Context, cluster string) ([]Instance, error) {
	return e.describe(ctx, url.Values{"Filter.1.Name": {"tag:" + clusterTag}, "Filter.1.Value.1": {cluster}})
}

// LiveOf returns the live instances with the cluster's tag.
func (e EC2) LiveOf(ctx context.Context, cluster string) ([]Instance, error) {
	return e.describe(ctx, url.Values{
		"Filter.1.Name": {"tag:" + clusterTag}, "Filter.1.Value.1": {cluster},
		"Filter.2.Name": {"instance-state-name"}, "Filter.2.Value.1": {"pending"}, "Filter.2.Value.2": {"running"},
	})
}

func (e EC2) byID(ctx context.Context, ids ...string) ([]Instance, error) {
	return e.describe(ctx, idList(ids))
}

func idList(ids []string) url.Values {
	form := url.Values{}
	for n, id := range ids {
		form.Set("InstanceId."+strconv.Itoa(n+1), id)
	}
	return form
}

func (e EC2) terminate(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	form := idList(ids)
	form.Set("Action", "TerminateInstances")
	return e.call(ctx, form, nil)
}

// launchOne launches one small instance from any image there is.
func (e EC2) launchOne(ctx context.Context, tags map[string]string) (string, error) {
	var images struct {
		IDs []string `xml:"imagesSet>item>imageId"`
	}
	if err := e.call(ctx, url.Values{"Action": {"DescribeImages"}, "Owner.1": {"amazon"}}, &images); err != nil {
		return "", err
	}
	if len(images.IDs) == 0 {
		return "", fmt.Errorf("%s has no image of Amazon's", e.url)
	}
	form := url.Values{"Action": {"RunInstances"}, "ImageId": images.IDs[:1], "InstanceType": {"t3.micro"}, "MinCount": {"1"}, "MaxCount": {"1"}}
	for n, key := range slices.Sorted(maps.Keys(tags)) {
		at := "TagSpecification.1.Tag." + strconv.Itoa(n+1)
		form.Set("TagSpecification.1.ResourceType", "instance")
		form.Set(at+".Key", key)
		form.Set(at+".Value", tags[key])
	}
	var got struct {
		ID string `xml:"instancesSet>item>instanceId"`
	}
	return got.ID, e.call(ctx, form, &got)
}

// tag sets tags of one instance.
func (e EC2) tag(ctx context.Context, id string, tags map[string]string) error {
	form := url.Values{"Action": {"CreateTags"}, "ResourceId.1": {id}}
	for n, key := range slices.Sorted(maps.Keys(tags)) {
		at := "Tag." + strconv.Itoa(n+1)
		form.Set(at+".Key", key)
		form.Set(at+".Value", tags[key])
	}
	return e.call(ctx, form, nil)
}

// GroupsOf returns the names of a cluster's placement groups.
func (e EC2) GroupsOf(ctx context.Context, cluster string) ([]string, error) {
	var got struct {
		Groups []struct {
			Name  string `xml:"groupName"`
			State string `xml:"state"`
		} `xml:"placementGroupSet>item"`
	}
	err := e.call(ctx, url.Values{"Action": {"DescribePlacementGroups"}, "Filter.1.Name": {"tag:" + clusterTag}, "Filter.1.Value.1": {cluster}}, &got)
	var names []string
	for _, g := range got.Groups {
		if g.State != "deleted" && g.State != "deleting" {
			names = append(names, g.Name)
		}
	}
	return names, err
}

func (e EC2) deleteGroup(ctx context.Context, name string) error {
	return e.call(ctx, url.Values{"Action": {"DeletePlacementGroup"}, "GroupName": {name}}, nil)
}

// Zones returns the zone of every subnet.
func (e EC2) Zones(ctx context.Context) (map[string]string, error) {
	var got struct {
		Subnets []struct {
			ID string `xml:"subnetId"`
			AZ string `xml:"availabilityZone"`
		} `xml:"subnetSet>item"`
	}
	err := e.call(ctx, url.Values{"Action": {"DescribeSubnets"}}, &got)
	zones := map[string]string{}
	for _, s := range got.Subnets {
		zones[s.ID] = s.AZ
	}
	return zones, err
}
