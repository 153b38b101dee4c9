/* retry_after: how long a server asks to be left alone. */
#ifndef RIVERS_HTTP_RETRY_AFTER_H
#define RIVERS_HTTP_RETRY_AFTER_H

#include <stdint.h>

/* The value of a Retry-After header, seconds or an HTTP date; at most a day. NULL and what is neither: -1. */
int64_t retry_after_ms(const char *value, int64_t now_at);

#endif
