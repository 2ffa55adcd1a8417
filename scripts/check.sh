#!/usr/bin/env bash
# Format of the Swift sources and soundness of the scripts. The compiler's warnings are errors in every build already.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive --parallel Package.swift Sources Tests
shellcheck scripts/*.sh .ci/run Tests/IntegrationTests/Beds/*.sh
