#include "core/logs.h"

#include <inttypes.h>
#include <stdbool.h>
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

/* How much is not in the log: what was cut off its front, and what never came. */
static int gaps_read(const struct log_reader *l, struct store *s, int64_t *dropped, int64_t *missing,
                     struct err *e)
{
    char key[512], fields[2][128];
    const char *argv[] = {"HMGET", store_key(s, key, sizeof key, "run:", l->run), fields[0], fields[1]};
    struct reply *r;

    snprintf(fields[0], sizeof fields[0], "dropped:%s", l->step);
    snprintf(fields[1], sizeof fields[1], "missing:%s", l->step);
    r = read_wait(s, 4, argv, e);
    if (!r)
        return -1;
    *dropped = reply_int(reply_at(r, 0), 0);
    *missing = reply_int(reply_at(r, 1), 0);
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

static void tell_missing(struct log_reader *l, int64_t missing, struct text *out)
{
    bool in_line = out->len > 0 && out->s[out->len - 1] != '\n';

    if (missing > l->missing)
        text_addf(out, "%s[%" PRId64 " bytes could not be kept]\n", in_line ? "\n" : "",
                  missing - l->missing);
    l->missing = missing;
}

int log_read(struct log_reader *l, struct store *s, struct text *out, struct err *e)
{
    for (;;) {
        struct reply *bytes = range_read(l, s, e);
        int64_t dropped, missing;
        if (!bytes || gaps_read(l, s, &dropped, &missing, e) < 0) {
            reply_free(bytes);
            return -1;
        }
        if (dropped == l->dropped) {
            text_add_bytes(out, reply_str(bytes), reply_len(bytes));
            tell_missing(l, missing, out);
            l->at += (int64_t)reply_len(bytes);
            reply_free(bytes);
            return 0;
        }
        reply_free(bytes);
        reposition(l, dropped, out);
    }
}
