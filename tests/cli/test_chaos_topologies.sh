#!/bin/sh
# The same as test_chaos under sentinels and in a cluster: masters are replaced, the slot of the namespace moves.
set -eu

project=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "$RIVERS")
number=0 failed=0

echo 1..2
for topology in sentinel cluster; do
    number=$((number + 1)) word=ok
    TOPOLOGY=$topology "$project/scripts/chaos" "$build" 20 1 >"$TMPDIR/out" 2>&1 || word='not ok' failed=1
    sed 's/^/# /' "$TMPDIR/out"
    [ "$word" = ok ] || tail -n 200 "$TMPDIR"/chaos.*/log | sed 's/^/# /'
    echo "$word $number - $topology"
done
exit $failed
