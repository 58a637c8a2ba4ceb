//go:build unix && !linux

package localstack

import "syscall"

// ownGroup gives the child a process group, so that Stop reaches all of it.
// There is no parent-death signal here: a killed parent leaves the server.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
