// Package blackbox tests the programs from outside, as slurmctld, a person and
// a CI job meet them: real processes, a bare environment, EC2's wire. It holds
// no product code; its tests are its whole.
package blackbox
