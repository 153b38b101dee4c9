#include "core/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/text.h"
#include "redis/reply.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define DEFAULTS                                                                                             \
    "config max_concurrent_runs 10\nconfig dequeue_interval 250ms\nconfig start_timeout 180s\nconfig "       \
    "run_lease 30s\n"                                                                                        \
    "config max_queued_runs -1\nconfig retention 7d\nconfig retention_runs 100000\n"                         \
    "config audit_interval 10m\n"                                                                            \
    "config run_backend {\"type\":\"local\"}\n"

/* One line an item. */
static char *print(const struct config *c)
{
    struct text t = {0};

    for (size_t i = 0; i < c->n; i++)
        text_addf(&t, "%s %s %s\n", c->items[i].hash, c->items[i].field, c->items[i].value);
    return t.s;
}

static void check_items(const char *text, const char *items)
{
    struct config c;
    struct err e = {0};

    if (config_parse(&c, text, strlen(text), &e))
        fail_msg("%s: %s", text, e.msg);
    char *printed = print(&c);
    assert_string_equal(printed, items);
    free(printed);
    config_release(&c);
}

static void test_defaults(void **state)
{
    (void)state;
    check_items("{}", DEFAULTS);
    check_items(
        "{\"run_queue\": {\"tag_concurrency_limits\": []}, \"pool_limits\": {}, \"jobs\": {}, // nothing\n}",
        DEFAULTS);
}

static void test_everything(void **state)
{
    (void)state;
    check_items(
        "{\"jobs\": {\"nightly\": {\"job\": \"nightly\", \"priority\": 2, \"steps\": [\n"
        "   {\"name\": \"a\", \"command\": \"make\", \"pool\": \"warehouse\"}]}},\n"
        " \"pool_limits\": {\"warehouse\": 8, \"any\": -1, \"shut\": 0},\n"
        " \"retention_runs\": 0, \"retention\": \"1h  30m\", /* kept as written */\n"
        " \"run_backend\": {\"type\": \"local\"},\n"
        " \"run_queue\": {\"max_queued_runs\": 0, \"run_lease\": \"1s\", \"start_timeout\": \"1m\",\n"
        "   \"dequeue_interval\": \"0\", \"max_concurrent_runs\": -5, \"tag_concurrency_limits\": [\n"
        "     {\"key\": \"env\", \"limit\": 3, \"value\": \"prod\"}, {\"key\": \"team\", \"limit\": 5},\n"
        "     {\"key\": \"team\", \"limit\": 2, \"per_unique_value\": true},\n"
        "     {\"key\": \"team\", \"limit\": 0, \"value\": \"\", \"per_unique_value\": false}]}}",
        "config max_concurrent_runs -5\nconfig dequeue_interval 0\nconfig start_timeout 1m\n"
        "config run_lease 1s\nconfig max_queued_runs 0\nconfig retention 1h  30m\nconfig retention_runs 0\n"
        "config audit_interval 10m\n"
        "config run_backend {\"type\":\"local\"}\n"
        "tag_limits env=prod 3\ntag_limits team 5\ntag_limits team=* 2\ntag_limits team= 0\n"
        "pool_limits warehouse 8\npool_limits any -1\npool_limits shut 0\n"
        "jobs nightly {\"job\":\"nightly\",\"priority\":2,\"steps\":[{\"name\":\"a\",\"command\":\"make\","
        "\"pools\":{\"warehouse\":1}}]}\n");
}

