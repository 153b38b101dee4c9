/* A server that is shown a token which it has not given yet has lost history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row shown_by_a_dequeuer[] = {
    {"submit A", "OK NEW A"},
    {"admit --batch=0 --seen=0", "OK 1"},
    {"DEL @events @bell", "2"},
    {"admit --seen=7 --run_lease=2000", "OK 0"},
    {"events", "HistoryLost '' seen 7 known 0 epoch 1-b26f90226c92"},
    {"HMGET @meta token epoch epoch_at paused_until resumed_at", "1000007 1-b26f90226c92 1000 3000 1000"},
    {"EXISTS @bell", "0"},
    {"admit --seen=1000007 --run_lease=2000", "OK 0"},
    {"at 2999", ""},
    {"admit --run_lease=2000", "OK 0"},
    {"at 3000", ""},
    {"admit --run_lease=2000 --batch=1", "OK 0 A 1000008 1"},
    {"HGET @meta epoch", "1-b26f90226c92"},
    {0},
};

/* It holds slots under a lease of its run that the older data know. */
static struct row shown_by_a_run_with_slots[] = {
    {"submit A", "OK NEW A"},
    {"admit --run_lease=600000", "OK 0 A 1 1"},
    {"run/start $A %A host:1 600000", "OK"},
    {"pool/renew $A a 77", "OK 77"},
    {"HMGET @meta token paused_until", "1000077 601000"},
    {0},
};

static struct row shown_by_two[] = {
    {"admit --seen=7", "OK 0"},
    {"admit --seen=1000008", "OK 0"},
    {"HMGET @meta token epoch", "2000008 2-cea9a80a51bb"},
    {0},
};

static struct row shown_by_an_executor[] = {
    {"submit A", "OK NEW A"},
    {"DEL @events", "1"},
    {"run/renew 4000 lost 9 host:1", "OK STALE"},
    {"events", "HistoryLost '' seen 9 known 0 epoch 1-4773c974fd7a"},
    {"admit", "OK 0"},
    {"at 5000", ""},
    {"admit --batch=1", "OK 0 A 1000010 1"},
    {"same run/renew 4000 $A 9 host:1", "OK STALE"},
    {0},
};

/* What nobody may be given yet is no reason to call again at once. */
static struct row slots_that_are_free_during_the_pause[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim $p/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim $p/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"admit --run_lease=2000 --seen=7", "OK 0"},
    {"pool/release $p/a 1 1", "OK"},
    {"admit --run_lease=2000", "OK 0"},
    {"HGET @pool_used db", "(nil)"},
    {"at 3000", ""},
    {"admit --run_lease=2000", "OK 0"},
    {"HGET @pool_used db", "1"},
    {0},
};

/* A token that was lost was given again: only who has started the run under it holds it. */
static struct row token_given_again[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:2 30000", "OK"},
    {"same run/start $A %A host:1 30000", "STALE Started"},
    {"same run/renew 30000 $A %A host:1", "OK STALE"},
    {"same run/report $A %A host:1 1 s StepSuccess Success 1 exit:0", "STALE Started"},
    {"same run/log $A %A host:1 s text 4", "STALE Started"},
    {"same run/drop $A %A host:1 s 4", "STALE Started"},
    {"same run/finish $A %A host:1 Success '' 0", "STALE Started"},
    {"run/renew 30000 $A %A host:2", "OK OK"},
    {"run/finish $A %A host:2 Success '' 0", "OK"},
    {0},
};

/* Nothing is granted either; what is freed meanwhile is given on behind the pause. */
static struct row shown_by_a_holder_of_slots[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim y/a '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/renew lost a 5", "OK 5"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/claim z/a '' 1 0 db 1", "WAITING history was lost, nothing is granted for a while db 2"},
    {"HGET @slots:y a", "waits"},
    {"HGET @slots:z a", "waits"},
    {"at 30999", ""},
    {"rows pool/claim y/a '' 1 0 db 1", "0"},
    {"HGET @slots:y a", "waits"},
    {"at 31000", ""},
    {"pool/claim y/a '' 1 0 db 1", "GRANTED 1000006 300000"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(shown_by_a_dequeuer),
        QUEUE_TEST(shown_by_a_run_with_slots),
        QUEUE_TEST(shown_by_two),
        QUEUE_TEST(shown_by_an_executor),
        QUEUE_TEST(token_given_again),
        QUEUE_TEST(slots_that_are_free_during_the_pause),
        QUEUE_TEST(shown_by_a_holder_of_slots),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
