#!/usr/bin/env bash
# Runs the tests of the commands that read a run, while launch cannot see the volumes of its pods and reads runs through
# agents. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! unshare --mount true 2>/dev/null; then
    echo "test-readers: skipped: mount namespaces need root" >&2
    exit 0
fi
readers='Cost|CrashMoment|CutConnections|Death|Follow|Leaving|Limit|Minute|Output|Ownership|Receipt|RepeatedRun|Resume'
readers+='|Retry|Secret|SetupFailure|Status|Stop|TrainingEnvironment'
LAUNCH_SOURCE=agent scripts/test.sh --filter "^IntegrationTests\.($readers)Tests"
