#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row not_found[] = {
    {"same pool/info db", "NOT_FOUND"},
    {0},
};

static struct row empty[] = {
    {"HSET @pool_limits db 4", "1"},
    {"same pool/info db", "OK [4 0 0 0 300000 10000 1000] [] []"},
    {0},
};

static struct row holders_and_waiters[] = {
    {"HSET @pool_limits db 4 api 1", "2"},
    {"HSET @pool_leases db 60000", "1"},
    {"HSET @pool_bypass db 5000", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 60000"},
    {"at 2000", ""},
    {"pool/claim x/b '' 1 0 db 3 api 1", "GRANTED 2 60000"},
    {"pool/claim x/c '' 1 0 db 2 api 1", "WAITING pools full: 'api' (1/1), 'db' (4/4) api 1 db 1"},
    {"pool/claim x/d '' 1 7 db 1", "WAITING pool 'db' full (4/4) db 1"},
    {"at 3000", ""},
    {"same pool/info db", "OK [4 4 2 2 60000 5000 3000] "
                          "[x/a 1 1000 61000 1 x/b 3 2000 62000 2] "
                          "[x/d 1 2000 7 pool 'db' full (4/4) "
                          "x/c 2 2000 0 pools full: 'api' (1/1), 'db' (4/4)]"},
    {0},
};

/* A limit that was set a moment ago and has let nobody in yet. */
static struct row nothing_blocks[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HSET @pool_limits db 2", "0"},
    {"same pool/info db", "OK [2 1 1 1 300000 10000 1000] [x/a 1 1000 301000 1] [x/b 1 1000 0 '']"},
    {0},
};

static struct row name[] = {
    {"HSET @pool_limits 'a,b=1 %' 3", "1"},
    {"pool/claim x/a '' 1 0 'a,b=1 %' 2", "GRANTED 1 300000"},
    {"same pool/info 'a,b=1 %'", "OK [3 2 1 0 300000 10000 1000] [x/a 2 1000 301000 1] []"},
    {0},
};

static struct row unlimited[] = {
    {"HSET @pool_limits db -1", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 0"},
    {"same pool/info db", "OK [-1 0 0 0 300000 10000 1000] [] []"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(not_found),      QUEUE_TEST(empty), QUEUE_TEST(holders_and_waiters),
        QUEUE_TEST(nothing_blocks), QUEUE_TEST(name),  QUEUE_TEST(unlimited),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
