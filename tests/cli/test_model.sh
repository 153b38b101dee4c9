#!/bin/sh
# The model of leases (tests/spin/lease.pml) holds what it claims, and does not when something essential is switched off.
set -eu

model=$(cd "$(dirname "$0")/.." && pwd)/spin/lease.pml
number=0 failed=0

check() { # NAME WANTED OPTION...: WANTED errors are found by a search that is complete unless it finds one
    name=$1 wanted=$2
    shift 2
    mkdir "$TMPDIR/$name"
    cd "$TMPDIR/$name"
    spin -a "$@" "$model" >log && cc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c && ./pan -m10000 -w22 >>log 2>&1
    number=$((number + 1)) word=ok
    if ! grep -q "errors: $wanted\$" log || grep -q 'max search depth too small\|out of memory' log; then
        word='not ok' failed=1
        sed 's/^/# /' log
    fi
    echo "$word $number - $name"
}

echo 1..9
check the_promises_hold 0
check the_promises_hold_with_two_dequeuers 0 -DDEQUEUERS=2
check found_without_tokens 1 -DNO_TOKEN
check found_without_expiry 1 -DNO_EXPIRY
check found_without_kept_answers 1 -DNO_MEMORY
check found_without_fence 1 -DNO_FENCE
check found_when_a_late_start_goes_on 1 -DLATE_START
check the_limits_hold_when_lost_history_is_noticed 0 -DROLLBACK -DFAULTS=0
check found_when_history_is_lost_unnoticed 1 -DROLLBACK -DUNNOTICED
exit $failed
