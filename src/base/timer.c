#include "base/timer.h"

#include <event2/event.h>

void timer_set(struct event *timer, int64_t in_ms)
{
    struct timeval tv = {in_ms > 0 ? in_ms / 1000 : 0, in_ms > 0 ? in_ms % 1000 * 1000 : 0};

    evtimer_add(timer, &tv);
}
