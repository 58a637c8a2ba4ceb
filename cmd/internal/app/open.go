package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"aws-slurm-burst/executor"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/config"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/report"
	"aws-slurm-burst/executor/slurm"
)

// resumeFileLimit bounds Slurm's resume file: a large burst makes megabytes.
const resumeFileLimit = 16 << 20

// Session is one run of a program: an Executor on this machine.
type Session struct {
	Executor *executor.Executor
	// ResumeFile is Slurm's resume file, nil where there is none.
	ResumeFile []byte
	log        *host.Log
}

// Close ends the session.
func (s *Session) Close() { s.log.Close() }

// Open finds and reads the configuration and builds the Executor that it
// describes. No call is made yet, to EC2 or to Slurm.
func Open(ctx context.Context, std IO, configPath string) (*Session, error) {
	log := host.NewLog(std.Stderr)
	s := &Session{log: log}
	// First, because slurmctld takes it away when it tires of waiting.
	resumeErr := s.readResumeFile(std.Getenv("SLURM_RESUME_FILE"))

	cfg, err := ReadConfig(std, configPath)
	if err != nil {
		return nil, err
	}
	slurmConf := slurmConf(cfg, std.Getenv)
	state, err := StateDir(cfg, std.Getenv)
	if err != nil {
		return nil, &ExitError{report.ExitConfig, err}
	}
	e := host.NewEnv(filepath.Join(state, "locks"), log).Until(std.Stop)
	logFile := cfg.Logging.File
	if logFile == "" {
		logFile = filepath.Join(state, "aws-slurm-burst.log")
	}
	if err := log.OpenFile(logFile, cfg.Logging.Format, cfg.Logging.Level); err != nil {
		env.Warnf(e, "log", "log file not writable, going on without: %v", err)
	}
	if resumeErr != nil {
		env.Warnf(e, "resume-file", "SLURM_RESUME_FILE not readable, asking slurmctld instead, where there is one: %v", resumeErr)
	}
	cloud, err := awscloud.New(ctx, AWSOptions(cfg, std.Getenv))
	if err != nil {
		return nil, &ExitError{report.ExitConfig, err}
	}
	texts, err := userData(cfg)
	if err != nil {
		return nil, &ExitError{report.ExitConfig, err}
	}
	slurmUser := slurmUser()
	s.Executor = &executor.Executor{
		Env: e, Cloud: cloud, Config: cfg, Types: Known(e, state, cloud), Slurm: controller(cfg, slurmConf, e),
		Store: host.Dir(state), Plans: host.PlanFiles{SlurmUser: slurmUser}, UserData: texts, Endpoint: cloud.Endpoint(),
	}
	if cfg.AWS.Region == "" {
		cfg.AWS.Region = cloud.Region()
	}
	s.Executor.Advisor = host.Advisor(std.Stop, host.Web{SlurmUser: slurmUser},
		host.NewPipes(filepath.Join(state, "replies"), slurmUser), host.Programs{Path: std.Getenv("PATH"), SlurmConf: slurmConf, Region: cfg.AWS.Region})
	return s, nil
}

// ReadConfig finds and reads the configuration; given is its path, "" for the
// one that the programs find by themselves.
func ReadConfig(std IO, given string) (*config.Config, error) {
	path, data, err := host.FindConfig(given, std.Getenv)
	if err != nil {
		return nil, &ExitError{report.ExitConfig, err}
	}
	cfg, err := config.Parse(data, path)
	if err != nil {
		return nil, &ExitError{report.ExitConfig, err}
	}
	return cfg, nil
}

func (s *Session) readResumeFile(path string) error {
	if path == "" {
		return nil
	}
	data, err := host.ReadFile(path, resumeFileLimit)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return nil
	}
	s.ResumeFile = data
	return err
}

// AWSOptions are what a configuration and the environment say of EC2.
func AWSOptions(cfg *config.Config, getenv func(string) string) awscloud.Options {
	o := awscloud.Options{
		Region: cfg.AWS.Region, Profile: cfg.AWS.Profile, ConfigFile: cfg.AWS.ConfigFile,
		CredentialsFile: cfg.AWS.CredentialsFile, EndpointURL: cfg.AWS.EndpointURL, Getenv: getenv,
	}
	if k := cfg.AWS.Keys; k != nil {
		o.AccessKeys = awscloud.AccessKeys{ID: k.ID, Secret: string(k.Secret), SessionToken: string(k.SessionToken)}
	}
	if r := cfg.AWS.Role; r != nil {
		o.AssumeRole = awscloud.AssumeRole{RoleARN: r.ARN, SessionName: r.SessionName, ExternalID: r.ExternalID, Duration: r.Duration}
	}
	return o
}

// StateDir is the folder of the journal and the caches.
func StateDir(cfg *config.Config, getenv func(string) string) (string, error) {
	if cfg.Journal.Dir != "" {
		return cfg.Journal.Dir, nil
	}
	return host.StateDir(slurmConf(cfg, getenv), getenv)
}

// defaultSlurmConf is where Slurm looks where SLURM_CONF is not set, as it is
// not for a reconcile from cron, which has to find the same journal.
const defaultSlurmConf = "/etc/slurm/slurm.conf"

// slurmConf is the path of slurm.conf, "" without Slurm.
func slurmConf(cfg *config.Config, getenv func(string) string) string {
	if cfg.Slurm.Scontrol == config.ScontrolOff {
		return ""
	}
	return cmp.Or(cfg.Slurm.Conf, getenv("SLURM_CONF"), defaultSlurmConf)
}

// controller speaks to slurmctld, or is off: the only place that reads
// slurm.scontrol.
func controller(cfg *config.Config, conf string, e env.Env) *slurm.Controller {
	if cfg.Slurm.Scontrol == config.ScontrolOff {
		return slurm.New(nil, e, "")
	}
	return slurm.New(host.Scontrol{Path: cfg.Slurm.Scontrol, Conf: conf}, e, cfg.Slurm.NodeAddr)
}

// userData reads the user data files of all node groups.
func userData(cfg *config.Config) (map[string]string, error) {
	texts := map[string]string{}
	for _, g := range cfg.Groups {
		if g.UserDataFile == "" {
			continue
		}
		data, err := host.ReadFile(g.UserDataFile, 16<<10) // EC2 takes 16 kB
		if err != nil {
			return nil, err
		}
		texts[g.UserDataFile] = string(data)
	}
	return texts, nil
}

// slurmUser is the uid of the user named slurm, whose plans are trusted; -1
// where there is none.
func slurmUser() int {
	u, err := user.Lookup("slurm")
	if err != nil {
		return -1
	}
	uid, err := strconv.Atoi(strings.TrimSpace(u.Uid))
	if err != nil {
		return -1
	}
	return uid
}
