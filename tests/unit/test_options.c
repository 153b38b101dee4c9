#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARGC_MAX 16

struct values {
    bool watch;
    const char *job;
    int64_t limit, grace_ms;
    struct option_list tags;
};

struct globals {
    bool json;
};

static const struct option_row rows[] = {
    {"watch", 'w', OPTION_SWITCH, NULL, "again and again", offsetof(struct values, watch), 0, 0},
    {"job", 0, OPTION_TEXT, "NAME", "only this job", offsetof(struct values, job), 0, 0},
    {"limit", 'n', OPTION_WHOLE, "N", "at most N", offsetof(struct values, limit), 0, 100},
    {"grace", 0, OPTION_DURATION, "DURATION", "between the signals", offsetof(struct values, grace_ms), 0, 0},
    {"tag", 't', OPTION_LIST, "KEY=VALUE", "with this tag", offsetof(struct values, tags), 0, 0},
};
static const struct option_row global_rows[] = {
    {"json", 0, OPTION_SWITCH, NULL, "objects", offsetof(struct globals, json), 0, 0},
};
enum { NROWS = sizeof rows / sizeof *rows };

struct parsed { /* a command line, and what became of it */
    char *line, *argv[ARGC_MAX + 1];
    struct values values;
    struct globals globals;
    struct operands rest;
    struct err e;
    int status;
};

/* line: words that a blank separates, the first one the program's name. */
static void parse(struct parsed *p, enum options_mode mode, const char *line)
{
    struct option_set sets[] = {{rows, NROWS, &p->values}, {global_rows, 1, &p->globals}};
    int argc = 0;

    *p = (struct parsed){.line = strdup(line), .values = {.limit = 7}};
    for (char *word = strtok(p->line, " "); word; word = strtok(NULL, " "))
        p->argv[argc++] = word;
    p->status = options_parse(sets, 2, mode, argc, p->argv, &p->rest, &p->e);
}

static void release(struct parsed *p)
{
    struct option_set set = {rows, NROWS, &p->values};

    options_release(&set);
    operands_release(&p->rest);
    free(p->line);
}

static void assert_words(char *const *words, const char *expected)
{
    char joined[256] = "";

    for (; *words; words++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", *joined ? " " : "", *words);
    assert_string_equal(joined, expected);
}

static void test_values(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, OPTIONS_ALL, "list -wn 5 a --tag x=1 --json b -ty=2 --grace=1m --job nightly");
    assert_int_equal(p.status, 0);
    assert_true(p.values.watch && p.globals.json);
    assert_int_equal(p.values.limit, 5);
    assert_int_equal(p.values.grace_ms, 60000);
    assert_string_equal(p.values.job, "nightly");
    assert_int_equal(p.values.tags.n, 2);
    assert_string_equal(p.values.tags.items[0], "x=1");
    assert_string_equal(p.values.tags.items[1], "y=2");
    assert_int_equal(p.rest.n, 2);
    assert_words(p.rest.words, "a b");
    release(&p);
}

static void test_none(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, OPTIONS_ALL, "list");
    assert_int_equal(p.status, 0);
    assert_int_equal(p.values.limit, 7);
    assert_int_equal(p.rest.n, 0);
    assert_null(p.rest.command);
    release(&p);
}

static void test_modes(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, OPTIONS_FIRST, "rivers --json runs -w --unknown");
    assert_int_equal(p.status, 0);
    assert_true(p.globals.json);
    assert_false(p.values.watch);
    assert_words(p.rest.words, "runs -w --unknown");
    release(&p);

    parse(&p, OPTIONS_ALL, "list a -- -w");
    assert_int_equal(p.status, 0);
    assert_false(p.values.watch);
    assert_words(p.rest.words, "a -w");
    release(&p);

    parse(&p, OPTIONS_COMMAND, "submit a -w -- echo -w -- x");
    assert_int_equal(p.status, 0);
    assert_true(p.values.watch);
    assert_words(p.rest.words, "a");
    assert_words(p.rest.command, "echo -w -- x");
    release(&p);

    parse(&p, OPTIONS_COMMAND, "submit --");
    assert_int_equal(p.status, 0);
    assert_non_null(p.rest.command);
    assert_null(*p.rest.command);
    release(&p);
}

static void test_faults(void **state)
{
    static const struct {
        const char *line, *why;
    } faults[] = {
        {"list --limt 5", "unknown option '--limt': did you mean '--limit'?"},
        {"list --limt=5", "unknown option '--limt': did you mean '--limit'?"},
        {"list --frobnicate", "unknown option '--frobnicate'"},
        {"list -x", "unknown option '-x'"},
        {"list --limit", "option '--limit' needs a value: --limit N"},
        {"list -n", "option '--limit' needs a value: --limit N"},
        {"list --watch=1", "option '--watch' takes no value"},
        {"list --limit x", "option '--limit': 'x' is not a whole number from 0 to 100"},
        {"list --limit 101", "option '--limit': '101' is not a whole number from 0 to 100"},
        {"list --grace 5",
         "invalid duration for 'grace': \"5\" — time unit needed, for example 5sec or 5ms. Examples: "
         "\"30s\", \"5m\", \"1h30m\", \"250ms\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct parsed p;
        parse(&p, OPTIONS_ALL, faults[i].line);
        assert_int_equal(p.status, -1);
        assert_int_equal(p.e.code, ERR_USAGE);
        assert_string_equal(p.e.msg, faults[i].why);
        release(&p);
    }
}

static void test_help(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    options_print(out, rows, NROWS);
    fclose(out);
    assert_string_equal(text, "  -w, --watch               again and again\n"
                              "      --job NAME            only this job\n"
                              "  -n, --limit N             at most N\n"
                              "      --grace DURATION      between the signals\n"
                              "  -t, --tag KEY=VALUE       with this tag\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_none), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
