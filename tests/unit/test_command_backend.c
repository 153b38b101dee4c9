#include "core/command_backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void defaults(void **state)
{
    struct command_backend b;
    struct err e;

    (void)state;
    assert_int_equal(command_backend_parse(&b, "{\"type\": \"command\", \"launch\": [\"x\", \"{run}\"]}", &e),
                     0);
    assert_string_equal(b.launch[0], "x");
    assert_null(b.launch[2]);
    assert_null(b.terminate);
    assert_null(b.status);
    assert_int_equal(b.timeout_ms, 30000);
    command_backend_release(&b);
    command_backend_release(&b);
}

static void placeholders(void **state)
{
    char *argv[] = {(char[]){"{run}"}, (char[]){"--name=rivers-{run}-{attempt}.{namespace}"}, (char[]){""},
                    (char[]){"{\"a\": {}} { run} {RUN}"}, NULL};
    char **made = command_argv_make(argv, &(struct command_values){"r1", "{run}", 12});

    (void)state;
    assert_string_equal(made[0], "r1");
    assert_string_equal(made[1], "--name=rivers-r1-12.{run}");
    assert_string_equal(made[2], "");
    assert_string_equal(made[3], "{\"a\": {}} { run} {RUN}");
    assert_null(made[4]);
    command_argv_free(made);
}

static void refused(void **state)
{
    static const struct {
        const char *members, *why;
    } rows[] = {
        {"\"terminate\": [\"x\"]", "run_backend.launch: is required"},
        {"\"launch\": \"sbatch {run}\"", "run_backend.launch: must be a list of strings"},
        {"\"launch\": []", "run_backend.launch: must name a program"},
        {"\"launch\": [\"\", \"{run}\"]", "run_backend.launch: must name a program"},
        {"\"launch\": [\"x\", 1]", "run_backend.launch[1]: must be a string"},
        {"\"launch\": [\"x\"]", "run_backend.launch: must say which run to execute: {run}"},
        {"\"launch\": [\"x\", \"{run}\", \"a{token}\"]",
         "run_backend.launch[2]: unknown placeholder '{token}', known: {run}, {attempt}, {namespace}"},
        {"\"launch\": [\"{run}\"], \"status\": [\"x\", \"{runn}\"]",
         "run_backend.status[1]: unknown placeholder '{runn}', known: {run}, {attempt}, {namespace}"},
        {"\"launch\": [\"{run}\"], \"terminate\": []", "run_backend.terminate: must name a program"},
        {"\"launch\": [\"{run}\"], \"timeout\": \"999ms\"", "run_backend.timeout: must be at least 1s"},
        {"\"launch\": [\"{run}\"], \"stat\": [\"x\"]",
         "run_backend: unknown key 'stat', did you mean 'status'?"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command_backend b;
        struct err e = {0};
        char text[256];
        snprintf(text, sizeof text, "{\"type\": \"command\", %s}", rows[i].members);
        if (command_backend_parse(&b, text, &e) == 0)
            fail_msg("accepted: %s", text);
        command_backend_release(&b);
        assert_string_equal(e.msg, rows[i].why);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(placeholders),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
