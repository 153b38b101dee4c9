#include "core/run_json.h"

#include <cjson/cJSON.h>

#include "base/json.h"

static void add_time(cJSON *o, const char *key, int64_t at)
{
    cJSON_AddItemToObject(o, key, at ? cJSON_CreateNumber((double)at) : cJSON_CreateNull());
}

static cJSON *step_json(const struct step_record *s)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", s->name);
    cJSON_AddStringToObject(o, "state", s->state);
    cJSON_AddNumberToObject(o, "attempt", (double)s->attempt);
    add_time(o, "started_at", s->started_at);
    add_time(o, "ended_at", s->ended_at);
    cJSON_AddStringToObject(o, "how", s->how);
    return o;
}

static void add_texts(cJSON *o, const struct run *r)
{
    json_add_text(o, "reason", r->reason);
    json_add_text(o, "waiting_for", r->waiting_for);
    json_add_text(o, "key", r->key);
    json_add_text(o, "gates", r->gates);
    json_add_text(o, "dequeuer", r->dequeuer);
    json_add_text(o, "executor", r->executor);
}

static void add_times(cJSON *o, const struct run *r)
{
    add_time(o, "submitted_at", r->submitted_at);
    add_time(o, "not_before", r->not_before);
    add_time(o, "dequeued_at", r->dequeued_at);
    add_time(o, "launched_at", r->launched_at);
    add_time(o, "started_at", r->started_at);
    add_time(o, "cancel_at", r->cancel_at);
    add_time(o, "ended_at", r->ended_at);
}

cJSON *run_json(const struct run *r)
{
    cJSON *o = cJSON_CreateObject(), *tags;

    cJSON_AddStringToObject(o, "run", r->id);
    json_add_text(o, "job", r->job);
    cJSON_AddStringToObject(o, "state", run_state_word(r->state));
    cJSON_AddNumberToObject(o, "priority", (double)r->priority);
    tags = cJSON_AddObjectToObject(o, "tags");
    for (size_t i = 0; i < r->ntags; i++)
        cJSON_AddStringToObject(tags, r->tags[i].key, r->tags[i].value);
    cJSON_AddNumberToObject(o, "attempt", (double)r->attempt);
    cJSON_AddNumberToObject(o, "token", (double)r->token);
    add_texts(o, r);
    add_times(o, r);
    cJSON *steps = cJSON_AddArrayToObject(o, "steps");
    for (size_t i = 0; i < r->nsteps; i++)
        cJSON_AddItemToArray(steps, step_json(&r->steps[i]));
    return o;
}

int run_show_spec(struct spec *s, const char *id, const struct reply *shown, struct err *e)
{
    const struct reply *stored = reply_at(shown, 2);

    if (spec_parse(s, reply_str(stored), reply_len(stored), e) < 0)
        return err_prefix(e, "the spec of run '%s' cannot be read", id);
    return 0;
}

cJSON *run_show_json(const struct run *r, const struct reply *shown)
{
    cJSON *o = run_json(r), *waiting = cJSON_AddObjectToObject(o, "waiting_for_slots");
    const struct reply *waits = reply_at(shown, 5);

    for (size_t i = 0; i + 1 < reply_count(waits); i += 2)
        cJSON_AddStringToObject(waiting, reply_str(reply_at(waits, i)), reply_str(reply_at(waits, i + 1)));
    add_time(o, "lease_until", reply_int(reply_at(shown, 3), 0));
    cJSON_AddItemToObject(o, "spec", cJSON_Parse(reply_str(reply_at(shown, 2))));
    return o;
}
