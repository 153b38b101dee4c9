#include "api/visit.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

_Static_assert(sizeof((struct err){0}).msg == RIVERS_MESSAGE_SIZE, "a message fits");

static sigset_t pipe_alone(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

static void pipe_block(struct visit *v)
{
    const sigset_t pipe = pipe_alone();
    sigset_t pending;

    sigpending(&pending);
    v->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &v->mask);
}

/* What our own writes brought about is nobody else's. */
static void pipe_unblock(const struct visit *v)
{
    const sigset_t pipe = pipe_alone();

    if (!v->was_pending)
        sigtimedwait(&pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &v->mask, NULL);
}

void visit_begin(struct visit *v, struct rivers *h)
{
    *v = (struct visit){.h = h};
    pipe_block(v);
    v->locale = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
    if (h)
        event_base_loop(h->session.base, EVLOOP_NONBLOCK);
}

int visit_end(struct visit *v, enum rivers_code code, struct rivers_error *error)
{
    freelocale(uselocale(v->locale));
    pipe_unblock(v);
    if (code != RIVERS_OK && error) {
        error->code = (int)code;
        snprintf(error->message, sizeof error->message, "%s", v->e.msg);
    }
    return (int)code;
}

enum rivers_code visit_fault(const struct visit *v)
{
    static const enum rivers_code codes[] = {
        [ERR_NONE] = RIVERS_SYSTEM,
        [ERR_USAGE] = RIVERS_INVALID,
        [ERR_INVALID] = RIVERS_INVALID,
        [ERR_NOT_FOUND] = RIVERS_NOT_FOUND,
        [ERR_REFUSED] = RIVERS_REFUSED,
        [ERR_STALE] = RIVERS_LOST,
        [ERR_UNAVAILABLE] = RIVERS_UNAVAILABLE,
        [ERR_UNKNOWN] = RIVERS_UNKNOWN,
        [ERR_SERVER] = RIVERS_SERVER,
        [ERR_SYSTEM] = RIVERS_SYSTEM,
    };

    return codes[v->e.code];
}

enum rivers_code visit_refuse(struct visit *v, enum rivers_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(v->e.msg, sizeof v->e.msg, fmt, ap);
    va_end(ap);
    return code;
}

int64_t visit_end_of(int64_t wait_ms)
{
    int64_t now = clock_mono_ms();

    return wait_ms > INT64_MAX - now ? INT64_MAX : now + wait_ms;
}
