#!/usr/bin/env bash
# Runs all tests. Tests of the whole programs find the programs by POD_AGENT and LAUNCH.
set -euo pipefail
cd "$(dirname "$0")/.."

export POD_AGENT=$PWD/dist/pod-agent LAUNCH=$PWD/dist/launch
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# One test at a time: tests have deadlines, and two cores cannot run several trainings at once.
status=0
swift test --disable-xctest --no-parallel "$@" 2>&1 | tee "$output" || status=$?
if ! grep -qE 'Test run with [1-9][0-9]* test' "$output"; then
    echo "test: no test was run" >&2
    exit 1
fi
if [ "$status" != 0 ]; then
    # The failures once more, for readers who see only the end of the log.
    echo "test: failures:" >&2
    grep -E '✘ Test [^ ]+.* recorded an issue|error: ' "$output" | cut -c 1-600 | tail -40 >&2
fi
exit "$status"
