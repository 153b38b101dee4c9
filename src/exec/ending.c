#include "exec/ending.h"

#include <stdio.h>

static const struct {
    const char *word;
    bool has_code;
    int on; /* enum retry_on; 0: never tried again */
} kinds[] = {
    [ENDING_NONE] = {"-", false, 0},
    [ENDING_EXIT] = {"exit", true, RETRY_ON_EXIT},
    [ENDING_SIGNAL] = {"signal", true, RETRY_ON_EXIT},
    [ENDING_OOM] = {"oom", false, RETRY_ON_OOM},
    [ENDING_EVICTED] = {"evicted", false, RETRY_ON_EVICTED},
    [ENDING_NODE_LOST] = {"node-lost", false, RETRY_ON_NODE_LOST},
    [ENDING_DEADLINE] = {"deadline", false, RETRY_ON_DEADLINE},
    [ENDING_NOT_RUN] = {"not-run", false, 0},
    [ENDING_TIMEOUT] = {"timeout", false, RETRY_ON_TIMEOUT},
    [ENDING_LEASE_LOST] = {"lease-lost", false, RETRY_ON_LOST},
    [ENDING_NO_SLOTS] = {"no-slots", false, 0},
};

bool ending_is_success(const struct ending *x)
{
    return x->kind == ENDING_EXIT && x->code == 0;
}

/* A list of exit codes means these and no other ends of the process. */
static bool is_code_retried(const struct ending *x, const struct retries *r)
{
    for (size_t i = 0; i < r->nexit_codes; i++)
        if (x->kind == ENDING_EXIT && r->exit_codes[i] == x->code)
            return true;
    return r->nexit_codes == 0;
}

bool ending_is_retried(const struct ending *x, const struct retries *r)
{
    int on = kinds[x->kind].on;

    return (r->on & on) && (on != RETRY_ON_EXIT || is_code_retried(x, r));
}

const char *ending_print(const struct ending *x, char *buf, size_t size)
{
    if (kinds[x->kind].has_code)
        snprintf(buf, size, "%s:%d", kinds[x->kind].word, x->code);
    else
        snprintf(buf, size, "%s", kinds[x->kind].word);
    return buf;
}
