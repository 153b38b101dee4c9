#!/bin/sh
# What the commands print, on stdout and stderr, and how they exit: each transcript is run line by line and compared. In a
# transcript `! ` begins a line of stderr and `? ` the exit status when it is not 0; times read TIME, the n-th run id RUNn.
# shellcheck disable=SC2016 # what a transcript quotes is expanded when its lines are run
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
dir=$(mktemp -d "${TMPDIR:-/tmp}/commands.XXXXXX")
number=0 failed=0 server='' dequeuer=''

clean_up() {
    for pid in $dequeuer $server; do
        kill "$pid"
        wait "$pid" || true
    done
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM
cd "$dir"

rivers() { "$rivers" "$@"; }

normal() { # names ids in the order they appear
    awk '{
        gsub(/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/, "TIME")
        line = ""
        while (match($0, /r[0-9][0-9a-hj-kmnp-tv-z]*/)) {
            id = substr($0, RSTART, RLENGTH)
            if (RLENGTH == 17) {
                if (!(id in name)) name[id] = "RUN" ++ids
                id = name[id]
            }
            line = line substr($0, 1, RSTART - 1) id
            $0 = substr($0, RSTART + RLENGTH)
        }
        print line $0
    }'
}

replay() { # FILE: runs its `$ ` lines and prints what it should have held
    grep '^\$ ' "$1" >lines
    while read -r line <&3; do
        status=0
        eval "${line#??}" >out 2>err </dev/null || status=$?
        printf '%s\n' "$line"
        cat out
        sed 's/^/! /' err
        [ "$status" -eq 0 ] || echo "? $status"
    done 3<lines
}

transcript() { # NAME: a test; the transcript is stdin
    cat >expected
    replay expected >raw # not in a pipe: its lines may set variables for the next transcript
    normal <raw >actual
    number=$((number + 1))
    if diff -u expected actual >difference; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# /' difference
        failed=1
    fi
}

lines() { # N: N runs as JSON, one a line
    i=0
    while [ $((i += 1)) -le "$1" ]; do
        echo '{"job": "many", "steps": [{"name": "a", "command": "true"}]}'
    done
}

limit_in_force() { # max_concurrent_runs as set; what it is then
    redis-cli -s redis.sock HSET 'rivers:{default}:config' max_concurrent_runs "$1" >reply
    rivers top --json | sed -n 's/.*"limit"://; 1p'
}

unset RIVERS_REDIS_URL RIVERS_NAMESPACE
cat >rivers.json <<'EOF'
{   // what the transcripts are about
    "run_queue": {
        "max_concurrent_runs": 2, "dequeue_interval": "50ms",
        "tag_concurrency_limits": [{"key": "env", "value": "prod", "limit": 1}]
    },
    "jobs": {"nightly": {"tags": {"env": "prod"}, "priority": 5,
                         "steps": [{"name": "hello", "command": "echo hello $WHO"}, {"name": "bye", "command": "echo bye"}]}}
}
EOF
printf '%s\n' '{"steps": [{"name": "a", "command": "true"}]}' 'no json' '' '{"steps": []}' \
    '{"job": "last", "steps": [{"name": "a", "command": "true"}]}' >runs.ndjson
cat >pools.json <<'EOF'
{
    "pool_limits": {"warehouse": 2},
    "jobs": {"load": {"steps": [{"name": "a", "command": "true", "pool": "warehouse"},
                                {"name": "b", "command": "true", "pools": {"warehose": 2, "warehouse": 1}}]}}
}
EOF
printf '%s\n' '{' '  "job": "pretty", // over several lines' '  "steps": [{"name": "a", "command": "true"}]' '}' >run.json

