#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row raised_limit[] = {
    {"limits team=1", "OK 0"},
    {"repeat 4 submit A# team=a", "OK NEW A4"},
    {"admit", "OK 0 A1 1 1"},
    {"DEL @bell", "1"},
    {"HSET @tag_limits team 3", "0"},
    {"admit", "OK 0 A2 11 1 A3 12 1"},
    {"ZRANGE @parked:team 0 -1", "A4"},
    {"EXISTS @bell", "0"},
    {0},
};

static struct row lowered_limit[] = {
    {"limits team=3", "OK 0"},
    {"repeat 5 submit A# team=a", "OK NEW A5"},
    {"admit --batch=2", "OK 1 A1 1 1 A2 2 1"},
    {"HSET @tag_limits team 1", "0"},
    {"admit", "OK 0"},
    {"run/finish $A1 %A1 host:1 Success '' 0", "OK"},
    {"admit", "OK 0"},
    {"run/finish $A2 %A2 host:1 Success '' 0", "OK"},
    {"admit --batch=1", "OK 1 A3 11 1"},
    {0},
};

/* A limit that cannot be read lets nobody pass, until it is a number again. */
static struct row spoilt_limit[] = {
    {"limits team=3", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"HSET @tag_limits team three", "0"},
    {"admit", "OK 0"},
    {"HSET @tag_limits team 3", "0"},
    {"admit --batch=1", "OK 0 A 11 1"},
    {0},
};

static struct row many_gates_are_woken_in_slices[] = {
    {"HSET @config max_concurrent_runs -1", "1"},
    {"limits team=*=0", "OK 0"},
    {"repeat 15 submit # team=#", "OK NEW 15"},
    {"admit", "OK 0"},
    {"ZCARD @parked", "15"},
    {"HSET @tag_limits team=* 1", "0"},
    {"admit", "OK 1"},
    {"ZCARD @parked", "5"},
    {"HGET @refile phase", "wake"},
    {"admit --batch=1", "OK 1 1 1 1"},
    {"EXISTS @parked", "0"},
    {"HEXISTS @refile phase", "0"},
    {"repeat 14 admit --batch=1", "OK 0 15 15 1"},
    {0},
};

/* Nothing is admitted before the runs in progress were counted for the new gate. */
static struct row added_limit[] = {
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"submit C team=b", "OK NEW C"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"DEL @bell", "1"},
    {"HSET @tag_limits team=a 1", "1"},
    {"admit", "OK 1"},
    {"HGET @refile phase", "wake_file"},
    {"LRANGE @bell 0 -1", "1"},
    {"HGET @run:$A gates", "team=a"},
    {"ZRANGE @gate:team=a 0 -1", "A"},
    {"HGET @run:$B gates", "''"},
    {"admit", "OK 1 C 2 1"},
    {"HGET @run:$B gates", "team=a"},
    {"ZRANGE @lane:team=a 0 -1", "B"},
    {"admit", "OK 0"},
    {"HMGET @refile phase cursor names", "(nil) (nil) team=a"},
    {"EXISTS @lane: @ready", "0"},
    {"HGET @run:$B parked", "team=a"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"EXISTS @gate:team=a", "0"},
    {0},
};

static struct row removed_limit[] = {
    {"limits team=1 env=*=1", "OK 0"},
    {"submit A team=a env=p", "OK NEW A"},
    {"submit B team=a env=q", "OK NEW B"},
    {"submit C team=a env=p", "OK NEW C"},
    {"admit", "OK 0 A 1 1"},
    {"HDEL @tag_limits team", "1"},
    {"admit", "OK 1"},
    {"EXISTS @gate:team", "0"},
    {"ZRANGE @gate:env=p 0 -1", "A"},
    {"HGET @run:$A gates", "env=p"},
    {"admit", "OK 1 B 11 1"},
    {"admit", "OK 0"},
    {"HMGET @run:$C gates parked", "env=p env=p"},
    {"EXISTS @lane:env=p,team @lane:env=q,team @parked:team @ready", "0"},
    {"ZRANGE @lane:env=p 0 -1", "C"},
    {"HDEL @tag_limits env=*", "1"},
    {"repeat 2 admit", "OK 1 C 20 1"},
    {"admit", "OK 0"},
    {"EXISTS @tag_limits @parked @queue @gate:env=p @gate:env=q", "0"},
    {0},
};

