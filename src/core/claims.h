/* claims: the pool slots that a step holds while it runs: all of them or none. */
#ifndef RIVERS_CORE_CLAIMS_H
#define RIVERS_CORE_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

#define POOL_NAME_BYTES 255
#define POOL_SLOTS_MAX  INT32_MAX
#define POOL_CLAIM_MAX  64 /* pools a step, or a claim */

struct pool_claim {
    char *pool;
    int64_t slots; /* > 0; a pool named twice is summed */
};

/* 1 to 255 bytes of UTF-8 without control characters. */
__attribute__((warn_unused_result)) int pool_name_check(const char *name, struct err *e);

/* Reads the members of a step that name pools: `pool` (a name or a list of names) with `pool_slots` (one
 * number for each of them, or an object of numbers; 1 where it says nothing), or `pools` (an object of
 * numbers). `at` is the step's place. *claims and *n are for claims_release, also after a failure. */
__attribute__((warn_unused_result)) int claims_read(const struct cJSON *step, const struct json_path *at,
                                                    struct pool_claim **claims, size_t *n, struct err *e);
void claims_release(struct pool_claim *claims, size_t n);

/* Puts the member "pools"; nothing when there is none. */
void claims_print(struct text *t, const struct pool_claim *claims, size_t n);

#endif
