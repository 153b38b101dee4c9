/* password: the one to log in with. */
#ifndef RIVERS_REDIS_PASSWORD_H
#define RIVERS_REDIS_PASSWORD_H

#include "base/err.h"

/* The first line of the file, owned by the caller; NULL and e when it cannot be read, or has none or more than
 * 4 kB of it. */
char *password_read(const char *file, struct err *e);

#endif
