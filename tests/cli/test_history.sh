#!/bin/sh
# The checker of chaos runs: what it finds in small histories; and that those who write them know who died before they start.
set -eu

worker=$(dirname "$RIVERS")/tests/tools/worker
checker=$(cd "$(dirname "$0")/.." && pwd)/chaos/check_history
number=0 failed=0

report() { # WORD NAME
    number=$((number + 1))
    [ "$1" = ok ] || { failed=1; sed 's/^/# /' "$TMPDIR/out"; }
    echo "$1 $number - $2"
}

finds() { # NAME WHAT LINE...: a history with these lines is broken in this way; '': it is good
    name=$1 what=$2 status=0 word='not ok'
    shift 2
    history "$@" | "$checker" >"$TMPDIR/out" || status=$?
    if [ -z "$what" ]; then
        [ "$status" -ne 0 ] || word=ok
    elif [ "$status" -eq 1 ] && grep -q "^$what: " "$TMPDIR/out"; then
        word=ok
    fi
    report "$word" "$name"
}

history() { # LINE...: what is the same in all: limits, one run that is as it should be
    cat <<END
limit runs 2 0
limit env=prod 1 0
limit team=* 1 0
limit gpu 3 0
accepted r0
start 1 r0 a 1 1 1 - env=test
end 2 r0 a 1 1 1 -
end 2 r0 a 1 1 1 - env=test
final r0 Success
END
    printf '%s\n' "$@"
}

# Many begin just when many were killed.
dead_are_gone_before_others_start() {
    export WORKER_LOG="$TMPDIR/log" WORKER_LIVE="$TMPDIR/live"
    dead='' new=''
    : >"$WORKER_LOG"
    for _ in $(seq 40); do "$worker" 60000 dead & dead="$dead $!"; done
    until [ "$(grep -c '^start' "$WORKER_LOG")" -eq 40 ]; do sleep 0.01; done
    # shellcheck disable=SC2086 # many
    kill -KILL $dead && { wait $dead || true; } 2>/dev/null
    for _ in $(seq 8); do "$worker" 0 new & new="$new $!"; done
    # shellcheck disable=SC2086
    wait $new
    awk '$1 == "gone" { gone++ } /^start.* new$/ && gone < 40 { early = 1 } END { exit early || gone != 40 }' "$WORKER_LOG"
}

echo 1..24
finds a_good_history ''
finds an_accepted_run_that_is_unknown lost 'accepted r1'
finds a_run_that_is_not_final lost 'final r1 Queued'
finds a_success_that_nothing_executed lost 'final r1 Success'
finds two_final_states double 'final r0 Failure'
finds a_key_that_belongs_to_nothing leaked 'left slots'
finds a_step_attempt_started_twice double 'start 3 r1 a 1 1 5 - x' 'start 4 r1 a 1 1 5 - x'
finds two_attempts_at_once overlap 'start 3 r1 a 1 1 5 - x' 'start 4 r1 a 2 2 6 - x'
finds an_attempt_behind_one_that_died '' 'start 3 r1 a 1 1 5 - x' 'gone 4 r1 a 1 1 5 - x' 'start 4 r1 a 2 2 6 - x'
finds an_attempt_beside_one_that_stands_still '' 'start 3 r1 a 1 1 5 - x' 'stopped 5' 'start 4 r1 a 2 2 6 - x'
finds slots_of_a_killed_executor_given_again '' 'start 3 r1 a 1 1 5 8 gpu:2' 'orphaned 5' 'start 3 r2 a 1 1 6 9 gpu:2'
finds an_attempt_beside_what_a_killed_executor_left overlap 'start 3 r1 a 1 1 5 - x' 'orphaned 5' 'start 4 r1 a 2 2 6 - x'
finds a_token_that_fell token 'start 3 r1 a 1 1 5 - x' 'end 4 r1 a 1 1 5 - x' 'start 5 r1 a 2 2 4 - x'
finds a_token_that_stayed token 'start 3 r1 a 1 1 5 - x' 'end 4 r1 a 1 1 5 - x' 'start 5 r1 a 2 2 5 - x'
finds too_many_runs exceeded 'start 3 r1 a 1 1 5 - x' 'start 3 r2 a 1 1 6 - x' 'start 3 r3 a 1 1 7 - x'
finds steps_of_one_run_count_once '' 'start 3 r1 a 1 1 5 - x' 'start 3 r1 b 1 1 5 - x' 'start 3 r2 a 1 1 7 - x'
finds too_many_with_a_value exceeded 'start 3 r1 a 1 1 5 - env=prod' 'start 3 r2 a 1 1 6 - env=prod'
finds one_of_each_value '' 'start 3 r1 a 1 1 5 - team=x' 'start 3 r2 a 1 1 6 - team=y'
finds too_many_of_a_value exceeded 'start 3 r1 a 1 1 5 - team=x' 'start 3 r2 a 1 1 6 - team=x'
finds too_many_slots exceeded 'start 3 r1 a 1 1 5 8 gpu:2' 'start 3 r2 a 1 1 6 9 gpu:2'
finds slots_under_a_raised_limit '' 'start 3 r1 a 1 1 5 8 gpu:2' 'limit gpu 4 8' 'start 3 r2 a 1 1 6 9 gpu:2'
finds slots_from_before_the_limit_fell '' 'limit gpu 1 9' 'start 3 r1 a 1 1 5 8 gpu:2'
finds slots_from_after_the_limit_fell exceeded 'limit gpu 1 7' 'start 3 r1 a 1 1 5 8 gpu:2'

word=ok
mkdir "$TMPDIR/live"
for _ in $(seq 10); do dead_are_gone_before_others_start || word='not ok'; done
cp "$TMPDIR/log" "$TMPDIR/out"
report "$word" dead_are_gone_before_others_start
exit $failed
