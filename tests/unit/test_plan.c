/* plan: which steps start, when, and what a failure or a cancel leaves. */
#include "exec/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NONE ((size_t)-1)

struct fixture {
    struct spec spec;
    struct plan plan;
};

static void begin(struct fixture *f, const char *json)
{
    struct err e = {0};

    if (spec_parse(&f->spec, json, strlen(json), &e) < 0)
        fail_msg("%s", e.msg);
    plan_init(&f->plan, &f->spec, false);
}

static void end(struct fixture *f)
{
    plan_release(&f->plan);
    spec_release(&f->spec);
}

static size_t start(struct fixture *f)
{
    size_t step = plan_next(&f->plan);

    if (step != NONE)
        f->plan.states[step] = TASK_ACTIVE;
    return step;
}

static void more_may_be_active_elsewhere(void **state)
{
    struct spec spec = {0};
    struct plan plan;

    (void)state;
    plan_init(&plan, &spec, true);
    assert_int_equal(plan.most_active, PLAN_MOST_ELSEWHERE);
    plan_release(&plan);
    spec.max_concurrent_steps = 3;
    plan_init(&plan, &spec, true);
    assert_int_equal(plan.most_active, 3);
    plan_release(&plan);
}

#define DIAMOND                                                                                              \
    "{\"max_concurrent_steps\": 2, \"steps\": [{\"name\": \"a\", \"command\": \"true\"},"                    \
    "{\"name\": \"b\", \"command\": \"true\", \"needs\": [\"a\"]},"                                          \
    "{\"name\": \"c\", \"command\": \"true\", \"needs\": [\"a\"]},"                                          \
    "{\"name\": \"d\", \"command\": \"true\", \"needs\": [\"b\", \"c\"]}]}"
#define LIST(first)                                                                                          \
    "{\"max_concurrent_steps\": 9, \"steps\": [{\"name\": \"a\", \"command\": \"true\"" first "},"           \
    "{\"name\": \"b\", \"command\": \"true\"}, {\"name\": \"c\", \"command\": \"true\"}]}"

static void a_list_runs_one_after_the_other(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, LIST(""));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(start(&f), i);
        assert_int_equal(start(&f), NONE);
        assert_false(plan_is_over(&f.plan));
        f.plan.states[i] = TASK_SUCCESS;
    }
    assert_true(plan_is_over(&f.plan));
    assert_int_equal(plan_failed(&f.plan), NONE);
    end(&f);
}

static void independent_steps_run_at_once_up_to_the_limit(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, DIAMOND);
    assert_int_equal(start(&f), 0);
    assert_int_equal(start(&f), NONE);
    f.plan.states[0] = TASK_SUCCESS;
    assert_int_equal(start(&f), 1);
    assert_int_equal(start(&f), 2);
    f.plan.states[1] = TASK_SUCCESS;
    assert_int_equal(start(&f), NONE); /* d needs c as well */
    f.plan.states[2] = TASK_SUCCESS;
    assert_int_equal(start(&f), 3);
    end(&f);
    begin(&f, DIAMOND);
    f.plan.most_active = 1;
    f.plan.states[0] = TASK_SUCCESS;
    assert_int_equal(start(&f), 1);
    assert_int_equal(start(&f), NONE);
    end(&f);
}

static void a_failure_lets_running_siblings_end_and_skips_the_rest(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, DIAMOND);
    f.plan.states[0] = TASK_SUCCESS;
    assert_int_equal(start(&f), 1);
    assert_int_equal(start(&f), 2);
    assert_int_equal(plan_dead(&f.plan), NONE);
    f.plan.states[1] = TASK_FAILURE;
    assert_int_equal(plan_failed(&f.plan), 1);
    assert_int_equal(plan_next(&f.plan), NONE);
    assert_int_equal(plan_dead(&f.plan), 3);
    f.plan.states[3] = TASK_SKIPPED;
    assert_false(plan_is_over(&f.plan)); /* c still runs */
    f.plan.states[2] = TASK_SUCCESS;
    assert_true(plan_is_over(&f.plan));
    end(&f);
}

static void continue_on_failure_lets_the_run_go_on(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, LIST(", \"continue_on_failure\": true"));
    assert_int_equal(start(&f), 0);
    f.plan.states[0] = TASK_FAILURE;
    assert_int_equal(plan_failed(&f.plan), NONE);
    assert_int_equal(start(&f), 1);
    end(&f);
}

static void nothing_starts_once_the_run_is_ending(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, LIST(""));
    f.plan.ending = true;
    assert_int_equal(plan_next(&f.plan), NONE);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(plan_dead(&f.plan), i);
        f.plan.states[i] = TASK_SKIPPED;
    }
    assert_true(plan_is_over(&f.plan));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_may_be_active_elsewhere),
        cmocka_unit_test(a_list_runs_one_after_the_other),
        cmocka_unit_test(independent_steps_run_at_once_up_to_the_limit),
        cmocka_unit_test(a_failure_lets_running_siblings_end_and_skips_the_rest),
        cmocka_unit_test(continue_on_failure_lets_the_run_go_on),
        cmocka_unit_test(nothing_starts_once_the_run_is_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
