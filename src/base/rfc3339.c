#include "base/rfc3339.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* ".25" -> 250; digits beyond the third are dropped. Returns what is behind. */
static const char *fraction(const char *s, int64_t *ms)
{
    int64_t unit = 100;

    if (*s != '.')
        return s;
    for (s++; isdigit((unsigned char)*s); s++, unit /= 10)
        *ms += unit * (*s - '0');
    return s;
}

/* "Z", "+02:00"; -1: neither, or something is behind it. */
static int offset(const char *s, int64_t *ms)
{
    int hours, minutes, end = -1;

    if ((*s == 'Z' || *s == 'z') && !s[1])
        return 0;
    if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 5 ||
        s[6])
        return -1;
    *ms = (hours * 60 + minutes) * INT64_C(60000) * (*s == '-' ? -1 : 1);
    return 0;
}

int rfc3339_parse(const char *s, int64_t *at)
{
    struct tm tm = {0};
    int64_t ms = 0, east_ms = 0;
    const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!rest || offset(fraction(rest, &ms), &east_ms))
        return -1;
    *at = (int64_t)timegm(&tm) * 1000 + ms - east_ms;
    return 0;
}
