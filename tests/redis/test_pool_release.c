#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

#define EVERYTHING                                                                                           \
    "@slots @pool_used @waiters @pools_due @slots:x @pool:db:holders @pool:db:waiters @pool:db:shapes"

static struct row released[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"DEL @events", "1"},
    {"pool/release x/a 1 1", "OK"},
    {"EXISTS " EVERYTHING, "0"},
    {"events", "StepSlotReleased x step a attempt 1 pools db=3 token 1"},
    {"same pool/release x/a 1 1", "OK"},
    {0},
};

/* What is freed is given before anyone else can ask, and its claimant is woken. */
static struct row gives_to_whoever_waits[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim y/b '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/claim z/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"DEL @events", "1"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1 WITHSCORES", "y/b 1 z/c 1"},
    {"LRANGE @wake:y 0 -1", "1"},
    {"LRANGE @wake:z 0 -1", "1"},
    {"EXISTS @wake:x @waiters @wait:y/b @shape:db=1", "0"},
    {"events", "StepSlotReleased x step a attempt 1 pools db=2 token 1; "
               "StepSlotClaimed y step b attempt 1 pools db=1 token 2 waited_ms 0; "
               "StepSlotClaimed z step c attempt 1 pools db=1 token 3 waited_ms 0"},
    {0},
};

/* Best first over all the pools that were freed, in whatever order they are looked at. */
static struct row best_first_over_all_pools[] = {
    {"HSET @pool_limits a 1 b 1", "2"},
    {"pool/claim x/h '' 1 0 a 1 b 1", "GRANTED 1 300000"},
    {"pool/claim x/low '' 1 0 a 1 b 1", "WAITING pools full: 'a' (1/1), 'b' (1/1) a 1 b 1"},
    {"pool/claim x/b '' 1 5 b 1", "WAITING pool 'b' full (1/1) b 1"},
    {"pool/release x/h 1 1", "OK"},
    {"ZRANGE @pool:b:holders 0 -1", "x/b"},
    {"EXISTS @pool:a:holders", "0"},
    {"pool/release x/b 2 1", "OK"},
    {"ZRANGE @pool:b:holders 0 -1", "x/low"},
    {"ZRANGE @pool:a:holders 0 -1", "x/low"},
    {0},
};

