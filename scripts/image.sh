#!/usr/bin/env bash
# Builds an image whose main process is dist/pod-agent, by docker, podman or buildah: image.sh TAG [BASE]
# Without BASE the image has the agent alone, for `COPY --from`.
set -euo pipefail
cd "$(dirname "$0")/.."

tag=${1:-} base=${2:-}
if [[ -z $tag ]]; then
    echo "image: the image needs a name" >&2
    echo "hint: make image TAG=you/image:tag BASE=pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime" >&2
    exit 64
fi
file=docker/Dockerfile.agent arguments=()
if [[ -n $base ]]; then
    file=docker/Dockerfile arguments=(--build-arg "BASE=$base")
fi
for builder in docker podman buildah; do
    # `info` fails if docker is installed and its daemon does not run.
    if ! "$builder" info >/dev/null 2>&1; then continue; fi
    "$builder" build --tag "$tag" --file "$file" "${arguments[@]}" dist
    exit
done
echo "image: none of docker, podman and buildah works here" >&2
exit 69
