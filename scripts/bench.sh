#!/usr/bin/env bash
# Measures dist/pod-agent beside what it replaces: a table, and .build/bench.json. Wants a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh s6 execline runit # what the log is compared with; s6-log runs its compressor by execline
exec python3 scripts/bench "$@"
