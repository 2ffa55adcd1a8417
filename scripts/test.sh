#!/usr/bin/env bash
# Runs all tests. Tests of the whole programs find the programs by POD_AGENT and LAUNCH.
#
# Without arguments the tests of the commands that read a run are then repeated. In the second pass launch cannot see the
# volumes of its pods, and reads runs through agents.
set -euo pipefail
cd "$(dirname "$0")/.."

export POD_AGENT=$PWD/dist/pod-agent LAUNCH=$PWD/dist/launch
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0

# One test at a time: tests have deadlines, and two cores cannot run several trainings at once.
run() {
    swift test --disable-xctest --no-parallel "$@" 2>&1 | tee "$output" || status=$?
    if ! grep -qE 'Test run with [1-9][0-9]* test' "$output"; then
        echo "test: no test was run" >&2
        exit 1
    fi
    if [ "$status" != 0 ]; then
        # The failures once more, for readers who see only the end of the log.
        echo "test: failures:" >&2
        grep -E '✘ Test [^ ]+.* recorded an issue|error: ' "$output" | cut -c 1-600 | tail -40 >&2
        exit "$status"
    fi
}

run "$@"
if [ "$#" = 0 ]; then
    if unshare --mount true 2>/dev/null; then
        readers='Cost|CrashMoment|CutConnections|Death|FailingProxy|Follow|Leaving|Limit|Minute|OutOfSight|Output|Ownership'
        readers+='|Receipt|RepeatedRun|Resume|Retry|Secret|SetupFailure|Status|Stop|TrainingEnvironment'
        echo "test: once more, with runs read through their agents"
        LAUNCH_SOURCE=agent run --skip-build --filter "^IntegrationTests\.($readers)Tests"
    else
        echo "test: skipped: runs that are read through their agents; mount namespaces need root" >&2
    fi
fi
