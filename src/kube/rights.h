/*
 * rights: what rivers asks of the Kubernetes API, as the Roles of its service accounts have to allow it in the namespace of
 * the Jobs; deploy/kubernetes/ says the same.
 */
#ifndef RIVERS_KUBE_RIGHTS_H
#define RIVERS_KUBE_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct kube;

/* Who acts: bits of right.holders. */
enum right_holder { RIGHT_DEQUEUER = 1, RIGHT_EXECUTOR = 2 };

struct right {
    const char *group;    /* of the API: "batch"; "": the core */
    const char *resource; /* "jobs", "pods/log" */
    const char *verb;
    unsigned holders;
};

extern const struct right rights[];
extern const size_t nrights;

/* As `get pods/log` or `create jobs.batch`; owned by the caller. */
char *right_print(const struct right *r);

/* Asks the server, which tells everybody what he may do himself, and waits for the answer; *why is owned by the caller, ""
 * when the server says no more than yes or no. -1 and e: it did not answer. */
__attribute__((warn_unused_result)) int right_ask(struct kube *k, const char *namespace,
                                                  const struct right *r, bool *allowed, char **why,
                                                  struct err *e);

#endif
