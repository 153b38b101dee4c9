/* `rivers dev`: a server, its configuration and a dequeuer in one directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fleet.h"

#define CONFIG                                                                                               \
    "{\"run_queue\": {\"max_concurrent_runs\": 1, \"dequeue_interval\": \"20ms\", \"run_lease\": \"4s\"},\n" \
    " \"jobs\": {\"hold\": {\"steps\": [{\"name\": \"a\", \"command\":"                                      \
    " \"echo start >>record; until [ -e go ]; do sleep 0.02; done; echo end >>record\"}]}}}\n"

/* From here on the test asks and submits there. */
static pid_t dev_start(struct fleet *f)
{
    size_t before = fleet_count(fleet_file(f, "log"), "dequeuer started");
    struct redis_server dev;
    pid_t pid;

    fleet_write(f, "rivers.json", CONFIG);
    pid = fleet_start(f, "dev rivers.json");
    WAIT_UNTIL(f, fleet_count(fleet_file(f, "log"), "dequeuer started") > before);
    snprintf(dev.url, sizeof dev.url, "unix://%.60s/.rivers/redis.sock", f->server.dir);
    setenv("RIVERS_REDIS_URL", dev.url, 1);
    lua_close(&f->lua);
    lua_open(&f->lua, &dev);
    return pid;
}

static pid_t dev_server(struct fleet *f)
{
    return (pid_t)strtol(fleet_file(f, ".rivers/redis.pid"), NULL, 10);
}

static void interrupt_drains_and_the_queue_is_kept(void **state)
{
    struct fleet *f = *state;
    pid_t dev = dev_start(f), server = dev_server(f);
    const char *first = fleet_submit_job(f, "hold"), *second = fleet_submit_job(f, "hold");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dev, SIGINT);
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "draining"));
    assert_true(fleet_is(f, "Started", "HGET @run:%s state", first));
    fleet_write(f, "go", "");
    assert_int_equal(fleet_wait_exit(dev), 0);
    assert_false(fleet_is_alive(server));

    dev = dev_start(f);
    assert_string_equal(fleet_outcome(f, first), "Success");
    assert_string_equal(fleet_outcome(f, second), "Success");
    assert_int_equal(fleet_lines(f, "record"), 4);
    kill(dev, SIGINT);
    assert_int_equal(fleet_wait_exit(dev), 0);
}

static void second_interrupt_leaves_at_once(void **state)
{
    struct fleet *f = *state;
    pid_t dev = dev_start(f), server = dev_server(f);

    fleet_submit_job(f, "hold");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dev, SIGINT);
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "draining"));
    kill(dev, SIGINT);
    assert_int_equal(fleet_wait_exit(dev), 0);
    assert_int_equal(fleet_lines(f, "record"), 1);
    assert_false(fleet_is_alive(server));
}

static void directory_has_one_dev(void **state)
{
    struct fleet *f = *state;

    dev_start(f);
    assert_int_equal(fleet_wait_exit(fleet_start(f, "dev")), 1);
    assert_non_null(strstr(fleet_file(f, "log"), "is in use by another 'rivers dev'"));
}

/* The server and the run live on; the next dev takes them over. */
static void killed_dev_is_taken_over(void **state)
{
    struct fleet *f = *state;
    pid_t dev = dev_start(f), server = dev_server(f);
    const char *run = fleet_submit_job(f, "hold");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dev, SIGKILL);
    assert_int_equal(fleet_wait_exit(dev), 128 + SIGKILL);
    dev = dev_start(f);
    assert_int_equal(dev_server(f), server);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 2);
    kill(dev, SIGTERM);
    assert_int_equal(fleet_wait_exit(dev), 0);
    assert_false(fleet_is_alive(server));
}

/* A kill -9 of everything: what was acknowledged is in the append-only file. */
static void killed_server_is_started_again(void **state)
{
    struct fleet *f = *state;
    pid_t dev = dev_start(f);

    const char *first = fleet_submit_job(f, "hold"), *second = fleet_submit_job(f, "hold");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    pid_t executor = fleet_executor(f, first), server = dev_server(f);
    kill(dev, SIGKILL);
    assert_int_equal(fleet_wait_exit(dev), 128 + SIGKILL);
    kill(server, SIGKILL);
    WAIT_UNTIL(f, !fleet_is_alive(server));
    kill(executor, SIGKILL);
    fleet_write(f, "go", "");
    dev_start(f);
    assert_string_equal(fleet_outcome(f, first), "Failure executor lost");
    assert_string_equal(fleet_outcome(f, second), "Success");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(interrupt_drains_and_the_queue_is_kept),
        FLEET_TEST(second_interrupt_leaves_at_once),
        FLEET_TEST(directory_has_one_dev),
        FLEET_TEST(killed_dev_is_taken_over),
        FLEET_TEST(killed_server_is_started_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
