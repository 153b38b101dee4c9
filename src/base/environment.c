#include "base/environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char **find(struct environment *e, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < e->n; i++)
        if (strncmp(e->vars[i], name, len) == 0 && e->vars[i][len] == '=')
            return &e->vars[i];
    return NULL;
}

static void append(struct environment *e, char *var)
{
    e->vars = xrealloc(e->vars, (e->n + 2) * sizeof *e->vars);
    e->vars[e->n++] = var;
    e->vars[e->n] = NULL;
}

void environment_init(struct environment *e, char *const *vars)
{
    *e = (struct environment){.vars = xcalloc(1, sizeof *e->vars)};
    for (; vars && *vars; vars++)
        append(e, xstrdup(*vars));
}

void environment_set(struct environment *e, const char *name, const char *value)
{
    char **old = find(e, name), *var = xasprintf("%s=%s", name, value);

    if (!old) {
        append(e, var);
        return;
    }
    free(*old);
    *old = var;
}

void environment_unset(struct environment *e, const char *name)
{
    char **old = find(e, name);

    if (!old)
        return;
    free(*old);
    *old = e->vars[--e->n];
    e->vars[e->n] = NULL;
}

void environment_set_tag(struct environment *e, const char *key, const char *value)
{
    char *name = xasprintf("RIVERS_TAG_%s", key);

    for (char *p = name; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    environment_set(e, name, value);
    free(name);
}

void environment_release(struct environment *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->vars[i]);
    free(e->vars);
    *e = (struct environment){0};
}
