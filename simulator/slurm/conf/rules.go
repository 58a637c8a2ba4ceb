package conf

import (
	"slices"

	"aws-slurm-burst/asba/finding"
)

// The ids of findings. docs/SLURMCONF.md has a paragraph on each.
const (
	idSyntax      = "SLURM001"
	idValue       = "SLURM002"
	idHostlist    = "SLURM003"
	idTwiceNode   = "SLURM004"
	idNoSuchNode  = "SLURM005"
	idInclude     = "SLURM006"
	idNothing     = "SLURM007"
	idUnknown     = "SLURM008"
	idTwice       = "SLURM009"
	idNoEffect    = "SLURM010"
	idNotModelled = "SLURM011"

	idSuspendTime   = "SLURM020"
	idProgram       = "SLURM021"
	idFailProgram   = "SLURM022"
	idResumeTimeout = "SLURM023"
	idSuspendShort  = "SLURM024"
	idRate          = "SLURM025"
	idReturn        = "SLURM026"
	idIdle          = "SLURM027"
	idRequeue       = "SLURM028"
	idTree          = "SLURM029"
	idPrivate       = "SLURM030"
	idBatch         = "SLURM031"
	idSlurmd        = "SLURM032"
	idMemory        = "SLURM033"
	idAddress       = "SLURM034"
	idDNS           = "SLURM035"
	idWeight        = "SLURM036"
)

// levels has every id with its level.
var levels = map[string]finding.Level{
	idSyntax: finding.Error, idValue: finding.Error, idHostlist: finding.Error, idTwiceNode: finding.Error,
	idNoSuchNode: finding.Error, idInclude: finding.Error, idNothing: finding.Error,
	idUnknown: finding.Warning, idTwice: finding.Warning, idNoEffect: finding.Warning, idNotModelled: finding.Info,

	idSuspendTime: finding.Warning, idProgram: finding.Warning, idFailProgram: finding.Warning, idResumeTimeout: finding.Warning,
	idSuspendShort: finding.Info, idRate: finding.Warning, idReturn: finding.Warning, idIdle: finding.Warning,
	idRequeue: finding.Warning, idTree: finding.Warning, idPrivate: finding.Info, idBatch: finding.Info,
	idSlurmd: finding.Warning, idMemory: finding.Warning, idAddress: finding.Warning, idDNS: finding.Warning, idWeight: finding.Warning,
}

// Level is how bad findings of an id are.
func Level(id string) finding.Level { return levels[id] }

// IDs returns every id, sorted.
func IDs() []string {
	var ids []string
	for id := range levels {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
