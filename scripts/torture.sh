#!/usr/bin/env bash
# Kills the agent at every system call that it makes on its volume, makes each fail, last or be late, fills the disk, cuts the power, and
# takes the example's pods away, and looks what a restart makes of it. What has to hold every time is done as often as it takes
# to believe it.
set -euo pipefail
cd "$(dirname "$0")/.."

export TORTURE=full
suites='Torture|Receipt|Digits|EarlySignal|TerminationDeadline|AgentKilled|SimultaneousAgents|NetworkVolume|ManyCheckpoints'
exec scripts/test.sh --filter "IntegrationTests\.($suites)|SecretMaskTests" "$@"
