#!/usr/bin/env bash
# A drill (docs/drills.md) with the flags of TestDrill; the last line is what
# came of it.
set -euo pipefail
cd "$(dirname "$0")/.."
story=$(mktemp)
trap 'rm -f "$story"' EXIT
code=0
go test -tags lab -count=1 -timeout 6h -v -run '^TestDrill$' ./e2e "$@" 2>&1 | tee "$story" || code=$?
grep '^ *drill: .* leases held twice' "$story" | tail -n 1 | sed 's/^ *//'
exit "$code"
