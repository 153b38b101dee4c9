/* errors: what the error replies of a server mean: `WORD text ...`. */
#ifndef RIVERS_REDIS_ERRORS_H
#define RIVERS_REDIS_ERRORS_H

#include <stdbool.h>

#include "base/err.h"

#define ERROR_HOST_MAX 300

bool error_is(const char *error, const char *word);

/* The server did nothing, and another one, or this one later, would. What only a cluster says no caller can do anything about;
 * the rest is one for those who may send twice. */
bool error_is_refusal(const char *error, bool in_cluster, bool may_resend);

/* MOVED <slot> <host>:<port>: false when it is none. host has ERROR_HOST_MAX bytes; empty: the one that says so. */
bool error_moved(const char *error, char *host, int *port);

/* For a person. user: who asked, NULL the default one; what was asked. */
void error_explain(const char *error, const char *user, const char *what, struct err *e);

#endif
