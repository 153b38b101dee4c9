#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row admitted_run[] = {
    {"limits team=5 env=*=2", "OK 0"},
    {"submit A --job=j team=a env=prod", "OK NEW A"},
    {"events", "RunQueued A"},
    {"at 2000", ""},
    {"admit --dequeuer=d7", "OK 0 A 1 1"},
    {"HGETALL @run:$A", "state NotStarted priority 0 submitted_at 1000 gates env=prod,team job j tag:team a "
                        "tag:env prod token 1 attempt 1 dequeued_at 2000 dequeuer d7"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A 17000"},
    {"ZRANGE @gate:team 0 -1 WITHSCORES", "A 2000"},
    {"ZRANGE @gate:env=prod 0 -1 WITHSCORES", "A 2000"},
    {"EXISTS @queue @ready @lane:env=prod,team @parked @dequeuer:d7", "0"},
    {"events", "RunDequeued A token 1 attempt 1 dequeuer d7"},
    {0},
};

static struct row empty_queue[] = {
    {"admit", "OK 0"},
    {"EXISTS @bell", "0"},
    {"at 1001", ""},
    {"admit --request=c:1", "OK 0"},
    {"EXISTS @request:c", "0"},
    {0},
};

static struct row when_somebody_looked_is_kept_to_100_ms[] = {
    {"admit", "OK 0"},
    {"at 1099", ""},
    {"admit", "OK 0"},
    {"HGET @meta swept_at", "1000"},
    {"at 1100", ""},
    {"admit", "OK 0"},
    {"HGET @meta swept_at", "1100"},
    {"at 1050", ""},
    {"admit", "OK 0"},
    {"HGET @meta swept_at", "1050"},
    {0},
};

static struct row attempt_that_was_spoilt_by_hand[] = {
    {"repeat 2 submit A#", "OK NEW A2"},
    {"HSET @run:$A1 attempt x", "1"},
    {"admit", "OK 0 A1 1 1 A2 2 1"},
    {0},
};

static struct row priority_then_submission[] = {
    {"submit A", "OK NEW A"},
    {"submit B --priority=-2147483648", "OK NEW B"},
    {"submit C --priority=2147483647", "OK NEW C"},
    {"submit D --priority=1", "OK NEW D"},
    {"submit E --priority=1", "OK NEW E"},
    {"admit", "OK 0 C 1 1 D 2 1 E 3 1 A 4 1 B 5 1"},
    {"events", "RunQueued A; RunQueued B; RunQueued C; RunQueued D; RunQueued E; "
               "RunDequeued C token 1 attempt 1 dequeuer d; RunDequeued D token 2 attempt 1 dequeuer d; "
               "RunDequeued E token 3 attempt 1 dequeuer d; RunDequeued A token 4 attempt 1 dequeuer d; "
               "RunDequeued B token 5 attempt 1 dequeuer d"},
    {0},
};

static struct row lanes_are_one_order[] = {
    {"limits team=*=5", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"submit C team=b --priority=1", "OK NEW C"},
    {"submit D team=a", "OK NEW D"},
    {"submit E", "OK NEW E"},
    {"admit", "OK 0 C 1 1 A 2 1 B 3 1 D 4 1 E 5 1"},
    {0},
};

static struct row batch[] = {
    {"repeat 3 submit A#", "OK NEW A3"},
    {"DEL @bell", "1"},
    {"admit --batch=2", "OK 1 A1 1 1 A2 2 1"},
    {"LLEN @bell", "1"},
    {"DEL @bell", "1"},
    {"admit --batch=2", "OK 0 A3 3 1"},
    {"EXISTS @bell", "0"},
    {0},
};

static struct row batch_of_none_is_upkeep_only[] = {
    {"submit A", "OK NEW A"},
    {"admit --batch=0", "OK 1"},
    {"HGET @run:$A state", "Queued"},
    {"LLEN @bell", "1"},
    {0},
};

