#include "core/kube_name.h"

#include <stddef.h>
#include <string.h>

#define SMALL   "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* 1 to max bytes of `ends` and `inside`; the first and the last of `ends`. */
static bool consists_of(const char *s, size_t n, size_t max, const char *ends, const char *inside)
{
    if (n == 0 || n > max || !strchr(ends, s[0]) || !strchr(ends, s[n - 1]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr(ends, s[i]) && !strchr(inside, s[i]))
            return false;
    return true;
}

static bool is_subdomain(const char *s, size_t n)
{
    if (n > 253)
        return false;
    for (const char *dot; (dot = memchr(s, '.', n)); n -= (size_t)(dot + 1 - s), s = dot + 1)
        if (!consists_of(s, (size_t)(dot - s), 253, SMALL, "-"))
            return false;
    return consists_of(s, n, 253, SMALL, "-");
}

static bool is_qualified(const char *s)
{
    return consists_of(s, strlen(s), 63, LETTERS, "-_.");
}

bool kube_name_is_label(const char *s)
{
    return consists_of(s, strlen(s), 63, SMALL, "-");
}

bool kube_name_is_subdomain(const char *s)
{
    return is_subdomain(s, strlen(s));
}

bool kube_name_is_key(const char *s)
{
    const char *slash = strchr(s, '/');

    return slash ? is_subdomain(s, (size_t)(slash - s)) && is_qualified(slash + 1) : is_qualified(s);
}

bool kube_name_is_value(const char *s)
{
    return !*s || is_qualified(s);
}

bool kube_name_is_data_key(const char *s)
{
    return consists_of(s, strlen(s), 253, LETTERS "-_.", "") && strcmp(s, ".") != 0 &&
           strncmp(s, "..", 2) != 0;
}
