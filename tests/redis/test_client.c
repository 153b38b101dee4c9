#include "redis/client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/proxy.h"
#include "support/redis_server.h"

#define COUNT(a)  (sizeof(a) / sizeof *(a))
#define WORDS_MAX 16
#define LONG_MS   20000 /* a deadline that is not meant to come */
#define KEY       "rivers:{test}:"

static struct redis_server server;

struct client {
    struct event_base *base;
    struct redis *redis;
    int changes;
};

/* What a callback was told: the reply, or "UNKNOWN <message>". */
struct answer {
    int count;
    char text[512];
};

static void on_change(void *arg, bool ready)
{
    struct client *c = arg;

    assert_int_equal(redis_is_ready(c->redis), ready);
    c->changes++;
}

static struct client client_open(const char *text)
{
    struct client c = {.base = event_base_new()};
    struct redis_url url;
    struct err e;

    assert_int_equal(redis_url_parse(&url, text, &e), 0);
    c.redis = redis_new(c.base, &url, "test");
    redis_url_release(&url);
    return c;
}

static void client_close(struct client *c)
{
    redis_free(c->redis);
    event_base_free(c->base);
}

static void turn(struct client *c, int64_t end_at)
{
    assert_true(clock_mono_ms() < end_at);
    event_base_loopexit(c->base, &(struct timeval){.tv_usec = 5000});
    event_base_dispatch(c->base);
}

#define RUN_UNTIL(c, condition)                                                                              \
    for (int64_t end_at = clock_mono_ms() + LONG_MS; !(condition);)                                          \
    turn((c), end_at)

static void on_answer(void *arg, const struct reply *reply, const struct err *e)
{
    static const char *const classes[] = {
        [ERR_UNAVAILABLE] = "UNAVAILABLE", [ERR_UNKNOWN] = "UNKNOWN", [ERR_SERVER] = "SERVER"};
    struct answer *a = arg;
    char *text = reply_text(reply);

    assert_int_equal(!reply, e->code != ERR_NONE);
    a->count++;
    if (reply)
        snprintf(a->text, sizeof a->text, "%.*s", (int)sizeof a->text - 1, text);
    else
        snprintf(a->text, sizeof a->text, "%s %.400s", classes[e->code], e->msg);
    free(text);
}

/* Sends the words of a line. */
static void ask(struct client *c, struct answer *a, int flags, int64_t deadline_ms, const char *line)
{
    char words[256], *save;
    const char *argv[WORDS_MAX];
    int argc = 0;

    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    *a = (struct answer){0};
    redis_send(c->redis, flags, deadline_ms, argc, argv, NULL, on_answer, a);
    assert_int_equal(a->count, 0);
}

static void assert_answer(struct client *c, struct answer *a, const char *prefix)
{
    RUN_UNTIL(c, a->count);
    assert_int_equal(a->count, 1);
    if (strncmp(a->text, prefix, strlen(prefix)) != 0)
        assert_string_equal(a->text, prefix);
}

/* Sends a line and waits; the answer must start with the prefix. */
static void expect(struct client *c, const char *line, const char *prefix)
{
    struct answer a;

    ask(c, &a, 0, LONG_MS, line);
    assert_answer(c, &a, prefix);
}

/* --- plain use */

