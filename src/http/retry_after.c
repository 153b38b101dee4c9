#include "http/retry_after.h"

#include <ctype.h>
#include <stddef.h>
#include <time.h>

#define MAX_MS (24 * 3600 * INT64_C(1000))

static int64_t bounded(int64_t ms)
{
    return ms < 0 ? 0 : ms > MAX_MS ? MAX_MS : ms;
}

/* Digits only, so many as they are. */
static int64_t seconds(const char *value)
{
    int64_t s = 0;

    for (; isdigit((unsigned char)*value); value++)
        s = bounded(s * 1000) == MAX_MS ? s : s * 10 + (*value - '0');
    return *value ? -1 : bounded(s * 1000);
}

static int64_t date(const char *value, int64_t now_at)
{
    struct tm tm = {0};
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    return end && !*end ? bounded((int64_t)timegm(&tm) * 1000 - now_at) : -1;
}

int64_t retry_after_ms(const char *value, int64_t now_at)
{
    if (!value || !*value)
        return -1;
    return isdigit((unsigned char)*value) ? seconds(value) : date(value, now_at);
}
