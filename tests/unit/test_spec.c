#include "core/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define STEP(members)  "{\"steps\": [{\"name\": \"a\", \"command\": \"x\"" members "}]}"
#define RUN(members)   "{" members ", \"steps\": [{\"name\": \"a\", \"command\": \"x\"}]}"
#define NAMED(n, more) "{\"name\": \"" n "\", \"command\": \"x\"" more "}"

#define NAME_FAULT  "must be 1 to 63 of A-Z a-z 0-9 _ . -, starting with a letter or digit"
#define RETRY_WORDS "\"exit\", \"timeout\", \"lost\", \"oom\", \"evicted\", \"node-lost\", \"deadline\""
#define SLOTS       "must be a whole number from 1 to 2147483647"

static void parse(struct spec *s, const char *text)
{
    struct err e = {0};

    if (spec_parse(s, text, strlen(text), &e))
        fail_msg("%s: %s", text, e.msg);
}

static void test_defaults(void **state)
{
    struct spec s;

    (void)state;
    parse(&s, STEP(""));
    assert_null(s.job);
    assert_null(s.key);
    assert_int_equal(s.ntags + s.nenv, 0);
    assert_int_equal(s.priority, 0);
    assert_int_equal(s.delay_ms, 0);
    assert_false(s.requeue_lost);
    assert_int_equal(s.max_attempts, 3);
    assert_int_equal(s.max_concurrent_steps, 0);
    assert_int_equal(s.nsteps, 1);
    const struct step *a = s.steps;
    assert_string_equal(a->name, "a");
    assert_string_equal(a->argv[0], "sh");
    assert_string_equal(a->argv[1], "-c");
    assert_string_equal(a->argv[2], "x");
    assert_null(a->argv[3]);
    assert_null(a->cwd);
    assert_int_equal(a->nneeds + a->nenv + a->nclaims, 0);
    assert_int_equal(a->timeout_ms, 0);
    assert_int_equal(a->grace_ms, 10000);
    assert_int_equal(a->claim_timeout_ms, 600000);
    assert_false(a->continue_on_failure);
    assert_int_equal(a->retries.max, 0);
    assert_int_equal(a->retries.backoff_ms, 1000);
    assert_int_equal(a->retries.max_backoff_ms, 60000);
    assert_int_equal(a->retries.on, RETRY_ON_EXIT | RETRY_ON_TIMEOUT | RETRY_ON_LOST | RETRY_ON_EVICTED |
                                        RETRY_ON_NODE_LOST);
    assert_false(s.in_process);
    assert_null(a->image);
    assert_null(a->resources.cpu);
    assert_null(a->resources.memory);
    assert_int_equal(a->resources.gpu, 0);
    spec_release(&s);
}

static const char whole[] =
    "{\"job\": \"nightly\", \"tags\": {\"team\": \"growth\", \"rivers/priority\": \"5\"}, \"priority\": 5,\n"
    " \"env\": {\"DAY\": \"2026-11-23\"}, \"key\": \"nightly-23\", \"delay\": \"10m\", // later\n"
    " \"max_concurrent_steps\": 4, \"on_lost\": \"requeue\", \"max_attempts\": 2,\n"
    " \"steps\": [{\"name\": \"load\", \"command\": [\"load\", \"\"], \"needs\": [\"extract\"]},\n"
    "   {\"name\": \"extract\", \"command\": [\"sh\", \"-c\", \"echo\"], \"env\": {\"A\": \"\"}, \"cwd\": "
    "\"/tmp\",\n"
    "    \"timeout\": \"1h30m\", \"grace\": \"0s\", \"continue_on_failure\": true, \"claim_timeout\": "
    "\"1500us\",\n"
    "    \"retries\": {\"max\": 3, \"backoff\": \"0\", \"factor\": 1.1, \"max_backoff\": \"2m\",\n"
    "                  \"on\": [75, \"lost\", 1]},\n"
    "    \"pool\": [\"db\", \"api\"], \"pool_slots\": {\"db\": 2}}]}";

