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
#include "support/client.h"
#include "support/proxy.h"
#include "support/redis_server.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define KEY      "rivers:{test}:"

/* --- plain use */

static void on_tick(int fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

static void test_wait_among_other_events(void **state)
{
    struct client c = client_open(client_server.url);
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
    struct client c = client_open(client_server.url);
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
    struct client c = client_open(client_server.url);
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
    struct client c = client_open(client_server.url);

    (void)state;
    expect(&c, "SET word x", "OK");
    expect(&c, "INCR word", "SERVER ERR value is not an integer");
    expect(&c, "LPUSH word x", "SERVER WRONGTYPE ");
    expect(&c, "GET word", "x");
    client_close(&c);
}

static void test_scripts_are_loaded_when_missing(void **state)
{
    struct client c = client_open(client_server.url);
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
    struct client c = client_open(client_server.url), other = client_open(client_server.url);
    struct answer once, again;
    char *want = xasprintf("UNKNOWN no reply from redis at %s within 100ms", client_server.url);

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
    struct client c = client_open(client_server.url);
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
    struct client c = client_open(client_server.url);
    struct answer once, again, before, after;

    (void)state;
    ask(&c, &before, 0, LONG_MS, "CLIENT ID");
    RUN_UNTIL(&c, before.count);
    kill(client_server.pid, SIGSTOP);
    ask(&c, &once, 0, 100, "SET stopped 1");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET stopped 2");
    assert_answer(&c, &once, "UNKNOWN no reply ");
    kill(client_server.pid, SIGCONT);
    assert_answer(&c, &again, "OK");
    ask(&c, &after, 0, LONG_MS, "CLIENT ID");
    RUN_UNTIL(&c, after.count);
    assert_string_not_equal(before.text, after.text);
    client_close(&c);
}

/* --- lost connections */

static void test_server_is_killed_and_restarted(void **state)
{
    struct client c = client_open(client_server.url);
    struct answer once, sent, script = {0}, queued;

    (void)state;
    client_count_changes(&c);
    expect(&c, "PING", "PONG");
    kill(client_server.pid, SIGSTOP);
    ask(&c, &sent, REDIS_RESEND, LONG_MS, "RPUSH list sent");
    ask(&c, &once, 0, LONG_MS, "RPUSH list once");
    redis_script(c.redis, LONG_MS, SCRIPT_CONFIG_SHOW, KEY, 1, (const char *const[]){"1"}, NULL, on_answer,
                 &script);
    redis_server_kill(&client_server);
    assert_answer(&c, &once, "UNKNOWN no reply ");
    ask(&c, &queued, 0, LONG_MS, "RPUSH list queued");
    RUN_UNTIL(&c, strstr(redis_why_get(c.redis), "refused"));
    assert_int_equal(sent.count, 0);
    redis_server_restart(&client_server);
    assert_answer(&c, &queued, "2");
    assert_answer(&c, &script, "OK ");
    assert_string_equal(sent.text, "1");
    expect(&c, "LRANGE list 0 -1", "sent queued");
    assert_int_equal(c.changes, 3);
    client_close(&c);
}

static void test_deadline_after_a_lost_connection_is_unknown(void **state)
{
    struct client c = client_open(client_server.url);
    struct answer sent, queued;

    (void)state;
    expect(&c, "PING", "PONG");
    kill(client_server.pid, SIGSTOP);
    ask(&c, &sent, REDIS_RESEND, 200, "PING");
    redis_server_kill(&client_server);
    RUN_UNTIL(&c, !redis_is_ready(c.redis));
    ask(&c, &queued, REDIS_RESEND, 200, "PING");
    assert_answer(&c, &sent, "UNKNOWN no reply ");
    assert_answer(&c, &queued, "UNAVAILABLE cannot reach redis at ");
    redis_server_restart(&client_server);
    expect(&c, "PING", "PONG");
    client_close(&c);
}

static void test_reply_is_cut(void **state)
{
    struct proxy *proxy = proxy_new(&client_server);
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
    struct proxy *proxy = proxy_new(&client_server);
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
    struct proxy *proxy = proxy_new(&client_server);
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

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void test_password_file_is_read_again(void **state)
{
    static const char *const extra[] = {"--requirepass", "hunter2", NULL};
    struct redis_server guarded;
    struct answer again;
    char file[96], url[256], why[160];

    (void)state;
    redis_server_start(&guarded, extra);
    snprintf(file, sizeof file, "%s/password", guarded.dir);
    snprintf(url, sizeof url, "%s?password_file=%s", guarded.url, file);
    snprintf(why, sizeof why, "password file '%s': No such file", file);
    assert_refused(url, why);
    write_file(file, "\nhunter2\n");
    snprintf(why, sizeof why, "password file '%s': empty", file);
    assert_refused(url, why);
    write_file(file, "hunter2\nno more\n");
    struct client c = client_open(url), other = client_open(url);
    expect(&c, "PING", "PONG");
    expect(&other, "CONFIG SET requirepass hunter3", "OK");
    write_file(file, "hunter3");
    expect(&other, "CLIENT KILL TYPE normal SKIPME yes", "1");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "PING");
    assert_answer(&c, &again, "PONG");
    client_close(&other);
    client_close(&c);
    redis_server_stop(&guarded);
}

static void test_too_many_clients(void **state)
{
    struct client c = client_open(client_server.url);

    (void)state;
    expect(&c, "CONFIG SET maxclients 1", "OK");
    assert_refused(client_server.url, "ERR max number of clients reached");
    expect(&c, "CONFIG SET maxclients 1000", "OK");
    client_close(&c);
}

static void test_read_only_replica(void **state)
{
    struct client c = client_open(client_server.url), other = client_open(client_server.url);
    struct answer again;

    (void)state;
    client_count_changes(&c);
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

/* What min-replicas-to-write refuses waits for a replica, or for the master that another one has become. */
static void test_too_few_replicas(void **state)
{
    struct client c = client_open(client_server.url), other = client_open(client_server.url);
    struct answer again;

    (void)state;
    client_count_changes(&c);
    expect(&other, "CONFIG SET min-replicas-to-write 1", "OK");
    expect(&c, "SET k 1", "SERVER NOREPLICAS ");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET k 2");
    int changes = c.changes;
    RUN_UNTIL(&c, c.changes > changes + 1);
    expect(&other, "CONFIG SET min-replicas-to-write 0", "OK");
    assert_answer(&c, &again, "OK");
    expect(&c, "GET k", "2");
    client_close(&other);
    client_close(&c);
}

static void test_master_is_down(void **state)
{
    struct client other = client_open(client_server.url);

    (void)state;
    expect(&other, "CONFIG SET replica-serve-stale-data no", "OK");
    expect(&other, "REPLICAOF 127.0.0.1 1", "OK");
    struct client c = client_open(client_server.url);
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
    struct client up = client_open(client_server.url), down = client_open("unix:///nowhere/redis.sock");
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
        cmocka_unit_test(test_password_file_is_read_again),
        cmocka_unit_test(test_too_many_clients),
        cmocka_unit_test(test_read_only_replica),
        cmocka_unit_test(test_too_few_replicas),
        cmocka_unit_test(test_master_is_down),
        cmocka_unit_test(test_free_ends_what_is_pending),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, client_server_start, client_server_stop);
}
