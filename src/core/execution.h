/* execution: what an executor tells about the run it holds (lua/run/{start,renew,hold,report,log,drop,finish}.lua).
 * Every call carries the token, and which executor it is: after a loss of history a token can be given again. {'STALE', state}
 * or {'NOT_FOUND'} means that the run is no longer this executor's. */
#ifndef RIVERS_CORE_EXECUTION_H
#define RIVERS_CORE_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/run.h"
#include "core/store.h"

struct execution { /* plain data: which run, by which grant, in which process; borrowed strings */
    const char *run;
    int64_t token;
    const char *executor; /* `<host>:<pid>` */
};

/* A step changed: its state as in struct step_record, the event that says so, how it ended ("-" while it
 * runs). */
struct step_report {
    const char *step;
    const char *event; /* StepStart StepWaiting StepSuccess StepFailure StepSkipped StepRetry StepCanceled */
    const char *state;
    int64_t attempt;
    const char *how;
};

/* Reads what a run is: its record (field, value, ...: run_read) and its spec. Good enough to be read beside start_call: neither
 * changes in what it says of a run between its admission and its start. */
void order_read(struct store *s, const char *run, int64_t deadline_ms, redis_reply_fn *on_record,
                redis_reply_fn *on_spec, void *arg);

/* reply {'OK'} */
struct call *start_call(struct store *s, const struct execution *x, int64_t lease_ms);

#define RENEW_BATCH 50 /* most runs a call */

/* Renews leases of this length: renew_add for each; reply {'OK', word, ...} with one of 'OK' | {'CANCEL', grace ms} | 'STALE' for
 * each of them. */
struct call *renew_call(struct store *s, int64_t lease_ms);
void renew_add(struct call *c, const struct execution *x);

/* For an executor that is gone while something of its run is not: keeps the leases of the run and of its slots, whichever
 * executor that was; reply {'OK'}. */
struct call *hold_call(struct store *s, const struct execution *x, int64_t lease_ms);

/* reply {'OK'} */
struct call *report_call(struct store *s, const struct execution *x, const struct step_report *reports,
                         size_t n);
struct call *log_call(struct store *s, const struct execution *x, const char *step, const void *bytes,
                      size_t len, uint64_t end);
/* The bytes before `end` that were not logged will not be. */
struct call *drop_call(struct store *s, const struct execution *x, const char *step, uint64_t end);
struct call *finish_call(struct store *s, const struct execution *x, enum run_state state, const char *reason,
                         const struct step_report *reports, size_t n);

#endif
