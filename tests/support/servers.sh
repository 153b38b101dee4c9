#!/bin/sh
# For tests of Redis servers and a Kubernetes, with TAP and a directory of their own: sourced by them. A process in $pids is
# ended with the test.
# shellcheck disable=SC2034 # the tests use what is set here
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
dir=$(mktemp -d "${TMPDIR:-/tmp}/servers.XXXXXX")
number=0 failed=0 pids='' cluster='' tls_options=''
cd "$dir"
unset RIVERS_REDIS_URL RIVERS_NAMESPACE RIVERS_REDIS_PASSWORD_FILE

clean_up() {
    if [ -n "$cluster" ]; then # ends its pods
        kill "$cluster"
        wait "$cluster" || true
    fi
    for pid in $pids; do
        kill -KILL "$pid" || continue
        wait "$pid" || true
    done 2>/dev/null
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# NAME COMMAND...: a test, which passes when the command succeeds; a function, when all of its commands do. That is for errexit to
# see, which sees nothing in a condition. What the function sets is forgotten.
check() {
    name=$1 number=$((number + 1))
    shift
    set +e
    (set -e; "$@") >check.out 2>&1
    status=$?
    set -e
    if [ $status -eq 0 ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        tail -n 50 -- check.out *.log | sed 's/^/# /'
        failed=1
    fi
}

until_true() { # COMMAND...: within two minutes
    late=$(($(date +%s) + 120))
    until "$@" >until.out 2>&1; do
        if [ "$(date +%s)" -ge "$late" ]; then
            echo "not so within two minutes: $*"
            cat until.out
            return 1
        fi
        sleep 0.05
    done
}

at() { # PORT WORD...: a command for the server there
    port=$1
    shift
    redis-cli -h 127.0.0.1 -p "$port" "$@"
}

# Of sentinels: when the machine stood still for a moment, they do nothing for 30 s. A replica whose master was gone for ten times as
# long as this is promoted no more.
down_after_ms=5000

# The master counts a replica a moment after the replica calls itself connected: the master is asked.
has_replica() { # MASTER_PORT REPLICA_PORT
    at "$1" role | grep -qx "$2"
}

# The server of another test may have taken the port.
answers() { # PORT PID
    at "$1" info server | tr -d '\r' | grep -qx "process_id:$2"
}

# NAME OPTION...: a server on a free port, in a directory of its own; sets $port and $pid. With $tls_options it speaks TLS as well,
# on $tls. Ports below those that the kernel hands out, where the cluster bus 10,000 above is free of them too.
server() {
    name=$1
    shift
    mkdir "$name"
    for _ in 1 2 3 4 5 6 7 8 9; do
        port=$(shuf -i 10000-20999 -n 1) tls=$(shuf -i 21000-22700 -n 1)
        # shellcheck disable=SC2086 # options
        redis-server "$@" --port "$port" ${tls_options:+--tls-port "$tls" $tls_options} --bind 127.0.0.1 --save '' --dir "$dir/$name" >"$name.log" 2>&1 &
        pid=$!
        tries=0
        while kill -0 "$pid" 2>/dev/null && [ $((tries += 1)) -lt 200 ]; do
            if answers "$port" "$pid" 2>/dev/null; then
                pids="$pids $pid"
                return 0
            fi
            sleep 0.05
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    cat "$name.log"
    return 1
}

# OPTION...: a fake API server (tests/tools/kubernetes.c), whose files are in k8s/.
kubernetes() {
    mkfifo stdin
    mkdir k8s
    "${rivers%/*}/tests/tools/kubernetes" "$@" "$dir/k8s" <stdin >k8s.log 2>&1 &
    cluster=$!
    exec 9>stdin
    until_true test -e k8s/url
}

ask() { # METHOD PATH [BODY]: of the API server
    "${rivers%/*}/tests/tools/kubernetes" --ask k8s "$@" >ask.out
}

# FIRST LAST: submits runs, each of which adds a line to ran/<number>. What has no answer is asked again under its key: ids
# gets one line for each accepted run, unknown one for each answer that did not come.
submit() {
    i=$1
    while [ "$i" -le "$2" ]; do
        # shellcheck disable=SC2016 # expanded by the step
        if "$rivers" submit --key "run-$i" -- sh -c 'echo x >>"$0"' "$dir/ran/$i" >>ids 2>>unknown; then
            i=$((i + 1))
        fi
    done
}

accepted() { # N: at least so many runs
    [ "$(wc -l <ids)" -ge "$1" ]
}

all_succeeded() {
    xargs "$rivers" runs wait <ids >ended || true
    [ "$(grep -c ' Success$' ended)" -eq "$(wc -l <ids)" ] || { cat ended; return 1; }
}

each_ran_once() { # N
    wc -l ran/*
    [ "$(find ran -type f | wc -l)" -eq "$1" ] && [ "$(cat ran/* | wc -l)" -eq "$1" ]
}