static void test_whole(void **state)
{
    struct spec s;

    (void)state;
    parse(&s, whole);
    assert_string_equal(s.job, "nightly");
    assert_int_equal(s.ntags, 2);
    assert_string_equal(s.tags[0].key, "team");
    assert_int_equal(s.priority, 5);
    assert_string_equal(s.env[0].value, "2026-11-23");
    assert_string_equal(s.key, "nightly-23");
    assert_int_equal(s.delay_ms, 600000);
    assert_int_equal(s.max_concurrent_steps, 4);
    assert_true(s.requeue_lost);
    assert_int_equal(s.max_attempts, 2);
    assert_int_equal(s.steps[0].nneeds, 1);
    assert_int_equal(s.steps[0].needs[0], 1);
    const struct step *x = &s.steps[1];
    assert_int_equal(x->nneeds, 0);
    assert_string_equal(x->cwd, "/tmp");
    assert_int_equal(x->timeout_ms, 5400000);
    assert_int_equal(x->grace_ms, 0);
    assert_int_equal(x->claim_timeout_ms, 2);
    assert_true(x->continue_on_failure);
    assert_int_equal(x->retries.max, 3);
    assert_int_equal(x->retries.backoff_ms, 0);
    assert_int_equal(x->retries.on, RETRY_ON_EXIT | RETRY_ON_LOST);
    assert_int_equal(x->retries.nexit_codes, 2);
    assert_int_equal(x->retries.exit_codes[0], 75);
    assert_int_equal(x->nclaims, 2);
    assert_int_equal(x->claims[0].slots, 2);
    assert_string_equal(x->claims[1].pool, "api");
    assert_int_equal(x->claims[1].slots, 1);
    spec_release(&s);
}

static void test_print(void **state)
{
    struct spec s;

    (void)state;
    parse(&s, whole);
    char *stored = spec_print(&s);
    assert_string_equal(
        stored,
        "{\"env\":{\"DAY\":\"2026-11-23\"},\"max_concurrent_steps\":4,\"steps\":["
        "{\"name\":\"load\",\"command\":[\"load\",\"\"],\"needs\":[\"extract\"]},"
        "{\"name\":\"extract\",\"command\":\"echo\",\"needs\":[],\"env\":{\"A\":\"\"},\"cwd\":\"/tmp\","
        "\"timeout\":\"1h 30m\",\"grace\":\"0s\",\"claim_timeout\":\"2ms\",\"continue_on_failure\":true,"
        "\"retries\":{\"max\":3,\"backoff\":\"0s\",\"factor\":1.1,\"max_backoff\":\"2m\",\"on\":[75,1,"
        "\"lost\"]},"
        "\"pools\":{\"db\":2,\"api\":1}}]}");
    char *all = spec_print_whole(&s);
    static const char head[] =
        "{\"job\":\"nightly\",\"tags\":{\"team\":\"growth\",\"rivers/priority\":\"5\"},"
        "\"priority\":5,\"key\":\"nightly-23\",\"delay\":\"10m\",\"on_lost\":\"requeue\","
        "\"max_attempts\":2,";
    assert_memory_equal(all, head, strlen(head));
    assert_string_equal(all + strlen(head), stored + 1);
    free(stored);
    free(all);
    spec_release(&s);
}

