# make build   the program, at bin/sirikata-cluster
# make demo    the product in one go, on this machine
# make check   formatting, vet, lint, unit and script tests; needs no engine and no root
# make test    all tests, on real nodes too; installs and starts what they need
# make drill   FAULTS faults at random, made from SEED: docs/drills.md
# make docs    generated documents

NODE := internal/programs/built/sirikata-node-linux
SOURCES := $(shell find cluster nodegroup internal cmd -type f -not -name '*_test.go' -not -path '*/testdata/*' -not -name 'sirikata-node-*') go.mod go.sum
TOOLS := $(shell go env GOPATH)/bin
GOLANGCI := 2.15.0
GOTESTSUM := 1.13.0
STATIC := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w'

.PHONY: build demo check test drill docs lint unit lab tools fuzz bench clean

build: bin/sirikata-cluster

bin/sirikata-cluster: $(SOURCES) $(NODE)-amd64 $(NODE)-arm64
	$(STATIC) -o $@ ./cmd/sirikata-cluster

$(NODE)-%: $(SOURCES)
	GOOS=linux GOARCH=$* $(STATIC) -o $@ ./cmd/sirikata-node

demo:
	scripts/setup.sh
	@$(MAKE) --no-print-directory build
	scripts/demo.sh

check: lint unit

lint: tools
	@unformatted=$$(gofmt -l cluster cmd internal nodegroup e2e bench); \
		test -z "$$unformatted" || { echo "not formatted: $$unformatted" >&2; exit 1; }
	go vet ./... && go vet -tags lab ./...
	$(TOOLS)/golangci-lint run --build-tags lab ./...

# What is skipped is not tested: scripts/gotest.sh fails on it in CI.
unit: tools
	scripts/gotest.sh -race -shuffle=on ./...

test:
	scripts/setup.sh
	@$(MAKE) --no-print-directory check build
	@$(MAKE) --no-print-directory lab

# One package and one cluster after the other: the machine is the lab's.
lab: tools
	image=$$(bin/sirikata-cluster local image build) && SIRIKATA_LAB_IMAGE=$$image scripts/gotest.sh -tags lab -p 1 -parallel 1 -count=1 -timeout 60m ./...

FAULTS ?= 100
SEED ?= 0
NODES ?= 7
FULL ?= 5
FENCING ?= true

drill:
	scripts/setup.sh
	@$(MAKE) --no-print-directory build
	bin/sirikata-cluster local image build
	scripts/drill.sh -drill.faults=$(FAULTS) -drill.seed=$(SEED) -drill.nodes=$(NODES) -drill.full=$(FULL) -drill.fencing=$(FENCING)

docs:
	go test ./internal/cli -run TestReferenceIsFresh -update-reference

fuzz:
	scripts/fuzz.sh

bench: build
	go run ./bench

tools:
	@$(TOOLS)/golangci-lint version --short 2>/dev/null | grep -qx $(GOLANGCI) || \
		GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI)
	@test -x $(TOOLS)/gotestsum || GOBIN=$(TOOLS) go install gotest.tools/gotestsum@v$(GOTESTSUM)

clean:
	rm -rf bin $(NODE)-amd64 $(NODE)-arm64
