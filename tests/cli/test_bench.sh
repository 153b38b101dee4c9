#!/bin/sh
# The benchmark runs each of its rows in the smallest size, says what it measured, and leaves nothing behind. How fast anything
# was is not looked at.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
mkdir tmp

bench() { TMPDIR="$dir/tmp" "$rivers" bench --quick "$@"; }

each_row() { # every row of --list has a figure
    bench --chart chart.svg >table || return 1
    "$rivers" bench --list | sed '1d; s/ .*//' >rows
    while read -r row; do
        grep -q "^$row  " table || { echo "no figure of $row" && return 1; }
    done <rows
    [ -s rows ]
}

json_row() { bench --json --only memory | grep '^{"row":"memory",'; }
chart() { grep -q '^<svg ' chart.svg && [ "$(tail -n 1 chart.svg)" = '</svg>' ]; }
unknown_row() { bench --only nonsense 2>&1 | grep -F "there is no row 'nonsense'"; }
rival() { bench --only single --rival 'echo 5000; :' | grep -F '5000 runs/s'; }
rival_fails() { bench --only single --rival 'false' 2>&1 | grep -F 'printed no jobs a second'; }
stopped() { # in the midst of a row that takes minutes
    TMPDIR="$dir/tmp" "$rivers" bench --only deep --depth 100000000 >table 2>why &
    while kill -0 $! && ! grep -q '^deep: ' why; do sleep 0.1; done 2>/dev/null
    kill -TERM $!
    ! wait $! && grep -Fx 'rivers: deep: stopped by signal 15' why
}
nothing_left() { [ -z "$(ls -A "$dir/tmp")" ]; }

echo 1..8
check 'each row has a figure' each_row
check 'the chart is a whole picture' chart
check 'figures as JSON' json_row
check 'a row that does not exist is refused' unknown_row
check 'another queue is measured beside' rival
check 'another queue that fails ends the benchmark' rival_fails
check 'a signal ends it' stopped
check 'the private servers are gone' nothing_left
exit "$failed"
