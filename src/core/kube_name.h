/* kube_name: what Kubernetes accepts as names, label keys and label values. */
#ifndef RIVERS_CORE_KUBE_NAME_H
#define RIVERS_CORE_KUBE_NAME_H

#include <stdbool.h>

bool kube_name_is_label(const char *s);     /* a namespace: a-z 0-9 -, at most 63 */
bool kube_name_is_subdomain(const char *s); /* most other names: labels joined by '.', at most 253 */
bool kube_name_is_key(const char *s);       /* of a label or annotation: [subdomain/]name */
bool kube_name_is_value(const char *s);     /* of a label: empty, or as a key's name */
bool kube_name_is_data_key(const char *s);  /* of a Secret: A-Z a-z 0-9 - _ ., at most 253 */

#endif
