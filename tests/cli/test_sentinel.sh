#!/bin/sh
# Sentinels, a master and its replica; the master is killed in the middle of the load.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
runs=60

echo 1..6
server master
master=$port master_pid=$pid
server replica --replicaof 127.0.0.1 "$master"
replica=$port
until_true has_replica "$master" "$replica"

sentinels=''
for i in 1 2 3; do
    cat >"sentinel-$i.conf" <<END
sentinel monitor queue 127.0.0.1 $master 2
sentinel down-after-milliseconds queue $down_after_ms
sentinel failover-timeout queue 10000
sentinel monitor stale 127.0.0.1 $replica 4
END
    server "sentinel-$i" "$dir/sentinel-$i.conf" --sentinel
    sentinels=${sentinels:+$sentinels,}127.0.0.1:$port
done
sentinels_agree() {
    at "$port" sentinel ckquorum queue | grep -q '^OK 3 usable' &&
        at "$port" sentinel replicas queue | grep -q "$replica"
}
until_true sentinels_agree

# One that is not there, and one that is no sentinel, are asked in vain.
export RIVERS_REDIS_URL="redis+sentinel://127.0.0.1:1,127.0.0.1:$replica,$sentinels/queue"
says() { # TEXT COMMAND...: fails, and says so
    text=$1
    shift
    ! "$@" >said 2>&1 && grep -F "$text" said
}
check 'a master that no sentinel knows' says "no master 'other' is known" \
    "$rivers" --redis "redis+sentinel://$sentinels/other" queue list
check 'what is called master but is none' says "127.0.0.1:$replica is no master" \
    "$rivers" --redis "redis+sentinel://$sentinels/stale" queue list

mkdir ran
: >ids
"$rivers" dequeuer >dequeuer-1.log 2>&1 &
pids="$pids $!"
"$rivers" dequeuer >dequeuer-2.log 2>&1 &
pids="$pids $!"
submit 1 $runs &
pids="$pids $!"
until_true accepted 20

# What the master has answered, the replica has; what it answers no more may have happened or not.
at "$master" client pause 60000 write >/dev/null
offset() { at "$1" info replication | tr -d '\r' | sed -n "s/^$2://p"; }
same_offset() { [ "$(offset "$master" master_repl_offset)" = "$(offset "$replica" slave_repl_offset)" ]; }
until_true same_offset
kill -KILL "$master_pid"
check 'the load goes on after the fail-over' until_true accepted $runs
check 'every accepted run succeeds' all_succeeded
check 'each ran once' each_ran_once $runs
is_master() { at "$1" info replication | grep -q role:master; }
check 'the replica is the master' is_master "$replica"
echo "# $runs runs accepted, $(wc -l <unknown) answers unknown and asked again"
exit "$failed"
