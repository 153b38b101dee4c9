#include "core/name.h"

#include <string.h>

#include "base/utf8.h"

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool name_is_plain(const char *s, size_t max, const char *extra)
{
    if (!*s || !strchr(LETTERS DIGITS, *s) || strlen(s) > max)
        return false;
    while (*s && (strchr(LETTERS DIGITS, *s) || strchr(extra, *s)))
        s++;
    return !*s;
}

/* C0, DEL and, in two bytes, C1. */
static bool is_control(const char *s)
{
    unsigned char first = (unsigned char)s[0], second = (unsigned char)s[1];

    return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

bool name_is_text(const char *s, size_t min, size_t max)
{
    size_t left = strlen(s);

    if (left < min || left > max)
        return false;
    for (size_t n; left; s += n, left -= n) {
        n = utf8_len(s, left);
        if (!n || is_control(s))
            return false;
    }
    return true;
}

bool name_is_image(const char *s)
{
    const char *p = s;

    while (*p > ' ' && *p <= '~')
        p++;
    return *s && !*p;
}

bool name_is_env(const char *s)
{
    return *s && !strchr(DIGITS, *s) && !s[strspn(s, LETTERS DIGITS "_")];
}
