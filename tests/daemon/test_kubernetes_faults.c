/* Whole runs on a cluster whose server answers badly, late or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/kube_fake.h"
#include "support/kube_fleet.h"

#define JOBS "/apis/batch/v1/namespaces/default/jobs"

/* The requests are answered 500 before or after they were carried out, or not at all. */
static void unknown_outcomes_launch_once(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fake_do(&kube_fleet_server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'reset-after'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'500'}]");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 3; i++)
        kube_fleet_submit(f, "echo ran >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "record"), 3);
    assert_int_equal(fake_number(&kube_fleet_server, "faults"), 0);
}

/* What the server puts off or has no quota for is asked again. */
static void requests_that_are_put_off_come_through(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fake_do(&kube_fleet_server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'429-text'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'quota-403'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'503'}]");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");

    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
    assert_int_equal(fake_number(&kube_fleet_server, "faults"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KUBE_TEST(unknown_outcomes_launch_once),
        KUBE_TEST(requests_that_are_put_off_come_through),
    };

    kube_fleet_path();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
