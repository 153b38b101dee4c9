#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row run_and_slots[] = {
    {"HSET @pool_limits db 2 api 1", "2"},
    {"HSET @pool_leases db 5000", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"pool/claim $A/s %A 1 '' db 1", "GRANTED 11 5000"},
    {"pool/claim $A/t %A 1 '' api 1", "GRANTED 12 300000"},
    {"pool/claim x/y '' 1 0 db 1", "GRANTED 13 5000"},
    {"at 4000", ""},
    {"run/hold 30000 $A %A", "OK"},
    {"ZSCORE @running $A", "34000"},
    {"ZSCORE @slots $A/s", "9000"},
    {"ZSCORE @slots $A/t", "304000"},
    {"ZSCORE @slots x/y", "6000"},
    {"same run/hold 30000 $A %A", "OK"},
    {0},
};

/* Who waits gets no slots by that, and keeps nobody else waiting. */
static struct row waiter[] = {
    {"HSET @pool_limits db 1", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"pool/claim x/y '' 1 0 db 1", "GRANTED 11 300000"},
    {"pool/claim $A/s %A 1 '' db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"at 2000", ""},
    {"run/hold 30000 $A %A", "OK"},
    {"ZSCORE @waiters $A/s", "31000"},
    {0},
};

/* What has ended is not revived. */
static struct row ended_slots[] = {
    {"HSET @pool_limits db 1", "1"},
    {"HSET @pool_leases db 1000", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"pool/claim $A/s %A 1 '' db 1", "GRANTED 11 1000"},
    {"at 1500", ""},
    {"admit", "OK 0"},
    {"at 2000", ""},
    {"run/hold 30000 $A %A", "OK"},
    {"ZSCORE @slots $A/s", "2000"},
    {"pool/claim x/y '' 1 0 db 1", "GRANTED 12 1000"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/hold 30000 $A 0", "STALE"},
    {"admit", "OK 0 A 1 1"},
    {"same run/hold 30000 $A %A", "STALE"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/hold 30000 $A 2", "STALE"},
    {"same run/hold 30000 nobody 1", "STALE"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same run/hold 30000 $A %A", "STALE"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(run_and_slots),
        QUEUE_TEST(waiter),
        QUEUE_TEST(ended_slots),
        QUEUE_TEST(stale),
    };

    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
