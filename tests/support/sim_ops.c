#include "support/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run, mostly one that the wanted kind fits; NULL when there is none at all. */
static struct ref_run *pick(struct sim *s, bool (*wanted)(const struct ref_run *))
{
    struct ref_run *run = NULL;

    for (int i = 0; i < 12 && s->ref.nruns; i++) {
        run = &s->ref.runs[sim_below(s, s->ref.nruns)];
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

static int64_t some_token(struct sim *s, const struct ref_run *run)
{
    return sim_one_in(s, 8) ? run->token - 1 : run->token;
}

static void some_run(struct sim *s, struct ref_run *run, struct args *a)
{
    static const int priorities[] = {-1, 0, 0, 0, 1, 5};
    int64_t delay = sim_one_in(s, 8) ? (int64_t)sim_below(s, 5000) : -1;

    *run = (struct ref_run){.priority = PICK(s, priorities),
                            .key = sim_one_in(s, 10) ? 1 + (int)sim_below(s, 5) : 0,
                            .requeue = sim_one_in(s, 3),
                            .max_attempts = (int)sim_below(s, 5),
                            .delayed = delay >= 0,
                            .at = delay >= 0 ? s->now + delay : 0};
    for (int k = 0; k < KEYS; k++)
        if (sim_one_in(s, 2))
            run->tags[run->ntags++] =
                (struct ref_tag){sim_keys[k], s->values[k][sim_below(s, (uint64_t)s->profile->values)]};
    args_add(a, "{}");
    args_add(a, "%d", run->priority);
    args_add(a, run->key ? "k%d" : "", run->key);
    args_add(a, delay >= 0 ? "%" PRId64 : "", delay);
    args_add(a, "%zu", (size_t)run->requeue + (run->max_attempts > 0) + run->ntags);
    if (run->requeue) {
        args_add(a, "on_lost");
        args_add(a, "requeue");
    }
    if (run->max_attempts > 0) {
        args_add(a, "max_attempts");
        args_add(a, "%d", run->max_attempts);
    }
    for (size_t t = 0; t < run->ntags; t++) {
        args_add(a, "tag:%s", run->tags[t].key);
        args_add(a, "%s", run->tags[t].value);
    }
}

static void submitted(struct sim *s, struct ref_run *run, const char *word, const char *id)
{
    const struct ref_run *same = ref_find_key(&s->ref, run->key);
    const char *want = same ? "EXISTS" : ref_queue_full(&s->ref) ? "FULL" : "NEW";

    if (strcmp(word, want) != 0 || (same && strcmp(id, same->id) != 0))
        sim_broken(s, "the reference says %s %s", want, same ? same->id : "");
    if (strcmp(want, "NEW") != 0)
        return;
    if (strcmp(id, s->last_id) <= 0)
        sim_broken(s, "the id does not sort behind %s", s->last_id);
    snprintf(s->last_id, sizeof s->last_id, "%s", id);
    snprintf(run->id, sizeof run->id, "%s", id);
    ref_add(&s->ref, run);
}

static void op_submit(struct sim *s)
{
    struct ref_run runs[4];
    size_t count = 1 + sim_below(s, 4);
    char random[5], *rest, *word;

    if (ref_count_queued(&s->ref) >= s->profile->queued)
        return;
    s->submit = (struct args){0};
    args_add(&s->submit, "submitter:%llu", ++s->requests);
    snprintf(random, sizeof random, "%04u", (unsigned)sim_below(s, 10000));
    args_add(&s->submit, "%s", random);
    args_add(&s->submit, "%zu", count);
    args_add(&s->submit, "0"); /* claims */
    for (size_t i = 0; i < count; i++)
        some_run(s, &runs[i], &s->submit);
    text_clear(&s->submit_answer);
    text_add(&s->submit_answer, sim_call(s, SCRIPT_RUN_SUBMIT, &s->submit));
    rest = s->answer.s;
    if (!(word = strsep(&rest, " ")) || strcmp(word, "OK") != 0)
        sim_broken(s, "submit failed");
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
            sim_broken(s, "admitted %s where the reference admits %s", id, best ? best->id : "nothing");
        if (token <= s->last_token || best->attempt + 1 != atoi(strsep(&rest, " ")))
            sim_broken(s, "wrong token or attempt");
        ref_admit(best, s->now, token, capacity_of);
        s->last_token = token;
    }
    return n;
}

bool sim_admit(struct sim *s, int dequeuer, size_t batch)
{
    static const int capacities[] = {0, 0, 3}; /* by dequeuer; 0 unlimited */
    int capacity = capacities[dequeuer];
    struct args a = {0};

    args_add(&a, "dequeuer:%llu", ++s->requests);
    args_add(&a, "d%d", dequeuer);
    args_add(&a, "%zu", batch);
    args_add(&a, capacity ? "%d" : "", capacity);
    args_add(&a, "%d", REF_LAUNCH_LEASE_MS);
    args_add(&a, "%d", REF_RUN_LEASE_MS);
    args_add(&a, "%d", REF_INTERVAL_MS);
    args_add(&a, "%d", REF_RETENTION_MS);
    args_add(&a, "%d", REF_RETENTION_RUNS);
    lua_cmd(s->lua, "DEL @bell");
    text_clear(&s->admit_answer);
    text_add(&s->admit_answer, sim_call(s, SCRIPT_RUN_ADMIT, &a));
    s->admit = a;
    char *rest = s->answer.s;
    bool ok = strcmp(strsep(&rest, " "), "OK") == 0;
    const char *more = strsep(&rest, " ");
    if (!ok || !more)
        sim_broken(s, "admit failed");
    ref_upkeep(&s->ref, s->now);
    size_t n = admitted(s, rest, capacity ? dequeuer : 0);
    bool full = capacity && ref_count_capacity(&s->ref, dequeuer) >= (size_t)capacity;
    if (*more == '0' && ref_best(&s->ref))
        sim_broken(s, "nothing more, and the reference admits %s", ref_best(&s->ref)->id);
    if (*more == 'F' && !full)
        sim_broken(s, "the capacity is not used up");
    s->bell_may_be_late = false;
    return *more == '1' && n < batch;
}

/* Half of the time a dequeuer calls until nothing is left; otherwise other calls come between. */
static void op_admit(struct sim *s)
{
    int dequeuer = sim_one_in(s, 4) ? 2 : 1;
    size_t batch = 1 + sim_below(s, 5), calls = 0, most = 20 + s->ref.nruns / 5;

    for (bool insists = sim_one_in(s, 2); sim_admit(s, dequeuer, batch) && insists; calls++) {
        sim_check(s);
        if (calls == most)
            sim_broken(s, "more was left to do %zu times", calls);
    }
}

static void op_start(struct sim *s)
{
    struct ref_run *run = pick(s, is_not_started);
    int executor = sim_one_in(s, 8) ? 2 : 1;
    struct args a = {0};

    if (!run)
        return;
    int64_t token = some_token(s, run);
    args_add(&a, "%s", run->id);
    args_add(&a, "%" PRId64, token);
    args_add(&a, "host:%d", executor);
    args_add(&a, "%d", REF_RUN_LEASE_MS);
    sim_call(s, SCRIPT_RUN_START, &a);
    if (!ref_holds(run, token) || (run->state == REF_STARTED && run->executor != executor)) {
        sim_expect(s, "STALE %s", ref_state_word(run->state));
        return;
    }
    sim_expect(s, "OK");
    run->state = REF_STARTED;
    run->executor = executor;
    run->at = s->now + REF_RUN_LEASE_MS;
}

/* Mostly the one that has started the run. */
static int some_executor(struct sim *s, const struct ref_run *run)
{
    return sim_one_in(s, 16) ? 3 - run->executor : run->executor;
}

void sim_finish(struct sim *s, struct ref_run *run, int64_t token, int executor, enum ref_state state)
{
    struct args a = {0};

    args_add(&a, "%s", run->id);
    args_add(&a, "%" PRId64, token);
    args_add(&a, "host:%d", executor);
    args_add(&a, "%s", ref_state_word(state));
    args_add(&a, "%s", "");
    args_add(&a, "0");
    sim_call(s, SCRIPT_RUN_FINISH, &a);
    bool others = run->state == REF_STARTED && run->executor != executor;
    if (ref_holds(run, token) && !others) {
        sim_expect(s, "OK");
        ref_end(&s->ref, run, state, s->now);
    } else if (run->token && run->token == token && run->state == state) {
        sim_expect(s, "OK");
    } else {
        sim_expect(s, "STALE %s", ref_state_word(run->state));
    }
}

static void op_finish(struct sim *s)
{
    static const enum ref_state states[] = {REF_SUCCESS, REF_SUCCESS, REF_FAILURE, REF_CANCELED};
    struct ref_run *run = pick(s, ref_in_progress);

    if (run)
        sim_finish(s, run, some_token(s, run), some_executor(s, run), PICK(s, states));
}

static void op_cancel(struct sim *s)
{
    struct ref_run *run = pick(s, ref_is_active);
    struct args a = {0};

    if (!run)
        return;
    args_add(&a, "%s", run->id);
    args_add(&a, "1000");
    sim_call(s, SCRIPT_RUN_CANCEL, &a);
    if (ref_is_final(run)) {
        sim_expect(s, "FINAL %s", ref_state_word(run->state));
    } else if (run->state == REF_STARTED) {
        sim_expect(s, "CANCELING");
        run->cancel_asked = true;
    } else {
        sim_expect(s, "CANCELED");
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
    args_add(&a, "%s", run->id);
    args_add(&a, "%" PRId64, token);
    args_add(&a, "gone");
    sim_call(s, SCRIPT_RUN_LOST, &a);
    bool holds = ref_holds(run, token);
    if (holds)
        ref_lose(&s->ref, run, s->now);
    sim_expect(s, "%s %s", holds ? "OK" : "STALE", ref_state_word(run->state));
}

static void op_attend(struct sim *s)
{
    struct ref_run *run = pick(s, is_not_started);
    struct args a = {0};

    if (!run || !ref_holds(run, run->token))
        return;
    int64_t token = some_token(s, run);
    args_add(&a, "%d", REF_LAUNCH_LEASE_MS);
    args_add(&a, "%d", REF_START_TIMEOUT_MS);
    args_add(&a, "%s", run->id);
    args_add(&a, "%" PRId64, token);
    args_add(&a, "1"); /* launched */
    args_add(&a, "%s", "");
    sim_call(s, SCRIPT_RUN_ATTEND, &a);
    bool holds = ref_holds(run, token);
    sim_expect(s, "OK %s", holds ? ref_state_word(run->state) : "STALE");
    if (holds && run->state == REF_NOT_STARTED && !run->launched) {
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
    int executor = some_executor(s, run);
    args_add(&a, "%d", REF_RUN_LEASE_MS);
    args_add(&a, "%s", run->id);
    args_add(&a, "%" PRId64, token);
    args_add(&a, "host:%d", executor);
    sim_call(s, SCRIPT_RUN_RENEW, &a);
    bool holds = ref_holds(run, token) && run->state == REF_STARTED && run->executor == executor;
    sim_expect(s, "OK %s", !holds ? "STALE" : run->cancel_asked ? "[CANCEL]" : "OK");
    if (holds)
        run->at = s->now + REF_RUN_LEASE_MS;
}

void sim_delete(struct sim *s, struct ref_run *run)
{
    struct args a = {0};

    args_add(&a, "%s", run->id);
    sim_call(s, SCRIPT_RUN_DELETE, &a);
    if (!ref_is_final(run)) {
        sim_expect(s, "ACTIVE %s", ref_state_word(run->state));
        return;
    }
    sim_expect(s, "OK");
    ref_delete(&s->ref, run);
}

static void op_delete(struct sim *s)
{
    struct ref_run *run = pick(s, ref_is_final);

    if (run)
        sim_delete(s, run);
}

/* The client got no answer and sends its last request again. */
static void op_submit_again(struct sim *s)
{
    if (s->submit.n) {
        sim_call(s, SCRIPT_RUN_SUBMIT, &s->submit);
        sim_expect(s, "%s", text_get(&s->submit_answer));
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
    sim_call(s, SCRIPT_RUN_ADMIT, &s->admit);
    sim_expect(s, "%s", want);
}

const char *sim_limit_text(struct sim *s)
{
    static const char *const numbers[] = {"0", "1", "1", "2", "2", "3", "4", "7", "100", "x", "-1", ""};

    return PICK(s, numbers);
}

/* Mostly one that is set, so that few stay in force. */
static struct ref_limit *some_limit(struct sim *s)
{
    struct ref_limit *limit = &s->limits[sim_below(s, s->ref.nlimits)];

    for (int i = 0; i < 3 && !limit->text && !sim_one_in(s, 3); i++)
        limit = &s->limits[sim_below(s, s->ref.nlimits)];
    return limit;
}

static void op_limit(struct sim *s)
{
    struct ref_limit *limit = some_limit(s);

    sim_set_limit(s, limit, limit->text && sim_one_in(s, 3) ? NULL : sim_limit_text(s));
}

static void op_config(struct sim *s)
{
    static const char *const most[] = {NULL, "10", "3", "1", "0", "-1", "many"};
    static const char *const queued[] = {NULL, NULL, NULL, "-1", "0", "20", "5"};

    if (sim_one_in(s, 3)) {
        s->ref.max_queued_runs = PICK(s, queued);
        sim_set(s, "config", "max_queued_runs", s->ref.max_queued_runs);
    } else {
        s->ref.max_concurrent_runs = sim_one_in(s, 2) ? s->profile->most : PICK(s, most);
        sim_set(s, "config", "max_concurrent_runs", s->ref.max_concurrent_runs);
    }
}

/* A limit changes and is as before when admit looks the next time; in between, another script saw it. */
static void op_flicker(struct sim *s)
{
    static void (*const between[])(struct sim *) = {op_submit, op_finish, op_cancel, op_lost};
    struct ref_limit *limit = some_limit(s);
    const char *text = limit->text;

    sim_set_limit(s, limit, text && sim_one_in(s, 2) ? NULL : sim_limit_text(s));
    for (uint64_t n = 1 + sim_below(s, 3); n > 0; n--) {
        PICK(s, between)(s);
        sim_check(s);
    }
    sim_set_limit(s, limit, text);
}

static const struct {
    void (*play)(struct sim *);
    unsigned weight;
} ops[] = {
    {op_submit, 26}, {op_admit, 26},  {op_start, 12},       {op_finish, 12},     {op_cancel, 5},
    {op_lost, 3},    {op_attend, 5},  {op_renew, 4},        {op_delete, 1},      {op_limit, 6},
    {op_config, 1},  {op_flicker, 4}, {op_submit_again, 1}, {op_admit_again, 1},
};

void sim_play_one(struct sim *s)
{
    uint64_t sum = 0;
    size_t i = 0;

    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
        sum += ops[k].weight;
    for (uint64_t at = sim_below(s, sum); at >= ops[i].weight; i++)
        at -= ops[i].weight;
    ops[i].play(s);
    sim_check(s);
}
