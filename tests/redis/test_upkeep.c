#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

/* --- leases ------------------------------------------------------------------------------------------------------ */

/* The dequeuer went before it launched: the run is back in its place, before those that came after it. */
static struct row launch_lease_ends[] = {
    {"submit A --job=j", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit --batch=1 --capacity=5", "OK 1 A 1 1"},
    {"DEL @events", "1"},
    {"at 15999", ""},
    {"admit --batch=0", "OK 1"},
    {"HGET @run:$A state", "NotStarted"},
    {"at 16000", ""},
    {"admit --batch=0", "OK 1"},
    {"HGETALL @run:$A", "state Queued priority 0 submitted_at 1000 gates '' job j token 1 attempt 1"},
    {"ZRANGE @queue 0 -1", "A B"},
    {"ZRANGE @ready 0 -1", "A"},
    {"EXISTS @running @dequeuer:d", "0"},
    {"events", "RunRequeued A reason the dequeuer ended before the launch was confirmed"},
    {"admit --batch=1", "OK 1 A 2 2"},
    {0},
};

static struct row launch_lease_ends_and_the_gate_is_free[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a --priority=-1", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"ZRANGE @parked:team 0 -1", "B"},
    {"at 16000", ""},
    {"admit", "OK 0 A 11 2"},
    {"ZRANGE @parked:team 0 -1", "B"},
    {"ZRANGE @gate:team 0 -1", "A"},
    {0},
};

static struct row no_executor_appeared[] = {
    {"submit A", "OK NEW A"},
    {"submit B --on_lost=requeue", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"at 2000", ""},
    {"run/attend 15000 180000 $A %A 1 '' $B %B 1 ''", "OK NotStarted NotStarted"},
    {"DEL @events", "1"},
    {"at 180999", ""},
    {"admit", "OK 0"},
    {"at 181000", ""},
    {"admit", "OK 0 B 11 2"},
    {"HMGET @run:$A state reason ended_at", "Failure no executor appeared within 180s of dequeue 181000"},
    {"ZRANGE @running 0 -1", "B"},
    {"ZRANGE @history 0 -1", "A"},
    {"events", "RunLaunchFailed A reason no executor appeared within 180s of dequeue; "
               "RunFailure A reason no executor appeared within 180s of dequeue; "
               "RunRequeued B reason no executor appeared within 180s of dequeue; "
               "RunDequeued B token 11 attempt 2 dequeuer d"},
    {0},
};

static struct row other_start_timeouts[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"run/attend 15000 90500 $A %A 1 ''", "OK NotStarted"},
    {"run/attend 15000 250 $B %B 1 ''", "OK NotStarted"},
    {"at 91500", ""},
    {"admit", "OK 0"},
    {"HGET @run:$A reason", "no executor appeared within 90.5s of dequeue"},
    {"HGET @run:$B reason", "no executor appeared within 0.25s of dequeue"},
    {0},
};

static struct row run_lease_ends[] = {
    {"submit A", "OK NEW A"},
    {"submit B --on_lost=requeue", "OK NEW B"},
    {"submit C --on_lost=requeue", "OK NEW C"},
    {"admit", "OK 0 A 1 1 B 2 1 C 3 1"},
    {"HSET @run:$A state Started step:s 'Started 1 1000 - -'", "1"},
    {"HSET @run:$B state Started", "0"},
    {"HSET @run:$C state Started cancel_at 1000", "1"},
    {"DEL @events", "1"},
    {"at 16000", ""},
    {"admit --batch=1", "OK 0 B 11 2"},
    {"HMGET @run:$A state reason step:s", "Failure executor lost Lost 1 1000 16000 lost"},
    {"HMGET @run:$C state reason", "Canceled executor lost"},
    {"events",
     "StepLost A step s attempt 1; RunFailure A reason executor lost; RunRequeued B reason executor lost; "
     "RunCanceled C reason executor lost; RunDequeued B token 11 attempt 2 dequeuer d"},
    {0},
};

