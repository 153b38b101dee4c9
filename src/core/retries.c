#include "core/retries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"

static const struct retries defaults = {
    .backoff_ms = 1000,
    .factor = 2,
    .max_backoff_ms = 60000,
    .on = RETRY_ON_EXIT | RETRY_ON_TIMEOUT | RETRY_ON_LOST | RETRY_ON_EVICTED | RETRY_ON_NODE_LOST,
};

/* "exit" is any exit; exit codes are numbers. */
static const struct {
    const char *word;
    int on;
} words[] = {
    {"exit", RETRY_ON_EXIT},         {"timeout", RETRY_ON_TIMEOUT}, {"lost", RETRY_ON_LOST},
    {"oom", RETRY_ON_OOM},           {"evicted", RETRY_ON_EVICTED}, {"node-lost", RETRY_ON_NODE_LOST},
    {"deadline", RETRY_ON_DEADLINE},
};

#define WORDS "\"exit\", \"timeout\", \"lost\", \"oom\", \"evicted\", \"node-lost\", \"deadline\""

void retries_init(struct retries *r)
{
    *r = defaults;
}

void retries_release(struct retries *r)
{
    free(r->exit_codes);
    *r = (struct retries){0};
}

static int read_max(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 0, INT32_MAX, into, e);
}

static int read_ms(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_duration_ms(v, at, into, e);
}

static int read_factor(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    if (!cJSON_IsNumber(v) || v->valuedouble < 1 || !isfinite(v->valuedouble))
        return json_fault(e, at, "must be a number ≥ 1");
    *(double *)into = v->valuedouble;
    return 0;
}

static int read_word(struct retries *r, const cJSON *v, const struct json_path *at, struct err *e)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(v->valuestring, words[i].word)) {
            r->on |= words[i].on;
            return 0;
        }
    return json_fault(e, at, "must be one of " WORDS " or an exit code");
}

static int read_code(struct retries *r, const cJSON *v, const struct json_path *at, struct err *e)
{
    int64_t code;

    if (json_whole(v, at, 1, 255, &code, e))
        return -1;
    r->exit_codes[r->nexit_codes++] = (int)code;
    return 0;
}

static int read_on(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct retries *r = into;
    struct json_path below = {at, NULL, 0};

    if (!cJSON_IsArray(v) || !v->child)
        return json_fault(e, at, "must be a list of " WORDS " and exit codes");
    r->on = 0;
    r->exit_codes = xcalloc((size_t)cJSON_GetArraySize(v), sizeof *r->exit_codes);
    for (const cJSON *item = v->child; item; item = item->next, below.index++)
        if ((cJSON_IsString(item) ? read_word : read_code)(r, item, &below, e))
            return -1;
    if ((r->on & RETRY_ON_EXIT) && r->nexit_codes)
        return json_fault(e, at, "\"exit\" is any exit code, so none can be named beside it");
    if (r->nexit_codes)
        r->on |= RETRY_ON_EXIT;
    return 0;
}

static const struct json_member members[] = {
    {"max", read_max, offsetof(struct retries, max), true},
    {"backoff", read_ms, offsetof(struct retries, backoff_ms), false},
    {"factor", read_factor, offsetof(struct retries, factor), false},
    {"max_backoff", read_ms, offsetof(struct retries, max_backoff_ms), false},
    {"on", read_on, 0, false},
};

int retries_read(const cJSON *v, const struct json_path *at, struct retries *r, struct err *e)
{
    return json_object(v, at, members, sizeof members / sizeof *members, r, e);
}

static void print_on(struct text *t, const struct retries *r)
{
    json_put_key(t, "on");
    json_put_open(t, '[');
    for (size_t i = 0; i < r->nexit_codes; i++)
        json_put_whole(t, r->exit_codes[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((r->on & words[i].on) && !(words[i].on == RETRY_ON_EXIT && r->nexit_codes))
            json_put_string(t, words[i].word);
    json_put_close(t, ']');
}

void retries_print(struct text *t, const struct retries *r)
{
    bool usual_on = r->on == defaults.on && !r->nexit_codes;
    bool usual_waits = r->backoff_ms == defaults.backoff_ms && r->factor == defaults.factor &&
                       r->max_backoff_ms == defaults.max_backoff_ms;

    if (!r->max && usual_on && usual_waits)
        return;
    json_put_key(t, "retries");
    json_put_open(t, '{');
    json_put_whole_member(t, "max", r->max, -1);
    json_put_duration_member(t, "backoff", r->backoff_ms, defaults.backoff_ms);
    if (r->factor != defaults.factor) {
        json_put_key(t, "factor");
        json_put_double(t, r->factor);
    }
    json_put_duration_member(t, "max_backoff", r->max_backoff_ms, defaults.max_backoff_ms);
    if (!usual_on)
        print_on(t, r);
    json_put_close(t, '}');
}
