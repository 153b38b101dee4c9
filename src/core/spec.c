#include "core/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "core/graph.h"

static const struct spec defaults = {.max_attempts = 3};

void spec_init(struct spec *s)
{
    *s = defaults;
}

static void release_steps(struct spec *s)
{
    for (size_t i = 0; i < s->nsteps; i++)
        step_release(&s->steps[i]);
    free(s->steps);
}

void spec_release(struct spec *s)
{
    for (size_t i = 0; i < s->ntags; i++)
        tag_release(&s->tags[i]);
    free(s->tags);
    free(s->job);
    free(s->key);
    env_release(s->env, s->nenv);
    release_steps(s);
    *s = (struct spec){0};
}

static int priority_from_tag(struct spec *s, const char *value, struct err *e)
{
    if (!number_parse(value, INT32_MIN, INT32_MAX, &s->priority))
        return 0;
    return err_set(e, ERR_INVALID, "tag '" TAG_PRIORITY "': must be a whole number from %d to %d", INT32_MIN,
                   INT32_MAX);
}

/* Puts a copy of the new value in the place of the old one. */
static void replace(char **old, const char *value)
{
    char *copy = xstrdup(value);

    free(*old);
    *old = copy;
}

int spec_tag_set(struct spec *s, const char *key, const char *value, struct err *e)
{
    size_t i = 0;

    if (tag_check(key, value, e))
        return -1;
    if (!strcmp(key, TAG_PRIORITY) && priority_from_tag(s, value, e))
        return -1;
    while (i < s->ntags && strcmp(s->tags[i].key, key))
        i++;
    if (i == TAG_MAX)
        return err_set(e, ERR_INVALID, "tag '%s': a run has at most %d tags", key, TAG_MAX);
    if (i == s->ntags) {
        s->tags = xrealloc(s->tags, ++s->ntags * sizeof *s->tags);
        s->tags[i] = (struct tag){xstrdup(key), NULL};
    }
    replace(&s->tags[i].value, value);
    return 0;
}

int spec_env_set(struct spec *s, const char *name, const char *value, struct err *e)
{
    size_t i = 0;

    if (env_name_check(name, e))
        return -1;
    while (i < s->nenv && strcmp(s->env[i].name, name))
        i++;
    if (i == s->nenv) {
        s->env = xrealloc(s->env, ++s->nenv * sizeof *s->env);
        s->env[i] = (struct env_var){xstrdup(name), NULL};
    }
    replace(&s->env[i].value, value);
    return 0;
}

void spec_command_set(struct spec *s, char *const *argv)
{
    release_steps(s);
    s->nsteps = 1;
    s->steps = xmalloc(sizeof *s->steps);
    step_init(s->steps);
    s->steps->name = xstrdup("main");
    step_argv_set(s->steps, (const char *const *)argv);
}

static void put_stored(struct text *t, const struct spec *s)
{
    const struct step *all = graph_is_chain(s->steps, s->nsteps) ? NULL : s->steps;

    env_print(t, s->env, s->nenv);
    json_put_whole_member(t, "max_concurrent_steps", s->max_concurrent_steps, defaults.max_concurrent_steps);
    json_put_string_member(t, "executor", s->in_process ? "in_process" : NULL);
    json_put_key(t, "steps");
    json_put_open(t, '[');
    for (size_t i = 0; i < s->nsteps; i++)
        step_print(t, &s->steps[i], all);
    json_put_close(t, ']');
}

static void put_tags(struct text *t, const struct spec *s)
{
    if (!s->ntags)
        return;
    json_put_key(t, "tags");
    json_put_open(t, '{');
    for (size_t i = 0; i < s->ntags; i++)
        json_put_string_member(t, s->tags[i].key, s->tags[i].value);
    json_put_close(t, '}');
}

char *spec_print(const struct spec *s)
{
    struct text t = {0};

    json_put_open(&t, '{');
    put_stored(&t, s);
    json_put_close(&t, '}');
    return t.s;
}

char *spec_print_whole(const struct spec *s)
{
    struct text t = {0};

    json_put_open(&t, '{');
    json_put_string_member(&t, "job", s->job);
    put_tags(&t, s);
    json_put_whole_member(&t, "priority", s->priority, defaults.priority);
    json_put_string_member(&t, "key", s->key);
    json_put_duration_member(&t, "delay", s->delay_ms, defaults.delay_ms);
    json_put_string_member(&t, "on_lost", s->requeue_lost ? "requeue" : NULL);
    json_put_whole_member(&t, "max_attempts", s->max_attempts, defaults.max_attempts);
    put_stored(&t, s);
    json_put_close(&t, '}');
    return t.s;
}
