#!/usr/bin/env bash
# Measures dist/pod-agent beside what it replaces. Prints a table and writes .build/bench.json. Nothing else should run
# meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh s6 execline runit # loggers to compare with; s6-log starts its compressor by execline
exec python3 scripts/bench "$@"
