/*
 * Submits a run under a key, so that it is there only once, and waits for its end while a slot of a pool is held; prints its id and
 * how it ended.
 *     cc client.c $(pkg-config --cflags --libs rivers) -o client && ./client warehouse nightly-23
 */
#include <stdio.h>

#include <rivers/rivers.h>

/* Renews the lease in between. When it is lost, the run must not go on: somebody else has the slot. */
static int wait_under_lease(struct rivers *h, const char *id, struct rivers_slots *slots,
                            enum rivers_run_state *state, struct rivers_error *e)
{
    int code;

    do {
        code = rivers_wait(h, id, slots->renew_at - rivers_clock_ms(), state, e);
        if (rivers_clock_ms() >= slots->renew_at && rivers_renew(h, slots, e) == RIVERS_LOST) {
            rivers_cancel(h, id, 1000, NULL);
            return RIVERS_LOST;
        }
    } while (code == RIVERS_TIMEOUT || code == RIVERS_UNAVAILABLE || code == RIVERS_UNKNOWN);
    return code;
}

static int work(struct rivers *h, const char *pool, const char *key, struct rivers_error *e)
{
    const struct rivers_pool one = {pool, 1};
    struct rivers_slots slots = {0};
    enum rivers_run_state state;
    char id[RIVERS_ID_SIZE], run[512];
    int code;

    snprintf(run, sizeof run,
             "{\"key\": \"%s\", \"steps\": [{\"name\": \"main\", \"command\": \"echo hello\"}]}", key);
    code = rivers_claim(h, "example", &one, 1, 0, 60000, &slots, e);
    if (code == RIVERS_OK)
        code = rivers_submit(h, run, id, e);
    if (code == RIVERS_OK)
        code = wait_under_lease(h, id, &slots, &state, e);
    if (code == RIVERS_OK)
        printf("%s %s\n", id, rivers_state_word(state));
    rivers_release(h, &slots, NULL);
    return code;
}

int main(int argc, char **argv)
{
    const struct rivers_options options = {.timeout_ms = 1000};
    struct rivers_error e;
    struct rivers *h;
    int code;

    if (argc != 3) {
        fprintf(stderr, "usage: client POOL KEY\n");
        return 2;
    }
    code = rivers_open(&h, &options, &e);
    if (code == RIVERS_OK)
        code = work(h, argv[1], argv[2], &e);
    rivers_close(h);
    if (code != RIVERS_OK)
        fprintf(stderr, "client: %s\n", e.message);
    return code != RIVERS_OK;
}
