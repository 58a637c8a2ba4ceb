// Package slurmtest gives tests a real slurmctld, in namespaces of its own for
// processes, mounts, sockets and ports: the first process of these ends with the
// test, whatever ends the test, and the kernel ends all others with it. So
// nothing is left running, no port of the machine is taken, and several runs
// never meet. Only Linux has that, and only for root.
//
// It starts munge and slurmctld and talks to them. What slurm.conf says, and
// what nodes there are, is for who tests; a slurmd it starts only to make a node
// known (Register).
package slurmtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"aws-slurm-burst/localstack/scratch"
)

// InsideEnv tells a process that it is the first one of the namespaces.
const InsideEnv = "ASBA_E2E_INSIDE"

// needed are the programs of Slurm 22.05 or later, by Debian's package.
var needed = []struct{ program, pkg string }{
	{"slurmctld", "slurmctld"}, {"slurmd", "slurmd"}, {"scontrol", "slurm-client"}, {"munged", "munge"},
}

// Missing says what this machine lacks for a run, nil where it lacks nothing.
func Missing() error {
	var packages []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			packages = append(packages, n.pkg)
		}
	}
	switch {
	case len(packages) > 0:
		return fmt.Errorf("no Slurm on this machine (as root: apt-get install --no-install-recommends %s)", strings.Join(packages, " "))
	case os.Geteuid() != 0:
		return errors.New("slurmd and the namespaces of a run need root (sudo make e2e)")
	}
	return nil
}

// Inside reports whether this process is the first one of a run's namespaces.
func Inside() bool { return os.Getenv(InsideEnv) != "" }

// Enter runs this program again, as the first process of namespaces of its own,
// and returns its exit code.
func Enter() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	c := exec.Command(self, os.Args[1:]...)
	c.Env = append(os.Environ(), InsideEnv+"=1") // the last one counts
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	// A terminal tells the whole group: the run inside may still have to tidy up.
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt)
	defer signal.Stop(told)
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("no namespaces for processes and ports: %w (root needs CAP_SYS_ADMIN; in a container: --privileged)", err)
	}
	var exit *exec.ExitError
	switch err := c.Wait(); {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), nil
	case err != nil:
		return 0, err
	}
	return 0, nil
}

// Furnish makes the namespaces usable: a /proc of their own processes, and a
// loopback that is up. It returns the process id by which the machine outside
// knows this process.
func Furnish() (outside string, err error) {
	if outside, err = os.Readlink("/proc/self"); err != nil { // the old /proc
		return "", err
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("mounts of our own: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return "", fmt.Errorf("/proc of our own: %w", err)
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(s) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return "", err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return "", fmt.Errorf("loopback: %w", err)
	}
	// To getaddrinfo a machine that has 127.0.0.1 alone has no network, and
	// Slurm asks it even for addresses in figures.
	second, err := unix.NewIfreq("lo:1")
	if err == nil {
		err = second.SetInet4Addr([]byte{127, 0, 0, 2})
	}
	if err == nil {
		err = unix.IoctlIfreq(s, unix.SIOCSIFADDR, second)
	}
	if err != nil {
		return "", fmt.Errorf("a second loopback address: %w", err)
	}
	return outside, nil
}

// Kind is the name of the folder that has one for each run.
const Kind = "asb-e2e"

// maxRoot leaves room for the longest socket of slurmstepd below it, as
// run-1234567890/c10/spool/aws-hpc-001/aws-hpc-001_100.4294967291, within the 108
// bytes of a socket's name.
const maxRoot = 40

// NewRunDir makes the folder of a run, and removes those of runs that have
// ended.
func NewRunDir() (*scratch.Dir, error) {
	if root := scratch.Root(Kind); len(root) > maxRoot {
		return nil, fmt.Errorf("%s is too long for the sockets below it; set TMPDIR to a folder with a shorter name", root)
	}
	d, err := scratch.New(Kind)
	if err != nil {
		return nil, err
	}
	return d, os.Chmod(d.Path, 0o755) // slurmstepd and munge look into it
}
