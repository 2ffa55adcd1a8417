#!/usr/bin/env bash
# Measures dist/pod-agent beside what it replaces: a table, and .build/bench.json. Wants a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 scripts/bench "$@"
