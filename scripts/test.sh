#!/usr/bin/env bash
# Runs all tests; those of the whole programs find them in POD_AGENT and LAUNCH.
set -euo pipefail
cd "$(dirname "$0")/.."

export POD_AGENT=$PWD/dist/pod-agent LAUNCH=$PWD/dist/launch
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# One test after the other: each has its deadlines, and two cores do not hold several trainings at once.
swift test --disable-xctest --no-parallel "$@" 2>&1 | tee "$output"
if ! grep -qE 'Test run with [1-9][0-9]* test' "$output"; then
    echo "test: no test was run" >&2
    exit 1
fi
