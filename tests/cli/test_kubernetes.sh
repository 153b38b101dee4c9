#!/bin/sh
# Runs what docs/kubernetes.md shows, on the API server of the tests: with the dequeuer and the configuration of deploy/kubernetes/,
# and the commands of the `console` blocks.
# shellcheck source=/dev/null disable=SC2154,SC2034 # for and from what is sourced
set -eu
. "$(dirname "$0")/../support/servers.sh"
document=$project/docs/kubernetes.md
manifests=$project/deploy/kubernetes
. "$project/tests/support/document.sh"

value() { # NAME: of a variable in the Deployment
    awk -v name="$1" '$2 == "name:" && $3 == name { found = 1 } found && $1 == "value:" { print $2; exit }' \
        "$manifests/5-dequeuer.yaml"
}

# An image that cannot be pulled has another name here.
as_here() { sed 's|no-such-image|fault/errimagepull|'; }

# In the pod of a dequeuer, the server has another address, and its account is that of the pod.
as_there() {
    sed "s|https://127\.0\.0\.1:[0-9]*|https://10.96.0.1:443|
         s|user 'token-file' of context 'token-file', by the token in .*/token |the service account of this pod, by the token in /var/run/secrets/kubernetes.io/serviceaccount/token |"
}

# The pods of the test node have no files of a service account: executors find the API server as the test does.
mkdir bin
# shellcheck disable=SC2016 # expanded by the script
printf '#!/bin/sh\nunset KUBERNETES_SERVICE_HOST\nexec "%s" "$@"\n' "$(realpath "$rivers")" >bin/rivers
chmod +x bin/rivers
export PATH="$dir/bin:$PATH" KUBECONFIG="$dir/k8s/kubeconfig"
RIVERS_IMAGE=$(value RIVERS_IMAGE)
export RIVERS_IMAGE

server redis --appendonly yes
export RIVERS_REDIS_URL="redis://127.0.0.1:$port"
kubernetes --node --namespace rivers --secret "rivers-redis/url=$RIVERS_REDIS_URL" --pass-env PATH --pass-env KUBECONFIG
ask POST /-/deny '{"verb": "get", "resource": "secrets"}' # a dequeuer may not

mkdir etc run
sed -n '/^  rivers.json: |/,$ { /rivers.json/d; s/^    //p; }' "$manifests/4-config.yaml" >etc/rivers.json
args=$(sed -n 's/^ *args: \[\(.*\)\]/\1/p' "$manifests/5-dequeuer.yaml" | tr -d '",' | sed "s|/etc/rivers|etc|; s|/run/rivers|run|")
# shellcheck disable=SC2086 # the words of the Deployment
rivers $args >dequeuer.log 2>&1 &
pids="$! $pids"
until_true grep -qx ready run/health

block jsonc | sed '/^"run_backend"/,$d' >rivers.json # the first
run_all

probes() { # the commands of the probes, as they are or once the dequeuer stood still
    sed -n 's/^ *command: \[\(.*\)\]/\1/p' "$manifests/5-dequeuer.yaml" | sed "s|/run/rivers|run|; s|, *| |g" | while read -r words; do
        eval "$words" || echo failed
    done
}
probe() { # NAME WANT
    n=$((n + 1))
    if [ "$(probes 2>&1)" = "$2" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
probe 'a dequeuer is ready and alive' ''
kill -STOP "${pids%% *}"
touch -d '-61 seconds' run/health
probe 'one that stands still is not alive' failed
echo "not ready: x" >run/health
probe 'one that does not admit is not ready' failed
kill -CONT "${pids%% *}"
echo "1..$n"
