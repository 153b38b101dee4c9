#include "base/utf8.h"

#include <stdint.h>

/* By first byte; the second byte has a range of its own where overlong forms, surrogates or too high ones
 * begin. */
static const struct form {
    uint8_t first, last;
    uint8_t len;
    uint8_t second_min, second_max;
} forms[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static size_t fits(const struct form *f, const uint8_t *p, size_t left)
{
    if (left < f->len)
        return 0;
    if (f->len > 1 && (p[1] < f->second_min || p[1] > f->second_max))
        return 0;
    for (size_t i = 2; i < f->len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return f->len;
}

size_t utf8_len(const char *s, size_t left)
{
    const uint8_t *p = (const uint8_t *)s;

    for (size_t i = 0; left && i < sizeof forms / sizeof *forms; i++)
        if (*p >= forms[i].first && *p <= forms[i].last)
            return fits(&forms[i], p, left);
    return 0;
}