/* `team=*` takes the place of `team=a`: the gate is the same, its limit another. */
static struct row other_limit_on_the_same_gate[] = {
    {"limits team=a=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"HDEL @tag_limits team=a", "1"},
    {"HSET @tag_limits team=* 2", "1"},
    {"admit", "OK 1"},
    {"admit", "OK 1 B 11 1"},
    {"admit", "OK 0"},
    {"ZRANGE @gate:team=a 0 -1", "A B"},
    {0},
};

static struct row changed_again_while_it_is_followed[] = {
    {"submit A team=a env=p", "OK NEW A"},
    {"submit B team=a env=p", "OK NEW B"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"HSET @tag_limits team 1", "1"},
    {"admit", "OK 1"},
    {"HGET @refile phase", "wake_file"},
    {"HSET @tag_limits env 1", "1"},
    {"admit", "OK 1"},
    {"HGET @refile phase", "wake_file"},
    {"HGET @run:$A gates", "env,team"},
    {"HSET @tag_limits team 2", "0"},
    {"admit", "OK 1"},
    {"HGET @refile phase", "wake_file"},
    {"admit", "OK 1"},
    {"admit", "OK 0"},
    {"HMGET @run:$B gates parked", "env,team env"},
    {0},
};

/* Of 150 a slice is a part; nothing is admitted before the last one in progress was counted. */
static struct row counted_and_filed_in_slices[] = {
    {"HSET @config max_concurrent_runs -1", "1"},
    {"repeat 150 submit # team=a", "OK NEW 150"},
    {"repeat 150 admit --batch=1", "OK 0 150 150 1"},
    {"repeat 150 submit # team=a", "OK NEW 150"},
    {"HSET @tag_limits team 151", "1"},
    {"admit", "OK 1"},
    {"HGET @refile phase", "count"},
    {"repeat 40 admit", "OK 0"},
    {"HEXISTS @refile phase", "0"},
    {"ZCARD @gate:team", "151"},
    {"ZCARD @running", "151"},
    {"ZCARD @lane:team", "149"},
    {"EXISTS @lane: @ready", "0"},
    {"ZRANGE @parked:team 0 -1", "2"},
    {0},
};

/* A cursor is a place in the tables of one process: 255 is the last one of these. */
static struct row begun_anew_on_another_server[] = {
    {"HSET @config max_concurrent_runs -1", "1"},
    {"repeat 150 submit # team=a", "OK NEW 150"},
    {"repeat 150 admit --batch=1", "OK 0 150 150 1"},
    {"repeat 150 submit # team=a", "OK NEW 150"},
    {"HSET @tag_limits team 151", "1"},
    {"admit", "OK 1"},
    {"HSET @refile cursor '255 0123456789abcdef'", "0"},
    {"repeat 16 admit --batch=0", "OK 1"},
    {"ZCARD @gate:team", "150"},
    {"HGET @refile phase", "file"},
    {"HSET @refile cursor '255 0123456789abcdef'", "0"},
    {"repeat 40 admit", "OK 0"},
    {"HEXISTS @refile phase", "0"},
    {"ZCARD @gate:team", "151"},
    {"ZCARD @lane:team", "149"},
    {"EXISTS @lane: @ready", "0"},
    {0},
};

/* Between two admissions the limit was not there, and a run came in that had not to wait. */
static struct row materialized_between_two_looks[] = {
    {"limits team=1", "OK 0"},
    {"HDEL @tag_limits team", "1"},
    {"run/materialize c:1 abcd host:1 60000 {} 0 '' '' 1 tag:team a", "OK r0000000z8000abcd 1"},
    {"HSET @tag_limits team 1", "1"},
    {"submit A team=a", "OK NEW A"},
    {"repeat 3 admit --batch=1", "OK 0"},
    {"ZCARD @gate:team", "1"},
    {"HGET @run:$A state", "Queued"},
    {0},
};

static struct row submitted_meanwhile[] = {
    {"submit A team=a", "OK NEW A"},
    {"HSET @tag_limits team 0", "1"},
    {"submit B team=a --priority=1", "OK NEW B"},
    {"HGET @run:$B gates", "team"},
    {"ZRANGE @ready 0 -1", "B A"},
    {"repeat 3 admit", "OK 0"},
    {"HGET @run:$A gates", "team"},
    {"ZRANGE @lane:team 0 -1", "B A"},
    {"ZRANGE @parked:team 0 -1", "B"},
    {0},
};

/* A run filed while the limits were others for a moment is compared when its turn comes. */
static struct row filed_between_two_looks[] = {
    {"HSET @tag_limits team 1", "1"}, {"submit A team=a", "OK NEW A"},
    {"HDEL @tag_limits team", "1"},   {"HGET @run:$A gates", "team"},
    {"admit", "OK 0 A 1 1"},          {"HGET @run:$A gates", "''"},
    {"EXISTS @gate:team", "0"},       {0},
};

static struct row odd_tag_values[] = {
    {"submit A 'team=data eng,x=1'", "OK NEW A"},
    {"submit B 'team=data eng,x=1'", "OK NEW B"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"HSET @tag_limits 'team=data eng,x=1' 1", "1"},
    {"repeat 3 admit", "OK 0"},
    {"ZRANGE @gate:team=data%20eng%2Cx%3D1 0 -1", "A"},
    {"HGET @run:$B parked", "team=data%20eng%2Cx%3D1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(raised_limit),
        QUEUE_TEST(lowered_limit),
        QUEUE_TEST(spoilt_limit),
        QUEUE_TEST(many_gates_are_woken_in_slices),
        QUEUE_TEST(added_limit),
        QUEUE_TEST(removed_limit),
        QUEUE_TEST(other_limit_on_the_same_gate),
        QUEUE_TEST(changed_again_while_it_is_followed),
        QUEUE_TEST(counted_and_filed_in_slices),
        QUEUE_TEST(begun_anew_on_another_server),
        QUEUE_TEST(materialized_between_two_looks),
        QUEUE_TEST(submitted_meanwhile),
        QUEUE_TEST(filed_between_two_looks),
        QUEUE_TEST(odd_tag_values),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
