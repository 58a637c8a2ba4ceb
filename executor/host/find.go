package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// configLimit is the largest configuration file that is read.
const configLimit = 1 << 20

// ErrNoConfig is the error where nobody named a configuration and none is in its
// usual places.
var ErrNoConfig = errors.New("no configuration found")

// slurmConfLimit is far more than any slurm.conf.
const slurmConfLimit = 16 << 20

// systemConfig is where packages put the configuration.
const systemConfig = "/etc/aws-slurm-burst/config.yaml"

// FindConfig finds and reads the configuration file: the one given, else
// $AWS_SLURM_BURST_CONFIG, else aws-slurm-burst.yaml beside $SLURM_CONF, else
// the system's, else config.yaml in the current directory; the last only
// without SLURM_CONF, and only where it belongs to root or the caller, since
// anyone can put a file into a shared directory.
func FindConfig(given string, getenv func(string) string) (path string, data []byte, err error) {
	if given == "" {
		given = getenv("AWS_SLURM_BURST_CONFIG")
	}
	if given != "" {
		data, err := readConfig(given)
		return given, data, err
	}
	var looked []string
	if conf := getenv("SLURM_CONF"); conf != "" {
		looked = append(looked, filepath.Join(filepath.Dir(conf), "aws-slurm-burst.yaml"))
	}
	looked = append(looked, systemConfig)
	for _, path := range looked {
		data, err := readConfig(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return path, data, err
		}
	}
	if getenv("SLURM_CONF") == "" {
		const path = "config.yaml"
		looked = append(looked, path)
		f, st, err := openRegular(path)
		if err == nil {
			defer func() { _ = f.Close() }()
			if !owned(st) {
				return "", nil, errors.New("config.yaml in the current directory belongs to somebody else (name it with --config if you trust it)")
			}
			data, err := readAtMost(f, configLimit)
			return path, data, unreadable(err)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, unreadable(err)
		}
	}
	return "", nil, fmt.Errorf("%w: looked for %s (name one with --config)", ErrNoConfig, strings.Join(looked, ", "))
}

func readConfig(path string) ([]byte, error) {
	data, err := ReadFile(path, configLimit)
	return data, unreadable(err)
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("configuration not readable: %w", err)
}

// StateDir is where the journal goes where the configuration does not say:
// beside Slurm's own state, so that it follows a failover, else in the user's
// state directory, else in a folder of the system's.
func StateDir(slurmConf string, getenv func(string) string) (string, error) {
	if dir := stateSaveLocation(slurmConf); dir != "" {
		return filepath.Join(dir, "aws-slurm-burst"), nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "aws-slurm-burst"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "aws-slurm-burst"), nil
	}
	if dir := "/var/lib/aws-slurm-burst"; os.MkdirAll(dir, 0o700) == nil && syscall.Access(dir, 2 /* W_OK */) == nil {
		return dir, nil
	}
	return privateDir()
}

// ErrNoCaches is the error of a caller without a folder of its own.
var ErrNoCaches = errors.New("no folder for caches: set XDG_CACHE_HOME, or name a configuration with --config")

// CacheDir is the user's own folder for what can be had again, for who has no
// configuration.
func CacheDir(getenv func(string) string) (string, error) {
	if dir := getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "aws-slurm-burst"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".cache", "aws-slurm-burst"), nil
	}
	return "", ErrNoCaches
}

// privateDir is a folder of our own where everybody has theirs.
func privateDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("aws-slurm-burst-%d", os.Geteuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("no folder for the journal: %w (set journal.dir)", err)
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	// In a shared folder somebody else may have made it first.
	if !st.IsDir() || ownerOf(st) != os.Geteuid() || st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("journal folder %s is not ours alone (set journal.dir)", dir)
	}
	return dir, nil
}

// stateSaveLocation reads StateSaveLocation from slurm.conf; "" where it is
// not said or the file is not there.
func stateSaveLocation(conf string) string {
	if conf == "" {
		return ""
	}
	data, err := ReadFile(conf, slurmConfLimit)
	if err != nil {
		return ""
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		for _, word := range strings.Fields(line) {
			if key, v, ok := strings.Cut(word, "="); ok && strings.EqualFold(key, "StateSaveLocation") && filepath.IsAbs(v) {
				return v
			}
		}
	}
	return ""
}
