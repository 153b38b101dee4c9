/* server: by which of its settings, and by what state, a Redis server would not keep what it was trusted with. */
#ifndef RIVERS_CORE_SERVER_H
#define RIVERS_CORE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "redis/reply.h"

/* What is asked. SERVER_CONFIG is forbidden to many users and by many who offer Redis; then the other two have to do. */
enum server_question { SERVER_INFO, SERVER_CONFIG, SERVER_TIME, SERVER_QUESTIONS };

struct server_command {
    int argc;
    const char *argv[4];
};

extern const struct server_command server_commands[SERVER_QUESTIONS];

/* Strings are borrowed for the time of the call. */
struct server_fault {
    const char *setting, *value; /* "maxmemory_policy", "allkeys-lru" */
    const char *why;             /* what it costs, and the mend */
    bool wrong;                  /* otherwise a warning: it works, but promises less */
};

/* Calls on_fault for each fault in the answer. now_at: the clock of this host. */
void server_judge(enum server_question question, const struct reply *answer, int64_t now_at,
                  void (*on_fault)(void *arg, const struct server_fault *fault), void *arg);

#endif
