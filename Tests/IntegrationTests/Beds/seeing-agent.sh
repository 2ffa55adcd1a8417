#!/usr/bin/env bash
# pod-agent, the program $SEEING_AGENT, in the mount namespace of the tests although blind-launch.sh starts it.
exec nsenter --mount="$SEEING_NAMESPACE" --wdns="$PWD" -- "$SEEING_AGENT" "$@"
