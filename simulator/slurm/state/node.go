package state

import (
	"strings"

	"aws-slurm-burst/executor/env"
)

// Base is a node's base state.
type Base uint8

// Base states. A node whose jobs are known is Idle: whether it shows as
// ALLOCATED or MIXED follows from them.
const (
	Idle Base = iota
	Allocated
	Mixed
	Down
)

var baseNames = [...]string{"IDLE", "ALLOCATED", "MIXED", "DOWN"}

// String is the state as scontrol writes it.
func (b Base) String() string { return baseNames[b] }

// ParseBase reads a base state.
func ParseBase(s string) (Base, bool) {
	for i, name := range baseNames {
		if s == name {
			return Base(i), true
		}
	}
	return 0, false
}

// Flags are what a node is beside its base state.
type Flags uint16

// Flags, in the order in which 22.05.8 was seen to write them.
const (
	Cloud Flags = 1 << iota
	Completing
	Drain
	// PowerDown is asked for and will be done when the node is idle; PoweringDown
	// lasts for SuspendTimeout, and PoweredDown after.
	PowerDown
	PoweredDown
	NotResponding
	PoweringDown
	PoweringUp
)

var flagNames = [...]string{"CLOUD", "COMPLETING", "DRAIN", "POWER_DOWN", "POWERED_DOWN", "NOT_RESPONDING", "POWERING_DOWN", "POWERING_UP"}

// Names lists the flags in Slurm's order.
func (f Flags) Names() []string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// ParseFlag reads one flag.
func ParseFlag(s string) (Flags, bool) {
	for i, name := range flagNames {
		if s == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Node is a node.
type Node struct {
	Name, Addr, Hostname string
	// Partitions are the names, "a,b", of those that it is in.
	Partitions string
	Features   string // "a,b"
	Gres       string
	Reason     string
	ReasonAt   env.Time
	Memory     int64 // MiB
	CPUs       int32
	Weight     int32
	Base       Base
	Flags      Flags
	// Jobs are the jobs that have it, in the order in which they got it.
	Jobs []int32

	known bool
}

// Has reports whether the node has all of these flags.
func (n *Node) Has(f Flags) bool { return n.Flags&f == f }

// Any reports whether the node has one of these flags.
func (n *Node) Any(f Flags) bool { return n.Flags&f != 0 }

// State is the node's state as scontrol writes it, such as IDLE+CLOUD; base
// stands for Base where jobs change what is shown.
func (n *Node) State(base Base) string {
	var b strings.Builder
	b.WriteString(base.String())
	for i, name := range flagNames {
		if n.Flags&(1<<i) != 0 {
			b.WriteByte('+')
			b.WriteString(name)
		}
	}
	return b.String()
}
