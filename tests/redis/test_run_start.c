#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row started_run[] = {
    {"submit A --spec='{\"steps\":[1]}' --job=j team=a", "OK NEW A"},
    {"admit --dequeuer=d7", "OK 0 A 1 1"},
    {"run/attend 15000 180000 $A %A 1 ''", "OK NotStarted"},
    {"events", "RunQueued A; RunDequeued A token 1 attempt 1 dequeuer d7"},
    {"at 2000", ""},
    {"run/start $A %A host:1 30000", "OK"},
    {"HGETALL @run:$A", "state Started priority 0 submitted_at 1000 gates '' job j tag:team a token 1 "
                        "attempt 1 dequeued_at 1000 "
                        "dequeuer d7 launched_at 1000 started_at 2000 executor host:1 lease 30000"},
    {"GET @spec:$A", "{\"steps\":[1]}"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A 32000"},
    {"events", "RunStart A token 1 attempt 1 executor host:1"},
    {0},
};

static struct row again_by_the_same_executor[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"at 2000", ""},
    {"run/start $A %A host:1 30000", "OK"},
    {"ZSCORE @running $A", "32000"},
    {"events",
     "RunQueued A; RunDequeued A token 1 attempt 1 dequeuer d; RunStart A token 1 attempt 1 executor host:1"},
    {"same run/start $A %A host:8 30000", "STALE Started"},
    {"same run/start $A 2 host:1 30000", "STALE Started"},
    {0},
};

static struct row after_the_launch_lease_but_before_a_sweep[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"at 60000", ""},
    {"run/start $A %A host:1 30000", "OK"},
    {"admit", "OK 0"},
    {"ZSCORE @running $A", "90000"},
    {0},
};

static struct row not_to_be_started[] = {
    {"submit A", "OK NEW A"},
    {"same run/start $A 0 host:1 30000", "STALE Queued"},
    {"same run/start $A '' host:1 30000", "STALE Queued"},
    {"admit", "OK 0 A 1 1"},
    {"same run/start $A 2 host:1 30000", "STALE NotStarted"},
    {"run/cancel $A 0", "CANCELED"},
    {"same run/start $A 1 host:1 30000", "STALE Canceled"},
    {"same run/start nobody 1 host:1 30000", "NOT_FOUND"},
    {0},
};

static struct row token_of_an_earlier_admission[] = {
    {"submit A", "OK NEW A"},
    {"admit --batch=1", "OK 0 A 1 1"},
    {"at 16000", ""},
    {"admit --batch=1", "OK 0 A 2 2"},
    {"same run/start $A 1 host:1 30000", "STALE NotStarted"},
    {"run/start $A 2 host:1 30000", "OK"},
    {"events", "RunQueued A; RunDequeued A token 1 attempt 1 dequeuer d; "
               "RunRequeued A reason the dequeuer ended before the launch was confirmed; "
               "RunDequeued A token 2 attempt 2 dequeuer d; RunStart A token 2 attempt 2 executor host:1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(started_run),
        QUEUE_TEST(again_by_the_same_executor),
        QUEUE_TEST(after_the_launch_lease_but_before_a_sweep),
        QUEUE_TEST(not_to_be_started),
        QUEUE_TEST(token_of_an_earlier_admission),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
