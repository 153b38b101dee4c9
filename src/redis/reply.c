#include "redis/reply.h"

#include <hiredis/hiredis.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* A struct reply is what hiredis' default reader builds. */
static const redisReply *raw(const struct reply *r)
{
    return (const redisReply *)(const void *)r;
}

static bool has_type(const struct reply *r, int type)
{
    return r && raw(r)->type == type;
}

static bool has_text(const struct reply *r)
{
    return has_type(r, REDIS_REPLY_STRING) || has_type(r, REDIS_REPLY_STATUS);
}

void reply_free(struct reply *r)
{
    if (r)
        freeReplyObject(r);
}

bool reply_is_nil(const struct reply *r)
{
    return has_type(r, REDIS_REPLY_NIL);
}

bool reply_is_array(const struct reply *r)
{
    return has_type(r, REDIS_REPLY_ARRAY);
}

const char *reply_error(const struct reply *r)
{
    return has_type(r, REDIS_REPLY_ERROR) ? raw(r)->str : NULL;
}

size_t reply_count(const struct reply *r)
{
    return reply_is_array(r) ? (size_t)raw(r)->elements : 0;
}

const struct reply *reply_at(const struct reply *r, size_t i)
{
    return i < reply_count(r) ? (const struct reply *)(const void *)raw(r)->element[i] : NULL;
}

const char *reply_str(const struct reply *r)
{
    return has_text(r) ? raw(r)->str : "";
}

size_t reply_len(const struct reply *r)
{
    return has_text(r) ? (size_t)raw(r)->len : 0;
}

int64_t reply_int(const struct reply *r, int64_t otherwise)
{
    int64_t n = otherwise;

    if (has_type(r, REDIS_REPLY_INTEGER))
        return raw(r)->integer;
    if (number_parse(reply_str(r), INT64_MIN, INT64_MAX, &n) < 0)
        return otherwise;
    return n;
}

const char *reply_word(const struct reply *r)
{
    return reply_str(reply_is_array(r) ? reply_at(r, 0) : r);
}

bool reply_is(const struct reply *r, const char *word)
{
    return strcmp(reply_word(r), word) == 0;
}

const struct reply *reply_field(const struct reply *r, size_t from, const char *field)
{
    for (size_t i = from; i + 1 < reply_count(r); i += 2)
        if (strcmp(reply_str(reply_at(r, i)), field) == 0)
            return reply_at(r, i + 1);
    return NULL;
}

static void add_text(struct text *t, const struct reply *r);

static void add_elements(struct text *t, const struct reply *r)
{
    for (size_t i = 0; i < reply_count(r); i++) {
        const struct reply *element = reply_at(r, i);
        bool nested = reply_is_array(element);

        text_add(t, i ? " " : "");
        text_add(t, nested ? "[" : "");
        add_text(t, element);
        text_add(t, nested ? "]" : "");
    }
}

static void add_text(struct text *t, const struct reply *r)
{
    if (reply_is_array(r))
        add_elements(t, r);
    else if (has_type(r, REDIS_REPLY_INTEGER))
        text_addf(t, "%lld", raw(r)->integer);
    else if (!r || reply_is_nil(r))
        text_add(t, "(nil)");
    else
        text_add_bytes(t, raw(r)->str, (size_t)raw(r)->len);
}

char *reply_text(const struct reply *r)
{
    struct text t = {0};

    text_add(&t, "");
    add_text(&t, r);
    return t.s;
}
