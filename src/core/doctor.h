/* doctor: what is wrong in a namespace, looked for in slices while it is in use (lua/doctor/{audit,mend}.lua). */
#ifndef RIVERS_CORE_DOCTOR_H
#define RIVERS_CORE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store.h"

struct fault {
    const char *what, *subject, *detail; /* borrowed from the reply */
};

/* One slice from the cursor on, "" to begin; mends: what is wrong is put right. */
struct call *doctor_call(struct store *s, bool mends, const char *cursor);

const char *doctor_next(const struct reply *r); /* the next cursor, "" behind the last slice; borrowed */
size_t doctor_count(const struct reply *r);
struct fault doctor_at(const struct reply *r, size_t i);

struct history {
    char epoch[48]; /* "<losses>-<word>", "" while none was lost */
    int64_t losses; /* how often older data came back, see lua/lib/history.lua */
    int64_t at;     /* the last time, on the clock of the server, ms */
};
__attribute__((warn_unused_result)) int doctor_history(struct store *s, struct history *h, struct err *e);

#endif
