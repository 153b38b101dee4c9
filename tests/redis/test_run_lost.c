#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row launch_failed[] = {
    {"submit A --on_lost=requeue", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/lost $A %A 'no such image' NotStarted", "OK Failure"},
    {"HMGET @run:$A state reason ended_at", "Failure launch failed: no such image 2000"},
    {"EXISTS @running", "0"},
    {"events", "RunLaunchFailed A reason launch failed: no such image; RunFailure A reason launch failed: no "
               "such image"},
    {"same run/lost $A %A 'no such image' NotStarted", "STALE Failure"},
    {0},
};

/* The launch seemed to fail, and did not. */
static struct row launch_failed_of_what_has_started[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/lost $A %A 'no answer' NotStarted", "STALE Started"},
    {0},
};

static struct row gone_before_it_started[] = {
    {"submit A --on_lost=requeue --max_attempts=2", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"run/attend 15000 180000 $A %A 1 ''", "OK NotStarted"},
    {"DEL @events", "1"},
    {"run/lost $A %A signal:9", "OK Queued"},
    {"run/lost $B %B signal:9", "OK Failure"},
    {"HMGET @run:$A state lost launched_at", "Queued 1 (nil)"},
    {"HGET @run:$B reason", "executor lost: signal:9"},
    {"same run/start $A 1 host:1 30000", "STALE Queued"},
    {"events",
     "RunRequeued A reason executor lost: signal:9; RunLaunchFailed B reason executor lost: signal:9; "
     "RunFailure B reason executor lost: signal:9"},
    {"admit", "OK 0 A 11 2"},
    {"run/lost $A %A signal:9", "OK Failure"},
    {0},
};

static struct row executor_lost_before_it_started_the_run[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/lost $A %A 'out of memory'", "OK Failure"},
    {"HGET @run:$A reason", "executor lost: out of memory"},
    {0},
};

static struct row executor_lost[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"DEL @events", "1"},
    {"run/lost $A %A signal:9", "OK Failure"},
    {"HGET @run:$A reason", "executor lost: signal:9"},
    {"ZRANGE @history 0 -1", "A"},
    {"events", "RunFailure A reason executor lost: signal:9"},
    {0},
};

static struct row running_steps_are_lost[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 3 a StepStart Started 1 - a StepSuccess Success 1 exit:0 b StepStart Started 2 "
     "-",
     "OK"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/lost $A %A signal:9", "OK Failure"},
    {"HMGET @run:$A step:a step:b", "Success 1 1000 1000 exit:0 Lost 2 1000 2000 lost"},
    {"events", "StepLost A step b attempt 2; RunFailure A reason executor lost: signal:9"},
    {0},
};

static struct row requeued[] = {
    {"submit A --on_lost=requeue --priority=5", "OK NEW A"},
    {"admit --batch=1 --capacity=9", "OK 0 A 1 1"},
    {"run/attend 15000 180000 $A %A 1 ''", "OK NotStarted"},
    {"run/start $A %A host:1 30000", "OK"},
    {"DEL @events @bell", "2"},
    {"run/lost $A %A exit:1", "OK Queued"},
    {"HGETALL @run:$A",
     "state Queued priority 5 submitted_at 1000 gates '' on_lost requeue token 1 attempt 1 lost 1"},
    {"ZRANGE @queue 0 -1 WITHSCORES", "A -5"},
    {"ZRANGE @ready 0 -1 WITHSCORES", "A -5"},
    {"EXISTS @running @dequeuer:d @history", "0"},
    {"LRANGE @bell 0 -1", "1"},
    {"events", "RunRequeued A reason executor lost: exit:1"},
    {"same run/lost $A 1 exit:1", "STALE Queued"},
    {"same run/finish $A 1 host:1 Success '' 0", "STALE Queued"},
    {"same run/renew 30000 $A 1 host:1", "OK STALE"},
    {"admit --batch=1", "OK 0 A 2 2"},
    {0},
};

/* max_attempts is 3 where nothing else was said. */
static struct row requeued_twice_and_no_more[] = {
    {"submit A --on_lost=requeue --priority=5", "OK NEW A"},
    {"admit --batch=1", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/lost $A %A x", "OK Queued"},
    {"admit --batch=1", "OK 0 A 2 2"},
    {"HSET @run:$A state Started", "0"},
    {"run/lost $A %A x", "OK Queued"},
    {"admit --batch=1", "OK 0 A 3 3"},
    {"HSET @run:$A state Started", "0"},
    {"run/lost $A %A x", "OK Failure"},
    {"HGET @run:$A lost", "2"},
    {0},
};

static struct row max_attempts[] = {
    {"submit A --on_lost=requeue --max_attempts=1", "OK NEW A"},
    {"submit B --on_lost=requeue --max_attempts=2", "OK NEW B"},
    {"submit C --on_lost=fail --max_attempts=9", "OK NEW C"},
    {"admit", "OK 0 A 1 1 B 2 1 C 3 1"},
    {"HSET @run:$A state Started", "0"},
    {"HSET @run:$B state Started", "0"},
    {"HSET @run:$C state Started", "0"},
    {"run/lost $A %A x", "OK Failure"},
    {"run/lost $B %B x", "OK Queued"},
    {"run/lost $C %C x", "OK Failure"},
    {"admit --batch=1", "OK 0 B 11 2"},
    {"HSET @run:$B state Started", "0"},
    {"run/lost $B %B x", "OK Failure"},
    {0},
};

static struct row canceled_run[] = {
    {"submit A --on_lost=requeue --priority=5", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/cancel $A 0", "CANCELING"},
    {"DEL @events", "1"},
    {"run/lost $A %A signal:9", "OK Canceled"},
    {"HMGET @run:$A state reason", "Canceled executor lost: signal:9"},
    {"EXISTS @wake:$A @queue @running", "0"},
    {"events", "RunCanceled A reason executor lost: signal:9"},
    {0},
};

/* The run goes to the lane of the limits of this moment. */
static struct row requeued_under_other_limits[] = {
    {"submit A --on_lost=requeue --priority=5 team=a", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"HSET @run:$A state Started", "0"},
    {"HSET @tag_limits team 1", "1"},
    {"run/lost $A %A x", "OK Queued"},
    {"HGET @run:$A gates", "team"},
    {"ZRANGE @lane:team 0 -1", "A"},
    {0},
};

static struct row frees_and_wakes[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @bell", "1"},
    {"run/lost $A %A x", "OK Failure"},
    {"ZRANGE @ready 0 -1", "B"},
    {"LRANGE @bell 0 -1", "1"},
    {"admit", "OK 0 B 11 1"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/lost $A 0 x", "STALE Queued"},
    {"same run/lost nobody 0 x", "NOT_FOUND"},
    {"admit", "OK 0 A 1 1"},
    {"same run/lost $A 2 x", "STALE NotStarted"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(launch_failed),
        QUEUE_TEST(launch_failed_of_what_has_started),
        QUEUE_TEST(gone_before_it_started),
        QUEUE_TEST(executor_lost_before_it_started_the_run),
        QUEUE_TEST(executor_lost),
        QUEUE_TEST(running_steps_are_lost),
        QUEUE_TEST(requeued),
        QUEUE_TEST(requeued_twice_and_no_more),
        QUEUE_TEST(max_attempts),
        QUEUE_TEST(canceled_run),
        QUEUE_TEST(requeued_under_other_limits),
        QUEUE_TEST(frees_and_wakes),
        QUEUE_TEST(stale),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
