#include "core/submit.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "core/read.h"

/* The part of an id that keeps it unique when a fail-over has lost the server's counter. */
static void call_random(struct call *c)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char bytes[4];
    char word[5] = "";

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        word[i] = digits[bytes[i] % 32];
    call_str(c, word);
}

static void call_tag(struct call *c, const struct tag *tag)
{
    char *field = xasprintf("tag:%s", tag->key);

    call_str(c, field);
    free(field);
    call_str(c, tag->value);
}

/* What lua/lib/queue/intake.lua reads. */
static void call_spec(struct call *c, const struct spec *s)
{
    char *stored = spec_print(s);

    call_str(c, stored);
    free(stored);
    call_int(c, s->priority);
    call_str(c, s->key);
    if (s->delay_ms > 0)
        call_int(c, s->delay_ms);
    else
        call_str(c, "");
    call_int(c, (s->job ? 1 : 0) + (s->requeue_lost ? 2 : 0) + (int64_t)s->ntags);
    if (s->job) {
        call_str(c, "job");
        call_str(c, s->job);
    }
    if (s->requeue_lost) {
        call_str(c, "on_lost");
        call_str(c, "requeue");
        call_str(c, "max_attempts");
        call_int(c, s->max_attempts);
    }
    for (size_t i = 0; i < s->ntags; i++)
        call_tag(c, &s->tags[i]);
}

static size_t claims_count(const struct spec *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->nsteps; i++)
        count += s->steps[i].nclaims;
    return count;
}

static void call_claims(struct call *c, const struct spec *s, size_t number)
{
    for (size_t i = 0; i < s->nsteps; i++)
        for (size_t j = 0; j < s->steps[i].nclaims; j++) {
            call_int(c, (int64_t)number);
            call_str(c, s->steps[i].name);
            call_str(c, s->steps[i].claims[j].pool);
            call_int(c, s->steps[i].claims[j].slots);
        }
}

struct call *submit_call(struct store *s, const struct spec *specs, size_t n)
{
    struct call *c = call_new(s, SCRIPT_RUN_SUBMIT);
    size_t claims = 0;

    for (size_t i = 0; i < n; i++)
        claims += claims_count(&specs[i]);
    call_request(c);
    call_random(c);
    call_int(c, (int64_t)n);
    call_int(c, (int64_t)claims);
    for (size_t i = 0; i < n; i++)
        call_claims(c, &specs[i], i + 1);
    for (size_t i = 0; i < n; i++)
        call_spec(c, &specs[i]);
    return c;
}

struct call *materialize_call(struct store *s, const struct spec *spec, const char *who, int64_t start_ms)
{
    struct call *c = call_new(s, SCRIPT_RUN_MATERIALIZE);

    call_request(c);
    call_random(c);
    call_str(c, who);
    call_int(c, start_ms);
    call_spec(c, spec);
    return c;
}

enum submit_outcome submit_result(const struct reply *r, size_t i, const char **id)
{
    static const char *const words[] = {
        [SUBMIT_NEW] = "NEW", [SUBMIT_EXISTS] = "EXISTS", [SUBMIT_FULL] = "FULL", [SUBMIT_NEVER] = "NEVER"};
    const struct reply *word = reply_at(r, 1 + 2 * i);

    *id = reply_str(reply_at(r, 2 + 2 * i));
    for (int o = SUBMIT_NEW; o <= SUBMIT_NEVER; o++)
        if (reply_is(word, words[o]))
            return (enum submit_outcome)o;
    return SUBMIT_FULL;
}

void submit_full_fault(struct store *s, int64_t most_ms, struct err *e)
{
    char key[128];
    const char *argv[] = {"HGET", store_key(s, key, sizeof key, "config", ""), "max_queued_runs"};
    struct reply *r = read_within(s, most_ms, 3, argv, e);

    if (r)
        err_set(e, ERR_REFUSED, "the queue is full (max_queued_runs %s)", reply_str(r));
    reply_free(r);
}
