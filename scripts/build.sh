#!/usr/bin/env bash
# Builds dist/pod-agent (fully static) and dist/launch (Swift's libraries inside, the system's libcurl outside).
set -euo pipefail
cd "$(dirname "$0")/.."

# Strips a program and renames it into dist, so that a running program is replaced and never overwritten.
publish() {
    local built=$1 published=dist/$2
    if [[ $published -nt $built ]]; then return; fi
    mkdir -p dist
    strip -o "$published.new" "$built"
    mv "$published.new" "$published"
}

# The static build has its own scratch path: the flags differ, so a shared one would rebuild everything each time.
build_agent() {
    local curl
    curl=$(scripts/static-curl.sh)
    swift build --scratch-path .build-static -c release --product pod-agent -Xswiftc -static-executable "$@" \
        -Xlinker "-L$curl" -Xlinker -lcurl -Xlinker -lcares -Xlinker -lssl -Xlinker -lcrypto -Xlinker -lz
    publish .build-static/release/pod-agent pod-agent
}

build_launch() {
    swift build -c release --product launch "$@"
    publish .build/release/launch launch
}

if [[ $(uname -s) == Linux ]]; then
    # lld omits glibc's warnings about getaddrinfo, getpwnam and dlopen in static programs. They do not concern the
    # agent: c-ares resolves its names, it looks up no user and loads no library.
    build_agent -Xswiftc -use-ld=lld
    build_launch -Xswiftc -use-ld=lld --static-swift-stdlib
else
    build_launch
fi
