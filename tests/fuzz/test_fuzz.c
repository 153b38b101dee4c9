/* What reads the bytes of others gets mutations of good input, by a seed: it must neither crash nor, under `make fuzz`, touch
 * memory that is not its own. FUZZ_SEED and FUZZ_ROUNDS change what is tried; a failure is found again by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/spec.h"
#include "redis/reader.h"
#include "redis/reply.h"
#include "redis/url.h"

#define ROUNDS    20000
#define INPUT_MAX 4096
#define PIECES    6

static unsigned short seed[3];

static size_t below(size_t n)
{
    return (size_t)nrand48(seed) % n;
}

static size_t number(const char *name, size_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* --- mutations */

struct input {
    char bytes[INPUT_MAX + 1];
    size_t n;
};

static void insert(struct input *in, size_t at, const char *bytes, size_t n)
{
    if (in->n + n > INPUT_MAX)
        return;
    memmove(in->bytes + at + n, in->bytes + at, in->n - at);
    memcpy(in->bytes + at, bytes, n);
    in->n += n;
}

static void erase(struct input *in, size_t at, size_t n)
{
    if (n > in->n - at)
        n = in->n - at;
    memmove(in->bytes + at, in->bytes + at + n, in->n - at - n);
    in->n -= n;
}

/* Words that tend to be at the edge of something. */
static const char *const edges[] = {"\r\n",       "-1",       "0",  "99999999999999999999",
                                    "2147483648", "\"",       "\\", "[",
                                    "{",          "}",        "]",  ":",
                                    ",",          "//",       "/*", "\xff",
                                    "\\u",        "\xc3\x28", "%",  "@",
                                    "1e999",      "$",        "*",  "?",
                                    "&",          "null",     "~",  " "};

static void mutate(struct input *in)
{
    char piece[64];
    size_t at = below(in->n + 1), n = 1 + below(sizeof piece);
    const char *edge = edges[below(sizeof edges / sizeof *edges)];

    switch (below(5)) {
    case 0:
        if (at < in->n)
            in->bytes[at] = (char)below(256);
        break;
    case 1:
        erase(in, at, n);
        break;
    case 2:
        insert(in, at, edge, strlen(edge));
        break;
    case 3: /* a piece of itself */
        n = n < in->n - at ? n : in->n - at;
        memcpy(piece, in->bytes + at, n);
        insert(in, below(in->n + 1), piece, n);
        break;
    default:
        in->n = at;
    }
}

/* --- what reads; copies on the heap, so that a byte too far is seen */

static void read_replies(const char *bytes, size_t n)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct reply *r = NULL;
    struct err e = {0};
    int status = 0;

    for (size_t at = 0, some; at < n && status == 0; at += some) {
        some = 1 + below(n - at);
        evbuffer_add(in, bytes + at, some);
        reader_feed(rd, in);
        while ((status = reader_next(rd, &r, &e)) == 0 && r)
            reply_free(r);
    }
    evbuffer_free(in);
    reader_free(rd);
}

static void read_spec(const char *bytes, size_t n)
{
    struct spec s, again;
    struct err e = {0};

    if (spec_parse(&s, bytes, n, &e) < 0)
        return;
    char *printed = spec_print_whole(&s);
    if (spec_parse(&again, printed, strlen(printed), &e) < 0)
        fail_msg("what was accepted is not read again: %s: %s", e.msg, printed);
    spec_release(&again);
    free(printed);
    spec_release(&s);
}

static void read_config(const char *bytes, size_t n)
{
    struct config c;
    struct err e = {0};

    if (config_parse(&c, bytes, n, &e) == 0)
        config_release(&c);
}

static void read_json(const char *bytes, size_t n)
{
    struct err e = {0};
    struct cJSON *v = json_parse(bytes, n, below(2) ? JSON_COMMENTS : 0, &e);

    cJSON_Delete(v);
}

static void read_url(const char *bytes, size_t n)
{
    struct redis_url u;
    struct err e = {0};

    (void)n;
    if (redis_url_parse(&u, bytes, &e) == 0)
        redis_url_release(&u);
}

static void read_duration(const char *bytes, size_t n)
{
    struct duration d;
    char text[64];
    int64_t ms, again;
    struct err e = {0};

    (void)n;
    if (duration_parse(&d, bytes, &e) < 0 || duration_parse_ms(&ms, "it", bytes, &e) < 0)
        return;
    duration_print_ms(ms, text, sizeof text);
    if (duration_parse_ms(&again, "it", text, &e) < 0 || again != ms)
        fail_msg("%s is printed as %s, which is something else", bytes, text);
}

