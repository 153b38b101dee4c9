/* rivers.h as a program uses it: slots of pools. Beside the public header only what starts servers and looks into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rivers/rivers.h"
#include "support/api.h"
#include "support/fleet.h"

static const struct rivers_pool one_of_db = {"db", 1};

static int claim(struct rivers *h, const struct rivers_pool *pool, int64_t wait_ms, struct rivers_slots *s)
{
    return rivers_claim(h, "test", pool, 1, 0, wait_ms, s, &e);
}

static void until(int64_t at)
{
    while (rivers_clock_ms() < at)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void slots_are_granted_and_given_back(void **state)
{
    static const struct rivers_pool both[] = {{"db", 2}, {"api", 1}, {"db", 1}};
    struct fleet *f = *state;
    struct rivers_slots s = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 4 api 8");
    lua_cmd(&f->lua, "HSET @pool_leases db 60000");
    int64_t before = rivers_clock_ms();
    assert_ok(rivers_claim(h, "loader", both, 3, 0, 0, &s, &e));
    int64_t after = rivers_clock_ms();

    assert_int_equal(strncmp(s.claim, "loader-", 7), 0);
    assert_int_equal(s.token, 1);
    assert_int_equal(s.lease_ms, 60000);
    assert_in_range(s.renew_at, before + 6000, after + 6000);
    assert_in_range(s.stop_at, before + 54000, after + 54000);
    assert_true(fleet_is(f, "api 1 db 3", "HGETALL @pool_used"));
    assert_fault(rivers_claim(h, "loader", both, 3, 0, 0, &s, &e), RIVERS_INVALID,
                 "slots: hold some already");

    assert_ok(rivers_release(h, &s, &e));
    assert_string_equal(s.claim, "");
    assert_int_equal(s.token, 0);
    assert_true(fleet_is(f, "0", "EXISTS @pool_used"));
    assert_ok(rivers_release(h, &s, &e));

    assert_ok(rivers_claim(h, NULL, both, 3, 0, 0, &s, &e));
    assert_int_equal(s.token, 2);
    assert_ok(rivers_release(h, &s, &e));
    rivers_close(h);
}

static void place_in_line_is_kept(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots holds = {0}, first = {0}, second = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    assert_ok(claim(h, &one_of_db, 0, &holds));
    assert_fault(claim(h, &one_of_db, 0, &first), RIVERS_TIMEOUT,
                 "timed out waiting for pool slots after 0s: pool 'db' full (1/1)");
    assert_fault(claim(h, &one_of_db, 20, &second), RIVERS_TIMEOUT,
                 "timed out waiting for pool slots after 20ms: pool 'db' full (1/1)");
    assert_int_equal(first.token, 0);
    assert_true(fleet_is(f, "2", "ZCARD @waiters"));
    assert_fault(rivers_renew(h, &first, &e), RIVERS_INVALID, "slots: none are held");

    assert_ok(rivers_release(h, &holds, &e));
    assert_fault(claim(h, &one_of_db, 0, &second), RIVERS_TIMEOUT, "pool 'db' full (1/1)");
    assert_ok(claim(h, &one_of_db, 0, &first));
    assert_ok(rivers_release(h, &second, &e));
    assert_true(fleet_is(f, "0", "ZCARD @waiters"));
    assert_ok(rivers_release(h, &first, &e));
    assert_true(fleet_is(f, "0", "EXISTS @pool_used"));
    rivers_close(h);
}

static void priority_comes_first(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots holds = {0}, first = {0}, urgent = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    assert_ok(claim(h, &one_of_db, 0, &holds));
    assert_int_equal(claim(h, &one_of_db, 0, &first), RIVERS_TIMEOUT);
    assert_int_equal(rivers_claim(h, "urgent", &one_of_db, 1, 5, 0, &urgent, &e), RIVERS_TIMEOUT);
    assert_ok(rivers_release(h, &holds, &e));
    assert_int_equal(claim(h, &one_of_db, 0, &first), RIVERS_TIMEOUT);
    assert_ok(rivers_claim(h, "urgent", &one_of_db, 1, 5, 0, &urgent, &e));
    rivers_close(h);
}

/* A thread with a handle of its own. */
static void *waiter(void *arg)
{
    struct rivers_slots *s = arg;
    struct rivers *h;

    if (rivers_open(&h, NULL, NULL) != RIVERS_OK)
        return NULL;
    int code = rivers_claim(h, "waiter", &one_of_db, 1, 0, LONG_MS, s, NULL);
    rivers_close(h);
    return code == RIVERS_OK ? s : NULL;
}

