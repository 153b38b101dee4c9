/* kube_fleet: a fleet whose runs are Jobs of a Kubernetes server, for one test. */
#ifndef RIVERS_TESTS_KUBE_FLEET_H
#define RIVERS_TESTS_KUBE_FLEET_H

#include "support/fleet.h"
#include "support/kube_server.h"

extern struct kube_server kube_fleet_server; /* of the test that runs */

/* The fixtures of a test. What is left at its end is killed, so each has a server of its own. */
int kube_fleet_open(void **state);
int kube_fleet_close(void **state);
#define KUBE_TEST(test) cmocka_unit_test_setup_teardown(test, kube_fleet_open, kube_fleet_close)

/* Once, before the tests: pods find the command `rivers`. */
void kube_fleet_path(void);

/* run_backend: with this image and more members, each behind a comma. */
void kube_fleet_use(struct fleet *f, const char *image, const char *more);

/* A run of one step in the pod of the run, whose directory is gone with it: what it leaves goes to that of the fleet. */
const char *kube_fleet_submit(struct fleet *f, const char *line);

#endif