struct target {
    void (*read)(const char *bytes, size_t n);
    const char *good[PIECES]; /* what mutations begin with */
};

static void try_all(const struct target *t)
{
    size_t ngood = 0, rounds = number("FUZZ_ROUNDS", ROUNDS);

    seed[0] = (unsigned short)number("FUZZ_SEED", 1);
    while (ngood < PIECES && t->good[ngood])
        ngood++;
    for (size_t i = 0; i < rounds; i++) {
        struct input in = {.n = 0};
        const char *good = t->good[below(ngood)];
        insert(&in, 0, good, strlen(good));
        for (size_t k = below(8); k > 0; k--)
            mutate(&in);
        char *copy = xmalloc(in.n + 1);
        memcpy(copy, in.bytes, in.n);
        copy[in.n] = '\0';
        t->read(copy, in.n);
        free(copy);
    }
}

static void replies(void **state)
{
    static const struct target t = {read_replies,
                                    {"+OK\r\n", "*3\r\n$2\r\nOK\r\n:12\r\n*2\r\n$-1\r\n*-1\r\n",
                                     "-ERR no\r\n:-5\r\n", "*2\r\n*2\r\n*1\r\n:1\r\n+x\r\n$5\r\nhello\r\n"}};

    (void)state;
    try_all(&t);
}

static void specs(void **state)
{
    static const struct target t = {
        read_spec,
        {"{\"steps\": [{\"name\": \"a\", \"command\": \"x\"}]}",
         "{\"job\": \"j\", \"tags\": {\"a\": \"b\"}, \"priority\": 3, \"delay\": \"1m\", \"on_lost\": "
         "\"requeue\", \"steps\": "
         "[{\"name\": \"a\", \"command\": [\"x\", \"y\"], \"pools\": {\"p\": 2}, \"retries\": {\"max\": 2, "
         "\"on\": "
         "[1, \"lost\"]}}, {\"name\": \"b\", \"command\": \"z\", \"needs\": [\"a\"], \"timeout\": \"1h\"}]}",
         "{\"env\": {\"A\": \"1\"}, \"key\": \"k\", \"steps\": [{\"name\": \"a\", \"command\": \"x\", "
         "\"pool\": [\"p\"], "
         "\"pool_slots\": {\"p\": 3}}]}"}};

    (void)state;
    try_all(&t);
}

static void configs(void **state)
{
    static const struct target t = {read_config,
                                    {"{}",
                                     "{\"run_queue\": {\"max_concurrent_runs\": 3, "
                                     "\"tag_concurrency_limits\": [{\"key\": \"a\", \"value\": \"b\", "
                                     "\"limit\": 1}, {\"key\": \"a\", \"per_unique_value\": true, \"limit\": "
                                     "2}], \"dequeue_interval\": \"1s\"}}",
                                     "{\"pool_limits\": {\"p\": 3}, /* one */ \"jobs\": {\"j\": {\"steps\": "
                                     "[{\"name\": \"a\", \"command\": \"x\"},]}}, // "
                                     "two\n\"retention\": \"7d\"}"}};

    (void)state;
    try_all(&t);
}

static void documents(void **state)
{
    static const struct target t = {read_json,
                                    {"[1, 2.5e3, -0, true, null, \"a\\u00e9\\ud83d\\ude00\"]",
                                     "{\"a\": {\"b\": [[[]]]}, \"c\": \"\xc3\xa9\"}",
                                     "// x\n{/* y */ \"a\": [1,],}"}};

    (void)state;
    try_all(&t);
}

static void urls(void **state)
{
    static const struct target t = {read_url,
                                    {"redis://user:p%40ss@host:6379/3", "unix:///tmp/x.sock?db=2",
                                     "rediss://[::1]:1?ca=/a", "redis+sentinel://:x@h1:1,h2/name/2",
                                     "redis+cluster://a,b:2,[::1]:3", "redis://h?password_file=/p"}};

    (void)state;
    try_all(&t);
}

static void durations(void **state)
{
    static const struct target t = {
        read_duration, {"1h 30m", "250ms", "1.5d", "3years 2months 1week", "0", "10\xc2\xb5s 4ns"}};

    (void)state;
    try_all(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),   cmocka_unit_test(specs), cmocka_unit_test(configs),
        cmocka_unit_test(documents), cmocka_unit_test(urls),  cmocka_unit_test(durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
