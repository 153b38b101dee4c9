#!/bin/sh
# What chaos runs are judged by (tests/chaos/check_history) sees that something essential is missing: for each
# tests/chaos/broken/<what>.sed a short story that goes well with rivers as it is, and must not with a rivers whose scripts were
# changed so.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"

build=$(dirname "$rivers")
export PATH="$build/tests/tools:$PATH"
good=$rivers

key() { redis-cli -s redis.sock "$@"; }
prefix='rivers:{default}:'
started() { [ "$(grep -c "^start .* $1" "$WORKER_LOG")" -ge "$2" ]; } # WORD N: so many workers with this word
ended() { # RUN
    key HGET "${prefix}run:$1" state | grep -Eqx 'Success|Failure|Canceled'
}
job() { # NAME DOCUMENT: a run, whose id is in the file NAME
    echo "$2" | "$rivers" submit -f - >"$1"
    sed 's/^/accepted /' "$1" >>"$WORKER_LOG"
}
step() { echo "\"on_lost\": \"requeue\", \"steps\": [{\"name\": \"a\", \"command\": [\"worker\", $1]}]"; } # WORD, ...
dequeue() {
    "$rivers" dequeuer >>dequeuer.log 2>&1 &
}

# --- the stories

# The executor of the first attempt comes when the second is at work.
late_starts() {
    cat >launch <<'SH'
#!/bin/sh
touch "up-$2"
[ "$2" -gt 1 ] || until [ -e go ]; do sleep 0.02; done
exec "$RIVERS" execute "$1"
SH
    chmod +x launch
    key HSET "${prefix}config" start_timeout 1s run_backend \
        '{"type": "command", "launch": ["sh", "-c",
          "setsid ./launch {run} {attempt} >>launch.log 2>&1 & until [ -e up-{attempt} ]; do sleep 0.02; done"]}'
    dequeue
    job run "{$(step '"3000", "late"')}"
    until_true started late 1
    touch go
    until_true told_off_or_started
    until_true ended "$(cat run)"
}
told_off_or_started() { started late 2 || [ -s launch.log ]; }

# The lease of a run that is at work is 10 s, and renewed each second.
early_sweep() {
    dequeue
    job run "{$(step '"3000", "swept"')}"
    until_true ended "$(cat run)"
}

# The holder of the only place dies: the next one gets it.
counted_gates() {
    key HSET "${prefix}tag_limits" env=prod 1
    echo 'limit env=prod 1 0' >>"$WORKER_LOG"
    dequeue
    job first '{"tags": {"env": "prod"}, "steps": [{"name": "a", "command": ["worker", "60000", "env=prod"]}]}'
    until_true started env=prod 1
    job second '{"tags": {"env": "prod"}, "steps": [{"name": "a", "command": ["worker", "10", "env=prod"]}]}'
    kill -KILL "$(pgrep -f "execute $(cat first)" | tail -n 1)"
    until_true ended "$(cat first)"
    swept=$(key HGET "${prefix}meta" swept_at)
    until_true looked_again_or_ended "$swept"
}
looked_again_or_ended() { # SINCE
    ended "$(cat second)" || [ "$(key HGET "${prefix}meta" swept_at)" -gt $(($1 + 2000)) ]
}

# The second comes when the first is at work: what is admitted at once is counted together.
uncounted_gates() {
    key HSET "${prefix}tag_limits" env=prod 1
    echo 'limit env=prod 1 0' >>"$WORKER_LOG"
    dequeue
    for i in 1 2; do
        job "run$i" '{"tags": {"env": "prod"}, "steps": [{"name": "a", "command": ["worker", "3000", "env=prod"]}]}'
        until_true started env=prod 1
    done
    until_true ended "$(cat run1)"
    until_true ended "$(cat run2)"
}

uncounted_slots() {
    key HSET "${prefix}pool_limits" gpu 3
    echo 'limit gpu 3 0' >>"$WORKER_LOG"
    dequeue
    for i in 1 2; do
        job "run$i" '{"steps": [{"name": "a", "command": ["worker", "3000", "gpu:2"], "pools": {"gpu": 2}}]}'
        until_true started gpu:2 1
    done
    until_true ended "$(cat run1)"
    until_true ended "$(cat run2)"
}

# The second attempt of a run is told from the first by its token alone.
standing_tokens() {
    dequeue
    job run "{$(step '"3000", "again"')}"
    until_true started again 1
    kill -KILL "$(pgrep -f "execute $(cat run)" | tail -n 1)"
    until_true started again 2
    until_true ended "$(cat run)"
}

# --- a story, and what is found in it

note_end() {
    for run in $(key --scan --pattern "${prefix}run:*"); do
        echo "final ${run#"${prefix}run:"} $(key HGET "$run" state)" >>"$WORKER_LOG"
    done
}

end_all() { # of a story; the server does not show its environment any more
    kill -KILL "$redis"
    for pid in $(printf '%s' "WORKER_LOG=$WORKER_LOG" | grep -lasF -f - /proc/[0-9]*/environ | cut -d / -f 3); do
        kill -KILL "$pid" || true
    done 2>/dev/null
}

tell() { # STORY BINARY WANTED: what is broken, '': nothing
    rivers=$2
    mkdir "$number" && cd "$number"
    export RIVERS="$rivers" RIVERS_REDIS_URL="unix://$PWD/redis.sock" WORKER_LOG="$PWD/history" WORKER_LIVE="$PWD/live"
    mkdir live
    : >history
    redis-server --port 0 --unixsocket redis.sock --save '' >redis.log 2>&1 &
    redis=$!
    trap end_all EXIT
    until_true key ping
    key HSET "${prefix}config" dequeue_interval 50ms run_lease 10s
    "$1"
    note_end
    status=0
    "$project/tests/chaos/check_history" history >verdict || status=$?
    cat verdict
    if [ -n "$3" ]; then [ "$status" -eq 1 ] && grep -q "^$3: " verdict; else [ "$status" -eq 0 ]; fi
}

echo 1..12
while read -r what broken; do
    check "${what}_as_it_is" tell "$what" "$good" ''
    check "${what}_is_found" tell "$what" "$build/broken/$what/rivers" "$broken"
done <<'END_OF_LIST'
late_starts overlap
early_sweep overlap
counted_gates lost
uncounted_gates exceeded
uncounted_slots exceeded
standing_tokens token
END_OF_LIST
exit "$failed"
