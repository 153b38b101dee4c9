#include "core/claims.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "core/name.h"

struct claims {
    struct pool_claim **list;
    size_t *n;
};

int pool_name_check(const char *name, struct err *e)
{
    if (!*name)
        return err_set(e, ERR_INVALID, "pool key must be a non-empty string");
    if (!name_is_text(name, 1, POOL_NAME_BYTES))
        return err_set(e, ERR_INVALID, "pool '%s': must be at most %d " NAME_TEXT_RULE, name,
                       POOL_NAME_BYTES);
    return 0;
}

static int add(struct claims *c, const char *pool, int64_t slots, const struct json_path *at, struct err *e)
{
    struct pool_claim *list = *c->list;

    if (pool_name_check(pool, e))
        return json_place(e, at);
    for (size_t i = 0; i < *c->n; i++)
        if (!strcmp(list[i].pool, pool)) {
            list[i].slots += slots;
            return 0;
        }
    if (*c->n == POOL_CLAIM_MAX) {
        err_set(e, ERR_INVALID, "pool '%s': a step has at most %d pools", pool, POOL_CLAIM_MAX);
        return json_place(e, at);
    }
    list = xrealloc(list, (*c->n + 1) * sizeof *list);
    list[(*c->n)++] = (struct pool_claim){xstrdup(pool), slots};
    *c->list = list;
    return 0;
}

static int read_pools(struct claims *c, const cJSON *pools, const struct json_path *at, struct err *e)
{
    struct json_path place = {at, "pools", 0};
    int64_t slots;

    if (!cJSON_IsObject(pools))
        return json_fault(e, &place, "must be an object of slots by pool");
    for (const cJSON *child = pools->child; child; child = child->next) {
        struct json_path below = {&place, child->string, 0};
        if (json_whole(child, &below, 1, POOL_SLOTS_MAX, &slots, e))
            return -1;
        if (add(c, child->string, slots, &place, e))
            return -1;
    }
    return 0;
}

/* `pool` is one name or a list: the first name, then its siblings; a lone string has none. */
static const cJSON *first_name(const cJSON *pool)
{
    return cJSON_IsArray(pool) ? pool->child : pool;
}

static const cJSON *next_name(const cJSON *pool, const cJSON *name)
{
    return cJSON_IsArray(pool) ? name->next : NULL;
}

static int check_names(const cJSON *pool, const struct json_path *at, struct err *e)
{
    for (const cJSON *name = first_name(pool); name; name = next_name(pool, name))
        if (!cJSON_IsString(name))
            return json_fault(e, at, "pool must be a string or list of strings");
    return 0;
}

static int unlisted_fault(const cJSON *pool, const char *key, const struct json_path *at, struct err *e)
{
    struct text names = {0};

    for (const cJSON *name = first_name(pool); name; name = next_name(pool, name))
        text_addf(&names, "%s%s", names.len ? ", " : "", name->valuestring);
    json_fault(e, at, "pool_slots key '%s' not in pool list [%s]", key, text_get(&names));
    text_release(&names);
    return -1;
}

static int check_listed(const cJSON *pool, const char *key, const struct json_path *at, struct err *e)
{
    for (const cJSON *name = first_name(pool); name; name = next_name(pool, name))
        if (!strcmp(name->valuestring, key))
            return 0;
    return unlisted_fault(pool, key, at, e);
}

static int check_slots(const cJSON *pool, const cJSON *slots, const struct json_path *at, struct err *e)
{
    struct json_path place = {at, "pool_slots", 0};
    int64_t n;

    if (!cJSON_IsObject(slots))
        return json_whole(slots, &place, 1, POOL_SLOTS_MAX, &n, e);
    for (const cJSON *child = slots->child; child; child = child->next) {
        struct json_path below = {&place, child->string, 0};
        if (check_listed(pool, child->string, at, e) || json_whole(child, &below, 1, POOL_SLOTS_MAX, &n, e))
            return -1;
    }
    return 0;
}

/* slots is checked, or NULL. */
static int64_t slots_of(const cJSON *slots, const char *pool)
{
    const cJSON *n = cJSON_IsObject(slots) ? cJSON_GetObjectItemCaseSensitive(slots, pool) : slots;

    return n ? (int64_t)n->valuedouble : 1;
}

static int read_pool(struct claims *c, const cJSON *pool, const cJSON *slots, const struct json_path *at,
                     struct err *e)
{
    if (check_names(pool, at, e) || (slots && check_slots(pool, slots, at, e)))
        return -1;
    for (const cJSON *name = first_name(pool); name; name = next_name(pool, name))
        if (add(c, name->valuestring, slots_of(slots, name->valuestring), at, e))
            return -1;
    return 0;
}

int claims_read(const cJSON *step, const struct json_path *at, struct pool_claim **claims, size_t *n,
                struct err *e)
{
    const cJSON *pool = cJSON_GetObjectItemCaseSensitive(step, "pool");
    const cJSON *slots = cJSON_GetObjectItemCaseSensitive(step, "pool_slots");
    const cJSON *pools = cJSON_GetObjectItemCaseSensitive(step, "pools");
    struct claims c = {claims, n};

    if (pools && (pool || slots))
        return json_fault(e, at, "pools together with %s", pool ? "pool" : "pool_slots");
    if (slots && !pool)
        return json_fault(e, at, "pool_slots without pool");
    if (pools)
        return read_pools(&c, pools, at, e);
    return pool ? read_pool(&c, pool, slots, at, e) : 0;
}

void claims_release(struct pool_claim *claims, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(claims[i].pool);
    free(claims);
}

void claims_print(struct text *t, const struct pool_claim *claims, size_t n)
{
    if (!n)
        return;
    json_put_key(t, "pools");
    json_put_open(t, '{');
    for (size_t i = 0; i < n; i++) {
        json_put_key(t, claims[i].pool);
        json_put_whole(t, claims[i].slots);
    }
    json_put_close(t, '}');
}
