#!/bin/sh
# For tests of a document: runs the commands of its `console` blocks, whose output has to be the one that is shown, but for times,
# the width of columns and run ids (the same id stands for the same run). Sourced by them, which set $document and $dir, where the
# commands run, and may replace `as_here` and `as_there`.
# shellcheck shell=sh disable=SC2154 # the tests set what is not set here
patience=600 # looks at what changes by itself, a tenth of a second apart

block() { # LANGUAGE: the lines of all blocks in it
    awk -v fence="\`\`\`$1" '/^```/ { inside = $0 == fence; next } inside' "$document"
}

as_here() { cat; }  # a command of the document as it is run here
as_there() { cat; } # what it prints here as it would be there

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
    normal "$dir/before" "$dir/output" | as_there >"$dir/got"
    cmp -s "$dir/want" "$dir/got"
}

run() { # N COMMAND: one that looks at what changes is repeated until it sees what is shown
    tries=0
    while status=0; eval "$2" >"$dir/output" 2>&1 || status=$?; [ $status -eq 2 ] || ! as_shown "$1"; do
        case $2 in
        'rivers queue'* | 'rivers runs show'*) [ $((tries += 1)) -gt $patience ] || { sleep 0.1; continue; } ;;
        esac
        echo "not ok $1 - $2"
        echo "# exit status $status, output (<) instead of what is shown (>):"
        diff "$dir/got" "$dir/want" | sed 's/^/# /'
        exit 1 # what follows builds on it
    done
    echo "ok $1 - $2"
    cat "$dir/output" >>"$dir/before"
}

run_all() { # runs the commands one after the other; they are tests 1 to $n
    block console | sed -n 's/^\$ //p' | as_here >commands
    : >before
    n=0
    while read -r command <&3; do
        n=$((n + 1))
        run $n "$command"
    done 3<commands
}
