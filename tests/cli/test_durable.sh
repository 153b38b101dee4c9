#!/bin/sh
# submit --durable: with a replica, with one that stands still, and without.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"

submit_durably() { # STATUS WORD...: ids are in the file ids, what is said in said
    want=$1 status=0
    shift
    "$rivers" submit --durable "$@" >ids 2>said || status=$?
    cat ids said
    [ "$status" -eq "$want" ]
}
said() { grep -F "$1" said; }
accepted() { [ "$(wc -l <ids)" -eq "$1" ] && [ "$(redis-cli -p "$master" zcard 'rivers:{default}:queue')" -eq "$2" ]; }
replica_has() { [ "$(at "$replica" zcard 'rivers:{default}:queue')" -eq "$1" ]; }
lines() { for i in "$@"; do echo "{\"key\": \"$i\", \"steps\": [{\"name\": \"a\", \"command\": \"true\"}]}"; done; }

echo 1..13
server master
master=$port
export RIVERS_REDIS_URL="redis://127.0.0.1:$master"
check 'without a replica it is refused' submit_durably 1 -- true
check 'and said' said 'redis has no replica that could confirm it'
check 'nothing is submitted' accepted 0 0

server replica --replicaof 127.0.0.1 "$master"
replica=$port replica_pid=$pid
until_true has_replica "$master" "$replica"
check 'a replica confirms' submit_durably 0 --key one -- true
check 'it has the run when that is said' replica_has 1
lines a b c >runs
check 'runs of a file too' submit_durably 0 -f runs
check 'which it has' replica_has 4

kill -STOP "$replica_pid"
check 'a replica that stands still does not confirm' submit_durably 4 --key two -- true
check 'what to do is said' said 'submit it again with the same key to have it confirmed'
check 'the run is accepted, and its id printed' accepted 1 5
id=$(cat ids)
check 'a run without a key is told so' eval 'submit_durably 4 -- true && said "a second one"'
kill -CONT "$replica_pid"
until_true replica_has 6
check 'the same key again is confirmed' submit_durably 0 --key two -- true
check 'and is the same run' [ "$(cat ids)" = "$id" ]
exit "$failed"
