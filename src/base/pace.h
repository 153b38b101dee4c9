/* pace: how long to wait before looking again at what has not happened yet: a little at first, then longer. */
#ifndef RIVERS_BASE_PACE_H
#define RIVERS_BASE_PACE_H

#include <stdint.h>

#define PACE_FIRST_MS 20
#define PACE_LAST_MS  500

static inline int64_t pace_next_ms(int64_t pace_ms)
{
    return pace_ms * 3 / 2 < PACE_LAST_MS ? pace_ms * 3 / 2 : PACE_LAST_MS;
}

#endif
