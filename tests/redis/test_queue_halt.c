#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row nobody_has_looked[] = {
    {"same queue/halt", "UNATTENDED ''"}, {"submit A", "OK NEW A"},
    {"same queue/halt", "UNATTENDED ''"}, {"admit", "OK 0 A 1 1"},
    {"same queue/halt", "NONE"},          {0},
};

static struct row nobody_looks_any_more[] = {
    {"admit", "OK 0"},
    {"at 15999", ""},
    {"queue/halt", "NONE"},
    {"at 16000", ""},
    {"same queue/halt", "UNATTENDED 1000"},
    {"admit", "OK 0"},
    {"queue/halt", "NONE"},
    {0},
};

static struct row held_after_lost_history[] = {
    {"admit --seen=7 --run_lease=2000", "OK 0"},
    {"same queue/halt", "HELD 3000"},
    {"at 3000", ""},
    {"queue/halt", "NONE"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(nobody_has_looked),
        QUEUE_TEST(nobody_looks_any_more),
        QUEUE_TEST(held_after_lost_history),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
