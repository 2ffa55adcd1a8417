#!/usr/bin/env bash
# Runs all tests; those of the whole programs find them in POD_AGENT and LAUNCH. Arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "$0")/.."

export POD_AGENT=$PWD/dist/pod-agent LAUNCH=$PWD/dist/launch
output=$(mktemp)
trap 'rm -f "$output"' EXIT

run_tests() {
    swift test --disable-xctest "$@" 2>&1 | tee "$output"
    if ! grep -qE 'Test run with [1-9][0-9]* test' "$output"; then
        echo "test: no test was run" >&2
        exit 1
    fi
}

if (($# > 0)); then
    run_tests "$@"
else
    # One after the other: the whole programs are held to times that the other tests would take from them.
    run_tests --skip IntegrationTests
    run_tests --skip-build --filter IntegrationTests
fi
