/* table: rows as people read them (aligned columns) or as programs do (one JSON object a line). */
#ifndef RIVERS_BASE_TABLE_H
#define RIVERS_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum table_style { TABLE_PLAIN, TABLE_TERMINAL, TABLE_JSON };

struct table_column {
    const char *title; /* NULL in all columns: no headings */
    const char *key;   /* of the JSON object */
};

struct table;

/* columns and empty are borrowed; empty is the line that stands for no rows (not in JSON), or NULL. */
struct table *table_new(FILE *out, enum table_style style, const struct table_column *columns, size_t n,
                        const char *empty);

/* Each fills the next cell of the row; the last column ends the row. What there is none of prints "-", in
 * JSON null: a text that is NULL or empty, a time of 0, a negative span. */
void table_text(struct table *t, const char *s);
void table_clipped(struct table *t, const char *s); /* long ones end in "..."; whole in JSON */
void table_whole(struct table *t, int64_t n);
void table_time(struct table *t, int64_t wall_ms); /* JSON: in ms */
void table_span(struct table *t, int64_t ms);      /* JSON: in ms */

void table_print(const struct table *t); /* the rows; JSON ones were printed as they were complete */
void table_free(struct table *t);

#endif
