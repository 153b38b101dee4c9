#include "base/table.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define GAP       2  /* blanks between columns */
#define CLIP_WIDE 48 /* characters of a clipped cell */

struct cell {
    char *text;
    size_t width; /* characters */
    bool right;   /* numbers stand at the right of their column */
};

struct table {
    FILE *out;
    enum table_style style;
    const struct table_column *columns;
    size_t ncolumns;
    const char *empty;
    struct cell *cells; /* row by row */
    size_t ncells, cap;
    cJSON *row; /* JSON: the object so far */
};

struct table *table_new(FILE *out, enum table_style style, const struct table_column *columns, size_t n,
                        const char *empty)
{
    struct table *t = xcalloc(1, sizeof *t);

    t->out = out;
    t->style = style;
    t->columns = columns;
    t->ncolumns = n;
    t->empty = empty;
    return t;
}

/* A copy that is one line of characters, whatever a terminal would make of the bytes. */
static struct cell cell_make(const char *s, size_t most, bool right)
{
    struct text clean = {0};
    struct cell cell = {.right = right};

    for (size_t left = strlen(s), n; left > 0; left -= n, s += n, cell.width++) {
        n = utf8_len(s, left);
        if (cell.width == most) {
            text_add(&clean, "...");
            cell.width += 3;
            break;
        }
        bool printable = n > 1 || (n == 1 && (unsigned char)*s >= 0x20 && *s != 0x7f);
        n = n ? n : 1;
        text_add_bytes(&clean, printable ? s : "?", printable ? n : 1);
    }
    text_add(&clean, "");
    cell.text = clean.s;
    return cell;
}

static void row_print(struct table *t)
{
    char *line = cJSON_PrintUnformatted(t->row);

    fprintf(t->out, "%s\n", line);
    cJSON_free(line);
    cJSON_Delete(t->row);
    t->row = NULL;
}

static void json_cell(struct table *t, cJSON *value)
{
    if (!t->row)
        t->row = cJSON_CreateObject();
    cJSON_AddItemToObject(t->row, t->columns[t->ncells++ % t->ncolumns].key, value);
    if (t->ncells % t->ncolumns == 0)
        row_print(t);
}

static void text_cell(struct table *t, const char *s, size_t most, bool right)
{
    if (t->ncells == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cells = xrealloc(t->cells, t->cap * sizeof *t->cells);
    }
    t->cells[t->ncells++] = cell_make(s && *s ? s : "-", most, right);
}

static void string_cell(struct table *t, const char *s, size_t most)
{
    if (t->style != TABLE_JSON)
        text_cell(t, s, most, false);
    else
        json_cell(t, s && *s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

/* A number that people read as text. */
static void number_cell(struct table *t, const char *text, int64_t n, bool none, bool right)
{
    if (t->style != TABLE_JSON)
        text_cell(t, text, SIZE_MAX, right);
    else
        json_cell(t, none ? cJSON_CreateNull() : cJSON_CreateNumber((double)n));
}

void table_text(struct table *t, const char *s)
{
    string_cell(t, s, SIZE_MAX);
}

void table_clipped(struct table *t, const char *s)
{
    string_cell(t, s, CLIP_WIDE);
}

void table_whole(struct table *t, int64_t n)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)n);
    number_cell(t, digits, n, false, true);
}

void table_time(struct table *t, int64_t wall_ms)
{
    char stamp[32];

    number_cell(t, clock_print(wall_ms, stamp, sizeof stamp), wall_ms, wall_ms == 0, false);
}

void table_span(struct table *t, int64_t ms)
{
    char span[64] = "";

    /* Beyond a second nobody reads milliseconds. */
    if (ms >= 0)
        duration_print_ms(ms < 1000 ? ms : ms - ms % 1000, span, sizeof span);
    number_cell(t, span, ms, ms < 0, false);
}

static void cell_print(FILE *out, const struct cell *c, size_t width, bool last)
{
    int blanks = (int)(width - c->width);

    if (c->right)
        fprintf(out, "%*s%s", blanks, "", c->text);
    else
        fprintf(out, "%s%*s", c->text, last ? 0 : blanks, "");
    fprintf(out, "%*s", last ? 0 : GAP, "");
}

static void titles_print(const struct table *t, const size_t *widths)
{
    fputs(t->style == TABLE_TERMINAL ? "\033[1m" : "", t->out);
    for (size_t i = 0; i < t->ncolumns; i++) {
        struct cell title = cell_make(t->columns[i].title, SIZE_MAX, t->cells[i].right);
        cell_print(t->out, &title, widths[i], i + 1 == t->ncolumns);
        free(title.text);
    }
    fputs(t->style == TABLE_TERMINAL ? "\033[0m\n" : "\n", t->out);
}

static void rows_print(const struct table *t)
{
    size_t *widths = xcalloc(t->ncolumns, sizeof *widths);

    for (size_t i = 0; t->columns->title && i < t->ncolumns; i++)
        widths[i] = strlen(t->columns[i].title);
    for (size_t row = 0; row < t->ncells; row += t->ncolumns)
        for (size_t i = 0; i < t->ncolumns; i++)
            if (t->cells[row + i].width > widths[i])
                widths[i] = t->cells[row + i].width;
    if (t->columns->title)
        titles_print(t, widths);
    for (size_t row = 0; row < t->ncells; row += t->ncolumns) {
        for (size_t i = 0; i < t->ncolumns; i++)
            cell_print(t->out, &t->cells[row + i], widths[i], i + 1 == t->ncolumns);
        fputc('\n', t->out);
    }
    free(widths);
}

void table_print(const struct table *t)
{
    if (t->style != TABLE_JSON && t->ncells > 0)
        rows_print(t);
    else if (t->style != TABLE_JSON && t->empty)
        fprintf(t->out, "%s\n", t->empty);
}

void table_free(struct table *t)
{
    for (size_t i = 0; t->cells && i < t->ncells; i++)
        free(t->cells[i].text);
    free(t->cells);
    cJSON_Delete(t->row);
    free(t);
}
