/* Pools against a naive scan: seeded random operations on a frozen clock, every answer compared, and every key looked at
 * after each. RIVERS_MODEL_SEED plays that one seed, RIVERS_MODEL_STEPS sets the steps of a seed. A test that fails prints its
 * seed and the last operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/lua.h"
#include "support/pool_reference.h"

#define SCRIPT_FILE "tests/support/pool_invariants.lua"

enum { SEEDS = 41, STEPS = 1500, LOG = 20, WORDS = 80 };

struct sim {
    struct lua lua;
    struct pool_reference ref;
    uint64_t seed, random;
    size_t step;
    char sha1[41]; /* of the invariants */
    struct text line, want, log[LOG];
    size_t logged;
};

static uint64_t below(struct sim *s, uint64_t n)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return (s->random >> 33) % n;
}

static bool one_in(struct sim *s, uint64_t n)
{
    return below(s, n) == 0;
}

#define PICK(s, table) ((table)[below(s, sizeof(table) / sizeof *(table))])

static void broken(struct sim *s, const char *why, const char *got)
{
    fprintf(stderr, "RIVERS_MODEL_SEED=%" PRIu64 ", step %zu: %s\n%s\n", s->seed, s->step, why, got);
    for (size_t i = s->logged > LOG ? s->logged - LOG : 0; i < s->logged; i++)
        fprintf(stderr, "  %s\n", text_get(&s->log[i % LOG]));
    fail();
}

/* --- calls
 * --------------------------------------------------------------------------------------------------------- */

/* The words of a command, tabs between them: names hold blanks. */
static void line_start(struct sim *s, const char *first)
{
    text_clear(&s->line);
    text_clear(&s->want);
    text_add(&s->line, first);
}

static const char *log_line(struct sim *s, const char *answer)
{
    struct text *log = &s->log[s->logged++ % LOG];

    text_clear(log);
    text_addf(log, "%zu at %" PRId64 ": %s -> %s", s->step, s->ref.now, text_get(&s->line), answer);
    return answer;
}

static size_t words_split(char *line, const char *words[WORDS])
{
    size_t n = 0;

    for (char *word; (word = strsep(&line, "\t"));) {
        assert_true(n < WORDS);
        words[n++] = word;
    }
    return n;
}

/* Runs a script with the words of the line behind the time. */
static const char *run(struct sim *s, enum script_id script)
{
    char line[2048];
    const char *words[WORDS];

    snprintf(line, sizeof line, "%" PRId64 "%s", s->ref.now, strchr(text_get(&s->line), '\t'));
    size_t n = words_split(line, words);
    return log_line(s, lua_text(lua_call(&s->lua, script, n, words)));
}

/* Runs a command of the server with the words of the line; the prefix goes before the first key. */
static void command(struct sim *s)
{
    char line[2048];
    const char *words[WORDS];

    snprintf(line, sizeof line, "%s", text_get(&s->line));
    size_t n = words_split(line, words);
    log_line(s, lua_text(redisCommandArgv(s->lua.redis, (int)n, words, NULL)));
}

static void expect(struct sim *s, const char *got)
{
    if (strcmp(got, text_get(&s->want)) != 0)
        broken(s, "the reference answers", text_get(&s->want));
}

static void load_invariants(struct sim *s)
{
    char body[16384];
    FILE *f = fopen(SCRIPT_FILE, "re");

    assert_non_null(f);
    size_t len = fread(body, 1, sizeof body, f);
    fclose(f);
    redisReply *r = redisCommand(s->lua.redis, "SCRIPT LOAD %b", body, len);
    assert_int_equal(r->type, REDIS_REPLY_STRING);
    snprintf(s->sha1, sizeof s->sha1, "%s", r->str);
    freeReplyObject(r);
}

/* Compares every claim with the reference, and looks at every key. */
static void check(struct sim *s)
{
    redisReply *r = redisCommand(s->lua.redis, "EVALSHA %s 1 %s", s->sha1, s->lua.prefix);

    if (s->ref.broken)
        broken(s, s->ref.broken, "");
    text_clear(&s->want);
    pool_ref_print(&s->ref, &s->want);
    if (r->type != REDIS_REPLY_STRING || strcmp(r->str, text_get(&s->want)) != 0) {
        fprintf(stderr, "reference:\n%sredis:\n", text_get(&s->want));
        broken(s, "the claims differ", r->str);
    }
    freeReplyObject(r);
    s->step++;
    const char *faults = s->step % 16 == 0 ? lua_audit(&s->lua) : "";
    if (*faults)
        broken(s, "the doctor finds", faults);
}

/* --- operations
 * ---------------------------------------------------------------------------------------------------- */

static void add_claim(struct sim *s, size_t i)
{
    text_addf(&s->line, "\tr%zu/s%zu", i / REF_STEPS, i % REF_STEPS);
}

