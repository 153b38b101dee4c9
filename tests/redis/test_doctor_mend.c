/* Each fault is made by hand, found by doctor/audit, put right by doctor/mend, and not found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "support/lua.h"
#include "support/redis_server.h"

static struct redis_server server;
static struct lua lua;

/* A queued run, one that waits for its gate, one in progress under slots with a claim that waits, one that ended, and one that
 * is delayed. Their ids are known: the clock and the randomness are given. */
static const char *const scene[] = {
    "HSET @tag_limits team 1",
    "HSET @pool_limits db 1",
};

static char id[5][32]; /* running, parked, ended, delayed, queued */

static void submit(int i, const char *tag, const char *delay)
{
    char random[8];
    const char *argv[] = {"1000", "", random, "1", "0", "{}", "0", "", delay, "1", "tag:team", "x"};
    size_t n = *tag ? 12 : 10;

    snprintf(random, sizeof random, "000%d", i);
    if (!*tag)
        argv[9] = "0";
    struct redisReply *r = lua_call(&lua, SCRIPT_RUN_SUBMIT, n, argv);
    snprintf(id[i], sizeof id[i], "%s", r->element[2]->str);
    freeReplyObject(r);
}

static void admit(const char *batch)
{
    lua_run(&lua, SCRIPT_RUN_ADMIT, "1000", "", "d", batch, "", "15000", "30000", "250", "604800000", "1000",
            "0", NULL);
}

static int set_scene(void **state)
{
    (void)state;
    lua_flush(&lua);
    for (size_t i = 0; i < sizeof scene / sizeof *scene; i++)
        lua_cmd(&lua, "%s", scene[i]);
    for (int i = 0; i < 3; i++)
        admit("10"); /* follows the limits */
    submit(0, "team", "");
    submit(1, "team", "");
    submit(2, "", "");
    admit("10");
    lua_run(&lua, SCRIPT_RUN_START, "1000", id[0], "1", "host:1", "30000", NULL);
    lua_run(&lua, SCRIPT_RUN_FINISH, "1000", id[2], "2", "", "Success", "", "0", NULL);
    assert_string_equal(lua_cmd(&lua, "ZRANGE @running 0 -1"), id[0]);
    submit(3, "", "5000");
    submit(4, "", "");
    lua_run(&lua, SCRIPT_POOL_CLAIM, "1000", "x/a", "", "1", "0", "db", "1", NULL);
    lua_run(&lua, SCRIPT_POOL_CLAIM, "1000", "y/a", "", "1", "0", "db", "1", NULL);
    return 0;
}

/* All slices; returns how many faults there were. */
static size_t all_slices(enum script_id script)
{
    char cursor[4096] = "";
    size_t faults = 0;

    do {
        const char *argv[] = {"1000", cursor};
        struct redisReply *r = lua_call(&lua, script, 2, argv);
        if (r->type != REDIS_REPLY_ARRAY)
            fail_msg("%s", lua_text(r));
        faults += r->elements - 2;
        snprintf(cursor, sizeof cursor, "%s", r->element[1]->str);
        freeReplyObject(r);
    } while (*cursor);
    return faults;
}

static void well(void **state)
{
    (void)state;
    assert_string_equal(lua_audit(&lua), "");
    assert_int_equal(all_slices(SCRIPT_DOCTOR_MEND), 0);
}

/* `#N` stands for an id. */
static const char *with_ids(const char *command)
{
    static char text[512];
    char *end = text;

    for (; *command; command++)
        if (*command == '#')
            end += sprintf(end, "%s", id[*++command - '0']);
        else
            *end++ = *command;
    *end = '\0';
    return text;
}

static void found_and_mended(void **state)
{
    static const char *const faults[] = {
        "DEL @run:#0",
        "DEL @run:#1",
        "DEL @run:#2",
        "DEL @run:#3",
        "DEL @run:#4",
        "HDEL @run:#4 state",
        "HSET @run:#4 state Success",
        "HSET @run:#0 state Queued",
        "ZREM @running #0",
        "ZREM @queue #4",
        "ZREM @delayed #3",
        "ZREM @history #2",
        "ZADD @history 1 #0",
        "ZREM @ready #4",
        "ZADD @ready 0 #1",
        "ZREM @parked:team #1",
        "DEL @lane:",
        "ZREM @gate:team #0",
        "ZADD @gate:team 1 #2",
        "ZADD @gate:team 1 nobody",
        "ZADD @gate:env 1 #0",
        "ZADD @dequeuer:d 1 #2",
        "SET @spec:nobody x",
        "SET @log:nobody/a x",
        "SET @key:k nobody",
        "HDEL @slots:x a",
        "DEL @wait:y/a",
        "ZREM @slots x/a",
        "ZREM @waiters y/a",
        "ZADD @slots 1 z/a",
        "DEL @pool:db:holders",
        "HSET @pool_used db 3",
        "HSET @pool_used api 3",
        "HSET @slots:z a waits",
        "HSET @slots:x a token=1",
        "ZADD @shape:db=1 0 000000000000009_z/a",
        "ZADD @pool:db:waiters 0 000000000000009_z/a",
        "DEL @shape:db=1",
        "DEL @parked",
        "ZREM @queue #1",
        "HSET @pool_used db many",
        "HSET @pool_used api 1.5",
        "ZADD @pool:db:shapes 0 000000000000009_db=7",
    };

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        set_scene(NULL);
        lua_cmd(&lua, "%s", with_ids(faults[i]));
        if (!*lua_audit(&lua))
            fail_msg("not found: %s", faults[i]);
        assert_true(all_slices(SCRIPT_DOCTOR_MEND) > 0);
        all_slices(SCRIPT_DOCTOR_MEND); /* what the first pass has made visible */
        const char *left = lua_audit(&lua);
        if (*left)
            fail_msg("not mended: %s: %s", faults[i], left);
        admit("10");
        left = lua_audit(&lua);
        if (*left)
            fail_msg("broken by the next admission: %s: %s", faults[i], left);
    }
}

static int open_all(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    lua_open(&lua, &server);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lua_close(&lua);
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(well, set_scene),
        cmocka_unit_test(found_and_mended),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
