#include "core/run.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const state_words[RUN_STATE_COUNT] = {
    [RUN_QUEUED] = "Queued",   [RUN_NOT_STARTED] = "NotStarted", [RUN_STARTED] = "Started",
    [RUN_SUCCESS] = "Success", [RUN_FAILURE] = "Failure",        [RUN_CANCELED] = "Canceled",
};

const char *run_state_word(enum run_state state)
{
    return state_words[state];
}

int run_state_parse(const char *word, enum run_state *state)
{
    for (int i = 0; i < RUN_STATE_COUNT; i++)
        if (strcmp(word, state_words[i]) == 0) {
            *state = (enum run_state)i;
            return 0;
        }
    return -1;
}

bool run_state_is_final(enum run_state state)
{
    return state >= RUN_SUCCESS;
}

/* The fields of a record: text goes to a char *, numbers to an int64_t of struct run. */
static const struct {
    const char *field;
    bool number;
    size_t offset;
} fields[] = {
    {"job", false, offsetof(struct run, job)},
    {"reason", false, offsetof(struct run, reason)},
    {"dequeuer", false, offsetof(struct run, dequeuer)},
    {"executor", false, offsetof(struct run, executor)},
    {"key", false, offsetof(struct run, key)},
    {"gates", false, offsetof(struct run, gates)},
    {"waiting_for", false, offsetof(struct run, waiting_for)},
    {"priority", true, offsetof(struct run, priority)},
    {"token", true, offsetof(struct run, token)},
    {"attempt", true, offsetof(struct run, attempt)},
    {"submitted_at", true, offsetof(struct run, submitted_at)},
    {"not_before", true, offsetof(struct run, not_before)},
    {"dequeued_at", true, offsetof(struct run, dequeued_at)},
    {"launched_at", true, offsetof(struct run, launched_at)},
    {"started_at", true, offsetof(struct run, started_at)},
    {"ended_at", true, offsetof(struct run, ended_at)},
    {"cancel_at", true, offsetof(struct run, cancel_at)},
    {"cancel_grace", true, offsetof(struct run, cancel_grace_ms)},
};
enum { NFIELDS = sizeof fields / sizeof *fields };

static void step_read(struct step_record *s, const char *name, const char *value)
{
    char started[24] = "", ended[24] = "";

    *s = (struct step_record){.name = xstrdup(name), .how = "-"};
    sscanf(value, "%15s %" SCNd64 " %23s %23s %39s", s->state, &s->attempt, started, ended, s->how);
    s->started_at = strtoll(started, NULL, 10);
    s->ended_at = strtoll(ended, NULL, 10);
}

static void field_read(struct run *r, const char *field, const struct reply *value)
{
    if (strncmp(field, "tag:", 4) == 0) {
        r->tags[r->ntags++] = (struct tag){xstrdup(field + 4), xstrdup(reply_str(value))};
        return;
    }
    if (strncmp(field, "step:", 5) == 0) {
        step_read(&r->steps[r->nsteps++], field + 5, reply_str(value));
        return;
    }
    if (strcmp(field, "state") == 0)
        run_state_parse(reply_str(value), &r->state);
    for (size_t i = 0; i < NFIELDS; i++) {
        void *at = (char *)r + fields[i].offset;
        if (strcmp(field, fields[i].field) != 0)
            continue;
        if (fields[i].number)
            *(int64_t *)at = reply_int(value, 0);
        else
            *(char **)at = xstrdup(reply_str(value));
    }
}

void run_read(struct run *r, const char *id, const struct reply *record, size_t from)
{
    size_t n = reply_count(record);

    *r = (struct run){.id = xstrdup(id)};
    r->tags = xcalloc(n / 2 + 1, sizeof *r->tags);
    r->steps = xcalloc(n / 2 + 1, sizeof *r->steps);
    for (size_t i = from; i + 1 < n; i += 2)
        field_read(r, reply_str(reply_at(record, i)), reply_at(record, i + 1));
    for (size_t i = 0; i < NFIELDS; i++) {
        char **text = (char **)(void *)((char *)r + fields[i].offset);
        if (!fields[i].number && !*text)
            *text = xstrdup("");
    }
}

void run_release(struct run *r)
{
    free(r->id);
    for (size_t i = 0; i < NFIELDS; i++)
        if (!fields[i].number)
            free(*(char **)(void *)((char *)r + fields[i].offset));
    for (size_t i = 0; i < r->ntags; i++)
        tag_release(&r->tags[i]);
    for (size_t i = 0; i < r->nsteps; i++)
        free(r->steps[i].name);
    free(r->tags);
    free(r->steps);
    *r = (struct run){0};
}
