/* command_backend: the members of run_backend {"type": "command"}: the command lines that make another
 * scheduler run an executor. Within an argument {run}, {attempt} and {namespace} stand for their values. */
#ifndef RIVERS_CORE_COMMAND_BACKEND_H
#define RIVERS_CORE_COMMAND_BACKEND_H

#include <stdint.h>

#include "base/json.h"

struct command_backend {
    char **launch, **terminate, **status; /* NULL-terminated; the latter two NULL when not given */
    int64_t timeout_ms;                   /* of each */
};

/* Reads the run_backend object; command_backend_release also after a failure. */
__attribute__((warn_unused_result)) int command_backend_read(const struct cJSON *v,
                                                             const struct json_path *at,
                                                             struct command_backend *b, struct err *e);

/* The same from the text that is stored in the settings. */
__attribute__((warn_unused_result)) int command_backend_parse(struct command_backend *b,
                                                              const char *run_backend, struct err *e);
void command_backend_release(struct command_backend *b);

struct command_values {
    const char *run, *namespace;
    int64_t attempt;
};

/* The arguments with the values in place; for command_argv_free. */
char **command_argv_make(char *const *argv, const struct command_values *values);
void command_argv_free(char **argv); /* NULL is none */

#endif
