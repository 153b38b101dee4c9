/* api: what the tests of rivers.h share. */
#ifndef RIVERS_TESTS_API_H
#define RIVERS_TESTS_API_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rivers/rivers.h"

#define LONG_MS 60000 /* a wait that is not meant to come to its end */

static struct rivers_error e;

static inline void check_code(int code, int wanted, const char *text, const char *call, const char *file,
                              int line)
{
    if (code == wanted && (code == RIVERS_OK || (e.code == code && strstr(e.message, text))))
        return;
    print_error("%s: %d, not %d '%s'; the error: %d '%s'\n", call, code, wanted, text, e.code, e.message);
    _fail(file, line);
}

/* A call, its code, and a part of the message. */
#define assert_fault(call, wanted, text)                                                                     \
    (e = (struct rivers_error){0}, check_code(call, wanted, text, #call, __FILE__, __LINE__))
#define assert_ok(call) assert_fault(call, RIVERS_OK, "")

/* Also where its timeout is short and the machine busy. */
static inline struct rivers *opened(const struct rivers_options *o)
{
    int64_t end_at = rivers_clock_ms() + LONG_MS;
    struct rivers *h = NULL;

    while (rivers_open(&h, o, &e) == RIVERS_UNAVAILABLE && rivers_clock_ms() < end_at)
        ;
    if (!h)
        fail_msg("rivers_open: code %d, %s", e.code, e.message);
    assert_non_null(h);
    return h;
}

#endif
