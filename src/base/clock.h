/* clock: time for timers and for showing; decisions about leases use the Redis server's clock, never these.
 */
#ifndef RIVERS_BASE_CLOCK_H
#define RIVERS_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* CLOCK_BOOTTIME: goes on through a suspend, never jumps */
int64_t clock_wall_ms(void); /* for showing and for the traces that processes write */

/* "2026-11-23 14:05:09" in local time; buf holds at least 20 bytes; returns buf. 0 prints "-". */
char *clock_print(int64_t wall_ms, char *buf, unsigned long size);

#endif
