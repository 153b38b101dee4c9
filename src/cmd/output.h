/* output: how commands speak: results on stdout, complaints on stderr, an exit status. */
#ifndef RIVERS_CMD_OUTPUT_H
#define RIVERS_CMD_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct cJSON;

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CANCELED = 3,
    EXIT_UNCONFIRMED = 4,
    EXIT_GONE = 5
};

/* "rivers: <what went wrong>" on stderr. */
void complain(const struct err *e);

/* A sentence on stderr, about a run that is not as the user thinks; returns EXIT_FAILED. */
int refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int refuse_unknown_run(const char *id); /* "Run '<id>' not found." */
/* The same to who waited for its end, which nobody can tell any more; returns EXIT_GONE. */
int refuse_gone_run(const char *id);

/* The object on one line; frees it. */
void json_line(FILE *out, struct cJSON *object);

/* What was printed so far has to reach its reader; false: there is none any more. */
bool output_flush(void);

/* For the end: the status, or EXIT_FAILED when not all was written. */
int output_end(int status);

#endif
