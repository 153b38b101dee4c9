#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row step_begins_and_ends[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/report $A %A host:1 1 load StepStart Started 1 -", "OK"},
    {"HGET @run:$A step:load", "Started 1 2000 - -"},
    {"at 3000", ""},
    {"run/report $A %A host:1 1 load StepSuccess Success 1 exit:0", "OK"},
    {"HGET @run:$A step:load", "Success 1 2000 3000 exit:0"},
    {"events", "StepStart A step load attempt 1 how -; StepSuccess A step load attempt 1 how exit:0"},
    {0},
};

static struct row retried_step[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 1 load StepStart Started 1 -", "OK"},
    {"at 2000", ""},
    {"run/report $A %A host:1 1 load StepRetry Retrying 1 signal:9", "OK"},
    {"HGET @run:$A step:load", "Retrying 1 1000 2000 signal:9"},
    {"at 3000", ""},
    {"run/report $A %A host:1 1 load StepStart Started 2 -", "OK"},
    {"HGET @run:$A step:load", "Started 2 3000 - -"},
    {"at 4000", ""},
    {"run/report $A %A host:1 1 load StepFailure Failure 2 timeout", "OK"},
    {"HGET @run:$A step:load", "Failure 2 3000 4000 timeout"},
    {0},
};

static struct row canceled_while_it_waited_for_a_retry[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 2 load StepStart Started 1 - load StepRetry Retrying 1 exit:1", "OK"},
    {"at 2000", ""},
    {"run/report $A %A host:1 1 load StepCanceled Canceled 1 -", "OK"},
    {"HGET @run:$A step:load", "Canceled 1 1000 2000 -"},
    {0},
};

static struct row skipped_step[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 1 load StepSkipped Skipped 0 -", "OK"},
    {"HGET @run:$A step:load", "Skipped 0 - 1000 -"},
    {"same run/report $A %A host:1 1 load StepSkipped Skipped 0 -", "OK"},
    {0},
};

/* What keeps a started step from running is kept, each reason once; it has begun when there is none any more. */
static struct row waiting_step[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 1 load StepStart Started 1 -", "OK"},
    {"DEL @events", "1"},
    {"at 2000", ""},
    {"run/report $A %A host:1 1 load StepWaiting Started 1 ErrImagePull", "OK"},
    {"HGET @run:$A step:load", "Started 1 2000 - ErrImagePull"},
    {"same run/report $A %A host:1 1 load StepWaiting Started 1 ErrImagePull", "OK"},
    {"at 3000", ""},
    {"run/report $A %A host:1 1 load StepWaiting Started 1 -", "OK"},
    {"HGET @run:$A step:load", "Started 1 3000 - -"},
    {"events", "StepWaiting A step load attempt 1 how ErrImagePull; StepWaiting A step load attempt 1 how -"},
    {"run/report $A %A host:1 1 load StepSuccess Success 1 exit:0", "OK"},
    {"same run/report $A %A host:1 1 load StepWaiting Started 1 Unschedulable", "OK"},
    {0},
};

static struct row several_reports_in_order[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"DEL @events", "1"},
    {"run/report $A %A host:1 3 a StepStart Started 1 - b StepStart Started 1 - a StepFailure Failure 1 "
     "exit:2",
     "OK"},
    {"HMGET @run:$A step:a step:b", "Failure 1 1000 1000 exit:2 Started 1 1000 - -"},
    {"events", "StepStart A step a attempt 1 how -; StepStart A step b attempt 1 how -; "
               "StepFailure A step a attempt 1 how exit:2"},
    {"same run/report $A %A host:1 0", "OK"},
    {0},
};

/* A call whose answer was lost is sent again: it neither moves times nor tells an event twice. */
static struct row reported_again[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 1 load StepStart Started 1 -", "OK"},
    {"at 2000", ""},
    {"same run/report $A %A host:1 1 load StepStart Started 1 -", "OK"},
    {"run/report $A %A host:1 2 load StepRetry Retrying 1 exit:1 load StepStart Started 2 -", "OK"},
    {"at 3000", ""},
    {"same run/report $A %A host:1 2 load StepRetry Retrying 1 exit:1 load StepStart Started 2 -", "OK"},
    {"run/report $A %A host:1 1 load StepSuccess Success 2 exit:0", "OK"},
    {"at 4000", ""},
    {"same run/report $A %A host:1 1 load StepSuccess Success 2 exit:0", "OK"},
    {"same run/report $A %A host:1 2 load StepStart Started 2 - load StepSuccess Success 2 exit:0", "OK"},
    {"HGET @run:$A step:load", "Success 2 2000 3000 exit:0"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/report $A 0 host:1 1 load StepStart Started 1 -", "STALE Queued"},
    {"same run/report nobody 0 host:1 1 load StepStart Started 1 -", "NOT_FOUND"},
    {"admit", "OK 0 A 1 1"},
    {"same run/report $A %A host:1 1 load StepStart Started 1 -", "STALE NotStarted"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/report $A 2 host:1 1 load StepStart Started 1 -", "STALE Started"},
    {"run/finish $A %A host:1 Failure '' 0", "OK"},
    {"same run/report $A %A host:1 1 load StepStart Started 1 -", "STALE Failure"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(step_begins_and_ends),
        QUEUE_TEST(retried_step),
        QUEUE_TEST(canceled_while_it_waited_for_a_retry),
        QUEUE_TEST(skipped_step),
        QUEUE_TEST(waiting_step),
        QUEUE_TEST(several_reports_in_order),
        QUEUE_TEST(reported_again),
        QUEUE_TEST(stale),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
