#include "support/reference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SWEEP = 10, UPKEEP = 20, TRIM = 40 };

void ref_release(struct reference *ref)
{
    free(ref->runs);
    ref->runs = NULL;
    ref->nruns = ref->cap = 0;
}

const char *ref_state_word(enum ref_state state)
{
    static const char *const words[] = {"Queued", "NotStarted", "Started", "Success", "Failure", "Canceled"};

    return words[state];
}

bool ref_in_progress(const struct ref_run *run)
{
    return run->state == REF_NOT_STARTED || run->state == REF_STARTED;
}

bool ref_is_final(const struct ref_run *run)
{
    return run->state >= REF_SUCCESS;
}

bool ref_holds(const struct ref_run *run, int64_t token)
{
    return ref_in_progress(run) && run->token == token;
}

bool ref_is_active(const struct ref_run *run)
{
    return !ref_is_final(run);
}

static bool is_delayed(const struct ref_run *run)
{
    return run->delayed;
}

struct ref_run *ref_find(struct reference *ref, const char *id)
{
    for (size_t i = 0; i < ref->nruns; i++)
        if (strcmp(ref->runs[i].id, id) == 0)
            return &ref->runs[i];
    return NULL;
}

struct ref_run *ref_find_key(struct reference *ref, int key)
{
    for (size_t i = 0; key && i < ref->nruns; i++)
        if (ref->runs[i].key == key)
            return &ref->runs[i];
    return NULL;
}

size_t ref_count_queued(const struct reference *ref)
{
    size_t n = 0;

    for (size_t i = 0; i < ref->nruns; i++)
        n += ref->runs[i].state == REF_QUEUED;
    return n;
}

size_t ref_count_capacity(const struct reference *ref, int dequeuer)
{
    size_t n = 0;

    for (size_t i = 0; i < ref->nruns; i++)
        n += ref_in_progress(&ref->runs[i]) && ref->runs[i].capacity_of == dequeuer;
    return n;
}

/* What is no whole number lets nobody pass. */
static uint64_t limit_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0' ? strtoull(text, NULL, 10) : 0;
}

static bool is_unlimited(const char *text)
{
    return text[0] == '-' && text[1] && text[1 + strspn(text + 1, "0123456789")] == '\0';
}

bool ref_queue_full(const struct reference *ref)
{
    const char *text = ref->max_queued_runs;

    return text && !is_unlimited(text) && ref_count_queued(ref) >= limit_number(text);
}

/* In-progress runs with a tag of this key, and of this value when one is given. */
static size_t usage(const struct reference *ref, const char *key, const char *value)
{
    size_t n = 0;

    for (size_t i = 0; i < ref->nruns; i++) {
        const struct ref_run *run = &ref->runs[i];
        for (size_t t = 0; ref_in_progress(run) && t < run->ntags; t++)
            n += strcmp(run->tags[t].key, key) == 0 && (!value || strcmp(run->tags[t].value, value) == 0);
    }
    return n;
}

static bool tag_passes(const struct reference *ref, const struct ref_tag *tag, const struct ref_limit *limit)
{
    size_t len = strlen(tag->key);

    if (!limit->text || strncmp(limit->field, tag->key, len) != 0)
        return true;
    if (limit->field[len] == '\0')
        return usage(ref, tag->key, NULL) < limit_number(limit->text);
    if (limit->field[len] != '=')
        return true;
    const char *value = limit->field + len + 1;
    if (strcmp(value, "*") != 0 && strcmp(value, tag->value) != 0)
        return true;
    return usage(ref, tag->key, tag->value) < limit_number(limit->text);
}

static bool passes(const struct reference *ref, const struct ref_run *run)
{
    for (size_t t = 0; t < run->ntags; t++)
        for (size_t i = 0; i < ref->nlimits; i++)
            if (!tag_passes(ref, &run->tags[t], &ref->limits[i]))
                return false;
    return true;
}

static bool global_room(const struct reference *ref)
{
    const char *text = ref->max_concurrent_runs ? ref->max_concurrent_runs : "10";
    size_t n = 0;

    for (size_t i = 0; i < ref->nruns; i++)
        n += ref_in_progress(&ref->runs[i]);
    return is_unlimited(text) || n < limit_number(text);
}

struct ref_run *ref_best(struct reference *ref)
{
    struct ref_run *best = NULL;