static void waiter_is_woken(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots holds = {0}, theirs = {0};
    struct rivers *h = opened(NULL);
    pthread_t thread;
    void *granted;

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    assert_ok(claim(h, &one_of_db, 0, &holds));
    assert_int_equal(pthread_create(&thread, NULL, waiter, &theirs), 0);
    WAIT_UNTIL(f, fleet_is(f, "1", "ZCARD @waiters"));
    int64_t begun = rivers_clock_ms();
    assert_ok(rivers_release(h, &holds, &e));
    assert_int_equal(pthread_join(thread, &granted), 0);
    assert_ptr_equal(granted, &theirs);
    assert_true(theirs.token > 0 && theirs.stop_at > begun);
    assert_ok(rivers_release(h, &theirs, &e));
    assert_true(fleet_is(f, "0", "EXISTS @pool_used"));
    rivers_close(h);
}

/* Threads that want more than there is. */
enum { CLAIMANTS = 6, TURNS = 30, LIMIT = 3 };
static atomic_int holding, most, turns;

static void *claimant(void *arg)
{
    const struct rivers_pool pool = {"db", *(const int64_t *)arg};
    struct rivers_slots s = {0};
    struct rivers *h = NULL;
    bool well = rivers_open(&h, NULL, NULL) == RIVERS_OK;

    for (int i = 0; well && i < TURNS; i++) {
        well = rivers_claim(h, NULL, &pool, 1, 0, LONG_MS, &s, NULL) == RIVERS_OK;
        int held = atomic_fetch_add(&holding, (int)pool.slots) + (int)pool.slots;
        for (int before = most; before < held && !atomic_compare_exchange_weak(&most, &before, held);)
            ;
        well = well && rivers_renew(h, &s, NULL) == RIVERS_OK;
        atomic_fetch_sub(&holding, (int)pool.slots);
        well = well && rivers_release(h, &s, NULL) == RIVERS_OK;
        atomic_fetch_add(&turns, well);
    }
    rivers_close(h);
    return NULL;
}

static void limit_holds_among_threads(void **state)
{
    static const int64_t weights[] = {1, 2, 3};
    struct fleet *f = *state;
    pthread_t threads[CLAIMANTS];

    lua_cmd(&f->lua, "HSET @pool_limits db %d", LIMIT);
    for (int i = 0; i < CLAIMANTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claimant, (void *)(uintptr_t)&weights[i % 3]), 0);
    for (int i = 0; i < CLAIMANTS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(turns, CLAIMANTS * TURNS);
    assert_int_equal(most, LIMIT);
    assert_true(fleet_is(f, "0", "EXISTS @pool_used @waiters @slots"));
}

static void lease_is_renewed(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots holds = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    assert_ok(claim(h, &one_of_db, 0, &holds));
    const struct rivers_slots granted = holds;
    int64_t ends = fleet_number(f, "ZSCORE @slots %s/main", holds.claim);
    until(rivers_clock_ms() + 5);
    assert_ok(rivers_renew(h, &holds, &e));
    assert_true(fleet_number(f, "ZSCORE @slots %s/main", holds.claim) > ends);
    assert_true(holds.stop_at > granted.stop_at && holds.renew_at > granted.renew_at);
    assert_int_equal(holds.token, granted.token);
    rivers_close(h);
}

static void lease_that_ended_is_lost(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots late = {0}, next = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    lua_cmd(&f->lua, "HSET @pool_leases db 1000");
    assert_ok(claim(h, &one_of_db, 0, &late));
    lua_cmd(&f->lua, "HDEL @pool_leases db");
    WAIT_UNTIL(f, claim(h, &one_of_db, 0, &next) == RIVERS_OK);
    assert_true(next.token > late.token);
    assert_fault(rivers_renew(h, &late, &e), RIVERS_LOST, "are held no longer");
    assert_ok(rivers_release(h, &late, &e)); /* gives back nothing of the other one */
    assert_true(fleet_is(f, "1", "HGET @pool_used db"));
    assert_ok(rivers_renew(h, &next, &e));
    rivers_close(h);
}

static void stale_token_is_told(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots s = {0}, old;
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 2");
    lua_cmd(&f->lua, "HSET @meta token 41");
    assert_ok(claim(h, &one_of_db, 0, &s));
    assert_int_equal(s.token, 42);
    old = s;
    old.token = 41;
    assert_fault(rivers_renew(h, &old, &e), RIVERS_LOST, "are held no longer");
    assert_fault(rivers_release(h, &old, &e), RIVERS_LOST, "are held no longer");
    assert_string_equal(old.claim, "");
    assert_true(fleet_is(f, "1", "HGET @pool_used db"));
    assert_ok(rivers_renew(h, &s, &e));
    rivers_close(h);
}

