#!/bin/sh
# The `pools` commands against a private redis-server: what they print, their exit statuses, and `pools run` under contention,
# with signals, and when holders die.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
patience=300 # looks at what changes by itself, a tenth of a second apart
dir=$(mktemp -d "${TMPDIR:-/tmp}/pools.XXXXXX")
server='' number=0 failed=0

clean_up() {
    [ -z "$server" ] || kill "$server"
    wait
    rm -rf "$dir"
}

redis() {
    redis-cli -s "$dir/redis.sock" "$@"
}

until_true() { # COMMAND...: whether it came true in time
    tries=0
    until "$@" >/dev/null 2>&1; do
        [ $((tries += 1)) -le $patience ] || return 1
        sleep 0.1
    done
}

ok() { # STATUS NAME: one test
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$dir/got"
        failed=1
    fi
}

says() { # STATUS OUTPUT COMMAND...: one test of what rivers prints, on stdout and stderr, blanks squeezed
    wanted_status=$1 wanted=$2
    shift 2
    status=0
    "$rivers" "$@" >"$dir/output" 2>&1 || status=$?
    sed -E 's/ +/ /g; s/^ | $//g' "$dir/output" >"$dir/squeezed"
    { cat "$dir/squeezed"; echo "exit status $status"; } >"$dir/got"
    printf '%s\nexit status %s\n' "$wanted" "$wanted_status" | cmp -s - "$dir/got" && same=0 || same=1
    ok "$same" "$*"
}

shows() { # PATTERN COMMAND...: whether a line of its output matches
    pattern=$1
    shift
    "$rivers" "$@" >"$dir/got" 2>&1 || true
    grep -Eq -e "$pattern" "$dir/got"
}

exits() { # STATUS COMMAND...
    wanted_status=$1
    shift
    status=0
    "$rivers" "$@" >"$dir/got" 2>&1 </dev/null || status=$?
    echo "exit status $status" >>"$dir/got"
    [ "$status" -eq "$wanted_status" ]
}

ended_with() { # STATUS PID: of a background job
    status=0
    wait "$2" || status=$?
    echo "exit status $status" >>"$dir/got"
    [ "$status" -eq "$1" ]
}

check() { # NAME COMMAND...: one test
    name=$1
    shift
    result=0
    "$@" || result=$?
    ok "$result" "$name"
}

hold() { # POOL FILE: takes a slot in the background and keeps it until FILE is there; its pid is in $holder
    # shellcheck disable=SC2016 # for the inner shell
    "$rivers" pools run "$1" -- sh -c 'touch "$1.held"; until [ -e "$1" ]; do sleep 0.05; done' - "$2" 2>"$2.errors" &
    holder=$!
    until_true test -e "$2.held"
}

# --- what they print

settings() {
    says 0 'No pools.' pools list
    says 0 "Pool 'gpu' set to limit=3, lease_duration=10m" pools set gpu 3 --lease-duration 10m
    says 0 "Pool 'gpu' set to limit=4, lease_duration=10m" pools set gpu 4 --max-bypass 2s
    says 0 "Pool 'api' set to limit=-1, lease_duration=5m" pools set api -1
    says 0 '{"pool":"big","limit":0,"lease":1000,"max_bypass":10000}' pools set big 0 --lease-duration 1s --json
    redis HSET 'rivers:{default}:pool_limits' ware 8 >"$dir/got"
    redis HSET 'rivers:{default}:pool_limits' odd many >"$dir/got"
    says 0 'POOL LIMIT CLAIMED PENDING LEASE
api -1 0 0 5m
big 0 0 0 1s
gpu 4 0 0 10m
odd many 0 0 5m
ware 8 0 0 5m' pools list
    says 0 '{"pool":"api","limit":-1,"claimed":0,"pending":0,"lease":300000}
{"pool":"big","limit":0,"claimed":0,"pending":0,"lease":1000}
{"pool":"gpu","limit":4,"claimed":0,"pending":0,"lease":600000}
{"pool":"odd","limit":"many","claimed":0,"pending":0,"lease":300000}
{"pool":"ware","limit":8,"claimed":0,"pending":0,"lease":300000}' pools list --json
    says 0 "Pool 'gpu': limit 4, claimed 0, pending 0, lease 10m, max bypass 2s

Nobody holds slots.

Nobody waits." pools info gpu
    says 0 "Pool 'odd' deleted." pools delete odd
    says 0 '{"pool":"big","outcome":"deleted"}' pools delete big --json
}