/* Printing tells everything apart that a spec can say, so equal texts are equal specs. */
static void test_round_trip(void **state)
{
    static const char *const texts[] = {
        whole,
        STEP(""),
        STEP(", \"needs\": []"),
        STEP(", \"retries\": {\"max\": 0, \"on\": [\"timeout\"]}"),
        STEP(", \"retries\": {\"max\": 1, \"on\": [\"oom\", \"evicted\", \"node-lost\", \"deadline\"]}"),
        STEP(
            ", \"image\": \"python:3\", \"resources\": {\"cpu\": \"250m\", \"memory\": \"1Gi\", \"gpu\": 2}"),
        STEP(", \"retries\": {\"max\": 1, \"on\": [\"exit\"], \"factor\": 1e300}"),
        STEP(", \"pools\": {\"a b\": 2147483647, \"\\\"\": 1}, \"timeout\": \"18446744073709551615s\""),
        "{\"steps\": [" NAMED("a", "") "," NAMED("b", "") "," NAMED("c", "") "]}",
        "{\"steps\": [" NAMED("a", ", \"needs\": []") "," NAMED("b", "") "]}",
        "{\"steps\": [" NAMED("a", "") "," NAMED("b", ", \"needs\": [\"a\"]") "," NAMED("c", "") "]}",
        "{\"steps\": [{\"name\": \"a\", \"command\": [\"sh\", \"-c\", \"\"]}]}",
        "{\"steps\": [{\"name\": \"a\", \"command\": [\"sh\", \"-c\", \"x\", \"y\"]}]}",
        "{\"steps\": [{\"name\": \"a\", \"command\": \"caf\\u00e9 \\u0001\\n\\\\ \\ud83d\\ude00\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct spec first, again;
        parse(&first, texts[i]);
        char *printed = spec_print_whole(&first);
        parse(&again, printed);
        char *twice = spec_print_whole(&again);
        assert_string_equal(twice, printed);
        assert_int_equal(again.nsteps, first.nsteps);
        for (size_t j = 0; j < first.nsteps; j++)
            assert_int_equal(again.steps[j].nneeds, first.steps[j].nneeds);
        free(printed);
        free(twice);
        spec_release(&first);
        spec_release(&again);
    }
}

static void test_graph(void **state)
{
    struct spec s;

    (void)state;
    parse(&s, "{\"steps\": [" NAMED("a", "") "," NAMED("b", "") "," NAMED("c", "") "]}");
    assert_int_equal(s.steps[0].nneeds, 0);
    assert_int_equal(s.steps[1].needs[0], 0);
    assert_int_equal(s.steps[2].needs[0], 1);
    char *printed = spec_print(&s);
    assert_null(strstr(printed, "needs"));
    free(printed);
    spec_release(&s);

    parse(&s, "{\"steps\": [" NAMED("a", "") "," NAMED("b", ", \"needs\": []") "," NAMED(
                  "c", ", \"needs\": [\"b\", \"a\"]") "]}");
    assert_int_equal(s.steps[0].nneeds, 0);
    assert_int_equal(s.steps[1].nneeds, 0);
    assert_int_equal(s.steps[2].nneeds, 2);
    assert_int_equal(s.steps[2].needs[0], 1);
    spec_release(&s);
}

