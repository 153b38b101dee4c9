/* kubernetes_check: `check` of the type kubernetes, see backend.h. */
#ifndef RIVERS_BACKEND_KUBERNETES_CHECK_H
#define RIVERS_BACKEND_KUBERNETES_CHECK_H

#include "backend/backend.h"

void kubernetes_check(const struct backend_host *host, const char *config, struct check *c);

#endif
