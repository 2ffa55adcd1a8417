#!/usr/bin/env bash
# launch, the program $BLIND_LAUNCH, in a mount namespace in which the volumes of its pods are empty and read-only.
# Its pods run in the namespace of the tests, see seeing-agent.sh. Packs of code pass through.
set -euo pipefail
if [ -z "${BLIND_INSIDE-}" ]; then
    BLIND_INSIDE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi
unset BLIND_INSIDE

# The default volume, those of the config, and those that launch has on record.
volumes() {
    echo "$LAUNCH_HOME/volume"
    sed -nE 's/^resources:.*volume: *\{ *path: *([^ },]+).*/\1/p' config.yaml 2>/dev/null || true
    echo  # sed ends no line that its file leaves open
    sed -nE 's/.*"volume" *: *"([^"]+)".*/\1/p' "$LAUNCH_HOME"/{pods/*/pod,volumes/*}.json 2>/dev/null |
        sed 's|\\/|/|g' || true
}

while read -r volume; do
    if mountpoint -q "$volume"; then continue; fi
    packs=.pod-agent/cache/code
    mkdir -p "$volume/$packs"
    exec {seen}<"$volume/$packs"
    mount -t tmpfs -o size=1m blind "$volume"
    mkdir -p "$volume/$packs"
    mount --no-canonicalize --bind "/proc/self/fd/$seen" "$volume/$packs"
    exec {seen}<&-
    mount -o remount,ro "$volume"
done < <(volumes | grep . | xargs -r -d '\n' realpath -ms | sort -u)
exec "$BLIND_LAUNCH" "$@"
