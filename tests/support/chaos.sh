#!/bin/sh
# A run of chaos as a test, for a script of its own each: sourced by them. Dequeuers, executors, connections and Redis fail; nothing
# is exceeded, lost, doubled or leaked. `make chaos` runs longer.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)

chaos() { # SEED: 20 s of it; scripts/chaos and tests/chaos/chaos.c say what else may be set
    word=ok
    "$project/scripts/chaos" "$(dirname "$RIVERS")" 20 "$1" >"$TMPDIR/out" 2>&1 || word='not ok'
    sed 's/^/# /' "$TMPDIR/out"
    [ "$word" = ok ] || tail -n 200 "$TMPDIR"/chaos.*/log | sed 's/^/# /'
    echo 1..1
    echo "$word 1 - seed_$1"
    [ "$word" = ok ]
}
