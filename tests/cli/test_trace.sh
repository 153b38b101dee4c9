#!/bin/sh
# A small part of the cluster trace, and of the one that is made up where there is none, through scripts/replay-trace.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
number=0

replay() { # NAME OPTION...: one test
    number=$((number + 1)) name=$1
    shift
    if output=$("$project/scripts/replay-trace" "$@" "${rivers%/*}" 2>&1); then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
    fi
    printf '%s\n' "$output" | sed 's/^/# /'
}

echo 1..3
replay 'every run of the trace ends once and no limit is exceeded' -n 300
replay 'the same with steps that claim slots of two pools' -p -n 300
RIVERS_TRACE=/nonexistent
export RIVERS_TRACE
replay 'the same for a trace that is made up, with a limit on each gpu_spec' -n 300
