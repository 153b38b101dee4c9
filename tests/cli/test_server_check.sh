#!/bin/sh
# What a dequeuer says at its start about a server that may lose runs, and about one that does not.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"

start() { # NAME WORD...: a dequeuer of the server at $port
    RIVERS_REDIS_URL="redis://127.0.0.1:$port" "$rivers" dequeuer >"$1.log" 2>&1 &
    pids="$! $pids"
}
warns() { # NAME SETTING
    until_true grep "level=warn.* $2 why=" "$1.log"
}

server careless --maxmemory-policy allkeys-lru
careless=$port
start dequeuer-careless
server replica --appendonly yes --replicaof 127.0.0.1 "$careless"
start dequeuer-replica
server careful --appendonly yes
start dequeuer-careful
careful=$port
launches() { # the check was answered before
    [ "$("$rivers" --redis "redis://127.0.0.1:$careful" submit --wait -- true | wc -l)" -eq 1 ]
}

warned_of_replicas() {
    [ "$("$rivers" --redis "redis://127.0.0.1:$careless" doctor | grep -c 'connected_slaves=1 .* warning$')" -eq "$1" ]
}

echo 1..7
check 'eviction' warns dequeuer-careless maxmemory_policy=allkeys-lru
check 'no append-only file' warns dequeuer-careless aof_enabled=0
check 'a replica' warns dequeuer-replica role=slave
check 'a replica that nobody waits for' until_true warned_of_replicas 1
at "$careless" CONFIG SET min-replicas-to-write 1 >set.out
check 'and one that is waited for' warned_of_replicas 0
check 'a server that keeps runs launches them' launches
check 'and there is nothing to say' eval '! grep level=warn dequeuer-careful.log'
exit "$failed"
