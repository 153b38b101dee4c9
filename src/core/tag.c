#include "core/tag.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/name.h"

#define RESERVED "rivers/"

static int check_key(const char *key, struct err *e)
{
    if (!name_is_plain(key, TAG_KEY_BYTES, "_./-"))
        return err_set(
            e, ERR_INVALID,
            "tag key '%s': must be 1 to %d of A-Z a-z 0-9 _ . / -, starting with a letter or digit", key,
            TAG_KEY_BYTES);
    if (!strncmp(key, RESERVED, strlen(RESERVED)) && strcmp(key, TAG_PRIORITY))
        return err_set(e, ERR_INVALID, "tag key '%s': keys that start with %s are reserved", key, RESERVED);
    return 0;
}

int tag_check(const char *key, const char *value, struct err *e)
{
    if (check_key(key, e))
        return -1;
    if (!strcmp(value, "*"))
        return err_set(e, ERR_INVALID, "tag '%s': value '*' is reserved for limits on each distinct value",
                       key);
    if (!name_is_text(value, 0, TAG_VALUE_BYTES))
        return err_set(e, ERR_INVALID, "tag '%s': value must be at most %d " NAME_TEXT_RULE, key,
                       TAG_VALUE_BYTES);
    return 0;
}

int tag_parse(struct tag *t, const char *s, struct err *e)
{
    const char *equals = strchr(s, '=');

    if (!equals)
        return err_set(e, ERR_INVALID, "tag '%s': must be key=value", s);
    *t = (struct tag){xmemdup(s, (size_t)(equals - s)), xstrdup(equals + 1)};
    if (!tag_check(t->key, t->value, e))
        return 0;
    tag_release(t);
    return -1;
}

void tag_release(struct tag *t)
{
    free(t->key);
    free(t->value);
    *t = (struct tag){0};
}
