package journal

import "aws-slurm-burst/executor/env"

// Failure is how often in a row a job lost its nodes before it could run.
type Failure struct {
	Job string   `json:"job"` // its own id, also that of a task of an array
	At  env.Time `json:"at"`
	// Times is how often, Restarts how often Slurm had requeued the job after the
	// last time, for whatever reason: a job that was requeued once more without a
	// failure got through in between.
	Times    int `json:"times"`
	Restarts int `json:"restarts"`
	// Code is why, the last time.
	Code string `json:"code"`
}

// Failed counts a failure of a job that Slurm has requeued so often with it. fresh is
// false for one that was counted before: several calls may see it. With an error it is
// counted, and not written down.
func (j *Journal) Failed(job string, restarts int, code string) (f Failure, fresh bool, err error) {
	f = Failure{Job: job, At: j.env.Now(), Times: 1, Restarts: restarts, Code: code}
	name := failuresFolder + "/" + job + ".json"
	if last, ok := read[Failure](j, name); ok {
		switch last.Restarts {
		case restarts:
			return last, false, nil
		case restarts - 1:
			f.Times = last.Times + 1
		}
	}
	return f, true, put(j.store, name, f)
}

// pruneFailures forgets the failures before t.
func (j *Journal) pruneFailures(t env.Time) error {
	names, err := j.list(failuresFolder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if f, ok := read[Failure](j, name); ok && f.At < t {
			if err := j.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
