#include "support/client.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

static void on_change(void *arg, bool ready)
{
    struct client *c = arg;

    assert_int_equal(redis_is_ready(c->redis), ready);
    c->changes++;
}

struct redis_server client_server;

int client_server_start(void **state)
{
    (void)state;
    redis_server_start(&client_server, NULL);
    return 0;
}

int client_server_stop(void **state)
{
    (void)state;
    redis_server_stop(&client_server);
    return 0;
}

struct client client_open(const char *url)
{
    struct client c = {.base = event_base_new()};
    struct redis_url parsed;
    struct err e;

    assert_int_equal(redis_url_parse(&parsed, url, &e), 0);
    c.redis = redis_new(c.base, &parsed, "test");
    redis_url_release(&parsed);
    return c;
}

void client_close(struct client *c)
{
    redis_free(c->redis);
    event_base_free(c->base);
}

void client_count_changes(struct client *c)
{
    redis_on_change(c->redis, on_change, c);
}

void turn(struct client *c, int64_t end_at)
{
    if (clock_mono_ms() >= end_at)
        fail_msg("waited too long; not ready because: %s", redis_why_get(c->redis));
    event_base_loopexit(c->base, &(struct timeval){.tv_usec = 5000});
    event_base_dispatch(c->base);
}

void on_answer(void *answer, const struct reply *reply, const struct err *e)
{
    static const char *const classes[] = {
        [ERR_UNAVAILABLE] = "UNAVAILABLE", [ERR_UNKNOWN] = "UNKNOWN", [ERR_SERVER] = "SERVER"};
    struct answer *a = answer;
    char *text = reply_text(reply);

    assert_int_equal(!reply, e->code != ERR_NONE);
    a->count++;
    if (reply)
        snprintf(a->text, sizeof a->text, "%.*s", (int)sizeof a->text - 1, text);
    else
        snprintf(a->text, sizeof a->text, "%s %.400s", classes[e->code], e->msg);
    free(text);
}

void ask(struct client *c, struct answer *a, int flags, int64_t deadline_ms, const char *line)
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

void assert_answer(struct client *c, struct answer *a, const char *prefix)
{
    RUN_UNTIL(c, a->count);
    assert_int_equal(a->count, 1);
    if (strncmp(a->text, prefix, strlen(prefix)) != 0)
        assert_string_equal(a->text, prefix);
}

void expect(struct client *c, const char *line, const char *prefix)
{
    struct answer a;

    ask(c, &a, 0, LONG_MS, line);
    assert_answer(c, &a, prefix);
}

void assert_refused(const char *url, const char *reason)
{
    struct client c = client_open(url);
    struct answer a;

    RUN_UNTIL(&c, strncmp(redis_why_get(c.redis), reason, strlen(reason)) == 0);
    ask(&c, &a, REDIS_RESEND, 50, "PING");
    assert_answer(&c, &a, "UNAVAILABLE cannot reach redis at ");
    assert_null(strstr(a.text, "hunter2"));
    assert_false(redis_is_ready(c.redis));
    client_close(&c);
}
