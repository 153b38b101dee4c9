#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

int number_parse(const char *s, int64_t min, int64_t max, int64_t *out)
{
    const char *digits = s && *s == '-' ? s + 1 : s;
    char *end;

    if (!digits || !isdigit((unsigned char)*digits))
        return -1;
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (errno || *end || n < min || n > max)
        return -1;
    *out = n;
    return 0;
}
