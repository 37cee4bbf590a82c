NODE := internal/form/programs/sirikata-node-linux
GO_FILES := $(shell find cluster nodegroup internal cmd -name '*.go' -o -name '*.pp' -o -name '*.epp' -o -name '*.sh' -o -name '*.yaml') go.mod go.sum
export CGO_ENABLED := 0

.PHONY: build
build: bin/sirikata-cluster

bin/sirikata-cluster: $(GO_FILES) $(NODE)-amd64 $(NODE)-arm64
	go build -trimpath -ldflags '-s -w' -o $@ ./cmd/sirikata-cluster

$(NODE)-%: $(GO_FILES)
	GOOS=linux GOARCH=$* go build -trimpath -ldflags '-s -w' -o $@ ./cmd/sirikata-node