#define QUEUE(members) "{\"run_queue\": {" members "}}"
#define LIMIT(members) QUEUE("\"tag_concurrency_limits\": [{\"key\": \"ok\", \"limit\": 1}, {" members "}]")
#define AT_LIMIT       "run_queue.tag_concurrency_limits[1]"
#define DURATION_HINT  "Examples: \"30s\", \"5m\", \"1h30m\", \"250ms\""

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "must be an object"},
        {"{\n  \"jobs\": }", "line 2, column 11: expected a value"},
        {"{\"run_queu\": {}}", "unknown key 'run_queu', did you mean 'run_queue'?"},
        {"{\"zzz\": {}}", "unknown key 'zzz'"},
        {"{\"pool_limits\": {\"a\": 1, \"a\": 2}}", "pool_limits: key 'a' given twice"},
        {QUEUE("\"max_concurent_runs\": 1"),
         "run_queue: unknown key 'max_concurent_runs', did you mean 'max_concurrent_runs'?"},
        {QUEUE("\"max_concurrent_runs\": \"10\""), "run_queue.max_concurrent_runs: must be a whole number"},
        {QUEUE("\"max_concurrent_runs\": 1.5"), "run_queue.max_concurrent_runs: must be a whole number"},
        {QUEUE("\"max_queued_runs\": -2"), "run_queue.max_queued_runs: must be a whole number ≥ -1"},
        {QUEUE("\"dequeue_interval\": \"5\""), "run_queue.dequeue_interval: invalid duration for "
                                               "'dequeue_interval': \"5\" — time unit needed, for example "
                                               "5sec or 5ms. " DURATION_HINT},
        {QUEUE("\"dequeue_interval\": 5"),
         "run_queue.dequeue_interval: must be a duration in quotes, such as \"30s\" or \"1h30m\""},
        {QUEUE("\"run_lease\": \"999ms\""),
         "run_queue.run_lease: run_lease must be at least 1s, not \"999ms\""},
        {QUEUE("\"tag_concurrency_limits\": {}"), "run_queue.tag_concurrency_limits: must be a list"},
        {QUEUE("\"tag_concurrency_limits\": [1]"), "run_queue.tag_concurrency_limits[0]: must be an object"},
        {LIMIT("\"limit\": 1"), AT_LIMIT ".key: is required"},
        {LIMIT("\"key\": \"a\""), AT_LIMIT ".limit: is required"},
        {LIMIT("\"key\": \"a\", \"limit\": -1"), AT_LIMIT ".limit: must be a whole number ≥ 0"},
        {LIMIT("\"key\": \"a\", \"limit\": \"1\""), AT_LIMIT ".limit: must be a whole number ≥ 0"},
        {LIMIT("\"key\": \"\", \"limit\": 1"),
         AT_LIMIT ": tag key '': must be 1 to 63 of A-Z a-z 0-9 _ . / -, starting with a letter or digit"},
        {LIMIT("\"key\": \"a\", \"limit\": 1, \"values\": \"x\""),
         AT_LIMIT ": unknown key 'values', did you mean 'value'?"},
        {LIMIT("\"key\": \"a\", \"limit\": 1, \"value\": 1"), AT_LIMIT ".value: must be a string"},
        {LIMIT("\"key\": \"a\", \"limit\": 1, \"value\": \"*\""),
         AT_LIMIT ": tag 'a': value '*' is reserved for limits on each distinct value"},
        {LIMIT("\"key\": \"a\", \"limit\": 1, \"value\": \"x\", \"per_unique_value\": true"),
         AT_LIMIT ": value together with per_unique_value"},
        {LIMIT("\"key\": \"a\", \"limit\": 1, \"per_unique_value\": \"yes\""),
         AT_LIMIT ".per_unique_value: must be true or false"},
        {LIMIT("\"key\": \"ok\", \"limit\": 2"), AT_LIMIT ": a second limit for 'ok'"},
        {"{\"run_backend\": \"local\"}", "run_backend: must be an object"},
        {"{\"run_backend\": {}}", "run_backend.type: is required"},
        {"{\"run_backend\": {\"type\": 1}}", "run_backend.type: must be a string"},
        {"{\"run_backend\": {\"type\": \"docker\"}}",
         "run_backend.type: unknown type 'docker', known: local, command, kubernetes"},
        {"{\"run_backend\": {\"type\": \"local\", \"image\": \"x\"}}", "run_backend: unknown key 'image'"},
        {"{\"retention\": \"-1d\"}",
         "retention: invalid duration for 'retention': \"-1d\" — expected number at 0. " DURATION_HINT},
        {"{\"retention_runs\": -1}", "retention_runs: must be a whole number ≥ 0"},
        {"{\"pool_limits\": []}", "pool_limits: must be an object of slots by pool"},
        {"{\"pool_limits\": {\"\": 1}}", "pool_limits: pool key must be a non-empty string"},
        {"{\"pool_limits\": {\"a\": -2}}", "pool_limits.a: must be a whole number ≥ -1"},
        {"{\"pool_limits\": {\"a\": null}}", "pool_limits.a: must be a whole number ≥ -1"},
        {"{\"jobs\": []}", "jobs: must be an object of jobs by name"},
        {"{\"jobs\": {\"a b\": {}}}",
         "jobs: 'a b': must be 1 to 63 of A-Z a-z 0-9 _ . -, starting with a letter or digit"},
        {"{\"jobs\": {\"nightly\": {}}}", "jobs.nightly.steps: is required"},
        {"{\"jobs\": {\"nightly\": {\"steps\": [{\"name\": \"a\"}]}}}",
         "jobs.nightly.steps[0].command: is required"},
        {"{\"jobs\": {\"nightly\": {\"job\": \"daily\", \"steps\": [{\"name\": \"a\", \"command\": "
         "\"x\"}]}}}",
         "jobs.nightly.job: must be 'nightly' or left out"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct config c;
        struct err e = {0};
        if (!config_parse(&c, rows[i].text, strlen(rows[i].text), &e))
            fail_msg("accepted: %s", rows[i].text);
        assert_string_equal(e.msg, rows[i].why);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(c.n, 0);
    }
}

