#include "support/queue_sim.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/sim.h"

#define PROFILES 8

/* What cmocka hands to a test. */
struct test {
    struct lua *lua;
    const struct sim_profile *profile;
};

/* Mostly a little, sometimes as long as a lease, rarely so long that nothing is swept for a while, or back.
 */
static void move_clock(struct sim *s)
{
    static const struct {
        uint64_t of_1000;
        int64_t least, most;
    } moves[] = {{600, 0, 50}, {300, 0, 500}, {90, 0, 3000}, {7, 5000, 20000}, {3, -3000, 0}};
    uint64_t at = sim_below(s, 1000);
    size_t i = 0;

    for (; at >= moves[i].of_1000; i++)
        at -= moves[i].of_1000;
    s->now += (moves[i].least + (int64_t)sim_below(s, (uint64_t)(moves[i].most - moves[i].least + 1))) /
              s->profile->pace;
}

static void add_field(struct sim *s, const char *key, const char *equals, const char *value)
{
    size_t n = s->ref.nlimits++;

    snprintf(s->fields[n], sizeof s->fields[n], "%s%s%s", key, equals, value);
    s->limits[n].field = s->fields[n];
}

/* The tag values, the first three of each key such as people write them, and every limit that fits them. */
static void make_tags(struct sim *s)
{
    static const char *const values[KEYS][3] = {
        {"prod", "dev", "data eng,x"}, {"growth", "50%=x", "*"}, {"etl", "caf\xc3\xa9", "a:b"}};

    for (int k = 0; k < KEYS; k++) {
        add_field(s, sim_keys[k], "", "");
        for (int v = 0; v < s->profile->values; v++) {
            char *value = s->values[k][v];
            if (v < 3)
                snprintf(value, sizeof s->values[k][v], "%s", values[k][v]);
            else
                snprintf(value, sizeof s->values[k][v], "v%d", v);
            add_field(s, sim_keys[k], "=", value);
        }
        if (k != 1) /* the second key has a value of this name */
            add_field(s, sim_keys[k], "=", "*");
    }
}

static void sim_init(struct sim *s, struct lua *lua, const struct sim_profile *profile, uint64_t seed)
{
    *s = (struct sim){.lua = lua, .profile = profile, .seed = seed, .random = seed, .now = 1700000000000};
    lua_flush(lua);
    sim_load_invariants(s);
    make_tags(s);
    s->ref.limits = s->limits;
    for (size_t i = 0; i < profile->limits; i++)
        sim_set_limit(s, &s->limits[sim_below(s, s->ref.nlimits)], sim_limit_text(s));
    s->ref.max_concurrent_runs = profile->most;
    sim_set(s, "config", "max_concurrent_runs", profile->most);
}

static void sim_release(struct sim *s)
{
    ref_release(&s->ref);
    text_release(&s->answer);
    text_release(&s->submit_answer);
    text_release(&s->admit_answer);
    for (size_t i = 0; i < LOG; i++)
        text_release(&s->log[i]);
}

static struct ref_run *first(struct sim *s, bool (*kind)(const struct ref_run *))
{
    for (size_t i = 0; i < s->ref.nruns; i++)
        if (kind(&s->ref.runs[i]))
            return &s->ref.runs[i];
    return NULL;
}

/* With every limit out of the way each run is admitted and ends, once, and nothing stays behind. */
static void drain(struct sim *s)
{
    struct ref_run *run;

    for (size_t i = 0; i < s->ref.nlimits; i++)
        if (s->limits[i].text)
            sim_set_limit(s, &s->limits[i], "1000000");
    s->ref.max_concurrent_runs = "-1";
    sim_set(s, "config", "max_concurrent_runs", "-1");
    for (size_t rounds = 0; first(s, ref_is_active); rounds++) {
        if (rounds == 1000)
            sim_broken(s, "the queue does not drain");
        s->now += 1000;
        sim_admit(s, 1, 20);
        sim_check(s);
        while ((run = first(s, ref_in_progress))) {
            sim_finish(s, run, run->token, run->executor, REF_SUCCESS);
            sim_check(s);
        }
    }
    while ((run = first(s, ref_is_final))) {
        sim_delete(s, run);
        sim_check(s);
    }
    if (s->ref.submitted != s->ref.ended)
        sim_broken(s, "%" PRIu64 " runs ended of %" PRIu64, s->ref.ended, s->ref.submitted);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void play(void **state)
{
    const struct test *test = *state;
    const struct sim_profile *profile = test->profile;
    uint64_t first_seed = number_from("RIVERS_MODEL_SEED", 1);
    uint64_t seeds = getenv("RIVERS_MODEL_SEED") ? 1 : (uint64_t)profile->seeds;
    size_t steps = number_from("RIVERS_MODEL_STEPS", profile->steps);
    struct sim *s = xmalloc(sizeof *s);

    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        sim_init(s, test->lua, profile, seed);
        while (s->step < steps) {
            move_clock(s);
            sim_play_one(s);
        }
        drain(s);
        sim_release(s);
    }
    free(s);
}

int sim_main(const struct sim_profile *profiles, size_t count)
{
    struct redis_server server;
    struct lua lua;
    struct CMUnitTest tests[PROFILES] = {0};
    struct test states[PROFILES];

    assert_true(count <= PROFILES);
    for (size_t i = 0; i < count; i++) {
        states[i] = (struct test){&lua, &profiles[i]};
        tests[i] =
            (struct CMUnitTest){.name = profiles[i].name, .test_func = play, .initial_state = &states[i]};
    }
    redis_server_start(&server, NULL);
    lua_open(&lua, &server);
    int failed = _cmocka_run_group_tests("queue", tests, count, NULL, NULL);
    lua_close(&lua);
    redis_server_stop(&server);
    return failed;
}
