#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row finished_run[] = {
    {"submit A --key=k team=a", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1 B 2 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/report $A %A host:1 2 a StepStart Started 1 - b.c StepStart Started 1 -", "OK"},
    {"run/log $A %A host:1 a hello 5", "OK"},
    {"run/log $A %A host:1 b.c hello 10", "OK"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"run/finish $B %B host:1 Success '' 0", "OK"},
    {"run/delete $A", "OK"},
    {"EXISTS @run:$A @spec:$A @key:k @log:$A/a @log:$A/b.c", "0"},
    {"EXISTS @run:$B @spec:$B", "2"},
    {"ZRANGE @history 0 -1", "B"},
    {"same run/delete $A", "NOT_FOUND"},
    {"same run/delete nobody", "NOT_FOUND"},
    {0},
};

static struct row canceled_run[] = {
    {"submit A", "OK NEW A"},
    {"run/cancel $A 0", "CANCELED"},
    {"run/delete $A", "OK"},
    {"EXISTS @run:$A @spec:$A @history @queue", "0"},
    {0},
};

static struct row active_run[] = {
    {"submit A", "OK NEW A"},
    {"submit B --delay=100", "OK NEW B"},
    {"same run/delete $A", "ACTIVE Queued"},
    {"same run/delete $B", "ACTIVE Queued"},
    {"admit", "OK 0 A 1 1"},
    {"same run/delete $A", "ACTIVE NotStarted"},
    {"HSET @run:$A state Started", "0"},
    {"same run/delete $A", "ACTIVE Started"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(finished_run),
        QUEUE_TEST(canceled_run),
        QUEUE_TEST(active_run),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
