#!/usr/bin/env bash
# Kills the agent at each system call that it makes on its volume, makes each call fail, hang or be slow, fills the
# disk, cuts the power and takes the example's pods away. Checks what a restart makes of each. Races are repeated until
# a success is convincing.
set -euo pipefail
cd "$(dirname "$0")/.."

export TORTURE=full
suites='Torture|Receipt|Digits|EarlySignal|TerminationDeadline|AgentKilled|SimultaneousAgents|NetworkVolume|ManyCheckpoints'
exec scripts/test.sh --filter "IntegrationTests\.($suites)|SecretMaskTests|EnvironmentShapesTests" "$@"
