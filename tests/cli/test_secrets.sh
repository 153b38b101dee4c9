#!/bin/sh
# A password is shown nowhere: not by commands, logs and records, not in the list of processes, not to steps.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
password=hunter2-of-the-queue

hidden_in() { # FILE...: neither the password nor an empty file
    for file; do
        [ -s "$file" ] || { echo "$file is empty"; return 1; }
        ! grep -F "$password" "$file" || return 1
    done
}

cmdlines() { # of all processes below this directory, blanks for NUL
    grep -lasF "$dir" /proc/[0-9]*/cmdline | while read -r file; do
        tr '\0' ' ' <"$file" 2>/dev/null || true
        echo
    done
}

cmdline_is_hidden() { # PID
    until_true grep -q -F '***@' "/proc/$1/cmdline"
    ! grep -a -F "$password" "/proc/$1/cmdline"
}

echo "requirepass $password" >redis.conf
redis-server redis.conf --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" >redis.log &
pids=$!
echo "$password" >password
with_login=unix://:$password@$dir/redis.sock
with_file=unix://$dir/redis.sock
until_true redis-cli -s "$dir/redis.sock" ping

# A step that prints all that it was given, and asks the queue.
show='{ env; cat /proc/self/environ; rivers=$0; "$rivers" queue list && echo "a step asked"; } 2>&1; true'

echo 1..9
RIVERS_REDIS_URL=$with_login RIVERS_LOG=debug "$rivers" dequeuer >dequeuer.log 2>&1 &
dequeuer=$!
RIVERS_REDIS_URL=$with_login "$rivers" submit --wait -- sh -c "$show" "$rivers" >id
RIVERS_REDIS_URL=$with_login "$rivers" runs logs "$(cat id)" >login.step
RIVERS_REDIS_URL=$with_login "$rivers" runs show "$(cat id)" >login.show
RIVERS_REDIS_URL=$with_login "$rivers" --json runs show "$(cat id)" >login.json
cmdlines >login.processes
kill "$dequeuer"
wait "$dequeuer" || true
check 'a password in the URL is in no log' hidden_in dequeuer.log
check 'a password in the URL is in no record' hidden_in login.show login.json
check 'a password in the URL reaches no step' hidden_in login.step
check 'a password in the URL is in no list of processes' hidden_in login.processes
check 'a step is told where the queue is, and that it needs a password' grep -q NOAUTH login.step

"$rivers" --redis "unix://:$password@$dir/redis.sock" submit --delay 1h --wait -- true >/dev/null 2>&1 &
pids="$pids $!"
check 'a password in an argument is blanked' cmdline_is_hidden $!

"$rivers" --redis "unix://:$password-not@$dir/redis.sock" queue list 2>wrong || true
check 'a message about a wrong password does not show it' hidden_in wrong

"$rivers" --redis "$with_file" --redis-password-file password dequeuer >dequeuer.log 2>&1 &
pids="$pids $!"
RIVERS_REDIS_URL=$with_file RIVERS_REDIS_PASSWORD_FILE=password \
    "$rivers" submit --wait -- sh -c "$show" "$rivers" >id
RIVERS_REDIS_URL="$with_file?password_file=$dir/password" "$rivers" runs logs "$(cat id)" >file.step
check 'a password file serves dequeuer, executor and step' grep -q 'a step asked' file.step
check 'a password from a file reaches no step' hidden_in file.step
exit "$failed"
