/* kube_users: who asks, and what they may do. */
#ifndef RIVERS_TESTS_KUBE_USERS_H
#define RIVERS_TESTS_KUBE_USERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/options.h"
#include "support/kube_http.h"

struct kube_users;

#define KUBE_ANONYMOUS "system:anonymous"
#define KUBE_USER      "system:serviceaccount:default:rivers"

/* powerless: "token=name" each; borrowed. */
struct kube_users *kube_users_new(const struct option_list *powerless);
void kube_users_free(struct kube_users *u);

const char *kube_token_get(const struct kube_users *u); /* of KUBE_USER, who may do everything */
void kube_token_rotate(struct kube_users *u);           /* the old one is refused from now on */

/* Who calls: by client certificate or token; NULL: by one that is not valid (401). */
const char *kube_user_of(struct kube_users *u, const struct kube_call *call);

/* From now on nobody may do this (and may again); resource: "jobs", "pods/log". */
void kube_users_deny(struct kube_users *u, const char *verb, const char *resource, bool yes);
bool kube_user_may(const struct kube_users *u, const char *user, const char *verb, const char *resource);

#endif
