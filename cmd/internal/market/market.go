// Package market is the command `aws-slurm-burst catalog`: what is known of what
// EC2 sells, shown with its age, and asked of EC2 itself.
package market

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/cmd/internal/app"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/calls"
	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/survey"
)

// surveyWithin is how long a survey may take, throttling included. Its fifty
// calls take some seconds.
const surveyWithin = 5 * time.Minute

// Market is what a program about the catalogue has: what is known of a region,
// and the way to ask EC2 for more.
type Market struct {
	Catalog *catalog.Catalog
	Region  string
	// Path is the file that a refresh writes, "" where there is no way to EC2.
	Path string

	env    env.Env
	folder host.Dir
	ec2    *awscloud.Cloud
}

// Open finds the configuration, where there is one, and with it the region
// and the catalogue that the executor uses; region, where given, takes the place
// of the configuration's. Without a configuration what EC2 said is kept among the
// user's own caches. No call is made yet.
func Open(ctx context.Context, std app.IO, configPath, region string) (*Market, error) {
	cfg, folder, err := catalogFolder(std, configPath)
	if err != nil {
		return nil, &app.ExitError{Code: report.ExitConfig, Err: err}
	}
	return of(ctx, std, cfg, folder, region)
}

// of is the market of a configuration, which it leaves as it is.
func of(ctx context.Context, std app.IO, given *config.Config, folder, region string) (m *Market, err error) {
	log := host.NewLog(std.Stderr)
	copied := *given
	cfg := &copied
	e := host.NewEnv(filepath.Join(folder, "locks"), log).Until(std.Stop)
	cfg.AWS.Region = cmp.Or(region, cfg.AWS.Region)
	m = &Market{env: e, folder: host.Dir(folder)}
	if m.ec2, err = awscloud.New(ctx, app.AWSOptions(cfg, std.Getenv)); err != nil {
		return nil, &app.ExitError{Code: report.ExitConfig, Err: err}
	}
	m.Region = m.ec2.Region()
	m.Catalog = app.Known(e, folder, m.ec2)
	m.Path = filepath.Join(folder, survey.File(m.ec2.Endpoint(), m.Region))
	return m, nil
}

// Shown is Open for who asks nobody: without a region, or a folder for
// caches, there is nothing but what is shipped.
func Shown(ctx context.Context, std app.IO, configPath, region string) (*Market, error) {
	m, err := Open(ctx, std, configPath, region)
	if e := new(cloud.Error); errors.As(err, &e) || errors.Is(err, host.ErrNoCaches) {
		return &Market{Catalog: catalog.Default(), Region: cmp.Or(region, catalog.PriceRegion)}, nil
	}
	return m, err
}

// Known is the catalogue that the executor uses with a configuration; without
// one, nil, what the user has asked EC2 for, else what is shipped. Nobody is
// asked.
func Known(ctx context.Context, std app.IO, cfg *config.Config, region string) (*catalog.Catalog, error) {
	var folder string
	var err error
	if cfg == nil {
		cfg = &config.Config{}
		folder, err = host.CacheDir(std.Getenv)
	} else {
		folder, err = app.StateDir(cfg, std.Getenv)
	}
	m := &Market{}
	if err == nil {
		m, err = of(ctx, std, cfg, folder, region)
	}
	switch e := new(cloud.Error); {
	case errors.As(err, &e), errors.Is(err, host.ErrNoCaches):
		return catalog.Default(), nil
	case err != nil:
		return nil, &app.ExitError{Code: report.ExitConfig, Err: err}
	}
	return m.Catalog, nil
}

// catalogFolder is the configuration, empty where there is none, and the folder
// that what EC2 said is kept in.
func catalogFolder(std app.IO, configPath string) (*config.Config, string, error) {
	path, data, err := host.FindConfig(configPath, std.Getenv)
	if errors.Is(err, host.ErrNoConfig) {
		folder, err := host.CacheDir(std.Getenv)
		return &config.Config{}, folder, err
	}
	if err != nil {
		return nil, "", err
	}
	cfg, err := config.Parse(data, path)
	if err != nil {
		return nil, "", err
	}
	folder, err := app.StateDir(cfg, std.Getenv)
	return cfg, folder, err
}

// Refresh asks EC2 what it sells in the region, and keeps it for all later calls
// of the programs.
func (m *Market) Refresh(ctx context.Context) (*catalog.Refreshed, error) {
	c := calls.New(m.env, m.ec2, m.env.Now().Add(surveyWithin))
	data, err := survey.Ask(ctx, c, m.ec2, m.Region)
	if err != nil {
		return nil, err
	}
	r, err := catalog.ReadRefreshed(data)
	if err == nil {
		err = m.folder.Write(survey.File(m.ec2.Endpoint(), m.Region), data)
	}
	return r, err
}