    if (!global_room(ref))
        return NULL;
    for (size_t i = 0; i < ref->nruns; i++) {
        struct ref_run *run = &ref->runs[i];
        if (run->state == REF_QUEUED && !run->delayed && (!best || run->priority > best->priority) &&
            passes(ref, run))
            best = run;
    }
    return best;
}

void ref_add(struct reference *ref, const struct ref_run *run)
{
    if (ref->nruns == ref->cap) {
        ref->cap = ref->cap ? 2 * ref->cap : 64;
        ref->runs = xrealloc(ref->runs, ref->cap * sizeof *ref->runs);
    }
    ref->runs[ref->nruns++] = *run;
    ref->submitted++;
}

void ref_admit(struct ref_run *run, int64_t now, int64_t token, int capacity_of)
{
    run->state = REF_NOT_STARTED;
    run->attempt++;
    run->token = token;
    run->dequeued_at = now;
    run->at = now + REF_LAUNCH_LEASE_MS;
    run->capacity_of = capacity_of;
}

void ref_end(struct reference *ref, struct ref_run *run, enum ref_state state, int64_t now)
{
    run->state = state;
    run->delayed = false;
    run->at = now;
    ref->ended++;
}

static void requeue(struct ref_run *run)
{
    run->state = REF_QUEUED;
    run->launched = false;
    run->executor = run->capacity_of = 0;
    run->at = 0;
}

void ref_lose(struct reference *ref, struct ref_run *run, int64_t now)
{
    if (run->cancel_asked) {
        ref_end(ref, run, REF_CANCELED, now);
    } else if (run->requeue && run->lost + 1 < (run->max_attempts ? run->max_attempts : 3)) {
        run->lost++;
        requeue(run);
    } else {
        ref_end(ref, run, REF_FAILURE, now);
    }
}

void ref_delete(struct reference *ref, struct ref_run *run)
{
    size_t behind = ref->nruns - (size_t)(run - ref->runs) - 1;

    memmove(run, run + 1, behind * sizeof *run);
    ref->nruns--;
}

/* The run of one kind with the least (at, id), when that is due. */
static struct ref_run *first_due(struct reference *ref, bool (*kind)(const struct ref_run *), int64_t until)
{
    struct ref_run *first = NULL;

    for (size_t i = 0; i < ref->nruns; i++) {
        struct ref_run *run = &ref->runs[i];
        if (kind(run) && run->at <= until && (!first || run->at < first->at))
            first = run;
    }
    return first;
}

/* A gap between two sweeps gives all holders one lease to renew. */
static bool sweep_allowed(struct reference *ref, int64_t now)
{
    int64_t before = ref->swept_at;

    if (now < before || now >= before + 100) /* it is remembered that exactly */
        ref->swept_at = now;
    if (before && (now < before - 1000 || now > before + 2 * REF_INTERVAL_MS + REF_RUN_LEASE_MS / 5)) {
        ref->resumed_at = now;
        return false;
    }
    return !ref->resumed_at || now >= ref->resumed_at + REF_RUN_LEASE_MS;
}

static void sweep(struct reference *ref, int64_t now)
{
    struct ref_run *run;

    for (int i = 0; i < SWEEP && (run = first_due(ref, ref_in_progress, now)); i++)
        if (run->state == REF_NOT_STARTED && !run->launched)
            requeue(run);
        else
            ref_lose(ref, run, now);
}

static void promote(struct reference *ref, int64_t now)
{
    struct ref_run *run;

    for (int i = 0; i < UPKEEP && (run = first_due(ref, is_delayed, now)); i++) {
        run->delayed = false;
        run->at = 0;
    }
}

static void trim(struct reference *ref, int64_t now)
{
    struct ref_run *run;
    size_t final = 0;

    for (size_t i = 0; i < ref->nruns; i++)
        final += ref_is_final(&ref->runs[i]);
    for (int i = 0; i < TRIM; i++, final--) {
        int64_t until = final > REF_RETENTION_RUNS ? INT64_MAX : now - REF_RETENTION_MS;
        if (!(run = first_due(ref, ref_is_final, until)))
            return;
        ref_delete(ref, run);
    }
}

void ref_upkeep(struct reference *ref, int64_t now)
{
    if (sweep_allowed(ref, now))
        sweep(ref, now);
    promote(ref, now);
    trim(ref, now);
}

void ref_print(const struct reference *ref, struct text *out)
{
    for (size_t i = 0; i < ref->nruns; i++)
        text_addf(out, "%s %s %" PRId64 "\n", ref->runs[i].id, ref_state_word(ref->runs[i].state),
                  ref->runs[i].at);
}
