/*
 * pod_log: what the container of a pod writes, line by line while it runs, to its end. When the stream breaks, it is read
 * again and the lines that were delivered are left out.
 */
#ifndef RIVERS_EXEC_POD_LOG_H
#define RIVERS_EXEC_POD_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct kube;
struct pod_log;

struct pod_log_events {
    void (*on_line)(void *arg, const char *line, size_t n); /* without its newline */
    void (*on_end)(void *arg); /* the last: nothing more will come. pod_log_free is allowed */
    void *arg;
};

/* Callbacks come after this has returned. The names are copied. */
struct pod_log *pod_log_new(struct kube *k, const char *namespace, const char *pod,
                            const struct pod_log_events *events);
void pod_log_free(struct pod_log *l); /* NULL is none */

/* The pod is over, or gone: a broken stream is tried again only a few times more. */
void pod_log_finish(struct pod_log *l);

#endif
