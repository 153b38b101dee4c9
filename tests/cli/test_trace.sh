#!/bin/sh
# A small part of the cluster trace, and of the one that is made up where there is none, through scripts/replay-trace.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
number=0

replay() { # NAME RUNS: one test
    number=$((number + 1))
    if output=$("$project/scripts/replay-trace" -n "$2" "${rivers%/*}" 2>&1); then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
    fi
    printf '%s\n' "$output" | sed 's/^/# /'
}

echo 1..2
replay 'every run of the trace ends once and no limit is exceeded' 300
RIVERS_TRACE=/nonexistent
export RIVERS_TRACE
replay 'the same for a trace that is made up, with a limit on each gpu_spec' 300
