#!/bin/sh
# rivers backend check: what it finds of each type of backend, and how it exits.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
unset KUBECONFIG RIVERS_IMAGE KUBERNETES_SERVICE_HOST

use() { # RUN_BACKEND
    echo "{\"run_backend\": $1}" >rivers.json
    "$rivers" config apply rivers.json >apply.out
}
finds() { # STATUS OPTION...: what it prints is in found and, a complaint, in err
    want=$1 status=0
    shift
    "$rivers" backend check "$@" >found 2>err || status=$?
    cat found err
    [ "$status" -eq "$want" ]
}
says() { grep -qE "$1" found || { cat found && return 1; }; }
complains() { grep -qF "$1" err || { cat err && return 1; }; }
silent() { [ ! -s err ] || { cat err && return 1; }; }

server redis
export RIVERS_REDIS_URL="redis://127.0.0.1:$port"
kubernetes --namespace batch --powerless weak=system:serviceaccount:batch:weak
sed 's/^    token: .*/    token: weak/' k8s/kubeconfig >k8s/weak
sed 's/^    token: .*/    token: nobody/' k8s/kubeconfig >k8s/unknown
export KUBECONFIG="$dir/k8s/kubeconfig"

check 'nothing applied: local' finds 0
check 'is said' says '^backend +local +ok'
check 'with the binary that runs' says "^executor +.*rivers +ok +runs on the hosts of the dequeuers"

printf '#!/bin/sh\n' >launch
chmod +x launch
: >status
use '{"type": "command", "launch": ["./launch", "{run}"], "terminate": ["no-such-command"], "status": ["./status"]}'
check 'another scheduler' finds 1
check 'whose command is there' says '^launch +\./launch +ok +\./launch$'
check 'is not in PATH' says "^terminate +no-such-command +wrong +cannot run 'no-such-command': No such file or directory"
check 'cannot be executed' says "^status +\./status +wrong +cannot run './status': Permission denied"
check 'complains' complains 'Runs cannot be launched as it is: 2 of 4 findings are wrong.'

use '{"type": "kubernetes"}'
check 'no image' finds 1
check 'is named with its mend' says '^image +- +wrong +run_backend.image is not given, and RIVERS_IMAGE is not set either$'
check 'and the rest is looked at' says '^right +create jobs\.batch +ok'
export RIVERS_IMAGE=rivers:env
check 'the image of the dequeuer' finds 0
check 'is that of RIVERS_IMAGE' says '^image +rivers:env +ok +RIVERS_IMAGE$'
use '{"type": "kubernetes", "image": "rivers:1", "redis_secret": {"name": "rivers-redis", "key": "url"}}'
check 'all is there but the Secret' finds 1
check 'which can be made' says '^redis_secret +rivers-redis +wrong .*kubectl -n batch create secret generic rivers-redis --from-literal=url=URL'
ask POST /api/v1/namespaces/batch/secrets '{"metadata": {"name": "rivers-redis"}, "data": {"uri": "eA=="}}'
check 'a Secret without its key' finds 1
check 'is said' says "^redis_secret +rivers-redis +wrong +has no key 'url'"
ask POST /-/deny '{"verb": "get", "resource": "secrets"}'
check 'a Secret that may not be read' finds 0
check 'is not known' says '^redis_secret +rivers-redis +unknown'
ask POST /-/deny '{"verb": "get", "resource": "secrets", "deny": false}'
ask DELETE /api/v1/namespaces/batch/secrets/rivers-redis
ask POST /api/v1/namespaces/batch/secrets '{"metadata": {"name": "rivers-redis"}, "data": {"url": "eA=="}}'
check 'all is well' finds 0
check 'without a complaint' silent
check 'the server' says "^server +$(cat k8s/url) +ok +v1\.20\.2$"
check 'who we are' says "^identity +user 'token-file' of context 'token-file', by the token in .*/k8s/token +ok"
check 'the namespace' says '^namespace +batch +ok'
check 'the image' says '^image +rivers:1 +ok +run_backend.image$'
check 'seven rights of a dequeuer' [ "$(grep -c '^right .* ok ' found)" -eq 7 ]
check 'as many of an executor' finds 0 --executor
check 'with the logs' says '^right +get pods/log +ok'
check 'not more' [ "$(grep -c '^right ' found)" -eq 7 ]
check 'another context' finds 0 --context certificate
check 'is another user' says "^identity +user 'certificate' of context 'certificate', by a client certificate +ok"
check 'as one object a finding' finds 0 --json
check 'with its state' says '^\{"what":"right","subject":"watch pods","state":"ok","detail":null\}$'

ask POST /-/deny '{"verb": "watch", "resource": "jobs"}'
ask POST /-/deny '{"verb": "get", "resource": "pods/log"}'
check 'a right is missing' finds 1
check 'and named with the rule that gives it' \
    says '^right +watch jobs\.batch +wrong +the Role of the dequeuers needs \{apiGroups: \["batch"\], resources: \["jobs"\], verbs: \["watch"\]\}$'
check 'one of two' complains ': 1 of '
check 'the other is of executors' finds 1 --executor
check 'and of their account' \
    says '^right +get pods/log +wrong +the Role of rivers-executor needs \{apiGroups: \[""\], resources: \["pods/log"\], verbs: \["get"\]\}$'
check 'nothing is allowed' finds 1 --kubeconfig k8s/weak --context token
check 'each is named' [ "$(grep -c '^right .* wrong ' found)" -eq 7 ]
check 'a token that is not known' finds 1 --kubeconfig k8s/unknown --context token
check 'is told of' says "^identity +user 'token' of context 'token', by a token +wrong +the server does not accept it"
check 'and rights are not asked for' [ "$(grep -c '^right ' found)" -eq 0 ]
check 'a context that is not there' finds 1 --context nowhere
check 'is named' says "^server +- +wrong +.*k8s/kubeconfig: contexts: there is no 'nowhere'"
sed "s|server: .*|server: https://127.0.0.1:1|" k8s/kubeconfig >k8s/away
check 'a server that does not answer' finds 1 --kubeconfig k8s/away --context inline
check 'is named' says '^server +https://127\.0\.0\.1:1 +wrong'

ask POST /-/deny '{"verb": "watch", "resource": "jobs", "deny": false}'
unset KUBECONFIG
check 'a dequeuer without its context' eval '! "$rivers" dequeuer --kubeconfig k8s/kubeconfig --context nowhere 2>err'
check 'does not begin' complains "k8s/kubeconfig: contexts: there is no 'nowhere'"
"$rivers" dequeuer --kubeconfig k8s/kubeconfig --context certificate >dequeuer.log 2>&1 &
pids="$! $pids"
run=$("$rivers" submit -- true)
has_job() { ask GET "/apis/batch/v1/namespaces/batch/jobs/$run-1"; }
check 'with one it makes a Job' until_true has_job

redis_set() { at "$port" HSET 'rivers:{default}:config' run_backend "$1"; }
check 'a setting by hand' redis_set '{"type": "docker"}'
check 'that cannot be read' finds 1
check 'is wrong' says "^settings +- +wrong +.*unknown type 'docker'"
check 'and nothing else is looked at' [ "$(wc -l <found)" -eq 2 ]
echo "1..$number"
exit "$failed"
