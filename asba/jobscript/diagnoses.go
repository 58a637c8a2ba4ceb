package jobscript

import "aws-slurm-burst/asba/finding"

// Diagnosis is a kind of finding. Its id is stable across releases.
type Diagnosis struct {
	id    string
	level finding.Level
	text  string
}

// ID is the id of findings of this kind.
func (d Diagnosis) ID() string { return d.id }

// What is found in a script. An error is what sbatch refuses, or what makes no
// job; a warning is taken, and seldom what was meant.
var (
	NoScript  = Diagnosis{"JOB001", finding.Error, "it is no batch script: empty, without #!, or too large"}
	DOS       = Diagnosis{"JOB002", finding.Error, "lines end as on DOS"}
	NotText   = Diagnosis{"JOB003", finding.Error, "a NUL character"}
	Quoting   = Diagnosis{"JOB004", finding.Error, "a quote that does not end, or a colon where an option should be"}
	Unknown   = Diagnosis{"JOB005", finding.Error, "an option that sbatch does not have"}
	Ambiguous = Diagnosis{"JOB006", finding.Error, "a shortened option that could be several"}
	Argument  = Diagnosis{"JOB007", finding.Error, "an option without its value, or with one that it does not take"}
	Stray     = Diagnosis{"JOB008", finding.Error, "a word that belongs to no option"}
	BadValue  = Diagnosis{"JOB009", finding.Error, "a value that sbatch does not take"}
	TooLarge  = Diagnosis{"JOB010", finding.Error, "a value larger than Slurm can hold"}
	Conflict  = Diagnosis{"JOB011", finding.Error, "options that contradict each other"}
	NoJob     = Diagnosis{"JOB012", finding.Error, "an option with which sbatch submits nothing, or a job without nodes"}

	Late       = Diagnosis{"JOB101", finding.Warning, "a #SBATCH line after the first command, which sbatch does not read"}
	LooksLike  = Diagnosis{"JOB102", finding.Warning, "a comment that looks like a directive"}
	Foreign    = Diagnosis{"JOB103", finding.Warning, "a #PBS or #BSUB line: sbatch reads it, this package does not"}
	CutShort   = Diagnosis{"JOB104", finding.Warning, "words of a directive that sbatch drops without a word"}
	FewerNodes = Diagnosis{"JOB105", finding.Warning, "fewer tasks than nodes: Slurm takes fewer nodes"}
	Unexpanded = Diagnosis{"JOB106", finding.Warning, "a variable or command, which a directive takes literally"}
	NodeFile   = Diagnosis{"JOB107", finding.Warning, "nodes named in a file, which is not read here"}
	NextLine   = Diagnosis{"JOB108", finding.Warning, "an option that takes its value from the next line"}
	Ineffect   = Diagnosis{"JOB109", finding.Warning, "an option without effect in a script, or a deprecated word"}
	OddType    = Diagnosis{"JOB110", finding.Warning, "GPUs of an odd type, such as gpu or a100=4"}
	More       = Diagnosis{"JOB199", finding.Info, "more findings than are told"}
)

// Diagnoses are all kinds of findings, by id.
func Diagnoses() []Diagnosis {
	return []Diagnosis{
		NoScript, DOS, NotText, Quoting, Unknown, Ambiguous, Argument, Stray, BadValue, TooLarge, Conflict, NoJob,
		Late, LooksLike, Foreign, CutShort, FewerNodes, Unexpanded, NodeFile, NextLine, Ineffect, OddType, More,
	}
}
