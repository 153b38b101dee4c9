#include "daemon/server_check.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/server.h"
#include "redis/client.h"

#define DEADLINE_MS 10000

static void on_fault(void *arg, const struct server_fault *f)
{
    (void)arg;
    log_line(LOG_WARN, "redis is not set up to keep runs", f->setting, f->value, "why", f->why, NULL);
}

/* arg: the question. */
static void on_answer(void *arg, const struct reply *reply, const struct err *e)
{
    enum server_question question = (enum server_question)(intptr_t)arg;

    if (reply)
        server_judge(question, reply, clock_wall_ms(), on_fault, NULL);
    else if (e->code == ERR_SERVER && question == SERVER_INFO)
        log_line(LOG_WARN, "cannot check the settings of redis", "why", e->msg, NULL);
}

void server_check(struct redis *r)
{
    for (intptr_t i = 0; i < SERVER_QUESTIONS; i++)
        redis_send(r, REDIS_RESEND, DEADLINE_MS, server_commands[i].argc, server_commands[i].argv, NULL,
                   on_answer, (void *)i);
}