static void ask(struct sim *s, size_t i, int64_t attempt, const int64_t asks[REF_POOLS], int64_t priority)
{
    line_start(s, "pool/claim");
    add_claim(s, i);
    text_addf(&s->line, "\t\t%" PRId64 "\t%" PRId64, attempt, priority);
    for (size_t p = REF_POOLS; p-- > 0;)
        for (int64_t n = asks[p], part; n; n -= part) { /* sometimes in two parts */
            part = one_in(s, 4) ? 1 + (int64_t)below(s, (uint64_t)n) : n;
            text_addf(&s->line, "\t%s\t%" PRId64, s->ref.pools[p].name, part);
        }
    const char *got = run(s, SCRIPT_POOL_CLAIM);
    pool_ref_claim(&s->ref, i, attempt, asks, priority, &s->want);
    expect(s, got);
}

static void ask_anew(struct sim *s, size_t i, int64_t attempt)
{
    static const int64_t slots[] = {1, 1, 1, 1, 2, 2, 3, 4}, priorities[] = {0, 0, 0, 0, 0, 3, -2};
    int64_t asks[REF_POOLS] = {0};

    for (uint64_t n = 1 + (one_in(s, 2) ? below(s, REF_POOLS) : 0); n > 0; n--)
        asks[below(s, REF_POOLS)] = PICK(s, slots);
    ask(s, i, attempt, asks, PICK(s, priorities));
}

/* Mostly what is waited for is asked again, sometimes as another attempt. */
static void op_claim(struct sim *s)
{
    size_t i = below(s, REF_CLAIMS);
    const struct ref_claim c = s->ref.claims[i];

    if (c.state == REF_IDLE || one_in(s, 12))
        ask_anew(s, i, c.attempt + 1 - (int64_t)below(s, 2));
    else if (one_in(s, 20))
        ask_anew(s, i, c.attempt - 1);
    else
        ask(s, i, c.attempt, c.asks, c.priority);
}

static void release(struct sim *s, size_t i, int64_t token, int64_t attempt)
{
    line_start(s, "pool/release");
    add_claim(s, i);
    text_add(&s->line, "\t");
    if (token)
        text_addf(&s->line, "%" PRId64, token);
    text_addf(&s->line, "\t%" PRId64, attempt);
    const char *got = run(s, SCRIPT_POOL_RELEASE);
    pool_ref_release(&s->ref, i, token, attempt, &s->want);
    expect(s, got);
}

static void op_release(struct sim *s)
{
    size_t i = below(s, REF_CLAIMS);
    const struct ref_claim *c = &s->ref.claims[i];
    int64_t token = c->state == REF_HOLDS && !one_in(s, 8) ? c->token : 0;

    if (one_in(s, 12))
        token = c->token - 1;
    release(s, i, token < 0 ? 0 : token, c->attempt - one_in(s, 15));
}

static void op_renew(struct sim *s)
{
    size_t of_run = below(s, REF_RUNS);
    struct text tokens = {0};

    line_start(s, "pool/renew");
    text_addf(&s->line, "\tr%zu", of_run);
    text_add(&s->want, "OK");
    for (size_t step = below(s, 2); step < REF_STEPS; step += 1 + below(s, 2)) {
        size_t i = of_run * REF_STEPS + step;
        int64_t token = s->ref.claims[i].token - one_in(s, 10);
        text_addf(&s->line, "\ts%zu", step);
        text_addf(&tokens, "\t%" PRId64, token);
        if (!pool_ref_renew(&s->ref, i, token))
            text_addf(&s->want, " %" PRId64, token);
    }
    text_add(&s->line, text_get(&tokens));
    text_release(&tokens);
    expect(s, run(s, SCRIPT_POOL_RENEW));
}

static const char *const limits[] = {"4", "4", "4", "6", "3", "2", "8", "1", "0", "-1", "x"};

static void set_limit(struct sim *s, struct ref_pool *pool, const char *limit)
{
    pool->limit = limit;
    line_start(s, "HSET");
    text_addf(&s->line, "\t%spool_limits\t%s\t%s", s->lua.prefix, pool->name, limit);
    command(s);
}

static void set_pool(struct sim *s, struct ref_pool *pool, const char *limit, int64_t lease, int64_t bypass)
{
    line_start(s, "pool/set");
    text_addf(&s->line, "\t%s\t%s\t%" PRId64 "\t%" PRId64, pool->name, limit, lease, bypass);
    pool->limit = limit;
    pool->lease = lease < 1000 ? 1000 : lease;
    pool->bypass = bypass;
    text_addf(&s->want, "OK %s %" PRId64 " %" PRId64, limit, pool->lease, pool->bypass);
    expect(s, run(s, SCRIPT_POOL_SET));
    pool_ref_serve(&s->ref, 1U << (pool - s->ref.pools));
}

static void op_limit(struct sim *s)
{
    static const int64_t leases[] = {500, 2000, 5000, 20000}, bypasses[] = {0, 2000, 5000, 10000};
    struct ref_pool *pool = &s->ref.pools[below(s, REF_POOLS)];

    if (one_in(s, 2))
        set_limit(s, pool, PICK(s, limits));
    else
        set_pool(s, pool, PICK(s, limits), PICK(s, leases), PICK(s, bypasses));
}