wrong_inputs() {
    says 1 "pool 'none' not configured" pools info none
    says 1 "pool 'none' not configured" pools delete none
    says 2 "rivers: limit '-2': must be a whole number from -1 (unlimited) to 2147483647
Try 'rivers pools set --help'." pools set gpu -2
    says 2 "rivers: limit '1.5': must be a whole number from -1 (unlimited) to 2147483647
Try 'rivers pools set --help'." pools set gpu 1.5
    says 2 "rivers: pool key must be a non-empty string
Try 'rivers pools set --help'." pools set '' 3
    says 2 "rivers: option '--lease-duration': must be at least 1s
Try 'rivers pools set --help'." pools set gpu 3 --lease-duration 999ms
    says 125 "rivers: 'gpu=0': slots must be a whole number from 1 to 2147483647
Try 'rivers pools run --help'." pools run gpu=0 -- true
    says 125 "rivers: a command is missing behind '--'
Try 'rivers pools run --help'." pools run gpu sleep
    says 125 "rivers: unknown option '--wiat': did you mean '--wait'?
Try 'rivers pools run --help'." pools run gpu --wiat 3s -- true
    # shellcheck disable=SC2046
    says 125 "rivers: 'p65': a claim has at most 64 pools
Try 'rivers pools run --help'." pools run $(seq -f p%g 65) -- true
    says 125 "rivers: pool 'none' not configured" pools run gpu none -- true
    says 125 "rivers: step 'main' asks 5 slots of pool 'gpu' (limit 4): it can never run" pools run gpu=5 -- true
}

# --- pools run

statuses() {
    check 'the exit status of the command is passed on' exits 7 pools run gpu -- sh -c 'exit 7'
    # shellcheck disable=SC2016
    check 'a command that a signal ended' exits 143 pools run gpu -- sh -c 'kill -TERM $$'
    check 'a command that cannot be run' exits 127 pools run gpu -- /nonexistent/command
    # shellcheck disable=SC2016
    check 'an unlimited pool, and a pool named twice' exits 0 pools run api=5 gpu gpu=2 -- \
        sh -c 'test "$RIVERS_POOL_TOKEN" -gt 0'
    printf 'a\nb\n' | "$rivers" pools run gpu -- cat >"$dir/got"
    printf 'a\nb\n' | cmp -s - "$dir/got" && same=0 || same=1
    ok "$same" 'the command reads our stdin'
    own='cut -d " " -f 5,8 /proc/self/stat' # its process group, and the one that has the terminal
    script -qec "'$rivers' pools run gpu -- $own; $own" /dev/null </dev/null >"$dir/got"
    [ "$(tr -d '\r' <"$dir/got" | awk '$1 == $2' | wc -l)" -eq 2 ] && same=0 || same=1
    ok "$same" 'the command has the terminal, and gives it back'
}

waiting() {
    "$rivers" pools set one 1 --lease-duration 3s >"$dir/got"
    hold one "$dir/end"
    says 124 "rivers: timed out waiting for pool slots after 0s: pool 'one' full (1/1)" pools run one --wait 0 -- true
    says 124 "rivers: timed out waiting for pool slots after 300ms: pool 'one' full (1/1)" pools run one --wait 300ms -- true
    says 1 "pool 'one' is in use: slots claimed: 1, claims waiting: 0" pools delete one
    "$rivers" pools run one -- touch "$dir/second" &
    second=$!
    check 'a claim waits in line' until_true shows "^ *1 +[a-zA-Z0-9-]+-$second-[0-9a-f]{8} +main +1 +0 .* pool 'one' full \(1/1\)" \
        pools info one
    "$rivers" pools run one --priority 5 -- test -e "$dir/second" &
    first=$!
    check 'a higher priority stands before it' until_true shows "^ *1 +[a-zA-Z0-9-]+-$first-" pools info one
    check 'the holder is listed' shows "^[a-zA-Z0-9-]+-$holder-[0-9a-f]{8} +main +1 " pools info one
    check 'info as JSON' shows '"claimed":1,"pending":2,"holders":\[\{.*"step":"main","slots":1,.*"waiting":\[\{.*"position":1,' \
        pools info one --json
    touch "$dir/end"
    wait "$holder"
    check 'the first in line came first' ended_with 1 $first # there is no such file yet
    check 'then the second' ended_with 0 $second
    check 'all slots are given back' shows '^one +1 +0 +0 ' pools list
}

