#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

#define A                                                                                                    \
    "[A state Started priority 0 submitted_at 1000 gates '' job j token 1 attempt 1 dequeued_at 1000 "       \
    "dequeuer d]"
#define B                                                                                                    \
    "[B state NotStarted priority 0 submitted_at 1000 gates '' tag:team a token 2 attempt 1 dequeued_at "    \
    "1000 dequeuer d]"
#define C "[C state Queued priority 0 submitted_at 1000 gates '' job j tag:team a tag:env p]"
#define D "[D state Queued priority 5 submitted_at 1000 gates '' tag:env p]"
#define E "[E state Queued priority 0 submitted_at 1000 not_before 1500]"
#define F "[F state Canceled priority 0 submitted_at 1000 gates '' job j ended_at 1100]"
#define G "[G state Failure priority 0 submitted_at 1000 gates '' ended_at 1200 reason x]"

/* One run of each kind, two where the order matters. */
#define SEVEN_RUNS                                                                                           \
    {"submit A --job=j", "OK NEW A"}, {"submit B team=a", "OK NEW B"}, {"admit", "OK 0 A 1 1 B 2 1"},        \
        {"HSET @run:$A state Started", "0"}, {"submit C --job=j team=a env=p", "OK NEW C"},                  \
        {"submit D --priority=5 env=p", "OK NEW D"}, {"submit E --delay=500", "OK NEW E"},                   \
        {"submit F --job=j", "OK NEW F"}, {"submit G", "OK NEW G"}, {"at 1100", ""},                         \
        {"run/cancel $F 0", "CANCELED"}, {"at 1200", ""}, {"run/cancel $G 0", "CANCELED"},                   \
    {                                                                                                        \
        "HSET @run:$G state Failure reason x", "1"                                                           \
    }

static struct row all_runs[] = {
    SEVEN_RUNS,
    {"same run/list '' 100 '' ''", "OK '' " A " " B " " D " " C " " E " " G " " F},
    {0},
};

static struct row pages[] = {
    SEVEN_RUNS,
    {"run/list '' 3 '' ''", "OK 2 1 " A " " B " " D},
    {"run/list '2 1' 3 '' ''", "OK 4 1 " C " " E " " G},
    {"run/list '4 1' 3 '' ''", "OK '' " F},
    {"run/list '' 7 '' ''", "OK 4 2 " A " " B " " D " " C " " E " " G " " F},
    {"run/list '4 2' 7 '' ''", "OK ''"},
    {"run/list '' 1 '' ''", "OK 1 1 " A},
    {"run/list '9 0' 7 '' ''", "OK ''"},
    {0},
};

static struct row by_state[] = {
    SEVEN_RUNS,
    {"run/list '' 100 Started ''", "OK '' " A},
    {"run/list '' 100 NotStarted ''", "OK '' " B},
    {"run/list '' 100 Queued ''", "OK '' " D " " C " " E},
    {"run/list '' 100 Canceled ''", "OK '' " F},
    {"run/list '' 100 Failure ''", "OK '' " G},
    {"run/list '' 100 Success ''", "OK ''"},
    {"run/list '' 2 Queued ''", "OK 2 2 " D " " C},
    {"run/list '2 2' 2 Queued ''", "OK '' " E},
    {0},
};

static struct row by_job_and_tags[] = {
    SEVEN_RUNS,
    {"run/list '' 100 '' j", "OK '' " A " " C " " F},
    {"run/list '' 100 Queued j", "OK '' " C},
    {"run/list '' 100 '' k", "OK ''"},
    {"run/list '' 100 '' '' team a", "OK '' " B " " C},
    {"run/list '' 100 '' '' team a env p", "OK '' " C},
    {"run/list '' 100 '' '' team b", "OK ''"},
    {"run/list '' 1 '' '' env p", "OK 2 1 " D},
    {"run/list '2 1' 1 '' '' env p", "OK 2 2 " C},
    {0},
};

/* A page that nothing matches ends after 200 runs, and the next one goes on behind them. */
static struct row looks_at_200_runs[] = {
    {"repeat 250 submit #", "OK NEW 250"},
    {"submit Z --job=j", "OK NEW Z"},
    {"run/list '' 100 '' j", "OK 2 200"},
    {"run/list '2 200' 100 '' j", "OK '' [Z state Queued priority 0 submitted_at 1000 gates '' job j]"},
    {"rows run/list '' 1000 '' ''", "200"},
    {"rows run/list '2 200' 1000 '' ''", "51"},
    {0},
};

static struct row nothing_there[] = {
    {"same run/list '' 100 '' ''", "OK ''"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(all_runs),          QUEUE_TEST(pages),
        QUEUE_TEST(by_state),          QUEUE_TEST(by_job_and_tags),
        QUEUE_TEST(looks_at_200_runs), QUEUE_TEST(nothing_there),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
