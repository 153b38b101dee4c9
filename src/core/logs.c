#include "core/logs.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/read.h"

#define CHUNK_BYTES (64 * 1024)

static struct reply *range_read(const struct log_reader *l, struct store *s, struct err *e)
{
    char key[512], name[256], first[24], last[24];
    const char *argv[] = {"GETRANGE", key, first, last};

    snprintf(name, sizeof name, "%s/%s", l->run, l->step);
    store_key(s, key, sizeof key, "log:", name);
    snprintf(first, sizeof first, "%" PRId64, l->at - l->dropped);
    snprintf(last, sizeof last, "%" PRId64, l->at - l->dropped + CHUNK_BYTES - 1);
    return read_wait(s, 4, argv, e);
}

static int dropped_read(const struct log_reader *l, struct store *s, int64_t *dropped, struct err *e)
{
    char key[512], field[128];
    const char *argv[] = {"HGET", store_key(s, key, sizeof key, "run:", l->run), field};
    struct reply *r;

    snprintf(field, sizeof field, "dropped:%s", l->step);
    r = read_wait(s, 3, argv, e);
    if (!r)
        return -1;
    *dropped = reply_int(r, 0);
    reply_free(r);
    return 0;
}

/* The bytes were taken from a place that moved meanwhile. */
static void reposition(struct log_reader *l, int64_t dropped, struct text *out)
{
    l->dropped = dropped;
    if (l->at < dropped) {
        text_addf(out, "[%" PRId64 " bytes are no longer kept]\n", dropped - l->at);
        l->at = dropped;
    }
}

int log_read(struct log_reader *l, struct store *s, struct text *out, struct err *e)
{
    for (;;) {
        struct reply *bytes = range_read(l, s, e);
        int64_t dropped;
        if (!bytes || dropped_read(l, s, &dropped, e) < 0) {
            reply_free(bytes);
            return -1;
        }
        if (dropped == l->dropped) {
            text_add_bytes(out, reply_str(bytes), reply_len(bytes));
            l->at += (int64_t)reply_len(bytes);
            reply_free(bytes);
            return 0;
        }
        reply_free(bytes);
        reposition(l, dropped, out);
    }
}
