/* queue: what people ask about runs, and what they tell them (lua/queue/{list,why}.lua and
 * lua/run/{list,show,cancel,delete}.lua). Strings of rows are borrowed from the reply. */
#ifndef RIVERS_CORE_QUEUE_H
#define RIVERS_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/run.h"
#include "core/store.h"

#define QUEUE_PAGE 100 /* most rows of a page */

/* reply {'OK', total, row, ...}: the queued runs in the order of admission, the delayed ones behind them */
struct call *queue_list_call(struct store *s, int64_t first, int64_t many);

struct queue_row {
    const char *id, *job, *reason; /* "" where there is none */
    int64_t priority, queued_at, not_before;
};
int64_t queue_total(const struct reply *r);
size_t queue_count(const struct reply *r);
struct queue_row queue_at(const struct reply *r, size_t i);

/* reply {'OK', ...} as queue_why_read takes it | {'DELAYED', not_before} | {'NOT_QUEUED', state} |
 * {'NOT_FOUND'} */
struct call *queue_why_call(struct store *s, const char *id);

struct queue_why {
    int64_t position, total, lane_position, lane_total; /* positions from 1 */
    const char *lane;
    size_t ngates; /* that block */
};
struct queue_gate {
    const char *name; /* "": the global one */
    int64_t current, limit;
    const char *text; /* the limit as it was set */
    size_t nholders;  /* that are named: at most 10 of current */
};
struct queue_why queue_why_read(const struct reply *r);
struct queue_gate queue_gate_at(const struct reply *r, size_t i);
const char *queue_holder_at(const struct reply *r, size_t gate, size_t i);
void queue_gate_print(const struct queue_gate *g, struct text *t); /* "tag limit: env=prod (3/3)" */
bool queue_limit_is_readable(const struct queue_gate *g);          /* one that is not counts as 0 */

/* The limit that is in force by what is set, as lua/lib/queue/run_limits.lua reads it: INT64_MAX is unlimited; what cannot be
 * read lets nobody pass, 0. */
int64_t queue_tag_limit_read(const char *text);
int64_t queue_run_limit_read(const char *text); /* of all runs: negative is unlimited too */

/* What keeps the whole queue from going on, whatever its limits. */
struct queue_halt {
    enum { QUEUE_GOES_ON, QUEUE_UNATTENDED, QUEUE_HELD } why;
    int64_t
        at; /* unattended: when a dequeuer has looked last, 0: never; held: until when, history was lost */
};
__attribute__((warn_unused_result)) int queue_halt_ask(struct store *s, int64_t most_ms, struct queue_halt *h,
                                                       struct err *e);
/* "no dequeuer has looked since 2026-11-23 14:05:09"; nothing when it goes on. */
void queue_halt_print(const struct queue_halt *h, struct text *t);

struct run_filter { /* what a run must have; NULL or none: any */
    const char *state, *job;
    const struct tag *tags;
    size_t ntags;
};

/* A page of at most `most` runs from the cursor on ("": from the first); reply {'OK', cursor, row, ...}. A
 * page may be short, even empty, while the cursor is not "" yet. */
struct call *runs_list_call(struct store *s, const struct run_filter *filter, const char *cursor,
                            int64_t most);
const char *runs_cursor(const struct reply *r);
size_t runs_count(const struct reply *r);
void runs_at(const struct reply *r, size_t i, struct run *run); /* for run_release */

/* reply {'OK', record, spec, lease expiry, now, waits} | {'NOT_FOUND'} */
struct call *run_show_call(struct store *s, const char *id);

/* Its state alone, for who looks often: 1; 0: there is no such run; -1: e, also when the server was away for most_ms. */
__attribute__((warn_unused_result)) int run_state_ask(struct store *s, const char *id, int64_t most_ms,
                                                      enum run_state *state, struct err *e);

/* reply {'CANCELED'} | {'CANCELING'} | {'FINAL', state} | {'NOT_FOUND'}, and with queued_only {'NOT_QUEUED',
 * state} */
struct call *run_cancel_call(struct store *s, const char *id, int64_t grace_ms, bool queued_only);
const char *run_cancel_word(const struct reply *r); /* canceling what is canceled has been done: CANCELED */

/* reply {'OK'} | {'ACTIVE', state} | {'NOT_FOUND'} */
struct call *run_delete_call(struct store *s, const char *id);

#endif
