#include "redis/sentinels.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/timer.h"
#include "redis/client.h"

#define ANSWER_MS 1000

struct sentinels {
    struct event_base *base;
    const struct redis_url *url;
    struct redis *asked; /* NULL: nobody is being asked */
    struct event *next;  /* a connection cannot be closed in its own callback */
    size_t turn, left;   /* whom to ask next; how many of them */
    struct redis_host master;
    struct err why;
    sentinels_fn *on_master;
    void *arg;
};

static void forget_answer(struct sentinels *s)
{
    free(s->master.name);
    s->master = (struct redis_host){0};
}

static void on_answer(void *arg, const struct reply *reply, const struct err *e)
{
    struct sentinels *s = arg;

    if (!reply)
        err_set(&s->why, e->code, "%s", e->msg);
    else if (reply_count(reply) != 2)
        err_set(&s->why, ERR_UNAVAILABLE, "no master '%s' is known to the sentinel", s->url->master);
    else
        s->master = (struct redis_host){xstrdup(reply_str(reply_at(reply, 0))),
                                        (int)reply_int(reply_at(reply, 1), 0)};
    timer_set(s->next, 0);
}

static void ask_one(struct sentinels *s)
{
    const char *const question[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s->url->master};
    const struct redis_url url = {
        .tls = s->url->tls,
        .hosts = &s->url->hosts[s->turn++ % s->url->nhosts],
        .nhosts = 1,
        .ca = s->url->ca,
        .cert = s->url->cert,
        .key = s->url->key,
        .password_file = s->url->sentinel_password_file,
    };

    s->left--;
    s->asked = redis_new(s->base, &url, "rivers");
    redis_send(s->asked, REDIS_IMPATIENT, ANSWER_MS, 3, question, NULL, on_answer, s);
}

static void on_next(int fd, short what, void *arg)
{
    struct sentinels *s = arg;

    (void)fd, (void)what;
    redis_free(s->asked);
    s->asked = NULL;
    if (!s->master.name && s->left > 0)
        ask_one(s);
    else
        s->on_master(s->arg, s->master.name ? &s->master : NULL, &s->why);
}

struct sentinels *sentinels_new(struct event_base *base, const struct redis_url *url)
{
    struct sentinels *s = xcalloc(1, sizeof *s);

    s->base = base;
    s->url = url;
    s->next = evtimer_new(base, on_next, s);
    return s;
}

void sentinels_free(struct sentinels *s)
{
    if (!s)
        return;
    redis_free(s->asked);
    event_free(s->next);
    forget_answer(s);
    free(s);
}

void sentinels_ask(struct sentinels *s, sentinels_fn *on_master, void *arg)
{
    forget_answer(s);
    s->on_master = on_master;
    s->arg = arg;
    s->left = s->url->nhosts;
    ask_one(s);
}
