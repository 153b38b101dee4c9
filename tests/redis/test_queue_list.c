#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row order_of_admission[] = {
    {"submit A --job=j", "OK NEW A"},
    {"submit B --priority=2", "OK NEW B"},
    {"at 1001", ""},
    {"submit C --priority=2", "OK NEW C"},
    {"submit D --delay=900", "OK NEW D"},
    {"submit E --delay=500", "OK NEW E"},
    {"same queue/list 0 100",
     "OK 5 [B '' 2 1000 '' ''] [C '' 2 1001 '' ''] [A j 0 1000 '' ''] [E '' 0 1001 1501 ''] "
     "[D '' 0 1001 1901 '']"},
    {0},
};

static struct row pages[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"submit C --delay=500", "OK NEW C"},
    {"submit D --delay=600", "OK NEW D"},
    {"queue/list 0 1", "OK 4 [A '' 0 1000 '' '']"},
    {"queue/list 1 2", "OK 4 [B '' 0 1000 '' ''] [C '' 0 1000 1500 '']"},
    {"queue/list 2 1", "OK 4 [C '' 0 1000 1500 '']"},
    {"queue/list 3 5", "OK 4 [D '' 0 1000 1600 '']"},
    {"queue/list 4 5", "OK 4"},
    {"queue/list 0 0", "OK 4"},
    {0},
};

static struct row at_most_a_hundred_rows[] = {
    {"repeat 70 submit A#", "OK NEW A70"},
    {"repeat 70 submit B# --delay=5", "OK NEW B70"},
    {"rows queue/list 0 1000", "100"},
    {"rows queue/list 0 100", "100"},
    {"rows queue/list 0 99", "99"},
    {"rows queue/list 100 100", "40"},
    {"queue/list 139 100", "OK 140 [B70 '' 0 1000 1005 '']"},
    {0},
};

static struct row reasons[] = {
    {"HSET @config max_concurrent_runs 2", "1"},
    {"limits team=*=1 env=prod=1", "OK 0"},
    {"submit A team=a env=prod", "OK NEW A"},
    {"submit B team=a env=prod", "OK NEW B"},
    {"submit C team=a", "OK NEW C"},
    {"submit D", "OK NEW D"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"queue/list 0 9", "OK 3 [B '' 0 1000 '' tag limit: env=prod (1/1); tag limit: team=a (1/1)] "
                       "[C '' 0 1000 '' tag limit: team=a (1/1)] [D '' 0 1000 '' '']"},
    {"admit", "OK 0 D 2 1"},
    {"queue/list 0 9",
     "OK 2 [B '' 0 1000 '' global run limit (2/2); tag limit: env=prod (1/1); tag limit: team=a (1/1)] "
     "[C '' 0 1000 '' global run limit (2/2); tag limit: team=a (1/1)]"},
    {"HSET @config max_concurrent_runs -1", "0"},
    {"HSET @tag_limits team=* 0 env=prod three", "0"},
    {"queue/list 0 9", "OK 2 [B '' 0 1000 '' tag limit: env=prod (1/0); tag limit: team=a (1/0)] "
                       "[C '' 0 1000 '' tag limit: team=a (1/0)]"},
    {0},
};

static struct row odd_tag_values[] = {
    {"limits team=*=0", "OK 0"},
    {"submit A 'team=data eng,x=1'", "OK NEW A"},
    {"queue/list 0 9", "OK 1 [A '' 0 1000 '' tag limit: team=data eng,x=1 (0/0)]"},
    {0},
};

static struct row nothing_queued[] = {
    {"same queue/list 0 100", "OK 0"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(order_of_admission),     QUEUE_TEST(pages),
        QUEUE_TEST(at_most_a_hundred_rows), QUEUE_TEST(reasons),
        QUEUE_TEST(odd_tag_values),         QUEUE_TEST(nothing_queued),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
