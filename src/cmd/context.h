/* context: what a command works with: the global options, and the connection that is made when it is first
 * asked for. */
#ifndef RIVERS_CMD_CONTEXT_H
#define RIVERS_CMD_CONTEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/options.h"
#include "base/table.h"
#include "core/session.h"

struct global_options {
    const char *redis, *password_file, *namespace;
    bool json, help, version;
};
extern const struct option_row global_rows[];
extern const size_t nglobal_rows;

struct context { /* `struct context ctx = {0}` is valid */
    struct global_options options;
    struct session session;
};

void context_release(struct context *ctx);

/* The store of the namespace asked for; context_store waits a few seconds for the server and fails when it
 * cannot be reached, context_store_open leaves that to the calls. Borrowed from ctx. */
__attribute__((warn_unused_result)) int context_store(struct context *ctx, struct store **store,
                                                      struct err *e);
__attribute__((warn_unused_result)) int context_store_open(struct context *ctx, struct store **store,
                                                           struct err *e);

const char *context_namespace_get(const struct context *ctx);

void context_sleep(struct context *ctx, int64_t ms); /* the connection lives on meanwhile */

/* A table in the style that the user asked for or the output calls for. */
struct table *context_table(const struct context *ctx, FILE *out, const struct table_column *columns,
                            size_t n, const char *empty);

#endif
