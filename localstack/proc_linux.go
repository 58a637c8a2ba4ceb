package localstack

import "syscall"

// ownGroup gives the child a process group, so that Stop reaches all of it, and
// has the kernel kill it when its parent dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