signals() {
    hold one "$dir/never"
    "$rivers" pools run one -- true &
    waiter=$!
    until_true shows '"pending":1' pools info one --json
    kill -TERM $waiter
    check 'SIGTERM ends a wait' ended_with 143 $waiter
    check 'and leaves the line' shows '"pending":0' pools info one --json
    kill -TERM "$holder"
    check 'SIGTERM is forwarded to the command' ended_with 143 "$holder"
    hold one "$dir/flushed"
    redis SCRIPT FLUSH >"$dir/got"
    kill -TERM "$holder"
    ended_with 143 "$holder" || true
    check 'slots are given back to a server that forgot the scripts' shows '"claimed":0' pools info one --json
    hold one "$dir/lost"
    redis HDEL "rivers:{default}:slots:$(redis ZRANGE 'rivers:{default}:slots' 0 0 | cut -d / -f 1)" main >"$dir/got"
    check 'a lost lease ends the command' ended_with 125 "$holder"
    check 'and is told' grep -q '^rivers: lease lost$' "$dir/lost.errors"
    until_true "$rivers" pools run one --wait 0 -- true
}

# --- holders that are killed or stand still: their processes say for themselves when they work

# They work in two groups, whatever SIGTERM says; the process that keeps the slots is in $keeper.
hold_on() { # FILE
    cat >"$dir/worker" <<'EOF'
#!/bin/sh
trap '' TERM
[ "${2-}" ] || setsid "$0" "$1" apart &
echo $$ >"$1.${2-inside}"
while :; do
    echo first >>"$1"
    sleep 0.02
done
EOF
    chmod +x "$dir/worker"
    "$rivers" pools run one -- "$dir/worker" "$1" &
    holder=$!
    until_true test -s "$1.inside" -a -s "$1.apart"
    keeper=$(pgrep -P $holder)
}

took_turns() { # FILE: nobody worked for the first once the second had begun
    until_true "$rivers" pools run one --wait 0 -- sh -c 'echo second >>"$1"; sleep 0.3; echo second >>"$1"' - "$1" ||
        return 1
    uniq "$1" >"$dir/got"
    printf 'first\nsecond\n' | cmp -s - "$dir/got"
}

no_more_work() {
    hold_on "$dir/killed"
    kill -KILL "$keeper"
    check 'a holder that was killed' ended_with 137 $holder
    check 'nothing of it works when its slots are given on' took_turns "$dir/killed"
    hold_on "$dir/stopped"
    kill -STOP "$keeper"
    check 'nor of one that stands still' took_turns "$dir/stopped"
    check 'which is ended in time' ended_with 137 $holder
    hold_on "$dir/guard"
    kill -KILL $holder
    ended_with 137 $holder || true
    check 'a holder without its guard has its slots while its command goes on' \
        exits 124 pools run one --wait 4s -- true
    kill -KILL "$(cat "$dir/guard.inside")"
    check 'and leaves nothing when that has ended' took_turns "$dir/guard"
}

contention() { # ten commands at once on a pool of two: what they recorded themselves
    "$rivers" pools set two 2 >"$dir/got"
    : >"$dir/trace"
    jobs=''
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        "$rivers" pools run two -- sh -c 'echo 1 >>"$1"; sleep 0.1; echo -1 >>"$1"' - "$dir/trace" &
        jobs="$jobs $!"
    done
    : >"$dir/got"
    all=0
    for job in $jobs; do
        ended_with 0 "$job" || all=1
    done
    ok "$all" 'ten commands on a pool of two'
    awk '{ n += $1; most = n > most ? n : most } END { print NR, n, most; exit NR != 20 || n != 0 || most > 2 }' \
        "$dir/trace" >"$dir/got" && most=0 || most=1
    ok "$most" 'never more than two of them at once'
    check 'and no slot is left' shows '^two +2 +0 +0 ' pools list
}

trap clean_up EXIT
trap 'exit 130' HUP INT TERM
unset RIVERS_NAMESPACE
export RIVERS_REDIS_URL="unix://$dir/redis.sock"
redis-server --port 0 --unixsocket "$dir/redis.sock" --dir "$dir" --save '' >"$dir/redis.log" &
server=$!
until_true redis PING

settings
wrong_inputs
statuses
waiting
signals
no_more_work
contention
echo "1..$number"
exit $failed
