/* run_json: a run as the JSON object that is printed for it everywhere. Times in ms, null where it has not come to that. */
#ifndef RIVERS_CORE_RUN_JSON_H
#define RIVERS_CORE_RUN_JSON_H

#include "core/run.h"
#include "core/spec.h"

struct cJSON;

struct cJSON *run_json(const struct run *r); /* owned by the caller */

/* Of the reply to run_show_call: its spec, for spec_release; and all of it, once the spec was read, owned by the caller. */
__attribute__((warn_unused_result)) int run_show_spec(struct spec *s, const char *id,
                                                      const struct reply *shown, struct err *e);
struct cJSON *run_show_json(const struct run *r, const struct reply *shown);

#endif
