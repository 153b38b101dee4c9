/* server: what INFO, CONFIG GET and TIME answer, and what is wrong with it. */
#include "core/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "base/text.h"
#include "redis/reader.h"

#define NOW_AT INT64_C(1795509935000)

static struct reply *reply_of(const char *bytes)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct reply *r;
    struct err e;

    evbuffer_add(in, bytes, strlen(bytes));
    reader_feed(rd, in);
    assert_int_equal(reader_next(rd, &r, &e), 0);
    assert_non_null(r);
    evbuffer_free(in);
    reader_free(rd);
    return r;
}

static void on_fault(void *arg, const struct server_fault *f)
{
    assert_string_not_equal(f->why, "");
    text_addf(arg, "%s=%s%s ", f->setting, f->value, f->wrong ? "!" : "");
}

#define FSYNC(value) "*2\r\n+appendfsync\r\n+" value "\r\n"

/* Owned by the caller. */
static char *bulk(const char *lines)
{
    struct text t = {0};

    text_addf(&t, "$%zu\r\n%s\r\n", strlen(lines), lines);
    return t.s;
}

static void assert_faults(enum server_question question, const char *bytes, const char *faults)
{
    struct reply *r = reply_of(bytes);
    struct text got = {0};

    server_judge(question, r, NOW_AT, on_fault, &got);
    assert_string_equal(text_get(&got), faults);
    text_release(&got);
    reply_free(r);
}

static void info(void **state)
{
    static const struct {
        const char *lines, *faults;
    } rows[] = {
        {"", ""},
        {"# Server\r\nredis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"
         "aof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\nconnected_slaves:0\r\n",
         ""},
        {"used_memory:1048577\r\nmaxmemory:1048576\r\n", "used_memory=1048577! "},
        {"used_memory:1048576\r\nmaxmemory:1048576\r\n", ""},
        {"used_memory:1048576\r\nmaxmemory:0\r\n", ""},
        {"redis_version:6.2.1\r\nmaxmemory_policy:volatile-lru\r\naof_enabled:0\r\n",
         "redis_version=6.2.1! maxmemory_policy=volatile-lru! aof_enabled=0 "},
        {"role:slave\r\naof_last_write_status:err\r\nrdb_last_bgsave_status:err",
         "role=slave! aof_last_write_status=err! rdb_last_bgsave_status=err! "},
        {"connected_slaves:2\r\n", "connected_slaves=2 "},
        {"connected_slaves:2\r\nmin_slaves_good_slaves:2\r\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *bytes = bulk(rows[i].lines);
        assert_faults(SERVER_INFO, bytes, rows[i].faults);
        free(bytes);
    }
}

static void config(void **state)
{
    (void)state;
    assert_faults(SERVER_CONFIG, FSYNC("everysec"), "");
    assert_faults(SERVER_CONFIG, FSYNC("always"), "");
    assert_faults(SERVER_CONFIG, FSYNC("no"), "appendfsync=no ");
    assert_faults(SERVER_CONFIG, "*0\r\n", "");
}

static void clock_of_the_server(void **state)
{
    (void)state;
    assert_faults(SERVER_TIME, "*2\r\n+1795509935\r\n+999999\r\n", "");
    assert_faults(SERVER_TIME, "*2\r\n+1795509940\r\n+0\r\n", "");
    assert_faults(SERVER_TIME, "*2\r\n+1795509942\r\n+500000\r\n", "clock=+7s ");
    assert_faults(SERVER_TIME, "*2\r\n+1795509875\r\n+0\r\n", "clock=-60s ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info),
        cmocka_unit_test(config),
        cmocka_unit_test(clock_of_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
