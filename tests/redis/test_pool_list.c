#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row none[] = {
    {"same pool/list", "OK"},
    {0},
};

static struct row pools[] = {
    {"HSET @pool_limits web 4 db 2 'a, b' -1 bad x", "4"},
    {"HSET @pool_leases db 5000", "1"},
    {"pool/claim x/a '' 1 0 db 2 web 3", "GRANTED 1 5000"},
    {"pool/claim x/b '' 1 0 db 1 'a, b' 1", "WAITING pool 'db' full (2/2) a, b 1 db 1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"same pool/list", "OK [a, b -1 0 1 300000] [bad x 0 0 300000] [db 2 2 2 5000] [web 4 3 0 300000]"},
    {"HSET @pool_limits db 1", "0"},
    {"same pool/list", "OK [a, b -1 0 1 300000] [bad x 0 0 300000] [db 1 2 2 5000] [web 4 3 0 300000]"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(none),
        QUEUE_TEST(pools),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
