/* job_name: names and labels are valid whatever they are made from, and differ when that differs. */
#include "kube/job_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LETTERS_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define RUN        "r1hq8k2c4t000ab3d"

static void names_are_what_they_name(void **state)
{
    static const struct {
        const char *run, *step, *name;
        int64_t attempt, step_attempt;
    } rows[] = {
        {RUN, NULL, RUN "-1", 1, 0},
        {RUN, "load", RUN "-2-load-3", 2, 3},
        {RUN, "load-2", RUN "-2-load-2-3", 2, 3},
        /* what is not allowed becomes '-' or lower case, and a hash tells it from others */
        {RUN, "Load", RUN "-1-load-1-3c6540166bffded2", 1, 1},
        {RUN, "a_b", RUN "-1-a-b-1-7e0201e509b99588", 1, 1},
        {RUN, "a.b", RUN "-1-a-b-1-cf624a87032c26b9", 1, 1},
        /* 63 bytes fit, 64 do not */
        {RUN, "abcdefghijklmnopqrstuvwxyzabcdefghijklmno",
         RUN "-1-abcdefghijklmnopqrstuvwxyzabcdefghijklmno-1", 1, 1},
        {RUN, "abcdefghijklmnopqrstuvwxyzabcdefghijklmno",
         RUN "-1-abcdefghijklmnopqrstuvwxyz-39c3712d885a43f9", 1, 10},
        {RUN, LETTERS_63, RUN "-1-abcdefghijklmnopqrstuvwxyz-f05425f0869ca072", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        job_name name;
        job_name_make(name, rows[i].run, rows[i].attempt, rows[i].step, rows[i].step_attempt);
        assert_string_equal(name, rows[i].name);
        assert_true(strlen(name) <= 63);
    }
}

static void labels_are_as_near_as_they_can_be(void **state)
{
    static const struct {
        const char *text, *label;
    } rows[] = {
        {"", ""},
        {"a", "a"},
        {"Team_1.b-c", "Team_1.b-c"},
        {LETTERS_63, LETTERS_63},
        {LETTERS_63 "l", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst-80b82933f1d232c9"},
        {"a/b", "a-b-e620c3190468cf61"},
        {"-a-", "a-df63e417dedf96c2"},
        {"...", "f7d93e17ec4b1219"},
        {"süß", "s-f8136a3673041e5f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        job_name label;
        job_label_make(label, rows[i].text);
        assert_string_equal(label, rows[i].label);
    }
}

/* Whatever bytes come in, what comes out starts and ends with a letter or digit and has only what is allowed between. */
static void all_bytes_give_valid_names(void **state)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    (void)state;
    for (int c = 1; c < 256; c++)
        for (size_t n = 1; n < 80; n += 13) {
            char step[81] = "";
            job_name name;
            memset(step, c, n);
            job_name_make(name, step, 1, step, 1);
            assert_in_range(strlen(name), 1, 63);
            assert_int_equal(strspn(name, allowed), strlen(name));
            assert_true(*name != '-' && name[strlen(name) - 1] != '-');
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_what_they_name),
        cmocka_unit_test(labels_are_as_near_as_they_can_be),
        cmocka_unit_test(all_bytes_give_valid_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
