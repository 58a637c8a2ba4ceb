package awscloud

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/smithy-go/logging"

	"aws-slurm-burst/executor/cloud"
)

func environment(getenv func(string) string) func(string) string {
	if getenv == nil {
		return os.Getenv
	}
	return getenv
}

// first returns the first word that is not empty.
func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// endpointURL picks the endpoint, "" for AWS's own. The environment wins, so
// that a test can move an unchanged configuration to a local endpoint.
func endpointURL(o Options, getenv func(string) string) (string, error) {
	for _, e := range []struct{ from, value string }{
		{"AWS_ENDPOINT_URL_EC2", getenv("AWS_ENDPOINT_URL_EC2")},
		{"AWS_ENDPOINT_URL", getenv("AWS_ENDPOINT_URL")},
		{"aws.endpoint_url", o.EndpointURL},
	} {
		if e.value == "" {
			continue
		}
		u, err := url.Parse(e.value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", setupError(cloud.Config, "InvalidEndpoint", "write it as http://HOST:PORT or https://HOST",
				"%s %q is not a URL of an endpoint", e.from, e.value)
		}
		return strings.TrimRight(e.value, "/"), nil
	}
	return "", nil
}

// settings builds the SDK's configuration without any call: keys of the
// environment or of Options, else the chain that ends at the instance role.
func settings(ctx context.Context, o Options, getenv func(string) string) (aws.Config, error) {
	var client aws.HTTPClient = o.HTTPClient
	if o.HTTPClient == nil {
		client = newHTTPClient()
	}
	region := first(o.Region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	if o.Credentials != nil {
		return aws.Config{Region: region, HTTPClient: client, Credentials: o.Credentials}, nil
	}
	keys := givenKeys(o, getenv)
	if keys == nil {
		if err := checkFiles(o); err != nil {
			return aws.Config{}, err
		}
	}
	profile := first(o.Profile, getenv("AWS_PROFILE"), getenv("AWS_DEFAULT_PROFILE"))
	configFiles := files(getenv, "config", o.ConfigFile, getenv("AWS_CONFIG_FILE"))
	credentialsFiles := files(getenv, "credentials", o.CredentialsFile, getenv("AWS_SHARED_CREDENTIALS_FILE"))

	with := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithLogger(logging.Nop{}),
		config.WithDefaultsMode(aws.DefaultsModeStandard), // no look for the region we run in
		config.WithSharedConfigFiles(configFiles),
		config.WithSharedCredentialsFiles(credentialsFiles),
		config.WithEC2RoleCredentialOptions(func(ro *ec2rolecreds.Options) { ro.Client = metadata(getenv) }),
	}
	if region != "" {
		with = append(with, config.WithRegion(region))
	}
	if profile != "" {
		with = append(with, config.WithSharedConfigProfile(profile))
	}
	if keys != nil {
		with = append(with, config.WithCredentialsProvider(keys))
	}
	cfg, err := config.LoadDefaultConfig(ctx, with...)

	var missing config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &missing) && keys != nil:
		// The profile would only have given what is at hand.
		cfg = aws.Config{Region: region, HTTPClient: client}
	case errors.As(err, &missing):
		where := ": no AWS files are named, and HOME is not set"
		if all := slices.Concat(configFiles, credentialsFiles); len(all) > 0 {
			where = " is in none of: " + strings.Join(all, ", ")
		}
		return cfg, setupError(cloud.Credentials, "NoCredentials", "set aws.profile, aws.config_file and aws.credentials_file to match",
			"profile %q%s", missing.Profile, where)
	case err != nil:
		return cfg, setupError(cloud.Config, "InvalidConfiguration", "correct the AWS configuration files, or name others with aws.config_file and aws.credentials_file",
			"%s", oneLine(err.Error()))
	}
	if keys != nil {
		// Without the SDK's cache, which fetches on another goroutine.
		cfg.Credentials = keys
	}
	return cfg, nil
}

// givenKeys returns the keys that need no search, nil where there are none.
func givenKeys(o Options, getenv func(string) string) aws.CredentialsProvider {
	for _, k := range []AccessKeys{
		{getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")},
		o.AccessKeys,
	} {
		if k.ID != "" && k.Secret != "" {
			return credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.SessionToken)
		}
	}
	return nil
}

// files returns the file to read: a named one, else the one in ~/.aws, else
// none. The slice is never nil, which would let the SDK guess.
func files(getenv func(string) string, name string, named ...string) []string {
	if f := first(named...); f != "" {
		return []string{f}
	}
	if home := getenv("HOME"); home != "" {
		return []string{filepath.Join(home, ".aws", name)}
	}
	return []string{}
}

// checkFiles finds out early what the SDK passes over in silence: a named file
// that is not there or not readable for the Slurm user.
func checkFiles(o Options) error {
	for _, f := range []struct{ key, path string }{
		{"aws.config_file", o.ConfigFile},
		{"aws.credentials_file", o.CredentialsFile},
	} {
		if f.path == "" {
			continue
		}
		file, err := os.Open(f.path)
		if err != nil {
			return setupError(cloud.Credentials, "NoCredentials", "name a file that the Slurm user can read",
				"%s: %v", f.key, err)
		}
		file.Close()
	}
	return nil
}

// setupError is an error of New: no call was made, so Op is our own words.
func setupError(class cloud.Class, code, hint, format string, args ...any) error {
	return &cloud.Error{Op: "AWS settings", Class: class, Code: code, Err: fmt.Errorf(format, args...), Hint: hint}
}
