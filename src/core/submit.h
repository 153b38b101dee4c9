/* submit: hands runs to the queue (lua/run/submit.lua). */
#ifndef RIVERS_CORE_SUBMIT_H
#define RIVERS_CORE_SUBMIT_H

#include <stddef.h>

#include "core/spec.h"
#include "core/store.h"

#define SUBMIT_BATCH 50 /* most runs a call: larger ones hold the server for over a millisecond */

enum submit_outcome { SUBMIT_NEW, SUBMIT_EXISTS, SUBMIT_FULL };

/* n is 1 to SUBMIT_BATCH. */
struct call *submit_call(struct store *s, const struct spec *specs, size_t n);

/* The outcome for the i-th run, its id (borrowed from r, "" when full). */
enum submit_outcome submit_result(const struct reply *r, size_t i, const char **id);

#endif
