#!/bin/sh
# rivers doctor: what it prints of a namespace that is well and of one that is not, and how it exits.
set -u
dir=$(mktemp -d)
number=0
failed=0

check() { # NAME COMMAND...
    number=$((number + 1))
    name=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' "$dir/out" "$dir/got"
        failed=1
    fi
}

doctor() { # STATUS OPTION...: what it prints is in $dir/got
    want=$1
    shift
    "$rivers" doctor "$@" >"$dir/got" 2>&1
    [ $? -eq "$want" ]
}

prints() { grep -qE "$1" "$dir/got"; }
redis() { redis-cli -s "$dir/redis.sock" "$@"; }

clean_up() {
    kill "$server"
    wait "$server"
    rm -rf "$dir"
}

rivers=${RIVERS:-build/rivers}
mkdir "$dir/data"
redis-server --port 0 --unixsocket "$dir/redis.sock" --dir "$dir/data" --appendonly yes >"$dir/redis.log" &
server=$!
trap clean_up EXIT
trap 'exit 130' HUP INT TERM
unset RIVERS_NAMESPACE
export RIVERS_REDIS_URL="unix://$dir/redis.sock"
: >"$dir/got"
until redis PING >"$dir/out" 2>&1; do sleep 0.05; done

check 'an empty namespace' doctor 0
check 'is well' prints '^All is well\.$'
run=$("$rivers" submit -- true)
check 'a queued run' doctor 0
redis ZREM 'rivers:{default}:queue' "$run" >"$dir/out"
check 'a run out of the queue is wrong' doctor 1
check 'and is named' prints "^run +$run +Queued and in no index +wrong$"
check 'it is repaired' doctor 0 --repair
check 'and that is said' prints 'repaired$'
check 'then all is well' doctor 0
check 'as one object a fault' doctor 0 --json
redis CONFIG SET maxmemory-policy allkeys-lru >"$dir/out"
check 'a server that may delete runs is wrong' doctor 1
check 'and named' prints '^server +maxmemory_policy=allkeys-lru .* wrong$'
redis CONFIG SET maxmemory-policy noeviction appendfsync no >"$dir/out"
check 'what a crash of the machine loses is warned of' doctor 0
check 'with the mend' prints '^server +appendfsync=no .*set appendfsync everysec, or always +warning$'
redis ACL SETUSER plain on '>secret' '~*' +@all -config >"$dir/out"
check 'without CONFIG' doctor 0 --redis "unix://plain:secret@$dir/redis.sock"
check 'there is what INFO says' prints '^All is well\.$'
redis CONFIG SET maxmemory-policy allkeys-lru >"$dir/out"
check 'also when that' doctor 1 --redis "unix://plain:secret@$dir/redis.sock"
check 'is a fault' prints '^server +maxmemory_policy=allkeys-lru .*set maxmemory-policy noeviction +wrong$'
redis CONFIG SET maxmemory-policy noeviction appendfsync everysec >"$dir/out"
redis CONFIG SET appendonly no >"$dir/out"
check 'a server without an append-only file is warned of' doctor 0
check 'by a row' prints '^server +aof_enabled=0 .* warning$'
redis HSET 'rivers:{default}:meta' epoch 2-0123456789ab epoch_at 1795509935000 >"$dir/out"
redis HSET 'rivers:{default}:pool_limits' db five >"$dir/out"
check 'a limit that cannot be read is wrong' doctor 1
check 'with the mend' prints "^limit +pool_limits db +'five' is no limit and lets nobody pass: set it to a whole number, .* wrong$"
check 'no repair knows it' doctor 1 --repair
check 'so it stays' prints '^limit .* wrong$'
redis HDEL 'rivers:{default}:pool_limits' db >"$dir/out"
check 'history that was lost is told' doctor 0
check 'with the epoch' prints '^history +epoch=2-0123456789ab +older data came back 2 times, .* note$'
redis HDEL 'rivers:{default}:meta' epoch epoch_at >"$dir/out"
redis CONFIG SET save '3600 1' >"$dir/out"
rm -rf "$dir/data"
redis BGSAVE >"$dir/out"
until redis INFO persistence | grep -q 'rdb_last_bgsave_status:err'; do sleep 0.05; done
check 'a server that cannot write to its disk' doctor 1
check 'is named' prints '^server +rdb_last_bgsave_status=err .*the log of the server say why +wrong$'
refused() { ! "$rivers" submit -- true >"$dir/got" 2>&1; }
check 'it shows the queue' "$rivers" queue list
check 'and takes no run' refused
check 'which says why' prints '^rivers: redis cannot write to its disk, and run/submit was refused: MISCONF '
redis CONFIG SET save '' >"$dir/out" # it would not end without a snapshot
echo "1..$number"
exit $failed
