#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row renewed[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"at 11000", ""},
    {"run/renew 30000 $A %A host:1", "OK OK"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A 41000"},
    {"same run/renew 30000 $A %A host:1", "OK OK"},
    {"same run/renew 30000", "OK"},
    {0},
};

static struct row after_its_end_but_before_a_sweep[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"at 99000", ""},
    {"run/renew 30000 $A %A host:1", "OK OK"},
    {"admit", "OK 0"},
    {"ZSCORE @running $A", "129000"},
    {0},
};

static struct row canceled_run[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/cancel $A 5000", "CANCELING"},
    {"at 2000", ""},
    {"run/renew 30000 $A %A host:1", "OK [CANCEL 5000]"},
    {"ZSCORE @running $A", "32000"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/renew 30000 $A 0 host:1 nobody 0 host:1", "OK STALE STALE"},
    {"admit", "OK 0 A 1 1"},
    {"same run/renew 30000 $A %A host:1", "OK STALE"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/renew 30000 $A 2 host:1", "OK STALE"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same run/renew 30000 $A %A host:1", "OK STALE"},
    {0},
};

static struct row several_runs[] = {
    {"repeat 4 submit A#", "OK NEW A4"},
    {"admit", "OK 0 A1 1 1 A2 2 1 A3 3 1 A4 4 1"},
    {"run/start $A1 %A1 host:1 30000", "OK"},
    {"run/finish $A2 %A2 host:1 Success '' 0", "OK"},
    {"run/start $A4 %A4 host:2 30000", "OK"},
    {"run/cancel $A4 5000", "CANCELING"},
    {"at 2000", ""},
    {"run/renew 30000 $A1 %A1 host:1 $A2 %A2 host:1 $A3 %A3 host:1 $A4 %A4 host:2",
     "OK OK STALE STALE [CANCEL 5000]"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A3 16000 A1 32000 A4 32000"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(renewed),      QUEUE_TEST(after_its_end_but_before_a_sweep),
        QUEUE_TEST(canceled_run), QUEUE_TEST(stale),
        QUEUE_TEST(several_runs),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
