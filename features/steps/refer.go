package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"aws-slurm-burst/features/site"
)

// givenReferences: what jobs say of their plans, in slurmctld's record of them.
func givenReferences(sc registrar) {
	sc.Step(`^job (\d+) refers to the plan "([^"]+)"$`, func(ctx context.Context, job int, name string) error {
		ref, err := referTo(ctx, name)
		if err != nil {
			return err
		}
		return recordOf(ctx, job, " AdminComment="+ref+" ")
	})
	sc.Step(`^job (\d+) refers to no plan$`, func(ctx context.Context, job int) error {
		return recordOf(ctx, job, " AdminComment=asba:none ")
	})
	sc.Step(`^job (\d+) has no AdminComment$`, func(ctx context.Context, job int) error { return recordOf(ctx, job, "") })
	sc.Step(`^job (\d+) refers to no plan, and its user forges a reference to "([^"]+)"$`, func(ctx context.Context, job int, name string) error {
		ref, err := referTo(ctx, name)
		if err != nil {
			return err
		}
		return recordOf(ctx, job, " AdminComment=asba:none  Comment=x  AdminComment="+ref+" ")
	})
	sc.Step(`^the plan "([^"]+)" that is referred to (is not there|was changed since|is cut in half|belongs to somebody else)$`, spoil)
}

// referTo puts a plan under the name of its bytes, and returns what a job says to
// refer to it. In lines the name is DIGEST.
func referTo(ctx context.Context, name string) (string, error) {
	data, err := ownPlan(ctx, name)
	if err != nil {
		return "", err
	}
	w, digest := in(ctx), digestOf(data)
	w.Alias(digest, "DIGEST")
	return "asba:" + digest, w.Write("plans/"+digest+".json", data)
}

// ownPlan is a plan that the scenario has written, else one that Site.Plan finds.
func ownPlan(ctx context.Context, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(in(ctx).Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return planText(ctx, name)
	}
	return data, err
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// spoil does something to the file of a plan that a job refers to.
func spoil(ctx context.Context, name, how string) error {
	data, err := ownPlan(ctx, name)
	if err != nil {
		return err
	}
	w := in(ctx)
	file := "plans/" + digestOf(data) + ".json"
	switch how {
	case "is not there":
		return os.Remove(filepath.Join(w.Dir, file))
	case "was changed since":
		changed := append(data, ' ')
		w.Alias(digestOf(changed), "ANOTHER")
		return w.Write(file, changed)
	case "is cut in half":
		half := data[:len(data)/2]
		w.Alias(digestOf(half), "ANOTHER")
		return w.Write(file, half)
	}
	const nobody = 65534
	return os.Chown(filepath.Join(w.Dir, file), nobody, nobody)
}

// recordOf has slurmctld know a job, with these comments, and nothing else: who
// asks it for more than a record is refused. So the programs can plan a launch (a
// dry run on the server), and not make one.
func recordOf(ctx context.Context, job int, comments string) error {
	id := strconv.Itoa(job)
	w := in(ctx)
	record := "JobId=" + id + " JobName=j UserId=ada(1000) GroupId=ada(1000) JobState=CONFIGURING Reason=None Requeue=1 Restarts=0 BatchFlag=1 NodeList=(null) NumNodes=1 NumCPUs=1" +
		" Network=(null) Command=/home/ada/j.sh WorkDir=/home/ada" + comments + " StdErr=/dev/null StdIn=/dev/null StdOut=/dev/null Power= \n"
	const script = `
case "$*" in
"-o show job") cat records/* ;;
"-o show job "*) cat "records/$4" ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac
`
	return errors.Join(
		w.Write("records/"+id, []byte(record)),
		writeScontrol(w, script),
		w.Set("slurm.scontrol", filepath.Join(w.Dir, "scontrol")),
	)
}

// writeScontrol writes a stand-in for scontrol into the site's folder.
func writeScontrol(w *site.Site, script string) error {
	return errors.Join(
		w.Write("scontrol", []byte("#!/bin/sh\nPATH=/usr/bin:/bin\ncd '"+w.Dir+"'\n"+script)),
		os.Chmod(filepath.Join(w.Dir, "scontrol"), 0o755),
	)
}
