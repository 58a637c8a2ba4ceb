package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"aws-slurm-burst/asba/finding"
)

// Reference names a plan by its bytes: it is the SHA-256 of the plan's file, as
// 64 hexadecimal digits. Whoever has one has that plan or none: a file that was
// changed, cut or not yet written to its end has another.
type Reference string

// referencePrefix begins what a job says of its plan.
const referencePrefix = "asba:"

// noReference is what a job says that has no plan.
const noReference = referencePrefix + "none"

// Refer returns the reference to the plan of these bytes.
func Refer(data []byte) Reference {
	sum := sha256.Sum256(data)
	return Reference(hex.EncodeToString(sum[:]))
}

// ReadReference reads what a job's comment says of its plan: "asba:" and the
// reference, or "asba:none". That is the first thing in the comment, and goes to
// its end or to a semicolon, behind which others may have written anything, the
// plan's own words among it. ok is false where the comment does not begin so or
// says none; the error is of one that begins so and names no plan.
func ReadReference(comment string) (r Reference, ok bool, err error) {
	word, _, _ := strings.Cut(comment, ";")
	word = strings.Trim(word, " ")
	digest, ok := strings.CutPrefix(word, referencePrefix)
	switch {
	case !ok || word == noReference:
		return "", false, nil
	case len(digest) != hex.EncodedLen(sha256.Size) || strings.Trim(digest, "0123456789abcdef") != "":
		return "", false, fmt.Errorf("%s is no reference to a plan (write asba: and the 64 digits that sha256sum prints of the plan's file)", finding.Quote(word))
	}
	return Reference(digest), true, nil
}

// String is the reference as a job's comment has it.
func (r Reference) String() string { return referencePrefix + string(r) }

// File is the name of the plan's file, in whichever folder plans are.
func (r Reference) File() string { return string(r) + ".json" }

// Names reports whether it is the reference to these bytes.
func (r Reference) Names(data []byte) bool { return r == Refer(data) }
