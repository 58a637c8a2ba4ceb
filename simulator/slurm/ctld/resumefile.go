package ctld

import (
	"encoding/json"
	"fmt"

	"aws-slurm-burst/executor/hostlist"
)

// resumeFile is what SLURM_RESUME_FILE holds on 22.05, keys in its order, as
// observed; 23.02 has other names for them.
type resumeFile struct {
	Jobs     []resumeJob `json:"jobs"`
	AllNodes string      `json:"all_nodes"`
}

// resumeJob is a job and those of its nodes that this call powers up.
type resumeJob struct {
	JobID int32  `json:"job_id"`
	Nodes string `json:"nodes"`
}

// resumeFile writes the file of the present scan, nil where no node is powered
// up.
func (d *Daemon) resumeFile() []byte {
	if len(d.power.wake) == 0 {
		return nil
	}
	text, err := json.Marshal(resumeFile{d.power.file, hostlist.Fold(d.table.Names(d.power.wake))})
	if err != nil {
		panic(fmt.Sprintf("simulator/slurm/ctld: resume file: %v", err)) // of strings and numbers
	}
	return text
}
