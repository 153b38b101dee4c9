#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row counted_once[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load one 3", "OK"},
    {"same run/drop $A %A host:1 load 3", "OK"},
    {"run/drop $A %A host:1 load 8", "OK"},
    {"same run/drop $A %A host:1 load 8", "OK"},
    {"run/log $A %A host:1 load two 13", "OK"},
    {"GET @log:$A/load", "onetwo"},
    {"HMGET @run:$A missing:load logged:load", "7 1 13"},
    {0},
};

static struct row of_a_run_that_ended[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"run/drop $A %A host:1 load 8", "OK"},
    {"HGET @run:$A missing:load", "8"},
    {0},
};

static struct row stale[] = {
    {"same run/drop nobody 1 host:1 load 8", "NOT_FOUND"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"same run/drop $A 2 host:1 load 8", "STALE NotStarted"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(counted_once),
        QUEUE_TEST(of_a_run_that_ended),
        QUEUE_TEST(stale),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