static void test_claims(void **state)
{
    static const struct {
        const char *text, *pools;
    } rows[] = {
        {STEP(", \"pool\": \"db\""), "{\"db\":1}"},
        {STEP(", \"pool\": \"db\", \"pool_slots\": 3"), "{\"db\":3}"},
        {STEP(", \"pool\": \"db\", \"pool_slots\": {\"db\": 3}"), "{\"db\":3}"},
        {STEP(", \"pool\": [\"db\", \"api\"], \"pool_slots\": 3"), "{\"db\":3,\"api\":3}"},
        {STEP(", \"pool\": [\"db\", \"api\"], \"pool_slots\": {\"api\": 3}"), "{\"db\":1,\"api\":3}"},
        {STEP(", \"pool\": [\"db\", \"api\", \"db\"], \"pool_slots\": 2"), "{\"db\":4,\"api\":2}"},
        {STEP(", \"pools\": {\"db\": 2, \"api\": 1}"), "{\"db\":2,\"api\":1}"},
        {STEP(", \"pool\": []"), NULL},
        {STEP(", \"pools\": {}"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spec s;
        parse(&s, rows[i].text);
        char *printed = spec_print(&s), *pools = strstr(printed, "\"pools\":");
        assert_int_equal(pools != NULL, rows[i].pools != NULL);
        if (pools)
            assert_memory_equal(pools + strlen("\"pools\":"), rows[i].pools, strlen(rows[i].pools));
        free(printed);
        spec_release(&s);
    }
}

static void check_refused(const char *text, const char *why)
{
    struct spec s;
    struct err e = {0};

    if (!spec_parse(&s, text, strlen(text), &e))
        fail_msg("accepted: %s", text);
    assert_string_equal(e.msg, why);
    assert_int_equal(e.code, ERR_INVALID);
}

static void test_refused_runs(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "must be an object"},
        {"{", "line 1, column 2: expected a key in double quotes, but the document ends"},
        {"{}", "steps: is required"},
        {"{\"steps\": []}", "steps: must be a list of at least one step"},
        {"{\"steps\": {\"a\": 1}}", "steps: must be a list of at least one step"},
        {"{\"steps\": [1]}", "steps[0]: must be an object"},
        {RUN("\"tasg\": {}"), "unknown key 'tasg', did you mean 'tags'?"},
        {RUN("\"job\": \"a b\""), "job: 'a b': " NAME_FAULT},
        {RUN("\"job\": 1"), "job: must be a string"},
        {RUN("\"tags\": []"), "tags: must be an object"},
        {RUN("\"tags\": {\"a\": 1}"), "tags.a: must be a string"},
        {RUN("\"tags\": {\"a\": \"*\"}"),
         "tags: tag 'a': value '*' is reserved for limits on each distinct value"},
        {RUN("\"tags\": {\"rivers/x\": \"1\"}"),
         "tags: tag key 'rivers/x': keys that start with rivers/ are reserved"},
        {RUN("\"tags\": {\"rivers/priority\": \"high\"}"),
         "tags: tag 'rivers/priority': must be a whole number from -2147483648 to 2147483647"},
        {RUN("\"priority\": 1, \"tags\": {\"rivers/priority\": \"2\"}"),
         "priority: differs from the tag 'rivers/priority'"},
        {RUN("\"priority\": 2147483648"), "priority: must be a whole number from -2147483648 to 2147483647"},
        {RUN("\"priority\": 1.5"), "priority: must be a whole number from -2147483648 to 2147483647"},
        {RUN("\"env\": {\"1A\": \"\"}"),
         "env: '1A' cannot name an environment variable: letters, digits and _ can"},
        {RUN("\"env\": {\"\": \"\"}"),
         "env: '' cannot name an environment variable: letters, digits and _ can"},
        {RUN("\"env\": {\"A\": 1}"), "env.A: must be a string"},
        {RUN("\"env\": [\"A=1\"]"), "env: must be an object"},
        {RUN("\"key\": \"\""), "key: must be 1 to 255 bytes of UTF-8 without control characters"},
        {RUN("\"key\": \"a\\nb\""), "key: must be 1 to 255 bytes of UTF-8 without control characters"},
        {RUN("\"delay\": 5"), "delay: must be a duration in quotes, such as \"30s\" or \"1h30m\""},
        {RUN("\"delay\": \"5\""),
         "delay: invalid duration for 'delay': \"5\" — time unit needed, for example 5sec "
         "or 5ms. Examples: \"30s\", \"5m\", \"1h30m\", \"250ms\""},
        {RUN("\"on_lost\": \"retry\""), "on_lost: must be \"fail\" or \"requeue\""},
        {RUN("\"executor\": \"local\""), "executor: must be \"in_process\""},
        {RUN("\"max_attempts\": 0"), "max_attempts: " SLOTS},
        {RUN("\"max_concurrent_steps\": -1"),
         "max_concurrent_steps: must be a whole number from 0 to 2147483647"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].text, rows[i].why);
}

