/* The command that measures: bench. */
#include "cmd/bench.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/bench_chart.h"
#include "cmd/commands.h"
#include "cmd/output.h"

struct bench_options {
    struct option_list only;
    const char *chart, *rival;
    bool quick, list;
    int64_t depth;
};

static const struct option_row rows[] = {
    {"only", 'o', OPTION_LIST, "ROW", "measure this row; may be given several times",
     offsetof(struct bench_options, only), 0, 0},
    {"quick", 'q', OPTION_SWITCH, NULL, "small sizes and one round: shows that it works, measures nothing",
     offsetof(struct bench_options, quick), 0, 0},
    {"depth", 'd', OPTION_WHOLE, "N", "runs in the deepest queue (default 1000000)",
     offsetof(struct bench_options, depth), 1000, INT32_MAX},
    {"list", 'l', OPTION_SWITCH, NULL, "list the rows", offsetof(struct bench_options, list), 0, 0},
    {"chart", 0, OPTION_TEXT, "FILE", "draw the ratios into an SVG file",
     offsetof(struct bench_options, chart), 0, 0},
    {"rival", 0, OPTION_TEXT, "COMMAND",
     "another queue for the row 'single': `COMMAND SOCKET JOBS` prints its jobs a second",
     offsetof(struct bench_options, rival), 0, 0},
};

static const struct bench_row *const tables[] = {bench_run_rows,  bench_single_rows,  bench_depth_rows,
                                                 bench_pool_rows, bench_latency_rows, bench_process_rows};

static const struct table_column columns[] = {
    {"ROW", "row"},     {"CASE", "case"}, {"MEASURED", "measured"}, {"AGAINST", "against"},
    {"RATIO", "ratio"}, {"BAR", "bar"},   {"MET", "met"},
};

static const struct bench_row *row_find(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct bench_row *row = tables[t]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}

static bool is_wanted(const struct option_list *only, const char *name)
{
    for (size_t i = 0; i < only->n; i++)
        if (strcmp(only->items[i], name) == 0)
            return true;
    return only->n == 0;
}

static const char *number(double n, const char *unit, char *buf, size_t size)
{
    snprintf(buf, size, n >= 1000 ? "%.0f %s" : n >= 10 ? "%.1f %s" : "%.2f %s", n, unit);
    return buf;
}

static void figure_print(struct table *t, const struct bench_figure *f)
{
    static const char *const signs[] = {[BAR_NONE] = "", [BAR_AT_LEAST] = "≥ ", [BAR_AT_MOST] = "≤ "};
    char cell[64];

    table_text(t, f->row);
    table_text(t, f->what);
    table_text(t, number(f->measured, f->unit, cell, sizeof cell));
    table_text(t, f->against > 0 ? number(f->against, f->unit, cell, sizeof cell) : NULL);
    snprintf(cell, sizeof cell, "%.2f", bench_ratio(f));
    table_text(t, f->against > 0 ? cell : NULL);
    snprintf(cell, sizeof cell, "%s%g", signs[f->sense], f->bar);
    table_text(t, f->sense != BAR_NONE ? cell : NULL);
    table_text(t, f->sense == BAR_NONE ? NULL : bench_is_met(f) ? "yes" : "no");
}

static void row_measure(struct bench *b, const struct bench_row *row)
{
    fprintf(stderr, "%s: %s, against %s\n", row->name, row->what, row->against);
    b->row = row->name;
    row->measure(b);
    bench_clear(b);
}

static int measure(struct context *ctx, struct bench *b, const struct bench_options *o, struct err *e)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct bench_row *row = tables[t]; row->name && bench_ok(b); row++)
            if (is_wanted(&o->only, row->name))
                row_measure(b, row);
    struct table *table = context_table(ctx, stdout, columns, sizeof columns / sizeof *columns, NULL);
    for (size_t i = 0; i < b->nfigures; i++)
        figure_print(table, &b->figures[i]);
    table_print(table);
    table_free(table);
    if (!bench_ok(b))
        return bench_fault(b, e);
    return o->chart ? bench_chart(o->chart, b->figures, b->nfigures, e) : EXIT_DONE;
}

static int list(struct context *ctx)
{
    static const struct table_column titles[] = {{"ROW", "row"}, {"WHAT", "what"}, {"AGAINST", "against"}};
    struct table *table = context_table(ctx, stdout, titles, sizeof titles / sizeof *titles, NULL);

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct bench_row *row = tables[t]; row->name; row++) {
            table_text(table, row->name);
            table_text(table, row->what);
            table_text(table, row->against);
        }
    table_print(table);
    table_free(table);
    return EXIT_DONE;
}

static int bench(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct bench_options *o = options;
    struct bench b = {
        .base = NULL, .quick = o->quick, .depth = o->quick ? 1000 : (size_t)o->depth, .rival = o->rival};

    (void)args;
    if (o->list)
        return list(ctx);
    for (size_t i = 0; i < o->only.n; i++)
        if (!row_find(o->only.items[i]))
            return err_set(e, ERR_USAGE, "option '--only': there is no row '%s'", o->only.items[i]);
    log_init(LOG_WARN);
    if (bench_open(&b, e) < 0)
        return -1;
    int status = measure(ctx, &b, o, e);
    bench_close(&b);
    return status;
}

const struct command bench_command = {
    .name = "bench",
    .group = "Measure",
    .args = "",
    .summary = "Measure rivers against bare Redis on this machine, on a private server",
    .details =
        "Starts a Redis server of its own and removes it again. docs/performance.md explains the rows.\n",
    .rows = rows,
    .nrows = sizeof rows / sizeof *rows,
    .defaults = &(const struct bench_options){.depth = 1000000},
    .size = sizeof(struct bench_options),
    .run = bench,
};
