#!/usr/bin/env bash
# Format of the Swift sources, soundness of the scripts, and which folder uses which. Warnings are errors in every build.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive --parallel Package.swift Sources Tests
shellcheck scripts/*.sh .ci/run Tests/IntegrationTests/Beds/*.sh Tests/RunPodEmulator/*.sh
scripts/check-floors.py