static void on_tick(int fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

static void test_wait_among_other_events(void **state)
{
    struct client c = client_open(server.url);
    struct event *tick = event_new(c.base, -1, EV_PERSIST, on_tick, NULL);
    struct err e = {0};

    (void)state;
    event_add(tick, &(struct timeval){.tv_usec = 1000});
    assert_false(redis_is_ready(c.redis));
    assert_string_equal(redis_why_get(c.redis), "still connecting");
    struct reply *r = redis_send_wait(c.redis, 0, 1, (const char *const[]){"PING"}, NULL, &e);
    assert_true(reply_is(r, "PONG"));
    reply_free(r);
    r = redis_send_wait(c.redis, 0, 2, (const char *const[]){"LLEN", "nothing"}, NULL, &e);
    assert_int_equal(reply_int(r, -1), 0);
    reply_free(r);
    assert_null(redis_send_wait(c.redis, 0, 1, (const char *const[]){"LLEN"}, NULL, &e));
    assert_int_equal(e.code, ERR_SERVER);
    assert_true(redis_is_ready(c.redis));
    assert_string_equal(redis_why_get(c.redis), "");
    assert_ptr_equal(redis_base_get(c.redis), c.base);
    expect(&c, "CLIENT GETNAME", "test");
    event_free(tick);
    client_close(&c);
}

static void test_any_bytes(void **state)
{
    struct client c = client_open(server.url);
    const char *const set[] = {"SET", "bytes", "a\0b\r\n$1\r\n"}, *const get[] = {"GET", "bytes"};
    struct err e;

    (void)state;
    reply_free(redis_send_wait(c.redis, 0, 3, set, (const size_t[]){3, 5, 9}, &e));
    struct reply *r = redis_send_wait(c.redis, 0, 2, get, NULL, &e);
    assert_int_equal(reply_len(r), 9);
    assert_memory_equal(reply_str(r), set[2], 9);
    reply_free(r);
    client_close(&c);
}

static void test_replies_come_in_order(void **state)
{
    struct client c = client_open(server.url);
    struct answer answers[200];
    char number[16];

    (void)state;
    expect(&c, "SET counter 0", "OK");
    for (size_t i = 0; i < COUNT(answers); i++)
        ask(&c, &answers[i], 0, LONG_MS, "INCR counter");
    RUN_UNTIL(&c, answers[COUNT(answers) - 1].count);
    for (size_t i = 0; i < COUNT(answers); i++) {
        snprintf(number, sizeof number, "%zu", i + 1);
        assert_int_equal(answers[i].count, 1);
        assert_string_equal(answers[i].text, number);
    }
    client_close(&c);
}

static void test_error_reply(void **state)
{
    struct client c = client_open(server.url);

    (void)state;
    expect(&c, "SET word x", "OK");
    expect(&c, "INCR word", "SERVER ERR value is not an integer");
    expect(&c, "LPUSH word x", "SERVER WRONGTYPE ");
    expect(&c, "GET word", "x");
    client_close(&c);
}

static void test_scripts_are_loaded_when_missing(void **state)
{
    struct client c = client_open(server.url);
    const char *const now[] = {"1"};
    struct answer answers[3] = {0};
    struct err e;

    (void)state;
    for (int flushes = 0; flushes < 2; flushes++) {
        expect(&c, "SCRIPT FLUSH", "OK");
        struct reply *r = redis_script_wait(c.redis, 0, SCRIPT_CONFIG_SHOW, KEY, 1, now, NULL, &e);
        assert_true(reply_is(r, "OK"));
        reply_free(r);
    }
    expect(&c, "SCRIPT FLUSH", "OK");
    for (size_t i = 0; i < COUNT(answers); i++)
        redis_script(c.redis, LONG_MS, SCRIPT_CONFIG_SHOW, KEY, 1, now, NULL, on_answer, &answers[i]);
    for (size_t i = 0; i < COUNT(answers); i++)
        assert_answer(&c, &answers[i], "OK ");
    client_close(&c);
}

/* --- deadlines */

static void test_unreachable(void **state)
{
    static const struct {
        const char *url, *message;
    } rows[] = {
        {"unix:///nowhere/redis.sock",
         "UNAVAILABLE cannot reach redis at unix:///nowhere/redis.sock: No such file or directory"},
        {"redis://:hunter2@127.0.0.1:1/4",
         "UNAVAILABLE cannot reach redis at redis://127.0.0.1:1/4: Connection refused"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c = client_open(rows[i].url);
        struct answer a;
        ask(&c, &a, REDIS_RESEND, 100, "PING");
        assert_answer(&c, &a, rows[i].message);
        assert_false(redis_is_ready(c.redis));
        client_close(&c);
    }
}

static void test_paused_server(void **state)
{
    struct client c = client_open(server.url), other = client_open(server.url);
    struct answer once, again;
    char *want = xasprintf("UNKNOWN no reply from redis at %s within 100ms", server.url);

    (void)state;
    expect(&c, "PING", "PONG");
    expect(&other, "CLIENT PAUSE 400", "OK");
    ask(&c, &once, 0, 100, "SET paused 1");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET paused 2");
    assert_answer(&c, &once, want);
    assert_false(redis_is_ready(c.redis));
    assert_answer(&c, &again, "OK");
    expect(&c, "GET paused", "2");
    free(want);
    client_close(&other);
    client_close(&c);
}

static void test_late_reply_is_dropped(void **state)
{
    struct client c = client_open(server.url);
    struct answer slow, late, next, before, after;

    (void)state;
    ask(&c, &before, 0, LONG_MS, "CLIENT ID");
    RUN_UNTIL(&c, before.count);
    ask(&c, &slow, 0, LONG_MS, "BLPOP nothing 0.3");
    ask(&c, &late, 0, 100, "ECHO late");
    ask(&c, &next, 0, LONG_MS, "ECHO next");
    assert_answer(&c, &late, "UNKNOWN no reply ");
    assert_int_equal(slow.count, 0);
    assert_answer(&c, &slow, "(nil)");
    assert_answer(&c, &next, "next");
    ask(&c, &after, 0, LONG_MS, "CLIENT ID");
    assert_answer(&c, &after, before.text);
    assert_int_equal(late.count, 1);
    client_close(&c);
}

static void test_stopped_server(void **state)
{
    struct client c = client_open(server.url);
    struct answer once, again, before, after;

    (void)state;
    ask(&c, &before, 0, LONG_MS, "CLIENT ID");
    RUN_UNTIL(&c, before.count);
    kill(server.pid, SIGSTOP);
    ask(&c, &once, 0, 100, "SET stopped 1");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET stopped 2");
    assert_answer(&c, &once, "UNKNOWN no reply ");
    kill(server.pid, SIGCONT);
    assert_answer(&c, &again, "OK");
    ask(&c, &after, 0, LONG_MS, "CLIENT ID");
    RUN_UNTIL(&c, after.count);
    assert_string_not_equal(before.text, after.text);
    client_close(&c);
}

/* --- lost connections */

static void test_server_is_killed_and_restarted(void **state)
{
    struct client c = client_open(server.url);
    struct answer once, sent, script = {0}, queued;

    (void)state;
    redis_on_change(c.redis, on_change, &c);
    expect(&c, "PING", "PONG");
    kill(server.pid, SIGSTOP);
    ask(&c, &sent, REDIS_RESEND, LONG_MS, "RPUSH list sent");
    ask(&c, &once, 0, LONG_MS, "RPUSH list once");
    redis_script(c.redis, LONG_MS, SCRIPT_CONFIG_SHOW, KEY, 1, (const char *const[]){"1"}, NULL, on_answer,
                 &script);
    redis_server_kill(&server);
    assert_answer(&c, &once, "UNKNOWN no reply ");
    ask(&c, &queued, 0, LONG_MS, "RPUSH list queued");
    RUN_UNTIL(&c, strstr(redis_why_get(c.redis), "refused"));
    assert_int_equal(sent.count, 0);
    redis_server_restart(&server);
    assert_answer(&c, &queued, "2");
    assert_answer(&c, &script, "OK ");
    assert_string_equal(sent.text, "1");
    expect(&c, "LRANGE list 0 -1", "sent queued");
    assert_int_equal(c.changes, 3);
    client_close(&c);
}

static void test_deadline_after_a_lost_connection_is_unknown(void **state)
{
    struct client c = client_open(server.url);
    struct answer sent, queued;

    (void)state;
    expect(&c, "PING", "PONG");
    kill(server.pid, SIGSTOP);
    ask(&c, &sent, REDIS_RESEND, 200, "PING");
    redis_server_kill(&server);
    RUN_UNTIL(&c, !redis_is_ready(c.redis));
    ask(&c, &queued, REDIS_RESEND, 200, "PING");
    assert_answer(&c, &sent, "UNKNOWN no reply ");
    assert_answer(&c, &queued, "UNAVAILABLE cannot reach redis at ");
    redis_server_restart(&server);
    expect(&c, "PING", "PONG");
    client_close(&c);
}

static void test_reply_is_cut(void **state)
{
    struct proxy *proxy = proxy_new(&server);
    struct client c = client_open(proxy_url_get(proxy));
    struct answer a;

    (void)state;
    expect(&c, "SET cut 0123456789012345678901234567890123456789", "OK");
    proxy_cut_reply(proxy, 10);
    ask(&c, &a, 0, LONG_MS, "GET cut");
    assert_answer(&c, &a, "UNKNOWN no reply from redis at redis://127.0.0.1:");
    assert_non_null(strstr(a.text, ": connection closed by the server"));
    expect(&c, "PING", "PONG");
    proxy_cut_reply(proxy, 10);
    ask(&c, &a, REDIS_RESEND, LONG_MS, "GET cut");
    assert_answer(&c, &a, "0123456789012345678901234567890123456789");
    assert_int_equal(proxy_accepted(proxy), 3);
    client_close(&c);
    proxy_free(proxy);
}

static void test_replies_are_lost_or_late(void **state)
{
    struct proxy *proxy = proxy_new(&server);
    struct client c = client_open(proxy_url_get(proxy));
    struct answer once, again, late;

    (void)state;
    expect(&c, "PING", "PONG");
    proxy_lose_replies(proxy, 1);
    ask(&c, &once, 0, 100, "PING");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "ECHO again");
    assert_answer(&c, &once, "UNKNOWN no reply ");
    proxy_lose_replies(proxy, 0);
    assert_answer(&c, &again, "again");
    proxy_delay_replies(proxy, 100);
    ask(&c, &late, 0, LONG_MS, "ECHO late");
    assert_answer(&c, &late, "late");
    assert_true(proxy_accepted(proxy) >= 2); /* a slow machine may try more than once */
    client_close(&c);
    proxy_free(proxy);
}

static void test_large_reply(void **state)
{
    struct proxy *proxy = proxy_new(&server);
    struct client c = client_open(proxy_url_get(proxy));
    struct err e;

    (void)state;
    expect(&c, "SETRANGE large 3000000 end", "3000003");
    struct reply *r = redis_send_wait(c.redis, LONG_MS, 2, (const char *const[]){"GET", "large"}, NULL, &e);
    assert_int_equal(reply_len(r), 3000003);
    assert_string_equal(reply_str(r) + 3000000, "end");
    reply_free(r);
    expect(&c, "DEL large", "1");
    client_close(&c);
    proxy_free(proxy);
}

/* --- refusals */

static void assert_refused(const char *url, const char *reason)
{
    struct client c = client_open(url);
    struct answer a;

    ask(&c, &a, REDIS_RESEND, 200, "PING");
    assert_answer(&c, &a, "UNAVAILABLE cannot reach redis at unix://");
    assert_non_null(strstr(a.text, reason));
    assert_null(strstr(a.text, "hunter2"));
    assert_int_equal(strncmp(redis_why_get(c.redis), reason, strlen(reason)), 0);
    client_close(&c);
}

static void test_login_and_database(void **state)
{
    static const char *const extra[] = {"--requirepass", "secret", "--user", "joe",   "on",
                                        ">pass",         "~*",     "&*",     "+@all", NULL};
    struct redis_server guarded;
    char url[192];

    (void)state;
    redis_server_start(&guarded, extra);
    const char *path = guarded.url + strlen("unix://");
    assert_refused(guarded.url, "NOAUTH ");
    snprintf(url, sizeof url, "unix://:hunter2@%s", path);
    assert_refused(url, "WRONGPASS ");
    snprintf(url, sizeof url, "unix://:secret@%s?db=99", path);
    assert_refused(url, "ERR DB index is out of range");
    snprintf(url, sizeof url, "unix://joe:pass@%s?db=3", path);
    struct client c = client_open(url);
    expect(&c, "ACL WHOAMI", "joe");
    expect(&c, "SET here 1", "OK");
    expect(&c, "SELECT 0", "OK");
    expect(&c, "MOVE here 3", "0");
    expect(&c, "SELECT 3", "OK");
    expect(&c, "GET here", "1");
    client_close(&c);
    redis_server_stop(&guarded);
}

static void test_too_many_clients(void **state)
{
    struct client c = client_open(server.url);

    (void)state;
    expect(&c, "CONFIG SET maxclients 1", "OK");
    assert_refused(server.url, "ERR max number of clients reached");
    expect(&c, "CONFIG SET maxclients 1000", "OK");
    client_close(&c);
}

static void test_read_only_replica(void **state)
{
    struct client c = client_open(server.url), other = client_open(server.url);
    struct answer again;

    (void)state;
    redis_on_change(c.redis, on_change, &c);
    expect(&other, "REPLICAOF 127.0.0.1 1", "OK");
    expect(&c, "SET k 1", "SERVER READONLY ");
    ask(&c, &again, REDIS_RESEND, 300, "SET k 2");
    assert_answer(&c, &again, "UNAVAILABLE cannot reach redis at ");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET k 3");
    int changes = c.changes;
    RUN_UNTIL(&c, c.changes > changes + 1);
    expect(&other, "REPLICAOF NO ONE", "OK");
    assert_answer(&c, &again, "OK");
    expect(&c, "GET k", "3");
    client_close(&other);
    client_close(&c);
}

static void test_master_is_down(void **state)
{
    struct client other = client_open(server.url);

    (void)state;
    expect(&other, "CONFIG SET replica-serve-stale-data no", "OK");
    expect(&other, "REPLICAOF 127.0.0.1 1", "OK");
    struct client c = client_open(server.url);
    RUN_UNTIL(&c, strncmp(redis_why_get(c.redis), "MASTERDOWN ", 11) == 0);
    assert_false(redis_is_ready(c.redis));
    expect(&other, "REPLICAOF NO ONE", "OK");
    RUN_UNTIL(&c, redis_is_ready(c.redis));
    client_close(&other);
    client_close(&c);
}

/* --- the end */

static void test_free_ends_what_is_pending(void **state)
{
    struct client up = client_open(server.url), down = client_open("unix:///nowhere/redis.sock");
    struct answer sent, again, queued;

    (void)state;
    expect(&up, "PING", "PONG");
    ask(&up, &sent, 0, LONG_MS, "BLPOP nothing 10");
    ask(&up, &again, REDIS_RESEND, LONG_MS, "PING");
    ask(&down, &queued, REDIS_RESEND, LONG_MS, "PING");
    turn(&up, INT64_MAX);
    turn(&down, INT64_MAX);
    client_close(&up);
    client_close(&down);
    assert_int_equal(sent.count + again.count + queued.count, 3);
    assert_non_null(strstr(sent.text, "UNKNOWN no reply "));
    assert_non_null(strstr(again.text, "UNKNOWN no reply "));
    assert_non_null(strstr(queued.text, "UNAVAILABLE cannot reach "));
    redis_free(NULL);
}

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_among_other_events),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_replies_come_in_order),
        cmocka_unit_test(test_error_reply),
        cmocka_unit_test(test_scripts_are_loaded_when_missing),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_paused_server),
        cmocka_unit_test(test_late_reply_is_dropped),
        cmocka_unit_test(test_stopped_server),
        cmocka_unit_test(test_server_is_killed_and_restarted),
        cmocka_unit_test(test_deadline_after_a_lost_connection_is_unknown),
        cmocka_unit_test(test_reply_is_cut),
        cmocka_unit_test(test_replies_are_lost_or_late),
        cmocka_unit_test(test_large_reply),
        cmocka_unit_test(test_login_and_database),
        cmocka_unit_test(test_too_many_clients),
        cmocka_unit_test(test_read_only_replica),
        cmocka_unit_test(test_master_is_down),
        cmocka_unit_test(test_free_ends_what_is_pending),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
