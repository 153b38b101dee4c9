#include "support/queue_sim.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/lua.h"
#include "support/reference.h"

#define SCRIPT_FILE "tests/support/invariants.lua"
enum { KEYS = 3, FIELDS = KEYS * (2 + SIM_VALUES), LOG = 20, ARGS = 96, PROFILES = 8 };

/* The arguments of one script call behind the time. */
struct args {
    size_t n, used;
    size_t at[ARGS];
    char bytes[4096];
};

struct sim {
    struct lua *lua;
    const struct sim_profile *profile;
    uint64_t seed, random;
    size_t step, steps;
    int64_t now, last_token;
    char last_id[24];
    unsigned long long requests;
    char values[KEYS][SIM_VALUES][24];
    char fields[FIELDS][40];
    struct ref_limit limits[FIELDS];
    struct reference ref;
    char sha1[41];             /* of the invariants */
    bool bell_may_be_late;     /* what was set with HSET rings no bell */
    struct text answer;        /* of the last script */
    struct args submit, admit; /* the last request of each, to be sent again */
    struct text submit_answer, admit_answer;
    struct text log[LOG];
    size_t logged;
};

/* What cmocka hands to a test. */
struct test {
    struct lua *lua;
    const struct sim_profile *profile;
};

static const char *const KEY[KEYS] = {"env", "team", "kind"};

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

static struct text *log_line(struct sim *s)
{
    struct text *line = &s->log[s->logged++ % LOG];

    text_clear(line);
    text_addf(line, "%zu at %" PRId64 ": ", s->step, s->now);
    return line;
}