/* A head that does not fit is passed by those behind it. */
static struct row past_what_does_not_fit[] = {
    {"HSET @pool_limits db 3", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 2", "GRANTED 2 300000"},
    {"pool/claim x/c '' 1 0 db 3", "WAITING pool 'db' full (3/3) db 1"},
    {"pool/claim x/d '' 1 0 db 2", "WAITING pool 'db' full (3/3) db 2"},
    {"pool/claim x/e '' 1 0 db 1", "WAITING pool 'db' full (3/3) db 3"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/e x/b"},
    {"HGET @wait:x/c passed_at", "1000"},
    {"HGET @wait:x/d passed_at", "1000"},
    {0},
};

/* A limit lowered under what is claimed: nothing is given before it is met. */
static struct row lowered_limit[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {"pool/claim x/d '' 1 0 db 1", "WAITING pool 'db' full (4/4) db 1"},
    {"HSET @pool_limits db 2", "0"},
    {"pool/release x/b 2 1", "OK"},
    {"pool/release x/c 3 1", "OK"},
    {"HGET @pool_used db", "2"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/d"},
    {0},
};

static struct row stale_token[] = {
    {"HSET @pool_limits db 4", "1"},        {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"same pool/release x/a 9 1", "STALE"}, {"same pool/release x/a 1 2", "STALE"},
    {"same pool/release x/b 1 1", "OK"},    {0},
};

/* The same step was granted anew meanwhile, or waits anew. */
static struct row stale_after_a_new_grant[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"at 301000", ""},
    {"pool/claim x/a '' 2 0 db 1", "GRANTED 2 300000"},
    {"same pool/release x/a 1 1", "STALE"},
    {"same pool/release x/a 1 2", "STALE"},
    {"same pool/release x/a '' 1", "STALE"},
    {"at 601000", ""},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 3 300000"},
    {"pool/claim x/a '' 2 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"same pool/release x/a 2 2", "STALE"},
    {"same pool/release x/a '' 1", "STALE"},
    {"pool/release x/a '' 2", "OK"},
    {"EXISTS @waiters", "0"},
    {0},
};

/* An expired grant is gone: its release tells so, and gives on what others should have got. */
static struct row expired[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"DEL @events", "1"},
    {"at 301000", ""},
    {"pool/release x/a 1 1", "OK"},
    {"events", "StepSlotExpired x step a attempt 1 pools db=1 token 1"},
    {"EXISTS " EVERYTHING, "0"},
    {0},
};

static struct row leaves_the_line[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"pool/release x/b '' 1", "OK"},
    {"EXISTS @wait:x/b", "0"},
    {"ZRANGE @pool:db:shapes 0 -1", "000000000000002 db=1"},
    {"pool/release x/c '' 1", "OK"},
    {"EXISTS @pool:db:waiters @pool:db:shapes @shape:db=1 @waiters", "0"},
    {"HKEYS @slots:x", "a"},
    {0},
};

/* Whoever leaves the line before it has heard of its grant gives that back. */
static struct row leaves_with_a_grant[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/release x/a 1 1", "OK"},
    {"HLEN @slots:x", "1"},
    {"pool/release x/b '' 1", "OK"},
    {"EXISTS " EVERYTHING, "0"},
    {0},
};

/* A finishing step frees its own slots only. */
static struct row its_own_only[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/b"},
    {"HKEYS @slots:x", "b"},
    {0},
};

#define RUN_HOLDS_AND_WAITS                                                                                  \
    {"HSET @pool_limits db 2", "1"}, {"submit A --on_lost=requeue", "OK NEW A"}, {"admit", "OK 0 A 1 1"},    \
        {"run/start $A %A host:1 30000", "OK"}, {"pool/claim $A/a %A 1 '' db 2", "GRANTED 11 300000"},       \
        {"pool/claim $A/b %A 1 '' db 1", "WAITING pool 'db' full (2/2) db 1"},                               \
        {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},                                 \
    {                                                                                                        \
        "DEL @events", "1"                                                                                   \
    }

#define ONLY_X_HOLDS                                                                                         \
    {"EXISTS @slots:$A @wait:$A/b @waiters @pool:db:waiters @pool:db:shapes", "0"},                          \
    {                                                                                                        \
        "ZRANGE @pool:db:holders 0 -1 WITHSCORES", "x/c 1"                                                   \
    }

#define GIVEN_ON                                                                                             \
    "StepSlotReleased A step a attempt 1 pools db=2 token 11; "                                              \
    "StepSlotClaimed x step c attempt 1 pools db=1 token 12 waited_ms 0; "

static struct row finished_run[] = {
    RUN_HOLDS_AND_WAITS,
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    ONLY_X_HOLDS,
    {"events", GIVEN_ON "RunSuccess A reason ''"},
    {0},
};

static struct row canceled_run[] = {
    RUN_HOLDS_AND_WAITS, {"run/cancel $A 0", "CANCELING"}, {"run/finish $A %A host:1 Canceled '' 0", "OK"},
    ONLY_X_HOLDS,        {"EXISTS @wake:$A", "0"},         {0},
};

static struct row canceled_before_its_start[] = {
    RUN_HOLDS_AND_WAITS, {"HSET @run:$A state NotStarted", "0"},         {"run/cancel $A 0", "CANCELED"},
    ONLY_X_HOLDS,        {"events", GIVEN_ON "RunCanceled A reason ''"}, {0},
};

static struct row lost_run[] = {
    RUN_HOLDS_AND_WAITS,
    {"run/lost $A %A signal:9", "OK Queued"},
    ONLY_X_HOLDS,
    {"events", GIVEN_ON "RunRequeued A reason executor lost: signal:9"},
    {"pool/release $A/a 11 1", "OK"},
    ONLY_X_HOLDS,
    {0},
};

static struct row run_without_a_lease[] = {
    RUN_HOLDS_AND_WAITS,
    {"at 31000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 2"},
    {"admit --batch=0", "OK 1"},
    ONLY_X_HOLDS,
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(released),
        QUEUE_TEST(gives_to_whoever_waits),
        QUEUE_TEST(best_first_over_all_pools),
        QUEUE_TEST(past_what_does_not_fit),
        QUEUE_TEST(lowered_limit),
        QUEUE_TEST(stale_token),
        QUEUE_TEST(stale_after_a_new_grant),
        QUEUE_TEST(expired),
        QUEUE_TEST(leaves_the_line),
        QUEUE_TEST(leaves_with_a_grant),
        QUEUE_TEST(its_own_only),
        QUEUE_TEST(finished_run),
        QUEUE_TEST(canceled_run),
        QUEUE_TEST(canceled_before_its_start),
        QUEUE_TEST(lost_run),
        QUEUE_TEST(run_without_a_lease),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
