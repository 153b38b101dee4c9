#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chaos/processes.h"
#include "chaos/servers.h"

#define BATCH  6
#define QUEUED 30 /* clients wait while there are more */

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
    (void)sig;
    told_to_end = 1;
}

static void write_batch(struct chaos *c, const char *path, int client, int batch)
{
    static const char *const teams[] = {"red", "green", "blue"}, *const envs[] = {"prod", "test"};
    FILE *f = fopen(path, "we");

    if (!f)
        die(path);
    for (int i = 0; i < BATCH; i++) {
        const char *team = teams[below(c, 3)], *env = envs[below(c, 2)];
        int slots = 1 + below(c, 3);
        fprintf(f,
                "{\"key\": \"%d-%d-%d\", \"priority\": %d, \"on_lost\": \"requeue\", \"max_attempts\": 50, "
                "\"tags\": {\"team\": \"%s\", \"env\": \"%s\"}, \"steps\": ["
                "{\"name\": \"a\", \"command\": [\"worker\", \"%d\", \"team=%s\", \"env=%s\"]}, "
                "{\"name\": \"b\", \"command\": [\"worker\", \"%d\", \"team=%s\", \"env=%s\", \"gpu:%d\"], "
                "\"pools\": {\"gpu\": %d}, \"claim_timeout\": \"10m\", "
                "\"retries\": {\"max\": 50, \"backoff\": \"50ms\", \"on\": [\"lost\"]}}]}\n",
                client, batch, i, below(c, 3), team, env, 50 + below(c, 800), team, env,
                50 + below(c, below(c, 8) ? 600 : 4000), team, env, slots, slots);
    }
    fclose(f);
}

/* Until it is answered; notes what was accepted: at once, with the time, or what is safe on a replica once that is said. Returns
 * one of the runs, owned by the caller. */
static char *submit(struct chaos *c, int client, const char *path)
{
    bool durable = c->topology->has_replicas;
    char *command = xasprintf("exec '%s' submit %s -f %s", c->rivers, durable ? "--durable" : "", path);
    char ids[BATCH][64] = {""};

    for (;;) {
        FILE *out = popen(command, "re"); // NOLINT(cert-env33-c): our own words
        int n = 0;
        for (; out && n < BATCH && fgets(ids[n], sizeof ids[n], out); n++) {
            ids[n][strcspn(ids[n], "\n")] = '\0';
            if (!durable)
                note(c, "accepted %s %" PRId64 "\n", ids[n], clock_wall_ms());
        }
        if (out && pclose(out) == 0) {
            for (int i = 0; durable && i < n; i++)
                note(c, "accepted %s\n", ids[i]);
            free(command);
            return xstrdup(ids[n > 0 ? n - 1 : 0]);
        }
        note(c, "unknown submission of client %d\n", client);
        nap(100);
    }
}

static _Noreturn void be_client(struct chaos *c, int client)
{
    char path[64], command[512];

    go_to_work(c, DEQUEUERS + client);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
    snprintf(path, sizeof path, "batch%d", client);
    for (int batch = 0; !told_to_end; batch++) {
        while (!told_to_end && count(c, "ZCARD " PREFIX "queue") > QUEUED)
            nap(100);
        write_batch(c, path, client, batch);
        char *run = submit(c, client, path);
        if (below(c, 3) == 0) {
            snprintf(command, sizeof command, "exec '%s' runs cancel --grace 100ms %s", c->rivers, run);
            if (system(command) != 0) // NOLINT(cert-env33-c): our own words
                note(c, "unknown cancel of %s\n", run);
        }
        free(run);
        nap(300 + below(c, 1000));
    }
    _exit(0);
}

void start_client(struct chaos *c, int i)
{
    c->clients[i] = fork();
    if (c->clients[i] == 0) {
        c->seed[2] = (unsigned short)(c->seed[2] + i + 1);
        be_client(c, i);
    }
}
