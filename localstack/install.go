package localstack

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// lock is the locked set of packages; its digest stamps an environment.
//
//go:embed requirements.txt
var lock []byte

// LockDigest is the lock's SHA-256, by which an installation or an image says
// what it was made from.
func LockDigest() string {
	sum := sha256.Sum256(lock)
	return hex.EncodeToString(sum[:])
}

// stamp is written by install.sh last of all, into the environment's folder.
const stamp = "asba-lock.sha256"

// DirEnv names the environment's folder for programs that run outside the
// repository.
const DirEnv = "ASBA_LOCALSTACK_DIR"

// Installed returns nil if dir holds the locked LocalStack, else a
// *NotInstalledError that says what is there instead.
func Installed(dir string) error {
	got, err := os.ReadFile(filepath.Join(dir, stamp))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NotInstalledError{Dir: dir, Why: "no finished installation there"}
	case err != nil:
		return &NotInstalledError{Dir: dir, Why: err.Error()}
	}
	if strings.TrimSpace(string(got)) != LockDigest() {
		return &NotInstalledError{Dir: dir, Why: "made from another requirements.txt than this program's"}
	}
	if _, err := os.Stat(filepath.Join(dir, "bin", "python")); err != nil {
		return &NotInstalledError{Dir: dir, Why: err.Error()}
	}
	return nil
}

// DefaultDir is $ASBA_LOCALSTACK_DIR, else the .build/localstack of the nearest
// folder upwards that has one, else the one below the working folder.
func DefaultDir() string {
	if dir := os.Getenv(DirEnv); dir != "" {
		return dir
	}
	const below = ".build/localstack"
	wd, err := os.Getwd()
	if err != nil {
		return below
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, below, stamp)); err == nil {
			return filepath.Join(dir, below)
		}
		if dir == filepath.Dir(dir) {
			return filepath.Join(wd, below)
		}
	}
}
