package advise

import "strings"

// Kinds of types that a job gets only where it is asked for them. The lists are
// by family, since what EC2 tells of one size it tells of all.
var (
	// EC2 says CurrentGeneration false of these (DescribeInstanceTypes, in moto
	// 5.2.5 of 2026-10-27): it goes on selling them, and runs out of them.
	previousFamilies = []string{
		"a1", "c1", "c3", "c4", "c5", "c6gn", "d2", "g5", "i2", "m1", "m2", "m3", "m4", "m5", "m6i",
		"r3", "r4", "r5", "r6i", "r7g", "r7gd", "t1",
	}
	// BurstablePerformanceSupported in the same answer, t8i by its letter, and the
	// flex families, which have all of their CPU for 95 % of a day and cannot join a cluster
	// group (EC2 User Guide, flex instances). A job that computes all day pays
	// for what it does not get.
	burstableFamilies = []string{
		"t1", "t2", "t3", "t3a", "t4g", "t8i",
		"c7i-flex", "c8i-flex", "m7i-flex", "m8i-flex", "r8i-flex",
	}
	// Accelerators that Slurm's gpu does not mean: of FPGAs, for inference and
	// training, for video (FpgaInfo, InferenceAcceleratorInfo, NeuronInfo and
	// MediaAcceleratorInfo in the same answer; dl1 by the EC2 User Guide).
	acceleratedFamilies = []string{
		"dl1", "dl2q", "f1", "f2", "inf1", "inf2", "trn1", "trn1n", "trn2", "trn2u", "vt1",
	}
	// A GPU of these is a part of a card (EC2 User Guide, G6f and Gr6f).
	fractionFamilies = []string{"g6f", "gr6f"}
)

// isMetal reports whether a type is a whole machine without EC2's hypervisor. It
// takes far longer to boot than its twin with one, and costs the same.
func isMetal(name string) bool {
	_, size, _ := strings.Cut(name, ".")
	return size == "metal" || strings.HasPrefix(size, "metal-")
}