/* What a dequeuer does all the time. */
static void op_admit(struct sim *s)
{
    line_start(s, "run/admit");
    text_add(&s->line, "\t\td\t0\t\t15000\t30000\t5000\t604800000\t100000");
    text_add(&s->want, "OK 0");
    expect(s, run(s, SCRIPT_RUN_ADMIT));
    pool_ref_admit(&s->ref);
}

/* A run ends with whatever its steps hold and wait for. */
static void op_end_run(struct sim *s)
{
    size_t number = below(s, REF_RUNS);

    line_start(s, "HSET");
    text_addf(&s->line, "\t%srun:r%zu\tstate\tStarted\ttoken\t1", s->lua.prefix, number);
    command(s);
    line_start(s, "run/finish");
    text_addf(&s->line, "\tr%zu\t1\thost:1\tSuccess\t\t0", number);
    text_add(&s->want, "OK");
    expect(s, run(s, SCRIPT_RUN_FINISH));
    pool_ref_end_run(&s->ref, number);
    line_start(s, "DEL");
    text_addf(&s->line, "\t%srun:r%zu\t%shistory", s->lua.prefix, number, s->lua.prefix);
    command(s);
}

/* Everything stood still for a while, or the clock was set ahead. */
static void op_gap(struct sim *s)
{
    s->ref.now += (int64_t)below(s, 60000);
}

static void play_one(struct sim *s)
{
    static const struct {
        uint64_t of_100;
        void (*play)(struct sim *s);
    } ops[] = {{48, op_claim}, {22, op_release}, {14, op_renew}, {6, op_admit},
               {6, op_limit},  {3, op_end_run},  {1, op_gap}};
    uint64_t at = below(s, 100);
    size_t i = 0;

    for (; at >= ops[i].of_100; i++)
        at -= ops[i].of_100;
    ops[i].play(s);
}

/* Mostly a little, sometimes as long as a lease or the patience of a waiter. */
static void move_clock(struct sim *s)
{
    static const uint64_t most[] = {1, 50, 50, 200, 200, 200, 1000, 1000, 3000, 12000};

    s->ref.now += (int64_t)below(s, one_in(s, 200) ? 40000 : PICK(s, most));
}

/* --- one seed
 * ------------------------------------------------------------------------------------------------------ */

static void start(struct sim *s, uint64_t seed)
{
    static const struct pool_reference none = {.now = 1700000000000,
                                               .pools = {{.name = "a b", .escaped = "a%20b"},
                                                         {.name = "db", .escaped = "db"},
                                                         {.name = "gpu", .escaped = "gpu"},
                                                         {.name = "web,1=%", .escaped = "web%2C1%3D%25"}}};

    s->ref = none;
    s->seed = s->random = seed;
    s->step = 0;
    lua_flush(&s->lua);
    for (size_t p = 0; p < REF_POOLS; p++)
        set_pool(s, &s->ref.pools[p], "4", 5000, 5000);
    check(s);
}

/* When everyone has ended, nothing stays behind but what operators set, counters and events. */
static void drain(struct sim *s)
{
    for (size_t p = 0; p < REF_POOLS; p++)
        set_limit(s, &s->ref.pools[p], "1000");
    op_admit(s);
    check(s);
    for (size_t i = 0; i < REF_CLAIMS; i++) {
        const struct ref_claim *c = &s->ref.claims[i];
        if (c->state == REF_WAITS)
            broken(s, "a claim waits for what is free", "");
        release(s, i, c->state == REF_HOLDS ? c->token : 0, c->attempt);
        check(s);
    }
    freeReplyObject(redisCommand(s->lua.redis, "DEL %sbell %swake:r0 %swake:r1 %swake:r2 %swake:r3",
                                 s->lua.prefix, s->lua.prefix, s->lua.prefix, s->lua.prefix, s->lua.prefix));
    const char *left = lua_cmd(&s->lua, "DBSIZE");
    if (strcmp(left, "5") != 0) /* meta, events, pool_limits, pool_leases, pool_bypass */
        broken(s, "keys are left", lua_cmd(&s->lua, "KEYS @*"));
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void pools(void **state)
{
    struct sim *s = *state;
    uint64_t seed = number_from("RIVERS_MODEL_SEED", 1);
    uint64_t last = getenv("RIVERS_MODEL_SEED") ? seed : seed + SEEDS - 1;
    size_t steps = number_from("RIVERS_MODEL_STEPS", STEPS);

    for (; seed <= last; seed++) {
        start(s, seed);
        while (s->step < steps) {
            move_clock(s);
            play_one(s);
            check(s);
        }
        drain(s);
    }
}

int main(void)
{
    struct redis_server server;
    struct sim sim = {0};
    struct CMUnitTest tests[] = {{.name = "pools", .test_func = pools, .initial_state = &sim}};

    redis_server_start(&server, NULL);
    lua_open(&sim.lua, &server);
    load_invariants(&sim);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    text_release(&sim.line);
    text_release(&sim.want);
    for (size_t i = 0; i < LOG; i++)
        text_release(&sim.log[i]);
    lua_close(&sim.lua);
    redis_server_stop(&server);
    return failed;
}
