#include "chaos/canary.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "chaos/chaos.h"

#define NAP_MS   10
#define WORTH_MS 20 /* less is told of no timer */

static void *sit(void *arg)
{
    int history = *(int *)arg;
    int64_t most = WORTH_MS;

    for (int64_t due = clock_mono_ms() + NAP_MS;; due = clock_mono_ms() + NAP_MS) {
        nap(NAP_MS);
        int64_t late = clock_mono_ms() - due;
        if (late <= most)
            continue;
        most = late;
        dprintf(history, "late %" PRId64 " %" PRId64 "\n", clock_wall_ms(), late);
    }
    return NULL;
}

void canary_start(int history)
{
    static int file;
    pthread_t thread;

    file = history;
    if (pthread_create(&thread, NULL, sit, &file) != 0)
        die("the canary");
    pthread_detach(thread);
}
