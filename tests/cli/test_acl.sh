#!/bin/sh
# The users of docs/redis.md: each can do its work, and nothing else.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"

sed -n '/^user /p' "$project/docs/redis.md" >users.acl
echo 'user default off' >>users.acl
cat >rivers.json <<'END'
{"pool_limits": {"warehouse": 2},
 "run_queue": {"dequeue_interval": "50ms", "tag_concurrency_limits": [{"key": "env", "value": "prod", "limit": 1}]},
 "jobs": {"nightly": {"tags": {"env": "prod"}, "steps": [{"name": "a", "command": "true", "pool": "warehouse"}]}}}
END
redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" --aclfile "$dir/users.acl" >redis.log 2>&1 &
pids=$!
as() { # USER WORD...: a rivers command
    user=$1
    shift
    "$rivers" --redis "unix://$user:secret@$dir/redis.sock" "$@"
}
until_true as reader runs list

may() { as "$@"; } # USER WORD...
may_not() { # USER SCRIPT WORD...
    user=$1 script=$2
    shift 2
    if as "$user" "$@" >said 2>&1; then return 1; fi
    grep "lacks a permission for $script" said
}
listed() { [ -n "$(as "$@")" ]; }
work() { # through all that a worker does: limits, retries, slots, a cancel, lines that wait
    for i in 1 2 3 4; do as worker submit nightly --key "n$i"; done >ids
    as worker submit -- sh -c 'sleep 600' >slow
    as worker submit --delay 1h -- true >late
    as worker runs cancel --grace 0s "$(cat late)"
    xargs "$rivers" --redis "unix://worker:secret@$dir/redis.sock" runs wait <ids
    as worker runs cancel --grace 0s "$(cat slow)"
    as worker runs wait "$(cat slow)" | grep Canceled
    as worker pools run warehouse -- true
    as worker runs delete "$(cat late)"
    as worker submit --delay 1h -- true >waiting
}

echo 1..13
check 'an operator applies a configuration' may operator config apply rivers.json
check 'an operator sets a limit' may operator pools set warehouse 1
check 'a worker reads the configuration' listed worker config show
check 'a worker does not apply one' may_not worker config/apply config apply rivers.json --replace
check 'a worker sets no limit' may_not worker pool/set pools set warehouse 5
RIVERS_REDIS_URL="unix://worker:secret@$dir/redis.sock" "$rivers" dequeuer >dequeuer.log 2>&1 &
pids="$! $pids"
check 'a worker submits, launches and executes' work
check 'nothing failed on the way' eval '! grep -e level=error -e lacks dequeuer.log'
check 'a reader lists runs' listed reader runs list
check 'a reader sees pools' listed reader pools list
check 'a reader sees events' listed reader events
check 'a reader does not submit' may_not reader run/submit submit -- true
check 'a reader does not cancel' may_not reader run/cancel runs cancel "$(cat waiting)"
check 'a reader sets no limit' may_not reader pool/set pools set warehouse 5
exit "$failed"