static void test_refused_steps(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{\"steps\": [{\"command\": \"x\"}]}", "steps[0].name: is required"},
        {"{\"steps\": [{\"name\": \"a\"}]}", "steps[0].command: is required"},
        {"{\"steps\": [{\"name\": \"\", \"command\": \"x\"}]}", "steps[0].name: '': " NAME_FAULT},
        {"{\"steps\": [{\"name\": \"a\", \"command\": \"\"}]}", "steps[0].command: must not be empty"},
        {"{\"steps\": [{\"name\": \"a\", \"command\": 1}]}",
         "steps[0].command: must be a string or list of strings"},
        {"{\"steps\": [{\"name\": \"a\", \"command\": []}]}", "steps[0].command: must name a program"},
        {"{\"steps\": [{\"name\": \"a\", \"command\": [\"\"]}]}", "steps[0].command: must name a program"},
        {"{\"steps\": [{\"name\": \"a\", \"command\": [\"x\", 1]}]}",
         "steps[0].command[1]: must be a string"},
        {"{\"steps\": [{\"name\": \"a\", \"command\": \"x\\u0000\"}]}",
         "line 1, column 39: a string cannot hold NUL"},
        {STEP(", \"comand\": 1"), "steps[0]: unknown key 'comand', did you mean 'command'?"},
        {STEP(", \"cwd\": \"\""), "steps[0].cwd: must not be empty"},
        {STEP(", \"image\": \"\""), "steps[0].image: must be the name of an image"},
        {STEP(", \"image\": \"a b\""), "steps[0].image: must be the name of an image"},
        {STEP(", \"resources\": {\"cpus\": \"1\"}"),
         "steps[0].resources: unknown key 'cpus', did you mean 'cpu'?"},
        {STEP(", \"resources\": {\"cpu\": 1}"), "steps[0].resources.cpu: must be a string"},
        {STEP(", \"resources\": {\"gpu\": 0.5}"),
         "steps[0].resources.gpu: must be a whole number from 0 to 1024"},
        {STEP(", \"env\": {\"A-B\": \"\"}"),
         "steps[0].env: 'A-B' cannot name an environment variable: letters, digits and _ can"},
        {STEP(", \"continue_on_failure\": 1"), "steps[0].continue_on_failure: must be true or false"},
        {STEP(", \"retries\": {}"), "steps[0].retries.max: is required"},
        {STEP(", \"retries\": {\"max\": -1}"),
         "steps[0].retries.max: must be a whole number from 0 to 2147483647"},
        {STEP(", \"retries\": {\"max\": 1, \"factor\": 0.5}"),
         "steps[0].retries.factor: must be a number ≥ 1"},
        {STEP(", \"retries\": {\"max\": 1, \"factor\": 1e999}"),
         "steps[0].retries.factor: must be a number ≥ 1"},
        {STEP(", \"retries\": {\"max\": 1, \"on\": []}"),
         "steps[0].retries.on: must be a list of " RETRY_WORDS " and exit codes"},
        {STEP(", \"retries\": {\"max\": 1, \"on\": [\"oomph\"]}"),
         "steps[0].retries.on[0]: must be one of " RETRY_WORDS " or an exit code"},
        {STEP(", \"retries\": {\"max\": 1, \"on\": [1, 0]}"),
         "steps[0].retries.on[1]: must be a whole number from 1 to 255"},
        {STEP(", \"retries\": {\"max\": 1, \"on\": [\"exit\", 1]}"),
         "steps[0].retries.on: \"exit\" is any exit code, so none can be named beside it"},
        {"{\"steps\": [" NAMED("a", "") "," NAMED("b", "") "," NAMED("a", "") "]}",
         "steps[2].name: 'a' is the name of another step"},
        {STEP(", \"needs\": \"b\""), "steps[0].needs: must be a list of step names"},
        {STEP(", \"needs\": [1]"), "steps[0].needs[0]: must be a string"},
        {"{\"steps\": [" NAMED("a", "") "," NAMED("b", ", \"needs\": [\"x\"]") "]}",
         "steps[1].needs[0]: no step 'x'"},
        {"{\"steps\": [" NAMED("a", "") "," NAMED("b", ", \"needs\": [\"a\", \"a\"]") "]}",
         "steps[1].needs[1]: 'a' named twice"},
        {STEP(", \"needs\": [\"a\"]"), "steps: cycle a -> a"},
        {"{\"steps\": [" NAMED("a", ", \"needs\": [\"b\"]") "," NAMED("b", ", \"needs\": [\"a\"]") "]}",
         "steps: cycle a -> b -> a"},
        {"{\"steps\": [" NAMED("z", ", \"needs\": [\"a\"]") "," NAMED("a", ", \"needs\": [\"b\"]") "," NAMED(
             "b", ", \"needs\": [\"c\"]") "," NAMED("c", ", \"needs\": [\"b\"]") "]}",
         "steps: cycle b -> c -> b"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].text, rows[i].why);
}

