/* bench_chart: the figures of `rivers bench` as an SVG picture: how near each is to its bar. */
#ifndef RIVERS_CMD_BENCH_CHART_H
#define RIVERS_CMD_BENCH_CHART_H

#include "cmd/bench.h"

/* Figures without a bar are left out. */
__attribute__((warn_unused_result)) int bench_chart(const char *file, const struct bench_figure *figures,
                                                    size_t n, struct err *e);

#endif
