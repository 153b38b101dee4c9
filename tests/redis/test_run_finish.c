#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row finished_run[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"RPUSH @wake:$A 1", "1"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"HMGET @run:$A state ended_at reason", "Success 2000 (nil)"},
    {"ZRANGE @history 0 -1 WITHSCORES", "A 2000"},
    {"EXISTS @running @wake:$A", "0"},
    {"events", "RunSuccess A reason ''"},
    {0},
};

static struct row failed_and_canceled[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"HSET @run:$B state Started", "0"},
    {"DEL @events", "1"},
    {"run/finish $A %A host:1 Failure 'step load failed' 0", "OK"},
    {"run/finish $B %B host:1 Canceled 'canceled by me' 0", "OK"},
    {"HMGET @run:$A state reason", "Failure step load failed"},
    {"HMGET @run:$B state reason", "Canceled canceled by me"},
    {"events", "RunFailure A reason step load failed; RunCanceled B reason canceled by me"},
    {0},
};

static struct row not_started_run[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"DEL @events", "1"},
    {"run/finish $A %A host:1 Failure 'launch failed: no such image' 0", "OK"},
    {"run/finish $B %B host:1 Success '' 0", "OK"},
    {"events", "RunLaunchFailed A reason launch failed: no such image; RunFailure A reason launch failed: no "
               "such image; "
               "RunSuccess B reason ''"},
    {0},
};

static struct row with_the_last_steps[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 1 a StepStart Started 1 -", "OK"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/finish $A %A host:1 Failure 'a failed' 2 a StepFailure Failure 1 exit:2 b StepSkipped Skipped 0 -",
     "OK"},
    {"HMGET @run:$A step:a step:b", "Failure 1 1000 2000 exit:2 Skipped 0 - 2000 -"},
    {"events", "StepFailure A step a attempt 1 how exit:2; StepSkipped A step b attempt 0 how -; "
               "RunFailure A reason a failed"},
    {"same run/finish $A %A host:1 Failure 'a failed' 2 a StepFailure Failure 1 exit:2 b StepSkipped Skipped "
     "0 -",
     "OK"},
    {0},
};

static struct row final_is_final[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"at 2000", ""},
    {"same run/finish $A %A host:1 Success '' 0", "OK"},
    {"same run/finish $A %A host:1 Failure x 0", "STALE Success"},
    {"same run/finish $A %A host:1 Canceled x 0", "STALE Success"},
    {"same run/finish $A 2 host:1 Success '' 0", "STALE Success"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/finish $A 0 host:1 Success '' 0", "STALE Queued"},
    {"same run/finish nobody 0 host:1 Success '' 0", "NOT_FOUND"},
    {"admit", "OK 0 A 1 1"},
    {"same run/finish $A 2 host:1 Success '' 1 a StepStart Started 1 -", "STALE NotStarted"},
    {"at 16000", ""},
    {"admit --batch=0", "OK 1"},
    {"same run/finish $A 1 host:1 Success '' 0", "STALE Queued"},
    {0},
};

static struct row frees_gates_and_wakes_one_head_for_each[] = {
    {"limits team=1 env=1", "OK 0"},
    {"submit A team=a env=p", "OK NEW A"},
    {"submit B team=b", "OK NEW B"},
    {"submit C env=q", "OK NEW C"},
    {"submit D team=d x=1", "OK NEW D"},
    {"submit E", "OK NEW E"},
    {"admit", "OK 0 A 1 1 E 2 1"},
    {"ZRANGE @parked 0 -1", "env team"},
    {"DEL @bell", "1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"EXISTS @gate:team @gate:env", "0"},
    {"ZRANGE @ready 0 -1", "B C"},
    {"LRANGE @bell 0 -1", "1"},
    {"admit", "OK 0 B 11 1 C 12 1"},
    {0},
};

static struct row wakes_the_best_parked_head[] = {
    {"limits team=1 x=*=9", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a x=1", "OK NEW B"},
    {"submit C team=a x=2 --priority=1", "OK NEW C"},
    {"submit D team=a x=3", "OK NEW D"},
    {"submit E team=a --priority=-1", "OK NEW E"},
    {"admit", "OK 0 C 1 1"},
    {"run/finish $C %C host:1 Success '' 0", "OK"},
    {"ZRANGE @ready 0 -1", "A"},
    {"admit", "OK 0 A 11 1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"admit", "OK 0 B 21 1"},
    {"run/finish $B %B host:1 Success '' 0", "OK"},
    {"admit", "OK 0 D 31 1"},
    {"run/finish $D %D host:1 Success '' 0", "OK"},
    {"admit", "OK 0 E 41 1"},
    {0},
};

static struct row rings_when_the_global_limit_lets_one_in[] = {
    {"HSET @config max_concurrent_runs 1", "1"},
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"DEL @bell", "1"},
    {"admit", "OK 0 A 1 1"},
    {"EXISTS @bell", "0"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"LRANGE @bell 0 -1", "1"},
    {0},
};

static struct row does_not_ring_for_nobody[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"DEL @bell", "1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"EXISTS @bell", "0"},
    {"submit C", "OK NEW C"},
    {"DEL @bell", "1"},
    {"HSET @config max_concurrent_runs 0", "1"},
    {"run/finish $B %B host:1 Success '' 0", "OK"},
    {"EXISTS @bell", "0"},
    {0},
};

/* After a limit was lowered below its usage a finished run lets nobody in. */
static struct row limit_lowered_below_usage[] = {
    {"limits team=2", "OK 0"},
    {"repeat 4 submit A# team=a", "OK NEW A4"},
    {"admit", "OK 0 A1 1 1 A2 2 1"},
    {"limits team=1", "OK 0"},
    {"run/finish $A1 %A1 host:1 Success '' 0", "OK"},
    {"admit", "OK 0"},
    {"run/finish $A2 %A2 host:1 Success '' 0", "OK"},
    {"admit", "OK 0 A3 11 1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(finished_run),
        QUEUE_TEST(failed_and_canceled),
        QUEUE_TEST(not_started_run),
        QUEUE_TEST(with_the_last_steps),
        QUEUE_TEST(final_is_final),
        QUEUE_TEST(stale),
        QUEUE_TEST(frees_gates_and_wakes_one_head_for_each),
        QUEUE_TEST(wakes_the_best_parked_head),
        QUEUE_TEST(rings_when_the_global_limit_lets_one_in),
        QUEUE_TEST(does_not_ring_for_nobody),
        QUEUE_TEST(limit_lowered_below_usage),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
