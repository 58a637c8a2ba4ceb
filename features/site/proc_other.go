//go:build unix && !linux

package site

import "syscall"

// tied does nothing: there is no parent-death signal here, and a killed parent
// leaves its child.
func tied() *syscall.SysProcAttr { return nil }