/* Until stop_at the holder may go on and ask again; from then on it may not. */
static void server_that_is_gone_takes_the_slots(void **state)
{
    const struct rivers_options quick = {.timeout_ms = 250};
    struct fleet *f = *state;
    struct rivers_slots s = {0};
    struct rivers *h = opened(&quick);
    int64_t begun;
    int code;

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    lua_cmd(&f->lua, "HSET @pool_leases db 2000");
    assert_ok(claim(h, &one_of_db, 0, &s));
    const int64_t stop_at = s.stop_at;
    kill(f->server.pid, SIGSTOP);
    do {
        until(s.renew_at < stop_at ? s.renew_at : stop_at);
        begun = rivers_clock_ms();
        code = rivers_renew(h, &s, &e);
        assert_true(code == RIVERS_LOST ? rivers_clock_ms() >= stop_at : begun < stop_at);
        assert_true(code == RIVERS_LOST || code == RIVERS_UNKNOWN || code == RIVERS_UNAVAILABLE);
        assert_true(s.stop_at == stop_at && s.renew_at > begun);
    } while (code != RIVERS_LOST);
    kill(f->server.pid, SIGCONT);
    rivers_close(h);
}

static void unlimited_pools_have_no_lease(void **state)
{
    struct fleet *f = *state;
    struct rivers_slots s = {0};
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db -1");
    assert_ok(claim(h, &one_of_db, 0, &s));
    assert_true(s.token > 0);
    assert_int_equal(s.lease_ms, 0);
    assert_true(s.renew_at == INT64_MAX && s.stop_at == INT64_MAX);
    redis_server_kill(&f->server);
    assert_ok(rivers_renew(h, &s, &e)); /* there is nothing to ask */
    rivers_close(h);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *label;
        struct rivers_pool pool;
        enum rivers_code code;
        const char *says;
    } rows[] = {
        {"a", {"none", 1}, RIVERS_NOT_FOUND, "pool 'none' not configured"},
        {"a", {"db", 5}, RIVERS_REFUSED, "asks 5 slots of pool 'db' (limit 4): it can never run"},
        {"a", {"db", 0}, RIVERS_INVALID, "pool 'db': slots must be a whole number from 1 to 2147483647"},
        {"a", {"", 1}, RIVERS_INVALID, "pool key must be a non-empty string"},
        {"a/b", {"db", 1}, RIVERS_INVALID, "label 'a/b': must be 1 to 63 of A-Z"},
        {"", {"db", 1}, RIVERS_INVALID, "label ''"},
    };
    struct fleet *f = *state;
    struct rivers *h = opened(NULL);
    struct rivers_slots s;

    lua_cmd(&f->lua, "HSET @pool_limits db 4");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s = (struct rivers_slots){0};
        assert_fault(rivers_claim(h, rows[i].label, &rows[i].pool, 1, 0, LONG_MS, &s, &e), rows[i].code,
                     rows[i].says);
        assert_int_equal(s.token, 0);
        assert_ok(rivers_release(h, &s, &e));
    }
    assert_fault(rivers_claim(h, NULL, NULL, 0, 0, 0, &s, &e), RIVERS_INVALID, "no pool is named");
    struct rivers_pool many[65];
    for (size_t i = 0; i < 65; i++)
        many[i] = (struct rivers_pool){"db", 1};
    assert_fault(rivers_claim(h, NULL, many, 65, 0, 0, &s, &e), RIVERS_INVALID,
                 "pool 'db': a claim has at most 64 pools");
    memset(&s, 'x', sizeof s);
    s.token = 0;
    assert_fault(claim(h, &one_of_db, 0, &s), RIVERS_INVALID, "slots: must be zeroed");
    assert_true(fleet_is(f, "0", "EXISTS @pool_used @waiters"));
    rivers_close(h);
}

static void claim_goes_on_after_an_outage(void **state)
{
    const struct rivers_options quick = {.timeout_ms = 200};
    struct fleet *f = *state;
    struct rivers_slots s = {0};
    struct rivers *h = opened(&quick), *patient = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    kill(f->server.pid, SIGSTOP);
    assert_fault(claim(h, &one_of_db, LONG_MS, &s), RIVERS_UNKNOWN, "no reply from redis");
    assert_fault(rivers_release(h, &s, &e), RIVERS_UNAVAILABLE, "");
    assert_string_not_equal(s.claim, "");
    kill(f->server.pid, SIGCONT);
    assert_ok(claim(patient, &one_of_db, 0, &s));
    assert_true(fleet_is(f, "1", "HGET @pool_used db"));
    rivers_close(patient);
    rivers_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(slots_are_granted_and_given_back),
        FLEET_TEST(place_in_line_is_kept),
        FLEET_TEST(priority_comes_first),
        FLEET_TEST(waiter_is_woken),
        FLEET_TEST(limit_holds_among_threads),
        FLEET_TEST(lease_is_renewed),
        FLEET_TEST(lease_that_ended_is_lost),
        FLEET_TEST(stale_token_is_told),
        FLEET_TEST(server_that_is_gone_takes_the_slots),
        FLEET_TEST(unlimited_pools_have_no_lease),
        FLEET_TEST(what_is_wrong_is_named),
        FLEET_TEST(claim_goes_on_after_an_outage),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
