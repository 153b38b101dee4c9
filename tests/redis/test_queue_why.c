#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row next_one[] = {
    {"submit A", "OK NEW A"},
    {"same queue/why $A", "OK 1 1 1 1 ''"},
    {0},
};

static struct row positions[] = {
    {"limits team=*=9", "OK 0"},           {"submit A team=a", "OK NEW A"},
    {"submit B team=b", "OK NEW B"},       {"submit C team=a", "OK NEW C"},
    {"submit D --priority=1", "OK NEW D"}, {"queue/why $D", "OK 1 4 1 1 ''"},
    {"queue/why $A", "OK 2 4 1 2 team=a"}, {"queue/why $B", "OK 3 4 1 1 team=b"},
    {"queue/why $C", "OK 4 4 2 2 team=a"}, {0},
};

static struct row global_limit[] = {
    {"HSET @config max_concurrent_runs 1", "1"},
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"same queue/why $B", "OK 1 1 1 1 '' ['' 1 1 1 A]"},
    {"HSET @config max_concurrent_runs 0", "0"},
    {"queue/why $B", "OK 1 1 1 1 '' ['' 1 0 0 A]"},
    {"HSET @config max_concurrent_runs three", "0"},
    {"queue/why $B", "OK 1 1 1 1 '' ['' 1 0 three A]"},
    {"HSET @config max_concurrent_runs -1", "0"},
    {"queue/why $B", "OK 1 1 1 1 ''"},
    {0},
};

static struct row global_limit_by_default[] = {
    {"repeat 13 submit A#", "OK NEW A13"},
    {"admit", "OK 0 A1 1 1 A2 2 1 A3 3 1 A4 4 1 A5 5 1 A6 6 1 A7 7 1 A8 8 1 A9 9 1 A10 10 1"},
    {"queue/why $A13", "OK 3 3 3 3 '' ['' 10 10 10 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10]"},
    {0},
};

static struct row ten_holders_at_most[] = {
    {"HSET @config max_concurrent_runs 11", "1"},
    {"repeat 12 submit A#", "OK NEW A12"},
    {"admit --batch=5", "OK 1 A1 1 1 A2 2 1 A3 3 1 A4 4 1 A5 5 1"},
    {"admit", "OK 0 A6 6 1 A7 7 1 A8 8 1 A9 9 1 A10 10 1 A11 11 1"},
    {"queue/why $A12", "OK 1 1 1 1 '' ['' 11 11 11 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10]"},
    {0},
};

static struct row tag_limits[] = {
    {"limits env=1 team=*=1 team=b=7", "OK 0"},
    {"submit A env=p team=a", "OK NEW A"},
    {"submit B env=q team=a", "OK NEW B"},
    {"submit C env=q team=c", "OK NEW C"},
    {"admit", "OK 0 A 1 1"},
    {"same queue/why $B", "OK 1 2 1 1 env,team=a [env 1 1 1 A] [team=a 1 1 1 A]"},
    {"queue/why $C", "OK 2 2 1 1 env,team=c [env 1 1 1 A]"},
    {"HSET @tag_limits env three", "0"},
    {"queue/why $C", "OK 2 2 1 1 env,team=c [env 1 0 three A]"},
    {0},
};

/* Of two limits on one gate the lower one blocks, and its text is told. */
static struct row lowest_limit_of_a_gate[] = {
    {"limits team=*=1 team=a=5", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"queue/why $B", "OK 1 1 1 1 team=a [team=a 1 1 1 A]"},
    {"limits team=*=5 team=a=1", "OK 0"},
    {"queue/why $B", "OK 1 1 1 1 team=a [team=a 1 1 1 A]"},
    {"limits team=*=three team=a=1", "OK 0"},
    {"queue/why $B", "OK 1 1 1 1 team=a [team=a 1 0 three A]"},
    {0},
};

static struct row odd_tag_values[] = {
    {"limits team=*=1", "OK 0"},
    {"submit A 'team=data eng,x=1'", "OK NEW A"},
    {"submit B 'team=data eng,x=1'", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"queue/why $B", "OK 1 1 1 1 team=data%20eng%2Cx%3D1 [team=data eng,x=1 1 1 1 A]"},
    {0},
};

/* The gates are those of the limits of now, though nobody has followed them yet. */
static struct row limits_of_this_moment[] = {
    {"submit A team=a", "OK NEW A"},
    {"submit B team=b", "OK NEW B"},
    {"HSET @tag_limits team 0", "1"},
    {"same queue/why $B", "OK 2 2 2 2 team [team 0 0 0]"},
    {0},
};

static struct row not_waiting[] = {
    {"submit A", "OK NEW A"},
    {"submit B --delay=500", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"same queue/why $A", "NOT_QUEUED NotStarted"},
    {"same queue/why $B", "DELAYED 1500"},
    {"run/cancel $B 0", "CANCELED"},
    {"same queue/why $B", "NOT_QUEUED Canceled"},
    {"same queue/why nobody", "NOT_FOUND"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(next_one),
        QUEUE_TEST(positions),
        QUEUE_TEST(global_limit),
        QUEUE_TEST(global_limit_by_default),
        QUEUE_TEST(ten_holders_at_most),
        QUEUE_TEST(tag_limits),
        QUEUE_TEST(lowest_limit_of_a_gate),
        QUEUE_TEST(odd_tag_values),
        QUEUE_TEST(limits_of_this_moment),
        QUEUE_TEST(not_waiting),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
