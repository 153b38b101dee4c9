/* The calls of rivers.h about the connection and about runs. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/visit.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pace.h"
#include "core/queue.h"
#include "core/run_json.h"
#include "core/submit.h"

#define TIMEOUT_MS 10000

/* --- the connection */

static enum rivers_code open_(struct visit *v, struct rivers *h, const struct rivers_options *o)
{
    const struct session_options where = {o->url, o->password_file, o->ns};

    h->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    if (h->timeout_ms < 0)
        return visit_refuse(v, RIVERS_INVALID, "timeout_ms: must not be negative");
    if (session_open(&h->session, &where, &v->e) < 0 && v->e.code == ERR_NOT_FOUND)
        return visit_refuse(
            v, RIVERS_NOT_FOUND,
            "no Redis given: name it by 'url' or RIVERS_REDIS_URL, or start one here with 'rivers dev'");
    if (!h->session.store)
        return visit_fault(v);
    redis_retry_within(h->session.redis, h->timeout_ms);
    return session_await(&h->session, h->timeout_ms, &v->e) < 0 ? visit_fault(v) : RIVERS_OK;
}

int rivers_open(struct rivers **h, const struct rivers_options *options, struct rivers_error *error)
{
    const struct rivers_options defaults = {NULL, NULL, NULL, 0};
    struct rivers *opened = xcalloc(1, sizeof *opened);
    struct visit v;

    visit_begin(&v, NULL);
    enum rivers_code code = open_(&v, opened, options ? options : &defaults);
    if (code != RIVERS_OK) {
        session_close(&opened->session);
        free(opened);
        opened = NULL;
    }
    *h = opened;
    return visit_end(&v, code, error);
}

void rivers_close(struct rivers *h)
{
    struct visit v;

    if (!h)
        return;
    visit_begin(&v, NULL);
    session_close(&h->session);
    free(h);
    visit_end(&v, RIVERS_OK, NULL);
}

int64_t rivers_clock_ms(void)
{
    return clock_mono_ms();
}

/* --- submit */

static enum rivers_code submitted(struct visit *v, const struct reply *r, char *id)
{
    const char *said;

    switch (submit_result(r, 0, &said)) {
    case SUBMIT_NEW:
    case SUBMIT_EXISTS:
        snprintf(id, RIVERS_ID_SIZE, "%s", said);
        return RIVERS_OK;
    case SUBMIT_NEVER:
        return visit_refuse(v, RIVERS_REFUSED, "%s", said);
    case SUBMIT_FULL:
        break;
    }
    submit_full_fault(v->h->session.store, v->h->timeout_ms, &v->e);
    return RIVERS_FULL;
}

static enum rivers_code submit(struct visit *v, const char *run_json, char *id)
{
    struct spec spec;

    if (spec_parse(&spec, run_json, strlen(run_json), &v->e) < 0)
        return visit_fault(v);
    struct reply *r = call_wait(submit_call(v->h->session.store, &spec, 1), v->h->timeout_ms, &v->e);
    enum rivers_code code = r ? submitted(v, r, id) : visit_fault(v);
    reply_free(r);
    spec_release(&spec);
    return code;
}

int rivers_submit(struct rivers *h, const char *run_json, char id[RIVERS_ID_SIZE], struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    return visit_end(&v, submit(&v, run_json, id), error);
}

/* --- look */

_Static_assert((int)RIVERS_QUEUED == RUN_QUEUED && (int)RIVERS_NOT_STARTED == RUN_NOT_STARTED &&
                   (int)RIVERS_STARTED == RUN_STARTED && (int)RIVERS_SUCCESS == RUN_SUCCESS &&
                   (int)RIVERS_FAILURE == RUN_FAILURE && (int)RIVERS_CANCELED == RUN_CANCELED &&
                   RUN_STATE_COUNT == RIVERS_CANCELED + 1,
               "the states are those of core/run.h");

const char *rivers_state_word(enum rivers_run_state state)
{
    return (unsigned)state < RUN_STATE_COUNT ? run_state_word((enum run_state)state) : "";
}

static enum rivers_code not_found(struct visit *v, const char *id)
{
    return visit_refuse(v, RIVERS_NOT_FOUND, "run '%s' not found", id);
}

