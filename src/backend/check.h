/* check: whether all is there that a backend needs, finding by finding. */
#ifndef RIVERS_BACKEND_CHECK_H
#define RIVERS_BACKEND_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum check_state { CHECK_OK, CHECK_WRONG, CHECK_UNKNOWN };

struct check {
    bool executor; /* wanted is what an executor needs, not what a dequeuer does */
    /* Borrowed for the time of the call; subject and detail may be NULL. */
    void (*on_finding)(void *arg, const char *what, const char *subject, enum check_state state,
                       const char *detail);
    void *arg;
    size_t findings, wrong;
};

/* detail: what is known of it, or how to mend it; NULL: nothing. */
void check_tell(struct check *c, const char *what, const char *subject, enum check_state state,
                const char *detail, ...) __attribute__((format(printf, 5, 6)));

const char *check_state_word(enum check_state state); /* "ok", "wrong", "unknown" */

#endif
