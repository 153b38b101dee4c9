/* kube_selector: label and field selectors of a LIST or WATCH. */
#ifndef RIVERS_TESTS_KUBE_SELECTOR_H
#define RIVERS_TESTS_KUBE_SELECTOR_H

#include <stdbool.h>

#include "support/kube_store.h"

struct kube_selector;

/* labels, fields: NULL takes all. NULL and *status (a 400) when one is wrong. */
struct kube_selector *kube_selector_new(const struct kube_resource *r, const char *labels, const char *fields,
                                        cJSON **status);
void kube_selector_free(struct kube_selector *s);
bool kube_selector_takes(const struct kube_selector *s, const cJSON *object);

#endif
