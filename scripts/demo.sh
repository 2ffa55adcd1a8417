#!/usr/bin/env bash
# Trains the example on this machine, then trains it further from its last checkpoint. All files are in .demo.
set -euo pipefail
cd "$(dirname "$0")/.."

export LAUNCH_HOME=$PWD/.demo PATH=$PWD/dist:$PATH
run=$LAUNCH_HOME/volume/runs/digits

step() { printf '\n== %s\n' "$*"; }

# Prints the run's whole log from the volume: the sealed segments in order, then the live one.
whole_log() {
    local sealed live
    shopt -s nullglob
    sealed=("$run"/logs/*.log.gz) live=("$run"/logs/*.log)
    if ((${#sealed[@]} > 0)); then zcat "${sealed[@]}"; fi
    if ((${#live[@]} > 0)); then cat "${live[@]}"; fi
}

# Prints the last line of the log that matches. Fails if there is none.
expect() {
    whole_log | grep -aE -- "$1" | tail -n 1 || {
        echo "demo: the log in $run/logs has no line that matches \"$1\"" >&2
        exit 1
    }
}

if [[ -d .demo ]]; then
    step "clean start: stop what an earlier demo left, remove .demo"
    launch stop digits >/dev/null 2>&1 || true # usually the run has ended
    rm -rf .demo
fi

step "launch run examples/digits/config.yaml"
launch run examples/digits/config.yaml

step "results on the volume"
expect '^EXIT_CODE=0'
expect 'final .*accuracy'
printf "%s checkpoints in %s\n" "$(find "$run/work/checkpoints" -maxdepth 1 -name "checkpoint-*" | wc -l)" "$run/work/checkpoints"

step "launch run examples/digits/config-more.yaml: the same run, more epochs"
asked=$(date +%s.%N)
launch run examples/digits/config-more.yaml

step "the second training resumed from the last checkpoint"
expect '^RESUMING FROM: '
launch status digits --json | python3 -c '
import datetime, json, sys
phases = json.load(sys.stdin)["attempts"][-1]["phases"]
began = next(p["began"] for p in phases if p["state"] == "training")
waited = datetime.datetime.fromisoformat(began.replace("Z", "+00:00")).timestamp() - float(sys.argv[1])
print(f"the training started {waited:.2f} s after the command")
sys.exit(waited > 2)' "$asked"
expect 'final .*accuracy'
if (($(whole_log | grep -acE '^EXIT_CODE=0') != 2)); then
    echo "demo: the second training failed" >&2
    exit 1
fi

step "all went well; the run is in $run"
