package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// configLimit is the largest configuration file that is read.
const configLimit = 1 << 20

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
		st, err := os.Stat(path)
		if err == nil {
			if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Uid != 0 && int(sys.Uid) != os.Geteuid() {
				return "", nil, fmt.Errorf("config.yaml in the current directory belongs to somebody else (name it with --config if you trust it)")
			}
			data, err := readConfig(path)
			return path, data, err
		}
	}
	return "", nil, fmt.Errorf("no configuration found: looked for %s (name one with --config)", strings.Join(looked, ", "))
}

func readConfig(path string) ([]byte, error) {
	data, err := ReadFile(path, configLimit)
	if err != nil {
		return nil, fmt.Errorf("configuration not readable: %w", err)
	}
	return data, nil
}

// ReadFile reads a regular file (or what looks like one: slurmctld's resume
// file is an anonymous file under /proc) of at most limit bytes. A pipe in its
// place never makes us wait.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, err
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
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("aws-slurm-burst-%d", os.Geteuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("no folder for the journal: %w (set journal.dir)", err)
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	// In a shared folder somebody else may have made it first.
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || !st.IsDir() || int(sys.Uid) != os.Geteuid() || st.Mode().Perm()&0o077 != 0 {
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
	data, err := os.ReadFile(conf)
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