static struct row ten_runs_by_default[] = {
    {"repeat 12 submit A#", "OK NEW A12"},
    {"DEL @bell", "1"},
    {"admit", "OK 0 A1 1 1 A2 2 1 A3 3 1 A4 4 1 A5 5 1 A6 6 1 A7 7 1 A8 8 1 A9 9 1 A10 10 1"},
    {"EXISTS @bell", "0"},
    {"run/finish $A4 %A4 host:1 Success '' 0", "OK"},
    {"admit", "OK 0 A11 11 1"},
    {"admit", "OK 0"},
    {0},
};

static struct row max_concurrent_runs[] = {
    {"repeat 15 submit A#", "OK NEW A15"},
    {"HSET @config max_concurrent_runs 0", "1"},
    {"admit", "OK 0"},
    {"HSET @config max_concurrent_runs three", "0"},
    {"admit", "OK 0"},
    {"HSET @config max_concurrent_runs ''", "0"},
    {"admit", "OK 0"},
    {"HSET @config max_concurrent_runs 1", "0"},
    {"admit", "OK 0 A1 1 1"},
    {"HSET @config max_concurrent_runs 2", "0"},
    {"admit", "OK 0 A2 2 1"},
    {"HSET @config max_concurrent_runs 1", "0"},
    {"run/finish $A1 %A1 host:1 Success '' 0", "OK"},
    {"admit", "OK 0"},
    {"run/finish $A2 %A2 host:1 Success '' 0", "OK"},
    {"admit", "OK 0 A3 3 1"},
    {"HSET @config max_concurrent_runs -1", "0"},
    {"admit --batch=2", "OK 1 A4 4 1 A5 5 1"},
    {"admit --batch=20",
     "OK 0 A6 6 1 A7 7 1 A8 8 1 A9 9 1 A10 10 1 A11 11 1 A12 12 1 A13 13 1 A14 14 1 A15 15 1"},
    {"ZCARD @running", "13"},
    {0},
};

static struct row limit_of_one_value[] = {
    {"limits team=a=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a --priority=-1", "OK NEW B"},
    {"submit C team=b --priority=-2", "OK NEW C"},
    {"submit D --priority=-3", "OK NEW D"},
    {"DEL @bell", "1"},
    {"admit", "OK 0 A 1 1 C 2 1 D 3 1"},
    {"EXISTS @bell @ready", "0"},
    {"HGET @run:$B parked", "team=a"},
    {"ZRANGE @parked:team=a 0 -1 WITHSCORES", "B 1"},
    {"ZRANGE @parked 0 -1", "team=a"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"admit", "OK 0 B 11 1"},
    {"EXISTS @parked @parked:team=a", "0"},
    {"HEXISTS @run:$B parked", "0"},
    {0},
};

static struct row limit_of_any_value[] = {
    {"limits team=2", "OK 0"},         {"submit A team=a", "OK NEW A"},
    {"submit B team=b", "OK NEW B"},   {"submit C team=c", "OK NEW C"},
    {"submit D", "OK NEW D"},          {"admit", "OK 0 A 1 1 B 2 1 D 3 1"},
    {"ZRANGE @gate:team 0 -1", "A B"}, {0},
};

