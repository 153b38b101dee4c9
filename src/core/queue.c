#include "core/queue.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "core/read.h"

struct call *queue_list_call(struct store *s, int64_t first, int64_t many)
{
    struct call *c = call_new(s, SCRIPT_QUEUE_LIST);

    call_int(c, first);
    call_int(c, many);
    return c;
}

int64_t queue_total(const struct reply *r)
{
    return reply_int(reply_at(r, 1), 0);
}

size_t queue_count(const struct reply *r)
{
    return reply_count(r) - 2;
}

struct queue_row queue_at(const struct reply *r, size_t i)
{
    const struct reply *row = reply_at(r, 2 + i);

    return (struct queue_row){
        .id = reply_str(reply_at(row, 0)),
        .job = reply_str(reply_at(row, 1)),
        .priority = reply_int(reply_at(row, 2), 0),
        .queued_at = reply_int(reply_at(row, 3), 0),
        .not_before = reply_int(reply_at(row, 4), 0),
        .reason = reply_str(reply_at(row, 5)),
    };
}

static struct call *run_call(struct store *s, enum script_id script, const char *id)
{
    struct call *c = call_new(s, script);

    call_str(c, id);
    return c;
}

struct call *queue_why_call(struct store *s, const char *id)
{
    return run_call(s, SCRIPT_QUEUE_WHY, id);
}

enum { WHY_GATES = 6, GATE_HOLDERS = 4 }; /* the elements before them */

struct queue_why queue_why_read(const struct reply *r)
{
    return (struct queue_why){
        .position = reply_int(reply_at(r, 1), 0),
        .total = reply_int(reply_at(r, 2), 0),
        .lane_position = reply_int(reply_at(r, 3), 0),
        .lane_total = reply_int(reply_at(r, 4), 0),
        .lane = reply_str(reply_at(r, 5)),
        .ngates = reply_count(r) - WHY_GATES,
    };
}

struct queue_gate queue_gate_at(const struct reply *r, size_t i)
{
    const struct reply *gate = reply_at(r, WHY_GATES + i);

    return (struct queue_gate){
        .name = reply_str(reply_at(gate, 0)),
        .current = reply_int(reply_at(gate, 1), 0),
        .limit = reply_int(reply_at(gate, 2), 0),
        .text = reply_str(reply_at(gate, 3)),
        .nholders = reply_count(gate) - GATE_HOLDERS,
    };
}

const char *queue_holder_at(const struct reply *r, size_t gate, size_t i)
{
    return reply_str(reply_at(reply_at(r, WHY_GATES + gate), GATE_HOLDERS + i));
}

void queue_gate_print(const struct queue_gate *g, struct text *t)
{
    text_add(t, *g->name ? "tag limit: " : "global run limit");
    text_addf(t, "%s (%" PRId64 "/%" PRId64 ")", g->name, g->current, g->limit);
}

bool queue_limit_is_readable(const struct queue_gate *g)
{
    int64_t n;

    return number_parse(g->text, INT64_MIN, INT64_MAX, &n) == 0;
}

int64_t queue_tag_limit_read(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    int64_t n = INT64_MAX;

    if (digits == 0 || text[digits])
        return 0;
    return number_parse(text, 0, INT64_MAX, &n) == 0 ? n : INT64_MAX; /* too large to be one */
}

int64_t queue_run_limit_read(const char *text)
{
    size_t digits = *text == '-' ? strspn(text + 1, "0123456789") : 0;

    return digits > 0 && !text[1 + digits] ? INT64_MAX : queue_tag_limit_read(text);
}

int queue_halt_ask(struct store *s, int64_t most_ms, struct queue_halt *h, struct err *e)
{
    struct reply *r = call_wait(call_new(s, SCRIPT_QUEUE_HALT), most_ms, e);

    *h = (struct queue_halt){
        .why = reply_is(r, "UNATTENDED") ? QUEUE_UNATTENDED
               : reply_is(r, "HELD")     ? QUEUE_HELD
                                         : QUEUE_GOES_ON,
        .at = reply_int(reply_at(r, 1), 0),
    };
    reply_free(r);
    return r ? 0 : -1;
}

void queue_halt_print(const struct queue_halt *h, struct text *t)
{
    char stamp[32];

    clock_print(h->at, stamp, sizeof stamp);
    if (h->why == QUEUE_HELD)
        text_addf(t, "history was lost, nothing is admitted before %s", stamp);
    else if (h->why == QUEUE_UNATTENDED && h->at)
        text_addf(t, "no dequeuer has looked since %s", stamp);
    else if (h->why == QUEUE_UNATTENDED)
        text_add(t, "no dequeuer has looked yet");
}

struct call *runs_list_call(struct store *s, const struct run_filter *filter, const char *cursor,
                            int64_t most)
{
    struct call *c = call_new(s, SCRIPT_RUN_LIST);

    call_str(c, cursor);
    call_int(c, most);
    call_str(c, filter->state);
    call_str(c, filter->job);
    for (size_t i = 0; i < filter->ntags; i++) {
        call_str(c, filter->tags[i].key);
        call_str(c, filter->tags[i].value);
    }
    return c;
}

const char *runs_cursor(const struct reply *r)
{
    return reply_str(reply_at(r, 1));
}

size_t runs_count(const struct reply *r)
{
    return reply_count(r) - 2;
}

void runs_at(const struct reply *r, size_t i, struct run *run)
{
    const struct reply *row = reply_at(r, 2 + i);

    run_read(run, reply_str(reply_at(row, 0)), row, 1);
}

struct call *run_show_call(struct store *s, const char *id)
{
    return run_call(s, SCRIPT_RUN_SHOW, id);
}

int run_state_ask(struct store *s, const char *id, int64_t most_ms, enum run_state *state, struct err *e)
{
    char key[256];
    const char *argv[] = {"HGET", store_key(s, key, sizeof key, "run:", id), "state"};
    struct reply *r = read_within(s, most_ms, 3, argv, e);

    if (!r)
        return -1;
    int found = run_state_parse(reply_str(r), state) == 0;
    reply_free(r);
    return found;
}

struct call *run_cancel_call(struct store *s, const char *id, int64_t grace_ms, bool queued_only)
{
    struct call *c = run_call(s, SCRIPT_RUN_CANCEL, id);

    call_int(c, grace_ms);
    call_str(c, queued_only ? "queued" : "");
    return c;
}

const char *run_cancel_word(const struct reply *r)
{
    bool done = reply_is(r, "FINAL") && strcmp(reply_str(reply_at(r, 1)), run_state_word(RUN_CANCELED)) == 0;

    return done ? "CANCELED" : reply_word(r);
}

struct call *run_delete_call(struct store *s, const char *id)
{
    return run_call(s, SCRIPT_RUN_DELETE, id);
}
