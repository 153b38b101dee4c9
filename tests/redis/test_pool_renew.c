#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row renewed[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"DEL @events", "1"},
    {"at 300999", ""},
    {"pool/renew x a 1", "OK"},
    {"ZSCORE @slots x/a", "600999"},
    {"events", "StepSlotRenewed x step a"},
    {0},
};

/* One call for all grants, each with its own lease. */
static struct row many[] = {
    {"HSET @pool_limits db 4 api 4", "2"},
    {"HSET @pool_leases db 5000 api 9000", "2"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 5000"},
    {"pool/claim x/b '' 1 0 api 1", "GRANTED 2 9000"},
    {"pool/claim y/c '' 1 0 api 1", "GRANTED 3 9000"},
    {"at 2000", ""},
    {"DEL @events", "1"},
    {"pool/renew x a b 1 2", "OK"},
    {"events", "StepSlotRenewed x step a,b"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/a 7000 y/c 10000 x/b 11000"},
    {"at 3000", ""},
    {"pool/renew x b none a c 2 1 1 3", "OK 1 3"},
    {"same pool/renew x b a 1 2", "OK 1 2"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/a 8000 y/c 10000 x/b 12000"},
    {"same pool/renew x", "OK"},
    {0},
};

/* What has ended cannot be renewed, also when nobody has swept it yet. */
static struct row expired[] = {
    {"HSET @pool_limits db 4", "1"},
    {"HSET @pool_leases db 10", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 1000"},
    {"at 2000", ""},
    {"same pool/renew x a 1", "OK 1"},
    {"pool/claim x/b '' 1 0 db 4", "GRANTED 2 1000"},
    {"same pool/renew x a 1", "OK 1"},
    {0},
};

static struct row released[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"pool/release x/a 1 1", "OK"},
    {"same pool/renew x a 1", "OK 1"},
    {0},
};

static struct row granted_anew[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"at 301000", ""},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 2 300000"},
    {"at 302000", ""},
    {"same pool/renew x a 1", "OK 1"},
    {"pool/renew x a 2", "OK"},
    {0},
};

/* One that waits has nothing to renew. */
static struct row waiter[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"same pool/renew x b 1", "OK 1"},
    {0},
};

/* The lease of a grant is that of its time; the next grant has the new one. */
static struct row changed_lease[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"HSET @pool_leases db 5000", "1"},
    {"pool/renew x a 1", "OK"},
    {"ZSCORE @slots x/a", "301000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 5000"},
    {0},
};

static struct row after_a_gap[] = {
    {"HSET @pool_limits db 1", "1"},
    {"HSET @pool_leases db 5000", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 5000"},
    {"HSET @meta resumed_at 10000", "1"},
    {"at 15000", ""},
    {"same pool/renew x a 1", "OK 1"},
    {"at 14999", ""},
    {"pool/renew x a 1", "OK"},
    {"ZSCORE @slots x/a", "19999"},
    {0},
};

/* Long after the last sweep the clock may have jumped: nothing has ended before somebody has looked, or for a lease. */
static struct row before_a_sweep[] = {
    {"HSET @pool_limits db 2", "1"},
    {"HSET @pool_leases db 5000", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 5000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 5000"},
    {"admit", "OK 0"},
    {"at 3601000", ""},
    {"pool/renew x a 1", "OK"},
    {"HGET @meta unswept", "1000 3601000"},
    {"at 3605999", ""},
    {"pool/renew x a 1", "OK"},
    {"at 3606000", ""},
    {"same pool/renew x b 2", "OK 2"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(renewed),       QUEUE_TEST(many),         QUEUE_TEST(expired),
        QUEUE_TEST(released),      QUEUE_TEST(granted_anew), QUEUE_TEST(waiter),
        QUEUE_TEST(changed_lease), QUEUE_TEST(after_a_gap),  QUEUE_TEST(before_a_sweep),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
