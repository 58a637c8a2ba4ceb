package awscloud

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// The instance metadata service answers in milliseconds where there is one.
// Elsewhere its link-local address is often a black hole, and the search for
// keys ends with it: one try, so that a machine without keys hears so soon.
const (
	metadataDial  = time.Second
	metadataTotal = 2 * time.Second
)

// metadata is the client for the instance role's keys. It takes no proxy
// (the address is the machine's own) and does not fall back to version 1.
func metadata(getenv func(string) string) *imds.Client {
	o := imds.Options{
		HTTPClient: &http.Client{
			Timeout:   metadataTotal,
			Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: metadataDial}).DialContext},
		},
		Retryer:        aws.NopRetryer{},
		EnableFallback: aws.FalseTernary,
		Endpoint:       getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		Logger:         logging.Nop{},
	}
	if strings.EqualFold(getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		o.ClientEnableState = imds.ClientDisabled
	}
	if strings.EqualFold(getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "IPv6") {
		o.EndpointMode = imds.EndpointModeStateIPv6
	}
	return imds.New(o)
}

// assume wraps the keys of cfg in the role of o, where one is named. A general
// endpoint is asked for roles too; AWS_ENDPOINT_URL_EC2 moves EC2 alone.
func assume(cfg aws.Config, o Options, getenv func(string) string) aws.CredentialsProvider {
	if o.AssumeRole.RoleARN == "" {
		return cfg.Credentials
	}
	endpoint := first(getenv("AWS_ENDPOINT_URL_STS"), getenv("AWS_ENDPOINT_URL"), o.EndpointURL)
	client := sts.NewFromConfig(cfg, func(so *sts.Options) {
		so.Retryer = aws.NopRetryer{}
		so.RetryMaxAttempts = 0
		so.Logger = logging.Nop{}
		if endpoint != "" {
			so.BaseEndpoint = aws.String(endpoint)
		}
	})
	role := stscreds.NewAssumeRoleProvider(client, o.AssumeRole.RoleARN, func(ro *stscreds.AssumeRoleOptions) {
		ro.RoleSessionName = first(o.AssumeRole.SessionName, "aws-slurm-burst")
		ro.Duration = o.AssumeRole.Duration
		if ro.Duration == 0 {
			ro.Duration = time.Hour
		}
		if o.AssumeRole.ExternalID != "" {
			ro.ExternalID = aws.String(o.AssumeRole.ExternalID)
		}
	})
	return aws.NewCredentialsCache(role, func(co *aws.CredentialsCacheOptions) {
		co.ExpiryWindow = time.Minute // never sign with keys that end under way
	})
}

// noKeys says that no keys were to be had, so that the call was never sent.
type noKeys struct{ err error }

func (e *noKeys) Error() string { return e.err.Error() }
func (e *noKeys) Unwrap() error { return e.err }

// marked marks the errors of a provider as noKeys: by the time they come back
// through the SDK they look like any other failure of a call.
type marked struct{ keys aws.CredentialsProvider }

func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	k, err := m.keys.Retrieve(ctx)
	if err != nil {
		return k, &noKeys{err}
	}
	return k, nil
}

// forgetKeys drops cached keys after EC2 refused them, so that the caller's
// second try fetches new ones.
func (c *Cloud) forgetKeys() {
	if cache, ok := c.creds.(*aws.CredentialsCache); ok {
		cache.Invalidate()
	}
}
