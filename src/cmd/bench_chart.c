#include "cmd/bench_chart.h"

#include <stdio.h>

#define LINE  20
#define LEFT  420 /* the labels end here */
#define UNIT  200 /* a figure that is exactly at its bar is so long */
#define RIGHT 480 /* longer ones are cut here */

/* Part of what the bar allows that is used up: 1 is at the bar, less is better. */
static double used(const struct bench_figure *f)
{
    double ratio = bench_ratio(f);

    return f->sense == BAR_AT_LEAST ? f->bar / ratio : ratio / f->bar;
}

/* Text of an element: figures name lanes and rows only, but a `<` would spoil the picture. */
static void put_text(FILE *out, const char *s)
{
    for (; *s; s++)
        if (*s == '<')
            fputs("&lt;", out);
        else if (*s == '&')
            fputs("&amp;", out);
        else
            fputc(*s, out);
}

static void put_figure(FILE *out, const struct bench_figure *f, int y)
{
    double length = used(f) * UNIT;

    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 13);
    put_text(out, f->row);
    fputs(": ", out);
    put_text(out, f->what);
    fprintf(out, "</text>\n<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>\n", LEFT, y + 2,
            length < RIGHT ? length : RIGHT, bench_is_met(f) ? "#2a7f62" : "#c1440e");
    fprintf(out, "<text x=\"%.1f\" y=\"%d\">%.3g</text>\n", LEFT + (length < RIGHT ? length : RIGHT) + 6,
            y + 13, bench_ratio(f));
}

int bench_chart(const char *file, const struct bench_figure *figures, size_t n, struct err *e)
{
    FILE *out = fopen(file, "we");
    int y = 2 * LINE;

    if (!out)
        return err_sys(e, "cannot write '%s'", file);
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" font-family=\"sans-serif\" "
        "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        LEFT + RIGHT + 80, (n + 3) * LINE);
    fprintf(out, "<text x=\"%d\" y=\"%d\">what of its bar each figure uses; left of the line is met</text>\n",
            LEFT, LINE);
    for (size_t i = 0; i < n; i++)
        if (figures[i].sense != BAR_NONE) {
            put_figure(out, &figures[i], y);
            y += LINE;
        }
    fprintf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"black\"/>\n</svg>\n", LEFT + UNIT,
            2 * LINE - 4, LEFT + UNIT, y + 4);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return err_sys(e, "cannot write '%s'", file);
    return 0;
}
