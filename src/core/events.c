#include "core/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/read.h"

#define PAGE "100"

struct event_record event_at(const struct reply *r, size_t i)
{
    const struct reply *entry = reply_at(r, i), *fields = reply_at(entry, 1);
    const char *id = reply_str(reply_at(entry, 0));

    return (struct event_record){
        .id = id,
        .at = strtoll(id, NULL, 10), /* "<ms>-<number>" */
        .name = reply_str(reply_field(fields, 0, "event")),
        .run = reply_str(reply_field(fields, 0, "run")),
        .fields = fields,
    };
}

int events_seek(struct events *ev, struct store *s, int64_t many, struct err *e)
{
    char key[128], count[24];
    const char *argv[] = {"XREVRANGE", store_key(s, key, sizeof key, "events", ""), "+", "-", "COUNT", count};
    struct reply *r;

    /* One more than asked: the one before them is where reading begins. */
    snprintf(count, sizeof count, "%" PRId64, many + 1);
    r = read_wait(s, 6, argv, e);
    if (!r)
        return -1;
    *ev = (struct events){0};
    if ((int64_t)reply_count(r) > many)
        snprintf(ev->last, sizeof ev->last, "%s", event_at(r, reply_count(r) - 1).id);
    reply_free(r);
    return 0;
}

struct reply *events_read(struct events *ev, struct store *s, struct err *e)
{
    char key[128], from[64];
    const char *argv[] = {"XRANGE", store_key(s, key, sizeof key, "events", ""), from, "+", "COUNT", PAGE};
    struct reply *r;

    snprintf(from, sizeof from, *ev->last ? "(%s" : "-", ev->last);
    r = read_wait(s, 6, argv, e);
    if (r && reply_count(r) > 0)
        snprintf(ev->last, sizeof ev->last, "%s", event_at(r, reply_count(r) - 1).id);
    return r;
}
