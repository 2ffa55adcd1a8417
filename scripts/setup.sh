#!/usr/bin/env bash
# Installs the missing system packages, and those that its arguments name, if the user may install packages. Checks for
# Swift. Does nothing if all is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    git ca-certificates make binutils gcc g++        # dependencies by https; the C parts and the C++ runtime Swift links
    libncurses6 libsqlite3-0 libxml2 tzdata          # what the Swift toolchain itself loads
    libcurl4-openssl-dev libssl-dev                  # launch, and the headers of both programs
    dpkg-dev libc-ares-dev zlib1g-dev                # the agent's static libcurl
    python3 python3-venv                             # the example's training
    util-linux procps shellcheck strace              # tests and checks
    xfsprogs e2fsprogs                               # file systems, for tests with power loss
    moosefs-master moosefs-chunkserver               # a network volume, for tests
    moosefs-client moosefs-cli iproute2
    python3-fusepy                                   # a hanging volume, for tests
    iptables                                         # a network that loses packets, for tests
)
packages+=("$@")
oldest_swift=6.2 # the tools version of Package.swift

missing() {
    comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
        <(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
            sed -n 's/^installed //p' | sort -u)
}

install_packages() {
    local wanted=("$@") sudo=()
    if ((EUID != 0)); then sudo=(sudo); fi
    if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
        echo "setup: packages are missing; run this once:" >&2
        echo "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${wanted[*]}'" >&2
        exit 1
    fi
    echo "installing ${wanted[*]} ..."
    "${sudo[@]}" apt-get -qq update
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null
}

check_swift() {
    local found
    found=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9.]+).*/\1/p' | head -n 1) || found=
    if [[ -z $found || $(printf '%s\n' "$oldest_swift" "$found" | sort -V | head -n 1) != "$oldest_swift" ]]; then
        echo "setup: Swift $oldest_swift or newer is needed, found ${found:-none}" >&2
        echo "hint: install $(<.swift-version) from https://www.swift.org/install/ (swiftly does it) and put it on PATH" >&2
        exit 1
    fi
}

if command -v apt-get >/dev/null; then
    mapfile -t wanted < <(missing)
    if ((${#wanted[@]} > 0)); then install_packages "${wanted[@]}"; fi
elif [[ $(uname -s) == Darwin ]]; then
    echo "setup: on macOS only launch is built; the agent and the whole tests need Linux" >&2
else
    echo "setup: the static agent is built from packages of Debian or Ubuntu, and this system has no apt" >&2
    exit 1
fi
check_swift
