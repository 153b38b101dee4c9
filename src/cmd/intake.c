#include "cmd/intake.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/output.h"
#include "core/durable.h"
#include "core/read.h"
#include "core/submit.h"

#define FLYING_MAX  8
#define BATCH_BYTES (1 << 20)

struct batch {
    struct intake *in;
    struct batch *next;
    struct spec specs[SUBMIT_BATCH];
    int64_t lines[SUBMIT_BATCH];
    bool has_key[SUBMIT_BATCH];
    size_t n, bytes;
    bool done, confirmed;
    struct err e; /* of the call */
    enum submit_outcome outcomes[SUBMIT_BATCH];
    char *ids[SUBMIT_BATCH]; /* or what is wrong */
};

void intake_init(struct intake *in, struct context *ctx, struct store *store)
{
    *in = (struct intake){.ctx = ctx, .store = store};
}

void intake_release(struct intake *in)
{
    for (size_t i = 0; i < in->nids; i++)
        free(in->ids[i]);
    free(in->ids);
}

/* --- telling */

void intake_fault(struct intake *in, int64_t line, const struct err *e)
{
    in->faulty = true;
    if (line > 0)
        refuse("line %" PRId64 ": %s", line, e->msg);
    else
        complain(e);
}

static void full_fault(struct intake *in, int64_t line)
{
    struct err e = {0};

    submit_full_fault(in->store, READ_OUTAGE_MS, &e);
    intake_fault(in, line, &e);
}

static void accepted(struct intake *in, const char *id, bool is_new)
{
    in->ids = xrealloc(in->ids, (in->nids + 1) * sizeof *in->ids);
    in->ids[in->nids++] = xstrdup(id);
    if (!in->ctx->options.json) {
        puts(id);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", id);
    cJSON_AddBoolToObject(o, "new", is_new);
    json_line(stdout, o);
}

static void batch_failed(struct intake *in, struct batch *b)
{
    int64_t first = b->lines[0], last = b->lines[b->n - 1];

    in->broken = true;
    if (first < last)
        err_prefix(&b->e, "lines %" PRId64 " to %" PRId64, first, last);
    intake_fault(in, first < last ? 0 : first, &b->e);
}

static void unconfirmed_fault(struct intake *in, const struct batch *b)
{
    const char *again = "";
    struct err e = {0};

    for (size_t i = 0; i < b->n; i++)
        again = b->has_key[i] ? again : ", a run without a key becomes a second one";
    err_set(
        &e, ERR_UNAVAILABLE,
        "accepted, but no replica confirmed it within %d s: it is lost if redis is lost now; submit it again "
        "with the same key to have it confirmed%s",
        DURABLE_MS / 1000, again);
    if (b->lines[0] < b->lines[b->n - 1])
        err_prefix(&e, "lines %" PRId64 " to %" PRId64, b->lines[0], b->lines[b->n - 1]);
    intake_fault(in, b->lines[0] < b->lines[b->n - 1] ? 0 : b->lines[0], &e);
    in->unconfirmed = true;
    in->broken = true;
}

static void batch_tell(struct intake *in, struct batch *b)
{
    if (b->e.code != ERR_NONE) {
        batch_failed(in, b);
        return;
    }
    size_t before = in->nids;
    for (size_t i = 0; i < b->n; i++)
        switch (b->outcomes[i]) {
        case SUBMIT_NEW:
        case SUBMIT_EXISTS:
            accepted(in, b->ids[i], b->outcomes[i] == SUBMIT_NEW);
            break;
        case SUBMIT_FULL:
            full_fault(in, b->lines[i]);
            break;
        case SUBMIT_NEVER:
            err_set(&b->e, ERR_REFUSED, "%s", b->ids[i]);
            intake_fault(in, b->lines[i], &b->e);
            break;
        }
    if (in->durable && !b->confirmed && in->nids > before)
        unconfirmed_fault(in, b);
}

/* In the order of the batches, whatever the order of the answers. */
static void tell_done(struct intake *in)
{
    struct batch *b;

    while ((b = in->oldest) && b->done) {
        in->oldest = b->next;
        batch_tell(in, b);
        for (size_t i = 0; i < b->n; i++)
            free(b->ids[i]);
        free(b);
    }
}

/* --- sending */

static void batch_done(struct batch *b)
{
    b->done = true;
    b->in->answered = true;
    b->in->flying--;
}

static void on_confirmed(void *arg, const struct reply *r, const struct err *e)
{
    struct batch *b = arg;

    (void)e; /* not known is not confirmed */
    b->confirmed = durable_confirmed(r);
    batch_done(b);
}

static void on_submitted(void *arg, const struct reply *r, const struct err *e)
{
    struct batch *b = arg;
    const char *id;

    b->e = *e;
    for (size_t i = 0; r && i < b->n; i++) {
        b->outcomes[i] = submit_result(r, i, &id);
        b->ids[i] = xstrdup(id);
    }
    if (r && b->in->durable)
        durable_confirm(b->in->store, on_confirmed, b);
    else
        batch_done(b);
}

/* Until fewer than `most` calls are in flight. */
static void wait_below(struct intake *in, size_t most)
{
    while (in->flying >= most)
        event_base_loop(in->ctx->session.base, EVLOOP_ONCE);
    tell_done(in);
}

static void batch_send(struct intake *in)
{
    struct batch *b = in->filling;

    /* The first call goes alone: a server that does not know the script yet would answer the calls behind it
     * out of order, and ids are to follow the order of the lines. While a replica is waited for, the server
     * answers nothing else. */
    wait_below(in, in->answered && !in->durable ? FLYING_MAX : 1);
    in->filling = NULL;
    if (in->oldest)
        in->youngest->next = b;
    else
        in->oldest = b;
    in->youngest = b;
    in->flying++;
    call_send(submit_call(in->store, b->specs, b->n), 0, on_submitted, b);
    for (size_t i = 0; i < b->n; i++)
        spec_release(&b->specs[i]);
}

void intake_add(struct intake *in, struct spec *s, int64_t line, size_t bytes)
{
    struct batch *b = in->filling;

    if (!b) {
        b = in->filling = xcalloc(1, sizeof *b);
        b->in = in;
    }
    b->specs[b->n] = *s;
    b->has_key[b->n] = s->key != NULL;
    b->lines[b->n++] = line;
    b->bytes += bytes;
    if (b->n == SUBMIT_BATCH || b->bytes >= BATCH_BYTES)
        batch_send(in);
}

void intake_finish(struct intake *in)
{
    if (in->filling)
        batch_send(in);
    wait_below(in, 1);
}