/* A step of n pools, "p1" and so on. */
static char *step_of_pools(int n)
{
    struct text t = {0};

    text_addf(&t, "{\"steps\": [{\"name\": \"main\", \"command\": \"true\", \"pools\": {");
    for (int i = 1; i <= n; i++)
        text_addf(&t, "%s\"p%d\": 1", i > 1 ? ", " : "", i);
    text_addf(&t, "}}]}");
    return t.s;
}

static void test_most_pools(void **state)
{
    char *most = step_of_pools(64), *more = step_of_pools(65);
    struct spec s;

    (void)state;
    parse(&s, most);
    assert_int_equal(s.steps[0].nclaims, 64);
    spec_release(&s);
    check_refused(more, "steps[0].pools: pool 'p65': a step has at most 64 pools");
    free(most);
    free(more);
}

static void test_refused_claims(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {STEP(", \"pool\": 1"), "steps[0]: pool must be a string or list of strings"},
        {STEP(", \"pool\": [\"a\", 1]"), "steps[0]: pool must be a string or list of strings"},
        {STEP(", \"pool\": {\"a\": 1}"), "steps[0]: pool must be a string or list of strings"},
        {STEP(", \"pool\": \"\""), "steps[0]: pool key must be a non-empty string"},
        {STEP(", \"pool\": [\"a\", \"\"]"), "steps[0]: pool key must be a non-empty string"},
        {STEP(", \"pool\": \"a\\tb\""),
         "steps[0]: pool 'a\tb': must be at most 255 bytes of UTF-8 without control characters"},
        {STEP(", \"claim_timeout\": \"0s\""),
         "steps[0].claim_timeout: must be more than 0: it is the longest wait for slots, such as \"10m\""},
        {STEP(", \"pool\": [\"a\", \"b\"], \"pool_slots\": {\"x\": 1}"),
         "steps[0]: pool_slots key 'x' not in pool list [a, b]"},
        {STEP(", \"pool\": [], \"pool_slots\": {\"x\": 1}"),
         "steps[0]: pool_slots key 'x' not in pool list []"},
        {STEP(", \"pool\": \"a\", \"pool_slots\": 0"), "steps[0].pool_slots: " SLOTS},
        {STEP(", \"pool\": \"a\", \"pool_slots\": 2.5"), "steps[0].pool_slots: " SLOTS},
        {STEP(", \"pool\": \"a\", \"pool_slots\": \"2\""), "steps[0].pool_slots: " SLOTS},
        {STEP(", \"pool\": \"a\", \"pool_slots\": {\"a\": 0}"), "steps[0].pool_slots.a: " SLOTS},
        {STEP(", \"pool_slots\": 1"), "steps[0]: pool_slots without pool"},
        {STEP(", \"pools\": [\"a\"]"), "steps[0].pools: must be an object of slots by pool"},
        {STEP(", \"pools\": {\"a\": 0}"), "steps[0].pools.a: " SLOTS},
        {STEP(", \"pools\": {\"\": 1}"), "steps[0].pools: pool key must be a non-empty string"},
        {STEP(", \"pools\": {\"a\": 1}, \"pool\": \"a\""), "steps[0]: pools together with pool"},
        {STEP(", \"pools\": {\"a\": 1}, \"pool_slots\": 1"), "steps[0]: pools together with pool_slots"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].text, rows[i].why);
}

static char *spec_of_steps(int n)
{
    struct text t = {0};

    text_add(&t, "{\"steps\": [");
    for (int i = 0; i < n; i++)
        text_addf(&t, "%s{\"name\": \"s%d\", \"command\": \"x\", \"needs\": [\"s%d\"]}", i ? ", " : "", i,
                  i + 1);
    text_add(&t, "]}");
    return t.s;
}

static void test_bounds(void **state)
{
    char *long_text = xcalloc(SPEC_BYTES_MAX + 2, 1);
    char *many = spec_of_steps(SPEC_STEPS_MAX + 1), *unknown = spec_of_steps(SPEC_STEPS_MAX);

    (void)state;
    memset(long_text, ' ', SPEC_BYTES_MAX + 1);
    check_refused(long_text, "larger than 1048576 bytes");
    check_refused(many, "steps: more than 1000 steps");
    check_refused(unknown, "steps[999].needs[0]: no step 's1000'");
    free(long_text);
    free(many);
    free(unknown);
}

