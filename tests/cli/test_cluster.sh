#!/bin/sh
# Three nodes of a cluster, two namespaces on two of them; the slot of one moves in the middle of its load.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
runs=60

echo 1..8
nodes=''
for i in 1 2 3; do
    server "node-$i" --cluster-enabled yes --cluster-config-file nodes.conf
    nodes="$nodes 127.0.0.1:$port"
done
# shellcheck disable=SC2086 # a list of nodes
redis-cli --cluster create $nodes --cluster-yes >create.log 2>&1
cluster_is_up() {
    for node in $nodes; do
        at "${node#*:}" cluster info | grep -q cluster_state:ok || return 1
    done
}
until_true cluster_is_up

slot_of() { at "$port" cluster keyslot "rivers:{$1}:"; } # NAMESPACE
owner_of() { # SLOT: its port
    at "$port" cluster nodes | awk -v slot="$1" '{
        for (i = 9; i <= NF; i++) {
            split($i, range, "-")
            if (slot >= range[1] + 0 && slot <= (range[2] == "" ? range[1] : range[2]) + 0) {
                split($2, place, /[:@]/)
                print place[2]
            }
        }
    }'
}
slot=$(slot_of default) from=$(owner_of "$(slot_of default)")
for other in a b c d e f g h; do
    [ "$(owner_of "$(slot_of "$other")")" = "$from" ] || break
done
elsewhere=$(owner_of "$(slot_of "$other")")
for node in $nodes; do
    to=${node#*:}
    [ "$to" = "$from" ] || break
done

# Each begins at a node that it does not need, or that is not there.
RIVERS_REDIS_URL="redis+cluster://127.0.0.1:1,127.0.0.1:$to"
export RIVERS_REDIS_URL
mkdir ran
: >ids
"$rivers" dequeuer >dequeuer-1.log 2>&1 &
pids="$pids $!"
"$rivers" dequeuer >dequeuer-2.log 2>&1 &
pids="$pids $!"
"$rivers" --namespace "$other" dequeuer >dequeuer-other.log 2>&1 &
pids="$pids $!"
"$rivers" --namespace "$other" submit --wait -- true >other.out 2>&1
owns() { # PORT NAMESPACE
    [ -n "$(at "$1" keys "rivers:{$2}:*" 2>/dev/null)" ]
}
check 'another namespace is on another node' owns "$elsewhere" "$other"
check 'and on none else' eval "! owns $from $other"

submit 1 $runs &
pids="$pids $!"
until_true accepted 20
id_of() { at "$1" cluster myid; }
setslot() { # PORT WORD...
    port=$1
    shift
    at "$port" cluster setslot "$slot" "$@" | grep -q OK
}
setslot "$to" importing "$(id_of "$from")"
setslot "$from" migrating "$(id_of "$to")"
move() { # N: so many keys of the slot at a time; fails when there are none left
    keys=$(at "$from" cluster getkeysinslot "$slot" "$1")
    # shellcheck disable=SC2086 # keys have no blanks
    [ -n "$keys" ] && at "$from" migrate 127.0.0.1 "$to" '' 0 60000 keys $keys | grep -q OK
}
move 10
before=$(wc -l <ids)
stands_still() { # on neither node do the keys that are not there come into being
    held=$(at "$from" cluster countkeysinslot "$slot") moved=$(at "$to" cluster countkeysinslot "$slot")
    if timeout 2 "$rivers" submit --key between -- true; then return 1; fi
    [ "$held $moved" = "$(at "$from" cluster countkeysinslot "$slot") $(at "$to" cluster countkeysinslot "$slot")" ]
}
check 'a namespace stands still while its slot moves' stands_still
while move 10; do :; done
check 'all keys have moved' [ "$(at "$from" cluster countkeysinslot "$slot")" -eq 0 ]
setslot "$to" node "$(id_of "$to")"
setslot "$from" node "$(id_of "$to")"
check 'the load goes on after the move' until_true accepted $runs
check 'every accepted run succeeds' all_succeeded
check 'each ran once' each_ran_once $runs
check 'the namespace is on the other node' owns "$to" default
echo "# $runs runs accepted, $before before the move, $(wc -l <unknown) answers unknown and asked again"
exit "$failed"
