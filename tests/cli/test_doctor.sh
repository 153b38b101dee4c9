#!/bin/sh
# rivers doctor: what it prints of a namespace that is well and of one that is not, and how it exits.
# shellcheck source=/dev/null disable=SC2154,SC2034 # for and from what is sourced
set -eu
. "$(dirname "$0")/../support/servers.sh"

doctor() { # STATUS OPTION...: what it prints is in the file got
    want=$1 status=0
    shift
    "$rivers" doctor "$@" >got 2>&1 || status=$?
    cat got
    [ "$status" -eq "$want" ]
}

prints() { grep -qE "$1" got || { cat got && return 1; }; }
redis() { redis-cli -s redis.sock "$@"; }
cannot_write() { redis INFO persistence | grep -q 'rdb_last_bgsave_status:err'; }

mkdir data
redis-server --port 0 --unixsocket "$dir/redis.sock" --dir "$dir/data" --appendonly yes >redis.log &
pids=$!
export RIVERS_REDIS_URL="unix://$dir/redis.sock"
until_true redis PING

check 'an empty namespace' doctor 0
check 'is well' prints '^All is well\.$'
run=$("$rivers" submit -- true)
check 'a queued run' doctor 0
redis ZREM 'rivers:{default}:queue' "$run" >out
check 'a run out of the queue is wrong' doctor 1
check 'and is named' prints "^run +$run +Queued and in no index +wrong$"
check 'it is repaired' doctor 0 --repair
check 'and that is said' prints 'repaired$'
check 'then all is well' doctor 0
check 'as one object a fault' doctor 0 --json
redis CONFIG SET maxmemory-policy allkeys-lru >out
check 'a server that may delete runs is wrong' doctor 1
check 'and named' prints '^server +maxmemory_policy=allkeys-lru .* wrong$'
redis CONFIG SET maxmemory-policy noeviction appendfsync no >out
check 'what a crash of the machine loses is warned of' doctor 0
check 'with the mend' prints '^server +appendfsync=no .*set appendfsync everysec, or always +warning$'
redis ACL SETUSER plain on '>secret' '~*' +@all -config >out
check 'without CONFIG' doctor 0 --redis "unix://plain:secret@$dir/redis.sock"
check 'there is what INFO says' prints '^All is well\.$'
redis CONFIG SET maxmemory-policy allkeys-lru >out
check 'also when that' doctor 1 --redis "unix://plain:secret@$dir/redis.sock"
check 'is a fault' prints '^server +maxmemory_policy=allkeys-lru .*set maxmemory-policy noeviction +wrong$'
redis CONFIG SET maxmemory-policy noeviction appendfsync everysec >out
redis CONFIG SET appendonly no >out
check 'a server without an append-only file is warned of' doctor 0
check 'by a row' prints '^server +aof_enabled=0 .* warning$'
redis HSET 'rivers:{default}:meta' epoch 2-0123456789ab epoch_at 1795509935000 >out
redis HSET 'rivers:{default}:pool_limits' db five >out
check 'a limit that cannot be read is wrong' doctor 1
check 'with the mend' prints "^limit +pool_limits db +'five' is no limit and lets nobody pass: set it to a whole number, .* wrong$"
check 'no repair knows it' doctor 1 --repair
check 'so it stays' prints '^limit .* wrong$'
redis HDEL 'rivers:{default}:pool_limits' db >out
check 'history that was lost is told' doctor 0
check 'with the epoch' prints '^history +epoch=2-0123456789ab +older data came back 2 times, .* note$'
redis HDEL 'rivers:{default}:meta' epoch epoch_at >out
redis CONFIG SET save '3600 1' >out
rm -rf data
redis BGSAVE >out
until_true cannot_write
check 'a server that cannot write to its disk' doctor 1
check 'is named' prints '^server +rdb_last_bgsave_status=err .*the log of the server say why +wrong$'
refused() { ! "$rivers" submit -- true >got 2>&1; }
check 'it shows the queue' "$rivers" queue list
check 'and takes no run' refused
check 'which says why' prints '^rivers: redis cannot write to its disk, and run/submit was refused: MISCONF '
echo "1..$number"
exit "$failed"
