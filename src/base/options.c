#include "base/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/text.h"

#define HELP_COLUMN 28
#define LONG_BASE   256 /* getopt's answer for the i-th row is LONG_BASE + i; letters answer for themselves */

struct parser { /* the rows as getopt wants them */
    const struct option_row **rows;
    void **into;
    struct option *longs;
    struct text shorts;
    size_t n;
};

static void parser_init(struct parser *p, const struct option_set *sets, size_t nsets, enum options_mode mode)
{
    size_t most = 0;

    for (size_t i = 0; i < nsets; i++)
        most += sets[i].n;
    *p = (struct parser){.rows = xcalloc(most + 1, sizeof *p->rows),
                         .into = xcalloc(most + 1, sizeof *p->into),
                         .longs = xcalloc(most + 1, sizeof *p->longs)};
    text_add(&p->shorts, mode == OPTIONS_FIRST ? "+:" : "-:");
    for (size_t i = 0; i < nsets; i++)
        for (size_t j = 0; j < sets[i].n; j++, p->n++) {
            const struct option_row *row = &sets[i].rows[j];
            p->rows[p->n] = row;
            p->into[p->n] = sets[i].into;
            p->longs[p->n] = (struct option){row->name, row->argument ? required_argument : no_argument, NULL,
                                             LONG_BASE + (int)p->n};
            if (row->letter)
                text_addf(&p->shorts, "%c%s", row->letter, row->argument ? ":" : "");
        }
}

static void parser_release(struct parser *p)
{
    free(p->rows);
    free(p->into);
    free(p->longs);
    text_release(&p->shorts);
}

/* The index of the row for an answer of getopt; p->n when there is none. */
static size_t parser_row(const struct parser *p, int answer)
{
    size_t i = 0;

    if (answer >= LONG_BASE)
        return (size_t)(answer - LONG_BASE);
    while (i < p->n && (answer == 0 || p->rows[i]->letter != answer))
        i++;
    return i;
}

static int unknown_option(const struct parser *p, const char *word, struct err *e)
{
    const char *best = NULL;
    char name[64];

    if (optopt)
        return err_set(e, ERR_USAGE, "unknown option '-%c'", optopt);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (size_t i = 0, least = NEAREST_NONE; i < p->n; i++) {
        unsigned d = nearest_distance(name, p->rows[i]->name);
        if (d < least) {
            least = d;
            best = p->rows[i]->name;
        }
    }
    if (best)
        return err_set(e, ERR_USAGE, "unknown option '--%s': did you mean '--%s'?", name, best);
    return err_set(e, ERR_USAGE, "unknown option '--%s'", name);
}

static int list_add(struct option_list *list, const char *value)
{
    list->items = xrealloc(list->items, (list->n + 1) * sizeof *list->items);
    list->items[list->n++] = value;
    return 0;
}

static int row_set(const struct option_row *row, void *into, const char *value, struct err *e)
{
    void *member = (char *)into + row->offset;

    switch (row->kind) {
    case OPTION_SWITCH:
        *(bool *)member = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)member = value;
        return 0;
    case OPTION_WHOLE:
        if (number_parse(value, row->min, row->max, member) < 0)
            return err_set(e, ERR_USAGE,
                           "option '--%s': '%s' is not a whole number from %" PRId64 " to %" PRId64,
                           row->name, value, row->min, row->max);
        return 0;
    case OPTION_DURATION:
        if (duration_parse_ms(member, row->name, value, e) < 0) {
            e->code = ERR_USAGE;
            return -1;
        }
        return 0;
    case OPTION_LIST:
        return list_add(member, value);
    }
    return -1;
}

static int answer_take(const struct parser *p, int answer, const char *word, struct err *e)
{
    size_t i = parser_row(p, answer == ':' || answer == '?' ? optopt : answer);

    if (i == p->n)
        return unknown_option(p, word, e);
    if (answer == ':')
        return err_set(e, ERR_USAGE, "option '--%s' needs a value: --%s %s", p->rows[i]->name,
                       p->rows[i]->name, p->rows[i]->argument);
    if (answer == '?')
        return err_set(e, ERR_USAGE, "option '--%s' takes no value", p->rows[i]->name);
    return row_set(p->rows[i], p->into[i], optarg, e);
}

static void words_add(struct operands *rest, char *const *words, size_t n)
{
    rest->words = xrealloc(rest->words, (rest->n + n + 1) * sizeof *rest->words);
    memcpy(rest->words + rest->n, words, n * sizeof *words);
    rest->n += n;
    rest->words[rest->n] = NULL;
}

/* A number like -1 is an operand: no option is named by a digit. (With optind 0 getopt has not begun.) */
static int answer_next(const struct parser *p, int argc, char **argv)
{
    if (optind > 0 && optind < argc && argv[optind][0] == '-' && strspn(argv[optind] + 1, "0123456789") > 0) {
        optarg = argv[optind++];
        return 1;
    }
    return getopt_long(argc, argv, p->shorts.s, p->longs, NULL);
}

int options_parse(const struct option_set *sets, size_t nsets, enum options_mode mode, int argc, char **argv,
                  struct operands *rest, struct err *e)
{
    struct parser p;
    int status = 0, answer;

    parser_init(&p, sets, nsets, mode);
    *rest = (struct operands){0};
    words_add(rest, argv, 0);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    while (status == 0 && (answer = answer_next(&p, argc, argv)) != -1) {
        if (answer == 1) /* an operand, in its place */
            words_add(rest, &optarg, 1);
        else
            status = answer_take(&p, answer, argv[optind - 1], e);
    }
    if (status == 0 && mode == OPTIONS_COMMAND && strcmp(argv[optind - 1], "--") == 0)
        rest->command = argv + optind;
    else if (status == 0)
        words_add(rest, argv + optind, (size_t)(argc - optind));
    if (status < 0)
        operands_release(rest);
    parser_release(&p);
    return status;
}

void operands_release(struct operands *rest)
{
    free(rest->words);
    *rest = (struct operands){0};
}

void options_release(const struct option_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->rows[i].kind == OPTION_LIST) {
            struct option_list *list =
                (struct option_list *)(void *)((char *)set->into + set->rows[i].offset);
            free(list->items);
            *list = (struct option_list){0};
        }
}

void options_print(FILE *out, const struct option_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option_row *row = &rows[i];
        char letter[8] = "    ";
        int width = 0;
        if (row->letter)
            snprintf(letter, sizeof letter, "-%c, ", row->letter);
        width = fprintf(out, "  %s--%s%s%s", letter, row->name, row->argument ? " " : "",
                        row->argument ? row->argument : "");
        fprintf(out, "%*s%s\n", width < HELP_COLUMN - 2 ? HELP_COLUMN - width : 2, "", row->help);
    }
}
