#include "core/spec.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "core/graph.h"
#include "core/name.h"

static int read_tags(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *value;

    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object");
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, 0};
        if (json_string(child, &below, &value, e))
            return -1;
        if (spec_tag_set(into, child->string, value, e))
            return json_place(e, at);
    }
    return 0;
}

/* After the tags: the one of them that says the priority must agree. */
static int read_priority(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct spec *s = into;
    int64_t from_tag = s->priority;

    if (json_whole(v, at, INT32_MIN, INT32_MAX, &s->priority, e))
        return -1;
    for (size_t i = 0; i < s->ntags; i++)
        if (!strcmp(s->tags[i].key, TAG_PRIORITY) && from_tag != s->priority)
            return json_fault(e, at, "differs from the tag '%s'", TAG_PRIORITY);
    return 0;
}

static int read_key(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *key;

    if (json_string(v, at, &key, e))
        return -1;
    if (!name_is_text(key, 1, SPEC_KEY_BYTES))
        return json_fault(e, at, "must be 1 to %d " NAME_TEXT_RULE, SPEC_KEY_BYTES);
    *(char **)into = xstrdup(key);
    return 0;
}

static int read_delay(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_duration_ms(v, at, into, e);
}

static int read_on_lost(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *word = cJSON_IsString(v) ? v->valuestring : "";

    if (strcmp(word, "fail") && strcmp(word, "requeue"))
        return json_fault(e, at, "must be \"fail\" or \"requeue\"");
    *(bool *)into = !strcmp(word, "requeue");
    return 0;
}

static int read_max_attempts(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 1, INT32_MAX, into, e);
}

static int read_max_concurrent_steps(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 0, INT32_MAX, into, e);
}

static int read_executor(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    if (!cJSON_IsString(v) || strcmp(v->valuestring, "in_process"))
        return json_fault(e, at, "must be \"in_process\"");
    *(bool *)into = true;
    return 0;
}

static int read_env(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct spec *s = into;

    return env_read(v, at, &s->env, &s->nenv, e);
}

static int read_steps(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct spec *s = into;
    struct json_path below = {at, NULL, 0};
    int n = cJSON_GetArraySize(v);

    if (!cJSON_IsArray(v) || !n)
        return json_fault(e, at, "must be a list of at least one step");
    if (n > SPEC_STEPS_MAX)
        return json_fault(e, at, "more than %d steps", SPEC_STEPS_MAX);
    s->steps = xcalloc((size_t)n, sizeof *s->steps);
    for (const cJSON *item = v->child; item; item = item->next, below.index++) {
        struct step *step = &s->steps[s->nsteps++];
        step_init(step);
        if (step_read(item, &below, step, e))
            return -1;
    }
    return graph_read(s->steps, s->nsteps, v, at, e);
}

static const struct json_member members[] = {
    {"job", step_name_read, offsetof(struct spec, job), false},
    {"tags", read_tags, 0, false},
    {"priority", read_priority, 0, false},
    {"key", read_key, offsetof(struct spec, key), false},
    {"delay", read_delay, offsetof(struct spec, delay_ms), false},
    {"on_lost", read_on_lost, offsetof(struct spec, requeue_lost), false},
    {"max_attempts", read_max_attempts, offsetof(struct spec, max_attempts), false},
    {"max_concurrent_steps", read_max_concurrent_steps, offsetof(struct spec, max_concurrent_steps), false},
    {"executor", read_executor, offsetof(struct spec, in_process), false},
    {"env", read_env, 0, false},
    {"steps", read_steps, 0, true},
};

/* What is stored has to be readable again, and may be longer than what was read: "1y" is stored as "365d 6h".
 */
static int check_size(const struct spec *s, const struct json_path *at, struct err *e)
{
    char *stored = spec_print(s);
    size_t n = strlen(stored);

    free(stored);
    return n > SPEC_BYTES_MAX ? json_fault(e, at, "larger than %d bytes", SPEC_BYTES_MAX) : 0;
}

int spec_read(struct spec *s, const cJSON *v, const struct json_path *at, struct err *e)
{
    spec_init(s);
    if (!json_object(v, at, members, sizeof members / sizeof *members, s, e) && !check_size(s, at, e))
        return 0;
    spec_release(s);
    return -1;
}

int spec_parse(struct spec *s, const char *text, size_t len, struct err *e)
{
    spec_init(s);
    if (len > SPEC_BYTES_MAX)
        return err_set(e, ERR_INVALID, "larger than %d bytes", SPEC_BYTES_MAX);
    cJSON *v = json_parse(text, len, JSON_COMMENTS, e);
    if (!v)
        return -1;
    int failed = spec_read(s, v, NULL, e);
    cJSON_Delete(v);
    return failed;
}