static struct row limit_of_each_value[] = {
    {"limits team=*=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"submit C team=b", "OK NEW C"},
    {"submit D team=", "OK NEW D"},
    {"submit E team=", "OK NEW E"},
    {"admit", "OK 0 A 1 1 C 2 1 D 3 1"},
    {"ZRANGE @parked 0 -1", "team= team=a"},
    {0},
};

static struct row lowest_limit_of_a_gate_holds[] = {
    {"limits team=*=2 team=a=1 team=b=9", "OK 0"},
    {"repeat 3 submit A# team=a", "OK NEW A3"},
    {"repeat 3 submit B# team=b", "OK NEW B3"},
    {"admit", "OK 0 A1 1 1 B1 2 1 B2 3 1"},
    {0},
};

static struct row all_gates_must_have_room[] = {
    {"limits team=*=1 env=prod=1", "OK 0"},
    {"submit A team=a env=prod", "OK NEW A"},
    {"submit B team=a env=test", "OK NEW B"},
    {"submit C team=b env=prod", "OK NEW C"},
    {"submit D team=b env=test", "OK NEW D"},
    {"admit", "OK 0 A 1 1 D 2 1"},
    {"HGET @run:$B parked", "team=a"},
    {"HGET @run:$C parked", "env=prod"},
    {0},
};

static struct row limits_that_let_nobody_pass[] = {
    {"limits a=0 b=three c=-1 d='' e=' 1' f=1.5 g=1", "OK 0"},
    {"submit A a=x", "OK NEW A"},
    {"submit B b=x", "OK NEW B"},
    {"submit C c=x", "OK NEW C"},
    {"submit D d=x", "OK NEW D"},
    {"submit E e=x", "OK NEW E"},
    {"submit F f=x", "OK NEW F"},
    {"submit G g=x", "OK NEW G"},
    {"admit", "OK 0 G 1 1"},
    {"ZRANGE @parked 0 -1", "a b c d e f"},
    {0},
};

static struct row odd_tag_values[] = {
    {"limits 'team=data eng,x=1=1' empty=*=1", "OK 0"},
    {"submit A 'team=data eng,x=1'", "OK NEW A"},
    {"submit B 'team=data eng,x=1' empty=", "OK NEW B"},
    {"submit C 'team=data eng,x=2' empty=", "OK NEW C"},
    {"admit", "OK 0 A 1 1 C 2 1"},
    {"ZRANGE @gate:team=data%20eng%2Cx%3D1 0 -1", "A"},
    {"ZRANGE @gate:empty= 0 -1", "C"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"admit", "OK 0"},
    {"HGET @run:$B parked", "empty="},
    {"run/finish $C %C host:1 Success '' 0", "OK"},
    {"admit", "OK 0 B 20 1"},
    {0},
};

/* When C may pass `a` it is blocked by `z`: its turn at `a` goes on to D, in the same call. */
static struct row wake_up_is_handed_on_by_parking[] = {
    {"limits a=1 z=1", "OK 0"},
    {"submit A a=1", "OK NEW A"},
    {"submit B z=1", "OK NEW B"},
    {"submit C a=1 z=1 --priority=-1", "OK NEW C"},
    {"submit D a=1 --priority=-2", "OK NEW D"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"ZRANGE @parked:a 0 -1", "C D"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"ZRANGE @ready 0 -1", "C"},
    {"ZRANGE @parked:a 0 -1", "D"},
    {"admit", "OK 0 D 11 1"},
    {"ZRANGE @parked:z 0 -1", "C"},
    {"EXISTS @ready @parked:a", "0"},
    {0},
};

/* An admitted run frees no room, but where some is left the next parked head gets its turn. */
static struct row wake_up_is_handed_on_by_admission[] = {
    {"limits team=2", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"submit C team=a x=1", "OK NEW C"},
    {"submit D team=a x=2", "OK NEW D"},
    {"limits x=*=1", "OK 1"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"ZRANGE @parked:team 0 -1", "C D"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"run/finish $B %B host:1 Success '' 0", "OK"},
    {"admit", "OK 0 C 11 1 D 12 1"},
    {"EXISTS @parked @parked:team", "0"},
    {0},
};

static struct row heads_parked_in_a_call_are_bounded[] = {
    {"limits team=*=1", "OK 0"},
    {"HSET @tag_limits team=* 0", "0"},
    {"repeat 101 submit # team=#", "OK NEW 101"},
    {"DEL @bell", "1"},
    {"admit", "OK 1"},
    {"ZCARD @parked", "100"},
    {"LRANGE @bell 0 -1", "1"},
    {"DEL @bell", "1"},
    {"admit", "OK 0"},
    {"ZCARD @parked", "101"},
    {"EXISTS @bell @ready", "0"},
    {0},
};

static struct row capacity[] = {
    {"repeat 4 submit A#", "OK NEW A4"},
    {"DEL @bell", "1"},
    {"admit --dequeuer=d1 --capacity=2", "OK FULL A1 1 1 A2 2 1"},
    {"LLEN @bell", "1"},
    {"HGET @run:$A1 capacity_of", "d1"},
    {"ZRANGE @dequeuer:d1 0 -1 WITHSCORES", "A1 1000 A2 1000"},
    {"admit --dequeuer=d1 --capacity=2", "OK FULL"},
    {"admit --dequeuer=d1 --capacity=1", "OK FULL"},
    {"admit --dequeuer=d2 --capacity=1", "OK FULL A3 3 1"},
    {"run/start $A1 %A1 host:1 30000", "OK"},
    {"admit --dequeuer=d1 --capacity=2", "OK FULL"},
    {"run/finish $A1 %A1 host:1 Success '' 0", "OK"},
    {"ZRANGE @dequeuer:d1 0 -1", "A2"},
    {"admit --dequeuer=d1 --capacity=2", "OK 0 A4 4 1"},
    {0},
};

static struct row capacity_of_none[] = {
    {"submit A", "OK NEW A"},
    {"admit --capacity=0", "OK FULL"},
    {"admit", "OK 0 A 1 1"},
    {"EXISTS @dequeuer:d", "0"},
    {0},
};

static struct row capacity_and_work_left[] = {
    {"submit A", "OK NEW A"},
    {"HSET @tag_limits team 1", "1"},
    {"admit --capacity=0", "OK 1"},
    {0},
};

static struct row repeated_request[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit --request=c:1 --batch=2", "OK 0 A 1 1 B 2 1"},
    {"submit C", "OK NEW C"},
    {"same admit --request=c:1 --batch=2", "OK 1 A 1 1 B 2 1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same admit --request=c:1 --batch=2", "OK 1 B 2 1"},
    {"admit --request=c:2 --batch=2", "OK 0 C 3 1"},
    {"admit --request=d:1 --batch=2", "OK 0"},
    {"submit D", "OK NEW D"},
    {"admit --request=d:1 --batch=2", "OK 0 D 5 1"},
    {0},
};

/* A repeated request does not bring back a run that was admitted again meanwhile. */
static struct row repeated_request_after_the_launch_lease[] = {
    {"submit A", "OK NEW A"},
    {"admit --request=c:1", "OK 0 A 1 1"},
    {"at 16000", ""},
    {"admit --request=d:1", "OK 0 A 11 2"},
    {"same admit --request=c:1", "OK 1"},
    {"same admit --request=d:1", "OK 1 A 11 2"},
    {0},
};

static struct row tokens_grow[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"admit --batch=1", "OK 0 B 2 1"},
    {"HGET @meta token", "2"},
    {"HSET @meta token 9007199254740000", "0"},
    {"submit C", "OK NEW C"},
    {"admit --batch=1", "OK 0 C 9007199254740001 1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(admitted_run),
        QUEUE_TEST(empty_queue),
        QUEUE_TEST(when_somebody_looked_is_kept_to_100_ms),
        QUEUE_TEST(attempt_that_was_spoilt_by_hand),
        QUEUE_TEST(priority_then_submission),
        QUEUE_TEST(lanes_are_one_order),
        QUEUE_TEST(batch),
        QUEUE_TEST(batch_of_none_is_upkeep_only),
        QUEUE_TEST(ten_runs_by_default),
        QUEUE_TEST(max_concurrent_runs),
        QUEUE_TEST(limit_of_one_value),
        QUEUE_TEST(limit_of_any_value),
        QUEUE_TEST(limit_of_each_value),
        QUEUE_TEST(lowest_limit_of_a_gate_holds),
        QUEUE_TEST(all_gates_must_have_room),
        QUEUE_TEST(limits_that_let_nobody_pass),
        QUEUE_TEST(odd_tag_values),
        QUEUE_TEST(wake_up_is_handed_on_by_parking),
        QUEUE_TEST(wake_up_is_handed_on_by_admission),
        QUEUE_TEST(heads_parked_in_a_call_are_bounded),
        QUEUE_TEST(capacity),
        QUEUE_TEST(capacity_of_none),
        QUEUE_TEST(capacity_and_work_left),
        QUEUE_TEST(repeated_request),
        QUEUE_TEST(repeated_request_after_the_launch_lease),
        QUEUE_TEST(tokens_grow),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
