/* doctor: what is wrong in a namespace, looked for in slices while it is in use (lua/doctor/{audit,mend}.lua). */
#ifndef RIVERS_CORE_DOCTOR_H
#define RIVERS_CORE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/store.h"

struct fault {
    const char *what, *subject, *detail; /* borrowed from the reply */
};

/* One slice from the cursor on, "" to begin; mends: what is wrong is put right. */
struct call *doctor_call(struct store *s, bool mends, const char *cursor);

const char *doctor_next(const struct reply *r); /* the next cursor, "" behind the last slice; borrowed */
size_t doctor_count(const struct reply *r);
struct fault doctor_at(const struct reply *r, size_t i);

#endif
