/* visit: one call of a program into the library, from visit_begin to visit_end. Meanwhile, for the calling thread alone, SIGPIPE is
 * blocked (libevent and OpenSSL write to sockets as to files) and the locale is that of C (numbers are read and written). Both
 * are put back as they were. */
#ifndef RIVERS_API_VISIT_H
#define RIVERS_API_VISIT_H

#include <locale.h>
#include <signal.h>
#include <stdbool.h>

#include "core/session.h"
#include "rivers/rivers.h"

struct rivers {
    struct session session;
    int64_t timeout_ms;
};

struct visit {
    struct rivers *h;
    struct err e; /* what is told when the visit fails */
    sigset_t mask;
    bool was_pending; /* SIGPIPE */
    locale_t locale;
};

/* Hears what came over the connection since the last visit, so that a server known to be gone is sent nothing. h: NULL before there
 * is one. */
void visit_begin(struct visit *v, struct rivers *h);

/* Returns code, and fills error (may be NULL) from v->e unless it is RIVERS_OK. */
int visit_end(struct visit *v, enum rivers_code code, struct rivers_error *error);

/* Fills v->e and returns the code: that of v->e, or one that v->e does not know. */
enum rivers_code visit_fault(const struct visit *v);
enum rivers_code visit_refuse(struct visit *v, enum rivers_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* By clock_mono_ms, when a wait that begins now is over; INT64_MAX: never. */
int64_t visit_end_of(int64_t wait_ms);

#endif
