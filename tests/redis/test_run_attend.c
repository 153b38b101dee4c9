#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

#define ATTEND "run/attend 15000 180000 "

static struct row launch_lease_is_kept_while_it_is_launched[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"ZSCORE @running $A", "16000"},
    {"at 10000", ""},
    {ATTEND "$A %A '' ''", "OK NotStarted"},
    {"ZSCORE @running $A", "25000"},
    {"at 20000", ""},
    {"admit --batch=0", "OK 0"},
    {"HGET @run:$A state", "NotStarted"},
    {0},
};

static struct row start_timeout_stands_unless_it_waits_for_something[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/attend 15000 180000 $A %A 1 ''", "OK NotStarted"},
    {"at 10000", ""},
    {"same " ATTEND "$A %A '' ''", "OK NotStarted"},
    {"ZSCORE @running $A", "181000"},
    {ATTEND "$A %A '' 'a node'", "OK NotStarted"},
    {"ZSCORE @running $A", "190000"},
    {"HGET @run:$A waiting_for", "a node"},
    {"same " ATTEND "$A %A '' 'a node'", "OK NotStarted"},
    {ATTEND "$A %A '' 'an image'", "OK NotStarted"},
    {"HGET @run:$A waiting_for", "an image"},
    {ATTEND "$A %A '' ''", "OK NotStarted"},
    {"HEXISTS @run:$A waiting_for", "0"},
    {"ZSCORE @running $A", "190000"},
    {0},
};

/* The confirmation may have been lost with the server. */
static struct row launch_is_confirmed[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"at 10000", ""},
    {ATTEND "$A %A 1 ''", "OK NotStarted"},
    {"HGET @run:$A launched_at", "10000"},
    {"ZSCORE @running $A", "181000"},
    {"at 100000", ""},
    {"same " ATTEND "$A %A 1 ''", "OK NotStarted"},
    {"ZSCORE @running $A", "181000"},
    {0},
};

static struct row no_lease_is_made_shorter[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/attend 15000 180000 $A %A 1 ''", "OK NotStarted"},
    {"run/attend 15000 1000 $A %A '' x", "OK NotStarted"},
    {"ZSCORE @running $A", "181000"},
    {0},
};

static struct row started_and_stale[] = {
    {"repeat 4 submit A#", "OK NEW A4"},
    {"admit --batch=3", "OK 1 A1 1 1 A2 2 1 A3 3 1"},
    {"run/start $A1 %A1 host:1 30000", "OK"},
    {"run/cancel $A2 0 ''", "CANCELED"},
    {"same " ATTEND "$A1 %A1 '' x $A2 %A2 '' x $A3 1 '' x $A4 0 '' x nobody 1 '' x",
     "OK Started STALE STALE STALE STALE"},
    {"same " ATTEND, "OK"},
    {0},
};

static struct row run_that_its_executor_ended[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same " ATTEND "$A %A '' ''", "OK Started"},
    {0},
};

static struct row told_until_it_starts_or_ends[] = {
    {"repeat 3 submit A#", "OK NEW A3"},
    {"admit --batch=3", "OK 0 A1 1 1 A2 2 1 A3 3 1"},
    {"run/attend 15000 180000 $A1 %A1 1 '' $A2 %A2 1 ''", "OK NotStarted NotStarted"},
    {ATTEND "$A1 %A1 '' x $A2 %A2 '' x $A3 %A3 '' x", "OK NotStarted NotStarted NotStarted"},
    {"same queue/why $A1", "LAUNCHED x"},
    {"run/start $A1 %A1 host:1 30000", "OK"},
    {"run/lost $A2 %A2 gone", "OK Failure"},
    {"at 16001", ""},
    {"admit --batch=0", "OK 1"},
    {"HGET @run:$A3 state", "Queued"},
    {"HEXISTS @run:$A1 waiting_for", "0"},
    {"HEXISTS @run:$A2 waiting_for", "0"},
    {"HEXISTS @run:$A3 waiting_for", "0"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(launch_lease_is_kept_while_it_is_launched),
        QUEUE_TEST(start_timeout_stands_unless_it_waits_for_something),
        QUEUE_TEST(launch_is_confirmed),
        QUEUE_TEST(no_lease_is_made_shorter),
        QUEUE_TEST(started_and_stale),
        QUEUE_TEST(run_that_its_executor_ended),
        QUEUE_TEST(told_until_it_starts_or_ends),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
