#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row audits_begin_once_an_interval[] = {
    {"doctor/watch 600000 1000", "OK ['' 0]"},
    {"HMGET @doctor begun_at ended_at next_at", "1000 1000 601000"},
    {"at 600999", ""},
    {"same doctor/watch 600000 1000", "OK ['' 0]"},
    {"at 601000", ""},
    {"doctor/watch 600000 1000", "OK ['' 0]"},
    {"HGET @doctor begun_at", "601000"},
    {0},
};

/* A clock that was set back does not put it off for long. */
static struct row clock_set_back[] = {
    {"at 5000000", ""},
    {"doctor/watch 600000 1000", "OK ['' 0]"},
    {"at 1000", ""},
    {"doctor/watch 600000 1000", "OK ['' 0]"},
    {"HGET @doctor next_at", "601000"},
    {0},
};

static struct row faults_are_told_and_left[] = {
    {"submit A", "OK NEW A"},
    {"ZREM @queue $A", "1"},
    {"DEL @events", "1"},
    {"rows doctor/watch 600000 1000", "2"},
    {"events", "DriftFound A what run subject A detail Queued and in no index"},
    {"HGET @meta drift", "1"},
    {"ZCARD @queue", "0"},
    {0},
};

static struct row a_wide_namespace_takes_slices[] = {
    {"repeat 300 submit #", "OK NEW 300"},
    {"doctor/watch 600000 1000", "OK ['' 1]"},
    {"at 1999", ""},
    {"same doctor/watch 600000 1000", "OK ['' 0]"},
    {"at 2000", ""},
    {"doctor/watch 600000 1000", "OK ['' 1]"},
    {"HGET @doctor begun_at", "1000"},
    {0},
};

static struct row switched_off[] = {
    {"submit A", "OK NEW A"},
    {"same doctor/watch 0 1000", "OK ['' 0]"},
    {"HSET @meta epoch 1-b26f90226c92", "1"},
    {"same doctor/watch 0 1000", "OK [1-b26f90226c92 0]"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(audits_begin_once_an_interval),
        QUEUE_TEST(clock_set_back),
        QUEUE_TEST(faults_are_told_and_left),
        QUEUE_TEST(a_wide_namespace_takes_slices),
        QUEUE_TEST(switched_off),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
