#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row first_apply[] = {
    {"config/apply apply config max_concurrent_runs 5 tag_limits team=* 2 jobs j {}",
     "OK [set config max_concurrent_runs '' 5] [set tag_limits team=* '' 2] [set jobs j '' {}]"},
    {"HGETALL @config", "max_concurrent_runs 5"},
    {"HGETALL @tag_limits", "team=* 2"},
    {"HGETALL @jobs", "j {}"},
    {"HGETALL @applied", "config max_concurrent_runs 5 tag_limits team=* 2 jobs j {}"},
    {"HGETALL @meta", "layout 2"},
    {"LRANGE @bell 0 -1", "1"},
    {"config/apply apply config max_concurrent_runs 5 tag_limits team=* 2 jobs j {}", "OK"},
    {"LRANGE @bell 0 -1", "1"},
    {0},
};

static struct row changed_in_the_file[] = {
    {"config/apply apply config max_concurrent_runs 5", "OK [set config max_concurrent_runs '' 5]"},
    {"config/apply apply config max_concurrent_runs 6", "OK [set config max_concurrent_runs 5 6]"},
    {"HGETALL @config", "max_concurrent_runs 6"},
    {"HGETALL @applied", "config max_concurrent_runs 6"},
    {0},
};

static struct row gone_from_the_file[] = {
    {"config/apply apply pool_limits db 5 pool_limits 'data eng' 2",
     "OK [set pool_limits db '' 5] [set pool_limits data eng '' 2]"},
    {"config/apply apply pool_limits db 5", "OK [removed pool_limits data eng 2 '']"},
    {"HGETALL @pool_limits", "db 5"},
    {"HGETALL @applied", "pool_limits db 5"},
    {0},
};

/* What was set by hand is kept, also by the next apply, until the file says the same. */
static struct row set_by_an_operator[] = {
    {"config/apply apply pool_limits db 5", "OK [set pool_limits db '' 5]"},
    {"HSET @pool_limits db 9 other 3", "1"},
    {"config/apply apply pool_limits db 6", "OK [kept pool_limits db 9 6]"},
    {"config/apply apply pool_limits db 6", "OK [kept pool_limits db 9 6]"},
    {"config/apply apply pool_limits db 5", "OK [kept pool_limits db 9 5]"},
    {"HGETALL @pool_limits", "db 9 other 3"},
    {"config/apply apply pool_limits db 9", "OK"},
    {"config/apply apply pool_limits db 10", "OK [set pool_limits db 9 10]"},
    {"HGETALL @pool_limits", "db 10 other 3"},
    {0},
};

static struct row set_by_an_operator_before_the_first_apply[] = {
    {"HSET @pool_limits db 9", "1"},
    {"config/apply apply pool_limits db 5", "OK [kept pool_limits db 9 5]"},
    {"HGETALL @pool_limits", "db 9"},
    {"EXISTS @applied", "0"},
    {0},
};

static struct row taken_out_by_an_operator[] = {
    {"config/apply apply pool_limits db 5", "OK [set pool_limits db '' 5]"},
    {"HDEL @pool_limits db", "1"},
    {"config/apply apply pool_limits db 5", "OK [kept pool_limits db '' 5]"},
    {"EXISTS @pool_limits", "0"},
    {"config/apply apply pool_limits db 6", "OK [set pool_limits db '' 6]"},
    {"HGETALL @pool_limits", "db 6"},
    {0},
};

static struct row gone_from_the_file_but_changed_by_an_operator[] = {
    {"config/apply apply pool_limits db 5 pool_limits api 1",
     "OK [set pool_limits db '' 5] [set pool_limits api '' 1]"},
    {"HSET @pool_limits db 9", "0"},
    {"HDEL @pool_limits api", "1"},
    {"config/apply apply", "OK [kept pool_limits db 9 '']"},
    {"HGETALL @pool_limits", "db 9"},
    {"EXISTS @applied", "0"},
    {"config/apply apply", "OK"},
    {0},
};

static struct row replace[] = {
    {"config/apply apply pool_limits db 5 pool_limits api 1 pool_limits gpu 2",
     "OK [set pool_limits db '' 5] [set pool_limits api '' 1] [set pool_limits gpu '' 2]"},
    {"HSET @pool_limits db 9 gpu 9", "0"},
    {"HDEL @pool_limits api", "1"},
    {"config/apply replace pool_limits db 5 pool_limits api 1",
     "OK [set pool_limits db 9 5] [set pool_limits api '' 1] [removed pool_limits gpu 9 '']"},
    {"HGETALL @pool_limits", "db 5 api 1"},
    {"HGETALL @applied", "pool_limits db 5 pool_limits api 1"},
    {0},
};

static struct row diff_writes_nothing[] = {
    {"same config/apply diff pool_limits db 5", "OK [set pool_limits db '' 5]"},
    {"config/apply apply pool_limits db 5 pool_limits api 1",
     "OK [set pool_limits db '' 5] [set pool_limits api '' 1]"},
    {"HSET @pool_limits db 9", "0"},
    {"DEL @bell", "1"},
    {"same config/apply diff pool_limits db 5 config retention 7d",
     "OK [kept pool_limits db 9 5] [set config retention '' 7d] [removed pool_limits api 1 '']"},
    {"same config/apply diff pool_limits db 9 pool_limits api 1", "OK"},
    {0},
};

static struct row init[] = {
    {"HSET @pool_limits db 9", "1"},
    {"config/apply init config max_concurrent_runs 5 pool_limits db 5",
     "OK [set config max_concurrent_runs '' 5] [kept pool_limits db 9 5]"},
    {"same config/apply init config max_concurrent_runs 6", "EXISTS"},
    {"HGETALL @config", "max_concurrent_runs 5"},
    {0},
};

static struct row init_after_an_operator[] = {
    {"HSET @config max_concurrent_runs 3", "1"},
    {"same config/apply init config max_concurrent_runs 6", "EXISTS"},
    {0},
};

/* Of a long value `applied` keeps the SHA-1. */
static struct row long_values[] = {
    {"config/apply apply jobs j x*65",
     "OK [set jobs j '' xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]"},
    {"HGETALL @applied", "jobs j sha1:78c741ddc482e4cdf8c474a0876347a0905b6233"},
    {"config/apply apply jobs j x*65", "OK"},
    {"config/apply apply jobs j {}",
     "OK [set jobs j xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx {}]"},
    {"config/apply apply jobs j x*64",
     "OK [set jobs j {} xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]"},
    {"HGETALL @applied", "jobs j xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(first_apply),
        QUEUE_TEST(changed_in_the_file),
        QUEUE_TEST(gone_from_the_file),
        QUEUE_TEST(set_by_an_operator),
        QUEUE_TEST(set_by_an_operator_before_the_first_apply),
        QUEUE_TEST(taken_out_by_an_operator),
        QUEUE_TEST(gone_from_the_file_but_changed_by_an_operator),
        QUEUE_TEST(replace),
        QUEUE_TEST(diff_writes_nothing),
        QUEUE_TEST(init),
        QUEUE_TEST(init_after_an_operator),
        QUEUE_TEST(long_values),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
