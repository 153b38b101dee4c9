#include "core/step.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "core/name.h"

static const struct step defaults = {.grace_ms = 10000, .claim_timeout_ms = 600000};

int step_name_check(const char *name, struct err *e)
{
    if (name_is_plain(name, STEP_NAME_BYTES, "_.-"))
        return 0;
    return err_set(e, ERR_INVALID, "'%s': must be 1 to %d of " NAME_RULE, name, STEP_NAME_BYTES);
}

void step_init(struct step *s)
{
    *s = defaults;
    retries_init(&s->retries);
}

void step_release(struct step *s)
{
    for (char **arg = s->argv; arg && *arg; arg++)
        free(*arg);
    free(s->argv);
    free(s->name);
    free(s->cwd);
    free(s->image);
    resources_release(&s->resources);
    free(s->needs);
    env_release(s->env, s->nenv);
    claims_release(s->claims, s->nclaims);
    retries_release(&s->retries);
    *s = (struct step){0};
}

void step_argv_set(struct step *s, const char *const *argv)
{
    size_t n = 0;

    while (argv[n])
        n++;
    s->argv = xcalloc(n + 1, sizeof *s->argv);
    for (size_t i = 0; i < n; i++)
        s->argv[i] = xstrdup(argv[i]);
}

int step_name_read(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *name;

    if (json_string(v, at, &name, e))
        return -1;
    if (step_name_check(name, e))
        return json_place(e, at);
    *(char **)into = xstrdup(name);
    return 0;
}

static int read_arguments(struct step *s, const cJSON *list, const struct json_path *at, struct err *e)
{
    struct json_path below = {at, NULL, 0};
    const char *arg;

    s->argv = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *s->argv);
    for (const cJSON *item = list->child; item; item = item->next, below.index++) {
        if (json_string(item, &below, &arg, e))
            return -1;
        s->argv[below.index] = xstrdup(arg);
    }
    return s->argv[0] && *s->argv[0] ? 0 : json_fault(e, at, "must name a program");
}

static int read_command(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *const shell[] = {"sh", "-c", v->valuestring, NULL};

    if (cJSON_IsArray(v))
        return read_arguments(into, v, at, e);
    if (!cJSON_IsString(v))
        return json_fault(e, at, "must be a string or list of strings");
    if (!*v->valuestring)
        return json_fault(e, at, "must not be empty");
    step_argv_set(into, shell);
    return 0;
}

static int read_env(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct step *s = into;

    return env_read(v, at, &s->env, &s->nenv, e);
}

static int read_cwd(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *path;

    if (json_string(v, at, &path, e))
        return -1;
    if (!*path)
        return json_fault(e, at, "must not be empty");
    *(char **)into = xstrdup(path);
    return 0;
}

static int read_image(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *image;

    if (json_string(v, at, &image, e))
        return -1;
    if (!name_is_image(image))
        return json_fault(e, at, "must be the name of an image");
    *(char **)into = xstrdup(image);
    return 0;
}

static int read_resources(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return resources_read(v, at, into, e);
}

static int read_ms(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_duration_ms(v, at, into, e);
}

/* "0s" would be read as never by one, as at once by another. */
static int read_claim_timeout(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t *ms = into;

    if (json_duration_ms(v, at, ms, e))
        return -1;
    return *ms > 0
               ? 0
               : json_fault(e, at, "must be more than 0: it is the longest wait for slots, such as \"10m\"");
}

static int read_flag(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_bool(v, at, into, e);
}

static int read_retries(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return retries_read(v, at, into, e);
}

static const struct json_member members[] = {
    {"name", step_name_read, offsetof(struct step, name), true},
    {"command", read_command, 0, true},
    {"needs", NULL, 0, false},
    {"env", read_env, 0, false},
    {"cwd", read_cwd, offsetof(struct step, cwd), false},
    {"image", read_image, offsetof(struct step, image), false},
    {"resources", read_resources, offsetof(struct step, resources), false},
    {"timeout", read_ms, offsetof(struct step, timeout_ms), false},
    {"grace", read_ms, offsetof(struct step, grace_ms), false},
    {"claim_timeout", read_claim_timeout, offsetof(struct step, claim_timeout_ms), false},
    {"continue_on_failure", read_flag, offsetof(struct step, continue_on_failure), false},
    {"retries", read_retries, offsetof(struct step, retries), false},
    {"pool", NULL, 0, false},
    {"pool_slots", NULL, 0, false},
    {"pools", NULL, 0, false},
};

int step_read(const cJSON *v, const struct json_path *at, struct step *s, struct err *e)
{
    if (json_object(v, at, members, sizeof members / sizeof *members, s, e))
        return -1;
    return claims_read(v, at, &s->claims, &s->nclaims, e);
}

static bool is_shell(char *const *argv)
{
    return !strcmp(argv[0], "sh") && argv[1] && !strcmp(argv[1], "-c") && argv[2] && *argv[2] && !argv[3];
}

static void print_command(struct text *t, char *const *argv)
{
    json_put_key(t, "command");
    if (is_shell(argv)) {
        json_put_string(t, argv[2]);
        return;
    }
    json_put_open(t, '[');
    while (*argv)
        json_put_string(t, *argv++);
    json_put_close(t, ']');
}

static void print_needs(struct text *t, const struct step *s, const struct step *all)
{
    json_put_key(t, "needs");
    json_put_open(t, '[');
    for (size_t i = 0; i < s->nneeds; i++)
        json_put_string(t, all[s->needs[i]].name);
    json_put_close(t, ']');
}

void step_print(struct text *t, const struct step *s, const struct step *all)
{
    json_put_open(t, '{');
    json_put_string_member(t, "name", s->name);
    print_command(t, s->argv);
    if (all)
        print_needs(t, s, all);
    env_print(t, s->env, s->nenv);
    json_put_string_member(t, "cwd", s->cwd);
    json_put_string_member(t, "image", s->image);
    resources_print(t, &s->resources);
    json_put_duration_member(t, "timeout", s->timeout_ms, defaults.timeout_ms);
    json_put_duration_member(t, "grace", s->grace_ms, defaults.grace_ms);
    json_put_duration_member(t, "claim_timeout", s->claim_timeout_ms, defaults.claim_timeout_ms);
    if (s->continue_on_failure) {
        json_put_key(t, "continue_on_failure");
        json_put_bool(t, 1);
    }
    retries_print(t, &s->retries);
    claims_print(t, s->claims, s->nclaims);
    json_put_close(t, '}');
}