echo 1..15
transcript 'commands and options that do not exist' <<'EOF'
$ rivers queue lst
! rivers: unknown command 'queue lst': did you mean 'queue list'?
! Try 'rivers queue --help'.
? 2
$ rivers frobnicate
! rivers: unknown command 'frobnicate'
! Try 'rivers --help'.
? 2
$ rivers runs list --limt 5
! rivers: unknown option '--limt': did you mean '--limit'?
! Try 'rivers runs list --help'.
? 2
$ rivers runs show
! rivers: 'rivers runs show' needs RUN
! Try 'rivers runs show --help'.
? 2
$ rivers runs show a b
! rivers: 'rivers runs show': one argument too many: 'b'
! Try 'rivers runs show --help'.
? 2
$ rivers submit echo hi
! rivers: one argument too many: 'hi'; a command stands behind '--'
! Try 'rivers submit --help'.
? 2
$ rivers submit --tag team -- true
! rivers: tag 'team': must be key=value
! Try 'rivers submit --help'.
? 2
$ rivers submit --delay 5 -- true
! rivers: invalid duration for 'delay': "5" — time unit needed, for example 5sec or 5ms. Examples: "30s", "5m", "1h30m", "250ms"
! Try 'rivers submit --help'.
? 2
EOF

transcript 'help comes from the same rows' <<'EOF'
$ rivers --help | sed -n 1p
Usage: rivers COMMAND [OPTIONS]
$ rivers help queue why | sed -n 1p
Usage: rivers queue why RUN
$ rivers queue 2>&1 | sed -n 1p
Usage: rivers queue COMMAND [OPTIONS]
$ rivers queue list --help | grep -e --limit
  -n, --limit N             at most N runs; 0: all (default 100)
EOF

transcript 'no server' <<'EOF'
$ rivers queue list
! rivers: no Redis given: use --redis URL or RIVERS_REDIS_URL, or start one here with 'rivers dev'
? 1
$ rivers --redis redis://127.0.0.1:1 queue list
! rivers: cannot reach redis at redis://127.0.0.1:1: Connection refused
? 1
$ rivers queue list --redis nonsense
! rivers: redis url: must start with redis://, rediss://, redis+sentinel://, redis+cluster:// or unix://
? 1
EOF

redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" >redis.log &
server=$!
RIVERS_REDIS_URL=unix://$dir/redis.sock
export RIVERS_REDIS_URL
until rivers queue list >/dev/null 2>&1; do kill -0 $server; done

transcript 'an empty namespace' <<'EOF'
$ rivers queue list
No queued runs.
$ rivers runs list
No runs.
$ rivers queue list --json
$ rivers config show
No configuration: the defaults hold.
$ rivers --namespace 'a b' queue list
! rivers: namespace 'a b': only letters, digits, '_', '.' and '-' are allowed
? 1
EOF

transcript 'a configuration is checked, compared, applied and shown' <<'EOF'
$ echo '{"run_queu": {}}' >wrong.json; rivers config check wrong.json
! rivers: wrong.json: unknown key 'run_queu', did you mean 'run_queue'?
? 1
$ rivers config check rivers.json
rivers.json: ok
$ rivers config apply rivers.json | grep tag_limits
set     tag_limits  env=prod             -    1
$ rivers config diff rivers.json
No difference.
$ redis-cli -s redis.sock HSET 'rivers:{default}:tag_limits' env=prod 0
0
$ rivers config diff rivers.json
ACTION  HASH        FIELD     NOW  FILE
kept    tag_limits  env=prod  0    1
? 1
$ rivers config apply rivers.json >kept
! What was set by hand is kept; --replace overwrites it.
$ rivers config show --json >shown.json; rivers config check shown.json
shown.json: ok
$ rivers config check pools.json
pools.json: ok
! pools.json: jobs.load: pool 'warehose' of step 'b' is not in pool_limits, and unlimited until it is set
$ redis-cli -s redis.sock HSET 'rivers:{default}:config' max_concurrent_runs 9007199254740992 retention_runs 1000000000000000 >reply
$ rivers config show --json >shown.json; rivers config check shown.json; grep -c -e 9007199254740992 -e 1000000000000000 shown.json
shown.json: ok
2
$ redis-cli -s redis.sock HSET 'rivers:{default}:config' max_concurrent_runs 2 retention_runs 100000 >reply
EOF

transcript 'a run that a limit of 0 blocks' <<'EOF'
$ blocked=$(rivers submit nightly --env WHO=world)
$ rivers queue why $blocked
Run 'RUN1' is queued: position 1 of 1; 1 of 1 in its lane (env=prod)
blocked by
  tag limit: env=prod (0/0)
    can never run: the limit is 0
