/* kube_fixture: a web_server as the API server of a pod with a service account, in the pod's environment. */
#ifndef RIVERS_TESTS_KUBE_FIXTURE_H
#define RIVERS_TESTS_KUBE_FIXTURE_H

#include "base/clock.h"
#include "kube/client.h"
#include "support/web_server.h"

#define LONG_MS 20000 /* a deadline that is not meant to come */

struct kube_fixture {
    struct event_base *base;
    struct reaper *reaper;
    struct certificate *authority, *identity;
    struct web_server *server;
    char dir[64]; /* the service account's */
    struct access_options options;
    struct kube *kube;
};

/* The token is "first", the namespace "prod". */
void kube_fixture_init(struct kube_fixture *f, web_serve_fn *serve, void *arg);
void kube_fixture_release(struct kube_fixture *f);

/* A file beside those of the service account. */
void kube_fixture_write(const struct kube_fixture *f, const char *name, const char *text);

/* One turn of the loop; fails the test when it is later than end_at (monotonic). */
void kube_fixture_turn(const struct kube_fixture *f, int64_t end_at);

#define RUN_UNTIL(f, condition)                                                                              \
    for (int64_t end_at = clock_mono_ms() + LONG_MS; !(condition);)                                          \
    kube_fixture_turn((f), end_at)

#endif