/* A text that just fits, but whose stored form would be too long to be read again, is refused when it is
 * submitted. */
static void test_stored_size(void **state)
{
    static const char head[] = "{\"steps\":[{\"name\":\"a\",\"timeout\":\"1y\",\"command\":\"",
                      tail[] = "\"}]}";
    struct text t = {0};

    (void)state;
    text_add(&t, head);
    while (t.len + strlen(tail) < SPEC_BYTES_MAX)
        text_add(&t, "x");
    text_add(&t, tail);
    check_refused(t.s, "larger than 1048576 bytes");
    text_release(&t);
}

static void test_worker(void **state)
{
    struct spec s;

    (void)state;
    parse(
        &s,
        "{\"executor\": \"in_process\", \"steps\": [{\"name\": \"a\", \"command\": \"x\", \"image\": \"b:1\","
        "\"resources\": {\"cpu\": \"250m\", \"memory\": \"1Gi\", \"gpu\": 2}}]}");
    assert_true(s.in_process);
    assert_string_equal(s.steps[0].image, "b:1");
    assert_string_equal(s.steps[0].resources.cpu, "250m");
    assert_string_equal(s.steps[0].resources.memory, "1Gi");
    assert_int_equal(s.steps[0].resources.gpu, 2);
    char *printed = spec_print(&s);
    assert_string_equal(printed, "{\"executor\":\"in_process\",\"steps\":[{\"name\":\"a\",\"command\":\"x\","
                                 "\"image\":\"b:1\",\"resources\":{\"cpu\":\"250m\",\"memory\":\"1Gi\","
                                 "\"gpu\":2}}]}");
    free(printed);
    spec_release(&s);
}

static void test_tag_set(void **state)
{
    struct spec s;
    struct err e = {0};
    char key[16];

    (void)state;
    spec_init(&s);
    assert_int_equal(spec_tag_set(&s, "team", "a", &e), 0);
    assert_int_equal(spec_tag_set(&s, "team", "b", &e), 0);
    assert_int_equal(spec_tag_set(&s, TAG_PRIORITY, "-7", &e), 0);
    assert_int_equal(s.ntags, 2);
    assert_string_equal(s.tags[0].value, "b");
    assert_int_equal(s.priority, -7);
    assert_int_equal(spec_tag_set(&s, TAG_PRIORITY, "1.5", &e), -1);
    assert_int_equal(s.priority, -7);
    for (int i = 2; i < TAG_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(spec_tag_set(&s, key, "", &e), 0);
    }
    assert_int_equal(spec_tag_set(&s, "team", "c", &e), 0);
    assert_int_equal(spec_tag_set(&s, "more", "", &e), -1);
    assert_string_equal(e.msg, "tag 'more': a run has at most 64 tags");
    spec_release(&s);
}

static void test_command_and_env(void **state)
{
    char echo[] = "echo", words[] = "a b";
    char *argv[] = {echo, words, NULL};
    struct spec s;
    struct err e = {0};

    (void)state;
    parse(&s, whole);
    spec_command_set(&s, argv);
    assert_int_equal(spec_env_set(&s, "DAY", "", &e), 0);
    assert_int_equal(spec_env_set(&s, "MORE", "1", &e), 0);
    assert_int_equal(spec_env_set(&s, "A=B", "1", &e), -1);
    char *printed = spec_print(&s);
    assert_string_equal(printed, "{\"env\":{\"DAY\":\"\",\"MORE\":\"1\"},\"max_concurrent_steps\":4,"
                                 "\"steps\":[{\"name\":\"main\",\"command\":[\"echo\",\"a b\"]}]}");
    free(printed);
    spec_release(&s);
    spec_release(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_print),           cmocka_unit_test(test_worker),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_graph),
        cmocka_unit_test(test_claims),          cmocka_unit_test(test_refused_runs),
        cmocka_unit_test(test_refused_steps),   cmocka_unit_test(test_refused_claims),
        cmocka_unit_test(test_most_pools),      cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_stored_size),     cmocka_unit_test(test_tag_set),
        cmocka_unit_test(test_command_and_env),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
