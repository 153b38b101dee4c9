/* run_options: a run as the command line says it: a job of the configuration or a command, and options that change it. */
#ifndef RIVERS_CMD_RUN_OPTIONS_H
#define RIVERS_CMD_RUN_OPTIONS_H

#include <stdint.h>

#include "base/options.h"
#include "core/spec.h"
#include "core/store.h"

#define RUN_OPTION_NOT_GIVEN INT64_MIN

struct run_options {
    const char *job, *key; /* NULL: not given */
    struct option_list tags, env;
    int64_t priority, delay_ms; /* or RUN_OPTION_NOT_GIVEN */
};

#define RUN_OPTIONS_NONE                                                                                     \
    {                                                                                                        \
        .priority = RUN_OPTION_NOT_GIVEN, .delay_ms = RUN_OPTION_NOT_GIVEN                                   \
    }

/* Changes s as the options say; the whole is checked as a document would be. */
__attribute__((warn_unused_result)) int run_options_apply(struct spec *s, const struct run_options *o,
                                                          struct err *e);

/* The values of the options, tried on a run that has nothing else. */
__attribute__((warn_unused_result)) int run_options_check(const struct run_options *o, struct err *e);

/* s is initialised; it is for spec_release also after a failure. */
__attribute__((warn_unused_result)) int run_of_job(struct spec *s, struct store *store, const char *job,
                                                   struct err *e);
__attribute__((warn_unused_result)) int run_of_command(struct spec *s, char *const *argv, struct err *e);

#endif
