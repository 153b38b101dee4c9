/*
 * step_pod: the pod of one attempt of a step: what the watch says of it, told in the words of worker.h, and its log.
 *
 *   none ──> waiting ──> running ──> gone: over, or its object is        the latest counts, should there be a second one
 */
#ifndef RIVERS_EXEC_STEP_POD_H
#define RIVERS_EXEC_STEP_POD_H

#include <stdbool.h>

#include "exec/worker.h"
#include "kube/job_requests.h"
#include "kube/pod.h"
#include "kube/watch.h"

#define STEP_POD_REASON_BYTES 39 /* of a record of a step */

struct pod_log;

struct step_pod { /* to be read; {0} but for the first two is none */
    const struct job_place *place;
    struct worker_events events; /* without functions: nobody wants to know */
    char *name, *uid;            /* NULL: none was seen */
    bool running;                /* or it was */
    bool gone;                   /* nothing of it runs */
    char waiting[192];           /* what it waits for, in full; "": nothing unusual */
    char told[STEP_POD_REASON_BYTES + 1];
    struct pod_log *log; /* that is being read */
    void (*on_read)(void *arg);
    void *arg;
};

enum step_pod_news {
    STEP_POD_SAME, /* as before, or of an earlier one */
    STEP_POD_NEW,  /* another one than before, that is not over */
    STEP_POD_GONE, /* from now on nothing of it runs */
};

/* Tells what is new; on_read follows when its log was read to its end, if there is one. */
enum step_pod_news step_pod_see(struct step_pod *s, enum watch_change change, const struct pod *p);

/* Each reason once in a row; "": there is none any more. One that would not fit a record is not told. */
void step_pod_tell_waiting(struct step_pod *s, const char *reason);

void step_pod_release(struct step_pod *s);

#endif
