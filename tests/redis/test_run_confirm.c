#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row launched_run[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"events", "RunQueued A; RunDequeued A token 1 attempt 1 dequeuer d"},
    {"at 3000", ""},
    {"run/confirm 180000 $A %A", "OK OK"},
    {"HMGET @run:$A state launched_at", "NotStarted 3000"},
    {"ZSCORE @running $A", "181000"},
    {"events", "''"},
    {0},
};

static struct row again[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/confirm 180000 $A %A", "OK OK"},
    {"at 3000", ""},
    {"same run/confirm 180000 $A %A", "OK OK"},
    {"same run/confirm 999000 $A %A", "OK OK"},
    {0},
};

static struct row started_run_is_left_alone[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/confirm 180000 $A %A", "OK OK"},
    {"ZSCORE @running $A", "31000"},
    {0},
};

static struct row several_runs[] = {
    {"repeat 4 submit A#", "OK NEW A4"},
    {"admit --batch=3", "OK 1 A1 1 1 A2 2 1 A3 3 1"},
    {"run/finish $A2 %A2 host:1 Success '' 0", "OK"},
    {"run/confirm 180000 $A1 %A1 $A2 %A2 $A3 4 $A4 0 nobody 1 $A3 %A3", "OK OK STALE STALE STALE STALE OK"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A1 181000 A3 181000"},
    {"same run/confirm 180000", "OK"},
    {"EXISTS @run:nobody", "0"},
    {0},
};

static struct row token_of_an_earlier_admission[] = {
    {"submit A", "OK NEW A"},
    {"admit --batch=1", "OK 0 A 1 1"},
    {"at 16000", ""},
    {"admit --batch=0", "OK 1"},
    {"HMGET @run:$A state token", "Queued 1"},
    {"same run/confirm 180000 $A 1", "OK STALE"},
    {"admit --batch=1", "OK 0 A 2 2"},
    {"same run/confirm 180000 $A 1", "OK STALE"},
    {"run/confirm 180000 $A 2", "OK OK"},
    {"ZSCORE @running $A", "196000"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(launched_run),
        QUEUE_TEST(again),
        QUEUE_TEST(started_run_is_left_alone),
        QUEUE_TEST(several_runs),
        QUEUE_TEST(token_of_an_earlier_admission),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
