/* ending: the words, and what retries.on lets be tried again. */
#include "exec/ending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ALL (RETRY_ON_EXIT | RETRY_ON_TIMEOUT | RETRY_ON_LOST | RETRY_ON_OOM | RETRY_ON_EVICTED)

static void each_has_its_word(void **state)
{
    static const struct {
        struct ending ending;
        const char *word;
    } rows[] = {
        {{ENDING_OOM, 137, NULL}, "oom"},
        {{ENDING_EVICTED, 0, NULL}, "evicted"},
        {{ENDING_NODE_LOST, 0, NULL}, "node-lost"},
        {{ENDING_DEADLINE, 0, NULL}, "deadline"},
        {{ENDING_NOT_RUN, 0, NULL}, "not-run"},
        {{ENDING_NONE, 0, NULL}, "-"},
        {{ENDING_EXIT, 0, NULL}, "exit:0"},
        {{ENDING_EXIT, 75, NULL}, "exit:75"},
        {{ENDING_SIGNAL, 9, NULL}, "signal:9"},
        {{ENDING_TIMEOUT, 143, NULL}, "timeout"},
        {{ENDING_LEASE_LOST, 9, NULL}, "lease-lost"},
        {{ENDING_NO_SLOTS, 0, NULL}, "no-slots"},
    };
    char buf[40];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(ending_print(&rows[i].ending, buf, sizeof buf), rows[i].word);
        assert_int_equal(ending_is_success(&rows[i].ending), !strcmp(rows[i].word, "exit:0"));
    }
}

static void each_is_retried_by_its_name(void **state)
{
    int seven[] = {7, 8};
    const struct retries all = {.on = ALL}, lost = {.on = RETRY_ON_LOST},
                         codes = {.on = RETRY_ON_EXIT, .exit_codes = seven, .nexit_codes = 2};
    static const struct {
        struct ending ending;
        bool all, lost, codes;
    } rows[] = {
        {{ENDING_EXIT, 1, NULL}, true, false, false},      {{ENDING_EXIT, 8, NULL}, true, false, true},
        {{ENDING_SIGNAL, 8, NULL}, true, false, false},    {{ENDING_TIMEOUT, 0, NULL}, true, false, false},
        {{ENDING_LEASE_LOST, 0, NULL}, true, true, false}, {{ENDING_NO_SLOTS, 0, NULL}, false, false, false},
        {{ENDING_OOM, 137, NULL}, true, false, false},     {{ENDING_EVICTED, 8, NULL}, true, false, false},
        {{ENDING_DEADLINE, 0, NULL}, false, false, false}, {{ENDING_NOT_RUN, 0, NULL}, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ending_is_retried(&rows[i].ending, &all), rows[i].all);
        assert_int_equal(ending_is_retried(&rows[i].ending, &lost), rows[i].lost);
        assert_int_equal(ending_is_retried(&rows[i].ending, &codes), rows[i].codes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_word),
        cmocka_unit_test(each_is_retried_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
