package site

import "syscall"

// tied has the kernel end a child when its parent dies.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
