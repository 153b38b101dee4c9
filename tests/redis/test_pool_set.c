#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row new_pool[] = {
    {"pool/set db 3 '' ''", "OK 3 300000 10000"},
    {"HGETALL @pool_limits", "db 3"},
    {"EXISTS @pool_leases @pool_bypass", "0"},
    {0},
};

/* What is not given stays as it is. */
static struct row kept[] = {
    {"pool/set db 3 600000 5000", "OK 3 600000 5000"},
    {"pool/set db -1 '' ''", "OK -1 600000 5000"},
    {"pool/set db 4 '' 0", "OK 4 600000 0"},
    {"HGETALL @pool_limits", "db 4"},
    {0},
};

/* A lease is at least a second. */
static struct row shortest_lease[] = {
    {"pool/set db 3 10 ''", "OK 3 1000 10000"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 1000"},
    {0},
};

static struct row name[] = {
    {"pool/set 'a,b=1 %' 3 '' ''", "OK 3 300000 10000"},
    {"HGETALL @pool_limits", "a,b=1 % 3"},
    {"pool/claim x/a '' 1 0 'a,b=1 %' 4", "NEVER a,b=1 % 4 3"},
    {0},
};

static struct row lets_in[] = {
    {"pool/set db 2 '' ''", "OK 2 300000 10000"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"pool/set db 3 '' ''", "OK 3 300000 10000"},
    {"ZRANGE @pool:db:holders 0 -1", "x/c x/a"},
    {"LRANGE @wake:x 0 -1", "1"},
    {"pool/set db 5 '' ''", "OK 5 300000 10000"},
    {"ZRANGE @pool:db:holders 0 -1", "x/c x/a x/b"},
    {0},
};

static struct row lowered[] = {
    {"pool/set db 4 '' ''", "OK 4 300000 10000"},
    {"pool/claim x/a '' 1 0 db 4", "GRANTED 1 300000"},
    {"pool/set db 1 '' ''", "OK 1 300000 10000"},
    {"HGETALL @pool_used", "db 4"},
    {"pool/renew x a 1", "OK"},
    {"pool/set db 0 '' ''", "OK 0 300000 10000"},
    {"pool/renew x a 1", "OK"},
    {0},
};

/* With more patience the kept slots are free again. */
static struct row longer_bypass[] = {
    {"pool/set db 4 '' ''", "OK 4 300000 10000"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/big '' 1 0 db 4", "WAITING pool 'db' full (2/4) db 1"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"at 11000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {"pool/set db 4 '' 60000", "OK 4 300000 60000"},
    {"ZSCORE @pool:db:holders x/c", "1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(new_pool), QUEUE_TEST(kept),    QUEUE_TEST(shortest_lease), QUEUE_TEST(name),
        QUEUE_TEST(lets_in),  QUEUE_TEST(lowered), QUEUE_TEST(longer_bypass),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
