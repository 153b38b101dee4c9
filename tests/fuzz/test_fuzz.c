/* What reads replies, what is submitted and configured, and options, on mutations of good input: see support/fuzz.h. */
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
#include "support/fuzz.h"

static void read_replies(const char *bytes, size_t n)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct reply *r = NULL;
    struct err e = {0};
    int status = 0;

    for (size_t at = 0, some; at < n && status == 0; at += some) {
        some = 1 + fuzz_below(n - at);
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
    struct cJSON *v = json_parse(bytes, n, fuzz_below(2) ? JSON_COMMENTS : 0, &e);

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

static void replies(void **state)
{
    static const struct fuzz_target t = {read_replies,
                                         {"+OK\r\n", "*3\r\n$2\r\nOK\r\n:12\r\n*2\r\n$-1\r\n*-1\r\n",
                                          "-ERR no\r\n:-5\r\n",
                                          "*2\r\n*2\r\n*1\r\n:1\r\n+x\r\n$5\r\nhello\r\n"}};

    (void)state;
    fuzz(&t);
}

static void specs(void **state)
{
    static const struct fuzz_target t = {
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
    fuzz(&t);
}

static void configs(void **state)
{
    static const struct fuzz_target t = {
        read_config,
        {"{}",
         "{\"run_queue\": {\"max_concurrent_runs\": 3, "
         "\"tag_concurrency_limits\": [{\"key\": \"a\", \"value\": \"b\", "
         "\"limit\": 1}, {\"key\": \"a\", \"per_unique_value\": true, \"limit\": "
         "2}], \"dequeue_interval\": \"1s\"}}",
         "{\"pool_limits\": {\"p\": 3}, /* one */ \"jobs\": {\"j\": {\"steps\": "
         "[{\"name\": \"a\", \"command\": \"x\"},]}}, // "
         "two\n\"retention\": \"7d\"}"}};

    (void)state;
    fuzz(&t);
}

static void documents(void **state)
{
    static const struct fuzz_target t = {read_json,
                                         {"[1, 2.5e3, -0, true, null, \"a\\u00e9\\ud83d\\ude00\"]",
                                          "{\"a\": {\"b\": [[[]]]}, \"c\": \"\xc3\xa9\"}",
                                          "// x\n{/* y */ \"a\": [1,],}"}};

    (void)state;
    fuzz(&t);
}

static void urls(void **state)
{
    static const struct fuzz_target t = {read_url,
                                         {"redis://user:p%40ss@host:6379/3", "unix:///tmp/x.sock?db=2",
                                          "rediss://[::1]:1?ca=/a", "redis+sentinel://:x@h1:1,h2/name/2",
                                          "redis+cluster://a,b:2,[::1]:3", "redis://h?password_file=/p"}};

    (void)state;
    fuzz(&t);
}

static void durations(void **state)
{
    static const struct fuzz_target t = {
        read_duration, {"1h 30m", "250ms", "1.5d", "3years 2months 1week", "0", "10\xc2\xb5s 4ns"}};

    (void)state;
    fuzz(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),   cmocka_unit_test(specs), cmocka_unit_test(configs),
        cmocka_unit_test(documents), cmocka_unit_test(urls),  cmocka_unit_test(durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
