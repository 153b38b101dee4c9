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
     "OK [state Queued priority 0 submitted_at 1000 gates '' job j] {\"steps\":[]} '' 2000 []"},
    {0},
};

static struct row run_in_progress[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"same run/show $A", "OK [state NotStarted priority 0 submitted_at 1000 gates '' token 1 attempt 1 "
                         "dequeued_at 1000 dequeuer d] {} 16000 1000 []"},
    {0},
};

static struct row finished_run[] = {
    {"submit A", "OK NEW A"},
    {"run/cancel $A 0", "CANCELED"},
    {"DEL @spec:$A", "1"},
    {"same run/show $A",
     "OK [state Canceled priority 0 submitted_at 1000 gates '' ended_at 1000] '' '' 1000 []"},
    {0},
};

/* A step that was granted its slots waits no more. */
static struct row steps_that_wait[] = {
    {"submit A", "OK NEW A"},
    {"HSET @run:$A state Started token 1 priority 0", "1"},
    {"HSET @pool_limits db 2 api 1", "2"},
    {"pool/claim $A/x 1 1 '' db 2", "GRANTED 1 300000"},
    {"pool/claim $A/z 1 1 '' db 1 api 2", "NEVER api 2 1"},
    {"pool/claim $A/z 1 1 '' db 1 api 1", "WAITING pool 'db' full (2/2) api 1 db 1"},
    {"pool/claim $A/y 1 1 '' db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"same run/show $A", "OK [state Started priority 0 submitted_at 1000 gates '' token 1] {} '' 1000 "
                         "[y pool 'db' full (2/2) z pool 'db' full (2/2)]"},
    {"pool/release $A/x 1 1", "OK"},
    {"same run/show $A", "OK [state Started priority 0 submitted_at 1000 gates '' token 1] {} '' 1000 []"},
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
        QUEUE_TEST(queued_run),      QUEUE_TEST(run_in_progress), QUEUE_TEST(finished_run),
        QUEUE_TEST(steps_that_wait), QUEUE_TEST(no_run),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
