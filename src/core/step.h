/* step: one command of a run and all that is said about it. */
#ifndef RIVERS_CORE_STEP_H
#define RIVERS_CORE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "core/claims.h"
#include "core/env.h"
#include "core/resources.h"
#include "core/retries.h"

#define STEP_NAME_BYTES 63 /* also of a job: A-Z a-z 0-9 _ . -, starting with a letter or digit */

struct step {
    char *name;
    char **argv; /* NULL-terminated; a command given as a string is sh -c */
    struct env_var *env;
    size_t nenv;
    char *cwd;                  /* NULL: the executor's */
    char *image;                /* of a worker pod; NULL: the backend's */
    struct resources resources; /* of a worker pod */
    size_t *needs;              /* indices into the run's steps */
    size_t nneeds;
    int64_t timeout_ms;       /* 0: none */
    int64_t grace_ms;         /* between SIGTERM and SIGKILL; 10 s */
    int64_t claim_timeout_ms; /* 10 min */
    bool continue_on_failure;
    struct retries retries;
    struct pool_claim *claims;
    size_t nclaims;
};

/* Of a job or a step; e: `'a b': must be ...`. The second is a reader of base/json.h; into is a char **. */
__attribute__((warn_unused_result)) int step_name_check(const char *name, struct err *e);
__attribute__((warn_unused_result)) int step_name_read(const struct cJSON *v, const struct json_path *at,
                                                       void *into, struct err *e);

void step_init(struct step *s); /* the defaults, without name and command */
void step_release(struct step *s);
void step_argv_set(struct step *s, const char *const *argv); /* copies; there was none before */

/* All but `needs` (core/graph.h). s is initialised; it is for step_release also after a failure. */
__attribute__((warn_unused_result)) int step_read(const struct cJSON *v, const struct json_path *at,
                                                  struct step *s, struct err *e);

/* Puts the object. all: the steps that the needs point to; NULL leaves the member "needs" out. */
void step_print(struct text *t, const struct step *s, const struct step *all);

#endif
