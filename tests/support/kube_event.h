/* kube_event: the Event objects by which controllers and nodes tell what they did. */
#ifndef RIVERS_TESTS_KUBE_EVENT_H
#define RIVERS_TESTS_KUBE_EVENT_H

#include "support/kube_store.h"

void kube_event(struct kube_store *s, const struct kube_object *about, const char *type, const char *reason,
                const char *component, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
