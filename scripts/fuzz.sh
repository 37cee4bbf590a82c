#!/usr/bin/env bash
# Runs every fuzz test for a while: FUZZTIME each, 10 s if not given.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r package; do
    go test -list '^Fuzz' "$package" | grep '^Fuzz' | while read -r fuzz; do
        go test -run '^$' -fuzz "^$fuzz\$" -fuzztime "${FUZZTIME:-10s}" "$package"
    done
done
