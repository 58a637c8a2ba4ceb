// Package site makes sites to try the programs on: a folder with a
// configuration, a cluster that nobody else has, and a proxy before EC2 whose
// rules are the faults and whose log is what requests are judged by. The
// programs it runs are the shipped ones, in an environment as bare as
// slurmctld's. What they did is judged by the calls they made, by what they said,
// and by what EC2 itself shows over its wire, never by the code under test.
//
// It imports no package of the executor: what a node is and which instance
// serves it, it reads from hostlists and tags on its own. It knows no sentences
// of scenarios either; those are features/steps'.
package site

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/localstack/scratch"
	"aws-slurm-burst/localstack/standin"
)

// programs are what `make build` makes.
var programs = []string{"aws-slurm-burst", "aws-slurm-burst-resume", "aws-slurm-burst-suspend", "aws-slurm-burst-resume-fail", "asba"}

// Options say where everything is.
type Options struct {
	// Bin is the folder of the programs.
	Bin string
	// Endpoint is the URL of the EC2 behind everything.
	Endpoint string
	// Price is what a type costs on demand, in USD an hour, to judge budgets by.
	// nil is the judge's own table, of the types that the shipped scenarios
	// launch under a limit.
	Price func(instanceType string) (usd float64, known bool)
}

// Suite is what the sites of a run share. It is safe for concurrent use.
type Suite struct {
	// Bin is the folder of the programs.
	Bin string
	// EC2 is the endpoint without a site's proxy, but with what it lacks.
	EC2 EC2

	// endpoint is what sites put their proxies before, server the same for
	// whoever asks EC2 itself.
	endpoint http.Handler
	server   *http.Server
	zones    map[string]string // of the endpoint's subnets
	files    *scratch.Dir      // the sites' folders
	price    func(instanceType string) (usd float64, known bool)
	// run is part of every cluster's name, so that two runs on one endpoint
	// never meet.
	run  string
	last atomic.Int64 // number of the last site

	bystanders []string
}

// CheckPrograms fails where a program was not built.
func CheckPrograms(bin string) error {
	for _, p := range programs {
		if _, err := os.Stat(filepath.Join(bin, p)); err != nil {
			return fmt.Errorf("features run the shipped programs, and there is no %s in %s: run `make build`, or put the programs side by side", p, bin)
		}
	}
	return nil
}

// Open prepares a run: it launches the bystanders, instances of somebody else
// that no site may touch. Close ends them.
func Open(ctx context.Context, o Options) (*Suite, error) {
	if err := CheckPrograms(o.Bin); err != nil {
		return nil, err
	}
	s := &Suite{EC2: EC2{url: o.Endpoint}, run: rand.Text()[:8], price: o.Price}
	if s.price == nil {
		s.price = ownPrice
	}
	var err error
	if s.Bin, err = filepath.Abs(o.Bin); err == nil {
		s.files, err = scratch.New("asba-features")
	}
	if err == nil {
		err = s.reach(ctx, o.Endpoint)
	}
	if err == nil {
		s.zones, err = s.EC2.Zones(ctx)
	}
	if err == nil {
		err = s.launchBystanders(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("features: %w", err), s.Close(ctx))
	}
	return s, nil
}

// launchBystanders launches two instances: one belongs to another cluster with
// nodes of the same names, the other to nobody who tags.
func (s *Suite) launchBystanders(ctx context.Context) error {
	for _, tags := range []map[string]string{
		{clusterTag: s.run + "-neighbour", nodesTag: "aws-hpc-001", launchTag: "asb-neighbour"},
		nil,
	} {
		id, err := s.EC2.launchOne(ctx, tags)
		if err != nil {
			return fmt.Errorf("launching a bystander: %w", err)
		}
		s.bystanders = append(s.bystanders, id)
	}
	return nil
}

// reach asks the endpoint what it lacks, and adds it.
func (s *Suite) reach(ctx context.Context, endpoint string) error {
	target, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	s.endpoint = faultproxy.Reverse(target)
	needed, err := standin.Needed(ctx, s.endpoint)
	if err != nil || !needed {
		return err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.endpoint = standin.New(s.endpoint)
	s.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: s.endpoint}
	go s.server.Serve(l) // ends with Close
	s.EC2.url = "http://" + l.Addr().String()
	return nil
}

// Close ends what Open launched.
func (s *Suite) Close(ctx context.Context) error {
	err := s.EC2.terminate(ctx, s.bystanders)
	if s.server != nil {
		err = errors.Join(err, s.server.Close())
	}
	if s.files != nil {
		err = errors.Join(err, s.files.Remove())
	}
	return err
}