static void broken(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

static void broken(struct sim *s, const char *fmt, ...)
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

static void arg(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void arg(struct args *a, const char *fmt, ...)
{
    va_list ap;

    a->at[a->n++] = a->used;
    va_start(ap, fmt);
    a->used += (size_t)vsnprintf(a->bytes + a->used, sizeof a->bytes - a->used, fmt, ap) + 1;
    va_end(ap);
    assert_true(a->n < ARGS && a->used < sizeof a->bytes);
}

/* Words joined by blanks; of an array within, its first word in []. */
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

/* Runs a script at the time of the moment; its answer is in s->answer. */
static const char *call(struct sim *s, enum script_id script, const struct args *a)
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

static void expect(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void expect(struct sim *s, const char *fmt, ...)
{
    char want[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(want, sizeof want, fmt, ap);
    va_end(ap);
    if (strcmp(text_get(&s->answer), want) != 0)
        broken(s, "the reference answers '%s'", want);
}

/* Looks at everything after each call. */
static void check(struct sim *s)
{
    struct text want = {0};
    redisReply *r = redisCommand(s->lua->redis, "EVALSHA %s 2 %s check:{test} %s %s %s", s->sha1,
                                 s->lua->prefix, KEY[0], KEY[1], KEY[2]);

    s->step++;
    if (!r || r->type != REDIS_REPLY_ARRAY)
        broken(s, "%s", r ? r->str : s->lua->redis->errstr);
    ref_print(&s->ref, &want);
    if (strcmp(text_get(&want), r->element[1]->str) != 0)
        broken(s, "the runs differ\nreference:\n%sredis:\n%s", text_get(&want), r->element[1]->str);
    long long bell = r->element[0]->integer;
    if (bell > 1)
        broken(s, "%lld tokens in the bell", bell);
    if (bell == 0 && !s->bell_may_be_late && ref_best(&s->ref))
        broken(s, "%s can be admitted, and nobody was woken", ref_best(&s->ref)->id);
    text_release(&want);
    freeReplyObject(r);
}

/* A run, mostly one that the wanted kind fits; NULL when there is none at all. */
static struct ref_run *pick(struct sim *s, bool (*wanted)(const struct ref_run *))
{
    struct ref_run *run = NULL;

    for (int i = 0; i < 12 && s->ref.nruns; i++) {
        run = &s->ref.runs[below(s, s->ref.nruns)];
        if (wanted(run))
            break;
    }
    return run;
}

static bool is_not_started(const struct ref_run *run)
{
    return run->state == REF_NOT_STARTED;
}

static bool is_started(const struct ref_run *run)
{
    return run->state == REF_STARTED;
}

static bool is_active(const struct ref_run *run)
{
    return !ref_is_final(run);
}

static int64_t some_token(struct sim *s, const struct ref_run *run)
{
    return one_in(s, 8) ? run->token - 1 : run->token;
}

static void some_run(struct sim *s, struct ref_run *run, struct args *a)
{
    static const int priorities[] = {-1, 0, 0, 0, 1, 5};
    int64_t delay = one_in(s, 8) ? (int64_t)below(s, 5000) : -1;

    *run = (struct ref_run){.priority = PICK(s, priorities),
                            .key = one_in(s, 10) ? 1 + (int)below(s, 5) : 0,
                            .requeue = one_in(s, 3),
                            .max_attempts = (int)below(s, 5),
                            .delayed = delay >= 0,
                            .at = delay >= 0 ? s->now + delay : 0};
    for (int k = 0; k < KEYS; k++)
        if (one_in(s, 2))
            run->tags[run->ntags++] =
                (struct ref_tag){KEY[k], s->values[k][below(s, (uint64_t)s->profile->values)]};
    arg(a, "{}");
    arg(a, "job");
    arg(a, "%d", run->priority);
    arg(a, run->key ? "k%d" : "", run->key);
    arg(a, delay >= 0 ? "%" PRId64 : "", delay);
    arg(a, run->requeue ? "requeue" : "");
    arg(a, run->max_attempts ? "%d" : "", run->max_attempts);
    arg(a, "%zu", run->ntags);
    for (size_t t = 0; t < run->ntags; t++) {
        arg(a, "%s", run->tags[t].key);
        arg(a, "%s", run->tags[t].value);
    }
}

static void submitted(struct sim *s, struct ref_run *run, const char *word, const char *id)
{
    const struct ref_run *same = ref_find_key(&s->ref, run->key);
    const char *want = same ? "EXISTS" : ref_queue_full(&s->ref) ? "FULL" : "NEW";

    if (strcmp(word, want) != 0 || (same && strcmp(id, same->id) != 0))
        broken(s, "the reference says %s %s", want, same ? same->id : "");
    if (strcmp(want, "NEW") != 0)
        return;
    if (strcmp(id, s->last_id) <= 0)
        broken(s, "the id does not sort behind %s", s->last_id);
    snprintf(s->last_id, sizeof s->last_id, "%s", id);
    snprintf(run->id, sizeof run->id, "%s", id);
    ref_add(&s->ref, run);
}

static void op_submit(struct sim *s)
{
    struct ref_run runs[4];
    size_t count = 1 + below(s, 4);
    char random[5], *rest, *word;

    if (ref_count_queued(&s->ref) >= s->profile->queued)
        return;
    s->submit = (struct args){0};
    arg(&s->submit, "submitter:%llu", ++s->requests);
    snprintf(random, sizeof random, "%04u", (unsigned)below(s, 10000));
    arg(&s->submit, "%s", random);
    arg(&s->submit, "%zu", count);
    for (size_t i = 0; i < count; i++)
        some_run(s, &runs[i], &s->submit);
    text_clear(&s->submit_answer);
    text_add(&s->submit_answer, call(s, SCRIPT_RUN_SUBMIT, &s->submit));
    rest = s->answer.s;
    if (!(word = strsep(&rest, " ")) || strcmp(word, "OK") != 0)
        broken(s, "submit failed");
    for (size_t i = 0; i < count; i++) {
        word = strsep(&rest, " ");
        submitted(s, &runs[i], word, strsep(&rest, " "));
    }
}

/* Takes over what was admitted, in its order. Returns how many runs that were. */
static size_t admitted(struct sim *s, char *rest, int capacity_of)
{
    size_t n = 0;

    for (const char *id; (id = strsep(&rest, " ")); n++) {
        int64_t token = strtoll(strsep(&rest, " "), NULL, 10);
        struct ref_run *best = ref_best(&s->ref);
        if (!best || strcmp(best->id, id) != 0)
            broken(s, "admitted %s where the reference admits %s", id, best ? best->id : "nothing");
        if (token <= s->last_token || best->attempt + 1 != atoi(strsep(&rest, " ")))
            broken(s, "wrong token or attempt");
        ref_admit(best, s->now, token, capacity_of);
        s->last_token = token;
    }
    return n;
}

/* One call. Returns whether it left something undone that the dequeuer could do at once. */
static bool admit_once(struct sim *s, int dequeuer, size_t batch)
{
    static const int capacities[] = {0, 0, 3}; /* by dequeuer; 0 unlimited */
    int capacity = capacities[dequeuer];
    struct args a = {0};

    arg(&a, "dequeuer:%llu", ++s->requests);
    arg(&a, "d%d", dequeuer);
    arg(&a, "%zu", batch);
    arg(&a, capacity ? "%d" : "", capacity);
    arg(&a, "%d", REF_LAUNCH_LEASE_MS);
    arg(&a, "%d", REF_RUN_LEASE_MS);
    arg(&a, "%d", REF_INTERVAL_MS);
    arg(&a, "%d", REF_RETENTION_MS);
    arg(&a, "%d", REF_RETENTION_RUNS);
    lua_cmd(s->lua, "DEL @bell");
    text_clear(&s->admit_answer);
    text_add(&s->admit_answer, call(s, SCRIPT_RUN_ADMIT, &a));
    s->admit = a;
    char *rest = s->answer.s;
    bool ok = strcmp(strsep(&rest, " "), "OK") == 0;
    const char *more = strsep(&rest, " ");
    if (!ok || !more)
        broken(s, "admit failed");
    ref_upkeep(&s->ref, s->now);
    size_t n = admitted(s, rest, capacity ? dequeuer : 0);
    bool full = capacity && ref_count_capacity(&s->ref, dequeuer) >= (size_t)capacity;
    if (*more == '0' && ref_best(&s->ref))
        broken(s, "nothing more, and the reference admits %s", ref_best(&s->ref)->id);
    if (*more == 'F' && !full)
        broken(s, "the capacity is not used up");
    s->bell_may_be_late = false;
    return *more == '1' && n < batch;
}

/* Half of the time a dequeuer calls until nothing is left; otherwise other calls come between. */
static void op_admit(struct sim *s)
{
    int dequeuer = one_in(s, 4) ? 2 : 1;
    size_t batch = 1 + below(s, 5), calls = 0, most = 20 + s->ref.nruns / 5;

    for (bool insists = one_in(s, 2); admit_once(s, dequeuer, batch) && insists; calls++) {
        check(s);
        if (calls == most)
            broken(s, "more was left to do %zu times", calls);
    }
}

static void op_start(struct sim *s)
{
    struct ref_run *run = pick(s, is_not_started);
    int executor = one_in(s, 8) ? 2 : 1;
    struct args a = {0};

    if (!run)
        return;
    int64_t token = some_token(s, run);
    arg(&a, "%s", run->id);
    arg(&a, "%" PRId64, token);
    arg(&a, "host:%d", executor);
    arg(&a, "%d", REF_RUN_LEASE_MS);
    call(s, SCRIPT_RUN_START, &a);
    if (!ref_holds(run, token) || (run->state == REF_STARTED && run->executor != executor)) {
        expect(s, "STALE %s", ref_state_word(run->state));
        return;
    }
    expect(s, "OK [state] {}");
    if (run->state == REF_NOT_STARTED) {
        run->state = REF_STARTED;
        run->executor = executor;
        run->at = s->now + REF_RUN_LEASE_MS;
    }
}

static void finish(struct sim *s, struct ref_run *run, int64_t token, enum ref_state state)
{
    struct args a = {0};

    arg(&a, "%s", run->id);
    arg(&a, "%" PRId64, token);
    arg(&a, "%s", ref_state_word(state));
    arg(&a, "%s", "");
    arg(&a, "0");
    call(s, SCRIPT_RUN_FINISH, &a);
    if (ref_holds(run, token)) {
        expect(s, "OK");
        ref_end(&s->ref, run, state, s->now);
    } else if (run->token && run->token == token && run->state == state) {
        expect(s, "OK");
    } else {
        expect(s, "STALE %s", ref_state_word(run->state));
    }
}

static void op_finish(struct sim *s)
{
    static const enum ref_state states[] = {REF_SUCCESS, REF_SUCCESS, REF_FAILURE, REF_CANCELED};
    struct ref_run *run = pick(s, ref_in_progress);

    if (run)
        finish(s, run, some_token(s, run), PICK(s, states));
}

static void op_cancel(struct sim *s)
{
    struct ref_run *run = pick(s, is_active);
    struct args a = {0};

    if (!run)
        return;
    arg(&a, "%s", run->id);
    arg(&a, "1000");
    call(s, SCRIPT_RUN_CANCEL, &a);
    if (ref_is_final(run)) {
        expect(s, "FINAL %s", ref_state_word(run->state));
    } else if (run->state == REF_STARTED) {
        expect(s, "CANCELING");
        run->cancel_asked = true;
    } else {
        expect(s, "CANCELED");
        ref_end(&s->ref, run, REF_CANCELED, s->now);
    }
}

static void op_lost(struct sim *s)
{
    struct ref_run *run = pick(s, ref_in_progress);
    struct args a = {0};

    if (!run)
        return;
    int64_t token = some_token(s, run);
    arg(&a, "%s", run->id);
    arg(&a, "%" PRId64, token);
    arg(&a, "gone");
    call(s, SCRIPT_RUN_LOST, &a);
    bool holds = ref_holds(run, token);
    if (holds)
        ref_lose(&s->ref, run, s->now);
    expect(s, "%s %s", holds ? "OK" : "STALE", ref_state_word(run->state));
}

static void op_confirm(struct sim *s)
{
    struct ref_run *run = pick(s, is_not_started);
    struct args a = {0};

    if (!run)
        return;
    int64_t token = some_token(s, run);
    arg(&a, "%d", REF_START_TIMEOUT_MS);
    arg(&a, "%s", run->id);
    arg(&a, "%" PRId64, token);
    call(s, SCRIPT_RUN_CONFIRM, &a);
    expect(s, "OK %s", ref_holds(run, token) ? "OK" : "STALE");
    if (ref_holds(run, token) && run->state == REF_NOT_STARTED && !run->launched) {
        run->launched = true;
        run->at = run->dequeued_at + REF_START_TIMEOUT_MS;
    }
}

static void op_renew(struct sim *s)
{
    struct ref_run *run = pick(s, is_started);
    struct args a = {0};

    if (!run)
        return;
    int64_t token = some_token(s, run);
    arg(&a, "%d", REF_RUN_LEASE_MS);
    arg(&a, "%s", run->id);
    arg(&a, "%" PRId64, token);
    call(s, SCRIPT_RUN_RENEW, &a);
    bool holds = ref_holds(run, token) && run->state == REF_STARTED;
    expect(s, "OK %s", !holds ? "STALE" : run->cancel_asked ? "[CANCEL]" : "OK");
    if (holds)
        run->at = s->now + REF_RUN_LEASE_MS;
}

static void delete (struct sim *s, struct ref_run *run)
{
    struct args a = {0};

    arg(&a, "%s", run->id);
    call(s, SCRIPT_RUN_DELETE, &a);
    if (!ref_is_final(run)) {
        expect(s, "ACTIVE %s", ref_state_word(run->state));
        return;
    }
    expect(s, "OK");
    ref_delete(&s->ref, run);
}

static void op_delete(struct sim *s)
{
    struct ref_run *run = pick(s, ref_is_final);

    if (run)
        delete (s, run);
}

/* The client got no answer and sends its last request again. */
static void op_submit_again(struct sim *s)
{
    if (s->submit.n) {
        call(s, SCRIPT_RUN_SUBMIT, &s->submit);
        expect(s, "%s", text_get(&s->submit_answer));
    }
}

/* The runs that are still to be launched are given once more. */
static void op_admit_again(struct sim *s)
{
    char before[512], want[512] = "OK 1", *rest = before;
    size_t len = strlen(want);

    snprintf(before, sizeof before, "%s", text_get(&s->admit_answer));
    strsep(&rest, " ");
    if (!strsep(&rest, " ") || !rest)
        return; /* it admitted nothing: such an answer is not kept */
    for (const char *id; (id = strsep(&rest, " "));) {
        const char *token = strsep(&rest, " "), *attempt = strsep(&rest, " ");
        const struct ref_run *run = ref_find(&s->ref, id);
        if (run && run->state == REF_NOT_STARTED && ref_holds(run, strtoll(token, NULL, 10)))
            len += (size_t)snprintf(want + len, sizeof want - len, " %s %s %s", id, token, attempt);
    }
    call(s, SCRIPT_RUN_ADMIT, &s->admit);
    expect(s, "%s", want);
}

/* HSET as an operator does it, or HDEL. */
static void set(struct sim *s, const char *hash, const char *field, const char *text)
{
    struct text *line = log_line(s);
    redisReply *r = text ? redisCommand(s->lua->redis, "HSET %s%s %s %s", s->lua->prefix, hash, field, text)
                         : redisCommand(s->lua->redis, "HDEL %s%s %s", s->lua->prefix, hash, field);

    text_addf(line, "%s %s '%s' '%s'", text ? "HSET" : "HDEL", hash, field, text ? text : "");
    freeReplyObject(r);
    s->bell_may_be_late = true;
}

static void set_limit(struct sim *s, struct ref_limit *limit, const char *text)
{
    limit->text = text;
    set(s, "tag_limits", limit->field, text);
}

static const char *some_number(struct sim *s)
{
    static const char *const numbers[] = {"0", "1", "1", "2", "2", "3", "4", "7", "100", "x", "-1", ""};

    return PICK(s, numbers);
}

static void op_limit(struct sim *s)
{
    struct ref_limit *limit = &s->limits[below(s, s->ref.nlimits)];

    for (int i = 0; i < 3 && !limit->text && !one_in(s, 3);
         i++) /* mostly one that is set: few stay in force */
        limit = &s->limits[below(s, s->ref.nlimits)];
    set_limit(s, limit, limit->text && one_in(s, 3) ? NULL : some_number(s));
}

static void op_config(struct sim *s)
{
    static const char *const most[] = {NULL, "10", "3", "1", "0", "-1", "many"};
    static const char *const queued[] = {NULL, NULL, NULL, "-1", "0", "20", "5"};

    if (one_in(s, 3)) {
        s->ref.max_queued_runs = PICK(s, queued);
        set(s, "config", "max_queued_runs", s->ref.max_queued_runs);
    } else {
        s->ref.max_concurrent_runs = one_in(s, 2) ? s->profile->most : PICK(s, most);
        set(s, "config", "max_concurrent_runs", s->ref.max_concurrent_runs);
    }
}

/* A limit changes and is as before when admit looks the next time; in between, another script saw it. */
static void op_flicker(struct sim *s)
{
    static void (*const between[])(struct sim *) = {op_submit, op_finish, op_cancel, op_lost};
    struct ref_limit *limit = &s->limits[below(s, s->ref.nlimits)];
    const char *text = limit->text;

    set_limit(s, limit, text && one_in(s, 2) ? NULL : some_number(s));
    for (uint64_t n = 1 + below(s, 3); n > 0; n--) {
        PICK(s, between)(s);
        check(s);
    }
    set_limit(s, limit, text);
}

static const struct {
    void (*play)(struct sim *);
    unsigned weight;
} ops[] = {
    {op_submit, 26}, {op_admit, 26},  {op_start, 12},       {op_finish, 12},     {op_cancel, 5},
    {op_lost, 3},    {op_confirm, 5}, {op_renew, 4},        {op_delete, 1},      {op_limit, 6},
    {op_config, 1},  {op_flicker, 2}, {op_submit_again, 1}, {op_admit_again, 1},
};

static void play_one(struct sim *s)
{
    uint64_t sum = 0;
    size_t i = 0;

    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
        sum += ops[k].weight;
    for (uint64_t at = below(s, sum); at >= ops[i].weight; i++)
        at -= ops[i].weight;
    ops[i].play(s);
    check(s);
}

/* Mostly a little, sometimes as long as a lease, rarely so long that nothing is swept for a while, or back.
 */
static void move_clock(struct sim *s)
{
    static const struct {
        uint64_t of_1000;
        int64_t least, most;
    } moves[] = {{600, 0, 50}, {300, 0, 500}, {90, 0, 3000}, {7, 5000, 20000}, {3, -3000, 0}};
    uint64_t at = below(s, 1000);
    size_t i = 0;

    for (; at >= moves[i].of_1000; i++)
        at -= moves[i].of_1000;
    s->now += (moves[i].least + (int64_t)below(s, (uint64_t)(moves[i].most - moves[i].least + 1))) /
              s->profile->pace;
}

static void load_invariants(struct sim *s)
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
        add_field(s, KEY[k], "", "");
        for (int v = 0; v < s->profile->values; v++) {
            char *value = s->values[k][v];
            if (v < 3)
                snprintf(value, sizeof s->values[k][v], "%s", values[k][v]);
            else
                snprintf(value, sizeof s->values[k][v], "v%d", v);
            add_field(s, KEY[k], "=", value);
        }
        if (k != 1) /* the second key has a value of this name */
            add_field(s, KEY[k], "=", "*");
    }
}

static void sim_init(struct sim *s, struct lua *lua, const struct sim_profile *profile, uint64_t seed)
{
    *s = (struct sim){.lua = lua, .profile = profile, .seed = seed, .random = seed, .now = 1700000000000};
    lua_flush(lua);
    load_invariants(s);
    make_tags(s);
    s->ref.limits = s->limits;
    for (size_t i = 0; i < profile->limits; i++)
        set_limit(s, &s->limits[below(s, s->ref.nlimits)], some_number(s));
    s->ref.max_concurrent_runs = profile->most;
    set(s, "config", "max_concurrent_runs", profile->most);
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
            set_limit(s, &s->limits[i], "1000000");
    s->ref.max_concurrent_runs = "-1";
    set(s, "config", "max_concurrent_runs", "-1");
    for (size_t rounds = 0; first(s, is_active); rounds++) {
        if (rounds == 1000)
            broken(s, "the queue does not drain");
        s->now += 1000;
        admit_once(s, 1, 20);
        check(s);
        while ((run = first(s, ref_in_progress))) {
            finish(s, run, run->token, REF_SUCCESS);
            check(s);
        }
    }
    while ((run = first(s, ref_is_final))) {
        delete (s, run);
        check(s);
    }
    if (s->ref.submitted != s->ref.ended)
        broken(s, "%" PRIu64 " runs ended of %" PRIu64, s->ref.ended, s->ref.submitted);
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
            play_one(s);
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
