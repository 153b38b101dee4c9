#!/bin/sh
# Sentinels and a cluster that are reached over TLS, with passwords; the master is killed.
# shellcheck source=/dev/null disable=SC2154,SC2034 # for and from what is sourced
set -eu
. "$(dirname "$0")/../support/servers.sh"

echo 1..9
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=tests -keyout ca.key -out ca.pem \
    >openssl.log 2>&1
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout key.pem -out request.pem \
    >>openssl.log 2>&1
echo 'subjectAltName = IP:127.0.0.1' >names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem >>openssl.log 2>&1
echo secret >password
echo watch >sentinel-password
echo wrong >wrong-password

# Beside the port that this test asks at.
tls_options="--tls-cert-file $dir/cert.pem --tls-key-file $dir/key.pem --tls-ca-cert-file $dir/ca.pem --tls-auth-clients no
             --tls-replication yes --tls-cluster yes"

says() { # TEXT COMMAND...: fails, and says so
    text=$1
    shift
    ! "$@" >said 2>&1 && grep -F "$text" said
}

# --- sentinels

export REDISCLI_AUTH=secret
server master --requirepass secret --masterauth secret
master=$tls master_pid=$pid
server replica --requirepass secret --masterauth secret --replicaof 127.0.0.1 "$master"
replica=$port
replica_is_up() { at "$replica" info replication | grep -q master_link_status:up; }
until_true replica_is_up
cat >sentinel.conf <<END
requirepass watch
sentinel monitor queue 127.0.0.1 $master 1
sentinel auth-pass queue secret
sentinel down-after-milliseconds queue $down_after_ms
sentinel failover-timeout queue 10000
END
export REDISCLI_AUTH=watch
server sentinel "$dir/sentinel.conf" --sentinel
sentinel=$tls
sees_both() { at "$port" sentinel replicas queue | grep -q runid; }
until_true sees_both
unset REDISCLI_AUTH

url() { # NAME=VALUE...: of the master, by the sentinel
    echo "rediss+sentinel://127.0.0.1:$sentinel/queue?ca=$dir/ca.pem&password_file=$dir/password$*"
}
RIVERS_REDIS_URL=$(url "&sentinel_password_file=$dir/sentinel-password")
export RIVERS_REDIS_URL
check 'sentinels and master, over TLS and with passwords' "$rivers" queue list
check 'no password for the sentinels' says 'NOAUTH' "$rivers" --redis "$(url)" queue list
check 'a wrong one' says 'WRONGPASS' "$rivers" --redis "$(url "&sentinel_password_file=$dir/wrong-password")" queue list
check 'a sentinel that no CA of ours has signed' says "the server's certificate is refused" \
    "$rivers" --redis "rediss+sentinel://127.0.0.1:$sentinel/queue?password_file=$dir/password" queue list
check 'no TLS towards it' says 'cannot reach' "$rivers" --redis "redis+sentinel://127.0.0.1:$sentinel/queue" queue list
"$rivers" dequeuer >dequeuer.log 2>&1 &
pids="$pids $!"
check 'a run' "$rivers" submit --wait -- true
kill -KILL "$master_pid"
succeeds() { "$rivers" submit --key after --wait -- true; }
check 'a run after the fail-over' until_true succeeds

# --- cluster

export REDISCLI_AUTH=secret
server node --cluster-enabled yes --cluster-config-file nodes.conf --requirepass secret
at "$port" cluster addslotsrange 0 16383 >cluster.log
cluster_is_up() { at "$port" cluster info | grep -q cluster_state:ok; }
until_true cluster_is_up
unset REDISCLI_AUTH
RIVERS_REDIS_URL="rediss+cluster://127.0.0.1:1,127.0.0.1:$tls?ca=$dir/ca.pem&password_file=$dir/password"
check 'a cluster, over TLS and with a password' "$rivers" queue list
check 'a wrong password' says 'WRONGPASS' \
    "$rivers" --redis "rediss+cluster://127.0.0.1:$tls?ca=$dir/ca.pem&password_file=$dir/wrong-password" queue list
exit "$failed"