static struct row leases_in_a_call_are_bounded[] = {
    {"HSET @config max_concurrent_runs -1", "1"},
    {"repeat 21 submit #", "OK NEW 21"},
    {"repeat 21 admit --batch=1", "OK 0 21 21 1"},
    {"DEL @bell", "1"},
    {"HSET @config max_concurrent_runs 0", "0"},
    {"at 16000", ""},
    {"admit", "OK 1"},
    {"ZCARD @running", "11"},
    {"LRANGE @bell 0 -1", "1"},
    {"DEL @bell", "1"},
    {"admit", "OK 1"},
    {"admit", "OK 0"},
    {"EXISTS @running", "0"},
    {0},
};

/* Steps that are lost with their runs, and logs of those that are deleted, are work as well. */
static struct row runs_of_many_steps[] = {
    {"repeat 2 submit A#", "OK NEW A2"},
    {"admit", "OK 0 A1 1 1 A2 2 1"},
    {"run/start $A1 %A1 host:1 1000", "OK"},
    {"run/start $A2 %A2 host:2 2000", "OK"},
    {"repeat 50 HSET @run:$A1 step:# 'Started 1 1 - -'", "1"},
    {"at 3001", ""},
    {"admit", "OK 1"},
    {"HGET @run:$A1 step:50", "Lost 1 1 3001 lost"},
    {"HMGET @run:$A1 state", "Failure"},
    {"HMGET @run:$A2 state", "Started"},
    {"admit", "OK 0"},
    {"HMGET @run:$A2 state", "Failure"},
    {"admit --retention_runs=0", "OK 1"},
    {"ZRANGE @history 0 -1", "A2"},
    {"admit --retention_runs=0", "OK 0"},
    {"EXISTS @history", "0"},
    {0},
};

/* --- the guard: after a gap nothing is swept before holders had one run lease to renew ------------------------------ */

static struct row no_gap[] = {
    {"submit A", "OK NEW A"},
    {"admit --interval=250 --launch_lease=5000", "OK 0 A 1 1"},
    {"at 6500", ""},
    {"admit --interval=250 --batch=0", "OK 1"},
    {"HGET @run:$A state", "Queued"},
    {"HMGET @meta swept_at resumed_at", "6500 (nil)"},
    {0},
};

static struct row gap_between_two_sweeps[] = {
    {"submit A", "OK NEW A"},
    {"admit --interval=250 --launch_lease=5000", "OK 0 A 1 1"},
    {"at 6501", ""},
    {"admit --interval=250", "OK 0"},
    {"HMGET @meta swept_at resumed_at", "6501 6501"},
    {"at 36500", ""},
    {"admit", "OK 0"},
    {"HGET @run:$A state", "NotStarted"},
    {"at 36501", ""},
    {"admit", "OK 0 A 11 2"},
    {0},
};

static struct row gap_of_a_slow_interval[] = {
    {"submit A", "OK NEW A"},
    {"admit --interval=10000 --launch_lease=5000", "OK 0 A 1 1"},
    {"at 26000", ""},
    {"admit --interval=10000 --batch=0", "OK 1"},
    {"HEXISTS @meta resumed_at", "0"},
    {"at 51001", ""},
    {"admit --interval=10000 --batch=0", "OK 1"},
    {"HGET @meta resumed_at", "51001"},
    {0},
};

/* No gap that can be as long as a lease is overlooked. */
static struct row gap_of_a_short_lease[] = {
    {"submit A", "OK NEW A"},
    {"admit --interval=250 --run_lease=2000 --batch=0", "OK 1"},
    {"at 1900", ""},
    {"admit --interval=250 --run_lease=2000 --batch=0", "OK 1"},
    {"HEXISTS @meta resumed_at", "0"},
    {"at 2801", ""},
    {"admit --interval=250 --run_lease=2000 --batch=0", "OK 1"},
    {"HGET @meta resumed_at", "2801"},
    {0},
};

