/* The command that runs any command under slots of pools: pools run. */
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/process.h"
#include "base/reaper.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/bell.h"
#include "exec/guard.h"
#include "exec/slots.h"

#define GIVE_BACK_MS 2000 /* longer is not waited for the server: the lease ends as well */

/* As those of timeout(1) and of shells. */
enum { EXIT_TIMED_OUT = 124, EXIT_OWN = 125, EXIT_NOT_RUN = 127, EXIT_SIGNALED = 128, GOING_ON = -1 };

struct run_options {
    int64_t wait_ms, priority;
};

static const struct option_row run_rows[] = {
    {"wait", 'w', OPTION_DURATION, "DURATION", "longest wait for the slots; 0: none (default 10m)",
     offsetof(struct run_options, wait_ms), 0, 0},
    {"priority", 'p', OPTION_WHOLE, "N", "higher ones stand before others in the line (default 0)",
     offsetof(struct run_options, priority), INT32_MIN, INT32_MAX},
};

/* Runs one command: waits for the slots, then for its end. */
struct keeper {
    const struct run_options *options;
    char *const *argv;
    struct seat *seat; /* by which our guard ends us in time, should we stand still */
    struct reaper *reaper;
    struct slots *slots;
    struct bell *bell;
    struct process *process; /* NULL: it does not run */
    struct event *signals[4];
    char *why; /* it waits; NULL: not told yet */
    bool lost;
    int status; /* to exit with, or GOING_ON */
};

static void fail(struct keeper *k, int status, const char *why)
{
    fprintf(stderr, "rivers: %s\n", why);
    k->status = status;
}

/* --- the command */

static void on_exit_(void *arg, const struct process_exit *x)
{
    struct keeper *k = arg;

    process_free(k->process);
    k->process = NULL;
    if (k->lost)
        fail(k, EXIT_OWN, "lease lost");
    else
        k->status = x->signaled ? EXIT_SIGNALED + x->code : x->code;
}

static void command_start(struct keeper *k, int64_t token)
{
    struct environment env;
    struct err e = {0};
    char number[24];

    snprintf(number, sizeof number, "%" PRId64, token);
    environment_init(&env, environ);
    environment_set(&env, "RIVERS_POOL_TOKEN", number);
    struct process_options options = {
        .argv = k->argv,
        .envp = env.vars,
        .apart = PROCESS_GROUP,
        .foreground = true,
        .die_with_parent = true,
        .on_exit = on_exit_,
        .arg = k,
    };
    k->process = process_start(k->reaper, &options, &e);
    environment_release(&env);
    if (!k->process)
        fail(k, EXIT_NOT_RUN, e.msg);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct keeper *k = arg;

    (void)what;
    if (k->process)
        process_signal(k->process, (int)sig);
    else
        k->status = EXIT_SIGNALED + (int)sig;
}

/* --- the slots */

static void on_granted(void *arg, int64_t token)
{
    struct keeper *k = arg;

    if (k->status == GOING_ON)
        command_start(k, token);
}

static void on_held(void *arg, int64_t asked_at, int64_t lease_ms)
{
    struct keeper *k = arg;

    seat_hold_for(k->seat, asked_at, lease_ms);
}

static void on_refused(void *arg, const char *why)
{
    fail(arg, EXIT_OWN, why);
}

static void on_timeout(void *arg)
{
    struct keeper *k = arg;
    char span[64];
    char *why = xasprintf("timed out waiting for pool slots after %s%s%s",
                          duration_print_ms(k->options->wait_ms, span, sizeof span), k->why ? ": " : "",
                          k->why ? k->why : "");

    fail(k, EXIT_TIMED_OUT, why);
    free(why);
}

static void on_lost(void *arg, int64_t grace_ms)
{
    struct keeper *k = arg;

    k->lost = true;
    if (k->process)
        process_end(k->process, grace_ms);
}

static void on_waiting(void *arg, const char *reason)
{
    struct keeper *k = arg;

    if (!k->why && k->options->wait_ms > 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "rivers: waiting: %s\n", reason);
    free(k->why);
    k->why = xstrdup(reason);
    if (k->options->wait_ms == 0)
        on_timeout(k);
}

static void on_bell(void *arg)
{
    struct keeper *k = arg;

    slots_ask_again(k->slots);
    bell_listen(k->bell);
}

/* --- begin and end */

static void listen_to_signals(struct keeper *k, struct event_base *base)
{
    static const int forwarded[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};

    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
        k->signals[i] = evsignal_new(base, forwarded[i], on_signal, k);
        evsignal_add(k->signals[i], NULL);
    }
}

/* What the command left outside of its group. */
static void end_strays(struct keeper *k)
{
    struct err e;

    if (reaper_kill_strays(k->reaper, &e) < 0)
        log_line(LOG_WARN, "processes of the command remain", "why", e.msg, NULL);
    seat_leave(k->seat);
}

