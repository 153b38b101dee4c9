/* retries: when and after how long a failed step is tried again. */
#ifndef RIVERS_CORE_RETRIES_H
#define RIVERS_CORE_RETRIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

enum retry_on {
    RETRY_ON_EXIT = 1,
    RETRY_ON_TIMEOUT = 2,
    RETRY_ON_LOST = 4, /* its slots */
    /* Of worker pods. */
    RETRY_ON_OOM = 8,
    RETRY_ON_EVICTED = 16,
    RETRY_ON_NODE_LOST = 32,
    RETRY_ON_DEADLINE = 64, /* of the pod, not ours */
};

struct retries {
    int64_t max;            /* further attempts; 0: none */
    int64_t backoff_ms;     /* before the first of them, 1 s; 0: at once */
    double factor;          /* >= 1: the wait grows by it from one to the next; 2 */
    int64_t max_backoff_ms; /* 1 min */
    int on;                 /* enum retry_on; all but oom and deadline */
    int *exit_codes;        /* of RETRY_ON_EXIT; none: any non-zero exit */
    size_t nexit_codes;
};

void retries_init(struct retries *r);
void retries_release(struct retries *r);

/* r is initialised; it is for retries_release also after a failure. */
__attribute__((warn_unused_result)) int retries_read(const struct cJSON *v, const struct json_path *at,
                                                     struct retries *r, struct err *e);

/* Puts the member "retries"; nothing when r is as retries_init left it. */
void retries_print(struct text *t, const struct retries *r);

#endif
