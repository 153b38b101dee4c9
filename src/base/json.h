/* json: cJSON with what users need: comments allowed on request, errors with line and column, strict typed
 * readers whose errors name the path of the fault (`run_queue.tag_concurrency_limits[1].limit: must be a
 * whole number ≥ 0`). */
#ifndef RIVERS_BASE_JSON_H
#define RIVERS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cJSON;

enum json_flags { JSON_COMMENTS = 1 }; /* // and block comments, and a comma before a closing bracket */

/* Owned by the caller (cJSON_Delete). A byte order mark at the beginning is skipped. Refuses trailing bytes, duplicate keys, NUL bytes, invalid UTF-8,
 * nesting > 64. e: `line 3, column 7: ...`, for a duplicate key the path of its object. */
struct cJSON *json_parse(const char *s, size_t len, int flags, struct err *e);

/* On one line; owned by the caller. */
char *json_print(const struct cJSON *v);

/* A member that is null when s is "". */
void json_add_text(struct cJSON *object, const char *key, const char *s);

/* The place of a value in a document: a chain on the stack, printed as `jobs.nightly.steps[2].command`. */
struct json_path {
    const struct json_path *parent; /* NULL at the root */
    const char *key;                /* NULL: index counts */
    int index;
};

/* Fills e with ERR_INVALID `<path>: <what>` (only `<what>` at the root); returns -1. */
int json_fault(struct err *e, const struct json_path *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `<path>: ` before the message that e already holds (nothing at the root); returns -1. */
int json_place(struct err *e, const struct json_path *at);

/* Each reads one value that must have the type; -1 and a fault otherwise. Strings are borrowed from v. */
__attribute__((warn_unused_result)) int json_string(const struct cJSON *v, const struct json_path *at,
                                                    const char **out, struct err *e);

#define JSON_WHOLE_MAX 9007199254740992 /* 2^53: beyond, a double skips whole numbers */

/* A bound of INT64_MIN or INT64_MAX is none; whole numbers end at 2^53 as JSON's do. */
__attribute__((warn_unused_result)) int json_whole(const struct cJSON *v, const struct json_path *at,
                                                   int64_t min, int64_t max, int64_t *out, struct err *e);
__attribute__((warn_unused_result)) int json_bool(const struct cJSON *v, const struct json_path *at,
                                                  bool *out, struct err *e);

/* A reader of a member: into is a char **, owned by the caller. What is null or empty counts as not there: NULL. */
__attribute__((warn_unused_result)) int json_optional_text(const struct cJSON *v, const struct json_path *at,
                                                           void *into, struct err *e);

/* at->key names the duration in the fault. */
__attribute__((warn_unused_result)) int json_duration_ms(const struct cJSON *v, const struct json_path *at,
                                                         int64_t *ms, struct err *e);

/* A member of an object and the function that reads it to (char *)into + offset (NULL: it is only known). An
 * object is a table of these, read in its order; unknown keys are refused, the nearest one offered. */
struct json_member {
    const char *key;
    int (*read)(const struct cJSON *v, const struct json_path *at, void *into, struct err *e);
    size_t offset;
    bool required;
};
__attribute__((warn_unused_result)) int json_object(const struct cJSON *v, const struct json_path *at,
                                                    const struct json_member *members, size_t n, void *into,
                                                    struct err *e);

#endif
