package simulation

import (
	"slices"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/simulator/scenario"
	"aws-slurm-burst/simulator/slurm/conf"
)

// confLimit bounds a file of a slurm.conf.
const confLimit = 16 << 20

// judgeSlurm judges the slurm.conf of a scenario, and returns what is unwise in
// it: mostly what is hostile to cloud nodes.
func judgeSlurm(s *scenario.Scenario) ([]finding.Finding, error) {
	c := &s.Cluster
	if c.SlurmConf == "" {
		return nil, nil
	}
	open := func(name string) ([]byte, error) { return host.ReadFile(name, confLimit) }
	data, err := open(c.SlurmConf)
	if err != nil {
		return nil, err
	}
	var over []conf.Line
	for _, l := range c.Settings {
		over = append(over, conf.Line(l))
	}
	found := conf.Read(data, c.SlurmConf, open, over...).Findings
	if finding.Count(found, finding.Error) == 0 {
		return found, nil
	}
	return nil, &scenario.Invalid{Findings: slices.DeleteFunc(found, func(f finding.Finding) bool { return f.Level < finding.Error })}
}
