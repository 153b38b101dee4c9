/* A thousand small claimants on a pool of four, who come again as soon as they are done, and one claim of all four: it gets in
 * within the bound of its patience. On a frozen clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/lua.h"

#define SMALL     1000
#define BEGIN_MS  1000000
#define HOLD_MS   100
#define TICK_MS   20
#define BYPASS_MS 10000

struct crowd {
    struct redis_server server;
    struct lua lua;
    int64_t now;
    int visits[SMALL]; /* how often each came: the attempt of its claim */
};

static const char *text_of(char *buf, size_t size, int64_t n)
{
    snprintf(buf, size, "%lld", (long long)n);
    return buf;
}

static void claim(struct crowd *c, const char *who, int attempt, const char *slots)
{
    char now[24], turn[24];

    lua_run(&c->lua, SCRIPT_POOL_CLAIM, text_of(now, sizeof now, c->now), who, "",
            text_of(turn, sizeof turn, attempt), "0", "p", slots, NULL);
}

static void small_comes(struct crowd *c, int i)
{
    char who[32];

    snprintf(who, sizeof who, "small/%d", i);
    claim(c, who, ++c->visits[i], "1");
}

/* Those who held their slot long enough leave, and come again. */
static void small_ones_move(struct crowd *c)
{
    redisReply *holders = redisCommand(c->lua.redis, "ZRANGE %spool:p:holders 0 -1", c->lua.prefix);
    char now[24], turn[24];

    for (size_t i = 0; i < holders->elements; i++) {
        const char *who = holders->element[i]->str;
        int number;
        if (sscanf(who, "small/%d", &number) != 1)
            continue;
        const char *since = strstr(lua_cmd(&c->lua, "HGET @slots:small %d", number), "claimed_at=");
        assert_non_null(since);
        if (c->now < strtoll(since + strlen("claimed_at="), NULL, 10) + HOLD_MS)
            continue;
        lua_run(&c->lua, SCRIPT_POOL_RELEASE, text_of(now, sizeof now, c->now), who, "",
                text_of(turn, sizeof turn, c->visits[number]), NULL);
        small_comes(c, number);
    }
    freeReplyObject(holders);
}

/* Whoever waits says so every ten seconds. */
static void all_ask_again(struct crowd *c)
{
    char who[32];

    for (int i = 0; i < SMALL; i++) {
        snprintf(who, sizeof who, "small/%d", i);
        claim(c, who, c->visits[i], "1");
    }
    claim(c, "big/main", 1, "4");
}

static bool big_holds(struct crowd *c)
{
    return strcmp(lua_cmd(&c->lua, "ZSCORE @pool:p:holders big/main"), "4") == 0;
}

static void claim_of_all_gets_in_within_its_patience(void **state)
{
    struct crowd *c = *state;
    int64_t passed_at = 0;

    lua_cmd(&c->lua, "HSET @pool_limits p 4");
    for (int i = 0; i < 4; i++)
        small_comes(c, i);
    claim(c, "big/main", 1, "4");
    for (int i = 4; i < SMALL; i++)
        small_comes(c, i);
    while (!big_holds(c)) {
        c->now += TICK_MS;
        small_ones_move(c);
        if (c->now % 10000 == 0)
            all_ask_again(c);
        if (!passed_at)
            passed_at = strtoll(lua_cmd(&c->lua, "HGET @wait:big/main passed_at"), NULL, 10);
        if (passed_at && c->now > passed_at + BYPASS_MS + HOLD_MS + TICK_MS)
            fail_msg("the big claim waits at %lld, it was passed first at %lld", (long long)c->now,
                     (long long)passed_at);
        assert_true(c->now < BEGIN_MS + 60000);
    }
    assert_true(passed_at > 0); /* it was passed, so it is not the order of arrival alone */
    assert_true(c->now >= passed_at + BYPASS_MS);
    assert_string_equal(lua_cmd(&c->lua, "HGET @pool_used p"), "4");
}

static int open_(void **state)
{
    struct crowd *c = calloc(1, sizeof *c);

    redis_server_start(&c->server, NULL);
    lua_open(&c->lua, &c->server);
    c->now = BEGIN_MS;
    *state = c;
    return 0;
}

static int close_(void **state)
{
    struct crowd *c = *state;

    lua_close(&c->lua);
    redis_server_stop(&c->server);
    free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claim_of_all_gets_in_within_its_patience)};

    return cmocka_run_group_tests(tests, open_, close_);
}
