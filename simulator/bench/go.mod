module aws-slurm-burst/simulator/bench

go 1.26.0

require (
	aws-slurm-burst v0.0.0
	github.com/fschuetz04/simgo v0.7.0
)

replace aws-slurm-burst => ../..
