/* environment: the environment of a step: the executor's own, the run's, the step's, and what rivers tells
 * it. */
#ifndef RIVERS_BASE_ENVIRONMENT_H
#define RIVERS_BASE_ENVIRONMENT_H

#include <stddef.h>

struct environment {
    char **vars; /* "NAME=value", NULL-terminated: what execve takes */
    size_t n;
};

void environment_init(struct environment *e, char *const *vars); /* a copy of vars, or empty with NULL */
void environment_set(struct environment *e, const char *name, const char *value); /* adds or replaces */
void environment_unset(struct environment *e, const char *name);
void environment_release(struct environment *e);

/* RIVERS_TAG_<KEY>: upper case, everything but letters and digits as '_'. */
void environment_set_tag(struct environment *e, const char *key, const char *value);

#endif
