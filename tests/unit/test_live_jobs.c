#include "backend/live_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pod pod(const char *uid, enum pod_phase phase)
{
    return (struct pod){.uid = uid, .job = "j", .phase = phase};
}

static void see_pod(struct live_jobs *s, const char *uid, enum pod_phase phase, bool deleted)
{
    struct pod p = pod(uid, phase);

    live_jobs_see_pod(s, &p, deleted);
}

static void a_job_is_live_from_its_creation_to_the_end_of_its_pod(void **state)
{
    struct live_jobs s = {0};

    (void)state;
    assert_false(live_jobs_any(&s));
    live_jobs_see_job(&s, "j", true);
    assert_true(live_jobs_any(&s));
    see_pod(&s, "1", POD_RUNNING, false);
    assert_true(live_jobs_any(&s));
    see_pod(&s, "1", POD_OVER, false);
    assert_false(live_jobs_any(&s));
    live_jobs_see_job(&s, "j", false);
    assert_null(s.first);
}

static void a_pod_outlives_its_job(void **state)
{
    struct live_jobs s = {0};

    (void)state;
    live_jobs_see_job(&s, "j", true);
    see_pod(&s, "1", POD_RUNNING, false);
    live_jobs_see_job(&s, "j", false);
    assert_true(live_jobs_any(&s));
    see_pod(&s, "1", POD_RUNNING, true);
    assert_null(s.first);
}

static void the_latest_pod_counts(void **state)
{
    struct live_jobs s = {0};

    (void)state;
    live_jobs_see_job(&s, "j", true);
    see_pod(&s, "1", POD_RUNNING, false);
    see_pod(&s, "2", POD_WAITING, false);
    see_pod(&s, "1", POD_OVER, false);
    assert_true(live_jobs_any(&s));
    see_pod(&s, "2", POD_WAITING, true); /* its Job makes another */
    assert_true(live_jobs_any(&s));
    see_pod(&s, "3", POD_OVER, false);
    assert_false(live_jobs_any(&s));
    live_jobs_release(&s);
}

static void a_pod_of_a_lost_node_is_not_waited_for(void **state)
{
    struct live_jobs s = {0};
    struct pod p = pod("1", POD_RUNNING);

    (void)state;
    live_jobs_see_pod(&s, &p, false);
    p.deleting = true;
    p.end = POD_NODE_LOST;
    live_jobs_see_pod(&s, &p, false);
    assert_null(s.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_live_from_its_creation_to_the_end_of_its_pod),
        cmocka_unit_test(a_pod_outlives_its_job),
        cmocka_unit_test(the_latest_pod_counts),
        cmocka_unit_test(a_pod_of_a_lost_node_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
