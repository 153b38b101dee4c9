#include "core/pool.h"

#include <stdlib.h>

#include "base/mem.h"

static void call_claim_name(struct call *c, const char *run, const char *step)
{
    char *name = xasprintf("%s/%s", run, step);

    call_str(c, name);
    free(name);
}

/* A number, or "" where it says nothing. */
static void call_optional(struct call *c, int64_t value, int64_t nothing)
{
    if (value == nothing)
        call_str(c, "");
    else
        call_int(c, value);
}

struct call *claim_call(struct store *s, const struct claimant *who, const struct pool_claim *claims,
                        size_t n)
{
    struct call *c = call_new(s, SCRIPT_POOL_CLAIM);

    call_claim_name(c, who->run, who->step);
    call_optional(c, who->run_token, 0);
    call_int(c, who->attempt);
    if (who->run_token)
        call_str(c, "");
    else
        call_int(c, who->priority);
    for (size_t i = 0; i < n; i++) {
        call_str(c, claims[i].pool);
        call_int(c, claims[i].slots);
    }
    return c;
}

struct call *release_call(struct store *s, const struct claimant *who, int64_t token)
{
    struct call *c = call_new(s, SCRIPT_POOL_RELEASE);

    call_claim_name(c, who->run, who->step);
    call_optional(c, token, 0);
    call_int(c, who->attempt);
    return c;
}

struct call *renew_slots_call(struct store *s, const struct grant *grants, size_t n)
{
    struct call *c = call_new(s, SCRIPT_POOL_RENEW);

    for (size_t i = 0; i < n; i++) {
        call_claim_name(c, grants[i].run, grants[i].step);
        call_int(c, grants[i].token);
    }
    return c;
}

struct call *pool_set_call(struct store *s, const char *pool, int64_t limit, int64_t lease_ms,
                           int64_t bypass_ms)
{
    struct call *c = call_new(s, SCRIPT_POOL_SET);

    call_str(c, pool);
    call_int(c, limit);
    call_optional(c, lease_ms, -1);
    call_optional(c, bypass_ms, -1);
    return c;
}
