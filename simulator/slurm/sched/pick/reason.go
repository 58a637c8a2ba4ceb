package pick

// Reason is why a job waits, or what it can never have.
type Reason uint8

const (
	None Reason = iota
	// Resources: it is the first in line. Priority: others are before it.
	Resources
	Priority
	// What the configuration has no node for, and what exceeds the partition's
	// limits.
	BadConstraints
	PartitionNodeLimit
	PartitionTimeLimit
	PartitionDown
	// What an association may not have at once.
	AssocMaxJobsLimit
	QOSMaxCpuPerUserLimit
	AssocGrpJobsLimit
	AssocGrpCpuLimit
)

var reasons = [...]string{
	"None", "Resources", "Priority", "BadConstraints", "PartitionNodeLimit", "PartitionTimeLimit", "PartitionDown",
	"AssocMaxJobsLimit", "QOSMaxCpuPerUserLimit", "AssocGrpJobsLimit", "AssocGrpCpuLimit",
}

// String is the reason as scontrol shows it.
func (r Reason) String() string { return reasons[r] }