/* slots_release does not wait for its answer, and we are about to leave: the same once more, waited for. */
static void give_back(struct store *store, const struct claimant *who, struct claim *claim)
{
    slots_release(claim);
    reply_free(call_wait(release_call(store, who, 0), GIVE_BACK_MS, NULL));
}

static void keep(struct keeper *k, struct store *store, const struct claimant *who,
                 const struct pool_claim *claims, size_t n)
{
    const struct claim_events events = {on_granted, on_refused, on_timeout, on_lost, on_waiting, on_held, k};
    struct event_base *base = redis_base_get(store_redis_get(store));

    listen_to_signals(k, base);
    k->slots = slots_new(store);
    struct claim *claim = slots_claim(k->slots, who, claims, n, k->options->wait_ms, &events);
    bell_listen(k->bell);
    while (k->status == GOING_ON)
        event_base_loop(base, EVLOOP_ONCE);
    end_strays(k);
    give_back(store, who, claim);
    slots_free(k->slots);
    for (size_t i = 0; i < sizeof k->signals / sizeof *k->signals; i++)
        event_free(k->signals[i]);
    free(k->why);
}

static int keeper_run(struct keeper *k, struct store *store, const char *name,
                      const struct pool_claim *claims, size_t n, struct err *e)
{
    struct event_base *base = redis_base_get(store_redis_get(store));
    char *bell = xasprintf("wake:%s", name);
    const struct claimant who = {.run = name, .step = "main", .attempt = 1, .priority = k->options->priority};

    k->reaper = reaper_new(base, true, e);
    if (k->reaper) {
        k->bell = bell_new(store, bell, on_bell, k);
        keep(k, store, &who, claims, n);
        bell_free(k->bell);
        reaper_free(k->reaper);
    }
    free(bell);
    return k->reaper ? k->status : -1;
}

/* Returns in a process below a guard, which has the pid in the name of the claim: by that it is found. Nobody could set us going
 * again in time after a Ctrl-Z. */
static int guarded_run(struct context *ctx, struct keeper *k, const struct pool_claim *claims, size_t n,
                       struct err *e)
{
    struct guard_order order = {0};
    char *name = claimant_name(NULL);
    struct store *store;
    int status = -1;

    signal(SIGTSTP, SIG_IGN);
    if ((k->seat = guard_fork(-1, &order, e)) && context_store(ctx, &store, e) == 0)
        status = keeper_run(k, store, name, claims, n, e);
    free(name);
    return status;
}

/* --- the command line */

/* NAME[=SLOTS]: a name that has '=' itself needs its slots. */
static int claim_parse(struct pool_claim *claim, const char *word, struct err *e)
{
    const char *end = strrchr(word, '=');

    *claim = (struct pool_claim){xmemdup(word, end ? (size_t)(end - word) : strlen(word)), 1};
    if (end && number_parse(end + 1, 1, POOL_SLOTS_MAX, &claim->slots) < 0)
        return err_set(e, ERR_USAGE, "'%s': slots must be a whole number from 1 to %d", word, POOL_SLOTS_MAX);
    if (pool_name_check(claim->pool, e) < 0) {
        e->code = ERR_USAGE;
        return -1;
    }
    return 0;
}

static int pools_run(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct keeper k = {.options = options, .argv = args->command, .status = GOING_ON};
    struct pool_claim *claims;
    int status = 0;
    size_t n = 0;

    if (!args->command || !*args->command)
        return err_set(e, ERR_USAGE, "a command is missing behind '--'");
    if (args->n > POOL_CLAIM_MAX)
        return err_set(e, ERR_USAGE, "'%s': a claim has at most %d pools", args->words[POOL_CLAIM_MAX],
                       POOL_CLAIM_MAX);
    claims = xcalloc(args->n, sizeof *claims);
    while (status == 0 && n < args->n) {
        status = claim_parse(&claims[n], args->words[n], e);
        n++;
    }
    if (status == 0)
        status = guarded_run(ctx, &k, claims, n, e);
    claims_release(claims, n);
    return status;
}

const struct command pools_run_command = {
    .name = "pools run",
    .group = "Pools",
    .args = "NAME[=SLOTS]... -- COMMAND...",
    .summary = "Run a command while it holds slots of pools; without a run",
    .details =
        "All slots or none; one of each pool by default. The command has the token of its slots in "
        "RIVERS_POOL_TOKEN\n"
        "and is ended when they are lost; what it leaves behind ends with it. Its exit status is passed "
        "on, 128 + N\n"
        "when signal N ended it; 124: the wait was over, 125: errors of rivers, also `lease lost`, 127: "
        "the command\n"
        "cannot be run.\n",
    .rows = run_rows,
    .nrows = sizeof run_rows / sizeof *run_rows,
    .defaults = &(const struct run_options){.wait_ms = 600000},
    .size = sizeof(struct run_options),
    .least = 1,
    .most = OPERANDS_MANY,
    .takes_command = true,
    .failure = EXIT_OWN,
    .run = pools_run,
};
