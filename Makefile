# aws-slurm-burst. `make help` lists what there is to do.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PROGRAMS := asba aws-slurm-burst aws-slurm-burst-lab aws-slurm-burst-resume aws-slurm-burst-suspend aws-slurm-burst-resume-fail
FUZZTIME ?= 5s
SOAK     ?= 30s
LOCALSTACK_DIR ?= $(or $(ASBA_LOCALSTACK_DIR),.build/localstack)

GO      := go
LDFLAGS := -s -w -X aws-slurm-burst/cmd/internal/app.Version=$(VERSION)

# Each step of `make test` says how long it took.
STEP = @.ci/step

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the programs into bin/
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./cmd/,$(PROGRAMS))

.PHONY: demo
demo: build ## resume, break and suspend an 8-node gang on the embedded EC2
	@bin/aws-slurm-burst demo --examples examples

.PHONY: localstack
localstack: ## install LocalStack 4.14.0 into an environment of its own (no root)
	@localstack/install.sh $(LOCALSTACK_DIR)

.PHONY: localstack-image
localstack-image: ## build the image of LocalStack 4.14.0 for containers (Docker; root)
	@localstack/image.sh $(LOCALSTACK_DIR)

.PHONY: test
test: ## everything that can be tested here, saying what could not and why
	$(STEP) build $(MAKE) --no-print-directory build
	$(STEP) lint $(MAKE) --no-print-directory lint
	$(STEP) catalog $(MAKE) --no-print-directory catalog-check
	$(STEP) localstack $(MAKE) --no-print-directory localstack-if-possible
	$(STEP) image $(MAKE) --no-print-directory localstack-image-if-possible
	$(STEP) unit $(MAKE) --no-print-directory unit
	$(STEP) soak $(MAKE) --no-print-directory soak
	$(STEP) fuzz $(MAKE) --no-print-directory fuzz
	$(STEP) features $(MAKE) --no-print-directory features
	$(STEP) e2e $(MAKE) --no-print-directory e2e
	@.ci/step --summary

.PHONY: localstack-if-possible
localstack-if-possible:
	@localstack/install.sh $(LOCALSTACK_DIR) || { test -z "$$ASBA_REQUIRE_LOCALSTACK" && echo "LEFT OUT: LocalStack could not be installed (see above); its tests and features will be listed as left out"; }

.PHONY: localstack-image-if-possible
localstack-image-if-possible:
	@localstack/image.sh $(LOCALSTACK_DIR) || { test -z "$$ASBA_REQUIRE_LOCALSTACK" && echo "LEFT OUT: no image of LocalStack (see above); the tests and features on containers will be listed as left out"; }

.PHONY: unit
unit: ## unit tests, with the race detector and in random order (features and e2e have targets of their own)
	$(GO) test -race -shuffle=on $$($(GO) list ./... | grep -v -e '/features$$' -e '/features/e2e$$' -e '/oracle\(/shared\)\?$$' -e '$(ALONE)')
	$(GO) test -shuffle=on $$($(GO) list ./... | grep -v -e '/oracle\(/shared\)\?$$' | grep -e '$(ALONE)')

# Rooms of simulations run on one goroutine, where the race detector finds nothing
# and takes ten times as long: they simulate years. Engine and EC2 are shared by
# goroutines elsewhere, and not among them.
ALONE = /simulator/\(cluster\|enact\|nodeless\|processors\|report\|slurm\|workload\|scenario\|ec2/market\)

.PHONY: lint
lint: ## formatting, vet, the house's arrows, the seam
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	cd simulator/bench && $(GO) vet ./...
	$(GO) test -count=1 . ./executor/env/seamcheck

.PHONY: soak
soak: ## ask asba's server and daemon without a pause, and see that their memory is flat (SOAK=30s, or a number of questions each)
	ASBA_SOAK=$(SOAK) $(GO) test -count=1 -v -timeout 30m -run '^TestMemoryIsFlat$$' ./cmd/internal/advisor

.PHONY: fuzz
fuzz: ## each fuzz test for some seconds (FUZZTIME=5s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: features
features: build ## the Gherkin scenarios on every backend this machine can have
	$(GO) test -count=1 -v ./features -run TestFeatures

# Scenarios mostly wait for Slurm: all at once take as long as the longest.
.PHONY: e2e
e2e: build ## the programs under a real slurmctld, and batch scripts and slurm.conf as Slurm reads them (Slurm and root; E2E=REGEXP picks scenarios, ASBA_KEEP=1 keeps their clusters)
	$(GO) test -race -count=1 -v -parallel 20 -timeout $(if $(ASBA_KEEP),0,8m) -run '$(E2E)' ./features/e2e
	$(GO) test -count=1 -v -timeout 5m -run '$(E2E)' ./asba/jobscript/oracle ./simulator/slurm/conf/oracle ./simulator/slurm/ctld/oracle ./simulator/slurm/sched/oracle ./simulator/slurm/sched/oracle/shared

.PHONY: trials
trials: ## take one safeguard after the other out of executor and advisor, and see a scenario notice (docs/TESTING.md)
	$(GO) test -tags trials -count=1 -timeout 30m -v ./features -run '^TestTrials$$'

.PHONY: bench
bench: build ## benchmarks, as ratios: process start, the floor of API calls, questions to the advisor, the engine
	$(GO) test -run xxx -bench . -benchtime 20x ./cmd/internal/blackbox
	$(GO) test -run xxx -bench . -benchtime 50x ./cmd/internal/advisor
	$(MAKE) --no-print-directory soak SOAK=1000000
	$(GO) test -run xxx -bench . ./simulator ./executor/hostlist ./asba/catalog ./asba/plan/lint ./asba/jobscript ./asba/advise

.PHONY: bench-sim
bench-sim: ## the simulator's goals, as ratios to container/heap, simgo, SimPy and AccaSim on this machine
	simulator/bench/run

.PHONY: catalog
catalog: ## make the tables of asba/catalog from their public sources, anew (docs/CATALOG.md)
	@$(GO) run ./asba/catalog/gen -keep .build/catalog

.PHONY: catalog-check
catalog-check: ## prove that the tables of asba/catalog are what their sources give
	@$(GO) run ./asba/catalog/gen -keep .build/catalog -check

.PHONY: clean
clean: ## remove what the other targets built, and containers of ours
	@localstack/image.sh --clean
	rm -rf bin .build
