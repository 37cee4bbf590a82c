#!/usr/bin/env bash
# go test with the given arguments, its results in short; in CI (env CI) it
# fails if any test was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$(mktemp)
trap 'rm -f "$results"' EXIT
"$(go env GOPATH)/bin/gotestsum" --format pkgname-and-test-fails --jsonfile "$results" -- "$@"
if [ -n "${CI:-}" ] && grep '"Action":"skip"' "$results" | grep '"Test":' >&2; then
    echo "skipped tests are failures here" >&2
    exit 1
fi
