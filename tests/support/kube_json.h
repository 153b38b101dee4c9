/* kube_json: objects of the Kubernetes API as cJSON trees: written as templates, reached by dotted paths. */
#ifndef RIVERS_TESTS_KUBE_JSON_H
#define RIVERS_TESTS_KUBE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* A document from a template: ' stands for ", %s is a quoted string (NULL: null), %d an int, %j a const cJSON *
 * (NULL: null), %r raw text. Ends the process when that is not JSON. Owned by the caller. */
cJSON *kube_json(const char *format, ...);

/* What stands at a path like `spec.template.metadata` or, of the first item of an array, `spec.containers.0.image`; NULL when
 * there is nothing. */
cJSON *kube_at(const cJSON *v, const char *path);
const char *kube_text_at(const cJSON *v, const char *path); /* NULL: not a string */
int64_t kube_whole_at(const cJSON *v, const char *path, int64_t otherwise);
bool kube_true_at(const cJSON *v, const char *path);
cJSON *kube_first(const cJSON *list); /* of an array or object, NULL too; ->next leads on */

/* Puts value (taken over; NULL removes what is there) at a path; makes the objects on the way. */
void kube_put(cJSON *v, const char *path, cJSON *value);
void kube_put_text(cJSON *v, const char *path, const char *text);
void kube_put_default(cJSON *v, const char *path, cJSON *value); /* unless something is there */

/* RFC 7386: what a merge patch does. */
void kube_merge(cJSON *into, const cJSON *patch);

/* "2026-11-23T18:39:04Z" of in_ms from now on; buf holds 32 bytes; returns buf. */
const char *kube_time(char *buf, int64_t in_ms);

#endif