$ rivers queue list
POS  RUN ID             JOB      PRI  QUEUED AT            BLOCK REASON
  1  RUN1  nightly    5  TIME  tag limit: env=prod (0/0)
$ redis-cli -s redis.sock HSET 'rivers:{default}:tag_limits' env=prod none >reply; rivers queue why $blocked | tail -1
    can never run: the limit 'none' cannot be read and counts as 0
$ rivers config apply --replace rivers.json
ACTION  HASH        FIELD     NOW   FILE
set     tag_limits  env=prod  none  1
$ rivers queue why $blocked
Run 'RUN1' is queued: position 1 of 1; 1 of 1 in its lane (env=prod)
no limit blocks it, but no dequeuer has looked yet
$ rivers queue why --json $blocked | grep -o '"halted.*'
"halted":{"no_dequeuer_since":null}}
$ rivers queue list | tail -1
  1  RUN1  nightly    5  TIME  no dequeuer has looked yet
$ redis-cli -s redis.sock HSET 'rivers:{default}:meta' swept_at 1000000000 >reply; rivers queue why $blocked | tail -1
no limit blocks it, but no dequeuer has looked since TIME
$ redis-cli -s redis.sock HSET 'rivers:{default}:meta' swept_at 9000000000000 paused_until 9000000000001 >reply
$ rivers queue why $blocked | tail -1
no limit blocks it, but history was lost, nothing is admitted before TIME
$ rivers queue list | tail -1
  1  RUN1  nightly    5  TIME  history was lost, nothing is admitted before TIME
$ redis-cli -s redis.sock HDEL 'rivers:{default}:meta' paused_until >reply; rivers queue why $blocked | tail -1
nothing blocks it: next to be admitted, by a dequeuer that has capacity left
$ redis-cli -s redis.sock HDEL 'rivers:{default}:meta' swept_at >reply
$ rivers queue cancel $blocked
Run 'RUN1' canceled.
$ rivers queue why $blocked
! Run 'RUN1' is not queued (status: Canceled).
? 1
$ rivers runs delete $blocked
Run 'RUN1' deleted.
$ rivers runs show $blocked
! Run 'RUN1' not found.
? 1
EOF

transcript 'files of runs' <<'EOF'
$ rivers submit -f - <runs.ndjson
RUN1
RUN2
! line 2: column 1: expected a value
! line 4: steps: must be a list of at least one step
? 1
$ rivers submit -f run.json
RUN3
$ printf '\0{}\n{"job": \0"x"}\n' | rivers submit -f -
! line 1: column 1: NUL byte
! line 2: column 9: NUL byte
? 1
$ printf '\357\273\277{"steps": []}\n' | rivers submit -f -
! line 1: steps: must be a list of at least one step
? 1
$ printf '{\n\0}' >nul.json; rivers submit -f nul.json
! rivers: nul.json: line 2, column 1: NUL byte
? 1
$ rivers submit -f nothing.json
! rivers: cannot open nothing.json: No such file or directory
? 1
$ rivers queue list --json | cut -d , -f 1-3
{"position":1,"run":"RUN1","job":null
{"position":2,"run":"RUN2","job":"last"
{"position":3,"run":"RUN3","job":"pretty"
EOF

transcript 'the limit of all runs as it is in force' <<'EOF'
$ limit_in_force ten; limit_in_force 9.5; limit_in_force ''; limit_in_force -x; limit_in_force 0
0}
0}
0}
0}
0}
$ limit_in_force -3; limit_in_force 99999999999999999999
-1}
-1}
$ limit_in_force 007; limit_in_force 2
7}
2}
EOF

transcript 'many lines keep their order, up to the length of the queue' <<'EOF'
$ redis-cli -s redis.sock HSET 'rivers:{default}:config' max_queued_runs 1000
0
$ lines 1000 | rivers submit -f - >ids 2>full
? 1
$ sort -c ids; wc -l <ids; sed -n 1p full
997
line 998: the queue is full (max_queued_runs 1000)
$ rivers submit -- true
! rivers: the queue is full (max_queued_runs 1000)
? 1
$ rivers queue cancel $(rivers queue list -n 0 --json | cut -d '"' -f 6) | grep -c canceled
1000
$ rivers runs list --state Queued
No runs.
EOF

