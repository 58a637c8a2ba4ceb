module aws-slurm-burst/simulator/bench

go 1.26.0

require (
	aws-slurm-burst v0.0.0
	github.com/fschuetz04/simgo v0.7.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
)

replace aws-slurm-burst => ../..
