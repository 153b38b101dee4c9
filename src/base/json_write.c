#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

/* A finished value never ends in one of these, so the last byte tells whether a comma is due. */
static void put_comma(struct text *t)
{
    if (t->len && !strchr("{[:", t->s[t->len - 1]))
        text_add(t, ",");
}

static void put_quoted(struct text *t, const char *s)
{
    text_add(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_addf(t, "\\%c", *s);
        else if (*s == '\n')
            text_add(t, "\\n");
        else if ((unsigned char)*s < 0x20)
            text_addf(t, "\\u%04x", (unsigned)*s);
        else
            text_add_bytes(t, s, 1);
    }
    text_add(t, "\"");
}

void json_put_open(struct text *t, char bracket)
{
    put_comma(t);
    text_add_bytes(t, &bracket, 1);
}

void json_put_close(struct text *t, char bracket)
{
    text_add_bytes(t, &bracket, 1);
}

void json_put_key(struct text *t, const char *key)
{
    json_put_string(t, key);
    text_add(t, ":");
}

void json_put_string(struct text *t, const char *s)
{
    put_comma(t);
    put_quoted(t, s);
}

void json_put_whole(struct text *t, int64_t n)
{
    put_comma(t);
    text_addf(t, "%" PRId64, n);
}

void json_put_double(struct text *t, double d)
{
    char buf[32];

    snprintf(buf, sizeof buf, "%.15g", d);
    if (strtod(buf, NULL) != d)
        snprintf(buf, sizeof buf, "%.17g", d);
    put_comma(t);
    text_add(t, buf);
}

void json_put_bool(struct text *t, int truth)
{
    put_comma(t);
    text_add(t, truth ? "true" : "false");
}

void json_put_string_member(struct text *t, const char *key, const char *s)
{
    if (!s)
        return;
    json_put_key(t, key);
    json_put_string(t, s);
}

void json_put_whole_member(struct text *t, const char *key, int64_t n, int64_t otherwise)
{
    if (n == otherwise)
        return;
    json_put_key(t, key);
    json_put_whole(t, n);
}

void json_put_duration_member(struct text *t, const char *key, int64_t ms, int64_t otherwise)
{
    char buf[64];

    json_put_string_member(t, key, ms == otherwise ? NULL : duration_print_ms(ms, buf, sizeof buf));
}
