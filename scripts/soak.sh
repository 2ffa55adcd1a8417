#!/usr/bin/env bash
# Runs a rented run under random trouble, once for each seed. SCHEDULES=50 makes it shorter; SCHEDULE_SEEDS=7,8 runs
# these seeds alone. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

export SCHEDULES=${SCHEDULES:-1000}
exec scripts/test.sh --filter 'IntegrationTests\.ScheduleTests' "$@"
