// Package awscloud is the cloud port on the AWS SDK for Go: each method is one
// EC2 call over HTTP, its answer in the port's small types, its failure a
// *cloud.Error.
//
// It never repeats a call, never walks pages and never sleeps: patience lives
// above the port, on env.Env. The SDK's own retries are off, because a retry
// it makes is one that neither the journal nor a simulation knows of.
//
// It is the only importer of service/ec2 in the module, which takes minutes to
// compile; no SDK type leaves it except through Options.
package awscloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/logging"

	"aws-slurm-burst/executor/cloud"
)

// Options say where EC2 is and who calls. slurmctld starts programs with a
// nearly empty environment (no HOME, no PATH), so everything can be given here;
// the zero Options take what the environment and the usual files give.
type Options struct {
	// Region is aws.region; empty means AWS_REGION, AWS_DEFAULT_REGION, then
	// the profile's.
	Region string
	// Profile, ConfigFile and CredentialsFile say where the keys are when the
	// environment holds none. A file named here must be readable.
	Profile         string
	ConfigFile      string
	CredentialsFile string
	// EndpointURL replaces AWS's own endpoint; AWS_ENDPOINT_URL_EC2, then
	// AWS_ENDPOINT_URL win over it.
	EndpointURL string

	// AccessKeys are used where the environment holds none.
	AccessKeys AccessKeys
	// AssumeRole, with a RoleARN, is taken on with whatever keys were found.
	AssumeRole AssumeRole

	// HTTPClient carries the calls; nil is a client of our own, with timeouts.
	HTTPClient HTTPClient
	// Getenv reads the environment; nil is os.Getenv. The rarer settings of
	// the SDK (FIPS endpoints, web identity, container credentials, CA
	// bundle) are read from the process's environment by the SDK itself.
	Getenv func(string) string
	// Credentials, when set, replaces the whole search for keys: no file and
	// no variable of the process is read for them. Calls then stay on the
	// caller's goroutine, as a simulation needs.
	Credentials aws.CredentialsProvider
}

// AccessKeys is a long-term or temporary key pair.
type AccessKeys struct{ ID, Secret, SessionToken string }

// AssumeRole names a role to take on.
type AssumeRole struct {
	RoleARN     string
	SessionName string // default "aws-slurm-burst"
	ExternalID  string
	Duration    time.Duration // default 1 h, the longest a chained role may last
}

// Cloud is EC2 in one region. It is safe for concurrent use.
type Cloud struct {
	ec2      *ec2.Client
	wire     *wire
	endpoint string
	creds    aws.CredentialsProvider
}

var _ cloud.Cloud = (*Cloud)(nil)

// defaultRegion signs calls to a given endpoint when no region is set: local
// endpoints take any, and this one is their default.
const defaultRegion = "us-east-1"

// New prepares the calls and makes none: keys are fetched by the first call.
// Its errors are *cloud.Error of class Config or Credentials.
func New(ctx context.Context, o Options) (*Cloud, error) {
	getenv := environment(o.Getenv)
	endpoint, err := endpointURL(o, getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := settings(ctx, o, getenv)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		if endpoint == "" {
			return nil, setupError(cloud.Config, "MissingRegion", "set aws.region, or AWS_REGION",
				"no region is set")
		}
		cfg.Region = defaultRegion
	}
	cfg.Credentials = assume(cfg, o, getenv)

	c := &Cloud{wire: newWire(cfg.HTTPClient), creds: cfg.Credentials}
	c.ec2 = ec2.NewFromConfig(cfg, func(eo *ec2.Options) {
		eo.HTTPClient = c.wire
		eo.Credentials = marked{cfg.Credentials}
		eo.Retryer = aws.NopRetryer{}
		eo.RetryMaxAttempts = 0 // else the SDK wraps the retryer again
		eo.Logger = logging.Nop{}
		eo.AppID = "aws-slurm-burst"
		if endpoint != "" {
			eo.BaseEndpoint = aws.String(endpoint)
		}
	})
	if err := c.resolveEndpoint(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// resolveEndpoint asks the SDK's rules where the calls will go, so that a
// region they cannot place is found now.
func (c *Cloud) resolveEndpoint(ctx context.Context) error {
	o := c.ec2.Options()
	p := ec2.EndpointParameters{
		Region:       aws.String(o.Region),
		Endpoint:     o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, p)
	if err != nil {
		return setupError(cloud.Config, "InvalidEndpoint", "check aws.region and aws.endpoint_url",
			"no endpoint for region %q: %s", o.Region, oneLine(err.Error()))
	}
	c.endpoint = e.URI.String()
	return nil
}

// Endpoint returns the URL that calls go to, for messages and cache keys.
func (c *Cloud) Endpoint() string { return c.endpoint }

// Region returns the region that calls are signed for.
func (c *Cloud) Region() string { return c.ec2.Options().Region }

// Counts returns how many EC2 calls left this process, by operation. Calls for
// credentials (STS, instance metadata) are not EC2's and not counted.
func (c *Cloud) Counts() map[string]int { return c.wire.snapshot() }
