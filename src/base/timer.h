/* timer: libevent timers in milliseconds. */
#ifndef RIVERS_BASE_TIMER_H
#define RIVERS_BASE_TIMER_H

#include <stdint.h>

struct event;

/* (Re)starts a timer; what is due already (0 or less) comes with the next turn of the loop. */
void timer_set(struct event *timer, int64_t in_ms);

#endif
