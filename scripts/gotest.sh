#!/usr/bin/env bash
# go test with the given arguments, its results in short, and which tests took
# more than 20 s; in CI (env CI) it fails if any test was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$(mktemp)
trap 'rm -f "$results"' EXIT
gotestsum="$(go env GOPATH)/bin/gotestsum"
code=0
"$gotestsum" --format pkgname-and-test-fails --jsonfile "$results" -- "$@" || code=$?
"$gotestsum" tool slowest --jsonfile "$results" --threshold 20s
[ "$code" = 0 ] || exit "$code"
if [ -n "${CI:-}" ] && grep '"Action":"skip"' "$results" | grep '"Test":' >&2; then
    echo "skipped tests are failures here" >&2
    exit 1
fi
