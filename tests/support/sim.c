#include "support/sim.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_FILE "tests/support/invariants.lua"
#define AUDIT_EVERY 16

const char *const sim_keys[KEYS] = {"env", "team", "kind"};

uint64_t sim_below(struct sim *s, uint64_t n)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return (s->random >> 33) % n;
}

bool sim_one_in(struct sim *s, uint64_t n)
{
    return sim_below(s, n) == 0;
}

static struct text *log_line(struct sim *s)
{
    struct text *line = &s->log[s->logged++ % LOG];

    text_clear(line);
    text_addf(line, "%zu at %" PRId64 ": ", s->step, s->now);
    return line;
}

void sim_broken(struct sim *s, const char *fmt, ...)
{
    char why[4096];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    fprintf(stderr, "RIVERS_MODEL_SEED=%" PRIu64 ", step %zu: %s\n", s->seed, s->step, why);
    for (size_t i = s->logged > LOG ? s->logged - LOG : 0; i < s->logged; i++)
        fprintf(stderr, "  %s\n", text_get(&s->log[i % LOG]));
    fail();
    abort();
}

void args_add(struct args *a, const char *fmt, ...)
{
    va_list ap;

    a->at[a->n++] = a->used;
    va_start(ap, fmt);
    a->used += (size_t)vsnprintf(a->bytes + a->used, sizeof a->bytes - a->used, fmt, ap) + 1;
    va_end(ap);
    assert_true(a->n < ARGS && a->used < sizeof a->bytes);
}

static void print_reply(struct text *t, const redisReply *r)
{
    if (r->type == REDIS_REPLY_ERROR)
        text_addf(t, "ERR:%s", r->str);
    for (size_t i = 0; i < r->elements; i++) {
        const redisReply *child = r->element[i];
        bool nested = child->type == REDIS_REPLY_ARRAY && child->elements > 0;
        text_addf(t, nested ? "%s[%s]" : "%s%s", i ? " " : "", nested ? child->element[0]->str : child->str);
    }
}

const char *sim_call(struct sim *s, enum script_id script, const struct args *a)
{
    const char *argv[ARGS + 1];
    char now[24];
    struct text *line = log_line(s);

    snprintf(now, sizeof now, "%" PRId64, s->now);
    argv[0] = now;
    text_add(line, scripts[script].name);
    for (size_t i = 0; i < a->n; i++) {
        argv[i + 1] = a->bytes + a->at[i];
        text_addf(line, " %s", *argv[i + 1] ? argv[i + 1] : "''");
    }
    redisReply *r = lua_call(s->lua, script, a->n + 1, argv);
    text_clear(&s->answer);
    print_reply(&s->answer, r);
    freeReplyObject(r);
    text_addf(line, " -> %s", text_get(&s->answer));
    return text_get(&s->answer);
}

void sim_expect(struct sim *s, const char *fmt, ...)
{
    char want[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(want, sizeof want, fmt, ap);
    va_end(ap);
    if (strcmp(text_get(&s->answer), want) != 0)
        sim_broken(s, "the reference answers '%s'", want);
}

void sim_set(struct sim *s, const char *hash, const char *field, const char *text)
{
    struct text *line = log_line(s);
    redisReply *r = text ? redisCommand(s->lua->redis, "HSET %s%s %s %s", s->lua->prefix, hash, field, text)
                         : redisCommand(s->lua->redis, "HDEL %s%s %s", s->lua->prefix, hash, field);

    text_addf(line, "%s %s '%s' '%s'", text ? "HSET" : "HDEL", hash, field, text ? text : "");
    freeReplyObject(r);
    s->bell_may_be_late = true;
}

void sim_set_limit(struct sim *s, struct ref_limit *limit, const char *text)
{
    limit->text = text;
    sim_set(s, "tag_limits", limit->field, text);
}

void sim_load_invariants(struct sim *s)
{
    static char body[32768];
    FILE *f = fopen(SCRIPT_FILE, "re");

    if (!f)
        fail_msg("cannot open %s: tests run in the top directory", SCRIPT_FILE);
    size_t len = fread(body, 1, sizeof body, f);
    fclose(f);
    redisReply *r = redisCommand(s->lua->redis, "SCRIPT LOAD %b", body, len);
    if (r->type != REDIS_REPLY_STRING)
        fail_msg("%s: %s", SCRIPT_FILE, r->str);
    snprintf(s->sha1, sizeof s->sha1, "%s", r->str);
    freeReplyObject(r);
}

void sim_check(struct sim *s)
{
    struct text want = {0};
    redisReply *r = redisCommand(s->lua->redis, "EVALSHA %s 2 %s check:{test} %s %s %s", s->sha1,
                                 s->lua->prefix, sim_keys[0], sim_keys[1], sim_keys[2]);

    s->step++;
    if (!r || r->type != REDIS_REPLY_ARRAY)
        sim_broken(s, "%s", r ? r->str : s->lua->redis->errstr);
    ref_print(&s->ref, &want);
    if (strcmp(text_get(&want), r->element[1]->str) != 0)
        sim_broken(s, "the runs differ\nreference:\n%sredis:\n%s", text_get(&want), r->element[1]->str);
    long long bell = r->element[0]->integer;
    if (bell > 1)
        sim_broken(s, "%lld tokens in the bell", bell);
    if (bell == 0 && !s->bell_may_be_late && ref_best(&s->ref))
        sim_broken(s, "%s can be admitted, and nobody was woken", ref_best(&s->ref)->id);
    text_release(&want);
    freeReplyObject(r);
    const char *faults = s->step % AUDIT_EVERY == 0 ? lua_audit(s->lua) : "";
    if (*faults)
        sim_broken(s, "the doctor finds %s", faults);
}
