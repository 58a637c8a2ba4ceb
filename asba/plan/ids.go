package plan

import "aws-slurm-burst/asba/finding"

// Ids of findings. They are stable: an id is never used for something else. A
// finding's level belongs to its id.
const (
	idTooLarge  = "PLAN001"
	idEmpty     = "PLAN002"
	idEncoding  = "PLAN003"
	idSyntax    = "PLAN004"
	idNesting   = "PLAN005"
	idDuplicate = "PLAN006"
	idType      = "PLAN007"
	idRange     = "PLAN008"
	idUnknown   = "PLAN009"
	idComment   = "PLAN010"
	idDisagree  = "PLAN011"

	idNoTypes    = "PLAN020"
	idPurchasing = "PLAN021"
	idPlacement  = "PLAN022"
	idTypeName   = "PLAN023"
	idZone       = "PLAN024"
	idTag        = "PLAN025"
	idBudget     = "PLAN026"
	idSpotPrice  = "PLAN027"
	idSpread     = "PLAN028"
	idCount      = "PLAN029"
	idImpossible = "PLAN030"
	idNoneLeft   = "PLAN031"
)

// warnings are the ids that are not errors.
var warnings = map[string]bool{
	idUnknown: true, idComment: true, idDisagree: true,
	idBudget: true, idSpotPrice: true, idCount: true, idImpossible: true,
}

func newFinding(id string, at Place, message, suggestion string) finding.Finding {
	level := finding.Error
	if warnings[id] {
		level = finding.Warning
	}
	return finding.Finding{
		ID: id, Level: level, File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: message, Suggestion: suggestion,
	}
}

// maxFindings bounds the findings of one level: after fifty of a kind nobody
// reads on, and a hostile document must not cost memory. An error can
// therefore never be lost behind warnings.
const maxFindings = 50

// report collects the findings about one document.
type report struct {
	findings []finding.Finding
	count    [finding.Error + 1]int
}

func (r *report) add(id string, at Place, message, suggestion string) {
	f := newFinding(id, at, message, suggestion)
	if r.count[f.Level]++; r.count[f.Level] <= maxFindings {
		r.findings = append(r.findings, f)
	}
}
