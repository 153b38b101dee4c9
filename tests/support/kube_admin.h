/*
 * kube_admin: what a test does to the fake API server, outside the Kubernetes API and without authentication:
 *
 *   POST   /-/faults          {"match": {"method", "path"}, "times": 1, "skip": 0, "do": ..., "ms", "retry_after"} or an
 *                             array of them; see kube_faults.h for what can be done
 *   DELETE /-/faults          forgets those that are left
 *   POST   /-/rotate-token    a new token, in the files too; the old one is refused (401). Answers {"token"}
 *   POST   /-/rotate-cert     a new certificate for new connections; {"ca": true}: of a new CA, in the files too
 *   POST   /-/deny            {"verb", "resource": "pods/log", "deny": true}: nobody may do this (403, access reviews
 *                             say so); "deny": false takes it back
 *   POST   /-/cut-watches     resets the connections of all watches
 *   POST   /-/expire-watches  forgets past changes and ends all watches with ERROR 410
 *   POST   /-/unblock         Jobs made under `no-pod` get their pods now
 *   POST   /-/reset-counters
 *   GET    /-/dump            {"counters": {"create jobs": 2, "watch pods": 1, ...}, "objects": {"jobs": [...], ...},
 *                             "watches": open, "processes": running on the node, "faults": left}
 */
#ifndef RIVERS_TESTS_KUBE_ADMIN_H
#define RIVERS_TESTS_KUBE_ADMIN_H

#include "support/kube_api.h"
#include "support/kube_controller.h"
#include "support/kube_files.h"
#include "support/kube_tls.h"

struct kube_admin {
    struct kube_api *api;
    struct kube_tls *tls;
    struct kube_controller *controller;
    const struct kube_files *files;
};

/* True: the call was one of these and is answered. */
bool kube_admin_serve(struct kube_admin *a, struct kube_call *call);

#endif
