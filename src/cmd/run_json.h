/* run_json: a run as the JSON object that every command prints for it. */
#ifndef RIVERS_CMD_RUN_JSON_H
#define RIVERS_CMD_RUN_JSON_H

#include "core/run.h"

struct cJSON;

struct cJSON *
run_json(const struct run *r); /* owned by the caller; times in ms, null where it has not come to that */

#endif
