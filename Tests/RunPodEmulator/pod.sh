#!/usr/bin/env bash
# The machine under an emulated pod. Needs root.
#   pod.sh network NAME HOST POD     makes network namespace NAME, linked to this machine: HOST here, POD inside
#   pod.sh remove NAME DISK          removes the namespace, and the container's disk
#   pod.sh wipe DISK                 empties the container's disk
#   pod.sh run NAME DISK AGENT N MOUNT... COMMAND...
#                                    runs COMMAND as a container; N mounts as FOLDER:PATH; ends when it has ended
set -euo pipefail

network() {
    ip netns add "$1"
    ip link add "$1" type veth peer name eth0 netns "$1"
    ip addr add "$2/30" dev "$1"
    ip link set "$1" up
    ip -n "$1" addr add "$3/30" dev eth0
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
}

# Runs in the new namespaces.
inside() {
    local disk=$1 count=$2
    shift 2
    mkdir -p "$disk/upper" "$disk/work" "$disk/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
    cd "$disk/root"
    mount --rbind /dev dev
    mount -t proc proc proc
    mount --rbind /sys sys
    mount -t tmpfs tmpfs tmp
    for ((i = 0; i < count; i++)); do
        mkdir -p ".${1#*:}"
        mount --bind "${1%%:*}" ".${1#*:}"
        shift
    done
    # The init passes SIGTERM on to its child, the command.
    # shellcheck disable=SC2016 # the init expands them
    exec chroot . /bin/bash -c 'cd /; trap "kill -TERM \$child 2>/dev/null" TERM
        "$@" & child=$!
        while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done
        exit "$code"' init "$@"
}

run() {
    local name=$1 disk=$2 agent=$3
    shift 3
    mkdir -p "$disk/upper/usr/local/bin"
    # One link for all starts: a running program is not overwritten.
    [[ -e $disk/upper/usr/local/bin/pod-agent ]] || cp "$agent" "$disk/upper/usr/local/bin/pod-agent"
    ip netns exec "$name" unshare --mount --pid --fork --kill-child --propagation private \
        /bin/bash "$0" inside "$disk" "$@" &
    local child=$!
    trap 'kill -TERM "$(cat "/proc/$child/task/$child/children" 2>/dev/null | tr -d " ")" 2>/dev/null || true' TERM
    local code=0
    while true; do
        wait "$child" && code=0 || code=$?
        kill -0 "$child" 2>/dev/null || break
    done
    exit "$code"
}

action=$1
shift
case $action in
    network) network "$@" ;;
    remove)
        ip netns del "$1" 2>/dev/null || true
        ip link del "$1" 2>/dev/null || true
        rm -rf "$2"
        ;;
    wipe) rm -rf "$1" ;;
    run) run "$@" ;;
    inside) inside "$@" ;;
esac
