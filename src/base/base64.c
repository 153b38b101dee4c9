#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Takes the padding off; -1 when the digits before it do not end where it says. */
static int check_length(size_t n_digits, size_t n_padding)
{
    if (n_padding)
        return (n_digits + n_padding) % 4 || n_padding > 2 ? -1 : 0;
    return n_digits % 4 ? -1 : 0;
}

char *base64_decode(const char *s, size_t *len)
{
    char *out = xmalloc(strlen(s) / 4 * 3 + 4);
    size_t n = 0, padding = 0;
    uint32_t bits = 0;

    *len = 0;
    for (; *s; s++) {
        const char *digit = strchr(digits, *s);
        if (strchr(" \t\r\n", *s))
            continue;
        if (*s == '=')
            padding++;
        if (*s == '=')
            continue;
        if (!digit || padding)
            goto fail;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (n++ % 4)
            out[(*len)++] = (char)(bits >> (6 - 2 * ((n - 1) % 4)));
    }
    if (check_length(n, padding))
        goto fail;
    out[*len] = '\0';
    return out;
fail:
    free(out);
    return NULL;
}

void base64_add(struct text *t, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    for (; n; at += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
        uint32_t bits = (uint32_t)at[0] << 16 | (n > 1 ? (uint32_t)at[1] << 8 : 0) | (n > 2 ? at[2] : 0u);
        char four[] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
                       digits[bits & 63]};
        if (n < 3)
            four[3] = '=';
        if (n < 2)
            four[2] = '=';
        text_add_bytes(t, four, 4);
    }
}
