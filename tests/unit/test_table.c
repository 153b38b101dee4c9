#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct table_column columns[] = {{"NAME", "name"}, {"N", "n"}, {"NOTE", "note"}};
enum { NCOLUMNS = sizeof columns / sizeof *columns };

struct row {
    const char *name;
    int64_t n;
    const char *note;
};

/* What a table of these rows prints; owned by the caller. */
static char *printed(enum table_style style, const struct row *rows, size_t n)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct table *t = table_new(out, style, columns, NCOLUMNS, "Nothing.");

    for (size_t i = 0; i < n; i++) {
        table_text(t, rows[i].name);
        table_whole(t, rows[i].n);
        table_text(t, rows[i].note);
    }
    table_print(t);
    table_free(t);
    fclose(out);
    return text;
}

static void check(enum table_style style, const struct row *rows, size_t n, const char *expected)
{
    char *text = printed(style, rows, n);

    assert_string_equal(text, expected);
    free(text);
}

static void test_styles(void **state)
{
    static const struct row rows[] = {{"a", 5, "first"}, {"longer", 1234, ""}};

    (void)state;
    check(TABLE_PLAIN, rows, 2, "NAME       N  NOTE\na          5  first\nlonger  1234  -\n");
    check(TABLE_TERMINAL, rows, 2,
          "\033[1mNAME       N  NOTE\033[0m\na          5  first\nlonger  1234  -\n");
    check(TABLE_JSON, rows, 2,
          "{\"name\":\"a\",\"n\":5,\"note\":\"first\"}\n{\"name\":\"longer\",\"n\":1234,\"note\":null}\n");
}

static void test_no_rows(void **state)
{
    (void)state;
    check(TABLE_PLAIN, NULL, 0, "Nothing.\n");
    check(TABLE_JSON, NULL, 0, "");
}

/* Columns are as wide as their characters, not their bytes; what a terminal would obey is not printed. */
static void test_odd_bytes(void **state)
{
    static const struct row rows[] = {
        {"h\xc3\xa9", 1, "x"}, {"abc", 1, "a\033[31m\n\x7f\xff"}, {NULL, -1, "y"}};

    (void)state;
    check(TABLE_PLAIN, rows, 3, "NAME   N  NOTE\nh\xc3\xa9     1  x\nabc    1  a?[31m???\n-     -1  y\n");
}

static void test_kinds(void **state)
{
    static const struct table_column kinds[] = {
        {NULL, "span"}, {NULL, "none"}, {NULL, "never"}, {NULL, "long"}};
    static const struct {
        enum table_style style;
        const char *expected;
    } rows[] = {
        {TABLE_PLAIN, "1m 1s  -  -  123456789012345678901234567890123456789012345678...\n"},
        {TABLE_JSON, "{\"span\":61900,\"none\":null,\"never\":null,"
                     "\"long\":\"12345678901234567890123456789012345678901234567890\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        struct table *t = table_new(out, rows[i].style, kinds, 4, NULL);
        table_span(t, 61900);
        table_span(t, -1);
        table_time(t, 0);
        table_clipped(t, "12345678901234567890123456789012345678901234567890");
        table_print(t);
        table_free(t);
        fclose(out);
        assert_string_equal(text, rows[i].expected);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_odd_bytes),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