static struct row clock_set_back[] = {
    {"at 10000", ""},
    {"submit A", "OK NEW A"},
    {"admit --launch_lease=1000 --batch=0", "OK 1"},
    {"admit --launch_lease=-5000", "OK 0 A 1 1"},
    {"at 9000", ""},
    {"admit --batch=0", "OK 1"},
    {"HEXISTS @meta resumed_at", "0"},
    {"HGET @run:$A state", "Queued"},
    {"at 7999", ""},
    {"admit --launch_lease=0", "OK 0 A 11 2"},
    {"HGET @meta resumed_at", "7999"},
    {"at 37998", ""},
    {"admit", "OK 0"},
    {"at 37999", ""},
    {"admit", "OK 0 A 21 3"},
    {0},
};

/* What was given while it went ahead lasts no longer than it would have. */
static struct row leases_are_cut_when_the_clock_is_set_back[] = {
    {"at 5000000", ""},
    {"HSET @pool_limits db 3", "1"},
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"HSET @run:$A state Started lease 30000", "1"},
    {"ZADD @running XX 5030000 $A", "0"},
    {"pool/claim x/s '' 1 0 db 2", "GRANTED 11 300000"},
    {"pool/claim x/t '' 1 0 db 2", "WAITING pool 'db' full (2/3) db 1"},
    {"at 1400000", ""},
    {"admit", "OK 0"},
    {"HGET @meta set_back", "running 0"},
    {"HSET @meta set_back 'running 255 0123456789abcdef'", "0"},
    {"admit", "OK 1"},
    {"ZRANGE @running 0 -1 WITHSCORES", "B 1415000 A 1430000"},
    {"HGET @run:$B dequeued_at", "1400000"},
    {"admit", "OK 1"},
    {"admit", "OK 0"},
    {"ZSCORE @slots x/s", "1700000"},
    {"ZSCORE @waiters x/t", "1430000"},
    {"HEXISTS @meta set_back", "0"},
    {"at 1430000", ""},
    {"admit --batch=0", "OK 1"},
    {"HGET @run:$B state", "Queued"},
    {"HGET @run:$A state", "Failure"},
    {0},
};