transcript 'a key stands for one run, a delay for later' <<'EOF'
$ rivers submit --key once -- true
RUN1
$ rivers submit --key once --json -- true
{"run":"RUN1","new":false}
$ rivers submit --delay 1h -- true
RUN2
$ rivers queue list | tail -1
  2  RUN2  -      0  TIME  not before TIME
$ rivers queue why $(rivers queue list --json | tail -1 | cut -d '"' -f 6) | sed 's/ (in .*//'
Run 'RUN2' is delayed: not before TIME
EOF

vanishes_under() { # COMMAND...: which follows a run that is deleted meanwhile
    run=$(rivers --namespace gone submit -- true)
    rivers --namespace gone "$@" "$run" 2>followed &
    follower=$!
    until redis-cli -s redis.sock CLIENT LIST | grep -q 'cmd=hget '; do :; done
    redis-cli -s redis.sock DEL "rivers:{gone}:run:$run" >reply
    wait "$follower" || echo "exit $?"
    cat followed >&2
}

transcript 'a run that is deleted before its end was seen' <<'EOF'
$ vanishes_under runs wait
exit 5
! Run 'RUN1' not found: there is none, or it was deleted before its end was seen.
$ vanishes_under runs logs -f
exit 5
! Run 'RUN2' not found: there is none, or it was deleted before its end was seen.
EOF

"$rivers" dequeuer --id here >dequeuer.log 2>&1 & # not the function: $! has to be the dequeuer itself
dequeuer=$!

transcript 'waiting ends with the status of the run' <<'EOF'
$ rivers submit --wait -- true
RUN1
$ rivers submit --wait -- sh -c 'exit 3'
RUN2
! Run 'RUN2' ended: Failure: step 'main' failed: exit:3
? 1
$ rivers runs wait $(rivers submit -- true)
RUN3 Success
$ rivers runs wait nothing
! Run 'nothing' not found: there is none, or it was deleted before its end was seen.
? 5
$ rivers runs wait nothing $(rivers submit -- false)
RUN4 Failure: step 'main' failed: exit:1
! Run 'nothing' not found: there is none, or it was deleted before its end was seen.
? 1
EOF

transcript 'what a run wrote' <<'EOF'
$ hello=$(rivers submit nightly --env WHO=world --wait)
$ rivers runs logs $hello
hello world
bye
$ rivers runs logs $hello hello
hello world
$ rivers runs logs $hello helo
! rivers: run 'RUN1' has no step 'helo': did you mean 'hello'?
? 1
$ rivers runs logs -f $(rivers submit -- sh -c 'echo one; sleep 0.3; echo two')
one
two
EOF

transcript 'a started run is canceled, not deleted' <<'EOF'
$ started=$(rivers submit --tag who=sleeper -- sleep 60); until rivers runs show $started | grep -q ' Started$'; do :; done
$ rivers runs delete $started
! Run 'RUN1' is Started: cancel it and let it finish before deleting
? 1
$ rivers top | sed -n 1,2p
GATE              IN USE  LIMIT
global run limit       1      2
$ rivers runs cancel --wait $started
Run 'RUN1' canceled.
$ rivers runs cancel $started
Run 'RUN1' canceled.
$ rivers runs wait $started
RUN1 Canceled
? 3
$ rivers runs list --tag who=sleeper --json | cut -d , -f 1-3
{"run":"RUN1","job":null,"state":"Canceled"
$ rivers events --run $started | cut -d ' ' -f 4 | sed '/Step/d'
RunQueued
RunDequeued
RunStart
RunCanceling
RunCanceled
EOF

transcript 'an ended run cannot be canceled' <<'EOF'
$ ended=$(rivers submit --wait -- true); rivers runs cancel $ended
! Run 'RUN1' has already ended (status: Success).
? 1
EOF

exit $failed
