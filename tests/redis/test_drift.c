/* What becomes of calls that meet a member of an index whose record was deleted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row queued[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"DEL @run:$A @events", "2"},
    {"rows run/list '' 100 '' ''", "1"},
    {"rows queue/list 0 100", "2"},
    {"same queue/why $A", "NOT_FOUND"},
    {"same run/cancel $A 0", "NOT_FOUND"},
    {"admit", "OK 0"},
    {"events", "DriftRepaired A index ready"},
    {"EXISTS @run:$A @spec:$A @ready @running", "0"},
    {0},
};

static struct row queued_behind_the_head[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"submit C", "OK NEW C"},
    {"DEL @run:$B @events", "2"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"admit", "OK 0"},
    {"ZCARD @queue", "1"},
    {0},
};

static struct row parked[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @run:$B @events", "2"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"admit", "OK 0"},
    {"ZCARD @queue", "0"},
    {0},
};

static struct row delayed[] = {
    {"submit A --delay=500", "OK NEW A"},
    {"DEL @run:$A @events", "2"},
    {"at 1500", ""},
    {"admit", "OK 0"},
    {"events", "DriftRepaired A index delayed"},
    {"EXISTS @delayed @spec:$A", "0"},
    {0},
};

static struct row running[] = {
    {"submit A", "OK NEW A"},
    {"admit --launch_lease=1000", "OK 0 A 1 1"},
    {"DEL @run:$A @events", "2"},
    {"same run/start $A %A host:1 30000", "NOT_FOUND"},
    {"same run/renew 30000 $A %A host:1", "OK STALE"},
    {"same run/attend 15000 30000 $A %A 1 ''", "OK STALE"},
    {"same run/finish $A %A host:1 Success '' 0", "NOT_FOUND"},
    {"same run/lost $A %A gone", "NOT_FOUND"},
    {"same run/report $A %A host:1 0", "NOT_FOUND"},
    {"same run/log $A %A host:1 main x 1", "NOT_FOUND"},
    {"at 2000", ""},
    {"admit", "OK 0"},
    {"events", "DriftRepaired A index running"},
    {"EXISTS @running @spec:$A", "0"},
    {0},
};

static struct row history[] = {
    {"submit A", "OK NEW A"},        {"run/cancel $A 0", "CANCELED"},
    {"DEL @run:$A @events", "2"},    {"rows run/list '' 100 '' ''", "0"},
    {"admit --retention=0", "OK 0"}, {"events", "DriftRepaired A index history"},
    {"EXISTS @history", "0"},        {0},
};

static struct row grant_ends[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim y/a '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"DEL @slots:x @events", "2"},
    {"same pool/renew x a 1", "OK 1"},
    {"rows pool/info db", "3"},
    {"at 301000", ""},
    {"pool/claim y/a '' 1 0 db 2", "GRANTED 2 300000"},
    {"events",
     "DriftRepaired x index slots step a; StepSlotClaimed y step a attempt 1 pools db=2 token 2 waited_ms 0"},
    {"HGETALL @pool_used", "db 2"},
    {"ZRANGE @pool:db:holders 0 -1", "y/a"},
    {"EXISTS @slots:x", "0"},
    {0},
};

static struct row grant_is_asked_for_again[] = {
    {"HSET @pool_limits db 2", "1"}, {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"DEL @slots:x @events", "2"},   {"pool/claim x/a '' 1 0 db 2", "GRANTED 2 300000"},
    {"HGETALL @pool_used", "db 2"},  {0},
};

static struct row grant_is_asked_for_again_where_there_is_room[] = {
    {"HSET @pool_limits db 9", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"DEL @slots:x @events", "2"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 2 300000"},
    {"HGETALL @pool_used", "db 2"},
    {"ZRANGE @slots 0 -1", "x/a"},
    {0},
};

static struct row grant_of_a_run_that_ends[] = {
    {"HSET @pool_limits db 2", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"pool/claim $A/a %A 1 0 db 2", "GRANTED 11 300000"},
    {"HSET @slots:$A a x", "0"},
    {"DEL @events", "1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"events", "DriftRepaired A index slots step a; RunSuccess A reason ''"},
    {"EXISTS @pool_used @slots @pool:db:holders @slots:$A", "0"},
    {0},
};

/* In line behind another, then the first of its line. */
static struct row waiter[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim y/a '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/claim z/a '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 2"},
    {"DEL @wait:y/a @events", "2"},
    {"rows pool/info db", "3"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/claim z/a '' 1 0 db 2", "GRANTED 2 300000"},
    {"EXISTS @waiters @shape:db=2 @pool:db:waiters @pool:db:shapes @slots:y", "0"},
    {0},
};

/* Nothing is kept for those who stood there, and nobody stays behind them; they come in when they ask again. */
static struct row waiters_of_a_shape[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim y/a '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"DEL @shape:db=2 @events", "2"},
    {"pool/claim z/a '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"pool/release x/a 1 1", "OK"},
    {"events", "StepSlotWaiting z step a attempt 1 pools db=1 reason pool 'db' full (2/2); "
               "StepSlotReleased x step a attempt 1 pools db=2 token 1; DriftRepaired '' index shape:db=2; "
               "StepSlotClaimed z step a attempt 1 pools db=1 token 2 waited_ms 0"},
    {"pool/release z/a 2 1", "OK"},
    {"pool/claim y/a '' 1 0 db 2", "GRANTED 3 300000"},
    {"EXISTS @waiters @pool:db:waiters @pool:db:shapes @pools_seen", "0"},
    {0},
};

static struct row waiter_whose_patience_ends[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim y/a '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"DEL @wait:y/a @events", "2"},
    {"at 31000", ""},
    {"admit", "OK 0"},
    {"events", "DriftRepaired y index waiters step a"},
    {"EXISTS @waiters @slots:y", "0"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(queued),
        QUEUE_TEST(queued_behind_the_head),
        QUEUE_TEST(parked),
        QUEUE_TEST(delayed),
        QUEUE_TEST(running),
        QUEUE_TEST(history),
        QUEUE_TEST(grant_ends),
        QUEUE_TEST(grant_is_asked_for_again),
        QUEUE_TEST(grant_is_asked_for_again_where_there_is_room),
        QUEUE_TEST(grant_of_a_run_that_ends),
        QUEUE_TEST(waiter),
        QUEUE_TEST(waiters_of_a_shape),
        QUEUE_TEST(waiter_whose_patience_ends),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
