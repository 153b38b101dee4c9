#include "core/command_backend.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/text.h"

static void put_run(struct text *t, const struct command_values *v)
{
    text_add(t, v->run);
}

static void put_attempt(struct text *t, const struct command_values *v)
{
    text_addf(t, "%" PRId64, v->attempt);
}

static void put_namespace(struct text *t, const struct command_values *v)
{
    text_add(t, v->namespace);
}

static const struct placeholder {
    const char *word;
    void (*put)(struct text *t, const struct command_values *v);
} placeholders[] = {{"{run}", put_run}, {"{attempt}", put_attempt}, {"{namespace}", put_namespace}};

static const struct placeholder *placeholder_at(const char *s)
{
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (!strncmp(s, placeholders[i].word, strlen(placeholders[i].word)))
            return &placeholders[i];
    return NULL;
}

char **command_argv_make(char *const *argv, const struct command_values *values)
{
    size_t n = 0;

    while (argv[n])
        n++;
    char **made = xcalloc(n + 1, sizeof *made);
    for (size_t i = 0; i < n; i++) {
        struct text t = {0};
        for (const char *s = argv[i]; *s;) {
            const struct placeholder *p = placeholder_at(s);
            if (p)
                p->put(&t, values);
            else
                text_add_bytes(&t, s, 1);
            s += p ? strlen(p->word) : 1;
        }
        made[i] = t.s ? t.s : xstrdup("");
    }
    return made;
}

void command_argv_free(char **argv)
{
    for (char **arg = argv; arg && *arg; arg++)
        free(*arg);
    free(argv);
}

/* {word} that stands for nothing is a slip of the pen; other braces are left alone. */
static int check_argument(const char *s, const struct json_path *at, struct err *e)
{
    for (s = strchr(s, '{'); s; s = strchr(s + 1, '{')) {
        size_t n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_");
        if (n && s[1 + n] == '}' && !placeholder_at(s))
            return json_fault(e, at, "unknown placeholder '%.*s', known: {run}, {attempt}, {namespace}",
                              (int)n + 2, s);
    }
    return 0;
}

static int read_argv(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct json_path below = {at, NULL, 0};
    const char *arg;

    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list of strings");
    char **argv = xcalloc((size_t)cJSON_GetArraySize(v) + 1, sizeof *argv);
    *(char ***)into = argv;
    for (const cJSON *item = v->child; item; item = item->next, below.index++) {
        if (json_string(item, &below, &arg, e) || check_argument(arg, &below, e))
            return -1;
        argv[below.index] = xstrdup(arg);
    }
    return argv[0] && *argv[0] ? 0 : json_fault(e, at, "must name a program");
}

static int read_launch(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    char *const *argv;

    if (read_argv(v, at, into, e))
        return -1;
    for (argv = *(char ***)into; *argv; argv++)
        if (strstr(*argv, "{run}"))
            return 0;
    return json_fault(e, at, "must say which run to execute: {run}");
}

static int read_timeout(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t *ms = into;

    if (json_duration_ms(v, at, ms, e))
        return -1;
    return *ms < 1000 ? json_fault(e, at, "must be at least 1s") : 0;
}

static const struct json_member members[] = {
    {"type", NULL, 0, true},
    {"launch", read_launch, offsetof(struct command_backend, launch), true},
    {"terminate", read_argv, offsetof(struct command_backend, terminate), false},
    {"status", read_argv, offsetof(struct command_backend, status), false},
    {"timeout", read_timeout, offsetof(struct command_backend, timeout_ms), false},
};

int command_backend_read(const cJSON *v, const struct json_path *at, struct command_backend *b, struct err *e)
{
    *b = (struct command_backend){.timeout_ms = 30000};
    return json_object(v, at, members, sizeof members / sizeof *members, b, e);
}

int command_backend_parse(struct command_backend *b, const char *run_backend, struct err *e)
{
    const struct json_path at = {NULL, "run_backend", 0};
    cJSON *v = json_parse(run_backend, strlen(run_backend), 0, e);

    *b = (struct command_backend){0};
    if (!v)
        return json_place(e, &at);
    int failed = command_backend_read(v, &at, b, e);
    cJSON_Delete(v);
    return failed;
}

void command_backend_release(struct command_backend *b)
{
    command_argv_free(b->launch);
    command_argv_free(b->terminate);
    command_argv_free(b->status);
    *b = (struct command_backend){0};
}
