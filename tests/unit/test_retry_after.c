#include "http/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_AT INT64_C(1445412480500) /* Wed, 21 Oct 2015 07:28:00.5 GMT */
#define DAY_MS INT64_C(86400000)

static void test_forms(void **state)
{
    static const struct {
        const char *value;
        int64_t ms;
    } rows[] = {
        {NULL, -1},
        {"", -1},
        {"0", 0},
        {"1", 1000},
        {"120", 120000},
        {"86400", DAY_MS},
        {"86401", DAY_MS},
        {"99999999999999999999999999", DAY_MS},
        {"1.5", -1},
        {"-1", -1},
        {"1 ", -1},
        {"soon", -1},
        {"Wed, 21 Oct 2015 07:28:10 GMT", 9500},
        {"Wed, 21 Oct 2015 07:27:00 GMT", 0},
        {"Wed, 21 Oct 2099 07:28:00 GMT", DAY_MS},
        {"Wed, 21 Oct 2015 07:28:10 GMT, or so", -1},
        {"Wed, 21 Oct", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(retry_after_ms(rows[i].value, NOW_AT), rows[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
