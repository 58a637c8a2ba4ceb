package app

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"aws-slurm-burst/asba/catalog"
	"aws-slurm-burst/executor/awscloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/executor/host"
	"aws-slurm-burst/executor/survey"
)

// refreshedLimit bounds a file of what EC2 said: it is some 100 kB.
const refreshedLimit = 4 << 20

// Known is the catalogue with what EC2 said itself, where somebody asked it
// (`aws-slurm-burst catalog refresh`). The file is read at the first question.
func Known(e env.Env, folder string, ec2 *awscloud.Cloud) *catalog.Catalog {
	return catalog.Default().With(func() *catalog.Refreshed {
		path := filepath.Join(folder, survey.File(ec2.Endpoint(), ec2.Region()))
		data, err := host.ReadFile(path, refreshedLimit)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		var r *catalog.Refreshed
		if err == nil {
			r, err = catalog.ReadRefreshed(data)
		}
		if err == nil && r.Region != ec2.Region() {
			err = fmt.Errorf("it is of %s", r.Region)
		}
		if err != nil {
			env.Warnf(e, "catalog", "refreshed catalogue %s not usable, using the embedded one: %v (run 'aws-slurm-burst catalog refresh')", path, err)
			return nil
		}
		return r
	})
}
