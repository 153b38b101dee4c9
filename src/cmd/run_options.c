#include "cmd/run_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "core/setup.h"

static int tags_override(struct spec *s, const struct option_list *tags, struct err *e)
{
    for (size_t i = 0; i < tags->n; i++) {
        struct tag tag;
        if (tag_parse(&tag, tags->items[i], e) < 0)
            return -1;
        int status = spec_tag_set(s, tag.key, tag.value, e);
        tag_release(&tag);
        if (status < 0)
            return -1;
    }
    return 0;
}

static int env_override(struct spec *s, const struct option_list *env, struct err *e)
{
    for (size_t i = 0; i < env->n; i++) {
        const char *word = env->items[i];
        size_t len = strcspn(word, "=");
        if (!word[len])
            return err_set(e, ERR_USAGE, "option '--env': '%s' is not NAME=VALUE", word);
        char *name = xmemdup(word, len);
        int status = spec_env_set(s, name, word + len + 1, e);
        free(name);
        if (status < 0)
            return -1;
    }
    return 0;
}

/* The tag that sets a priority follows, where there is one. */
static int priority_override(struct spec *s, int64_t priority, struct err *e)
{
    char digits[24];

    if (priority == RUN_OPTION_NOT_GIVEN)
        return 0;
    s->priority = priority;
    snprintf(digits, sizeof digits, "%" PRId64, priority);
    for (size_t i = 0; i < s->ntags; i++)
        if (strcmp(s->tags[i].key, TAG_PRIORITY) == 0)
            return spec_tag_set(s, TAG_PRIORITY, digits, e);
    return 0;
}

static void text_override(char **text, const char *value)
{
    if (!value)
        return;
    free(*text);
    *text = xstrdup(value);
}

/* Nothing that an option brought in may be worse than what a document could say. */
static int check_whole(const struct spec *s, struct err *e)
{
    char *document = spec_print_whole(s);
    struct spec again;
    int status = spec_parse(&again, document, strlen(document), e);

    if (status == 0)
        spec_release(&again);
    free(document);
    return status;
}

int run_options_apply(struct spec *s, const struct run_options *o, struct err *e)
{
    if (!o->tags.n && !o->env.n && !o->job && !o->key && o->priority == RUN_OPTION_NOT_GIVEN &&
        o->delay_ms == RUN_OPTION_NOT_GIVEN)
        return 0;
    if (tags_override(s, &o->tags, e) < 0 || env_override(s, &o->env, e) < 0 ||
        priority_override(s, o->priority, e) < 0)
        return -1;
    text_override(&s->job, o->job);
    text_override(&s->key, o->key);
    if (o->delay_ms != RUN_OPTION_NOT_GIVEN)
        s->delay_ms = o->delay_ms;
    return check_whole(s, e);
}

static int unknown_job(const struct reply *jobs, const char *job, struct err *e)
{
    unsigned least = NEAREST_NONE;
    const char *best = NULL;

    for (size_t i = 0; i + 1 < reply_count(jobs); i += 2) {
        unsigned d = nearest_distance(job, reply_str(reply_at(jobs, i)));
        if (d < least) {
            least = d;
            best = reply_str(reply_at(jobs, i));
        }
    }
    if (best)
        return err_set(e, ERR_NOT_FOUND, "job '%s' is not configured: did you mean '%s'?", job, best);
    return err_set(e, ERR_NOT_FOUND, "job '%s' is not configured", job);
}

int run_of_job(struct spec *s, struct store *store, const char *job, struct err *e)
{
    struct reply *r = call_wait(setup_show_call(store), 0, e);
    const struct reply *jobs = setup_hash_get(r, SETUP_JOBS), *document = reply_field(jobs, 0, job);
    int status = -1;

    if (r && !document)
        unknown_job(jobs, job, e);
    else if (r && spec_parse(s, reply_str(document), reply_len(document), e) < 0)
        err_prefix(e, "job '%s'", job);
    else if (r)
        status = 0;
    if (status == 0 && !s->job)
        s->job = xstrdup(job);
    reply_free(r);
    return status;
}

/* Arguments may be any bytes; JSON is UTF-8. */
int run_of_command(struct spec *s, char *const *argv, struct err *e)
{
    spec_command_set(s, argv);
    return check_whole(s, e);
}

int run_options_check(const struct run_options *o, struct err *e)
{
    char word[] = "true", *argv[] = {word, NULL};
    struct spec s;
    int status;

    spec_init(&s);
    spec_command_set(&s, argv);
    status = run_options_apply(&s, o, e);
    spec_release(&s);
    return status;
}