static void test_load(void **state)
{
    char file[] = "/tmp/rivers-config-XXXXXX";
    static const char text[] = "{\"retention_runs\": \"x\"}";
    struct config c;
    struct err e = {0};
    char why[128];
    int fd = mkstemp(file);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(config_load(&c, file, &e), -1);
    snprintf(why, sizeof why, "%s: retention_runs: must be a whole number ≥ 0", file);
    assert_string_equal(e.msg, why);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "{}", 2, 0), 2);
    assert_int_equal(config_load(&c, file, &e), 0);
    config_release(&c);
    close(fd);
    unlink(file);
    assert_int_equal(config_load(&c, file, &e), -1);
    assert_int_equal(e.code, ERR_SYSTEM);
    snprintf(why, sizeof why, "cannot open '%s': No such file or directory", file);
    assert_string_equal(e.msg, why);
    assert_int_equal(config_load(&c, "/", &e), -1);
    assert_string_equal(e.msg, "cannot read '/': Is a directory");
}

/* Words of the protocol joined to an array reply. */
static struct reply *reply_of(const char *const *words, size_t n)
{
    redisReader *reader = redisReaderCreate();
    struct text t = {0};
    void *reply = NULL;

    text_addf(&t, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++)
        text_addf(&t, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
    redisReaderFeed(reader, t.s, t.len);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    text_release(&t);
    return reply;
}

static void test_settings_defaults(void **state)
{
    struct settings s;

    (void)state;
    settings_init(&s);
    assert_int_equal(s.dequeue_interval_ms, 250);
    assert_int_equal(s.start_timeout_ms, 180000);
    assert_int_equal(s.run_lease_ms, 30000);
    assert_int_equal(s.retention_ms, 7 * 86400000);
    assert_int_equal(s.retention_runs, 100000);
    assert_string_equal(s.run_backend, "{\"type\":\"local\"}");
    settings_update(&s, NULL, NULL, NULL);
    assert_int_equal(s.run_lease_ms, 30000);
    settings_release(&s);
    settings_release(&s);
}

static void test_settings_update(void **state)
{
    static const char *const words[] = {
        "dequeue_interval",
        "0",
        "start_timeout",
        "1h30m",
        "run_lease",
        "1s",
        "max_concurrent_runs",
        "x",
        "retention",
        "1d",
        "retention_runs",
        "7",
        "something_unheard_of",
        "",
        "run_backend",
        "{\"type\": \"local\"}",
    };
    struct reply *r = reply_of(words, COUNT(words));
    struct settings s;

    (void)state;
    settings_init(&s);
    settings_update(&s, r, NULL, NULL);
    assert_int_equal(s.dequeue_interval_ms, SETTINGS_INTERVAL_MIN_MS);
    assert_int_equal(s.start_timeout_ms, 5400000);
    assert_int_equal(s.run_lease_ms, 1000);
    assert_int_equal(s.retention_ms, 86400000);
    assert_int_equal(s.retention_runs, 7);
    assert_string_equal(s.run_backend, "{\"type\":\"local\"}");
    reply_free(r);
    r = reply_of(words + 4, 2); /* what was taken out is as if it had never been set */
    settings_update(&s, r, NULL, NULL);
    assert_int_equal(s.start_timeout_ms, 180000);
    assert_int_equal(s.run_lease_ms, 1000);
    assert_int_equal(s.retention_runs, 100000);
    settings_release(&s);
    reply_free(r);
}

static void on_fault(void *arg, const struct err *e)
{
    text_addf(arg, "%s\n", e->msg);
}

static void test_settings_faults(void **state)
{
    static const char *const words[] = {
        "dequeue_interval", "fast", "start_timeout",  "2m", "run_lease",   "0.5s",
        "retention",        "7",    "retention_runs", "-1", "run_backend", "{\"type\": \"docker\"}",
    };
    struct reply *r = reply_of(words, COUNT(words));
    struct text faults = {0};
    struct settings s;

    (void)state;
    settings_init(&s);
    settings_update(&s, r, on_fault, &faults);
    assert_string_equal(
        faults.s,
        "invalid duration for 'dequeue_interval': \"fast\" — expected number at 0. " DURATION_HINT "\n"
        "run_lease must be at least 1s, not \"0.5s\"\n"
        "invalid duration for 'retention': \"7\" — time unit needed, for example 7sec or 7ms. " DURATION_HINT
        "\n"
        "retention_runs must be a whole number ≥ 0, not \"-1\"\n"
        "run_backend.type: unknown type 'docker', known: local, command, kubernetes\n");
    settings_update(&s, r, NULL, NULL);
    assert_int_equal(s.dequeue_interval_ms, 250);
    assert_int_equal(s.start_timeout_ms, 120000);
    assert_int_equal(s.run_lease_ms, 30000);
    assert_int_equal(s.retention_ms, 7 * 86400000);
    assert_int_equal(s.retention_runs, 100000);
    assert_string_equal(s.run_backend, "{\"type\":\"local\"}");
    text_release(&faults);
    settings_release(&s);
    reply_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),          cmocka_unit_test(test_everything),
        cmocka_unit_test(test_refused),           cmocka_unit_test(test_load),
        cmocka_unit_test(test_settings_defaults), cmocka_unit_test(test_settings_update),
        cmocka_unit_test(test_settings_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