/* Slots are kept for one that was passed while it went ahead. */
static struct row waiters_are_cut_when_the_clock_is_set_back[] = {
    {"at 5000000", ""},
    {"HSET @pool_limits db 4", "1"},
    {"admit", "OK 0"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/big '' 1 0 db 4", "WAITING pool 'db' full (2/4) db 1"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"HMGET @wait:x/big since passed_at", "5000000 5000000"},
    {"at 1400000", ""},
    {"repeat 3 admit", "OK 1"},
    {"admit", "OK 0"},
    {"HMGET @wait:x/big since passed_at", "1400000 1400000"},
    {"at 1410000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {0},
};

static struct row pause_is_cut_when_the_clock_is_set_back[] = {
    {"at 5000000", ""}, {"admit", "OK 0"}, {"HSET @meta paused_until 5020000", "1"}, {"at 1400000", ""},
    {"admit", "OK 0"},  {"admit", "OK 1"}, {"HGET @meta paused_until", "1430000"},   {0},
};

/* --- delays ------------------------------------------------------------------------------------------------------ */

static struct row delay_ends[] = {
    {"submit A --delay=500", "OK NEW A"},
    {"submit B --delay=500 --priority=4", "OK NEW B"},
    {"DEL @events", "1"},
    {"at 1499", ""},
    {"admit", "OK 0"},
    {"at 1500", ""},
    {"admit --batch=0", "OK 1"},
    {"EXISTS @delayed", "0"},
    {"HGETALL @run:$A", "state Queued priority 0 submitted_at 1000 gates ''"},
    {"ZRANGE @queue 0 -1 WITHSCORES", "B -4 A 0"},
    {"admit", "OK 0 B 1 1 A 2 1"},
    {0},
};

/* A delayed run keeps its place by submission, and the limits are those of the end of the delay. */
static struct row delay_ends_between_others[] = {
    {"submit A --delay=500 team=a", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"limits team=5", "OK 1"},
    {"at 1500", ""},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"HGET @run:$A gates", "team"},
    {0},
};

static struct row delays_in_a_call_are_bounded[] = {
    {"HSET @config max_concurrent_runs 0", "1"},
    {"repeat 41 submit # --delay=#", "OK NEW 41"},
    {"at 2000", ""},
    {"admit", "OK 1"},
    {"ZCARD @queue", "20"},
    {"ZCARD @delayed", "21"},
    {"LRANGE @bell 0 -1", "1"},
    {"admit", "OK 1"},
    {"admit", "OK 0"},
    {"ZCARD @queue", "41"},
    {0},
};

/* --- history ----------------------------------------------------------------------------------------------------- */

static struct row history_grows_old[] = {
    {"submit A --key=k", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"run/cancel $A 0", "CANCELED"},
    {"at 1001", ""},
    {"run/cancel $B 0", "CANCELED"},
    {"at 1999", ""},
    {"admit --retention=1000", "OK 0"},
    {"ZCARD @history", "2"},
    {"at 2000", ""},
    {"admit --retention=1000", "OK 0"},
    {"ZRANGE @history 0 -1", "B"},
    {"EXISTS @run:$A @spec:$A @key:k", "0"},
    {"at 2001", ""},
    {"admit --retention=1000", "OK 0"},
    {"EXISTS @history @run:$B @spec:$B", "0"},
    {0},
};

static struct row history_grows_long[] = {
    {"repeat 3 submit A#", "OK NEW A3"},
    {"repeat 3 run/cancel $A# 0", "CANCELED"},
    {"admit --retention_runs=3", "OK 0"},
    {"ZCARD @history", "3"},
    {"admit --retention_runs=2", "OK 0"},
    {"ZRANGE @history 0 -1", "A2 A3"},
    {"admit --retention_runs=0", "OK 0"},
    {"EXISTS @history @run:$A3", "0"},
    {0},
};

static struct row deleted_in_a_call_are_bounded[] = {
    {"repeat 90 submit A#", "OK NEW A90"},
    {"repeat 90 run/cancel $A# 0", "CANCELED"},
    {"DEL @bell", "1"},
    {"admit --retention_runs=5", "OK 1"},
    {"ZCARD @history", "50"},
    {"ZRANGE @history 0 0", "A41"},
    {"LRANGE @bell 0 -1", "1"},
    {"admit --retention=0", "OK 1"},
    {"ZCARD @history", "10"},
    {"admit --retention=0", "OK 0"},
    {"EXISTS @history", "0"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(launch_lease_ends),
        QUEUE_TEST(launch_lease_ends_and_the_gate_is_free),
        QUEUE_TEST(no_executor_appeared),
        QUEUE_TEST(other_start_timeouts),
        QUEUE_TEST(run_lease_ends),
        QUEUE_TEST(leases_in_a_call_are_bounded),
        QUEUE_TEST(no_gap),
        QUEUE_TEST(gap_between_two_sweeps),
        QUEUE_TEST(gap_of_a_slow_interval),
        QUEUE_TEST(gap_of_a_short_lease),
        QUEUE_TEST(runs_of_many_steps),
        QUEUE_TEST(clock_set_back),
        QUEUE_TEST(leases_are_cut_when_the_clock_is_set_back),
        QUEUE_TEST(waiters_are_cut_when_the_clock_is_set_back),
        QUEUE_TEST(pause_is_cut_when_the_clock_is_set_back),
        QUEUE_TEST(delay_ends),
        QUEUE_TEST(delay_ends_between_others),
        QUEUE_TEST(delays_in_a_call_are_bounded),
        QUEUE_TEST(history_grows_old),
        QUEUE_TEST(history_grows_long),
        QUEUE_TEST(deleted_in_a_call_are_bounded),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
