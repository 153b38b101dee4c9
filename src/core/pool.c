#include "core/pool.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"

static void host_and_pid(char *buf, size_t size)
{
    char host[64] = "";

    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '-';
    snprintf(buf, size, "%s-%d", host, (int)getpid());
}

char *claimant_name(const char *label)
{
    char own[80];
    uint32_t word;

    if (getrandom(&word, sizeof word, 0) != (ssize_t)sizeof word)
        abort();
    if (!label)
        host_and_pid(own, sizeof own);
    return xasprintf("%s-%08" PRIx32, label ? label : own, word);
}

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

void claim_fault(const struct reply *r, const char *step, struct err *e)
{
    const char *pool = reply_str(reply_at(r, 1));

    if (reply_is(r, "NEVER"))
        err_set(e, ERR_REFUSED, "step '%s' asks %s slots of pool '%s' (limit %s): it can never run", step,
                reply_str(reply_at(r, 2)), pool, reply_str(reply_at(r, 3)));
    else if (reply_is(r, "UNKNOWN_POOL"))
        err_set(e, ERR_NOT_FOUND, "pool '%s' not configured", pool);
    else if (reply_is(r, "TOO_MANY"))
        err_set(e, ERR_INVALID, "step '%s' has more than %s pools", step, pool);
    else
        err_set(e, ERR_STALE, "step '%s' may not claim: its run's token is stale", step);
}

struct call *release_call(struct store *s, const struct claimant *who, int64_t token)
{
    struct call *c = call_new(s, SCRIPT_POOL_RELEASE);

    call_claim_name(c, who->run, who->step);
    call_optional(c, token, 0);
    call_int(c, who->attempt);
    return c;
}

struct call *renew_slots_call(struct store *s, const char *run, const struct grant *grants, size_t n)
{
    struct call *c = call_new(s, SCRIPT_POOL_RENEW);

    call_str(c, run);
    for (size_t i = 0; i < n; i++)
        call_str(c, grants[i].step);
    for (size_t i = 0; i < n; i++)
        call_int(c, grants[i].token);
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

struct pool_setting pool_setting_read(const struct reply *r)
{
    return (struct pool_setting){
        .limit = reply_str(reply_at(r, 1)),
        .lease_ms = reply_int(reply_at(r, 2), 0),
        .bypass_ms = reply_int(reply_at(r, 3), 0),
    };
}

struct call *pool_list_call(struct store *s)
{
    return call_new(s, SCRIPT_POOL_LIST);
}

size_t pool_count(const struct reply *r)
{
    return reply_count(r) - 1;
}

struct pool_row pool_at(const struct reply *r, size_t i)
{
    const struct reply *row = reply_at(r, 1 + i);

    return (struct pool_row){
        .name = reply_str(reply_at(row, 0)),
        .limit = reply_str(reply_at(row, 1)),
        .claimed = reply_int(reply_at(row, 2), 0),
        .pending = reply_int(reply_at(row, 3), 0),
        .lease_ms = reply_int(reply_at(row, 4), 0),
    };
}

static struct call *pool_call(struct store *s, enum script_id script, const char *pool)
{
    struct call *c = call_new(s, script);

    call_str(c, pool);
    return c;
}

struct call *pool_info_call(struct store *s, const char *pool)
{
    return pool_call(s, SCRIPT_POOL_INFO, pool);
}

enum { INFO_POOL = 1, INFO_HOLDERS, INFO_WAITERS, CLAIM_FIELDS = 5 };

struct pool_info pool_info_read(const struct reply *r)
{
    const struct reply *pool = reply_at(r, INFO_POOL);

    return (struct pool_info){
        .setting = {.limit = reply_str(reply_at(pool, 0)),
                    .lease_ms = reply_int(reply_at(pool, 4), 0),
                    .bypass_ms = reply_int(reply_at(pool, 5), 0)},
        .claimed = reply_int(reply_at(pool, 1), 0),
        .holders = reply_int(reply_at(pool, 2), 0),
        .waiters = reply_int(reply_at(pool, 3), 0),
        .nholders = reply_count(reply_at(r, INFO_HOLDERS)) / CLAIM_FIELDS,
        .nwaiters = reply_count(reply_at(r, INFO_WAITERS)) / CLAIM_FIELDS,
    };
}

/* fields: of the claim `<run>/<step>`, slots, since, ... from element `at` on. */
static struct pool_claimant claimant_read(const struct reply *fields, size_t at)
{
    const char *claim = reply_str(reply_at(fields, at));
    size_t len = strcspn(claim, "/");
    struct pool_claimant who = {
        .step = claim[len] ? claim + len + 1 : "",
        .slots = reply_int(reply_at(fields, at + 1), 0),
        .since = reply_int(reply_at(fields, at + 2), 0),
    };

    snprintf(who.run, sizeof who.run, "%.*s", (int)len, claim);
    return who;
}

struct pool_holder pool_holder_at(const struct reply *r, size_t i)
{
    const struct reply *fields = reply_at(r, INFO_HOLDERS);
    size_t at = i * CLAIM_FIELDS;

    return (struct pool_holder){
        .who = claimant_read(fields, at),
        .lease_until = reply_int(reply_at(fields, at + 3), 0),
        .token = reply_int(reply_at(fields, at + 4), 0),
    };
}

struct pool_waiter pool_waiter_at(const struct reply *r, size_t i)
{
    const struct reply *fields = reply_at(r, INFO_WAITERS);
    size_t at = i * CLAIM_FIELDS;

    return (struct pool_waiter){
        .who = claimant_read(fields, at),
        .priority = reply_int(reply_at(fields, at + 3), 0),
        .reason = reply_str(reply_at(fields, at + 4)),
    };
}

struct call *pool_delete_call(struct store *s, const char *pool)
{
    return pool_call(s, SCRIPT_POOL_DELETE, pool);
}
