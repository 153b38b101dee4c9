#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row not_found[] = {
    {"same pool/delete db", "NOT_FOUND"},
    {0},
};

static struct row deleted[] = {
    {"HSET @pool_limits db 4 api 1", "2"},
    {"HSET @pool_leases db 5000 api 6000", "2"},
    {"HSET @pool_bypass db 5000", "1"},
    {"pool/delete db", "OK"},
    {"HGETALL @pool_limits", "api 1"},
    {"HGETALL @pool_leases", "api 6000"},
    {"EXISTS @pool_bypass", "0"},
    {"pool/delete db", "NOT_FOUND"},
    {"pool/claim x/a '' 1 0 db 1", "UNKNOWN_POOL db"},
    {0},
};

static struct row held[] = {
    {"HSET @pool_limits 'a b' 4", "1"},
    {"pool/claim x/a '' 1 0 'a b' 3", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 'a b' 2", "WAITING pool 'a b' full (3/4) a b 1"},
    {"same pool/delete 'a b'", "HELD 3 1"},
    {"HSET @pool_limits 'a b' 0", "0"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/delete 'a b'", "HELD 0 1"},
    {"pool/release x/b '' 1", "OK"},
    {"pool/delete 'a b'", "OK"},
    {"EXISTS @pool_limits @pool_used", "0"},
    {0},
};

/* A lease that has ended holds nothing. */
static struct row expired[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"at 300999", ""},
    {"pool/delete db", "HELD 3 0"},
    {"at 301000", ""},
    {"pool/delete db", "OK"},
    {0},
};

/* The clock has jumped, and no admission has seen it yet. */
static struct row clock_set_ahead[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"admit", "OK 0"},
    {"at 3601000", ""},
    {"pool/delete db", "HELD 3 0"},
    {"pool/renew x a 1", "OK"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(not_found), QUEUE_TEST(deleted),         QUEUE_TEST(held),
        QUEUE_TEST(expired),   QUEUE_TEST(clock_set_ahead),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
