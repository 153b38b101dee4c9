#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row queued_run[] = {
    {"submit A --spec='{\"steps\":[]}' --job=j", "OK NEW A"},
    {"at 2000", ""},
    {"same run/show $A",
     "OK [state Queued priority 0 submitted_at 1000 job j gates ''] {\"steps\":[]} '' 2000"},
    {0},
};

static struct row run_in_progress[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"same run/show $A", "OK [state NotStarted priority 0 submitted_at 1000 gates '' token 1 attempt 1 "
                         "dequeued_at 1000 dequeuer d] {} 16000 1000"},
    {0},
};

static struct row finished_run[] = {
    {"submit A", "OK NEW A"},
    {"run/cancel $A 0", "CANCELED"},
    {"DEL @spec:$A", "1"},
    {"same run/show $A",
     "OK [state Canceled priority 0 submitted_at 1000 gates '' ended_at 1000] '' '' 1000"},
    {0},
};

static struct row no_run[] = {
    {"same run/show nobody", "NOT_FOUND"},
    {"same run/show ''", "NOT_FOUND"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(queued_run),
        QUEUE_TEST(run_in_progress),
        QUEUE_TEST(finished_run),
        QUEUE_TEST(no_run),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
