#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row nothing_set[] = {
    {"same config/show", "OK [] [] [] []"},
    {0},
};

static struct row in_force[] = {
    {"config/apply apply config max_concurrent_runs 5 tag_limits team=* 2 jobs j {}",
     "OK [set config max_concurrent_runs '' 5] [set tag_limits team=* '' 2] [set jobs j '' {}]"},
    {"HSET @pool_limits 'data eng' -1 db 3", "2"},
    {"HSET @config max_concurrent_runs 7", "0"},
    {"same config/show", "OK [max_concurrent_runs 7] [team=* 2] [data eng -1 db 3] [j {}]"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(nothing_set),
        QUEUE_TEST(in_force),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
