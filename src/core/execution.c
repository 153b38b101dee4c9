#include "core/execution.h"

static struct call *execution_call(struct store *s, enum script_id script, const struct execution *x)
{
    struct call *c = call_new(s, script);

    call_str(c, x->run);
    call_int(c, x->token);
    call_str(c, x->executor);
    return c;
}

static void call_reports(struct call *c, const struct step_report *reports, size_t n)
{
    call_int(c, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        call_str(c, reports[i].step);
        call_str(c, reports[i].event);
        call_str(c, reports[i].state);
        call_int(c, reports[i].attempt);
        call_str(c, reports[i].how);
    }
}

void order_read(struct store *s, const char *run, int64_t deadline_ms, redis_reply_fn *on_record,
                redis_reply_fn *on_spec, void *arg)
{
    char key[256];
    const char *record[] = {"HGETALL", store_key(s, key, sizeof key, "run:", run)};

    redis_send(store_redis_get(s), REDIS_RESEND, deadline_ms, 2, record, NULL, on_record, arg);
    const char *spec[] = {"GET", store_key(s, key, sizeof key, "spec:", run)};
    redis_send(store_redis_get(s), REDIS_RESEND, deadline_ms, 2, spec, NULL, on_spec, arg);
}

struct call *start_call(struct store *s, const struct execution *x, int64_t lease_ms)
{
    struct call *c = execution_call(s, SCRIPT_RUN_START, x);

    call_int(c, lease_ms);
    return c;
}

struct call *renew_call(struct store *s, int64_t lease_ms)
{
    struct call *c = call_new(s, SCRIPT_RUN_RENEW);

    call_int(c, lease_ms);
    return c;
}

void renew_add(struct call *c, const struct execution *x)
{
    call_str(c, x->run);
    call_int(c, x->token);
    call_str(c, x->executor);
}

struct call *hold_call(struct store *s, const struct execution *x, int64_t lease_ms)
{
    struct call *c = call_new(s, SCRIPT_RUN_HOLD);

    call_int(c, lease_ms);
    call_str(c, x->run);
    call_int(c, x->token);
    return c;
}

struct call *report_call(struct store *s, const struct execution *x, const struct step_report *reports,
                         size_t n)
{
    struct call *c = execution_call(s, SCRIPT_RUN_REPORT, x);

    call_reports(c, reports, n);
    return c;
}

struct call *log_call(struct store *s, const struct execution *x, const char *step, const void *bytes,
                      size_t len, uint64_t end)
{
    struct call *c = execution_call(s, SCRIPT_RUN_LOG, x);

    call_str(c, step);
    call_bytes(c, bytes, len);
    call_int(c, (int64_t)end);
    return c;
}

struct call *drop_call(struct store *s, const struct execution *x, const char *step, uint64_t end)
{
    struct call *c = execution_call(s, SCRIPT_RUN_DROP, x);

    call_str(c, step);
    call_int(c, (int64_t)end);
    return c;
}

struct call *finish_call(struct store *s, const struct execution *x, enum run_state state, const char *reason,
                         const struct step_report *reports, size_t n)
{
    struct call *c = execution_call(s, SCRIPT_RUN_FINISH, x);

    call_str(c, run_state_word(state));
    call_str(c, reason);
    call_reports(c, reports, n);
    return c;
}
