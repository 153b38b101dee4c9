#include "core/graph.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/text.h"

/* The steps sorted by name, then index: a row of the table that finds them. */
struct row {
    const char *name;
    size_t index;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : (left->index > right->index) - (left->index < right->index);
}

static int compare_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct row *)row)->name);
}

static struct row *sorted_rows(const struct step *steps, size_t n)
{
    struct row *rows = xcalloc(n, sizeof *rows);

    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){steps[i].name, i};
    qsort(rows, n, sizeof *rows, compare_rows);
    return rows;
}

static int check_unique(const struct row *rows, size_t n, const struct json_path *at, struct err *e)
{
    for (size_t i = 1; i < n; i++) {
        struct json_path step = {at, NULL, (int)rows[i].index}, place = {&step, "name", 0};
        if (!strcmp(rows[i - 1].name, rows[i].name))
            return json_fault(e, &place, "'%s' is the name of another step", rows[i].name);
    }
    return 0;
}

static int read_need(const cJSON *v, const struct json_path *at, const struct row *rows, size_t n,
                     struct step *s, struct err *e)
{
    const char *name;

    if (json_string(v, at, &name, e))
        return -1;
    const struct row *row = bsearch(name, rows, n, sizeof *rows, compare_name);
    if (!row)
        return json_fault(e, at, "no step '%s'", name);
    for (size_t i = 0; i < s->nneeds; i++)
        if (s->needs[i] == row->index)
            return json_fault(e, at, "'%s' named twice", name);
    s->needs[s->nneeds++] = row->index;
    return 0;
}

static int read_needs(const cJSON *v, const struct json_path *at, const struct row *rows, size_t n,
                      struct step *s, struct err *e)
{
    struct json_path place = {at, "needs", 0}, below = {&place, NULL, 0};

    if (!v)
        return 0;
    if (!cJSON_IsArray(v))
        return json_fault(e, &place, "must be a list of step names");
    s->needs = xcalloc((size_t)cJSON_GetArraySize(v), sizeof *s->needs);
    for (const cJSON *item = v->child; item; item = item->next, below.index++)
        if (read_need(item, &below, rows, n, s, e))
            return -1;
    return 0;
}

struct walk {
    const struct step *steps;
    enum mark { UNSEEN, OPEN, DONE } * marks;
    size_t *trail, ntrail; /* the open steps, each needed by the one before */
    const struct json_path *at;
    struct err *e;
};

/* The last of the trail is on it a second time. */
static int cycle_fault(const struct walk *w)
{
    struct text names = {0};
    size_t last = w->trail[w->ntrail - 1], i = 0;

    while (w->trail[i] != last)
        i++;
    for (; i < w->ntrail; i++)
        text_addf(&names, "%s%s", names.len ? " -> " : "", w->steps[w->trail[i]].name);
    json_fault(w->e, w->at, "cycle %s", names.s);
    text_release(&names);
    return -1;
}

static int visit(struct walk *w, size_t i)
{
    if (w->marks[i] == DONE)
        return 0;
    w->trail[w->ntrail++] = i;
    if (w->marks[i] == OPEN)
        return cycle_fault(w);
    w->marks[i] = OPEN;
    for (size_t j = 0; j < w->steps[i].nneeds; j++)
        if (visit(w, w->steps[i].needs[j]))
            return -1;
    w->marks[i] = DONE;
    w->ntrail--;
    return 0;
}

static int check_cycles(const struct step *steps, size_t n, const struct json_path *at, struct err *e)
{
    struct walk w = {
        .steps = steps,
        .marks = xcalloc(n, sizeof *w.marks),
        .trail = xcalloc(n + 1, sizeof *w.trail),
        .at = at,
        .e = e,
    };
    int failed = 0;

    for (size_t i = 0; i < n && !failed; i++)
        failed = visit(&w, i);
    free(w.marks);
    free(w.trail);
    return failed;
}

static int read_graph(struct step *steps, size_t n, const cJSON *list, const struct row *rows,
                      const struct json_path *at, struct err *e)
{
    struct json_path below = {at, NULL, 0};

    for (const cJSON *item = list->child; item; item = item->next, below.index++) {
        const cJSON *needs = cJSON_GetObjectItemCaseSensitive(item, "needs");
        if (read_needs(needs, &below, rows, n, &steps[below.index], e))
            return -1;
    }
    return check_cycles(steps, n, at, e);
}

static bool has_needs(const cJSON *list)
{
    for (const cJSON *item = list->child; item; item = item->next)
        if (cJSON_GetObjectItemCaseSensitive(item, "needs"))
            return true;
    return false;
}

static void make_chain(struct step *steps, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        steps[i].needs = xmalloc(sizeof *steps[i].needs);
        steps[i].needs[0] = i - 1;
        steps[i].nneeds = 1;
    }
}

int graph_read(struct step *steps, size_t n, const cJSON *list, const struct json_path *at, struct err *e)
{
    struct row *rows = sorted_rows(steps, n);
    int failed = check_unique(rows, n, at, e);

    if (!failed && has_needs(list))
        failed = read_graph(steps, n, list, rows, at, e);
    else if (!failed)
        make_chain(steps, n);
    free(rows);
    return failed;
}

bool graph_is_chain(const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (steps[i].nneeds != (i > 0) || (i > 0 && steps[i].needs[0] != i - 1))
            return false;
    return true;
}
