#!/bin/sh
# Runs what README.md shows: its rivers.json under `rivers dev`, and the commands of its `console` blocks, whose output has to
# be the one that is shown, but for times, the width of columns and run ids (the same id stands for the same run).
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
rivers=${RIVERS:-$project/build/rivers}
patience=50 # looks at what changes by itself, a tenth of a second apart
dir=$(mktemp -d "${TMPDIR:-/tmp}/readme.XXXXXX")
dev=

clean_up() {
    [ -z "$dev" ] || kill -INT "$dev"
    wait
    rm -rf "$dir"
}

block() { # LANGUAGE: the lines of all blocks in it
    awk -v fence="\`\`\`$1" '/^```/ { inside = $0 == fence; next } inside' "$project/README.md"
}

shown_until() { # N: what the first N commands print
    block console | awk -v n="$1" '/^\$ / { seen++; next } seen <= n'
}

normal() { # FILE...
    awk '{
        gsub(/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/, "TIME")
        gsub(/^\(integer\) |^ +| +$/, "")
        gsub(/ +/, " ")
        line = ""
        while (match($0, /r[0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z][0-9a-z]/)) {
            id = substr($0, RSTART, RLENGTH)
            if (!(id in name)) name[id] = "RUN" ++ids
            line = line substr($0, 1, RSTART - 1) name[id]
            $0 = substr($0, RSTART + RLENGTH)
        }
        print line $0
    }' "$@"
}

as_shown() { # N: whether the output so far is that of the first N commands
    shown_until "$1" >"$dir/shown"
    normal "$dir/shown" >"$dir/want"
    normal "$dir/before" "$dir/output" >"$dir/got"
    cmp -s "$dir/want" "$dir/got"
}

run() { # N COMMAND: one that looks at the queue is repeated until it sees what is shown
    tries=0
    while status=0; eval "$2" >"$dir/output" 2>&1 || status=$?; [ $status -eq 2 ] || ! as_shown "$1"; do
        case $2 in
        'rivers queue'*) [ $((tries += 1)) -gt $patience ] || { sleep 0.1; continue; } ;;
        esac
        echo "not ok $1 - $2"
        echo "# exit status $status, output (<) instead of what is shown (>):"
        diff "$dir/got" "$dir/want" | sed 's/^/# /'
        exit 1 # what follows builds on it
    done
    echo "ok $1 - $2"
    cat "$dir/output" >>"$dir/before"
}

trap clean_up EXIT
trap 'exit 130' HUP INT TERM
export PATH="${rivers%/*}:$PATH"
unset RIVERS_REDIS_URL RIVERS_NAMESPACE
cd "$dir"
block jsonc >rivers.json
block console | sed -n 's/^\$ //p' >commands
: >before
echo "1..$(wc -l <commands)"

: >dev.log
rivers dev rivers.json >>dev.log 2>&1 &
dev=$!
until grep -q 'dequeuer started' dev.log; do
    kill -0 "$dev" || { cat dev.log; exit 1; }
    sleep 0.1
done

n=0
while read -r command <&3; do
    n=$((n + 1))
    run $n "$command"
done 3<commands
