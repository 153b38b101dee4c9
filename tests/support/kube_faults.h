/*
 * kube_faults: what goes wrong with the next requests that match.
 *
 *   429-text      answers 429 as plain text, with Retry-After
 *   500 503 504   a Status of that code; 503 with Retry-After
 *   401           Unauthorized
 *   403           Forbidden
 *   quota-403     Forbidden, "exceeded quota"
 *   reset-before  resets the connection, nothing was done
 *   reset-after   does it, then resets the connection
 *   cut-body      does it, sends half of the answer, then resets the connection
 *   slow-body     does it, sends the answer in 16 pieces, `ms` apart
 *   delay         does it, `ms` later
 *   hang          neither does it nor answers
 *   hang-after    does it and never answers
 *   watch-410     answers a watch with ERROR 410
 *   second-pod    the Job that is created starts a second pod when its first one has ended
 *   no-pod        the Job that is created gets no pod (FailedCreate, exceeded quota) until POST /-/unblock
 */
#ifndef RIVERS_TESTS_KUBE_FAULTS_H
#define RIVERS_TESTS_KUBE_FAULTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/kube_http.h"
#include "support/kube_store.h"
#include "support/kube_watch.h"

struct kube_faults;

struct kube_faults *kube_faults_new(struct kube_watches *watches);
void kube_faults_free(struct kube_faults *f);

/* {"match": {"method", "path"}, "times": 1, "skip": 0, "do": "500", "ms": 100, "retry_after": 1}; an array of them as
 * well. False when one is wrong; none is added then. */
bool kube_faults_add(struct kube_faults *f, const cJSON *rules);
void kube_faults_clear(struct kube_faults *f);
cJSON *kube_faults_dump(const struct kube_faults *f); /* those that are left */

/* Does what the first rule that matches says. True: the call is taken care of; false: go on with it, now. again is
 * called for what has to wait. */
bool kube_faults_apply(struct kube_faults *f, struct kube_call *call, kube_call_fn *again, void *arg);

/* A Job was created by the call under way: it may have to be marked. */
void kube_faults_mark(struct kube_faults *f, struct kube_object *job);

#endif
