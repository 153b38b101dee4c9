#!/bin/sh
# Runs what README.md shows: its rivers.json under `rivers dev`, and the commands of its `console` blocks.
# shellcheck source=/dev/null disable=SC2154,SC2034 # for and from what is sourced
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
document=$project/README.md
. "$project/tests/support/document.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/readme.XXXXXX")
dev=

clean_up() {
    [ -z "$dev" ] || kill -INT "$dev"
    wait
    rm -rf "$dir"
}

trap clean_up EXIT
trap 'exit 130' HUP INT TERM
export PATH="${rivers%/*}:$PATH"
unset RIVERS_REDIS_URL RIVERS_NAMESPACE
cd "$dir"
block jsonc >rivers.json
: >dev.log
rivers dev rivers.json >>dev.log 2>&1 &
dev=$!
until grep -q 'dequeuer started' dev.log; do
    kill -0 "$dev" || { cat dev.log; exit 1; }
    sleep 0.1
done
run_all
echo "1..$n"
