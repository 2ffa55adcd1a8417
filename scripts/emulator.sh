#!/usr/bin/env bash
# Runs the emulator of RunPod until Ctrl-C, with its account in .emulator. Its pods need root.
set -euo pipefail
cd "$(dirname "$0")/.."

swift build --product RunPodEmulator
echo "In another terminal, take these variables, and then: launch run config.yaml" >&2
run=(.build/debug/RunPodEmulator --folder "$PWD/.emulator" --agent "$PWD/dist/pod-agent" --port "${PORT:-7070}")
if ((EUID != 0)); then run=(sudo "${run[@]}"); fi
exec "${run[@]}"