static enum rivers_code ask_state(struct visit *v, const char *id, enum rivers_run_state *state)
{
    enum run_state found;
    int status = run_state_ask(v->h->session.store, id, v->h->timeout_ms, &found, &v->e);

    if (status <= 0)
        return status < 0 ? visit_fault(v) : not_found(v, id);
    *state = (enum rivers_run_state)found;
    return RIVERS_OK;
}

int rivers_state(struct rivers *h, const char *id, enum rivers_run_state *state, struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    return visit_end(&v, ask_state(&v, id, state), error);
}

/* Owned by the caller, whatever cJSON allocates with. */
static char *shown_print(const struct run *run, const struct reply *shown)
{
    cJSON *o = run_show_json(run, shown);
    char *printed = json_print(o), *json = xstrdup(printed);

    cJSON_free(printed);
    cJSON_Delete(o);
    return json;
}

static enum rivers_code shown(struct visit *v, const char *id, const struct reply *r, char **json)
{
    struct spec spec;
    struct run run;

    if (!reply_is(r, "OK"))
        return not_found(v, id);
    if (run_show_spec(&spec, id, r, &v->e) < 0)
        return visit_fault(v);
    spec_release(&spec);
    run_read(&run, id, reply_at(r, 1), 0);
    *json = shown_print(&run, r);
    run_release(&run);
    return RIVERS_OK;
}

int rivers_show(struct rivers *h, const char *id, char **json, struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    struct reply *r = call_wait(run_show_call(h->session.store, id), h->timeout_ms, &v.e);
    enum rivers_code code = r ? shown(&v, id, r, json) : visit_fault(&v);
    reply_free(r);
    return visit_end(&v, code, error);
}

void rivers_free(char *json)
{
    free(json);
}

/* --- wait */

static enum rivers_code waited_enough(struct visit *v, const char *id, int64_t wait_ms,
                                      enum rivers_run_state state)
{
    char span[64];

    return visit_refuse(v, RIVERS_TIMEOUT, "run '%s' has not ended within %s (status: %s)", id,
                        duration_print_ms(wait_ms, span, sizeof span), rivers_state_word(state));
}

static enum rivers_code wait_for(struct visit *v, const char *id, int64_t wait_ms,
                                 enum rivers_run_state *state)
{
    int64_t until = visit_end_of(wait_ms), pace_ms = PACE_FIRST_MS, left_ms;
    enum rivers_code code;

    while ((code = ask_state(v, id, state)) == RIVERS_OK && !run_state_is_final((enum run_state) * state)) {
        left_ms = until - clock_mono_ms();
        if (left_ms <= 0)
            return waited_enough(v, id, wait_ms, *state);
        session_sleep(&v->h->session, left_ms < pace_ms ? left_ms : pace_ms);
        pace_ms = pace_next_ms(pace_ms);
    }
    return code;
}

int rivers_wait(struct rivers *h, const char *id, int64_t wait_ms, enum rivers_run_state *state,
                struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    return visit_end(&v, wait_for(&v, id, wait_ms > 0 ? wait_ms : 0, state), error);
}

/* --- cancel */

static enum rivers_code canceled(struct visit *v, const char *id, const struct reply *r)
{
    const char *word = run_cancel_word(r);

    if (strcmp(word, "NOT_FOUND") == 0)
        return not_found(v, id);
    if (strcmp(word, "FINAL") == 0)
        return visit_refuse(v, RIVERS_REFUSED, "run '%s' has already ended (status: %s)", id,
                            reply_str(reply_at(r, 1)));
    return RIVERS_OK;
}

static enum rivers_code cancel(struct visit *v, const char *id, int64_t grace_ms)
{
    if (grace_ms < 0)
        return visit_refuse(v, RIVERS_INVALID, "grace_ms: must not be negative");
    struct reply *r =
        call_wait(run_cancel_call(v->h->session.store, id, grace_ms, false), v->h->timeout_ms, &v->e);
    enum rivers_code code = r ? canceled(v, id, r) : visit_fault(v);
    reply_free(r);
    return code;
}

int rivers_cancel(struct rivers *h, const char *id, int64_t grace_ms, struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    return visit_end(&v, cancel(&v, id, grace_ms), error);
}
